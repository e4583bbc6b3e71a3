"""The Sphinx extension: a directive that shows an animation as a player, a picture, or the last frame on paper."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from convanim import __version__
from convanim.embed import FORMS, Part, part, subject, told
from convanim.scene.spoken import ENGLISH, languages
from convanim.write.files import whole_file
from convanim.write.html import SCRIPT, script

try:
    from docutils import nodes
    from docutils.parsers.rst.directives import unchanged
    from sphinx.util import logging
    from sphinx.util.docutils import SphinxDirective
except ImportError as error:
    raise ImportError("convanim.sphinx needs Sphinx: pip install 'convanim[sphinx]'") from error

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.builders import Builder

_log = logging.getLogger(__name__)
#: Builders that write HTML for programs in which scripts do not run, or not everywhere.
_READERS = {"epub", "htmlhelp", "qthelp", "devhelp", "applehelp"}


class _AnyOption(dict[str, Callable[[str], str]]):
    """A directive's options. Unknown ones are refused later, with the nearest known one."""

    def __missing__(self, key: str) -> Callable[[str], str]:
        return unchanged


class animation(nodes.General, nodes.Inline, nodes.Element):  # noqa: N801 - as docutils names nodes
    """An animation in a document, until a builder shows it. It has the layer, its options and their lines."""


class ConvanimDirective(SphinxDirective):
    """An animation: `.. convanim:: ConvTranspose(3, stride=2)`. Its content is the caption of a figure."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Callable[[str], Any]] | None] = _AnyOption(input=unchanged)

    def run(self) -> list[nodes.Node]:
        """A node with the options, in a figure if there is a caption."""
        own: dict[str, Any] = {key: self.options.pop(key) for key in ("name", "class") if key in self.options}
        source, line = self.get_source_info()
        rows = [row.strip() for row in self.block_text.splitlines()]
        lines = {
            key: line + number for key in self.options for number, row in enumerate(rows) if row.startswith(f":{key}:")
        }
        # Books join the documents of several folders.
        folder = posixpath.dirname(self.env.docname)
        made = animation("", layer=self.arguments[0], options=self.options, lines=lines, folder=folder)
        made.source, made.line = source, line
        shown: nodes.Element = made
        if caption := self.parse_content_to_nodes():
            first, *others = caption
            shown = nodes.figure("", made, nodes.caption("", "", *first.children))
            shown += [nodes.legend("", *others)] if others else []
            shown.source, shown.line = source, line
        shown["classes"] += own.get("class", "").split()
        self.options |= own
        self.add_name(shown)
        return [shown]


def _part(app: Sphinx, node: animation) -> Part:
    """The animation of a node: the defaults of the project, in its language, and its own options."""
    code = (app.config.language or ENGLISH).partition("_")[0]
    usual = {"lang": code} if code != ENGLISH and code in languages() else {}
    options = usual | app.config.convanim_defaults | node["options"]
    return part(node["layer"], options, Path(app.srcdir), node["folder"])


def _kind(builder: Builder, shown: Part) -> str:
    """What a builder shows of an animation; "" for its alternative text alone."""
    types = builder.supported_image_types
    if builder.format == "html":
        if shown.form == FORMS[0]:
            return "png" if builder.name in _READERS else "html"
        return shown.moving
    return "pdf" if "application/pdf" in types else "png" if types else ""


def _file(app: Sphinx, shown: Part, kind: str) -> Path:
    """The file with what is shown, which is drawn unless a build has drawn the same before."""
    path = Path(app.doctreedir, "convanim", f"convanim-{shown.key(kind)}.{kind}")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(shown.made(kind))
    return path


def _read(app: Sphinx, doctree: nodes.document) -> None:
    """Verify each animation of a document, and draw it where documents are read in parallel."""
    for node in list(doctree.findall(animation)):
        try:
            shown = _part(app, node)
            for path in shown.sources:
                app.env.note_dependency(str(path))
            kind = _kind(app.builder, shown)
            node["alt"] = shown.alt
            if kind:
                _file(app, shown, kind)
        except Exception as error:
            _warn(node, error)
            figure = node.parent if isinstance(node.parent, nodes.figure) else node
            figure.parent.remove(figure)


def _show(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Replace each animation by what the builder shows."""
    for node in list(doctree.findall(animation)):
        try:
            shown = _part(app, node)
            kind = _kind(app.builder, shown)
            path = str(_file(app, shown, kind)) if kind else ""
        except Exception as error:
            _warn(node, error)
            node.parent.remove(node)
            continue
        if kind == "html":
            raw = nodes.raw("", Path(path).read_text("utf-8"), format="html")
            new: nodes.Element = nodes.container("", raw)
        else:
            new = nodes.image("", uri=path, alt=node["alt"], candidates={"*" if path else "?": path})
            if path:
                app.env.images.add_file(docname, path)
        new.update_basic_atts(node)
        new.source, new.line = node.source, node.line
        node.replace_self(new)


def _warn(node: animation, error: Exception) -> None:
    message = told(error)
    line = node["lines"].get(subject(message), node.line)
    _log.warning("convanim: %s", message, location=f"{node.source}:{line}", type="convanim")


def _scripted(app: Sphinx) -> None:
    """Put the script of the player beside the pages."""
    if app.builder.format != "html" or app.builder.name in _READERS:
        return
    folder = Path(app.outdir, "_static")
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / SCRIPT) as file:
        file.write(script())
    app.add_js_file(SCRIPT, loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx calls this when a project lists `convanim.sphinx` among its extensions."""
    app.add_config_value("convanim_defaults", {}, "env", types=frozenset({dict}))
    app.add_node(animation)
    app.add_directive("convanim", ConvanimDirective)
    app.connect("builder-inited", _scripted)
    app.connect("doctree-read", _read)
    app.connect("doctree-resolved", _show)
    return {"version": __version__, "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}

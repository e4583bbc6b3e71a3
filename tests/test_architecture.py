"""Dependencies point one way: a module imports only from lines above its own, and heavy libraries are restricted."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "convanim"

# One line per level: stages (modules or packages) and what each adds. A stage imports only from the lines
# above its own, never from a stage beside it. A new module gets a line here, or a place on one.
LEVELS: list[dict[str, str]] = [
    {
        "errors": "how a wrong input is told to a person",
    },
    {
        "look": "the options of an animation: their types, defaults and descriptions, and who has them",
    },
    {"commands": "the commands that animate a kind of layer: their options, words and views"},
    {
        "system": "files read with care, and matplotlib's compiled modules",
        "assets": "the files that come with the package",
    },
    {"language": "English that remembers its template, the formatting of numbers, letters in their place"},
    {"layers": "operations, their validation and their sizes; lines of frameworks, read and written"},
    {"trace": "which cells touch, in what order, with what values; proves itself"},
    {"explanation": "the same arithmetic in words", "typed": "what a person typed, as arrays, pictures and layers"},
    {"scene": "what is on the page: frames as data, their descriptions and translations"},
    {
        "timing": "how long each frame is shown, what moves between two of them, what a size limit leaves out",
        "facts": "what commands print with --json",
    },
    {"page": "where things lie on the page, in pixels"},
    {"draw": "a frame as a display list, and as text and pixels, with the colours of a theme"},
    {"template": "how a page is set: sizes, pace, and what appears"},
    {"write": "file formats, one file for each container"},
    {"kinds": "values of the kinds that can be asked with"},
    {"lightdark": "the two files of an animation for light pages and for dark ones"},
    {"lists": "the formats, themes, templates and views that there are"},
    {"animation": "the whole pipeline as one function"},
    {
        "gallery": "many of them: a folder of descriptions and their files",
        "export": "the files of a layer for one of the places where people teach",
        "sweep": "a layer with every combination of some arguments, on one page",
        "live": "layers in memory, with their own weights",
    },
    {
        "embed": "an animation as a part of another page",
        "models": "whole models: their layers, receptive fields and pages",
    },
    {
        "preload": "what the processes of a gallery import once",
        "mkdocs": "a fence for superfences",
        "sphinx": "the directive of the Sphinx extension",
    },
    {"cli": "the pipeline for a person at a shell"},
    {"__main__": "python -m convanim"},
    {"__init__": "the public names"},
]
LEVEL = {stage: number for number, stages in enumerate(LEVELS) for stage in stages}

# Within a room, a module imports only from rows above its own; `__init__` is the room's public face.
ROWS: dict[str, list[str]] = {
    "commands": ["record", "shared", "columns convolutions pools resize", "__init__"],
    "language": ["numerals printed words", "symbols"],
    "layers": [
        "axis conventions",
        "arguments",
        "operation",
        "columns convolutions pools resize",
        "adaptive evaluated separable",
        "calls code kinds",
        "lines syntax",
        "reading",
        "notation",
        "__init__",
        "writing",
    ],
    "trace": [
        "arrays oracle taps",
        "engine given part step",
        "core",
        "columns convolutions pools shuffle upsample",
        "separable unpool",
        "__init__",
    ],
    "explanation": [
        "arithmetic",
        "blocks difference equals search",
        "columns compare convolutions pools shuffle unpool upsample",
        "separable",
        "__init__",
    ],
    "typed": ["cells examples", "archives tables", "files", "pictures", "typed", "__init__", "request"],
    "scene": [
        "caption",
        "frame",
        "captions contents tints",
        "whole",
        "window",
        "stamp",
        "beside",
        "grey",
        "views",
        "__init__",
        "description spoken",
    ],
    "timing": ["reading", "pace", "timeline", "budget motion"],
    "page": [
        "fonts lattice style",
        "faces",
        "glyphs measures seen",
        "texts",
        "crossed page",
        "kin lens",
        "bands opened",
        "block scales",
        "grids",
        "row stories tilted",
        "arrange choose",
        "__init__",
    ],
    "draw": [
        "choices palette shapes themefile",
        "ramps regions rules theme wires",
        "cells mosaic",
        "turns",
        "floats",
        "compose",
        "raster text",
        "pen",
        "axes",
    ],
    "template": ["keys", "files", "settings", "__init__"],
    "write": [
        "drawing files film patches png vector",
        "drawingml moments truetype",
        "apng csvfile gif html pdf pptx svg tex tracefile video webp",
        "vectors",
        "images",
        "formats",
    ],
    "gallery": [
        "description",
        "digest tables",
        "folder records",
        "pages work",
        "beginning runner",
        "builder",
        "checker sidebyside",
        "__init__",
    ],
    "models": [
        "graph onnxfile",
        "given reach spans versions",
        "fields",
        "operators rows small",
        "nodes page",
        "memory shown",
        "kerascalls torchcalls",
        "__init__",
    ],
    "cli": ["helptext", "options shell", "config files gallery", "export model", "commands"],
}
ROW = {(room, name): number for room, rows in ROWS.items() for number, row in enumerate(rows) for name in row.split()}
# What leads on to a later stage: these names are imported for type checks, or in a method when it is called.
ONWARD = {
    "look": {"template.Template", "trace.Trace"},
    "layers": {
        "trace.trace",
        *(f"trace.{kind}Trace" for kind in ("Conv", "Pool", "Unpool", "Upsample", "Shuffle")),
        "trace.columns.ColumnsTrace",
        "trace.separable.SeparableTrace",
    },
    "trace": {"animation.Animation", "write.formats", "write.tracefile"},
}
# Third-party libraries that only these stages may import, and modules that none may.
ONLY_IN = {
    "click": {"cli", "__main__"},
    "matplotlib": {
        "system.rcfile",
        "system.compiled",
        "system.agg",
        "page.faces",
        "draw.axes",
        "draw.pen",
        "write.vector",
        "animation",
        "write.vectors",
    },
    "jinja2": {"gallery"},
    "sphinx": {"sphinx"},
    "docutils": {"sphinx"},
    "pptx": {"write"},
}
NOWHERE = {
    "matplotlib.pyplot": "it keeps global state and picks a window system",
    "matplotlib.animation": "it draws every frame anew",
}
ORACLE = "trace.oracle"
ORACLE_MAY = {"numpy"}


def name_of(file: Path) -> str:
    """Return a file's module name inside the package: convanim/draw/raster.py is draw.raster."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def imports(module: str, source: str, *, is_package: bool) -> Iterator[str]:
    """Yield every name that a module imports, in full, wherever in the module it does so."""
    here = ["convanim", *([] if module == "__init__" else module.split("."))]
    if not is_package:
        here.pop()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def why_not(module: str, imported: str) -> str | None:
    """Return why this module may not import this name, or None where it may."""
    library, _, inside = imported.partition(".")
    if library == "convanim":
        return why_not_ours(module, inside)
    stage = module.partition(".")[0]
    for name, reason in NOWHERE.items():
        if f"{imported}.".startswith(f"{name}."):
            return f"nothing here imports {name}: {reason}"
    if module == ORACLE and library not in ORACLE_MAY | sys.stdlib_module_names:
        return f"the oracle stands on {' and '.join(ORACLE_MAY)} alone"
    if library in ONLY_IN and not {stage, module} & ONLY_IN[library]:
        return f"only {' and '.join(sorted(ONLY_IN[library]))} may import {library}"
    return None


def why_not_ours(module: str, inside: str) -> str | None:
    """Return why this module may not import this name of the package, written without the package's name."""
    stage, _, place = module.partition(".")
    other, _, neighbour = inside.partition(".")
    if other == "__version__":
        return None
    if other not in LEVEL:
        other = "__init__"  # a public name, from the package itself
    if module == ORACLE:
        return f"the oracle shares no code with what it checks, and {other} is not its own"
    if other == stage:
        name, own = neighbour.partition(".")[0], place.partition(".")[0] or "__init__"
        face = ROW.get((stage, "__init__"), -1)  # what is not a module is a name that the room's face has
        apart = stage in ROWS and own != name and ROW.get((stage, name), face) >= ROW.get((stage, own), -1)
        return f"{stage}.{own} may not import {neighbour} of its own room" if apart else None
    if LEVEL[other] < LEVEL[stage] or inside in ONWARD.get(stage, set()):
        return None
    return f"{other} is not above {stage} in the table of levels"


@pytest.mark.parametrize("module", MODULES)
def test_module_imports_only_what_it_may(module: str) -> None:
    file = MODULES[module]
    assert module.partition(".")[0] in LEVEL, (
        f"convanim/{file.relative_to(PACKAGE)} is new here: give it a line in LEVELS in tests/test_architecture.py, "
        "at the height of what it knows, and say what it adds"
    )
    found = imports(module, file.read_text(encoding="utf-8"), is_package=file.name == "__init__.py")
    wrong = {name: why for name in found if (why := why_not(module, name))}
    assert not wrong, "\n".join(f"{module} imports {name}: {why}" for name, why in wrong.items())


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("errors", "import convanim.layers"),
        ("layers", "from convanim import trace"),
        ("layers.axis", "from . import operation"),
        ("layers.reading", "from convanim.layers.writing import torch"),
        ("trace.taps", "from convanim.trace import Trace"),
        ("trace.taps", "def late():\n    from ..cli import main"),
        ("scene.frame", "from ..timing.timeline import hold"),
        ("scene.window.gather", "from convanim.scene.stamp.scatter import ScatterScene"),
        ("scene", "from convanim import animate"),
        ("trace.oracle", "from convanim.errors import CheckFailed"),
        ("trace.oracle", "import scipy.signal"),
        ("page", "import click"),
        ("write.gif", "from matplotlib.figure import Figure"),
        ("draw.raster", "import matplotlib.pyplot as plt"),
        ("draw.raster", "from matplotlib import pyplot"),
        ("draw.raster", "from matplotlib.animation import FuncAnimation"),
        ("draw.raster", "from convanim.draw.text import lines"),
        ("draw.compose", "from convanim.draw.raster import Raster"),
        ("draw.raster", "from convanim.write.gif import save"),
    ],
)
def test_forbidden_import_is_noticed(module: str, source: str) -> None:
    assert [why for name in imports(module, source, is_package=False) if (why := why_not(module, name))]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("trace.taps", "import numpy as np\nfrom convanim.layers import Conv"),
        ("trace.core", "from .. import errors, layers\nfrom . import taps\nfrom .oracle import conv"),
        ("trace.oracle", "import itertools\nimport numpy as np"),
        ("scene.views", "from .frame import Role\nfrom ..trace import Trace"),
        ("write.apng", "from convanim.write.patches import Box\nfrom PIL import Image"),
        ("page.faces", "from matplotlib.backends.backend_agg import FigureCanvasAgg"),
        ("cli.commands", "import click\nfrom convanim import __version__, animation"),
        ("__main__", "from convanim.cli.commands import main"),
        ("__init__", "from convanim.animation import animate"),
    ],
)
def test_allowed_import_is_let_through(module: str, source: str) -> None:
    assert not [why for name in imports(module, source, is_package=False) if (why := why_not(module, name))]


def loaded_after(code: str) -> set[str]:
    """Return the names of the modules that a fresh interpreter has loaded after running some code."""
    report = "import sys; print('\\n', *sys.modules)"
    script = f"import atexit; atexit.register(lambda: exec({report!r}))\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PACKAGE.parent, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def test_importing_convanim_loads_no_drawing_library() -> None:
    assert not loaded_after("import convanim") & {"matplotlib", "imageio"}


@pytest.mark.skipif("cli" not in MODULES, reason="there is no command line yet")
def test_asking_for_help_loads_no_drawing_library() -> None:
    loaded = loaded_after("from convanim.cli.commands import main; main(['--help'])")
    assert "click" in loaded
    assert not loaded & {"matplotlib", "imageio"}


@pytest.mark.parametrize("module", [name for name in MODULES if name.partition(".")[0] in ONWARD])
def test_what_leads_on_is_imported_for_type_checks_or_when_it_is_called(module: str) -> None:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        ):
            node.body = [ast.Pass()]
    later = {f"convanim.{name}" for name in ONWARD[module.partition(".")[0]]}
    assert not later & set(imports(module, ast.unparse(tree), is_package=False))


def test_the_document_on_the_architecture_names_every_module() -> None:
    text, named = (PACKAGE.parent / "docs/architecture.md").read_text(encoding="utf-8"), set[str]()
    for row in re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE):
        folder = ""
        for name in re.findall(r"`([^`]+)`", row):
            folder = name.rpartition("/")[0] or folder
            named.add(name if "/" in name or not folder else f"{folder}/{name}")
    files = {file.relative_to(PACKAGE).with_suffix("").as_posix() for file in PACKAGE.rglob("*.py")}
    modules = {name for name in files if not name.rpartition("/")[2].startswith("_")}
    assert modules <= named
    assert all((PACKAGE / name).is_dir() for name in named - modules)

"""Translated scenes: the same frames, with their words looked up in a catalogue of templates/lang."""

from __future__ import annotations

import difflib
from dataclasses import replace
from functools import cache
from string import Formatter

import msgspec

from convanim.assets import templates
from convanim.errors import ConvanimError
from convanim.language.words import SEPARATORS, Catalogue, translate
from convanim.scene.caption import Caption
from convanim.scene.contents import Scene
from convanim.scene.frame import (
    Beats,
    Blocks,
    Frame,
    Grid,
    Link,
    Panel,
    Phase,
    arrangements,
    stories,
)
from convanim.system.inputfile import LARGEST_TOML, parse_toml, prepared, read_bytes
from convanim.trace import Trace

ENGLISH = "en"
#: The maximum length of a separator: a sign, and a space on each side of it.
LONGEST = 3


@prepared
class _File(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The file of a catalogue: the language's own name, a translation for each English template, separators."""

    name: str
    words: dict[str, str]
    separators: dict[str, str] = {}


def languages() -> list[str]:
    """The codes of the available languages.

    Example:
        >>> {"de", "en", "es", "fr", "ja", "zh"} <= set(languages())
        True
    """
    return sorted([ENGLISH, *(path.stem for path in (templates() / "lang").glob("*.toml"))])


def catalogue(lang: str) -> Catalogue | None:
    """The catalogue of a language; None for English, the language of the program itself.

    Raises:
        ConvanimError: an unknown language, or an invalid file; the message names the key.

    Example:
        >>> german = catalogue("de")
        >>> german.name, german.of("output")
        ('Deutsch', 'Ausgabe')
    """
    known = languages()
    if not isinstance(lang, str):
        raise ConvanimError(f"`lang` {lang!r} is not a name", f"use one of {', '.join(known)}")
    if lang not in known:
        close = difflib.get_close_matches(lang.lower(), known, 1)
        near = next((code for code in known if lang.lower().startswith(code)), close[0] if close else "")
        hint = f"did you mean {near}" if near else f"use one of {', '.join(known)}"
        raise ConvanimError(f"`lang` {lang!r} is not known", hint)
    return None if lang == ENGLISH else _load(lang)


@cache
def _load(lang: str) -> Catalogue:
    return read(lang, read_bytes(templates() / "lang" / f"{lang}.toml", LARGEST_TOML))


def read(lang: str, text: bytes) -> Catalogue:
    """A catalogue from the text of its file, with each translation checked against its template.

    Raises:
        ConvanimError: not TOML, an unknown key, a translation with other {names} than its template, or an
            invalid separator.

    Example:
        >>> read("de", 'name = "Deutsch"\\n[words]\\n"{n} rows" = "{n} Zeilen"'.encode()).of("{n} rows")
        '{n} Zeilen'
    """
    file = f"lang/{lang}.toml"
    try:
        found = msgspec.convert(parse_toml(text.decode("utf-8-sig")), _File)
    except (msgspec.MsgspecError, ValueError) as error:
        what = str(error).replace("`", "'")  # the library's backticks would mark arguments of ours
        raise ConvanimError(f"{file}: {what}", "compare it with lang/de.toml") from None
    for template, translation in found.words.items():
        wanted = names(template)
        try:
            given = names(translation)
        except ValueError as error:
            raise ConvanimError(
                f"{file}: {template!r} = {translation!r}: {error}", "write {{ and }} for braces"
            ) from None
        if given != wanted:
            told = " and ".join(f"{{{n}}}" for n in sorted(wanted)) or "no {names}"
            raise ConvanimError(
                f"{file}: {template!r} = {translation!r} has different values from its key", f"use {told}"
            )
    _check_separators(file, found.separators)
    return Catalogue(lang, found.name, found.words, found.separators)


def _check_separators(file: str, separators: dict[str, str]) -> None:
    """Refuse unknown separators, and those that would break a line."""
    for sign, own in separators.items():
        if sign not in SEPARATORS:
            raise ConvanimError(
                f"{file}: {sign!r} in [separators] is not a separator", f"use {' or '.join(map(repr, SEPARATORS))}"
            )
        if not own.strip() or not own.isprintable() or "  " in own or len(own) > LONGEST:
            raise ConvanimError(
                f"{file}: {sign!r} = {own!r} in [separators] is not a sign with at most a space on each side",
                "compare it with lang/fr.toml",
            )


def names(template: str) -> set[str]:
    """The {names} of a template.

    Raises:
        ValueError: unbalanced braces, or braces with more than a name.

    Example:
        >>> sorted(names("{n} of {cells} equal"))
        ['cells', 'n']
    """
    found = set()
    for _, name, spec, conversion in Formatter().parse(template):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"{{{name}}} is not a plain name")
        found.add(name)
    return found


class Spoken:
    """A scene translated by a catalogue.

    Args:
        scene: in English.
        words: the catalogue of the other language.

    Raises:
        ConvanimError: the catalogue lacks words of the scene.

    Example:
        >>> from convanim.layers import ConvTranspose
        >>> from convanim.scene import scene
        >>> german = Spoken(scene(ConvTranspose(2).trace([1, 2], [1, 1])), catalogue("de"))
        >>> german.title, [panel.titles[-1] for panel in german.panels][1:]
        ('Transponierte Faltung   2 → 3', ['Kern, gedreht', 'Ausgabe'])
    """

    def __init__(self, scene: Scene, words: Catalogue) -> None:
        self._scene, self._words = scene, words
        self.title, self.detail = self._told(scene.title), self._told(scene.detail)
        self.beats: Beats = scene.beats
        self.captions: int = scene.captions
        self.traces: tuple[Trace, ...] = scene.traces
        self.phases = tuple(map(self._phase, scene.phases))
        self.blocks = self._blocks(scene.blocks)
        self.others = tuple(map(self._blocks, arrangements(scene)))
        self.stories = tuple(map(self._told, stories(scene)))
        by_name = {panel.name: panel for block in self.blocks for row in block for panel in row}
        self.panels = tuple(by_name[panel.name] for panel in scene.panels)
        # The last grid of each panel, original and translated: a grid that stays the same object is not drawn again.
        self._last: dict[str, tuple[Grid, Grid]] = {}

    def _told(self, text: str) -> str:
        return translate(text, self._words)

    def _phase(self, phase: Phase) -> Phase:
        beside = self._phase(phase.beside) if phase.beside else None
        return Phase(phase.key, self._told(phase.name), self._told(phase.word), beside)

    def _blocks(self, blocks: Blocks) -> Blocks:
        return tuple(tuple(tuple(map(self._panel, row)) for row in block) for block in blocks)

    def _panel(self, panel: Panel) -> Panel:
        return replace(panel, titles=tuple(map(self._told, panel.titles)))

    def links(self, step: int) -> tuple[Link, ...]:
        """The cells that a placement links."""
        return self._scene.links(step)

    def frame(self, number: int) -> Frame:
        """One frame of the scene, from 0."""
        frame = self._scene.frame(number)
        grids = {name: self._grid(name, grid) for name, grid in frame.grids.items()}
        return replace(frame, grids=grids, captions=tuple(map(self._caption, frame.captions)))

    def _grid(self, name: str, grid: Grid) -> Grid:
        before = self._last.get(name)
        if before is None or before[0] is not grid:
            before = self._last[name] = grid, replace(grid, title=self._told(grid.title))
        return before[1]

    def _caption(self, caption: Caption) -> Caption:
        return replace(
            caption,
            subject=self._told(caption.subject),
            terms=tuple(map(self._told, caption.terms)),
            result=self._told(caption.result),
            remark=self._told(caption.remark),
        )

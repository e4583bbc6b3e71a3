"""Writes an animation as a web page with a player: vectors, buttons, and the cells that each step reads and writes."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, BinaryIO

from convanim.assets import templates
from convanim.draw.theme import PAIR, load
from convanim.language.words import say, translate
from convanim.scene.description import Transcript
from convanim.timing.pace import Shot
from convanim.timing.timeline import handful
from convanim.write.drawing import Drawing, Tables

if TYPE_CHECKING:
    from convanim.draw.theme import Theme
    from convanim.language.words import Catalogue
    from convanim.write.film import Film

#: The name of the script beside a page that has none of its own.
SCRIPT = "convanim-player.js"
#: The maximum number of frames of which every one is part of a page.
WHOLE = 400
#: The inks that the player's own parts have.
NAMED = ("page", "text", "kernel.stroke")
#: What the buttons say.
_LABELS = {
    "play": say("Play"),
    "pause": say("Pause"),
    "back": say("Previous step"),
    "on": say("Next step"),
    "scrub": say("Position"),
    "speed": say("Speed"),
    "full": say("Full screen"),
    "used": say("results that use this value"),
}


def script() -> bytes:
    """The script of the player, which is the same for every page, without its comments and indentation."""
    return short_script("player.js")


def short_script(name: str) -> bytes:
    """A script of the folder of templates without its comments and indentation."""
    lines = (line.strip() for line in (templates() / "player" / name).read_text("utf-8").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")).encode()


def every_step(film: Film) -> Sequence[Shot]:
    """All frames of an animation that is short enough: a reader can step through what a film has no time for."""
    shots, beats = film.plan.shots, film.scene.beats
    if beats.total > WHOLE:
        return shots
    time = {shot.frame: shot.milliseconds for shot in shots}
    brief = min(time[shot.frame] for shot in shots)
    return [Shot(number, time.get(number, brief)) for number in range(beats.total)]


def write_html(film: Film, file: BinaryIO, shots: Sequence[Shot], progress: Callable[[int, int], None]) -> int:
    """Write a page with the player, and return the number of frames in it."""
    data, lines = _data(film, shots, progress)
    title = translate(film.title or film.scene.title, film.words)
    page = (templates() / "player" / "player.html").read_text("utf-8")
    pages = [colours[data["named"]["page"]] for colours in data["colours"]]
    listed = "".join(f"\n<li>{escape(line)}</li>" for line in lines)
    external = film.script == "external"
    fields = {
        "lang": film.words.code if film.words else "en",
        "title": escape(title),
        "alt": escape(film.alt),
        "comment": escape(film.comment),
        "scheme": "light dark" if len(data["colours"]) > 1 else "light",
        "ratio": f"{film.width / film.height:.4f}",
        "page": f"light-dark({', '.join(pages)})" if pages[1:] else pages[0],
        "player": element(data, f"\n<p>{escape(film.alt)}</p>\n<ol>{listed}\n</ol>\n"),
        "script": f'<script src="{SCRIPT}" defer></script>' if external else f"<script>{script().decode()}</script>",
    }
    file.write(filled(page, fields))
    return len(shots)


def element(data: Any, inside: str, **attributes: str) -> str:
    """The player as an element of a page, with what shows until its script runs.

    The data are an attribute: programs that join pages run, index or rewrite a script, whatever its type.
    """
    packed = as_json(data).replace("&", "&amp;").replace("'", "&#39;").replace("<", "\\u003c")
    named = "".join(f' {name.replace("_", "-")}="{escape(value)}"' for name, value in attributes.items())
    return f"<convanim-player{named} data='{packed}'>{inside}</convanim-player>"


def part(film: Film, still: bytes, alt: str | None = None) -> str:
    """The player as a part of another page, which needs the script once.

    Args:
        still: a PNG, which shows where scripts do not run.
        alt: a description instead of that of the scene.
    """
    data, _ = _data(film, film.plan.shots, lambda done, total: None)
    told, (wide, high) = " ".join((alt or film.alt).split()), film.size
    picture = (
        f'<img src="data:image/png;base64,{b64encode(still).decode()}" alt="{escape(told)}" '
        f'width="{wide}" height="{high}" style="max-width: 100%; height: auto">'
    )
    lang = film.words.code if film.words else "en"
    # The page around it may be wider than the frames; JupyterLab would take the keys for commands of its own.
    look = {"lang": lang, "style": f"max-width: {wide}px", "data_lm_suppress_shortcuts": "true"}
    return element(data | {"title": told}, picture, **look)


def filled(page: str, fields: Mapping[str, str]) -> bytes:
    """A page with its fields filled in once, so that nothing within them is taken for a field."""
    first, *parts = page.split("{{")
    named = [part.partition("}}") for part in parts]
    return (first + "".join(fields[name.strip()] + rest for name, _, rest in named)).encode()


def as_json(data: Any) -> str:
    """Data as JSON without spaces."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


def packed(data: Any) -> str:
    """Data as JSON, compressed with gzip, in base64: a tenth of its size, as layers have much in common."""
    return b64encode(gzip.compress(as_json(data).encode(), mtime=0)).decode()


def last_of_each(film: Film) -> Iterator[Shot]:
    """The frames of the opening, the last one of each placement, and the last one."""
    beats = film.scene.beats
    time = {shot.frame: shot.milliseconds for shot in film.plan.shots}
    placed = range(beats.opening + beats.each - 1, beats.opening + beats.steps * beats.each, beats.each)
    for number in dict.fromkeys([*range(beats.opening), *placed, beats.total - 1]):
        yield Shot(number, time.get(number, 400))


def labels(words: Catalogue | None) -> dict[str, str]:
    """What the buttons of a player say."""
    return {key: translate(label, words) for key, label in _LABELS.items()}


def themes_of(film: Film) -> list[Theme]:
    """The chosen theme, or those for light and dark pages."""
    return [film.theme] if film.pinned else [load(name) for name in PAIR]


def _data(film: Film, shots: Sequence[Shot], progress: Callable[[int, int], None]) -> tuple[dict[str, Any], list[str]]:
    """What the player shows, and the lines of its transcript."""
    tables = Tables()
    told = Transcript(film.scene, None, film.words)
    data, lines = drawn(film, shots, tables, told, progress)
    return {"labels": labels(film.words)} | tables.data(themes_of(film), NAMED) | data, [*lines, *told.rest()]


def drawn(
    film: Film, shots: Sequence[Shot], tables: Tables, told: Transcript, progress: Callable[[int, int], None]
) -> tuple[dict[str, Any], list[str]]:
    """The frames of one animation, without what is stored in the tables, and a line about each."""
    scene, words = film.scene, film.words
    drawing = Drawing(film.page, scene.beats.steps, tables)
    frames, lines, phases = [], [], []
    seen: set[int] = set()
    fixed = drawing.fixed()
    for i, shot in enumerate(shots):
        frame = scene.frame(shot.frame)
        found = drawing.add(frame) | {"ms": shot.milliseconds}
        if frame.step:
            found["s"] = frame.step
        if line := told.add(shot.frame, frame):
            lines.append(line)
            found["say"] = line
        if frame.writes:
            found["f"] = translate("; ".join(caption.text() for caption in frame.captions), words)
        if frame.phase not in seen:
            seen.add(frame.phase)
            phases.append([i, translate(scene.phases[frame.phase].label, words)])
        frames.append(found)
        progress(i + 1, len(shots))
    numbers = {shot.frame: i for i, shot in enumerate(shots)}
    return {
        "size": film.size,
        "title": film.alt,
        "panels": drawing.panels,
        "fixed": fixed,
        "phases": phases,
        "steps": scene.beats.steps,
        "plays": film.plays,
        "sheet": [numbers[number] for number in handful(scene.beats, 7) if number in numbers] or [len(shots) - 1],
        "frames": frames,
    }, lines

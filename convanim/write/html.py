"""Writes an animation as a web page with a player: vectors, buttons, and the cells that each step reads and writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, BinaryIO

from convanim.assets import templates
from convanim.draw.theme import PAIR, load
from convanim.language.words import say, translate
from convanim.scene.description import Transcript
from convanim.timing.timeline import handful
from convanim.write.drawing import EM, TENTHS, Drawing

if TYPE_CHECKING:
    from convanim.timing.pace import Shot
    from convanim.write.film import Film

#: The name of the script beside a page that has none of its own.
SCRIPT = "convanim-player.js"
#: The inks that the player's own parts have.
_NAMED = ("page", "text", "kernel.stroke")
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
    """The script of the player, which is the same for every page."""
    return (templates() / "player" / "player.js").read_bytes()


def write_html(film: Film, file: BinaryIO, shots: Sequence[Shot], progress: Callable[[int, int], None]) -> int:
    """Write a page with the player, and return the number of frames in it."""
    data, lines = _data(film, shots, progress)
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    title = translate(film.title or film.scene.title, film.words)
    page = (templates() / "player" / "player.html").read_text("utf-8")
    pages = [colours[data["named"]["page"]] for colours in data["colours"]]
    external = film.script == "external"
    fields = {
        "lang": film.words.code if film.words else "en",
        "title": escape(title),
        "alt": escape(film.alt),
        "comment": escape(film.comment),
        "scheme": "light dark" if len(data["colours"]) > 1 else "light",
        "ratio": f"{film.width / film.height:.4f}",
        "page": f"light-dark({', '.join(pages)})" if pages[1:] else pages[0],
        "lines": "".join(f"\n<li>{escape(line)}</li>" for line in lines),
        "script": f'<script src="{SCRIPT}" defer></script>' if external else f"<script>{script().decode()}</script>",
        # Neither the end of the element nor a comment can begin within the data.
        "data": text.replace("<", "\\u003c"),
    }
    for part in page.split("{{")[:1]:
        file.write(part.encode())
    for part in page.split("{{")[1:]:
        name, _, rest = part.partition("}}")
        file.write((fields[name.strip()] + rest).encode())
    return len(shots)


def _data(film: Film, shots: Sequence[Shot], progress: Callable[[int, int], None]) -> tuple[dict[str, Any], list[str]]:
    """What the player shows, and the lines of its transcript."""
    scene, words = film.scene, film.words
    drawing, told = Drawing(film.page, scene.beats.steps), Transcript(scene, None, words)
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
    for name in _NAMED:
        drawing.inks.setdefault(name, len(drawing.inks))
    themes = [film.theme] if film.pinned else [load(name) for name in PAIR]
    return {
        "size": film.size,
        "title": film.alt,
        "labels": {key: translate(label, words) for key, label in _LABELS.items()},
        "em": EM,
        "tenths": TENTHS,
        "colours": [drawing.colours(theme) for theme in themes],
        "named": {name: drawing.inks[name] for name in _NAMED},
        "glyphs": drawing.letters(),
        "sprites": drawing.sprites,
        "panels": drawing.panels,
        "fixed": fixed,
        "phases": phases,
        "steps": scene.beats.steps,
        "plays": film.plays,
        "sheet": [numbers[number] for number in handful(scene.beats, 7) if number in numbers] or [len(shots) - 1],
        "frames": frames,
    }, [*lines, *told.rest()]

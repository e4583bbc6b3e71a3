"""Descriptions of a scene in words, read from its frames: a sentence of alternative text, and a transcript."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from convanim.language.numerals import Numerals
from convanim.language.symbols import Symbols
from convanim.language.words import Catalogue, join, plural, rejoin, say, translate
from convanim.scene.caption import Caption
from convanim.scene.contents import Scene
from convanim.scene.frame import (
    Beats,
    Frame,
    Panel,
    Phase,
    Role,
    stories,
)

#: The maximum number of cells of a result that is listed number by number.
TOLD = 64
#: The remark if a description leaves steps out.
LISTS_ALL = say("--select all lists every step.")
_whole = plural("{about}, in {n} step: {phases}.", "{about}, in {n} steps: {phases}.")


def sentence(scene: Scene, words: Catalogue | None = None) -> str:
    """One sentence about a scene, for an image's alternative text.

    Args:
        scene: the scene, in the language of `words`.
        words: the catalogue of that language; None is English.

    Example:
        >>> from convanim.layers import Conv
        >>> from convanim.scene import scene
        >>> sentence(scene(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 0], [0, 1]])))
        'Convolution, 2×2 → 1×1 (kernel 2×2), in 1 step: slide.'
    """
    name, detail = (rejoin(text, ", ") for text in (scene.title, scene.detail))
    about = join("", [name, " (", detail, ")"]) if detail else name
    phases = join("; ", map(_label, scene.phases))
    return translate(_whole(scene.beats.steps, about=about, phases=phases), words)


def _label(phase: Phase) -> str:
    """The name of a phase; two simultaneous phases are separated by a word instead of a line."""
    return say("{a} and, beside it, {b}", a=phase.name, b=phase.beside.name) if phase.beside else phase.name


def transcript(
    scene: Scene, most: int | None = None, words: Catalogue | None = None, frames: Iterable[int] | None = None
) -> Iterator[str]:
    """The events line by line: the opening, each placement with its arithmetic, and the result.

    Args:
        scene: the scene, in the language of `words`.
        most: the maximum number of placements, from the first; by default all.
        words: the catalogue of that language; None is English.
        frames: the numbers of the frames to include, by default all; any frame of a placement stands for it.

    Example:
        >>> from convanim.layers import Conv
        >>> from convanim.scene import scene
        >>> for line in transcript(scene(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 0], [0, 1]]))):
        ...     print(line)
        slide: input 2×2, kernel 2×2
        step 1 of 1: output[0,0] = 1·1 + 4·1 = 5 (2 of 4 products are zero)
        output size = 2 − 2 + 1 = 1
        output: 5
    """
    told = Transcript(scene, most, words)
    yield from (line for _, _, line in _lines(told, frames))
    yield from told.rest()


def lines_of(
    scene: Scene, words: Catalogue | None = None, frames: Iterable[int] | None = None
) -> Iterator[tuple[int, Frame, str]]:
    """The lines of a transcript, each with its frame and the frame's number."""
    return _lines(Transcript(scene, None, words), frames)


def _lines(told: Transcript, frames: Iterable[int] | None) -> Iterator[tuple[int, Frame, str]]:
    beats = told.scene.beats
    if frames is None:
        placed = range(beats.opening + beats.each - 1, beats.opening + told.most * beats.each, beats.each)
        frames = chain(range(beats.opening), placed, range(beats.opening + beats.steps * beats.each, beats.total))
    for number in dict.fromkeys(_whole_placement(beats, number) for number in frames):
        frame = told.scene.frame(number)
        if line := told.add(number, frame):
            yield number, frame, line


def _whole_placement(beats: Beats, number: int) -> int:
    """The last frame of a placement for any of its frames, as only that has the sum; other frames unchanged."""
    step, part = divmod(number - beats.opening, beats.each)
    return number - part + beats.each - 1 if 0 <= step < beats.steps else number


class Transcript:
    """A transcript that is written while frames are shown, at almost no cost.

    Args:
        scene: the scene, in the language of `words`.
        most: the maximum number of placements; by default all.
        words: the catalogue of that language; None is English.
    """

    def __init__(self, scene: Scene, most: int | None = None, words: Catalogue | None = None) -> None:
        self.words = words
        self.scene, self.steps = scene, scene.beats.steps
        self.most = self.steps if most is None else min(most, self.steps)
        self._last = ""
        self._placed = 0
        self._before: tuple[Caption, ...] = ()

    def add(self, number: int, frame: Frame) -> str:
        """Add the frame of this number, and return the line with what is new, or "" for nothing."""
        beats = self.scene.beats
        places = beats.opening <= number < beats.opening + self.steps * beats.each
        if places and self._placed == self.most:
            return ""
        line = said(self.scene, number, frame, self.words, self._before)
        if not line or line == self._last:
            return ""
        if places:
            self._placed += 1
            self._before = frame.captions
        self._last = line
        return line

    def rest(self) -> list[str]:
        """The number of omitted steps, and the resulting numbers."""
        left = self.steps - self._placed
        rest = say("{n} of {steps} steps are not listed", n=f"{left:,}", steps=f"{self.steps:,}")
        return [*[translate(rest, self.words)] * bool(left), *results(self.scene, self.words)]


def said(
    scene: Scene, number: int, frame: Frame, words: Catalogue | None = None, before: tuple[Caption, ...] = ()
) -> str:
    """One line for one frame of a scene; none for a placement before its sum is written.

    Args:
        number: the number of the frame, from 0.
        frame: the frame of that number.
        words: the catalogue of the scene's language; None is English.
        before: the captions of the placement before. A scene that waits for another one repeats them, and they are
            not repeated here.
    """
    opening, steps, each, _, _ = scene.beats
    if number < opening:
        return translate(_phased(scene, frame), words)
    step, part = divmod(number - opening, each)
    if step < steps:
        line = say("step {n} of {steps}: {what}", n=step + 1, steps=steps, what=_said(scene, frame, before))
        return translate(line, words) if part == each - 1 else ""
    return translate(_said(scene, frame) if number == scene.beats.total - 1 else _phased(scene, frame), words)


def _phased(scene: Scene, frame: Frame) -> str:
    """The captions of a frame, with its phase if that adds something."""
    label, said = _label(scene.phases[frame.phase]), _said(scene, frame)
    verb = label.split(" ")[0].rstrip(":")
    return join(": ", [label, said]) if said and not said.startswith(verb) else said or label


def _said(scene: Scene, frame: Frame, before: tuple[Caption, ...] = ()) -> str:
    """The captions of a frame in one line, without those of `before`; a remark follows its sum in brackets.

    Where two stories are told, each caption follows the title of its own.
    """
    texts, heads = [], stories(scene)
    for i, caption in enumerate(frame.captions):
        if before[i : i + 1] == (caption,):
            continue
        line = caption.sum()
        told = join("", [line, " (", caption.remark, ")"]) if line and caption.remark else line or caption.remark
        texts.append(join(": ", [heads[i], told]) if told and i < len(heads) else told)
    return join("; ", [text for text in texts if text])


def results(scene: Scene, words: Catalogue | None = None) -> Iterator[str]:
    """The numbers of small results in the last frame, row by row, with one line per channel."""
    if any(isinstance(panel.numerals, Symbols) for panel in scene.panels):
        return  # symbols have no values
    if counted := [panel for panel in scene.panels if panel.heat]:
        yield from _counts(scene, counted, words)
        return
    answers = {str(trace.op): trace.listed for trace in scene.traces}
    for op, answer in answers.items():
        if answer.size > TOLD:
            continue
        numerals = Numerals(answer)
        name = say("output") if len(answers) == 1 else say("output of {layer}", layer=op)
        for channel, plane in enumerate(answer):
            rows = plane.reshape(-1, plane.shape[-1])
            numbers = " / ".join(" ".join(map(numerals.text, row.tolist())) for row in rows)
            whose = say("{name}, channel {n}", name=name, n=channel) if len(answer) > 1 else name
            yield translate(join(": ", [whose, numbers]), words)


def _counts(scene: Scene, panels: list[Panel], words: Catalogue | None) -> Iterator[str]:
    """The final counts, with one line per panel."""
    last = scene.frame(scene.beats.total - 1)
    for panel in panels:
        grid = last.grids[panel.name]
        kept = grid.roles != Role.CROPPED
        plane = grid.values[kept.any(axis=1)][:, kept.any(axis=0)]
        if plane.size <= TOLD:
            numbers = " / ".join(" ".join(map(panel.numerals.text, row.tolist())) for row in plane)
            yield translate(join(": ", [grid.title, numbers]), words)

"""Descriptions match the trace: every step once, with its result, and the output at the end."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings

from convanim.layers import Conv, ConvTranspose, Upsample
from convanim.scene import Scene, Shown, compared, scene
from convanim.scene.description import TOLD, Transcript, said, sentence, transcript
from convanim.scene.spoken import Spoken, catalogue
from convanim.trace import Trace
from support.scenes import any_scene, shown, some_frames

ONES = [[1, 1], [1, 1]]


def number(text: str) -> float:
    return float(text.replace("\u2212", "-").replace("\u221e", "inf"))


@settings(max_examples=60)
@given(shown())
def test_every_step_is_told_once_and_in_order(drawn: tuple[Trace, Scene]) -> None:
    _, s = drawn
    lines = list(transcript(s))
    steps = [line for line in lines if line.startswith("step ")]
    assert [line.split(":")[0] for line in steps] == [f"step {n + 1} of {s.beats.steps}" for n in range(s.beats.steps)]
    assert all(line.strip() == line and "   " not in line and "\n" not in line for line in lines)


@settings(max_examples=60)
@given(shown(("pool", "planes")))
def test_the_results_are_the_answer(drawn: tuple[Trace, Scene]) -> None:
    trace, s = drawn
    told = [line.split(": ")[1] for line in transcript(s) if line.startswith("output") and " size" not in line]
    if trace.answer.size > TOLD:
        return
    numbers = [[number(n) for n in line.replace("/", " ").split()] for line in told]
    assert np.allclose(
        numbers, trace.answer.reshape(len(trace.answer), -1), rtol=0, atol=0.006 * abs(trace.answer).max()
    )


@settings(max_examples=60)
@given(shown())
def test_the_sentence_is_one_sentence(drawn: tuple[Trace, Scene]) -> None:
    _, s = drawn
    told = sentence(s)
    assert told.endswith(".")
    assert "\n" not in told
    assert "   " not in told
    assert f"in {s.beats.steps} step" in told


def test_the_sums_are_those_of_the_captions() -> None:
    trace = ConvTranspose(2).trace([[0, 1], [2, 3]], [[4, 1], [2, 3]])
    lines = list(transcript(scene(trace)))
    sums = [re.fullmatch(r"step \d+ of 9: output\[(\d),(\d)\] = (?:.* = )?(\d+)(?: \(.*\))?", line) for line in lines]
    found = {(int(m[1]), int(m[2])): int(m[3]) for m in sums if m}
    assert found == dict(np.ndenumerate(trace.output))
    assert lines[-1] == "output: 0 4 1 / 8 16 6 / 4 12 9"


@pytest.mark.parametrize(("most", "left"), [(0, 9), (4, 5), (9, 0), (50, 0)])
def test_a_short_transcript_says_what_it_leaves_out(most: int, left: int) -> None:
    lines = list(transcript(scene(Conv(3).trace(np.arange(25).reshape(5, 5), np.ones((3, 3), int))), most))
    assert len([line for line in lines if line.startswith("step ")]) == 9 - left
    assert (f"{left} of 9 steps are not listed" in lines) == (left > 0)


def test_a_transcript_of_some_frames_tells_of_these() -> None:
    s = scene(Conv(2).trace([[1, 2, 3], [4, 5, 6]], ONES))
    told = Transcript(s)
    assert not told.add(3, s.frame(3))  # the first frame of a placement has no line
    assert told.add(4, s.frame(4)) == said(s, 4, s.frame(4))
    assert told.rest() == ["1 of 2 steps are not listed", "output: 12 16"]


def test_both_views_are_told() -> None:
    trace = ConvTranspose(2).trace(ONES, ONES)
    (first,) = (line for line in transcript(scene(trace, "both")) if line.startswith("step 1 "))
    told = r"step 1 of 9: Zero insertion: output\[0,0\] = .*; Overlap-add: .*\+= 1 · kernel \(no overlap\)"
    assert re.fullmatch(told, first)


@settings(max_examples=80)
@given(any_scene())
def test_every_phase_that_is_listed_comes(s: Scene) -> None:
    assert {frame.phase for frame in some_frames(s)} == set(range(len(s.phases)))


@pytest.mark.parametrize(
    ("op", "phases"),
    [
        (ConvTranspose(3, 2), 3),
        (ConvTranspose(3, 2, 1), 4),
        # nothing is cropped, and an edge is added
        (ConvTranspose(3, 2, output_padding=1), 4),
        (ConvTranspose(3, 2, "same", convention="keras"), 4),
    ],
)
def test_a_crop_is_announced_where_something_is_cropped(op: ConvTranspose, phases: int) -> None:
    trace = op.trace(np.ones((3, 3), int), np.ones((3, 3), int))
    s = scene(trace, "overlap-add")
    assert len(s.phases) == phases
    assert s.frame(s.beats.total - 1).phase == phases - 1
    cropped = any(a.before or a.after for a in trace.axes)
    assert ("crop" in sentence(s)) == ("crop" in sentence(scene(trace, "both"))) == cropped
    assert sentence(s).endswith("; output padding.") == (phases > 3 and not cropped)


def test_two_scenes_beside_each_other_are_parted_by_a_word() -> None:
    trace = Upsample(scale_factor=2).trace([[1, 2], [3, 4]])
    told = [*transcript(scene(trace)), sentence(scene(trace))]
    assert not any("|" in line for line in told)
    assert told[-1].endswith("in 16 steps: copy the nearest cell and, beside it, stamp and add.")
    assert "equal transposed convolution" in told[-1]
    german = Spoken(scene(trace), catalogue("de"))
    assert "kopieren und daneben stempeln" in sentence(german, catalogue("de"))


def test_a_layer_that_waits_is_not_told_again() -> None:
    one, two = (Conv(2, padding=p).trace([1, 2, 3], [1, 1]) for p in (0, 2))
    steps = [line for line in transcript(compared(one, two)) if line.startswith("step ")]
    said_of = {name: [line for line in steps if f"{name}:" in line] for name in ("padding=0", "padding=2")}
    assert [len(lines) for lines in said_of.values()] == [2, 6]
    for name, lines in said_of.items():
        parts = [part for line in lines for part in line.split(": ", 1)[1].split("; ") if part.startswith(name)]
        assert len(set(parts)) == len(parts) == len(lines)


def test_letters_have_no_numbers_in_the_end() -> None:
    trace = ConvTranspose(2).trace(ONES, ONES)
    for view in ("zero-insertion", "overlap-add", "matrix"):
        lines = list(transcript(scene(trace, view, Shown(symbols=True))))
        assert not any(line.startswith("output:") for line in lines)
        assert lines[-1].startswith("output ")
        assert list(transcript(scene(trace, view)))[-1] == "output: 1 2 1 / 2 4 2 / 1 2 1"


def test_no_phrase_ends_in_a_colon() -> None:
    s = scene(Conv(2).trace([1, 2, 3], [1, 1]), "backward")
    assert not any(re.search(":(;|$)", line) for line in transcript(s))
    assert "; the same taps" in "\n".join(transcript(s))


def test_texts_are_parted_by_the_signs_of_the_language() -> None:
    trace = ConvTranspose(2, 2, 1).trace(ONES, ONES)
    words = catalogue("fr")
    lines = [sentence(Spoken(scene(trace), words), words), *transcript(Spoken(scene(trace), words), words=words)]
    assert not any(re.search("[^ \\d][:;]|[:;] *$", line.replace(" :", "").replace(" ;", "")) for line in lines)
    assert lines[0].startswith("Convolution transposée, 2×2 → 2×2 (noyau 2×2, pas 2, remplissage 1), en 4 étapes : ")
    words = catalogue("zh")
    lines = [sentence(Spoken(scene(trace), words), words), *transcript(Spoken(scene(trace), words), words=words)]
    assert not any(sign in line for line in lines for sign in (", ", "; ", ": "))

"""Frames and their durations, against the documented limits.

No pictures are drawn: a scene is reduced to its beats.
"""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose
from convanim.look import Look
from convanim.scene import Scene, scene
from convanim.scene.frame import Beats
from convanim.template import settle
from convanim.timing.pace import ROWS
from convanim.timing.reading import Read, said, time, words
from convanim.timing.timeline import Plan, milliseconds, plan, selected
from convanim.trace import Trace
from support import scenes
from support.scenes import small

calm = settings(max_examples=300)


@st.composite
def beats(draw: st.DrawFn, most: int = 1_000_000) -> Beats:
    """Scenes of any length: sizes are drawn by magnitude, so that small and huge ones are equally likely."""
    steps = draw(st.integers(0, 20).flatmap(lambda bits: st.integers(1, min(1 << bits, most))))
    row = draw(st.integers(1, min(steps, 4096)))
    # Scenes with thousands of placements have one frame each.
    each = draw(st.integers(1, 3)) if steps <= 49 else 1
    return Beats(draw(st.integers(1, 5)), steps, each, draw(st.integers(1, 3)), row)


def placements(it: Beats, done: Plan) -> dict[int, list[int]]:
    """The durations of each placement's frames, by its number."""
    times: dict[int, list[int]] = {}
    for frame, ms in done.shots:
        if it.opening <= frame < it.total - it.closing:
            times.setdefault((frame - it.opening) // it.each, []).append(ms)
    return times


@calm
@given(beats())
@example(Beats(1, 1, 1, 1, 1))
@example(Beats(1, 1_000_000, 1, 1, 1000))
@example(Beats(1, 1_000_000, 1, 1, 1_000_000))
@example(Beats(5, 49, 3, 3, 49))
@example(Beats(1, 30, 2, 1, 5))
@example(Beats(1, 400, 1, 1, 20))
def test_pacing_keeps_its_promises(it: Beats) -> None:
    done = plan(it)
    numbers = [shot.frame for shot in done.shots]
    assert done.seconds == sum(shot.milliseconds for shot in done.shots) / 1000
    assert done.seconds <= 30
    assert all(shot.milliseconds >= 20 and shot.milliseconds % 10 == 0 for shot in done.shots)
    assert all(a < b for a, b in pairwise(numbers))
    # All frames before and after the placements are shown, and the end is held.
    assert numbers[: it.opening] == list(range(it.opening))
    assert numbers[-it.closing :] == list(range(it.total - it.closing, it.total))
    assert done.shots[-1].milliseconds == max(shot.milliseconds for shot in done.shots)
    # The last placement is shown to its end, and the count is of placements that are not shown at all.
    assert it.opening + it.steps * it.each - 1 in numbers
    shown = placements(it, done)
    assert (done.steps, done.left_out) == (it.steps, it.steps - len(shown))


@calm
@given(beats())
@example(Beats(1, 400, 1, 1, 20))
@example(Beats(3, 3600, 1, 1, 60))
def test_the_first_row_is_shown_step_by_step_and_it_never_slows_down(it: Beats) -> None:
    shown = placements(it, plan(it))
    # A long row would take too long, and its first placements tell what all others do.
    assert set(range(it.row if it.row <= 20 else min(10, it.steps))) <= set(shown)
    first, *others = [shown[i] for i in sorted(shown)]
    assert sum(first) >= 2000  # one learns to read the page
    if others:
        *later, last = [sum(times) for times in others]
        assert later == sorted(later, reverse=True)
        assert sum(first) >= max([*later, last])
        assert not later or last >= later[-1], "the last placement is not the fastest one"
    gaps = [b - a for a, b in pairwise(sorted(shown))]
    if gaps and max(gaps) > 1:
        leaps = gaps[next(i for i, gap in enumerate(gaps) if gap > 1) :]
        if -(-it.steps // it.row) < ROWS:
            assert max(leaps) - min(leaps) <= 1, "even leaps"
        else:
            rows = [i // it.row for i in sorted(shown)[len(gaps) - len(leaps) + 1 : -1]]
            steps = [b - a for a, b in pairwise(rows)]
            assert min(steps, default=1) >= 1, "row by row"
            assert max(steps, default=1) - min(steps, default=1) <= 1, "even leaps"


@calm
@given(beats(2000), st.integers(2, 200), st.integers(2, 360_000))
def test_chosen_times_are_kept(it: Beats, step: int, hold: int) -> None:
    try:
        done = plan(it, seconds_per_step=step / 100, hold_last=hold / 100)
    except ConvanimError:
        assert step < 2 * it.each  # frames of at least 20 ms do not all fit
        return
    assert done.left_out == 0
    assert done.shots[-1] == (it.total - 1, hold * 10)
    times = placements(it, done)
    assert len(times) == it.steps
    assert {sum(each) for each in times.values()} == {step * 10}
    assert all(ms >= 20 and ms % 10 == 0 for each in times.values() for ms in each)


@pytest.mark.parametrize("steps", [12, 25, 49])
def test_each_row_is_faster_than_the_one_before(steps: int) -> None:
    it = Beats(1, steps, 2, 1, 6)
    times = [sum(each) for each in placements(it, plan(it)).values()]
    assert len(times) == steps
    rows = [times[i : i + 6] for i in range(0, steps - 1, 6)]
    assert all(a[1] > b[1] or b[1] <= 480 for a, b in pairwise(rows[:4]) if len(b) > 2)
    assert times[-1] >= 500


def reading(caption: str) -> float:
    """The seconds that a caption takes to read, written from the rule: a third for each word, and half a second."""
    return len([word for word in caption.split() if re.search(r"\w", word)]) / 3 + 0.5


@pytest.mark.parametrize("template", ["default", "slide", "square", "paper"])
@settings(max_examples=40)
@given(small(most=3))
def test_there_is_time_to_read_a_caption(template: str, trace: Trace) -> None:
    animation = trace.animate(template=template)
    beats, shots = animation.scene.beats, animation.plan.shots
    assert animation.plan.seconds <= 30
    texts = {shot.frame: " ".join(c.text() for c in animation.scene.frame(shot.frame).captions) for shot in shots}
    opening = [shot for shot in shots if shot.frame < beats.opening]
    hurried = {shot.frame for shot in opening} != set(range(beats.opening))
    before: set[str] = set()
    for shot in opening:
        words = texts[shot.frame].split()
        if not hurried and not before & set(words) and len(words) <= 12:
            assert shot.milliseconds / 1000 >= reading(texts[shot.frame])
        before = set(words)
    first = [shot for shot in shots if 0 <= shot.frame - beats.opening < beats.each]
    assert sum(shot.milliseconds for shot in first) >= 2000
    assert shots[-1].milliseconds >= min(3000, 1000 * reading(texts[shots[-1].frame]))


@settings(max_examples=40)
@given(scenes.shown(), st.sampled_from(["readme", "slide", "default"]))
def test_an_animation_ends_when_its_template_says(made: tuple[Trace, Scene], template: str) -> None:
    beats, pace, most = made[1].beats, settle(Look(template=template)).pace, 12 if template == "readme" else 30
    done = plan(beats, said=said(made[1]), **pace)
    assert done.seconds <= most
    assert done.left_out == 0 or len(done.shots) > 12  # long captions take most of 12 s
    assert all(shot.milliseconds >= 80 for shot in done.shots)


def test_what_a_frame_repeats_is_not_read_again() -> None:
    before, now = (Read(0, Counter(words(text))) for text in ("turn it left to right", "turn it top to bottom"))
    assert (time(None, before), time(before, now), time(before, before)) == (2170, 1170, 0)


def test_the_opening_shows_the_end_of_each_phase_if_there_is_no_time_for_more() -> None:
    it = Beats(opening=7, steps=25, each=2, closing=1, row=5)
    told = {i: Read(phase, Counter(f"{i} {n}" for n in range(8))) for i, phase in enumerate((0, 0, 0, 1, 2, 2, 2))}
    frames = [shot.frame for shot in plan(it, said=told, longest=12).shots]
    assert frames[:5] == [0, 2, 3, 6, 7]
    assert plan(it, said=told, longest=12).seconds <= 12
    assert [shot.frame for shot in plan(it, said=told, longest=60).shots][:8] == list(range(8))


def test_a_small_animation_is_not_hurried() -> None:
    small, smaller = plan(Beats(1, 9, 2, 1, 3)), plan(Beats(1, 1, 2, 1, 1))
    assert small.left_out == smaller.left_out == 0
    assert small.shots[1] == smaller.shots[1]
    assert small.shots[1].milliseconds >= 300
    assert plan(Beats(1, 9, 2, 1, 3), hold_last=1).seconds == small.seconds - 2
    assert plan(Beats(1, 9, 2, 1, 3), hold_first=3.6).shots == [(0, 3600), *small.shots[1:]]
    assert plan(Beats(1, 9, 2, 1, 3), hold_first=4, select="0,5,last").shots[0] == (0, 4000)
    assert plan(Beats(1, 9, 2, 1, 3), hold_first=4, hold_last=1, select="last").seconds == 1


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 12, 20, 40])
@pytest.mark.parametrize("view", ["zero-insertion", "overlap-add", "both", None])
def test_real_scenes_last_at_most_thirty_seconds(size: int, view: str | None) -> None:
    op = ConvTranspose(kernel_size=2, stride=2) if view else Conv(kernel_size=2, padding=1)
    it = scene(op.trace([[1] * size] * size, [[1, 2], [3, 4]]), view).beats
    done = plan(it)
    assert done.seconds <= 30
    # A placement has all of its frames, or its result only.
    assert {len(each) for each in placements(it, done).values()} <= {it.each, 1}
    ends = {it.opening + (i + 1) * it.each - 1 for i in placements(it, done)}
    assert ends <= {shot.frame for shot in done.shots}


# Selections.


@calm
@given(beats(3000), st.data())
def test_a_selection_shows_what_it_names(it: Beats, data: st.DataObject) -> None:
    parts, wanted = [], []
    for _ in range(data.draw(st.integers(1, 4))):
        first = data.draw(st.integers(0, it.total - 1))
        last = data.draw(st.integers(first, min(it.total - 1, first + 20)))
        name = "last" if last == it.total - 1 and data.draw(st.booleans()) else str(last)
        parts.append(name if first == last else f"{first}..{name}")
        wanted += range(first, last + 1)
    text = data.draw(st.sampled_from([",", ", ", " ,"])).join(parts)
    assert selected(text, it.total) == wanted
    done = plan(it, select=text)
    assert [shot.frame for shot in done.shots] == wanted
    assert done.left_out == 0
    assert all(ms >= 20 and ms % 10 == 0 for _, ms in done.shots)


def test_all_is_every_frame_however_long_it_lasts() -> None:
    done = plan(Beats(2, 5000, 1, 1, 50), select="all")
    assert [shot.frame for shot in done.shots] == list(range(5003))
    assert done.seconds > 30
    assert done.shots == plan(Beats(2, 5000, 1, 1, 50), select="0..last").shots


@pytest.mark.parametrize(
    "text", ["", ",", "1,", "a", "1..", "..2", "1...3", "-1", "1-3", "٣", "1_0", "1.5", "LAST", "0x1", "9" * 20, "1;2"]
)
def test_what_is_no_selection(text: str) -> None:
    with pytest.raises(ConvanimError, match="is not a selection of frames") as caught:
        selected(text, 10)
    assert "0,4,8 or 2..6 or last" in caught.value.hint


@pytest.mark.parametrize(("text", "says"), [("10", "'10'"), ("0,3..10", "'3..10'"), ("999999999", "'999999999'")])
def test_frames_that_are_not_there(text: str, says: str) -> None:
    with pytest.raises(ConvanimError, match="goes beyond the 10 frames") as caught:
        selected(text, 10)
    assert says in caught.value.message
    assert "0 to 9" in caught.value.hint


@pytest.mark.parametrize("text", ["5..2", "last..0"])
def test_backwards(text: str) -> None:
    with pytest.raises(ConvanimError, match="backwards") as caught:
        selected(text, 10)
    assert selected(caught.value.hint.removeprefix("write "), 10)  # the hint is right


# Durations.


@calm
@given(st.integers(2, 360_000))
def test_hundredths_are_kept(ticks: int) -> None:
    assert milliseconds(ticks / 100, "step") == ticks * 10


@calm
@given(st.floats() | st.integers(0, 3_600_000).map(lambda ms: ms / 1000) | st.floats(0, 4000))
def test_a_duration_is_exact_or_refused_with_one_that_works(seconds: float) -> None:
    whole = abs(seconds * 100 - round(seconds * 100)) < 1e-6 if 0.02 <= seconds <= 3600 else False
    if whole:
        ms = milliseconds(seconds, "--hold-last")
        assert abs(Fraction(seconds) * 1000 - ms) < Fraction(1, 1000)
        assert ms % 10 == 0
        return
    with pytest.raises(ConvanimError) as caught:
        milliseconds(seconds, "--hold-last")
    assert caught.value.message.startswith(f"--hold-last {seconds:g} ")
    number = re.search(r"\d+(\.\d+)?", caught.value.hint)
    assert number
    assert milliseconds(float(number[0]), "the hint") >= 20


@pytest.mark.parametrize("seconds", [0, -1, 0.01, 0.0199, float("nan"), float("inf"), 1e300])
def test_what_no_viewer_keeps(seconds: float) -> None:
    with pytest.raises(ConvanimError, match="is not between"):
        milliseconds(seconds, "--hold-last")


def test_the_hint_for_too_long_is_not_to_take_longer() -> None:
    with pytest.raises(ConvanimError) as caught:
        milliseconds(7000, "--hold-last")
    assert "3600" in caught.value.hint
    assert "or more" not in caught.value.hint

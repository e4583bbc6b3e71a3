"""Animations: files show only verified traces, and Python's protocols work."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convanim as ca
from convanim.errors import ConvanimError
from convanim.trace.core import Trace
from convanim.trace.step import Block

X, K = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2, 0], [0, 1, 3], [2, 0, -1]]


def transposed() -> Trace:
    return ca.ConvTranspose(kernel_size=3, stride=2, padding=1).trace(X, K)


@pytest.mark.parametrize("kind", ["gif", "png", "txt", "json"])
@pytest.mark.parametrize("view", ["overlap-add", "both"])
def test_wrong_stamps_are_never_written(kind, view, monkeypatch, tmp_path):
    """The stamps have another order of the taps, which needs its own verification."""
    block = Trace._block

    def wrong(self: Trace, start: int, stop: int) -> Block:
        made = block(self, start, stop)
        if self.order == "scatter":
            made = replace(made, weights=np.roll(made.weights, 1, axis=-1))
        return made

    monkeypatch.setattr(Trace, "_block", wrong)
    if kind == "json" and view == "both":
        pytest.skip("the numbers of both views are written as the window's, which are right")
    with pytest.raises(ca.CheckFailed):
        transposed().animate(view=view, width=640).save(tmp_path / f"a.{kind}")
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_window_is_never_written(monkeypatch, tmp_path):
    monkeypatch.setattr(Trace, "replay", lambda self: self._answer + 1)
    for name in ("a.gif", "a-%d.png", "a.json"):
        with pytest.raises(ca.CheckFailed):
            transposed().animate(width=640).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_bias_stands_on_what_the_stamps_have_left():
    trace = ca.ConvTranspose(kernel_size=3, stride=2, padding=1).trace(X, K, 5)
    *_, last = trace.animate(view="overlap-add").frames()
    np.testing.assert_array_equal(last.grids["canvas"].values[1:-1, 1:-1], trace.output)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"theme": 3}, "theme 3"),
        ({"theme": "lihgt"}, "did you mean light"),
        ({"width": "640"}, "width '640'"),
        ({"height": 1.5}, "height 1.5"),
        ({"plays": 1.5}, "plays 1.5"),
        ({"plays": -1}, "plays -1"),
        ({"select": [99]}, "99"),
        ({"select": []}, "select ''"),
        ({"select": 1.5}, "select 1.5"),
        ({"seconds_per_step": "1"}, "'1' is not a number"),
        ({"view": "overlap-at"}, "did you mean overlap-add"),
    ],
)
def test_wrong_options_are_told_in_one_sentence(options, named):
    with pytest.raises(ca.ConvanimError) as caught:
        transposed().animate(**options)
    assert named in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(("select", "frames"), [(3, [3]), ([0, 8], [0, 8]), ("step:12", [31]), ("step:1..2", [9, 11])])
def test_frames_are_selected_by_number_or_by_step(select, frames):
    animation = transposed().animate(select=select)
    assert [shot.frame for shot in animation.plan.shots] == frames
    if str(select).startswith("step"):
        first = int(str(select)[5:].split(".")[0])
        shown = next(animation.frames())
        assert shown.step == first
        assert shown.grids["output"].emphasis.any(), "the sum of the step is written"


def test_several_frames_are_not_one_png(tmp_path):
    with pytest.raises(ca.ConvanimError, match=r"frame-%03d\.png"):
        transposed().animate(select="0,1").save(tmp_path / "a.png")
    with pytest.raises(ca.ConvanimError, match="series"):
        transposed().animate().save(tmp_path / "a-%d.gif")
    assert list(tmp_path.iterdir()) == []


#: Values of other types, and the options that accept some of them.
ODD = [3, -1, 2.5, [], {}, b"x", object(), ("a",), np.array([1, 2]), float("nan"), "x" * 999]
TAKEN = {
    "plays": (0,),
    "seconds_per_step": (0, 2),
    "hold_first": (0, 2),
    "hold_last": (0, 2),
    "made_by": (10,),
    "title": (),
    "max_size": (0,),
    "select": (0, 8),
}
OTHERS = ["template", "theme", "layout", "lang", "motion", "width", "height", "caption", "numbers", "view"]


@pytest.mark.parametrize("name", [*TAKEN, *OTHERS, "symbols", "colours", "saturate", "beside"])
def test_a_value_of_another_kind_is_refused_in_one_sentence(name: str) -> None:
    trace = ca.Conv(2).trace([[1, 2], [3, 4]], [[1, 0], [0, 1]])
    for number, value in enumerate(ODD):
        if number not in TAKEN.get(name, ()):
            with pytest.raises(ConvanimError, match=r"\A[^\n]+\Z"):
                ca.Animation(trace, **{name: value}).page  # type: ignore[arg-type] # noqa: B018


@pytest.mark.parametrize("value", [3, 2.5, [], object(), np.array([1, 2])])
def test_what_is_no_trace_no_format_and_no_number_of_columns_is_refused(value: Any, tmp_path: Path) -> None:
    with pytest.raises(ConvanimError, match="is not a trace"):
        ca.Animation(value)
    animation = ca.Conv(2).trace([[1, 2], [3, 4]], [[1, 0], [0, 1]]).animate(width=320)
    with pytest.raises(ConvanimError, match="is not a string"):
        animation.save(tmp_path / "up.png", value)
    if not isinstance(value, int):
        with pytest.raises(ConvanimError, match="is not a number of columns"):
            animation.save(tmp_path / "up.png", sheet=value)
    assert not list(tmp_path.iterdir())

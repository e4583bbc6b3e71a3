"""Scenes: what is on the page, frame by frame, as data."""

from __future__ import annotations

import difflib
from typing import Protocol

from convanim.errors import ConvanimError
from convanim.ops import Operation, times
from convanim.scene.both import BothScene
from convanim.scene.frame import Beats, Blocks, Frame, Panel, Phase
from convanim.scene.gather import GatherScene
from convanim.scene.scatter import ScatterScene
from convanim.trace import ConvTrace, Trace

#: The views of each kind of layer; the first one is what is shown without a choice.
VIEWS = {"transposed": ("zero-insertion", "overlap-add", "both"), "conv": ("sliding",)}


class Scene(Protocol):
    """Frames in order, and what does not change between them.

    Attributes:
        title, detail: what the page is headed with, and the layer's arguments for its corner.
        traces: what is drawn, each of which has to be proved.
        phases: named along the top.
        panels: the grids, each with its place.
        beats: how the frames follow each other.
        captions: how many lines of arithmetic there are.
    """

    title: str
    detail: str
    traces: tuple[Trace, ...]
    phases: tuple[Phase, ...]
    panels: tuple[Panel, ...]
    beats: Beats
    captions: int

    @property
    def blocks(self) -> Blocks:
        """The panels as they stand on the page: blocks side by side, each of rows, read left to right."""

    def frame(self, number: int) -> Frame:
        """One frame, from 0 to beats.total - 1; cheapest in order."""


def pick_view(op: Operation, view: str | None = None) -> str:
    """The view that is meant; without a choice the first that the layer has.

    Raises:
        ConvanimError: the layer has no such view.

    Example:
        >>> from convanim.ops import ConvTranspose
        >>> pick_view(ConvTranspose(kernel_size=3))
        'zero-insertion'
    """
    known = VIEWS["transposed" if op.transposed else "conv"]
    if view is not None and view not in known:
        close = [name for name in known if view and name.startswith(view)] or difflib.get_close_matches(view, known, 1)
        hint = f"did you mean {close[0]}" if close else f"use {' or '.join(known)}"
        raise ConvanimError(f"view {view!r} is not known for a {op.words.lower()}", hint)
    return view or known[0]


def scene(trace: Trace, view: str | None = None) -> Scene:
    """The scene of a trace.

    Args:
        trace: in any order.
        view: for a transposed layer "zero-insertion" (also None), "overlap-add" or "both"; for a convolution "sliding".

    Raises:
        ConvanimError: an unknown view, or a trace that cannot be drawn yet (channels, three axes).

    Example:
        >>> from convanim.ops import ConvTranspose
        >>> s = scene(ConvTranspose(kernel_size=2).trace([[0, 1], [2, 3]], [[4, 1], [2, 3]]), "overlap-add")
        >>> s.frame(s.beats.total - 1).grids["canvas"].values.tolist()
        [[0, 4, 1], [8, 16, 6], [4, 12, 9]]
    """
    view = pick_view(trace.op, view)
    if not isinstance(trace, ConvTrace):
        raise ConvanimError(f"{trace.op} cannot be drawn yet", "save it as .json")
    if len(trace.axes) > 2:
        raise ConvanimError(f"{trace.op} has {len(trace.axes)} axes and pictures show one or two", "save it as .json")
    if trace.x.shape[0] > 1 or trace.channels > 1:
        raise ConvanimError(
            f"{trace.op} over {times(trace.x.shape)} has {trace.x.shape[0]} input and {trace.channels} output "
            "channels, and pictures show one of each",
            "trace one channel of the input with one kernel, or save the whole as .json",
        )
    if view == "both":
        return BothScene(trace)
    return ScatterScene(trace.by_input()) if view == "overlap-add" else GatherScene(trace.by_output())


__all__ = ["VIEWS", "Scene", "pick_view", "scene"]

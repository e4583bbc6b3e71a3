"""The protocols of scenes: `Contents`, from which a page is laid out, and `Scene`, which adds the frames.

`PlacementScene` is the base of the scenes that show one placement after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

from convanim.scene.frame import Beats, Blocks, Frame, Link, Panel, Phase, panels_of
from convanim.trace import Trace


class Contents(Protocol):
    """Everything that the layout of a page needs to know about a scene.

    Attributes:
        title, detail: the heading of the page, and the layer's arguments in its corner.
        beats: how the frames follow each other.
        captions: the number of caption lines.
    """

    title: str
    detail: str
    beats: Beats
    captions: int

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The traces that are drawn, each of which is to be verified."""

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases, named along the top of the page."""

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The panels, each of which shows one grid."""

    @property
    def blocks(self) -> Blocks:
        """The arrangement of the panels: blocks side by side, each of rows, read left to right."""

    def links(self, step: int) -> tuple[Link, ...]:
        """The links of a placement (from 0) once its result is written, without drawing its frame."""


class Scene(Contents, Protocol):
    """The frames in order, and everything that is the same in all of them."""

    def frame(self, number: int) -> Frame:
        """The frame of a number from 0 to beats.total - 1; cheapest in order."""


class PlacementScene:
    """A scene of opening frames, one or more frames for each placement, and closing frames.

    A scene of this kind sets `blocks`, `beats` and its opening and closing frames, and makes those of a placement.
    """

    captions = 1
    blocks: Blocks
    beats: Beats
    _opening: Sequence[Frame]
    _closing: Sequence[Frame]

    @cached_property
    def panels(self) -> tuple[Panel, ...]:
        """The panels, block by block."""
        return panels_of(self.blocks)

    def frame(self, number: int) -> Frame:
        """One frame of the scene, from 0."""
        opening, steps, each, _, _ = self.beats
        if number < opening:
            return self._opening[number]
        step, part = divmod(number - opening, each)
        return self._placement(step, each - 1 - part) if step < steps else self._closed(number - opening - steps * each)

    def _placement(self, number: int, ahead: int) -> Frame:
        """A frame of a placement, of which this many more are `ahead`: none once its result is written."""
        raise NotImplementedError

    def _closed(self, number: int) -> Frame:
        """A frame of the closing."""
        return self._closing[number]

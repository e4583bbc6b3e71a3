"""The protocols of scenes: `Contents`, from which a page is laid out, and `Scene`, which adds the frames."""

from __future__ import annotations

from typing import Protocol

from convanim.scene.frame import Beats, Blocks, Frame, Link, Panel, Phase
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

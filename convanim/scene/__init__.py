"""Scenes: what is on the page, frame by frame, as data."""

from __future__ import annotations

from typing import Protocol

from convanim.scene.frame import Beats, Blocks, Frame, Link, Panel, Phase
from convanim.scene.views import TABLE, VIEWS, Kind, Shown, View, compared, pick_view, scene, views_of
from convanim.trace import Trace


class Contents(Protocol):
    """What a scene has besides its frames: all that a page is laid out from.

    Attributes:
        title, detail: what the page is headed with, and the layer's arguments for its corner.
        beats: how the frames follow each other.
        captions: how many lines of arithmetic there are.
    """

    title: str
    detail: str
    beats: Beats
    captions: int

    @property
    def traces(self) -> tuple[Trace, ...]:
        """What is drawn, each of which has to be proved."""

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Named along the top."""

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The grids, each with its place."""

    @property
    def blocks(self) -> Blocks:
        """The panels as they stand on the page: blocks side by side, each of rows, read left to right."""

    def links(self, step: int) -> tuple[Link, ...]:
        """The cells that a placement joins, from 0, as its frame has them once it is written; none are drawn for it."""


class Scene(Contents, Protocol):
    """Frames in order, and what does not change between them."""

    def frame(self, number: int) -> Frame:
        """One frame, from 0 to beats.total - 1; cheapest in order."""


__all__ = ["TABLE", "VIEWS", "Contents", "Kind", "Scene", "Shown", "View", "compared", "pick_view", "scene", "views_of"]

"""Scenes: what is on the page, frame by frame, as data."""

from __future__ import annotations

from typing import Protocol

from convanim.scene.frame import Beats, Frame, Panel, Phase
from convanim.scene.views import TABLE, VIEWS, Kind, View, pick_view, scene
from convanim.trace import Trace


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
    def rows(self) -> tuple[tuple[Panel, ...], ...]:
        """The panels as they stand on the page: rows, read left to right."""

    def frame(self, number: int) -> Frame:
        """One frame, from 0 to beats.total - 1; cheapest in order."""


__all__ = ["TABLE", "VIEWS", "Kind", "Scene", "View", "pick_view", "scene"]

"""Scenes: the frames of an animation, as data."""

from __future__ import annotations

from convanim.scene.contents import Contents, Scene
from convanim.scene.views import TABLE, VIEWS, Kind, Shown, View, compared, in_order, pick_view, scene, views_of

__all__ = [
    "TABLE",
    "VIEWS",
    "Contents",
    "Kind",
    "Scene",
    "Shown",
    "View",
    "compared",
    "in_order",
    "pick_view",
    "scene",
    "views_of",
]

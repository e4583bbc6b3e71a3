"""Scenes: the frames of an animation, as data."""

from __future__ import annotations

from convanim.scene.contents import Contents, Scene
from convanim.scene.views import VIEWS, Shown, compared, fitting, in_order, pick_view, scene, views_of

__all__ = [
    "VIEWS",
    "Contents",
    "Scene",
    "Shown",
    "compared",
    "fitting",
    "in_order",
    "pick_view",
    "scene",
    "views_of",
]

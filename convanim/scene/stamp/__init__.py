"""Scenes in which a kernel is stamped onto a canvas."""

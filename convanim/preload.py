"""Imports everything that a worker needs, so that processes forked from one that has imported this start at once."""

# ruff: noqa: E402 - the first lines stay the first: nothing may import matplotlib before them
from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

from convanim.system import rcfile

rcfile.ignore()

import convanim.draw.raster
import convanim.gallery.work
import convanim.page.glyphs
import convanim.write.gif
import convanim.write.png
from convanim import scene

for found in walk_packages(scene.__path__, f"{scene.__name__}."):  # scenes are otherwise imported on use
    import_module(found.name)

__all__ = ["convanim"]

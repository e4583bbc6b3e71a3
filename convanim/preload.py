"""Imports everything that a worker needs, so that processes forked from one that has imported this start at once."""

# ruff: noqa: E402 - the first lines stay the first: nothing may import matplotlib before them
from __future__ import annotations

from convanim.system import rcfile

rcfile.ignore()

import convanim.draw.raster
import convanim.gallery.work
import convanim.page.glyphs
import convanim.write.gif
import convanim.write.png

__all__ = ["convanim"]

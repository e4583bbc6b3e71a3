"""Everything that a worker needs, imported: processes that are forked from one that has this begin at once."""

# ruff: noqa: E402 - the first lines stay the first: nothing may import matplotlib before them
from __future__ import annotations

from convanim import rcfile

rcfile.ignore()

import convanim.draw.raster
import convanim.gallery.work
import convanim.glyphs
import convanim.write.gif
import convanim.write.png

__all__ = ["convanim"]

"""Everything that a worker needs, imported: processes that are forked from one that has this begin at once."""

from __future__ import annotations

import convanim.draw.raster
import convanim.gallery.work
import convanim.glyphs
import convanim.write.gif
import convanim.write.png

__all__ = ["convanim"]

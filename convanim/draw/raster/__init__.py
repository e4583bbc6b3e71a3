"""Frames as pixels: arrays of palette indices.

Every distinct cell is drawn once; a frame is the one before with the changed cells put in. Must not know files or time.
"""

from convanim.draw.raster.picture import Picture, Raster, palette

__all__ = ["Picture", "Raster", "palette"]

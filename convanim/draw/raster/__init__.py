"""The raster renderer: frames as arrays of palette indices.

Every distinct cell is drawn once, and a frame is the last one with the changed cells copied in.
"""

from convanim.draw.raster.picture import Picture, Raster, palette

__all__ = ["Picture", "Raster", "palette"]

"""convanim: convolution arithmetic, happening."""

__version__ = "0.1.0"

"""Imports matplotlib without a `matplotlibrc` in the current folder, for convanim's own processes only."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def ignore() -> None:
    """Import matplotlib from another folder if this one has a `matplotlibrc`, which is read at the first import only.

    The file could change the drawing, print warnings, fail, or be a pipe that blocks.
    """
    if not os.path.lexists("matplotlibrc") or "matplotlib" in sys.modules:
        return
    if hasattr(os, "fchdir"):  # a parent folder may be inaccessible by its path
        here: int | str = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    else:
        here = os.getcwd()  # noqa: PTH109 - as text, like the number above
    os.chdir(Path(__file__).parent)
    try:
        import matplotlib  # noqa: F401
    finally:
        os.chdir(here)
        if isinstance(here, int):
            os.close(here)

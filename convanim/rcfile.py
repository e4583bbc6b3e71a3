"""matplotlib without the `matplotlibrc` of the current folder, which may be anybody's.

Knows where matplotlib looks for its settings. For processes of the program alone: in another program,
matplotlib's settings are theirs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def ignore() -> None:
    """Import matplotlib from another folder, if this one has a `matplotlibrc`; it is read at the first import only.

    The file could change what is drawn, print warnings, fail, or be a pipe that is waited for.
    """
    if not os.path.lexists("matplotlibrc") or "matplotlib" in sys.modules:
        return
    if hasattr(os, "fchdir"):  # a folder above this one may be closed to its path
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

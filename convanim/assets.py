"""The files that come with the package: templates, themes, catalogues, and the pages of a gallery."""

from __future__ import annotations

from pathlib import Path

from convanim.errors import ConvanimError

#: In a wheel templates/ lies inside the package, in a checkout beside it.
_PLACES = (Path(__file__).parent / "templates", Path(__file__).parent.parent / "templates")


def templates() -> Path:
    """Return the folder of the templates.

    Raises:
        ConvanimError: the installation has no such folder.
    """
    for place in _PLACES:
        if (place / "themes").is_dir():
            return place
    raise ConvanimError("the folder templates/ is missing from this installation", "reinstall convanim")

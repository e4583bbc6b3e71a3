"""Files that are there whole or not at all.

Knows temporary files and what a file system says no to. Must not know what is written.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from convanim.errors import ConvanimError


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Write to a temporary file beside the target, and rename it when all is well; otherwise nothing is left.

    Raises:
        ConvanimError: the folder is missing or not writable, the disk is full, and the like.
    """
    if path.is_dir():
        raise ConvanimError(f"{path} is a folder", f"name a file in it, like {path / 'up.gif'}")
    if not path.parent.is_dir():
        raise ConvanimError(f"the folder {path.parent} of {path.name} does not exist", "make it first, or name another")
    scratch = None
    try:
        handle, scratch = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".part", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(scratch).chmod(0o666 & ~_umask())  # mkstemp makes files for their owner alone
        Path(scratch).replace(path)
        scratch = None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConvanimError(
            f"{path} cannot be written: {reason}", "name a place with room where you may write"
        ) from None
    finally:
        if scratch is not None:
            Path(scratch).unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

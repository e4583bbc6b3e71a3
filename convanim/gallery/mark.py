"""The last line of a page that a build wrote: a comment that tells whether anybody has edited the page since.

Knows the line and the digest in it. Must not know what a page says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

_BEGIN, _END = b"<!-- convanim:", b" -->\n"


def marked(parts: Iterable[bytes]) -> Iterator[bytes]:
    """A page in pieces, and its mark after them.

    Example:
        >>> is_marked(b"".join(marked([b"# Gallery\\n"])))
        True
    """
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
        yield part
    yield _BEGIN + sha.hexdigest().encode() + _END


def is_marked(page: bytes) -> bool:
    """Whether a page is just as some build wrote it: that of another branch, say, or of another version.

    Example:
        >>> is_marked(b"# Mine\\n")
        False
    """
    text, begin, _ = page.replace(b"\r\n", b"\n").rpartition(_BEGIN)
    return bool(begin) and b"".join(marked([text])) == page.replace(b"\r\n", b"\n")

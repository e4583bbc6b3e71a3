"""Looking at a folder of descriptions until one of them changes.

Knows files and their times. Must not know what is done about a change.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from convanim.errors import ConvanimError
from convanim.gallery import named
from convanim.gallery.folder import read_folder
from convanim.theme import templates


class Watch:
    """A folder as it was seen last. Make it before a build, so that what changes during the build is noticed after it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     watch = Watch(Path(folder))
        ...     _ = (Path(folder) / "a.toml").write_text("")
        ...     watch.changed(), watch.changed()
        (True, False)
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._before = folder, _seen(folder)

    def changed(self) -> bool:
        """Whether a description, a file that one names, or a theme is another than at the last look."""
        before, self._before = self._before, _seen(self._folder)
        return before != self._before

    def changes(self, every: float = 0.5) -> Iterator[None]:
        """Yield at each change, forever; `every` is in seconds."""
        while True:
            if self.changed():
                yield
            time.sleep(every)


def _seen(folder: Path) -> dict[str, tuple[int, int]]:
    paths = [*folder.glob("*.toml"), *templates().rglob("*.toml")]
    try:
        described = read_folder(folder)
        for entry in described.entries.values():
            with suppress(ConvanimError):  # it is told by the build, as all that is wrong
                paths += named.paths(described.root, entry).values()
    except ConvanimError:
        pass
    seen = {}
    for path in paths:
        try:
            found = path.stat()
        except (OSError, ValueError):  # not a file's name, or gone in between
            continue
        seen[str(path)] = (found.st_mtime_ns, found.st_size)
    return seen

"""Watches a folder of descriptions for changes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from convanim.assets import templates
from convanim.errors import ConvanimError
from convanim.gallery import named
from convanim.gallery.folder import read_folder


class Watch:
    """The last known state of a folder. Create it before a build, so that changes during the build are noticed.

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
        """Whether a description, a file that one names, or a theme has changed since the last call."""
        before, self._before = self._before, _seen(self._folder)
        return before != self._before

    def changes(self, every: float = 0.5) -> Iterator[None]:
        """Yield at each change, forever; checks once per `every` seconds."""
        while True:
            if self.changed():
                yield
            time.sleep(every)


def _seen(folder: Path) -> dict[str, tuple[int, int]]:
    paths = [*folder.glob("*.toml"), *templates().rglob("*.toml")]
    try:
        described = read_folder(folder)
        for entry in described.entries.values():
            with suppress(ConvanimError):  # reported by the build
                paths += named.paths(described.root, entry).values()
    except ConvanimError:
        pass
    seen = {}
    for path in paths:
        try:
            found = path.stat()
        except (OSError, ValueError):  # not a file name, or removed meanwhile
            continue
        seen[str(path)] = (found.st_mtime_ns, found.st_size)
    return seen

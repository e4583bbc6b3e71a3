"""Plans a build or a check: which entries have to be built, in which order, and by which workers."""

from __future__ import annotations

import difflib
import fnmatch
import os
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from math import inf
from pathlib import Path

from convanim.errors import ConvanimError
from convanim.gallery import digest
from convanim.gallery.folder import Folder
from convanim.gallery.records import Records
from convanim.gallery.runner import AHEAD, Here, Processes, run
from convanim.gallery.work import Result, Task

Progress = Callable[[int, int], None]


def choose(folder: Folder, patterns: Sequence[str]) -> list[str]:
    """The names that match some patterns, including broken entries.

    Raises:
        ConvanimError: a pattern that matches none.
    """
    names = sorted({*folder.entries, *folder.broken})
    found: set[str] = set()
    for pattern in patterns:
        path, meant = Path(pattern), pattern.removesuffix(".toml")  # a shell's completion adds suffix and folder
        if path.name != pattern and "\0" not in pattern and path.parent.resolve() == folder.path.resolve():
            meant = path.name.removesuffix(".toml")
            if (folder.path / f"{meant}.toml").is_file() and meant not in names:
                continue  # gallery.toml or a base, from a shell's gallery/*.toml
        hits = fnmatch.filter(names, meant)
        if not hits:
            close = difflib.get_close_matches(pattern, names, 1)
            hint = f"did you mean {close[0]}" if close else f"see {folder.path} for the {len(names)} entries"
            raise ConvanimError(f"there is no entry named {pattern!r}", hint)
        found.update(hits)
    return sorted(found) if patterns else names


@dataclass(frozen=True)
class Plan:
    """The work to do.

    Attributes:
        stale: the entries to be built; `kept`: those that are up to date; `failed`: the errors of the others, by name.
    """

    folder: Folder
    records: Records
    stale: list[str]
    kept: list[str]
    failed: dict[str, str]

    @classmethod
    def of(cls, folder: Folder, records: Records, chosen: Sequence[str]) -> Plan:
        """Find the entries that have to be built."""
        plan = cls(folder, records, [], [], {name: folder.broken[name] for name in chosen if name in folder.broken})
        for name in (name for name in chosen if name in folder.entries):
            task = plan.task(name)
            if task.error:
                plan.failed[name] = folder.placed(name, task.error)
            else:
                key = digest.key(task.entry, task.description)
                (plan.kept if records.right(name, key) else plan.stale).append(name)
        return plan

    def task(self, name: str) -> Task:
        """The task of an entry, with the files that it names now, or the reason why they cannot be read."""
        entry = self.folder.entries[name]
        try:
            files = self.folder.files(name)
        except ConvanimError as error:
            return Task(name, entry, {}, error=str(error))
        return Task(name, entry, files, digest.of_entry(entry, files))

    def results(self, executor: Executor | None, jobs: int | None, progress: Progress | None) -> Generator[Result]:
        """Execute the plan, and check that every worker runs the version of this process. Close it to end the workers.

        A result's record has the digest of its actual sources: a file that an entry names may have changed since the
        plan was made.
        """
        if jobs is not None and not 1 <= jobs <= 512:
            raise ConvanimError(f"`jobs` {jobs} is not between 1 and 512", "leave it out to use one process per core")
        if not self.stale:
            return
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        count = min(jobs or cores, len(self.stale))
        alone = executor is None and count == 1
        workers = getattr(executor, "_max_workers", 16) if executor else count

        def start() -> Executor:
            return executor or (Here() if alone else Processes(count))

        tasks = map(self.task, self.stale if alone else sorted(self.stale, key=self._pixels, reverse=True))
        with closing(run(tasks, start, 1 if alone else AHEAD * workers, own=executor is None)) as found:
            for done, result in enumerate(found, start=1):
                told = result.error
                if not told and (other := digest.differing(result.versions, digest.versions(), "here")):
                    told = f"its worker runs another version of the program ({other}); install the same version there."
                if progress:
                    progress(done, len(self.stale))
                yield Result(result.name, error=self.folder.placed(result.name, told)) if told else result

    def _pixels(self, name: str) -> float:
        """The estimated work of an entry by its last frames: long entries start first, and new ones before them."""
        record = self.records.manifest.entries.get(name)
        files = record.files.values() if record else ()
        return sum(max(file.frames, 1) * file.width * file.height for file in files) if record else inf

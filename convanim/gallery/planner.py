"""What a build or a check has to do, in which order, and over which workers.

Knows descriptions and what is remembered of the last build. Must not know what is done with a result.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from math import inf
from pathlib import Path

from convanim.errors import ConvanimError
from convanim.gallery import digest
from convanim.gallery.folder import Folder
from convanim.gallery.records import Records
from convanim.gallery.runner import AHEAD, Here, cores, local, run
from convanim.gallery.work import Result, Task

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What there is to do: `stale` entries, with the digests of their descriptions, must be made to be known."""

    stale: dict[str, str]
    kept: list[str]
    failed: dict[str, str]


def choose(folder: Folder, patterns: Sequence[str]) -> list[str]:
    """The names that patterns stand for, broken entries among them.

    Raises:
        ConvanimError: a pattern that stands for none.
    """
    names = sorted({*folder.entries, *folder.broken})
    if not patterns:
        return names
    found: set[str] = set()
    for pattern in patterns:
        meant = _meant(folder, pattern)
        hits = fnmatch.filter(names, meant)
        if not hits:
            if "/" in pattern and "/" not in meant and (folder.path / f"{meant}.toml").is_file():
                continue  # gallery.toml or a base, among what a shell makes of gallery/*.toml
            close = difflib.get_close_matches(pattern, names, 1)
            hint = f"did you mean {close[0]}" if close else f"see {folder.path} for the {len(names)} entries"
            raise ConvanimError(f"there is no entry named {pattern!r}", hint)
        found.update(hits)
    return sorted(found)


def _meant(folder: Folder, pattern: str) -> str:
    """What is typed for an entry without what a shell's completion adds: its folder, and its suffix."""
    path = Path(pattern)
    if path.name != pattern and "\0" not in pattern and path.parent.resolve() == folder.path.resolve():
        pattern = path.name
    return pattern.removesuffix(".toml")


def planned(folder: Folder, records: Records, chosen: Sequence[str]) -> Plan:
    """Tell what has to be made to be known."""
    plan = Plan({}, [], {name: folder.broken[name] for name in chosen if name in folder.broken})
    for name in chosen:
        if name not in folder.entries:
            continue
        try:
            description = digest.of_entry(folder.entries[name], folder.files(name))
        except ConvanimError as error:
            plan.failed[name] = folder.placed(name, str(error))
            continue
        if records.right(name, digest.key(folder.entries[name], description)):
            plan.kept.append(name)
        else:
            plan.stale[name] = description
    return plan


def results(
    folder: Folder,
    records: Records,
    plan: Plan,
    executor: Executor | None,
    jobs: int | None,
    progress: Progress | None,
) -> Generator[Result]:
    """Make what a plan says, and check that every worker is the same program as this one. Close it to end them.

    A result's record has the digest of what it was made from: a file that an entry names may have changed since the
    plan was made.
    """
    if jobs is not None and not 1 <= jobs <= 512:
        raise ConvanimError(f"jobs {jobs} is not between 1 and 512", "leave it out to use one process per core")
    count = min(jobs or cores(), len(plan.stale))
    lost: list[Result] = []

    def tasks() -> Iterator[Task]:
        alone = count == 1 and executor is None
        for name in plan.stale if alone else sorted(plan.stale, key=pixels, reverse=True):
            try:
                files = folder.files(name)
            except ConvanimError as error:  # it is gone since the plan was made
                lost.append(Result(name, error=str(error)))
                continue
            entry = folder.entries[name]
            yield Task(name, entry, files, digest.of_entry(entry, files))

    def pixels(name: str) -> float:
        """How long an entry takes, as its frames were made last: workers get long ones first, and new ones before."""
        record = records.manifest.entries.get(name)
        files = record.files.values() if record else ()
        return sum(max(file.frames, 1) * file.width * file.height for file in files) if record else inf

    def start() -> Executor:
        return executor or (Here() if count == 1 else local(count))

    workers = count if executor is None else getattr(executor, "_max_workers", None)
    ahead = 1 if executor is None and count == 1 else AHEAD * (workers if isinstance(workers, int) else 16)
    if not plan.stale:
        return
    with closing(run(tasks(), start, ahead, own=executor is None)) as found:
        for done, result in enumerate(chain(found, lost), start=1):
            told = result.error
            if not told and (other := digest.differing(result.versions, digest.versions(), "here")):
                told = f"its worker runs another version of the program ({other}); install the same version there."
            if progress:
                progress(done, len(plan.stale))
            yield Result(result.name, error=folder.placed(result.name, told)) if told else result

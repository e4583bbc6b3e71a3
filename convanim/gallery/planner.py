"""Plans a build or a check: which entries have to be built, in which order, and by which workers."""

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
    """The work to do: the `stale` entries have to be built, with the digests of their descriptions."""

    stale: dict[str, str]
    kept: list[str]
    failed: dict[str, str]


def choose(folder: Folder, patterns: Sequence[str]) -> list[str]:
    """The names that match some patterns, including broken entries.

    Raises:
        ConvanimError: a pattern that matches none.
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
                continue  # gallery.toml or a base, from a shell's gallery/*.toml
            close = difflib.get_close_matches(pattern, names, 1)
            hint = f"did you mean {close[0]}" if close else f"see {folder.path} for the {len(names)} entries"
            raise ConvanimError(f"there is no entry named {pattern!r}", hint)
        found.update(hits)
    return sorted(found)


def _meant(folder: Folder, pattern: str) -> str:
    """The name of an entry without the folder and suffix that a shell's completion adds."""
    path = Path(pattern)
    if path.name != pattern and "\0" not in pattern and path.parent.resolve() == folder.path.resolve():
        pattern = path.name
    return pattern.removesuffix(".toml")


def planned(folder: Folder, records: Records, chosen: Sequence[str]) -> Plan:
    """Find the entries that have to be built."""
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
    """Execute a plan, and check that every worker runs the same version as this process. Close it to end the workers.

    A result's record has the digest of its actual sources: a file that an entry names may have changed since the
    plan was made.
    """
    if jobs is not None and not 1 <= jobs <= 512:
        raise ConvanimError(f"`jobs` {jobs} is not between 1 and 512", "leave it out to use one process per core")
    count = min(jobs or cores(), len(plan.stale))
    lost: list[Result] = []

    def tasks() -> Iterator[Task]:
        alone = count == 1 and executor is None
        for name in plan.stale if alone else sorted(plan.stale, key=pixels, reverse=True):
            try:
                files = folder.files(name)
            except ConvanimError as error:  # the file was removed after the plan was made
                lost.append(Result(name, error=str(error)))
                continue
            entry = folder.entries[name]
            yield Task(name, entry, files, digest.of_entry(entry, files))

    def pixels(name: str) -> float:
        """The estimated work of an entry by its last frames: long entries start first, and new ones before them."""
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

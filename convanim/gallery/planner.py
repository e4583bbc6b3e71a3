"""What a build or a check has to do, in which order, and over which workers.

Knows descriptions and what is remembered of the last build. Must not know what is done with a result.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from math import inf
from pathlib import Path

from convanim.errors import ConvanimError
from convanim.gallery import digest
from convanim.gallery.folder import Folder
from convanim.gallery.records import Records
from convanim.gallery.runner import AHEAD, Here, cores, local, run
from convanim.gallery.work import Result, Task


@dataclass(frozen=True)
class Plan:
    """What there is to do: entries whose files must be made to be known, and those that are known already."""

    stale: list[str]
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
    plan = Plan([], [], {name: folder.broken[name] for name in chosen if name in folder.broken})
    for name in chosen:
        if name not in folder.entries:
            continue
        try:
            description = digest.of_entry(folder.entries.json(name), folder.files(name))
        except ConvanimError as error:
            plan.failed[name] = folder.placed(name, str(error))
            continue
        (plan.kept if records.right(name, key(folder, name, description)) else plan.stale).append(name)
    return plan


def key(folder: Folder, name: str, description: str) -> str:
    """What decides whether an entry, whose description has this digest, is out of date."""
    return digest.key(description, folder.entries.json(name))


def results(
    folder: Folder, records: Records, plan: Plan, executor: Executor | None, jobs: int | None
) -> Generator[tuple[Result, str]]:
    """Make what a plan says, and check that every worker is the same program as this one.

    Yields:
        each result with the digest of the description that it was made from: a file that an entry names may have
        changed since the plan was made.
    """
    wanted = min(jobs or cores(), len(plan.stale)) if executor is None else 1
    if jobs is not None and not 1 <= jobs <= 512:
        raise ConvanimError(f"jobs {jobs} is not between 1 and 512", "leave it out to use one process per core")
    if not plan.stale:
        return
    descriptions: dict[str, str] = {}
    lost: list[Result] = []

    def tasks() -> Iterator[Task]:
        for name in plan.stale if wanted == 1 and executor is None else _longest_first(records, plan.stale):
            try:
                files = folder.files(name)
            except ConvanimError as error:  # it is gone since the plan was made
                lost.append(Result(name, error=str(error)))
                continue
            descriptions[name] = digest.of_entry(folder.entries.json(name), files)
            yield Task(name, folder.entries[name], files)

    if executor is not None:
        start, ahead = (lambda: executor), AHEAD * _workers(executor)
    elif wanted == 1:
        start, ahead = Here, 1
    else:
        start, ahead = (lambda: local(wanted)), AHEAD * wanted
    with closing(run(tasks(), start, ahead, own=executor is None)) as found:
        for result in found:
            description = descriptions.pop(result.name)
            told = result.error or _another_program(result)
            yield (Result(result.name, error=folder.placed(result.name, told)) if told else result), description
    for result in lost:
        yield Result(result.name, error=folder.placed(result.name, result.error)), ""


def _another_program(result: Result) -> str:
    """What is wrong where a worker is not the same program as this one."""
    ours = digest.versions()
    theirs = {name: result.versions.get(name, "none") for name in ours}
    differ = ", ".join(f"{name} {theirs[name]}, here {ours[name]}" for name in ours if ours[name] != theirs[name])
    return (
        f"its worker runs another version of the program ({differ}); install the same version there." if differ else ""
    )


def _longest_first(records: Records, names: Sequence[str]) -> list[str]:
    """Names in the order in which workers get them, so that none is left alone with a long one in the end.

    How long one takes is told by the pixels of its frames, as they were made last; new ones come first.
    """

    def pixels(name: str) -> float:
        if name not in records.manifest.entries:
            return inf
        files = records.manifest.entries[name].files.values()
        return sum(max(file.frames, 1) * file.width * file.height for file in files)

    return sorted(names, key=pixels, reverse=True)


def _workers(executor: Executor) -> int:
    """How many tasks an executor does at a time, where it says so."""
    number = getattr(executor, "_max_workers", None)
    return number if isinstance(number, int) else 16

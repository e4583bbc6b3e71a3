"""A gallery built: what is stale is made anew, what is right is left alone, what somebody edited is never lost.

Knows descriptions, records and the order of work. Must not know how an entry is made, nor a command line.
"""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from convanim.errors import ConvanimError
from convanim.gallery import digest, pages
from convanim.gallery.description import Folder, files_of, read_folder
from convanim.gallery.records import PAGES, File, Record, Records
from convanim.gallery.runner import AHEAD, Here, cores, local, run
from convanim.gallery.work import Result, Task
from convanim.write.files import whole_file

Progress = Callable[[int, int], None]
#: What a failure of an output that somebody edited begins with; a check has a name of its own for it.
EDITED = "edited by hand: "


@dataclass
class Report:
    """What a build did, by the names of entries.

    Attributes:
        made: entries whose files were written; `same`: looked at again, and every byte was there already.
        kept: entries that were found right without being made.
        failed: what is wrong, as a sentence.
        orphaned: files that no description makes any more; `removed` are those that were pruned.
    """

    made: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    orphaned: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """What there is to do: entries whose files must be made to be known, and what is known already."""

    stale: list[str]
    kept: list[str]
    keys: dict[str, str]
    descriptions: dict[str, str]
    failed: dict[str, str]


def build(
    path: str | Path,
    patterns: Sequence[str] = (),
    *,
    executor: Executor | None = None,
    jobs: int | None = None,
    force: bool = False,
    prune: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Make what is stale in a gallery, and its pages. An entry that fails stops no other.

    Args:
        path: the folder of the descriptions.
        patterns: names of entries, with * and ?; all of them without any.
        executor: any of concurrent.futures; it is not shut down. Without one, processes on this machine.
        jobs: how many of them; as many as there are cores without a number.
        force: replace outputs that somebody edited.
        prune: remove outputs that no description makes any more.
        progress: called with (entries done, entries to make).

    Raises:
        ConvanimError: no such folder or entry, or a folder that cannot be written to.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     text = 'layer = "Conv(2)"\\ninput = "3x3"\\nformats = ["txt"]'
        ...     _ = (Path(folder) / "small.toml").write_text(text)
        ...     first, second = build(folder), build(folder)
        >>> first.made, second.made, second.kept
        (['small'], [], ['small'])
    """
    folder = read_folder(path)
    chosen = choose(folder, patterns)
    records = Records(folder.path)
    report = Report()
    with records.building():
        plan = planned(folder, records, chosen)
        report.kept, report.failed = plan.kept, dict(plan.failed)
        for done, result in enumerate(results(folder, plan, executor, jobs), start=1):
            if progress:
                progress(done, len(plan.stale))
            _take(result, records, plan, report, force=force)
        _orphans(folder, records, report, prune=prune)
        if not folder.broken or records.manifest.entries:
            _write_pages(folder, records, report, force=force)
    for names in (report.made, report.same):
        names.sort()
    return report


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
        hits = fnmatch.filter(names, pattern.removesuffix(".toml"))
        if not hits:
            close = difflib.get_close_matches(pattern, names, 1)
            hint = f"did you mean {close[0]}" if close else f"there are {len(names)}, see {folder.path}"
            raise ConvanimError(f"no entry is called {pattern!r}", hint)
        found.update(hits)
    return sorted(found)


def planned(folder: Folder, records: Records, chosen: Sequence[str], *, anew: bool = False) -> Plan:
    """Tell what has to be made to be known; with `anew` everything."""
    plan = Plan([], [], {}, {}, {name: folder.broken[name] for name in chosen if name in folder.broken})
    for name in chosen:
        if name not in folder.entries:
            continue
        try:
            plan.descriptions[name] = digest.of_entry(folder.entries[name], folder.files(name))
        except ConvanimError as error:
            plan.failed[name] = folder.placed(name, str(error))
            continue
        plan.keys[name] = digest.digest(plan.descriptions[name].encode(), digest.engine().encode())
        right = not anew and records.right(name, plan.keys[name])
        (plan.kept if right else plan.stale).append(name)
    return plan


def results(folder: Folder, plan: Plan, executor: Executor | None, jobs: int | None) -> Iterator[Result]:
    """Make what a plan says, and check that every worker is the same program as this one."""
    wanted = min(jobs or cores(), len(plan.stale)) if executor is None else 1
    if jobs is not None and not 1 <= jobs <= 512:
        raise ConvanimError(f"jobs {jobs} is not between 1 and 512", "leave it out for one a core")
    if not plan.stale:
        return
    tasks = (Task(name, folder.entries[name], folder.files(name)) for name in plan.stale)
    if executor is not None:
        start, ahead = (lambda: executor), AHEAD * _workers(executor)
    elif wanted == 1:
        start, ahead = Here, 1
    else:
        start, ahead = (lambda: local(wanted)), AHEAD * wanted
    ours = digest.versions()
    for result in run(tasks, start, ahead, own=executor is None):
        if result.error:
            yield Result(result.name, error=folder.placed(result.name, result.error))
            continue
        theirs = {name: result.versions.get(name, "none") for name in ours}
        if theirs != ours:
            differ = ", ".join(
                f"{name} {theirs[name]}, here {ours[name]}" for name in ours if ours[name] != theirs[name]
            )
            told = f"its worker is another program ({differ}); install the same there."
            yield Result(result.name, error=folder.placed(result.name, told))
        else:
            yield result


def record(result: Result, description: str) -> Record:
    """What the manifest says of a result."""
    files = {
        name: File(bytes=digest.of_bytes(made.data), pixels=made.pixels, size=len(made.data), **made.shape)
        for name, made in result.files.items()
    }
    told = {"trace": result.trace, "heading": result.heading, "words": result.words}
    return Record(description=description, **told, files=files)


def _workers(executor: Executor) -> int:
    """How many tasks an executor does at a time, where it says so."""
    number = getattr(executor, "_max_workers", None)
    return number if isinstance(number, int) else 16


def _take(result: Result, records: Records, plan: Plan, report: Report, *, force: bool) -> None:
    """Write the files of a result, if nobody else's work is lost by it."""
    name = result.name
    if result.error:
        report.failed[name] = result.error
        return
    new = record(result, plan.descriptions[name])
    stale = [file for file, made in new.files.items() if records.on_disk(file) != made.bytes]
    edited = [file for file in stale if not records.ours(file)]
    if edited and not force:
        report.failed[name] = f"{EDITED}{', '.join(edited)}; keep it elsewhere, or build with --force to replace it."
        return
    try:
        if stale:
            records.announce(name, new)
        for file in stale:
            target = records.folder / file
            target.parent.mkdir(exist_ok=True)
            with whole_file(target) as out:
                out.write(result.files[file].data)
    except ConvanimError as error:
        report.failed[name] = str(error)
        return
    except OSError as error:
        report.failed[name] = f"{records.folder} cannot be written to: {(error.strerror or '').lower()}; make room."
        return
    before = records.manifest.entries.get(name)
    if before != new:
        if before:
            records.manifest.orphans |= {f: made.bytes for f, made in before.files.items() if f not in new.files}
        records.manifest.entries[name] = new
        records.manifest.versions = {k: v for k, v in result.versions.items() if k != "source"}
    records.found_right(name, plan.keys[name])
    (report.made if stale else report.same).append(name)


def orphans(folder: Folder, records: Records) -> dict[str, str]:
    """Files that were made, and that no description makes now, with the digests that they were made with."""
    wanted = {file for name, entry in folder.entries.items() for file in files_of(name, entry)}
    found = dict(records.manifest.orphans)
    for name, kept in records.manifest.entries.items():
        if name not in folder.broken:  # it will be mended
            found |= {file: made.bytes for file, made in kept.files.items()}
    return {file: told for file, told in found.items() if file not in wanted and records.on_disk(file) is not None}


def _orphans(folder: Folder, records: Records, report: Report, *, prune: bool) -> None:
    left = orphans(folder, records)
    for file in list(left):
        if prune and records.ours(file):
            (records.folder / file).unlink(missing_ok=True)
            report.removed.append(file)
            del left[file]
    report.orphaned = sorted(left)
    records.manifest.orphans = left
    for name in set(records.manifest.entries) - set(folder.entries) - set(folder.broken):
        del records.manifest.entries[name]


def _write_pages(folder: Folder, records: Records, report: Report, *, force: bool) -> None:
    key = pages.key(folder, records.manifest)
    kept = records.manifest.pages
    if kept and records.page_key() == key and all(records.on_disk(name) == kept[name] for name in kept):
        return
    for name, data in pages.pages(folder, records.manifest).items():
        told = digest.of_bytes(data)
        if records.on_disk(name) != told:
            if not records.ours(name) and not force:
                report.failed[name] = f"{EDITED}{name}; keep it elsewhere, or build with --force to replace it."
                continue
            try:
                with whole_file(records.folder / name) as out:
                    out.write(data)
            except ConvanimError as error:
                report.failed[name] = str(error)
                continue
        records.manifest.pages[name] = told
    if not set(pages.NAMES) & set(report.failed):
        records.found_right(PAGES, key)

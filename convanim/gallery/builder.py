"""Building a gallery: makes the files that are out of date, and never loses files that were edited by hand.

Knows descriptions, records and the order of work. Must not know how an entry is made, or the command line.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from convanim.errors import ConvanimError
from convanim.gallery import digest, pages
from convanim.gallery.description import files_of
from convanim.gallery.folder import Folder, read_folder
from convanim.gallery.manifest import File, Record
from convanim.gallery.mark import marked
from convanim.gallery.planner import choose, key, planned, results
from convanim.gallery.records import PAGES, Records
from convanim.gallery.runner import leave_if_imported
from convanim.gallery.work import Result
from convanim.write.files import whole_file

Progress = Callable[[int, int], None]
#: What a failure of an output that somebody edited begins with; a check has a name of its own for it.
EDITED = "edited by hand: "


@dataclass
class Report:
    """The result of a build, by the names of the entries.

    Attributes:
        made: entries whose files were written; `same`: entries that were made again with the same bytes.
        kept: entries that were up to date and were not made.
        failed: the error message of each entry that failed.
        orphaned: files that no description makes any more; `removed`: those that were pruned.
    """

    made: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    orphaned: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


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
    """Build the entries of a gallery that are out of date, and its pages. If one fails, the others are still built.

    Args:
        path: the folder of the descriptions.
        patterns: names of entries, which may contain * and ?; by default all entries.
        executor: an executor of concurrent.futures, which is not shut down; by default processes on this machine.
        jobs: the number of these processes; by default one per core.
        force: replace outputs that were edited by hand.
        prune: remove outputs that no description makes any more.
        progress: called with (number of entries done, number of entries to make).

    Raises:
        ConvanimError: the folder or an entry does not exist, or the folder cannot be written to.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     text = 'layer = "Conv(2)"\\ninput = "3x3"\\nformats = ["txt"]'
        ...     _ = (Path(folder) / "small.toml").write_text(text)
        ...     first, second = build(folder), build(folder)
        >>> first.made, second.made, second.kept
        (['small'], [], ['small'])
    """
    if executor is None:
        leave_if_imported()
    folder = read_folder(path)
    chosen = choose(folder, patterns)
    report = Report()
    with Records.building(folder.path) as records:
        plan = planned(folder, records, chosen)
        report.kept, report.failed = plan.kept, dict(plan.failed)
        with closing(results(folder, records, plan, executor, jobs)) as found:  # workers end at once, whatever happens
            for done, (result, description) in enumerate(found, start=1):
                if progress:
                    progress(done, len(plan.stale))
                if _take(result, description, records, report, force=force):
                    records.found_right(result.name, key(folder, result.name, description))
        _orphans(folder, records, report, prune=prune)
        if pages_hold(folder, records) and (not folder.broken or records.manifest.entries):
            _write_pages(folder, records, report, force=force)
    for names in (report.made, report.same):
        names.sort()
    return report


def record(result: Result, description: str) -> Record:
    """What the manifest says of a result."""
    files = {
        name: File(bytes=digest.of_bytes(made.data), pixels=made.pixels, size=len(made.data), **made.shape)
        for name, made in result.files.items()
    }
    told = {"trace": result.trace, "heading": result.heading, "words": result.words}
    return Record(description=description, **told, files=files)


def _take(result: Result, description: str, records: Records, report: Report, *, force: bool) -> bool:
    """Write the files of a result, unless edited files would be lost. Return whether everything was written."""
    name = result.name
    if result.error:
        report.failed[name] = result.error
        return False
    new = record(result, description)
    stale = [file for file, made in new.files.items() if records.on_disk(file) != made.bytes]
    obstacle = next(filter(None, map(records.obstacle, stale)), None)
    if obstacle:
        report.failed[name] = obstacle
        return False
    edited = [file for file in stale if not records.ours(file)]
    if edited and not force:
        report.failed[name] = _edited(edited)
        return False
    try:
        if stale:
            records.announce(name, new)
        for file in stale:
            target = records.folder / file
            target.parent.mkdir(exist_ok=True)
            with whole_file(target, follow=False) as out:
                out.write(result.files[file].data)
    except ConvanimError as error:
        report.failed[name] = str(error)
        return False
    except OSError as error:
        report.failed[name] = (
            f"{records.folder} cannot be written to: {(error.strerror or '').lower()}; free disk space."
        )
        return False
    if records.manifest.entries.get(name) != new:
        records.put(name, new)
        records.manifest.versions = {k: v for k, v in result.versions.items() if k != "source"}
    (report.made if stale else report.same).append(name)
    return True


def orphans(folder: Folder, records: Records) -> dict[str, str]:
    """Files that were made, and that no description makes now, with the digests that they were made with."""
    found = dict(records.manifest.orphans)
    for name, kept in records.manifest.entries.items():
        if name not in folder.broken:  # it will be mended
            own = files_of(name, folder.entries[name]) if name in folder.entries else []
            found |= {file: made.bytes for file, made in kept.files.items() if file not in own}
    if found:  # seldom; then another entry may make them now
        for name, entry in folder.entries.items():
            for file in files_of(name, entry):
                found.pop(file, None)
    return {f: told for f, told in found.items() if f.lower() not in folder.inputs and records.on_disk(f) is not None}


def _orphans(folder: Folder, records: Records, report: Report, *, prune: bool) -> None:
    left = orphans(folder, records)
    for file in list(left):
        if prune and records.ours(file):
            obstacle = records.obstacle(file)
            if obstacle:
                report.failed[file] = obstacle
                continue
            try:
                (records.folder / file).unlink(missing_ok=True)
            except OSError as error:
                report.failed[file] = f"{file} cannot be removed: {(error.strerror or '').lower()}; remove it by hand."
                continue
            report.removed.append(file)
            del left[file]
    report.orphaned = sorted(left)
    records.manifest.orphans = left
    for name in set(records.manifest.entries) - set(folder.entries) - set(folder.broken):
        del records.manifest.entries[name]


def pages_hold(folder: Folder, records: Records) -> bool:
    """Whether pages can be made: while a description cannot be read whose files are there, they would lose its card."""
    return not any(name in records.manifest.entries for name in folder.broken)


def _write_pages(folder: Folder, records: Records, report: Report, *, force: bool) -> None:
    made_from = pages.key(folder, records.manifest)
    kept = records.manifest.pages
    if kept and records.page_key() == made_from and all(records.on_disk(name) == kept[name] for name in kept):
        return
    for name, parts in pages.pages(folder, records.manifest):
        try:
            with digest.written(marked(parts)) as (data, told):
                if records.on_disk(name) != told:
                    obstacle = records.obstacle(name)
                    if obstacle:
                        report.failed[name] = obstacle
                        continue
                    if not records.ours(name) and not force:
                        report.failed[name] = _edited([name])
                        continue
                    with whole_file(records.folder / name, follow=False) as out:
                        shutil.copyfileobj(data, out)
        except ConvanimError as error:
            report.failed[name] = str(error)
            continue
        records.manifest.pages[name] = told
    if not set(pages.NAMES) & set(report.failed):
        records.found_right(PAGES, made_from)


def _edited(files: Sequence[str]) -> str:
    return f"{EDITED}{', '.join(files)}; move it elsewhere, or build with --force to replace it."

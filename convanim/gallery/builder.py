"""Builds a gallery: rebuilds stale files, leaves current ones alone, and never loses files that the user edited."""

from __future__ import annotations

import difflib
import fnmatch
import os
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from convanim.errors import ConvanimError, reason
from convanim.gallery import digest
from convanim.gallery.description import files_of
from convanim.gallery.folder import Folder, read_folder
from convanim.gallery.pages import Pages
from convanim.gallery.records import ALL_PAGES, PAGES, Records
from convanim.gallery.runner import AHEAD, Here, Processes, leave_if_imported, run
from convanim.gallery.work import Result, Task
from convanim.write.files import whole_file

Progress = Callable[[int, int], None]


@dataclass
class Report:
    """The result of a build, by the names of entries.

    Attributes:
        made: entries whose files were written; `same`: entries that were rebuilt with the same bytes.
        kept: entries that were up to date and not rebuilt.
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
    """Rebuild what is stale in a gallery, and its pages. An entry that fails does not stop the others.

    Args:
        path: the folder of the descriptions.
        patterns: names of entries, which may contain * and ?; by default all entries.
        executor: an executor of concurrent.futures, which is not shut down; by default processes on this machine.
        jobs: the number of these processes; by default one per core.
        force: replace outputs that were edited by hand.
        prune: remove outputs that no description makes any more.
        progress: called with (number of finished entries, number of entries to build).

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
    with Records.building(folder.path) as records:
        plan = Plan.of(folder, records, chosen)
        report = Report(kept=plan.kept, failed=dict(plan.failed))
        with closing(plan.results(executor, jobs, progress)) as found:  # closing it ends the workers
            for result in found:
                if told := _take(result, folder, records, report, force=force):
                    report.failed[result.name] = told
        _prune(folder, records, report, prune=prune)
        if pages_hold(folder, records) and (not folder.broken or records.manifest.entries):
            _write_pages(folder, records, report, force=force)
    report.made.sort()
    report.same.sort()
    return report


def _take(result: Result, folder: Folder, records: Records, report: Report, *, force: bool) -> str | None:
    """Write the files of a result unless that would lose the user's edits. Return an error message, if any."""
    name, new = result.name, result.record
    if new is None:
        return result.error
    stale = [file for file, told in new.told().items() if records.on_disk(file) != told]
    if refused := records.refused(stale, force=force):
        return refused
    try:
        if stale:
            records.announce(name, new, result.versions)
        for file in stale:
            _write(records, file, [result.files[file]])
    except ConvanimError as error:
        return str(error)
    except OSError as error:
        return f"{records.folder} cannot be written to: {reason(error)}; free disk space."
    if records.manifest.entries.get(name) != new:
        records.put(name, new, result.versions)
    (report.made if stale else report.same).append(name)
    records.found_right(name, digest.key(folder.entries[name], new.description))
    return None


def _write(records: Records, name: str, parts: Iterable[bytes]) -> None:
    target = records.folder / name
    target.parent.mkdir(exist_ok=True)
    with whole_file(target, follow=False) as out:
        out.writelines(parts)


def orphans(folder: Folder, records: Records) -> dict[str, str]:
    """Files that were built and that no description makes any more, with their digests."""
    found = dict(records.manifest.orphans)
    for name, kept in records.manifest.entries.items():
        if name not in folder.broken:  # its files stay until it is repaired
            found |= kept.told()
    for name, entry in folder.entries.items():
        for file in files_of(name, entry):
            found.pop(file, None)
    return {f: told for f, told in found.items() if f.lower() not in folder.inputs and records.on_disk(f) is not None}


def _prune(folder: Folder, records: Records, report: Report, *, prune: bool) -> None:
    """Find the orphaned files, and remove them if asked, unless they were edited."""
    left = orphans(folder, records)
    for file in [file for file in left if prune and records.ours(file)]:
        told = records.refused([file])
        try:
            if not told:
                (records.folder / file).unlink(missing_ok=True)
                report.removed.append(file)
                del left[file]
        except OSError as error:
            told = f"{file} cannot be removed: {reason(error)}; remove it by hand."
        if told:
            report.failed[file] = told
    report.orphaned = sorted(left)
    records.manifest.orphans = left
    for name in set(records.manifest.entries) - set(folder.entries) - set(folder.broken):
        del records.manifest.entries[name]


def pages_hold(folder: Folder, records: Records) -> bool:
    """Whether pages can be made: they would lose the card of a broken description whose files still exist."""
    return not any(name in records.manifest.entries for name in folder.broken)


def _write_pages(folder: Folder, records: Records, report: Report, *, force: bool) -> None:
    pages = Pages(folder, records.manifest)
    if records.right(ALL_PAGES, pages.key()):
        return
    for name in PAGES:
        told = digest.of_parts(pages.page(name))
        try:
            if records.on_disk(name) != told:
                if refused := records.refused([name], force=force):
                    report.failed[name] = refused
                    continue
                _write(records, name, pages.page(name))
            records.manifest.pages[name] = told
        except ConvanimError as error:
            report.failed[name] = str(error)
    if not set(PAGES) & set(report.failed):
        records.found_right(ALL_PAGES, pages.key())


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

"""Checks a gallery: finds files that are stale, missing, orphaned or different. Writes only the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from convanim.gallery import digest, pages
from convanim.gallery.builder import orphans, pages_hold
from convanim.gallery.folder import Folder, read_folder
from convanim.gallery.manifest import PAGES, Record
from convanim.gallery.planner import Progress, choose, planned, results
from convanim.gallery.records import Records
from convanim.gallery.runner import leave_if_imported


class Finding(NamedTuple):
    """A difference between a gallery and its descriptions.

    Attributes:
        name: the entry or the page.
        kind: "broken" (the description cannot be read or built, or a file cannot be written), "stale" (the
            description changed after the build, or the manifest is older than the files), "missing", "orphaned",
            "edited by hand", "arithmetic changed", "picture changed", "bytes only".
        told: the files, or the reason.
        files: the files.
    """

    name: str
    kind: str
    told: str
    files: tuple[str, ...] = ()


def check(
    path: str | Path,
    patterns: Sequence[str] = (),
    *,
    executor: Executor | None = None,
    jobs: int | None = None,
    quick: bool = False,
    progress: Progress | None = None,
) -> list[Finding]:
    """Compare a gallery with the files that its descriptions make now.

    Entries that were verified for these descriptions, this program and these files are skipped; all others are rebuilt
    in memory and compared. With `quick` nothing is built, and the manifest is trusted.

    Args:
        path, patterns, executor, jobs, progress: as for `build`.

    Raises:
        ConvanimError: the folder or an entry does not exist.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "small.toml").write_text('layer = "Conv(2)"\\ninput = "3x3"\\nformats = ["txt"]')
        ...     check(folder, ["small"])
        [Finding(name='small', kind='missing', told='small.txt', files=('small.txt',))]
    """
    if executor is None:
        leave_if_imported()
    folder = read_folder(path)
    chosen = choose(folder, patterns)
    records = Records(folder.path)
    plan = planned(folder, records, chosen)
    found = [Finding(name, "broken", told) for name, told in plan.failed.items()]
    if quick:
        for name, description in plan.stale.items():
            found += _believed(name, records, description)
    else:
        with closing(results(folder, records, plan, executor, jobs, progress)) as made:
            for result in made:
                name, new = result.name, result.record
                now = list(_compared(name, records, new)) if new else [Finding(name, "broken", result.error)]
                if new and not now:
                    records.found_right(name, digest.key(folder.entries[name], new.description))
                found += now
    if not patterns:
        found += [Finding(file, "orphaned", "no description makes it", (file,)) for file in orphans(folder, records)]
        if pages_hold(folder, records):
            found += _pages(folder, records)
    records.save_cache()
    return sorted(found)


def _believed(name: str, records: Records, description: str) -> Iterator[Finding]:
    """The findings from digests alone."""
    kept = records.manifest.entries.get(name)
    if kept is None:
        yield Finding(name, "missing", "it was never built")
        return
    if kept.description != description:
        yield Finding(name, "stale", "its description changed")
    yield from _on_disk(name, records, kept)


def _on_disk(name: str, records: Records, made: Record) -> Iterator[Finding]:
    """The differences between an entry's files on disk and their record."""
    here = {file: records.on_disk(file) for file in made.files}
    missing = [file for file, told in here.items() if told is None]
    edited = [file for file, told in here.items() if told not in (None, made.files[file].bytes)]
    edited = [file for file in edited if not records.ours(file)]
    blocked = records.refused([*missing, *edited], force=True)
    if blocked:
        yield Finding(name, "broken", blocked)
        return
    if missing:
        yield Finding(name, "missing", ", ".join(missing), tuple(missing))
    if edited:
        told = "does not match the manifest: it was edited, or the manifest was not committed"
        yield Finding(name, "edited by hand", f"{', '.join(edited)} {told}", tuple(edited))


def _compared(name: str, records: Records, new: Record) -> Iterator[Finding]:
    """The differences between a new record of an entry and its manifest and files."""
    kept = records.manifest.entries.get(name)
    if kept is None or kept == new:
        found = list(_on_disk(name, records, new))
        yield from found
        if kept is None and not found:
            yield Finding(name, "missing", "it is not in the manifest")
        return
    both = [file for file in new.files if file in kept.files]
    others = [file for file, made in new.files.items() if file not in both or kept.files[file].bytes != made.bytes]
    if others and all(records.on_disk(file) == made.bytes for file, made in new.files.items()):
        yield Finding(
            name, "stale", "the manifest is older than its files, which are up to date; build, and commit the manifest"
        )
        return
    if kept.description != new.description:
        yield Finding(name, "stale", "its description changed")
    if set(kept.files) != set(new.files):
        yield Finding(name, "stale", "its files have other names")
    yield from _on_disk(name, records, kept)
    if kept.trace != new.trace:
        yield Finding(name, "arithmetic changed", f"trace {kept.trace[:8]} is now {new.trace[:8]}")
    seen = [file for file in both if kept.files[file].pixels != new.files[file].pixels]
    packed = [file for file in both if file not in seen and file in others]
    then = records.manifest.versions
    now = {name: told for name, told in digest.all_versions().items() if name in then}
    versions = digest.differing(then, now, "now")
    for kind, files in (("picture changed", seen), ("bytes only", packed)):
        if files:
            told = ", ".join(files) + (f" (built with {versions})" if versions else "")
            yield Finding(name, kind, told, tuple(files))
    if (kept.heading, kept.words) != (new.heading, new.words) and not seen:
        yield Finding(name, "stale", "its words changed")
    if not others and any(kept.files[file] != new.files[file] for file in both):
        yield Finding(name, "stale", "the manifest has other sizes for its files")


def _pages(folder: Folder, records: Records) -> Iterator[Finding]:
    if records.pages_right(pages.key(folder, records.manifest)):
        return
    shown = pages.Shown(folder, records.manifest)
    for name in PAGES:
        here = records.on_disk(name)
        if here is None:
            yield Finding(name, "missing", "the page was never built", (name,))
        elif here != digest.of_parts(shown.page(name)):
            kind = "stale" if records.ours(name) else "edited by hand"
            yield Finding(name, kind, "the page is not what the manifest and the descriptions give", (name,))

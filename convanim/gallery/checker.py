"""Checks a gallery: finds files that are stale, missing, orphaned or different. Writes only the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from convanim.gallery import digest
from convanim.gallery.builder import Plan, Progress, choose, orphans, pages_hold
from convanim.gallery.folder import Folder, read_folder
from convanim.gallery.pages import Pages
from convanim.gallery.records import ALL_PAGES, PAGES, Record, Records
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
    plan = Plan.of(folder, records, chosen)
    found = [Finding(name, "broken", told) for name, told in plan.failed.items()]
    if quick:
        for name in plan.stale:
            kept = records.manifest.entries.get(name)
            if kept is None:
                found.append(Finding(name, "missing", "it was never built"))
            else:
                found += _compared(name, records, structs.replace(kept, description=plan.task(name).description))
    else:
        with closing(plan.results(executor, jobs, progress)) as made:
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


def _on_disk(name: str, records: Records, made: Record) -> Iterator[Finding]:
    """The differences between an entry's files on disk and their record."""
    differ = {file: records.on_disk(file) for file, told in made.told().items() if records.on_disk(file) != told}
    missing = tuple(file for file, here in differ.items() if here is None)
    edited = tuple(file for file in differ if not records.ours(file))
    if blocked := records.refused([*missing, *edited], force=True):
        yield Finding(name, "broken", blocked)
        return
    if missing:
        yield Finding(name, "missing", ", ".join(missing), missing)
    if edited:
        told = "does not match the manifest: it was edited, or the manifest was not committed"
        yield Finding(name, "edited by hand", f"{', '.join(edited)} {told}", edited)


def _compared(name: str, records: Records, new: Record) -> Iterator[Finding]:
    """The differences between a new record of an entry and its manifest and files."""
    kept = records.manifest.entries.get(name)
    if kept is None or kept == new:
        found = list(_on_disk(name, records, new))
        yield from found
        if kept is None and not found:
            yield Finding(name, "missing", "it is not in the manifest")
        return

    def stale(told: str) -> Finding:
        return Finding(name, "stale", told)

    both = {file: (kept.files[file], made) for file, made in new.files.items() if file in kept.files}
    changed = [file for file, told in new.told().items() if kept.told().get(file) != told]
    if changed and all(records.on_disk(file) == told for file, told in new.told().items()):
        yield stale("the manifest is older than its files, which are up to date; build, and commit the manifest")
        return
    if kept.description != new.description:
        yield stale("its description changed")
    if set(kept.files) != set(new.files):
        yield stale("its files have other names")
    yield from _on_disk(name, records, kept)
    if kept.trace != new.trace:
        yield Finding(name, "arithmetic changed", f"trace {kept.trace[:8]} is now {new.trace[:8]}")
    seen = tuple(file for file, (then, now) in both.items() if then.pixels != now.pixels)
    packed = tuple(file for file in both if file in changed and file not in seen)
    for kind, files in (("picture changed", seen), ("bytes only", packed)):
        if files:
            before = records.manifest.versions
            versions = digest.differing(before, {n: v for n, v in digest.all_versions().items() if n in before}, "now")
            yield Finding(name, kind, ", ".join(files) + (f" (built with {versions})" if versions else ""), files)
    if (kept.heading, kept.words) != (new.heading, new.words) and not seen:
        yield stale("its words changed")
    if not changed and any(then != now for then, now in both.values()):
        yield stale("the manifest has other sizes for its files")


def _pages(folder: Folder, records: Records) -> Iterator[Finding]:
    pages = Pages(folder, records.manifest)
    if records.right(ALL_PAGES, pages.key()):
        return
    for name in PAGES:
        here = records.on_disk(name)
        if here is None:
            yield Finding(name, "missing", "the page was never built", (name,))
        elif here != digest.of_parts(pages.page(name)):
            kind = "stale" if records.ours(name) else "edited by hand"
            yield Finding(name, kind, "the page is not what the manifest and the descriptions give", (name,))

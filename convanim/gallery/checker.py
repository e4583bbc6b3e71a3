"""Checking a gallery: finds files that are stale, missing, orphaned or different. Writes only the cache.

Knows digests and what their differences mean. Must not know how an entry is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from convanim.gallery import digest, pages
from convanim.gallery.builder import Progress, orphans, pages_hold, record
from convanim.gallery.folder import Folder, read_folder
from convanim.gallery.manifest import Record
from convanim.gallery.mark import marked
from convanim.gallery.planner import choose, key, planned, results
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
    """

    name: str
    kind: str
    told: str


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

    What was found right for these descriptions, this program and these files is not made again; everything else is, in
    memory, and compared. With `quick` nothing is made: the manifest is believed.

    Args:
        path, patterns, executor, jobs, progress: as for `build`.

    Raises:
        ConvanimError: the folder or an entry does not exist.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "small.toml").write_text('layer = "Conv(2)"\\ninput = "3x3"\\nformats = ["txt"]')
        ...     check(folder, ["small"])
        [Finding(name='small', kind='missing', told='small.txt')]
    """
    if executor is None:
        leave_if_imported()
    folder = read_folder(path)
    chosen = choose(folder, patterns)
    records = Records(folder.path)
    plan = planned(folder, records, chosen)
    found = [Finding(name, "broken", told) for name, told in plan.failed.items()]
    if quick:
        for name in plan.stale:
            found += _believed(name, records, digest.of_entry(folder.entries.json(name), folder.files(name)))
    else:
        made = results(folder, records, plan, executor, jobs)
        with closing(made):
            for done, (result, description) in enumerate(made, start=1):
                if progress:
                    progress(done, len(plan.stale))
                name = result.name
                if result.error:
                    found.append(Finding(name, "broken", result.error))
                    continue
                now = list(_compared(name, records, record(result, description)))
                if not now:
                    records.found_right(name, key(folder, name, description))
                found += now
    if not patterns:
        found += [Finding(file, "orphaned", "no description makes it") for file in orphans(folder, records)]
        if pages_hold(folder, records):
            found += _pages(folder, records)
    records.save_cache()
    return sorted(found)


def _believed(name: str, records: Records, description: str) -> Iterator[Finding]:
    """What digests alone tell."""
    kept = records.manifest.entries.get(name)
    if kept is None:
        yield Finding(name, "missing", "it was never built")
        return
    if kept.description != description:
        yield Finding(name, "stale", "its description changed")
    yield from _on_disk(name, records, kept)


def _on_disk(name: str, records: Records, kept: Record) -> Iterator[Finding]:
    here = {file: records.on_disk(file) for file in kept.files}
    missing = [file for file, told in here.items() if told is None]
    edited = [file for file, told in here.items() if told is not None and not records.ours(file)]
    blocked = [told for file in (*missing, *edited) if (told := records.obstacle(file))]
    if blocked:
        yield Finding(name, "broken", blocked[0])
        return
    if missing:
        yield Finding(name, "missing", ", ".join(missing))
    if edited:
        told = "does not match the manifest: it was edited, or the manifest was not committed"
        yield Finding(name, "edited by hand", f"{', '.join(edited)} {told}")


def _unknown(name: str, records: Records, new: Record) -> Iterator[Finding]:
    """How an entry that the manifest does not know differs from what the folder holds."""
    here = {file: records.on_disk(file) for file in new.files}
    others = [file for file, told in here.items() if told not in (None, new.files[file].bytes)]
    lacking = [file for file, told in here.items() if told is None]
    blocked = [told for file in (*lacking, *others) if (told := records.obstacle(file))]
    if blocked:
        yield Finding(name, "broken", blocked[0])
        return
    if others:
        yield Finding(name, "edited by hand", ", ".join(others))
    if lacking or not others:
        yield Finding(name, "missing", ", ".join(lacking) or "it is not in the manifest")


def _compared(name: str, records: Records, new: Record) -> Iterator[Finding]:
    """How an entry differs from what the manifest and the folder hold."""
    kept = records.manifest.entries.get(name)
    if kept is None:
        yield from _unknown(name, records, new)
        return
    if kept == new:
        yield from _on_disk(name, records, kept)
        return
    others = [
        file for file, made in new.files.items() if file not in kept.files or kept.files[file].bytes != made.bytes
    ]
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
    both = [file for file in new.files if file in kept.files]
    seen = [file for file in both if kept.files[file].pixels != new.files[file].pixels]
    packed = [file for file in both if file not in seen and file in others]
    if seen:
        yield Finding(name, "picture changed", ", ".join(seen) + _other_versions(records))
    if packed:
        yield Finding(name, "bytes only", ", ".join(packed) + _other_versions(records))
    if (kept.heading, kept.words) != (new.heading, new.words) and not seen:
        yield Finding(name, "stale", "its words changed")
    if not others and any(kept.files[file] != new.files[file] for file in both):
        yield Finding(name, "stale", "the manifest has other sizes for its files")


def _other_versions(records: Records) -> str:
    """Which versions are others than those that built the gallery."""
    now = digest.versions() | {"freetype": digest.freetype()}
    then = records.manifest.versions
    differ = [f"{name} {then[name]}, now {now[name]}" for name in then if name in now and now[name] != then[name]]
    return f" (built with {'; '.join(differ)})" if differ else ""


def _pages(folder: Folder, records: Records) -> Iterator[Finding]:
    kept = records.manifest.pages
    here = {name: records.on_disk(name) for name in pages.NAMES}
    if records.page_key() == pages.key(folder, records.manifest) and all(here[name] == kept.get(name) for name in here):
        return
    for name, parts in pages.pages(folder, records.manifest):
        if here[name] is None:
            yield Finding(name, "missing", "the page was never built")
        elif here[name] != digest.of_parts(marked(parts)):
            kind = "stale" if records.ours(name) else "edited by hand"
            yield Finding(name, kind, "the page is not what the manifest and the descriptions give")

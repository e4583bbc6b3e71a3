"""Building and checking a gallery: nothing stale is kept, and no edited file is lost, however a build ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec
import pytest

from convanim.errors import ConvanimError
from convanim.gallery import build, check, digest
from convanim.gallery.records import Records
from support.galleries import CONV, TEXT, everything, here, put

#: A process with a limited file size, as on a full disk; -B, since bytecode would be cut off as well, and stay so.
LIMITED = """
import resource, signal, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from convanim.cli.commands import main
main(sys.argv[2:])
"""

#: A build that ends without notice when all files of entries are there.
KILLED = """
import os, sys
from convanim.gallery import builder
builder._prune = lambda *_, **how: os._exit(9)
builder.build(sys.argv[1], jobs=1)
"""


def kinds(folder: Path, *patterns: str, quick: bool = False) -> set[tuple[str, str]]:
    return {(row.name, row.kind) for row in check(folder, patterns, jobs=1, quick=quick)}


def shell(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "convanim", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# What is built.


def test_a_second_build_makes_nothing(tmp_path: Path) -> None:
    put(tmp_path, a=CONV, b=TEXT)
    first = here(tmp_path)
    made = everything(tmp_path)
    second = here(tmp_path)
    assert (first.made, second.made, second.same, second.kept) == (["a", "b"], [], [], ["a", "b"])
    assert everything(tmp_path) == made
    assert set(made) >= {"a.gif", "stills/a.png", "b.txt", "manifest.json", "README.md", "index.html"}
    assert kinds(tmp_path) == kinds(tmp_path, quick=True) == set()


def test_every_way_to_build_gives_the_same_bytes(tmp_path: Path) -> None:
    texts = {"a": CONV, "b": TEXT, "c": CONV + 'theme = "dark"\n'}
    for name, how in (("one", {"jobs": 1}), ("two", {"jobs": 2})):
        build(put(tmp_path / name, **texts), **how)
    with ThreadPoolExecutor(2) as executor:
        build(put(tmp_path / "three", **texts), executor=executor)
        assert executor.submit(int, "1").result() == 1  # a foreign executor is not shut down
    one, two, three = (everything(tmp_path / name) for name in ("one", "two", "three"))
    assert one == two == three


def test_entries_of_vectors_and_of_pictures_are_built_alike(tmp_path: Path) -> None:
    kinds_of_files = '["svg", "png", "apng", "webp"]'
    put(tmp_path, a=CONV + f'select = "last"\nformats = {kinds_of_files}\n', b=CONV + 'formats = ["svg"]\n')
    report = here(tmp_path)
    assert (report.made, report.failed, kinds(tmp_path)) == (["a", "b"], {}, set())
    put(tmp_path, a=CONV + f'select = "last"\nformats = {kinds_of_files}\ntheme = "dark"\n')
    changed = {row.kind: row.files for row in check(tmp_path, jobs=1)}
    assert set(changed["picture changed"]) >= {"a.svg", "a.png", "a.apng", "a.webp"}


def test_without_the_cache_the_same_is_found(tmp_path: Path) -> None:
    here(put(tmp_path, a=CONV))
    made = everything(tmp_path)
    (tmp_path / ".cache.json").write_text("{")
    report = here(tmp_path)
    assert (report.made, report.same, report.kept) == ([], ["a"], [])
    assert everything(tmp_path) == made


def test_a_changed_description_is_stale_until_it_is_built(tmp_path: Path) -> None:
    here(put(tmp_path, a=CONV, b=TEXT))
    put(tmp_path, a=CONV.replace("3x3", "4x4"))
    assert kinds(tmp_path, "a") == {("a", "stale"), ("a", "arithmetic changed"), ("a", "picture changed")}
    assert kinds(tmp_path, "a", quick=True) == {("a", "stale")}
    report = here(tmp_path)
    assert (report.made, report.kept) == (["a"], ["b"])
    assert kinds(tmp_path) == set()


def test_what_it_extends_and_reads_counts_too(tmp_path: Path) -> None:
    put(tmp_path, a='extends = "_base"\ninput = "x.csv"\n', _base='layer = "Conv(2)"\nformats = ["txt"]\n')
    (tmp_path / "x.csv").write_text("1,2\n3,4\n")
    here(tmp_path)
    before = (tmp_path / "a.txt").read_bytes()
    (tmp_path / "x.csv").write_text("1,2\n3,5\n")
    assert here(tmp_path).made == ["a"]
    put(tmp_path, _base='layer = "Conv(2, padding=1)"\nformats = ["txt"]\n')
    assert here(tmp_path).made == ["a"]
    assert (tmp_path / "a.txt").read_bytes() != before


def test_another_program_makes_everything_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here(put(tmp_path, b=TEXT))
    monkeypatch.setattr(digest, "engine", lambda: "another")
    assert here(tmp_path).same == ["b"]
    assert here(tmp_path).kept == ["b"]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ('theme = "dark"\n', "", {"stale", "picture changed"}),
        ('drawn_title = "A"\n', 'drawn_title = "B"\n', {"stale", "picture changed"}),
        ('fill = "ones"\n', "", {"stale", "arithmetic changed", "picture changed"}),
        ('title = "A"\n', 'title = "B"\n', {"stale"}),
    ],
)
def test_it_says_how_an_entry_differs(tmp_path: Path, before: str, after: str, found: set[str]) -> None:
    here(put(tmp_path, a=CONV + before))
    put(tmp_path, a=CONV + after)
    assert {kind for _, kind in kinds(tmp_path, "a")} == found


def test_bytes_that_show_the_same_are_told_as_such(tmp_path: Path) -> None:
    # A file's comment contains the command that made it: another file name changes only the bytes.
    put(tmp_path, a=CONV)
    here(tmp_path)
    put(tmp_path, a=CONV + "seed = 3\n")  # in the comment, but without effect on the picture
    assert {kind for _, kind in kinds(tmp_path, "a")} == {"stale", "bytes only"}


def test_missing_and_orphaned_files(tmp_path: Path) -> None:
    here(put(tmp_path, a=TEXT, b=TEXT))
    (tmp_path / "a.txt").unlink()
    (tmp_path / "b.toml").unlink()
    assert kinds(tmp_path) >= {("a", "missing"), ("b.txt", "orphaned")}
    report = here(tmp_path)
    assert (report.made, report.orphaned) == (["a"], ["b.txt"])
    assert (tmp_path / "b.txt").exists()
    assert here(tmp_path, prune=True).removed == ["b.txt"]
    assert not (tmp_path / "b.txt").exists()
    assert kinds(tmp_path) == set()


def test_a_format_that_is_no_longer_made_is_an_orphan(tmp_path: Path) -> None:
    here(put(tmp_path, a=CONV + 'formats = ["txt", "json"]\n'))
    put(tmp_path, a=TEXT)
    assert here(tmp_path).orphaned == ["a.json"]
    assert here(tmp_path, prune=True).removed == ["a.json"]


@pytest.mark.parametrize("name", ["a.txt", "README.md", "index.html"])
def test_what_was_edited_by_hand_is_not_overwritten(tmp_path: Path, name: str) -> None:
    here(put(tmp_path, a=TEXT))
    (tmp_path / name).write_text("mine")
    assert {kind for _, kind in kinds(tmp_path)} == {"edited by hand"}
    put(tmp_path, a=TEXT + 'title = "Another"\n')
    report = here(tmp_path)
    assert [told for told in report.failed.values() if told.startswith(f"edited by hand: {name}; ")]
    assert (tmp_path / name).read_text() == "mine"
    assert not here(tmp_path, force=True).failed
    assert (tmp_path / name).read_text() != "mine"
    assert kinds(tmp_path) == set()


def test_a_file_of_the_same_name_is_not_taken_for_an_output(tmp_path: Path) -> None:
    put(tmp_path, a=TEXT)
    (tmp_path / "a.txt").write_text("mine")
    assert list(here(tmp_path).failed) == ["a"]
    assert (tmp_path / "a.txt").read_text() == "mine"
    assert ("a", "edited by hand") in kinds(tmp_path)


def test_an_entry_that_fails_stops_no_other(tmp_path: Path) -> None:
    put(tmp_path, a=TEXT, b=TEXT + 'theme = "lihgt"\n', c="layer = 3\n", d=TEXT)
    report = here(tmp_path)
    assert report.made == ["a", "d"]
    assert report.failed["b"].startswith("b.toml line 5: theme 'lihgt' is not known; did you mean light")
    assert report.failed["c"].startswith("c.toml")
    done = shell("gallery", "build", "--folder", tmp_path)
    assert (done.returncode, done.stderr.count("Error: "), "Traceback" in done.stderr) == (1, 2, False)


def test_only_what_a_pattern_names_is_built(tmp_path: Path) -> None:
    put(tmp_path, aa=TEXT, ab=TEXT, b=TEXT)
    assert here(tmp_path, "a*").made == ["aa", "ab"]
    with pytest.raises(ConvanimError, match="there is no entry named 'abb'; did you mean ab"):
        here(tmp_path, "abb")


@pytest.mark.parametrize("jobs", [0, -1, 1000])
def test_a_number_of_jobs_that_makes_no_sense(tmp_path: Path, jobs: int) -> None:
    with pytest.raises(ConvanimError, match="jobs"):
        build(put(tmp_path, a=TEXT), jobs=jobs)


# What can end a build.


@pytest.mark.parametrize("after", [0.0, 0.1, 0.3])
def test_a_build_that_is_killed_leaves_no_doubt(tmp_path: Path, after: float) -> None:
    texts = {f"e{i}": TEXT.replace("3x3", f"3x{i + 3}") for i in range(16)}
    whole = everything_of(put(tmp_path / "whole", **texts))
    folder = put(tmp_path / "killed", **texts)
    command = [sys.executable, "-m", "convanim", "gallery", "build", "--jobs", "1", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (folder / ".journal").exists() and process.poll() is None:
            time.sleep(0.005)
        time.sleep(after)
        process.kill()
    assert not [name for name, data in everything(folder).items() if name.endswith(".txt") and data != whole[name]]
    put(folder, e0=TEXT.replace("3x3", "5x5"))  # and files made in between are stale
    report = here(folder)
    assert not report.failed
    put(folder, **texts)
    assert not here(folder).failed
    assert everything(folder) == whole


def everything_of(folder: Path) -> dict[str, bytes]:
    here(folder)
    return everything(folder)


def test_a_journal_tells_ours_from_edited(tmp_path: Path) -> None:
    here(put(tmp_path, a=TEXT))
    old = everything(tmp_path)
    put(tmp_path, a=TEXT.replace("3x3", "4x4"))
    here(tmp_path)
    record = Records(tmp_path).manifest.entries["a"]
    (tmp_path / "manifest.json").write_bytes(old["manifest.json"])  # killed before it was written
    line = {"name": "a", "record": msgspec.to_builtins(record)}
    (tmp_path / ".journal").write_bytes(msgspec.json.encode(line) + b'\n{"name": "a", "rec')
    put(tmp_path, a=TEXT.replace("3x3", "6x6"))
    assert here(tmp_path).made == ["a"]
    assert not (tmp_path / ".journal").exists()


def test_a_build_that_is_killed_at_its_end_is_as_if_it_had_ended(tmp_path: Path) -> None:
    texts = {"a": TEXT, "b": CONV}
    whole, folder = everything_of(put(tmp_path / "whole", **texts)), put(tmp_path / "killed", **texts)
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert (done.returncode, (folder / ".journal").exists(), (folder / "manifest.json").exists()) == (9, True, False)
    assert here(folder).made == []
    assert everything(folder) == whole


def test_one_build_at_a_time(tmp_path: Path) -> None:
    put(tmp_path, a=TEXT)
    with Records.building(tmp_path), pytest.raises(ConvanimError, match="another build is running"):
        here(tmp_path)
    assert here(tmp_path).made == ["a"]


def test_a_signal_keeps_what_is_done(tmp_path: Path) -> None:
    put(tmp_path, **{f"e{i}": TEXT for i in range(60)})
    command = [sys.executable, "-m", "convanim", "gallery", "build", "--jobs", "1", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while len(list(tmp_path.glob("*.txt"))) < 3 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate()
    assert (process.returncode, b"Traceback" in err) == (143, False)
    done = len(list(tmp_path.glob("*.txt")))
    assert 3 <= done < 60
    assert len(here(tmp_path).kept) >= done - 1


@pytest.mark.parametrize("size", [0, 100, 3000])
def test_a_disk_that_fills_up_loses_nothing(tmp_path: Path, size: int) -> None:
    here(put(tmp_path, a=TEXT, b=CONV))
    before = everything(tmp_path)
    put(tmp_path, a=TEXT.replace("3x3", "5x5"), b=CONV.replace("3x3", "5x5"))
    words = "gallery", "build", "--folder", str(tmp_path), "--jobs", "1"
    command = [sys.executable, "-B", "-c", LIMITED, str(size), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("Error: ")
    after = everything(tmp_path)
    lost = [name for name in before if name not in after or (after[name] != before[name] and not after[name])]
    assert not lost
    assert here(tmp_path).failed == {}
    assert kinds(tmp_path) == set()


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    here(put(tmp_path, a=TEXT))
    if os.geteuid() == 0:  # root may write anywhere: block the journal instead
        (tmp_path / ".journal").mkdir()
    else:
        tmp_path.chmod(0o555)
    try:
        assert kinds(tmp_path) == set()
        with pytest.raises(ConvanimError, match=r"cannot be written to|not a regular file"):
            here(tmp_path)
    finally:
        tmp_path.chmod(0o755)


def test_a_manifest_that_is_broken_is_told(tmp_path: Path) -> None:
    here(put(tmp_path, a=TEXT))
    for wrong in (b"", b"{", b"[]", b'{"kind": "x"}', b'{"version": 99}', b"\xff"):
        (tmp_path / "manifest.json").write_bytes(wrong)
        with pytest.raises(ConvanimError, match="manifest"):
            here(tmp_path)
    told = b'{"entries": {"a": {"description": "", "trace": "", "heading": "", "files": {"../x": %s}}}}'
    (tmp_path / "manifest.json").write_bytes(told % b'{"bytes": "", "pixels": "", "size": 0}')
    with pytest.raises(ConvanimError, match="which is not a file of any entry"):
        here(tmp_path)


# From a shell.


def test_exit_codes_and_the_table(tmp_path: Path) -> None:
    put(tmp_path, a=TEXT)
    missing = shell("gallery", "check", "--folder", tmp_path)
    assert (missing.returncode, missing.stderr) == (1, "")
    assert "a           missing  a.txt\n" in missing.stdout
    built = shell("gallery", "build", "--folder", tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    assert "1 made, 0 unchanged, 0 failed" in built.stdout
    checked = shell("gallery", "check", "--folder", tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert shell("gallery", "check", "--folder", tmp_path / "none").returncode == 2


def test_a_new_entry_can_be_built_at_once(tmp_path: Path) -> None:
    words = ("new", "up", "--from", "ConvTranspose(3, stride=2)", "--input", "3x3", "--folder", tmp_path)
    assert shell(*words).returncode == 0
    assert here(tmp_path).made == ["up"]
    again = shell(*words)
    assert (again.returncode, "already exists" in again.stderr) == (2, True)
    wrong = shell("new", "con", "--from", "Conv(2)", "--folder", tmp_path)
    assert (wrong.returncode, "Windows" in wrong.stderr) == (2, True)
    near = shell("new", "b", "--from", "Cnv(2)", "--folder", tmp_path)
    assert (near.returncode, "Conv" in near.stderr, (tmp_path / "b.toml").exists()) == (2, True, False)


def test_it_watches(tmp_path: Path) -> None:
    put(tmp_path, a=TEXT)
    command = [
        sys.executable,
        "-m",
        "convanim",
        "gallery",
        "build",
        "--watch",
        "--jobs",
        "1",
        "--folder",
        str(tmp_path),
    ]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Ctrl-C also works if the tests run in the background of a shell, which ignores it.
    heard = {} if sys.platform == "win32" else {"preexec_fn": partial(signal.signal, signal.SIGINT, signal.SIG_DFL)}
    with subprocess.Popen(command, **quiet, **heard) as process:  # type: ignore[call-overload]
        assert process.stdout
        late = threading.Timer(60, process.kill)
        late.start()
        assert "1 made" in process.stdout.readline()
        put(tmp_path, b=TEXT)
        assert "1 made, 1 unchanged" in process.stdout.readline()
        put(tmp_path, gallery="title = ")  # half written: reported, and read again when it changes
        assert process.stderr
        assert "gallery.toml is not TOML" in process.stderr.readline()
        put(tmp_path, gallery='title = "Mine"\n')
        assert "0 made, 2 unchanged" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        late.cancel()
    assert (tmp_path / "b.txt").exists()

"""Builds never lose a file, follow a link or a forged manifest, hang, or stop at one entry."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from convanim.errors import ConvanimError
from convanim.gallery import build, check, digest, read_folder
from convanim.gallery.description import Entry
from convanim.gallery.digest import is_marked, marked
from convanim.gallery.folder import Watch
from convanim.gallery.records import Records
from convanim.gallery.work import Task, work
from convanim.page import fonts
from support.galleries import CONV, TEXT, everything, here, put

#: A program without `if __name__ == "__main__"` that builds a gallery with processes.
UNGUARDED = "import sys; from convanim.gallery import build; build(sys.argv[1], jobs=2)\n"

posix = pytest.mark.skipif(os.name != "posix", reason="links and pipes are POSIX's")


def found(folder: Path, *patterns: str, quick: bool = False) -> dict[str, tuple[str, str]]:
    return {row.name: (row.kind, row.told) for row in check(folder, patterns, jobs=1, quick=quick)}


def manifest(folder: Path) -> Any:
    return msgspec.json.decode((folder / "manifest.json").read_bytes())


def forge(folder: Path, told: Any) -> None:
    (folder / "manifest.json").write_bytes(msgspec.json.encode(told))


# Work that could be lost.


def test_a_kill_loses_no_orphan(tmp_path: Path) -> None:
    here(put(tmp_path, a=CONV + 'formats = ["txt", "json"]\n'))
    old = (tmp_path / "manifest.json").read_bytes()
    put(tmp_path, a=CONV.replace("3x3", "4x4") + 'formats = ["txt"]\n')
    here(tmp_path)
    line = {"name": "a", "record": msgspec.to_builtins(Records(tmp_path).manifest.entries["a"])}
    (tmp_path / "manifest.json").write_bytes(old)  # killed once a.txt was there
    (tmp_path / ".journal").write_bytes(msgspec.json.encode(line))
    assert here(tmp_path).orphaned == ["a.json"]
    assert found(tmp_path) == {"a.json": ("orphaned", "no description makes it")}
    assert here(tmp_path, prune=True).removed == ["a.json"]


def test_an_input_is_never_an_output(tmp_path: Path) -> None:
    here(put(tmp_path, pic=CONV + 'formats = ["png"]\nselect = "last"\n', other=TEXT))
    drawn = (tmp_path / "pic.png").read_bytes()
    reads = 'layer = "Conv(2)"\ninput = "pic.png"\nresize = "4x4"\ngrey = true\nwidth = 640\nformats = ["png"]\n'
    put(tmp_path, pic=reads)
    report = here(tmp_path, force=True)
    assert report.failed == {
        "pic": "pic.toml: its file pic.png is also its input; give it another stem, or rename the input."
    }
    put(tmp_path, pic=CONV + 'formats = ["png"]\n', b=reads.replace('"png"', '"txt"'))
    assert "its file pic.png is also b.toml's input" in here(tmp_path, force=True).failed["pic"]
    (tmp_path / "pic.toml").unlink()  # then it is no output, but still an input
    assert here(tmp_path, prune=True).removed == []
    assert (tmp_path / "pic.png").read_bytes() == drawn


@posix
def test_an_input_that_is_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "x.png").symlink_to("pic.png")
    put(tmp_path, a='layer = "Conv(2)"\ninput = "x.png"\nformats = ["txt"]\n', pic=CONV + 'formats = ["png"]\n')
    assert "its file pic.png is also a.toml's input" in read_folder(tmp_path).broken["pic"]


NO_OUTPUTS = ("a.toml", "A.TOML", "manifest.json", "", "x\0.txt", "a\n.txt", "x/a.txt", "stills/x/a.png", "README.md")
NO_OUTPUTS += ("/a.txt", "stills/../a.toml", "stills\\a.png", ".git", ".cache.json", "gallery.toml", "aux.txt")


@pytest.mark.parametrize("name", NO_OUTPUTS)
def test_a_manifest_cannot_name_what_no_entry_makes(tmp_path: Path, name: str) -> None:
    here(put(tmp_path, a=TEXT))
    told = manifest(tmp_path)
    for forged in (
        told | {"orphans": {name: digest.of_bytes(TEXT.encode())}},
        told | {"entries": {"a": told["entries"]["a"] | {"files": {name: told["entries"]["a"]["files"]["a.txt"]}}}},
        told | {"pages": {name: ""}} if name != "README.md" else told | {"orphans": {name: ""}},
    ):
        forge(tmp_path, forged)
        for ask in (lambda: here(tmp_path, prune=True), lambda: check(tmp_path)):
            with pytest.raises(ConvanimError, match="which is not a file of any entry"):
                ask()
    assert (tmp_path / "a.toml").read_text() == TEXT


@posix
@pytest.mark.parametrize("force", [False, True])
def test_no_output_leaves_the_folder_through_a_link(tmp_path: Path, force: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder = put(tmp_path / "g", a=CONV, c=TEXT, d=TEXT, e=TEXT)
    (elsewhere / "d.txt").write_text("theirs")
    (folder / "c.txt").symlink_to(elsewhere / "c.txt")
    (folder / "d.txt").symlink_to(elsewhere / "d.txt")
    (folder / "README.md").symlink_to(elsewhere / "README.md")
    (folder / "stills").symlink_to(elsewhere)
    report = here(folder, force=force)
    assert report.made == ["e"]
    assert report.failed == {
        "a": "stills is a link; move it elsewhere.",
        "c": "c.txt is a link; move it elsewhere.",
        "d": "d.txt is a link; move it elsewhere.",
        "README.md": "README.md is a link; move it elsewhere.",
    }
    assert everything(elsewhere) == {"d.txt": b"theirs"}
    assert found(folder, "c") == {"c": ("broken", report.failed["c"])}


@posix
def test_nothing_is_removed_through_a_link(tmp_path: Path) -> None:
    here(put(tmp_path / "g", a=CONV, b=TEXT))
    (tmp_path / "g" / "stills").rename(tmp_path / "theirs")
    (tmp_path / "g" / "stills").symlink_to(tmp_path / "theirs")
    (tmp_path / "g" / "a.toml").unlink()
    report = here(tmp_path / "g", prune=True)
    assert (report.removed, list(report.failed)) == (["a.gif"], ["stills/a.png"])
    assert (tmp_path / "theirs" / "a.png").exists()


# Entries that could stop others.


@pytest.mark.parametrize(
    "line",
    [
        "kernel = [[1979-05-27]]",
        "kernel = [[07:32:00]]",
        f"kernel = [[0x{'f' * 5000}]]",
        f"seed = 0x{'f' * 5000}",
        "kernel = [[{a = 1979-05-27}]]",
    ],
)
def test_values_that_json_does_not_know(tmp_path: Path, line: str) -> None:
    report = here(put(tmp_path, a=TEXT + line + "\n", b=TEXT))
    assert (report.made, list(report.failed)) == (["b"], ["a"])
    assert report.failed["a"].startswith("a.toml")
    assert len(report.failed["a"]) < 500
    assert "this is a fault of convanim" not in report.failed["a"]


@pytest.mark.parametrize("force", [False, True])
def test_an_output_whose_place_is_taken(tmp_path: Path, force: bool) -> None:
    put(tmp_path, a=CONV, c=TEXT, d=TEXT)
    (tmp_path / "c.txt").mkdir()
    (tmp_path / "stills").write_text("mine")
    report = here(tmp_path, force=force)
    assert report.made == ["d"]
    assert report.failed == {
        "a": "stills is no folder; move it elsewhere.",
        "c": "c.txt is a folder; move it elsewhere.",
    }
    assert found(tmp_path) == {name: ("broken", told) for name, told in report.failed.items()}
    (tmp_path / "c.txt").rmdir()
    (tmp_path / "stills").unlink()
    here(tmp_path)
    (tmp_path / "c.txt").unlink()
    (tmp_path / "c.txt").mkdir()
    assert found(tmp_path) == found(tmp_path, quick=True) == {"c": ("broken", report.failed["c"])}


def test_what_extends_much_is_put_together_once(tmp_path: Path) -> None:
    many = {f"_n{i:02}": f'extends = ["_n{i + 1:02}", "_n{i + 1:02}", "_n{i + 1:02}"]\n' for i in range(17)}
    put(tmp_path, a='extends = "_n00"\n', _n17=TEXT, **many)
    assert read_folder(tmp_path).entries["a"].width == 640


def test_how_deep_entries_extend_does_not_hang_on_their_order(tmp_path: Path) -> None:
    many = {f"n{i:02}": f'extends = "n{i + 1:02}"\n' for i in range(25)} | {"n25": TEXT}
    up = read_folder(put(tmp_path / "up", **many)).broken
    down = {f"n{25 - int(name[1:]):02}": text for name, text in many.items()}
    down = {name: text if text == TEXT else f'extends = "n{int(name[1:]) - 1:02}"\n' for name, text in down.items()}
    assert "more than 20 entries extend one another" in up["n00"]
    assert (
        len([told for told in read_folder(put(tmp_path / "down", **down)).broken.values() if "more than" in told]) == 5
    )


@posix
@pytest.mark.parametrize("place", ["b.toml", "x.csv", "b.txt"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, place: str) -> None:
    put(tmp_path, a=TEXT, b=TEXT if place != "x.csv" else 'layer = "Conv(2)"\ninput = "x.csv"\nformats = ["txt"]\n')
    (tmp_path / place).unlink(missing_ok=True)
    os.mkfifo(tmp_path / place)
    command = [sys.executable, "-m", "convanim", "gallery", "build", "--jobs", "1", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "is no" in done.stderr
    assert (tmp_path / "a.txt").exists()


def test_files_of_editors_are_no_descriptions(tmp_path: Path) -> None:
    put(tmp_path, a=TEXT, **{".#a": "half", "._a": "\0"})
    folder = read_folder(tmp_path)
    assert (list(folder.entries), folder.broken) == (["a"], {})


# Other files that are read and watched.


def templates(folder: Path) -> Path:
    (folder / "look").mkdir()
    (folder / "look" / "own.toml").write_text('extends = "near.toml"\n')
    (folder / "look" / "near.toml").write_text("[page]\nwidth = 500\n")
    (folder / "g.csv").write_text("1,2\n3,4\n")
    text = CONV.replace("width = 640\n", "") + 'formats = ["png"]\ntemplate = "look/own.toml"\n'
    put(folder, a=text, b=TEXT + 'backward = true\ngrad = "g.csv"\n', gallery="")
    return folder


def test_what_a_template_extends_goes_with_it(tmp_path: Path) -> None:
    templates(tmp_path)
    report = here(tmp_path)
    assert (report.made, report.failed) == (["a", "b"], {})
    assert manifest(tmp_path)["entries"]["a"]["files"]["a.png"]["width"] == 500
    (tmp_path / "look" / "near.toml").write_text("[page]\nwidth = 520\n")
    assert found(tmp_path, "a")["a"][0] in ("stale", "picture changed")
    assert here(tmp_path).made == ["a"]
    assert manifest(tmp_path)["entries"]["a"]["files"]["a.png"]["width"] == 520
    assert set(read_folder(tmp_path).files("a")) == {"look/own.toml", "look/near.toml"}


def test_a_template_leads_to_no_file_elsewhere(tmp_path: Path) -> None:
    put(tmp_path, near="[page]\nwidth = 500\n")
    folder = put(tmp_path / "g", own='extends = "../near.toml"\n')
    (folder / "own.toml").rename(folder / "_own.toml")
    put(folder, a=TEXT + 'template = "_own.toml"\n')
    described = read_folder(folder)
    assert set(described.files("a")) == {"_own.toml"}
    assert "is not in the folder" in here(folder).failed["a"]


def test_everything_that_is_read_is_watched(tmp_path: Path) -> None:
    watch = Watch(templates(tmp_path))
    for name in ("look/own.toml", "look/near.toml", "g.csv", "gallery.toml"):
        path = tmp_path / name
        path.write_text(path.read_text() + "\n")
        assert (name, watch.changed(), watch.changed()) == (name, True, False)


def test_the_fonts_of_a_language_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.ttf").write_bytes(b"one")
    monkeypatch.setattr(fonts, "candidates", lambda *_: iter([(tmp_path / "a.ttf", None)]))
    digest._fonts.cache_clear()
    options = ({}, {"lang": "ja"}, {"drawn_title": "卷积"})
    entries = [Entry(layer="Conv(2)", input="3x3", **option) for option in options]
    before = [digest.key(entry, "") for entry in entries]
    (tmp_path / "a.ttf").write_bytes(b"another")
    digest._fonts.cache_clear()
    assert [digest.key(entry, "") == key for entry, key in zip(entries, before, strict=True)] == [True, False, False]
    digest._fonts.cache_clear()


# Findings of a check.


def test_a_manifest_that_was_forgotten(tmp_path: Path) -> None:
    here(put(tmp_path, a=CONV))
    old = (tmp_path / "manifest.json").read_bytes()
    put(tmp_path, a=CONV.replace("3x3", "4x4"))
    here(tmp_path)
    (tmp_path / "manifest.json").write_bytes(old)  # outputs committed, and the manifest not
    (tmp_path / ".cache.json").unlink()
    told = "the manifest is older than its files, which are up to date; build, and commit the manifest"
    assert found(tmp_path, "a") == {"a": ("stale", told)}


def test_an_output_that_was_forgotten(tmp_path: Path) -> None:
    here(put(tmp_path, a=TEXT))
    old = (tmp_path / "a.txt").read_bytes()
    put(tmp_path, a=TEXT.replace("3x3", "4x4"))
    here(tmp_path)
    (tmp_path / "a.txt").write_bytes(old)
    told = "a.txt does not match the manifest: it was edited, or the manifest was not committed"
    assert found(tmp_path, "a") == found(tmp_path, "a", quick=True) == {"a": ("edited by hand", told)}


def test_a_manifest_that_is_edited_after_a_check(tmp_path: Path) -> None:
    here(put(tmp_path, a=CONV))
    assert found(tmp_path) == {}
    whole = manifest(tmp_path)
    for key, value in (("trace", "0" * 32), ("heading", "Mine")):
        told = msgspec.json.decode(msgspec.json.encode(whole))
        told["entries"]["a"][key] = value
        forge(tmp_path, told)
        assert "a" in found(tmp_path), key
    told = msgspec.json.decode(msgspec.json.encode(whole))
    told["entries"]["a"]["files"]["a.gif"]["seconds"] = 99.0
    forge(tmp_path, told)
    assert found(tmp_path, "a") == {"a": ("stale", "the manifest has other sizes for its files")}


def test_a_conflict_in_the_manifest_is_told(tmp_path: Path) -> None:
    here(put(tmp_path, a=TEXT))
    text = (tmp_path / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace(' "kind"', '<<<<<<< HEAD\n=======\n>>>>>>> b\n "kind"'))
    with pytest.raises(ConvanimError, match=r"line \d+ begins an unresolved merge conflict.*git checkout --ours"):
        check(tmp_path)


def test_a_page_of_another_branch_is_ours(tmp_path: Path) -> None:
    here(put(tmp_path / "theirs", a=TEXT, b=TEXT))
    folder = put(tmp_path / "ours", a=TEXT)
    here(folder)
    for name in ("README.md", "index.html"):  # one side of a merge, also with line ends of Windows
        text = (tmp_path / "theirs" / name).read_bytes()
        (folder / name).write_bytes(text if name == "README.md" else text.replace(b"\n", b"\r\n"))
    assert {kind for kind, _ in found(folder).values()} == {"stale"}
    put(folder, b=TEXT)
    assert here(folder).failed == {}
    assert (folder / "README.md").read_bytes() == (tmp_path / "theirs" / "README.md").read_bytes()
    (folder / "README.md").write_bytes(text.replace(b"a", b"b", 1))
    assert list(here(folder).failed) == ["README.md"]


def test_a_mark_holds_for_every_byte() -> None:
    page = b"".join(marked([b"one\n", b"two\n"]))
    assert is_marked(page)
    for i, byte in enumerate(page):
        assert not is_marked(page[:i] + bytes([byte ^ 1]) + page[i + 1 :])
    assert not is_marked(page + b"more")


def test_a_typing_error_takes_no_card_away(tmp_path: Path) -> None:
    here(put(tmp_path, a=TEXT + 'title = "First"\n', b=TEXT))
    page = (tmp_path / "README.md").read_bytes()
    put(tmp_path, a="layer = ", b=TEXT + 'title = "Second"\n', c="layer = ")
    assert list(here(tmp_path).failed) == ["a", "c"]
    assert (tmp_path / "README.md").read_bytes() == page
    assert {name: kind for name, (kind, _) in found(tmp_path).items()} == {"a": "broken", "c": "broken"}
    put(tmp_path, a=TEXT + 'title = "First"\n')  # c was never built: it has no card to lose
    here(tmp_path)
    assert b"Second" in (tmp_path / "README.md").read_bytes()


# Messages.


def test_a_mistake_is_told_where_it_stands(tmp_path: Path) -> None:
    put(tmp_path, gallery='title = "x"\n\n[defaults]\nwidth = "wide"\n')
    put(tmp_path, a=TEXT.replace("width = 640\n", ""), _b='layer = "Conv(2)"\n\nview = "slidng"\n')
    put(
        tmp_path,
        b='extends = "_b"\ninput = "3x3"\nwidth = 640\n',
        c='extends = "_c"\ninput = "3x3"\n',
        _c="widht = 1\n",
    )
    put(tmp_path, d='extends = "_d"\n', _d="layer = ")
    failed = here(tmp_path).failed
    assert failed["a"].startswith("gallery.toml line 4: width needs int, got str")
    assert failed["b"].startswith("_b.toml line 3: view 'slidng' is not known")
    assert failed["c"].startswith("_c.toml line 1: 'widht' is not a key")
    assert failed["d"] == "d.toml line 1: extends '_d', which cannot be read; correct _d.toml."
    assert failed["_d"].startswith("_d.toml is not TOML")


def test_one_mistake_is_told_once(tmp_path: Path) -> None:
    put(tmp_path, _b="widht = 1\n", **dict.fromkeys("acd", 'extends = "_b"\n'))
    command = [sys.executable, "-m", "convanim", "gallery", "build", "--jobs", "1", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stderr.count("Error: "), "3 failed" in done.stdout) == (1, True)


def test_a_path_may_stand_for_an_entry(tmp_path: Path) -> None:
    put(tmp_path, a=TEXT, b=TEXT, _c=TEXT, gallery="")
    assert here(tmp_path, f"{tmp_path}/a.toml").made == ["a"]
    assert here(tmp_path, *map(str, sorted(tmp_path.glob("*.toml")))).made == ["b"]
    for wrong in (f"{tmp_path}/none.toml", f"{tmp_path.parent}/a.toml", "x/a.toml"):
        with pytest.raises(ConvanimError, match="there is no entry named"):
            here(tmp_path, wrong)


def test_a_program_that_does_not_guard_its_beginning_is_told_in_few_lines(tmp_path: Path) -> None:
    (tmp_path / "unguarded.py").write_text(UNGUARDED)
    put(tmp_path / "g", **{f"e{i}": TEXT for i in range(3)})
    command = [sys.executable, str(tmp_path / "unguarded.py"), str(tmp_path / "g")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    # Python's fork server may add a traceback of its own if it is slow to start.
    assert done.stderr.count("convanim.errors.ConvanimError: ") == 1
    assert "freeze_support" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("convanim.errors.ConvanimError: the worker processes cannot")


def test_workers_leave_no_folder_behind(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = tmp_path_factory.mktemp("w")  # workers have a socket there, whose path is limited
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    folder = templates(put(tmp_path / "g"))

    def progress(done: int, total: int) -> None:
        assert list(short.glob("convanim*"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(folder, jobs=2, progress=progress)
    assert not list(short.glob("convanim*"))
    here(folder)
    assert not list(short.glob("convanim*"))


def test_most_entries_need_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    entry = read_folder(put(tmp_path, a=TEXT)).entries["a"]
    assert not work(Task("a", entry, {})).error

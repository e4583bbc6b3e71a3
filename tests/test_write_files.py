"""Files that are written: their mode, links, several writers at once, signals, and what killed ones leave."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from convanim.errors import ConvanimError
from convanim.gallery import build, check
from convanim.write import files
from convanim.write.files import whole_file, whole_series
from support.galleries import TEXT, put

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes, links and locks are POSIX's")


def write(path: Path, **how: bool) -> None:
    with whole_file(path, **how) as file:
        file.write(b"new")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("own", [0o600, 0o640, 0o444, 0o755])
def test_a_file_keeps_its_mode(own: int, tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(b"old")
    path.chmod(own)
    write(path)
    assert (path.read_bytes(), mode(path)) == (b"new", own)
    with whole_series(tmp_path / "f%d.png") as new, new(1) as file:
        file.write(b"old")
    (tmp_path / "f1.png").chmod(own)
    with whole_series(tmp_path / "f%d.png") as new, new(1) as file:
        file.write(b"new")
    assert mode(tmp_path / "f1.png") == own


def test_a_new_file_has_what_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "a.gif")
        write(tmp_path / "b.gif", new=True)
    finally:
        os.umask(before)
    assert mode(tmp_path / "a.gif") == mode(tmp_path / "b.gif") == 0o640


def test_a_link_is_not_followed_where_that_is_not_wanted(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_bytes(b"theirs")
    (tmp_path / "a.gif").symlink_to("theirs")
    with pytest.raises(ConvanimError, match="is a link"):
        write(tmp_path / "a.gif", follow=False)
    assert (tmp_path / "theirs").read_bytes() == b"theirs"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConvanimError, match="not a regular file"):
        write(tmp_path / "pipe", follow=False)


def test_of_two_new_files_at_once_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"

    def second() -> None:
        with whole_file(path, new=True) as file:
            file.write(b"second")
            write(path, new=True)

    with pytest.raises(ConvanimError, match="already exists; use another name"):
        second()
    assert path.read_bytes() == b"new"


def test_two_new_entries_at_once(tmp_path: Path) -> None:
    """Of several programs that begin the same entry one wins, and the others say so."""
    command = [
        sys.executable,
        "-m",
        "convanim",
        "new",
        "up",
        "--folder",
        str(tmp_path / "g"),
        "--input",
        "3x3",
        "--from",
    ]
    started = [
        subprocess.Popen([*command, f"Conv({n})"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for n in (1, 2, 3)
    ]
    said = [process.communicate(timeout=100) for process in started]
    codes = [process.returncode for process in started]
    assert sorted(codes) == [0, 2, 2], said
    winner = codes.index(0) + 1
    assert f"Conv({winner})" in (tmp_path / "g" / "up.toml").read_text()
    assert all("already exists" in err for code, (_, err) in zip(codes, said, strict=True) if code)


LEFT = """
import os, sys
from pathlib import Path
from convanim.write.files import whole_file
with whole_file(Path(sys.argv[1])) as file:
    file.write(b"half")
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_writer_leaves_is_removed_and_what_one_at_work_has_is_not(tmp_path: Path) -> None:
    killed, working = (
        subprocess.Popen(
            [sys.executable, "-c", LEFT, str(tmp_path / name)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in ("a", "b")
    )  # fmt: skip
    for process in (killed, working):
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    assert len(list(tmp_path.glob(".convanim.*.part"))) == 2
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    (tmp_path / ".convanim.mine.txt").write_text("another file")
    files._sweep.cache_clear()
    write(tmp_path / "c")
    assert len(list(tmp_path.glob(".convanim.*.part"))) == 1
    working.communicate("")
    assert (working.returncode, (tmp_path / "b").read_bytes()) == (0, b"half")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".convanim.mine.txt", "b", "c"]
    killed.communicate()


@pytest.mark.parametrize("name", [".cache.json", ".journal", "manifest.json", "README.md", "index.html", "a.txt"])
@pytest.mark.parametrize("there", [True, False])
def test_a_gallery_writes_through_no_link(name: str, there: bool, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    folder = put(tmp_path / "g", a=TEXT, b=TEXT)
    if there:
        theirs.write_text("theirs")
    (folder / name).symlink_to(theirs)
    if name.startswith((".", "manifest")):
        with pytest.raises(ConvanimError, match=f"{name} is a link, or not a regular file; remove it"):
            build(folder, jobs=1, force=True, prune=True)
    else:
        assert list(build(folder, jobs=1, force=True, prune=True).failed.values()) == [
            f"{name} is a link; move it elsewhere."
        ]
    with suppress(ConvanimError):
        check(folder, jobs=1)
    assert theirs.exists() == there
    assert not there or theirs.read_text() == "theirs"
    assert (folder / name).is_symlink()


def test_a_description_is_not_read_from_elsewhere(tmp_path: Path) -> None:
    folder = put(tmp_path / "g", a=TEXT)
    (tmp_path / "b.toml").write_text(TEXT)
    (folder / "b.toml").symlink_to(tmp_path / "b.toml")
    (folder / "c.toml").symlink_to("a.toml")
    report = build(folder, jobs=1)
    assert report.made == ["a", "c"]
    assert report.failed == {"b": "b.toml is a link that leaves its folder; replace the link by the file."}


def test_a_template_without_a_suffix_is_a_file_like_others(tmp_path: Path) -> None:
    folder = put(tmp_path / "g")
    (tmp_path / "look").write_text("[page]\nwidth = 500\n")
    (folder / "looks").mkdir()
    (folder / "looks" / "own").write_text('theme = "./dusk"\n[page]\nwidth = 500\n')
    light = (Path(__file__).parent.parent / "templates" / "themes" / "light.toml").read_text()
    (folder / "looks" / "dusk").write_text(light)
    put(folder, a=TEXT + 'template = "../look"\n', b=TEXT + f'template = "{tmp_path}/look"\n')
    put(folder, c=TEXT.replace('"txt"', '"png"').replace("width = 640\n", "") + 'template = "looks/own"\n')
    report = build(folder, jobs=1)
    assert report.made == ["c"]
    assert all("lies outside" in report.failed[name] for name in "ab")
    assert check(folder, ["c"], jobs=1) == []
    for name, text in (("own", "[page]\nwidth = 520\n"), ("own", 'theme = "./dusk"\n'), ("dusk", f"{light}\n# other")):
        (folder / "looks" / name).write_text(text)
        assert check(folder, ["c"], jobs=1), name
        assert build(folder, ["c"], jobs=1).kept == []


def test_a_template_lends_no_link_out_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.toml").write_text("[page]\nwidth = 500\n")
    folder = put(tmp_path / "g", a=TEXT + 'template = "looks/own.toml"\n')
    (folder / "looks").mkdir()
    (folder / "looks" / "own.toml").write_text('extends = "near.toml"\n')
    (folder / "looks" / "near.toml").symlink_to(tmp_path / "secret.toml")
    assert list(build(folder, jobs=1).failed) == ["a"]


LINKS = {
    "javascript:alert(1)": False,
    "JavaScript:alert(1)": False,
    " javascript:alert(1)": False,
    "java\\nscript:alert(1)": False,
    "\\u0001javascript:alert(1)": False,
    "data:text/html,x": False,
    "vbscript:x": False,
    "file:///etc/passwd": False,
    "https://example.org/a?b=c:d#e": True,
    "HTTP://example.org": True,
    "mailto:a@example.org": True,
    "../README.md": True,
    "a/b:c.html": True,
    "?q=a:b": True,
    "z) <img src=x onerror=alert(1)> (": True,
}


@pytest.mark.parametrize("address", LINKS)
def test_links_lead_to_pages_only(address: str, tmp_path: Path) -> None:
    folder = put(tmp_path, a=TEXT, gallery=f'title = "x"\nlinks = {{ "Further" = "{address}" }}\n')
    if not LINKS[address]:
        with pytest.raises(
            ConvanimError, match=r"gallery\.toml line 2: .* does not begin with https:; write an address"
        ):
            build(folder, jobs=1)
        return
    build(folder, jobs=1)
    readme, page = ((folder / name).read_text() for name in ("README.md", "index.html"))
    target = readme.partition("[Further](")[2].partition(")")[0]
    assert target
    assert not set(target) & set(" <>()\"'\\`")
    assert "<img src=x" not in readme + page


#: What a pool does whose parent stops listening while its workers hand over results that fill any pipe.
HANDED_OVER = """
import time
from convanim.gallery import runner
from convanim.gallery.work import Result, Task
def large(task):
    return Result(task.name, error="x" * 40_000_000)
runner.work = large
if __name__ == "__main__":
    for wait in (0.01, 0.03, 0.05):
        found = runner.run((Task(str(n), None, {}) for n in range(8)), lambda: runner.Processes(2), 8, own=True)
        next(found)
        time.sleep(wait)
        found.close()
"""


def test_workers_may_be_ended_in_the_middle_of_a_result(tmp_path: Path) -> None:
    (tmp_path / "large.py").write_text(HANDED_OVER)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "large.py")], capture_output=True, text=True, check=False, timeout=100,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("wait", [0.3, 0.6, 1.0, 1.5])
def test_a_signal_to_end_leaves_nothing(wait: float, tmp_path: Path) -> None:
    command = ["conv", "--input", "20x20", "--kernel", "3", "--motion", "smooth", "--select", "all", "-o", "o.gif"]
    with subprocess.Popen(
        [sys.executable, "-m", "convanim", *command], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
    ) as process:  # fmt: skip
        time.sleep(wait)
        process.send_signal(signal.SIGTERM)
        told = process.communicate(timeout=60)[1]
    assert process.returncode in (143, -signal.SIGTERM)  # the latter before a command runs
    assert told == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["settings", "broken", "pipe"])
@pytest.mark.parametrize("many", [False, True])
def test_a_matplotlibrc_of_the_current_folder_is_passed_over(kind: str, many: bool, tmp_path: Path) -> None:
    if kind == "pipe":
        os.mkfifo(tmp_path / "matplotlibrc")
    else:
        told = b"no.such.key: 1\ntext.hinting: none\n" if kind == "settings" else b"\xff\xfe"
        (tmp_path / "matplotlibrc").write_bytes(told)
    put(tmp_path / "gallery", a=TEXT.replace("txt", "png"), b=TEXT.replace("txt", "png"))
    export = ["conv", "--input", "3x3", "--kernel", "2", "--select", "last", "--quiet", "-o", "o.png"]
    command = ["gallery", "build", "--jobs", "2", "--quiet"] if many else export
    done = subprocess.run(
        [sys.executable, "-m", "convanim", *command], cwd=tmp_path, capture_output=True, text=True, check=False,
        timeout=60, env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / ("gallery/a.png" if many else "o.png")).exists()


def test_the_settings_of_somebody_elses_program_are_theirs(tmp_path: Path) -> None:
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 7\n")
    code = "import convanim as ca; ca.Conv(2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]).animate().pixels(0)\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}import matplotlib as m; print(m.rcParams['lines.linewidth'])"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("7.0\n", "")

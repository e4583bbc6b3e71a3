"""Messages and exit codes, for all kinds of streams and interruptions."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from convanim.cli.commands import main
from convanim.cli.shell import PLAIN
from convanim.errors import ConvanimError, readable
from support.commands import run

CONV = ["conv", "--input", "3x3", "--kernel", "2"]
POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files and signals")
PRINTED = {
    "explain": ["explain", *CONV],
    "describe": ["describe", *CONV],
    "japanese": ["describe", *CONV, "--lang", "ja"],
    "compare": ["compare", "Conv(2)", "Conv(2, padding='same')", "--input", "4x4"],
    "solve": ["solve", "--input", "7x7", "--output", "14x14"],
    "help": ["conv", "--help"],
    "save": [*CONV, "--title", "→", "-o", "×.txt"],
    "new": ["new", "up", "--from", "Conv(2)", "--folder", "×"],
    "refused": [*CONV, "--theme", "×\udc80", "-o", "×.txt"],
    "unknown": [*CONV, "--pädding", "1"],
}


def ran(*words: str, start: tuple[str, ...] = ("-m", "convanim"), **how: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, *start, *words], capture_output=True, check=False, **how)


def environment(**more: str) -> dict[str, str]:
    """An environment in which only these variables determine the encoding of streams."""
    chosen = ("PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL", "LANG", "LC_CTYPE")
    return {name: value for name, value in os.environ.items() if name not in chosen} | more


def printed(monkeypatch: pytest.MonkeyPatch, encoding: str, *words: str) -> tuple[int, str, str]:
    """Run in this process with streams as Python opens them for an encoding, in which the output must be possible."""
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    streams = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    with pytest.raises(SystemExit) as stop:
        main(list(words))
    # click treats ASCII as unset, and writes UTF-8.
    taken = "utf-8" if encoding == "ascii" else encoding
    out, err = (stream.buffer.getvalue().decode(taken) for stream in streams)  # type: ignore[attr-defined]
    return int(stop.value.code or 0), out, err


# What is printed, in any encoding.


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "cp437", "cp932", "ascii", "utf-8"])
@pytest.mark.parametrize("what", PRINTED)
def test_every_encoding_takes_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, encoding: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = printed(monkeypatch, encoding, *PRINTED[what])
    assert (code, bool(out), bool(err)) == ((2, False, True) if what in ("refused", "unknown") else (0, True, False))


def test_what_a_code_page_lacks_is_said_in_plain_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    told = printed(monkeypatch, "cp1252", "explain", *CONV)[1]
    assert "3×3 -> 2×2" in told
    assert "o = floor((i + p + p' - d(k - 1) - 1) / s) + 1" in told
    in_full = printed(monkeypatch, "utf-8", "explain", *CONV)[1]
    for char, plain in PLAIN.items():
        in_full = in_full if char.encode("cp1252", "ignore") else in_full.replace(char, plain)
    assert told == in_full


@pytest.mark.parametrize("variables", [{}, {"PYTHONIOENCODING": ":strict"}])
def test_a_pipe_without_an_encoding_of_its_own_gets_utf_8(variables: dict[str, str]) -> None:
    # With Windows' regional code pages Python selects cp1252 there, and ASCII in this locale.
    plain = environment(LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0", **variables)
    assert "3×3 → 2×2" in ran("explain", *CONV, env=plain).stdout.decode("utf-8")


@POSIX
@pytest.mark.parametrize("words", ["explain", "help"])
@pytest.mark.parametrize(("stream", "why"), [(">/dev/full", "no space left"), (">&-", "bad file descriptor")])
def test_words_that_reach_nobody_are_a_failure(words: str, stream: str, why: str) -> None:
    done = ran(sys.executable, "-m", "convanim", *PRINTED[words], start=("-c", OPENED, stream))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"Error: standard output cannot be written: {why}")
    assert done.stderr.count(b"\n") == 1


#: Runs a command with its standard output redirected by a shell to `>/dev/full` or `>&-`.
OPENED = """
import os, sys
target, *command = sys.argv[1:]
os.dup2(os.open("/dev/full", os.O_WRONLY), 1) if "full" in target else os.close(1)
os.execv(command[0], command)
"""


@POSIX
def test_a_reader_that_leaves_early_is_no_news() -> None:
    command = [sys.executable, "-m", "convanim", "describe", "conv", "--input", "30x30", "--kernel", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


# Messages that repeat the input.


@pytest.mark.parametrize("value", ["x" * 5000, "\x1b[31m\x07", "\n\r\x85\u2028", "\u202e\u200b", "a " * 5000])
@pytest.mark.parametrize(
    "option",
    [
        "--input",
        "--stride",
        "--bias",
        "--padding",
        "--fill",
        "--theme",
        "--view",
        "--select",
        "--title",
        "-o",
        "--made-up",
    ],
)
def test_a_wrong_value_is_said_on_one_short_line(tmp_path: Path, option: str, value: str) -> None:
    done = run(*CONV, "-o", tmp_path / "a.gif", option, value if option != "-o" else f"{tmp_path}/no/{value}")
    if done.code == 0:  # any title that fits on the page is valid
        return
    assert done.code == 2
    assert len(done.err) < 600
    assert done.err.endswith("\n")
    assert done.err[:-1].isprintable()
    assert list(tmp_path.iterdir()) == []


def test_a_long_layer_is_said_in_short() -> None:
    code, _, err = run("layer", f"Conv({'9' * 5000})", "--input", "3x3", "-o", "a.gif")
    assert (code, len(err) < 400) == (2, True)
    code, _, err = run("gallery", "build", "--folder", "x" * 5000)
    assert (code, len(err) < 400) == (2, True)


def test_the_reason_behind_a_long_value_is_kept() -> None:
    error = ConvanimError(f"stride {'9' * 5000} is too large", f"use {'1' * 5000}")
    assert str(error).startswith("stride 999")
    assert "999 is too large; use 111" in str(error)
    assert len(str(error)) < 400
    assert readable("a\tb") == r"a\tb"


@POSIX
def test_the_closing_line_reaches_no_terminal_with_its_colours(tmp_path: Path) -> None:
    done = ran(*CONV, "-o", "\x1b[31m\udcff.txt", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.decode().startswith(r"\x1b[31m\udcff.txt, ")


# Ctrl-C.

#: Sends Ctrl-C when a module is first imported, and starts the program like `python -m convanim`.
INTERRUPTED = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
when = sys.argv.pop(1)
class Sender:
    def find_spec(self, name, path=None, target=None):
        if name == when:
            sys.meta_path.remove(self)
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Sender())
runpy.run_module("convanim", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    "when",
    [
        "convanim.cli.commands",
        "click",
        "convanim.write.formats",
        "numpy.linalg",
        "convanim.system.compiled",
        "convanim.write.gif",
    ],
)
def test_interrupted_while_it_imports(tmp_path: Path, when: str) -> None:
    done = ran(when, *CONV, "-o", "a.gif", start=("-c", INTERRUPTED), cwd=tmp_path)
    # The terminal's first line contains ^C.
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"\nError: interrupted; nothing was written.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_background_job_goes_on(tmp_path: Path) -> None:
    ignoring = INTERRUPTED.replace("signal.default_int_handler", "signal.SIG_IGN")
    assert ran("numpy", *CONV, "-o", "a.gif", start=("-c", ignoring), cwd=tmp_path).returncode == 0
    assert (tmp_path / "a.gif").stat().st_size > 0


#: Ends the program while a weak reference calls back, where Python drops exceptions, or gives up in foreign code.
ENDED = INTERRUPTED.replace("import runpy, signal, sys", "import runpy, signal, sys, weakref").replace(
    "signal.raise_signal(signal.SIGINT)",
    "gone = Sender(); weakref.finalize(gone, signal.raise_signal, signal.SIGTERM); del gone",
)


def test_a_signal_to_end_is_not_lost_in_a_weak_reference(tmp_path: Path) -> None:
    words = ["conv", "--input", "9x9", "--kernel", "3", "-o", "a.gif"]
    done = ran("convanim.write.gif", *words, start=("-c", ENDED), cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (143, b"", b"")
    assert list(tmp_path.iterdir()) == []


#: Starts the program as `python -m convanim` does, and prints the number of threads that NumPy may start and did.
THREADS = """
import atexit, os, runpy
atexit.register(lambda: print(os.environ["OPENBLAS_NUM_THREADS"], len(os.listdir("/proc/self/task"))))
runpy.run_module("convanim", run_name="__main__", alter_sys=True)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are counted in /proc")
def test_numpy_starts_no_threads_unless_it_is_told_to() -> None:
    """Each of them would keep a core busy for longer than a short command takes."""
    unset = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    explained = ("explain", "conv", "--input", "5x5", "--kernel", "3")
    done = ran(*explained, start=("-c", THREADS), env=unset)
    assert done.stdout.splitlines()[-1] == b"1 1"
    told = ran(*explained, start=("-c", THREADS), env=unset | {"OPENBLAS_NUM_THREADS": "3"})
    assert told.stdout.splitlines()[-1].startswith(b"3 ")


#: Starts the program as `python -m convanim` does, and prints a line when a function is first called.
WORKING = """
import importlib, runpy, sys
where, name = sys.argv.pop(1).rsplit(".", 1)
module = importlib.import_module(where)
function = getattr(module, name)
def told(*given, **named):
    print("working", flush=True)
    return function(*given, **named)
setattr(module, name, told)
runpy.run_module("convanim", run_name="__main__", alter_sys=True)
"""


@POSIX
@pytest.mark.parametrize(
    ("function", "line"),
    [
        ("convanim.trace.oracle.convolve", "conv --input 1024x1024 --kernel 6x6 -o x.json"),
        ("convanim.trace.oracle.pool", "pool --input 1024x1024 --kernel 6x6 --stride 1 -o x.json"),
        (
            "convanim.page.arrange._too_small",
            "conv --input 8x60x60 --kernel 2x2 --out-channels 8 --width 200 -o x.gif",
        ),
    ],
)
def test_a_signal_ends_long_work(function: str, line: str, tmp_path: Path) -> None:
    """NumPy hears no signal within a call, so that no call may take long."""
    command = [sys.executable, "-c", WORKING, function, *line.split()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"working\n"
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 143  # a second or two, and more where all cores are busy
        assert process.stderr.read() == b""
    assert list(tmp_path.iterdir()) == []

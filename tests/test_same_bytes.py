"""The same layer gives the same bytes, in any process, folder, language and time zone, and under any name.

Each environment has one process that writes all formats and prints their digests.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LAYER = ["--stride", "2", "--padding", "1", "--fill", "random", "--seed", "3", "--bias", "0.1", "--width", "640"]
RUNS = {
    "up.gif": ["transposed", "--input", "3x3", "--kernel", "3x3", *LAYER],
    "sum.gif": ["transposed", "--input", "3x3", "--kernel", "3x3", *LAYER, "--view", "overlap-add", "--theme", "dark"],
    "both.png": ["transposed", "--input", "3x3", "--kernel", "3x3", *LAYER, "--view", "both"],
    "a-%03d.png": ["conv", "--input", "5x5", "--kernel", "3x3", *LAYER, "--title", "Ünïcode × 2"],
    "a.txt": ["conv", "--input", "5x5", "--kernel", "3x3", *LAYER],
    "a.json": ["conv", "--input", "5x5", "--kernel", "3x3", *LAYER],
    "shade.gif": ["conv", "--input", "40x60", "--kernel", "3x3", *LAYER],
}
SCRIPT = """
import contextlib, hashlib, io, json, pathlib, sys
from convanim.cli.commands import main
runs, prefix, order = json.loads(sys.argv[1]), sys.argv[2], int(sys.argv[3])
told = {}
for name, words in list(runs.items())[::order]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        main([*words, "-o", prefix + name])
    pattern = prefix + name.replace("%03d", "*")
    files = sorted(pathlib.Path().glob(pattern))
    told[name] = [len(files), hashlib.sha256(b"".join(p.read_bytes() for p in files)).hexdigest()]
print(json.dumps(told))
"""


def digests(
    folder: Path, prefix: str = "", order: int = 1, *flags: str, **variables: str
) -> dict[str, tuple[int, str]]:
    """The output of a separate process: the number of files and their digest, by name."""
    command = [sys.executable, *flags, "-c", SCRIPT, json.dumps(RUNS), prefix, str(order)]
    done = subprocess.run(command, check=True, capture_output=True, cwd=folder, env=os.environ | variables)
    return {name: (count, digest) for name, (count, digest) in json.loads(done.stdout).items()}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    told = digests(tmp_path_factory.mktemp("usual"))
    assert set(told) == set(RUNS)
    assert all(count == 1 for name, (count, _) in told.items() if "%" not in name)
    assert told["a-%03d.png"][0] > 4
    assert len({digest for _, digest in told.values()}) == len(RUNS)
    return told


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONHASHSEED": "0"},
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "random", "TZ": "Asia/Kathmandu"},
        {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8", "SOURCE_DATE_EPOCH": "0"},
        {"OMP_NUM_THREADS": "1", "COLUMNS": "20", "TERM": "dumb", "NO_COLOR": "1", "PYTHONOPTIMIZE": "2"},
    ],
    ids=str,
)
def test_surroundings(tmp_path: Path, usual: dict[str, tuple[int, str]], variables: dict[str, str]) -> None:
    assert digests(tmp_path, **variables) == usual


def test_other_places_and_names(tmp_path: Path, usual: dict[str, tuple[int, str]]) -> None:
    (tmp_path / "a folder é").mkdir()
    assert digests(tmp_path / "a folder é", "another name-") == usual


def test_what_was_drawn_before_leaves_no_trace(tmp_path: Path, usual: dict[str, tuple[int, str]]) -> None:
    assert digests(tmp_path, "", -1) == usual


def test_a_users_settings_of_matplotlib_change_nothing(tmp_path: Path, usual: dict[str, tuple[int, str]]) -> None:
    # A matplotlibrc in the working folder is read by any process that imports matplotlib there.
    settings = "font.family: serif\nfont.size: 30\ntext.hinting: none\ntext.antialiased: False\nsavefig.dpi: 50\n"
    (tmp_path / "matplotlibrc").write_text(settings)
    assert digests(tmp_path) == usual


def test_this_process_too(tmp_path: Path, usual: dict[str, tuple[int, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    from hashlib import sha256

    from convanim.cli.commands import main

    monkeypatch.chdir(tmp_path)
    for name, words in RUNS.items():
        for _ in range(2):  # overwrites the first one
            with pytest.raises(SystemExit) as stop:
                main([*words, "--quiet", "-o", name])
            assert not stop.value.code
        files = sorted(tmp_path.glob(name.replace("%03d", "*")))
        joined = functools.reduce(bytes.__add__, (p.read_bytes() for p in files))
        assert (len(files), sha256(joined).hexdigest()) == usual[name]

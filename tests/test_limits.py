"""Limits: each is reported at once in one sentence, and its hint works."""

import json
import os
import re
import subprocess
import sys
import tracemalloc
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from msgspec import structs
from PIL import Image

from convanim.animation import Animation
from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose, MaxPool
from convanim.page import glyphs
from convanim.scene import scene
from convanim.scene.frame import Role
from convanim.template import Template
from convanim.template.keys import CellsTable, PageTable, ShowTable, TypeTable
from convanim.trace import ConvTrace, Trace
from convanim.trace.arrays import total_size
from convanim.trace.core import MOST_CELLS
from convanim.typed.cells import MAX_FILLED
from convanim.write.tracefile import _nested as nested
from support.commands import run


def said(*words: str) -> str:
    """The message of a refused command."""
    done = run(*words)
    assert done.code == 2, done
    return " ".join(done.err.split())


@pytest.mark.parametrize(
    "line",
    [
        "conv --input 8x2x2 --kernel 2 --width 240",
        "transposed --input 4x4x4 --kernel 2 --width 240",
        "conv --input 3x3 --kernel 2 --backward --width 250",
        "conv --input 2 --kernel 2 --backward --width 200",
    ],
)
def test_a_page_that_is_too_small_is_refused_and_the_named_one_fits(line: str, tmp_path: Path) -> None:
    words = [*line.split(), "-o", str(tmp_path / "o.png"), "--select", "last"]
    told = said(*words)
    fits = re.search(r"--width \d+(?: --height \d+)?", told)
    assert fits, told
    done = run(*words[: words.index("--width")], *words[-4:], *fits[0].split())
    assert done.code == 0, done.err


@pytest.mark.parametrize("sizes", [{"title": 60, "caption": 51}, {"caption": 400}, {"title": 400}, {"small": 400}])
def test_type_that_is_too_large_for_its_page_is_refused_and_the_named_sizes_fit(sizes: dict[str, int]) -> None:
    trace = Conv(2).trace(np.ones((5, 5), int), np.ones((2, 2), int))
    page, show = PageTable(width=320, height=240), ShowTable(phases=False)
    with pytest.raises(ConvanimError, match=r"\[type\]") as refused:
        Animation(trace, template=Template(page=page, type=TypeTable(**sizes), show=show)).save(BytesIO(), "gif")
    named = {name: int(size) for name, size in re.findall(r"(\w+) = (\d+)", refused.value.hint)}
    Animation(trace, template=Template(page=page, type=TypeTable(**named), show=show)).save(BytesIO(), "gif")


def on_the_page(animation: Animation) -> bool:
    """Whether every permanent text is on the page."""
    page = animation.page
    places = page.places.values()
    scales = [text for place in places if place.scale for text in (place.scale[0], place.scale[2])]
    texts = [page.title, page.detail, *(tab.current for tab in page.tabs), *(place.title for place in places)]
    later = [text._replace(text="0") for text in (slot.text for slot in page.captions)]
    boxes = [
        text.box for text in [*texts, *scales, *page.signs, *later, page.counted(int(page.counts), 1)] if text.text
    ]
    return all(b.top >= 0 and b.left >= 0 and b.bottom <= page.height and b.right <= page.width for b in boxes)


@pytest.mark.parametrize(
    "tables",
    [
        {"type": TypeTable(small=30, smallest=3), "cells": CellsTable(largest=12)},
        {"page": PageTable(width=4096, height=4096), "type": TypeTable(small=400)},
        {"type": TypeTable(title=6, caption=6, small=6, smallest=10)},
        {"page": PageTable(width=120, height=120), "type": TypeTable(title=6, caption=6, small=6, smallest=0)},
        {"page": PageTable(width=4096, height=120), "cells": CellsTable(largest=1000)},
        {"page": PageTable(width=120, height=4096), "cells": CellsTable(largest=12)},
        {"type": TypeTable(small=400), "cells": CellsTable(largest=1000)},
    ],
)
@pytest.mark.parametrize("signs", [True, False])
def test_words_lie_on_the_page_or_are_refused_with_what_helps(tables: dict[str, Any], signs: bool) -> None:
    line = ConvTranspose(3, stride=2).trace(np.arange(4), np.ones(3, int))
    for trace in line, MaxPool((1, 4)).trace(np.arange(96).reshape(8, 12)):
        template = Template(**tables, show=ShowTable(notes=False, counter=signs, signs=signs))
        try:
            assert on_the_page(Animation(trace, template=template, lang="de"))
        except ConvanimError as refused:
            if "smaller input" in refused.hint and "width=" not in refused.hint:
                continue
            asked = {
                name: float(size) if "." in size else int(size)
                for name, size in re.findall(r"(\w+) = ([\d.]*\d)", refused.hint)
            }
            sides = {name: int(size) for name, size in re.findall(r"(width|height)=(\d+)", refused.hint)}
            smaller = structs.replace(template, type=structs.replace(template.type, **asked))
            assert on_the_page(Animation(trace, template=smaller, lang="de", **sides))


@pytest.mark.parametrize("channels", [64, 512])
def test_of_many_channels_only_those_that_are_shown_are_computed(channels: int, tmp_path: Path) -> None:
    line = f"nn.Conv2d({channels}, {8 * channels}, 7)"
    code, _, told = run("layer", line, "--input", f"{channels}x7x7", "-o", tmp_path / "x.json")
    assert (code, told.count("\n")) == (0, 1)
    assert np.shape(Trace.load(tmp_path / "x.json").weight) == (4, channels, 7, 7)


@pytest.mark.parametrize("suffix", ["txt", "gif"])
def test_too_many_channels_are_refused_before_the_work(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def worked(*given: Any) -> None:
        raise AssertionError("the answer was computed before the limit was looked at")

    monkeypatch.setattr(ConvTrace, "_apply", worked)
    monkeypatch.setattr(Trace, "replay", worked)
    line = ("nn.Conv2d(64, 64, 7)", "--input", "64x7x7", "--channels", "0..8")
    assert "9 input channels" in said("layer", *line, "-o", f"x.{suffix}")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_refusal_of_huge_type_draws_no_letters(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def drew(*given: Any) -> None:
        raise AssertionError("letters were drawn to be measured")

    monkeypatch.setattr(glyphs, "_word", drew)
    trace = ConvTranspose(1, stride=2).trace(np.arange(8).reshape(1, 8), np.ones((1, 1), int))
    tables = TypeTable(title=80, caption=6, small=18, smallest=10), CellsTable(largest=100)
    template = Template(page=PageTable(width=200, height=120), type=tables[0], cells=tables[1])
    with pytest.raises(ConvanimError, match="in type of 80 px"):
        Animation(trace, template=template, lang=lang).page  # noqa: B018


def test_an_answer_is_computed_when_it_is_asked_for() -> None:
    trace = Conv(2, 2).trace(np.arange(16).reshape(4, 4), np.eye(2, dtype=int))
    assert trace.shape == (1, 2, 2)
    assert "_answer" not in vars(trace)
    assert trace.output.tolist() == [[5, 9], [21, 25]]


@pytest.mark.parametrize("numbers", [[-3, 4], [2**62, -(2**62), 2**62], [0.5, -0.25]])
def test_sizes_are_added_without_wrapping(numbers: list[Any]) -> None:
    assert total_size(np.array(numbers)) == sum(map(abs, numbers))


def test_a_description_is_paced_as_the_film_is() -> None:
    words = ["describe", "conv", "--input", "40x40", "--kernel", "3"]
    told, whole = (run(*words, *more).out for more in ([], ["--select", "all"]))
    listed = len(re.findall("^step ", told, re.MULTILINE))
    assert 40 < listed < 1000
    assert f"{38 * 38 - listed:,} of 1,444 steps are not listed" in told
    assert "--select all" in told
    assert len(re.findall("^step ", whole, re.MULTILINE)) == 1444


def test_a_description_of_a_picture_is_paced_too(tmp_path: Path) -> None:
    Image.fromarray(np.arange(3600, dtype=np.uint16).astype(np.uint8).reshape(30, 40, 3)).save(tmp_path / "a.png")
    done = run("describe", "upsample", "--input", str(tmp_path / "a.png"), "--mode", "bilinear")
    assert done.code == 0, done.err
    assert len(done.out) < 200_000
    assert "--select all" in done.out


@pytest.mark.parametrize("side", [202, 300])
def test_a_text_of_a_large_input_leaves_frames_out_and_says_so(side: int, tmp_path: Path) -> None:
    trace = Conv(3).trace(np.arange(side * side).reshape(side, side), np.ones((3, 3), int))
    saved = Animation(trace).save(tmp_path / "x.txt")
    text = (tmp_path / "x.txt").read_text()
    assert saved.size < 20_000_000
    assert saved.left_out > 0.95 * (side - 2) ** 2
    assert f"{saved.left_out:,} of {(side - 2) ** 2:,} steps are not listed (--select all)" in text


@pytest.mark.parametrize(
    "words",
    [
        ["describe", "pool", "--input", "8388608", "--kernel", "1"],
        ["describe", "pool", "--input", "16777216", "--kernel", "1"],
        ["describe", "unpool", "--input", "8388608", "--kernel", "2"],
        ["describe", "pool", "--input", "2000000", "--kernel", "1000000", "--stride", "1", "--mode", "avg"],
        ["describe", "upsample", "--input", "5", "--size", "16777216"],
        ["conv", "--input", "1000x1000", "--kernel", "100x100", "-o", "x.txt"],
        ["conv", "--input", "1000x1000", "--kernel", "100x100", "-o", "x.json"],
        ["transposed", "--input", "64x64", "--kernel", "900x900", "-o", "x.json"],
        ["compare", "MaxPool(1)", "MaxPool(1, stride=2)", "--input", "8388608"],
    ],
)
def test_more_than_can_be_computed_step_by_step_is_refused_before_any_of_it(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def worked(*given: Any, **named: Any) -> None:
        raise AssertionError("taps were laid out before the limit was looked at")

    monkeypatch.setattr("convanim.trace.core.taps_of", worked)
    monkeypatch.setattr("convanim.trace.engine.taps_of", worked)
    told = said(*words)
    assert "step by step" in told
    assert "convanim explain" in told


@pytest.mark.parametrize(
    "line",
    [
        "conv --input 4194304 --kernel 2097152",
        "transposed --input 4194304 --kernel 3 --stride 2",
        "transposed --input 8 --kernel 4194304 --stride 2000000",
        "pool --input 4194304 --kernel 2000000 --stride 1 --mode lp",
        "unpool --input 4194304 --kernel 2",
        "shuffle --input 4x1024x1024 --factor 2",
        "layer Upsample(size=16777216) --input 5",
        "layer Upsample(scale_factor=2,mode='bilinear') --input 4194304",
    ],
)
def test_an_explanation_counts_without_laying_out_what_it_counts(line: str) -> None:
    words = line.split(" ")
    tracemalloc.start()
    done = run("explain", *words)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert done.code == 0, done.err
    assert most < 200_000_000


def test_the_places_of_maxima_are_remembered_without_a_copy_for_each_step() -> None:
    made = scene(MaxPool(2).trace(np.arange(600 * 600).reshape(600, 600)))
    before = made.frame(made.beats.opening).grids["stage"].roles
    after = made.frame(made.beats.total - 1).grids["stage"].roles
    assert int((after == Role.DONE).sum()) == 300 * 300
    assert not (before == Role.DONE).any()


def test_a_trace_of_very_many_steps_is_saved_without_them_and_read_back(tmp_path: Path) -> None:
    done = MaxPool(1).trace(np.arange(450 * 450).reshape(450, 450))
    done.save(tmp_path / "x.json")
    assert Trace.load(tmp_path / "x.json") == done
    assert json.loads((tmp_path / "x.json").read_bytes())["steps"] is None


@given(arrays(np.int64, array_shapes(min_dims=1, max_dims=4, max_side=5), elements=st.integers(-9, 9)))
def test_arrays_are_written_in_pieces_as_they_are_in_one(array: np.ndarray) -> None:
    with patch("convanim.write.tracefile.AT_ONCE", 4):
        assert "".join(nested(array)) == json.dumps(array.tolist())


@pytest.mark.parametrize("lang", ["de", "es", "fr", "ja", "zh"])
def test_a_description_says_in_its_language_how_all_steps_are_listed(lang: str) -> None:
    told = run("describe", "conv", "--input", "40x40", "--kernel", "3", "--lang", lang).out
    assert told.splitlines()[-1].startswith("--select all ")
    assert "lists every step" not in told


#: Runs a command in a process whose memory has a limit, and says how long and how much it took: s, MB.
MEASURED = """
import resource, sys
import click, numpy  # as much memory as they reserve is not the command's
megabytes = int(sys.argv.pop(1))
reserved = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (reserved + megabytes * 2**20,) * 2)
from convanim.cli.commands import main
try:
    main()
except SystemExit as stop:
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Not ru_maxrss, in which a new process inherits the peak of the one that started it.
    peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(used.ru_utime + used.ru_stime, int(peak) / 1024, file=sys.stderr)
    sys.exit(stop.code)
"""
HUGE = 2**24


@pytest.mark.skipif(sys.platform != "linux", reason="/proc and RLIMIT_AS are Linux's")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"describe pool --input {HUGE} --kernel 1", 2),
        (f"describe unpool --input {HUGE} --kernel 2", 2),
        (f"explain conv --input {HUGE} --kernel {HUGE}", 0),
        ("explain transposed --input 4096x4096 --kernel 4096x4096", 0),
        (f"explain pool --input {HUGE} --kernel {HUGE}", 0),
        (f"explain unpool --input {HUGE} --kernel 2", 0),
        (f"explain unpool --input {HUGE // 2} --kernel 2 --indices {HUGE // 2}", 0),
        (f"explain layer Upsample(size={HUGE}) --input 5", 0),
        (f"explain layer Conv({HUGE}) --input {HUGE}", 0),
        (f"conv --input {HUGE} --kernel 3 -o x.json", 2),
        (f"conv --input 3 --kernel {HUGE} -o x.txt", 2),
        (f"conv --input 3 --kernel 2 --out-channels {HUGE} -o x.txt", 2),
        (f"conv --input 3 --kernel 2 --grad {HUGE} -o x.txt", 2),
        (f"transposed --input 3 --kernel {HUGE} -o x.txt", 2),
        (f"transposed --input 3 --kernel 2 --stride {HUGE // 4} -o x.txt", 2),
        (f"unpool --input 4 --kernel 2 --indices {HUGE} -o x.txt", 2),
        (f"upsample --input 5 --size {HUGE} -o x.txt", 2),
        ("shuffle --input 4x1024x4096 -o x.txt", 2),
        (f"layer Conv({HUGE}) --input {HUGE} -o x.gif", 2),
        (f"layer Upsample(size={HUGE}) --input 5 -o x.gif", 2),
        ("layer nn.Conv2d(3,4096,64) --input 3x64x64 --out-channels 4096 -o x.gif", 2),
        (f"compare Upsample(size={HUGE}) MaxPool(1) --input 5", 2),
        (f"compare MaxPool(1) MaxPool(2) --input {HUGE}", 2),
        (f"solve --input {HUGE} --output {HUGE}", 0),
    ],
)
def test_sizes_are_refused_before_arrays_are_made(line: str, code: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", MEASURED, "80", *line.split()]
    alone = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # each thread reserves memory
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=alone)
    *told, used = done.stderr.splitlines()
    seconds, megabytes = map(float, used.split())
    assert (done.returncode, len(told) < 2) == (code, True), done.stderr
    assert "not enough memory" not in done.stderr
    assert seconds < 3  # of the processor, which may be a slow one; most are done within one
    assert megabytes < 120
    assert list(tmp_path.iterdir()) == []


def test_a_shape_has_as_many_cells_as_are_computed_step_by_step() -> None:
    assert MAX_FILLED == MOST_CELLS

"""Limits: every one is told at once, in a sentence, and what the sentence says to type works."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from convanim.animation import Animation
from convanim.cli import main
from convanim.errors import ConvanimError
from convanim.ops import Conv
from convanim.template import Template
from convanim.template.keys import PageTable, ShowTable, TypeTable
from convanim.trace import ConvTrace, Trace
from convanim.trace.arrays import total_size


def said(*words: str) -> str:
    """What a command that is refused says."""
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2, done.output
    return " ".join(done.output.split())


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
    done = CliRunner().invoke(main, [*words[: words.index("--width")], *words[-4:], *fits[0].split()])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("sizes", [{"title": 60, "caption": 51}, {"caption": 400}, {"title": 400}, {"small": 400}])
def test_type_that_is_too_large_for_its_page_is_refused_and_the_named_sizes_fit(sizes: dict[str, int]) -> None:
    trace = Conv(2).trace(np.ones((5, 5), int), np.ones((2, 2), int))
    page, show = PageTable(width=320, height=240), ShowTable(phases=False)
    with pytest.raises(ConvanimError, match=r"\[type\]") as refused:
        Animation(trace, template=Template(page=page, type=TypeTable(**sizes), show=show)).save(BytesIO(), "gif")
    named = {name: int(size) for name, size in re.findall(r"(\w+) = (\d+)", refused.value.hint)}
    Animation(trace, template=Template(page=page, type=TypeTable(**named), show=show)).save(BytesIO(), "gif")


@pytest.mark.parametrize("channels", [64, 256, 512])
@pytest.mark.parametrize("suffix", ["txt", "gif"])
def test_too_many_channels_are_refused_before_the_work(
    channels: int, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worked(*given: Any) -> None:
        raise AssertionError("the answer was computed before the limit was looked at")

    monkeypatch.setattr(ConvTrace, "_apply", worked)
    monkeypatch.setattr(Trace, "replay", worked)
    told = said("layer", f"nn.Conv2d({channels}, {8 * channels}, 7)", "--input", f"{channels}x7x7", "-o", f"x.{suffix}")
    assert "channels" in told


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
    told, whole = (CliRunner().invoke(main, [*words, *more]).output for more in ([], ["--select", "all"]))
    listed = len(re.findall("^step ", told, re.MULTILINE))
    assert 100 < listed < 1000
    assert f"{38 * 38 - listed:,} of 1,444 steps are not listed" in told
    assert "--select all" in told
    assert len(re.findall("^step ", whole, re.MULTILINE)) == 1444


def test_a_text_of_a_large_input_leaves_frames_out_and_says_so(tmp_path: Path) -> None:
    trace = Conv(3).trace(np.arange(202 * 202).reshape(202, 202), np.ones((3, 3), int))
    saved = Animation(trace).save(tmp_path / "x.txt")
    text = (tmp_path / "x.txt").read_text()
    assert saved.size < 20_000_000
    assert saved.left_out > 39_000
    assert f"{saved.left_out:,} of 40,000 steps are not listed (--select all)" in text

"""What is said is what is done: following what the command line says never proves it wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import convanim as ca
from convanim.cli import main
from convanim.ops.conventions import ALIASES, KNOWN
from convanim.scene import scene
from tests import definitions


def run(*words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    done = CliRunner().invoke(main, list(words))
    return done.exit_code, done.stdout, done.stderr


def drawn(tmp_path: Path, *words: str) -> str:
    """What a command draws, as text."""
    code, _, told = run(*words, "-o", str(tmp_path / "o.txt"))
    assert code == 0, told
    return (tmp_path / "o.txt").read_text()


# --- an unpooling's output size --------------------------------------------------------------------------------------

ROWS = [[1, 2, 8, 3, 0], [7, 0, 4, 1, 0]]


def test_an_unpooling_shows_the_size_that_the_framework_takes_by_itself(tmp_path: Path) -> None:
    text = drawn(tmp_path, "unpool", "--input", str(ROWS), "--kernel", "2", "--output-size", "default")
    assert "1×2 → 2×4" in text
    assert "the maximum was at [1,0]" in text
    assert "1×2 → 2×5" in drawn(tmp_path, "unpool", "--input", str(ROWS), "--kernel", "2")
    wider = ["--indices", "[[5,2]]", "--output-size", "2x5"]
    assert "1×2 → 2×5" in drawn(tmp_path, "unpool", "--input", "[[7,8]]", "--kernel", "2", *wider)


@pytest.mark.parametrize("size", ["default", None, (2, 5), (2, 4), (3, 3)])
def test_an_unpooling_of_any_size_is_what_the_definition_gives(size: object) -> None:
    pooled = ca.MaxPool(2).trace(ROWS)
    done = ca.MaxUnpool(2).trace(pooled, output_size=size)
    done.verify()
    sizes = {"default": (2, 4), None: (2, 5)}.get(size, size)  # type: ignore[call-overload]
    wanted = definitions.max_unpool(np.array([[[7, 8]]]), np.array([[[5, 2]]]), sizes)
    assert np.array_equal(done.answer, wanted)


def test_a_place_beyond_the_asked_size_is_told_with_the_size_that_holds_it() -> None:
    code, _, told = run("unpool", "--input", "5x5", "--kernel", "2", "--output-size", "default", "-o", "x.gif")
    assert code == 2
    assert "PyTorch refuses it too" in told
    assert "5x5" in told


@pytest.mark.parametrize(("size", "hint"), [("9", "use 3 to 5"), ("big", "5x5, or default"), ("2x2x2", "one size an")])
def test_an_output_size_that_cannot_be_is_refused(size: str, hint: str) -> None:
    code, _, told = run("unpool", "--input", "5x5", "--kernel", "2", "--output-size", size, "-o", "x.gif")
    assert (code, hint in told) == (2, True), told


def test_an_explained_unpooling_has_the_size_that_was_asked_for() -> None:
    _, told, _ = run("explain", "unpool", "--input", "5x5", "--kernel", "2", "--output-size", "5")
    assert "2×2 → 5×5" in told
    with pytest.raises(ca.ConvanimError, match="belongs to MaxUnpool"):
        ca.explain(ca.Conv(2), (3, 3), output_size=3)


def test_rows_as_long_as_those_that_were_pooled_keep_the_usual_words() -> None:
    pooled = ca.MaxPool(2).trace([[1, 2], [3, 4], [5, 6]])
    s = scene(ca.MaxUnpool(2).trace(pooled, output_size="default"))
    assert s.phases[-1].label == "put each value where it was"


# --- names of conventions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "own"), [*ALIASES.items(), ("PyTorch", "torch"), ("ONNX", "onnx"), ("Flax", "jax")])
def test_a_convention_is_known_by_the_names_that_people_have_for_it(name: str, own: str, tmp_path: Path) -> None:
    assert ca.Conv(3, convention=name) == ca.Conv(3, convention=own)
    assert ca.parse(f"Conv(3, convention={name!r})") == ca.Conv(3, convention=own)
    typed = (
        ["--input", "4x4x2", "--kernel", "2x2x2x1"] if KNOWN[own].last else ["--input", "2x4x4", "--kernel", "1x2x2x2"]
    )
    assert drawn(tmp_path, "conv", *typed, "--convention", name) == drawn(tmp_path, "conv", *typed, "--convention", own)


def test_an_unknown_convention_is_told_with_those_that_there_are() -> None:
    code, _, told = run("conv", "--input", "4x4", "--kernel", "2", "--convention", "caffe", "-o", "x.gif")
    assert code == 2
    assert "use one of torch, keras, jax, onnx" in told

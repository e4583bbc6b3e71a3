"""Lines as they stand in public code, in our words: each becomes the layer that it means, or one sentence."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convanim import Conv, ConvTranspose
from convanim.errors import ConvanimError
from convanim.layers import parse
from convanim.layers.evaluated import read_values
from convanim.layers.notation import read
from support.commands import run
from support.refusals import refused

_FILE = (Path(__file__).parent / "spellings.txt").read_text("utf-8").split("\n\n")
LINES, REFUSED = (part.partition("\n")[2] for part in _FILE)


def split(text: str) -> list[tuple[str, str, str]]:
    """The lines, with what is set, and what each means."""
    found = []
    for line in text.strip("\n").splitlines():
        code, _, wanted = line.rpartition(" -> ")
        code, _, values = code.partition(" | ")
        found.append((code, values, wanted))
    return found


def values_of(text: str) -> dict[str, object]:
    return read_values(text) if text else {}


@pytest.mark.parametrize(("code", "values", "wanted"), split(LINES))
def test_a_line_is_the_layer_that_it_means(code: str, values: str, wanted: str) -> None:
    found = read(code, values_of(values)).op
    if isinstance(found, Conv | ConvTranspose):
        found = replace(found, in_channels=None, out_channels=None)
    assert str(found) == str(parse(wanted))


def test_how_many_there_are() -> None:
    assert len(split(LINES)) >= 105


@pytest.mark.parametrize(("code", "values", "says"), split(REFUSED))
def test_other_lines_say_what_to_change(code: str, values: str, says: str) -> None:
    refused(lambda: read(code, values_of(values)), says)


def test_notes_say_what_is_not_drawn() -> None:
    said = {
        "spectral_norm(nn.Conv2d(1, 1, 3))": "spectral_norm is not drawn",
        "Conv2D(8, 3, activation='relu')": "the activation of Conv2D is not drawn",
        "nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(8))": "nn.BatchNorm2d is not drawn",
        "layers.SeparableConv2D(8, 3)": "layers.SeparableConv2D filters each channel separately, and one of them is "
        "shown; the 1×1 convolution after it, which mixes the channels, is not drawn",
    }
    assert {code: "; ".join(read(code).notes) for code in said} == said


def test_a_printed_model_and_several_lines() -> None:
    printed = """Sequential(
      (0): Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))
      (1): ReLU()
    )"""
    assert str(read(printed).op) == "Conv(kernel_size=(3, 3), stride=(1, 1), in_channels=3, out_channels=8)"
    lines = """
        self.bn = nn.BatchNorm2d(8)
        self.conv = nn.Conv2d(8, 8, 3)
    """
    assert read(lines).op == Conv((3, 3), in_channels=8, out_channels=8)
    refused(lambda: read("a = nn.Conv2d(1, 1, 3)\nb = nn.MaxPool2d(2)"), "not a single layer but 2", "MaxPool")


def test_at_the_shell() -> None:
    done = run("explain", "layer", "nn.Conv2d(c, 2 * c, k, padding=k // 2)", "--set", "k=5", "--input", "8x8")
    assert (done.code, "8×8 → 8×8" in done.out) == (0, True), done
    done = run("explain", "layer", "weight_norm(nn.Conv1d(1, 1, k))", "--input", "8")
    assert (done.code, done.err) == (
        2,
        "Error: kernel_size of nn.Conv1d is k, not a number; write the number, or say what the name stands for with "
        "--set 'k=3'.\n",
    )
    done = run("explain", "layer", "weight_norm(nn.Conv1d(1, 1, 3))", "--input", "8")
    assert (done.code, "Note: weight_norm is not drawn" in done.err) == (0, True), done
    for wrong in ("k", "k=x", "=3", "k=3x", "k=__import__"):
        done = run("explain", "layer", "nn.Conv1d(1, 1, k)", "--set", wrong, "--input", "8")
        assert (done.code, "does not give a name a number" in done.err) == (2, True), done


WORDS = st.sampled_from(
    ["nn.Conv2d", "(", ")", "3", ",", "k", "=", "[", "]", "<", ">", "F.pad", "x", "\n", "#", " ", "->", ":"]
)


@given(st.lists(WORDS, max_size=30).map("".join))
def test_any_text_is_a_layer_or_one_sentence(text: str) -> None:
    with suppress(ConvanimError):  # no other error
        read(text, {"k": 3})

"""Lines as they stand in public code, in our words: each becomes the layer that it means, or one sentence."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter

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
        found.append((code.replace("\\n", "\n"), values, wanted))
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
    assert len(split(LINES)) >= 125
    assert len(split(REFUSED)) >= 20


@pytest.mark.parametrize(("code", "values", "says"), split(REFUSED))
def test_other_lines_say_what_to_change(code: str, values: str, says: str) -> None:
    refused(lambda: read(code, values_of(values)), says)


def test_notes_say_what_is_not_drawn() -> None:
    said = {
        "spectral_norm(nn.Conv2d(1, 1, 3))": "spectral_norm is not drawn",
        "(up): Upsample(scale_factor=2.0, mode='bilinear')": "a printed Upsample does not say its align_corners, which "
        "is taken as False",
        "[nn.Conv1d(1, 1, 2) for _ in x]": "one of the layers of a comprehension is shown",
        "Conv2D(8, 3, data_format='channels_first')": "data_format='channels_first' of Conv2D is ignored: the channels "
        "come last in the picture",
        "Conv2D(8, 3, activation='relu')": "the activation of Conv2D is not drawn",
        "nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(8))": "nn.BatchNorm2d is not drawn",
        "tf.contrib.slim.separable_conv2d(x, None, 3)": "the activation and the normalisation that "
        "tf.contrib.slim.separable_conv2d may have are not drawn",
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


def test_each_hint_says_what_to_type() -> None:
    hints = {
        "Conv1d(8, 8, k, padding=get_padding(k, d[1]))": "set 'k=3'",
        "Conv1d(8, 8, 3, padding=get_padding(k, d[1]))": "set 'get_padding(k, d[1])=1'",
        "nn.Conv2d(3, 8, 3, 2 if down else 1)": "set 'down=1'",
        "nn.Conv2d(3, 8, (k, 1))": "set 'k=3'",
        "F.conv1d(x, self.w * self.gain)": "set 'self.w=64x3x3'",
        "tf.nn.conv2d(x, w, 1, 'SAME')": "set 'w=3x3x3x64'",
        "self.conv1 = conv3x3(8, 8)": "the line in its code that makes the layer",
        "nn.Sequential(nn.Conv2d(1, 8, 3), nn.MaxPool2d(2))": "give one of them, such as nn.Conv2d(1, 8, 3)",
        "nn.Conv2d(3, 8, 3, **more)": "write them in its place",
        "nn.Conv2d(3, 8,": "give all of the lines",
    }
    for code, says in hints.items():
        with pytest.raises(ConvanimError) as caught:
            read(code)
        assert says in caught.value.hint, (code, caught.value.hint)


def test_numbers_in_the_lines_around_the_layer() -> None:
    body = "return nn.Conv2d(i, o, 3, stride=stride, padding=pad)"
    found = read(f"def conv3x3(i, o, stride=1, pad=1):\n    {body}")
    assert found.op == Conv((3, 3), padding=1)
    assert found.notes == ("pad is 1, as conv3x3 has it by default", "stride is 1, as conv3x3 has it by default")
    assert read("k, s = 3, 2\nself.c = nn.Conv2d(1, 1, k, s)", {"s": 3}).op == read("nn.Conv2d(1, 1, 3, 3)").op
    # Of what is set twice, or in a function that is called, the number is not known.
    for lines in ("k = 3\nk = 5\nnn.Conv2d(1, 1, k)", "k = 3\nk += 2\nnn.Conv2d(1, 1, k)",
                  "def f(k=3): return nn.Conv2d(1, 1, k)\nf(5)"):  # fmt: skip
        refused(lambda lines=lines: read(lines), "is k, not a number")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nn.Conv2d(3, 64, 3)" + " " * 10_000_000, "too long"),
        ("nn.Conv2d(" + "1," * 5_000_000 + ")", "too long"),
        ("nn.relu(" * 150 + "nn.Conv2d(3, 3, 3)" + ")" * 150, "nested too deeply"),
        ("nn.Conv2d(3, 3, 3)" + ".to(x)" * 600, "nested too deeply"),
        ("nn.Conv2d(3, 3, " + "+".join(["k"] * 1900) + ")", "nested too deeply"),
        ("nn.Conv2d(3, 3, " + "**".join(["9"] * 60) + ")", "not a number"),
        ("nn.Conv2d(" * 390, "is not closed"),
    ],
    ids=lambda text: text[:20],
)
def test_long_and_deep_lines_are_refused_at_once(text: str, says: str) -> None:
    before = perf_counter()
    refused(lambda: read(text, {"k": 3}), says)
    assert perf_counter() - before < 2


WORDS = st.sampled_from(
    ["nn.Conv2d", "(", ")", "3", ",", "k", "=", "[", "]", "<", ">", "F.pad", "x", "\n", "#", " ", "->", ":"]
)


@given(st.lists(WORDS, max_size=30).map("".join))
def test_any_text_is_a_layer_or_one_sentence(text: str) -> None:
    with suppress(ConvanimError):  # no other error
        read(text, {"k": 3})

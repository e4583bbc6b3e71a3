import re
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from convanim.layers import LARGEST, LONGEST_NOTATION, Conv, ConvTranspose, Operation, parse, times
from support.refusals import refused
from support.weighted import FIELD, layers, output_size, reach, thorough


@pytest.mark.parametrize(
    ("make", "named", "hinted"),
    [
        (lambda: Conv(0), "kernel_size 0", "1 or more"),
        (lambda: Conv(-10), "kernel_size -10", "1 or more"),
        (lambda: Conv(3.0), "kernel_size 3.0", "1 or more"),
        (lambda: Conv(True), "kernel_size True", "1 or more"),
        (lambda: Conv("3"), "kernel_size '3'", "1 or more"),
        (lambda: Conv(None), "kernel_size None", "1 or more"),
        (lambda: Conv(3, padding=None), "padding is None", "leave it out"),
        (lambda: Conv(()), "kernel_size ()", "one number per axis"),
        (lambda: Conv((3, 0)), "kernel_size 0", "1 or more"),
        (lambda: Conv(LARGEST + 1), f"kernel_size {LARGEST + 1}", f"at most {LARGEST}"),
        (lambda: Conv(10**5000), "kernel_size of thousands of digits", f"at most {LARGEST}"),
        (lambda: Conv(-(10**5000)), "kernel_size", "1 or more"),
        (lambda: Conv((10**5000, 1)), "kernel_size of thousands of digits", f"at most {LARGEST}"),
        (lambda: Conv(np.ones((2, 2))), "kernel_size", "1 or more"),
        (lambda: Conv(3, stride=0), "stride 0", "1 or more"),
        (lambda: Conv(3, stride=[2, 0]), "stride 0", "1 or more"),
        (lambda: Conv(3, dilation=0), "dilation 0", "1 or more"),
        (lambda: Conv(3, groups=0), "groups 0", "1 or more"),
        (lambda: Conv(3, groups=(1, 1)), "groups (1, 1)", "1 or more"),
        (lambda: Conv(3, padding=-1), "padding -1", "0 or more"),
        (lambda: Conv(3, padding=0.5), "padding 0.5", "0 or more"),
        (lambda: Conv(3, padding=()), "padding ()", "one number per axis"),
        (lambda: Conv(3, padding=((1, 2, 3),)), "padding (1, 2, 3)", "(0, 1)"),
        (lambda: Conv(3, padding=((1, -2),)), "padding -2", "0 or more"),
        (lambda: Conv(3, padding=((10**5000, 0, 0),)), "padding", "(0, 1)"),
        (lambda: Conv(3, padding="smae"), "padding 'smae'", "same"),
        (lambda: Conv(3, padding="zzz"), "padding 'zzz'", "valid, same, same_upper, same_lower, full, causal"),
        (lambda: Conv(3, padding="Same"), "padding 'Same'", "same"),
        (lambda: ConvTranspose(3, output_padding=-1), "output_padding -1", "0 or more"),
        (lambda: Conv((3, 3), stride=(1, 1, 1)), "kernel_size (3, 3) and stride (1, 1, 1)", "per axis"),
        (lambda: ConvTranspose(3, dilation=(1,), output_padding=(0, 0)), "output_padding (0, 0)", "per axis"),
        (lambda: Conv((3, 3)).axes((5,)), "the input 5 has 1", "same number of axes"),
        (lambda: Conv(3, padding=((0, 1),)).axes((5, 5)), "the input 5×5 has 2", "same number of axes"),
        (lambda: Conv(5).axes((4, 5)), "kernel size 5 is larger than the input, 4, along axis 0", "at most 4"),
        (lambda: Conv(6, padding=((0, 1),)).axes((4,)), "larger than the input, 4 padded to 5", "at most 5"),
        (lambda: Conv(3, dilation=2).axes((9, 4)), "kernel size 3 (dilated to 5)", "at most 2"),
        (lambda: ConvTranspose(3, 2, output_padding=2).axes((3,)), "output padding 2", "at most 1"),
        (lambda: ConvTranspose(3, dilation=3, output_padding=3).axes((3,)), "max(stride, dilation) = 3", "at most 2"),
        (lambda: ConvTranspose(3, padding=2).axes((2, 2)), "padding 2 + 2 crops the whole", "at most 1"),
        (lambda: ConvTranspose(2, padding="full").axes((1,)), "crops the whole output of 2 cells", "at most 0"),
    ],
)  # fmt: skip
def test_what_is_refused_names_the_value_and_a_way_out(make, named, hinted):
    assert hinted in refused(make, named).hint


@pytest.mark.parametrize("size", [0, -1])
@pytest.mark.parametrize("op", [Conv(3, padding=2), ConvTranspose(3)])
def test_an_input_without_cells_is_refused(op, size):
    refused(lambda: op.axes((size,)))


@thorough
@given(st.data(), st.booleans())
def test_the_hints_are_right(data, transposed):
    """The maximum in a hint is allowed, and one more is not."""
    number = st.integers(1, 6)
    n, k, s, d, p = (data.draw(number) for _ in range(5))
    word = "padding" if transposed else "kernel_size"
    given_ = {"kernel_size": k, "stride": s, "padding": p if transposed else p % 2, "dilation": d}
    kind = ConvTranspose if transposed else Conv
    try:
        kind(**given_).axes((n,))
    except ConvanimError as error:
        most = int(re.search(r"at most (\d+)", error.hint)[1])
        assert most < given_[word]
        assert kind(**given_ | {word: most}).axes((n,))
        with pytest.raises(ConvanimError):
            kind(**given_ | {word: most + 1}).axes((n,))
    else:
        assert kind(**given_).axes((n,))[0].output > 0


@thorough
@given(layers())
def test_sizes_follow_from_the_definition(case):
    op = case.op
    for axis, line in zip(op.axes(case.sizes), case.lines, strict=True):
        wanted = output_size(line, transposed=op.transposed)
        assert (axis.input, axis.output, axis.transposed) == (line.size, wanted, op.transposed)
        assert (axis.kernel, axis.stride, axis.dilation) == (line.kernel, line.stride, line.dilation)
        assert (axis.before, axis.after, axis.reach) == (line.before, line.after, reach(line))
        if op.transposed:
            zeros = (line.size - 1) * (line.stride - 1)
            assert axis.spread == line.size + zeros
            assert axis.full == axis.spread + reach(line) - 1
            # The zero-insertion view: padding, then a window of stride 1 that uses every cell.
            assert axis.ring[0] == reach(line) - 1 - line.before
            assert axis.stage == sum(axis.ring) + axis.spread == wanted + reach(line) - 1
            assert axis.unused == 0
            assert axis.canvas == max(0, -line.before) + max(axis.full, line.before + wanted)
            assert axis.kept == slice(max(0, line.before), max(0, line.before) + wanted)
        else:
            assert axis.stage == line.before + line.size + line.after
            assert 0 <= axis.unused < line.stride
            assert axis.stage == (wanted - 1) * line.stride + reach(line) + axis.unused


@pytest.mark.parametrize(("name", "notation", "size", "wanted"), FIELD)
def test_sizes_of_the_figures_that_the_field_shows(name, notation, size, wanted):
    axes = parse(notation).axes((size, size))
    assert [a.output for a in axes] == [wanted, wanted], name


@given(st.integers(1, 30), st.integers(1, 7), st.integers(1, 6), st.integers(1, 4))
def test_what_the_words_mean(n, k, s, d):
    onnx = {"dilation": d, "convention": "onnx"}
    (same,), (lower,) = (Conv(k, s, word, **onnx).axes((n,)) for word in ("same", "same_lower"))
    assert Conv(k, s, "same_upper", **onnx).axes((n,)) == (same,)
    assert same.output == lower.output == -(-n // s)
    assert (same.before, same.after) == (lower.after, lower.before)
    assert same.after - same.before in (0, 1)
    if s == 1:  # PyTorch's rule for stride 1
        assert same.before + same.after == d * (k - 1)
        assert Conv(k, s, "same", dilation=d).axes((n,)) == (same,)
    (up,), (up_lower,) = (ConvTranspose(k, s, word, **onnx).axes((n,)) for word in ("same", "same_lower"))
    assert up.output == up_lower.output == n * s
    if d * (k - 1) + 1 >= s:  # otherwise there are gaps between stamps, and zeros after the last one
        assert (up.before, up.after) == (up_lower.after, up_lower.before)
    (full,) = Conv(k, s, "full", dilation=d).axes((n,))
    assert full.before == full.after == d * (k - 1)
    if n > d * (k - 1):
        assert Conv(k, s, "valid", dilation=d).axes((n,)) == Conv(k, s, dilation=d).axes((n,))
    assert ConvTranspose(k, s, "valid", dilation=d).axes((n,)) == ConvTranspose(k, s, dilation=d).axes((n,))
    if k >= s and d == 1:  # the transposed layer inverts the shape of the convolution
        (down,) = Conv(k, s, "same", convention="keras").axes((n * s,))
        (up,) = ConvTranspose(k, s, "same", convention="keras").axes((n,))
        assert (down.output, down.before, down.after) == (n, up.before, up.after)


@thorough
@given(layers())
def test_notation_reads_back(case):
    back = parse(str(case.op))
    assert back == case.op
    assert type(back) is type(case.op)
    assert str(back) == repr(back) == str(case.op)
    assert hash(back) == hash(case.op)


@pytest.mark.parametrize(
    ("text", "op"),
    [
        ("Conv(3)", Conv(3)),
        ("  ConvTranspose( 3 , 2 )\n", ConvTranspose(kernel_size=3, stride=2)),
        ("Conv(3, 2, 'same', convention='keras')", Conv(3, stride=2, padding="same", convention="keras")),
        ("Conv(padding=[[0, 1], [1, 0]], kernel_size=[3, 2])", Conv((3, 2), padding=((0, 1), (1, 0)))),
        ("ConvTranspose(3, 2, output_padding=1)", ConvTranspose(3, 2, output_padding=1)),
    ],
)
def test_notations_people_write(text, op):
    assert parse(text) == op


CUT = st.sampled_from(
    [str(Conv((3, 2), 2, ((0, 1), 2), dilation=3)), str(ConvTranspose(3, 2, "same_lower", groups=2, convention="onnx"))]
)
MUTATED = st.builds(
    lambda text, at, length, put: text[: at % len(text)] + put + text[at % len(text) + length :],
    CUT,
    st.integers(0, 100),
    st.integers(0, 12),
    st.sampled_from(["", "(", ")", ",", "=", "'", '"', "-", "*", "**", "1e9", "None", "\0", "\ud800", "\\", "{", "é"])
    | st.text(max_size=5),
)


@thorough
@given(st.text() | CUT.flatmap(lambda t: st.builds(lambda n: t[:n], st.integers(0, len(t)))) | MUTATED)
@example("Conv(" + "(" * 900)
@example("-" * 900 + "1")
@example("Conv(" + "-" * 900 + "1)")
@example("Conv(" + "1+" * 400 + "1)")
@example("Conv(" + "[" * 400 + "]" * 400 + ")")
@example("Conv(" + "9" * 900 + ")")
@example("Conv(3)" + " " * LONGEST_NOTATION)
@example("Conv({[]: 1})")
@example("Conv(*[3])")
@example("Conv(**{'kernel_size': 3})")
@example("Conv(3, stride=1, stride=2)")
@example("Conv(3, 1, 0, 1)")
@example("Conv('\\d')")
@example("__import__('os').getcwd()")
@example("Conv(__import__('os'))")
@example("lambda: Conv(3)")
def test_garbage_is_refused_or_is_a_layer(text):
    op, said = None, ""
    try:
        op = parse(text)
    except ConvanimError as error:
        said = error.hint
    assert said if op is None else parse(str(op)) == op


@pytest.mark.parametrize(
    ("text", "named", "near"),
    [
        ("Convtranspose(3)", "'Convtranspose'", "ConvTranspose"),
        ("conv(3)", "'conv'", "Conv"),
        ("Conv(3, strid=2)", "'strid'", "stride"),
        ("Conv(3, pading=2)", "'pading'", "padding"),
        ("Conv(kernel=3)", "'kernel'", "kernel_size"),
        ("ConvTranspose(3, out_padding=1)", "'out_padding'", "output_padding"),
        ("Conv(3, padding='ful')", "'ful'", "full"),
    ],
)
def test_a_near_word_is_suggested(text, named, near):
    error = refused(lambda: parse(text), named)
    assert error.hint.startswith(f"did you mean {near}")


def test_a_word_like_none_gets_each_of_them_once():
    hint = refused(lambda: parse("Zzz(3)")).hint
    assert re.findall(r"\w+", hint).count("Conv") == 1
    assert re.findall(r"\w+", hint).count("ConvTranspose") == 1


def test_output_padding_belongs_to_the_transposed_layer():
    assert "padding" in refused(lambda: parse("Conv(3, output_padding=1)"), "'output_padding'").hint


def test_the_example_says_how_a_layer_is_written():
    hint = refused(lambda: parse("three by three")).hint
    assert isinstance(parse(hint.removeprefix("write it like ")), Operation)


def test_equality_and_hash():
    assert Conv(3) == Conv(kernel_size=3, stride=1, padding=0)
    assert Conv([3, 3], padding=[[0, 1], 2]) == Conv((3, 3), padding=((0, 1), 2))
    assert Conv(3) != ConvTranspose(3)
    assert Conv(3) != Conv(3, 2)
    assert len({Conv(3), Conv(np.int64(3)), ConvTranspose(3), Conv(3, dilation=2)}) == 3
    with pytest.raises(FrozenInstanceError):
        Conv(3).stride = 2


def test_numpy_integers_become_pythons():
    op = Conv(np.int32(3), stride=(np.uint8(2), np.int64(1)))
    assert str(op) == "Conv(kernel_size=3, stride=(2, 1))"


def test_only_what_differs_is_written():
    assert str(Conv(3, 1, 0, dilation=1, groups=1)) == "Conv(kernel_size=3)"
    assert str(ConvTranspose(3, output_padding=(1, 0), stride=2)) == (
        "ConvTranspose(kernel_size=3, stride=2, output_padding=(1, 0))"
    )


def test_rank_is_settled_by_any_argument():
    assert Conv(3).rank is None
    assert Conv(3, dilation=(1, 1)).rank == 2
    assert Conv(3, padding=((0, 1),)).rank == 1
    assert [a.output for a in Conv(3).axes((5, 6, 7))] == [3, 4, 5]


def test_times_writes_sizes():
    assert (times((3,)), times((3, 4, 5))) == ("3", "3×4×5")

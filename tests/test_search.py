"""The search finds every layer that maps one size to another, and no other."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convanim.cli.commands import main
from convanim.errors import ConvanimError
from convanim.explanation.search import report, solve
from convanim.layers import Conv, ConvTranspose


def by_trying(i: int, o: int, kernels: range, strides: range) -> set[str]:
    """Compute the output size of every layer in the range of the search."""
    layers = [Conv(k, s, p) for k, s in product(kernels, strides) for p in range(k)]
    for k, s in product(kernels, strides):
        layers += [ConvTranspose(k, s, p, output_padding=e) for p, e in product(range(k), range(s))]
    fitting = set()
    for op in layers:
        try:
            if [a.output for a in op.axes((i,))] == [o]:
                fitting.add(str(op))
        except ConvanimError:
            continue
    return fitting


@given(st.integers(1, 30), st.integers(1, 60), st.integers(1, 4), st.integers(1, 3))
def test_all_are_found_and_no_others(i, o, kernel, stride):
    kernels, strides = range(kernel, kernel + 3), range(stride, stride + 2)
    found = solve((i,), (o,), kernels, strides)
    assert {str(f.op) for f in found} == by_trying(i, o, kernels, strides)
    assert len(found) == len({str(f.op) for f in found})


@given(st.tuples(st.integers(1, 12), st.integers(1, 12)), st.tuples(st.integers(1, 20), st.integers(1, 20)))
def test_every_layer_gives_both_sizes_and_the_order_is_kept(sizes, output):
    found = solve(sizes, output, range(1, 4), range(1, 3))
    for f in found:
        axes = f.op.axes(sizes)
        assert tuple(a.output for a in axes) == output
        checkerboard = f.op.transposed and any(a.kernel % a.stride for a in axes)
        assert f.even != checkerboard
    keys = [(not f.even, f.multiplications) for f in found]
    assert keys == sorted(keys)


def test_axes_are_treated_alike_where_that_can_be():
    assert [str(f.op) for f in solve((7, 7), (14, 14), [4], [2])] == [
        "ConvTranspose(kernel_size=4, stride=2, padding=1)"
    ]
    found = solve((4, 6), (4, 12), [2, 3], [1, 2])
    assert found, "one axis stays, the other doubles"
    assert all(isinstance(f.op.stride, tuple) for f in found)


def test_nothing_found_is_said_to_be_nothing(capsys):
    assert solve((7,), (300,)) == []
    assert "no layer; every padding" in report((7,), (300,), [])
    with pytest.raises(SystemExit) as stop:
        main(["solve", "--input", "7x7", "--output", "300x300"])
    assert stop.value.code == 1
    assert "7×7 → 300×300: no layer" in capsys.readouterr().out


def test_a_long_list_is_cut_and_says_so():
    found = solve((14, 14), (14, 14), range(1, 60), [1])
    assert len(found) > 20
    assert (
        report((14, 14), (14, 14), found).splitlines()[-1]
        == f"  and {len(found) - 20} more; narrow the search with --kernel or --stride"
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--input", "7x7", "--output", "14"], "differ in their number of axes"),
        (["--input", "0", "--output", "14"], "size 0"),
        (["--input", "7", "--output", "x"], "--output 'x'"),
        (["--input", "7", "--output", "14", "--kernel", "a"], "--kernel 'a'"),
        (["--input", "7", "--output", "14", "--kernel", "5..3"], "--kernel 5..3"),
        (["--input", "7", "--output", "14", "--stride", "0"], "--stride 0"),
        (["--input", "7", "--output", "14", "--stride", "1..999"], "within 1..64"),
    ],
)
def test_wrong_sizes_get_one_sentence(words, says, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["solve", *words])
    err = capsys.readouterr().err
    assert stop.value.code == 2
    assert says in err
    assert err.count("\n") == 1
    assert ";" in err


def test_too_many_layers_are_refused_rather_than_left_out():
    with pytest.raises(ConvanimError, match="different arguments for each axis"):
        solve((40, 41), (7, 23), range(1, 65), range(1, 65))

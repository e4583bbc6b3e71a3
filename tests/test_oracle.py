import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from convanim.trace import oracle
from support.weighted import agree, layers, output_size, plain, thorough


def answer(case):
    """The oracle's output for a drawn layer, without its bias."""
    lines = case.lines
    x, weight = case.arrays[0], case.stamped
    stride, dilation = [line.stride for line in lines], [line.dilation for line in lines]
    padding = [(line.before, line.after) for line in lines]
    if not case.op.transposed:
        return oracle.convolve(x, weight, stride, padding, dilation, case.groups, case.mode)
    sizes = [output_size(line, transposed=True) for line in lines]
    return oracle.transpose(x, weight, stride, padding, dilation, case.groups, sizes)


@thorough
@given(layers())
def test_the_oracle_gives_what_plain_loops_give(case):
    case = replace(case, bias=None)
    assert agree(answer(case), plain(case), case)


@given(layers(transposed=False, modes=("zeros",)))
def test_a_negative_padding_crops(case):
    """An input with added zeros, and padding reduced by the same number, are the same layer."""
    x, weight = case.arrays[0], case.stamped
    grown = np.pad(x, [(0, 0), *((1, 2) for _ in case.lines)])
    stride, dilation = [line.stride for line in case.lines], [line.dilation for line in case.lines]
    padding = [(line.before - 1, line.after - 2) for line in case.lines]
    got = oracle.convolve(grown, weight, stride, padding, dilation, case.groups)
    assert agree(got, plain(replace(case, bias=None)), case)


@pytest.mark.parametrize(
    ("x", "weight", "stride", "padding", "dilation", "wanted"),
    [
        ([1, 2, 3, 4], [1, 10], 1, (0, 0), 1, [21, 32, 43]),
        ([1, 2, 3, 4], [1, 10], 2, (0, 0), 1, [21, 43]),
        ([1, 2, 3, 4], [1, 10], 1, (1, 0), 1, [10, 21, 32, 43]),
        ([1, 2, 3, 4], [1, 10], 1, (0, 1), 2, [31, 42, 3]),
        ([1, 2, 3, 4], [1, 10], 1, (-1, -1), 1, [32]),
        ([1, 2, 3, 4], [1, 10], 1, (-2, 1), 1, [43, 4]),
    ],
)
def test_convolve_by_hand(x, weight, stride, padding, dilation, wanted):
    got = oracle.convolve(np.array([x]), np.array([[weight]]), [stride], [padding], [dilation], 1)
    assert got.tolist() == [wanted]


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "size", "wanted"),
    [
        (1, (0, 0), 1, 4, [1, 12, 23, 30]),
        (2, (0, 0), 1, 6, [1, 10, 2, 20, 3, 30]),
        (3, (0, 0), 1, 9, [1, 10, 0, 2, 20, 0, 3, 30, 0]),
        (2, (1, 0), 1, 5, [10, 2, 20, 3, 30]),
        (1, (1, 2), 1, 1, [12]),
        (1, (0, 0), 3, 8, [1, 2, 3, 10, 20, 30, 0, 0]),
    ],
)
def test_transpose_by_hand(stride, padding, dilation, size, wanted):
    x, weight = np.array([[1, 2, 3]]), np.array([[[1, 10]]])
    assert oracle.transpose(x, weight, [stride], [padding], [dilation], 1, [size]).tolist() == [wanted]


def test_groups_do_not_see_each_other():
    x, weight = np.array([[1, 2], [10, 20]]), np.array([[[1]], [[5]]])
    assert oracle.convolve(x, weight, [1], [(0, 0)], [1], 2).tolist() == [[1, 2], [50, 100]]
    assert oracle.transpose(x, weight, [1], [(0, 0)], [1], 2, [2]).tolist() == [[1, 2], [50, 100]]


def test_it_imports_nothing_of_what_it_checks():
    tree = ast.parse(Path(oracle.__file__).read_text(encoding="utf-8"))
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert not [name for name in imported if name.startswith("convanim")]
    assert "numpy" in imported

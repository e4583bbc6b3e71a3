"""Traces as CSV, read with the standard library and summed up again with NumPy's tools for indices."""

import csv
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given

from convanim.layers import AvgPool, Conv, ConvTranspose, LpPool, MaxPool, PixelShuffle
from convanim.trace import Trace
from support.commands import run
from support.refusals import refused
from support.weighted import layers


def table(done: Trace, folder: Path) -> dict[str, list[float]]:
    """The columns of a saved trace; an empty cell is NaN."""
    done.save(folder / "t.csv")
    with (folder / "t.csv").open(encoding="ascii", newline="") as file:
        head, *rows = csv.reader(file)
    assert all(len(row) == len(head) for row in rows)
    return {name: [float(row[i] or "nan") for row in rows] for i, name in enumerate(head)}


def cells(told: dict[str, list[float]], side: str, rank: int) -> np.ndarray:
    """The indices of a side's cells, the channel first."""
    names = ["channel", *["slice", "row", "column"][-rank:]]
    none = [0.0] * len(told["step"])
    return np.array([told.get(f"{side}_{name}", none) for name in names])


@given(case=layers())
def test_products_add_up_to_the_output(case, tmp_path_factory):
    folder = tmp_path_factory.mktemp("csv")
    for done in (case.trace(), case.trace().by_input()):
        told, rank = table(done, folder), len(done.axes)
        values, factors, products, totals, output = (
            np.array(told[name]) for name in ("input", "factor", "product", "total", "output")
        )
        there = ~np.isnan(values)
        np.testing.assert_array_equal(values[there] * factors[there], products[there])
        read = cells(told, "input", rank)[:, there].astype(int)
        np.testing.assert_array_equal(done.x[tuple(read)], values[there])
        inside = ~np.isnan(output)
        wrote = tuple(cells(told, "output", rank)[:, inside].astype(int))
        np.testing.assert_array_equal(done.answer[wrote], output[inside])
        sums, last = np.zeros(done.shape), np.zeros(done.shape)
        np.add.at(sums, wrote, np.where(there, products, 0)[inside])
        last[wrote] = np.where(there, totals, 0)[inside]  # of equal cells numpy keeps the last one
        np.testing.assert_allclose(last, sums, rtol=1e-9, atol=1e-9 * max(1, np.abs(products[there]).max(initial=0)))
        bias = 0 if done.bias is None else done.bias.reshape(-1, *[1] * rank)
        assert done.agrees(np.asarray(sums + bias, done.answer.dtype))
        assert ("group" in told) == (done.op.groups > 1)


def test_a_table_is_what_its_documentation_says(tmp_path):
    Conv(2).trace([1, 2, 3], [4, 5], 1).save(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == (
        b"step,output_column,input_column,kernel_column,input,factor,product,total,output\n"
        b"0,0,0,0,1,4,4,4,15\n0,0,1,1,2,5,10,14,15\n1,1,1,0,2,4,8,8,24\n1,1,2,1,3,5,15,23,24\n"
    )


def test_cropped_products_and_empty_windows_have_empty_cells(tmp_path):
    told = table(ConvTranspose(2, padding=1).trace([1, 2], [1, 3]).by_input(), tmp_path)
    assert told["output_column"] == [-1, 0, 0, 1]
    assert np.isnan(told["output"]).tolist() == [True, False, False, True]
    told = table(Conv(1, padding=1).trace([5], [2], 3), tmp_path)
    assert told["step"] == [0, 1, 2]
    assert told["output"] == [3, 13, 3]
    assert np.isnan(told["product"]).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("op", "totals", "output"),
    [
        (MaxPool(2), [3, 3, -2, -1], [3, 3, -1, -1]),
        (AvgPool(2), [3, 4, -2, -3], [2, 2, -1.5, -1.5]),
        (LpPool(2, norm_type=2), [9, 10, 4, 5], [10**0.5, 10**0.5, 5**0.5, 5**0.5]),
    ],
)
def test_totals_of_poolings(op, totals, output, tmp_path):
    told = table(op.trace([3, 1, -2, -1]), tmp_path)
    assert told["total"] == totals
    np.testing.assert_allclose(told["output"], output)


def test_a_shuffle_has_channels(tmp_path):
    told = table(PixelShuffle(2).trace(np.arange(8).reshape(4, 1, 2)), tmp_path)
    assert told["input_channel"] == [0, 1, 0, 1, 2, 3, 2, 3]
    assert told["output"] == told["input"]


def test_the_command_line_writes_and_refuses(tmp_path):
    words = ["transposed", "--input", "2", "--kernel", "2", "--view", "overlap-add", "-o", tmp_path / "a.csv"]
    assert "a.csv, 2 steps, " in run(*words).out
    done = run(*words, "--max-size", "1MB")
    assert "--max-size cannot be combined with .csv" in done.err
    assert "a trace has no page" in run(*words, "--theme", "dark").err
    with patch("convanim.write.csvfile.MOST_ROWS", 3):
        refused(lambda: Conv(2).trace([1, 2, 3], [4, 5]).save(tmp_path / "b.csv"), "4 products", "at most 3 rows")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]

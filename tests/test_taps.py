from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convanim.trace.taps import NOWHERE, Taps
from support.weighted import thorough

AXES = st.fixed_dictionaries(
    {
        "wide": st.integers(1, 20),
        "narrow": st.integers(1, 8),
        "kernel": st.integers(1, 6),
        "stride": st.integers(1, 7),
        "padding": st.integers(0, 12),
        "dilation": st.integers(1, 4),
    }
)


def triples(axis):
    """Every (wide, narrow, k) of the relation, by trying all of them."""
    s, p, d = axis["stride"], axis["padding"], axis["dilation"]
    places = product(range(axis["wide"]), range(axis["narrow"]), range(axis["kernel"]))
    return {(w, n, k) for w, n, k in places if w == n * s - p + k * d}


def read(taps):
    """The (source, target, k) of each tap, in order."""
    return list(zip(taps.source.tolist(), taps.target.tolist(), taps.k.tolist(), strict=True))


@thorough
@given(AXES)
def test_the_taps_are_all_that_satisfy_the_relation(axis):
    taps = Taps.along(**axis)
    assert len(read(taps)) == len(triples(axis))
    assert set(read(taps)) == triples(axis)
    assert (taps.sources, taps.targets, taps.kernel) == (axis["wide"], axis["narrow"], axis["kernel"])


@thorough
@given(AXES)
def test_the_transpose_reads_the_same_taps_the_other_way(axis):
    taps = Taps.along(**axis)
    assert [(t, s, k) for s, t, k in read(taps)] == read(taps.T)
    assert read(taps.T.T) == read(taps)
    assert (taps.T.sources, taps.T.targets) == (taps.targets, taps.sources)
    np.testing.assert_array_equal(taps.by_source(), taps.T.by_target())
    np.testing.assert_array_equal(taps.by_target(), taps.T.by_source())


@thorough
@given(AXES)
def test_both_tables_hold_every_tap_and_nothing_else(axis):
    taps = Taps.along(**axis)
    for table, own, cells in (
        (taps.by_target(), taps.target, taps.targets),
        (taps.by_source(), taps.source, taps.sources),
    ):
        assert len(table) == cells
        held = [row[row != NOWHERE] for row in table]
        assert sorted(np.concatenate(held).tolist()) == list(range(len(taps.k)))  # each tap once
        assert all((own[row] == cell).all() for cell, row in enumerate(held))
        assert all((np.diff(row) > 0).all() for row in held)  # in order
        assert all((row[len(numbers) :] == NOWHERE).all() for row, numbers in zip(table, held, strict=True))
        assert table.shape[1] == max(1, *(len(row) for row in held)) if len(held) > 1 else table.shape[1] >= 1


@thorough
@given(AXES)
def test_overlap_counts_the_taps_that_end_in_a_cell(axis):
    for taps in (Taps.along(**axis), Taps.along(**axis).T):
        counts = [sum(target == cell for _, target, _ in read(taps)) for cell in range(taps.targets)]
        assert taps.overlap().tolist() == counts


@thorough
@given(AXES)
def test_runs_reproduce_the_taps(axis):
    for taps in (Taps.along(**axis), Taps.along(**axis).T):
        found = []
        for k, source, target in taps.runs():
            sources, targets = range(taps.sources)[source], range(taps.targets)[target]
            assert len(sources) == len(targets) > 0
            found += [(s, t, k) for s, t in zip(sources, targets, strict=True)]
        assert len(found) == len(read(taps))
        assert set(found) == set(read(taps))


@pytest.mark.parametrize(
    ("kernel", "stride", "counts"),
    [
        (3, 2, [1, 1, 2, 1, 2, 1, 1]),
        (4, 2, [1, 1, 2, 2, 2, 2, 1, 1]),
        (2, 2, [1, 1, 1, 1, 1, 1]),
        (4, 4, [1] * 12),
        (5, 4, [1, 1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 1]),
    ],
)
def test_the_checkerboard_along_a_line_of_three(kernel, stride, counts):
    taps = Taps.along(wide=len(counts), narrow=3, kernel=kernel, stride=stride).T
    assert taps.overlap().tolist() == counts


def test_no_tap_lands_where_a_stride_jumps_over():
    taps = Taps.along(wide=16, narrow=4, kernel=3, stride=4).T
    assert np.flatnonzero(taps.overlap() == 0).tolist() == [3, 7, 11, 15]


def test_a_kernel_that_lies_in_the_padding_has_no_tap():
    taps = Taps.along(wide=2, narrow=3, kernel=1, padding=5)
    assert read(taps) == []
    assert list(taps.runs()) == []
    assert taps.by_target().tolist() == [[NOWHERE]] * 3
    assert taps.overlap().tolist() == [0, 0, 0]

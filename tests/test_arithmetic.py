import re
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from convanim.explanation import explain
from convanim.explanation.arithmetic import count, evenness, multiplications, overlap, per_axis, rings, sides
from convanim.language.numerals import MINUS
from convanim.layers import Axis, Conv, ConvTranspose, parse, times
from support.refusals import refused
from support.weighted import layers, output_size, reach, thorough


def section(text, head):
    """The lines below a heading, up to the next empty one."""
    (block,) = (block for block in text.split("\n\n") if block.startswith(head))
    return block.splitlines()[1:]


def worked_out(expression):
    """The value of an expression as it is printed."""
    assert re.fullmatch(r"[0-9 ()+·/⌊⌋−]+", expression), expression
    python = re.sub(r"(\d+)", r"Fraction(\1)", expression).replace("·", "*").replace("−", "-")
    python = python.replace("⌊", "floor(").replace("⌋", ")")
    return eval(python, {"Fraction": Fraction, "floor": floor})  # noqa: S307 - digits and signs alone


@thorough
@given(layers())
def test_every_sum_on_the_page_is_right(case):
    op, wanted = case.op, [output_size(line, transposed=case.op.transposed) for line in case.lines]
    text = explain(op, case.sizes)
    assert text.splitlines()[0] == f"{op}   {times(case.sizes)} → {times(wanted)}"
    told = [re.fullmatch(r".*  o = (.+) = (\d+)", line) for line in section(text, "Output size")[1:]]
    assert [int(row[2]) for row in told] in (wanted, wanted[:1])
    assert len(set(wanted)) == 1 or len(told) == len(wanted)
    for row in told:
        assert worked_out(row[1]) == int(row[2])
    own = text.partition("In other frameworks")[0]  # hyphens are not minus signs there
    assert not re.search(r"(?<![a-z])-|-(?![a-z])", own)
    assert not any(line != line.rstrip() for line in text.splitlines())


@thorough
@given(layers())
def test_the_number_of_multiplications_is_that_of_the_terms(case):
    done = case.trace()
    assert multiplications(done.axes) * case.inputs * case.outputs // case.op.groups == sum(
        len(step.terms) for step in done
    )


@given(layers())
def test_the_products_that_meet_in_a_cell_are_those_of_its_steps(case):
    if case.op.transposed:
        for axis, taps in zip(case.trace().axes, case.trace().by_output().taps, strict=True):
            assert [overlap(axis, cell) for cell in range(axis.output)] == taps.overlap().tolist()


@given(layers())
def test_the_two_views_of_a_transposed_layer_add_up(case):
    text = explain(case.op, case.sizes)
    if case.op.transposed:
        inserted = re.findall(r"s − 1 = (\d+) between neighbours: (\d+) → (\d+)", text)
        after_it = r"d\(k − 1\) − p′(?: \+ op)? = (−?\d+) after\n +then +(\d+) → (\d+)"
        ring = re.findall(r"d\(k − 1\) − p = (−?\d+) before, " + after_it, text)
        for (zeros, size, spread), (before, after, start, stage) in zip(inserted, ring, strict=True):
            assert int(spread) == int(size) + (int(size) - 1) * int(zeros) == int(start)
            assert int(start) + sum(int(side.replace(MINUS, "-")) for side in (before, after)) == int(stage)
        crop = r"\+ 1 = (\d+), crop (\d+) before and (\d+) after"
        canvases = re.findall(crop + r"(?:.*keeps (\d+))?(?:.*adds? (\d+))?", text)
        assert len(canvases) == len(ring) == len(inserted) > 0
        outputs = [int(full) - int(p) - int(q) + int(kept or 0) + int(new or 0) for full, p, q, kept, new in canvases]
        assert outputs[0] == case.op.axes(case.sizes)[0].output
    else:
        padded = re.findall(r"padding (\d+) before and (\d+) after: (\d+) → (\d+)", text)
        assert padded
        for before, after, size, stage in padded:
            assert int(before) + int(size) + int(after) == int(stage)
        assert ("unused" in text) == any(a.unused for a in case.op.axes(case.sizes))


@thorough
@given(st.integers(1, 9), st.integers(1, 7), st.integers(1, 4))
def test_evenness_is_what_counting_finds_far_from_the_border(kernel, stride, dilation):
    cells = 3 * kernel * dilation + 30
    met = [0] * (cells * stride + kernel * dilation)
    for i in range(cells):
        for k in range(kernel):
            met[i * stride + k * dilation] += 1
    inner = met[kernel * dilation : cells * stride - kernel * dilation]
    axis = Axis(cells, 1, kernel, stride, dilation=dilation, transposed=True)
    assert evenness(axis) == (len(set(inner)) == 1, min(inner), max(inner))


@thorough
@given(st.integers(1, 9), st.integers(1, 7))
def test_uneven_layers_are_warned_of_and_the_cure_cures(kernel, stride):
    text = explain(ConvTranspose(kernel, stride), (4,))
    assert ("warning" in text) == (kernel % stride != 0)
    for size in re.findall(r"kernel size (.*) would be even", text):
        for cure in map(int, size.split(" or ")):
            assert "warning" not in explain(ConvTranspose(cure, stride), (4,))
            assert abs(cure - kernel) < stride


@pytest.mark.parametrize(
    ("notation", "sizes", "wanted"),
    [
        (
            "ConvTranspose(3, 2, padding=1)",
            (3, 3),
            [
                "ConvTranspose(kernel_size=3, stride=2, padding=1)   3×3 → 5×5",
                "every axis  o = (3 − 1)·2 + 3 − 2·1 = 5",
                "s − 1 = 1 between neighbours: 3 → 5",
                "d(k − 1) − p = 1 before, d(k − 1) − p′ = 1 after",
                "5 → 7; the kernel",
                "canvas (i − 1)·s + d(k − 1) + 1 = 7, crop 1 before and 1 after",
                "multiplications  49 ",
                "25 placements × 9 weights = 225",
                "warning: the overlap is uneven (every axis): 1 to 2 products per cell, as k mod s = 3 mod 2 = 1; "
                "kernel size 2 or 4 would be even",
            ],
        ),
        (
            "ConvTranspose(3, 2, padding=1, output_padding=1)",
            (3, 3),
            ["o = (3 − 1)·2 + 3 − 2·1 + 1 = 6", "d(k − 1) − p′ + op = 2 after", "output padding keeps 1", "1:2"],
        ),
        (
            "ConvTranspose(1, 3, padding=((0, 1), (1, 0)))",
            (2, 3),
            [
                "rows        o = (2 − 1)·3 + 1 − 0 − 1 = 3",
                "columns     o = (3 − 1)·3 + 1 − 1 − 0 = 6",
                "d(k − 1) − p = 0 before, d(k − 1) − p′ = −1 after",
                "4 → 3; the kernel",
                "d(k − 1) − p = −1 before, d(k − 1) − p′ = 0 after",
                "7 → 6; the kernel",
                "0 to 1 products per cell, as k mod s = 1 mod 3 = 1; kernel size 3 would be even",
            ],
        ),
        (
            "ConvTranspose(2, 2, dilation=2)",
            (3,),
            ["(3 − 1)·2 + (2·1 + 1) = 7", "along the line", "1 0 2 0 2 0 1", "as dilation 2 with stride 2"],
        ),
        (
            "Conv(3, 2, padding=1)",
            (6, 6),
            [
                "⌊(6 + 2·1 − 3) / 2⌋ + 1 = 3",
                "padding 1 before and 1 after: 6 → 8, stride 2",
                "leaves 1 cell at the end",
            ],
        ),
        ("Conv(2, 3)", (7,), ["⌊(7 − 2) / 3⌋ + 1 = 2", "the floor leaves 2 cells at the end unused"]),
        ("Conv(3, dilation=2)", (7, 7), ["7 − (2·2 + 1) + 1 = 3", "multiplications  81 "]),
        ("Conv(2, padding='same')", (5,), ["5 + 0 + 1 − 2 + 1 = 5", "padding 0 before and 1 after: 5 → 6", "0:1"]),
        (
            "Conv((1, 2, 3))",
            (2, 3, 4),
            ["depth", "rows", "columns", "2×3×4 → 2×2×2", "2 − 1 + 1 = 2", "3 − 2 + 1 = 2", "4 − 3 + 1 = 2"],
        ),
    ],
)
def test_a_layer_is_explained_with_its_own_numbers(notation, sizes, wanted):
    text = explain(parse(notation), sizes)
    for piece in wanted:
        assert piece in text, text


def test_only_a_transposed_layer_overlaps():
    text = explain(Conv(3, 2), (7, 7))
    assert "overlap" not in text
    assert "warning" not in text
    assert "zero insertion" not in text


def test_a_long_overlap_pattern_is_cut():
    line = next(row for row in explain(ConvTranspose(2, 2), (40,)).splitlines() if "overlap counts" in row)
    assert line.count("1") == 24
    assert "…" in line


@pytest.mark.parametrize("sizes", [(0,), (3, 0), (-1, 3)])
def test_an_input_without_cells_is_refused(sizes):
    refused(lambda: explain(Conv(1, padding=2), sizes), "has no cells")


@pytest.mark.parametrize(
    ("op", "size"), [(Conv(3), 10**15), (ConvTranspose(3), 10**15), (Conv(2**24, padding=2**24), 10)]
)
def test_a_layer_beyond_memory_is_explained_or_refused(op, size):
    text, said = "", ""
    try:
        text = explain(op, (size,))
    except ConvanimError as error:
        said = error.hint
    assert "Output size" in text or said


def test_words():
    assert [count(n, "cell") for n in (0, 1, 2)] == ["0 cells", "1 cell", "2 cells"]
    assert (count(2, "pass"), count(2, "box")) == ("2 passes", "2 boxes")
    assert (per_axis([3]), per_axis([3, 3, 3]), per_axis([3, 3, 1])) == ("3", "3", "3×3×1")
    assert sides([(-1, 2), (-1, 2)]) == "−1:2"
    assert sides([(0, 0), (1, 0)]) == "0×1:0"


@given(layers())
def test_rings_are_what_is_put_around_the_stage(case):
    for ring, line in zip(rings(case.op.axes(case.sizes)), case.lines, strict=True):
        around = reach(line) - 1 - line.before if case.op.transposed else line.before
        assert ring[0] == around

"""Symbols: letters with indices, alone and in scenes."""

import re
from math import prod

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from convanim.draw.raster import Raster
from convanim.draw.text import frame_text
from convanim.draw.theme import load
from convanim.language.symbols import Symbols, symbol
from convanim.layers import Conv, ConvTranspose
from convanim.page import glyphs, layout
from convanim.scene.frame import Role
from convanim.scene.stamp.canvas import LetteredCanvas
from convanim.scene.stamp.scatter import ScatterScene
from convanim.scene.whole.letters import Letters
from convanim.scene.window.gather import GatherScene
from convanim.trace import ConvTrace
from support.scenes import small

SETTINGS = settings(max_examples=80)
DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def read(text: str) -> tuple[str, tuple[int, ...]]:
    """Parse a symbol into its letter and indices, independently."""
    letter, place = text[0], text[1:].translate(DIGITS)
    return letter, tuple(map(int, place.split(","))) if "," in place else tuple(map(int, place))


def worth(terms: list[tuple[str, str]], trace: ConvTrace) -> int:
    """The value of products of letters, with numbers in their place."""
    values = {"b": trace.x[0], "w": trace.kernel[0, 0]}
    total = 0
    for pair in terms:
        total += prod(int(values[letter][place]) for letter, place in map(read, pair))
    return total


@given(st.lists(st.integers(1, 13), min_size=2, max_size=2), st.data())
def test_a_symbol_can_be_read_back(shape: list[int], data: st.DataObject) -> None:
    numerals = Symbols([("b", shape)], [("b", shape), ("w", (3, 2))])
    place = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    assert read(numerals.text(numerals.codes()[place])) == ("b", place)
    pair = numerals.text(numerals.codes(1)[(*place, 2, 1)])
    assert pair == symbol("b", place) + "w₂₁"
    assert numerals.exact(5)
    assert not numerals.rounded


def test_all_codes_of_all_kinds_differ() -> None:
    numerals = Symbols([("b", (12, 11))], [("Σ", (9,))], [("c", (4,)), ("w", (2, 2))])
    codes = np.concatenate([numerals.codes(kind).ravel() for kind in range(3)])
    assert codes.tolist() == list(range(1, 12 * 11 + 9 + 16 + 1))
    texts = [numerals.text(code) for code in codes.tolist()]
    assert len(set(texts)) == len(texts)
    assert numerals.widest(codes[:132]) == "b₁₁,₁₀"
    assert len(numerals.widest(codes)) == max(map(len, texts))
    assert numerals.widest(np.zeros(3, int)) == "0"


def test_one_axis_has_one_number_and_the_font_has_them_all() -> None:
    assert symbol("w", (12,)) == "w₁₂"
    assert symbol("w", (1, 2)) == "w₁₂"
    assert symbol("w", (10, 0)) == "w₁₀,₀"
    for bold in (False, True):
        assert glyphs.width("b₀₁₂₃₄w₅₆₇₈₉,Σβ·…", 20, bold) > 0


@SETTINGS
@given(small())
def test_sums_of_letters_are_the_sums_of_the_numbers(trace: ConvTrace) -> None:
    letters, trace = Letters(trace), trace.by_output()
    bias = 0 if trace.bias is None else int(trace.bias[0])
    for step in trace:
        caption = letters.sum(step, "nothing")
        assert read(caption.subject) == ("c", tuple(step.writes[0, 1:].tolist()))
        assert (caption.terms[-1:] == ("β",)) == (trace.bias is not None)
        assert (
            worth([(a, b) for a, b in (t.split("·") for t in caption.terms if t != "β")], trace) + bias
            == step.written[0]
        )
        assert caption.remark == ("" if len(step.reads) else "nothing")
        assert caption.result == ("" if caption.terms else "0")


def test_the_kernel_of_a_layer_that_is_not_rotated_has_its_own_letters() -> None:
    trace = ConvTranspose(2, convention="jax", padding="valid").trace(
        np.array([[1], [10]]), np.array([3, 4]).reshape(2, 1, 1)
    )
    letters = Letters(trace)
    for step in trace:
        terms = [tuple(t.split("·")) for t in letters.sum(step).terms]
        assert worth(terms, trace) == step.written[0]


@SETTINGS
@given(small(), st.data())
def test_a_scene_in_letters_is_the_scene_in_numbers_with_other_texts(trace: ConvTrace, data: st.DataObject) -> None:
    kind, ordered = GatherScene, trace.by_output()
    if trace.op.transposed and data.draw(st.booleans()):
        kind, ordered = ScatterScene, trace.by_input()
    told, lettered = kind(ordered), kind(ordered, symbols=True)
    assert told.beats == lettered.beats
    assert told.phases == lettered.phases
    for number in range(told.beats.total):
        a, b = told.frame(number), lettered.frame(number)
        assert (a.phase, a.step) == (b.phase, b.step)
        for panel in lettered.panels:
            mine, theirs = a.grids[panel.name], b.grids[panel.name]
            assert (mine.roles == theirs.roles).all()
            assert (mine.emphasis == theirs.emphasis).all()
            assert mine.outlines == theirs.outlines
            assert set(mine.notes) == set(theirs.notes)
            longest = len(panel.numerals.widest(panel.values))
            seen = theirs.values[~np.isin(theirs.roles, [Role.NONE, Role.PENDING])]
            assert all(len(panel.numerals.text(v)) <= longest for v in seen.tolist())
            # A frame never shows a code that is not among its panel's values.
            assert np.isin(seen, [0, *panel.values.ravel()]).all()
    last = lettered.frame(lettered.beats.total - 1)
    final = last.grids[lettered.panels[-1].name]
    texts = [lettered.panels[-1].numerals.text(v) for v in final.values[final.roles == Role.DONE].tolist()]
    shape = trace.answer.shape[1:]
    assert [read(t) for t in texts] == [("c", tuple(map(int, place))) for place in np.ndindex(*shape)]


@SETTINGS
@given(small(transposed=True), st.data())
def test_a_canvas_of_letters_tells_what_lies_on_it(trace: ConvTrace, data: st.DataObject) -> None:
    trace = trace.by_input()
    canvas = LetteredCanvas(trace)
    stamps = data.draw(st.integers(1, len(trace)))
    counts = np.zeros(canvas.shape, int)
    for i in range(stamps):
        np.add.at(counts, canvas.cells(trace[i]), 1)
    sums = np.zeros(canvas.shape, int)
    for i in range(stamps):
        np.add.at(sums, canvas.cells(trace[i]), trace[i].written)
    for cell, code in np.ndenumerate(canvas.after(stamps)):
        text = canvas.numerals[3].text(code.item())
        if counts[cell] > 1:
            assert read(text) == ("Σ", (counts[cell],))
        elif counts[cell] == 1:
            pair = re.findall(r"[bw][^bw]+", text)
            assert worth([tuple(pair)], trace) == sums[cell]
        else:
            assert text == "0"
    assert (canvas.hit(stamps) == (counts > 0)).all()


def test_a_window_over_letters_as_it_is_told() -> None:
    s = GatherScene(Conv(2, 1, 1).trace([[1, 2], [3, 4]], [[1, 0], [0, 1]], 5), symbols=True)
    told = """\
frame 5 (400 ms)   slide   2 of 9
input, padded                             kernel        output
        ○   [○×w₀₀]   [○×w₀₁]         ○     w₀₀   w₀₁     c₀₀ <c₀₁>     _
        ○ [b₀₀×w₁₀] [b₀₁×w₁₁]         ○   [w₁₀] [w₁₁]       _     _     _
        ○       b₁₀       b₁₁         ○                     _     _     _
        ○         ○         ○         ○
c₀₁ = b₀₀·w₁₀ + b₀₁·w₁₁ + β
"""
    assert frame_text(s, s.frame(5), 5, 400) == told


def test_the_stamps_of_two_letters_as_they_are_told() -> None:
    s = ScatterScene(ConvTranspose(2).trace([1, 2], [3, 4]).by_input(), symbols=True)
    told = """\
frame 6 (600 ms)   add the product   2 of 2
input
  b₀ <b₁>
   kernel
 × w₀ w₁
   product
 = b₁w₀ b₁w₁
output
           b₀w₀ <Σ₂ = … + b₁w₀>          <b₁w₁>
output[1:3] += b₁ · kernel   Σ₂ = b₀w₁ + b₁w₀

frame 7 (600 ms)   add the product   2 of 2
input
b₀ b₁
   kernel
 × w₀ w₁
   product
 = _ _
output
c₀ c₁ c₂
output size = (2 − 1)·1 + 2 = 3
"""
    assert "\n".join(frame_text(s, s.frame(i), i, 600) for i in (6, 7)) == told


def test_long_sums_of_letters_are_shortened() -> None:
    s = ScatterScene(ConvTranspose(3).trace(np.ones((2, 2), int), np.ones((3, 3), int)).by_input(), symbols=True)
    text = s.frame(1 + 4 * s.beats.each - 1).captions[0].text()
    assert text == "output[1:4, 1:4] += b₁₁ · kernel   Σ₄ = b₀₀w₁₁ + b₀₁w₁₀ + … + b₁₁w₀₀, …"


def test_letters_without_room_leave_the_colours_of_their_roles() -> None:
    s = ScatterScene(ConvTranspose(3, 2).trace(np.ones((5, 5), int), np.ones((3, 3), int)).by_input(), symbols=True)
    page = layout(s, 320, 180)
    place = page.places["canvas"]
    assert not place.number
    assert not place.shaded
    assert place.scale is None
    raster = Raster(s, page, load("light"))
    for number in range(s.beats.total):
        picture = raster.draw(s.frame(number))
    colours = {
        picture.pixels[box.top + 2, box.left + 2] for box in (place.cell(0, 0), place.cell(2, 2), place.cell(9, 3))
    }
    assert colours == {raster.palette.solid("done.fill")}

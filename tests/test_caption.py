"""Captions as data and on the page: marked numbers, the terms that are left out, tabs and progress."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convanim.animation import Animation
from convanim.draw.compose import Composer
from convanim.draw.shapes import Card, Fill, Words
from convanim.language.words import join, marked, spans_of, translate
from convanim.layers import AvgPool, Conv, ConvTranspose, LpPool, MaxPool
from convanim.page import layout
from convanim.page.texts import in_line
from convanim.scene import Scene, Shown, scene
from convanim.scene.caption import REMARK, WAITING, Caption
from convanim.scene.spoken import Spoken, catalogue
from support.scenes import any_scene, some_frames


def counting(*shape: int) -> Any:
    return np.arange(1, np.prod(shape) + 1).reshape(shape)


SMALL = counting(3, 3)
UP = ConvTranspose(3, 2, 1).trace(SMALL, counting(3, 3))


def placements(s: Scene) -> list[Caption]:
    """The caption of each placement once its result is written."""
    opening, steps, each, _, _ = s.beats
    return [s.frame(opening + n * each + each - 1).captions[0] for n in range(steps)]


# --- which terms are left out -----------------------------------------------------------------------------------------


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=12), st.integers(0, 12))
def test_the_terms_that_count_least_are_left_out(values: list[int], most: int) -> None:
    terms = tuple(f"t{i}" for i in range(len(values)))
    caption = Caption("y", terms, "1", weights=tuple(map(abs, values)))
    kept = [t for t in caption.text(most).split(" = ")[1].split(" + ") if t != "…"]
    assert kept == [t for t in terms if t in kept]
    assert len(kept) == min(most, len(terms))
    out = [abs(v) for t, v in zip(terms, values, strict=True) if t not in kept]
    assert not kept or max(out, default=0) <= min(abs(values[int(t[1:])]) for t in kept)
    assert ("…" in caption.text(most)) == (len(kept) < len(terms))


def test_the_only_term_that_counts_is_never_left_out() -> None:
    x = np.full((4, 4), 1.0)
    x[1, 2] = 1e10
    s = scene(Conv(4).trace(x, np.ones((4, 4))))
    caption = placements(s)[0]
    for width in (240, 320, 640):
        page = layout(s, width, width * 9 // 16)
        told = "".join(text.text for text in in_line(page.captions[0], caption))
        assert "1e10 · 1" in told, told
        assert "…" in told


def test_a_bias_is_left_out_last() -> None:
    caption = placements(scene(Conv(3).trace(counting(3, 3), counting(3, 3), -1)))[0]
    assert "bias (−1) + … = " in caption.text(1)


# --- what is zero is said ---------------------------------------------------------------------------------------------


def test_what_is_left_out_as_zero_is_said() -> None:
    told = [caption.text() for caption in placements(scene(UP))]
    assert told[7] == "output[1,2] = 2·8 + 5·2 = 26   7 of 9 cells are zeros"
    one = placements(scene(Conv(2).trace([[0, 1], [2, 3]], [[1, 1], [1, 1]])))[0]
    assert one.remark == "1 of 4 cells is a zero"
    weight = placements(scene(Conv(2).trace([[4, 1], [2, 3]], [[1, 0], [0, 1]])))[0]
    assert weight.remark == "2 of 4 products are zero"
    none = placements(scene(Conv(2).trace([[4, 1], [2, 3]], [[1, 1], [1, 1]])))[0]
    assert none.remark == ""


@given(any_scene())
def test_the_cells_that_are_said_to_be_zeros_are(s: Scene) -> None:
    for frame in some_frames(s):
        for caption in frame.captions:
            words = caption.remark.split(" ")
            if words[1:2] != ["of"] or "stage" not in frame.grids or words[3] not in ("cells", "cell"):
                continue
            stage = frame.grids["stage"]
            under = stage.values[stage.emphasis == 1]
            assert (int(words[0]), int(words[2])) == ((under == 0).sum(), under.size)


# --- marks ------------------------------------------------------------------------------------------------------------


@given(any_scene())
def test_marks_change_no_word(s: Scene) -> None:
    """On the page, a sum has the words of its text; only the cell that is outlined is not named, and brackets go."""
    for frame in some_frames(s):
        for caption in frame.captions:
            on_page = "".join(text for text, _ in caption.spans())
            text = caption.text()
            if caption.waits:
                text = caption.text().partition("   ")[0]
                on_page = on_page.partition("   ")[0].removesuffix(f" {caption.outcome} {caption.result.strip('()')}")
            if caption.seen and caption.terms:
                text = text.replace(f"{caption.subject} {caption.relation} ", "", 1)
            assert plain(on_page) == plain(text)


def plain(text: str) -> str:
    return text.replace(" · ", "·").replace("(", "").replace(")", "").replace(" − ", " + −")


@pytest.mark.parametrize(
    ("s", "marks"),
    [
        (scene(UP), {"data", "kernel", "done"}),
        (scene(UP, "overlap-add"), {"data", "kernel"}),
        (scene(UP, "matrix"), {"data", "kernel", "done"}),
        (scene(UP, "zero-insertion", Shown(symbols=True)), {"data", "kernel", "done"}),
        (scene(MaxPool(2).trace(counting(4, 4))), {"data", "done"}),
        (scene(AvgPool(2).trace(counting(4, 4))), {"data", "done"}),
        (scene(LpPool(2, 2).trace(counting(4, 4))), {"data", "done"}),
        (scene(Conv(2).trace(counting(2, 3, 3), counting(1, 2, 2, 2))), {"product", "done"}),
    ],
)
def test_the_terms_of_a_sum_have_the_colours_of_their_roles(s: Scene, marks: set[str]) -> None:
    page = layout(s, 1280, 720)
    composer = Composer(page, s.beats.steps)
    frame = s.frame(s.beats.opening + s.beats.each - 1)
    (caption,) = frame.captions
    assert {mark for _, mark in caption.spans()} - {"", REMARK} == marks | ({"overlap"} & marks)
    shapes = composer.words(frame)["caption 0"]
    cards = [shape for shape in shapes if isinstance(shape, Card)]
    assert {card.ink for card in cards} == {f"{mark}.lit" for mark in marks}
    for card in cards:
        (number,) = [w for w in shapes if isinstance(w, Words) and w.text.chipped and w.text.chip == card.box]
        assert (number.ink, number.paper, number.text.bold) == ("text", card.ink, True)
    assert not any(a.box.meets(b.box) for a, b in combinations(cards, 2))


def test_a_result_that_is_not_known_yet_keeps_its_room() -> None:
    s = scene(UP)
    page = layout(s, 1280, 720)
    opening, _, each, _, _ = s.beats
    before, after = (in_line(page.captions[0], s.frame(opening + 7 * each + part).captions[0]) for part in (0, 1))
    assert [(t.text, t.x) for t in before] == [(t.text, t.x) for t in after]
    assert [t.mark for t in before if t.mark == WAITING] == [WAITING]
    shapes = Composer(page, s.beats.steps).words(s.frame(opening + 7 * each))["caption 0"]
    assert "26" not in [shape.text.text for shape in shapes if isinstance(shape, Words)]


def test_a_mark_survives_translation_twice() -> None:
    words = catalogue("fr")
    text = join(": ", [marked("2", "data"), "3"])
    assert spans_of(translate(translate(text, words), words)) == (("2", "data"), (" : ", ""), ("3", ""))
    s = Spoken(scene(UP, "overlap-add"), words)
    (caption,) = s.frame(3).captions
    assert ("noyau", "kernel") in caption.spans()


def test_the_sum_of_an_overlap_has_its_colour() -> None:
    s = scene(ConvTranspose(2).trace([[0, 1], [2, 3]], [[0, 1], [2, 3]]), "overlap-add")
    (caption,) = s.frame(s.beats.opening + 4 * s.beats.each - 1).captions
    assert [text for text, mark in caption.spans() if mark == "overlap"] == ["4"]


# --- tabs and progress ------------------------------------------------------------------------------------------------


def test_phases_are_words_with_numbered_dots() -> None:
    s = scene(UP)
    page = layout(s, 1280, 720)
    assert [tab.number.text for tab in page.tabs] == ["1", "2", "3", "4"]
    assert [tab.idle.text for tab in page.tabs] == ["Insert zeros", "Pad", "Turn the kernel", "Slide"]
    for tab in page.tabs:
        top, left, bottom, right = tab.dot
        assert bottom - top == right - left
        number = tab.number.box
        assert top < number.top
        assert left < number.left
        assert bottom > tab.number.baseline
        assert right > number.right
        middle = tab.idle.baseline - 0.73 * tab.idle.size / 2
        assert abs((top + bottom) / 2 - middle) <= 1


@given(any_scene())
def test_no_tab_has_an_amount(s: Scene) -> None:
    """Amounts stand in the captions, where they are needed."""
    for phase in s.phases:
        assert not any(c.isdigit() or c == "=" for c in phase.name.replace("bold =", "").replace("dashed =", ""))


def test_the_amounts_are_told_in_their_phases() -> None:
    s = scene(ConvTranspose(4, 3, 1).trace(SMALL, counting(4, 4)))
    told = {s.phases[s.frame(i).phase].key: s.frame(i).captions[0].text() for i in range(s.beats.opening)}
    assert told == {
        "insert": "insert 2 zeros between rows",
        "pad": "pad by 2 = kernel 4 − 1 − padding 1",
        "rotate": "turn by 180 degrees: … and top to bottom",
        "slide": "slide by 1: the stride 3 became the zeros",
    }


def test_the_bar_along_the_edge_shows_the_progress() -> None:
    animation = Animation(UP)
    s, page = animation.scene, animation.page
    composer = Composer(page, s.beats.steps)
    for number in range(0, s.beats.total, 5):
        frame = s.frame(number)
        done, rest = (shape.box for shape in composer.words(frame)["progress"] if isinstance(shape, Fill))
        assert done.right == rest.left == round(page.width * frame.step / s.beats.steps)
        assert (done.left, rest.right, done.bottom, rest.bottom) == (0, page.width, page.height, page.height)
    bare = Animation(UP, template="minimal")
    assert not bare.page.bar
    assert "progress" not in Composer(bare.page, 25).words(bare.scene.frame(9))

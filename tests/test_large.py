"""Inputs too large for numbers: shades, one pixel a cell and less, magnified windows, photographs."""

from dataclasses import replace
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from convanim.animation import Animation
from convanim.draw.axes import Canvas
from convanim.draw.compose import Composer
from convanim.draw.mosaic import covering, mosaic, pixels
from convanim.draw.raster import Raster
from convanim.draw.shapes import Mosaic, Stroke
from convanim.draw.theme import load, themes
from convanim.errors import ConvanimError
from convanim.layers import AvgPool, Conv, ConvTranspose, MaxPool
from convanim.look import Look
from convanim.page import Page, Place, layout
from convanim.page.lens import magnified
from convanim.page.measures import DIGITS, GAPS_FROM
from convanim.scene import scene
from convanim.scene.frame import Frame, Grid, Role
from convanim.scene.stamp.canvas import extremes
from convanim.template import settle, templates
from support.commands import run
from support.needs import need_module

Array = NDArray[Any]
SOBEL = [[1, 0, -1], [2, 0, -2], [1, 0, -1]]
SETTINGS = settings(max_examples=25)


def digit(side: int = 28) -> Array:
    """A ring of high values on zeros, like a handwritten digit."""
    y, x = np.mgrid[:side, :side] - side / 2
    return np.where(abs(np.hypot(x, y) - side / 4) < side / 14, 255, 0)


def shot(animation: Animation, number: int = -1) -> Array:
    """A frame as it is decoded by Pillow from a PNG of ours."""
    return np.asarray(Image.open(BytesIO(animation.still(number))).convert("RGB"))


def middle_of(place: Place, row: int, column: int) -> tuple[int, int]:
    top, left, bottom, right = place.cell(row, column)
    return (top + bottom) // 2, (left + right) // 2


def placement(animation: Animation, step: int) -> Frame:
    beats = animation.scene.beats
    return animation.scene.frame(beats.opening + step * beats.each - 1)


# --- shades ---------------------------------------------------------------------------------------------------------


@SETTINGS
@given(
    st.integers(2, 40),
    st.integers(1, 4),
    st.sampled_from([480, 640, 960, 1280]),
    st.sampled_from(["default", "slide", "readme", "square", "paper"]),
    st.booleans(),
)
def test_digits_have_13_px_or_are_shaded(side: int, kernel: int, width: int, template: str, stamps: bool) -> None:
    x, w = np.arange(side * side).reshape(side, side) % 10, np.arange(1, kernel**2 + 1).reshape(kernel, kernel)
    trace = ConvTranspose(kernel).trace(x, w) if stamps else Conv(kernel, padding=kernel - 1).trace(x, w)
    settled = settle(Look(template=template, width=width))
    try:
        page = layout(scene(trace), *settled.size, style=settled.style)
    except ConvanimError:  # a template's text may need a larger page
        return
    for place in page.places.values():
        assert place.number >= DIGITS or place.shaded
        assert not place.shaded or place.line == 0 or place.pitch >= GAPS_FROM, "no net of gaps"


@pytest.mark.parametrize("width", [640, 1280])
@pytest.mark.parametrize("theme", ["light", "dark", "solarized"])
def test_zero_is_the_paper_and_the_ring_is_seen(width: int, theme: str) -> None:
    animation = Conv(3, padding=1).trace(digit(), SOBEL).animate(width=width, theme=theme)
    rgb, place, paper = shot(animation), animation.page.places["stage"], load(theme).colour("page")
    assert place.shaded
    ring = [rgb[middle_of(place, 0, n)] for n in range(30)] + [rgb[middle_of(place, n, 29)] for n in range(30)]
    assert {tuple(map(int, one)) for one in ring} == {load(theme).colour("ring")}
    assert load(theme).colour("ring") != paper
    inside = {(r, c): tuple(map(int, rgb[middle_of(place, r + 1, c + 1)])) for r, c in np.ndindex(28, 28)}
    assert all((inside[cell] == paper) == (value == 0) for cell, value in np.ndenumerate(digit()))
    output, result = animation.page.places["output"], animation.trace.output
    assert output.scale is not None
    assert tuple(map(int, rgb[middle_of(output, *np.argwhere(result == 0)[0])])) == paper
    signs = [tuple(map(int, rgb[middle_of(output, *np.argwhere(result == end)[0])])) for end in (-1020, 1020)]
    assert signs == [load(theme).colour(f"shade.{name}_high") for name in ("negative", "done")]


def test_the_cells_of_a_dense_grid_have_the_colours_of_single_ones() -> None:
    """A mosaic against one cell after the other, with padding and cells that are not written yet."""
    animation = Conv(3, padding=1).trace(digit(40), SOBEL).animate(width=1280)
    page, frame = animation.page, placement(animation, 700)
    raster = Raster(animation.scene, page, load("light"))
    rgb = raster.palette.colours[raster.draw(frame).pixels]
    grid, place = frame.grids["output"], page.places["output"]
    waiting = [rgb[middle_of(place, r, c)] for r, c in np.argwhere(grid.roles == Role.PENDING)]
    assert (np.array(waiting) == load("light").colour("pending.fill")).all(axis=1).mean() > 0.9, "but for the lines"
    single = Composer(page, 1).cells
    for row, column in np.argwhere(grid.roles == Role.DONE)[:300:7]:
        fill = single.of(place, Role.DONE, 0, grid.values[row, column].item(), "")[0].ink
        assert tuple(map(int, rgb[middle_of(place, row, column)])) == load("light").colour(fill)
    composed = [shape for shape in Composer(page, 1).rest(magnified(page, frame)) if isinstance(shape, Mosaic)]
    assert len(composed) == 2


@pytest.mark.parametrize("trace", [Conv(3, padding=1).trace(digit(90), SOBEL), MaxPool(2).trace(digit(300))])
def test_matplotlib_draws_the_same_pixels(trace: Any) -> None:
    animation = trace.animate(width=640)
    frame = animation.scene.frame(animation.scene.beats.total - 1)
    raster, canvas = (kind(animation.scene, animation.page, load("light")) for kind in (Raster, Canvas))
    rgb = raster.palette.colours[raster.draw(frame).pixels]
    for name in ("stage", "output"):
        top, left, bottom, right = animation.page.places[name].box
        inner = np.s_[top + 2 : bottom - 2, left + 2 : right - 2]
        assert (canvas.colours(frame)[inner] == rgb[inner]).mean() > 0.999


@settings(SETTINGS, max_examples=200)
@given(
    st.tuples(st.integers(1, 60), st.integers(1, 60)),
    st.sampled_from([0.1, 0.25, 0.27, 1 / 3, 0.5, 0.9, 1, 1.1, 1.5, 2, 2.5, 3.7, 7]),
    st.data(),
)
def test_the_part_of_a_mosaic_that_is_drawn_anew_shows_every_changed_cell(
    shape: tuple[int, int], per: float, data: st.DataObject
) -> None:
    """Against the whole grid, drawn anew."""
    place, grid = dense(shape, per)
    rows, columns = (slice(*sorted(data.draw(st.tuples(*[st.integers(0, n)] * 2)))) for n in shape)
    if not (rows.stop > rows.start and columns.stop > columns.start):
        return
    before = mosaic(place, grid).numbers
    roles = grid.roles.copy()
    roles[rows, columns] = Role.PADDING
    after = replace(grid, roles=roles)
    part = covering(place, rows, columns)
    assert (before[part] == mosaic(place, grid, part).numbers).all()
    whole = before.copy()
    whole[part] = mosaic(place, after, part).numbers
    assert (whole == mosaic(place, after).numbers).all()
    cells, shown = (rows.stop - rows.start) * (columns.stop - columns.start), whole[part].size
    assert shown <= (ceil(1 / per) + 1) ** 2 * cells, "no more than the changed part"
    assert before.shape == pixels(place)


def dense(shape: tuple[int, int], per: float) -> tuple[Place, Grid]:
    """A grid without gaps, and its place on a page with this many cells for each pixel."""
    animation = Conv(1).trace(np.arange(30 * 30).reshape(30, 30), [[1]]).animate(width=640)
    place = animation.page.places["stage"]
    panel = replace(place.panel, shape=shape)
    grid = Grid("", np.full(shape, Role.DATA), np.arange(shape[0] * shape[1]).reshape(shape), np.zeros(shape, np.uint8))
    return replace(place, panel=panel, pitch=1, line=0, number=0, per=per), grid


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_line_around_the_input_needs_no_colours_of_round_corners(theme: str) -> None:
    """The line between an input and padding that copies it is drawn where cells have no room for marks."""
    x = np.arange(60)
    animation = Conv(3, padding=8, padding_mode="replicate").trace(x, [1, 2, 3]).animate(width=480, theme=theme)
    place = animation.page.places["stage"]
    assert place.dense
    rgb = shot(animation)
    top, left = place.at(0, 8)
    assert tuple(map(int, rgb[top, left])) == load(theme).colour("line")


# --- sizes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [64, 96, 128, 224, 512, 1024])
@pytest.mark.parametrize("size", [(640, 360), (1000, 500), (1280, 720)])
def test_every_size_is_shown(side: int, size: tuple[int, int]) -> None:
    page = layout(scene(Conv(3, padding=1).trace(digit(side), SOBEL)), *size)
    for name in ("stage", "output"):
        top, left, bottom, right = page.places[name].box
        assert 0 <= top < bottom <= size[1]
        assert 0 <= left < right <= size[0]
        assert bottom - top >= 0.35 * size[1], "it uses the page"
    fitted = page.places["stage"].per > 1
    assert ("fitted to" in page.detail.text) == fitted


def test_a_fitted_grid_keeps_its_ring_and_shows_means() -> None:
    x = np.zeros((800, 800), int)
    x[:400] = 100
    animation = Conv(1, padding=1).trace(x, [[1]]).animate(width=640)
    rgb, place = shot(animation), animation.page.places["stage"]
    top, left, bottom, right = place.box
    assert place.per > 2
    assert (rgb[top, left:right] == load("light").colour("ring")).all()
    assert (rgb[bottom - 1, left:right] == load("light").colour("ring")).all()
    assert (
        rgb[top + 3 : (top + bottom) // 2 - 3, left + 3 : right - 3] == load("light").colour("shade.data_high")
    ).all()
    assert (rgb[(top + bottom) // 2 + 3 : bottom - 3, left + 3 : right - 3] == load("light").colour("page")).all()


def test_the_written_part_of_a_fitted_output_grows() -> None:
    animation = Conv(3).trace(np.full((500, 500), 9), np.ones((3, 3), int)).animate(width=640)
    raster, place = animation.raster(), animation.page.places["output"]
    shares = []
    for step in (1, 60_000, 120_000, 498 * 498):
        rgb = raster.palette.colours[raster.draw(placement(animation, step)).pixels]
        top, left, bottom, right = place.box
        written = (rgb[top:bottom, left:right] == load("light").colour("shade.done_high")).all(axis=2)
        shares.append(written.mean())
    assert np.allclose(shares, [0, 60_000 / 498**2, 120_000 / 498**2, 1], atol=0.03)


def test_beyond_what_is_computed_one_sentence_says_so() -> None:
    done = run("conv", "--input", "3000x3000", "--kernel", "3", "-o", "a.gif")
    assert done.code == 2
    assert done.err.count("Error") == 1
    assert "at most 5,000,000" in done.err


# --- the magnified window -------------------------------------------------------------------------------------------


def lenses(page: Page) -> dict[str, Place]:
    return {name: place for name, place in page.places.items() if place.panel.magnifies}


@pytest.mark.parametrize("width", [640, 1280])
@pytest.mark.parametrize("side", [28, 60, 224])
def test_the_sum_is_read_in_the_magnified_window(width: int, side: int) -> None:
    trace = Conv(3, padding=1).trace(digit(side), SOBEL)
    animation = trace.animate(width=width)
    (place,) = lenses(animation.page).values()
    assert place.number >= DIGITS
    assert place.note
    assert animation.page.places["kernel"].number >= DIGITS
    for step in (1, side * side // 3, side * side):
        frame = placement(animation, step)
        grid = magnified(animation.page, frame).grids["lens"]
        factors = {cell: int(note.removeprefix("×").replace("−", "-")) for cell, note in grid.notes.items()}
        total = sum(int(grid.values[cell]) * factor for cell, factor in factors.items())
        assert total == trace.output.ravel()[step - 1]
        assert len(factors) == 9


@pytest.mark.parametrize("look", [{"width": 640}, {"template": "readme"}])
def test_the_factors_of_a_large_kernel_stand_in_the_window_alone_where_both_have_no_room(look: dict[str, Any]) -> None:
    page = Conv(5).trace(digit(), np.ones((5, 5), int)).animate(**look).page
    (place,) = lenses(page).values()
    assert place.number >= DIGITS
    assert place.note
    assert "kernel" not in page.places


def test_a_kernel_that_turns_stays_on_the_page() -> None:
    page = ConvTranspose(5, 2).trace(digit()[:14, :14], np.ones((5, 5), int)).animate(width=640).page
    assert "kernel" in page.places


@pytest.mark.parametrize(
    ("side", "look", "between"),
    [
        (3, {"width": 1280}, "lens"),
        # Where a magnified window in the type of a slide has no room, the lines lead through the kernel.
        (5, {"template": "slide"}, "kernel"),
    ],
)
def test_lines_join_window_output_cell_and_what_is_between(side: int, look: dict[str, Any], between: str) -> None:
    animation = Conv(side).trace(digit(), np.resize(SOBEL, (side, side))).animate(**look)
    page, frame = animation.page, placement(animation, 300)
    (link,), lens = frame.links, page.places[between].box
    assert ("lens" in page.places) == (between == "lens")
    strokes = [s for s in Composer(page, 1).over(magnified(page, frame)) if isinstance(s, Stroke) and len(s.lines) == 2]
    ends = {point for stroke in strokes for line in stroke.lines for point in line}
    top, left = page.places["stage"].at(link.window.top, link.window.right)
    row, column = page.places["output"].at(*link.cell)
    assert {(left, top), (lens.left, lens.top), (lens.right, lens.top), (column, row)} <= ends


def test_nothing_is_magnified_where_numbers_are_read_or_left_out() -> None:
    small = scene(Conv(3).trace(digit(6), SOBEL))
    assert not lenses(layout(small, 1280, 720))
    bare = settle(Look(numbers=False))
    assert not lenses(layout(scene(Conv(3).trace(digit(), SOBEL)), 1280, 720, style=bare.style))


def test_before_the_first_placement_the_magnified_window_is_empty() -> None:
    animation = AvgPool(4).trace(digit(64)).animate(width=1280)
    assert lenses(animation.page)
    frame = magnified(animation.page, animation.scene.frame(0))
    assert (frame.grids["lens"].roles == Role.NONE).all()
    assert frame.grids["lens"].title == ""


@pytest.mark.parametrize("kind", ["svg", "html", "pptx", "pdf"])
def test_every_format_has_the_magnified_window(kind: str, tmp_path: Path) -> None:
    if kind == "pptx":
        need_module("pptx", promised=True)
    file = tmp_path / f"a.{kind}"
    Conv(3).trace(digit(), SOBEL).animate(select="200", width=640).save(file)
    assert file.stat().st_size > 4000


def test_the_magnified_window_speaks_the_language_of_the_page() -> None:
    page = Conv(3).trace(digit(), SOBEL).animate(lang="de").page
    assert page.places["lens"].panel.titles == ("Fenster",)


# --- photographs ----------------------------------------------------------------------------------------------------


def photograph(high: int, wide: int) -> Image.Image:
    y, x = np.mgrid[:high, :wide]
    planes = [127 + 127 * np.sin(x / wide * a + y / high * b) for a, b in ((3, 1), (5, 2), (1, 7))]
    planes[0][high // 4 : high // 2, wide // 4 : wide // 2] = 255
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8))


KINDS = {
    "colours.jpg": lambda: photograph(80, 64),
    "grey.png": lambda: photograph(64, 80).convert("L"),
    "palette.png": lambda: photograph(70, 70).quantize(64),
    "transparent.webp": lambda: photograph(64, 64).convert("RGBA"),
    "deep.png": lambda: Image.fromarray(np.asarray(photograph(64, 64).convert("L")).astype(np.uint16) * 257),
    "large.jpg": lambda: photograph(1500, 2000),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_common_photograph_is_filtered(name: str, tmp_path: Path) -> None:
    KINDS[name]().save(tmp_path / name)
    kernel = str(SOBEL).replace(" ", "")
    target = tmp_path / "o.png"
    done = run("conv", "--input", str(tmp_path / name), "--kernel", kernel, "--width", "640", "-o", str(target))
    assert done.code == 0, done.err
    assert ("is fitted to 768x1024" in done.err) == (name == "large.jpg")
    assert ("input fitted to" in done.out + done.err) == (name == "large.jpg")
    with Image.open(target) as image:
        assert image.size == (640, 360)
        assert len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)) > 60


@pytest.mark.parametrize("template", templates())
@pytest.mark.parametrize("kind", ["sliding", "zero-insertion", "overlap-add", "colours", "stamped colours", "pool"])
def test_photographs_are_drawn_in_every_theme_and_template(kind: str, template: str) -> None:
    half = kind == "stamped colours"  # every stamp is computed before the first frame
    planes = np.moveaxis(np.asarray(photograph(*((33, 35) if half else (66, 70)))), 2, 0).astype(int)
    grey, view = planes[0], kind if "-" in kind else None
    trace: Any = {
        "sliding": lambda: Conv(3).trace(grey, SOBEL),
        "colours": lambda: Conv(3, groups=3).trace(planes, np.stack([[SOBEL]] * 3)),
        "stamped colours": lambda: ConvTranspose(2, 2, groups=3).trace(planes, np.ones((3, 1, 2, 2), int)),
        "pool": lambda: MaxPool(2).trace(planes),
    }.get(kind, lambda: ConvTranspose(3, 2).trace(grey, SOBEL))()
    animation = trace.animate(view=view, template=template, colours=True)
    frame = placement(animation, 40)
    for theme in themes():
        raster = Raster(animation.scene, animation.page, load(theme))
        assert len(raster.palette.colours) <= 255
        assert len(np.unique(raster.draw(frame).pixels)) > 60, "its shades are seen"


@pytest.mark.parametrize("side", [70, 224])
def test_minimal_joins_the_window_of_a_photograph_with_the_cell_that_it_writes(side: int) -> None:
    x = np.asarray(photograph(side, side).convert("L")).astype(int)
    animation = Conv(3).trace(x, SOBEL).animate(template="minimal", colours=True)
    page, frame = animation.page, placement(animation, side * side // 2)
    assert list(page.places) == ["stage", "output"]
    assert not any(place.tilted for place in page.places.values())
    stage, output = page.places.values()
    (link,) = frame.links
    strokes = [shape for shape in Composer(page, 1).over(frame) if isinstance(shape, Stroke)]
    ends = {point for stroke in strokes for line in stroke.lines for point in line}
    (top, right), (row, column) = stage.at(link.window.top, link.window.right), output.at(*link.cell)
    assert {(right, top), (column, row)} <= ends
    raster = animation.raster()
    seen = raster.palette.colours[raster.draw(frame).pixels][middle_of(stage, 5, 5)]
    assert abs(seen.astype(int) - x[5, 5]).max() <= 30, "its grey values are seen"


def test_minimal_joins_a_stamp_of_a_large_grid_with_the_cell_that_it_reads() -> None:
    animation = ConvTranspose(3, 2).trace(digit(40), SOBEL).animate(template="minimal", view="overlap-add")
    page, frame = animation.page, placement(animation, 300)
    (link,) = frame.links
    strokes = [s for s in Composer(page, 1).over(frame) if isinstance(s, Stroke) and len(s.lines) == 2]
    ends = {point for stroke in strokes for line in stroke.lines for point in line}
    row, column = link.cell
    for name, (top, left, bottom, right) in (
        (link.panel, link.window[:4]),
        (link.other, (row, column, row + 1, column + 1)),
    ):
        corners = {page.places[name].at(y, x)[::-1] for y in (top, bottom) for x in (left, right)}
        assert len(ends & corners) == 2


def test_minimal_tells_the_cells_of_a_large_grid_apart() -> None:
    x = np.arange(64 * 64).reshape(64, 64) * 7 % 10
    animation = Conv(3).trace(x, SOBEL).animate(template="minimal")
    place = animation.page.places["stage"]
    assert place.shaded
    rgb = shot(animation)
    assert len({tuple(rgb[middle_of(place, 5, column)]) for column in range(10)}) > 4


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2), st.integers(0, 2**32 - 1))
def test_the_scale_of_a_canvas_ends_at_what_it_holds(kernel: int, stride: int, dilation: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, w = rng.integers(-9, 10, (5, 4)), rng.integers(-3, 4, (kernel, kernel))
    trace = ConvTranspose(kernel, stride, dilation=dilation).trace(x, w).by_input()
    canvas = scene(trace, view="overlap-add").canvas
    held = [canvas.after(n) for n in range(len(trace) + 1)]
    found = extremes(np.zeros(canvas.shape, int), x, w, trace.axes)
    assert found.tolist() == [np.min(held), np.max(held)]


def test_a_grey_picture_is_shown_in_its_grey_values() -> None:
    x = np.tile(np.linspace(0, 255, 100).round().astype(int), (100, 1))
    animation = Conv(3).trace(x, np.full((3, 3), 1 / 9)).animate(colours=True)
    rgb = shot(animation)
    for name, values in (("stage", x), ("output", animation.trace.output)):
        place = animation.page.places[name]
        for column in (1, 30, 60, 96):
            red, green, blue = map(int, rgb[middle_of(place, 50, column)])
            assert red == green == blue
            assert abs(red - values[50, column]) <= 4
    edges = Conv(3).trace(x, SOBEL).animate(colours=True)
    assert edges.page.places["stage"].panel.white == 255
    assert not edges.page.places["output"].panel.white, "a result below zero has a scale of its own"


def test_values_that_no_picture_has_are_not_grey() -> None:
    with pytest.raises(ConvanimError, match="holds -1 to 7, but grey values are from 0 to 255, or to 65535"):
        Conv(2).trace(np.arange(-1, 8).reshape(3, 3), [[1, 1], [1, 1]]).animate(colours=True)


def test_edges_of_a_picture_in_colours_are_shown_by_their_absolute_values() -> None:
    x = np.zeros((3, 70, 70), int)
    x[0, :, 30:] = 100
    trace = Conv(2, groups=3).trace(x, np.stack([[[[1, -1], [1, -1]]]] * 3))
    shown, clipped = (scene_of(trace, saturate=saturate) for saturate in (False, True))
    assert trace.output[0, 5, 29] == -200
    assert shown[5, 29].tolist() == [200, 0, 0]
    assert clipped[5, 29].tolist() == [0, 0, 0]


def scene_of(trace: Any, *, saturate: bool) -> Array:
    animation = trace.animate(colours=True, saturate=saturate)
    grid = animation.scene.frame(animation.scene.beats.total - 1).grids["output"]
    return np.asarray(grid.colours)

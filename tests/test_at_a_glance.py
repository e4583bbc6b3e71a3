"""What is seen at a glance, in drawn pixels: the inputs under a window at 200 px, a page blurred, single cells."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from convanim.animation import Animation
from convanim.draw.raster import paint
from convanim.draw.theme import themes
from convanim.layers import AvgPool, Conv, ConvTranspose
from convanim.page import Place
from convanim.scene.frame import Frame, Role
from convanim.trace import Trace
from support.colours import ciede2000, contrast, decode, lab
from support.pages import filled

Pixels = NDArray[np.uint8]
NINE = np.arange(1, 10).reshape(3, 3)
COUNT = np.arange(1, 26).reshape(5, 5) % 9 + 1
UP = ConvTranspose(3, 2, 1).trace(NINE, NINE)
PADDED = Conv(3, 2, 1).trace(COUNT, NINE - 5)
LINE = ConvTranspose(3, 2).trace(np.arange(1, 5), [1, 2, 1])
#: Layers whose windows cover real inputs and zeros, with the views and layouts that show them.
MIXED: list[tuple[Trace, dict[str, str]]] = [
    (UP, {"view": "zero-insertion", "layout": "flat"}),
    (UP, {"view": "zero-insertion", "layout": "isometric"}),
    (UP, {"view": "both"}),
    (PADDED, {"layout": "flat"}),
    (PADDED, {"layout": "isometric"}),
    (PADDED, {"view": "backward"}),
    (AvgPool(3, 2, 1).trace(COUNT), {"layout": "isometric"}),
    (LINE, {"view": "zero-insertion", "layout": "row"}),
    (LINE, {"view": "zero-insertion", "layout": "flat"}),
]
ZEROS = (Role.INSERTED, Role.PADDING)


def drawn(animation: Animation, frame: Frame) -> Pixels:
    raster = animation.raster()
    found: Pixels = raster.palette.colours[raster.draw(frame).pixels]
    return found


def placement(animation: Animation, part: float) -> Frame:
    beats = animation.scene.beats
    return animation.scene.frame(beats.opening + (1 + round(part * (beats.steps - 1))) * beats.each - 1)


def paint_of(pixels: Pixels, place: Place, row: int, column: int) -> tuple[int, ...]:
    """The colour of most pixels of a cell."""
    top, left, bottom, right = place.cell(row, column)
    mask = paint.inside(place.area, place.inside)[1] if place.tilted else np.ones((bottom - top, right - left), bool)
    found = Counter(map(tuple, pixels[top:bottom, left:right][mask[: bottom - top, : right - left]].tolist()))
    return found.most_common(1)[0][0]


def lab_of(colour: tuple[int, ...]) -> tuple[float, float, float]:
    return lab(decode(colour))


def apart(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    return ciede2000(lab_of(one), lab_of(other))


def covered(animation: Animation, frame: Frame) -> Iterator[tuple[Place, list[tuple[int, int]], list[tuple[int, int]]]]:
    """For each window: its panel, the real inputs under it, and the zeros."""
    for link in frame.links:
        place = animation.page.places.get(link.panel)
        if place is None:
            continue
        top, left, bottom, right = link.window[:4]
        cells = [(row, column) for row in range(top, bottom) for column in range(left, right)]
        roles = frame.grids[link.panel].roles
        yield (
            place,
            [cell for cell in cells if roles[cell] == Role.DATA],
            [cell for cell in cells if roles[cell] in ZEROS],
        )


@pytest.mark.parametrize(
    ("trace", "look"), MIXED, ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else ""
)
@pytest.mark.parametrize("theme", themes())
def test_the_real_inputs_under_the_window_can_be_counted_at_200_px(
    trace: Trace, look: dict[str, str], theme: str
) -> None:
    animation = trace.animate(template="minimal", width=200, height=150, theme=theme, **look)
    met = 0
    for part in (0, 0.35, 0.5, 1):
        frame = placement(animation, part)
        pixels = drawn(animation, frame)
        for place, real, zeros in covered(animation, frame):
            inks = {paint_of(pixels, place, *cell) for cell in real}
            papers = {paint_of(pixels, place, *cell) for cell in zeros}
            assert len(inks) <= 1, "real inputs look alike"
            for ink in inks:
                for paper in papers:
                    assert apart(ink, paper) >= 16, f"{ink} on {paper}"
                    met += 1
    assert met


#: A picture of each kind of page: the layer, its look, and whether cells show numbers.
PAGES: list[tuple[Trace, dict[str, str]]] = [
    (UP, {"layout": "flat"}),
    (UP, {"layout": "flat", "template": "minimal"}),
    (UP, {"layout": "isometric"}),
    (UP, {"layout": "isometric", "template": "minimal"}),
    (UP, {"view": "overlap-add", "layout": "isometric", "template": "minimal"}),
    (PADDED, {"layout": "flat"}),
    (PADDED, {"layout": "isometric"}),
    (PADDED, {"layout": "isometric", "template": "minimal"}),
]
named = pytest.mark.parametrize(
    ("trace", "look"), PAGES, ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else ""
)


def blocks(array: NDArray[np.generic]) -> NDArray[np.float64]:
    """The means of the blocks of 8 × 8 px, as a page looks at an eighth of its size."""
    high, wide = (side // 8 for side in array.shape[:2])
    cut = array[: 8 * high, : 8 * wide].astype(float)
    means: NDArray[np.float64] = cut.reshape(high, 8, wide, 8, -1).mean(axis=(1, 3))
    return means


@named
@pytest.mark.parametrize("theme", themes())
def test_no_block_of_a_blurred_page_outshines_the_window(trace: Trace, look: dict[str, str], theme: str) -> None:
    """The terms of the sum are lit in the kernel as well, which may be about as strong as the window."""
    animation = trace.animate(width=480 if "template" in look else 640, theme=theme, **look)
    page, frame = animation.page, placement(animation, 0.5)
    pixels = drawn(animation, frame)
    paper = animation.theme.colour("page")
    strong = np.array([[apart(tuple(np.rint(b).astype(int)), paper) for b in row] for row in blocks(pixels)])
    (link,) = frame.links
    cell = *link.cell, *(at + 1 for at in link.cell)
    ends = [page.places[link.panel].corners(*link.window[:4]), page.places[link.other].corners(*cell)]
    ends += [place.corners(0, 0, *place.panel.shape) for place in page.places.values() if place.panel.magnifies]
    window = blocks(filled(page, *ends)[..., None])[..., 0] > 0
    for name, place in page.places.items():
        top, left, bottom, right = place.box
        here = np.zeros_like(window)
        here[top // 8 : -(-bottom // 8), left // 8 : -(-right // 8)] = True
        other = strong[here & ~window].max(initial=0)
        assert other <= (1.12 if place.panel.aside else 1) * strong[window].max(), f"{name} outshines the window"


@named
@pytest.mark.parametrize("theme", themes())
def test_single_cells_can_be_told_apart_in_the_last_frame(trace: Trace, look: dict[str, str], theme: str) -> None:
    """Between neighbours lies a gap of the page's colour, or in planes a line."""
    animation = trace.animate(width=480 if "template" in look else 640, theme=theme, **look)
    page, frame = animation.page, animation.scene.frame(animation.scene.beats.total - 1)
    pixels = drawn(animation, frame)
    paper = animation.theme.colour("page")
    cells = 0
    for name, place in page.places.items():
        roles = frame.grids[name].roles if name in frame.grids else np.zeros((1, 1))
        for row, column in np.argwhere(roles[:, :-1] == Role.DONE).tolist():
            ink = paint_of(pixels, place, row, column)
            (ax, ay), (bx, by) = place.corners(row, column + 1, row + 1, column + 1)[::3]
            met = 0
            for part in (0.3, 0.5, 0.7):
                x, y = round(ax + part * (bx - ax)), round(ay + part * (by - ay))
                near = [tuple(at) for at in pixels[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3).tolist()]
                between = [at for at in near if at == paper] if not place.tilted else near
                met += any(contrast(at, ink) >= 1.25 for at in between)
            assert met == 3, f"{name} {row, column}"
            cells += 1
    assert cells >= 6

"""Cells of scenes made by hand: what each role, emphasis and kind of panel looks like, in pixels and in text."""

from typing import Any

import numpy as np
import pytest
from made import Made, grid, panel
from numpy.typing import NDArray
from test_raster import commonest, contrast

from convanim.layout import Page, layout
from convanim.render.raster import Raster
from convanim.render.text import frame_text
from convanim.scene.frame import Emphasis, Role
from convanim.theme import load

Pixels = NDArray[np.uint8]
LOOKS = ("light", "dark")


def shot(s: Made, number: int = 0, look: str = "light", width: int = 640, height: int = 360) -> tuple[Page, Pixels]:
    """A frame of a scene made by hand, in colours."""
    page = layout(s, width, height)
    raster = Raster(s, page, load(look))
    return page, raster.palette.colours[raster.draw(s.frame(number)).pixels]


def cell(page: Page, rgb: Pixels, name: str, row: int, column: int) -> Pixels:
    """The pixels of a cell, in colours."""
    top, left, bottom, right = page.places[name].cell(row, column)
    return rgb[top:bottom, left:right]


def full(shape: Any, emphasis: Emphasis) -> NDArray[np.uint8]:
    return np.full(shape, emphasis, np.uint8)


@pytest.mark.parametrize("shade", ["data", "kernel", "product", "done"])
def test_a_panel_says_which_ramp_stands_for_its_values(shade: str) -> None:
    p = panel("any name", np.arange(1600).reshape(40, 40), shade=shade)
    page, rgb = shot(Made(((p,),), {p.name: grid(p, Role.PRODUCT)}))
    _, bar, _ = page.places[p.name].scale or pytest.fail("a shade without its scale")
    for end, at, corner in (("low", bar.left, 0), ("high", bar.right - 1, 39)):
        wanted = load("light").colour(f"shade.{shade}_{end}")
        assert tuple(rgb[bar.top, at]) == commonest(cell(page, rgb, p.name, corner, corner)) == wanted


# --- quiet cells: equal to what they are compared with --------------------------------------------------------------


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("role", [Role.DATA, Role.DONE, Role.OVERLAP, Role.PENDING, Role.KERNEL])
def test_a_quiet_cell_is_paper_with_a_muted_number(role: Role, look: str) -> None:
    p = panel("output", [[5, 6], [7, 8]], notes="1 + 4")
    s = Made(((p,),), {"output": grid(p, role, emphasis=full((2, 2), Emphasis.QUIET), notes={(0, 0): "1 + 4"})})
    page, rgb = shot(s, look=look)
    drawn = cell(page, rgb, "output", 0, 1)
    paper, muted = load(look).colour("page"), load(look).colour("muted")
    assert commonest(drawn) == paper
    inks = {tuple(c) for c in drawn.reshape(-1, 3).tolist()} - {paper}
    assert (muted in inks) == (role != Role.PENDING)
    assert all(contrast(c, paper) <= contrast(muted, paper) + 0.01 for c in inks)


def test_a_quiet_cell_is_paper_where_a_shade_stands_for_values_too() -> None:
    p = panel("output", np.arange(1600).reshape(40, 40))
    emphasis = full((40, 40), Emphasis.QUIET)
    emphasis[0, 0] = Emphasis.NONE
    page, rgb = shot(Made(((p,),), {"output": grid(p, emphasis=emphasis)}))
    assert not page.places["output"].number
    assert (cell(page, rgb, "output", 39, 39) == load("light").colour("page")).all()
    assert (cell(page, rgb, "output", 0, 0) == load("light").colour("shade.done_low")).all()


def test_text_puts_a_quiet_cell_in_brackets() -> None:
    p = panel("output", [[5, 6]])
    emphasis = np.array([[Emphasis.QUIET, Emphasis.NONE]], np.uint8)
    s = Made(((p,),), {"output": grid(p, emphasis=emphasis)})
    assert frame_text(s, s.frame(0), 0, 100).splitlines()[1:3] == ["output", "(5)   6"]

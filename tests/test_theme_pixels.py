"""The properties of every theme, measured on rendered pixels."""

import itertools
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from convanim.assets import templates
from convanim.draw import themefile
from convanim.draw.raster import Raster
from convanim.draw.theme import Theme, load, themes
from convanim.page import Page, Text, layout
from convanim.page.measures import GAPS_FROM
from convanim.page.style import USUAL
from convanim.scene.frame import Emphasis, Role
from support.colours import VISIONS, commonest, contrast, decode, difference, lab
from support.made import Made, cell, grid, panel, shot
from test_theme_colours import FILLED, PROMISED, TOUCHING

Pixels = NDArray[np.uint8]
ROLES = [role for role in Role if role != Role.NONE]
SILENT = {Role.PENDING, Role.EMPTY}  # no number is ever written there
ZEROS = {Role.INSERTED, Role.PADDING}
BESIDE_THE_POINT = {Role.CROPPED, Role.UNUSED, Role.COPIED}
WITHOUT_TINT = (Role.INSERTED, Role.PADDING, Role.CROPPED, Role.UNUSED, Role.PENDING, Role.COPIED, Role.EMPTY)
#: Those that may stand beside each other: around the input, and in the output.
BESIDE = [
    *itertools.combinations((Role.INSERTED, Role.PADDING, Role.UNUSED, Role.EMPTY), 2),
    *itertools.combinations((Role.COPIED, Role.INSERTED, Role.UNUSED), 2),
    (Role.PENDING, Role.CROPPED),
]


def code(colour: Any) -> str:
    return "#" + "".join(f"{c:02x}" for c in colour)


@cache
def every_cell(look: str) -> tuple[Page, Pixels, list[tuple[Role, Emphasis]]]:
    """A column per role and a row per emphasis; overlaps and cells under the kernel have notes."""
    p = panel("cells", np.full((len(Emphasis), len(ROLES)), 8), notes="8 + 8")
    roles = np.array([ROLES] * len(Emphasis), np.uint8)
    emphasis = np.array([[e] * len(ROLES) for e in Emphasis], np.uint8)
    notes = {(int(Emphasis.ACTIVE), i): "×8" for i in range(len(ROLES))}
    notes |= {(row, ROLES.index(Role.OVERLAP)): "8 + 8" for row in (Emphasis.NONE, Emphasis.WRITTEN)}
    g = grid(p, roles=roles, emphasis=emphasis, notes=notes)
    page, rgb = shot(Made(((p,),), {"cells": g}), look=look, width=2560, height=1440)
    return page, rgb, [(role, e) for e in Emphasis for role in ROLES]


def strongest(drawn: Pixels, text: Text, fill: tuple[int, ...]) -> float:
    """The maximum contrast to a cell's fill among the pixels of a text."""
    box = text.box
    inside = drawn[max(box.top, 0) : box.bottom, max(box.left, 0) : box.right].reshape(-1, 3)
    return max(contrast(tuple(c), fill) for c in np.unique(inside, axis=0).tolist())


def part(drawn: Pixels, text: Text) -> Pixels:
    """The part of a cell behind a text."""
    box = text.box
    return drawn[max(box.top, 0) : box.bottom, max(box.left, 0) : box.right]


@pytest.fixture(params=themes())
def look(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def promise(look: str, what: str, usual: float) -> float:
    return PROMISED.get(look, {}).get(what, usual)


def test_every_value_can_be_read_on_its_cell(look: str) -> None:
    page, rgb, cells = every_cell(look)
    place, faults = page.places["cells"], []
    for role, emphasis in cells:
        if role in SILENT:
            continue
        drawn = cell(page, rgb, "cells", emphasis, ROLES.index(role))
        seen = strongest(drawn, place.number_text("8", bold=emphasis == Emphasis.WRITTEN), commonest(drawn))
        least = promise(look, "lit" if emphasis in (Emphasis.ACTIVE, Emphasis.WRITTEN) else "text", 7)
        if role in ZEROS or role in BESIDE_THE_POINT or emphasis == Emphasis.QUIET:  # inserted zeros are subdued
            least = promise(look, "muted", 4.5)
        if seen < least:
            faults.append(f"{role.name} {emphasis.name}: {seen:.2f} < {least}")
    assert not faults, faults


def test_every_note_can_be_read_on_its_cell(look: str) -> None:
    page, rgb, _ = every_cell(look)
    place, least = page.places["cells"], promise(look, "factor", 7)
    for i, role in enumerate(ROLES):
        drawn, text = cell(page, rgb, "cells", Emphasis.ACTIVE, i), place.note_text("×8", centred=role == Role.OVERLAP)
        quiet = promise(look, "muted", 4.5) if role in ZEROS else min(least, promise(look, "lit", 7))
        assert strongest(drawn, text, commonest(part(drawn, text))) >= quiet, role
    drawn = cell(page, rgb, "cells", Emphasis.NONE, ROLES.index(Role.OVERLAP))
    assert strongest(drawn, place.note_text("8 + 8", centred=True), commonest(drawn)) >= least


def test_every_count_can_be_read_on_its_heat(look: str) -> None:
    p = panel("counts", [list(range(9))], heat=8)
    page, rgb = shot(Made(((p,),)), look=look, width=1280, height=720)
    for count in range(9):
        drawn = cell(page, rgb, "counts", 0, count)
        text = page.places["counts"].number_text(str(count))
        assert strongest(drawn, text, commonest(drawn)) >= promise(look, "text", 7), count


def filled(look: str) -> dict[str, str]:
    """The fills of the roles with a tint, as drawn."""
    page, rgb, _ = every_cell(look)
    roles = {name: ROLES.index(Role[name.upper()]) for name in FILLED}
    return {name: code(commonest(cell(page, rgb, "cells", 0, at))) for name, at in roles.items()}


@pytest.mark.parametrize("vision", VISIONS)
def test_roles_that_touch_differ_in_colour_with_every_vision(look: str, vision: str) -> None:
    fills = filled(look)
    for a, b in (pair for pair in TOUCHING if set(pair) <= set(FILLED)):
        assert difference(fills[a], fills[b], vision) >= 10, (a, b)


@pytest.mark.parametrize("numbers", [True, False])
def test_real_input_under_the_window_can_be_counted(look: str, numbers: bool) -> None:
    """With or without numbers, an inserted zero under the window looks different from a value."""
    p = panel("stage", np.full((4, 4), 8), shade="data")
    roles = np.full((4, 4), Role.DATA, np.uint8)
    roles[1::2] = Role.INSERTED
    g = grid(p, roles=roles, emphasis=np.full((4, 4), Emphasis.ACTIVE, np.uint8))
    style = replace(USUAL, numbers=numbers, shades=False)
    page, rgb = shot(Made(((p,),), {"stage": g}), look=look, width=200, height=200, style=style)
    value, zero = (code(commonest(cell(page, rgb, "stage", row, 0))) for row in (0, 1))
    assert min(difference(value, zero, vision) for vision in VISIONS) >= 16


def test_print_needs_no_colours() -> None:
    """Without colours, only the lightness of a fill is left."""
    seen = [lab(decode(fill)) for fill in filled("print").values()]
    light = sorted(one[0] for one in seen)
    assert all(b - a >= 5 for a, b in itertools.pairwise([*light, 100]))
    assert light[0] >= 65  # pale: little ink, for thin paper
    assert all(np.hypot(one[1], one[2]) <= 45 for one in seen)  # within the gamut of four inks


# --- roles without a tint ------------------------------------------------------------------------------------------


def blank() -> Theme:
    """The light theme with the page's colour for all fills: only strokes, hatches and marks are left."""
    colours = themefile.read(templates() / "themes" / "light.toml")
    return Theme("blank", {k: colours["page"] if k.endswith(".fill") else c for k, c in colours.items()})


def middle(role: Role, cells: int, width: int, look: Theme) -> tuple[int, Pixels, NDArray[np.bool_]]:
    """The middle cell of a square of cells of one role, with its grid lines, in colours; and a mask of its number.

    Also the distance from one cell to the next (px).
    """
    p = panel("cells", np.zeros((cells, cells), int))
    s = Made(((p,),), {"cells": grid(p, role)})
    page = layout(s, width, width * 9 // 16)
    raster, place = Raster(s, page, look), page.places["cells"]
    rgb = raster.palette.colours[raster.draw(s.frame(0)).pixels]
    top, left, bottom, right = place.cell(cells // 2, cells // 2)
    line = place.line
    number = np.zeros((bottom - top + 2 * line, right - left + 2 * line), bool)
    if place.number and role not in SILENT:
        box = place.number_text("0").box
        number[box.top + line - 2 : box.bottom + line + 2, box.left + line - 2 : box.right + line + 2] = True
    return place.pitch, rgb[top - line : bottom + line, left - line : right + line], number


SIZES = [(31, 480), (21, 480), (31, 640), (15, 480), (11, 640), (9, 640), (5, 640), (5, 1280)]


def test_the_sizes_are_those_that_a_page_has() -> None:
    pitches = [middle(Role.PENDING, *size, blank())[0] for size in SIZES]
    assert min(pitches) == 4
    assert 7 in pitches
    assert max(pitches) >= 80
    assert len(set(pitches)) == len(pitches)


@pytest.mark.parametrize(("cells", "width"), SIZES)
def test_cells_without_a_tint_differ_when_all_fills_are_one(cells: int, width: int) -> None:
    drawn = {role: middle(role, cells, width, blank()) for role in WITHOUT_TINT}
    for a, b in BESIDE:
        (pitch, first, number), (_, second, other) = drawn[a], drawn[b]
        if Role.COPIED in (a, b) and pitch < GAPS_FROM:  # its values are shaded, inside an outline
            continue
        differ = (first != second).any(axis=2)
        if Role.EMPTY not in (a, b):  # its mark is in the place of a number
            differ &= ~(number | other)
        assert differ.sum() >= max(1, pitch // 12), (a.name, b.name, pitch)


@pytest.mark.parametrize("role", WITHOUT_TINT)
@pytest.mark.parametrize("width", [640, 1280])
def test_strokes_hatches_and_marks_are_seen_in_every_theme(look: str, role: Role, width: int) -> None:
    _, drawn, number = middle(role, 5, width, load(look))
    fill = commonest(drawn)
    inks = np.unique(drawn[~number], axis=0).tolist()
    plain = {Role.INSERTED, Role.PENDING}  # known by their wash
    assert role in plain or max(contrast(tuple(ink), fill) for ink in inks) >= 1.5
    marked = set(WITHOUT_TINT) - plain
    middle_of_it = np.s_[len(drawn) // 4 : -len(drawn) // 4, len(drawn) // 4 : -len(drawn) // 4]
    assert role in marked or len(np.unique(drawn[middle_of_it][~number[middle_of_it]], axis=0)) == 1


def test_a_mark_goes_under_the_kernel_and_where_a_shade_stands_for_a_copy() -> None:
    page, rgb, _ = every_cell("light")
    for role in (Role.INSERTED, Role.EMPTY, Role.CROPPED):
        drawn = cell(page, rgb, "cells", Emphasis.ACTIVE, ROLES.index(role))
        assert (drawn[4 : len(drawn) // 4, 12:-12] == drawn[4, 12]).all(), role
    p = panel("input", np.arange(1600).reshape(40, 40), shade="data")
    page, rgb = shot(Made(((p,),), {"input": grid(p, Role.COPIED)}))
    assert not page.places["input"].number
    assert len(np.unique(cell(page, rgb, "input", 20, 20).reshape(-1, 3), axis=0)) == 1


def test_every_theme_was_looked_at() -> None:
    files = {path.stem for path in (Path(__file__).parent.parent / "templates" / "themes").glob("*.toml")}
    assert set(themes()) == files

"""The raster: a frame's pixels do not depend on earlier frames, and its exact colours are legible."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from convanim.animation import Animation
from convanim.draw import theme
from convanim.draw.raster import Raster
from convanim.draw.theme import load
from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose, MaxPool
from convanim.page import Page, layout
from convanim.scene import Scene, scene
from convanim.scene.frame import Emphasis, Role
from convanim.trace import Trace
from support.colours import commonest, contrast
from support.decoders import Clip, assert_same_show, decode_ffmpeg, decode_gifsicle, decode_pillow
from support.pages import large, looked_at
from support.scenes import WALKED, drawn, result_of

Pixels = NDArray[np.uint8]
SETTINGS = settings(max_examples=25)
LOOKS = ("light", "dark")


@st.composite
def placed(draw: st.DrawFn) -> tuple[Scene, Page]:
    """A scene on a small page; larger scenes are drawn as shades."""
    trace = draw(drawn() | large().filter(lambda t: t.x.size < 150))
    s = scene(trace, draw(st.sampled_from(WALKED["transposed" if trace.op.transposed else "conv"])))
    for width, height in (draw(st.sampled_from([(480, 270), (640, 360), (400, 400)])), (1280, 720), (2560, 1440)):
        try:
            return s, layout(s, width, height, captions=draw(st.booleans()))
        except ConvanimError:
            continue
    raise AssertionError(f"{trace} fits on no page")


# --- a frame's pixels are its own ----------------------------------------------------------------------------------


@SETTINGS
@given(placed(), st.randoms(use_true_random=False), st.sampled_from(LOOKS))
def test_a_frame_looks_the_same_after_any_other(case: tuple[Scene, Page], random: Any, look: str) -> None:
    s, page = case
    raster = Raster(s, page, load(look))
    order = [*range(min(6, s.beats.total)), *(random.randrange(s.beats.total) for _ in range(10)), s.beats.total - 1]
    before = None
    for number in order:
        frame = s.frame(number)
        picture = raster.draw(frame)
        alone = Raster(s, page, load(look)).draw(s.frame(number))
        np.testing.assert_array_equal(picture.pixels, alone.pixels, f"frame {number} after {order}: {s.title}")
        assert alone.changed == (0, 0, page.height, page.width)
        if before is not None:
            changed = np.argwhere(before != picture.pixels)
            top, left, bottom, right = picture.changed
            assert top >= 0 and left >= 0 and bottom <= page.height and right <= page.width  # noqa: PT018
            if len(changed):
                assert (changed.min(axis=0) >= (top, left)).all()
                assert (changed.max(axis=0) < (bottom, right)).all()
        before = picture.pixels.copy()


def test_cells_that_are_not_there_any_more_leave_nothing_behind() -> None:
    """As with select="last,0": the spread input is followed by the input alone, in cells too small for grid lines."""
    s = scene(ConvTranspose(2, 2).trace(np.arange(400).reshape(20, 20), np.ones((2, 2), int)))
    page = layout(s, 640, 360)
    assert not page.places["stage"].line
    raster = Raster(s, page, load("light"))
    raster.draw(s.frame(s.beats.total - 1))
    again = raster.draw(s.frame(0)).pixels
    np.testing.assert_array_equal(again, Raster(s, page, load("light")).draw(s.frame(0)).pixels)


def test_the_same_frame_again_changes_nothing() -> None:
    s = scene(ConvTranspose(2).trace([[0, 1], [2, 3]], [[4, 1], [2, 3]]), "overlap-add")
    raster = Raster(s, layout(s, 640, 360), load("light"))
    first = raster.draw(s.frame(s.beats.total - 1)).pixels.copy()
    again = raster.draw(s.frame(s.beats.total - 1))
    np.testing.assert_array_equal(first, again.pixels)
    top, left, bottom, right = again.changed
    assert (bottom - top) * (right - left) < first.size // 2


def test_few_sprites_kept_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    s = scene(Conv(3, 1, 1).trace(np.arange(25).reshape(5, 5), np.arange(9).reshape(3, 3)))
    page = layout(s, 640, 360)
    wanted = [Raster(s, page, load("light")).draw(s.frame(i)).pixels for i in range(0, s.beats.total, 7)]
    for name in ("KEPT", "WORDS", "RINGS"):
        monkeypatch.setattr(f"convanim.draw.raster.paint.{name}", 3)
    monkeypatch.setattr("convanim.draw.raster.picture.KEPT", 3)
    monkeypatch.setattr("convanim.draw.cells.KEPT", 3)
    raster = Raster(s, page, load("light"))
    for i, pixels in zip(range(0, s.beats.total, 7), wanted, strict=True):
        np.testing.assert_array_equal(raster.draw(s.frame(i)).pixels, pixels)


# --- colours -------------------------------------------------------------------------------------------------------


@SETTINGS
@given(placed(), st.sampled_from(LOOKS))
def test_every_pixel_has_a_colour_and_every_colour_is_there_once(case: tuple[Scene, Page], look: str) -> None:
    s, page = case
    raster = Raster(s, page, load(look))
    colours = raster.palette.colours
    assert len(colours) <= 255
    assert len({tuple(c) for c in colours.tolist()}) == len(colours)
    for frame in looked_at(s):
        pixels = raster.draw(frame).pixels
        assert pixels.dtype == np.uint8
        assert pixels.shape == (page.height, page.width)
        assert pixels.max() < len(colours)


COUNT = np.arange(1, 17).reshape(4, 4)
#: Together these show every role, and every role under the kernel.
SHOWN = {
    "padded and unused": (Conv(2, 2, ((1, 0), (0, 1))).trace(COUNT, [[1, -2], [3, -4]]), None),
    "inserted": (ConvTranspose(3, 2, 1, output_padding=1).trace(COUNT[:2, :2], COUNT[:3, :3]), None),
    "cropped": (ConvTranspose(2, 1, 2).trace(COUNT, [[1, -2], [3, -4]]), None),
    "copied": (Conv(2, 2, 1, padding_mode="reflect").trace(COUNT, [[1, -2], [3, -4]]), None),
    "pooled": (MaxPool(3, 2, 1).trace(COUNT), None),
    "stamped": (ConvTranspose(3, 2, 1).trace(COUNT[:2, :2], COUNT[:3, :3], 5), "overlap-add"),
}


def painted(name: str, look: str) -> tuple[Scene, Page, list[tuple[Any, Pixels]]]:
    trace, view = SHOWN[name]
    s = scene(trace, view)
    page = layout(s, 1280, 720)
    raster = Raster(s, page, load(look))
    frames = [s.frame(i) for i in range(s.beats.total)]
    return s, page, [(frame, raster.palette.colours[raster.draw(frame).pixels]) for frame in frames]


STROKED = {Role.DATA, Role.KERNEL, Role.PRODUCT, Role.DONE, Role.OVERLAP}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", SHOWN)
def test_a_cell_is_filled_with_its_role_and_its_number_can_be_read_there(name: str, look: str) -> None:
    """Measured in pixels: the most frequent colour of a cell, and the strongest one inside the number's box."""
    _, page, pictures = painted(name, look)
    colours, met = load(look), set()
    for frame, rgb in pictures:
        for panel, place in page.places.items():
            grid = frame.grids[panel]
            for row, column in np.argwhere(grid.roles != Role.NONE).tolist():
                role, emphasis = Role(grid.roles[row, column]), Emphasis(grid.emphasis[row, column])
                text = (
                    ""
                    if role in (Role.PENDING, Role.EMPTY)
                    else place.panel.numerals.text(grid.values[row, column].item())
                )
                if (role, emphasis, text) in met:
                    continue
                met.add((role, emphasis, text))
                top, left, bottom, right = place.cell(row, column)
                fill = commonest(rgb[top:bottom, left:right])
                wanted = theme.FILL[role]
                if emphasis in (Emphasis.ACTIVE, Emphasis.WRITTEN) and role in STROKED:
                    wanted = wanted.replace("fill", "lit")
                assert fill == colours.colour(wanted), (role, emphasis, text)
                if not text:
                    continue
                box = place.number_text(text, bold=emphasis == Emphasis.WRITTEN).box
                inside = rgb[top + box.top : top + box.bottom - 3, left + box.left : left + box.right]
                strongest = max(contrast(tuple(c), fill) for c in np.unique(inside.reshape(-1, 3), axis=0).tolist())
                quiet = role in theme.QUIET
                assert strongest >= (4.5 if quiet else 7), (role, emphasis, text, strongest)
    kernel = set() if name == "pooled" else {Role.KERNEL}
    assert {role for role, _, _ in met} > {Role.DATA, Role.DONE, Role.PENDING} | kernel


def test_every_role_is_among_what_was_looked_at() -> None:
    met = {(r, e) for n in SHOWN for f, _ in painted(n, "light")[2] for r, e in _roles(f)}
    assert {role for role, _ in met} >= set(Role) - {Role.NONE}
    around = {Role.INSERTED, Role.PADDING, Role.COPIED, Role.EMPTY}
    assert {role for role, emphasis in met if emphasis == Emphasis.ACTIVE} == {
        Role.DATA,
        Role.DONE,
        Role.KERNEL,
        *around,
    }


def _roles(frame: Any) -> set[tuple[Role, Emphasis]]:
    pairs = [np.stack([g.roles.ravel(), g.emphasis.ravel()], axis=1) for g in frame.grids.values()]
    return {(Role(r), Emphasis(e)) for r, e in np.unique(np.concatenate(pairs), axis=0).tolist()}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", SHOWN)
def test_outlines_run_all_around_in_the_colour_of_their_role(name: str, look: str) -> None:
    _, page, pictures = painted(name, look)
    for frame, rgb in pictures:
        for panel, place in page.places.items():
            for o in frame.grids[panel].outlines:
                if o.dashed or (name == "pooled" and o.role == Role.KERNEL):
                    continue  # see test_cells.py; or under the outline of a maximum
                stroke = load(look).colour(theme.STROKE[o.role])
                y, x = place.y + place.line // 2, place.x + place.line // 2  # the middle of a gap
                top, left = y + o.top * place.pitch, x + o.left * place.pitch
                bottom, right = y + o.bottom * place.pitch, x + o.right * place.pitch
                cut = place.radius + place.line + page.stroke  # the corners are round
                for part in (
                    rgb[top, left + cut : right - cut],
                    rgb[bottom, left + cut : right - cut],
                    rgb[top + cut : bottom - cut, left],
                    rgb[top + cut : bottom - cut, right],
                ):
                    assert len(part)
                    assert (part == stroke).all(), (panel, o)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("lowest", [0, -450])
def test_a_shade_goes_with_the_value(look: str, lowest: int) -> None:
    """Small cells have no numbers: a larger value never looks smaller, and the ends of the shade are exact.

    Values of both signs have two ramps, which meet at zero and have the same range.
    """
    x = np.random.default_rng(1).permutation(901)[:900].reshape(30, 30) + lowest
    s = scene(Conv(2).trace(x, [[1, 0], [0, 0]]))
    page = layout(s, 640, 360)
    place = page.places["stage"]
    assert not place.number
    raster = Raster(s, page, load(look))
    pixels = raster.draw(s.frame(s.beats.total - 1)).pixels
    steps = [raster.palette.solid("page"), *raster.palette.shade("data").tolist()]
    if lowest < 0:
        steps = raster.palette.shade("negative").tolist()[::-1] + steps
    shown = {}
    for row, column in np.ndindex(x.shape):
        top, left, bottom, right = place.cell(row, column)
        colours = np.unique(pixels[top:bottom, left:right])
        assert len(colours) == 1
        shown[int(x[row, column])] = steps.index(int(colours[0]))
    ordered = [shown[value] for value in sorted(shown)]
    assert all(a <= b for a, b in pairwise(ordered))
    assert (ordered[0], ordered[-1]) == (0, len(steps) - 1)
    assert len(set(ordered)) == len(steps)
    low, bar, high = place.scale or pytest.fail("a shade without its scale")
    most = max(-int(x.min()), int(x.max()))
    assert (low.text, high.text) == (("−" if lowest else "") + str(most if lowest else x.min()), str(most))
    assert pixels[bar.top, bar.left] == steps[0]
    assert pixels[bar.bottom - 1, bar.right - 1] == steps[-1]


@pytest.mark.parametrize("look", LOOKS)
def test_the_images_of_a_shaded_layer_have_codes_of_seven_bits(look: str) -> None:
    """The lines from the magnified window blend with low indices, which leaves room for a transparent one."""
    s = scene(Conv(3).trace(np.arange(48 * 48).reshape(48, 48), np.ones((3, 3), int)))
    raster = Raster(s, layout(s, 1280, 720), load(look))
    assert len(raster.palette.colours) > 128
    for number in (0, 5, 30, 700, s.beats.total - 1):
        assert raster.draw(s.frame(number)).pixels.max() < 127


# --- files ---------------------------------------------------------------------------------------------------------

FILES: dict[str, tuple[Trace, dict[str, Any]]] = {
    "conv": (Conv(3, 2, 1).trace(np.arange(36).reshape(6, 6), np.arange(9).reshape(3, 3) - 4), {"width": 640}),
    "zeros inserted, dark": (SHOWN["inserted"][0], {"width": 641, "height": 363, "theme": "dark"}),
    "overlap-add": (SHOWN["stamped"][0], {"view": "overlap-add", "width": 480}),
    "both, one axis": (ConvTranspose(3, 2).trace([1, 2, 3], [1, 0, -1]), {"view": "both", "width": 800}),
    "shaded, paced": (Conv(2).trace(np.arange(400).reshape(20, 20), [[1, -1], [2, 0]]), {"width": 480}),
    "some frames": (SHOWN["cropped"][0], {"select": "0,2..4,last", "seconds_per_step": 0.02, "hold_last": 0.5}),
}


@pytest.mark.parametrize("decode", [decode_pillow, decode_gifsicle, decode_ffmpeg])
@pytest.mark.parametrize("name", FILES)
def test_a_gif_shows_the_frames_that_were_rendered(name: str, decode: Any, tmp_path: Path) -> None:
    trace, options = FILES[name]
    animation = Animation(trace, **{"motion": "step"} | options)
    saved = animation.save(tmp_path / "a.gif")
    raster = Raster(animation.scene, animation.page, animation.theme)
    wanted: Clip = []
    for shot in animation.plan.shots:
        pixels = raster.draw(animation.scene.frame(shot.frame)).pixels
        wanted.append((raster.palette.colours[pixels], shot.milliseconds))
    assert_same_show(decode(tmp_path / "a.gif"), wanted)
    assert (saved.frames, saved.seconds) == (len(wanted), sum(ms for _, ms in wanted) / 1000)
    for i in {0, len(wanted) // 2, len(wanted) - 1}:
        np.testing.assert_array_equal(animation.pixels(i), wanted[i][0])


@pytest.mark.parametrize("name", FILES)
def test_a_png_is_the_last_frame_which_is_the_result(name: str, tmp_path: Path) -> None:
    trace, options = FILES[name]
    animation = Animation(trace, **options | {"select": "last"})
    animation.save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.array(image.convert("RGB")), animation.pixels(-1))
    *_, last = animation.frames()
    assert all(values.tolist() == trace.output.ravel().tolist() for values in result_of(animation.scene, last))

"""Requests: kernels for pictures in colour, and options per axis."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from convanim.errors import ConvanimError
from convanim.gallery.description import Entry, command
from convanim.gallery.work import Task, work
from convanim.page import Place
from convanim.scene.frame import Role
from convanim.typed.request import request

PICTURE = str(Path(__file__).resolve().parent.parent / "gallery" / "colours.png")
COUNTED = np.arange(1, 28).reshape(3, 1, 3, 3)


def weights(kind: str = "conv", **typed: Any) -> Any:
    given_to = {"x": PICTURE, "kernel": "3x3"} | typed
    return np.asarray(request(kind, **given_to).given[1])


@pytest.mark.parametrize("kernel", ["3x3", "3", " 3x3 ", "3x1x3x3"])
def test_over_colours_the_shape_of_a_kernel_is_a_mean(kernel: str) -> None:
    assert np.array_equal(weights(kernel=kernel), np.full((3, 1, 3, 3), 1 / 9))


def test_a_kernel_from_its_notation_is_the_same_mean() -> None:
    assert np.array_equal(weights("layer", notation="Conv(3, padding=1, groups=3)", kernel=None), weights())
    filled = weights("layer", notation="Conv(3, groups=3)", kernel=None, fill="ones")
    assert np.array_equal(filled, np.ones((3, 1, 3, 3)))


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ({"fill": "range"}, COUNTED),
        ({"fill": "ones"}, np.ones((3, 1, 3, 3))),
        ({"kernel": "[[0,1],[2,3]]"}, np.broadcast_to([[0, 1], [2, 3]], (3, 1, 2, 2))),
        ({"x": "3x4x4", "groups": 3, "fill": "range"}, COUNTED),
        ({"grey": True}, [[2, 1, -1], [-1, 2, 1], [1, -1, 2]]),
    ],
)
def test_what_is_typed_or_no_colour_stays_as_it_is(typed: dict[str, Any], wanted: Any) -> None:
    assert np.array_equal(weights(**typed), wanted)


@settings(max_examples=30, deadline=None)
@given(st.tuples(st.integers(1, 4), st.integers(1, 4)), st.integers(1, 4), st.sampled_from(["conv", "transposed"]))
def test_a_mean_over_colours_is_a_colour(kernel: tuple[int, int], stride: int, kind: str) -> None:
    """Sums stay in the picture's range, except for stamps that do not tile: white stays about white."""
    asked = request(kind, x=PICTURE, kernel=f"{kernel[0]}x{kernel[1]}", stride=str(stride))
    output = asked.trace().output
    assert output.min() >= 0
    if kind == "conv":
        corner = asked.given[0][:, : kernel[0], : kernel[1]]
        assert np.allclose(output[:, 0, 0], corner.mean(axis=(1, 2)))
    if kind == "conv" or all(k % stride == 0 or k < stride for k in kernel):
        assert output.max() <= 255 + 1e-9


def test_channels_last_have_the_same_mean() -> None:
    assert np.array_equal(weights(convention="keras"), np.full((3, 3, 1, 3), 1 / 9))


def test_a_mean_of_white_is_not_told_to_be_more_than_white(tmp_path: Path) -> None:
    picture = tmp_path / "white.png"
    pixels = np.full((4, 4, 3), 255, np.uint8)
    pixels[0, 0] = 0, 0, 255
    Image.fromarray(pixels).save(picture)
    asked = request("conv", x=str(picture), kernel="3")
    frames = asked.trace().animate(colours=True).frames()
    assert not [c.remark for f in frames for c in f.captions if "stops" in c.remark or "clips" in c.remark]


def test_a_gallery_makes_of_a_colour_picture_what_its_command_makes(tmp_path: Path) -> None:
    entry = Entry(layer="Conv(2)", input="colours.png", kernel="2x2", width=480)
    data = Path(PICTURE).read_bytes()
    made = work(Task("a", entry, {"colours.png": data}))
    assert not made.error
    (tmp_path / "colours.png").write_bytes(data)
    words = shlex.split(command("a", entry))
    subprocess.run([sys.executable, "-m", *words, "--quiet"], check=True, cwd=tmp_path)
    assert (tmp_path / "a.gif").read_bytes() == made.files["a.gif"]


def test_padding_of_a_picture_has_its_colour_in_the_middle_and_none_around() -> None:
    animation = request("conv", x=PICTURE, kernel="3", padding="1").trace().animate(colours=True, select="last")
    grid = next(iter(animation.frames())).grids["stage"]
    place, page = animation.page.places["stage"], animation.theme.colour("page")
    pixels = animation.pixels(0)
    assert type(place) is Place
    for row, column in ((0, 5), (5, 0), (5, 5)):  # no window is outlined in the last frame
        assert grid.roles[row, column] == Role.PADDING
        top, left, bottom, right = place.cell(row, column)
        assert tuple(pixels[(top + bottom) // 2, (left + right) // 2]) == (0, 0, 0)
        assert tuple(pixels[top + 3, left + 3]) == page


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3), st.lists(st.sampled_from(["0", "1", "0:1"]), min_size=2, max_size=4))
def test_what_is_typed_for_other_axes_is_told_as_it_works(axes: int, parts: list[str]) -> None:
    typed = "x".join(parts)
    shape = "x".join(["5"] * axes)
    if len(parts) == axes:
        request("conv", x=shape, kernel="x".join(["3"] * axes), padding=typed)
        return
    with pytest.raises(ConvanimError) as refused:
        request("conv", x=shape, kernel="x".join(["3"] * axes), padding=typed)
    assert f"padding {typed} has values for {len(parts)} axes" in refused.value.message
    request("conv", x=shape, kernel="x".join(["3"] * axes), padding=refused.value.hint.removeprefix("write "))


@pytest.mark.parametrize(
    ("kind", "text", "values"),
    [
        ("conv", {"x": "[[1,2.5]]", "kernel": "1", "bias": "0.5"}, {"x": [[1, 2.5]], "kernel": 1, "bias": 0.5}),
        ("conv", {"x": "5", "kernel": "[1,0]", "padding": "1:2"}, {"x": 5, "kernel": [1, 0], "padding": ((1, 2),)}),
        ("pool", {"x": "4x4", "kernel": "2x1", "stride": "1x2"}, {"x": (4, 4), "kernel": (2, 1), "stride": (1, 2)}),
        ("upsample", {"x": "2x2", "scale_factor": "2x3"}, {"x": "2x2", "scale_factor": (2, 3)}),
    ],
)  # fmt: skip
def test_values_are_what_their_texts_are(kind: str, text: dict[str, Any], values: dict[str, Any]) -> None:
    one, other = request(kind, **text), request(kind, **values)
    assert one.op == other.op
    for a, b in zip(one.given, other.given, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("x", [[[1, "x"]], [[1], [2, 3]], [True], [], [[[[[[[[[[1]]]]]]]]]], [10**30]])
def test_a_list_that_is_no_array_is_refused(x: list[Any]) -> None:
    with pytest.raises(ConvanimError, match="input"):
        request("conv", x=x, kernel=1)


@pytest.mark.parametrize("shape", ["3x5x5", "5x5"])
@pytest.mark.parametrize(("kind", "layer"), [("conv", "Conv(3)"), ("transposed", "ConvTranspose(3)")])
def test_random_kernels_are_the_same_in_a_command_and_in_a_notation(shape: str, kind: str, layer: str) -> None:
    given = {"x": shape, "fill": "random", "seed": 7}
    typed = request(kind, kernel="3x3", **given).trace()
    noted = request("layer", notation=layer.replace("3", "(3, 3)"), **given).trace()
    assert np.array_equal(typed.weight, noted.weight)
    assert (typed.weight.min(), typed.weight.max()) == (-2, 2)


def test_groups_take_the_first_of_three_axes_as_channels() -> None:
    made = request("conv", x="4x3x3", kernel="2", groups=2)
    assert (made.op.kernel_size, made.sizes) == (2, (3, 3))

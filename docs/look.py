"""Draws docs/look.md: ten public figures as ours, and one frame of each layout, template and theme; `make look`.

A sheet has one row per template and one column per theme, for visual inspection.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from convanim import Animation, Conv, ConvTranspose
from convanim.draw.theme import themes
from convanim.errors import ConvanimError
from convanim.template import templates
from convanim.trace import Trace

HERE = Path(__file__).parent
TILE = (400, 225)  # px; other shapes are scaled to fit
GAP, HEAD, SIDE = 8, 20, 78
FIGURES = "https://github.com/vdumoulin/conv_arithmetic/blob/master/gif"


class Classic(NamedTuple):
    """A public figure: its layer, the side of its input, a step, what ours shows better, and what it shows badly."""

    layer: Conv | ConvTranspose
    side: int
    step: int
    better: str
    weaker: str


CLASSICS = {
    "no_padding_no_strides": Classic(
        *(Conv(3), 4, 2, "The pyramid leads from the window to the cell that it writes."),
        "at 150 px the cells that are still empty almost vanish.",
    ),
    "arbitrary_padding_no_strides": Classic(
        *(
            Conv(4, padding=2),
            5,
            8,
            "Padding under the window stays white, so that the nine real values can be counted.",
        ),
        "at 150 px the dashes of the padding fade.",
    ),
    "same_padding_no_strides": Classic(
        *(Conv(3, padding=1), 5, 7, "One sees that the cell which is written lies above the middle of the window."),
        "a side of the pyramid dulls the input behind it.",
    ),
    "full_padding_no_strides": Classic(
        *(Conv(3, padding=2), 5, 10, "The window's outline continues over the padding, and six values in it are real."),
        "the input is the smallest part of the picture, and hard to count at 150 px.",
    ),
    "no_padding_strides": Classic(
        *(Conv(3, 2), 5, 2, "Cells that are done, that is written and that are to come have three greens."),
        "the stride is not marked; only the motion shows it.",
    ),
    "padding_strides": Classic(
        *(Conv(3, 2, 1), 5, 5, "The nine values under the window are the only deep blue."),
        "the back edges of the pyramid run close together at 150 px.",
    ),
    "padding_strides_odd": Classic(
        *(Conv(3, 2, 1), 6, 5, "The row and the column that no window reaches are hatched."),
        "at 150 px the hatching looks like a grey.",
    ),
    "dilation": Classic(
        *(Conv(3, dilation=2), 7, 5, "Only the nine cells that are read are deep blue."),
        "the outline also encloses cells that are not read.",
    ),
    "no_padding_strides_transposed": Classic(
        *(
            ConvTranspose(3, 2),
            2,
            13,
            "The inserted zeros are pale and the four inputs deep: one sees what is multiplied.",
        ),
        "at 150 px the zeros between the inputs are nearly as white as the page.",
    ),
    "padding_strides_odd_transposed": Classic(
        *(ConvTranspose(3, 2, 1, output_padding=1), 3, 15, "Only one of the nine covered cells is an input."),
        "the edge that output padding adds to the output is not marked.",
    ),
}


class Shown(NamedTuple):
    """A layer of the page: its name, its options, and the public figure that it replaces."""

    name: str
    words: str
    trace: Trace
    view: str | None
    layouts: tuple[str, ...]
    step: str
    figure: str = ""
    beside: Trace | None = None


def layers() -> list[Shown]:
    def counted(*shape: int) -> Any:
        return np.arange(1, np.prod(shape) + 1).reshape(shape)

    reference = ConvTranspose(3, 2, 1).trace(counted(3, 3), counted(3, 3))
    small = ConvTranspose(2).trace([[0, 1], [2, 3]], [[4, 1], [2, 3]])
    strided = Conv(3, 2, 1).trace(counted(5, 5), [[0, 1, 2], [2, 2, 0], [0, 1, 2]])
    dilated = Conv(3, dilation=2).trace(counted(6, 6), counted(3, 3))
    large = Conv(5).trace(np.random.default_rng(0).integers(0, 256, (28, 28)), counted(5, 5))
    line = ConvTranspose(3, 2).trace(counted(5), [1, 2, 1])
    channels = Conv(3).trace(counted(3, 4, 4), np.ones((1, 3, 3, 3), int))
    same = Conv(3, padding="same", stride=2, convention="keras").trace(counted(6, 6)[..., None], np.ones((3, 3, 1, 1)))
    ringed = Conv(3, 2, 1).trace(counted(6, 6), np.ones((3, 3)))
    flat = ("flat", "isometric")
    return [
        Shown("2x2-k2", "Transposed, 2×2, kernel 2×2", small, "overlap-add", (*flat, "matrix"), "step:3"),
        Shown(
            *("3x3-k3-s2-p1-insert", "Transposed, 3×3, kernel 3×3, stride 2, padding 1: zeros inserted", reference),
            *("zero-insertion", flat, "step:8", "padding_strides_transposed"),
        ),
        Shown(
            *("3x3-k3-s2-p1-stamp", "The same layer: overlap-add", reference, "overlap-add", flat, "step:5"),
            "padding_strides_transposed",
        ),
        Shown(
            *("5x5-k3-s2-p1", "Convolution, 5×5, kernel 3×3, stride 2, padding 1", strided, None),
            *((*flat, "matrix"), "step:5", "padding_strides"),
        ),
        Shown("6x6-k3-d2", "Convolution, 6×6, kernel 3×3, dilation 2", dilated, None, flat, "step:2"),
        Shown("28x28-k5", "Convolution, 28×28, kernel 5×5", large, None, flat, "step:200"),
        Shown("line-k3-s2", "Transposed, one axis, kernel 3, stride 2", line, None, ("row",), "step:6"),
        Shown("channels-k3", "Convolution, 3 channels, kernel 3×3", channels, None, ("slices",), "step:2"),
        Shown(
            *("compare-k3-s2", "Two layers over one input: padding 1 in PyTorch, 'same' in Keras", ringed, None),
            *(("compare",), "step:5", "", same),
        ),
    ]


def tile(shown: Shown, layout: str, template: str, theme: str) -> Image.Image:
    """One frame, scaled to fit a tile; or the message of a refusal."""
    try:
        # The sheet's layout overrides the template's own.
        animation = Animation(
            *(shown.trace,),
            **{
                "view": None if layout == "matrix" else shown.view,
                "template": template,
                "theme": theme,
                "layout": layout,
                "select": shown.step,
                "beside": shown.beside,
            },
        )
        picture = Image.fromarray(animation.pixels(0))
    except ConvanimError as refused:
        picture = Image.new("RGB", TILE, "white")
        ImageDraw.Draw(picture).multiline_text((10, 90), _wrapped(str(refused)), "black")
        print(f"{shown.name} {layout} {template} {theme}: {refused}", file=sys.stderr)
    picture.thumbnail(TILE, Image.Resampling.LANCZOS)
    return picture


def _wrapped(text: str) -> str:
    lines, line = [], ""
    for word in text.split():
        line, full = (word, line) if len(line) + len(word) > 60 else (f"{line} {word}".strip(), "")
        lines += [full] * bool(full)
    return "\n".join([*lines, line])


def sheet(shown: Shown, layout: str) -> Image.Image:
    """Every template from top to bottom, in every theme from left to right."""
    rows, columns = templates(), themes()
    size = SIDE + len(columns) * (TILE[0] + GAP), HEAD + len(rows) * (TILE[1] + GAP)
    page = Image.new("RGB", size, "#d8dce0")
    pen = ImageDraw.Draw(page)
    for j, theme in enumerate(columns):
        pen.text((SIDE + j * (TILE[0] + GAP), 4), theme, "black")
    for i, template in enumerate(rows):
        top = HEAD + i * (TILE[1] + GAP)
        pen.text((6, top), template, "black")
        for j, theme in enumerate(columns):
            picture = tile(shown, layout, template, theme)
            left = SIDE + j * (TILE[0] + GAP)
            page.paste(picture, (left + (TILE[0] - picture.width) // 2, top + (TILE[1] - picture.height) // 2))
    return page


def three_sizes(classic: Classic) -> Image.Image:
    """One step of a figure at 1280 px, beside it at 640 px, and below that at 150 px, as in a table of thumbnails."""
    kernel = classic.layer.kernel_size
    shapes = (classic.side, classic.side), (kernel, kernel) if isinstance(kernel, int) else kernel
    trace = classic.layer.trace(*(np.ones(shape, int) for shape in shapes))
    look: dict[str, Any] = {"template": "minimal", "layout": "isometric", "select": f"step:{classic.step}"}
    slide, column = (Image.fromarray(trace.animate(width=width, **look).pixels(0)) for width in (1280, 640))
    page = Image.new("RGB", (slide.width + GAP + column.width, slide.height), "#d8dce0")
    page.paste(slide, (0, 0))
    page.paste(column, (slide.width + GAP, 0))
    column.thumbnail((150, 150), Image.Resampling.LANCZOS)
    page.paste(column, (slide.width + GAP, page.height // 2 + GAP))
    return page


def figures(folder: Path, *, drawn: bool) -> list[str]:
    """The lines of the page about the public figures."""
    lines = [
        "## Beside the public figures",
        "",
        "Ten figures that the field has linked to for years: the same layers, drawn by this project at 1280, 640 and",
        "150 px. The public ones are linked and not copied. Their planes are blue below and green above, the window is",
        "a shadow on the lower plane, nothing joins it to the cell that is written, and zeros are white. The gallery",
        "has the whole [animations](../gallery/README.md) under the same names.",
    ]
    for name, classic in CLASSICS.items():
        if drawn:
            three_sizes(classic).save(folder / f"{name}.webp", quality=70, method=6)
        lines += [
            *("", f"### {name}", "", f"`{classic.layer}`, input {classic.side}×{classic.side};"),
            f"[the public figure]({FIGURES}/{name}.gif).",
            f"{classic.better} Still weak: {classic.weaker}",
            *("", f"![{classic.layer} at three sizes](look/{name}.webp)"),
        ]
        print(name)
    return lines


def main(asked: list[str]) -> None:
    """Draw the sheets of these layers, or "figures" for the public ones (by default all), and the page."""
    folder = HERE / "look"
    folder.mkdir(exist_ok=True)
    lines = [
        "# The look",
        "",
        "Ten public figures beside ours, then one frame of every layout, template and theme for seven layers; made by",
        "`make look`.",
        "",
        *figures(folder, drawn=not asked or "figures" in asked),
        "",
        "## Every layout, template and theme",
        "",
        "In each sheet the templates stand below each other and the themes side by side. Where a public figure of the",
        "field shows the layer, it is linked.",
    ]
    for shown in layers():
        lines += ["", f"### {shown.words}", ""]
        if shown.figure:
            lines += [f"The figure that it replaces: [{shown.figure}]({FIGURES}/{shown.figure}.gif).", ""]
        for layout in shown.layouts:
            name = f"{shown.name}-{layout}.webp"
            if not asked or shown.name in asked:
                sheet(shown, layout).save(folder / name, quality=70, method=6)
            lines += [
                f"#### {layout}",
                "",
                f"![{shown.words}, layout {layout}, all templates and themes](look/{name})",
                "",
            ]
            print(name)
        lines.pop()
    (HERE / "look.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])

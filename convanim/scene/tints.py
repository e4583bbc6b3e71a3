"""Three channels as the colours of a picture, and remarks on values outside of 0 to 255."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.errors import ConvanimError
from convanim.language.numerals import Factors, Numerals
from convanim.language.words import say
from convanim.layers import Weighted
from convanim.scene.frame import Cells, Grid, Panel, Role, flat, whole
from convanim.trace import Trace

CHANNELS = (say("red"), say("green"), say("blue"))
#: The formatting of panels without numbers.
_PLAIN = Numerals(np.zeros(1, np.int64))
#: The greatest value that a colour has.
MOST = 255

Colours = NDArray[np.uint8]


def check(trace: Trace) -> None:
    """Refuse an input that is not a picture, or a layer that mixes its channels.

    Raises:
        ConvanimError: the message says why.
    """
    if len(trace.axes) > 2:
        raise ConvanimError(f"{trace.op} has {len(trace.axes)} axes, but a picture has two", "use `colours=False`")
    if len(trace.x) != len(CHANNELS) or trace.channels != len(CHANNELS):
        raise ConvanimError(
            f"{trace.op} has {len(trace.x)} input and {trace.channels} output channels, but colours need three of each",
            "give red, green and blue, or use `colours=False`",
        )
    if isinstance(trace.op, Weighted) and trace.op.groups != len(CHANNELS):
        raise ConvanimError(
            f"{trace.op} mixes the channels, so they are no longer colours", "use `groups=3`, or use `colours=False`"
        )
    low, high = trace.x.min().item(), trace.x.max().item()
    if low < 0 or high > MOST:
        raise ConvanimError(
            f"the input holds {low:g} to {high:g}, but colours are from 0 to {MOST}",
            f"scale the input to 0 to {MOST}, or use `colours=False`",
        )


#: The number of pixels from which the colours of a page are chosen.
SAMPLED = 2**16
#: The rounding error that a mean of floats may have.
_NOISE = 1e-6


def tinted(values: NDArray[Any]) -> Colours:
    """The colours (H, W, 3) of values (3, H, W): rounded, and clipped to the range of a colour.

    Example:
        >>> tinted(np.array([[[510]], [[2.5]], [[-1]]])).tolist()
        [[[255, 2, 0]]]
    """
    clipped: Colours = np.moveaxis(np.clip(np.rint(values), 0, MOST), 0, -1).astype(np.uint8)
    return clipped


def finds_edges(trace: Trace) -> bool:
    """Whether the weights of a kernel cancel each other, so that its sums are about zero except at edges.

    Example:
        >>> from convanim.layers import Conv
        >>> picture = np.zeros((3, 4, 4), int)
        >>> [finds_edges(Conv(2, groups=3).trace(picture, np.full((3, 1, 2, 2), w))) for w in ([[1, -1]] * 2, 1)]
        [True, False]
    """
    weight = trace.weight
    return weight is not None and bool(weight.min() < 0 and 4 * abs(weight.sum()) < np.abs(weight).sum())


def codes(colours: Colours) -> NDArray[np.int64]:
    """Colours (..., 3) as one number each, 0xrrggbb."""
    red, green, blue = np.moveaxis(colours.astype(np.int64), -1, 0)
    joined: NDArray[np.int64] = red << 16 | green << 8 | blue
    return joined


def distinct(*pictures: Colours) -> Colours:
    """The distinct colours of some pictures, (n, 3); of large ones some of the pixels, frequent colours more often."""
    pixels = np.concatenate([p.reshape(-1, 3) for p in pictures])
    return np.unique(pixels, axis=0) if len(pixels) <= SAMPLED else pixels[:: len(pixels) // SAMPLED]


def clipped(value: float, *, saturate: bool) -> str:
    """The remark on a value outside the range of a colour; empty for other values.

    Example:
        >>> clipped(510, saturate=True), clipped(510, saturate=False), clipped(255, saturate=True)
        ('clips at 255', 'its colour stops at 255', '')
    """
    if -_NOISE <= value <= MOST + _NOISE:
        return ""
    end = MOST if value > 0 else 0
    return say("clips at {n}", n=end) if saturate else say("its colour stops at {n}", n=end)


def picture_panel(name: str, title: str, shape: tuple[int, int], colours: Colours) -> Panel:
    """A panel for a picture, with every colour that it ever shows."""
    return Panel(name, shape, (title,), _PLAIN, np.zeros(1, np.int64), colours=colours)


def kernel_panels(weight: NDArray[Any], sign: str = "") -> tuple[tuple[Panel, ...], dict[str, Grid]]:
    """The panels and grids of each channel's kernel (3, *k), or of the one that all channels share."""
    numerals = Factors(weight)
    planes = [flat(w) for w in weight]
    one = all((p == planes[0]).all() for p in planes)
    titles = (say("kernel"),) if one else tuple(say("{colour} kernel", colour=c) for c in CHANNELS)
    grids = {t: whole(t, Role.KERNEL, plane) for t, plane in zip(titles, planes, strict=False)}
    panels = (
        Panel(
            *(t, g.values.shape, (t,), numerals, weight, ""),
            sign=sign if i == 0 else "",
            aside=True,
            shade="kernel",
            group="" if one else "kernel",
        )
        for i, (t, g) in enumerate(grids.items())
    )
    return tuple(panels), grids


def picture(title: str, roles: Cells, colours: Colours, **more: Any) -> Grid:
    """The state of a picture: the roles and colours (rows, columns, 3) of its cells."""
    return Grid(title, roles, codes(colours), **{"emphasis": np.zeros_like(roles), **more}, colours=colours)

"""Value as shade: the ramp of a panel's colours, and the steps of its values on it."""

from __future__ import annotations

from sys import float_info
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.draw.palette import SHADES, STEPS, steps
from convanim.page import Place


def ramp(place: Place) -> list[str]:
    """The names of the colours of a panel's values, from the least to the greatest. Zero is the page.

    Values of both signs have a ramp for each, which meet at zero; counts and grey values of pictures have their own.
    """
    if place.panel.heat:
        return steps("heat")
    if place.panel.white:
        return steps("grey")
    below = steps("negative")[::-1] if place.low < 0 else []
    return [*below, "page", *(steps(place.panel.shade) if place.high > 0 else [])]


def step(place: Place, values: NDArray[Any]) -> NDArray[np.intp]:
    """The positions of some values on the ramp of their panel.

    Example:
        >>> from convanim.layers import Conv
        >>> from convanim.page import layout
        >>> from convanim.scene import scene
        >>> shown = scene(Conv(1).trace([[0, 1], [-2, 4]], [[1]]))
        >>> place = layout(shown, 1280, 720).places["stage"]
        >>> step(place, np.array([0, 1, -2, 4])).tolist()
        [16, 20, 8, 32]
    """
    most = max(-place.low, place.high, float_info.min)
    part = np.clip(np.asarray(values, float) / most, -1, 1)  # infinite values stay at the ends
    found: NDArray[np.intp]
    if place.panel.heat:  # a count of one is never shown as none
        found = np.maximum(part > 0, np.rint(part * (STEPS["heat"] - 1))).astype(np.intp)
    elif place.panel.white:
        found = np.rint(np.maximum(part, 0) * (STEPS["grey"] - 1)).astype(np.intp)
    else:
        away = np.rint(np.abs(part) * SHADES).astype(np.intp)
        found = np.where(part < 0, -away, away) + (SHADES if place.low < 0 else 0)
    return found

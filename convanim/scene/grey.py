"""A scene over the grey values of a picture, which are shaded from black to white where numbers do not fit."""

from __future__ import annotations

from dataclasses import replace

from convanim.errors import ConvanimError
from convanim.scene.contents import Scene
from convanim.scene.frame import Beats, Blocks, Frame, Link, Panel, Phase, arrangements, panels_of
from convanim.trace import Trace

#: The white of 8 bits, and that of 16 bits.
WHITES = 255, 65535


def white(trace: Trace) -> int:
    """The value that is white in the picture that a trace reads.

    Raises:
        ConvanimError: the values are not those of a picture.

    Example:
        >>> from convanim.layers import MaxPool
        >>> white(MaxPool(1).trace([[0, 200]])), white(MaxPool(1).trace([[0, 300]]))
        (255, 65535)
    """
    low, high = trace.x.min().item(), trace.x.max().item()
    found = next((most for most in WHITES if high <= most), 0)
    if low < 0 or not found:
        raise ConvanimError(
            f"the input holds {low:g} to {high:g}, but grey values are from 0 to {WHITES[0]}, or to {WHITES[1]}",
            "scale the input, or use `colours=False`",
        )
    return found


class GreyScene:
    """A scene whose input is a grey picture; results that are grey values, too, are shown as such.

    Args:
        scene: the same with numbers.
        most: the value that is white.
    """

    def __init__(self, scene: Scene, most: int) -> None:
        self._scene, self._white = scene, most
        self.title, self.detail = scene.title, scene.detail
        self.beats: Beats = scene.beats
        self.captions: int = scene.captions
        self.traces: tuple[Trace, ...] = scene.traces
        self.phases: tuple[Phase, ...] = scene.phases
        self.blocks = self._blocks(scene.blocks)
        self.others = tuple(map(self._blocks, arrangements(scene)))
        named = {panel.name: panel for panel in panels_of(self.blocks)}
        self.panels = tuple(named[panel.name] for panel in scene.panels)

    def _blocks(self, blocks: Blocks) -> Blocks:
        return tuple(tuple(tuple(map(self._panel, row)) for row in block) for block in blocks)

    def _panel(self, panel: Panel) -> Panel:
        read, made = panel.shade == "data", panel.shade == "done" and not panel.heat
        grey = read or (made and panel.values.min() >= 0 and panel.values.max() <= self._white)
        return replace(panel, white=self._white) if grey else panel

    def links(self, step: int) -> tuple[Link, ...]:
        """The cells that a placement links."""
        return self._scene.links(step)

    def frame(self, number: int) -> Frame:
        """One frame of the scene, from 0."""
        return self._scene.frame(number)

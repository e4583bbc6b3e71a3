"""A scene as a style shows it: without the panels and words that the style leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from convanim.page.style import Style
from convanim.scene import Contents
from convanim.scene.frame import Blocks, Link, Panel, Phase, arrangements, panels_of, stories
from convanim.trace import Trace


class Seen:
    """A scene with some panels left out or rearranged; everything else is the original scene's.

    Args:
        scene: the original scene.
        blocks: the panels that appear, in their default arrangement.
        others: the same panels in alternative arrangements.
    """

    def __init__(self, scene: Contents, blocks: Blocks, others: tuple[Blocks, ...] = ()) -> None:
        self._scene, self.blocks, self.others, self.stories = scene, blocks, others, stories(scene)
        self.title, self.detail = scene.title, scene.detail
        self.beats, self.captions = scene.beats, scene.captions

    @property
    def traces(self) -> tuple[Trace, ...]:
        """The traces that are drawn."""
        return self._scene.traces

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phases, named along the top of the page."""
        return self._scene.phases

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The panels that appear."""
        return panels_of(self.blocks)

    def links(self, step: int) -> tuple[Link, ...]:
        """The cells that a placement links."""
        return self._scene.links(step)


def seen(scene: Contents, style: Style) -> Contents:
    """The scene without what the style leaves out.

    Example:
        >>> from convanim.layers import Conv
        >>> from convanim.scene import scene
        >>> s = scene(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]))
        >>> [panel.name for panel in seen(s, Style(kernel=False)).panels]
        ['stage', 'output']
    """
    if style.panel_titles and style.notes and style.signs and style.kernel:
        return scene

    def keeps(panel: Panel) -> bool:
        return style.kernel or not (panel.aside and panel.shade in ("kernel", "product"))

    def stripped(panel: Panel) -> Panel:
        return replace(
            panel,
            titles=panel.titles if style.panel_titles else (),
            notes=panel.notes if style.notes else "",
            # A sign relates two neighbouring panels, and would be wrong if one of them is left out.
            sign=panel.sign if style.signs and style.kernel else "",
            follows=panel.follows if panel.follows in names else "",
        )

    def left(blocks: Blocks) -> Blocks:
        some = tuple(tuple(tuple(p for p in row if keeps(p)) for row in rows) for rows in blocks)
        kept = tuple(rows for block in some if (rows := tuple(row for row in block if row)))
        return kept or blocks  # a scene of nothing but kernels keeps them

    def bare(blocks: Blocks) -> Blocks:
        return tuple(tuple(tuple(map(stripped, row)) for row in rows) for rows in left(blocks))

    names = {p.name for rows in left(scene.blocks) for row in rows for p in row}
    return Seen(scene, bare(scene.blocks), tuple(map(bare, arrangements(scene))))


def broken(blocks: Blocks) -> Iterator[Blocks]:
    """The same panels with blocks stacked vertically, or with one row broken in two, in every possible way."""
    if len(blocks) > 1:
        yield (tuple(row for rows in blocks for row in rows),)
    if len(blocks) != 1 or len(blocks[0]) != 1:
        return
    (row,) = blocks[0]
    for at in reversed(range(1, len(row))):  # prefers the break that leaves the output alone in its row
        before = {p.name for p in row[:at]}
        if not any(p.follows in before or (p.group and p.group == row[at - 1].group) for p in row[at:]):
            yield ((row[:at], row[at:]),)

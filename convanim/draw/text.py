"""Frames as plain text, for reading, reviews and golden files; independent of themes, layouts and fonts.

Cells: `·` inserted zero, `○` padding, `5○` padding that copies a cell, `5/` cropped, `5~` unused, `_` no value yet,
`[5×2]` under the kernel with its factor, `<5>` just written, `<4 = 1 + 3>` overlap, `≠5` different from the compared
cell, `(5)` not taking part, `#0b63b8` a picture's own colour.
"""

from __future__ import annotations

from itertools import zip_longest

from convanim.language.words import Catalogue, say, translate
from convanim.scene import Scene
from convanim.scene.frame import COLOURLESS, Emphasis, Frame, Grid, Panel, Role, stories

_SIGNS = {Role.NONE: "", Role.INSERTED: "·", Role.PADDING: "○", Role.PENDING: "_", Role.EMPTY: "○"}
_MARKS = {Role.CROPPED: "/", Role.UNUSED: "~", Role.COPIED: "○"}
_BRACKETS = {
    Emphasis.NONE: ("", ""),
    Emphasis.ACTIVE: ("[", "]"),
    Emphasis.WRITTEN: ("<", ">"),
    Emphasis.QUIET: ("(", ")"),
    Emphasis.DIFFERENT: ("≠", ""),
}
_APART = "   "


def heading(scene: Scene, title: str | None = None) -> str:
    """The heading above all frames: the title and the phases."""
    phases = "   ".join(f"{i}  {phase.label}" for i, phase in enumerate(scene.phases, start=1))
    return f"{title or scene.title}\n{phases}\n"


def frame_text(
    scene: Scene,
    frame: Frame,
    number: int,
    milliseconds: int,
    *,
    captions: bool = True,
    words: Catalogue | None = None,
) -> str:
    """One frame: its number, phase and duration, the grids side by side, the captions.

    Args:
        words: the catalogue of the scene's language; the word "frame" itself stays, as part of the format.

    Example:
        >>> from convanim.layers import Conv
        >>> from convanim.scene import scene
        >>> s = scene(Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 0], [0, 1]]))
        >>> print(frame_text(s, s.frame(2), 2, 400))
        frame 2 (400 ms)   slide   1 of 1
        input         kernel    output
        [1×1] [2×0]   [1] [0]   <5>
        [3×0] [4×1]   [0] [1]
        output[0,0] = 1·1 + 4·1 = 5   2 of 4 products are zero
        <BLANKLINE>
    """
    count = say("{n} of {steps}", n=frame.step, steps=scene.beats.steps)
    step = f"   {translate(count, words)}" if frame.step and captions else ""
    lines = [f"frame {number} ({milliseconds} ms)   {scene.phases[frame.phase].label}{step}"]
    heads = stories(scene)
    said = [[text] if (text := caption.text()) else [] for caption in frame.captions if captions]
    rows = [row for block in scene.blocks for row in block]
    for before, row in zip([None, *rows], rows, strict=False):
        if heads and (before is None or before[0].layer != row[0].layer):
            lines += said.pop(0) if before and said else []  # each story ends with its own caption
            lines.append(f"{heads[row[0].layer]}:")
        blocks = [_block(panel, frame.grids[panel.name]) for panel in row]
        widths = [max(map(len, block)) for block in blocks]
        signs = [f" {panel.sign} " if panel.sign else _APART for panel in row]
        for i, parts in enumerate(zip_longest(*blocks, fillvalue="")):
            # The sign is beside the first row of cells, even at the start of the line.
            apart = signs if i == 1 else [_APART] * len(row)
            first = apart[0] if row[0].sign else ""
            padded = [part.ljust(width) for part, width in zip(parts, widths, strict=True)]
            lines.append("".join(a + p for a, p in zip([first, *apart[1:]], padded, strict=True)).rstrip())
    return "\n".join([*lines, *(text for texts in said for text in texts)]) + "\n"


def _block(panel: Panel, grid: Grid) -> list[str]:
    rows, columns = grid.roles.shape
    cells = [[_cell(panel, grid, r, c) for c in range(columns)] for r in range(rows)]
    width = max(len(cell) for row in cells for cell in row)
    return [grid.title, *(" ".join(cell.rjust(width) for cell in row) for row in cells)]


def _cell(panel: Panel, grid: Grid, row: int, column: int) -> str:
    role, emphasis = Role(grid.roles[row, column]), Emphasis(grid.emphasis[row, column])
    first, last = _BRACKETS[emphasis]
    number = panel.numerals.text(grid.values[row, column].item())
    if grid.colours is not None and role not in COLOURLESS:
        number = f"#{grid.colours[row, column].tobytes().hex()}"
    body = _SIGNS.get(role, number + _MARKS.get(role, ""))
    note = grid.notes.get((row, column), "")
    if note and role == Role.OVERLAP:
        note = f" {'=' if panel.numerals.exact(grid.values[row, column].item()) else '≈'} {note}"
    return f"{first}{body}{note}{last}"

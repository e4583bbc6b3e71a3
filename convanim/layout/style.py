"""What appears on a page, and how large its type is.

Knows words for the parts of a page, and sizes in px. Must not know scenes beyond their panels, nor where anything lies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from convanim.scene.frame import Blocks, Panel

#: Below this size (px) a text cannot be read, and is not shown.
SMALLEST = 9
#: All lengths are given for a page of this size (px) and scale with it.
WIDTH, HEIGHT = 1280, 720


@dataclass(frozen=True)
class Style:
    """How a page is set; without any change it is the usual page.

    Attributes:
        width, height: px of the page that the sizes are meant for; on another page they scale with it.
        title_size, caption_size, small_size, number_size: of the four kinds of text, px; numbers are at most so large.
        smallest: no text is smaller than so many percent of the page's height, nor than 9 px.
        cell: the largest side of a cell, px.
        title, detail, phases, panel_titles, captions, counter, numbers, notes, signs, scales: whether these appear.
        shades: whether a shade stands for values where there are no numbers; without it cells have the colour of their
            role.
        kernel: whether kernels and stamps have a place of their own.
        motion_colours: whether cells take the kernel's colour while the window covers them; without it only its
            outline shows where it is.

    Example:
        >>> Style(captions=False).counter
        True
    """

    width: int = WIDTH
    height: int = HEIGHT
    title_size: int = 30
    caption_size: int = 25
    small_size: int = 18
    number_size: int = 30
    smallest: float = 0.0
    cell: int = 84
    title: bool = True
    detail: bool = True
    phases: bool = True
    panel_titles: bool = True
    captions: bool = True
    counter: bool = True
    numbers: bool = True
    notes: bool = True
    signs: bool = True
    scales: bool = True
    shades: bool = True
    kernel: bool = True
    motion_colours: bool = True

    def shown(self, blocks: Blocks) -> Blocks:
        """The panels that appear, without the words that do not."""
        if self.panel_titles and self.notes and self.signs and self.kernel:
            return blocks
        kept = tuple(tuple(tuple(p for p in row if self._keeps(p)) for row in rows) for rows in blocks)
        kept = tuple(tuple(row for row in rows if row) for rows in kept)
        if not any(kept):  # a scene of kernels alone
            kept = blocks
        names = {p.name for rows in kept for row in rows for p in row}
        return tuple(tuple(tuple(self._stripped(p, names) for p in row) for row in rows) for rows in kept if rows)

    def _keeps(self, panel: Panel) -> bool:
        return self.kernel or not (panel.aside and panel.shade in ("kernel", "product"))

    def _stripped(self, panel: Panel, names: set[str]) -> Panel:
        return replace(
            panel,
            titles=panel.titles if self.panel_titles else (),
            notes=panel.notes if self.notes else "",
            # A sign says what stands between two panels; with a panel left out it would say something wrong.
            sign=panel.sign if self.signs and self.kernel else "",
            follows=panel.follows if panel.follows in names else "",
        )


#: The usual page.
USUAL = Style()

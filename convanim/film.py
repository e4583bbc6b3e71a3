"""The input of the writers: the frames, their durations, their positions and their colours.

Knows a scene, its plan and its page. Must not know files, or the request.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from convanim import description
from convanim.layout import Page, layout
from convanim.scene import Scene
from convanim.template import Settings
from convanim.theme import Theme
from convanim.timeline import Plan
from convanim.words import Catalogue, join, translate

if TYPE_CHECKING:
    from convanim.draw.axes import Canvas, FrameArtist
    from convanim.draw.raster import Raster


class Film:
    """What is written.

    Attributes:
        scene: the frames, in the language of `words`.
        words: of that language; None for English.
        plan: which frames are shown, and how long.
        tick: ms of a frame on the way between two; 0 for none.
        plays: how often it runs; 0 forever.
        selected: whether the frames were chosen one by one.
        settings: the page's size, and what appears on it.
        layout: how the grids stand.
        theme: the colours.
        title: instead of the scene's own.
        comment: what made it.
        renderer: what draws, of `convanim.draw.choices.RENDERERS`; None for what suits the file.
        text: what text is in a file of vectors, of `convanim.draw.choices.TEXTS`.
        dpi: of a PNG; None for a pixel of the page in each of its own.
    """

    scene: Scene
    words: Catalogue | None
    plan: Plan
    tick: int
    plays: int
    selected: bool
    settings: Settings
    layout: str
    theme: Theme
    title: str | None
    comment: str
    renderer: str | None
    text: str
    dpi: int | None

    def __len__(self) -> int:
        """The number of frames shown."""
        return len(self.plan.shots)

    @property
    def width(self) -> int:
        """The width of the page, px."""
        return self.settings.width

    @property
    def height(self) -> int:
        """The height of the page, px."""
        return self.settings.height

    @property
    def size(self) -> tuple[int, int]:
        """The width and height of the page, px."""
        return self.width, self.height

    @cached_property
    def alt(self) -> str:
        """What is shown, in one sentence: an image's alternative text."""
        told = description.sentence(self.scene, self.words)
        return translate(join(": ", [self.title, told]), self.words) if self.title else told

    @cached_property
    def page(self) -> Page:
        """Where things lie. Made when something is drawn: text needs no page.

        Raises:
            ConvanimError: the page is too small for the layer.
        """
        style, words = self.settings.style, self.words
        return layout(self.scene, *self.size, title=self.title, style=style, words=words, arrangement=self.layout)

    def raster(self) -> Raster | Canvas:
        """What draws the frames as pixels in one palette, one after the other."""
        if self.renderer == "matplotlib":
            from convanim.draw.axes import Canvas

            return Canvas(self.scene, self.page, self.theme)
        from convanim.draw.raster import Raster

        return Raster(self.scene, self.page, self.theme)

    def artist(
        self, number: int = -1, *, text: str = "outlines", extent: tuple[float, float, float, float] | None = None
    ) -> FrameArtist:
        """One of the frames shown, to be put on an Axes of matplotlib's."""
        from convanim.draw.axes import FrameArtist

        numbers = [shot.frame for shot in self.plan.shots]
        return FrameArtist(self.scene, self.page, self.theme, numbers, number, text=text, extent=extent)

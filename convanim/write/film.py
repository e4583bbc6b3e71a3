"""Films, the input of the writers: frames with their durations, layout and colours."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from convanim.draw.theme import Theme
from convanim.language.words import Catalogue, join, translate
from convanim.page import Page, layout
from convanim.scene import Scene, description
from convanim.template import Settings
from convanim.timing.timeline import Plan

if TYPE_CHECKING:
    from convanim.draw.axes import Canvas, FrameArtist
    from convanim.draw.raster import Raster


class Film:
    """The frames of an animation and how they are drawn.

    Attributes:
        scene: the frames, in the language of `words`.
        words: the catalogue of that language; None for English.
        plan: the frames that are shown, and their durations.
        tick: the duration of a frame in motion, ms; 0 for no motion.
        plays: the number of plays; 0 repeats forever.
        selected: whether the frames were selected by number.
        settings: the size of the page, and which parts appear.
        layout: the layout of the grids.
        theme: the colours.
        title: a title instead of the scene's own.
        comment: the program and command that made it.
        renderer: "raster" or "matplotlib"; None for the one that suits the file.
        text: "outlines" or "editable", for vector formats.
        dpi: the resolution of a PNG; None for one pixel per pixel of the page.
        script: "inline", or "external" for a page whose script is a file beside it.
        tex: how LaTeX shows the pages of a PDF, "overlays" or "animate", in a file beside it; None without one.
        pinned: whether the theme was chosen, so that a page of both kinds does not change it.
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
    script: str
    tex: str | None
    pinned: bool

    def __len__(self) -> int:
        """The number of frames shown."""
        return len(self.plan.shots)

    @property
    def width(self) -> int:
        """The width of the page, px."""
        return self.settings.size[0]

    @property
    def height(self) -> int:
        """The height of the page, px."""
        return self.settings.size[1]

    @property
    def size(self) -> tuple[int, int]:
        """The width and height of the page, px."""
        return self.width, self.height

    @cached_property
    def alt(self) -> str:
        """The alternative text of an image, in one sentence."""
        told = description.sentence(self.scene, self.words)
        return translate(join(": ", [self.title, told]), self.words) if self.title else told

    @cached_property
    def page(self) -> Page:
        """The layout of the page, created when something is drawn: text needs none.

        Raises:
            ConvanimError: the page is too small for the layer.
        """
        style, words = self.settings.style, self.words
        return layout(self.scene, *self.size, title=self.title, style=style, words=words, arrangement=self.layout)

    def raster(self) -> Raster | Canvas:
        """The renderer that draws the frames as pixels in one palette, one after the other."""
        if self.renderer == "matplotlib":
            from convanim.draw.axes import Canvas

            return Canvas(self.scene, self.page, self.theme)
        from convanim.draw.raster import Raster

        return Raster(self.scene, self.page, self.theme)

    def artist(
        self, number: int = -1, *, text: str = "outlines", extent: tuple[float, float, float, float] | None = None
    ) -> FrameArtist:
        """One of the frames shown as an artist for an Axes of matplotlib."""
        from convanim.draw.axes import FrameArtist

        numbers = [shot.frame for shot in self.plan.shots]
        return FrameArtist(self.scene, self.page, self.theme, numbers, number, text=text, extent=extent)

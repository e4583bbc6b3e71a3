"""From a trace to a file: a request becomes a film, and the film is written.

Knows every option and its stage. Draws, times and encodes nothing itself.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from copy import copy
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convanim import __version__
from convanim.budget import Rung, fitted, read_size, rungs, too_large
from convanim.draw.choices import RENDERERS, TEXTS, pick, pick_dpi
from convanim.errors import ConvanimError, shortly, whole
from convanim.film import Film
from convanim.formats import FORMATS, PICTURE_TICK, Counting, Format, Progress, Saved, draw_png, pick_format, save_trace
from convanim.formats import sheet as write_sheet
from convanim.kinds import of_their_kinds
from convanim.layout import choose, known, suited, view_of
from convanim.scene import Scene, Shown, compared, pick_view, scene, views_of
from convanim.scene.frame import Frame
from convanim.spoken import Spoken, catalogue
from convanim.template import Template, settle
from convanim.theme import load
from convanim.timeline import Plan, pick_motion, plan
from convanim.trace import Trace
from convanim.write.files import numbered, whole_file, whole_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from convanim.draw.axes import FrameArtist

#: So many cells a text has at the most, where nobody selected its frames: some megabytes.
MOST_TEXT = 1_000_000


class Animation(Film):
    """An animation of a trace. Nothing is drawn before `save` or `pixels` is called.

    Args:
        trace: the trace to show.
        view: one of `convanim.scene.views(trace.op)`; the first of them by default.
        beside: the trace of another layer over the same input, for a comparison.
        align: "index" compares the output cells of the same index, "cells" those of the same position, which differ if
            the paddings or crops differ.
        symbols: whether letters with indices replace the values.
        colours: whether the three channels of the input are the red, green and blue of a picture.
        saturate: whether colours are clipped at 255.
        grad: the gradient with respect to the output, for view "backward"; ones by default.
        template: "slide", "paper", ... or a path to your own file; the options below override its keys.
        layout: "flat", "isometric", "row", "slices", "matrix" or "compare"; by default the one that suits the scene.
        theme: the name of a theme, or a path to your own file; for "auto" see `convanim.save_pair`.
        lang: the language of the words on the page, "en", "de", ...; the catalogues are in templates/lang.
        width, height: the size of the page in px, by default 1280 x 720; one alone keeps the shape of the template.
        seconds_per_step: the duration of a placement; by default a long animation lasts at most 30 s, or as long as
            the template allows.
        hold_last: the duration of the last frame in seconds.
        plays: the number of plays; 0 repeats forever.
        select: the frames to show, by number or as "0,4,8", "2..6", "last"; "step:12" is the placement with the step
            number 12, with its sum written.
        title: the title of the page; derived from the layer by default.
        caption: whether the line of arithmetic and the step number are shown.
        motion: "step", or "smooth" to show moving cells and windows, in formats with time.
        max_size: the maximum size of a file in bytes, or as "1MB", "500KB"; an animation reduces its frame rate for it,
            then leaves out the frames in between, then placements.
        renderer: "raster", or "matplotlib" to draw through it: slower, and almost the same picture; without it the
            one that suits the file, as vectors and other dots per inch than 96 need matplotlib.
        text: in SVG, PDF and PGF "outlines", or "editable" for letters in the fonts of whoever opens the file.
        dpi: dots per inch of a PNG; at 96 a pixel of the page is one of the file, at 300 there are ten times as many.
        made_by: the origin that the comment of the file names; by default the layer.

    Raises:
        ConvanimError: a view, layout, theme, language, motion or selection is unknown, the layout does not suit the
            layer, the maximum size is invalid, the page is too small, or there is too much to show (`Trace.bounded`).

    Example:
        >>> from convanim.ops import Conv
        >>> a = Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]).animate(select="last", width=640)
        >>> a.pixels(0).shape
        (360, 640, 3)
    """

    def __init__(
        self,
        trace: Trace,
        *,
        view: str | None = None,
        beside: Trace | None = None,
        align: str = "index",
        symbols: bool = False,
        colours: bool = False,
        saturate: bool = False,
        grad: ArrayLike | None = None,
        template: str | Path | Template | None = None,
        layout: str | None = None,
        theme: str | Path | None = None,
        lang: str = "en",
        width: int | None = None,
        height: int | None = None,
        seconds_per_step: float | None = None,
        hold_last: float | None = None,
        plays: int = 0,
        select: str | int | Sequence[int] | None = None,
        title: str | None = None,
        caption: bool | None = None,
        motion: str | None = None,
        max_size: int | str | None = None,
        renderer: str | None = None,
        text: str = "outlines",
        dpi: int | None = None,
        made_by: str | None = None,
    ) -> None:
        of_their_kinds(
            traces=(trace, *([] if beside is None else [beside])),
            numbers={"width": width, "height": height, "plays": plays},
            texts={"view": view, "layout": layout, "motion": motion, "title": title, "made by": made_by},
            flags={"symbols": symbols, "colours": colours, "saturate": saturate, "caption": caption},
        )
        if select is not None and not isinstance(select, str):
            numbers = [select] if hasattr(select, "__index__") else select
            if not isinstance(numbers, Iterable):
                raise ConvanimError(f"select {select!r} is not a selection of frames", 'give 3, [0, 4] or "2..6"')
            select = ",".join(map(str, numbers))
        for given in (trace, *([] if beside is None else [beside])):
            given.bounded()
        if beside is None and align != "index":
            raise ConvanimError(f"align {align!r} has no effect without another layer beside", "leave it out")
        if not 0 <= plays <= 65536:
            raise ConvanimError(
                f"plays {plays} is not between 0 and 65536", "use 0 to repeat forever, or 1 to play once"
            )
        if renderer is not None:
            pick("renderer", renderer, RENDERERS)
        pick("text", text, TEXTS)
        self.renderer, self.text = renderer, text
        self._asked_size = max_size is not None  # a template's own is for files that have a size to keep
        shown = Shown(symbols, colours, saturate, grad)
        if beside is None:
            view = view_of(known(layout), view, views_of(trace.op))
        self.settings = settle(
            template,
            layout=layout,
            theme=theme,
            width=width,
            height=height,
            seconds_per_step=seconds_per_step,
            hold_last=hold_last,
            title=title,
            caption=caption,
            motion=motion,
            max_size=max_size,
        )
        self.dpi = None if dpi is None else pick_dpi(dpi, *self.size)
        self.trace, self.view, self.theme = trace, view, load(self.settings.theme)
        self.scene: Scene = scene(trace, view, shown) if beside is None else compared(trace, beside, view, shown, align)
        self.layout = choose(self.scene, pick_view(trace.op, view, shown), layout, two=beside is not None)
        if layout is None and self.settings.layout:  # a template's own, where it suits
            self.layout = suited(self.scene, self.layout, self.settings.layout)
        self.words = catalogue(lang)
        if self.words:
            self.scene = Spoken(self.scene, self.words)
        self.plan: Plan = plan(
            self.scene.beats,
            seconds_per_step=self.settings.seconds_per_step,
            hold_last=self.settings.hold_last,
            longest=self.settings.longest,
            select=select,
        )
        self.title, self.plays, self.select, self.selected = title, plays, select, select is not None
        self.motion = pick_motion(self.settings.motion)
        self.tick = PICTURE_TICK if self.motion == "smooth" else 0
        self.max_size = None if self.settings.max_size is None else read_size(self.settings.max_size)
        self._checked = False
        self.comment = f"{made_by or trace.op}. Made with convanim {__version__}, free to use under the MIT licence."

    def frames(self) -> Iterator[Frame]:
        """The frames as data, in the order in which they are shown."""
        return (self.scene.frame(shot.frame) for shot in self.plan.shots)

    def pixels(self, number: int) -> NDArray[np.uint8]:
        """One of the frames shown, as (H, W, 3) colours."""
        raster = self.raster()
        picture = raster.draw(self.scene.frame(self.plan.shots[number].frame))
        return raster.palette.colours[picture.pixels]

    def figure(self, number: int = -1) -> Figure:
        """One of the frames shown as a matplotlib figure of the page's size, at 96 dots per inch.

        Args:
            number: from 0 on; negative numbers count from the end.

        Raises:
            ConvanimError: there is no such frame.

        Example:
            >>> from convanim.ops import Conv
            >>> a = Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]).animate(width=480)
            >>> [float(inches) for inches in a.figure(0).get_size_inches()]
            [5.0, 2.8125]
        """
        from convanim.draw.axes import page_figure

        artist = self.artist(number, text=self.text)
        figure, axes = page_figure(self.page)
        axes.add_artist(artist)
        return figure

    def draw(
        self, ax: Axes, number: int = -1, *, extent: tuple[float, float, float, float] | None = None
    ) -> FrameArtist:
        """Draw one of the frames shown on an Axes of your own, as large as fits; `set_frame` moves on.

        The Axes loses its ticks and spines, unless the frame lies at an extent of its own.

        Args:
            ax: a matplotlib Axes.
            number: from 0 on; negative numbers count from the end.
            extent: (left, right, bottom, top) in the data coordinates of the Axes; None for its whole box.

        Raises:
            ConvanimError: it is no Axes, or there is no such frame.

        Example:
            >>> from matplotlib.figure import Figure
            >>> from convanim.ops import Conv
            >>> a = Conv(kernel_size=2).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]).animate(width=480)
            >>> frame = a.draw(Figure().subplots(), 0)
            >>> frame.set_frame(1)
            >>> frame.stale
            True
        """
        from convanim.draw.axes import on_axes

        axes, artist = on_axes(ax), self.artist(number, text=self.text, extent=extent)
        if extent is None:
            axes.set_axis_off()
        axes.add_artist(artist)
        return artist

    def save(
        self,
        path: str | Path | BinaryIO,
        format: str | None = None,
        progress: Progress | None = None,
        *,
        sheet: int | None = None,
    ) -> Saved:
        """Verify the trace and write the animation in the format of the suffix.

        Args:
            path: the file, or a binary stream opened for writing. A name with %d or %03d, for a format that
                holds one frame, writes every frame to its own file, by the frame's number.
            format: one of `convanim.formats.FORMATS`; required for a stream.
            progress: called with (number of frames done, total number of frames).
            sheet: the number of columns of a PNG with all selected frames, or with a few frames if none are selected.

        Raises:
            ConvanimError: the format is unknown, or the file cannot be written; no file is left behind.
            CheckFailed: the trace disagrees with its replay or with the oracle.
        """
        target = Path(path) if isinstance(path, str | Path) else None
        kind = pick_format(target, format)
        progress = progress or (lambda done, total: None)
        FORMATS[kind].check(self)
        if sheet is not None:
            if self.dpi is not None:
                raise ConvanimError(f"a sheet cannot be combined with dpi {self.dpi}", "leave one of them out")
            if not whole(sheet):
                raise ConvanimError(f"sheet {shortly(sheet)} is not a number of columns", "give an int, like 4")
            if kind != "png" or (target and numbered(target)):
                what = target.name if target else f".{kind}"
                raise ConvanimError(f"a sheet is a single .png, and {what} is not", "name a file like sheet.png")
            return self._save_sheet(target or cast(BinaryIO, path), sheet, progress)
        if kind == "json":
            if self._asked_size:
                raise ConvanimError(
                    "max size cannot be combined with .json", "leave it out: a trace is always complete"
                )
            return save_trace(self.trace, target or cast(BinaryIO, path), self.view)
        form = FORMATS[kind]
        if target and numbered(target):
            if not form.still:
                raise ConvanimError(
                    f"a .{kind} file holds all frames, but {target.name} names a series of files", "leave out the %"
                )
            self.prove()
            return self._save_series(target, form, progress)
        if form.still and not form.pages and self.select and len({shot.frame for shot in self.plan.shots}) > 1:
            raise ConvanimError(
                f"select {self.select!r} is {len(self)} frames, and one .{kind} holds one",
                f"select one, or name the file like frame-%03d.{kind}",
            )
        if form.draws:
            self.page  # noqa: B018 - refused before any file is made, if at all
        self.prove()
        shown, given_up = self._within(form)
        with whole_file(target) if target else nullcontext(path) as file:
            counted = Counting(file)
            frames, seconds = form.save(shown, cast(BinaryIO, counted), progress)
        left_out = 0 if form.still else shown.plan.left_out
        return Saved(target, kind, *form.size(self), frames, seconds, counted.size, left_out, self.plan.steps, given_up)

    def _within(self, form: Format) -> tuple[Animation, str]:
        """This animation, or one with less in it that keeps the size that was asked for, and what it does without."""
        asked = Rung(self.plan, form.tick if self.motion == "smooth" else 0)
        if not form.draws and self.max_size is None and not self.selected:
            cells = sum(math.prod(panel.shape) for panel in self.scene.panels)
            for rung in rungs(asked, self.scene.beats):
                if len(rung.plan.shots) * cells <= MOST_TEXT:
                    break
            return self._as(rung), ""
        if self.max_size is None:
            return self._as(asked), ""

        def write(rung: Rung, file: BinaryIO) -> None:
            form.save(self._as(rung), file, lambda done, total: None)

        rung = fitted(self.max_size, asked, self.scene.beats if form.tick and self.select is None else None, write)
        return self._as(rung), rung.given_up

    def _as(self, rung: Rung) -> Animation:
        other = copy(self)
        other.plan, other.tick = rung.plan, rung.tick
        return other

    def prove(self) -> None:
        """Check every trace that is shown, once.

        Raises:
            CheckFailed: it disagrees with its replay or with the oracle.
        """
        if not self._checked:
            for shown in self.scene.traces:
                shown.verify()
            self._checked = True

    def _repr_html_(self) -> str:
        """The GIF itself, for a notebook."""
        file = BytesIO()
        self.save(file, "gif")
        data = b64encode(file.getvalue()).decode()
        return f'<img alt="{escape(self.alt)}" src="data:image/gif;base64,{data}">'

    def still(self, number: int = -1) -> bytes:
        """One of the frames shown, by default the last one, as a PNG."""
        file = BytesIO()
        self.prove()
        draw_png(self, file, self.plan.shots[number].frame)
        return file.getvalue()

    def _repr_png_(self) -> bytes:
        """The last frame, for what shows no HTML."""
        return self.still()

    def __repr__(self) -> str:
        return f"<Animation of {self.trace.op}: {len(self)} frames, {self.plan.seconds:.1f} s>"

    def _save_series(self, pattern: Path, form: Format, progress: Progress) -> Saved:
        """Every frame in a file of its own; there is no time, and so nothing to leave out for it."""
        assert form.still  # noqa: S101 - asked for by `save`
        beats = self.scene.beats
        numbers = sorted({shot.frame for shot in self.plan.shots}) if self.selected else range(beats.total)
        draw, size = form.still(self), 0
        with whole_series(pattern) as new:
            for i, number in enumerate(numbers, start=1):
                with new(number) as file:
                    draw(file, number)
                    if self.max_size is not None and file.tell() > self.max_size:
                        raise too_large(self.max_size, file.tell())
                    size += file.tell()
                progress(i, len(numbers))
        return Saved(pattern, form.suffix, *form.size(self), len(numbers), 0.0, size, 0, beats.steps)

    def _save_sheet(self, path: Path | BinaryIO, columns: int, progress: Progress) -> Saved:
        """Several frames in one PNG."""
        self.prove()
        written = BytesIO()
        wide, high, frames = write_sheet(self, written, columns, progress)
        size = written.tell()
        if self.max_size is not None and size > self.max_size:
            raise too_large(self.max_size, size)
        with whole_file(path) if isinstance(path, Path) else nullcontext(path) as file:
            file.write(written.getbuffer())
        target = path if isinstance(path, Path) else None
        return Saved(target, "png", wide, high, frames, 0.0, size, 0, self.plan.steps)

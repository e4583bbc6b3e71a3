"""From a trace to a file: the stages joined.

Knows every stage, and which writer a format has. Draws, times and codes nothing itself.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convanim import __version__
from convanim.errors import ConvanimError
from convanim.layout import Page, choose, known, page_size, view_of
from convanim.layout import layout as laid_out
from convanim.scene import Shown, compared, pick_view, scene, views_of
from convanim.scene.frame import Frame
from convanim.theme import load
from convanim.timeline import Plan, plan
from convanim.trace import Trace
from convanim.write.files import numbered, whole_file, whole_series

if TYPE_CHECKING:
    from convanim.render.raster import Raster

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Saved:
    """What was written.

    Attributes:
        path: the file, or None for a stream.
        format: gif, png, txt or json.
        width, height: of the page in px, 0 for text.
        frames: how many; the steps of a trace.
        seconds: how long they last, 0 where a file has no time.
        size: bytes.
        left_out: placements that are not shown, of `steps`.
    """

    path: Path | None
    format: str
    width: int
    height: int
    frames: int
    seconds: float
    size: int
    left_out: int
    steps: int


class Animation:
    """A trace to look at. Nothing is drawn before `save` or `pixels`.

    Args:
        trace: what is shown.
        view: one of `convanim.scene.views(trace.op)`; the first of them without a choice.
        beside: the trace of another layer over the same input, to be compared with.
        symbols: letters with indices instead of values.
        colours: the three channels of the input are red, green and blue of a picture.
        saturate: colours beyond 255 are clipped there.
        grad: for view "backward", the gradient with respect to the output; ones without it.
        layout: "flat", "isometric", "row", "slices", "matrix" or "compare"; without it the one that suits the scene.
        theme: "light" or "dark".
        width, height: of the page in px; one alone makes it 16:9, none 1280 x 720.
        seconds_per_step: of a placement; without it a long animation is paced to last at most 30 s.
        hold_last: seconds of the last frame.
        plays: how often it runs; 0 for ever.
        select: frames to show, by number or as "0,4,8", "2..6", "last"; "step:12" is the placement that the page
            counts as 12, with its sum written.
        title: instead of the one made from the layer.
        caption: False leaves the line of arithmetic and the step count out.
        made_by: what the file's comment says made it; without it, the layer.

    Raises:
        ConvanimError: an unknown view, layout, theme or selection, a layout that does not suit, or a page too small.

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
        symbols: bool = False,
        colours: bool = False,
        saturate: bool = False,
        grad: ArrayLike | None = None,
        layout: str | None = None,
        theme: str = "light",
        width: int | None = None,
        height: int | None = None,
        seconds_per_step: float | None = None,
        hold_last: float | None = None,
        plays: int = 0,
        select: str | int | Sequence[int] | None = None,
        title: str | None = None,
        caption: bool = True,
        made_by: str | None = None,
    ) -> None:
        for name, value in (("width", width), ("height", height), ("plays", plays)):
            if value is not None and (isinstance(value, bool) or not hasattr(value, "__index__")):
                raise ConvanimError(f"{name} {value!r} is not a whole number", "give an int")
        if select is not None and not isinstance(select, str):
            numbers = [select] if hasattr(select, "__index__") else select
            if not isinstance(numbers, Iterable):
                raise ConvanimError(f"select {select!r} is not a choice of frames", 'give 3, [0, 4] or "2..6"')
            select = ",".join(map(str, numbers))
        if not 0 <= plays <= 65536:
            raise ConvanimError(f"plays {plays} is not between 0 and 65536", "use 0 for ever, or 1 for once")
        shown = Shown(symbols, colours, saturate, grad)
        if beside is None:
            view = view_of(known(layout), view, views_of(trace.op))
        self.trace, self.view, self.theme = trace, view, load(theme)
        self.scene = scene(trace, view, shown) if beside is None else compared(trace, beside)
        self.layout = choose(self.scene, pick_view(trace.op, view, shown), layout, two=beside is not None)
        self.width, self.height = page_size(width, height)
        self.plan: Plan = plan(self.scene.beats, seconds_per_step=seconds_per_step, hold_last=hold_last, select=select)
        self.title, self.plays, self.select, self.caption = title, plays, select, caption
        self._checked = False
        self.comment = f"{made_by or trace.op}. Made with convanim {__version__}, free to use under the MIT licence."

    @cached_property
    def page(self) -> Page:
        """Where things lie. Made when something is drawn: text needs no page.

        Raises:
            ConvanimError: the page is too small for the layer.
        """
        size = self.width, self.height
        return laid_out(self.scene, *size, title=self.title, captions=self.caption, arrangement=self.layout)

    def __len__(self) -> int:
        """The number of frames shown."""
        return len(self.plan.shots)

    def frames(self) -> Iterator[Frame]:
        """The frames as data, in the order in which they are shown."""
        return (self.scene.frame(shot.frame) for shot in self.plan.shots)

    def pixels(self, number: int) -> NDArray[np.uint8]:
        """One of the frames shown, as (H, W, 3) colours."""
        from convanim.render.raster import Raster

        raster = Raster(self.scene, self.page, self.theme)
        picture = raster.draw(self.scene.frame(self.plan.shots[number].frame))
        return raster.palette.colours[picture.pixels]

    def save(self, path: str | Path | BinaryIO, format: str | None = None, progress: Progress | None = None) -> Saved:
        """Check the trace and write it; the format is the file's suffix.

        Args:
            path: the file, or a binary stream that can only be written to. A name with %d or %03d, for PNG, writes
                every frame to its own file, by the frame's number.
            format: gif, png, txt or json; needed for a stream.
            progress: called with (frames done, frames in all).

        Raises:
            ConvanimError: an unknown format, a place that cannot be written; no file is left.
            CheckFailed: the trace disagrees with its replay or with the oracle.
        """
        target = Path(path) if isinstance(path, str | Path) else None
        kind = pick_format(target, format)
        progress = progress or (lambda done, total: None)
        if kind == "json":
            return save_trace(self.trace, target or cast(BinaryIO, path), self.view)
        if target and numbered(target) and kind != "png":
            raise ConvanimError(f"{target.name} is a series, and a .{kind} is one file", "name it without the %")
        if target and kind == "png" and numbered(target):
            self._check()
            return self._save_series(target, progress)
        if kind == "png" and self.select and len({shot.frame for shot in self.plan.shots}) > 1:
            raise ConvanimError(
                f"select {self.select!r} is {len(self)} frames, and one .png holds one",
                "select one, or name the file like frame-%03d.png",
            )
        if kind in DRAWN:
            self.page  # noqa: B018 - refused before any file is made, if at all
        self._check()
        with whole_file(target) if target else nullcontext(path) as file:
            counted = _Counting(file)
            frames, seconds = WRITERS[kind](self, cast(BinaryIO, counted), progress)
        size = (self.width, self.height) if kind in DRAWN else (0, 0)
        left_out = self.plan.left_out if kind in ("gif", "txt") else 0
        return Saved(target, kind, *size, frames, seconds, counted.size, left_out, self.plan.steps)

    def _check(self) -> None:
        if not self._checked:
            for shown in self.scene.traces:
                shown.verify()
            self._checked = True

    def _repr_html_(self) -> str:
        """The GIF itself, for a notebook."""
        file = BytesIO()
        self.save(file, "gif")
        data = b64encode(file.getvalue()).decode()
        return f'<img alt="{escape(self.title or self.scene.title)}" src="data:image/gif;base64,{data}">'

    def _repr_png_(self) -> bytes:
        """The last frame, for what shows no HTML."""
        file = BytesIO()
        self._check()
        self._draw_png(file, self.plan.shots[-1].frame)
        return file.getvalue()

    def __repr__(self) -> str:
        return f"<Animation of {self.trace.op}: {len(self)} frames, {self.plan.seconds:.1f} s>"

    def _gif(self, file: BinaryIO, progress: Progress) -> tuple[int, float]:
        from convanim.render.raster import Raster
        from convanim.write.gif import GifWriter

        raster = Raster(self.scene, self.page, self.theme)
        size = self.width, self.height
        with GifWriter(file, size, raster.palette.colours, plays=self.plays, comment=self.comment) as writer:
            for i, shot in enumerate(self.plan.shots, start=1):
                picture = raster.draw(self.scene.frame(shot.frame))
                writer.add(picture.pixels, shot.milliseconds, picture.changed)
                progress(i, len(self))
        return len(self), self.plan.seconds

    def _png(self, file: BinaryIO, progress: Progress) -> tuple[int, float]:
        self._draw_png(file, self.plan.shots[-1].frame)
        progress(1, 1)
        return 1, 0.0

    def _draw_png(self, file: BinaryIO, number: int, raster: Raster | None = None) -> None:
        from convanim.render.raster import Raster
        from convanim.write.png import write_png

        raster = raster or Raster(self.scene, self.page, self.theme)
        picture = raster.draw(self.scene.frame(number))
        write_png(file, picture.pixels, raster.palette.colours, self.comment)

    def _save_series(self, pattern: Path, progress: Progress) -> Saved:
        """Every frame in a file of its own; there is no time, and so nothing to leave out for it."""
        from convanim.render.raster import Raster

        beats = self.scene.beats
        numbers = sorted({shot.frame for shot in self.plan.shots}) if self.select else range(beats.total)
        raster, size = Raster(self.scene, self.page, self.theme), 0
        with whole_series(pattern) as new:
            for i, number in enumerate(numbers, start=1):
                with new(number) as file:
                    self._draw_png(file, number, raster)
                    size += file.tell()
                progress(i, len(numbers))
        return Saved(pattern, "png", self.width, self.height, len(numbers), 0.0, size, 0, beats.steps)

    def _txt(self, file: BinaryIO, progress: Progress) -> tuple[int, float]:
        from convanim.render.text import frame_text, heading

        file.write(heading(self.scene, self.title).encode())
        for i, shot in enumerate(self.plan.shots, start=1):
            frame = self.scene.frame(shot.frame)
            text = frame_text(self.scene, frame, shot.frame, shot.milliseconds, captions=self.caption)
            file.write(b"\n" + text.encode())
            progress(i, len(self))
        return len(self), self.plan.seconds


def save_trace(trace: Trace, path: Path | BinaryIO, view: str | None = None) -> Saved:
    """Check a trace and write it as JSON, in the order of a view; it need not be one that can be drawn.

    Raises:
        ConvanimError: a place that cannot be written.
        CheckFailed: the trace disagrees with its replay or with the oracle.
    """
    from convanim.write import tracefile

    done = trace.by_input() if pick_view(trace.op, view) == "overlap-add" else trace.by_output()
    size = tracefile.save(done, path)
    return Saved(path if isinstance(path, Path) else None, "json", 0, 0, len(done), 0.0, size, 0, len(done))


WRITERS: dict[str, Callable[[Animation, BinaryIO, Progress], tuple[int, float]]] = {
    "gif": Animation._gif,
    "png": Animation._png,
    "txt": Animation._txt,
}


#: The formats that need a page.
DRAWN = ("gif", "png")


def pick_format(target: Path | None, given: str | None = None) -> str:
    """The format that a file's suffix, or a choice, stands for.

    Raises:
        ConvanimError: it is none that is known, or there is neither.

    Example:
        >>> pick_format(Path("up.GIF"))
        'gif'
    """
    kinds = [*WRITERS, "json"]
    known = ", ".join(f".{kind}" for kind in kinds)
    if given is not None:
        if given.lower() not in kinds:
            raise ConvanimError(f"format {given!r} is not known", f"use one of {', '.join(kinds)}")
        return given.lower()
    if target is None:
        raise ConvanimError("a stream has no suffix to tell the format", f"give a format: {', '.join(kinds)}")
    kind = target.suffix.lower().removeprefix(".")
    if kind not in kinds:
        what = f"the suffix {target.suffix!r} of {target.name}" if kind else f"{target.name!r} without a suffix"
        raise ConvanimError(f"{what} is no known format", f"use one of {known}")
    return kind


class _Counting:
    """A file that counts what is written to it."""

    def __init__(self, file: Any) -> None:
        self._file, self.size = file, 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return int(self._file.write(data) or 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

"""Writes MP4 and WebM with imageio and the ffmpeg of imageio-ffmpeg.

The rate is always 25 frames per second, since players misbehave at one or two; a longer picture is repeated, which adds
little to the file. Memory is constant: one picture, and ffmpeg's look-ahead.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import numpy as np

from convanim.errors import ConvanimError
from convanim.write.patches import Pixels, Writer

RATE = 25  # frames per second
TICK = 1000 // RATE  # ms per frame
#: The encoder options of each container: visually lossless.
CODERS = {
    "mp4": ("libx264", "-crf 18 -preset veryfast -tune animation -movflags +faststart"),
    "webm": ("libvpx-vp9", "-crf 24 -b:v 0 -deadline realtime -cpu-used 6"),
}
#: The colour space that players expect, named in the file, as they would otherwise guess it from the size. One thread
#: and no version numbers, for the same bytes every time.
_ALWAYS = (
    "-vf scale=out_color_matrix=bt709:out_range=tv -color_range tv -colorspace bt709 -color_primaries bt709 "
    "-color_trc bt709 -threads 1 -fflags +bitexact -flags:v +bitexact"
)
#: The maximum length of a comment: command lines are limited on some systems.
_TOLD = 2000
_HELP = "free disk space, or set IMAGEIO_FFMPEG_EXE to another ffmpeg"
_redirecting = Lock()


class VideoWriter(Writer):
    """Write a video as its frames arrive; a context manager.

    Odd sides get one more row or column, which repeats the last one: the codecs halve the resolution of
    colours, and nothing is rescaled. The file is written at the end, and not after an exception inside the `with`.

    Args:
        file: the output file; only `write` is needed.
        size: (width, height) in px.
        palette: (n, 3) uint8 RGB.
        container: "mp4" or "webm".
        plays: 0 or 1, as the player decides how often a video runs.
        comment: the program and command that made the file.

    Attributes:
        images: the number of frames written.

    Raises:
        ConvanimError: another number of plays, no working ffmpeg, or an ffmpeg that stops early.
    """

    def __init__(
        self,
        file: BinaryIO,
        size: tuple[int, int],
        palette: Pixels,
        *,
        container: str,
        plays: int = 0,
        comment: str = "",
    ) -> None:
        if plays > 1:
            raise ConvanimError(
                f"a .{container} cannot say that it plays {plays} times: its player decides",
                "leave `plays` out, or write a .gif, .webp or .apng",
            )
        import imageio.v2

        self.images = self._time = 0
        width, height = size
        self._file, self._palette, self._more = file, palette, ((0, height % 2), (0, width % 2))
        self._folder = tempfile.TemporaryDirectory(prefix="convanim.")
        self._path = Path(self._folder.name) / f"video.{container}"
        self._log = Path(self._folder.name) / "log"
        self._log.touch()
        codec, options = CODERS[container]
        told = comment if len(comment) <= _TOLD else f"{comment[:_TOLD]}…"
        self._writer: Any = imageio.v2.get_writer(
            str(self._path),
            format="FFMPEG",
            mode="I",
            fps=RATE,
            codec=codec,
            quality=None,
            pixelformat="yuv420p",
            macro_block_size=2,
            ffmpeg_log_level="error",
            output_params=[*_ALWAYS.split(), *options.split(), "-metadata", f"comment={told}"],
        )

    def add(self, frame: Pixels, milliseconds: int, changed: object = None) -> None:
        """Show a picture for some time; it ends at the frame nearest to its true end, so that errors do not add up.

        Args:
            frame: (H, W) uint8 palette indices.
            milliseconds: 40 or more.
            changed: not needed.

        Raises:
            ConvanimError: a duration shorter than a frame, or an ffmpeg that has stopped.
        """
        if milliseconds < TICK:
            raise ConvanimError(
                f"a frame of {milliseconds} ms is shorter than one of a video, which has {RATE} a second",
                f"use `seconds_per_step={TICK / 1000}` or more, or write a .gif, .webp or .apng",
            )
        self._time += milliseconds
        colours = self._palette[np.pad(frame, self._more, "edge")]
        end = (self._time * RATE + 500) // 1000
        with self._failing():
            if not self.images:
                with self._heard():  # ffmpeg starts with the first frame
                    self._append(colours)
            while self.images < end:
                self._append(colours)

    def say(self, line: str) -> None:
        """Ignored: the comment of a video precedes its frames."""

    def _append(self, colours: Pixels) -> None:
        self._writer.append_data(colours)
        self.images += 1

    @contextmanager
    def _heard(self) -> Iterator[None]:
        """Redirect ffmpeg's messages to a file: imageio lets it write to the terminal, where they cannot be read."""
        with _redirecting, self._log.open("ab") as log:
            with suppress(OSError):  # standard error may be closed
                before: int | None = None
                before = os.dup(2)
            os.dup2(log.fileno(), 2)
            try:
                yield
            finally:
                if before is None:
                    os.close(2)
                else:
                    os.dup2(before, 2)
                    os.close(before)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Raise an error that says why ffmpeg does not run, or its last message."""
        try:
            yield
        except (OSError, RuntimeError) as error:
            chosen = os.environ.get("IMAGEIO_FFMPEG_EXE")
            if isinstance(error, FileNotFoundError | PermissionError) and chosen:
                raise ConvanimError(
                    f"IMAGEIO_FFMPEG_EXE is {chosen!r}, which does not run: {(error.strerror or '').lower()}",
                    "unset it, or name an ffmpeg",
                ) from None
            if "ffmpeg exe" in str(error):
                raise ConvanimError("there is no ffmpeg", "pip install 'convanim[video]'") from None
            lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
            # Its messages begin with the component's name and an address that changes every time.
            last = re.sub(r"^(\[[^]]*\] *)+", "", lines[-1]) if lines else "it said nothing"
            raise ConvanimError(f"ffmpeg stopped before the end: {last.strip().rstrip('.')}", _HELP) from None

    def close(self) -> None:
        """Let ffmpeg finish, check that the file holds every frame, and copy the file to its target."""
        from imageio_ffmpeg import count_frames_and_secs

        with self._failing():
            self._writer.close()
            # imageio does not report how ffmpeg ended, so its file is read.
            if not self.images or count_frames_and_secs(str(self._path))[0] != self.images:
                raise RuntimeError
        with self._path.open("rb") as made:
            shutil.copyfileobj(made, self._file)

    def _release(self) -> None:
        try:
            self._writer.close()
        finally:
            self._folder.cleanup()

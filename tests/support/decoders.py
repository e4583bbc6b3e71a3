"""Independent decoders, so that tests of files do not rely on the writers.

Each `decode_...` returns the frames of a file as (picture, milliseconds), and `picture_at` the picture at a time,
whatever the number of frames.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from .needs import need

Clip = list[tuple[NDArray[np.uint8], int]]  # (H, W, 3) RGB and ms, in order


def decode_pillow(path: Path | str) -> Clip:
    """Decode with Pillow; refuse pixels that are not opaque."""
    clip: Clip = []
    with Image.open(path) as image:
        for frame in ImageSequence.Iterator(image):
            rgba = np.array(frame.convert("RGBA"))
            assert (rgba[..., 3] == 255).all(), f"frame {len(clip)} of {path} shows the page behind it"
            clip.append((rgba[..., :3].copy(), round(frame.info.get("duration", 0))))
    return clip


def decode_gifsicle(path: Path | str) -> Clip:
    """Decode a GIF: gifsicle expands every frame to a full one, and Pillow reads these."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.gif"
        subprocess.run([need("gifsicle"), "--no-warnings", "--unoptimize", path, "-o", whole], check=True)
        return decode_pillow(whole)


def decode_ffmpeg(path: Path | str) -> Clip:
    """Decode the frames with ffmpeg, and their times with ffprobe."""
    quiet = ["-v", "error"]
    probe = [need("ffprobe"), *quiet, "-select_streams", "v:0", "-of", "json"]
    shown = ["-show_entries", "stream=width,height:packet=duration_time"]
    facts = json.loads(subprocess.run([*probe, *shown, path], check=True, capture_output=True).stdout)
    stream = facts["streams"][0]
    times = [round(float(packet["duration_time"]) * 1000) for packet in facts["packets"]]
    source = ["-ignore_loop", "1"] if Path(path).suffix == ".gif" else []
    raw = ["-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    command = [need("ffmpeg"), *quiet, *source, "-i", path, *raw]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    frames = np.frombuffer(data, np.uint8).reshape(-1, stream["height"], stream["width"], 3)
    assert len(frames) == len(times), f"{len(frames)} frames but {len(times)} times in {path}"
    return list(zip(frames, times, strict=True))


def picture_at(clip: Clip, milliseconds: int) -> NDArray[np.uint8]:
    """Return the picture that is shown at a time after the start."""
    end = 0
    for picture, duration in clip:
        end += duration
        if milliseconds < end:
            return picture
    raise IndexError(f"{milliseconds} ms is after the end at {end} ms")


def assert_same_show(got: Clip, wanted: Clip) -> None:
    """Compare two clips by the picture at each time, to the pixel, whatever their frames."""
    length = sum(duration for _, duration in wanted)
    assert sum(duration for _, duration in got) == length
    starts = {sum(d for _, d in clip[:i]) for clip in (got, wanted) for i in range(len(clip))}
    for start in sorted(starts):
        if start < length:
            np.testing.assert_array_equal(picture_at(got, start), picture_at(wanted, start), f"at {start} ms")


def close(got: NDArray[Any], wanted: NDArray[Any]) -> bool:
    """Whether two outputs are equal up to the rounding of 64-bit floats in another order."""
    if got.shape != wanted.shape:
        return False
    finite = np.isfinite(wanted)
    scale = max(1.0, float(np.abs(wanted[finite]).max(initial=0)))
    return bool(np.allclose(got[finite], wanted[finite], rtol=0, atol=1e-9 * scale) and (got == wanted)[~finite].all())

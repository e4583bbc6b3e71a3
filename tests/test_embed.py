"""Parts of other pages: options as text become those of a gallery's entry."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from convanim.embed import KEYS, part, subject, told
from convanim.errors import ConvanimError
from convanim.gallery.description import FIELDS

HERE = Path()


def test_the_options_are_those_of_a_gallery() -> None:
    assert set(KEYS) - {"format"} <= set(FIELDS)
    assert {"input", "kernel", "view", "theme", "template", "alt", "width", "lang", "caption"} <= set(KEYS)


def test_text_becomes_values() -> None:
    typed = {"input": "4x4", "width": "480", "hold_last": "2.5", "caption": "false", "symbols": "", "output_size": "2"}
    entry = part("Conv(2)", typed, HERE).entry
    assert (entry.width, entry.hold_last, entry.caption, entry.symbols) == (480, 2.5, False, True)
    assert entry.output_size == "2"
    assert part("Conv(2,\n  stride=2)", {"input": "4x4", "title": "A"}, HERE).entry.drawn_title == "A"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": "wide"}, "width 'wide' is not a whole number; write :width: 640."),
        ({"hold_last": "long"}, "hold_last 'long' is not a number; write :hold_last: 0.5."),
        ({"caption": "perhaps"}, "caption 'perhaps' is not true or false; write :caption: true."),
        ({"formats": "gif"}, "'formats' is not an option; did you mean format?"),
        ({"input": "../x.npy"}, "input '../x.npy' lies outside"),
        ({"input": "/../x.npy"}, "input '../x.npy' lies outside"),
        ({"template": "../my.toml"}, "template '../my.toml' lies outside"),
        ({"kernel": "-"}, "a page cannot read from standard input; name a file."),
        ({"theme": "auto", "format": "picture"}, "theme auto needs a player; leave format out, or use light or dark."),
    ],
    ids=str,
)
def test_mistakes(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConvanimError) as error:
        part("Conv(2)", {"input": "3x3"} | options, tmp_path).animation  # noqa: B018 - raises
    assert told(error.value).startswith(message)
    assert subject(told(error.value)) in (*options, "a", *(f"{key}" for key in options.values()))


def test_options_in_messages_are_written_as_on_a_page() -> None:
    error = ConvanimError("`stride` 0 is not positive", 'use `stride=1` or `view="matrix"`')
    assert told(error) == "stride 0 is not positive; use :stride: 1 or :view: matrix."
    assert told(KeyError("x")).startswith("this is a fault of convanim (KeyError: 'x')")


def test_the_kinds_of_a_part() -> None:
    shown = part("Conv(2)", {"input": "3x3", "width": "480"}, HERE)
    last = shown.animation.pixels(-1)
    assert (np.asarray(Image.open(BytesIO(shown.made("png"))).convert("RGB")) == last).all()
    with Image.open(BytesIO(shown.made("gif"))) as image:
        assert image.n_frames > 5
    assert shown.made("pdf").startswith(b"%PDF")
    assert re.findall(rb"/Count (\d+)", shown.made("pdf")) == [b"1"]
    assert shown.made("html").startswith(b"<convanim-player ")
    assert (shown.moving, part("Conv(2)", {"input": "3x3", "select": "last"}, HERE).moving) == ("gif", "png")
    several = part("Conv(2)", {"input": "3x3", "select": "0,3"}, HERE)
    assert re.findall(rb"/Count (\d+)", several.made("pdf")) == [b"1"]


def test_a_key_changes_with_what_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("1,2\n3,4\n")

    def key(kind: str = "png", **options: Any) -> str:
        return part("Conv(2)", {"input": "x.csv"} | options, tmp_path).key(kind)

    first = key()
    assert first == key()
    assert len({first, key("gif"), key(width=480), key(title="A")}) == 4
    file.write_text("1,2\n3,5\n")
    assert key() != first

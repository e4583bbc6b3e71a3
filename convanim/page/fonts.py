"""Fallback fonts: installed Chinese and Japanese fonts, or a font of the user's choice.

Fonts are searched only when a character is missing, so an English page reads no folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unicodedata import normalize

from convanim.errors import ConvanimError

#: The environment variable with the path of a font that precedes all others.
ASKED = "CONVANIM_FONT"
#: Known fonts as (regular, bold) files, the preferred ones first; the bold one may be missing.
KNOWN = (
    ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"),
    ("NotoSansCJKsc-Regular.otf", "NotoSansCJKsc-Bold.otf"),
    ("NotoSansCJKjp-Regular.otf", "NotoSansCJKjp-Bold.otf"),
    ("NotoSansSC-Regular.otf", "NotoSansSC-Bold.otf"),
    ("NotoSansSC-Regular.ttf", "NotoSansSC-Bold.ttf"),
    ("NotoSansJP-Regular.otf", "NotoSansJP-Bold.otf"),
    ("NotoSansJP-Regular.ttf", "NotoSansJP-Bold.ttf"),
    ("SourceHanSansSC-Regular.otf", "SourceHanSansSC-Bold.otf"),
    ("SourceHanSans-Regular.ttc", "SourceHanSans-Bold.ttc"),
    ("PingFang.ttc", ""),
    ("Hiragino Sans GB.ttc", ""),
    ("ヒラギノ角ゴシック W3.ttc", "ヒラギノ角ゴシック W6.ttc"),
    ("msyh.ttc", "msyhbd.ttc"),
    ("YuGothM.ttc", "YuGothB.ttc"),
    ("meiryo.ttc", "meiryob.ttc"),
    ("wqy-microhei.ttc", ""),
    ("wqy-zenhei.ttc", ""),
    ("DroidSansFallbackFull.ttf", ""),
    ("DroidSansFallback.ttf", ""),
    ("ipaexg.ttf", ""),
    ("ipag.ttf", ""),
)
#: The Unicode blocks of those fonts: (first, last) character.
WIDE = ((0x2E80, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF), (0x20000, 0x3FFFF))
INSTALL = "install Noto Sans CJK (Debian and Ubuntu: apt install fonts-noto-cjk)"


def advice(character: str) -> str:
    """A hint for a character that no font has.

    Example:
        >>> advice("卷") == INSTALL, ASKED in advice("🎉")
        (True, True)
    """
    if wide(character):
        return INSTALL
    if not character.isprintable():  # the end of a line, for example
        return "use other characters there"
    return (
        "use other characters, or install a font that has it, such as Symbola (Debian and Ubuntu: apt install "
        f"fonts-symbola), and give the path of its file in {ASKED}"
    )


def wide(character: str) -> bool:
    """Whether a character is Chinese or Japanese, including punctuation and full-width forms.

    Example:
        >>> [wide(c) for c in "卷カ（×e"]
        [True, True, True, False, False]
    """
    return any(first <= ord(character) <= last for first, last in WIDE)


def folders() -> list[Path]:
    """The font folders of Linux, macOS and Windows; those for all users first."""
    home = Path.home()
    windows, local = os.environ.get("WINDIR"), os.environ.get("LOCALAPPDATA")
    return [
        *(Path(p) for p in ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts")),
        *(home / p for p in (".local/share/fonts", ".fonts", "Library/Fonts")),
        *([Path(windows) / "Fonts"] if windows else []),
        *([Path(local) / "Microsoft" / "Windows" / "Fonts"] if local else []),
    ]


@cache
def _installed() -> dict[str, Path]:
    """The known font files that are installed, by name."""
    names = {name for pair in KNOWN for name in pair if name}
    found: dict[str, Path] = {}
    for folder in folders():
        for place, _, files in os.walk(folder):
            for file in files:
                name = normalize("NFC", file)  # macOS decomposes file names
                if name in names:
                    found.setdefault(name, Path(place) / file)
    return found


def candidates(character: str = "卷") -> Iterator[tuple[Path, Path | None]]:
    """The fonts that may have a character that the default font lacks, as (regular, bold) files, best first.

    Known fonts are only used for wide characters, the user's font for any.

    Raises:
        ConvanimError: the user's font does not exist.
    """
    asked = os.environ.get(ASKED)
    if asked and character.isprintable():
        if not Path(asked).is_file():
            raise ConvanimError(f"{ASKED}={asked[:200]} is not a file", "give the path of a .ttf, .otf or .ttc")
        yield Path(asked), None
    installed = _installed() if wide(character) else {}
    for regular, bold in KNOWN:
        if regular in installed:
            yield installed[regular], installed.get(bold)

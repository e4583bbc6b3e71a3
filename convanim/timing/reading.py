"""The time that it takes to read what a frame says."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from convanim.language.words import WORDLESS
from convanim.scene.contents import Scene

#: The time to find a caption, and to read each of its words, ms.
FIND, WORD = 500, 1000 / 3
#: The number of words of a line that count: nobody reads each term of a longer sum, and the page shortens it.
MOST = 12


class Read(NamedTuple):
    """What a frame says.

    Attributes:
        phase: the number of its phase.
        words: the words of its captions, each with the number of times that it occurs.
    """

    phase: int
    words: Counter[str]


def words(text: str) -> list[str]:
    """The words of a caption: a product or another operand of a sum is one, a sign between them is none.

    Two characters of a script without spaces count as a word.

    Example:
        >>> words("output[0,0] = 1·5 + 2·6 = 17")
        ['output[0,0]', '1·5', '2·6', '17']
        >>> len(words("カーネルを180°回転"))
        5
    """
    found: list[str] = []
    for part in text.split():
        dense = "".join(c for c in part if c >= WORDLESS and c.isalnum())
        spaced = "".join(c for c in part if c < WORDLESS)
        found += [dense[i : i + 2] for i in range(0, len(dense), 2)]
        found += [spaced] * any(c.isalnum() for c in spaced)
    return found


def said(scene: Scene) -> dict[int, Read]:
    """What the frames say that need time to be read: the opening, the first placement, and the closing."""
    opening, steps, each, closing, _ = beats = scene.beats
    found = {}
    for number in (*range(opening + each * min(1, steps)), *range(beats.total - closing, beats.total)):
        frame = scene.frame(number)
        lines = (words(caption.text())[:MOST] for caption in frame.captions)
        found[number] = Read(frame.phase, Counter(word for line in lines for word in line))
    return found


def time(before: Read | None, now: Read) -> int:
    """The time to read what a frame says and the one before it did not say, in ms, a multiple of 10."""
    new = (now.words - before.words if before else now.words).total()
    return -int(-(FIND + WORD * new) // 10) * 10 if new else 0

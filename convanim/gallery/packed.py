"""Many structs by name, each kept as its JSON: a tenth of the objects that it stands for, and what is digested anyway.

Knows one kind of struct and its names. Must not know what the structs mean.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, MutableMapping
from typing import TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


class Packed(MutableMapping[str, S]):
    """Structs by name. Each is decoded again when it is needed, so change one by putting another in its place.

    Example:
        >>> class Size(msgspec.Struct, frozen=True):
        ...     width: int
        >>> sizes = Packed(Size, {"b": Size(640), "a": Size(480)})
        >>> sizes["a"], list(sizes), sizes.json("b")
        (Size(width=480), ['b', 'a'], b'{"width":640}')
    """

    def __init__(self, kind: type[S], given: dict[str, S] | None = None) -> None:
        self._decoder = msgspec.json.Decoder(kind)
        self._encoder = msgspec.json.Encoder(order="sorted")
        self._told: dict[str, bytes] = {}
        self.update(given or {})

    def __getitem__(self, name: str) -> S:
        return self._decoder.decode(self._told[name])

    def __setitem__(self, name: str, value: S) -> None:
        self._told[sys.intern(name)] = self._encoder.encode(value)

    def __delitem__(self, name: str) -> None:
        del self._told[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __len__(self) -> int:
        return len(self._told)

    def __contains__(self, name: object) -> bool:
        return name in self._told

    def json(self, name: str) -> bytes:
        """A struct as JSON, its keys in order."""
        return self._told[name]

"""The description of an entry: its keys, the names of its files, its options as a request, and its command."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any, Union

import msgspec

from convanim.commands import COMMANDS, NOTATION
from convanim.draw.theme import AUTO, PAIR
from convanim.errors import ConvanimError
from convanim.layers import KINDS, Operation, Weighted, parse
from convanim.look import COMMON, OPTIONS, Option
from convanim.system.inputfile import prepared
from convanim.typed.request.asked import argument_of, in_text
from convanim.write.formats import FORMATS

_NAME = re.compile(r"_?[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
#: Names that Windows reserves for devices, with any suffix.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))}
_TAKEN = {"readme", "index", "gallery", "manifest"}
#: Keys whose values may name a file, which is then part of the description.
FILE_KEYS = ("input", "kernel", "grad", "indices", "theme", "template")

#: The options of an animation that an entry may set, by their keys.
LOOK = {option.key: name for name, option in OPTIONS.items() if option.section and option.entry}
#: Those that every entry may have.
_COMMON = [key for key, name in LOOK.items() if name in COMMON]

Array = str | int | list[Any]


class _Keys(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True, omit_defaults=True):
    """A table of keys."""


def _look_keys() -> Any:
    """The keys that set options of an animation, from the records of these options."""
    scalars = {kind.__name__: kind for kind in (str, int, float, bool)}
    keys: list[tuple[str, Any, Any]] = []
    for key, name in LOOK.items():
        if key not in ("grad", "title"):  # an array, and the title on the pages
            option = OPTIONS[name]
            kinds = [scalars[word] for word in option.annotation.split(" | ") if word in scalars]
            flag = option.default is False
            keys.append((key, Union[(*kinds, *[None] * (not flag))], False if flag else None))
    return msgspec.defstruct("LookKeys", keys, bases=(_Keys,), kw_only=True)


@prepared
class Entry(_look_keys(), kw_only=True):  # type: ignore[misc, call-arg]
    """A description, including its defaults and the keys that it inherits.

    The options of an animation are keys of the same names; their records in `convanim.look` make them.

    Attributes:
        layer: a notation, or a line of PyTorch, Keras, Flax or ONNX; `compare`: a second layer to compare with.
        input, kernel, indices, grad: arrays as typed at a shell, or as lists.
        channels, out_channels, batch: the channels and the item of a batch to show, as typed, or as numbers or lists.
        formats: the file formats, with one file for each.
        title, alt: the title and alternative text on the pages; derived from the layer by default.
        drawn_title: the title in the picture; derived from the layer by default.
        tags: words by which the pages filter.
        replaces: the name of the public figure that it replaces.
        explained: whether the pages include the arithmetic in words.
        position: the order on the pages; entries with the same position are ordered by name.
        stem: the name of its files without suffix; by default the name of the entry.
    """

    layer: str
    compare: str | None = None
    input: Array
    kernel: Array | None = None
    bias: str | float | None = None
    fill: str | None = None
    seed: int | None = None
    resize: str | None = None
    grey: bool = False
    channels: int | str | list[int] | None = None
    out_channels: int | str | list[int] | None = None
    batch: int | None = None
    indices: Array | None = None
    output_size: str | int | None = None
    backward: bool = False
    grad: Array | None = None
    drawn_title: str | None = None
    formats: tuple[str, ...] = ("gif",)
    title: str | None = None
    alt: str | None = None
    tags: tuple[str, ...] = ()
    replaces: str | None = None
    explained: bool = False
    position: int = 100
    stem: str | None = None


class Section(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A section of the pages: the entries that it names, in this order, and the entries with its tags.

    A section without both takes all remaining entries.
    """

    title: str
    about: str = ""
    entries: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class Pair(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """Entries that share a card: NAME and the one whose name ends with the suffix, and what the card calls the two."""

    suffix: str
    labels: tuple[str, str] = ("First", "Second")


@prepared
class Settings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """The contents of gallery.toml: the settings of the gallery, and the defaults of its entries.

    Attributes:
        title, about: the title and introduction of the pages.
        root: the folder to which file names and commands refer, relative to the gallery; often "..".
        hero: the entry that plays at the top of the pages.
        links: addresses of further pages, by their labels.
        sections: the sections of the pages, in order; an entry appears in the first one that matches.
        pair: which entries share a card.
        defaults: default values for the keys of entries.
    """

    title: str = "Gallery"
    about: str = ""
    root: str = "."
    hero: str | None = None
    links: dict[str, str] = {}
    sections: tuple[Section, ...] = ()
    pair: Pair | None = None
    defaults: dict[str, Any] = {}


#: The default of each key; layer and input have none.
DEFAULTS: dict[str, Any] = {f.name: f.default for f in msgspec.structs.fields(Entry)}
FIELDS = tuple(DEFAULTS)
#: The options of the input, and all that an entry may set.
_GIVEN = (one.name for made in COMMANDS.values() for one in made.arguments if not one.fields and not one.selects)
_OPTIONS = {*_GIVEN, "backward", *LOOK} - {"title"}  # an entry's title is that of the pages


def options_of(kind: str) -> dict[str, Option | None]:
    """The options of a command that an entry can set, in the order of the command."""
    if kind not in COMMANDS:  # a comparison has no option of a view besides its own
        more = ("align",) if kind == "compare" else ("symbols", "saturate", "view")
        return {**{one.name: one for one in NOTATION}, **dict.fromkeys(n for n in LOOK if n in (*_COMMON, *more))}
    command = COMMANDS[kind]
    shown = {one.name for one in command.shown}
    own: dict[str, Option | None] = {one.name: one for one in command.arguments}
    flags = dict.fromkeys(name for name in ("backward",) if name in shown)
    return own | flags | dict.fromkeys(name for name in LOOK if name in (*_COMMON, "view") or name in shown)


def check_name(name: str, what: str = "name") -> None:
    """Refuse a name that is not a valid file name on every system, or that leaves the folder."""
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise ConvanimError(f"{what} {name[:60]!r} is not a valid name", "use letters, digits, - and _, 100 at most")
    if name.lower().split(".")[0] in _DEVICES:
        raise ConvanimError(f"{what} {name!r} is reserved by Windows", "use another")
    if name.lower() in _TAKEN:
        raise ConvanimError(f"{what} {name!r} is reserved by the gallery", "use another")


def stems(name: str, entry: Entry) -> dict[str | None, str]:
    """The names of an entry's files without suffix, by theme; two if it has light and dark files."""
    stem = entry.stem or name
    return {theme: f"{stem}-{theme}" for theme in PAIR} if entry.theme == AUTO else {entry.theme: stem}


def moves(entry: Entry) -> bool:
    """Whether any of an entry's files is animated."""
    return any(kind in FORMATS and FORMATS[kind].tick for kind in entry.formats)


def files_of(name: str, entry: Entry) -> list[str]:
    """The names of the files of an entry in the gallery's folder; animated ones have a still for the pages.

    Example:
        >>> files_of("up", Entry(layer="Conv(2)", input="3x3", formats=("gif", "txt")))
        ['up.gif', 'up.txt', 'stills/up.png']
    """
    both = stems(name, entry).values()
    made = [f"{stem}.{kind}" for kind in entry.formats for stem in both]
    return [*made, *(f"stills/{stem}.png" for stem in both)] if moves(entry) else made


def asked(entry: Entry) -> tuple[str, dict[str, Any]]:
    """The command of an entry, and the values of its options by name.

    Raises:
        ConvanimError: the layer cannot be read, or cannot be combined with other keys.

    Example:
        >>> asked(Entry(layer="ConvTranspose(3, stride=2)", input="3x3"))
        ('transposed', {'input': '3x3', 'kernel': 3, 'stride': 2})
    """
    options = {key: getattr(entry, key) for key in FIELDS if key in _OPTIONS and getattr(entry, key) != DEFAULTS[key]}
    options |= {"title": entry.drawn_title} if entry.drawn_title is not None else {}
    if entry.compare is not None:
        kind = "compare"
    elif entry.layer.strip().partition("(")[0] not in KINDS:
        kind = "layer"  # a line of a framework
    else:
        op = parse(entry.layer)
        kind = op.record.command
        if getattr(op, "in_channels", None) or getattr(op, "out_channels", None):
            kind = "layer"  # the commands have no options for both
    known = options_of(kind)
    for key in options:
        one = known.get(key)
        if key not in known or (one is not None and one.fields):  # what sets an argument is in the layer
            what = "a comparison" if kind == "compare" else entry.layer
            raise ConvanimError(f"{key} cannot be combined with {what}", "leave it out")
    if kind in COMMANDS:
        options |= _arguments(op, options)
    return kind, {key: options[key] for key in known if options.get(key) is not None}


def command(name: str, entry: Entry, kind: str = "gif") -> str:
    """The command that makes a file of an entry, for a shell in the root of the gallery.

    Example:
        >>> command("up", Entry(layer="ConvTranspose(3, stride=2)", input="3x3", kernel="3x3", width=640))
        'convanim transposed --input 3x3 --kernel 3x3 --stride 2 --width 640 -o up.gif'
    """
    return f"{made_by(entry)} -o {shlex.quote(f'{entry.stem or name}.{kind}')}"


def made_by(entry: Entry) -> str:
    """The command without its output file."""
    kind, options = asked(entry)
    layers = [entry.layer, entry.compare] if kind in ("layer", "compare") else []
    words = ["convanim", kind, *(layer for layer in layers if layer is not None)]
    for key, value in options.items():
        flag = f"--{key.replace('_', '-')}"
        if (key, value) == ("motion", "auto"):  # a command has it without being told
            continue
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{flag[2:]}")
        else:
            words += [flag, json.dumps(value, separators=(",", ":")) if isinstance(value, list) else in_text(value)]
    return shlex.join(words)


def _arguments(op: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """A layer's arguments as options, without those that have their defaults."""
    options: dict[str, Any] = dict(op.record.options)
    for one in COMMANDS[op.record.command].arguments:
        name = argument_of(one, type(op))
        value = getattr(op, name, None)
        if value not in (None, one.default) and value != op._usual(name):
            options[one.name] = one.kind(value) if one.kind is float else value
    if isinstance(op, Weighted):
        options["kernel"] = given.get("kernel") or op.kernel_size
    return options

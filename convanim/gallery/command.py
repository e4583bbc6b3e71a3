"""An entry as the options of a request, and as the command that makes its files; both from the same values."""

from __future__ import annotations

import json
import shlex
from typing import Any

from convanim.errors import ConvanimError
from convanim.gallery.description import DEFAULTS, FIELDS, Entry
from convanim.layers import KINDS, Operation, parse
from convanim.look import OPTIONS
from convanim.typed.request.asked import in_text

#: The order of options in a command; options of an entry have the names of its keys.
ORDER = (
    *("input", "fill", "seed", "resize", "grey", "convention", "kernel", "stride", "padding", "mode"),
    *("scale_factor", "size", "align_corners", "coordinates", "factor", "inverse", "order"),
    *("dilation", "ceil_mode", "count_include_pad", "norm_type", "indices", "output_size", "groups", "out_channels"),
    *("bias", "padding_mode", "output_padding", "backward"),
    *(name for name, option in OPTIONS.items() if option.section and option.entry),
)
#: Keys that only some commands have.
_ONLY = {
    **dict.fromkeys(("kernel", "bias"), ("conv", "transposed", "layer", "compare")),
    "out_channels": ("conv", "transposed", "layer", "compare"),
    **dict.fromkeys(("indices", "output_size"), ("unpool",)),
    "align": ("compare",),
    **dict.fromkeys(("backward", "grad"), ("conv",)),
    "symbols": ("conv", "transposed", "layer"),
    "saturate": ("conv", "transposed", "pool", "upsample", "layer"),
    "view": ("conv", "transposed", "pool", "unpool", "upsample", "shuffle", "layer"),
}


def asked(entry: Entry) -> tuple[str, dict[str, Any]]:
    """The command of an entry, and the values of its options by name.

    Raises:
        ConvanimError: the layer cannot be read, or cannot be combined with other keys.

    Example:
        >>> asked(Entry(layer="ConvTranspose(3, stride=2)", input="3x3"))
        ('transposed', {'input': '3x3', 'kernel': 3, 'stride': 2})
    """
    options: dict[str, Any] = {key: getattr(entry, key) for key in ORDER if key in FIELDS and key != "title"}
    options["title"] = entry.drawn_title
    options = {key: value for key, value in options.items() if value not in (None, DEFAULTS[key])}
    if entry.compare is not None:
        kind = "compare"
    elif entry.layer.strip().partition("(")[0] not in KINDS:
        kind = "layer"  # a line of a framework
    else:
        op = parse(entry.layer)
        kind = op.record.command
        if getattr(op, "in_channels", None) or getattr(op, "out_channels", None):
            kind = "layer"  # the commands have no options for both
    for key, kinds in _ONLY.items():
        if options.get(key) is not None and kind not in kinds:
            what = "a comparison" if kind == "compare" else entry.layer
            raise ConvanimError(f"{key} cannot be combined with {what}", "leave it out")
    if kind not in ("layer", "compare"):
        options |= _arguments(op, options)
    return kind, {key: options[key] for key in ORDER if options.get(key) is not None}


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
    words = ["convanim", kind]
    if kind in ("layer", "compare"):
        words += [entry.layer, *([entry.compare] if entry.compare is not None else [])]
    for key, value in options.items():
        flag = f"--{key.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{flag[2:]}")
        else:
            words += [flag, json.dumps(value, separators=(",", ":")) if isinstance(value, list) else in_text(value)]
    return shlex.join(words)


def _arguments(op: Operation, given: dict[str, Any]) -> dict[str, Any]:
    """A layer's arguments as options, without those that have their defaults."""
    options: dict[str, Any] = dict(op.record.options)
    for key in ORDER:
        if key in op.__dataclass_fields__:
            value = getattr(op, key)
            if value is not None and value != op._usual(key):
                options[key] = float(value) if key == "norm_type" else value
    size = getattr(op, "kernel_size", None)
    if size is not None:
        options["kernel"] = given.get("kernel") or size
    for key in ("upscale_factor", "downscale_factor"):
        if hasattr(op, key) and getattr(op, key) != 2:
            options["factor"] = getattr(op, key)
    return options

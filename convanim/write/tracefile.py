"""Traces as JSON: everything in a trace, and every step, for programs in other languages.

A file that is read is data: it is traced again, and its output must match.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from convanim.errors import ConvanimError, reason
from convanim.layers import MaxUnpool, Weighted, parse, times
from convanim.system.inputfile import prepared, read_bytes
from convanim.trace import Order, Trace, UnpoolTrace, traced_again
from convanim.trace.arrays import numbers
from convanim.trace.convolutions import assembled
from convanim.trace.given import Given
from convanim.trace.part import Part
from convanim.trace.unpool import unpooled

KIND, VERSION = "convanim trace", 2
#: With more multiplications or steps than this, the steps are left out of the file; they follow from the rest.
MOST_TERMS, MOST_STEPS = 4_000_000, 200_000
#: The number of array elements that are converted to Python numbers at once.
AT_ONCE = 2**16
LARGEST_FILE = 512 * 2**20


@prepared
class _File(msgspec.Struct, kw_only=True):
    """The fields that are read back; the steps are for other programs."""

    kind: str
    version: int
    operation: str
    order: Order
    given: dict[str, bool]
    input: Any
    weight: Any = None
    bias: list[int | float] | None = None
    places: Any = None
    part: Part | None = None
    output: Any


def write_trace(file: BinaryIO, done: Trace) -> int:
    """Write a trace, and return the number of bytes.

    Arrays are nested lists, whatever the convention: input (C, *n), output (C_out, *o), weights in PyTorch's layout;
    indices have one number per axis, the channel first.
    """
    head = {
        "kind": KIND,
        "version": VERSION,
        "licence": "MIT",
        "operation": str(done.op),
        "order": done.order,
        "axes": [
            {"input": a.input, "output": a.output, "kernel": a.kernel, "stride": a.stride, "dilation": a.dilation}
            | {"padding": [a.before, a.after], "output_padding": a.output_padding}
            for a in done.axes
        ],
        "given": asdict(done.how_given),
    }
    if done.part is not None and done.part.chosen:
        head["part"] = asdict(done.part)
    arrays = {"input": done.x, **_more(done), "output": done.answer, "canvas": np.array(done.canvas)}
    text = json.dumps(head)[:-1].replace(', "', ',\n "').replace('{"kind', '{\n "kind', 1)
    size = file.write(text.encode())
    for name, array in arrays.items():
        size += file.write(f',\n "{name}": '.encode())
        size += sum(file.write(part.encode()) for part in _nested(array))
    if len(done) > MOST_STEPS or done.terms > MOST_TERMS:
        return size + file.write(b',\n "steps": null\n}\n')
    size += file.write(b',\n "steps": [\n')
    for i, line in enumerate(_steps(done)):
        size += file.write((",\n" if i else "").encode() + line.encode())
    return size + file.write(b"\n ]\n}\n")


def finite(array: Any) -> Any:
    """Nested lists; null is the maximum of an empty window, as JSON has no infinity."""
    if np.isfinite(array).all():
        return array.tolist()
    held: Any = np.where(np.isfinite(array), array.astype(object), np.array(None))
    return held.tolist()


def _more(done: Trace) -> dict[str, Any]:
    """The other inputs of a layer."""
    if done.weight is not None:
        return {"weight": done.weight, "bias": done.bias}
    return {"places": done.places} if isinstance(done, UnpoolTrace) else {}


def _nested(array: Any) -> Iterator[str]:
    """An array as nested lists, or null, in pieces: converted as a whole it would need ten times its memory."""
    if array is None or array.ndim == 0 or array.size <= AT_ONCE:
        yield json.dumps(None if array is None else finite(array))
        return
    step = 1 if array.ndim > 1 else AT_ONCE
    for at in range(0, len(array), step):
        yield ", " if at else "["
        if array.ndim > 1:
            yield from _nested(array[at])
        else:
            yield json.dumps(finite(array[at : at + step]))[1:-1]
    yield "]"


def _steps(done: Trace) -> Iterator[str]:
    for step in done:
        yield "  " + json.dumps(
            {
                "phase": step.phase,
                "number": step.number,
                "reads": step.reads.tolist(),
                "factors": step.factors.tolist(),
                "terms": step.terms.tolist(),
                "mode": step.mode,
                "writes": step.writes.tolist(),
                "written": finite(step.written),
            },
            separators=(",", ":"),
        )


def load(path: str | Path) -> Trace:
    """Read a trace and check that its output is what its operation computes.

    Raises:
        ConvanimError: the file does not exist, is not a trace, or claims an output that is not its operation's.
    """
    path = Path(path)
    try:
        data = read_bytes(path, LARGEST_FILE)
    except (OSError, ValueError) as error:  # ValueError: a name with a null byte
        raise ConvanimError(
            f"{str(path)!r} cannot be read: {reason(error)}", "name a trace that was saved as .json"
        ) from None
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConvanimError(f"{path} is not a trace: {error}", "name a trace that was saved as .json") from None
    if file.kind != KIND or file.version != VERSION:
        raise ConvanimError(f"{path} is not a {KIND} of version {VERSION}", "save it again with this version")
    done = _again(path, file)
    claimed = _array(path, "output", file.output)
    if claimed.shape != done.answer.shape or not done.agrees(claimed):
        raise ConvanimError(f"{path}: the output in the file is not the output of {done.op}", "save the trace again")
    return done


def _again(path: Path, file: _File) -> Trace:
    """Trace the contents of a file again."""
    op, x = parse(file.operation), _array(path, "input", file.input)
    if x.ndim < 2 or set(file.given) != {f.name for f in fields(Given)} or (file.given["planar"] and len(x) > 1):
        raise ConvanimError(f"{path}: the input does not have the recorded shape", "save the trace again")
    given = Given(**file.given)
    if isinstance(op, Weighted):
        weight = _array(path, "weight", file.weight)
        if weight.ndim != x.ndim + 1:
            raise ConvanimError(
                f"{path}: a weight {times(weight.shape)} cannot be combined with the input", "save it again"
            )
        bias = None if file.bias is None else _array(path, "bias", file.bias)
        channels = weight.shape[1] * op.groups if op.transposed else weight.shape[0]
        inputs = weight.shape[0] if op.transposed else weight.shape[1] * op.groups
        kernel = tuple(a.kernel for a in op.axes(x.shape[1:]))
        odd = channels % op.groups or len(x) % op.groups or (bias is not None and bias.shape != (channels,))
        if len(x) != inputs or weight.shape[2:] != kernel or odd:
            raise ConvanimError(f"{path}: the weight or bias cannot be combined with {op}", "save the trace again")
        return assembled(op, x, weight, bias, given, file.order, _part(path, file.part, len(x), channels))
    if isinstance(op, MaxUnpool):
        places = _array(path, "places", file.places)
        if places.shape != x.shape or places.dtype.kind != "i":
            raise ConvanimError(
                f"{path}: the number of indices differs from the number of values", "save the trace again"
            )
        size = np.shape(file.output)[1:]
        return unpooled(op, x, places, size, given, file.order)
    made = traced_again(op, x, given, file.order)
    made.part = _part(path, file.part, len(x), made.channels)
    return made


def _part(path: Path, part: Part | None, inputs: int, outputs: int) -> Part | None:
    """The channels that a file claims to have, if they are as many as its arrays have."""
    if part is None:
        return None
    counts = zip((part.inputs, part.outputs), (inputs, outputs), part.whole, strict=True)
    bad = any(len(own) != n or not all(0 <= c < most for c in own) for own, n, most in counts)
    drawn = part.drawn is None or (part.drawn and all(0 <= c < inputs for c in part.drawn))
    if bad or not drawn or not 1 <= part.groups <= max(part.whole):
        raise ConvanimError(f"{path}: the arrays do not have the recorded channels", "save the trace again")
    return part


def _array(path: Path, what: str, values: Any) -> Any:
    try:
        array = np.array(values)
        if what == "output" and array.dtype.kind == "O":
            array = np.nan_to_num(np.array(values, float), nan=-np.inf)
    except (ValueError, TypeError):
        array = np.array(None)
    if array.dtype.kind not in "if" or not array.size:
        raise ConvanimError(f"{path}: the {what} is ragged or has non-numbers", "save the trace again")
    return array if what == "output" else numbers(what, array)

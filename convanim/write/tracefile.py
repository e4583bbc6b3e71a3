"""Traces as JSON: everything that a trace is, and every step it makes, for programs in other languages.

Knows the format. What it reads is data: it is traced again, and must give the output that the file claims.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np

from convanim.errors import ConvanimError
from convanim.ops import parse, times
from convanim.trace import Order, Trace, trace
from convanim.write.files import whole_file

KIND, VERSION = "convanim trace", 1
#: Beyond so many multiplications the steps are left out of the file; they follow from the rest.
MOST_TERMS = 4_000_000
LARGEST_FILE = 512 * 2**20


class _File(msgspec.Struct, kw_only=True):
    """What is read back; the steps are for others."""

    kind: str
    version: int
    operation: str
    order: Order
    shape: list[int]
    input: Any
    weight: Any
    bias: list[int | float] | None
    output: Any


def write_trace(file: BinaryIO, done: Trace) -> int:
    """Write a trace; the number of bytes. Nested lists; index lists have one number an axis, the channel first."""
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
        "shape": list(done.given),
        "input": done.x.tolist(),
        "weight": done.weight.tolist(),
        "bias": None if done.bias is None else done.bias.tolist(),
        "output": done.output.tolist(),
        "canvas": list(done.canvas),
    }
    text = json.dumps(head, separators=(", ", ": "))
    size = file.write(text[:-1].replace(', "', ',\n "').replace('{"kind', '{\n "kind', 1).encode())
    if len(done) * done.weight[0].size > MOST_TERMS:
        return size + file.write(b',\n "steps": null\n}\n')
    size += file.write(b',\n "steps": [\n')
    for i, line in enumerate(_steps(done)):
        size += file.write((",\n" if i else "").encode() + line.encode())
    return size + file.write(b"\n ]\n}\n")


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
                "written": step.written.tolist(),
            },
            separators=(",", ":"),
        )


def save(done: Trace, target: str | Path | BinaryIO) -> int:
    """Check a trace and write it to a .json file, or to a binary stream; the number of bytes.

    Raises:
        ConvanimError: a place that cannot be written, or a file of another suffix.
        CheckFailed: the trace does not agree with its replay or with the oracle; nothing is written.
    """
    done.verify()
    if not isinstance(target, str | Path):
        return write_trace(target, done)
    if Path(target).suffix.lower() != ".json":
        raise ConvanimError(f"a trace cannot be saved as {Path(target).name}", "use a name that ends in .json")
    with whole_file(Path(target)) as file:
        return write_trace(file, done)


def load(path: str | Path) -> Trace:
    """Read a trace and check that its output is what its operation gives.

    Raises:
        ConvanimError: no such file, not a trace, or one whose output is not what its operation gives.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConvanimError(f"{path} is larger than {LARGEST_FILE >> 20} MB", "trace the layer again instead")
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ConvanimError(f"{str(path)!r} cannot be read: {reason}", "name a trace that was saved as .json") from None
    try:
        file = msgspec.json.decode(data, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ConvanimError(f"{path} is not a trace: {error}", "name a trace that was saved as .json") from None
    if file.kind != KIND or file.version != VERSION:
        raise ConvanimError(f"{path} is not a {KIND} of version {VERSION}", "save it again with this version")
    op = parse(file.operation)
    x = _array(path, "input", file.input)
    if x.ndim == 0 or (list(x.shape) != file.shape and [1, *file.shape] != list(x.shape)):
        raise ConvanimError(f"{path}: the input is not {times(file.shape)}", "save the trace again")
    done = trace(op, x.reshape(file.shape), _array(path, "weight", file.weight), file.bias, file.order)
    claimed = _array(path, "output", file.output)
    if claimed.shape != done.output.shape or not done.agrees(claimed.reshape(done.by_output().cells)):
        raise ConvanimError(f"{path}: the output in the file is not what {op} gives", "save the trace again")
    return done


def _array(path: Path, what: str, values: Any) -> Any:
    try:
        array = np.array(values)
    except ValueError:
        array = np.array(None)
    if array.dtype.kind not in "if":
        raise ConvanimError(f"{path}: the {what} is ragged or not numbers", "save the trace again")
    return array

"""The records of operations agree with what the command line, the notation and requests make of them."""

import click
import pytest

from convanim.cli.commands import main
from convanim.gallery.description import Entry, asked
from convanim.layers import KINDS, AvgPool, MaxPool, Operation, parse
from convanim.layers.notation import KINDS as NOTATION
from convanim.layers.reading import from_line
from convanim.layers.writing import lines
from convanim.typed.request import request


def _concrete(kind: type[Operation]) -> set[type[Operation]]:
    inner = kind.__subclasses__()
    return {found for sub in inner for found in _concrete(sub)} if inner else {kind}


def test_every_operation_is_listed():
    assert set(KINDS.values()) <= set(NOTATION.values())
    assert _concrete(Operation) <= set(NOTATION.values())


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_record_leads_to_its_operation(kind):
    record = kind.record
    op = parse(record.example)
    assert type(op) is kind

    command = main.commands[record.command]
    types = {option.name: option.type for option in command.params if isinstance(option, click.Option)}
    assert set(record.options) <= set(types)
    for name, value in record.options.items():  # a choice of the command has it
        types[name].convert(value, None, None)

    kernel = "2" if "kernel_size" in kind.required() else None
    made = request(record.command, x="4x4", kernel=kernel, factor=2, **record.options)
    assert type(made.op) is kind

    name, options = asked(Entry(layer=record.example, input="4x4"))
    assert name == record.command
    assert options.items() >= record.options.items()
    assert str(record).split()[0] == name


@pytest.mark.parametrize("kind", KINDS.values())
def test_lines_of_frameworks_mean_the_same_operation(kind):
    for line in lines(parse(kind.record.example), (4, 4)):
        if line.code.startswith(("torch.nn.", "keras.layers.", "onnx.helper.")):
            found = type(from_line(line.code))
            equal = {"AdaptiveMaxPool": MaxPool, "AdaptiveAvgPool": AvgPool}
            assert found in (kind, equal.get(kind.__name__)), line
        else:
            assert line.code or line.note.startswith("none: "), line


def test_an_operation_without_writers_has_no_lines(monkeypatch):
    monkeypatch.setattr("convanim.layers.writing.torch.WRITERS", ())
    line = lines(MaxPool(2), (4, 4))[0]
    assert (line.code, line.note) == ("", "none: PyTorch has no max pooling")


def test_a_common_name_means_one_operation():
    names = [name for kind in KINDS.values() for name in kind.record.aliases.split()]
    assert len(names) == len(set(names))

"""Errors for invalid input: one short sentence that says what is wrong, and a hint."""

from __future__ import annotations

from typing import Any

import pytest

from convanim.errors import ConvanimError


def refused(make: Any, *named: str) -> ConvanimError:
    """The error with which something is refused, after checking that it is a sentence that contains these texts."""
    with pytest.raises(ConvanimError) as caught:
        make()
    check_sentence(caught.value)
    for name in named:
        assert name in caught.value.message
    return caught.value


def check_sentence(error: ConvanimError, what: str = "") -> None:
    """Check that an error names its place first and has a hint, on one short line."""
    assert error.message.startswith(what)
    assert error.exit_code == 2
    assert error.hint
    assert "\n" not in str(error)
    assert len(str(error)) < 500


def check(code: int, told: str, err: str, *says: str, hint: bool = True) -> None:
    """Check that a command was refused with one short line that contains these texts."""
    assert code == 2, err
    assert told == ""
    assert "Traceback" not in err
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert len(err) < 700
    for said in says:
        assert said in err
    assert not hint or ";" in err

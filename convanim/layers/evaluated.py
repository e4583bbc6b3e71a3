"""The arithmetic of numbers and names in a line of code, computed without executing it."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.arguments import short

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    **{ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv},
    **{ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow},
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    **{ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not},
    **{ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge},
}
#: The functions that are computed, by their names in code.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{"int": int, "float": float, "round": round, "abs": abs, "max": max, "min": min},
    **{
        "tuple": tuple,
        "list": list,
        "len": len,
        "math.floor": lambda x: int(x // 1),
        "math.ceil": lambda x: -int(-x // 1),
    },
}
#: The largest number, and the longest tuple, that a line may compute.
_LARGEST, _LONGEST = 2**53, 64
#: The greatest length of the values that are typed.
LONGEST_VALUES = 2000
#: What a value may be given to.
_NAMES = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)


class Unknown(Exception):
    """A name that no value is known for."""


def evaluated(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """The value of an expression of numbers, strings, tuples and names, such as `(k - 1) // 2`.

    Args:
        node: the expression.
        values: the values of names; a call such as `padding_of(k)` may be named as a whole, too.

    Raises:
        Unknown: a name without a value.
        ValueError, TypeError, ArithmeticError: this cannot be computed.

    Example:
        >>> evaluated(ast.parse("(2 * k - 1) // 2", mode="eval").body, {"k": 3})
        2
    """
    if values and isinstance(node, _NAMES) and (text := ast.unparse(node)) in values:
        return values[text]
    match node:
        case ast.Constant(value):
            return value
        case ast.Tuple(elts) | ast.List(elts):
            inside = [evaluated(part, values) for part in elts]
            return tuple(inside) if isinstance(node, ast.Tuple) else inside
        case ast.UnaryOp(ast.USub(), operand):
            return -evaluated(operand, values)
        case ast.BinOp(left, sign, right) if type(sign) in _OPERATORS:
            return _applied(type(sign), evaluated(left, values), evaluated(right, values))
        case ast.IfExp() | ast.BoolOp() | ast.Compare() | ast.UnaryOp(ast.Not()):
            return _decided(node, values)
        case ast.Subscript(ast.Name() | ast.Attribute() as several, ast.Constant(int(place))):
            found = values.get(ast.unparse(several))
            if isinstance(found, tuple | list) and -len(found) <= place < len(found):
                return found[place]
        case ast.Call(func, args, []) if ast.unparse(func) in FUNCTIONS and args:
            return FUNCTIONS[ast.unparse(func)](*(evaluated(part, values) for part in args))
    if isinstance(node, _NAMES):
        raise Unknown(ast.unparse(node))
    raise ValueError(ast.unparse(node))


def _decided(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """The value of a comparison, or of what depends on one."""
    match node:
        case ast.UnaryOp(ast.Not(), operand):
            return not evaluated(operand, values)
        case ast.IfExp(test, body, orelse):
            return evaluated(body if evaluated(test, values) else orelse, values)
        case ast.BoolOp(sign, parts):
            result = evaluated(parts[0], values)
            for part in parts[1:]:
                result = evaluated(part, values) if bool(result) == isinstance(sign, ast.And) else result
            return result
        case ast.Compare(left, [sign], [right]) if type(sign) in _COMPARISONS:
            return _COMPARISONS[type(sign)](evaluated(left, values), evaluated(right, values))
    raise ValueError(ast.unparse(node))


def spelled(name: str) -> str:
    """The name of a value as evaluated code has it, whatever its spaces and quotes."""
    try:
        node = ast.parse(name.strip()[:200], mode="eval").body
        return ast.unparse(node) if isinstance(node, _NAMES) else ""
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def _applied(sign: type[ast.operator], a: Any, b: Any) -> Any:
    sizes = [len(side) if isinstance(side, tuple | list | str) else abs(side) for side in (a, b)]
    if sign is ast.Pow and (sizes[1] > 32 or sizes[0] > 2**16):
        raise ValueError("too large a power")
    several = any(isinstance(side, tuple | list | str) for side in (a, b))
    if several and ((sign is ast.Mult and sizes[0] * sizes[1] > _LONGEST) or sum(sizes) > _LONGEST):
        raise ValueError("too long")
    found = _OPERATORS[sign](a, b)
    if isinstance(found, int | float) and not abs(found) <= _LARGEST:
        raise ValueError("too large")
    return found


def read_values(text: str) -> dict[str, Any]:
    """The values of names, as typed: "k=3, w=64x3x3x3"; a shape is the tuple of its sizes.

    Raises:
        ConvanimError: this is no list of names and numbers.

    Example:
        >>> read_values("k=3, self.w=64x3x7, same_pad(k)=1")
        {'k': 3, 'self.w': (64, 3, 7), 'same_pad(k)': 1}
    """
    found: dict[str, Any] = {}
    parts, depth = [""], 0
    for letter in text[:LONGEST_VALUES]:
        depth += (letter in "([") - (letter in ")]")
        if letter in ",;" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    for part in parts:
        name, _, value = (side.strip() for side in part.rpartition("="))
        sizes = re.fullmatch(r"-?\d{1,9}(?:\.\d{1,9})?|\d{1,9}(?:x\d{1,9})+", value, re.ASCII)
        if not spelled(name) or not sizes or len(text) > LONGEST_VALUES:
            raise ConvanimError(
                f"`set` {short(text)} does not give a name a number", "write it like k=3, or w=64x3x3x3"
            )
        number = float(value) if "." in value else None
        found[spelled(name)] = (
            tuple(map(int, value.split("x"))) if "x" in value else int(value) if number is None else number
        )
    return found

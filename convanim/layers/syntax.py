"""Lines of code as data: syntax trees become calls with their arguments, and nothing is executed."""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.arguments import short
from convanim.layers.calls import Call, Unread, holds
from convanim.layers.evaluated import FUNCTIONS, Unknown, evaluated, spelled

#: The maximum length of a line; the longest that convanim writes has about 600 characters.
LONGEST_LINE = 4000
#: The greatest depth of a syntax tree; a network of blocks within blocks has about 30.
DEEPEST = 70

#: The name before a layer of a printed model, as in "(conv1): Conv2d(...)".
_PRINTED = re.compile(r"\s*\([\w.]+\):\s*")
#: What a line begins with if it was copied from a session, from a list of changes, or after its condition.
_START = re.compile(r"\s*(?:>>>|\.\.\.|In \[\d+\]:|[-+](?=\s)|(?:else|try):(?=\s*\S))\s?")
#: What may follow a line that was copied from a list.
_END = re.compile(r"[,;]?\s*(#[^\n]*)?\Z")
#: A node in ONNX's text form, as in "y = MaxPool <kernel_shape = [3, 3]> (x)".
_ONNX_TEXT = re.compile(
    r"(?:\[\w+\]\s*)?(?:[\w.%, ]+=\s*)?(?:[\w.]+\.)?(?P<kind>[A-Z]\w+)\s*(?:<(?P<before>[^<>]*)>)?"
    r"\s*\((?P<inputs>[\w.%, ]*)\)\s*(?:<(?P<after>[^<>]*)>)?"
)
#: The beginning of a node in a printed graph, as in "%y : Float(1, 8) = onnx::Conv[kernel_shape=[3, 3]](%x, %w)".
_ONNX_PRINTED = re.compile(r"(?:\A|[\s=:])([A-Z]\w*)\[(?=\w+ ?=)")
#: A node of a printed graph of torch.fx, as in "%y = call_function[target=torch.conv2d](args = (%x, %w), kwargs = {})".
_FX = re.compile(r"%\w+\s*(?::\s*\[[^]]*\]\s*)?=\s*call_(?P<kind>\w+)\[target=(?P<target>[\w.]+)\]\((?P<rest>.*)\)")
_FX_ARGUMENTS = re.compile(r"args\s*=\s*\((?P<given>.*)\),\s*kwargs\s*=\s*\{(?P<named>.*)\}")
#: A printed layer of PyTorch whose weight is computed from others; its arguments are on the next line.
_PARAMETRIZED = re.compile(r"(?:\([\w.]+\):\s*)?Parametrized(\w+)\(\s*\n\s*([^\n]+)\n")
#: A printed layer of Flax, and its attributes, each on a line.
_FLAX = re.compile(r"\s*(Conv|ConvTranspose)\(\s*# (?:attributes|Param)")
_ATTRIBUTE = re.compile(
    r"^(?: {2}| {4})((?:in_|out_)?features|kernel_size|strides|padding|input_dilation|kernel_dilation"
    r"|feature_group_count|transpose_kernel) ?= ?(.+?),?$",
    re.MULTILINE,
)


@dataclass
class _Scope:
    """The values of names, and sentences about where they come from."""

    values: dict[str, Any]
    notes: list[str] = field(default_factory=list)


def expressions(text: str, values: Mapping[str, Any] | None = None, notes: list[str] | None = None) -> list[Any]:
    """The values of a line, or of several lines: calls, lists of calls, numbers, or code that is not read.

    Assignments, `return` and the like are read as their values, layer(...)(x) as the layer after what is called in x.
    Lines of a printed model lose their names. Names that the lines themselves give a number have it.

    Args:
        text: the lines.
        values: the numbers that names in them stand for, such as {"k": 3}; shapes of arrays are tuples.
        notes: gets sentences about the numbers that are not in the line itself.

    Raises:
        ConvanimError: this is not code.
    """
    shown = short(text)
    if len(text) > LONGEST_LINE:
        raise ConvanimError(
            f"{shown} is {len(text)} characters long, which is too long for a layer", "give a single line"
        )
    scope = _Scope({spelled(name): value for name, value in (values or {}).items()}, [] if notes is None else notes)
    try:
        with warnings.catch_warnings():  # about odd literals
            warnings.simplefilter("ignore")
            trees = list(_trees(text))
            scope.notes += _unsaid(text)
            if any(map(_deep, trees)):
                raise ConvanimError(f"{shown} is nested too deeply for a layer", "give the call of the layer alone")
            _learn(trees, scope)
            read = [_value(node, scope) for tree in trees for node in _nodes(tree.body)]
    except ConvanimError:
        raise
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        read = []
    if not any(isinstance(value, list | tuple) or holds(value) for value in read):
        if _open(text) > 0:
            raise ConvanimError(f"a bracket in {shown} is not closed", "give all of the lines of the layer")
        raise ConvanimError(f"{shown} is not a layer", "write it like torch.nn.Conv2d(1, 1, kernel_size=3)")
    return read


def _trees(text: str) -> Iterator[ast.Module]:
    """The syntax trees of some lines, in whatever form they were copied."""
    text = _PARAMETRIZED.sub(r"(layer): \1(\2)\n", text)
    if found := _FLAX.match(text):
        told = dict(_ATTRIBUTE.findall(text))
        home = "nnx" if "out_features" in told else "nn"
        yield ast.parse(f"{home}.{found[1]}({', '.join(f'{word}={value}' for word, value in told.items())})")
        return
    if any(_PRINTED.match(line) for line in text.splitlines()):
        for line in text.splitlines():
            bare = _PRINTED.sub("", line).strip().rstrip(",")
            if _PRINTED.match(line) and bare.count("(") == bare.count(")"):  # not the beginning of a container
                yield ast.parse(bare)
        return
    lines = [line for line in text.strip().splitlines() if line.strip()]
    for whole in (dedent(text).strip(), _bare(dedent(text)), "\n".join(map(_bare, lines))):
        with suppress(SyntaxError):
            yield ast.parse(whole)
            return
    if (nodes := [_node(line) for line in lines]) and all(nodes):
        yield from (ast.parse(node) for node in nodes if node)
        return
    yield from (ast.parse(_bare(line)) for line in lines)


def _unsaid(text: str) -> Iterator[str]:
    """Sentences about arguments that printed layers do not show."""
    for line in text.splitlines():
        bare = _PRINTED.sub("", line)
        if bare != line and re.match(r"Upsample\(.*linear", bare):
            yield "a printed Upsample does not say its align_corners, which is taken as False"
        if bare != line and re.match(r"AvgPool[123]d\(", bare):
            yield "a printed AvgPool does not say its ceil_mode and count_include_pad, which are taken as usual"


def _deep(tree: ast.AST) -> bool:
    """Whether a syntax tree is deeper than code that people write."""
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [part for node in level for part in ast.iter_child_nodes(node)]
    return bool(level)


def _bare(line: str) -> str:
    """A line without what was copied from around it: prompts, a comma, brackets that close something before it."""
    bare = _END.sub("", _START.sub("", line).strip())
    for _ in range(-_open(bare)):
        if bare[-1:] not in {")", "]", "}"}:
            break
        bare = _END.sub("", bare[:-1].rstrip())
    return bare


def _open(text: str) -> int:
    """How many more brackets a text opens than it closes."""
    return sum(text.count(bracket) for bracket in "([{") - sum(text.count(bracket) for bracket in ")]}")


def _node(line: str) -> str | None:
    """A node of ONNX's text form, or of a printed graph, as the call that makes it; None for another line."""
    bare = line.strip().rstrip(",")
    if (fx := _FX.fullmatch(bare)) and (parts := _FX_ARGUMENTS.fullmatch(fx["rest"].strip())):
        return _graph_call(fx["kind"], fx["target"], parts["given"], parts["named"])
    found = _ONNX_TEXT.fullmatch(bare)
    if found and (found["before"] or found["after"]):
        attributes = re.sub(r"(\w+)\s*:\s*\w+\s*=", r"\1=", found["before"] or found["after"])
        kind, inputs = found["kind"], found["inputs"]
    elif found := _ONNX_PRINTED.search(bare):
        attributes, _, rest = bare[found.end() :].rpartition("](")
        kind, inputs = found[1], rest.partition(")")[0]
    else:
        return None
    names = [name.strip().lstrip("%") for name in inputs.split(",")]
    return f"make_node({kind!r}, {names!r}, ['y'], {attributes})"


def _graph_call(kind: str, target: str, given: str, named: str) -> str:
    """The call that a node of torch.fx makes."""
    if kind == "module":
        raise ConvanimError(
            f"call_module[target={target}] names a layer of the model, and not its arguments",
            f"give the line that makes {target}, or show the layer in Python with watch(model, {target!r}, x)",
        )
    words = re.sub(r"(\w+)\s*:\s*", r"\1=", named)
    inside = ", ".join(part.strip().rstrip(",") for part in (given, words) if part.strip())
    if kind == "method":
        value, _, inside = inside.partition(", ")
        target = f"{value}.{target}"
    return f"{target}({inside})".replace("%", "")


def _learn(trees: Sequence[ast.Module], scope: _Scope) -> None:
    """Add the numbers that the lines give to names: those that are set once, and the defaults of functions."""
    every = [node for tree in trees for node in ast.walk(tree)]
    places = (ast.Name, ast.Attribute)
    stored = Counter(ast.unparse(n) for n in every if isinstance(n, places) and isinstance(n.ctx, ast.Store))
    stored.update(n.arg for n in every if isinstance(n, ast.arg))
    called = {_name(n.func) for n in every if isinstance(n, ast.Call)}
    found: list[tuple[str, ast.expr, str]] = []
    for node in every:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = list(zip(target.elts, node.value.elts, strict=False))
                found += [(ast.unparse(name), value, "") for name, value in pairs if isinstance(name, places)]
        elif isinstance(node, ast.FunctionDef) and node.name not in called:
            used = {part.id for line in node.body for part in ast.walk(line) if isinstance(part, ast.Name)}
            given, last = [*node.args.posonlyargs, *node.args.args], node.args.kwonlyargs
            defaults = [*zip(given[::-1], node.args.defaults[::-1], strict=False),
                        *zip(last, node.args.kw_defaults, strict=True)]  # fmt: skip
            found += [(name.arg, value, node.name) for name, value in defaults if value and name.arg in used]
    for name, value, function in found:
        with suppress(Unknown, ValueError, TypeError, ArithmeticError):
            number = evaluated(value, scope.values)
            if stored[name] == 1 and name not in scope.values:
                scope.values[name] = number
                if function and not isinstance(number, bool):
                    scope.notes.append(f"{name} is {number!r}, as {function} has it by default")


def _nodes(body: Sequence[ast.stmt]) -> Iterator[ast.expr]:
    """The expressions of some statements."""
    for statement in body:
        for part in ("value", "test", "iter"):
            if isinstance(found := getattr(statement, part, None), ast.expr):
                yield found
        for part in ("body", "orelse", "finalbody"):
            yield from _nodes(getattr(statement, part, ()))


def _value(node: ast.expr, scope: _Scope) -> Any:
    """An expression as a number, a word, a call, a list, tuple or dictionary of them, or as code without a value."""
    match node:
        case ast.Call():
            if scope.values or _name(node.func) in FUNCTIONS:
                with suppress(Unknown, ValueError, TypeError, ArithmeticError):
                    return evaluated(node, scope.values)
            return _call(node, scope)
        case ast.List() | ast.Tuple() | ast.Dict():
            return _collection(node, scope)
        case ast.ListComp(elt) | ast.GeneratorExp(elt) | ast.SetComp(elt) | ast.DictComp(value=elt):
            if holds(found := _value(elt, scope)):
                scope.notes.append("one of the layers of a comprehension is shown")
            return [found]
        case ast.Lambda(body=inner) | ast.NamedExpr(value=inner):
            return _value(inner, scope)
    return _computed(node, scope)


def _collection(node: ast.List | ast.Tuple | ast.Dict, scope: _Scope) -> Any:
    if isinstance(node, ast.Dict):
        values = [_value(part, scope) for part in node.values]
        keys = [key.value if isinstance(key, ast.Constant) else i for i, key in enumerate(node.keys)]
        return dict(zip(keys, values, strict=True))
    inside = _items(node.elts, scope)
    return inside if isinstance(node, ast.List) else tuple(inside)


def _computed(node: ast.expr, scope: _Scope) -> Any:
    """The value of an expression over numbers and names, or its code with the calls in it."""
    unknown = ""
    try:
        return evaluated(node, scope.values)
    except Unknown as error:
        unknown = str(error)
    except (ValueError, TypeError, ArithmeticError):
        pass
    if isinstance(node, ast.IfExp):
        with suppress(Unknown, ValueError, TypeError, ArithmeticError):
            return _value(node.body if evaluated(node.test, scope.values) else node.orelse, scope)
    for side in (node.left, node.right) if isinstance(node, ast.BinOp) else ():
        shape = scope.values.get(_name(side))
        if isinstance(shape, tuple) and len(shape) > 2:  # an array that is scaled keeps its shape
            return shape
    inside = tuple(value for part in _outermost(node) if holds(value := _value(part, scope)))
    return Unread(node, unknown, inside)


def _outermost(node: ast.AST) -> Iterator[ast.expr]:
    """The calls and lists within an expression, without those in each other."""
    for part in ast.iter_child_nodes(node):
        if isinstance(part, ast.Call | ast.List | ast.Tuple | ast.ListComp | ast.GeneratorExp | ast.NamedExpr):
            yield part
        else:
            yield from _outermost(part)


def _items(nodes: Sequence[ast.expr], scope: _Scope) -> list[Any]:
    """The values of some expressions, with those of *args in their place."""
    found: list[Any] = []
    for node in nodes:
        inner = _value(node.value, scope) if isinstance(node, ast.Starred) else None
        if isinstance(inner, list | tuple):
            found += inner
        else:
            found.append(_value(node, scope) if inner is None else Unread(node))
    return found


def _name(node: ast.expr) -> str:
    """A name with dots; empty for another expression."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _call(node: ast.Call, scope: _Scope) -> Any:
    given = tuple(_items(node.args, scope))
    if isinstance(node.func, ast.Call):  # a layer called on its input
        return [*(part for part in given if holds(part)), _value(node.func, scope)]
    name = _name(node.func)
    if name == "float" and given in (("inf",), ("-inf",)):
        return float(given[0])
    named: dict[str, Any] = {}
    for word in node.keywords:
        value = _value(word.value, scope)
        if word.arg is not None:
            named[word.arg] = value
        else:
            named |= value if isinstance(value, dict) else {"**": Unread(word.value)}
    if name == "dict" and not given:
        return named
    if name in ("partial", "functools.partial") and node.args and (made := _name(node.args[0])):
        return Call(made, given[1:], named, node=node)
    method = not name and isinstance(node.func, ast.Attribute)  # nn.Conv2d(1, 1, 3).to("cpu")
    if isinstance(node.func, ast.Attribute) and method and holds(on := _value(node.func.value, scope)):
        return Call(node.func.attr, given, named, node=node, on=on)
    return Call(name or ast.unparse(node.func), given, named, node=node)

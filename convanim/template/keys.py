"""The keys of a template: their types, ranges and descriptions, and the JSON Schema made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from convanim.look import OPTIONS
from convanim.page import USUAL, Style
from convanim.system.inputfile import prepared


def _told(description: str, **limits: Any) -> Meta:
    """The description of a key, for the schema and the documentation."""
    return Meta(description=description, **limits)


_SIZE = {"ge": 6, "le": 400}
_Short = Annotated[str, Meta(min_length=1, max_length=200)]


class Table(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A table of keys, each with a default value."""


def _keys(table: str, base: type[Table] = Table) -> Any:
    """A table with the keys that options override, from the records of these options."""
    keys: list[tuple[str, Any, Any]] = []
    for name, option in OPTIONS.items():
        if option.table == table:
            about = option.about.partition(". ")[0].rstrip(".")
            about = f"{about[:1].lower()}{about[1:]}"
            kind: Any = Literal[option.choices] if option.choices else _Short if option.kind is str else option.kind
            default = option.usual if option.sample is None else None
            if default is None:
                kind, about = kind | None, about + f"; the default is {option.usual}" * (option.usual is not None)
            limits = zip(("ge", "le"), option.limits, strict=True) if option.limits else ()
            keys.append((name, Annotated[kind, _told(about, **dict(limits))], default))
    return msgspec.defstruct("Keys", keys, bases=(base,), kw_only=True, frozen=True)


class PageTable(_keys("page")):  # type: ignore[misc]
    """[page]: the size of the page."""


class TypeTable(Table, frozen=True):
    """[type]: the size of words and numbers."""

    title: Annotated[int, _told("font size of the title, px; scaled with the page", **_SIZE)] = USUAL.title_size
    caption: Annotated[int, _told("font size of the line of arithmetic, px", **_SIZE)] = USUAL.caption_size
    small: Annotated[int, _told("font size of phases, grid titles and the step counter, px", **_SIZE)] = (
        USUAL.small_size
    )
    number: Annotated[int, _told("largest font size of numbers in cells, px", **_SIZE)] = USUAL.number_size
    smallest: Annotated[float, _told("smallest font size, % of the page height; at least 9 px", ge=0, le=10)] = (
        USUAL.smallest
    )


class CellsTable(Table, frozen=True):
    """[cells]: the size of cells."""

    largest: Annotated[int, _told("largest side of a cell, px", ge=12, le=1000)] = USUAL.cell
    small: Annotated[
        float,
        _told(
            "largest side of a cell if all grids have fewer than 5 rows and columns, % of the page height", ge=0, le=50
        ),
    ] = USUAL.small
    wrap: Annotated[
        bool,
        _told("break a row of grids if this makes cells larger; otherwise only if they become half as large again"),
    ] = USUAL.wrap


class PaceTable(_keys("pace")):  # type: ignore[misc]
    """[pace]: durations."""

    longest: Annotated[float, _told("longest duration of an animation, in seconds", ge=5, le=3600)] = 30.0


class ShowTable(Table, frozen=True):
    """[show]: which parts appear."""

    title: Annotated[bool, _told("the layer's name and sizes")] = True
    detail: Annotated[bool, _told("the layer's arguments in the corner")] = True
    phases: Annotated[bool, _told("the phases along the top")] = True
    panel_titles: Annotated[bool, _told("the titles of grids")] = True
    captions: Annotated[bool, _told("the line of arithmetic")] = True
    counter: Annotated[bool, _told("the step counter")] = True
    numbers: Annotated[bool, _told("values in cells")] = True
    notes: Annotated[bool, _told("factors and sums, in small type in cells")] = True
    signs: Annotated[bool, _told("× and = between grids")] = True
    scales: Annotated[bool, _told("the colour scale of shaded grids")] = True
    shades: Annotated[bool, _told("shades for values without numbers; false: one colour per role")] = True
    kernel: Annotated[bool, _told("the kernel and the current product as separate grids")] = True
    motion_colours: Annotated[
        bool, _told("colours for the cells under the window; false: only an outline, for print")
    ] = True


class _Named(Table, frozen=True):
    extends: Annotated[_Short | None, _told("the template to start from: a name, or a file in the same folder")] = None
    about: Annotated[_Short | None, _told("the purpose of the template, in one line")] = None
    # Only the layouts that suit several kinds of layers: the others belong to a view or to a comparison.
    layout: Annotated[
        Literal["auto", "flat", "isometric"],
        _told("the layout, if it fits the layer; auto: the default of the layer"),
    ] = "auto"


@prepared
class Template(_keys("", _Named)):  # type: ignore[misc]
    """The settings of a page. Every key has a value; one that a file leaves out is as in the template that it extends.

    Example:
        >>> Template(page=PageTable(width=1080, height=1080)).style.height
        1080
    """

    page: PageTable = PageTable()
    type: TypeTable = TypeTable()
    cells: CellsTable = CellsTable()
    pace: PaceTable = PaceTable()
    show: ShowTable = ShowTable()

    @property
    def style(self) -> Style:
        """The settings as the style that the layout needs."""
        page, sizes = self.page, self.type
        return Style(
            page.width,
            page.height,
            sizes.title,
            sizes.caption,
            sizes.small,
            sizes.number,
            sizes.smallest,
            self.cells.largest,
            self.cells.small,
            self.cells.wrap,
            **msgspec.structs.asdict(self.show),
        )


def tables() -> list[tuple[str, type[msgspec.Struct]]]:
    """The tables of a template by name; the top level is ""."""
    fields = msgspec.structs.fields(Template)
    inner = [(f.name, f.type) for f in fields if isinstance(f.type, type) and issubclass(f.type, msgspec.Struct)]
    return [("", Template), *inner]


def described() -> list[tuple[str, str, str]]:
    """Every key of a template: its name, its possible values, and its description.

    Example:
        >>> described()[2][:2]
        ('layout', 'one of "auto", "flat", "isometric"')
    """
    rows = []
    for table, kind in tables():
        for field in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined]
            if not isinstance(field.type, msgspec.inspect.StructType):
                meta = field.type
                told = (meta.extra_json_schema or {}).get("description", "")
                rows.append((f"{table}.{field.name}".lstrip("."), _values(meta.type), told))
    return rows


def _values(kind: Any) -> str:
    """The values of a type in words."""
    inspect = msgspec.inspect
    if isinstance(kind, inspect.Metadata):
        return _values(kind.type)
    if isinstance(kind, inspect.UnionType):
        return " or ".join(_values(k) for k in kind.types if not isinstance(k, inspect.NoneType))
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if isinstance(kind, inspect.LiteralType):
        return "one of " + ", ".join(f'"{value}"' for value in kind.values)
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        number = "an integer" if isinstance(kind, inspect.IntType) else "a number"
        return number if kind.ge is None else f"{number} from {kind.ge:g} to {kind.le:g}"
    return "a string"


def example(name: str) -> str:
    """A key in TOML, with its default value.

    Example:
        >>> example("page.width"), example("show.title"), example("page")
        ('width = 1280', 'title = true', '[page] and its keys under it')
    """
    value: Any = Template()
    for part in name.split("."):
        value = getattr(value, part)
    if isinstance(value, msgspec.Struct):
        return f"[{name}] and its keys under it"
    last = name.rpartition(".")[2]
    if value is None:
        value = OPTIONS[last].sample if last in OPTIONS else "default"
    return f"{last} = {msgspec.json.encode(value).decode()}"


def schema() -> bytes:
    """The JSON Schema of a template, for editors.

    Example:
        >>> msgspec.json.decode(schema())["title"]
        'convanim template'
    """
    made = msgspec.json.schema(Template)
    inner = made["$defs"]
    for table in inner.values():
        table["description"] = table["description"].partition("\n")[0]
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **inner.pop("Template"),
        "title": "convanim template",
        "$defs": inner,
    }
    return msgspec.json.format(msgspec.json.encode(whole, order="deterministic"), indent=2) + b"\n"

"""The options that commands share, with their help texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

import click

from convanim.cli.helptext import files, offering
from convanim.commands import COMMANDS, NOTATION
from convanim.look import COMMON, OPTIONS, Option
from convanim.write.formats import listed

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Convention(click.Choice):  # type: ignore[type-arg]
    """A choice that passes unknown values on to the layers, which accept aliases: pytorch, tf, flax."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The text as it was typed."""
        return value


def _options(*options: Decorator) -> Decorator:
    """The options combined; each is created once, however many commands have it."""
    return _having(_made(options))


def _having(made: list[click.Parameter]) -> Decorator:
    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        command.__dict__.setdefault("__click_params__", []).extend(made)
        return command

    return decorate


def options_of(*options: Decorator) -> list[click.Option]:
    """The options of a decorator in the order of the help."""
    return [option for option in reversed(_made(options)) if isinstance(option, click.Option)]


def _made(options: tuple[Decorator, ...]) -> list[click.Parameter]:
    """The options in click's order, the last one first."""

    def command() -> None: ...

    for option in reversed(options):
        option(command)
    made: list[click.Parameter] = command.__dict__.get("__click_params__", [])
    return made


def _languages() -> list[str]:
    from convanim.scene.spoken import languages

    return languages()


def _templates() -> list[str]:
    from convanim.template.files import templates

    return templates()


def _themes() -> list[str]:
    from convanim.draw.theme import AUTO, themes

    return [*themes(), AUTO]


def _layouts() -> tuple[str, ...]:
    from convanim.page import LAYOUTS

    return tuple(LAYOUTS)


#: The names that a shell offers for an option, and whether its value may also be a file.
OFFERED: dict[str, tuple[Callable[[], Iterable[str]], bool]] = {
    "template": (_templates, True),
    "layout": (_layouts, False),
    "theme": (_themes, True),
    "lang": (_languages, False),
}


def _click(option: Option) -> Decorator:
    """An option of a command, from its record."""
    name, own = option.name, option.section == "Layer"
    flag = f"--{option.key.replace('_', '-')}"
    if option.kind is bool and option.default is None:
        flag += f"/--no-{flag[2:]}"
    if own:
        complete = files() if option.files else None
    else:
        find, files_too = OFFERED.get(name, (lambda: option.choices, False))
        complete = offering(find, files=files_too)
    kind: Any = option.kind
    if own and option.choices:
        kind = (Convention if name == "convention" else click.Choice)(option.choices)
    usual = f"  [default: {option.usual}]" if option.usual is not None else ""
    return click.option(
        flag,
        "x" if name == "input" else name,  # x is the name of the argument of `trace`
        type=kind,
        is_flag=option.kind is bool or None,
        **{"required": True} if option.required else {"default": option.default},
        show_default=option.default is not None and option.default is not False,
        metavar=option.metavar,
        shell_complete=complete,
        help=option.about + usual,
    )


#: The options of layers by the identities of their records, which are constants: commands share them.
_SHARED: dict[int, list[click.Parameter]] = {}


def _given(options: Iterable[Option]) -> Decorator:
    made: list[click.Parameter] = []
    for option in reversed([*options]):
        if id(option) not in _SHARED:
            _SHARED[id(option)] = _made((_click(option),))
        made += _SHARED[id(option)]
    return _having(made)


def look(name: str) -> Decorator:
    """An option of an animation."""
    return _click(OPTIONS[name])


LANG, SYMBOLS, SATURATE = look("lang"), look("symbols"), look("saturate")
LETTERS = _options(SYMBOLS, SATURATE)
ALIGN = look("align")
LAYER = _given(NOTATION)
SWEEP = _options(*(look(name) for name in ("template", "layout", "theme", "lang", "width", "height")))
LOOK = _options(
    *(look(name) for name in COMMON),
    click.option(
        "--sheet",
        type=int,
        metavar="COLUMNS",
        help="Write a contact sheet, one .png with several frames in this many columns.",
    ),
    click.option("--quiet", is_flag=True, help="Print nothing except errors."),
    click.option("--open", "open_it", is_flag=True, help="Open the file when it is done."),
)


def file(*, required: bool) -> Decorator:
    """The options of a command that writes a file."""
    return _options(
        click.option(
            "-o",
            "--output",
            required=required,
            metavar="FILE",
            shell_complete=files(),
            help=f"File to write: {listed(told=True)}. - is standard output.",
        ),
        click.option(
            "--format", metavar="FORMAT", help=f"File format ({listed(dot='')}), if the file name has no suffix."
        ),
        LOOK,
    )


FILE = file(required=True)


#: The options of each kind of layer, and those of its views.
LAYERS = {kind: (_given(command.arguments), _given(command.shown)) for kind, command in COMMANDS.items()}


def _unused(*options: Decorator, but: tuple[str, ...] = ()) -> Decorator:
    """The same options, hidden from the help, except for those named in `but`.

    The options of a command that draws can then be passed to `explain` and `describe`, which ignore those that only
    affect the picture.
    """

    hidden: list[Any] = [copy(option) for option in _made(options) if option.name not in but]
    for option in hidden:
        option.hidden, option.required = True, False
    return _having(hidden)


VIEW = look("view")
UNUSED = _unused(VIEW, _given({one.name: one for command in COMMANDS.values() for one in command.shown}.values()), FILE)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")
#: The options of an explanation besides the layer.
EXPLAINED = _options(JSON, UNUSED)
#: The options of a description besides the layer and its view.
TOLD = _options(
    click.option("--alt", is_flag=True, help="Print only the alternative text, one sentence."),
    JSON,
    LANG,
    _unused(FILE, but=("lang",)),
)

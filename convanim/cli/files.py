"""The part that all commands that write a file share: options of the animation, the target, the closing line."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click

from convanim.cli.shell import progress_bar, say
from convanim.errors import ConvanimError
from convanim.look import COMMON, OPTIONS, Look

#: Options that do not change the picture, and so are left out of the command in the file's comment.
SILENT = {"output", "format", "quiet", "open_it"}


def look_of(typed: dict[str, Any]) -> dict[str, Any]:
    """Take out and validate the options of the animation, before any computation."""
    from convanim.draw.theme import AUTO, load
    from convanim.page import known
    from convanim.scene.spoken import catalogue
    from convanim.template import settle
    from convanim.timing.budget import read_size

    yielding(typed)
    look = {name: typed.pop(name) for name in COMMON}
    for name, value in look.items():
        OPTIONS[name].check(value)
    if look["theme"] == AUTO and typed["output"] == "-":
        from convanim.lightdark import pair_names

        pair_names(None)
    settings = settle(Look(**{name: look[name] for name in ("template", "theme", "width", "height")}))
    look["template"] = settings.template  # read and validated once
    known(look["layout"])
    catalogue(look["lang"])
    if look["max_size"] is not None:
        look["max_size"] = read_size(look["max_size"])
    if settings.theme != AUTO:
        load(settings.theme)
    elif typed["output"] is not None:
        from convanim.lightdark import pair_names

        pair_names(*target_of(typed["output"], typed["format"]))
    return look


def yielding(typed: dict[str, Any]) -> None:
    """Leave out the defaults of the environment or a config file that this file cannot have, as no one typed them."""
    context = click.get_current_context()
    source = {name: context.get_parameter_source(name) for name in COMMON}
    ours = {name for name in COMMON if source[name] is click.core.ParameterSource.DEFAULT_MAP}
    if not ours:
        return
    from convanim.draw.theme import AUTO
    from convanim.lightdark import pair_names
    from convanim.write.formats import FORMATS, pick_format

    def refused(check: Callable[..., object], *given: Any) -> bool:
        try:
            check(*given)
        except ConvanimError:
            return True
        return False

    def leave_out(name: str) -> None:
        typed[name] = context.params[name] = OPTIONS[name].default

    for name, other in (("width", "height"), ("height", "width")):
        if name in ours and source[other] is click.core.ParameterSource.COMMANDLINE:
            leave_out(name)
    if typed["output"] is None or refused(target_of, typed["output"], typed["format"]):
        return
    target, format = target_of(typed["output"], typed["format"])
    if refused(pick_format, target, format):
        return
    form = FORMATS[pick_format(target, format)]
    if typed["theme"] == AUTO and "theme" in ours and (typed["sheet"] or refused(pair_names, target, format)):
        leave_out("theme")
    if "max_size" in ours and form.trace:
        leave_out("max_size")
    asked = {name: None if name in ours else typed[name] for name in ("renderer", "text", "dpi", "script", "tex")}
    for name in sorted(ours & set(asked)):
        if refused(form.check, SimpleNamespace(**asked | {name: typed[name]})):
            leave_out(name)
        else:
            asked[name] = typed[name]


def typed_look() -> bool:
    """Whether the command line has any option of the animation."""
    source = click.get_current_context().get_parameter_source
    return any(source(name) is click.core.ParameterSource.COMMANDLINE for name in COMMON)


def target_of(output: str, format: str | None) -> tuple[Path | None, str | None]:
    """The file to write, or None for standard output, and the requested format."""
    from convanim.write.formats import listed

    target = None if output == "-" else Path(output)
    if target is None and format is None:
        raise ConvanimError("-o - needs a format", f"add --format {listed(dot='')}")
    return target, format


def idle(kind: str, *, sheet: bool, arrays: bool) -> list[str]:
    """Warnings about options without an effect on the file, which is written all the same.

    Args:
        kind: the format.
        sheet: whether the file is a contact sheet.
        arrays: whether an array is given as a shape, and therefore filled.
    """
    from convanim.write.formats import FORMATS

    context = click.get_current_context()
    typed = {
        option.name: ((context.params[option.name or ""] is False and option.secondary_opts) or option.opts)[-1]
        for option in context.command.params
        if context.get_parameter_source(option.name or "") is click.core.ParameterSource.COMMANDLINE
    }
    written = FORMATS[kind].asked(context.params)
    why = written.lacks
    lacks: set[str] = set()
    if written.trace:
        lacks = {"page", "words", "time", "play", "frames"}
    elif not written.draws:
        lacks = {"page", "play"}
    elif sheet or not (written.tick or written.lasts):
        lacks, why = {"time", "play"}, "a contact sheet holds no time" if sheet else why
    told = [typed[name] for name, option in OPTIONS.items() if name in typed and option.needs in lacks]
    if "frames" in lacks and "backward" in typed:
        told.append(typed["backward"])
    names = " and ".join(filter(None, (", ".join(told[:-1]), *told[-1:])))
    notes = (
        [f"--motion has no effect here: {written.lasts} from step to step."]
        if written.lasts and "motion" in typed
        else []
    )
    notes += [f"{names} {'have' if told[1:] else 'has'} no effect here: {why}."] if told else []
    if "fill" in typed and not arrays:
        notes.append("--fill has no effect here: no array is given as a shape.")
    if "seed" in typed and (context.params.get("fill") != "random" or not arrays):
        notes.append("--seed has no effect here: type --fill random and give an array as a shape.")
    return notes


def save(
    trace: Any,
    look: dict[str, Any],
    *,
    output: str,
    format: str | None,
    quiet: bool,
    open_it: bool,
    sheet: int | None,
    **shown: Any,
) -> None:
    """Write an animation, or the trace, and print a closing line.

    Args:
        look: the result of `look_of`.
        shown: how the trace is shown, such as its view.
    """
    from convanim.draw.theme import AUTO
    from convanim.scene import in_order
    from convanim.write.formats import FORMATS, pick_format, save_trace

    target, format = target_of(output, format)
    if look["theme"] == AUTO:
        if sheet is not None:
            raise ConvanimError("--sheet cannot be combined with --theme auto", "write one sheet with each theme")
        _save_pair(trace, look, target, format, quiet=quiet, open_it=open_it, **shown)
        return
    stream: Any = sys.stdout.buffer if target is None else target
    with progress_bar("frames", quiet=quiet, every=16) as progress:
        form = FORMATS[pick_format(target, format)].asked(look)
        if form.trace and sheet is None:  # any trace can be saved, even one that no view can show
            done = in_order(trace, shown.get("view"))
            saved = save_trace(done, stream, form, limited=look["max_size"] is not None)
        else:
            animation = _animation(trace, **shown, **look)
            saved = animation.save(stream, format, progress, sheet=sheet)
    if not quiet:
        say(closing(saved), err=target is None)
    if open_it and target is not None:
        click.launch(str(target))


def _save_pair(
    trace: Any, look: dict[str, Any], target: Any, format: str | None, *, quiet: bool, open_it: bool, **shown: Any
) -> None:

    animation = _animation(trace, **shown, **look | {"theme": None})
    with progress_bar("frames", quiet=quiet, every=16) as progress:
        pair = animation.save_pair(target, format, progress)
    if not quiet:
        for line in (closing(pair.light), closing(pair.dark), *pair.snippet.splitlines()):
            say(line, err=False)
    if open_it:
        click.launch(str(pair.light.path))


def _animation(trace: Any, **look: Any) -> Any:
    """The animation, without a layout that does not suit it if only the environment or a config file asks for it."""
    from convanim.animation import Animation

    context = click.get_current_context()
    try:
        return Animation(trace, made_by=command_line(), **look)
    except ConvanimError:
        if context.get_parameter_source("layout") is not click.core.ParameterSource.DEFAULT_MAP:
            raise
    context.params["layout"] = None
    return Animation(trace, made_by=command_line(), **look | {"layout": None})


def command_line() -> str:
    """The command line that makes the same picture again."""
    context = click.get_current_context()
    words = ["convanim", context.info_name or ""]
    for option in context.command.params:
        if isinstance(option, click.Argument):
            value = context.params[option.name or ""]
            words += value if isinstance(value, tuple) else [str(value)]
            continue
        source, value = context.get_parameter_source(option.name or ""), context.params[option.name or ""]
        given = source is click.core.ParameterSource.COMMANDLINE
        given = given or (source is click.core.ParameterSource.DEFAULT_MAP and value != option.default)
        if not given or option.name in SILENT:
            continue
        if isinstance(value, bool):
            words.append(option.opts[0] if value else option.secondary_opts[0])
        else:
            words += [option.opts[0], str(value)]
    return shlex.join(words)


def closing(saved: Any) -> str:
    """The line about a written file."""
    from convanim.write.formats import FORMATS

    told = [str(saved.path or "standard output")]
    if saved.width:
        told.append(f"{saved.width}×{saved.height} px")
    thing = "step" if FORMATS[saved.format].trace else "frame"
    told.append(f"{saved.frames} {thing}{'' if saved.frames == 1 else 's'}")
    if saved.seconds:
        told.append(f"{saved.seconds:.1f} s")
    told.append(f"{saved.size / 1000:,.0f} KB" if saved.size >= 1000 else f"{saved.size} bytes")
    line = ", ".join(told)
    if saved.left_out:
        line += f"; {saved.left_out:,} of {saved.steps:,} placements left out"
        line += ", --select all shows every one" * (not saved.given_up)
    return "; ".join([line, *filter(None, (saved.given_up, saved.fitted))])

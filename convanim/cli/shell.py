"""The behaviour of the command line: one-sentence errors, exit codes, signals and streams."""

from __future__ import annotations

import ast
import codecs
import io
import os
import re
import signal
import sys
import threading
import unicodedata
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from types import FrameType
from typing import Any, NoReturn

import click

from convanim.cli import helptext
from convanim.commands import COMMANDS
from convanim.errors import ConvanimError, ConvanimWarning, printable, readable, reason, spelt

#: Files of Python's library that must not be interrupted by exceptions.
UNDISTURBED = ("tempfile.py", "weakref.py", f"futures{os.sep}thread.py", f"futures{os.sep}process.py")

#: Replacements for characters that a stream's encoding lacks.
PLAIN = {
    **{"×": "x", "·": "*", "−": "-", "→": "->", "←": "<-", "≈": "~", "≠": "!=", "√": "sqrt ", "Σ": "sum", "∞": "inf"},
    **{"⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "°": " degrees", "′": "'", "β": "beta", "○": "o", "²": "^2"},
}

_OPTIONS = [one for command in COMMANDS.values() for one in command.arguments]
#: Options of a layer whose notation contains them instead.
NOTED = {f"--{one.name.replace('_', '-')}": f"'{one.noted}'" for one in _OPTIONS if one.noted}
#: Options of the view of a single layer.
SHOWN = {"--view", *(f"--{one.name}" for command in COMMANDS.values() for one in command.shown)}


#: The option that stands for an argument of another name, unless that is typed in a layer's notation.
OPTIONS = {"kernel_size": "kernel", "upscale_factor": "factor", "downscale_factor": "factor"}
#: What is typed for an argument that no option is named after.
TYPED = {"beside": "convanim compare", "colours=False": "--grey", "save_pair": "--theme auto"}


class Command(helptext.Command):
    """A command whose errors name its options in the place of the arguments that Python knows."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except ConvanimError as error:
            error.args = tuple(spelt(text, partial(as_typed, self)) for text in error.args)
            raise


def as_typed(command: click.Command, code: str) -> str:
    """What is typed at a command for what a message names in Python; its code where the command has no such option.

    Example:
        >>> command = Command("upsample", params=[click.Option(["--size"]), click.Option(["--scale-factor"])])
        >>> [as_typed(command, code) for code in ("scale factor", "scale_factor=2", "size=(3, 2)", "(C, H)", "mode=1")]
        ['--scale-factor', '--scale-factor 2', '--size 3x2', 'CxH', 'mode=1']
    """
    if code in TYPED:
        return TYPED[code]
    if saved := re.fullmatch(r"save\('(.*)'\)", code):
        return f"-o {saved[1]}"
    if code.startswith("("):
        return "x".join(re.findall(r"\w+", code))
    options = {option.name: option for option in command.params if isinstance(option, click.Option)}
    others = {"input": "x"} | (OPTIONS if len(options) == len(command.params) else {})
    words = []
    for name, equals, value in re.findall(r"([a-z]\w*(?: [a-z]+)*)(=?)((?:\(.*\)|[^,(])*)(?:, |$)", code):
        argument = name.replace(" ", "_")
        option = options.get(others.get(argument, argument))
        if option is None:
            return code
        no = option.secondary_opts if value == "False" else []
        words += [(no or option.opts)[-1], *([_typed(value)] if equals and value not in ("True", "False") else [])]
    return " ".join(words)


def _typed(value: str) -> str:
    """A value as it is typed: 3x2 for (3, 2), 1:2 for ((1, 2),), and a word without its quotes."""
    from convanim.typed.request.asked import in_text

    try:
        return str(in_text(ast.literal_eval(value)))
    except (ValueError, SyntaxError):  # a name in the place of a value, such as FILE
        return value


class Layers(click.Group):
    """A group of commands that recognises common names of layers."""

    command_class = Command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command of a name, or an error with the layer's command or the reason why it is not supported."""
        name = args[0] if args else ""
        if name and self.get_command(ctx, name) is None:
            from convanim.layers import KINDS
            from convanim.layers.reading.names import SHOWN as LAYERS
            from convanim.layers.reading.names import kind_of, what_is

            if told := what_is(name):
                raise ConvanimError(f"{name} is {told}", LAYERS)
            kind = kind_of(name)[0]
            if kind and (record := KINDS[kind].record).command in self.commands:
                raise ConvanimError(f"there is no command {name!r}", f"use {ctx.command_path} {record}")
        return super().resolve_command(ctx, args)


class Program(Layers):
    """The program: a group of commands with convanim's errors and exit codes.

    Exit codes: 0, 1 (failure), 2 (wrong usage or input), 130 (interrupted).
    """

    group_class = Layers

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run the command line and exit."""
        extra["standalone_mode"] = False
        _open_streams()
        try:
            with _heard(), _warned():
                super().main(args, prog_name or "convanim", **extra)
            sys.exit(0)
        except click.exceptions.Exit as stop:
            sys.exit(stop.exit_code)
        except (click.Abort, KeyboardInterrupt):
            fail("interrupted; nothing was written.", 130)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.ctx.get_help() if error.ctx else "", err=True)
            sys.exit(error.exit_code)
        except click.ClickException as error:
            fail(_one_sentence(error), error.exit_code)
        except ConvanimError as error:
            fail(str(error), error.exit_code)
        except BrokenPipeError:
            _give_up(sys.stdout)
            sys.exit(1)
        except OSError as error:
            why = reason(error)
            if error.filename is not None:
                name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else error.filename
                fail(f"{readable(str(name))} cannot be used: {why}; name another place, or make this one usable.", 2)
            _give_up(sys.stdout)
            fail(f"standard output cannot be written: {why}; send it to a place that is open and has room.", 2)
        except MemoryError:
            fail("there is not enough memory for this; use a smaller input.", 1)


def say(line: str, *, err: bool) -> None:
    """Print a line, ignoring errors of the stream."""
    stream = sys.stderr if err else sys.stdout
    try:
        if stream:
            click.echo(printable(line), err=err)
            stream.flush()
    except OSError:
        _give_up(stream)


@contextmanager
def progress_bar(label: str, *, quiet: bool, every: int = 1) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, if that is a terminal: a function of what is done and of the total.

    Args:
        every: how many calls are needed to move it, as a terminal is slower than a frame.
    """
    wanted, bar = not quiet and sys.stderr is not None and sys.stderr.isatty(), None

    def show(done: int, total: int) -> None:
        nonlocal bar
        if wanted and (done % every == 0 or done == total):
            if bar is None:
                bar = stack.enter_context(click.progressbar(length=total, label=label, file=sys.stderr))
            bar.update(done - bar.pos)

    with ExitStack() as stack:
        yield show


def print_json(told: dict[str, Any]) -> None:
    """Print an object as JSON, in ASCII whatever the encoding: a line for each key, and for each object in a list.

    Iterators are printed item by item.
    """
    import json

    def listed(array: Any) -> Any:
        from convanim.write.tracefile import finite

        return finite(array)

    def text(value: Any) -> str:
        return json.dumps(value, default=listed)

    start = "{"
    for name, value in told.items():
        click.echo(f"{start}\n {text(name)}: ", nl=False)
        start = ","
        if not isinstance(value, Iterator) and not (isinstance(value, list) and value and isinstance(value[0], dict)):
            click.echo(text(value), nl=False)
            continue
        between = "[\n  "
        for item in value:
            click.echo(between + text(item), nl=False)
            between = ",\n  "
        click.echo("[]" if between.startswith("[") else "\n ]", nl=False)
    click.echo("\n}")


def fail(sentence: str, code: int) -> NoReturn:
    """Print an error and exit."""
    click.echo(f"Error: {sentence}", err=True)
    sys.exit(code)


def _open_streams() -> None:
    """Let both streams accept any text, and a closed standard output raise an error on writing.

    Files and pipes get UTF-8, unless PYTHONIOENCODING names another encoding. A terminal
    keeps its encoding. Characters that an encoding lacks are replaced by plain ones.
    """
    asked = os.environ.get("PYTHONIOENCODING", "").partition(":")[0]
    codecs.register_error("convanim.plain", _plain)
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a notebook's streams accept everything
            stream.reconfigure(encoding=None if asked or stream.isatty() else "utf-8", errors="convanim.plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    """The replacement of characters that an encoding lacks: plain ones, or escapes such as \\u2192."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacked = error.object[error.start : error.end]
    plain = "".join(PLAIN.get(char) or unicodedata.normalize("NFKD", char) for char in lacked)
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return bare.encode("ascii", "backslashreplace").decode("ascii"), error.end


@contextmanager
def _heard() -> Iterator[None]:
    """While a command runs, turn Ctrl-C and the termination signal into exceptions, so that nothing is left behind."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        yield
        return
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, _end)}
    if callable(signal.getsignal(signal.SIGINT)):  # a shell's background job ignores Ctrl-C
        before[signal.SIGINT] = signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> None:
    """End a command by an exception, delayed where it could get lost or leave something behind.

    During imports and callbacks of weak references Python drops exceptions or fails in foreign code; a temporary
    folder is unknown until its name is returned, and so is a thread or process that is only half started.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib") or frame.f_code.co_filename.endswith(UNDISTURBED):
            later = threading.Timer(0.02, _again, [number])
            later.daemon = True
            later.start()
            return
        frame = frame.f_back
    if number == signal.SIGTERM:
        sys.exit(143)
    raise KeyboardInterrupt


def _again(number: int) -> None:
    """Send a signal to the main thread, which wakes it from blocking calls."""
    if sys.platform == "win32":
        signal.raise_signal(number)
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, number)


@contextmanager
def _warned() -> Iterator[None]:
    """Print the warnings about an input, one per line, after a command has succeeded, unless it is quiet."""
    notes: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("always", ConvanimWarning)
        others = warnings.showwarning

        def show(message: Any, category: type[Warning], *place: Any, **more: Any) -> None:
            if issubclass(category, ConvanimWarning):
                context = click.get_current_context(silent=True)
                if not (context and context.params.get("quiet")):
                    text = str(message.args[0] if isinstance(message, Warning) else message)
                    notes.append(f"Note: {spelt(text, partial(as_typed, context.command)) if context else text}")
            else:
                others(message, category, *place, **more)

        warnings.showwarning = show
        yield
    for note in dict.fromkeys(notes):
        say(note, err=True)


def _one_sentence(error: click.ClickException) -> str:
    text = readable(" ".join(error.format_message().split()))
    if isinstance(error, click.NoSuchOption):
        command = error.ctx.info_name if error.ctx else ""
        if command == "compare" and error.option_name in SHOWN:
            return (
                f"{error.option_name} cannot be combined with compare, which shows two layers in one view, by their "
                "values; leave it out."
            )
        if command in ("compare", "layer") and (noted := NOTED.get(error.option_name.replace("--no-", "--"))):
            if error.option_name.startswith("--no-"):
                noted = noted.replace("=True", "=False")
            return f"{error.option_name} is written into the layer's own notation; type {noted}."
        known = {option: option for p in (error.ctx.command.params if error.ctx else ()) for option in p.opts}
        same = _same_option(error.option_name, known)
        if same:
            return f"No such option {error.option_name!r}. Did you mean {same!r}?"
        if error.option_name == "--output-padding":
            return f"{error.option_name} belongs to transposed convolutions; use convanim transposed."
    if "unexpected extra argument" in text:  # cmd.exe does not treat single quotes as quotes
        return f"{text}; put a value that has blanks in it into double quotes."
    return text if text.endswith((".", "?", ")")) else text + "."


def _same_option(option: str, known: Collection[str]) -> str | None:
    """The option of a command for a synonym."""
    from convanim.layers.arguments import alike

    names = {name.lstrip("-").replace("-", "_"): name for name in known}
    found = alike(option.lstrip("-").replace("-", "_"), names)
    kernel = found or ("kernel" if "kernel" in names and alike(option.lstrip("-"), ["kernel_size"]) else None)
    return names[kernel] if kernel else None


def _give_up(stream: Any) -> None:
    # Python would try to flush the stream on exit, and complain again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

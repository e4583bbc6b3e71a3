"""How the program speaks and ends: one sentence for a wrong input, an exit code for everything.

Knows exceptions and streams. Must not know commands.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from convanim.errors import ConvanimError

#: What is written into a layer's notation, where that is what is typed.
NOTED = {
    "--stride": "'Conv(3, stride=2)'",
    "--padding": "'Conv(3, padding=1)'",
    "--dilation": "'Conv(3, dilation=2)'",
    "--groups": "'Conv(3, groups=2)'",
    "--padding-mode": "'Conv(3, padding=1, padding_mode=\"reflect\")'",
    "--output-padding": "'ConvTranspose(3, stride=2, output_padding=1)'",
    "--convention": "'Conv(3, convention=\"keras\")'",
    "--mode": "'MaxPool(2)', 'AvgPool(2)' or 'Upsample(scale_factor=2, mode=\"bilinear\")'",
    "--ceil-mode": "'MaxPool(2, ceil_mode=True)'",
    "--count-include-pad": "'AvgPool(2, count_include_pad=True)'",
    "--no-count-include-pad": "'AvgPool(2, count_include_pad=False)'",
    "--norm-type": "'LpPool(2, norm_type=3)'",
    "--scale-factor": "'Upsample(scale_factor=2)'",
    "--size": "'Upsample(size=7)'",
    "--align-corners": "'Upsample(scale_factor=2, mode=\"bilinear\", align_corners=True)'",
    "--coordinates": "'Upsample(scale_factor=2, coordinates=\"asymmetric\")'",
    "--factor": "'PixelShuffle(2)'",
    "--inverse": "'PixelUnshuffle(2)'",
    "--order": "'PixelShuffle(2, order=\"DCR\")'",
}
#: What of one layer can be shown in more than one way.
SHOWN = {"--view", "--symbols", "--saturate", "--backward", "--grad"}


class Program(click.Group):
    """A group of commands that ends as we want it to.

    Exit codes: 0, 1 (it failed), 2 (it was asked wrongly), 130 (interrupted).
    """

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run the command line and leave."""
        extra["standalone_mode"] = False
        try:
            with _terminated():
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
            if error.errno not in (errno.ENOSPC, errno.EFBIG, errno.EIO):
                raise
            _give_up(sys.stdout)
            reason = (error.strerror or "").lower()
            fail(f"standard output cannot be written: {reason}; send it somewhere with room.", 2)
        except MemoryError:
            fail("there is not enough memory for this; use a smaller input.", 1)


def say(line: str, *, err: bool) -> None:
    """Print a line; losing it is no reason to fail."""
    stream = sys.stderr if err else sys.stdout
    try:
        if stream:
            click.echo(line, err=err)
            stream.flush()
    except OSError:
        _give_up(stream)


def fail(sentence: str, code: int) -> NoReturn:
    """Say what is wrong and leave."""
    click.echo(f"Error: {sentence}", err=True)
    sys.exit(code)


@contextmanager
def _terminated() -> Iterator[None]:
    """While a command runs, the signal to end is taken like Ctrl-C: nothing is left behind."""
    try:
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    except ValueError:  # in a thread, where nobody may listen to signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _one_sentence(error: click.ClickException) -> str:
    text = " ".join(error.format_message().split())
    if isinstance(error, click.NoSuchOption):
        command = error.ctx.info_name if error.ctx else ""
        if command == "compare" and error.option_name in SHOWN:
            return (
                f"{error.option_name} cannot be combined with compare, which shows two layers in one view, by their "
                "values; leave it out."
            )
        if command in ("compare", "layer") and error.option_name in NOTED:
            return f"{error.option_name} is written into the layer's own notation; type {NOTED[error.option_name]}."
        if error.option_name == "--output-padding":
            return f"{error.option_name} belongs to transposed convolutions; use convanim transposed."
    return text if text.endswith((".", "?", ")")) else text + "."


def _give_up(stream: Any) -> None:
    # Python would try to flush what is left when it ends, and complain again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())

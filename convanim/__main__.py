"""The program's front door, for the command `convanim` and for `python -m convanim`.

Knows what Ctrl-C means before and after a command runs. Must not know commands.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # at run time typing takes a moment, in which nobody could hear Ctrl-C
    from typing import NoReturn


def _stop(*_: object) -> NoReturn:
    # No exception: one that is raised in the middle of an import may get lost, or be told with a traceback.
    os.write(2, b"\nError: interrupted; nothing was written.\n")
    os._exit(130)


def main() -> None:
    """Run the command line and leave."""
    try:
        import signal
    except KeyboardInterrupt:
        _stop()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a background job of a shell ignores Ctrl-C
        signal.signal(signal.SIGINT, _stop)
    import gc

    gc.set_threshold(50_000)  # what is imported stays: looking for garbage in it took a tenth of the start
    from convanim import rcfile
    from convanim.cli import main as program

    rcfile.ignore()
    try:
        program()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done and said; Python only clears up


if __name__ == "__main__":
    main()

"""The entry point of the command `convanim` and of `python -m convanim`, which also handles Ctrl-C during imports."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing typing would delay the handling of Ctrl-C
    from typing import NoReturn


def _stop(*_: object) -> NoReturn:
    # Not by an exception: one raised during an import may get lost, or be printed with a traceback.
    os.write(2, b"\nError: interrupted; nothing was written.\n")
    os._exit(130)


def main() -> None:
    """Run the command line and exit."""
    try:
        import signal
    except KeyboardInterrupt:
        _stop()
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell's background job ignores Ctrl-C
        signal.signal(signal.SIGINT, _stop)
    import gc

    gc.set_threshold(200_000)  # imports stay: scanning them for garbage took 10 % of the start
    # NumPy's usual OpenBLAS starts a thread for each core, which is busy for 60 ms; no command needs more than one.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from convanim.cli.commands import main as program
    from convanim.system import rcfile

    rcfile.ignore()
    try:
        program()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # everything is done; Python only cleans up


if __name__ == "__main__":
    main()

"""The commands that animate a layer: one record each, from which all that knows a command takes it.

The options of the command line with their help, the requests that read them, the keys of gallery entries and the lists
of views follow from it. Functions are named here and not imported, so that help needs neither layers nor scenes.
"""

from __future__ import annotations

from convanim.commands.columns import FOLD, UNFOLD
from convanim.commands.convolutions import CONV, NOTATION, TRANSPOSED
from convanim.commands.pools import POOL, UNPOOL
from convanim.commands.record import Command, View
from convanim.commands.resize import SHUFFLE, UPSAMPLE

__all__ = ["COMMANDS", "NOTATION", "Command", "View"]

#: In the order of lists and messages.
COMMANDS = {
    "conv": CONV,
    "transposed": TRANSPOSED,
    "pool": POOL,
    "unpool": UNPOOL,
    "upsample": UPSAMPLE,
    "shuffle": SHUFFLE,
    "unfold": UNFOLD,
    "fold": FOLD,
}

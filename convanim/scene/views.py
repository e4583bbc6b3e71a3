"""Which views each kind of operation has, and what makes them.

Knows every scene. A new view is a line in `TABLE`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from convanim.errors import ConvanimError
from convanim.ops import Conv, ConvTranspose, MaxUnpool, Operation, Pool, Shuffle, Upsample, times
from convanim.scene.both import BothScene
from convanim.scene.colour import ColourScene
from convanim.scene.gather import GatherScene
from convanim.scene.planes import PlanesScene
from convanim.scene.pool import PoolScene
from convanim.scene.scatter import ScatterScene
from convanim.scene.shuffle import ShuffleScene
from convanim.scene.stamps import StampScene
from convanim.scene.unpool import UnpoolScene
from convanim.scene.upsample import UpsampleScene
from convanim.trace import Trace

if TYPE_CHECKING:
    from convanim.scene import Scene


class Kind(NamedTuple):
    """A kind of operation: what it is called, and its views, the usual one first."""

    name: str
    op: type[Operation]
    views: dict[str, View]


class View(NamedTuple):
    """A view of an operation.

    Attributes:
        make: its scene, of a trace in any order.
        coloured: its scene for pictures in their own colours, given whether they saturate; None where there is none.
    """

    make: Callable[[Any], Scene]
    coloured: Callable[[Any, bool], Scene] | None = None


def _slid(trace: Any) -> Scene:
    return GatherScene(trace.by_output()) if _flat(trace) else PlanesScene(trace.by_output())


def _stamped(trace: Any) -> Scene:
    _needs_one(trace, "overlap-add")
    return ScatterScene(trace.by_input())


def _both(trace: Any) -> Scene:
    _needs_one(trace, "both")
    return BothScene(trace)


def _flat(trace: Trace) -> bool:
    """Whether one plane shows all of its input, and one all of its output."""
    return len(trace.axes) <= 2 and len(trace.x) == trace.channels == 1


def _needs_one(trace: Trace, view: str) -> None:
    """Refuse what a view for one plane cannot show."""
    if not _flat(trace):
        deep = f"{len(trace.axes)} axes" if len(trace.axes) > 2 else f"{len(trace.x)} and {trace.channels} channels"
        told = f"{trace.op} over {times(trace.x.shape)} has {deep}"
        raise ConvanimError(
            f"view {view!r} shows one channel and one or two axes, and {told}",
            "leave the view out, or trace one channel of the input with one kernel",
        )


def _coloured(trace: Any, saturate: bool) -> Scene:
    return ColourScene(trace.by_output(), saturate=saturate)


#: Every kind of operation with its views.
TABLE: tuple[Kind, ...] = (
    Kind(
        "transposed",
        ConvTranspose,
        {
            "zero-insertion": View(_slid),
            "overlap-add": View(_stamped, lambda trace, saturate: StampScene(trace.by_input(), saturate=saturate)),
            "both": View(_both),
        },
    ),
    Kind("conv", Conv, {"sliding": View(_slid, _coloured)}),
    Kind("pool", Pool, {"sliding": View(lambda trace: PoolScene(trace.by_output()), _coloured)}),
    Kind("unpool", MaxUnpool, {"placing": View(UnpoolScene)}),
    Kind("upsample", Upsample, {"reading": View(lambda trace: UpsampleScene(trace.by_output()), _coloured)}),
    Kind("shuffle", Shuffle, {"moving": View(lambda trace: ShuffleScene(trace.by_output()))}),
)

#: The views of each kind of layer; the first one is what is shown without a choice.
VIEWS = {kind.name: tuple(kind.views) for kind in TABLE}


def views_of(op: Operation) -> dict[str, View]:
    """The views of an operation by name, the usual one first."""
    return next(kind.views for kind in TABLE if isinstance(op, kind.op))


def pick_view(op: Operation, view: str | None = None, *, colours: bool = False) -> str:
    """The view that is meant; without a choice the first that the layer has.

    Args:
        colours: of those that show pictures in their own colours.

    Raises:
        ConvanimError: the layer has no such view.

    Example:
        >>> pick_view(ConvTranspose(kernel_size=3)), pick_view(ConvTranspose(kernel_size=3), colours=True)
        ('zero-insertion', 'overlap-add')
    """
    views = views_of(op)
    known = [name for name in views if views[name].coloured or not colours]
    if not known:
        raise ConvanimError(f"a {op.words.lower()} is not shown in colours", "leave the colours out")
    if view is not None and view not in known:
        close = [name for name in known if view and name.startswith(view)] or difflib.get_close_matches(view, known, 1)
        hint = f"did you mean {close[0]}" if close else f"use {' or '.join(known)}"
        what = "not shown in colours" if view in views else "not known"
        raise ConvanimError(f"view {view!r} is {what} for a {op.words.lower()}", hint)
    return view or known[0]


def scene(trace: Trace, view: str | None = None, *, colours: bool = False, saturate: bool = False) -> Scene:
    """The scene of a trace.

    Args:
        trace: in any order.
        view: for a transposed layer "zero-insertion" (also None), "overlap-add" or "both"; the others have one.
        colours: show three channels as the red, green and blue of a picture; a transposed layer by overlap-add.
        saturate: say that colours clip at 255, as a picture's do.

    Raises:
        ConvanimError: an unknown view, or a trace that this view cannot show.

    Example:
        >>> s = scene(ConvTranspose(kernel_size=2).trace([[0, 1], [2, 3]], [[4, 1], [2, 3]]), "overlap-add")
        >>> s.frame(s.beats.total - 1).grids["canvas"].values.tolist()
        [[0, 4, 1], [8, 16, 6], [4, 12, 9]]
    """
    if saturate and not colours:
        raise ConvanimError("only pictures in their own colours saturate", "ask for colours, too")
    chosen = views_of(trace.op)[pick_view(trace.op, view, colours=colours)]
    return chosen.coloured(trace, saturate) if colours and chosen.coloured else chosen.make(trace)

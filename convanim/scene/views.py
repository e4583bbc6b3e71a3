"""The registry of views: the scenes of every kind of operation, in `TABLE`."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from numpy.typing import ArrayLike

from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose, MaxUnpool, Operation, Pooling, Shuffle, Upsample, times
from convanim.scene.beside.backward import BackwardScene
from convanim.scene.beside.both import BothScene
from convanim.scene.beside.compare import CompareScene
from convanim.scene.beside.equal import EqualScene
from convanim.scene.stamp.overlap import OverlapScene
from convanim.scene.stamp.scatter import ScatterScene
from convanim.scene.stamp.stamps import StampScene
from convanim.scene.whole.matrix import MatrixScene
from convanim.scene.window.colour import ColourScene
from convanim.scene.window.gather import GatherScene
from convanim.scene.window.planes import PlanesScene
from convanim.scene.window.pool import PoolScene
from convanim.scene.window.shuffle import ShuffleScene
from convanim.scene.window.unpool import UnpoolScene
from convanim.scene.window.upsample import UpsampleScene
from convanim.trace import Trace

if TYPE_CHECKING:
    from convanim.scene.contents import Scene


class Kind(NamedTuple):
    """A kind of operation: its name, and its views, the default one first."""

    name: str
    op: type[Operation]
    views: dict[str, View]


@dataclass(frozen=True, eq=False)
class Shown:
    """Options for what a view shows.

    Attributes:
        symbols: letters with indices instead of values.
        colours: the three channels are the red, green and blue of a picture; `saturate`: values clip at 255.
        grad: the gradient with respect to the output, for the backward view.
    """

    symbols: bool = False
    colours: bool = False
    saturate: bool = False
    grad: ArrayLike | None = None


class View(NamedTuple):
    """A view of an operation.

    Attributes:
        about: what it shows, in one sentence.
        make: creates its scene from a trace in any order.
        coloured: creates its scene for pictures in their own colours; None if there is none.
        lettered: creates its scene in letters; None if there is none.
        scatters: whether it follows the cells of the input rather than those of the output.
    """

    about: str
    make: Callable[[Any, Shown], Scene]
    coloured: Callable[[Any, Shown], Scene] | None = None
    lettered: Callable[[Any, Shown], Scene] | None = None
    scatters: bool = False


def _slid(trace: Any, shown: Shown) -> Scene:
    if _flat(trace):
        return GatherScene(trace.by_output(), symbols=shown.symbols)
    _needs_values(trace, shown)
    return PlanesScene(trace.by_output())


def _stamped(trace: Any, shown: Shown) -> Scene:
    _needs_one(trace, "overlap-add")
    return ScatterScene(trace.by_input(), symbols=shown.symbols)


def _both(trace: Any, shown: Shown) -> Scene:
    _needs_one(trace, "both")
    return BothScene(trace)


def _as_matrix(trace: Any, shown: Shown) -> Scene:
    _needs_one(trace, "matrix")
    return MatrixScene(trace, symbols=shown.symbols)


def _counted(trace: Any, shown: Shown) -> Scene:
    _needs_one(trace, "overlap")
    return OverlapScene(trace)


def _back(trace: Any, shown: Shown) -> Scene:
    _needs_one(trace, "backward")
    return BackwardScene(trace, shown.grad)


def _beside(trace: Any, shown: Shown) -> Scene:
    return EqualScene(trace) if _flat(trace) else UpsampleScene(trace.by_output())


def _coloured(trace: Any, shown: Shown) -> Scene:
    return ColourScene(trace.by_output(), saturate=shown.saturate)


def _stamped_in_colours(trace: Any, shown: Shown) -> Scene:
    return StampScene(trace.by_input(), saturate=shown.saturate)


def _flat(trace: Trace) -> bool:
    """Whether the input and the output have one plane each."""
    return len(trace.axes) <= 2 and len(trace.x) == trace.channels == 1


def _needs_one(trace: Trace, view: str) -> None:
    """Refuse a trace with several planes for a view that shows one."""
    if not _flat(trace):
        deep = f"{len(trace.axes)} axes" if len(trace.axes) > 2 else f"{len(trace.x)} and {trace.channels} channels"
        told = f"{trace.op} over {times(trace.x.shape)} has {deep}"
        raise ConvanimError(
            f"`view` {view!r} shows one channel over one or two axes, but {told}",
            "leave `view` out, or give an input and a kernel of one channel, such as 5x5 and 3x3",
        )


def _needs_values(trace: Trace, shown: Shown) -> None:
    if shown.symbols:
        raise ConvanimError(
            f"`symbols` are limited to one channel and two axes, and {trace.op} over {times(trace.x.shape)} has more",
            "leave `symbols` out",
        )


#: Views that more than one kind of operation has.
_MATRIX = View("The layer as a matrix, whose rows are multiplied one by one.", _as_matrix, lettered=_as_matrix)
_OVERLAP = View("The number of products, or of windows, that meet in each cell.", _counted)

#: Every kind of operation with its views.
TABLE: tuple[Kind, ...] = (
    Kind(
        "transposed",
        ConvTranspose,
        {
            "zero-insertion": View(
                "Zeros are inserted into the input, and the rotated kernel slides over it.", _slid, lettered=_slid
            ),
            "overlap-add": View(
                "Each input value scales the kernel, and the products are added to the output.",
                _stamped,
                _stamped_in_colours,
                _stamped,
                scatters=True,
            ),
            "both": View("Zero insertion and overlap-add side by side.", _both),
            "matrix": _MATRIX,
            "overlap": _OVERLAP,
        },
    ),
    Kind(
        "conv",
        Conv,
        {
            "sliding": View("The kernel slides over the padded input.", _slid, _coloured, _slid),
            "matrix": _MATRIX,
            "overlap": _OVERLAP,
            "backward": View("The gradient with respect to the input, beside the forward pass.", _back),
        },
    ),
    Kind(
        "pool",
        Pooling,
        {
            "sliding": View(
                "The window slides over the padded input.", lambda trace, _: PoolScene(trace.by_output()), _coloured
            ),
            "overlap": _OVERLAP,
        },
    ),
    Kind(
        "unpool",
        MaxUnpool,
        {"placing": View("Each value returns to the position of its maximum.", lambda trace, _: UnpoolScene(trace))},
    ),
    Kind(
        "upsample",
        Upsample,
        {
            "beside": View("The upsampling beside the equal transposed convolution, if there is one.", _beside),
            "reading": View(
                "Each output cell reads the input cells around its position.",
                lambda trace, _: UpsampleScene(trace.by_output()),
                _coloured,
            ),
            "overlap": _OVERLAP,
        },
    ),
    Kind(
        "shuffle",
        Shuffle,
        {"moving": View("Each value moves to its new position.", lambda trace, _: ShuffleScene(trace.by_output()))},
    ),
)

NOTHING = Shown()
#: The views of each kind of layer; the first one is the default.
VIEWS = {kind.name: tuple(kind.views) for kind in TABLE}


def views_of(op: Operation) -> dict[str, View]:
    """The views of an operation by name, the default one first."""
    return next(kind.views for kind in TABLE if isinstance(op, kind.op))


def pick_view(op: Operation, view: str | None = None, shown: Shown = NOTHING) -> str:
    """The view of this name, or by default the first that the layer has with these options.

    Args:
        shown: options; not every view has colours or letters.

    Raises:
        ConvanimError: the layer has no such view.

    Example:
        >>> pick_view(ConvTranspose(kernel_size=3)), pick_view(ConvTranspose(kernel_size=3), shown=Shown(colours=True))
        ('zero-insertion', 'overlap-add')
    """
    views = views_of(op)
    way = "in colours" if shown.colours else "in letters"
    known = [
        name for name, v in views.items() if (v.coloured or not shown.colours) and (v.lettered or not shown.symbols)
    ]
    if not known:
        raise ConvanimError(f"{op.called[1]} cannot be shown {way}", "show its values instead")
    if view is not None and view not in known:
        close = [name for name in known if view and name.startswith(view)] or difflib.get_close_matches(view, known, 1)
        if view in views:  # the view exists, only not with these options: suggest no similar name
            raise ConvanimError(f"`view` {view!r} of {op.called[1]} cannot be shown {way}", f"use {' or '.join(known)}")
        hint = f"did you mean {close[0]}" if close else f"use {' or '.join(known)}"
        raise ConvanimError(f"`view` {view!r} is not known for {op.called[1]}", hint)
    return view or known[0]


def scene(trace: Trace, view: str | None = None, shown: Shown = NOTHING) -> Scene:
    """The scene of a trace.

    Args:
        trace: in any order.
        view: one of `VIEWS` for its kind of layer; by default the first.
        shown: options, such as letters instead of values, a picture's own colours, a gradient.

    Raises:
        ConvanimError: an unknown view, or one that cannot show this trace.

    Example:
        >>> s = scene(ConvTranspose(kernel_size=2).trace([[0, 1], [2, 3]], [[4, 1], [2, 3]]), "overlap-add")
        >>> s.frame(s.beats.total - 1).grids["canvas"].values.tolist()
        [[0, 4, 1], [8, 16, 6], [4, 12, 9]]
    """
    if shown.saturate and not shown.colours:
        raise ConvanimError("`saturate` needs a picture with colours", "give a picture with colours as the input")
    name = pick_view(trace.op, view, shown)
    if shown.grad is not None and name != "backward":
        raise ConvanimError(f"`view` {name!r} shows no gradient", "use `view` backward")
    chosen = views_of(trace.op)[name]
    make = (shown.colours and chosen.coloured) or (shown.symbols and chosen.lettered) or chosen.make
    return make(trace, shown)


def in_order(trace: Trace, view: str | None = None) -> Trace:
    """A trace in the order in which a view shows its steps.

    Example:
        >>> len(in_order(ConvTranspose(kernel_size=2).trace([1, 2], [1, 1]), "overlap-add"))
        2
    """
    scatters = views_of(trace.op)[pick_view(trace.op, view)].scatters
    return trace.by_input() if scatters else trace.by_output()


def compared(a: Trace, b: Trace, view: str | None = None, shown: Shown = NOTHING, align: str = "index") -> Scene:
    """The scene that compares two layers over one input. It shows values, and has no other views.

    Raises:
        ConvanimError: the inputs differ, or the layers cannot be compared with these options.

    Example:
        >>> a, b = (Conv(2, padding=p).trace([[1, 2], [3, 4]], [[1, 1], [1, 1]]) for p in (0, 1))
        >>> compared(a, b).beats.steps
        9
    """
    asked = {
        f"`view` {view!r}": view is not None,
        "`symbols`": shown.symbols,
        "`colours`": shown.colours,
        "`saturate`": shown.saturate,
        "`grad`": shown.grad is not None,
    }
    for what, wanted in asked.items():
        if wanted:
            raise ConvanimError(
                f"{what} cannot be combined with `beside`: two layers are compared in one view, by their values",
                "leave one of them out",
            )
    return CompareScene(a, b, _alone, align)


def _alone(trace: Trace) -> Scene:
    """The default scene of a layer on its own."""
    return scene(trace, "reading" if isinstance(trace.op, Upsample) else None)

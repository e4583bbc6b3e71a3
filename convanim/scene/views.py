"""The scenes of the views in `convanim.commands`, which are imported when they are made."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from convanim.commands import COMMANDS, View
from convanim.errors import ConvanimError, ConvanimWarning
from convanim.layers import Operation, Upsample, times
from convanim.scene.window.slab import MOST
from convanim.trace import ConvTrace, PoolTrace, Trace, UpsampleTrace, of_channels
from convanim.trace.separable import SeparableTrace

if TYPE_CHECKING:
    from convanim.scene.contents import Scene

#: How many output channels are shown of more than can be looked at.
SHOWN = 4


@dataclass(frozen=True, eq=False)
class Shown:
    """Options for what a view shows.

    Attributes:
        symbols: letters with indices instead of values.
        colours: the three channels are the red, green and blue of a picture; `saturate`: values clip at 255.
        grey: the only channel holds the grey values of a picture.
        grad: the gradient with respect to the output, for the backward view.
    """

    symbols: bool = False
    colours: bool = False
    saturate: bool = False
    grey: bool = False
    grad: ArrayLike | None = None


def slid(trace: Any, symbols: bool) -> Scene:
    """A window that slides over one plane, or over several."""
    from convanim.scene.window.gather import GatherScene
    from convanim.scene.window.planes import PlanesScene

    if _flat(trace):
        return GatherScene(trace, symbols=symbols)
    if symbols:
        raise ConvanimError(
            f"`symbols` are limited to one channel and two axes, and {trace.op} over {times(trace.x.shape)} has more",
            "leave `symbols` out",
        )
    return PlanesScene(trace)


def beside(trace: Any) -> Scene:
    """An upsampling and the transposed convolution that equals it, if there is room for both."""
    from convanim.scene.beside.equal import EqualScene
    from convanim.scene.window.upsample import UpsampleScene

    return EqualScene(trace) if _flat(trace) else UpsampleScene(trace)


def fitting(trace: Trace) -> Trace:
    """A trace with as many channels as can be looked at; a warning tells if those are not all of them.

    Example:
        >>> from convanim.layers import Conv
        >>> done = Conv(1, out_channels=4).trace([[[1]]], [[[[2]]]] * 4)
        >>> fitting(done) is done
        True
    """
    if isinstance(trace, SeparableTrace):
        for told in trace.hidden():
            warnings.warn(ConvanimWarning(told), stacklevel=4)
        return trace.fitted()
    deep = trace.shape[1] if len(trace.axes) == 3 else 1
    if trace.channels * deep <= MOST or deep > MOST or not isinstance(trace, ConvTrace | PoolTrace | UpsampleTrace):
        return trace
    some, name, what = max(1, min(SHOWN, MOST // deep)), "channels", "channels"
    if isinstance(trace, ConvTrace):
        each, name, what = trace.channels // trace.op.groups, "out_channels", "output channels"
        some = some if each >= some else some // each * each
        made: Trace = trace.only(some)
    else:
        made = of_channels(trace, range(some))
    told = f"{some} of the {trace.whole[1]} {what} are shown; choose others with `{name}`."
    warnings.warn(ConvanimWarning(told), stacklevel=4)
    return made


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


NOTHING = Shown()
#: The views of each kind of layer; the first one is the default.
VIEWS = {kind: tuple(command.views) for kind, command in COMMANDS.items()}


def views_of(op: Operation) -> Mapping[str, View]:
    """The views of an operation by name, the default one first."""
    return op.views or COMMANDS[op.record.command].views


def pick_view(op: Operation, view: str | None = None, shown: Shown = NOTHING) -> str:
    """The view of this name, or by default the first that the layer has with these options.

    Args:
        shown: options; not every view has colours or letters.

    Raises:
        ConvanimError: the layer has no such view.

    Example:
        >>> from convanim.layers import ConvTranspose
        >>> pick_view(ConvTranspose(kernel_size=3)), pick_view(ConvTranspose(kernel_size=3), shown=Shown(colours=True))
        ('zero-insertion', 'overlap-add')
    """
    views = views_of(op)
    way = "in colours" if shown.colours else "in letters"
    known = [
        name for name, v in views.items() if (v.coloured or not shown.colours) and (v.lettered or not shown.symbols)
    ]
    if not known:
        hint = "use `grey`, which converts the picture" if shown.colours else "show its values instead"
        raise ConvanimError(f"{op.called[1]} cannot be shown {way}", hint)
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
        >>> from convanim.layers import ConvTranspose
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
    if chosen.flat and not (shown.colours and chosen.coloured):
        _needs_one(trace, name)
    named = (shown.colours and chosen.coloured) or (shown.symbols and chosen.lettered) or chosen.make
    module, _, function = named.partition(":")
    make = getattr(import_module(f"convanim.scene.{module}"), function)
    own = {option: getattr(shown, option) for option in ("symbols", "saturate", "grad")}
    known = signature(make).parameters
    made: Scene = make(in_order(trace, name), **{option: value for option, value in own.items() if option in known})
    if shown.grey and not shown.symbols:
        from convanim.scene.grey import GreyScene, white

        return GreyScene(made, white(trace))
    return made


def in_order(trace: Trace, view: str | None = None) -> Trace:
    """A trace in the order in which a view shows its steps.

    Example:
        >>> from convanim.layers import ConvTranspose
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
        >>> from convanim.layers import Conv
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
    from convanim.scene.beside.compare import CompareScene

    return CompareScene(a, b, _alone, align)


def _alone(trace: Trace) -> Scene:
    """The default scene of a layer on its own."""
    return scene(trace, "reading" if isinstance(trace.op, Upsample) else None)

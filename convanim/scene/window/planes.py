"""Convolution over several planes: channels, groups, and the slices of three axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convanim.explanation.arithmetic import per_axis, rings, sides
from convanim.language.numerals import Factors, Numerals, unique
from convanim.language.words import join, marked, plural, rejoin, say
from convanim.layers import times
from convanim.scene.caption import Caption
from convanim.scene.captions import detail, output_cell, product_sum, with_channels
from convanim.scene.frame import (
    Cells,
    Emphasis,
    Frame,
    Grid,
    Outline,
    Panel,
    Phase,
    Role,
    Turn,
    flat,
    lattice,
    whole,
)
from convanim.scene.window.gather import COPIES, INSERTS, SLIDE, moved_by_one, phases
from convanim.scene.window.slab import MOST, ROW, Slab, wrapped
from convanim.scene.window.stage import layers, roles
from convanim.scene.window.window import SURVEYED, Seen, WindowScene
from convanim.trace import ConvTrace, Step
from convanim.trace.arrays import per_channel
from convanim.trace.convolutions import assembled

#: How many channels are drawn of more than can be looked at.
SOME = 3
#: The maximum number of products whose digits decide how partial sums are written.
MOST_PRODUCTS = 2**20
#: The term of a sum for the channels that are not drawn.
OTHERS = plural("{n} other channel: {value}", "{n} other channels: {value}")


class PlanesScene(WindowScene):
    """A window on every plane at once; the sums of the planes are shown one by one, and their total is the output.

    Args:
        trace: of a convolution or a transposed one, in gather order.
        words: the names of the channels.

    Raises:
        ConvanimError: too many planes to show.
    """

    trace: ConvTrace
    _takes_over = False

    def __init__(self, trace: ConvTrace, words: Sequence[str] = ()) -> None:
        self._rotates = trace.op.slides_rotated
        self._group = len(trace.x) // trace.op.groups
        super().__init__(trace, words)

    def _drawn(self) -> tuple[int, ...]:
        """Those that were chosen; otherwise all, or the first ones of each group if they are too many."""
        groups, deep = self.trace.op.groups, self.lines[0].size if len(self.trace.axes) == 3 else 1
        if self.trace.part.drawn is not None:
            return self.trace.part.drawn
        if len(self.trace.x) * deep <= MOST or deep > MOST:
            return super()._drawn()
        some = max(1, min(SOME, MOST // deep) // groups)
        return tuple(c for c in super()._drawn() if c % self._group < some)

    def _prepare(self) -> None:
        trace = self.trace
        self._factor = Factors(trace.weight)
        self._kernels = Slab("kernel", "kernel", len(self.drawn), trace.weight.shape[2:])
        # The partial sums: one per channel, or per slice of the kernel if there is one channel and three axes; and one
        # of all channels that are not drawn.
        self._sliced = self._group == 1 and len(trace.axes) == 3
        each = len(self.drawn) // trace.op.groups
        self._others = self._group - each
        self._parts = trace.axes[0].kernel if self._sliced else each + (self._others > 0)
        self._part_of = np.full(len(trace.x), each)
        for i, channel in enumerate(self.drawn):
            self._part_of[channel] = i % each
        values, weights = unique(trace.x), unique(trace.weight)
        if values.size * weights.size > MOST_PRODUCTS:
            values, weights = (np.array([a.min(), a.max()]) for a in (values, weights))
        products = unique(np.multiply.outer(values, weights))
        self._sums = self._survey(trace, products)
        self._sum = Numerals(products, self._sums) if trace.x.dtype.kind == "f" else Numerals(self._sums)
        self._told: dict[tuple[int, int], list[str]] = {}
        self._shown: dict[tuple[int, bool], dict[str, Grid]] = {}

    def _survey(self, trace: ConvTrace, products: NDArray[np.generic]) -> NDArray[np.generic]:
        """Every partial sum that is ever shown; with many placements, their bounds."""
        if len(trace) <= SURVEYED:
            return unique(np.concatenate([np.zeros(1, products.dtype), *(self._split(trace, s) for s in trace)]))
        if self._others and trace.op.groups == 1:
            alone = [self._alone(channel) for channel in self.drawn]
            rest = trace.answer - sum(alone)
            rest = rest if trace.bias is None else rest - per_channel(trace.bias, rest)
            return unique(np.array([edge for part in (*alone, rest) for edge in (part.min(), part.max(), 0)]))
        bound = np.abs(products).max() * np.prod(trace.weight.shape[2:]) * max(1, self._others)
        return unique(np.array([-bound if products.min() < 0 else 0, bound]))

    def _alone(self, channel: int) -> NDArray[Any]:
        """The sums of one input channel, (C_out, *o)."""
        weight = self.trace.weight[[channel]] if self.op.transposed else self.trace.weight[:, [channel]]
        op = replace(self.trace.op, in_channels=None, out_channels=None)
        return assembled(op, self.trace.x[[channel]], weight, None, self.trace.how_given).answer

    def _split(self, trace: ConvTrace, step: Step) -> NDArray[np.generic]:
        """The partial sums of a placement."""
        sums = np.zeros(self._parts, step.terms.dtype)
        if self._sliced:
            at = step.factors[:, 2]
            at = self._parts - 1 - at if self.op.transposed else at  # in the order in which the slices slide
        else:
            at = self._part_of[step.reads[:, 0]]
        np.add.at(sums, at, step.terms)
        return sums

    # The opening.

    def _detail(self) -> str:
        named = say("w[channel, output]") if self.op.transposed else say("w[output, channel]")
        return join("   ", [self._arguments, *([named] if self._several else [])])

    @property
    def _arguments(self) -> str:
        groups = self.trace.part.groups
        told = [detail(self.trace, len(self.drawn)), *([say("groups {n}", n=groups)] if groups > 1 else [])]
        return join("   ", told)

    @property
    def _several(self) -> bool:
        """Whether there are several kernels, whose titles then say which channels they join."""
        return self._group > 1 or len(self.trace.part.outputs) > 1

    def _phases(self) -> tuple[Phase, ...]:
        slide = SLIDE
        if self._parts > 1:
            told = say("slide and add the slices") if self._sliced else say("slide and add the channels")
            slide = SLIDE._replace(name=told)
        return phases(self.trace, slide)

    def _roles(self) -> Cells:
        return roles(*self.lines, ring=Role.PADDING if self.trace.axes[0].mode == "zeros" else Role.COPIED)

    def _values(self) -> NDArray[np.generic]:
        return super()._values() if self.trace.axes[0].mode == "zeros" else self.trace.padded[list(self.drawn)]

    def _numbers(self) -> tuple[NDArray[Any], NDArray[Any], tuple[Numerals, Numerals]]:
        """The values of the channels that are drawn, formatted like those of all channels."""
        x, answer, numerals = super()._numbers()
        return x[list(self.drawn)], answer, numerals

    def _open(self) -> list[Frame]:
        inside = self._spread(layers(*self.lines) == 0)
        size = times(with_channels(self.op, self.trace.whole[0], self.trace.x.shape[1:]))
        told = say("input {size}, {told}", size=size, told=rejoin(self._arguments, ", "))
        frames = []
        bare = np.where(inside, self._spread(roles(*self.lines, unused=False)), Role.NONE).astype(np.uint8)
        bare = np.where(bare == Role.CROPPED, self._spread(self._uncropped()), bare).astype(np.uint8)
        if self.op.transposed:
            together = np.ix_(np.arange(len(self.x)), *(n.together for n in self.lines))
            shape = (len(self.x), *(n.size for n in self.lines))
            shown, values = np.zeros(shape, np.uint8), np.zeros(shape, self.trace.x.dtype)
            shown[together] = Role.DATA
            values[together] = self.x.reshape(len(shown), *(n.count for n in self.lines))
            frames.append(self._set(0, self.left.planes(shown), self.left.planes(values), told))
            spread = any(n.gap > 1 and n.count > 1 for n in self.lines)
            remark = self._inserts() if spread else say("there is nothing to insert")
            frames.append(self._set(0, bare, self.stage_values, remark))
        else:
            frames.append(self._set(0, bare, self.stage_values, told))
        phase = int(self.op.transposed)
        if (self.stage_roles != bare).any() or self.op.transposed:
            frames.append(self._set(phase, self.stage_roles, self.stage_values, self._pad_remark()))
        if self.op.transposed or self._rotates:
            turn, name = len(self.phases) - 2, self.op.rules.title
            remark = say("{name} does not turn the kernels: they slide as they are given", name=name)
            if self._rotates:
                remark = say("to slide, first turn every kernel by 180 degrees")
            frames.append(self._set(turn, self.stage_roles, self.stage_values, remark))
            frames[-1] = Frame(turn, {**frames[-1].grids, **self._weights(0, turned=True)}, frames[-1].captions)
            if self.op.transposed and (told := moved_by_one(self.trace.axes)):
                frames.append(replace(frames[-1], phase=3, captions=(Caption(remark=told),)))
        return frames

    def _inserts(self) -> str:
        """What stride does to the input, whose axes may differ."""
        zeros = [n.gap - 1 for n in self.lines[-len(self.trace.axes) :]]
        return INSERTS(zeros[0] if len(set(zeros)) == 1 else per_axis(zeros), what=say("cells"))

    def _uncropped(self) -> Cells:
        """The stage before cropping."""
        out = np.full([n.size for n in self.lines], Role.INSERTED, np.uint8)
        out[np.ix_(*(n.places for n in self.lines))] = Role.DATA
        return out

    def _spread(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        return self.left.planes(np.broadcast_to(array, (self.left.channels, *array.shape)))

    def _pad_remark(self) -> str:
        mode = self.trace.axes[0].mode
        if mode != "zeros":
            return join(": ", [mode, COPIES[mode]])
        ringed = rings(self.trace.axes)
        if not any(map(any, ringed)):
            left = any(n.unused for n in self.lines)
            return say("no window reaches the hatched cells") if left else say("there is nothing to pad")
        told = say("pad every plane by {n}", n=sides(ringed))
        if len(self.trace.axes) == 3:
            told = say("{told}, with whole slices of zeros at the ends", told=told)
        return say("{told}; a negative number crops", told=told) if any(n < 0 for p in ringed for n in p) else told

    # The kernels and the sums.

    def _channel(self, output: int) -> tuple[list[int], NDArray[np.generic]]:
        """The drawn channels that an output channel reads, by their positions, and its kernels (n, *k), as given."""
        outputs = self.right.channels // self.trace.op.groups
        group = output // outputs
        kernel = self.trace.kernel
        met = [i for i, c in enumerate(self.drawn) if c // self._group == group]
        own = [self.drawn[i] for i in met]
        mine = kernel[own, output % outputs] if self.op.transposed else kernel[output, [c % self._group for c in own]]
        return met, mine

    def _weights(self, output: int, *, turned: bool) -> dict[str, Grid]:
        """The kernels of an output channel, as they are given or as they slide; blank outside its group."""
        known = self._shown.get((output, turned))
        if known is None:
            met, mine = self._channel(output)
            if turned and self._rotates:
                mine = np.flip(mine, axis=tuple(range(1, mine.ndim)))
            slab = self._kernels
            planes = mine.reshape(len(met) * slab.deep, *slab.shape)
            empty = np.zeros(slab.shape, mine.dtype)
            known = self._shown[output, turned] = {}
            for i, name in enumerate(slab.names):
                channel, depth = divmod(i, slab.deep)
                title = self._weight_title(output, channel, depth, turned=turned)
                if channel in met:
                    values = planes[met.index(channel) * slab.deep + depth]
                    turn = Turn.ROTATED if turned and self._rotates else Turn.GIVEN
                    known[name] = replace(whole(title, Role.KERNEL, values), turn=turn)
                else:
                    known[name] = whole(title, Role.NONE, empty)
        return known

    def _weight_title(self, output: int, channel: int, depth: int, *, turned: bool) -> str:
        met, _ = self._channel(output)
        if channel not in met:
            return ""
        turned = turned and self._rotates
        named = say("kernel")
        if self._several:
            part = self.trace.part
            inputs, outputs = (n // part.groups for n in part.whole)
            i, o = part.inputs[self.drawn[channel]], part.outputs[output]
            named = f"w[{i},{o % outputs}]" if self.op.transposed else f"w[{o},{i % inputs}]"
        if self._kernels.deep > 1:
            # Slices keep the numbers they were given; in a rotated kernel the last one comes first.
            given = self._kernels.deep - 1 - depth if turned else depth
            named = join(", ", [named, say("slice {n}", n=given)])
        return join(", ", [named, say("turned")]) if turned else named

    @property
    def kernels(self) -> tuple[str, ...]:
        """The names of the panels of the kernels."""
        return self._kernels.names

    def _aside(self) -> tuple[tuple[Panel, ...], ...]:
        slab = self._kernels
        lined = slab.count == self.left.count
        kernels = []
        for i, name in enumerate(slab.names):
            place = divmod(i, slab.deep)
            both = [(o, turned) for o in range(self.right.channels) for turned in (False, True)]
            titles = dict.fromkeys(self._weight_title(o, *place, turned=turned) for o, turned in both)
            kernels.append(
                Panel(
                    *(name, slab.shape, tuple(titles), self._factor, self.trace.weight),
                    aside=True,
                    shade="kernel",
                    group="kernel" if slab.count > 1 else "",
                    follows=self.left.names[i] if lined and len(self.trace.axes) > 1 else "",
                )
            )
        rows = wrapped(kernels, MOST if self.left.count > ROW else ROW)
        if self._parts > 1:
            strip = Panel(
                "sums", (1, self._parts), (self._strip_title,), self._sum, self._sums, aside=True, shade="product"
            )
            return (*rows, (strip,))
        return rows

    @property
    def _strip_title(self) -> str:
        if self._sliced:
            return say("one sum per slice")
        return (
            say("one sum per channel, and one of {n} others", n=self._others)
            if self._others
            else say("one sum per channel")
        )

    def _beside(self, step: Step | None, *, written: bool) -> dict[str, Grid]:
        output = 0 if step is None and not written else self.right.channels - 1
        if step is not None:
            output = int(step.writes[0, 0])
        grids = dict(self._weights(output, turned=step is not None or written))
        if self._parts > 1:
            empty = np.zeros((1, self._parts), self._sums.dtype)
            if step is None:
                grids["sums"] = whole(self._strip_title, Role.PENDING, empty)
            else:
                sums = flat(self._split(self.trace, step))
                grids["sums"] = Grid(
                    *(self._strip_title, np.full(sums.shape, Role.PRODUCT, np.uint8), sums),
                    np.full(sums.shape, Emphasis.WRITTEN, np.uint8),
                )
        return grids

    # A placement.

    def look(self, step: Step, *, written: bool) -> Seen:
        """What a placement shows on the stage, and its arithmetic."""
        cell = step.writes[0].tolist()
        met, _ = self._channel(cell[0])
        depths, (rows, columns), window = self._windows(cell)
        spots = lattice(*(range(s.start, s.stop, s.step) for s in (rows, columns)))
        active, notes, outlines = {}, {}, {}
        for channel in met:
            for part, depth in enumerate(depths):
                plane = channel * self.left.deep + depth
                factors = self._factors(cell[0], channel * self._kernels.deep + part)
                active[plane], notes[plane] = (rows, columns), dict(zip(spots, factors, strict=True))
                outlines[plane] = (Outline(*window, Role.KERNEL),)
        others = set(range(self.left.count)) - {c * self.left.deep + d for c in met for d in range(self.left.deep)}
        return Seen(self._caption(step), active, notes, outlines, frozenset(others))

    def _factors(self, output: int, plane: int) -> list[str]:
        """The notes of the window on a plane, row by row."""
        known = self._told.get((output, plane))
        if known is None:
            values = self._weights(output, turned=True)[self._kernels.names[plane]].values
            known = self._told[output, plane] = [f"×{self._factor.text(v)}" for v in values.ravel().tolist()]
        return known

    def _caption(self, step: Step) -> Caption:
        cell = step.writes[0].tolist()
        part = self.trace.part
        subject = output_cell((part.outputs[cell[0]], *cell[1:]), part.whole[1], self.result)
        if self._parts == 1:
            bias = None if self.trace.bias is None else self.trace.bias[cell[0]].item()
            numerals = self.numerals[0], self._factor, self.numerals[1]
            nothing = "" if len(step.terms) else say("every input under the window is a zero that was put there")
            cells = int(np.prod(self.trace.weight.shape[2:]))
            return replace(product_sum(step, numerals, bias, nothing, cells), subject=subject)
        sums = self._split(self.trace, step).tolist()
        terms: list[str] = [marked(self._sum.text(s), "product") for s in sums]
        counts = [*map(abs, sums), *[np.inf] * (self.trace.bias is not None)]
        if self._others and not self._sliced:
            terms[-1], counts[len(sums) - 1] = OTHERS(self._others, value=terms[-1]), np.inf
        total = step.written[0].item()
        exact = all(self._sum.exact(s) for s in sums)
        if self.trace.bias is not None:
            own = Numerals(self.trace.bias)
            bias = self.trace.bias[cell[0]].item()
            text = own.text(bias)
            terms.append(say("bias {value}", value=text if bias >= 0 else f"({text})"))
            exact = exact and own.exact(bias)
        relation, outcome = ("=" if e else "≈" for e in (exact, exact and self.numerals[1].exact(total)))
        result = marked(self.numerals[1].text(total), "done")
        told = subject, tuple(terms), result, self._strip_title, relation, outcome
        return Caption(*told, weights=tuple(counts), seen=True)

    def _notes(self) -> tuple[str, str]:
        return "×" + self._factor.widest(self.trace.weight), ""

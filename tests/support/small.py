"""Small layers with one channel and one or two axes, for hypothesis, which every view can draw."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from convanim.errors import ConvanimError
from convanim.layers import Conv, ConvTranspose
from convanim.trace import ConvTrace


@st.composite
def small(draw: st.DrawFn, transposed: bool | None = None, most: int = 4, **options: Any) -> ConvTrace:
    """A trace of a convolution or a transposed one, over mixed integers, with or without a bias."""
    rank = draw(st.sampled_from([2, 2, 1]))
    kernel, stride, dilation = (draw(st.tuples(*[st.integers(1, n)] * rank)) for n in (4, 3, 2))
    padding = draw(st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * rank))
    sizes = draw(st.tuples(*[st.integers(1, most)] * rank))
    numbers = st.integers(-9, 9)
    x, weight = (np.array(draw(st.lists(numbers, min_size=n, max_size=n))) for n in map(prod, (sizes, kernel)))
    kind = ConvTranspose if (draw(st.booleans()) if transposed is None else transposed) else Conv
    if kind is ConvTranspose:
        limits = [max(s, d) - 1 for s, d in zip(stride, dilation, strict=True)]
        options["output_padding"] = draw(st.tuples(*(st.integers(0, n) for n in limits)))
    try:
        op: Any = kind(kernel, stride, padding, dilation=dilation, **options)
        trace: ConvTrace = op.trace(x.reshape(sizes), weight.reshape(kernel), draw(st.none() | numbers))
    except ConvanimError:
        reject()
    return trace

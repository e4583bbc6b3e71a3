"""Every kind of operation by its name; what is said of each is in its record, beside its arguments."""

from __future__ import annotations

from convanim.layers.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from convanim.layers.columns import Fold, Unfold
from convanim.layers.convolutions import Conv, ConvTranspose
from convanim.layers.operation import Operation
from convanim.layers.pools import AvgPool, LpPool, MaxPool, MaxUnpool
from convanim.layers.resize import PixelShuffle, PixelUnshuffle, Upsample

#: In the order in which messages list them.
KINDS: dict[str, type[Operation]] = {
    kind.__name__: kind
    for kind in (
        *(Conv, ConvTranspose, MaxPool, AvgPool, LpPool, AdaptiveMaxPool, AdaptiveAvgPool, MaxUnpool),
        *(Upsample, PixelShuffle, PixelUnshuffle, Unfold, Fold),
    )
}

"""Animate the arithmetic of convolution layers.

    import convanim as ca

    op = ca.ConvTranspose(kernel_size=3, stride=2, padding=1)
    trace = op.trace(x, weight)
    trace.animate(view="overlap-add").save("up.gif")

The names in `__all__` are the public interface. Each is imported when it is first used, so that `convanim --help` does
not have to import NumPy and matplotlib.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = not __name__  # False; editors still follow the imports below it
if TYPE_CHECKING:  # importing typing here would delay the handling of Ctrl-C
    from typing import Any

    from convanim.animation import Animation
    from convanim.errors import CheckFailed, ConvanimError
    from convanim.explanation import explain
    from convanim.explanation.search import solve
    from convanim.layers import (
        AdaptiveAvgPool,
        AdaptiveMaxPool,
        AvgPool,
        Conv,
        ConvTranspose,
        LpPool,
        MaxPool,
        MaxUnpool,
        PixelShuffle,
        PixelUnshuffle,
        Upsample,
        parse,
    )
    from convanim.layers.columns import Fold, Unfold
    from convanim.live import show, trace_module, watch
    from convanim.models import model
    from convanim.trace import Step, Trace

__version__ = "0.1.0"
__all__ = [
    "AdaptiveAvgPool",
    "AdaptiveMaxPool",
    "Animation",
    "AvgPool",
    "CheckFailed",
    "Conv",
    "ConvTranspose",
    "ConvanimError",
    "Fold",
    "LpPool",
    "MaxPool",
    "MaxUnpool",
    "PixelShuffle",
    "PixelUnshuffle",
    "Step",
    "Trace",
    "Unfold",
    "Upsample",
    "explain",
    "model",
    "parse",
    "show",
    "solve",
    "trace_module",
    "watch",
]

_HOME = {
    "Animation": "animation",
    "CheckFailed": "errors",
    "ConvanimError": "errors",
    **dict.fromkeys(("Conv", "ConvTranspose", "MaxPool", "AvgPool", "LpPool", "MaxUnpool"), "layers"),
    **dict.fromkeys(("AdaptiveAvgPool", "AdaptiveMaxPool"), "layers"),
    **dict.fromkeys(("Upsample", "PixelShuffle", "PixelUnshuffle"), "layers"),
    **dict.fromkeys(("Fold", "Unfold"), "layers.columns"),
    "parse": "layers",
    **dict.fromkeys(("show", "trace_module", "watch"), "live"),
    "model": "models",
    "solve": "explanation.search",
    "Step": "trace",
    "Trace": "trace",
    "explain": "explanation",
}


def __getattr__(name: str) -> Any:
    if name == "gallery":
        return import_module("convanim.gallery")
    if name == "save_pair":
        raise AttributeError("convanim.save_pair is now a method: trace.animate(...).save_pair(path)")
    if name not in _HOME:
        raise AttributeError(f"module 'convanim' has no attribute {name!r}")
    return getattr(import_module(f"convanim.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "gallery", "__version__"])

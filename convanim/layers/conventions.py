"""The conventions of the frameworks: what 'same', 'valid' and output padding mean, and which words each framework has.

Sources: the documentation of torch.nn, keras.layers, jax.lax, flax.linen, numpy and scipy.signal, and the ONNX operator
specification; tests compare each rule with the framework itself.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from convanim.errors import ConvanimError


@dataclass(frozen=True)
class Convention:
    """One framework's rules.

    Attributes:
        name, title: its name as an argument, and in a sentence.
        last: whether channels come last, in inputs, outputs and weights.
        words: the padding words of each kind of layer. No framework has 'full', d(k - 1) on both sides; it is accepted
            where padding is numeric.
        numbers: whether padding can be given in numbers.
        window: whether a pooling layer's stride is its kernel size by default, instead of 1.
        counts_padding: whether a mean includes the padding by default.
        rotates: whether a transposed layer stamps its kernel as given, so that it slides rotated by 180 degrees.
        flips: whether a convolution rotates its kernel by 180 degrees, as in signal processing.
        only: the names of the only operations that it has; empty for all.
    """

    name: str
    title: str
    last: bool
    words: dict[str, tuple[str, ...]]
    numbers: bool = True
    window: bool = True
    counts_padding: bool = True
    rotates: bool = True
    flips: bool = False
    only: tuple[str, ...] = ()


_AUTO_PAD = ("valid", "same", "same_upper", "same_lower")
KNOWN = {
    c.name: c
    for c in (
        Convention(
            "torch",
            "PyTorch",
            last=False,
            words={"conv": ("valid", "same", "full"), "transposed": ("valid", "full"), "pool": ()},
        ),
        Convention(
            "keras",
            "Keras",
            last=True,
            words={"conv": ("valid", "same", "causal"), "transposed": ("valid", "same"), "pool": ("valid", "same")},
            numbers=False,
            counts_padding=False,
        ),
        Convention(
            "jax",
            "JAX",
            last=True,
            words={
                "conv": ("valid", "same", "same_lower", "full", "causal"),
                "transposed": ("valid", "same"),
                "pool": ("valid", "same", "same_lower"),
            },
            window=False,
            rotates=False,
        ),
        Convention(
            "onnx",
            "ONNX",
            last=False,
            words={"conv": (*_AUTO_PAD, "full"), "transposed": (*_AUTO_PAD, "full"), "pool": _AUTO_PAD},
            window=False,
            counts_padding=False,
        ),
        Convention(
            "scipy",
            "SciPy",
            last=False,
            words={"conv": ("valid", "same", "full"), "transposed": (), "pool": ()},
            flips=True,
            only=("Conv",),
        ),
    )
}

#: Other names of conventions.
ALIASES = {
    **dict.fromkeys(("pytorch", "pt", "torch.nn"), "torch"),
    **dict.fromkeys(("tensorflow", "tf", "tf.keras"), "keras"),
    "flax": "jax",
    **dict.fromkeys(("onnxruntime", "ort"), "onnx"),
    **dict.fromkeys(("numpy", "np", "signal", "scipy.signal"), "scipy"),
}


def named(convention: str) -> str:
    """The name of a convention for any of its aliases; another text unchanged.

    Example:
        >>> named("PyTorch"), named("tf"), named("jax"), named("caffe")
        ('torch', 'keras', 'jax', 'caffe')
    """
    lower = convention.strip().lower()
    name = ALIASES.get(lower, lower)
    return name if name in KNOWN else convention


def check_padding(convention: str, kind: str, padding: object, among: Collection[str]) -> None:
    """Refuse a padding that the framework does not have for this kind of layer.

    Args:
        among: the conventions that have the layer, which may be suggested.
    """
    rules = KNOWN[convention]
    words = rules.words[kind]
    layers = {"conv": "convolutions", "transposed": "transposed convolutions", "pool": "pooling layers"}[kind]
    if isinstance(padding, str):
        if padding not in words:
            others = [name for name in among if padding in KNOWN[name].words[kind]]
            way = "numbers" if rules.numbers else " or ".join(words)
            other = f", or `convention` {' or '.join(others)}" if others else ""
            raise ConvanimError(f"{rules.title} has no padding {padding!r} for {layers}", f"use {way}{other}")
    elif not rules.numbers and padding != 0:
        raise ConvanimError(
            f"{rules.title} does not accept numbers as the padding of {layers}, such as {padding!r}",
            f"use {' or '.join(words)}, or `convention` torch",
        )


def ring(word: str, convention: str, size: int, stride: int, reach: int) -> tuple[int, int]:
    """The padding (before, after) that a word means for a window of extent `reach`.

    Example:
        >>> ring("same", "keras", 6, 2, 3), ring("same_lower", "onnx", 6, 2, 3), ring("same", "torch", 6, 1, 4)
        ((0, 1), (1, 0), (1, 2))
        >>> ring("same", "scipy", 6, 1, 4)
        (2, 1)
    """
    if word == "causal":
        return reach - 1, 0
    if word in ("valid", "full"):
        return (0, 0) if word == "valid" else (reach - 1, reach - 1)
    if convention == "scipy":  # the middle of 'full'
        return _halves(reach - 1, "same_lower")
    # PyTorch's total does not depend on the size, as 'same' requires stride 1.
    total = reach - 1 if convention == "torch" else max(0, (-(-size // stride) - 1) * stride + reach - size)
    return _halves(total, word)


class Crop(NamedTuple):
    """The crop of a transposed layer's full result: cells before and after, and the output's size."""

    before: int
    after: int
    output: int
    extra: int


def crop(
    padding: str | tuple[int, int], extra: int | None, convention: str, size: int, stride: int, reach: int
) -> Crop:
    """The crop of a transposed layer's full result of size (i - 1)s + d(k - 1) + 1.

    Args:
        padding: a word, or the crop (before, after); in JAX, the padding around the input with its zeros.
        extra: the output padding; None for the framework's default.

    Example:
        >>> crop("valid", None, "keras", 3, stride=4, reach=2).output, crop((1, 1), 1, "torch", 3, 2, 3).output
        (12, 6)
    """
    full = (size - 1) * stride + reach
    if not isinstance(padding, str):
        before, after = padding if convention != "jax" else (reach - 1 - padding[0], reach - 1 - padding[1])
        return Crop(before, after, full - before - after + (extra or 0), extra or 0)
    if padding == "full":
        return Crop(reach - 1, reach - 1, full - 2 * (reach - 1) + (extra or 0), extra or 0)
    if padding == "valid":
        # A stride larger than the kernel leaves a gap after the last stamp, which Keras and JAX keep.
        kept = max(stride - reach, 0) if extra is None and convention in ("keras", "jax") else extra or 0
        return Crop(0, 0, full + kept, kept)
    output = size * stride
    if convention == "keras" and extra is not None:
        output = (size - 1) * stride + reach % 2 + extra
    if convention == "onnx":
        # Without a crop the halves are negative, and are rounded down all the same.
        before, after = _halves(full + (extra or 0) - output, padding)
        return Crop(before, max(after, 0), output, (extra or 0) + max(-after, 0))
    before = max(full - output, 0) // 2
    after = full - before - output
    return Crop(before, max(after, 0), output, max(-after, 0))


def _halves(total: int, word: str) -> tuple[int, int]:
    """A total padding as (before, after), with the smaller half first, or last for 'same_lower'."""
    small, large = total // 2, total - total // 2
    return (large, small) if word == "same_lower" else (small, large)

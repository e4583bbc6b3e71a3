"""Reads layers that exist in memory, by their class and attributes; no framework is imported."""

from __future__ import annotations

from typing import Any

from convanim.errors import ConvanimError
from convanim.layers.calls import Call
from convanim.layers.convolutions import Conv
from convanim.layers.operation import Operation
from convanim.layers.reading import Line, in_a_row, read_call

#: The attributes of PyTorch's and tinygrad's layers that their lines have as arguments.
_ARGUMENTS = (
    *("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode"),
    *("output_padding", "ceil_mode", "count_include_pad", "divisor_override", "norm_type", "output_size"),
    *("size", "scale_factor", "mode", "align_corners", "upscale_factor", "downscale_factor"),
)
#: The parts of a Keras layer's configuration that are arguments with a meaning here.
_CONFIGURED = (
    *("filters", "kernel_size", "strides", "padding", "dilation_rate", "groups", "output_padding", "pool_size"),
    *("size", "interpolation", "output_size", "height", "width", "depth_multiplier"),
)
#: The attributes of Flax's layers, linen and nnx.
_FIELDS = (
    *("features", "kernel_size", "strides", "padding", "input_dilation", "kernel_dilation", "feature_group_count"),
    "transpose_kernel",
)


def of_module(module: Any) -> Line:
    """The operation of a layer of PyTorch, Keras, Flax or tinygrad, and sentences about what is left out.

    Args:
        module: an object such as `torch.nn.Conv2d(1, 1, 3)`. Subclasses count as the layer that they derive from.

    Raises:
        ConvanimError: it is not a layer that convanim shows, or it has unsupported arguments.
    """
    if (both := _two_layers(module)) is not None:
        return both
    for kind in type(module).__mro__:
        home = kind.__module__.partition(".")[0]
        call = None
        if home in ("torch", "tinygrad"):
            call = _of_torch(kind.__name__, module)
        elif home in ("keras", "tensorflow", "tf_keras") and hasattr(module, "get_config"):
            config = module.get_config()
            if config.get("data_format") == "channels_first":
                told = f"{kind.__name__} has its channels first, and layers of Keras are shown with their channels last"
                raise ConvanimError(told, "make it with data_format='channels_last', and move the input's channels")
            named = {word: config[word] for word in _CONFIGURED if config.get(word) is not None}
            call = Call(f"keras.layers.{kind.__name__}", (), _plain(named))
            if config.get("activation") not in (None, "linear"):
                call.notes.append(f"the activation of {kind.__name__} is not drawn")
        elif home == "flax":
            call = _of_flax(kind.__name__, module)
        if call and (found := _known(call)):
            return found
    name = f"{type(module).__module__}.{type(module).__qualname__}"
    hint = "give a layer such as torch.nn.Conv2d"
    if hasattr(module, "named_modules") and not hasattr(module, "get_config"):
        inner = [name for name, _ in module.named_modules() if name]
        hint = f"give one of its layers: watch(model, {inner[0]!r}, x)" if inner else hint
    raise ConvanimError(f"{name[:80]} is not a layer that can be shown", hint)


def _two_layers(module: Any) -> Line | None:
    """A `Sequential` of PyTorch whose two layers are a depthwise and a pointwise convolution; None for others."""
    if type(module).__name__ != "Sequential" or not hasattr(module, "named_children") or len(module) != 2:
        return None
    try:
        first, second = (of_module(part).op for part in module)
    except ConvanimError:
        return None
    both = in_a_row(first, second) if isinstance(first, Conv) and isinstance(second, Conv) else None
    return None if both is None else Line(both)


def _known(call: Call) -> Line | None:
    """The operation of a call; None if the class is not a layer, so that the one it derives from may be."""
    found = read_call(call)
    return Line(found, tuple(call.notes)) if isinstance(found, Operation) else None


def _of_torch(name: str, module: Any) -> Call:
    named = {word: getattr(module, word) for word in _ARGUMENTS if getattr(module, word, None) is not None}
    if not name.startswith("ConvTranspose"):
        named.pop("output_padding", None)
    if name.startswith("Upsampl"):
        wanted = ("size", "scale_factor", *(() if name.startswith("Upsampling") else ("mode", "align_corners")))
        named = {word: value for word, value in named.items() if word in wanted}
    if name[-2:-1] not in ("1", "2", "3"):  # tinygrad's Conv2d has any number of axes
        named.pop("padding_mode", None)
    return Call(f"nn.{name}", (), _plain(named))


def _of_flax(name: str, module: Any) -> Call:
    named = {word: getattr(module, word) for word in _FIELDS if getattr(module, word, None) is not None}
    if hasattr(module, "out_features"):
        named["features"] = module.out_features
    if name == "Conv":
        named.pop("transpose_kernel", None)
    else:
        named = {word: value for word, value in named.items() if word not in ("input_dilation", "feature_group_count")}
    return Call(f"flax.linen.{name}", (), _plain(named))


def _plain(named: dict[str, Any]) -> dict[str, Any]:
    """Arguments as numbers, words and tuples; whatever else a module holds is its own affair."""
    lists = {word: tuple(v) if isinstance(v, list | tuple) else v for word, v in named.items()}
    return {word: v for word, v in lists.items() if isinstance(v, int | float | str | tuple)}

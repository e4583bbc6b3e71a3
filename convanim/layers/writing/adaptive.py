"""The code of adaptive and global poolings in every framework."""

from __future__ import annotations

from convanim.layers import AdaptivePool
from convanim.layers.writing.code import Code, NoLine, Place, Written, call, one_or_each


def torch(op: AdaptivePool, place: Place) -> Written:
    """PyTorch's layer, which has any output size."""
    size = op.output_size if isinstance(op.output_size, int) else one_or_each(op.output_size)
    return call(f"torch.nn.Adaptive{'Max' if op.combine == 'max' else 'Avg'}Pool{place.rank}d", size), ""


def keras(op: AdaptivePool, place: Place) -> Written:
    """Keras's layer, which is another one for a global pooling."""
    named = f"{'Max' if op.combine == 'max' else 'Average'}Pooling{place.rank}D"
    if _is_global(place):
        return call(f"keras.layers.Global{named}", keepdims=True), ""
    if any(a.output > a.input for a in place.axes):
        raise NoLine("none: some backends of Keras leave cells of an output larger than the input undefined")
    return call(f"keras.layers.Adaptive{named}", place.each("output")), ""


def jax(op: AdaptivePool, place: Place) -> Written:
    """A reduction for a global pooling, a pooling with equal windows, or the windows one by one."""
    how = op.combine
    if _is_global(place):
        return call(f"jax.numpy.{how}", Code("x"), axis=tuple(range(1, place.rank + 1)), keepdims=True), ""
    if _is_regular(place):
        named = f"flax.linen.{'max' if how == 'max' else 'avg'}_pool"
        return call(named, Code("x"), place.every("kernel"), strides=place.every("stride")), ""
    code = Code("x")
    for i, axis in enumerate(place.axes, start=1):
        n, o = axis.input, axis.output
        part = f"{code}[{':, ' * i}t * {n} // {o} : -((t + 1) * -{n} // {o})]"
        code = call("jax.numpy.stack", Code(f"[{part}.{how}({i}) for t in range({o})]"), i)
    return code, "JAX has no adaptive pooling: this takes its windows along one axis after the other"


def onnx(op: AdaptivePool, place: Place) -> Written:
    """A node for a global pooling or for equal windows."""
    named = "MaxPool" if op.combine == "max" else "AveragePool"
    if _is_global(place):
        return call("onnx.helper.make_node", f"Global{named}", ["x"], ["y"]), ""
    if not _is_regular(place):
        raise NoLine(f"none: ONNX has no adaptive pooling; {named} comes closest, whose windows are all alike")
    kernel, strides = list(place.every("kernel")), list(place.every("stride"))
    return call("onnx.helper.make_node", named, ["x"], ["y"], kernel_shape=kernel, strides=strides), ""


def _is_global(place: Place) -> bool:
    return set(place.every("output")) == {1}


def _is_regular(place: Place) -> bool:
    """Whether a pooling with a kernel has the same windows."""
    return all(place.every("regular"))

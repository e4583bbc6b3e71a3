"""Common names of layers: the supported layer that a name means, or the reason why it is not supported."""

from __future__ import annotations

import difflib
import re

from convanim.errors import ConvanimError
from convanim.layers.kinds import KINDS

#: The kind of each common name.
_NAMED = {name: kind for kind, op in KINDS.items() for name in op.record.aliases.split()}

#: Unsupported layers: patterns of their names, and what each of them is.
_OTHERS = (
    (r"(log)?(soft(max|min|plus|sign|shrink)|sigmoid)|(?!conv)\w*relu6?|[cgs]?elu|silu|mish|swish|hard\w+|tanh\w*|activation\w*"
     r"|threshold|maxout|glu", "an activation function, which changes each value separately"),
    (r"\w*norm(ali[sz]ation)?", "a normalisation, which scales all values by common statistics"),
    (r"(lazy|bi)?linear|dense|fullyconnected|gemm|matmul|einsum", "a layer that combines every value with every other"),
    (r"(global|adaptive)lp\w+", "a pooling with a norm of adaptive windows"),
    (r"fractionalmaxpool", "a pooling with random windows"),
    (r"extract\w*patches", "a rearrangement of windows in another layout than that of Unfold"),
    (r"\w*dropout\w*|gaussiannoise", "a layer that changes values randomly during training"),
    (r"flatten|unflatten|reshape|permute|transposeaxes|concat\w*|add|identity|squeeze|rearrange|slice",
     "a change of shape without a sliding kernel"),
    (r"embedding\w*|\w*attention|transformer\w*|r?nn(cell)?|lstm\w*|gru\w*", "a layer without a sliding kernel"),
    (r"(depthwise|separable)conv\w*", "a convolution of each channel on its own"),
    (r"\w*pad(ding)?|crop\w*", "padding or a crop, which is shown together with the layer after or before it"),
)  # fmt: skip
#: Frameworks whose lines are not read, by the names of their modules.
_FOREIGN = {
    "mx mxnet gluon": "MXNet",
    "mindspore": "MindSpore",
    "snt sonnet": "Sonnet",
    "tfl tflearn tl tensorlayer": "TFLearn or TensorLayer",
    "chainer": "Chainer",
    "lasagne": "Lasagne",
    "caffe": "Caffe",
}
SHOWN = f"the supported layers are {', '.join(list(KINDS)[:-1])} and {list(KINDS)[-1]}"


def kind_of(name: str) -> tuple[str | None, int | None]:
    """The operation and the number of axes that a name means; None for either if the name does not tell.

    Example:
        >>> kind_of("Deconv2d"), kind_of("maxpol"), kind_of("ReLU")
        (('ConvTranspose', 2), ('MaxPool', None), (None, None))
    """
    bare, rank = _bare(name)
    if what_is(name):
        return None, rank
    close = [bare] if bare in _NAMED else difflib.get_close_matches(bare, _NAMED, 1, 0.8)
    return (_NAMED[close[0]] if close else None), rank


def what_is(name: str) -> str | None:
    """A description of a known but unsupported layer; None for any other name.

    Example:
        >>> what_is("BatchNorm2d")
        'a normalisation, which scales all values by common statistics'
    """
    bare = _bare(name)[0]
    if bare in _NAMED:
        return None
    return next((told for pattern, told in _OTHERS if re.fullmatch(pattern, bare)), None)


def unknown(name: str, shown: str, *, theirs: bool = False) -> ConvanimError:
    """The error for a name that is not a supported layer: what it is, or which layer to use instead.

    Args:
        shown: the name or the line, as the message quotes it.
        theirs: whether it comes from a line of a framework, where the name may be right and the call not a layer.
    """
    if of := foreign(name):
        hint = "write the same layer as a line of PyTorch or Keras, such as nn.Conv2d(3, 8, 3, padding=1)"
        return ConvanimError(f"{shown} is of {of}, whose lines are not read", hint)
    if told := what_is(name):
        return ConvanimError(f"{shown} is {told}", SHOWN)
    kind, rank = kind_of(name)
    own = name.startswith("self.") or kind is None
    if own and re.search("conv|pool|upsampl", name.lower()):  # of the model's own code
        told = f"{shown} is not a layer of PyTorch, Keras, Flax or ONNX"
        return ConvanimError(told, "give the line in its code that makes the layer, such as nn.Conv2d(3, 8, 3)")
    if kind is None:
        block = theirs and name.rpartition(".")[2][:1].isupper()  # perhaps a block of the model's own code
        inside = "if it holds a layer, give the line in its code that makes it, such as nn.Conv2d(3, 8, 3)"
        return ConvanimError(f"{shown} is not a known layer", inside if block else SHOWN)
    example = KINDS[kind].record.example
    if rank and theirs and kind in ("Conv", "ConvTranspose"):
        example = f"nn.{kind}{rank}d(1, 1, kernel_size=3)"
    if theirs and name.rpartition(".")[2][:1].islower():
        told = "is a function of arrays, which does not state the size of the kernel"
        return ConvanimError(f"{shown} {told}", f"write the layer, as in {example}")
    return ConvanimError(f"{shown} is not a known layer", f"did you mean {kind}, as in {example}")


def foreign(name: str) -> str:
    """The framework of a name that is of one without lines here; "" for others."""
    home, _, last = name.rpartition(".")
    if re.fullmatch(
        r"(convolution|transposedConv|(max|average)Pooling|depthToSpace|groupedConvolution)[123]dLayer", last
    ):
        return "MATLAB"
    return next((title for begins, title in _FOREIGN.items() if home and home.split(".")[0] in begins.split()), "")


def _bare(name: str) -> tuple[str, int | None]:
    """A name in lower case without module, underscores and number of axes, and that number."""
    last = name.rpartition(".")[2].lower().replace("_", "").replace("-", "")
    found = re.fullmatch(r"(\D+?)([123])d(\D*)", last)
    return (found[1] + found[3], int(found[2])) if found else (last, None)

"""matplotlib's compiled modules without the package around them.

Importing the package reads settings, colour maps and parsers for longer than an animation takes to draw, and nothing of
it is needed for the font engine and the stroke engine. Knows where matplotlib is. Must not know what is drawn.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any


@cache
def folder() -> Path:
    """The folder of the matplotlib that is installed, found without importing it."""
    spec = find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
    return Path(spec.submodule_search_locations[0])


@cache
def load(name: str) -> Any:
    """A compiled module of matplotlib; the package is left as it is, imported or not.

    Its types are those that an `import matplotlib` later in the process has, too: Python keeps what a compiled module
    has defined.

    Args:
        name: the module's place in the package, such as "backends._backend_agg".

    Raises:
        ImportError: this matplotlib has no such module.

    Example:
        >>> load("ft2font").FT2Font.__name__
        'FT2Font'
    """
    full = f"matplotlib.{name}"
    if "matplotlib" not in sys.modules:
        spec = PathFinder.find_spec(full, [str(folder().joinpath(*name.split(".")[:-1]))])
        if spec is not None and spec.loader is not None:
            with suppress(ImportError, AttributeError):  # a version that asks for the package around it
                module = module_from_spec(spec)
                spec.loader.exec_module(module)
                sys.modules.pop(full, None)  # some entered themselves; the package would lack an attribute of that name
                return module
    return import_module(full)

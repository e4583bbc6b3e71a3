"""matplotlib's compiled modules without the package around them.

Importing the package takes longer than drawing an animation, since it reads settings, colour maps and parsers that the
font engine and the stroke engine do not need.
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
    """The folder of the installed matplotlib, found without importing it."""
    spec = find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
    return Path(spec.submodule_search_locations[0])


@cache
def load(name: str) -> Any:
    """A compiled module of matplotlib, without importing the package or affecting it.

    A later `import matplotlib` has the same types: Python keeps what a compiled module has
    defined.

    Args:
        name: the module's name within the package, such as "backends._backend_agg".

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
            with suppress(ImportError, AttributeError):  # a version that needs the package
                module = module_from_spec(spec)
                spec.loader.exec_module(module)
                sys.modules.pop(full, None)  # if it stayed, the package would lack an attribute of that name
                return module
    return import_module(full)

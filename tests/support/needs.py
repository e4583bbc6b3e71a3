"""Programs, fonts and packages that tests need: a test skips if one is missing, and fails where CI promises it."""

from __future__ import annotations

import importlib
import os
import shutil
import warnings
from types import ModuleType

import pytest

from convanim.page import fonts


def need(tool: str) -> str:
    """Return the path of a program; if it is missing, skip the test, or fail it where CI promises the program."""
    path = shutil.which(tool)
    if path is None:
        missing = f"{tool} is not on this machine"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return path


def need_wide_font() -> None:
    """Skip a test without a font for Chinese and Japanese, or fail it where CI promises one."""
    if next(fonts.candidates(), None) is None:
        missing = f"no font for Chinese and Japanese is on this machine: {fonts.INSTALL}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)


def need_module(name: str, *, promised: bool = False) -> ModuleType:
    """Import a package to compare with; if it is missing, skip the tests, or fail them where CI promises it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some warn on import about missing packages
        try:
            return importlib.import_module(name)
        except ImportError:
            extra = {"flax": "jax", "imageio_ffmpeg": "video", "pptx": "slides"}.get(
                package := name.split(".", maxsplit=1)[0], package
            )
            missing = f"{name} is not installed: pip install '.[{extra}]'"
            if promised and os.environ.get("CI"):
                pytest.fail(missing)
            pytest.skip(missing, allow_module_level=True)

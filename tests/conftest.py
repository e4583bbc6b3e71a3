"""Hypothesis profiles and pytest options that all test files share.

`HYPOTHESIS_PROFILE=nightly python -m pytest` tries more, random examples; the ordinary profile has the same examples in
every run, so that a failure means a changed program.
"""

import inspect
import os
import re

import pytest
from hypothesis import HealthCheck, settings

#: Names that only POSIX has: a test that uses one of these is skipped on Windows.
POSIX = re.compile(r"mkfifo|AF_UNIX|geteuid|SIGKILL|SIGTERM|/dev/|chmod|\bpty\b|\b(LIMITED|ORDINARY)\b")

# The time to generate examples depends on the load of the machine, as a deadline does: neither fails a test.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ordinary", UNHURRIED, derandomize=True)
settings.register_profile("nightly", UNHURRIED, derandomize=False, max_examples=20_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ordinary"))


def needs_posix(function) -> bool:
    """Whether a test uses a feature that only POSIX has."""
    return bool(POSIX.search(inspect.getsource(function)))


def pytest_collection_modifyitems(items):
    if hasattr(os, "mkfifo"):
        return
    for item in items:
        if isinstance(item, pytest.Function) and needs_posix(item.function):
            item.add_marker(pytest.mark.skip(reason="FIFOs, modes, devices and signals are those of POSIX"))


def pytest_addoption(parser):
    parser.addoption("--renew", action="store_true", help="write the golden files anew")

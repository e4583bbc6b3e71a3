"""Hypothesis profiles and pytest's own options: what every test file shares.

`HYPOTHESIS_PROFILE=nightly python -m pytest` looks longer, and anywhere; the ordinary profile gives the same examples
at every run, so that a red build means a changed program.
"""

import os

from hypothesis import settings

settings.register_profile("ordinary", derandomize=True, deadline=None)
settings.register_profile("nightly", derandomize=False, deadline=None, max_examples=20_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ordinary"))


def pytest_addoption(parser):
    parser.addoption("--renew", action="store_true", help="write the golden files anew")

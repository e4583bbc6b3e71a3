"""Print the lowest versions that pyproject.toml allows, as constraints for pip: `numpy==1.26` for `numpy>=1.26`.

usage: python .ci/lowest.py [EXTRA]... >constraints.txt; needs `packaging`.
"""

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
for line in (
    *project["dependencies"],
    *(line for extra in sys.argv[1:] for line in project["optional-dependencies"][extra]),
):
    requirement = Requirement(line)
    lowest = [bound.version for bound in requirement.specifier if bound.operator == ">="]
    if len(lowest) != 1:
        sys.exit(f"pyproject.toml: {line} has no lowest version; write it with >=")
    print(f"{requirement.name}=={lowest[0]}")

"""Check the README of the installed package: every picture and link has an address, of a file that the project has.

usage: python .ci/readme.py FOLDER, with the Python that the package is installed for, and the project's folder.
"""

import re
import sys
from importlib.metadata import metadata
from pathlib import Path

HOMES = ("https://raw.githubusercontent.com/convanim/convanim/main/", "https://github.com/convanim/convanim/blob/main/")

about = metadata("convanim")
readme = about["Description"] or about.get_payload()
targets = re.findall(r"(!?)\[[^\]]*\]\(([^)\s]+)\)", readme)
if not any(picture for picture, _ in targets):
    sys.exit("the package's README has no picture")
for picture, target in targets:
    home = HOMES[0] if picture else HOMES[1]
    ours = target.startswith(home)
    if not target.startswith(("https://", "#")) or (picture and not ours):
        sys.exit(f"the package's README leads to {target}, which is no address")
    if ours and not (Path(sys.argv[1]) / target.removeprefix(home).partition("#")[0]).exists():
        sys.exit(f"the package's README leads to {target}, which the project does not have")
print(f"{len(targets)} pictures and links, each with an address")

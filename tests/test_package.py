"""The package as visitors and package indexes see it: the README, its links, and the promised versions and systems."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]


def promised(kind: str) -> set[str]:
    """The last words of one kind of classifiers: 3.11, Linux."""
    return {line.rpartition(" :: ")[2] for line in PROJECT["classifiers"] if line.startswith(kind)}


def test_the_workflow_tests_the_versions_and_systems_that_are_promised() -> None:
    if not (ROOT / ".github").exists():
        pytest.skip("a source distribution has no workflows")
    workflow = (ROOT / ".github" / "workflows" / "systems.yml").read_text("utf-8")
    lists = dict(re.findall(r"^ +(system|python): \[(.*)\]$", workflow, re.M))
    assert set(re.findall(r"[\d.]+", lists["python"])) == promised("Programming Language :: Python :: 3.")
    names = {"ubuntu": "Linux", "windows": "Windows", "macos": "MacOS"}
    assert {names[name] for name in re.findall(r"(\w+)-latest", lists["system"])} == promised("Operating System")


def test_the_lowest_versions_of_all_dependencies_are_known_and_tested() -> None:
    done = subprocess.run(
        [sys.executable, ".ci/lowest.py", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lowest = dict(line.split("==") for line in done.stdout.split())
    assert set(lowest) >= {re.match(r"[\w-]+", line)[0] for line in PROJECT["dependencies"]}  # type: ignore[index]
    assert tuple(map(int, lowest["click"].split("."))) >= (8, 2)  # 8.1 cannot print the version
    assert "lowest.txt" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_the_readme_leads_from_a_picture_over_two_commands_to_routes() -> None:
    first = [README.index(part) for part in ("![", "convanim animates", "## Two commands", "## Three routes")]
    assert first == sorted(first)
    assert first[-1] < 1500  # characters, which are read in a minute
    commands = re.findall(r"^    (python .*)$", README[: first[-1]], re.M)
    assert len(commands) == 2
    assert f'test_command="{commands[1]}"' in (ROOT / ".ci" / "run").read_text("utf-8")
    routes = README[first[-1] :].split("\n### ")[1:4]
    assert len(routes) == 3
    assert "Python" in routes[2].split("\n")[0]


def test_a_package_index_gets_the_addresses_of_pictures_and_links() -> None:
    shown = README
    for rule in PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        shown = re.sub(rule["pattern"], rule["replacement"], shown)
    before, after = (re.findall(r"(!?)\[[^\]]*\]\(([^)\s]+)\)", text) for text in (README, shown))
    assert any(picture and not target.startswith("https:") for picture, target in before)
    assert len(before) == len(after)
    assert all(target.startswith("https://") for _, target in after if not target.startswith("#"))
    assert set(PROJECT["urls"]) >= {"Homepage", "Documentation", "Changelog", "Issues"}


def test_the_fonts_are_small_and_come_with_their_licence() -> None:
    fonts = ROOT / "templates" / "fonts"
    assert {file.name for file in fonts.iterdir()} == {"Inter-Regular.ttf", "Inter-Bold.ttf", "OFL.txt"}
    assert sum(file.stat().st_size for file in fonts.iterdir()) < 400_000  # bytes
    assert "SIL OPEN FONT LICENSE Version 1.1" in (fonts / "OFL.txt").read_text("utf-8")
    assert {"LICENSE", "templates/fonts/OFL.txt"} == set(PROJECT["license-files"])
    assert PROJECT["license"] == "MIT AND OFL-1.1"
    assert "templates/fonts/OFL.txt" in README

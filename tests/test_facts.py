"""What commands print with --json: valid JSON whose keys are documented and whose numbers are those of the text."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import convanim as ca
from support.commands import run

PAGE = (Path(ca.__file__).parent.parent / "docs/json.md").read_text(encoding="utf-8")
COMMANDS = {
    "explain": [
        "conv --input 6x5 --kernel 3x2 --stride 2",
        "transposed --input 3x3 --kernel 3 --stride 2 --padding 1",
        "pool --input 5 --kernel 2 --mode avg",
        "unpool --input 4x4 --kernel 2 --output-size 5x5",
        "upsample --input 2x2 --mode bilinear",
        "shuffle --input 4x2x2",
        "layer nn.Conv2d(1,1,3,padding=1) --input 5x5",
    ],
    "solve": ["--input 7x7 --output 14x14 --kernel 3..5 --stride 2", "--input 7 --output 900"],
    "describe": [
        "conv --input 3x3 --kernel 2",
        "pool --input 4 --kernel 2 --padding 1 --lang de",
        "compare Conv(2) Conv(3) --input 4x4",
    ],
    "compare": ["Conv(3,padding=1) Conv(3) --input 6x6", "Conv(3) Conv(3) --input 6x6"],
}


def told(*words: str) -> Any:
    result = run(*words, "--json")
    assert result.code in (0, 1), result.err
    assert result.out.isascii()
    return json.loads(result.out)


def keys(value: Any) -> set[str]:
    """Every key of an object and its contents, except those of `arguments`, which depend on the layer."""
    if isinstance(value, list):
        return set().union(*map(keys, value))
    if not isinstance(value, dict):
        return set()
    return set(value).union(*(keys(inner) for name, inner in value.items() if name != "arguments"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_key_is_documented(command: str) -> None:
    layer, section = (re.search(rf"^## {name}$(.*?)(?=^## |\Z)", PAGE, re.M | re.S) for name in ("A layer", command))
    assert layer
    assert section
    documented = set(re.findall(r"`(\w+)`", layer[1] + section[1]))
    for line in COMMANDS[command]:
        assert keys(told(command, *line.split())) <= documented, line


def test_the_numbers_of_an_explanation_are_those_of_its_text() -> None:
    words = ["transposed", "--input", "3x3", "--kernel", "3x3", "--stride", "2", "--padding", "1"]
    shown, text = told("explain", *words), run("explain", *words).out
    assert f"multiplications  {shown['multiplications']} " in text
    axis = shown["axes"][0]
    assert (axis["output"], axis["spread"], axis["canvas"]) == (5, 5, 7)
    assert axis["products_per_cell"] == {"fewest": 1, "most": 2, "even": False}
    assert shown["output_size"] == [5, 5]
    for framework in shown["frameworks"]:
        assert framework["code"].splitlines()[0] in text


def test_what_solve_finds_gives_that_size_and_none_is_an_empty_list() -> None:
    found = told("solve", "--input", "7x7", "--output", "14x14")
    for layer in found["layers"]:
        again = getattr(ca, layer["kind"])(**layer["arguments"])
        assert str(again) == layer["layer"]
        assert [a.output for a in again.axes((7, 7))] == [14, 14]
    result = run("solve", "--input", "7", "--output", "900", "--json")
    assert (result.code, json.loads(result.out)["layers"]) == (1, [])


def test_a_description_has_the_lines_of_its_text_and_the_output_as_numbers() -> None:
    words = ["conv", "--input", "[[1,2],[3,4]]", "--kernel", "[[1,0],[0,1.5]]"]
    shown, text = told("describe", *words), run("describe", *words).out.splitlines()
    assert shown["layers"][0]["output"] == [[[7.0]]]
    assert [shown["alt"], "", *(line["text"] for line in shown["lines"])] == text[:-1]
    assert [line["step"] for line in shown["lines"]] == [None, 1, 1]
    assert told("describe", *words, "--alt") == {"alt": shown["alt"]}


def test_the_maximum_of_nothing_is_null() -> None:
    shown = told(
        "describe", "pool", "--input", "2", "--kernel", "2", "--stride", "1", "--padding", "1", "--dilation", "3"
    )
    assert None in shown["layers"][0]["output"][0]


def test_a_comparison_names_the_first_difference() -> None:
    shown = told("compare", "Conv(3, padding=1)", "Conv(3)", "--input", "6x6")
    assert (shown["compared"], shown["equal"]) == (16, 0)
    assert shown["first_difference"] == {"cells": [[0, 0, 0], [0, 0, 0]], "values": [15, 32]}
    assert [layer["alone"] for layer in shown["layers"]] == [20, 0]
    same = told("compare", "Conv(3)", "Conv(3)", "--input", "6x6")
    assert (same["equal"], same["first_difference"], same["causes"]) == (16, None, [])


def test_a_check_names_files_as_a_list(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text('layer = "Conv(2)"\ninput = "3x3"\nformats = ["txt", "json"]')
    result = run("gallery", "check", "--folder", str(tmp_path), "--quick", "--json")
    assert result.code == 1
    found = json.loads(result.out)["findings"]
    assert [(one["name"], one["kind"]) for one in found][-1:] == [("small", "missing")]
    run("gallery", "build", "--folder", str(tmp_path), "--quiet", "--jobs", "1")
    (tmp_path / "small.txt").unlink()
    found = json.loads(run("gallery", "check", "small", "--folder", str(tmp_path), "--quick", "--json").out)["findings"]
    assert found == [{"name": "small", "kind": "missing", "told": "small.txt", "files": ["small.txt"]}]
    run("gallery", "build", "--folder", str(tmp_path), "--quiet", "--jobs", "1")
    result = run("gallery", "check", "--folder", str(tmp_path), "--quick", "--json")
    assert (result.code, json.loads(result.out)["findings"]) == (0, [])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("explain conv --input 2x2 --kernel 5", "kernel size 5 is larger than the input"),
        ("describe conv --input 2x2 --kernel 2 --view sdliding", "did you mean sliding"),
        ("compare Conv(2) Conv(2) --input 3x3 -o a.gif", "--json cannot be combined with -o; leave one of them out."),
        ("gallery check --folder nowhere", "nowhere"),
    ],
)
def test_an_error_is_a_sentence_as_usual_and_no_json(words: str, sentence: str) -> None:
    result = run(*words.split(), "--json")
    assert (result.code, result.out) == (2, "")
    assert sentence in result.err

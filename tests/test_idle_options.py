"""Options without an effect are reported: page options for text, time for a still, fills without a shape."""

from pathlib import Path

import pytest

from support.commands import run

VALUES = {
    **{"--template": "slide", "--layout": "flat", "--theme": "dark", "--width": "640", "--height": "480"},
    **{"--seconds-per-step": "1", "--hold-first": "2", "--hold-last": "2", "--plays": "2", "--motion": "smooth"},
    **{
        "--lang": "de",
        "--title": "x",
        "--no-caption": "",
        "--no-numbers": "",
        "--symbols": "",
        "--saturate": "",
        "--select": "last",
    },
    **{"--backward": "", "--grad": "2x2"},
}
PAGE = ["--template", "--layout", "--theme", "--width", "--height", "--no-numbers"]
PACE = ["--seconds-per-step", "--hold-first", "--hold-last", "--plays", "--motion"]
#: The options without an effect on each format.
IDLE = {
    "gif": [],
    "png": PACE,
    "svg": PACE,
    "txt": [*PAGE, "--plays", "--motion"],
    "json": [
        *PAGE,
        *PACE,
        "--lang",
        "--title",
        "--no-caption",
        "--symbols",
        "--saturate",
        "--select",
        "--backward",
        "--grad",
    ],
}


@pytest.mark.parametrize("kind", IDLE)
@pytest.mark.parametrize("option", VALUES)
def test_an_option_without_effect_is_told(kind: str, option: str, tmp_path: Path) -> None:
    words = [option, *filter(None, [VALUES[option]])]
    if option == "--saturate":  # needs colours, in formats with a page
        words = [] if kind != "json" else words
    done = run("conv", "--input", "3x3", "--kernel", "2", *words, "-o", tmp_path / f"a.{kind}")
    assert done.code == 0, done.err
    assert (f"Note: {option} has no effect here" in done.err) == (option in IDLE[kind]), done.err
    assert (tmp_path / f"a.{kind}").stat().st_size > 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--fill", "ones"], "--fill has no effect here: no array is given as a shape."),
        (["--seed", "3"], "--seed has no effect here"),
        (["--renderer", "raster", "--dpi", "200"], "--renderer and --dpi have no effect here: a trace has no page."),
        (["--plays", "2", "--theme", "dark", "--lang", "de"], "--theme, --lang and --plays have no effect here"),
    ],
)
def test_several_are_told_in_one_sentence(words: list[str], told: str, tmp_path: Path) -> None:
    done = run("conv", "--input", "[[1,2],[3,4]]", "--kernel", "[[1]]", *words, "-o", tmp_path / "a.json")
    assert told in done.err
    assert run("conv", "--input", "4x4", "--kernel", "2", *words[:2], "-o", tmp_path / "b.gif", "--quiet").err == ""


def test_a_seed_of_random_values_has_an_effect(tmp_path: Path) -> None:
    words = ["--input", "4x4", "--kernel", "2", "--fill", "random", "--seed", "3"]
    assert run("conv", *words, "-o", tmp_path / "a.gif").err == ""


def test_a_comparison_tells_them_too(tmp_path: Path) -> None:
    done = run("compare", "Conv(2)", "MaxPool(2, 1)", "--input", "3x3", "--plays", "2", "-o", tmp_path / "a.txt")
    assert "Note: --plays has no effect here: text has no page." in done.err

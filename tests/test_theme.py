"""Themes: a file is a theme, and a palette contains each of its exact colours once."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from convanim import assets
from convanim.assets import templates
from convanim.draw import palette as palettes
from convanim.draw import theme
from convanim.draw.raster import blends
from convanim.draw.theme import Theme, load, themes
from convanim.errors import ConvanimError
from convanim.scene.frame import Emphasis, Role

NAMES = sorted(path.stem for path in (Path(__file__).parent.parent / "templates" / "themes").glob("*.toml"))
#: Every pair of background and ink of cells and lines of text.
PAIRS = {("page", "text"), ("page", "muted"), ("kernel.fill", "kernel.factor"), ("overlap.fill", "overlap.factor")}
PAIRS |= {(theme.fill(role, emphasis), theme.ink(role, emphasis)) for role in Role for emphasis in Emphasis}
SHADES = ("data", "kernel", "product", "done", "negative", "heat")


def rgb(code: str) -> tuple[int, ...]:
    return tuple(int(code[i : i + 2], 16) for i in (1, 3, 5))


def file(name: str) -> dict[str, str]:
    """The colours of a theme's file by dotted name, read by another parser."""
    read = tomllib.loads((templates() / "themes" / f"{name}.toml").read_text(encoding="utf-8"))
    flat = {key: value for key, value in read.items() if isinstance(value, str)}
    return flat | {f"{k}.{inner}": c for k, v in read.items() if isinstance(v, dict) for inner, c in v.items()}


@pytest.fixture(params=NAMES)
def look(request: pytest.FixtureRequest) -> Theme:
    return load(request.param)


def test_every_file_is_a_theme() -> None:
    assert themes() == NAMES
    assert {"light", "dark"} <= set(NAMES)


def test_every_colour_is_the_one_in_the_file(look: Theme) -> None:
    for name, code in file(look.name).items():
        assert look.colour(name) == rgb(code), name


def test_every_name_that_a_role_asks_for_is_there(look: Theme) -> None:
    asked = {*theme.FILL.values(), *theme.STROKE.values(), *theme.HATCH.values()}
    asked |= {theme.fill(r, e) for r in Role for e in Emphasis} | {theme.ink(r, e) for r in Role for e in Emphasis}
    asked |= {theme.note_ink(r, e) for r in Role for e in Emphasis}
    asked |= {f"shade.{kind}_high" for kind in SHADES} | {"shade.heat_low"}
    assert all(len(look.colour(name)) == 3 for name in asked)
    assert set(theme.FILL) == set(Role)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("drak", "dark"), ("lihgt", "light"), ("Dark", "dark"), ("high_contrast", "high-contrast"), ("atuo", "auto")],
)
def test_an_unknown_theme_suggests_the_near_word(typed: str, meant: str) -> None:
    with pytest.raises(ConvanimError, match=re.escape(f"theme {typed!r} is not known; did you mean {meant}?")):
        load(typed)


@pytest.mark.parametrize("typed", ["", "zzz"])
def test_a_theme_like_none_is_told_which_there_are(typed: str) -> None:
    with pytest.raises(ConvanimError, match="is not known") as refusal:
        load(typed)
    assert "light" in refusal.value.hint


def test_a_palette_fits_a_gif_whatever_is_shown(look: Theme) -> None:
    palette = look.palette(PAIRS, file(look.name), SHADES)
    assert palette.colours.dtype == np.uint8
    assert palette.colours.shape[1] == 3
    assert len(palette.colours) <= 255
    assert len({tuple(c) for c in palette.colours.tolist()}) == len(palette.colours)


def test_a_ramp_ends_at_the_exact_colours_and_goes_one_way(look: Theme) -> None:
    palette = look.palette(PAIRS, (), ())
    for paper, ink in PAIRS:
        ramp = palette.colours[palette.ramp(paper, ink)].astype(int)
        assert len(ramp) == 256
        assert tuple(ramp[0]) == look.colour(paper)
        assert tuple(ramp[255]) == look.colour(ink)
        way = np.sign(ramp[255] - ramp[0])
        assert (np.diff(ramp, axis=0) * way >= 0).all(), (paper, ink)
        assert len({tuple(c) for c in ramp.tolist()}) == palettes.LEVELS + 2 or paper == ink


def test_a_shade_ends_at_the_exact_colours_and_goes_one_way(look: Theme) -> None:
    palette = look.palette((), (), SHADES)
    for kind in SHADES:
        steps = palette.colours[palette.shade(kind)].astype(int)
        zero, high = np.array(look.colour("page")), np.array(look.colour(f"shade.{kind}_high"))
        assert len(steps) == (9 if kind == "heat" else palettes.SHADES)
        assert (steps[0].tolist() == zero.tolist()) == (kind == "heat"), "only a value of zero is the page"
        assert steps[-1].tolist() == high.tolist()
        first = 2 if kind == "heat" else 0
        assert (np.diff(steps[first:], axis=0) * np.sign(high - steps[first]) >= 0).all()


def test_a_solid_is_exact_and_has_one_index(look: Theme) -> None:
    colours = file(look.name)
    palette = look.palette(PAIRS, colours, SHADES)
    for name in colours:
        assert tuple(palette.colours[palette.solid(name)]) == look.colour(name)


@pytest.mark.parametrize("stamps", [False, True])
@pytest.mark.parametrize(("numbers", "bare"), [(True, True), (True, False), (False, True)])
def test_a_theme_without_two_equal_colours_fits_too(numbers: bool, bare: bool, stamps: bool) -> None:
    """Everything at once: then the edges of some letters have similar colours, but all colours themselves are exact."""
    rng = np.random.default_rng(3)
    names = [*file("light"), *(f"{role}.{tint}" for role in theme.TINTED.values() for tint in ("lit", "deep"))]
    own = {name: tuple(rng.integers(0, 256, 3).tolist()) for name in [*names, "zero"]}
    look = Theme("random", own)
    shades = (*theme.RAMPS, "grey", "heat")
    palette = look.needed(
        numbers=numbers, bare=bare, shades=shades, stamps=stamps, slanted=rng.integers(0, 256, (40, 3), np.uint8)
    )
    assert len(palette.colours) <= 255
    for role in theme.FILL:
        name = theme.fill(role, Emphasis.ACTIVE, bare=bare)
        assert tuple(palette.colours[palette.solid(name)]) == look.colour(name)
    for kind in shades:
        assert [tuple(c) for c in palette.colours[palette.shade(kind)]] == [
            look.colour(n) for n in palettes.steps(kind)
        ]
    for paper, ink in [("page", "text"), ("page", "muted"), ("page", "done.stroke"), ("inserted.fill", "text")]:
        first, last = palette.colours[palette.ramp(paper, ink)[[0, 255]]]
        assert (tuple(first), tuple(last)) == (look.colour(paper), look.colour(ink))
    letters = palette.inked(["text", "zero"])
    assert palette.solid("text") in letters
    assert not np.isin(palette.shade("grey"), letters).any(), "a shade is no letter"


def test_a_palette_is_the_same_every_time(look: Theme) -> None:
    first = look.palette(sorted(PAIRS), ("page", "line"), SHADES)
    again = look.palette(sorted(PAIRS, reverse=True), ("page", "line"), reversed(SHADES))
    np.testing.assert_array_equal(first.colours, again.colours)


def test_a_cell_under_the_kernel_keeps_its_role() -> None:
    assert theme.fill(Role.DATA, Emphasis.NONE) == "data.fill"
    assert theme.fill(Role.DATA, Emphasis.ACTIVE) == theme.fill(Role.DATA, Emphasis.WRITTEN) == "data.lit"
    pale = [role for role in Role if role not in theme.TINTED]
    assert [theme.fill(role, Emphasis.ACTIVE) for role in pale] == [theme.FILL[role] for role in pale]


SLIPS = {
    "short": 'page = "#fff"',
    "word": 'page = "white"',
    "nothing": "page = ",
    "unknown": 'paper = "#ffffff"',
    "number": "page = 16777215",
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_in_a_theme_file_is_told_as_a_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A theme is a file of the user's, so an error in it must lead neither to a traceback nor to another colour."""
    text = (templates() / "themes" / "light.toml").read_text(encoding="utf-8")
    (tmp_path / "themes").mkdir()
    broken = re.sub(r"(?m)^page = .*$", SLIPS[name], text)
    assert broken != text
    (tmp_path / "themes" / f"{name}.toml").write_text(broken, encoding="utf-8")
    monkeypatch.setattr(assets, "_PLACES", (tmp_path,))
    with pytest.raises(ConvanimError, match=name):
        load(name)


def test_without_templates_the_installation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_PLACES", (tmp_path,))
    with pytest.raises(ConvanimError, match="templates/ is missing"):
        templates()


@pytest.mark.parametrize("stamps", [False, True])
@pytest.mark.parametrize("numbers", [False, True])
def test_the_order_of_a_palette_changes_no_colour(look: Theme, numbers: bool, stamps: bool) -> None:
    """Frequent colours come first, edges of slanted strokes before rare ones; none is lost or doubled."""
    edges = blends.mixes(look, stamps=stamps)
    palette = look.needed(numbers=numbers, shades=(), stamps=stamps, slanted=edges)
    late = look.needed(numbers=numbers, shades=(), stamps=True, pictures=[edges])
    assert sorted(palette.colours.tolist()) == sorted(late.colours.tolist())
    assert palette.solid("page") == 0
    assert max(palette.ramp("page", "text")) < 8
    rare = palette.solid("unused.hatch")
    index = {tuple(colour): i for i, colour in enumerate(palette.colours.tolist())}
    assert all(index[tuple(edge)] < rare for edge in edges.tolist())

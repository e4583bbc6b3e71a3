"""Every theme is legible: text has enough contrast, and roles are distinguishable, with four types of colour vision."""

import itertools
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from support.colours import VISIONS, Triple, ciede2000, contrast, decode, difference, lightness, see

Theme = dict[str, Any]

THEMES = sorted((Path(__file__).parent.parent / "templates" / "themes").glob("*.toml"))

FILLED = ("data", "kernel", "product", "done", "overlap")  # roles distinguished by their fill
EMPTY = ("page", "pending", "inserted", "padding")  # fills that filled cells must differ from
SHADED = ("data", "kernel", "product", "done", "negative")  # shades for cells too small for numbers
KEYS = {
    "": {"page", "text", "muted", "line", "dash"},
    "data": {"fill", "stroke"},
    "kernel": {"fill", "stroke", "factor"},
    "product": {"fill", "stroke"},
    "done": {"fill", "stroke"},
    "overlap": {"fill", "stroke", "factor"},
    "inserted": {"fill"},
    "padding": {"fill"},
    "cropped": {"fill", "hatch"},
    "unused": {"fill", "hatch"},
    "pending": {"fill"},
    "shade": {*(f"{role}_high" for role in (*SHADED, "heat")), "heat_low"},
}
#: Further keys, which a theme may leave out: the tints of cells that matter now.
OPTIONAL = {"lit", "deep", "zero"}
#: Roles that may stand beside each other, or on each other, in one grid.
TOUCHING = [
    *itertools.product(("data",), ("page", "inserted", "padding", "kernel")),
    *itertools.product(("kernel",), ("page",)),
    *itertools.product(("done", "overlap"), ("page", "pending")),
    *itertools.combinations(("product", "done", "overlap"), 2),
    ("product", "pending"),
]
#: The requirements of themes that differ from the default, in contrast.
PROMISED = {
    "solarized": {"text": 4.5, "lit": 4.5, "factor": 4.5},
    "high-contrast": {"text": 12, "lit": 9, "muted": 7, "factor": 12},
}
USUAL = {"text": 7, "lit": 7, "muted": 4.5, "factor": 7}
# The fills on both sides of an outline: its own and its neighbours'.
BESIDE_STROKE = {
    "data": ("data", "inserted", "padding"),
    "kernel": ("kernel", "data", "inserted", "padding"),
    "product": ("product", "done", "overlap", "pending"),
    "done": ("done", "overlap", "pending"),
    "overlap": ("overlap", "done", "pending"),
}


# --- colour arithmetic -------------------------------------------------------------------------------------------


# --- the arithmetic is right -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # Sharma, Wu and Dalal 2005, table 1: pairs 1, 7, 14, 17, 20 and 34
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, -0.001, 2.49), (50, 0.0011, -2.49), 4.7461),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (58, 24, 15), 19.4535),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_ciede2000_meets_the_published_pairs(first: Triple, second: Triple, expected: float) -> None:
    assert ciede2000(first, second) == pytest.approx(expected, abs=5e-5)
    assert ciede2000(second, first) == pytest.approx(expected, abs=5e-5)


def test_contrast_meets_known_values() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the well-known grey that just fails AA


@pytest.mark.parametrize("vision", VISIONS)
def test_grey_is_grey_with_every_vision(vision: str) -> None:
    for code in ("#000000", "#808080", "#ffffff"):
        assert see(decode(code), vision) == pytest.approx(decode(code), abs=1e-4)


def test_the_simulations_lose_what_dichromats_lose() -> None:
    for vision in VISIONS[1:]:  # a pair on each confusion line comes much closer than with normal vision
        pair = ("#82a9b5", "#80aa9a") if vision.startswith("trit") else ("#b39a6b", "#8fa86b")
        assert difference(*pair, vision) < 0.5 * difference(*pair, "normal"), vision


# --- the themes --------------------------------------------------------------------------------------------------


@pytest.fixture(params=THEMES, ids=lambda path: path.stem)
def theme(request: pytest.FixtureRequest) -> Theme:
    return {"name": request.param.stem, **tomllib.loads(request.param.read_text(encoding="utf-8"))}


def promised(theme: Theme, what: str) -> float:
    """The minimum contrast for a theme: of "text", of text on "lit" cells, of "muted" text and of a "factor"."""
    return PROMISED.get(theme["name"], {}).get(what, USUAL[what])


def fill(theme: Theme, role: str) -> str:
    return str(theme["page"] if role == "page" else theme[role]["fill"])


def apart(pairs: list[tuple[str, str, str]], least: float, vision: str) -> None:
    """Assert that these named pairs of colours differ at least this much in CIEDE2000 with this vision."""
    measured = [(name, difference(a, b, vision)) for name, a, b in pairs]
    faults = [f"{name}: {d:.2f} < {least} with {vision}" for name, d in measured if d < least]
    assert not faults, "\n".join(faults)


def legible(pairs: list[tuple[str, str, str]], least: float) -> None:
    """Assert that these named pairs of colours have at least this contrast ratio."""
    measured = [(name, contrast(a, b)) for name, a, b in pairs]
    faults = [f"{name}: {ratio:.2f}:1 < {least}:1" for name, ratio in measured if ratio < least]
    assert not faults, "\n".join(faults)


def test_there_are_themes() -> None:
    assert {path.stem for path in THEMES} == {"light", "dark", "solarized", "high-contrast", "print"}


def test_every_theme_has_the_same_keys_and_only_colours(theme: Theme) -> None:
    del theme["name"]
    found = {"": {key for key, value in theme.items() if not isinstance(value, dict)} - OPTIONAL}
    found |= {key: set(value) - OPTIONAL for key, value in theme.items() if isinstance(value, dict)}
    assert found == KEYS
    colours = [c for value in theme.values() for c in (value.values() if isinstance(value, dict) else [value])]
    assert [c for c in colours if not re.fullmatch(r"#[0-9a-f]{6}", c)] == []


def test_values_can_be_read_on_every_cell(theme: Theme) -> None:
    roles = (*FILLED, *EMPTY, "cropped", "unused")
    legible([(f"text on {role}", theme["text"], fill(theme, role)) for role in roles], promised(theme, "text"))


def test_values_can_be_read_while_they_matter(theme: Theme) -> None:
    legible([(f"text on lit {role}", theme["text"], theme[role]["lit"]) for role in FILLED], promised(theme, "lit"))
    factor = [("factor on lit overlap", theme["overlap"]["factor"], theme["overlap"]["lit"])]
    legible(factor, min(promised(theme, "factor"), promised(theme, "lit")))


def test_the_input_is_seen_on_the_page(theme: Theme) -> None:
    legible([("data on page", fill(theme, "data"), theme["page"])], 1.5)


@pytest.mark.parametrize("vision", VISIONS)
def test_input_under_the_window_is_told_from_zeros_and_from_input_beside_it(theme: Theme, vision: str) -> None:
    lit = theme["data"]["lit"]
    apart([(f"lit data and {zero}", lit, fill(theme, zero)) for zero in ("inserted", "padding")], 16, vision)
    apart([(f"{role} and lit {role}", fill(theme, role), theme[role]["lit"]) for role in FILLED], 8, vision)


def test_zeros_can_be_read_where_they_stand(theme: Theme) -> None:
    roles = (*EMPTY, "kernel", "cropped", "unused")
    legible([(f"muted on {role}", theme["muted"], fill(theme, role)) for role in roles], promised(theme, "muted"))
    zeros = ("page", "inserted", "padding")
    legible([(f"zero on {role}", theme["zero"], fill(theme, role)) for role in zeros], promised(theme, "muted"))


def test_zeros_are_quieter_than_values(theme: Theme) -> None:
    for role in (*EMPTY, "kernel"):
        muted, text = (contrast(theme[ink], fill(theme, role)) for ink in ("muted", "text"))
        assert text / muted >= 1.5, f"text {text:.2f}:1 and muted {muted:.2f}:1 on {role} look alike"
    for role in ("inserted", "padding"):
        zero, text = (contrast(theme[ink], fill(theme, role)) for ink in ("zero", "text"))
        assert text / zero >= 2, f"text {text:.2f}:1 and zeros {zero:.2f}:1 on {role} look alike"


def test_factors_can_be_read(theme: Theme) -> None:
    pairs = [(f"factor on {role}", theme[role]["factor"], theme[role]["fill"]) for role in ("kernel", "overlap")]
    legible(pairs, promised(theme, "factor"))


@pytest.mark.parametrize(("ink", "least"), [("text", 7), ("muted", 4.5)])
def test_numbers_can_be_read_across_a_hatch(theme: Theme, ink: str, least: float) -> None:
    pairs = [(f"{ink} on the hatch of {role}", theme[ink], theme[role]["hatch"]) for role in ("cropped", "unused")]
    legible(pairs, min(least, promised(theme, ink)))


def test_outlines_are_seen(theme: Theme) -> None:
    pairs = [(f"stroke of {role} on page", theme[role]["stroke"], theme["page"]) for role in FILLED]
    legible(pairs, 3)
    pairs = [
        (f"stroke of {role} on {other}", theme[role]["stroke"], fill(theme, other))
        for role, others in BESIDE_STROKE.items()
        for other in others
    ]
    legible(pairs, 2)


def test_lines_dashes_and_hatches_are_seen(theme: Theme) -> None:
    pairs = [(f"line on {role}", theme["line"], fill(theme, role)) for role in (*FILLED, *EMPTY)]
    legible(pairs, 1.15)
    legible([("dash on page", theme["dash"], theme["page"])], 1.8)
    pairs = [(f"hatch of {role}", theme[role]["hatch"], theme[role]["fill"]) for role in ("cropped", "unused")]
    legible(pairs, 1.5)


def test_a_wash_is_seen_and_stays_a_wash(theme: Theme) -> None:
    for role, least, most in (("inserted", 3, 8), ("pending", 1, 6), ("cropped", 0, 4), ("unused", 0, 4)):
        distance = difference(fill(theme, role), theme["page"], "normal")
        assert least <= distance <= most, f"{role} is {distance:.2f} from page, not {least} to {most}"
    assert theme["padding"]["fill"] == theme["page"]


@pytest.mark.parametrize("vision", VISIONS)
def test_roles_that_touch_are_told_apart(theme: Theme, vision: str) -> None:
    apart([(f"{a} and {b}", fill(theme, a), fill(theme, b)) for a, b in TOUCHING], 10, vision)


@pytest.mark.parametrize("role", SHADED)
@pytest.mark.parametrize("vision", VISIONS)
def test_a_shade_says_how_large_a_value_is(theme: Theme, role: str, vision: str) -> None:
    low, high = theme["page"], theme["shade"][f"{role}_high"]
    apart([(f"zero and {role}_high", low, high)], 40, vision)

    ends = [[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in (low, high)]
    codes = ["#" + "".join(f"{round(a + (b - a) * i / 16):02x}" for a, b in zip(*ends, strict=True)) for i in range(17)]
    ramp = [lightness(see(decode(code), vision)) for code in codes]
    away = 1 if ramp[-1] > ramp[0] else -1
    falls = [
        f"step {i}: L* {a:.1f} to {b:.1f}" for i, (a, b) in enumerate(itertools.pairwise(ramp)) if away * (b - a) <= 0
    ]
    assert not falls, f"{role} with {vision}:\n" + "\n".join(falls)


def heats(theme: Theme) -> list[str]:
    """The nine fills of counts, from none to the maximum."""
    low, high = ([int(theme["shade"][f"heat_{end}"][i : i + 2], 16) for i in (1, 3, 5)] for end in ("low", "high"))
    steps = [[int(a + (b - a) * i / 8 + 0.5) for a, b in zip(low, high, strict=True)] for i in range(9)]
    return ["#" + "".join(f"{c:02x}" for c in step) for step in steps]


def test_a_count_can_be_read_on_every_step_of_its_heat(theme: Theme) -> None:
    legible(
        [(f"text on heat {i}", theme["text"], step) for i, step in enumerate(heats(theme))], promised(theme, "text")
    )


@pytest.mark.parametrize("vision", VISIONS)
def test_one_count_more_is_seen(theme: Theme, vision: str) -> None:
    """The number is exact; the fill must show differences of one step, and from afar."""
    steps = heats(theme)
    apart([(f"heat {i} and {i + 1}", a, b) for i, (a, b) in enumerate(itertools.pairwise(steps))], 2, vision)
    apart([("heat 0 and 2", steps[0], steps[2]), ("heat 6 and 8", steps[6], steps[8])], 4, vision)
    apart([("none and the most", steps[0], steps[8])], 18, vision)
    apart([(f"heat 0 and {empty}", steps[0], fill(theme, empty)) for empty in EMPTY], 5, vision)

"""Every theme is legible: text has enough contrast, and roles are distinguishable, with four types of colour vision.

The arithmetic (WCAG contrast, CIEDE2000, dichromacy) follows the papers and shares no code with convanim.
"""

import itertools
import re
import tomllib
from math import atan2, cos, degrees, exp, hypot, pi, radians, sin, sqrt
from pathlib import Path
from typing import Any

import pytest

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]
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
    "shade": {f"{role}_{end}" for role in (*SHADED, "heat") for end in ("low", "high")},
}
#: The requirements of themes that differ from the default: contrasts, and differences of filled roles.
PROMISED = {
    "solarized": {"text": 4.5, "factor": 4.5},
    "high-contrast": {"text": 12, "muted": 7, "factor": 12, "apart": 10},
    "print": {"apart": 10},
}
USUAL = {"text": 7, "muted": 4.5, "factor": 7, "apart": 16}
# The fills on both sides of an outline: its own and its neighbours'.
BESIDE_STROKE = {
    "data": ("data", "inserted", "padding"),
    "kernel": ("kernel", "data", "inserted", "padding"),
    "product": ("product", "done", "overlap", "pending"),
    "done": ("done", "overlap", "pending"),
    "overlap": ("overlap", "done", "pending"),
}


# --- colour arithmetic -------------------------------------------------------------------------------------------


def decode(code: str) -> Triple:
    """Linear RGB of "#rrggbb" (IEC 61966-2-1)."""
    encoded = (int(code[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in encoded)
    return r, g, b


def times(matrix: Matrix, colour: Triple) -> Triple:
    x, y, z = (sum(m * c for m, c in zip(row, colour, strict=True)) for row in matrix)
    return x, y, z


def luminance(rgb: Triple) -> float:
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]


def contrast(a: str, b: str) -> float:
    """WCAG 2 contrast ratio, 1 to 21."""
    low, high = sorted((luminance(decode(a)), luminance(decode(b))))
    return (high + 0.05) / (low + 0.05)


XYZ: Matrix = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
WHITE = times(XYZ, (1.0, 1.0, 1.0))


def lab(rgb: Triple) -> Triple:
    """CIELAB under D65 of a linear RGB colour."""
    ratios = (c / w for c, w in zip(times(XYZ, rgb), WHITE, strict=True))
    fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in ratios)
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def ciede2000(first: Triple, second: Triple) -> float:
    """Colour difference of two CIELAB colours; Sharma, Wu and Dalal 2005, equations 2 to 22."""
    (l1, a1, b1), (l2, a2, b2) = first, second
    c_mean = (hypot(a1, b1) + hypot(a2, b2)) / 2
    g = (1 - sqrt(c_mean**7 / (c_mean**7 + 25**7))) / 2
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = hypot(a1, b1), hypot(a2, b2)
    h1, h2 = degrees(atan2(b1, a1)) % 360, degrees(atan2(b2, a2)) % 360
    if c1 * c2 == 0:  # a grey has no hue: the mean is the other colour's hue
        turn, h_mean = 0.0, h1 + h2
    else:
        turn = (h2 - h1 + 180) % 360 - 180
        h_mean = (h1 + turn / 2) % 360
    l_mean, c_mean = (l1 + l2) / 2, (c1 + c2) / 2
    t = (
        1
        - 0.17 * cos(radians(h_mean - 30))
        + 0.24 * cos(radians(2 * h_mean))
        + 0.32 * cos(radians(3 * h_mean + 6))
        - 0.20 * cos(radians(4 * h_mean - 63))
    )
    delta_l = (l2 - l1) / (1 + 0.015 * (l_mean - 50) ** 2 / sqrt(20 + (l_mean - 50) ** 2))
    delta_c = (c2 - c1) / (1 + 0.045 * c_mean)
    delta_h = 2 * sqrt(c1 * c2) * sin(radians(turn / 2)) / (1 + 0.015 * c_mean * t)
    blue_turn = exp(-(((h_mean - 275) / 25) ** 2)) * pi / 3
    rotation = -2 * sqrt(c_mean**7 / (c_mean**7 + 25**7)) * sin(blue_turn)
    return sqrt(delta_l**2 + delta_c**2 + delta_h**2 + rotation * delta_c * delta_h)


# Linear RGB seen without one type of cone. Two models, because they disagree most where it matters: Machado,
# Oliveira and Fernandes 2009 (severity 1.0), and Vienot, Brettel and Mollon 1999 with, for tritanopia, the two
# half-planes of Brettel, Vienot and Mollon 1997 (as matrices for sRGB, from libDaltonLens).
SEEN: dict[str, Matrix] = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia (Machado)": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia (Machado)": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia (Machado)": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
    "protanopia (Vienot)": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
    "deuteranopia (Vienot)": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)),
    "tritanopia (Brettel)": (
        (1.01277, 0.13548, -0.14826),
        (-0.01243, 0.86812, 0.14431),
        (0.07589, 0.80500, 0.11911),
    ),
}
TRITAN_OTHER_SIDE: Matrix = (
    (0.93678, 0.18979, -0.12657),
    (0.06154, 0.81526, 0.12320),
    (-0.37562, 1.12767, 0.24796),
)
TRITAN_PLANE: Triple = (0.03901, -0.02788, -0.01113)
VISIONS = list(SEEN)


def see(rgb: Triple, vision: str) -> Triple:
    """Linear RGB as it looks with this vision, clipped to the range of a screen."""
    matrix = SEEN[vision]
    if vision == "tritanopia (Brettel)" and sum(n * c for n, c in zip(TRITAN_PLANE, rgb, strict=True)) < 0:
        matrix = TRITAN_OTHER_SIDE
    r, g, b = (min(max(c, 0.0), 1.0) for c in times(matrix, rgb))
    return r, g, b


def difference(a: str, b: str, vision: str) -> float:
    return ciede2000(lab(see(decode(a), vision)), lab(see(decode(b), vision)))


def lightness(rgb: Triple) -> float:
    return lab(rgb)[0]


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
    """The minimum for a theme: "text", "muted" and "factor" in contrast, "apart" in CIEDE2000."""
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
    found = {"": {key for key, value in theme.items() if not isinstance(value, dict)}}
    found |= {key: set(value) for key, value in theme.items() if isinstance(value, dict)}
    assert found == KEYS
    colours = [c for value in theme.values() for c in (value.values() if isinstance(value, dict) else [value])]
    assert [c for c in colours if not re.fullmatch(r"#[0-9a-f]{6}", c)] == []


def test_values_can_be_read_on_every_cell(theme: Theme) -> None:
    roles = (*FILLED, *EMPTY, "cropped", "unused")
    legible([(f"text on {role}", theme["text"], fill(theme, role)) for role in roles], promised(theme, "text"))


def test_zeros_can_be_read_where_they_stand(theme: Theme) -> None:
    roles = (*EMPTY, "kernel", "cropped", "unused")
    legible([(f"muted on {role}", theme["muted"], fill(theme, role)) for role in roles], promised(theme, "muted"))


def test_zeros_are_quieter_than_values(theme: Theme) -> None:
    for role in (*EMPTY, "kernel"):
        muted, text = (contrast(theme[ink], fill(theme, role)) for ink in ("muted", "text"))
        assert text / muted >= 1.5, f"text {text:.2f}:1 and muted {muted:.2f}:1 on {role} look alike"


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
    legible([("dash on page", theme["dash"], theme["page"])], 2.5)
    pairs = [(f"hatch of {role}", theme[role]["hatch"], theme[role]["fill"]) for role in ("cropped", "unused")]
    legible(pairs, 1.5)


def test_a_wash_is_seen_and_stays_a_wash(theme: Theme) -> None:
    for role, least, most in (("inserted", 3, 6), ("pending", 1, 4), ("cropped", 0, 4), ("unused", 0, 4)):
        distance = difference(fill(theme, role), theme["page"], "normal")
        assert least <= distance <= most, f"{role} is {distance:.2f} from page, not {least} to {most}"
    assert theme["padding"]["fill"] == theme["page"]


@pytest.mark.parametrize("vision", VISIONS)
def test_filled_roles_are_told_apart(theme: Theme, vision: str) -> None:
    pairs = [(f"{a} and {b}", fill(theme, a), fill(theme, b)) for a, b in itertools.combinations(FILLED, 2)]
    apart(pairs, promised(theme, "apart"), vision)


@pytest.mark.parametrize("vision", VISIONS)
def test_filled_cells_are_told_from_empty_ones(theme: Theme, vision: str) -> None:
    pairs = [(f"{a} and {b}", fill(theme, a), fill(theme, b)) for a, b in itertools.product(FILLED, EMPTY)]
    apart(pairs, 8, vision)


@pytest.mark.parametrize("role", SHADED)
@pytest.mark.parametrize("vision", VISIONS)
def test_a_shade_says_how_large_a_value_is(theme: Theme, role: str, vision: str) -> None:
    low, high = theme["shade"][f"{role}_low"], theme["shade"][f"{role}_high"]
    apart([(f"{role}_low and {role}_high", low, high)], 40, vision)
    pairs = [(f"{role}_low and {empty}", low, fill(theme, empty)) for empty in EMPTY]
    apart(pairs, 8, vision)

    ends = [[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in (low, high)]
    codes = ["#" + "".join(f"{round(a + (b - a) * i / 16):02x}" for a, b in zip(*ends, strict=True)) for i in range(17)]
    ramp = [lightness(see(decode(code), vision)) for code in codes]
    away = 1 if ramp[-1] > ramp[0] else -1
    falls = [
        f"step {i}: L* {a:.1f} to {b:.1f}" for i, (a, b) in enumerate(itertools.pairwise(ramp)) if away * (b - a) <= 0
    ]
    assert not falls, f"{role} with {vision}:\n" + "\n".join(falls)
    page = lightness(decode(theme["page"]))
    assert abs(ramp[-1] - page) > abs(ramp[0] - page), f"{role}: a large value must stand out from the page"


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

"""Colours as eyes see them: contrast (WCAG), difference (CIEDE2000), and colour vision without one type of cone.

The arithmetic follows the papers and shares no code with convanim.
"""

from math import atan2, cos, degrees, exp, hypot, pi, radians, sin, sqrt

import numpy as np
from numpy.typing import NDArray


def commonest(cell: NDArray[np.uint8]) -> tuple[int, ...]:
    colours, counts = np.unique(cell.reshape(-1, 3), axis=0, return_counts=True)
    return tuple(colours[counts.argmax()].tolist())


Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]


def decode(colour: str | tuple[int, ...]) -> Triple:
    """Linear RGB of "#rrggbb" or of three bytes (IEC 61966-2-1)."""
    encoded = (c / 255 for c in (bytes.fromhex(colour[1:]) if isinstance(colour, str) else colour))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in encoded)
    return r, g, b


def times(matrix: Matrix, colour: Triple) -> Triple:
    x, y, z = (sum(m * c for m, c in zip(row, colour, strict=True)) for row in matrix)
    return x, y, z


def luminance(rgb: Triple) -> float:
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]


def contrast(a: str | tuple[int, ...], b: str | tuple[int, ...]) -> float:
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

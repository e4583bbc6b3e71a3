"""Makes the fonts in templates/fonts from those of Inter: `make fonts INTER=FOLDER`, which needs fontTools and Brotli.

FOLDER has the licence and the folder web/ of Inter's release 4.1, as in the npm package inter-ui 4.1.1.

The fonts become smaller, and simpler to set than with a shaping engine, which older versions of matplotlib do not have:
they keep the characters of `KEPT`; figures are tabular, so that numbers do not move when they change; and the distances
between pairs of letters are in a `kern` table, which FreeType reads, instead of a GPOS table, which it does not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0

HERE = Path(__file__).parent.parent / "templates" / "fonts"
WEIGHTS = "Regular", "Bold"
#: Latin, Greek and Cyrillic; punctuation, superscripts, fractions, arrows, mathematical signs, geometric shapes.
KEPT = (
    *((0x20, 0x17F), (0x218, 0x21B), (0x1E9E, 0x1E9E), (0x370, 0x3FF), (0x400, 0x45F), (0x490, 0x491)),
    *((0x2000, 0x22FF), (0x25A0, 0x25FF)),
)
#: The letters and punctuation whose distances are kept: those of accented letters would take more room than the rest.
KERNED = ((0x20, 0x7E), (0x391, 0x3C9), (0x410, 0x44F), (0x2013, 0x201E))
#: The width of a figure in font units, that of the regular weight: a number does not move when it becomes bold.
FIGURE = 1328
#: A distance that nobody sees, as a fraction of the size.
SMALL = 0.008


def main(folder: Path) -> None:
    """Write both weights and the licence."""
    HERE.mkdir(exist_ok=True)
    licence = (folder / "LICENSE.txt").read_text(encoding="utf-8")
    (HERE / "OFL.txt").write_text(licence, encoding="utf-8", newline="\n")
    for weight in WEIGHTS:
        font = TTFont(folder / "web" / f"Inter-{weight}.woff2", recalcTimestamp=False)
        tabular = _substituted(font, "tnum")
        for table in font["cmap"].tables:
            table.cmap.update({code: tabular.get(table.cmap[code], table.cmap[code]) for code in range(0x30, 0x3A)})
        figures = {font.getBestCmap()[code] for code in range(0x30, 0x3A)}
        for name, (wide, _) in font["hmtx"].metrics.items():  # WOFF2 leaves the bearings to be found from the outlines
            glyph = font["glyf"][name]
            font["hmtx"][name] = FIGURE if name in figures else wide, getattr(glyph, "xMin", 0)
        pairs = dict(_pairs(font))
        options = Options()
        options.layout_features = []
        options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14, 16, 17]
        options.notdef_outline = True
        del font["GPOS"]
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=[code for first, last in KEPT for code in range(first, last + 1)])
        subsetter.subset(font)
        _kern(font, pairs)
        font.flavor = None
        font.save(HERE / f"Inter-{weight}.ttf")


def _substituted(font: TTFont, feature: str) -> dict[str, str]:
    """The glyphs that a feature replaces by others, one by one."""
    gsub = font["GSUB"].table
    lookups = {i for r in gsub.FeatureList.FeatureRecord if r.FeatureTag == feature for i in r.Feature.LookupListIndex}
    found: dict[str, str] = {}
    for index in lookups:
        for table in _subtables(gsub.LookupList.Lookup[index]):
            found |= getattr(table, "mapping", {})
    return found


def _subtables(lookup: Any) -> Iterator[Any]:
    for table in lookup.SubTable:
        yield table.ExtSubTable if hasattr(table, "ExtSubTable") else table


def _pairs(font: TTFont) -> Iterator[tuple[tuple[str, str], int]]:
    """The pairs of kerned glyphs whose distance differs visibly from that of their widths, with the difference."""
    gpos, names = font["GPOS"].table, font.getBestCmap()
    lookups = {i for r in gpos.FeatureList.FeatureRecord if r.FeatureTag == "kern" for i in r.Feature.LookupListIndex}
    glyphs = [names[code] for first, last in KERNED for code in range(first, last + 1) if code in names]
    least = SMALL * font["head"].unitsPerEm
    for first in glyphs:
        for second in glyphs:
            by = sum(_distance(gpos.LookupList.Lookup[i], first, second) for i in sorted(lookups))
            if abs(by) >= least:
                yield (first, second), by


def _distance(lookup: Any, first: str, second: str) -> int:
    """The distance that a lookup adds between two glyphs: that of the first of its tables that has the pair."""
    for table in _subtables(lookup):
        if first not in table.Coverage.glyphs:
            continue
        if table.Format == 1:
            records = table.PairSet[table.Coverage.glyphs.index(first)].PairValueRecord
            value = next((record.Value1 for record in records if record.SecondGlyph == second), None)
            if value is None:
                continue
        else:
            row = table.Class1Record[table.ClassDef1.classDefs.get(first, 0)]
            value = row.Class2Record[table.ClassDef2.classDefs.get(second, 0)].Value1
        return int(getattr(value, "XAdvance", 0) or 0) if value else 0
    return 0


def _kern(font: TTFont, pairs: dict[tuple[str, str], int]) -> None:
    kern = font["kern"] = newTable("kern")
    kern.version, table = 0, KernTable_format_0()
    table.apple, table.tupleIndex, table.coverage, table.version = False, None, 1, 0
    table.kernTable = pairs
    kern.kernTables = [table]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

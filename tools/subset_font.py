"""Builds our own subset of an open CJK sans-serif typeface: GB 2312, regular and bold, the same bytes on every run."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from fontTools.misc.timeTools import epoch_diff
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.ttCollection import TTCollection

FAMILY = "Interim CJK SC"
SOURCE = Path("/usr/share/fonts/opentype/noto")
FONTS = Path(__file__).resolve().parents[1] / "src" / "interim" / "display" / "fonts"
WEIGHTS = {"Regular": "NotoSansCJK-Regular.ttc", "Bold": "NotoSansCJK-Bold.ttc"}
_SOURCE_FAMILY = "Noto Sans CJK SC"
_ROWS = (*range(0xA1, 0xAA), *range(0xB0, 0xF8))
_CELLS = range(0xA1, 0xFF)
_FULL_WIDTH, _ERROR = 0x2E80, 1.0
# Punctuation that Chinese text sets at full width although the Latin faces have it too.
_MARKS = "\u00b7\u2014\u2018\u2019\u201c\u201d\u2026"
_NAMES = {0, 13, 14}


def repertoire() -> set[int]:
    """Return the code points of the subset: the ideographs, marks and full-width letters of GB 2312."""
    letters: set[str] = set(_MARKS)
    for row in _ROWS:
        for cell in _CELLS:
            try:
                letters.add(bytes((row, cell)).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return {ord(letter) for letter in letters if ord(letter) >= _FULL_WIDTH or letter in _MARKS}


def read(path: Path) -> TTFont:
    """Return the simplified Chinese face of a font collection."""
    faces = TTCollection(path).fonts
    face = next(
        face
        for face in faces
        if face["name"].getDebugName(16) == _SOURCE_FAMILY or face["name"].getDebugName(1) == _SOURCE_FAMILY
    )
    face.recalcTimestamp = False
    return face


def subset(font: TTFont, letters: Iterable[int]) -> TTFont:
    """Return the font with some letters only, without layout tables, hints and names of its own."""
    options = Options(
        layout_features=[], hinting=False, desubroutinize=True, notdef_outline=True, recalc_timestamp=False
    )
    options.name_IDs = sorted(_NAMES)
    options.drop_tables += ["GPOS", "GSUB", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG"]
    tool = Subsetter(options)
    tool.populate(unicodes=letters)
    tool.subset(font)
    return font


def quadratic(font: TTFont) -> TTFont:
    """Return the font with quadratic outlines, which a word processor can embed."""
    order, glyphs = font.getGlyphOrder(), font.getGlyphSet()
    outlines = {}
    for name in order:
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, _ERROR, reverse_direction=True))
        outlines[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, outlines
    font["maxp"].tableVersion = 0x00010000
    for key, value in _MAXIMA.items():
        setattr(font["maxp"], key, value)
    font["post"].formatType = 3.0
    del font["CFF "]
    font.sfntVersion = "\000\001\000\000"
    return font


# What a font without instructions states about them.
_MAXIMA = {
    "maxZones": 1,
    "maxTwilightPoints": 0,
    "maxStorage": 0,
    "maxFunctionDefs": 0,
    "maxInstructionDefs": 0,
    "maxStackElements": 0,
    "maxSizeOfInstructions": 0,
    "maxComponentElements": 0,
}


def renamed(font: TTFont, weight: str) -> TTFont:
    """Return the font under our own name, with licence and copyright as they were and without a date."""
    table = font["name"]
    kept = {number: table.getDebugName(number) for number in _NAMES}
    table.names = []
    plain = FAMILY.replace(" ", "")
    names = {
        1: FAMILY,
        2: weight,
        3: f"{plain}-{weight}",
        4: f"{FAMILY} {weight}",
        5: "Version 1.000",
        6: f"{plain}-{weight}",
    }
    for number, text in sorted({**kept, **names}.items()):
        if text:
            table.setName(text, number, 3, 1, 0x409)
    font["head"].created = font["head"].modified = -epoch_diff
    font["head"].macStyle = int(weight == "Bold")
    return font


def build(weight: str, source: Path, folder: Path) -> Path:
    """Write one weight and return its file."""
    path = folder / f"{FAMILY.replace(' ', '')}-{weight}.ttf"
    font = renamed(quadratic(subset(read(source / WEIGHTS[weight]), repertoire())), weight)
    font.save(path)
    return path


def main() -> None:
    """Build both weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--source", type=Path, default=SOURCE, help="folder of the font collections (package fonts-noto-cjk)"
    )
    parser.add_argument("--folder", type=Path, default=FONTS, help="where the fonts are written")
    options = parser.parse_args()
    for weight in WEIGHTS:
        path = build(weight, options.source, options.folder)
        print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()

"""Typefaces: the Chinese one that we ship, registered by its path, and which letters there are."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from interim.errors import ReportError

LATIN = "DejaVu Sans"
CHINESE = "Interim CJK SC"
# Blocks of ideographs, their marks and full-width letters.
_BLOCKS = ((0x2E80, 0x9FFF), (0xF900, 0xFAFF), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF), (0x20000, 0x3FFFF))
# Marks that both faces have; running Chinese text sets them at full width.
SHARED_MARKS = frozenset("\u00b7\u2014\u2018\u2019\u201c\u201d\u2026")


@cache
def font_folder() -> Path:
    """Return the folder of the shipped Chinese typeface.

    Returns
    -------
    Path
        Holds one file per weight and the licence.

    Raises
    ------
    ReportError
        If it is not there.
    """
    with as_file(files("interim.display").joinpath("fonts")) as folder:
        for weight in ("Regular", "Bold"):
            if not font_file(weight, folder).is_file():
                raise ReportError(
                    f"the typeface {CHINESE} is not complete: {font_file(weight, folder)} is missing; install the package again"
                )
        return folder


def font_file(weight: str, folder: Path | None = None) -> Path:
    """Return the file of one weight.

    Parameters
    ----------
    weight : {"Regular", "Bold"}
        Weight.
    folder : Path, optional
        Where it is; default the package's.

    Returns
    -------
    Path
        TrueType file.

    Raises
    ------
    ReportError
        If the typeface is not there.
    """
    return (folder or font_folder()) / f"{CHINESE.replace(' ', '')}-{weight}.ttf"


@cache
def family() -> list[str]:
    """Register the Chinese typeface with matplotlib and return the families in which figures are set.

    Returns
    -------
    list of str
        Latin first; a letter that it lacks comes from the Chinese one.

    Raises
    ------
    ReportError
        If the typeface is not there.
    """
    from matplotlib.font_manager import fontManager

    for weight in ("Regular", "Bold"):
        fontManager.addfont(font_file(weight))
    return [LATIN, CHINESE]


@cache
def chinese_letters() -> frozenset[int]:
    """Return the code points of the Chinese typeface.

    Returns
    -------
    frozenset of int
        GB 2312.

    Raises
    ------
    ReportError
        If the typeface is not there.
    """
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(font_file("Regular"))).get_charmap())


@cache
def figure_letters() -> frozenset[int]:
    """Return the code points that a figure can hold.

    Returns
    -------
    frozenset of int
        Of both families.

    Raises
    ------
    ReportError
        If the typeface is not there.
    """
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    return chinese_letters() | frozenset(FT2Font(findfont(LATIN)).get_charmap())


def is_chinese(letter: str) -> bool:
    """Tell whether only the Chinese typeface can have a letter.

    Parameters
    ----------
    letter : str
        One character.

    Returns
    -------
    bool
        True for ideographs, their punctuation and full-width letters.

    Raises
    ------
    None

    Examples
    --------
    >>> is_chinese("剂"), is_chinese("，"), is_chinese("≥")
    (True, True, False)
    """
    return any(first <= ord(letter) <= last for first, last in _BLOCKS)


def named(letters: str) -> str:
    """Return letters as an error names them.

    Parameters
    ----------
    letters : str
        Characters.

    Returns
    -------
    str
        Code point and character of each.

    Raises
    ------
    None

    Examples
    --------
    >>> named("龘")
    "U+9F98 '龘'"
    """
    return ", ".join(f"U+{ord(letter):04X} {letter!r}" for letter in dict.fromkeys(letters))

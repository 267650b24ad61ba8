"""The Chinese typeface inside a Word file: only the letters of the document, packed as the format demands."""

from __future__ import annotations

import hashlib
import io
import zipfile

from interim.display.typeface import CHINESE
from interim.report.typefaces import small_font

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_WEIGHTS = (("Regular", "embedRegular"), ("Bold", "embedBold"))
_HIDDEN, _KEY = 32, 16
_INSTEAD = "SimSun"
# Where each part of the package has to name the fonts: before this end tag.
_ADDED = {
    "[Content_Types].xml": (
        "</Types>",
        f'<Default Extension="odttf" ContentType="{_TYPE}.obfuscatedFont"/>'
        f'<Override PartName="/word/fontTable.xml" ContentType="{_TYPE}.wordprocessingml.fontTable+xml"/>',
    ),
    "word/_rels/document.xml.rels": (
        "</Relationships>",
        f'<Relationship Id="rIdFonts" Type="{_OFFICE}/relationships/fontTable" Target="fontTable.xml"/>',
    ),
    "word/settings.xml": ("<w:defaultTabStop", "<w:embedTrueTypeFonts/><w:saveSubsetFonts/>"),
}


def with_fonts(package: bytes, letters: frozenset[str]) -> bytes:
    """Return a Word file that holds the Chinese typeface, if it has Chinese letters.

    Parameters
    ----------
    package : bytes
        A Word file.
    letters : frozenset of str
        Its Chinese letters.

    Returns
    -------
    bytes
        The file, with a font table and one hidden font per weight.

    Raises
    ------
    ReportError
        If the typeface is not there.
    """
    if not letters:
        return package
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name in _ADDED:
                mark, text = _ADDED[name]
                data = data.decode().replace(mark, text + mark, 1).encode()
            target.writestr(name, data)
        for name, data in _fonts(letters).items():
            target.writestr(name, data)
    return out.getvalue()


def _fonts(letters: frozenset[str]) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    links, entries = "", ""
    for number, (weight, tag) in enumerate(_WEIGHTS, 1):
        font = small_font(weight, letters)
        key = hashlib.sha256(font).digest()[:_KEY]
        parts[f"word/fonts/font{number}.odttf"] = hidden(font, key)
        links += f'<Relationship Id="rId{number}" Type="{_OFFICE}/relationships/font" Target="fonts/font{number}.odttf"/>'
        entries += f'<w:{tag} r:id="rId{number}" w:fontKey="{_guid(key)}"/>'
    parts["word/fontTable.xml"] = (
        f'{_DECLARATION}<w:fonts xmlns:w="{_WORD}" xmlns:r="{_OFFICE}/relationships"><w:font w:name="{CHINESE}">'
        f'<w:altName w:val="{_INSTEAD}"/><w:charset w:val="86"/><w:family w:val="swiss"/><w:pitch w:val="variable"/>'
        f"{entries}</w:font></w:fonts>"
    ).encode()
    parts["word/_rels/fontTable.xml.rels"] = (
        f'{_DECLARATION}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{links}</Relationships>'
    ).encode()
    return parts


def _guid(key: bytes) -> str:
    text = key.hex().upper()
    return f"{{{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}}}"


def hidden(font: bytes, key: bytes) -> bytes:
    """Return a font as Word stores it: its first bytes are mixed with the key, read from its end.

    Parameters
    ----------
    font : bytes
        Font file.
    key : bytes
        The 16 bytes of the key as it is printed.

    Returns
    -------
    bytes
        Mixed; the same step again gives the font back.

    Raises
    ------
    None

    Examples
    --------
    >>> hidden(hidden(b"font" * 10, bytes(range(16))), bytes(range(16))) == b"font" * 10
    True
    """
    mixed = bytes(byte ^ key[::-1][place % _KEY] for place, byte in enumerate(font[:_HIDDEN]))
    return mixed + font[_HIDDEN:]

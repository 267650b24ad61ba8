"""Reads an RTF file: groups, control words, escapes and surrogate pairs."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\([a-z]+)(-?\d+)? ?|\\([^a-z])|([{}])|([^\\{}]+)")
_OTHER = {"fonttbl", "colortbl", "stylesheet", "info", "header", "footer", "pict", "fldinst", "picprop"}


def tokens(text: str):
    """Yield (word, number, text); a group that is not body text is left out."""
    depth, hidden = 0, None
    for match in _TOKEN.finditer(text):
        word, number, sign, brace, plain = match.groups()
        if brace:
            depth += 1 if brace == "{" else -1
            if hidden is not None and depth < hidden:
                hidden = None
        elif word in _OTHER and hidden is None:
            hidden = depth
        elif hidden is None:
            yield word, number, sign if sign and sign in "\\{}" else plain
    assert depth == 0


def body(text: str) -> str:
    """Return the body text of an RTF file as a reader sees it."""
    units: list[int] = []
    skip = False
    for word, number, plain in tokens(text):
        if word == "u":
            units.append(int(number) % 0x10000)
            skip = True
        elif plain:
            shown = plain.replace("\n", "")
            assert not skip or shown.startswith("?")
            units.extend(map(ord, shown[skip:]))
            skip = False
    return b"".join(unit.to_bytes(2, "little") for unit in units).decode("utf-16-le")

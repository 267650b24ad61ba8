"""Where each key of a TOML file stands, so that an error can name the line."""

from __future__ import annotations

import re
from collections.abc import Iterator

Path = tuple[str | int, ...]

_TABLE = re.compile(r"^\s*\[(?!\[)\s*(.+?)\s*\]\s*(#.*)?$")
_ARRAY = re.compile(r"^\s*\[\[\s*(.+?)\s*\]\]\s*(#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_STRING = re.compile(r'''"""|\'\'\'|"(?:\\.|[^"\\])*"|'[^']*'|#.*''')


def line_index(text: str) -> dict[Path, int]:
    r"""Return the line of every table and key.

    Parameters
    ----------
    text : str
        A valid TOML document.

    Returns
    -------
    dict
        Key path (texts; an integer counts the tables of an array) -> line, 1-based. A table that only the paths of its
        keys or of its tables name stands where the first of them does.

    Raises
    ------
    None

    Examples
    --------
    >>> line_index("a = 1\n[b]\nc = 2\n[[d]]\ne = 3")
    {('a',): 1, ('b',): 2, ('b', 'c'): 3, ('d',): 4, ('d', 0): 4, ('d', 0, 'e'): 5}
    """
    index: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    here: Path = ()
    for number, line in _statements(text):
        if match := _ARRAY.match(line):
            base = _resolve(_parts(match[1]), counts)
            counts[base] = counts.get(base, -1) + 1
            here = (*base, counts[base])
        elif match := _TABLE.match(line):
            here = _resolve(_parts(match[1]), counts)
        elif match := _KEY.match(line):
            index.setdefault((*here, *_parts(match[1])), number)
            continue
        else:
            continue
        index.setdefault(here, number)
    return _with_tables(index)


def _with_tables(index: dict[Path, int]) -> dict[Path, int]:
    """Return the index with the tables that have no header of their own."""
    complete: dict[Path, int] = {}
    for path, number in index.items():
        for size in range(1, len(path)):
            if path[:size] not in index:
                complete.setdefault(path[:size], number)
        complete[path] = number
    return complete


def _parts(text: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(text))


def _resolve(parts: Path, counts: dict[Path, int]) -> Path:
    """Return the path with the number of the current table of each array on the way."""
    path: Path = ()
    for place, part in enumerate(parts):
        path = (*path, part)
        if path in counts and place < len(parts) - 1:
            path = (*path, counts[path])
    return path


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield the first line of each statement; lines inside a multi-line array, table or string are passed over."""
    depth, quote = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if depth == 0 and not quote:
            yield number, line
            if _TABLE.match(line) or _ARRAY.match(line):
                continue
        depth, quote = _balance(line, depth, quote)


def _balance(line: str, depth: int, quote: str) -> tuple[int, str]:
    """Return the bracket depth and the open multi-line quote after a line."""
    while quote or line:
        if quote:
            end = line.find(quote)
            if end < 0:
                return depth, quote
            line, quote = line[end + 3 :], ""
        match = _STRING.search(line)
        plain = line[: match.start()] if match else line
        depth += sum(plain.count(c) for c in "[{") - sum(plain.count(c) for c in "]}")
        if match is None:
            return depth, ""
        line = line[match.end() :]
        quote = match[0] if match[0] in ('"""', "'''") else ""
    return depth, quote

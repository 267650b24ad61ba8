"""Hashes of files, folder trees and data snapshots."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interim.data.model import Source

_IGNORED = {"__pycache__"}
NAMED = 12  # digits of the snapshot hash that readers see


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_bytes(data: bytes) -> str:
    """Return the SHA-256 of bytes.

    Parameters
    ----------
    data : bytes
        Any.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    None
    """
    return hashlib.sha256(data).hexdigest()


def tree(folder: Path, *, threads: int = 1) -> dict[str, str]:
    """Return the hash of every file below a folder.

    Parameters
    ----------
    folder : Path
        Root; compiled Python files are left out.
    threads : int
        Files that are read at a time; the answer does not depend on it. Not for a process that is about to be forked.

    Returns
    -------
    dict of str to str
        Relative path with slashes -> SHA-256, sorted by path.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and not _IGNORED & set(p.parts))
    names = [path.relative_to(folder).as_posix() for path in paths]
    if threads == 1:
        return dict(zip(names, map(sha256, paths), strict=True))
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(names, pool.map(sha256, paths), strict=True))


def joined(hashes: Iterable[tuple[str, str]]) -> str:
    """Return one hash of names and hashes.

    Parameters
    ----------
    hashes : iterable of (str, str)
        Name and SHA-256; the order does not matter.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    None

    Examples
    --------
    >>> joined([("a", "1"), ("b", "2")]) == joined([("b", "2"), ("a", "1")])
    True
    """
    text = "\n".join(f"{name}\0{value}" for name, value in sorted(hashes))
    return hashlib.sha256(text.encode()).hexdigest()


def snapshot_hash(sources: Iterable[Source]) -> str:
    """Return the snapshot hash: one hash of all source files.

    Parameters
    ----------
    sources : iterable of Source
        The files of a run.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    None
    """
    return joined((source.name, source.sha256) for source in sources)


def short_snapshot(sources: Iterable[Source]) -> str:
    """Return the digits of the snapshot hash that pages, tables and figures name.

    Parameters
    ----------
    sources : iterable of Source
        The files of a run.

    Returns
    -------
    str
        12 hexadecimal digits.

    Raises
    ------
    None
    """
    return snapshot_hash(sources)[:NAMED]

"""The templates and typefaces that ship with the programs: none is missing and none was changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import interim
from interim.errors import ReportError
from interim.report.hashes import sha256

SUMS = "SHA256SUMS"
FOLDERS = ("report/templates", "display/fonts")


def check_shipped(home: Path | None = None) -> None:
    """Refuse to build with a template or typeface that is missing or is not the one that ships.

    Parameters
    ----------
    home : Path, optional
        Folder of the package; default the installed one.

    Returns
    -------
    None

    Raises
    ------
    ReportError
        Every file that is missing, cannot be read or differs from its hash, and what to do.
    """
    root = home or Path(interim.__file__).parent
    wrong = [problem for folder in FOLDERS for problem in _problems(root / folder)]
    if wrong:
        raise ReportError(
            "\n".join(
                [
                    f"{len(wrong)} template or typeface file(s) are not those of this version; nothing was built:",
                    *wrong,
                    "install the package again; after a change on purpose record the new hash (make docs)",
                ]
            )
        )


def _problems(folder: Path) -> Iterator[str]:
    try:
        lines = (folder / SUMS).read_text(encoding="ascii").splitlines()
        wanted = {name: value for value, _, name in (line.partition("  ") for line in lines)}
    except (OSError, ValueError):
        yield f"{folder / SUMS}: the list of hashes is missing or cannot be read"
        return
    for name, value in wanted.items():
        path = folder / name
        try:
            found = sha256(path)
        except OSError as error:
            yield f"{path}: missing or unreadable ({error.strerror})"
            continue
        if found != value:
            yield f"{path}: SHA-256 is {found[:12]}, expected {value[:12]}"


def recorded(folder: Path) -> Iterator[str]:
    """Yield the lines of the list of hashes of a folder.

    Parameters
    ----------
    folder : Path
        With files that ship.

    Yields
    ------
    str
        SHA-256, two blanks, path below the folder; sorted by path.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    for path in paths:
        yield f"{sha256(path)}  {path.relative_to(folder).as_posix()}"

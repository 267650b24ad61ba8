"""Publishing: a report is built beside its place and moved there when it is whole; one build at a time."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from interim.errors import ReportError


@contextmanager
def building(target: Path) -> Iterator[Path]:
    """Give an empty folder to build in; publish it at ``target`` if the block ends without an error.

    Parameters
    ----------
    target : Path
        Where the finished report goes; a report that is there stays whole until the new one replaces it.

    Yields
    ------
    Path
        The empty folder, a sibling of the target.

    Raises
    ------
    ReportError
        If another build of the same report runs, or the folder cannot be written.
    """
    work = target.with_name(f".{target.name}.building")
    if target.is_file():
        raise ReportError(f"{target}: cannot be written (a file is in the way); move it away")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(target)
    except OSError as error:
        raise ReportError(
            f"{target.parent}: cannot be written ({error.strerror}); choose another folder"
        ) from error
    try:
        _recover(target)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        yield work
        _replace(work, target)
    except OSError as error:
        raise ReportError(
            f"{error.filename or work}: {error.strerror}; the last report is unchanged"
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
        lock.unlink(missing_ok=True)


def _lock(target: Path) -> Path:
    """Create the lock file of a build; a lock of a process that is gone is taken over."""
    lock = target.with_name(f".{target.name}.lock")
    for _ in range(2):
        with contextlib.suppress(FileExistsError), lock.open("x", encoding="ascii") as stream:
            stream.write(str(os.getpid()))
            return lock
        owner = lock.read_text(encoding="ascii", errors="replace").strip()
        if owner.isdecimal() and _alive(int(owner)):
            raise ReportError(f"{target}: is being built by process {owner}; wait for it, or stop it")
        lock.unlink(missing_ok=True)
    raise ReportError(f"{lock}: the lock cannot be taken; remove it if no build runs")


def _alive(pid: int) -> bool:
    if pid == 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _previous(target: Path) -> Path:
    return target.with_name(f".{target.name}.previous")


def _recover(target: Path) -> None:
    """Put the last good report back if an earlier build was killed between its two renames."""
    previous = _previous(target)
    if previous.exists() and not target.exists():
        previous.rename(target)
    shutil.rmtree(previous, ignore_errors=True)


def _replace(work: Path, target: Path) -> None:
    previous = _previous(target)
    if target.exists():
        target.rename(previous)
    try:
        work.rename(target)
    except OSError:
        _recover(target)
        raise
    shutil.rmtree(previous, ignore_errors=True)

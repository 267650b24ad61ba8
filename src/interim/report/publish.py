"""Publishing: a report is built beside its place and moved there when it is whole; one build at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from interim.errors import ReportError

_TRIES = 3
_CLOCK = "%Y-%m-%dT%H:%M:%S"
_ADVICE = {
    errno.ENOSPC: "make room and run again",
    errno.EDQUOT: "make room and run again",
    errno.EROFS: "choose another folder",
    errno.EACCES: "choose another folder",
    errno.EPERM: "choose another folder",
    errno.ENOTDIR: "choose another folder",
    errno.EEXIST: "choose another folder",
}


@contextmanager
def reserved(target: Path) -> Iterator[None]:
    """Keep other builds of a report away as long as the block runs.

    Parameters
    ----------
    target : Path
        Where the finished report goes.

    Yields
    ------
    None
        Once, with the lock taken.

    Raises
    ------
    ReportError
        If another build of the same report runs (with the process and the time at which it began), or the folder cannot be written.
    """
    if target.is_file():
        raise ReportError(f"{target}: cannot be written (a file is in the way); move it away")
    fresh = not target.parent.exists()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(target)
    except OSError as error:
        raise ReportError(f"{target.parent}: cannot be written ({what_now(error)})") from error
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        if fresh:
            with contextlib.suppress(OSError):
                target.parent.rmdir()  # nothing was published into it


@contextmanager
def building(target: Path, *, held: bool = False) -> Iterator[Path]:
    """Give an empty folder to build in; publish it at ``target`` if the block ends without an error.

    Parameters
    ----------
    target : Path
        Where the finished report goes; a report that is there stays whole until the new one replaces it.
    held : bool
        Whether the caller has `reserved` the target; else it is reserved for the block.

    Yields
    ------
    Path
        The empty folder, a sibling of the target.

    Raises
    ------
    ReportError
        As `reserved` raises it, or if the folder cannot be written.
    """
    if not held:
        with reserved(target), building(target, held=True) as folder:
            yield folder
        return
    work = target.with_name(f".{target.name}.building")
    try:
        _recover(target)
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        yield work
        _replace(work, target)
    except OSError as error:
        said = what_now(error)
        where = error.filename or (_fuller(work) if said.endswith(_ADVICE[errno.ENOSPC]) else work)
        raise ReportError(f"{where}: {said}; the last report is unchanged") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _fuller(work: Path) -> Path:
    """Return the folder that has less room: that of the report or that of temporary files."""
    return min((work, Path(tempfile.gettempdir())), key=lambda folder: shutil.disk_usage(folder).free)


def what_now(error: OSError) -> str:
    """Return what the system says of a failed access, and what can be done.

    Parameters
    ----------
    error : OSError
        The error.

    Returns
    -------
    str
        For example ``No space left on device; make room and run again``.

    Raises
    ------
    None
    """
    code = error.errno or next((c for c in _ADVICE if os.strerror(c) in str(error)), 0)
    cause = error.strerror or (os.strerror(code) if code else str(error))
    return "; ".join(filter(None, [cause, _ADVICE.get(code, "")]))


def _lock(target: Path) -> Path:
    """Create the lock file of a build; a lock of a process that is gone is taken over."""
    lock = _lock_of(target)
    own = lock.with_name(f"{lock.name}.{os.getpid()}")
    own.write_text(f"{os.getpid()}\n{_started(os.getpid())}\n{datetime.now():{_CLOCK}}\n", encoding="ascii")
    try:
        for _ in range(_TRIES):
            with contextlib.suppress(FileExistsError):
                os.link(own, lock)
                return lock
            _remove_stale(lock, target)
    finally:
        own.unlink()
    raise ReportError(f"{lock}: the lock cannot be taken; remove it if no build runs")


def _lock_of(target: Path) -> Path:
    return target.with_name(f".{target.name}.lock")


def _remove_stale(lock: Path, target: Path) -> None:
    """Remove the lock of a process that is gone; refuse while it runs."""
    try:
        text = lock.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return
    owner, started, moment = (*text.split(), "", "", "")[:3]
    if owner.isdecimal() and _alive(int(owner)) and (not started or started == _started(int(owner))):
        since = f" since {moment}" if moment else ""
        raise ReportError(f"{target}: is being built by process {owner}{since}; wait for it, or stop it")
    aside = lock.with_name(f"{lock.name}.{os.getpid()}.old")
    with contextlib.suppress(FileNotFoundError):
        lock.rename(aside)
        if (
            aside.read_text(encoding="ascii", errors="replace") != text
        ):  # another build was faster: its lock goes back
            with contextlib.suppress(FileExistsError):
                os.link(aside, lock)
        aside.unlink()


def _started(pid: int) -> str:
    """Return when a process started, in the clock of the system; empty where it does not say."""
    try:
        return (
            Path(f"/proc/{pid}/stat")
            .read_text(encoding="ascii", errors="replace")
            .rpartition(")")[2]
            .split()[19]
        )
    except (OSError, IndexError):
        return ""


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

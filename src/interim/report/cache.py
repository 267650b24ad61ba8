"""The cache of a build: bytes under the hash of everything that they rest on; what does not agree with its hash is made again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_SEAL = 65  # 64 hexadecimal digits and a line end
_BUILDS, _KEPT = "builds.json", 2


class Cache:
    """Entries in one folder, each a file that begins with the hash of the rest.

    Parameters
    ----------
    folder : Path or None
        Where they are; None: nothing is kept and nothing found.
    base : str
        Hash of what every entry rests on: programs, lock file, platform.
    say : callable
        Receives a line for each entry that is discarded.
    fresh : bool
        Find nothing, but keep what is made.
    """

    def __init__(
        self, folder: Path | None, *, base: str = "", say: Callable[[str], None] = print, fresh: bool = False
    ) -> None:
        self._folder = folder
        self._base = base
        self._say = say
        self._fresh = fresh
        self._noted: list[str] | None = None

    @property
    def folder(self) -> Path | None:
        """Where the entries are."""
        return self._folder

    def key(self, *parts: object) -> str:
        """Return the name of an entry.

        Parameters
        ----------
        *parts : object
            JSON values; with the base everything that the entry rests on.

        Returns
        -------
        str
            64 hexadecimal digits.

        Raises
        ------
        TypeError
            If a part is no JSON value.
        """
        text = json.dumps([self._base, *parts], sort_keys=True, ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def get(self, key: str) -> bytes | None:
        """Return what was kept under a key.

        Parameters
        ----------
        key : str
            What `key` gave.

        Returns
        -------
        bytes or None
            None if there is nothing, or if it was changed since; then it is removed, with a line that says so.

        Raises
        ------
        None
        """
        if self._folder is None or self._fresh:
            return None
        path = self._path(self._folder, key)
        try:
            stored = path.read_bytes()
        except OSError:
            return None
        if stored[:_SEAL] == _seal(stored[_SEAL:]):
            self._mark(self._folder, key)
            return stored[_SEAL:]
        self._say(f"{path}: does not agree with its hash; removed, made again")
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    def put(self, key: str, content: bytes) -> None:
        """Keep bytes under a key. A disk that is full or read-only keeps nothing; the build goes on.

        Parameters
        ----------
        key : str
            What `key` gave.
        content : bytes
            Anything.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        if self._folder is None:
            return
        path = self._path(self._folder, key)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(_seal(content) + content)
            part.replace(path)
            self._mark(self._folder, key)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    @contextlib.contextmanager
    def noting(self) -> Iterator[list[str]]:
        """Note the entries that are used, for `use` by a build that needs only what was made of them.

        Yields
        ------
        list of str
            Their keys, when the block has ended.

        Raises
        ------
        None
        """
        noted: list[str] = []
        self._noted = noted
        try:
            yield noted
        finally:
            self._noted = None

    def use(self, keys: Iterable[str]) -> None:
        """Keep entries for the next build without reading them.

        Parameters
        ----------
        keys : iterable of str
            What `key` gave.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        if self._folder is not None:
            self._mark(self._folder, *keys)

    def begin(self) -> None:
        """Forget which entries an earlier build used.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        if self._folder is not None:
            with contextlib.suppress(OSError):
                (self._folder / "used").unlink(missing_ok=True)

    def end(self, build: str) -> None:
        """Remove what neither the last builds of any report nor this one used.

        Parameters
        ----------
        build : str
            Name of the report that was built.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            used = set((self._folder / "used").read_text(encoding="ascii").split())
            file = self._folder / _BUILDS
            builds = _read(file)
            builds[build] = [sorted(used), *builds.get(build, [])][:_KEPT]
            file.write_text(json.dumps(builds), encoding="ascii")
            kept = {key for lists in builds.values() for keys in lists for key in keys}
            _sweep(self._folder, kept)

    def _mark(self, folder: Path, *keys: str) -> None:
        if self._noted is not None:
            self._noted += keys
        with contextlib.suppress(OSError), (folder / "used").open("a", encoding="ascii") as file:
            file.write("".join(f"{key}\n" for key in keys))

    @staticmethod
    def _path(folder: Path, key: str) -> Path:
        return folder / key[:2] / key


def _seal(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode() + b"\n"


def _read(file: Path) -> dict[str, list[list[str]]]:
    try:
        found: dict[str, list[list[str]]] = json.loads(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return found


def _sweep(folder: Path, kept: Iterable[str]) -> None:
    known = set(kept)
    for path in folder.glob("??/*"):
        if path.name not in known:
            path.unlink(missing_ok=True)

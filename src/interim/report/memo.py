"""Answers that are kept from build to build: each with what it was made from, and served only if all of that is as it was."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, ParamSpec, TypeVar

from interim.data.model import Sdtm
from interim.report.cache import Cache
from interim.report.traced import FILE, Sources, digest
from interim.study import Study

P = ParamSpec("P")
T = TypeVar("T")


class Memo:
    """Keeps what functions of the study, the data and the results return.

    Parameters
    ----------
    cache : Cache
        Where it is kept.
    sources : Sources
        What the functions read, as it is now.

    Notes
    -----
    A first entry, under the function and its fixed arguments, names the parts that the last call read. A second one, under
    these parts and their hashes, holds the answer. A function that has no other input and no random state would read the
    same parts again and give the same answer.
    """

    def __init__(self, cache: Cache, sources: Sources) -> None:
        self.cache = cache
        self.sources = sources

    def recall(
        self,
        function: Callable[..., T],
        names: Sequence[str],
        *fixed: Any,
        key: Sequence[object],
        seen: set[str] | None = None,
    ) -> T:
        """Return the answer of a function, kept or made.

        Parameters
        ----------
        function : callable
            Called as ``function(*fixed, *sources)``.
        names : sequence of str
            The sources that it gets.
        *fixed : object
            Its first arguments.
        key : sequence of JSON values
            Names the function, and its first arguments by their hashes.
        seen : set of str, optional
            Receives what the function reads, also if it is not called.

        Returns
        -------
        object
            The answer.

        Raises
        ------
        Exception
            Whatever the function raises; then nothing is kept.
        """
        reads: set[str] = set() if seen is None else seen
        kept = self.stored(key, reads)
        if kept is not None:
            answer: T = pickle.loads(kept)  # bytes that this program wrote, with their hash
            return answer
        own: set[str] = set()
        answer = function(*fixed, *self.sources.twins(own, *names))
        self.store(key, own, pickle.dumps(answer, 5))
        reads |= own
        return answer

    def stored(self, key: Sequence[object], seen: set[str]) -> bytes | None:
        """Return what was kept, if all that it was made from is as it was.

        Parameters
        ----------
        key : sequence of JSON values
            As in `recall`.
        seen : set of str
            Receives what was read, if there is an entry.

        Returns
        -------
        bytes or None
            The entry.

        Raises
        ------
        None
        """
        reads = self.cache.get(self.cache.key("reads", *key))
        if reads is None:
            return None
        names = [name for name in reads.decode().split("\n") if name]
        kept = self.cache.get(self._place(key, names))
        if kept is not None:
            seen.update(names)
        return kept

    def store(self, key: Sequence[object], reads: Iterable[str], content: bytes) -> None:
        """Keep an answer with the names of what was read; one that read a file by its path is not kept.

        Parameters
        ----------
        key : sequence of JSON values
            As in `recall`.
        reads : iterable of str
            What was read.
        content : bytes
            The answer.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        names = sorted(set(reads))
        if f"study.{FILE}" not in names:
            self.cache.put(self.cache.key("reads", *key), "\n".join(names).encode())
            self.cache.put(self._place(key, names), content)

    def _place(self, key: Sequence[object], names: Iterable[str]) -> str:
        return self.cache.key("answer", *key, self.sources.now(names))


class Derivations:
    """Calls derivations of analysis datasets, or gives what they derived in an earlier build.

    Parameters
    ----------
    cache : Cache
        Where it is kept.
    sdtm : Sdtm
        Source data; what a derivation reads of them is recorded.
    study : Study
        Parameters, likewise.

    Notes
    -----
    Every other argument is part of the key by its hash: datasets that come out as they were leave what is derived from
    them as it was, whatever has changed in the source data.
    """

    def __init__(self, cache: Cache, sdtm: Sdtm, study: Study) -> None:
        self._memo = Memo(cache, Sources(sdtm=sdtm, study=study))
        self._names = {id(sdtm): "sdtm", id(study): "study"}

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a derivation gives for its arguments, kept or made.

        Parameters
        ----------
        function : callable
            A derivation that depends on its arguments and the programs alone.
        *args, **kwargs : object
            Its arguments.

        Returns
        -------
        object
            What it returns.

        Raises
        ------
        Exception
            Whatever the function raises; then nothing is kept.
        """
        given: list[Any] = [*args, *kwargs.values()]
        names = {place: self._names[id(part)] for place, part in enumerate(given) if id(part) in self._names}
        parts = [names.get(place) or digest(part) for place, part in enumerate(given)]
        call: Callable[..., T] = function

        def derive(*twins: Any) -> T:
            filled = list((dict(enumerate(given)) | dict(zip(names, twins, strict=True))).values())
            return call(*filled[: len(args)], **dict(zip(kwargs, filled[len(args) :], strict=True)))

        key = ["derivation", function.__module__, function.__qualname__, list(kwargs), parts]
        return self._memo.recall(derive, tuple(names.values()), key=key)


class Computations:
    """Calls long computations of numbers, or gives what they returned for equal arguments in an earlier build.

    Parameters
    ----------
    cache : Cache
        Where it is kept, under the function and the hash of its arguments.
    """

    def __init__(self, cache: Cache) -> None:
        self._memo = Memo(cache, Sources())

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a computation gives for its arguments, kept or made.

        Parameters
        ----------
        function : callable
            A function of a module, which depends on its arguments and the programs alone.
        *args, **kwargs : object
            Its arguments.

        Returns
        -------
        object
            What it returns.

        Raises
        ------
        Exception
            Whatever the function raises; then nothing is kept.
        """
        key = [
            "computation",
            function.__module__,
            function.__qualname__,
            digest([args, sorted(kwargs.items())]),
        ]
        return self._memo.recall(partial(function, *args, **kwargs), (), key=key)

"""Texts of the tables and figures of a file: taken from the file that an earlier build kept, where their blocks are as they were."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence

from interim.report.cache import Cache
from interim.report.content import Block

_NOWHERE = Cache(None)
_HEAD = 256  # bytes of a text that are sought; no other one that is shown begins with them before it
_ENTRY = re.compile(r'(?<= href="#n)\d+(?=")')


class Fragments:
    """The texts of one file.

    Parameters
    ----------
    cache : Cache
        Where the file is kept.
    name : sequence of JSON values
        Names the file in every build, whatever it holds.
    blocks : sequence of Block
        Blocks of its document.
    digests : sequence of str
        Their hashes; without them nothing is taken.

    Attributes
    ----------
    digests : sequence of str
        As given.
    index : str
        Key of the entry that tells where the texts stand.

    Notes
    -----
    An entry under the name of the file tells which one was kept last, and where in it the text of each block stands, under
    the hash of the block and of whatever else the text is made from.
    """

    def __init__(
        self,
        cache: Cache = _NOWHERE,
        name: Sequence[object] = (),
        blocks: Sequence[Block] = (),
        digests: Sequence[str] = (),
    ) -> None:
        self._cache = cache
        self.digests = digests
        self._of = dict(zip(map(id, blocks), digests, strict=False))
        self.index = cache.key("fragments", *name)
        told = cache.get(self.index)
        file, self._places = json.loads(told) if told is not None else ("", {})
        self._kept = cache.get(file) or b"" if self._places else b""
        self._shown: dict[str, tuple[str, int]] = {}

    def text(self, block: Block, *parts: str, make: Callable[[], str], first: int = 0) -> str:
        """Return the text of a block, kept or made.

        Parameters
        ----------
        block : Block
            A block of the document.
        *parts : str
            What the text is made from beside the block.
        make : callable
            Makes the text.
        first : int
            The number of its first entry; the others follow.

        Returns
        -------
        str
            The text; the links of one that was kept lead to the entries under their present numbers.

        Raises
        ------
        None
        """
        digest = self._of.get(id(block))
        if digest is None:
            return make()
        key = self._cache.key(digest, *parts)
        if self._kept and key in self._places:
            begin, end, old = self._places[key]
            text = _moved(self._kept[begin:end].decode(), first - old)
        else:
            text = make()
        self._shown[key] = text, first
        return text

    def keep(self, file: str, made: bytes) -> None:
        """Keep where the texts stand in a file.

        Parameters
        ----------
        file : str
            The key under which the file is kept.
        made : bytes
            The file.

        Returns
        -------
        None

        Raises
        ------
        None
        """
        places, end = {}, 0
        for key, (text, first) in self._shown.items():
            own = text.encode()
            begin = made.find(own[:_HEAD], end)
            if begin >= 0 and made.startswith(own, begin):
                end = begin + len(own)
                places[key] = begin, end, first
        if places:
            self._cache.put(self.index, json.dumps([file, places]).encode())


def _moved(text: str, by: int) -> str:
    """Return a text whose links lead to entries with higher numbers."""
    return _ENTRY.sub(lambda found: str(int(found[0]) + by), text) if by else text

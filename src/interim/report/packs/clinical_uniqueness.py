"""Block of the clinical reference pack on privacy: how many participants are unique on a few attributes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import NormalDist
from typing import Any

from interim.report.packs.base import Case, Given
from interim.stats.uniqueness import expected_unique_share

_BLOCK = "share_unique_participants"
UNIQUENESS_TOLERANCES = {_BLOCK: 0.02}

# The margins of the reference: share of men, tumour types with the most frequent first, doses; age in years.
_SEX = (0.65, 0.35)
_TUMOURS = (0.58, 0.20, 0.12, 0.10)
_DOSES = (1 / 13, 3 / 13, 6 / 13, 3 / 13)
_AGE = NormalDist(57, 10)
_YOUNGEST, _OLDEST = 18, 75
_DECADES = (20, 30, 40, 50, 60, 70)


def uniqueness_cases(document: Mapping[str, Any]) -> Iterator[Case]:
    """Yield the block on unique participants.

    Parameters
    ----------
    document : mapping
        The parsed file.

    Yields
    ------
    Case
        One, if the document has the block.

    Raises
    ------
    None
    """
    if _BLOCK in document:
        values = document[_BLOCK]["values"]
        yield Case(_BLOCK, {"block": _BLOCK, "keys": list(values)}, {_BLOCK: values})


def compute_uniqueness(given: Given) -> Mapping[str, Any]:
    """Compute the expected share of unique participants, by four attributes and by three coarser ones.

    Parameters
    ----------
    given : mapping
        Block and keys: numbers of participants.

    Returns
    -------
    mapping
        Values of the block.

    Raises
    ------
    ValueError
        If a key is no number of participants.
    """
    fine = (_SEX, _TUMOURS, _ages(_DECADES), _DOSES)
    coarse = (_SEX, (_TUMOURS[0], sum(_TUMOURS[1:])), _ages((60,)))
    shares = {
        key: [expected_unique_share(margins, int(key)) for margins in (fine, coarse)] for key in given["keys"]
    }
    return {_BLOCK: shares}


def _ages(cuts: Sequence[int]) -> list[float]:
    """Return the probabilities of the classes of age between the cuts, of those between the youngest and the oldest."""
    places = [_AGE.cdf(age) for age in (_YOUNGEST, *cuts, _OLDEST)]
    return [(high - low) / (places[-1] - places[0]) for low, high in pairwise(places)]

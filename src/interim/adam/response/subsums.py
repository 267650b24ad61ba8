"""Sub-sums: the target lesions of the liver, and those elsewhere, under the rules of the whole sum (post-hoc, not RECIST)."""

from __future__ import annotations

from dataclasses import dataclass

from interim.adam.response.chains import Chain
from interim.adam.response.target import Roster, TargetVisit, target_course
from interim.adam.source import shipped_data
from interim.study.efficacy import ResponseTable


@dataclass(frozen=True)
class Region:
    """A part of the body and the names of what is derived from it.

    Attributes
    ----------
    name : str
        liver or extrahepatic.
    inside : bool
        Whether the lesions lie in the organ of the file.
    sum, response, best, confirmed : str
        PARAMCD of the sum (ADTR), of the target response and of the best responses (ADRS).
    """

    name: str
    inside: bool
    sum: str
    response: str
    best: str
    confirmed: str


@dataclass(frozen=True)
class SubSum:
    """The target lesions of one region at every time point.

    Attributes
    ----------
    region : Region
        Which.
    roster : Roster
        Its lesions at baseline.
    visits : tuple of TargetVisit
        One per time point of the chain.
    """

    region: Region
    roster: Roster
    visits: tuple[TargetVisit, ...]


def regions() -> tuple[Region, ...]:
    """Return the regions.

    Parameters
    ----------
    None

    Returns
    -------
    tuple of Region
        Liver, then elsewhere.

    Raises
    ------
    None

    Examples
    --------
    >>> [region.sum for region in regions()]
    ['LSDIAM', 'ESDIAM']
    """
    return tuple(Region(**row) for row in shipped_data("response/subsums")["region"])


def sub_sums(chain: Chain, *, rules: ResponseTable) -> tuple[SubSum, ...]:
    """Return the sub-sums of one participant by one evaluator.

    Parameters
    ----------
    chain : Chain
        Lesions and time points.
    rules : ResponseTable
        As for the whole sum.

    Returns
    -------
    tuple of SubSum
        One per region with a target lesion; none if time points come from several readers.

    Raises
    ------
    None

    Notes
    -----
    A lesion without a location belongs to no region.
    """
    if any(point.roster != chain.roster for point in chain.timepoints):
        return ()
    organ = shipped_data("response/subsums")["organ"]
    answer = []
    for region in regions():
        lesions = tuple(
            lesion
            for lesion in chain.roster.lesions
            if (where := chain.organs.get(lesion)) is not None and where.startswith(organ) == region.inside
        )
        if lesions:
            answer.append(_sub_sum(chain, region, lesions, rules))
    return tuple(answer)


def _sub_sum(chain: Chain, region: Region, lesions: tuple[str, ...], rules: ResponseTable) -> SubSum:
    known = {lesion: mm for lesion, mm in chain.roster.baseline.items() if lesion in lesions}
    roster = Roster(lesions, chain.roster.nodal & set(lesions), known)
    seen = [{lesion: point.contributions[lesion] for lesion in lesions} for point in chain.timepoints]
    return SubSum(region, roster, tuple(target_course(roster, seen, rules=rules)))

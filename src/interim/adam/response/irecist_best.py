"""iRECIST from dated responses: progression blocks, confirmed progression, best overall response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from interim.adam.response.assessments import (
    CR,
    ND,
    NE,
    NON,
    PD,
    PR,
    SD,
    UPD,
    Assessment,
    BestRules,
    Limits,
    up_to_first,
    used,
)
from interim.adam.response.best_response import (
    Best,
    best_overall_response,
    clinical_benefit,
    first_of,
    first_response,
)

ICR, IPR, ISD, INON, IUPD, ICPD = "iCR", "iPR", "iSD", "NON-iCR/NON-iUPD", "iUPD", "iCPD"
_READ = {ICR: CR, IPR: PR, ISD: SD, INON: NON, IUPD: UPD, ICPD: PD, PD: UPD}
_WRITE = {CR: ICR, PR: IPR, SD: ISD, NON: INON, UPD: IUPD, PD: ICPD}
I_VALUES = (ICR, IPR, ISD, INON, ICPD, IUPD, NE)
"""Best-first order of the iRECIST values."""


@dataclass(frozen=True)
class IrecistBest:
    """The iRECIST endpoints of one participant.

    Attributes
    ----------
    used : tuple of Assessment
        Assessments that count, with i-values.
    ibor, icbor, irsp, icrsp, icb, iccb, icpd, iupd : Best
        Best response without and with confirmation, response, clinical benefit, confirmed progression at the first iUPD of its
        block, trailing unconfirmed progression.
    orphan_icpd : bool
        True if an iCPD was reported without an earlier iUPD in its block.
    """

    used: tuple[Assessment, ...]
    ibor: Best
    icbor: Best
    irsp: Best
    icrsp: Best
    icb: Best
    iccb: Best
    icpd: Best
    iupd: Best
    orphan_icpd: bool = False


def to_i(value: str) -> str:
    """Return a RECIST 1.1 value as iRECIST writes it.

    Parameters
    ----------
    value : str
        Overall response.

    Returns
    -------
    str
        The i-value; progression becomes iUPD; NE and unknown values stay.

    Raises
    ------
    None

    Examples
    --------
    >>> to_i("PR"), to_i("PD"), to_i("iCPD")
    ('iPR', 'iUPD', 'iCPD')
    """
    if value == PD:
        return IUPD
    return value if value in _READ else _WRITE.get(value, value)


def irecist_best(
    assessments: Sequence[Assessment],
    *,
    rules: BestRules,
    limits: Limits | None = None,
    early_death: bool = False,
) -> IrecistBest:
    """Return the iRECIST endpoints from dated responses.

    Parameters
    ----------
    assessments : sequence of Assessment
        i-values, or RECIST 1.1 values up to the first progression followed by i-values.
    rules : BestRules
        Minimum day, windows of confirmation, clinical benefit.
    limits : Limits, optional
        Days between which assessments count.
    early_death : bool
        Whether the participant died before any assessment.

    Returns
    -------
    IrecistBest
        Values written as iRECIST writes them.

    Raises
    ------
    None

    Notes
    -----
    Assessments after the first confirmed progression are not used. Confirmed progression votes at the first iUPD of its block
    (only iUPD and NE in between). An iCPD without an earlier iUPD is no confirmed progression: it is read as iUPD.
    """
    strict = replace(rules, stop_at_pd=False, accept_one_sd_for_pr=False, cr_then_pr="keep")
    read = [replace(a, response=_READ.get(a.response, a.response)) for a in assessments]
    every, orphan = _dated_blocks(used(read, rules=strict, limits=limits))
    counted = up_to_first(every, PD)
    progression = first_of(counted, PD)
    response = {yes: first_response(counted, rules=strict, confirmed=yes) for yes in (False, True)}
    best = {
        yes: _write(best_overall_response(counted, rules=strict, confirmed=yes, early_death=early_death))
        for yes in (False, True)
    }
    benefit = {
        yes: clinical_benefit(counted, rules=strict, response=response[yes], progression=progression.day)
        for yes in (False, True)
    }
    written = tuple(replace(a, response=_WRITE.get(a.response, a.response)) for a in counted)
    return IrecistBest(
        used=written,
        ibor=best[False],
        icbor=best[True],
        irsp=response[False],
        icrsp=response[True],
        icb=benefit[False],
        iccb=benefit[True],
        icpd=progression,
        iupd=_trailing(counted),
        orphan_icpd=orphan,
    )


def _write(best: Best) -> Best:
    return replace(best, value=_WRITE.get(best.value, best.value))


def _dated_blocks(assessments: Sequence[Assessment]) -> tuple[tuple[Assessment, ...], bool]:
    """Return the assessments with every iCPD dated to the first iUPD of its block, and whether one had none."""
    answer, opening, orphan = [], None, False
    for item in assessments:
        if item.response == PD and opening is None:
            item, orphan = replace(item, response=UPD), True
        if item.response == UPD:
            opening = item if opening is None else opening
        elif item.response == PD and opening is not None:
            item = replace(item, voted=opening.day)
        elif item.response not in (NE, ND):
            opening = None
        answer.append(item)
    return tuple(answer), orphan


def _trailing(assessments: Sequence[Assessment]) -> Best:
    """Return the first iUPD of a run of iUPD and NE that reaches the end."""
    first = Best("N", None)
    for item in reversed(assessments):
        if item.response not in (UPD, NE, ND):
            break
        if item.response == UPD:
            first = Best("Y", item.day, (), item.key)
    return first

"""iRECIST from lesions: iUPD opens a block, the next scans confirm it, keep it open or reset the bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from interim.adam.response.irecist_best import ICPD, IUPD, to_i
from interim.adam.response.target import TOLERANCE_MM
from interim.adam.response.timepoint import NE, overall_response
from interim.study.efficacy import IrecistTable

TARGET, NONTARGET, NEW = "target", "non-target", "new lesion"
_CONFIRMS = {TARGET: "I-CPD-T", NONTARGET: "I-CPD-NT", NEW: "I-CPD-NEW"}


@dataclass(frozen=True)
class ImmuneVisit:
    """What iRECIST needs of one time point.

    Attributes
    ----------
    day : int
        Days from the reference date.
    target, nontarget : str
        RECIST 1.1 target and non-target response.
    total : float or None
        Sum of the assessed target lesions in mm.
    further : bool
        Whether a further increase of the non-target lesions was recorded.
    new : frozenset of str
        Unequivocal new lesions that are seen.
    new_total : float
        Sum of the measured new lesions in mm.
    new_grown : bool
        Whether an increase of the unmeasured new lesions was recorded.
    key : int
        Names the time point; the caller's.
    """

    day: int
    target: str
    nontarget: str = "NONE"
    total: float | None = None
    further: bool = False
    new: frozenset[str] = field(default_factory=frozenset)
    new_total: float = 0.0
    new_grown: bool = False
    key: int = -1

    @property
    def criteria(self) -> frozenset[str]:
        """The categories that meet progression."""
        met = {TARGET: self.target == "PD", NONTARGET: self.nontarget == "PD", NEW: bool(self.new)}
        return frozenset(name for name, yes in met.items() if yes)

    @property
    def plain(self) -> str:
        """The RECIST 1.1 overall response."""
        return overall_response(self.target, self.nontarget, "Y" if self.new else "N").value


@dataclass(frozen=True)
class ImmuneResponse:
    """The iRECIST value of one time point.

    Attributes
    ----------
    value : str
        iCR, iPR, iSD, NON-iCR/NON-iUPD, iUPD, iCPD or NE.
    codes : tuple of str
        Reasons; the first decided, the others flag an early or late confirmation.
    """

    value: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class _Block:
    """An open block: the iUPD that opened it, and the visit with which growth is compared."""

    opening: ImmuneVisit
    compared: ImmuneVisit


def irecist_course(visits: Sequence[ImmuneVisit], *, rules: IrecistTable) -> tuple[ImmuneResponse, ...]:
    """Return the iRECIST value of each time point.

    Parameters
    ----------
    visits : sequence of ImmuneVisit
        In the order of time.
    rules : IrecistTable
        Growth and days that confirm a progression.

    Returns
    -------
    tuple of ImmuneResponse
        One per time point.

    Raises
    ------
    None

    Examples
    --------
    >>> scans = [ImmuneVisit(35, "PR", total=60), ImmuneVisit(70, "PD", total=80), ImmuneVisit(105, "PD", total=90)]
    >>> [answer.value for answer in irecist_course(scans, rules=IrecistTable())]
    ['iPR', 'iUPD', 'iCPD']
    """
    block: _Block | None = None
    answers = []
    for visit in visits:
        answer = _without_block(visit) if block is None else _in_block(visit, block, rules)
        answers.append(answer)
        block = _next_block(visit, answer, block, rules)
    return tuple(answers)


def _without_block(visit: ImmuneVisit) -> ImmuneResponse:
    if visit.criteria:
        return ImmuneResponse(IUPD, ("I-UPD",))
    return ImmuneResponse(to_i(visit.plain), ("I-AS11",))


def _in_block(visit: ImmuneVisit, block: _Block, rules: IrecistTable) -> ImmuneResponse:
    reasons = _growth(visit, block, rules)
    if reasons:
        return _timed(visit, block, reasons, rules)
    if visit.criteria:
        return ImmuneResponse(IUPD, ("I-UPD-STAY",))
    if visit.plain == NE:
        return ImmuneResponse(NE, ("I-NE",))
    return ImmuneResponse(to_i(visit.plain), ("I-RESET",))


def _growth(visit: ImmuneVisit, block: _Block, rules: IrecistTable) -> tuple[str, ...]:
    """Return the codes of every category that grew further, and of categories that newly progress."""
    opened = block.opening.criteria
    compared = block.compared
    grown = {
        TARGET: _more(visit.total, compared.total, rules),
        NONTARGET: visit.further,
        NEW: _more(visit.new_total, compared.new_total, rules)
        or visit.new_grown
        or bool(visit.new - block.opening.new),
    }
    codes = [_CONFIRMS[name] for name in (TARGET, NONTARGET, NEW) if name in opened and grown[name]]
    return (*codes, "I-CPD-CAT") if visit.criteria - opened else tuple(codes)


def _more(now: float | None, before: float | None, rules: IrecistTable) -> bool:
    return now is not None and before is not None and now >= before + rules.icpd_abs_mm - TOLERANCE_MM


def _timed(
    visit: ImmuneVisit, block: _Block, reasons: tuple[str, ...], rules: IrecistTable
) -> ImmuneResponse:
    """Return iCPD if the confirmation comes in its window; too early, or late and rejected, it stays iUPD."""
    days = visit.day - block.opening.day
    if days < rules.icpd_min_days:
        return ImmuneResponse(IUPD, ("I-EARLY", *reasons))
    if days <= rules.icpd_max_days:
        return ImmuneResponse(ICPD, reasons)
    if rules.icpd_late == "accept":
        return ImmuneResponse(ICPD, (*reasons, "I-LATE"))
    return ImmuneResponse(IUPD, ("I-LATE", *reasons))


def _next_block(
    visit: ImmuneVisit, answer: ImmuneResponse, block: _Block | None, rules: IrecistTable
) -> _Block | None:
    if answer.value == IUPD and block is None:
        return _Block(visit, visit)
    if block is None or answer.value == ICPD or "I-RESET" in answer.codes:
        return None
    if answer.value == NE or rules.icpd_compare == "opening":
        return block
    return _Block(block.opening, visit)


def seen_new_lesions(
    sightings: Sequence[Iterable[str]], gone: Sequence[Iterable[str]], evaluable: Sequence[bool]
) -> tuple[frozenset[str], ...]:
    """Return the new lesions that are there at each time point: from the first sight until recorded absent.

    Parameters
    ----------
    sightings, gone : sequence of iterable of str
        Lesions recorded as seen, and as absent, at each time point.
    evaluable : sequence of bool
        Whether the time point could be evaluated; one that could not carries nothing forward.

    Returns
    -------
    tuple of frozenset of str
        One per time point.

    Raises
    ------
    None

    Examples
    --------
    >>> [sorted(seen) for seen in seen_new_lesions([["N1"], [], []], [[], [], ["N1"]], [True] * 3)]
    [['N1'], ['N1'], []]
    """
    known: set[str] = set()
    answers = []
    for seen, absent, can_tell in zip(sightings, gone, evaluable, strict=True):
        here = frozenset(seen)
        known = (known | here) - set(absent)
        answers.append(frozenset(known) if can_tell else here)
    return tuple(answers)

"""Time points: non-target response, new lesions, and the overall response of one time point."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

PD, NE, NONE, NED = "PD", "NE", "NONE", "NED"
NON = "NON-CR/NON-PD"
ABSENT, PRESENT, UNEQUIVOCAL, FURTHER = "ABSENT", "PRESENT", "UNEQUIVOCAL PROGRESSION", "FURTHER INCREASE"
NEW_UNEQUIVOCAL, NEW_EQUIVOCAL = "UNEQUIVOCAL", "EQUIVOCAL"
_PROVEN = {NEW_UNEQUIVOCAL, FURTHER}


@dataclass(frozen=True)
class Judged:
    """A value with the reason for it.

    Attributes
    ----------
    value : str
        Response, or Y / N for a new lesion.
    codes : tuple of str
        Every reason that applies; the first is the reason that is printed.
    """

    value: str
    codes: tuple[str, ...]

    @property
    def code(self) -> str:
        """The reason that is printed."""
        return self.codes[0]


def nontarget_response(
    states: Mapping[str, str], expected: Iterable[str], *, markers_normal: bool = True
) -> Judged:
    """Return the response of the non-target lesions at one time point.

    Parameters
    ----------
    states : mapping of str to str
        Lesion id -> ABSENT, PRESENT, UNEQUIVOCAL PROGRESSION, FURTHER INCREASE or NE.
    expected : iterable of str
        Non-target lesions at baseline.
    markers_normal : bool
        False if a tumour marker of the study is not known to be normal.

    Returns
    -------
    Judged
        PD, NE, CR, NON-CR/NON-PD or NONE.

    Raises
    ------
    None

    Examples
    --------
    >>> nontarget_response({"NT01": "ABSENT"}, ["NT01", "NT02"]).value
    'NE'
    """
    lesions = tuple(dict.fromkeys((*expected, *states)))
    seen = [states.get(lesion, NE) for lesion in lesions]
    if not lesions:
        return Judged(NONE, ("N-NONE",))
    if UNEQUIVOCAL in seen or FURTHER in seen:
        return Judged(PD, ("N-PD",))
    if any(state not in (ABSENT, PRESENT) for state in seen):
        return Judged(NE, ("N-NE",))
    if PRESENT in seen:
        return Judged(NON, ("N-PRES",))
    return Judged("CR", ("N-CR",)) if markers_normal else Judged(NON, ("N-MARKER",))


def new_lesions(sightings: Sequence[Mapping[str, str]], *, backdate: bool) -> tuple[Judged, ...]:
    """Return whether an unequivocal new lesion was there at each time point.

    Parameters
    ----------
    sightings : sequence of mapping of str to str
        One per time point, in the order of time: new lesion id -> UNEQUIVOCAL, EQUIVOCAL, FURTHER INCREASE or
        ABSENT.
    backdate : bool
        Whether a lesion first equivocal and later unequivocal is dated to its first sight.

    Returns
    -------
    tuple of Judged
        Y (W-NEW, W-BACK) or N (W-EQ, W-NONE).

    Raises
    ------
    None
    """
    proven = {lesion for seen in sightings for lesion, state in seen.items() if state in _PROVEN}
    answers = []
    for seen in sightings:
        earlier = {lesion for lesion, state in seen.items() if state == NEW_EQUIVOCAL}
        if _PROVEN & set(seen.values()):
            answers.append(Judged("Y", ("W-NEW",)))
        elif backdate and earlier & proven:
            answers.append(Judged("Y", ("W-BACK",)))
        else:
            answers.append(Judged("N", ("W-EQ" if earlier else "W-NONE",)))
    return tuple(answers)


def overall_response(target: str, nontarget: str, new: str) -> Judged:
    """Return the overall response of one time point.

    Parameters
    ----------
    target : str
        CR, PR, SD, PD, NE, or NONE without target lesion at baseline.
    nontarget : str
        CR, NON-CR/NON-PD, PD, NE, or NONE without non-target lesion at baseline.
    new : str
        Y if an unequivocal new lesion was found.

    Returns
    -------
    Judged
        CR, PR, SD, NON-CR/NON-PD, PD, NE or NED.

    Raises
    ------
    None

    Examples
    --------
    >>> overall_response("CR", "NE", "N")
    Judged(value='PR', codes=('P-CR-NT',))
    """
    reasons = {"P-NEW": new == "Y", "P-TGT-PD": target == PD, "P-NT-PD": nontarget == PD}
    progressed = tuple(code for code, holds in reasons.items() if holds)
    if progressed:
        return Judged(PD, progressed)
    if target == NONE:
        return _without_target(nontarget)
    if target == "CR" and nontarget not in ("CR", NONE):
        return Judged("PR", ("P-CR-NT",))
    return Judged(target, (f"P-{target}",))


def _without_target(nontarget: str) -> Judged:
    if nontarget == NONE:
        return Judged(NED, ("P-NED",))
    return Judged(nontarget, ({"CR": "P-CR", NON: "P-NON"}.get(nontarget, "P-NE"),))

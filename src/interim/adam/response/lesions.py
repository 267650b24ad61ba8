"""Lesions: what one recorded lesion adds to the sum of diameters of its visit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from interim.study.efficacy import ResponseTable

ABSENT, TSTM, NOT_EVALUABLE, TREATED = "ABSENT", "TOO SMALL TO MEASURE", "NOT EVALUABLE", "TREATED"
MERGED, SPLIT, NO_AXIS = "MERGED", "SPLIT", "NO SHORT AXIS"


@dataclass(frozen=True)
class Measure:
    """What a reader recorded for one lesion at one visit.

    Attributes
    ----------
    mm : float or None
        Diameter in mm: the long one, the short axis of a node.
    state : str or None
        ABSENT, TOO SMALL TO MEASURE, NOT EVALUABLE, TREATED, MERGED, SPLIT or NO SHORT AXIS; None if a number alone was given.
    fragments : tuple of float
        Long diameters of the fragments of a split lesion, in mm.
    """

    mm: float | None = None
    state: str | None = None
    fragments: tuple[float, ...] = ()


@dataclass(frozen=True)
class Contribution:
    """What a lesion adds to the sum of its visit.

    Attributes
    ----------
    mm : float or None
        Millimetres that enter the sum; None if the lesion is missing.
    code : str
        Reason: L-MM, L-ABSENT, L-TSTM, L-SPLIT, L-MERGED, L-NE, L-NOROW, L-NOAXIS or L-TREATED.
    """

    mm: float | None
    code: str

    @property
    def missing(self) -> bool:
        """True if the lesion could not be assessed."""
        return self.mm is None

    @property
    def blocks_cr(self) -> bool:
        """True if the lesion is still seen whatever its diameter: merged into another, or split."""
        return self.code == "L-MERGED" or (self.code == "L-SPLIT" and bool(self.mm))

    @property
    def gone(self) -> bool:
        """True if the lesion has disappeared."""
        return self.mm == 0 and self.code in ("L-MM", "L-ABSENT", "L-SPLIT")


NO_ROW = Contribution(None, "L-NOROW")
_FIXED = {
    ABSENT: Contribution(0.0, "L-ABSENT"),
    MERGED: Contribution(0.0, "L-MERGED"),
    NOT_EVALUABLE: Contribution(None, "L-NE"),
    NO_AXIS: Contribution(None, "L-NOAXIS"),
}


def contribution(measure: Measure | None, *, rules: ResponseTable) -> Contribution:
    """Return what a lesion adds to the sum.

    Parameters
    ----------
    measure : Measure or None
        What was recorded; None if the visit has no row of the lesion.
    rules : ResponseTable
        ``tstm_mm`` and ``treated_lesion``.

    Returns
    -------
    Contribution
        Millimetres and reason.

    Raises
    ------
    None

    Notes
    -----
    A number of 0-4 mm is left as it is. A negative or absent number without a state is not evaluable.

    Examples
    --------
    >>> contribution(Measure(state="ABSENT"), rules=ResponseTable())
    Contribution(mm=0.0, code='L-ABSENT')
    >>> contribution(Measure(state="SPLIT", fragments=(4.0, 7.5)), rules=ResponseTable()).mm
    11.5
    """
    if measure is None:
        return NO_ROW
    if measure.state in _FIXED:
        return _FIXED[measure.state]
    if measure.state == TSTM:
        return Contribution(float(rules.tstm_mm), "L-TSTM")
    if measure.state == SPLIT:
        return Contribution(math.fsum(measure.fragments), "L-SPLIT")
    if measure.state == TREATED and rules.treated_lesion == "missing":
        return Contribution(None, "L-TREATED")
    if measure.mm is None or not measure.mm >= 0:
        return Contribution(None, "L-TREATED" if measure.state == TREATED else "L-NE")
    return Contribution(float(measure.mm), "L-MM" if measure.mm else "L-ABSENT")

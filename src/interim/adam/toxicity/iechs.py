"""Screening rule for haemophagocytic lymphohistiocytosis-like syndrome after effector cells (IEC-HS, ASTCT 2023)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from interim.adam.source import shipped_data
from interim.study.toxicity import ToxicityTable

Verdict = Literal["SCREEN_POSITIVE", "SCREEN_NEGATIVE", "NOT_EVALUABLE"]
CONCURRENT = "CONCURRENT_CRS"


@dataclass(frozen=True)
class IecHsFindings:
    """Findings of one screening; None: not recorded.

    Attributes
    ----------
    ferritin_x_uln, ferritin_x_base : float or None
        Multiples of the upper limit and of the value at the infusion.
    ferritin_rise : float or None
        Highest ratio of two values within ``iechs_rise_h`` hours.
    aminotransferase : float or None
        ALT or AST, multiple of the upper limit, or of the baseline if that was abnormal.
    fibrinogen, fibrinogen_lln : float or None
        g/L.
    cytopenia_grade : int or None
        Highest grade of a new or worse cytopenia.
    haemophagocytosis : bool or None
        Seen in marrow or tissue.
    hours_after_crs : float or None
        Hours from the onset of cytokine release syndrome to the onset of these findings; None without such a syndrome.
    """

    ferritin_x_uln: float | None = None
    ferritin_x_base: float | None = None
    ferritin_rise: float | None = None
    aminotransferase: float | None = None
    fibrinogen: float | None = None
    fibrinogen_lln: float | None = None
    cytopenia_grade: int | None = None
    haemophagocytosis: bool | None = None
    hours_after_crs: float | None = None


@dataclass(frozen=True)
class IecHsScreen:
    """Outcome of the screening; the investigator adjudicates.

    Attributes
    ----------
    verdict : {"SCREEN_POSITIVE", "SCREEN_NEGATIVE", "NOT_EVALUABLE"}
        Outcome.
    supporting : tuple of str
        Supporting criteria that hold.
    missing : tuple of str
        Inputs that decide and were not recorded.
    reason : str
        CONCURRENT_CRS if the criteria hold but too early after the onset of cytokine release syndrome.
    """

    verdict: Verdict
    supporting: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    reason: str = ""


def iechs_screen(findings: IecHsFindings, rules: ToxicityTable) -> IecHsScreen:
    """Screen for IEC-HS.

    Parameters
    ----------
    findings : IecHsFindings
        Laboratory and timing.
    rules : ToxicityTable
        ``iechs_min_support``, ``iechs_min_hours``.

    Returns
    -------
    IecHsScreen
        Positive: ferritin and enough supporting criteria. A missing input matters only if it can change the outcome.

    Raises
    ------
    None

    Examples
    --------
    >>> iechs_screen(IecHsFindings(ferritin_x_uln=1.0, ferritin_x_base=1.1, ferritin_rise=1.0), ToxicityTable()).verdict
    'SCREEN_NEGATIVE'
    """
    ferritin = _ferritin(findings)
    support = _supporting(findings)
    held = tuple(name for name, holds in support.items() if holds)
    unknown = tuple(name for name, holds in support.items() if holds is None)
    required = _any(ferritin.values())
    enough = len(held) >= rules.iechs_min_support
    possible = len(held) + len(unknown) >= rules.iechs_min_support
    if required is False or not possible:
        return IecHsScreen("SCREEN_NEGATIVE", held)
    early = findings.hours_after_crs is not None and findings.hours_after_crs < rules.iechs_min_hours
    if early:
        return IecHsScreen("SCREEN_NEGATIVE", held, reason=CONCURRENT if required and enough else "")
    if required is None or not enough:
        gone = [name for name, holds in ferritin.items() if holds is None] if required is None else []
        return IecHsScreen("NOT_EVALUABLE", held, (*gone, *(() if enough else unknown)))
    return IecHsScreen("SCREEN_POSITIVE", held)


def _any(answers: Iterable[bool | None]) -> bool | None:
    listed = list(answers)
    return True if any(listed) else None if None in listed else False


def _above(value: float | None, limit: float) -> bool | None:
    return None if value is None else value > limit


def _ferritin(findings: IecHsFindings) -> dict[str, bool | None]:
    limits = shipped_data("toxicity")["iechs"]
    rise = findings.ferritin_rise
    return {
        "ferritin x ULN": _above(findings.ferritin_x_uln, limits["ferritin_x_uln"]),
        "ferritin x baseline": _above(findings.ferritin_x_base, limits["ferritin_x_base"]),
        "ferritin rise": None if rise is None else rise >= limits["rise"],
    }


def _supporting(findings: IecHsFindings) -> dict[str, bool | None]:
    limits = shipped_data("toxicity")["iechs"]
    low = None
    if findings.fibrinogen is not None:
        low = findings.fibrinogen < max(limits["fibrinogen"], findings.fibrinogen_lln or 0.0)
    grade = findings.cytopenia_grade
    return {
        "aminotransferase": _above(findings.aminotransferase, limits["aminotransferase"]),
        "fibrinogen": low,
        "cytopenia": None if grade is None else grade >= limits["cytopenia_grade"],
        "haemophagocytosis": findings.haemophagocytosis,
    }

"""ADTR: one row per target lesion and time point, and one per sum."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from interim.adam.response.chains import Chain, Timepoint
from interim.adam.response.lesions import contribution
from interim.adam.response.scans import Scan
from interim.adam.response.subsums import sub_sums
from interim.adam.response.target import Roster, TargetVisit
from interim.adam.source import text_missing
from interim.study.efficacy import ResponseTable

COLUMNS = [
    "USUBJID",
    "PARCAT2",
    "PARAMCD",
    "PARAM",
    "TRLNKID",
    "TULOC",
    "ADT",
    "AVISITN",
    "AVISIT",
    "AVAL",
    "AVALC",
    "AVALU",
    "BASE",
    "CHG",
    "PCHG",
    "NADIR",
    "PCHGNAD",
    "DTYPE",
    "ABLFL",
    "RSNCD",
    "SRCDOM",
    "SRCSEQ",
]
_NUMBERS = ("AVISITN", "AVAL", "BASE", "CHG", "PCHG", "NADIR", "PCHGNAD")
_LABELS = {
    "LDIAM": "Diameter of target lesion (mm)",
    "NTLSTAT": "Status of non-target lesion",
    "NEWLSTAT": "Status of new lesion",
    "SDIAM": "Sum of target lesion diameters (mm)",
    "LSDIAM": "Sum of liver target lesion diameters (mm; post-hoc, not RECIST)",
    "ESDIAM": "Sum of extrahepatic target lesion diameters (mm; post-hoc, not RECIST)",
}


def tumour_frame(chains: Iterable[Chain], *, rules: ResponseTable) -> pd.DataFrame:
    """Return ADTR.

    Parameters
    ----------
    chains : iterable of Chain
        Every participant and evaluator.
    rules : ResponseTable
        How a baseline state is read.

    Returns
    -------
    pandas.DataFrame
        PARAMCD LDIAM (per lesion), SDIAM (per time point; DTYPE PARTIAL if a lesion is missing) and the sub-sums LSDIAM
        (liver) and ESDIAM (elsewhere); NTLSTAT and NEWLSTAT (AVALC: status of a non-target or new lesion); sorted by
        participant, evaluator, parameter, lesion, date.

    Raises
    ------
    None

    Notes
    -----
    RSNCD holds the lesion code; of a sum BASE_ZERO or NADIR_ZERO where a percentage is not defined.
    """
    rows = [row for chain in chains for row in _chain_rows(chain, rules)]
    frame = text_missing(pd.DataFrame(rows, columns=COLUMNS, dtype=object))
    frame = frame.astype(dict.fromkeys(_NUMBERS, "float64"))
    frame["ADT"] = pd.to_datetime(frame["ADT"]).astype("datetime64[ns]")
    keys = ["USUBJID", "PARCAT2", "PARAMCD", "TRLNKID", "ADT", "AVISITN"]
    return frame.sort_values(keys, kind="stable", na_position="first").reset_index(drop=True)


def _chain_rows(chain: Chain, rules: ResponseTable) -> Iterator[dict[str, Any]]:
    yield from _status_rows(chain)
    if not chain.roster.lesions:
        return
    if chain.baseline is not None:
        yield from _baseline_rows(chain, chain.baseline, rules)
    for point in chain.timepoints:
        yield from _lesion_rows(chain, point)
        yield _sum_row(chain, point, "SDIAM", (point.roster, point.target))
    for part in sub_sums(chain, rules=rules):
        if chain.baseline is not None:
            yield _baseline_sum(chain, chain.baseline, part.region.sum, part.roster)
        for point, target in zip(chain.timepoints, part.visits, strict=True):
            yield _sum_row(chain, point, part.region.sum, (part.roster, target))


def _status_rows(chain: Chain) -> Iterator[dict[str, Any]]:
    """Yield the status of every non-target and new lesion at baseline and at every time point."""
    seen = [(point.scan, point.date) for point in chain.timepoints]
    if chain.baseline is not None:
        seen.insert(0, (chain.baseline, chain.baseline.last))
    for scan, day in seen:
        for code, states in (("NTLSTAT", scan.nontargets), ("NEWLSTAT", scan.new)):
            for lesion, state in sorted(states.items()):
                yield {
                    **_row(chain, scan, day, code),
                    "TRLNKID": lesion,
                    "TULOC": chain.organs.get(lesion),
                    "AVALC": state,
                    "AVALU": None,
                    "ABLFL": "Y" if scan is chain.baseline else None,
                    "SRCSEQ": scan.sources([lesion]),
                }


def _row(chain: Chain, scan: Scan, day: pd.Timestamp, code: str) -> dict[str, Any]:
    return {
        "USUBJID": chain.subject,
        "PARCAT2": chain.evaluator,
        "PARAMCD": code,
        "PARAM": _LABELS[code],
        "ADT": day,
        "AVISITN": scan.visitnum,
        "AVISIT": scan.visit,
        "AVALU": "mm",
        "SRCDOM": "TR",
    }


def _baseline_rows(chain: Chain, scan: Scan, rules: ResponseTable) -> Iterator[dict[str, Any]]:
    for lesion in chain.roster.lesions:
        value = chain.roster.baseline.get(lesion)
        found = contribution(scan.targets.get(lesion), rules=rules)
        yield {
            **_row(chain, scan, scan.last, "LDIAM"),
            "TRLNKID": lesion,
            "TULOC": chain.organs.get(lesion),
            "AVAL": value,
            "BASE": value,
            "ABLFL": "Y",
            "RSNCD": found.code,
            "SRCSEQ": scan.sources([lesion]),
        }
    yield _baseline_sum(chain, scan, "SDIAM", chain.roster)


def _baseline_sum(chain: Chain, scan: Scan, code: str, roster: Roster) -> dict[str, Any]:
    assessed = list(roster.baseline.values())
    return {
        **_row(chain, scan, scan.last, code),
        "AVAL": math.fsum(assessed) if assessed else None,
        "BASE": roster.total,
        "ABLFL": "Y",
        "DTYPE": None if roster.total is not None else "PARTIAL",
        "SRCSEQ": scan.sources(roster.lesions),
    }


def _lesion_rows(chain: Chain, point: Timepoint) -> Iterator[dict[str, Any]]:
    for lesion, part in point.contributions.items():
        base = point.roster.baseline.get(lesion)
        yield {
            **_row(chain, point.scan, point.date, "LDIAM"),
            "TRLNKID": lesion,
            "TULOC": chain.organs.get(lesion),
            "AVAL": part.mm,
            "BASE": base,
            "CHG": _difference(part.mm, base),
            "PCHG": _percent(part.mm, base),
            "RSNCD": part.code,
            "SRCSEQ": point.scan.sources([lesion]),
        }


def _sum_row(chain: Chain, point: Timepoint, code: str, found: tuple[Roster, TargetVisit]) -> dict[str, Any]:
    roster, target = found
    total, nadir, base = target.total, target.nadir, roster.total
    undefined = [name for name, value in (("BASE_ZERO", base), ("NADIR_ZERO", nadir)) if value == 0]
    lesions = point.contributions if code == "SDIAM" else roster.lesions
    return {
        **_row(chain, point.scan, point.date, code),
        "AVAL": total,
        "BASE": base,
        "CHG": _difference(total, base),
        "PCHG": _percent(total, base),
        "NADIR": nadir,
        "PCHGNAD": _percent(total, nadir),
        "DTYPE": None if target.complete else "PARTIAL",
        "RSNCD": ";".join(undefined) or None,
        "SRCSEQ": point.scan.sources(lesions),
    }


def _difference(value: float | None, reference: float | None) -> float | None:
    return None if value is None or reference is None else value - reference


def _percent(value: float | None, reference: float | None) -> float | None:
    return None if value is None or not reference else 100 * (value - reference) / reference

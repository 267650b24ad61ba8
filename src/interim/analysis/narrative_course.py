"""What stands beside an event of a narrative: its grade by day, and the medication that was begun while it lasted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from interim.adam.adlb import first_base_type
from interim.adam.model import Adam
from interim.adam.toxicity.assessments import crs_assessments, icans_assessments, signs_of
from interim.analysis.history import medication_records
from interim.analysis.listing import column
from interim.data.check.vocabulary import words
from interim.data.model import Sdtm
from interim.result import Rows
from interim.study import Study

GRADE, DRUG = "grade", "drug"
_LABORATORY, _SIGNS = "laboratory", "signs"
_KINDS = {"CRS": crs_assessments, "ICANS": icans_assessments}
_SIDES = {"L": False, "H": True}
_COLUMNS = ["USUBJID", "EVENT", "AT", "GRADE", "BASIS", "SRCDOM", "SRCSEQ"]
_KEYS = ["USUBJID", "EVENT", "AT"]
_FATAL = "FATAL"


@dataclass(frozen=True)
class Beside:
    """What the data say of events beside the events themselves.

    Attributes
    ----------
    grades : pandas.DataFrame
        USUBJID, EVENT (its number), AT (day), GRADE (the highest of that day), BASIS, SRCDOM and SRCSEQ (of a result).
    drugs : pandas.DataFrame or None
        Medication that is no anticancer therapy; None where none was collected.
    """

    grades: pd.DataFrame
    drugs: pd.DataFrame | None


def beside_events(adam: Adam, events: pd.DataFrame, *, study: Study, sdtm: Sdtm | None) -> Beside:
    """Return what the data say of events beside the events themselves.

    Parameters
    ----------
    adam : Adam
        ADSL, ADLB.
    events : pandas.DataFrame
        Rows of ADAE.
    study : Study
        Scales of cytokine release and neurotoxicity.
    sdtm : Sdtm, optional
        CM; VS, CE and QS with the signs.

    Returns
    -------
    Beside
        Of results graded while an event lasted whose term is that of the result, and of the assessments of cytokine release
        and neurotoxicity within it; an event that has not ended lasts on.

    Raises
    ------
    None
    """
    parts = [*_of_results(adam, events, study), *(_of_signs(events, study, sdtm) if sdtm else ())]
    known = [part for part in parts if len(part)]
    found = pd.concat(known, ignore_index=True) if known else pd.DataFrame(columns=_COLUMNS)
    worst = found.sort_values([*_KEYS, "GRADE"], kind="stable").drop_duplicates(_KEYS, keep="last")
    drugs = medication_records(adam, sdtm) if sdtm is not None and sdtm.has("CM") else None
    return Beside(worst, drugs)


def _of_results(adam: Adam, events: pd.DataFrame, study: Study) -> Iterator[pd.DataFrame]:
    """Yield the graded results whose CTCAE term is that of an event; of other events those whose test has its term."""
    if not adam.has("ADLB") or events.empty:
        return
    adlb = adam["ADLB"].loc[lambda frame: frame["BASETYPE"] == first_base_type(study)]
    sides = [
        adlb[["USUBJID", "PARAMCD", "SRCDOM", "SRCSEQ"]].assign(
            AT=adlb["ADT"], GRADE=adlb[f"ATOXGR{side}"], TERM=adlb[f"ATOXDSC{side}"], HIGH=high
        )
        for side, high in _SIDES.items()
    ]
    graded = pd.concat(sides, ignore_index=True).dropna(subset=["AT", "GRADE"])
    spans = pd.DataFrame(
        {
            "USUBJID": events["USUBJID"],
            "EVENT": events["SRCSEQ"],
            "NAME": column(events, "AEDECOD").fillna("").str.upper(),
            "FROM": events["ASTDT"],
            "TO": events["AENDT"],
        }
    )
    pairs = graded.merge(spans, on="USUBJID", how="inner", validate="m:m")
    pairs = pairs[(pairs["FROM"] <= pairs["AT"]) & ~(pairs["TO"] < pairs["AT"])]
    exact = pairs["TERM"].fillna("").str.upper() == pairs["NAME"]
    named = set(pairs.loc[exact, ["USUBJID", "EVENT"]].itertuples(index=False, name=None))
    free = [pair not in named for pair in pairs[["USUBJID", "EVENT"]].itertuples(index=False, name=None)]
    tests = pairs[["PARAMCD", "HIGH", "NAME"]].itertuples(index=False, name=None)
    listed = [pair in _listed() for pair in tests]
    chosen = exact | (
        pd.Series(free, index=pairs.index, dtype=bool) & pd.Series(listed, index=pairs.index, dtype=bool)
    )
    yield pairs[chosen].assign(BASIS=_LABORATORY)[_COLUMNS]


def _listed() -> set[tuple[str, bool, str]]:
    """Return test, direction and preferred term of the results that the check of grades knows."""
    rows = words("laboratory")["grade"]
    return {(row["test"], bool(row["high"]), term) for row in rows for term in row["terms"]}


def _of_signs(events: pd.DataFrame, study: Study, sdtm: Sdtm) -> Iterator[pd.DataFrame]:
    """Yield the derived grades of cytokine release and neurotoxicity, the highest that the signs of a day allow."""
    for kind, derive in _KINDS.items():
        mine = events[column(events, f"{kind}FL") == "Y"]
        if mine.empty:
            continue
        fatal = (column(mine, "AEOUT") == _FATAL).astype(bool)
        dates = {name: pd.to_datetime(column(mine, name)) for name in ("ASTDTM", "AENDTM")}
        found, _ = derive(signs_of(sdtm, mine), mine.assign(FATAL=fatal, **dates), study)
        known = found[found["EVENT"].notna() & found["ASTHI"].notna()]
        yield pd.DataFrame(
            {
                "USUBJID": known["USUBJID"],
                "EVENT": known["EVENT"],
                "AT": known["AT"].dt.normalize(),
                "GRADE": known["ASTHI"],
                "BASIS": _SIGNS,
                "SRCDOM": None,
                "SRCSEQ": None,
            }
        )


def add_beside(rows: Rows, beside: Beside, event: Mapping[Any, Any], *, group: str, level: str) -> None:
    """Add the grade by day of an event, and the medication that was begun while it lasted.

    Parameters
    ----------
    rows : Rows
        Where the rows go.
    beside : Beside
        What the data say beside the events.
    event : mapping
        The event, with START (day of the first infusion).
    group, level : str
        Place of the event; what stands beside it has its number behind a point.

    Returns
    -------
    None

    Raises
    ------
    None

    Notes
    -----
    Variable grade: stats day and grade, and basis (text: laboratory or signs). Variable drug: stats name, day and indication. Where no
    medication was begun, or none was collected, the event has the stat drugs (text).
    """
    subject = str(event["USUBJID"])
    grades = beside.grades
    mine = grades[(grades["USUBJID"] == subject) & (grades["EVENT"] == event["SRCSEQ"])]
    for number, item in enumerate(mine.to_dict("records"), 1):
        place: dict[str, Any] = {"group": group, "variable": GRADE, "level": f"{level}.{number}"}
        known = isinstance(item["SRCDOM"], str)
        source = [(subject, item["SRCDOM"] if known else None, str(item["SRCSEQ"]) if known else None)]
        rows.add("day", float((item["AT"] - event["START"]).days), unit="days", sources=source, **place)
        rows.add("grade", float(item["GRADE"]), sources=source, **place)
        rows.add("basis", None, text=item["BASIS"], sources=source, **place)
    _add_drugs(rows, beside.drugs, event, group=group, level=level)


def _add_drugs(
    rows: Rows, drugs: pd.DataFrame | None, event: Mapping[Any, Any], *, group: str, level: str
) -> None:
    subject = str(event["USUBJID"])
    begun = _begun(drugs, event) if drugs is not None else []
    if not begun:
        text = "not recorded" if drugs is None else "none recorded"
        rows.add("drugs", None, text=text, subjects=[subject], group=group, variable="event", level=level)
    for number, item in enumerate(begun, 1):
        place: dict[str, Any] = {"group": group, "variable": DRUG, "level": f"{level}.{number}"}
        source = [(subject, item["SRCDOM"], str(item["SRCSEQ"]))]
        rows.add("name", None, text=str(item["NAME"]), sources=source, **place)
        day = (item["FROM"].normalize() - event["START"]).days
        rows.add("day", float(day), unit="days", sources=source, **place)
        if isinstance(item["INDICATION"], str):
            rows.add("indication", None, text=item["INDICATION"], sources=source, **place)


def _begun(drugs: pd.DataFrame, event: Mapping[Any, Any]) -> list[dict[Any, Any]]:
    """Return the medication whose first day lies within an event, in the order of the days."""
    mine = drugs[drugs["USUBJID"] == event["USUBJID"]]
    day = mine["FROM"].dt.normalize()
    inside = mine[(event["ASTDT"] <= day) & ~(day > event["AENDT"])]
    found: list[dict[Any, Any]] = inside.sort_values(["FROM", "NAME"], kind="stable").to_dict("records")
    return found

"""Protocol deviations: by importance, category and kind; the listing; exceptions from the eligibility criteria."""

from __future__ import annotations

import pandas as pd

from interim.adam.conditions import holds
from interim.adam.model import Adam
from interim.adam.source import date_columns, number_column, text_column
from interim.analysis.listing import RECORDS, built, listing, study_days
from interim.analysis.population import Population, add_not_available, open_rows, population
from interim.analysis.records import (
    add_number,
    add_people,
    by_frequency,
    first_text,
    kind_of,
    participant_rows,
    records_of,
)
from interim.data.model import Sdtm
from interim.result import Result, Rows
from interim.study import Study

_NO_DV = "not available: no DV"
_PARTS = {"important": "Y", "unclassified": "", "not important": "N"}


def important(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Count the protocol deviations by importance, category and kind.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.
    sdtm : Sdtm
        DV.

    Returns
    -------
    Result
        ``deviations.important``; variables any, important, ``important: <category>`` for every planned category (level:
        kind), unclassified and ``unclassified: <category>``, not important and ``not important: <category>``; stats n (participants) and events.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.

    Notes
    -----
    A deviation whose importance is not recorded is no minor one: it has rows of its own.
    """
    who = population(adam, study, "ENR")
    rows = open_rows("deviations.important", "Important protocol deviations", who)
    if not sdtm.has("DV"):
        add_not_available(rows, who.groups, variable="any", reason=_NO_DV)
        return rows.build()
    records = deviation_records(sdtm)
    _add(rows, who, records, "any")
    for part, code in _PARTS.items():
        inside = records[records["IMPORTANT"] == code]
        if part == "unclassified" and inside.empty:
            continue
        _add(rows, who, inside, part)
        _categories(rows, who, inside, part)
    return rows.build()


def _add(rows: Rows, who: Population, records: pd.DataFrame, variable: str, level: str = "") -> None:
    add_people(rows, who, records, variable=variable, level=level)
    add_number(rows, who, records, variable=variable, level=level)


def _categories(rows: Rows, who: Population, records: pd.DataFrame, part: str) -> None:
    """Add the categories of a part: of the important all that are planned, of the others those that occur."""
    layout = participant_rows()["deviations"]
    occur = set(records["CATEGORY"])
    for category in (*layout["categories"], layout["other"]):
        if part != "important" and category not in occur:
            continue
        inside = records[records["CATEGORY"] == category]
        _add(rows, who, inside, f"{part}: {category}")
        for kind in by_frequency(inside, "KIND"):
            _add(rows, who, inside[inside["KIND"] == kind], f"{part}: {category}", kind)


def deviation_records(sdtm: Sdtm) -> pd.DataFrame:
    """Return the protocol deviations with category and importance.

    Parameters
    ----------
    sdtm : Sdtm
        DV with SUPPDV.

    Returns
    -------
    pandas.DataFrame
        USUBJID, SRCDOM, SRCSEQ, CATEGORY (id), KIND, TERM, IMPORTANT (Y, N or empty), ACTION, ADT.

    Raises
    ------
    None

    Notes
    -----
    The category is the first whose word stands in the recorded category, otherwise in the deviation itself; "other" where
    none does.
    """
    layout = participant_rows()["deviations"]
    source = records_of(sdtm, "DV")
    kind = first_text(source, ("DVDECOD", "DVTERM")).fillna("NOT DESCRIBED")
    recorded = kind_of(first_text(source, layout["category"]), layout["categories"])
    named = recorded.where(recorded.notna(), kind_of(kind, layout["categories"]))
    terms = source.get("DVTERM", kind)
    return pd.DataFrame(
        {
            "USUBJID": source["USUBJID"],
            "SRCDOM": source["SRCDOM"],
            "SRCSEQ": source["SRCSEQ"],
            "CATEGORY": named.fillna(layout["other"]),
            "KIND": kind,
            "TERM": terms.where(terms.notna(), kind),
            "IMPORTANT": _importance(source),
            "ACTION": first_text(source, layout["action"]),
            "ADT": date_columns(source, "DVSTDTC")["DT"],
        }
    )


def _importance(source: pd.DataFrame) -> pd.Series:
    """Return Y or N from the first column that says either; empty where none does."""
    layout = participant_rows()["deviations"]
    answer = pd.Series("", index=source.index, dtype=object)
    for name in layout["importance"]:
        text = text_column(source, name)
        for code, words in (("Y", layout["important"]), ("N", layout["not_important"])):
            answer = answer.where((answer != "") | ~text.isin(list(words)), code)
    return answer


def listed(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List the protocol deviations.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.
    sdtm : Sdtm
        DV.

    Returns
    -------
    Result
        ``deviations.listed``; a record per deviation: category, description, day, importance, action.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who, rows, _ = listing(adam, study, ("deviations.listed", "Listing: Protocol deviations"), code="ENR")
    if not sdtm.has("DV"):
        rows.add("n", None, variable=RECORDS, status="NA", reason=_NO_DV)
        return rows.build()
    records = deviation_records(sdtm)
    frame = records[["USUBJID", "SRCDOM", "SRCSEQ"]].assign(
        category=records["CATEGORY"],
        description=records["TERM"].astype(object),
        day=study_days(records, "ADT", adsl=adam["ADSL"]),
        importance=records["IMPORTANT"].replace("", "unknown"),
        action=records["ACTION"],
    )
    return built(rows, frame, who=who, order=["day", "SRCSEQ"])


def exceptions(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List the enrolled participants who did not meet a criterion: by records, and by the limits of the study.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        ``eligibility.age`` and ``eligibility.other``.
    sdtm : Sdtm
        DV: deviations of the category eligibility; IE: criteria not met; DM with SUPPDM.

    Returns
    -------
    Result
        ``deviations.exceptions``; a record per exception: criterion, detail.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    StudyError
        If a condition names a column that DM and SUPPDM do not have.
    """
    who, rows, _ = listing(
        adam, study, ("deviations.exceptions", "Listing: Eligibility exceptions"), code="ENR"
    )
    if not sdtm.has("DV"):
        rows.footnotes = (*rows.footnotes, "Deviations from eligibility criteria are not available: no DV.")
    parts = [_recorded(sdtm), _not_met(sdtm), *_outside_limits(study, sdtm)]
    frame = pd.concat(parts, ignore_index=True).astype(object)
    return built(rows, frame, who=who, order=["place", "criterion", "SRCSEQ"])


_COLUMNS = ["USUBJID", "SRCDOM", "SRCSEQ", "criterion", "detail", "place"]


def _recorded(sdtm: Sdtm) -> pd.DataFrame:
    records = deviation_records(sdtm)
    hit: pd.DataFrame = records[records["CATEGORY"] == participant_rows()["deviations"]["eligibility"]]
    return hit.assign(criterion="deviation", detail=hit["TERM"], place="1")[_COLUMNS]


def _not_met(sdtm: Sdtm) -> pd.DataFrame:
    """Return the criteria that IE records: SDTM holds those that were not met."""
    source = records_of(sdtm, "IE")
    names = first_text(source, ("IETESTCD",)).fillna("CRITERION")
    detail = source.get("IETEST", names)
    return source.assign(criterion=names, detail=detail, place="2")[_COLUMNS]


def _outside_limits(study: Study, sdtm: Sdtm) -> list[pd.DataFrame]:
    """Return who lies outside the limits that the study states."""
    dm = sdtm.with_supp("DM").assign(SRCDOM="DM", SRCSEQ=None, place="3")
    low, high = study.eligibility.age
    age = number_column(dm, "AGE")
    old = dm[(age < low) | (age > high)]
    parts = [old.assign(criterion="age", detail=[f"outside {low:g} to {high:g}"] * len(old))[_COLUMNS]]
    for place, condition in enumerate(study.eligibility.other):
        met = holds(dm, condition, path=f"eligibility.other[{place}]")
        value = "" if condition.value is None else f" {condition.value}"
        text = f"{condition.var} {condition.op}{value}"
        parts.append(dm[~met].assign(criterion="limit", detail=f"not {text}")[_COLUMNS])
    return parts

"""What participants had and took beside the disease under study: medical history, prior and concomitant medication."""

from __future__ import annotations

import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import by_subject, text_column
from interim.adam.toxicity.records import spans
from interim.analysis.listing import RECORDS, built, column, listing, study_days
from interim.analysis.population import add_not_available, open_rows, population
from interim.analysis.records import (
    add_people,
    first_text,
    own_text,
    participant_rows,
    records_of,
    terms_of,
)
from interim.data.model import Sdtm
from interim.result import Result
from interim.study import Study

PRIOR, CONCOMITANT = "prior", "concomitant"


def medical(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Count medical history by class and term, and what is still present.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.
    sdtm : Sdtm
        MH.

    Returns
    -------
    Result
        ``history.medical``; variables condition and ``condition: <class>`` (level: term); stats n, and ongoing where the data say
        which conditions are.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("history.medical", "Medical history and ongoing conditions", who)
    if not sdtm.has("MH"):
        add_not_available(rows, who.groups, variable="condition", reason="not available: no MH")
        return rows.build()
    layout = participant_rows()["history"]
    source = records_of(sdtm, "MH")
    source = source[~text_column(source, "MHCAT").isin(list(layout["not_counted"]))]
    records = source[["USUBJID", "SRCDOM", "SRCSEQ"]].assign(
        CLASS=own_text(source, ("MHBODSYS", "MHSOC"), layout["not_coded"]),
        NAME=own_text(source, ("MHDECOD", "MHTERM"), layout["not_coded"]),
        OPEN=first_text(source, layout["end"]),
    )
    records = records[records["USUBJID"].isin(who.everyone)]
    known = any(name in source for name in layout["end"])
    for variable, level, inside in terms_of(records, "condition", last=layout["not_coded"]):
        add_people(rows, who, inside, variable=variable, level=level)
        if known:
            still = inside[inside["OPEN"].isin(list(layout["ongoing"]))]
            add_people(rows, who, still, variable=variable, level=level, stat="ongoing")
    return rows.build()


def medication_records(adam: Adam, sdtm: Sdtm) -> pd.DataFrame:
    """Return the medication that is no anticancer therapy, as prior or concomitant.

    Parameters
    ----------
    adam : Adam
        ADSL: first infusion.
    sdtm : Sdtm
        CM.

    Returns
    -------
    pandas.DataFrame
        USUBJID, SRCDOM, SRCSEQ, CLASS, NAME, PART (prior or concomitant), INDICATION, FROM, TO (first and last possible
        moment; NaT: not ended).

    Raises
    ------
    None

    Notes
    -----
    Prior is what ended for certain before the day of the first infusion; everything else, also without an end, is concomitant.
    """
    layout = participant_rows()["medication"]
    source = records_of(sdtm, "CM")
    category = text_column(source, "CMCAT").fillna("")
    for part in layout["not_counted"]:
        category = category.where(~category.str.contains(part, regex=False).astype(bool), part)
    source = source[~category.isin(list(layout["not_counted"]))]
    during = spans(source, "CMSTDTC", "CMENDTC")
    start = by_subject(source, adam["ADSL"], "TRTSDT")
    before = pd.Series(CONCOMITANT, index=source.index, dtype=object).where(~(during["TO"] < start), PRIOR)
    return source[["USUBJID", "SRCDOM", "SRCSEQ"]].assign(
        CLASS=own_text(source, ("CMCLAS",), layout["not_coded"]),
        NAME=own_text(source, ("CMDECOD", "CMTRT"), layout["not_coded"]),
        PART=before,
        INDICATION=column(source, "CMINDC"),
        **during,
    )


def medication(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Count prior and concomitant medication by class and name.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.
    sdtm : Sdtm
        CM.

    Returns
    -------
    Result
        ``history.medication``; variables prior and concomitant, ``<part>: <class>`` (level: name); stat n.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("history.medication", "Prior and concomitant medication", who)
    if not sdtm.has("CM"):
        add_not_available(rows, who.groups, variable=CONCOMITANT, reason="not available: no CM")
        return rows.build()
    records = medication_records(adam, sdtm)
    records = records[records["USUBJID"].isin(who.everyone)]
    last = participant_rows()["medication"]["not_coded"]
    for part in (PRIOR, CONCOMITANT):
        for variable, level, inside in terms_of(records[records["PART"] == part], part, last=last):
            add_people(rows, who, inside, variable=variable, level=level)
    return rows.build()


def medication_listed(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List concomitant medication; records that say the same are one row with their number.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.
    sdtm : Sdtm
        CM.

    Returns
    -------
    Result
        ``history.medication_listed``; a record per medication that is concomitant: drug, class, indication, start, end (days
        from the first infusion; a partial date gives its first or last possible day), open (ongoing at the cut-off), records.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("history.medication_listed", "Listing: Concomitant medication")
    who, rows, _ = listing(adam, study, names, code="NK-SAF")
    if not sdtm.has("CM"):
        rows.add("n", None, variable=RECORDS, status="NA", reason="not available: no CM")
        return rows.build()
    records = medication_records(adam, sdtm)
    records = records[records["PART"] == CONCOMITANT]
    adsl = adam["ADSL"]
    frame = records[["USUBJID", "SRCDOM", "SRCSEQ"]].assign(
        drug=records["NAME"],
        indication=records["INDICATION"],
        start=study_days(_dated(records, "FROM"), "FROM", adsl=adsl),
        end=study_days(_dated(records, "TO"), "TO", adsl=adsl),
    )
    frame["open"] = records["TO"].isna().map({True: "ongoing", False: ""}).astype(object)
    return built(rows, _together(frame), who=who, order=["start", "drug"])


def _together(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row for the records that agree in everything that is printed, with all of them as sources."""
    shown = ["USUBJID", "drug", "indication", "start", "end", "open"]
    group = frame.groupby(shown, dropna=False, sort=False)
    first = frame.drop_duplicates(shown).set_index(shown, drop=False)
    keys = group["SRCSEQ"].agg(tuple).reindex(first.index)
    return first.assign(SRCSEQ=keys, records=group.size().reindex(first.index).astype("float64")).reset_index(
        drop=True
    )


def _dated(records: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the records with a moment as a day."""
    return records.assign(**{name: pd.to_datetime(records[name]).dt.normalize()})

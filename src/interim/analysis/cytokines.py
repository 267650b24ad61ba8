"""Cytokines: baseline, peak and fold change; the course of each participant."""

from __future__ import annotations

from interim.adam.model import Adam
from interim.adam.source import ordered
from interim.analysis.measures import Place, add_summary, by_subject, layout
from interim.analysis.population import add_counts, add_not_available, open_rows, population
from interim.result import Result
from interim.study import Study

_NONE = "not available: no cytokine results"


def summary(adam: Adam, study: Study) -> Result:
    """Summarise the cytokine courses after both first infusions.

    Parameters
    ----------
    adam : Adam
        ADSL and ADCYPP.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``cytokines.summary``; variable = analyte and base type, level = statistic; variable ``<analyte> <base> flags`` counts
        participants with a value above the upper limit or after a medicine that changes the analyte.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = population(adam, study, "CART-SAF")
    rows = open_rows("cytokines.summary", "Cytokines: baseline, peak, fold, time to peak", who)
    if not adam.has("ADCYPP") or adam["ADCYPP"].empty:
        add_not_available(rows, who.groups, variable="cytokines", reason=_NONE)
        return rows.build()
    for (code, base), part in adam["ADCYPP"].groupby(["PARAMCD", "BASETYPE"], sort=True):
        variable = f"{code} {base}"
        for name in layout()["cytokines"]["statistics"]:
            found = part[part["STAT"] == name]
            unit = str(found["AVALU"].iloc[0] or "") if len(found) else ""
            place = Place(variable, name, unit, name in layout()["times"]["parameters"])
            add_summary(rows, who, by_subject(found), place=place, study=study)
        one = part.drop_duplicates("USUBJID")
        add_counts(rows, who, variable=f"{variable} below", subjects=one.loc[one["NBLQ"] > 0, "USUBJID"])
        marks = one.loc[one["FLAGS"].notna(), ["USUBJID", "FLAGS"]]
        for flag in sorted({flag for text in marks["FLAGS"] for flag in text.split(";")}):
            hit = marks.loc[marks["FLAGS"].map(lambda text, flag=flag: flag in text.split(";")), "USUBJID"]
            add_counts(rows, who, variable=f"{variable} flags", level=flag, subjects=hit)
    return rows.build()


def course(adam: Adam, study: Study) -> Result:
    """Return the fold change of every cytokine result from the baseline before CAR-T cells.

    Parameters
    ----------
    adam : Adam
        ADSL and ADCY.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``cytokines.course``; group = column, variable = analyte and participant, level = D and the day from the first CAR-T infusion;
        stat log2_fold.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = population(adam, study, "CART-SAF")
    rows = open_rows("cytokines.course", "Cytokine heat map by participant and day", who)
    column = {subject: group for group in who.groups[:-1] for subject in who.members[group]}
    frame = adam["ADCY"] if adam.has("ADCY") else None
    if frame is not None and len(frame):
        shown = frame["DAY"].between(*layout()["cytokines"]["course_days"])
        kept = (
            frame["BASETYPE"].eq("CART")
            & frame["LOG2FOLD"].notna()
            & frame["USUBJID"].isin(list(column))
            & shown
        )
        frame = ordered(frame[kept], ["PARAMCD", "USUBJID", "DAY", "SRCSEQ"])
        frame = frame.assign(WHEN=frame["DAY"].round(2)).drop_duplicates(
            ["PARAMCD", "USUBJID", "WHEN"], keep="last"
        )
    if frame is None or frame.empty:
        add_not_available(rows, who.groups, variable="cytokines", reason=_NONE)
        return rows.build()
    for record in frame.to_dict("records"):
        rows.add(
            "log2_fold",
            float(record["LOG2FOLD"]),
            group=column[record["USUBJID"]],
            variable=f"{record['PARAMCD']}|{record['USUBJID']}",
            level=f"D{record['WHEN']:.2f}",
            sources=[(record["USUBJID"], record["SRCDOM"], record["SRCSEQ"])],
        )
    return rows.build()

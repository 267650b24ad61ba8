"""Anticancer therapy before the study: lines, classes, liver-directed therapy, response to the last line, washout; the listing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.adam.source import by_subject, number_column, text_column
from interim.analysis.listing import RECORDS, built, listing
from interim.analysis.population import (
    MISSING,
    Population,
    add_counts,
    add_not_available,
    open_rows,
    population,
)
from interim.analysis.records import add_people, first_text, kind_of, own_text, participant_rows, records_of
from interim.analysis.spread import add_spread
from interim.data.dates import impute_dates
from interim.data.model import Sdtm
from interim.result import Result, Rows
from interim.study import Study

_NONE = "not available: no record of prior anticancer therapy"


def overview(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Summarise the anticancer therapy before the first infusion.

    Parameters
    ----------
    adam : Adam
        ADSL: prior lines, first infusion.
    study : Study
        Columns.
    sdtm : Sdtm
        CM and PR.

    Returns
    -------
    Result
        ``prior_therapy.overview``; lines (spread), line_number (level: number, the last and more), class (level: class of
        drug; a participant may have several), liver and other (level: kind of procedure), response and stop of the last line, washout (days from the
        end of the last therapy to the first infusion).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("prior_therapy.overview", "Prior anticancer therapy", who)
    records = prior_records(adam, sdtm)
    _lines(rows, who, adam["ADSL"])
    if records.empty:
        for variable in ("class", "liver", "response", "stop", "washout"):
            add_not_available(rows, who.groups, variable=variable, reason=_NONE)
        return rows.build()
    records = records[records["USUBJID"].isin(who.everyone)]
    for variable in ("class", "liver", "other"):
        _kinds(rows, who, records, variable)
    last = last_line(records)
    for variable, name in (("response", "RESPONSE"), ("stop", "STOP")):
        _of_last_line(rows, who, last, (variable, name))
    add_spread(rows, who, washout(adam, records), variable="washout", unit="days")
    return rows.build()


def _lines(rows: Rows, who: Population, adsl: pd.DataFrame) -> None:
    """Add the number of prior lines: median and range, and participants by number."""
    if "PRLINES" not in adsl or adsl["PRLINES"].isna().all():
        add_not_available(rows, who.groups, variable="lines", reason="not collected")
        return
    lines = adsl[adsl["USUBJID"].isin(who.everyone)].set_index("USUBJID")["PRLINES"]
    add_spread(rows, who, lines, variable="lines", unit="lines")
    numbers = participant_rows()["prior"]["lines"]
    if (lines < numbers[0]).any():
        add_counts(rows, who, variable="line_number", level="0", subjects=lines.index[lines < numbers[0]])
    for number in numbers:
        hit = lines >= number if number == numbers[-1] else lines == number
        level = f">={number}" if number == numbers[-1] else f"{number}"
        add_counts(rows, who, variable="line_number", level=level, subjects=lines.index[hit])
    if lines.isna().any():
        add_counts(rows, who, variable="line_number", level=MISSING, subjects=lines.index[lines.isna()])


def prior_records(adam: Adam, sdtm: Sdtm) -> pd.DataFrame:
    """Return the records of anticancer therapy before the study.

    Parameters
    ----------
    adam : Adam
        ADSL: first infusion.
    sdtm : Sdtm
        CM and PR with their supplemental qualifiers.

    Returns
    -------
    pandas.DataFrame
        USUBJID, SRCDOM, SRCSEQ, NAME, TEXT (class, name and subcategory, where words are looked for), SYSTEMIC, LINE, RESPONSE,
        STOP, END (last possible day, not after the first infusion).

    Raises
    ------
    None
    """
    layout = participant_rows()["prior"]
    parts = []
    for domain in ("CM", "PR"):
        source = records_of(sdtm, domain)
        source = source[text_column(source, f"{domain}CAT").isin(list(layout["categories"]))]
        name = first_text(source, (f"{domain}DECOD", f"{domain}TRT")).fillna("NOT CODED")
        within = first_text(source, (f"{domain}SCAT",)).fillna("")
        start = by_subject(source, adam["ADSL"], "TRTSDT")
        end = source.get(f"{domain}ENDTC", pd.Series(None, index=source.index, dtype=object))
        parts.append(
            source[["USUBJID", "SRCDOM", "SRCSEQ"]].assign(
                NAME=own_text(source, (f"{domain}TRT",), "not coded"),
                TEXT=first_text(source, (f"{domain}CLAS",)).fillna("") + " | " + name + " | " + within,
                SYSTEMIC=within.isin(list(layout["systemic"])),
                LINE=number_column(source, layout["line"]),
                RESPONSE=first_text(source, layout["response"]),
                STOP=first_text(source, layout["stop"]),
                COLLECTED_RESPONSE=any(column in source for column in layout["response"]),
                COLLECTED_STOP=any(column in source for column in layout["stop"]),
                END=impute_dates(end, highest="M", rule="last", not_after=[start])["DT"],
            )
        )
    return pd.concat(parts, ignore_index=True)


def _kinds(rows: Rows, who: Population, records: pd.DataFrame, variable: str) -> None:
    """Add participants by class of drug or kind of procedure; a record may be of several kinds."""
    layout = participant_rows()["prior"]
    kinds: Mapping[str, Any] = layout["classes" if variable == "class" else variable]
    part = records[records["SYSTEMIC"]] if variable == "class" else records[~records["SYSTEMIC"]]
    if variable == "other":
        part = part[kind_of(part["TEXT"], layout["liver"]).isna()]
    for kind, words in kinds.items():
        hit = kind_of(part["TEXT"], {kind: words}).notna()
        add_people(rows, who, part[hit], variable=variable, level=kind)
    rest = part[kind_of(part["TEXT"], kinds).isna()]
    if variable != "liver" and len(rest):
        add_people(rows, who, rest, variable=variable, level="rest")
    if variable == "liver":
        add_people(rows, who, part[kind_of(part["TEXT"], kinds).notna()], variable=variable, level="any")


def last_line(records: pd.DataFrame) -> pd.DataFrame:
    """Return the records of the last line of systemic therapy of each participant.

    Parameters
    ----------
    records : pandas.DataFrame
        As `prior_records` gives them.

    Returns
    -------
    pandas.DataFrame
        The records with the highest number of a line.

    Raises
    ------
    None
    """
    lines = records[records["SYSTEMIC"] & records["LINE"].notna()]
    return lines[lines["LINE"] == lines.groupby("USUBJID")["LINE"].transform("max")]


def _of_last_line(rows: Rows, who: Population, last: pd.DataFrame, names: tuple[str, str]) -> None:
    """Add the response to the last line, or why it was stopped; two texts of one line count as they stand."""
    variable, name = names
    layout = participant_rows()["prior"]
    if last.empty or not last[f"COLLECTED_{name}"].any():
        add_not_available(rows, who.groups, variable=variable, reason="not collected")
        return
    planned = layout["responses" if name == "RESPONSE" else "stops"]
    known = last.dropna(subset=[name])
    for text in (*planned, *sorted(set(known[name]) - set(planned))):
        add_people(rows, who, known[known[name] == text], variable=variable, level=text)
    without = who.everyone - set(known["USUBJID"])
    if without:
        add_counts(rows, who, variable=variable, level=MISSING, subjects=without)


def washout(adam: Adam, records: pd.DataFrame) -> pd.Series:
    """Return the days between the last anticancer therapy and the first infusion.

    Parameters
    ----------
    adam : Adam
        ADSL.
    records : pandas.DataFrame
        As `prior_records` gives them.

    Returns
    -------
    pandas.Series of float64
        By USUBJID; participants without any known end are left out.

    Raises
    ------
    None

    Notes
    -----
    A partial end counts as its last possible day up to the first infusion: the shortest washout that the records permit.
    """
    end = records.groupby("USUBJID")["END"].max().dropna()
    start = adam["ADSL"].set_index("USUBJID")["TRTSDT"].reindex(end.index)
    return (start - end).dt.days.astype("float64")


def listed(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List the prior anticancer therapy: a record per line of systemic therapy, and per procedure.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.
    sdtm : Sdtm
        CM and PR.

    Returns
    -------
    Result
        ``prior_therapy.listed``; line (number, missing for procedures), regimen (drugs of the line), response, stop.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who, rows, _ = listing(adam, study, ("prior_therapy.listed", "Listing: Prior therapy"), code="NK-SAF")
    records = prior_records(adam, sdtm)
    if records.empty:
        rows.add("n", None, variable=RECORDS, status="NA", reason=_NONE)
        return rows.build()
    keyed = records.assign(
        KEY=records["LINE"]
        .map("{:g}".format)
        .where(records["LINE"].notna(), records["SRCDOM"] + records["SRCSEQ"])
    )
    frame = pd.DataFrame([_regimen(part) for _, part in keyed.groupby(["USUBJID", "KEY"], sort=True)])
    return built(rows, frame.astype({"line": "float64"}), who=who, order=["line", "regimen"])


def _regimen(part: pd.DataFrame) -> dict[str, Any]:
    """Return one row of the listing: the drugs of a line, or a procedure."""
    part = part.sort_values("SRCSEQ", key=lambda seq: pd.to_numeric(seq, errors="coerce"), kind="stable")
    first = part.iloc[0]
    return {
        "USUBJID": first["USUBJID"],
        "SRCDOM": first["SRCDOM"],
        "SRCSEQ": tuple(part["SRCSEQ"]),
        "line": first["LINE"],
        "regimen": " + ".join(dict.fromkeys(part["NAME"])),
        "response": "; ".join(dict.fromkeys(part["RESPONSE"].dropna())),
        "stop": "; ".join(dict.fromkeys(part["STOP"].dropna())),
    }

"""Listings of kinetics: every sample with its use, every tissue sample with its blood, every cytokine result."""

from __future__ import annotations

from typing import Any

from interim.adam.model import Adam
from interim.adam.source import ordered
from interim.analysis.kinetics import tissue_ratios
from interim.analysis.measures import has_rows, kinetic_population
from interim.analysis.population import open_rows, population
from interim.result import Result, Rows
from interim.study import Study

_USES = {"CMAX": "maximum", "AUC": "area", "LAMZ": "slope"}
_CARRIED = "CARRY"
_CAPPED = {"ULOQ": "above the upper limit"}


def samples(adam: Adam, study: Study) -> Result:
    """List every kinetic sample with its state and its use.

    Parameters
    ----------
    adam : Adam
        ADSL and ADPCUSE.
    study : Study
        Study whose data they are.

    Returns
    -------
    Result
        ``kinetic_listing.samples``; ``sample`` with level = participant and number: day (from the first infusion of the cycle; NE
        without a time) and as texts participant, assay, specimen, cycle, nominal (planned time point), result (as collected), unit, state (CARRY where no sample
        was taken and the last value stands for it), used, why.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("kinetic_listing.samples", "Listing: Cellular kinetic concentrations", who)
    if not has_rows(adam, "ADPCUSE"):
        return _absent(rows, "no samples of cellular kinetics")
    frame = adam["ADPCUSE"].loc[lambda f: f["USUBJID"].isin(who.everyone)]
    frame = ordered(frame, ["USUBJID", "PARAMCD", "ASPEC", "ACYCLE", "ATIME", "SRCSEQ"])
    rows.add("n", len(frame), variable="rows", n=len(frame))
    planned = _planned(adam)
    for number, item in enumerate(frame.to_dict("records"), 1):
        uses = [word for name, word in _USES.items() if item[f"{name}FL"] == "Y"]
        texts = {
            "assay": item["PARAMCD"],
            "specimen": item["ASPEC"],
            "cycle": "-" if item["ACYCLE"] != item["ACYCLE"] else f"{item['ACYCLE']:g}",
            "nominal": planned.get((item["USUBJID"], item["SRCSEQ"]), "-"),
            "result": item["AVALC"] or item["DTYPE"],
            "unit": item["AVALU"],
            "state": item["DTYPE"] if item["DTYPE"] == _CARRIED else item["STATE"] or item["DTYPE"],
            "used": ", ".join(uses) or "no",
            "why": "-" if uses else item["AUCRS"] or "-",
        }
        _add_line(rows, item, number, texts)
    return rows.build()


def _planned(adam: Adam) -> dict[tuple[Any, Any], str]:
    """Return the planned time point of each sample: its name, or its day where it has none."""
    if not adam.has("ADPC"):
        return {}
    adpc = adam["ADPC"]
    days = adpc["NTIME"].map(lambda day: f"DAY {day:g}" if day == day else "-")
    keys = zip(adpc["USUBJID"], adpc["SRCSEQ"], strict=True)
    return dict(zip(keys, adpc["ATPT"].fillna(days).astype(str), strict=True))


def _add_line(rows: Rows, item: dict[Any, Any], number: int, texts: dict[str, Any]) -> None:
    subject = str(item["USUBJID"])
    where: dict[str, Any] = {"variable": "sample", "level": f"{subject} {number}"}
    source = [(subject, item["SRCDOM"], item["SRCSEQ"])] if item["SRCSEQ"] else []
    if item["ATIME"] == item["ATIME"]:
        rows.add("day", float(item["ATIME"]), unit="days", sources=source, **where)
    else:
        rows.add("day", None, status="NE", reason="NO_TIME", sources=source, **where)
    for stat, text in {"participant": subject, **texts}.items():
        rows.add(stat, None, text=str(text or "-"), **where)


def _absent(rows: Rows, what: str) -> Result:
    rows.add("n", None, variable="rows", status="NA", reason=f"not available: {what}")
    return rows.build()


def tissue(adam: Adam, study: Study) -> Result:
    """List every tissue and fluid sample with its blood sample and the ratio, or its bound.

    Parameters
    ----------
    adam : Adam
        ADSL and ADPC.
    study : Study
        ``kinetics.tissue_match_h``.

    Returns
    -------
    Result
        ``kinetic_listing.tissue``; ``sample`` with level = participant and number: day, tissue (level), blood (level) and ratio, and
        as texts participant, assay, specimen, bound (``<x``, ``>x``) and why.

    Raises
    ------
    DerivationError
        If ADSL lacks a column that is needed.
    """
    who = kinetic_population(adam, study, "t")
    rows = open_rows("kinetic_listing.tissue", "Tissue and blood by participant", who)
    if not has_rows(adam, "ADPC"):
        return _absent(rows, "no tissue or fluid sample")
    frame = tissue_ratios(adam["ADPC"], hours=study.kinetics.tissue_match_h)
    frame = ordered(frame[frame["USUBJID"].isin(who.everyone)], ["USUBJID", "PARAMCD", "ASPEC", "AFRLT"])
    if frame.empty:
        return _absent(rows, "no tissue or fluid sample")
    rows.add("n", len(frame), variable="rows", n=len(frame))
    for number, item in enumerate(frame.to_dict("records"), 1):
        subject = str(item["USUBJID"])
        where: dict[str, Any] = {"variable": "sample", "level": f"{subject} {number}"}
        for stat, column in (("day", "AFRLT"), ("tissue", "AVAL"), ("blood", "BLOOD"), ("ratio", "RATIO")):
            known = item[column] == item[column]
            why = {} if known else {"status": "NE", "reason": item["REASON"] or "BELOW_LIMIT"}
            rows.add(stat, float(item[column]) if known else None, subjects=[subject], **where, **why)
        texts = {
            "assay": item["PARAMCD"],
            "specimen": item["ASPEC"],
            "bound": item["BOUND"],
            "why": item["REASON"],
        }
        for stat, text in {"participant": subject, **texts}.items():
            rows.add(stat, None, text=str(text or "-"), **where)
    return rows.build()


def cytokines(adam: Adam, study: Study) -> Result:
    """List every cytokine result, one line per participant and time.

    Parameters
    ----------
    adam : Adam
        ADSL and ADCY.
    study : Study
        Study whose data they are.

    Returns
    -------
    Result
        ``kinetic_listing.cytokines``; ``sample`` with level = participant and day from the first CAR-NK infusion: texts
        participant and, per analyte, the collected result with the flags in brackets, each with its unit.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("kinetic_listing.cytokines", "Listing: Cytokines", who)
    if not has_rows(adam, "ADCY"):
        return _absent(rows, "no cytokine results")
    frame = adam["ADCY"].loc[lambda f: (f["BASETYPE"] == "NK") & f["USUBJID"].isin(who.everyone)]
    frame = ordered(frame, ["USUBJID", "DAY", "PARAMCD", "SRCSEQ"])
    rows.add("n", len(frame), variable="rows", n=len(frame))
    for (subject, day), part in frame.groupby(["USUBJID", "DAY"], sort=True):
        where: dict[str, Any] = {"variable": "sample", "level": f"{subject} {day:.4f}"}
        rows.add("day", float(str(day)), unit="days", subjects=[str(subject)], **where)
        rows.add("participant", None, text=str(subject), **where)
        for item in part.drop_duplicates("PARAMCD", keep="last").to_dict("records"):
            marks = ";".join(filter(None, (_CAPPED.get(item["DTYPE"] or ""), item["FLAGS"])))
            text = f"{item['AVALC']} ({marks})" if marks else str(item["AVALC"])
            source = [(str(subject), item["SRCDOM"], item["SRCSEQ"])]
            rows.add(str(item["PARAMCD"]), None, text=text, unit=item["AVALU"] or "", sources=source, **where)
    return rows.build()

"""ADTOX: IEC-HS, haematotoxicity and graft-versus-host disease, derived from results and signs beside the site's grade."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from interim.adam.adlb import first_base_type
from interim.adam.adtox_episodes import completed
from interim.adam.source import ordered, shipped_data, text_column, text_missing
from interim.adam.toxicity.gvhd import GvhdFindings, GvhdStages, gvhd_stages, is_acute
from interim.adam.toxicity.icaht import baseline_low, early_grade, late_grade
from interim.adam.toxicity.iechs_course import iechs_course
from interim.adam.toxicity.records import clinical_values, drug_spans
from interim.data.model import Sdtm
from interim.study import Study

TERMS = {
    "IECHS": "Haemophagocytic lymphohistiocytosis-like syndrome (IEC-HS)",
    "ICAHT": "Haematotoxicity (ICAHT)",
    "GVHD": "Acute graft-versus-host disease",
}
_COUNTS = "NEUT"
_BILIRUBIN = "BILI"
_NEVER = pd.Timestamp.max
Row = dict[str, Any]


@dataclass(frozen=True)
class ConsensusInputs:
    """What the three syndromes are derived from.

    Attributes
    ----------
    sdtm : Sdtm
        CE, CM.
    adsl, adex, adae : pandas.DataFrame
        Core of ADSL, ADEX, ADAE (or `syndrome_events` of it).
    adlb, adrs : pandas.DataFrame or None
        ADLB; ADRS for the date of progression.
    episodes : pandas.DataFrame
        Rows of ADTOX of cytokine release.
    study : Study
        ``[toxicity]``.
    """

    sdtm: Sdtm
    adsl: pd.DataFrame
    adex: pd.DataFrame
    adae: pd.DataFrame
    adlb: pd.DataFrame | None
    adrs: pd.DataFrame | None
    episodes: pd.DataFrame
    study: Study


def consensus_rows(inputs: ConsensusInputs) -> pd.DataFrame:
    """Derive the three syndromes.

    Parameters
    ----------
    inputs : ConsensusInputs
        Records and datasets.

    Returns
    -------
    pandas.DataFrame
        One row per participant and syndrome: with a derived outcome, with a reported event, or both (REPFL). ASTLO, ASTHI:
        bounds of the derived grade on the scale of the syndrome (EBMT, MAGIC; none for IEC-HS, which is screened: SCREEN);
        ASTDT: reported onset, else first day of the finding; FLAGS: what qualifies the grade; columns as in ADTOX.

    Raises
    ------
    None
    """
    derived = {"IECHS": _iechs(inputs), "ICAHT": _icaht(inputs), "GVHD": _gvhd(inputs)}
    rows = [
        row for kind, found in derived.items() for row in _joined(kind, found, _reported(inputs.adae, kind))
    ]
    return pd.DataFrame(rows)


def with_consensus(adtox: pd.DataFrame, inputs: ConsensusInputs) -> pd.DataFrame:
    """Add the three syndromes to the episodes of cytokine release and neurotoxicity.

    Parameters
    ----------
    adtox : pandas.DataFrame
        ADTOX with those episodes.
    inputs : ConsensusInputs
        Records and datasets.

    Returns
    -------
    pandas.DataFrame
        ADTOX, sorted. DIRA of IEC-HS compares screening and report: AGREE, UNREPORTED (screen positive), UNDOCUMENTED
        (reported, not screen positive).

    Raises
    ------
    None
    """
    rows = consensus_rows(inputs)
    if rows.empty:
        return adtox
    more = completed(rows, inputs.adsl, adex=inputs.adex, sdtm=inputs.sdtm, study=inputs.study)
    screened, reported = more["SCREEN"].notna(), more["REPFL"] == "Y"
    positive = more["SCREEN"] == "SCREEN_POSITIVE"
    answer = pd.Series(None, index=more.index, dtype=object)
    answer[screened & positive] = "UNREPORTED"
    answer[screened & reported] = "UNDOCUMENTED"
    answer[screened & reported & positive] = "AGREE"
    more = more.assign(
        DIRA=more["DIRA"].where(~screened, answer), REASON=more["REASON"].where(~screened, None)
    )
    both = pd.concat([part for part in (adtox, more) if len(part)], ignore_index=True)
    return text_missing(ordered(both, ["USUBJID", "PARAMCD", "ASEQ"]))


def syndrome_events(adae: pd.DataFrame) -> pd.DataFrame:
    """Return the reported events of the three syndromes: all that is read of ADAE.

    Parameters
    ----------
    adae : pandas.DataFrame
        ADAE.

    Returns
    -------
    pandas.DataFrame
        Some of its rows, index kept.

    Raises
    ------
    None
    """
    terms = shipped_data("toxicity")["reported"]
    return _of_terms(adae, [term for kind in TERMS for term in terms[kind]])


def _of_terms(adae: pd.DataFrame, terms: Iterable[str]) -> pd.DataFrame:
    term = text_column(adae, "AEDECOD").fillna(text_column(adae, "AETERM"))
    return adae[term.isin(list(terms))]


def _reported(adae: pd.DataFrame, kind: str) -> dict[str, Mapping[str, Any]]:
    """Return the reported event of each participant: of several the one with the highest grade, then the first."""
    mine = _of_terms(adae, shipped_data("toxicity")["reported"][kind])
    if mine.empty:
        return {}
    worst = mine.assign(GRADE=mine["ASTCTGRN"].fillna(mine.get("AETOXGRN", np.nan)))
    worst = worst.sort_values(["GRADE", "ASTDT"], ascending=[False, True], kind="stable", na_position="last")
    first = worst.drop_duplicates("USUBJID")
    return {str(row["USUBJID"]): row for row in first.to_dict("records")}  # type: ignore[misc]


def _joined(
    kind: str, derived: Mapping[str, Row], reported: Mapping[str, Mapping[str, Any]]
) -> Iterable[Row]:
    for subject in sorted({*derived, *reported}):
        event = reported.get(subject)
        found = derived.get(subject, {})
        known = event or {}
        yield {
            "USUBJID": subject,
            "PARAMCD": kind,
            "PARAM": TERMS[kind],
            "REPFL": "Y" if event else "N",
            "ASTDT": known.get("ASTDT", found.get("DATE", pd.NaT)),
            "ASTDTM": known.get("ASTDTM", pd.NaT),
            "AENDT": known.get("AENDT", pd.NaT),
            "REPGRC": known.get("AETOXGRN", np.nan),
            "REPGRA": known.get("ASTCTGRN", np.nan),
            "ASTLO": found.get("LOW", np.nan),
            "ASTHI": found.get("HIGH", np.nan),
            "CTCLO": np.nan,
            "CTCHI": np.nan,
            "DRIVERA": found.get("DRIVER", ""),
            "DRIVERC": "",
            "MISSINP": found.get("MISSING", ""),
            "SCREEN": found.get("SCREEN"),
            "FLAGS": ";".join(found.get("FLAGS", ())) or None,
            "SRCDOM": known.get("SRCDOM"),
            "SRCSEQ": known.get("SRCSEQ"),
        }


def _iechs(inputs: ConsensusInputs) -> dict[str, Row]:
    if inputs.adlb is None:
        return {}
    crs = inputs.episodes[inputs.episodes["PARAMCD"] == "CRS"]
    onsets = {str(s): part["ASTDTM"].fillna(part["ASTDT"]).dropna() for s, part in crs.groupby("USUBJID")}
    code = shipped_data("toxicity")["records"]["haemophagocytosis"]
    seen = clinical_values(inputs.sdtm, [code])
    none = code in inputs.study.toxicity.absent_means_none
    rows = {}
    for subject, part in _treated_results(inputs).groupby("USUBJID", sort=True):
        answers = seen.loc[seen["USUBJID"] == subject, "VALUE"]
        found = "Y" in set(answers) if len(answers) else False if none else None
        course = iechs_course(
            part, onsets.get(str(subject)), haemophagocytosis=found, rules=inputs.study.toxicity
        )
        if course is not None:
            screen, day = course
            rows[str(subject)] = {
                "DATE": day,
                "SCREEN": screen.verdict,
                "DRIVER": ", ".join(screen.supporting),
                "MISSING": ";".join(screen.missing),
                "FLAGS": (screen.reason,) if screen.reason else (),
            }
    return rows


def _treated_results(inputs: ConsensusInputs) -> pd.DataFrame:
    """Return the results from the first infusion on, each once, with the baseline of the latest product begun."""
    adlb = inputs.adlb
    assert adlb is not None
    start = inputs.adsl.set_index("USUBJID")["TRTSCT"]
    since = adlb["ADT"] >= adlb["USUBJID"].map(start)
    later = adlb["BASETYPE"] != first_base_type(inputs.study)
    kept = adlb[(later & since) | (~later & ~since)] if later.any() else adlb
    return kept[kept["ADT"].notna() & (kept["ONTRTFL"] == "Y")]


def _icaht(inputs: ConsensusInputs) -> dict[str, Row]:
    adex, study = inputs.adex, inputs.study
    cells = adex[adex["ROLE"] == "t"]
    if inputs.adlb is None or cells.empty:
        return {}
    anchors = _anchors(cells, study)
    counts = inputs.adlb[
        (inputs.adlb["PARAMCD"] == _COUNTS)
        & (inputs.adlb["BASETYPE"] == first_base_type(study))
        & inputs.adlb["ADT"].notna()
    ]
    ends = _ends(inputs, anchors)
    flags = _support(inputs.sdtm, anchors, ends)
    rows = {}
    for subject, anchor in anchors.items():
        mine = counts[counts["USUBJID"] == subject]
        value = mine["AVAL"].fillna(mine["ALIMIT"])
        days = (mine["ADT"] - anchor).dt.days
        lowest = value.dropna().groupby(days).min()
        daily = {int(day): float(low) for day, low in zip(lowest.index, lowest, strict=True)}
        rows[subject] = _icaht_row(daily, (ends[subject] - anchor).days, study) | {"DATE": anchor}
        rows[subject]["FLAGS"] = (*rows[subject]["FLAGS"], *flags.get(subject, ()))
    return rows


def _anchors(cells: pd.DataFrame, study: Study) -> dict[str, pd.Timestamp]:
    chosen = cells
    if study.toxicity.icaht_anchor == "latest_cycle":
        chosen = cells[cells["ACYCLE"] == cells.groupby("USUBJID")["ACYCLE"].transform("max")]
    return {str(s): day for s, day in chosen.groupby("USUBJID", sort=True)["ASTDT"].min().items()}


def _ends(inputs: ConsensusInputs, anchors: Mapping[str, pd.Timestamp]) -> dict[str, pd.Timestamp]:
    """Return the last day that counts: progression, new therapy, death, another cell product, or the cut-off."""
    adsl = inputs.adsl.set_index("USUBJID")
    other = inputs.adex[inputs.adex["ROLE"] != "t"]
    progress = _progression(inputs)
    ends = {}
    for subject, anchor in anchors.items():
        dates = [adsl.loc[subject, name] for name in ("DCUTDT", "DTHDT", "NACTDT")]
        later = other.loc[(other["USUBJID"] == subject) & (other["ASTDT"] > anchor), "ASTDT"]
        known = [
            date for date in (*dates, *later, progress.get(subject)) if date is not None and pd.notna(date)
        ]
        ends[subject] = min(known, default=_NEVER)
    return ends


def _progression(inputs: ConsensusInputs) -> dict[str, pd.Timestamp]:
    adrs = inputs.adrs
    if adrs is None:
        return {}
    mine = adrs[(adrs["PARAMCD"] == "PD") & (adrs["AVALC"] == "Y") & adrs["ADT"].notna()]
    mine = mine[mine["PARCAT2"] == inputs.study.response.evaluator]
    return {str(s): day for s, day in mine.groupby("USUBJID")["ADT"].min().items()}


def _support(
    sdtm: Sdtm, anchors: Mapping[str, pd.Timestamp], ends: Mapping[str, pd.Timestamp]
) -> dict[str, list[str]]:
    """Return which support was given between anchor and end."""
    words = shipped_data("toxicity")["records"]
    found: dict[str, list[str]] = {}
    for flag, drugs in (("GCSF", words["gcsf"]), ("TRANSFUSION", words["transfusion"])):
        given = drug_spans(sdtm, drugs)
        for row in [] if given is None else given.to_dict("records"):
            subject = str(row["USUBJID"])
            if subject in anchors and row["FROM"] <= ends[subject] and not row["TO"] < anchors[subject]:
                found[subject] = [
                    *found.get(subject, ()),
                    *([] if flag in found.get(subject, ()) else [flag]),
                ]
    return found


def _icaht_row(daily: Mapping[int, float], last: int, study: Study) -> Row:
    rules = study.toxicity
    limit = shipped_data("toxicity")["icaht"]["last_day"]
    before = [day for day in daily if day <= 0]
    low = baseline_low(daily[max(before)] if before else None)
    flags = ("BASELINE_LOW",) if low else ()
    after = {day: count for day, count in daily.items() if 0 <= day <= last}
    if not after:
        return {"FLAGS": flags}
    early = early_grade(after, rules, last_day=last)
    late = late_grade([count for day, count in after.items() if day > limit])
    driver = "late neutrophils" if late >= early.high and late else early.driver
    return {
        "LOW": float(max(early.low, late)),
        "HIGH": float(max(early.high, late)),
        "DRIVER": driver,
        "MISSING": ";".join(early.missing),
        "FLAGS": flags,
    }


def _gvhd(inputs: ConsensusInputs) -> dict[str, Row]:
    signs = clinical_values(inputs.sdtm, shipped_data("toxicity")["records"]["gvhd"])
    start = inputs.adsl.set_index("USUBJID")["TRTSNK"]
    rows = {}
    for subject, part in signs.groupby("USUBJID", sort=True):
        first = start.get(subject, pd.NaT)
        bilirubin = _bilirubin(inputs, str(subject))
        graded = [
            (stages, at)
            for at, same in part.groupby(part["FROM"].dt.normalize(), sort=True)
            if pd.notna(first) and is_acute((at - first).days, inputs.study.toxicity.agvhd_max_day)
            for stages in [_stages(same, bilirubin, at)]
        ]
        if graded:
            rows[str(subject)] = _gvhd_row(graded, confounded=_confounded(inputs, str(subject)))
    return rows


def _bilirubin(inputs: ConsensusInputs, subject: str) -> pd.Series:
    adlb = inputs.adlb
    if adlb is None:
        return pd.Series(dtype="float64")
    keep = (adlb["USUBJID"] == subject) & (adlb["PARAMCD"] == _BILIRUBIN) & adlb["AVAL"].notna()
    mine = adlb[keep & (adlb["BASETYPE"] == first_base_type(inputs.study))]
    return mine.groupby("ADT")["AVAL"].max()


def _confounded(inputs: ConsensusInputs, subject: str) -> bool:
    """Tell whether the bilirubin was above its limit before the first infusion."""
    adlb = inputs.adlb
    if adlb is None:
        return False
    mine = adlb[(adlb["USUBJID"] == subject) & (adlb["PARAMCD"] == _BILIRUBIN)]
    return bool(mine["BNRIND"].isin(inputs.study.labs.high_indicators).any())


def _stages(signs: pd.DataFrame, bilirubin: pd.Series, at: pd.Timestamp) -> GvhdStages:
    said = {str(code): str(value) for code, value in zip(signs["CODE"], signs["VALUE"], strict=True)}
    near = bilirubin[bilirubin.index == at]
    return gvhd_stages(
        GvhdFindings(
            skin_percent=_number(said.get("SKINBSA")),
            bullae=said.get("BULLAE") == "Y",
            bilirubin=float(near.iloc[0]) if len(near) else None,
            upper_gut=said.get("UPPERGI") == "Y",
            stool_volume=_number(said.get("STOOLVOL")),
            stool_episodes=_number(said.get("STOOLN")),
            severe_gut=said.get("SEVGUT") == "Y",
        )
    )


def _number(text: str | None) -> float:
    """Return a recorded amount; what was not recorded or is no number is 0."""
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _gvhd_row(graded: list[tuple[GvhdStages, pd.Timestamp]], *, confounded: bool) -> Row:
    """Return the highest grade; with a bilirubin that was high before, the grade without the liver is the lower bound."""
    highest, at = max(graded, key=lambda item: (item[0].grade, -item[1].value))
    low = max(stages.grade_without_liver for stages, _ in graded) if confounded else highest.grade
    organs = {name: getattr(highest, name) for name in ("skin", "liver", "upper", "lower")}
    driver = max(organs, key=lambda name: organs[name]) if highest.grade else ""
    flags = ("LIVER_CONFOUNDED",) if confounded and highest.liver else ()
    return {"LOW": float(low), "HIGH": float(highest.grade), "DRIVER": driver, "DATE": at, "FLAGS": flags}

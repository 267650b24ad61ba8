"""Listings of safety: deaths, serious and all events, grade 3 results, episodes, liver panel, discordance of grades."""

from __future__ import annotations

import numpy as np
import pandas as pd

from interim.adam.adlb import first_base_type
from interim.adam.adtox_liver import liver_panel
from interim.adam.model import Adam
from interim.adam.source import ordered
from interim.adam.toxicity.liver import ULN_MISSING
from interim.analysis.autopsy import autopsies
from interim.analysis.discordance_effect import DLT, NONE, OTHER, TRIGGER, effects_of, query_status
from interim.analysis.layout import printed_rows
from interim.analysis.listing import built, column, listing, study_days
from interim.analysis.relative_dates import first_days, in_days
from interim.data.check.vocabulary import words
from interim.data.model import Sdtm
from interim.result import Result
from interim.study import Study

_CAUSES = {"RELNK": "CAR-NK", "RELCART": "CAR-T", "RELPROC": "procedure", "RELLYMPHODEP": "lymphodepletion",
           "RELOTH": "other"}  # fmt: skip
_YES = {"Y": "yes", "N": "no"}
_FIRST = {f"{TRIGGER}, {DLT}": 0, TRIGGER: 0, DLT: 1, OTHER: 2, NONE: 3}
AMBIGUOUS_PHASE, BASELINE_MISSING = "AMBIGUOUS_PHASE", "BASELINE_MISSING"


def deaths(adam: Adam, study: Study, sdtm: Sdtm | None = None) -> Result:
    """List the deaths.

    Parameters
    ----------
    adam : Adam
        ADSL, ADAE.
    study : Study
        Columns; ``safety.autopsy_items``.
    sdtm : Sdtm, optional
        DD, DS, DM with their supplemental qualifiers: autopsy.

    Returns
    -------
    Result
        ``safety_listing.deaths``; a record per death: tumour, day (from the first infusion), day_cart (from the last CAR-T
        infusion), cause, related, autopsy (yes, no, unknown, recorded; the column is left out where none of the sources has
        it), narrative (the code death: every death has a narrative where there are events).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who, rows, _ = listing(adam, study, ("safety_listing.deaths", "Listing: deaths"), code="NK-SAF")
    adsl = adam["ADSL"]
    dead = adsl[adsl["DTHFL"] == "Y"]
    frame = pd.DataFrame(
        {
            "USUBJID": dead["USUBJID"],
            "SRCDOM": column(dead, "DTHDOM"),
            "SRCSEQ": column(dead, "DTHSEQ"),
            "tumour": column(dead, "TUMTYPE"),
            "day": study_days(dead, "DTHDT", adsl=adsl),
            "day_cart": study_days(dead, "DTHDT", adsl=adsl, start="TRTECT"),
            "cause": column(dead, "DTHCAUS"),
            "related": dead["USUBJID"].map(_fatal_relation(adam)).astype(object),
        }
    )
    if (autopsy := autopsies(sdtm, study.safety.autopsy_items)) is not None:
        frame["autopsy"] = dead["USUBJID"].map(autopsy).astype(object)
    frame["narrative"] = pd.Series("death" if adam.has("ADAE") else "", index=dead.index, dtype=object)
    return built(rows, frame, who=who, order=["day"])


def _fatal_relation(adam: Adam) -> dict[str, str]:
    """Return the causes to which the fatal event of each participant is related; nothing without a fatal event."""
    if not adam.has("ADAE") or "AETOXGRN" not in adam["ADAE"]:
        return {}
    adae = adam["ADAE"]
    fatal = adae[adae["AETOXGRN"] == 5]
    return dict(zip(fatal["USUBJID"], related_to(fatal), strict=True))


def related_to(adae: pd.DataFrame) -> pd.Series:
    """Return in words to what each event is related.

    Parameters
    ----------
    adae : pandas.DataFrame
        ADAE.

    Returns
    -------
    pandas.Series of object
        Same index; ``none``, a list of causes, ``not recorded``; a dagger marks a relation that is assumed.

    Raises
    ------
    None
    """
    known = {name: label for name, label in _CAUSES.items() if name in adae}
    if not known:
        return pd.Series("not recorded", index=adae.index, dtype=object)
    texts = [
        ", ".join(label for name, label in known.items() if row[name] == "Y") or "none"
        for row in adae[list(known)].to_dict("records")
    ]
    answer = pd.Series(texts, index=adae.index, dtype=object)
    assumed, missing = column(adae, "RELIMPFL") == "Y", column(adae, "RELMISFL") == "Y"
    answer = answer.where(~(missing & ~assumed), "not recorded")
    return answer.where(~assumed, answer + " †")


def _events(adam: Adam, adae: pd.DataFrame) -> pd.DataFrame:
    adsl = adam["ADSL"]
    term = column(adae, "AEDECOD").fillna("not coded")
    end = study_days(adae, "AENDT", adsl=adsl)
    return pd.DataFrame(
        {
            "USUBJID": adae["USUBJID"],
            "SRCDOM": adae["SRCDOM"],
            "SRCSEQ": adae["SRCSEQ"],
            "verbatim": column(adae, "AETERM"),
            "term": term,
            "class": column(adae, "AEBODSYS"),
            "grade": adae["AETOXGRN"].astype("float64") if "AETOXGRN" in adae else np.nan,
            "onset": study_days(adae, "ASTDT", adsl=adsl),
            "end": end,
            "related": related_to(adae),
            "serious": column(adae, "AESER").map(_YES).astype(object),
            "action": column(adae, "AEACN"),
            "outcome": column(adae, "AEOUT"),
            "phase": column(adae, "APHASE"),
            "phase_doubt": column(adae, "APHAMBFL").map({"Y": AMBIGUOUS_PHASE}).astype(object),
            "emergent": adae["TRTEMFL"].map(_YES).astype(object),
            "dlt": column(adae, "DLTFL").map(_YES).astype(object),
            "reported": study_days(_with_report(adae), "AERPTDT", adsl=adsl),
        }
    )


def _with_report(adae: pd.DataFrame) -> pd.DataFrame:
    """Return the events with the day of their report; a date without its day is missing, as in any study day."""
    days = column(adae, "AERPTDTC").astype("string").str[:10]
    return adae.assign(
        AERPTDT=pd.to_datetime(days.where(days.str.len() == len("2026-03-04")), errors="coerce")
    )


def serious(adam: Adam, study: Study) -> Result:
    """List the serious events, those of special interest, and the dose-limiting toxicities.

    Parameters
    ----------
    adam : Adam
        ADSL and ADAE.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``safety_listing.serious``; columns of `adverse_events`.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("safety_listing.serious", "Listing: serious and other significant AEs")
    who, rows, there = listing(adam, study, names, code="NK-SAF", needs=("ADAE",))
    if not there:
        return rows.build()
    adae = adam["ADAE"]
    wanted = pd.concat([column(adae, name) == "Y" for name in ("AESER", "AESIFL", "DLTFL")], axis=1).any(
        axis=1
    )
    return built(rows, _events(adam, adae[wanted]), who=who, order=["onset"])


def adverse_events(adam: Adam, study: Study) -> Result:
    """List all adverse events.

    Parameters
    ----------
    adam : Adam
        ADSL and ADAE.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``safety_listing.adverse_events``; a record per event: verbatim, term, class, grade, onset and end (days from the
        first infusion), related, serious, action, outcome, phase, phase_doubt (AMBIGUOUS_PHASE: began
        on the day on which a later phase starts, and the times do not tell), emergent, dlt.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("safety_listing.adverse_events", "Listing: All adverse events")
    who, rows, there = listing(adam, study, names, code="NK-SAF", needs=("ADAE",))
    return built(rows, _events(adam, adam["ADAE"]), who=who, order=["onset"]) if there else rows.build()


def severe_results(adam: Adam, study: Study) -> Result:
    """List the laboratory results of grade 3 or higher after the first infusion.

    Parameters
    ----------
    adam : Adam
        ADSL, ADLB, ADAE.
    study : Study
        ``labs.ae_link_days``.

    Returns
    -------
    Result
        ``safety_listing.severe_results``; a record per result: parameter, day, value, unit, limit (of the direction),
        grade, grade_uln (against the upper limit), baseline, assumed, linked (an event that began or lasted within the days).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("safety_listing.severe_results", "Listing: abnormal laboratory values grade >=3")
    who, rows, there = listing(
        adam, study, names, code="NK-SAF", needs=("ADLB", "ADLB.BASETYPE", "ADLB.ATOXGR", "ADLB.ONTRTFL")
    )
    if not there:
        return rows.build()
    adlb = adam["ADLB"]
    lowest = printed_rows()["laboratory"]["clinically_significant"]
    graded = adlb[["ATOXGRL", "ATOXGRH"]].max(axis=1)
    keep = (adlb["BASETYPE"] == first_base_type(study)) & (adlb["ONTRTFL"] == "Y") & (graded >= lowest)
    part = adlb[keep]
    low = part["ATOXGRL"].fillna(0) >= lowest
    frame = pd.DataFrame(
        {
            "USUBJID": part["USUBJID"],
            "SRCDOM": part["SRCDOM"],
            "SRCSEQ": part["SRCSEQ"],
            "parameter": part["PARAM"].astype(object),
            "day": study_days(part, "ADT", adsl=adam["ADSL"]),
            "value": part["AVAL"].fillna(part["ALIMIT"]).astype("float64"),
            "unit": part["AVALU"].astype(object),
            "limit": part["ANRLO"].where(low, part["ANRHI"]).astype("float64"),
            "grade": graded[keep].astype("float64"),
            "grade_uln": part["ATOXGRHU"].where(~low).astype("float64"),
            "baseline": part["BASE"].astype("float64"),
            "assumed": part["ATOXASFL"].map(_YES).astype(object),
            "linked": _linked(part, adam, study),
        }
    )
    return built(rows, frame, who=who, order=["parameter", "day"])


def _linked(part: pd.DataFrame, adam: Adam, study: Study) -> pd.Series:
    """Return the term of an event of the result's CTCAE term around its day; ``no event`` where there is none."""
    answer = pd.Series("no event", index=part.index, dtype=object)
    if not adam.has("ADAE"):
        return answer
    adae = adam["ADAE"]
    around = pd.Timedelta(study.labs.ae_link_days, unit="D")
    events = pd.DataFrame(
        {
            "USUBJID": adae["USUBJID"],
            "TERM": column(adae, "AEDECOD"),
            "FROM": adae["ASTDT"] - around,
            "TO": adae["AENDT"].fillna(pd.Timestamp.max - 2 * around) + around,
        }
    )
    criterion = part["ATOXDSCH"].where(
        ~(part["ATOXGRL"].fillna(0) > part["ATOXGRH"].fillna(0)), part["ATOXDSCL"]
    )
    days = pd.DataFrame(
        {
            "ROW": part.index,
            "USUBJID": part["USUBJID"],
            "CTC": criterion,
            "TEST": part["PARAMCD"],
            "AT": part["ADT"],
        }
    )
    pairs = days.merge(events, on="USUBJID", how="inner", validate="m:m")
    hits = pairs[(pairs["FROM"] <= pairs["AT"]) & (pairs["AT"] <= pairs["TO"])]
    named = [_names(*item) for item in zip(hits["TERM"], hits["CTC"], hits["TEST"], strict=True)]
    same = hits[pd.Series(named, index=hits.index, dtype=bool)].drop_duplicates("ROW")
    answer[same["ROW"]] = same["TERM"].to_numpy()
    return answer


def _names(term: object, criterion: object, test: object) -> bool:
    """Tell whether a preferred term names a result: the CTCAE term, or a term of the check of grades for its test."""
    if not isinstance(term, str):
        return False
    known = [text for row in words("laboratory")["grade"] if row["test"] == test for text in row["terms"]]
    return term.upper() in {str(criterion).upper(), *(text.upper() for text in known)}


def _lasted(adtox: pd.DataFrame, adsl: pd.DataFrame) -> pd.Series:
    """Return the days that each episode lasted, as text; of one without an end the days until death or the cut-off as a bound."""
    dates = adsl.set_index("USUBJID").reindex(columns=["DCUTDT", "DTHDT"]).apply(pd.to_datetime)
    bound = (adtox["USUBJID"].map(dates.min(axis=1)) - adtox["ASTDT"]).dt.days + 1
    texts = adtox["ADURN"].map(lambda days: f"{days:g}", na_action="ignore").astype(object)
    least = bound.map(lambda days: f">= {days:g}", na_action="ignore").astype(object)
    return texts.where(texts.notna(), least.where(adtox["AENDT"].isna(), None))


def episodes(adam: Adam, study: Study) -> Result:
    """List the episodes of cytokine release and neurotoxicity.

    Parameters
    ----------
    adam : Adam
        ADSL and ADTOX.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``safety_listing.episodes``; a record per episode: kind, phase, onset (days from the first infusion), latest (days
        from the latest infusion), duration (of one without an end ``>= n``, to death or cut-off), ctcae, astct, derived_ctcae, derived_astct, driver, treatment, outcome (of the reported event).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("safety_listing.episodes", "Listing: CRS and ICANS episodes")
    who, rows, there = listing(adam, study, names, code="NK-SAF", needs=("ADTOX",))
    if not there:
        return rows.build()
    adtox = adam["ADTOX"].loc[lambda f: f["PARAMCD"].isin(["CRS", "ICANS"])]
    frame = _toxicity_columns(adtox, adam).assign(
        latest=adtox["AONSINF"].astype("float64"),
        duration=_lasted(adtox, adam["ADSL"]),
        ctcae=adtox["REPGRC"].astype("float64"),
        astct=adtox["REPGRA"].astype("float64"),
        derived_ctcae=_bounds(adtox, "CTCLO", "CTCHI"),
        derived_astct=_bounds(adtox, "ASTLO", "ASTHI"),
        treatment=_treatment(adtox),
        outcome=_outcome(adtox, adam),
    )
    return built(rows, frame, who=who, order=["onset"])


def _outcome(adtox: pd.DataFrame, adam: Adam) -> pd.Series:
    """Return the outcome of the reported event of each episode; missing where the site reported none."""
    nothing = pd.Series(None, index=adtox.index, dtype=object)
    if not adam.has("ADAE"):
        return nothing
    adae = adam["ADAE"]
    known = dict(zip(zip(adae["USUBJID"], adae["SRCSEQ"], strict=True), column(adae, "AEOUT"), strict=True))
    keys = zip(adtox["SRCDOM"], adtox["USUBJID"], adtox["SRCSEQ"], strict=True)
    found = [known.get((who, number)) if domain == "AE" else None for domain, who, number in keys]
    return pd.Series(found, index=adtox.index, dtype=object)


def _toxicity_columns(adtox: pd.DataFrame, adam: Adam) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "USUBJID": adtox["USUBJID"],
            "SRCDOM": adtox["SRCDOM"],
            "SRCSEQ": adtox["SRCSEQ"],
            "kind": adtox["PARAMCD"].astype(object),
            "phase": adtox["APHASE"].astype(object),
            "onset": study_days(adtox, "ASTDT", adsl=adam["ADSL"]),
            "driver": adtox["DRIVERA"]
            .where(adtox["DRIVERA"].fillna("") != "", adtox["DRIVERC"])
            .astype(object),
        }
    )


def _bounds(adtox: pd.DataFrame, low: str, high: str) -> pd.Series:
    texts = [
        "" if np.isnan(a) else f"{a:g}" if a == b else f"{a:g} to {b:g}"
        for a, b in zip(adtox[low], adtox[high], strict=True)
    ]
    return pd.Series(texts, index=adtox.index, dtype=object)


def _treatment(adtox: pd.DataFrame) -> pd.Series:
    words = {"TOCIFL": "tocilizumab", "STERFL": "steroid", "VASOFL": "vasopressor"}
    texts = [
        ", ".join(text for name, text in words.items() if row[name] == "Y") or "none"
        for row in adtox[list(words)].to_dict("records")
    ]
    return pd.Series(texts, index=adtox.index, dtype=object)


def discordance(adam: Adam, study: Study, sdtm: Sdtm | None = None) -> Result:
    """List where the reported and the derived grade of an immune toxicity differ, or one is absent.

    Parameters
    ----------
    adam : Adam
        ADSL, ADTOX, ADDLT (windows).
    study : Study
        ``titration_trigger``, ``dose.dlt_rules``.
    sdtm : Sdtm, optional
        QUERY.

    Returns
    -------
    Result
        ``safety_listing.discordance``; a record per episode: event (domain and number), kind, phase, onset, reported,
        scale, derived_astct, derived_ctcae, driver, direction, missing, effect and readings (as
        `interim.analysis.discordance_effect.effects_of` gives them), query, status of a query, flags. Effects first.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("safety_listing.discordance", "Reported and derived grades that differ")
    who, rows, there = listing(adam, study, names, code="NK-SAF", needs=("ADTOX",))
    if not there:
        return rows.build()
    adtox = adam["ADTOX"].loc[
        lambda f: (f["DIRC"].fillna("AGREE") != "AGREE") | (f["DIRA"].fillna("AGREE") != "AGREE")
    ]
    by_ctcae = adtox["DIRC"].fillna("AGREE") != "AGREE"
    effects = effects_of(adtox, adam, study)
    frame = _toxicity_columns(adtox, adam).assign(
        reported=adtox["REPGRC"].where(by_ctcae, adtox["REPGRA"]).astype("float64"),
        scale=np.where(by_ctcae, "CTCAE v5.0", "consensus"),
        derived_ctcae=_bounds(adtox, "CTCLO", "CTCHI"),
        derived_astct=_bounds(adtox, "ASTLO", "ASTHI").where(adtox["SCREEN"].isna(), adtox["SCREEN"]),
        direction=adtox["DIRC"].where(by_ctcae, adtox["DIRA"]).astype(object),
        missing=adtox["MISSINP"].astype(object),
        event=_event_ids(adtox),
        effect=effects["EFFECT"],
        readings=effects["READINGS"],
        flags=adtox["FLAGS"].astype(object),
        query=_query_keys(adtox, adam),
        status=query_status(adtox, sdtm),
    )
    first = frame.assign(LATER=effects["EFFECT"].map(_FIRST)).sort_values(
        ["LATER", "USUBJID", "onset"], kind="stable"
    )
    return built(rows, first.drop(columns="LATER"), who=who, order=None)


def _query_keys(adtox: pd.DataFrame, adam: Adam) -> list[str]:
    """Return the keys of the queries; that of an episode which nobody reported names its study day."""
    starts = first_days(adam)
    return [
        in_days(key, starts.get(subject))
        for key, subject in zip(adtox["QUERYKEY"], adtox["USUBJID"], strict=True)
    ]


def _event_ids(adtox: pd.DataFrame) -> pd.Series:
    """Return the reported event of each episode, as domain and number; empty where nobody reported one."""
    known = adtox["SRCDOM"].notna() & adtox["SRCSEQ"].notna()
    return (adtox["SRCDOM"].astype(str) + " " + adtox["SRCSEQ"].astype(str)).where(known, "").astype(object)


def liver(adam: Adam, study: Study) -> Result:
    """List the liver panel by participant and day.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX, ADLB.
    study : Study
        ``[toxicity]``.

    Returns
    -------
    Result
        ``safety_listing.liver``; a record per participant and day: day, window (after the latest hepatic-artery infusion),
        and of ALT, AST, ALP, bilirubin the value (alt_value, ...; missing in another unit than U/L, umol/L), the multiple of
        the upper limit (alt, ...) and of the baseline (alt_base, ...), inr_value, and why (ULN_MISSING, BASELINE_MISSING).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    names = ("safety_listing.liver", "Listing: Liver panel by participant")
    who, rows, there = listing(
        adam, study, names, code="NK-SAF", needs=("ADLB", "ADLB.BASETYPE", "ADLB.ANRHI")
    )
    if not there:
        return rows.build()
    adex = adam["ADEX"] if adam.has("ADEX") else None
    panel = liver_panel(adam["ADLB"], adam["ADSL"], study=study, adex=adex, analytes=(*_LIVER_UNITS, "INR"))
    usual = panel["PARAMCD"].map(_LIVER_UNITS)
    panel["VALUE"] = panel["AVAL"].where((panel["AVALU"] == usual) | usual.isna())
    wide = panel.pivot_table(
        index=["USUBJID", "DAY"],
        columns="PARAMCD",
        values=["VALUE", "XULN", "XBASE"],
        aggfunc="max",
        dropna=False,
    )
    days = panel.drop_duplicates(["USUBJID", "DAY"]).set_index(["USUBJID", "DAY"])
    found = wide.index.intersection(days.index)
    frame = pd.DataFrame({"window": days.loc[found, "WINDOW"].astype(object)})
    places = [(key, code, tail) for code in _LIVER_UNITS for key, tail in _LIVER_CELLS]
    for key, code, tail in (*places, ("VALUE", "INR", "_value")):
        there = (key, code) in wide
        frame[f"{code.lower()}{tail}"] = wide.loc[found, (key, code)].astype("float64") if there else np.nan
    frame["why"] = _why_no_multiple(panel).reindex(found)
    frame = ordered(frame.reset_index().rename(columns={"DAY": "day"}), ["USUBJID", "day"])
    return built(rows, frame.astype({"day": "float64"}), who=who, order=["day"])


_LIVER_UNITS = {"ALT": "U/L", "AST": "U/L", "ALP": "U/L", "BILI": "umol/L"}  # as the heads of the listing say
_LIVER_CELLS = (("VALUE", "_value"), ("XULN", ""), ("XBASE", "_base"))


def _why_no_multiple(panel: pd.DataFrame) -> pd.Series:
    """Return by participant and day why a multiple is missing: ULN_MISSING before BASELINE_MISSING."""
    mine = panel[panel["PARAMCD"].isin(list(_LIVER_UNITS))]
    reasons = np.select(
        [mine["XULN"].isna(), mine["XBASE"].isna()], [ULN_MISSING, BASELINE_MISSING], default=""
    )
    found = pd.Series(reasons, index=pd.MultiIndex.from_frame(mine[["USUBJID", "DAY"]]), dtype=object)
    return found.groupby(level=[0, 1]).max()

"""Participants one by one: everything on one time axis, and the facts of the narratives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from interim.adam.adlb import first_base_type
from interim.adam.model import Adam
from interim.adam.source import shipped_data
from interim.analysis.layout import printed_rows
from interim.analysis.listing import column, dose_of, study_days
from interim.analysis.narrative_course import Beside, add_beside, beside_events
from interim.analysis.narrative_facts import add_history, add_judgement, dose_decisions, histories
from interim.analysis.participant_listing import age_bands
from interim.analysis.population import Population, open_rows, population
from interim.analysis.safety_listing import related_to
from interim.data.model import Sdtm
from interim.result import Result, Rows
from interim.study import Study

FACTS, EVENT, INFUSION = "facts", "event", "infusion"
_MILLION = 1e6
_WITHDRAWN = "DRUG WITHDRAWN"
_OF_INFUSIONS = ("USUBJID", "SRCDOM", "SRCSEQ", "PRODUCT")
_OF_EVENTS = (
    *("USUBJID", "SRCDOM", "SRCSEQ", "AETERM", "AEDECOD", "AESER", "AEACN", "AEOUT", "AETOXGRN", "ASTCTGRN"),
    *("ASTDT", "AENDT", "DLTFL", "CRSFL", "ICANSFL"),
)


def profile(adam: Adam, study: Study) -> Result:
    """Return the course of each participant: infusions, events, results, cells and lesions by day.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX, ADAE, ADLB, ADPC, ADTR.
    study : Study
        Evaluator.

    Returns
    -------
    Result
        ``patient.profile``; group = column; variable infusion, event, ``lab <code>``, ``cells <assay>``, lesion, end; level =
        participant and number; stats day (from the first infusion), end, value (with its unit), grade, and as texts name;
        what no dataset holds has no row. Cells are those of blood, lesions the changes of complete sums.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("patient.profile", "One-page participant profile", who)
    parts = {
        "infusion": _infusions(adam),
        "event": _profile_events(adam),
        **_labs(adam, study),
        **_cells(adam),
        "lesion": _lesions(adam, study),
        "end": _ends(adam),
    }
    groups = dose_of(who)
    for variable, frame in parts.items():
        kept = frame[frame["USUBJID"].isin(list(groups)) & frame["day"].notna()]
        ordered = kept.sort_values(["USUBJID", "day"], kind="stable")
        for number, item in enumerate(ordered.to_dict("records"), 1):
            _add_point(rows, groups, item, variable=variable, number=number)
    return rows.build()


def _add_point(
    rows: Rows, groups: Mapping[str, str], item: Mapping[Any, Any], *, variable: str, number: int
) -> None:
    subject = str(item["USUBJID"])
    place: dict[str, Any] = {"group": groups[subject], "variable": variable, "level": f"{subject} {number}"}
    rows.add("day", float(item["day"]), unit="days", subjects=[subject], **place)
    for stat in ("end", "value", "grade"):
        if stat in item and item[stat] == item[stat] and item[stat] is not None:
            unit = str(item.get("unit") or "") if stat == "value" else ""
            rows.add(stat, float(item[stat]), unit=unit, **place)
    if item.get("name"):
        rows.add("name", None, text=str(item["name"]), **place)


def _none() -> pd.DataFrame:
    return pd.DataFrame({"USUBJID": pd.Series(dtype=object), "day": pd.Series(dtype="float64")})


def _infusions(adam: Adam) -> pd.DataFrame:
    if not adam.has("ADEX"):
        return _none()
    adex = adam["ADEX"]
    return pd.DataFrame(
        {
            "USUBJID": adex["USUBJID"],
            "day": study_days(adex, "ASTDT", adsl=adam["ADSL"]),
            "name": adex["PRODUCT"],
        }
    )


def _profile_events(adam: Adam) -> pd.DataFrame:
    if not adam.has("ADAE"):
        return _none()
    adae, adsl = adam["ADAE"], adam["ADSL"]
    last = adae["USUBJID"].map(_last_days(adsl))
    grade = adae["AETOXGRN"] if "AETOXGRN" in adae else pd.Series(float("nan"), index=adae.index)
    frame = pd.DataFrame(
        {
            "USUBJID": adae["USUBJID"],
            "day": study_days(adae, "ASTDT", adsl=adsl),
            "end": study_days(adae, "AENDT", adsl=adsl).fillna(last),
            "grade": grade,
            "name": adae["AEDECOD"].fillna(adae["AETERM"]) if "AETERM" in adae else adae["AEDECOD"],
        }
    )
    return frame[adae["TRTEMFL"] == "Y"]


def _last_days(adsl: pd.DataFrame) -> dict[str, float]:
    names = [name for name in ("DTHDT", "DCUTDT") if name in adsl]
    end = adsl[names].min(axis=1)
    days = (end - adsl["TRTSDT"]).dt.days.astype("float64")
    return dict(zip(adsl["USUBJID"], days, strict=True))


def _ends(adam: Adam) -> pd.DataFrame:
    adsl = adam["ADSL"]
    days = adsl["USUBJID"].map(_last_days(adsl))
    died = adsl["DTHFL"].map({"Y": "death"}).fillna("cut-off")
    return pd.DataFrame({"USUBJID": adsl["USUBJID"], "day": days, "name": died})


def _labs(adam: Adam, study: Study) -> dict[str, pd.DataFrame]:
    """Return the results of the listed parameters: multiples of the upper limit, or the value."""
    if not adam.has("ADLB"):
        return {}
    adlb = adam["ADLB"].loc[lambda f: (f["BASETYPE"] == first_base_type(study)) & f["AVAL"].notna()]
    frames = {}
    for code, basis in printed_rows()["profile"]["laboratory"].items():
        part = adlb[adlb["PARAMCD"] == code]
        value = part["AVAL"] / part["ANRHI"].where(part["ANRHI"] > 0) if basis == "uln" else part["AVAL"]
        days = study_days(part, "ADT", adsl=adam["ADSL"])
        frame = pd.DataFrame({"USUBJID": part["USUBJID"], "day": days, "value": value.astype("float64")})
        frames[f"lab {code}"] = frame.dropna()
    return frames


def _cells(adam: Adam) -> dict[str, pd.DataFrame]:
    """Return the concentrations in blood that can be quantified, by assay."""
    if not adam.has("ADPC"):
        return {}
    adpc = adam["ADPC"].loc[lambda f: f["AVAL"].notna() & (f["AVAL"] > 0) & (f["BLQFL"] != "Y")]
    adpc = adpc[adpc["ASPEC"].isin(list(shipped_data("kinetics")["blood"]))]
    return {
        f"cells {assay}": pd.DataFrame(
            {
                "USUBJID": part["USUBJID"],
                "day": study_days(part, "ADT", adsl=adam["ADSL"]),
                "value": part["AVAL"].astype("float64"),
                "unit": part["AVALU"],
            }
        ).drop_duplicates()
        for assay, part in adpc.groupby("PARAMCD", sort=True)
    }


def _lesions(adam: Adam, study: Study) -> pd.DataFrame:
    """Return the changes of complete sums: one that lacks a lesion looks like a response."""
    if not adam.has("ADTR"):
        return _none()
    adtr = adam["ADTR"]
    sums = adtr[(adtr["PARAMCD"] == "SDIAM") & adtr["PCHG"].notna() & (adtr["DTYPE"] != "PARTIAL")]
    sums = sums[sums["PARCAT2"] == study.response.evaluator] if "PARCAT2" in sums else sums
    days = study_days(sums, "ADT", adsl=adam["ADSL"])
    return pd.DataFrame({"USUBJID": sums["USUBJID"], "day": days, "value": sums["PCHG"].astype("float64")})


def narratives(adam: Adam, study: Study, sdtm: Sdtm | None = None) -> Result:
    """Return the facts of the narratives: deaths, serious events, dose-limiting toxicities and other severe events.

    Parameters
    ----------
    adam : Adam
        ADSL, ADAE, ADEX, ADLB, ADDLT.
    study : Study
        Columns.
    sdtm : Sdtm, optional
        MH, DECISIONS, CM; VS, CE and QS with the signs of cytokine release and neurotoxicity.

    Returns
    -------
    Result
        ``patient.narratives``; group = column; variable facts, level = participant: age (band), sex, tumour, why, lines (of prior systemic therapy), n_nk, n_cart, cart_day,
        peaks of the listed parameters (``peak <code>``, ``low <code>``), last, status, cause, history, sponsor, effect, decision, decided; variable infusion, level = participant
        and number: product, day, cells (million); variable event, level = participant and number: term, grade, astct (NOT_APPLICABLE but for cytokine release and neurotoxicity), onset, end,
        duration, related, serious, action, outcome, dlt; variables grade and drug as `interim.analysis.narrative_course.add_beside` says.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("patient.narratives", "Narratives", who)
    if not adam.has("ADAE"):
        rows.add(
            "n",
            None,
            variable="participants",
            status="NA",
            reason=f"not available: {adam.missing.get('ADAE', 'no AE')}",
        )
        return rows.build()
    adae = adam["ADAE"].loc[lambda f: f["USUBJID"].isin(who.everyone)]
    chosen = _reasons(adam, adae, who)
    rows.add("n", len(chosen), variable="participants", n=len(chosen), N=who.n(), subjects=sorted(chosen))
    groups = dose_of(who)
    peaks = _peaks(adam, study)
    told = _told(adae)
    beside = beside_events(adam, told, study=study, sdtm=sdtm)
    events, infusions = _event_facts(adam, told), _infusion_facts(adam, sorted(chosen))
    history, decisions = histories(sdtm), dose_decisions(sdtm, study)
    for subject in sorted(chosen):
        place: dict[str, Any] = {"group": groups[subject], "variable": FACTS, "level": subject}
        _add_facts(rows, adam, subject, chosen[subject], place)
        add_history(rows, place, subject=subject, history=history)
        mine = [event for event in events if event["USUBJID"] == subject]
        since = _first_day(adam, mine, subject)
        add_judgement(rows, place, subject, adam=adam, decisions=decisions, since=since)
        for stat, value in peaks.get(subject, {}).items():
            rows.add(stat, value, subjects=[subject], **place)
        _add_infusions(rows, [item for item in infusions if item["USUBJID"] == subject], groups[subject])
        _add_events(rows, mine, groups[subject], beside)
    return rows.build()


def _told(adae: pd.DataFrame) -> pd.DataFrame:
    """Return the events that a narrative tells: the significant emergent ones."""
    significant = pd.concat(list(_significant(adae).values()), axis=1).any(axis=1)
    return adae[significant & (adae["TRTEMFL"] == "Y")]


def _first_day(adam: Adam, events: Sequence[Mapping[Any, Any]], subject: str) -> pd.Timestamp:
    """Return the first onset of the events that are told; the day of death where there is none."""
    onset = pd.to_datetime(pd.Series([event.get("ASTDT") for event in events], dtype=object)).min()
    death = pd.to_datetime(column(adam["ADSL"].set_index("USUBJID"), "DTHDT"))[subject]
    return death if pd.isna(onset) else onset


def _significant(adae: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the kinds of events that ask for a narrative."""
    no = pd.Series(False, index=adae.index)
    grade = adae["AETOXGRN"] if "AETOXGRN" in adae else pd.Series(float("nan"), index=adae.index)
    liver = printed_rows()["special_interest"]["hepatic"]
    term = adae["AEDECOD"].fillna("").str.upper()
    special = (column(adae, "CRSFL") == "Y") | (column(adae, "ICANSFL") == "Y") | term.isin(liver["terms"])
    return {
        "serious adverse event": adae["AESER"] == "Y" if "AESER" in adae else no,
        "dose-limiting toxicity": adae["DLTFL"] == "Y" if "DLTFL" in adae else no,
        "severe cytokine release, neurotoxicity or liver event": special
        & (grade >= printed_rows()["grades"]["severe"]),
        "treatment withdrawn": adae["AEACN"] == _WITHDRAWN if "AEACN" in adae else no,
    }


def _reasons(adam: Adam, adae: pd.DataFrame, who: Population) -> dict[str, str]:
    """Return why each participant has a narrative."""
    adsl = adam["ADSL"]
    found: dict[str, list[str]] = {}
    dead = set(adsl.loc[adsl["DTHFL"] == "Y", "USUBJID"]) & who.everyone
    kinds: list[tuple[str, Iterable[str]]] = [("death", dead)]
    kinds += [
        (kind, adae.loc[hit & (adae["TRTEMFL"] == "Y"), "USUBJID"])
        for kind, hit in _significant(adae).items()
    ]
    for kind, subjects in kinds:
        for subject in sorted(set(subjects)):
            found.setdefault(str(subject), []).append(kind)
    return {subject: ", ".join(reasons) for subject, reasons in found.items()}


def _add_facts(rows: Rows, adam: Adam, subject: str, why: str, place: Mapping[str, Any]) -> None:
    adsl = adam["ADSL"].set_index("USUBJID").loc[subject]
    texts = {"participant": subject, "why": why, "sex": adsl.get("SEX"), "tumour": adsl.get("TUMTYPE")}
    texts["age"] = age_bands(adam["ADSL"])[(adam["ADSL"]["USUBJID"] == subject).to_numpy()].iloc[0]
    died = adsl["DTHFL"] == "Y"
    texts |= {
        "status": "died" if died else "alive or not known to have died",
        "cause": adsl.get("DTHCAUS") if died else None,
    }
    for stat, text in texts.items():
        known = isinstance(text, str) and text
        rows.add(stat, None, text=text if known else "not recorded", subjects=[subject], **place)
    end = adsl["DTHDT"] if died else adsl.get("DCUTDT", pd.NaT)
    numbers = {
        "lines": adsl.get("PRLINES"),
        "n_nk": adsl.get("NINFNK"),
        "n_cart": adsl.get("NINFCT"),
        "cart_day": (adsl["TRTSCT"] - adsl["TRTSDT"]).days if pd.notna(adsl.get("TRTSCT")) else None,
        "last": (end - adsl["TRTSDT"]).days if pd.notna(end) else None,
    }
    for stat, value in numbers.items():
        if value is None or pd.isna(value):
            rows.add(stat, None, status="NA", reason="not recorded", **place)
        else:
            rows.add(stat, float(value), subjects=[subject], **place)


def _peaks(adam: Adam, study: Study) -> dict[str, dict[str, float]]:
    """Return the extremes of the listed parameters after the first infusion."""
    if not adam.has("ADLB"):
        return {}
    adlb = adam["ADLB"].loc[
        lambda f: (f["BASETYPE"] == first_base_type(study)) & (f["ONTRTFL"] == "Y") & f["AVAL"].notna()
    ]
    found: dict[str, dict[str, float]] = {}
    for code, basis in printed_rows()["profile"]["laboratory"].items():
        part = adlb[adlb["PARAMCD"] == code]
        value = part["AVAL"] / part["ANRHI"].where(part["ANRHI"] > 0) if basis == "uln" else part["AVAL"]
        group = value.dropna().groupby(part["USUBJID"])
        stat, extremes = ("peak", group.max()) if basis == "uln" else ("low", group.min())
        for subject, extreme in extremes.items():
            found.setdefault(str(subject), {})[f"{stat} {code}"] = float(extreme)
    return found


def _infusion_facts(adam: Adam, subjects: Sequence[str]) -> list[dict[Any, Any]]:
    """Return what was given, in the order of the infusions: product, day and cells."""
    if not adam.has("ADEX"):
        return []
    adex = adam["ADEX"].loc[lambda frame: frame["USUBJID"].isin(list(subjects))]
    frame = adex[[name for name in _OF_INFUSIONS if name in adex]].assign(
        DAY=study_days(adex, "ASTDT", adsl=adam["ADSL"]),
        CELLS=adex["ADOSE"].astype("float64") / _MILLION if "ADOSE" in adex else None,
    )
    return frame.sort_values("DAY", kind="stable").to_dict("records")


def _add_infusions(rows: Rows, given: Sequence[Mapping[Any, Any]], group: str) -> None:
    for number, item in enumerate(given, 1):
        subject = str(item["USUBJID"])
        source = [(subject, str(item["SRCDOM"]), str(item["SRCSEQ"]))]
        place: dict[str, Any] = {"group": group, "variable": INFUSION, "level": f"{subject} {number}"}
        rows.add("product", None, text=str(item["PRODUCT"]), sources=source, **place)
        for stat, unit in (("day", "days"), ("cells", "million cells")):
            value = item[stat.upper()]
            if value is None or pd.isna(value):
                rows.add(stat, None, status="NA", reason="not recorded", **place)
            else:
                rows.add(stat, float(value), unit=unit, sources=source, **place)


def _event_facts(adam: Adam, told: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return the events that the narratives tell, in the order of onset."""
    days = {
        name: study_days(told, date, adsl=adam["ADSL"])
        for name, date in (("onset", "ASTDT"), ("end", "AENDT"))
    }
    start = told["USUBJID"].map(adam["ADSL"].set_index("USUBJID")["TRTSDT"])
    frame = told[[name for name in _OF_EVENTS if name in told]]
    frame = frame.assign(RELATED=related_to(told), START=start, **days)
    return frame.sort_values("onset", kind="stable").to_dict("records")


def _add_events(rows: Rows, events: Sequence[Mapping[Any, Any]], group: str, beside: Beside) -> None:
    """Add the events that the narrative of a participant tells."""
    for number, item in enumerate(events, 1):
        subject = str(item["USUBJID"])
        place: dict[str, Any] = {"group": group, "variable": EVENT, "level": f"{subject} {number}"}
        source = [(subject, str(item["SRCDOM"]), str(item["SRCSEQ"]))]
        texts = {"term": item.get("AEDECOD") or item.get("AETERM"), "related": item["RELATED"]}
        texts |= {
            "serious": "serious" if item.get("AESER") == "Y" else "not serious",
            "action": item.get("AEACN"),
        }
        texts |= {
            "outcome": item.get("AEOUT"),
            "dlt": "dose-limiting" if item.get("DLTFL") == "Y" else "not dose-limiting",
        }
        for stat, text in texts.items():
            known = isinstance(text, str) and text
            rows.add(stat, None, text=text if known else "not recorded", sources=source, **place)
        for stat, name in (("grade", "AETOXGRN"), ("astct", "ASTCTGRN"), ("onset", "onset"), ("end", "end")):
            value = item.get(name)
            if value is None or pd.isna(value):
                scaled = stat != "astct" or item.get("CRSFL") == "Y" or item.get("ICANSFL") == "Y"
                reason = "not recorded" if scaled else "NOT_APPLICABLE"
                rows.add(stat, None, status="NA", reason=reason, **place)
            else:
                rows.add(stat, float(value), sources=source, **place)
        add_beside(rows, beside, item, group=group, level=place["level"])

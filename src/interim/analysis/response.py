"""Response: best overall response, best change of the target lesions, and the course of each participant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.population import (
    MISSING,
    Population,
    add_counts,
    add_not_available,
    add_rates,
    add_sizes,
    by_value,
    efficacy_set,
    open_rows,
    population,
)
from interim.result import Result, Rows
from interim.study import Study

CATEGORIES = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE", "MISSING")
_NO_RESPONSES = "no response dataset"
_PENDING = "C-PENDING"


def chosen(adam: Adam, study: Study, parameter: str) -> pd.DataFrame:
    """Return the rows of one response parameter by the primary evaluator.

    Parameters
    ----------
    adam : Adam
        ADRS.
    study : Study
        ``response.evaluator``.
    parameter : str
        PARAMCD.

    Returns
    -------
    pandas.DataFrame
        Rows of ADRS, sorted by participant and date.

    Raises
    ------
    None
    """
    return _rows(adam, study, parameter).sort_values(["USUBJID", "ADT"], kind="stable")


def _rows(adam: Adam, study: Study, parameter: str) -> pd.DataFrame:
    adrs = adam["ADRS"]
    return adrs[_by_evaluator(adrs, study, parameter)]


def _by_evaluator(adrs: pd.DataFrame, study: Study, parameter: str) -> pd.Series:
    return (adrs["PARAMCD"] == parameter) & (adrs["PARCAT2"] == study.response.evaluator)


def responders(adam: Adam, study: Study, *, confirmed: bool) -> frozenset[str]:
    """Return the participants with a response.

    Parameters
    ----------
    adam : Adam
        ADRS.
    study : Study
        ``response.evaluator``.
    confirmed : bool
        Whether the response must be confirmed.

    Returns
    -------
    frozenset of str
        USUBJIDs.

    Raises
    ------
    None
    """
    return _yes(adam, study, "CRSP" if confirmed else "RSP")


def disease_control(adam: Adam, study: Study, *, confirmed: bool) -> frozenset[str]:
    """Return the participants with disease control.

    Parameters
    ----------
    adam : Adam
        ADRS.
    study : Study
        ``response.evaluator``.
    confirmed : bool
        Whether the best confirmed response is read.

    Returns
    -------
    frozenset of str
        USUBJIDs.

    Raises
    ------
    None
    """
    return _yes(adam, study, "CDCR" if confirmed else "DCR")


def _yes(adam: Adam, study: Study, parameter: str) -> frozenset[str]:
    adrs = adam["ADRS"]
    return frozenset(adrs.loc[_by_evaluator(adrs, study, parameter) & (adrs["AVALC"] == "Y"), "USUBJID"])


def best_response(adam: Adam, study: Study) -> Result:
    """Count best overall response, confirmed and unconfirmed, and give the response rates.

    Parameters
    ----------
    adam : Adam
        ADSL and ADRS.
    study : Study
        Efficacy set, evaluator, whether confirmation is required, interval.

    Returns
    -------
    Result
        ``response.best_response``; variables ``bor_confirmed`` and ``bor_unconfirmed`` (level = category), ``ne_reason``
        and ``missing_reason`` (level = reason), ``pending``; rates (stats rate, lower, upper) ``orr``, ``dcr``, ``cbr`` by the primary definition, ``orr_unconfirmed``
        and ``dcr_unconfirmed`` (or ``_confirmed``) by the other, ``orr_re``, ``dcr_re`` in the response-evaluable set.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, efficacy_set(study))
    rows = open_rows("response.best_response", "Best overall response (RECIST 1.1)", who)
    if not adam.has("ADRS"):
        reason = f"not available: {adam.missing.get('ADRS', _NO_RESPONSES)}"
        for variable in ("orr", "dcr", "cbr"):
            add_not_available(rows, who.groups, variable=variable, stat="rate", reason=reason)
        return rows.build()
    primary = study.response.confirmation_required
    for confirmed in (primary, not primary):
        _add_categories(rows, who, adam, study, confirmed=confirmed)
    _add_reasons(rows, who, adam, study)
    other = "unconfirmed" if primary else "confirmed"
    _add_endpoints(rows, who, adam, study, suffixes=(("", primary), (f"_{other}", not primary)))
    evaluable = population(adam, study, "RE")
    add_sizes(rows, evaluable, variable="population_re")
    _add_endpoints(rows, evaluable, adam, study, suffixes=(("_re", primary),))
    if reason := adam.lacks("ADRS.CBR"):
        add_not_available(rows, who.groups, variable="cbr", stat="rate", reason=f"not available: {reason}")
    else:
        add_rates(rows, who, study=study, variable="cbr", subjects=_benefit(adam, study, confirmed=primary))
    return rows.build()


def _benefit(adam: Adam, study: Study, *, confirmed: bool) -> frozenset[str]:
    """Return the participants with clinical benefit: by the confirmed variant where ADRS holds it."""
    held = set(adam["ADRS"]["PARAMCD"])
    return _yes(adam, study, "CCBR" if confirmed and "CCBR" in held else "CBR")


def _add_endpoints(
    rows: Rows, who: Population, adam: Adam, study: Study, *, suffixes: Iterable[tuple[str, bool]]
) -> None:
    for suffix, confirmed in suffixes:
        prefix = "C" if confirmed else ""
        for variable, parameter in (("orr", f"{prefix}RSP"), ("dcr", f"{prefix}DCR")):
            name = variable + suffix
            if reason := adam.lacks(f"ADRS.{parameter}"):
                add_not_available(
                    rows, who.groups, variable=name, stat="rate", reason=f"not available: {reason}"
                )
            else:
                add_rates(rows, who, study=study, variable=name, subjects=_yes(adam, study, parameter))


def _add_categories(rows: Rows, who: Population, adam: Adam, study: Study, *, confirmed: bool) -> None:
    parameter = "CBOR" if confirmed else "BOR"
    variable = "bor_confirmed" if confirmed else "bor_unconfirmed"
    if reason := adam.lacks(f"ADRS.{parameter}"):
        for level in CATEGORIES:
            add_not_available(
                rows, who.groups, variable=variable, level=level, reason=f"not available: {reason}"
            )
        return
    best = chosen(adam, study, parameter)
    found = by_value(best, "AVALC")
    recorded = frozenset[str]().union(*found.values())
    found["MISSING"] = found.get("MISSING", frozenset()) | (who.everyone - recorded)
    for level in (*CATEGORIES, *sorted(set(found) - set(CATEGORIES))):
        add_counts(rows, who, variable=variable, level=level, subjects=found.get(level, ()))


def _add_reasons(rows: Rows, who: Population, adam: Adam, study: Study) -> None:
    primary = chosen(adam, study, "CBOR" if study.response.confirmation_required else "BOR")
    for category, variable in (("NE", "ne_reason"), ("MISSING", "missing_reason")):
        part = primary[primary["AVALC"] == category].fillna({"RSNCD": MISSING})
        part = part.assign(RSNCD=part["RSNCD"].astype(str).str.split(";").str[0])
        for reason, ids in by_value(part, "RSNCD").items():
            add_counts(rows, who, variable=variable, level=reason, subjects=ids)
    if reason := adam.lacks("ADRS.CBOR"):
        add_not_available(rows, who.groups, variable="pending", reason=f"not available: {reason}")
        return
    confirmed = chosen(adam, study, "CBOR")
    pending = confirmed["RSNCD"].fillna("").str.contains(_PENDING, regex=False)
    add_counts(rows, who, variable="pending", subjects=confirmed.loc[pending, "USUBJID"])


def best_change(adam: Adam, study: Study) -> Result:
    """Give each participant's best percentage change of the sum of target diameters.

    Parameters
    ----------
    adam : Adam
        ADSL, ADTR, ADRS.
    study : Study
        Evaluator, whether values after progression or new therapy count.

    Returns
    -------
    Result
        ``response.best_change``; variable ``best_change``, level = USUBJID, group = assigned cohort; stat ``pchg`` in per
        cent (NE with the reason for a participant without a complete sum) and as texts ``bor``, ``new_lesion`` (yes or -), and
        where collected ``tumour`` and ``ligand`` (high or low by the primary entry of that dimension); ``summary`` median, min,
        max and the numbers with and without a value by cohort.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.

    Notes
    -----
    Complete sums only, up to and including the first progression and before a new anticancer therapy.
    """
    who = population(adam, study, "RE")
    rows = open_rows("response.best_change", "Best percentage change of the target lesions", who)
    if not adam.has("ADTR", "ADRS"):
        missing = adam.missing.get("ADTR") or adam.missing.get("ADRS") or "no tumour measurements"
        add_not_available(
            rows, who.groups, variable="summary", stat="median", reason=f"not available: {missing}"
        )
        return rows.build()
    sums = used_sums(adam, study)
    best = sums.sort_values(["USUBJID", "PCHG", "ADT"], kind="stable").drop_duplicates("USUBJID")
    lowest = {str(row["USUBJID"]): row for row in best.to_dict("records")}
    bor = chosen(adam, study, "CBOR" if study.response.confirmation_required else "BOR").set_index("USUBJID")[
        "AVALC"
    ]
    marks = _bar_marks(adam, study)
    measured = frozenset(adam["ADTR"].loc[adam["ADTR"]["PARAMCD"] == "SDIAM", "USUBJID"])
    for group, ids in list(who.members.items())[:-1]:
        for subject in sorted(ids):
            place: dict[str, Any] = {"group": group, "variable": "best_change", "level": subject}
            rows.add("bor", None, text=str(bor.get(subject, "MISSING")), subjects=[subject], **place)
            for stat, texts in marks.items():
                rows.add(stat, None, text=texts.get(subject, "-"), **place)
            row = lowest.get(subject)
            if row is not None:
                source = (subject, str(row["SRCDOM"]), str(row["SRCSEQ"]))
                rows.add("pchg", float(row["PCHG"]), unit="%", sources=[source], **place)
            else:
                reason = "NO_COMPLETE_SUM" if subject in measured else "NO_TARGET"
                rows.add("pchg", None, status="NE", reason=reason, subjects=[subject], **place)
    _add_change_summary(rows, who, best.set_index("USUBJID")["PCHG"])
    return rows.build()


def _bar_marks(adam: Adam, study: Study) -> dict[str, dict[str, str]]:
    """Return what is marked at each bar: tumour type, new lesion, ligand expression; what is not collected is left out."""
    new = chosen(adam, study, "NEWLPROG")
    marks = {"new_lesion": dict.fromkeys(new.loc[new["AVALC"] == "Y", "USUBJID"], "yes")}
    adsl = adam["ADSL"]
    if "TUMTYPE" in adsl:
        known = adsl[adsl["TUMTYPE"].notna()]
        marks["tumour"] = dict(zip(known["USUBJID"], known["TUMTYPE"].astype(str), strict=True))
    entry = next((e.id for e in study.subgroups if e.dimension == "ligand" and e.primary), "")
    if entry and adam.has("ADSUB"):
        levels = adam["ADSUB"][lambda f: (f["ENTRY"] == entry) & f["AVALC"].notna()]
        top = levels["AVALN"].max()
        names = levels["AVALN"].map(lambda rank: "high" if rank == top else "low")
        marks["ligand"] = dict(zip(levels["USUBJID"], names, strict=True))
    return marks


def _add_change_summary(rows: Rows, who: Population, values: pd.Series[float]) -> None:
    with_value = frozenset(map(str, values.index))
    add_counts(rows, who, variable="summary", level="with value", subjects=with_value)
    add_counts(rows, who, variable="summary", level="without value", subjects=who.everyone - with_value)
    for group, ids in who.members.items():
        here = values.loc[sorted(ids & with_value)]
        for stat in ("median", "min", "max"):
            place: dict[str, Any] = {
                "group": group,
                "variable": "summary",
                "unit": "%",
                "n": len(here),
                "N": who.n(group),
            }
            if len(here):
                rows.add(stat, float(here.agg(stat)), **place)
            else:
                rows.add(stat, None, status="NE", reason="NO_DATA", **place)


def used_sums(adam: Adam, study: Study, *, after_pd: bool = False, parameter: str = "SDIAM") -> pd.DataFrame:
    """Return the complete post-baseline sums that may count for the best change.

    Parameters
    ----------
    adam : Adam
        ADSL, ADTR, ADRS.
    study : Study
        Evaluator, whether values after progression or new therapy count.
    after_pd : bool
        Whether values after the first progression are wanted whatever the parameter says.
    parameter : str
        PARAMCD of the sum.

    Returns
    -------
    pandas.DataFrame
        Rows of ADTR, sorted by participant and date.

    Raises
    ------
    None
    """
    adtr = adam["ADTR"]
    keep = (adtr["PARAMCD"] == parameter) & (adtr["PARCAT2"] == study.response.evaluator)
    keep &= (adtr["DTYPE"] != "PARTIAL") & (adtr["ABLFL"] != "Y") & adtr["PCHG"].notna()
    sums = adtr[keep].sort_values(["USUBJID", "ADT"], kind="stable")
    dates = adam["ADSL"][["USUBJID", "NACTDT", "TRTSDT"]]
    overall = chosen(adam, study, "OVR")
    first_pd = overall[overall["AVALC"] == "PD"].groupby("USUBJID")["ADT"].min().rename("_PD").reset_index()
    joined = sums.merge(dates, on="USUBJID", how="left", validate="m:1").merge(
        first_pd, on="USUBJID", how="left", validate="m:1"
    )
    use = joined["ADT"] >= joined["TRTSDT"]
    if not (after_pd or study.response.waterfall_after_pd):
        use &= joined["_PD"].isna() | (joined["ADT"] <= joined["_PD"])
    if study.response.bor_stop_at_nact:
        use &= joined["NACTDT"].isna() | (joined["ADT"] < joined["NACTDT"])
    return joined[use].drop(columns=["_PD", "NACTDT", "TRTSDT"])


def swimmer(adam: Adam, study: Study) -> Result:
    """Give each participant's treatment, responses and status in days from the first infusion.

    Parameters
    ----------
    adam : Adam
        ADSL, ADEX, ADRS.
    study : Study
        Evaluator.

    Returns
    -------
    Result
        ``response.swimmer``; level = USUBJID, group = assigned cohort; variable ``course`` with stat ``end`` (day of death,
        end of study, else the cut-off) and ``status`` (text DEATH, ONGOING, OFF STUDY); variables ``dose <product>``,
        ``response <category>``, ``new_therapy``, with stats day1, day2, ... (day 0 = first infusion).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF", column="COHORT")
    rows = open_rows("response.swimmer", "Treatment, response and status", who)
    if reason := adam.lacks("ADSL.TRTSDT"):
        rows.add("n", None, variable="course", status="NA", reason=f"not available: {reason}")
        return rows.build()
    adsl = {str(row["USUBJID"]): row for row in adam["ADSL"].to_dict("records")}
    marks = _marks(adam, study)
    grouped = {str(subject): part for subject, part in marks.groupby("USUBJID", sort=False)}
    for group, ids in list(who.members.items())[:-1]:
        for subject in sorted(ids):
            _add_course(rows, (group, subject), adsl[subject], grouped.get(subject))
    return rows.build()


def _marks(adam: Adam, study: Study) -> pd.DataFrame:
    """Return USUBJID, date and name of everything that is drawn on a bar."""
    parts = []
    if adam.has("ADEX"):
        adex = adam["ADEX"]
        names = "dose " + adex["PRODUCT"].astype(str)
        parts.append(pd.DataFrame({"USUBJID": adex["USUBJID"], "ADT": adex["ASTDT"], "NAME": names}))
    if adam.has("ADRS"):
        overall = chosen(adam, study, "OVR")
        overall = overall[overall["AVALC"].isin(CATEGORIES)]
        names = "response " + overall["AVALC"].astype(str)
        parts.append(pd.DataFrame({"USUBJID": overall["USUBJID"], "ADT": overall["ADT"], "NAME": names}))
    adsl = adam["ADSL"]
    new = adsl[adsl["NACTDT"].notna()]
    parts.append(pd.DataFrame({"USUBJID": new["USUBJID"], "ADT": new["NACTDT"], "NAME": "new_therapy"}))
    marks = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return (
        marks.dropna(subset=["ADT"]).drop_duplicates().sort_values(["USUBJID", "NAME", "ADT"], kind="stable")
    )


def _add_course(
    rows: Rows, place: tuple[str, str], adsl: Mapping[Any, Any], marks: pd.DataFrame | None
) -> None:
    group, subject = place
    start = pd.Timestamp(adsl["TRTSDT"])
    ends = {"DEATH": adsl["DTHDT"], "OFF STUDY": adsl["EOSDT"] if adsl["EOSSTT"] != "ONGOING" else pd.NaT}
    status, end = next(
        ((name, day) for name, day in ends.items() if not pd.isna(day)), ("ONGOING", adsl["DCUTDT"])
    )
    where: dict[str, Any] = {"group": group, "level": subject, "subjects": [subject]}
    rows.add("end", (pd.Timestamp(end) - start).days, variable="course", unit="days", **where)
    rows.add("status", None, text=status, variable="course", **where)
    if marks is None:
        return
    days = (marks["ADT"] - start).dt.days
    order = marks.groupby("NAME", sort=False).cumcount() + 1
    for name, day, number in zip(marks["NAME"], days, order, strict=True):
        if day >= 0:
            rows.add(f"day{number}", int(day), variable=str(name), unit="days", **where)

"""Events of special interest, procedure complications, haematological recovery, medication and long-term safety."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from interim.adam.adlb import first_base_type
from interim.adam.model import Adam
from interim.adam.source import source_of, text_column
from interim.adam.toxicity.records import drug_spans
from interim.adam.toxicity.support import oxygen_spans, steroid_use
from interim.analysis.infusions import add_catheter
from interim.analysis.layout import printed_rows
from interim.analysis.population import (
    Population,
    add_counts,
    add_not_available,
    open_rows,
    population,
)
from interim.analysis.recovery import add_recovery, recovery_times
from interim.analysis.safety import NO_GRADES, add_events, emergent, has_grades
from interim.analysis.spread import add_spread
from interim.data.model import Sdtm
from interim.result import TOTAL, Result, Rows
from interim.stats import binomial_interval
from interim.study import Study


def overview(adam: Adam, study: Study, sdtm: Sdtm | None = None) -> Result:
    """Count the events of special interest by kind, and the syndromes that are derived beside them.

    Parameters
    ----------
    adam : Adam
        ADSL, ADAE, ADTOX.
    study : Study
        Level; ``safety.aesi``, ``safety.rcl_tests``.
    sdtm : Sdtm, optional
        FA, BS, LB: a positive test for replication-competent virus counts with the reports; where nobody was tested and nothing
        was reported, it was not collected.

    Returns
    -------
    Result
        ``special_interest.overview``; variable = kind, level empty (any) and ``grade3``: stats n, events, and for the total
        lower, upper, and one_sided where none was observed; variable derived with the levels of ADTOX.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("special_interest.overview", "Adverse events of special interest: overview", who)
    events = emergent(adam, who)
    if events is None:
        add_not_available(rows, who.groups, variable="crs", reason="not available: no AE")
        return rows.build()
    for kind, rule in printed_rows()["special_interest"].items():
        if "grade" in rule and not has_grades(adam["ADAE"]):
            add_not_available(rows, who.groups, variable=kind, reason=NO_GRADES)
            continue
        chosen = events[_of_kind(events, rule)]
        if kind == "viral" and sdtm is not None:
            tests = study.safety.rcl_tests
            if chosen.empty and _tested(sdtm, tests) is None:
                add_not_available(rows, who.groups, variable=kind, reason=_NO_RCL)
                continue
            positive = _test_records(sdtm, tests, results=printed_rows()["long_term"]["positive"])
            more = positive[~positive["USUBJID"].isin(chosen["USUBJID"])].drop_duplicates("USUBJID")
            chosen = pd.concat([chosen, more.assign(AEPISSEQ=more["SRCSEQ"])], ignore_index=True)
        _add_kind(rows, who, chosen, variable=kind, study=study, graded="grade" not in rule)
    listed = events[events["AESIFL"] == "Y"] if "AESIFL" in events else events.iloc[:0]
    _add_kind(rows, who, listed, variable="any_listed", study=study)
    _add_derived(rows, who, adam)
    return rows.build()


def _of_kind(events: pd.DataFrame, rule: Mapping[str, Any]) -> pd.Series:
    """Tell which events are of a kind: by term, by class, by part of the term; at least of a grade if the kind has one."""
    term = text_column(events, "AEDECOD").fillna(text_column(events, "AETERM")).fillna("")
    group = text_column(events, "AEBODSYS").fillna("")
    hit = term.isin(rule.get("terms", [])) | group.isin(rule.get("classes", []))
    for part in rule.get("parts", []):
        hit |= term.str.contains(part, regex=False)
    if "grade" in rule:
        grade = events["AETOXGRN"] if "AETOXGRN" in events else pd.Series(float("nan"), index=events.index)
        hit &= grade >= rule["grade"]
    return hit


def add_kinds(rows: Rows, who: Population, events: pd.DataFrame | None, *, kinds: str) -> None:
    """Count the participants with an event of each kind of a list.

    Parameters
    ----------
    rows : Rows
        Where the rows go: variable = the list, level = kind; stats n, events.
    who : Population
        The denominator.
    events : pandas.DataFrame or None
        Emergent events (ADAE); None: not available.
    kinds : str
        A table of the printed rows whose entries are rules: terms, classes, parts of terms.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    if events is None:
        add_not_available(rows, who.groups, variable=kinds, reason="not available: no AE")
        return
    for name, rule in printed_rows()[kinds].items():
        add_events(rows, who, events[_of_kind(events, rule)], variable=kinds, level=name)


def _add_kind(
    rows: Rows, who: Population, events: pd.DataFrame, *, variable: str, study: Study, graded: bool = True
) -> None:
    add_events(rows, who, events, variable=variable)
    x, n = len(set(events["USUBJID"]) & who.everyone), who.n()
    if n:
        limits = binomial_interval(x, n, method=study.stats.binomial_interval, level=study.stats.level)
        place: dict[str, Any] = {"group": TOTAL, "variable": variable, "n": x, "N": n}
        for stat, value in (("lower", limits.lower), ("upper", limits.upper)):
            rows.add(stat, float(value), method=study.stats.binomial_interval, **place)
        if x == 0:
            level = printed_rows()["dlt"]["one_sided_level"]
            rows.add(
                "one_sided", 1 - (1 - level) ** (1 / n), method=f"one-sided, level {100 * level:g}", **place
            )
    if graded and "AETOXGRN" in events and len(events):
        severe = events["AETOXGRN"] >= _severe()
        add_events(rows, who, events[severe], variable=variable, level="grade3")


def _severe() -> int:
    """Return the least grade of a severe event."""
    return int(printed_rows()["grades"]["severe"])


def _add_derived(rows: Rows, who: Population, adam: Adam) -> None:
    """Count what is derived beside the reports: screens, and grades that are certain or possible."""
    if not adam.has("ADTOX") or "SCREEN" not in adam["ADTOX"]:
        return
    adtox = adam["ADTOX"]
    positive = adtox[adtox["SCREEN"] == "SCREEN_POSITIVE"]
    open_screen = adtox[adtox["SCREEN"] == "NOT_EVALUABLE"]
    icaht = adtox[adtox["PARAMCD"] == "ICAHT"]
    for level, part in (
        ("iechs_positive", positive),
        ("iechs_open", open_screen),
        ("icaht_certain", icaht[icaht["ASTLO"] >= _severe()]),
        ("icaht_possible", icaht[(icaht["ASTHI"] >= _severe()) & ~(icaht["ASTLO"] >= _severe())]),
        ("gvhd", adtox[(adtox["PARAMCD"] == "GVHD") & (adtox["ASTLO"] >= 1)]),
    ):
        add_counts(rows, who, variable="derived", level=level, subjects=part["USUBJID"])


def procedure(adam: Adam, study: Study) -> Result:
    """Count the complications of the hepatic-artery procedure and of the catheter.

    Parameters
    ----------
    adam : Adam
        ADSL, ADAE.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``special_interest.procedure``; variable = complication (dissection, thrombosis, displacement, bleeding, infection,
        pain, biloma, cholangitis, abscess), and related (any event related to the procedure); stats n, events and, for the
        total, lower, upper, and one_sided where none was observed; catheter and
        dwell as in `interim.analysis.infusions.nk_exposure`.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    title = "Hepatic-artery procedure and catheter complications"
    rows = open_rows("special_interest.procedure", title, who)
    events = emergent(adam, who)
    if events is None or not study.with_role("nk"):
        reason = (
            "not available: no AE" if events is None else "not applicable: the study has no such procedure"
        )
        add_not_available(rows, who.groups, variable="related", reason=reason)
        return rows.build()
    add_catheter(rows, who, adam["ADSL"].set_index("USUBJID"))
    if "RELPROC" in events:
        related = events[events["RELPROC"] == "Y"]
        _add_kind(rows, who, related, variable="related", study=study, graded=False)
    for name, rule in printed_rows()["procedure"].items():
        _add_kind(rows, who, events[_of_kind(events, rule)], variable=name, study=study, graded=False)
    return rows.build()


def haematology(adam: Adam, study: Study) -> Result:
    """Count cytopenias after CAR-T cells and their recovery.

    Parameters
    ----------
    adam : Adam
        ADSL, ADLB, ADTOX.
    study : Study
        Columns.

    Returns
    -------
    Result
        ``special_interest.haematology``; of NEUT, PLAT, HGB: variable ``<code>`` with level grade3, grade4 (worst after the
        first CAR-T infusion), unresolved (at day 28 still grade 3 or higher), not_followed (grade 3 or higher at the last result, before day 28; only
        where there is somebody), variable ``<code> recovery``: days from the first
        result of grade 3 to the first below (n, followed, recovered, Kaplan-Meier median, lower, upper); icaht_certain and icaht_possible with level = grade.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "CART-SAF" if study.with_role("t") else "NK-SAF")
    rows = open_rows("special_interest.haematology", "Haematological toxicity and recovery", who)
    if not study.with_role("t") or not adam.has("ADLB"):
        reason = (
            "not available: no LB"
            if study.with_role("t")
            else "not applicable: the study has no such product"
        )
        add_not_available(rows, who.groups, variable="NEUT", level="", reason=reason)
        return rows.build()
    layout = printed_rows()["haematology"]
    adlb = adam["ADLB"].loc[lambda f: (f["BASETYPE"] == first_base_type(study)) & f["ATOXGRL"].notna()]
    start = adam["ADSL"].set_index("USUBJID")["TRTSCT"]
    days = (adlb["ADT"] - adlb["USUBJID"].map(start)).dt.days
    after = adlb.assign(DAY=days)[days >= 0].sort_values(["USUBJID", "DAY"], kind="stable")
    for code in layout["parameters"]:
        part = after[after["PARAMCD"] == code]
        _add_cytopenia(rows, who, part, code=code, late=layout["unresolved_day"])
        times = recovery_times(part, severe=_severe())
        add_recovery(rows, who, times, variable=f"{code} recovery", study=study)
    _add_icaht(rows, who, adam)
    return rows.build()


def _add_cytopenia(rows: Rows, who: Population, part: pd.DataFrame, *, code: str, late: int) -> None:
    worst = part.groupby("USUBJID")["ATOXGRL"].max()
    add_counts(rows, who, variable=code, level="measured", subjects=worst.index)
    for grade in (_severe(), _severe() + 1):
        subjects = worst.index[worst >= grade]
        add_counts(rows, who, variable=code, level=f"grade{grade}", subjects=subjects)
    severe = part[part["ATOXGRL"] >= _severe()]
    last = part[part["DAY"] >= late].drop_duplicates("USUBJID")
    still = set(last.loc[last["ATOXGRL"] >= _severe(), "USUBJID"]) & set(severe["USUBJID"])
    add_counts(rows, who, variable=code, level="unresolved", subjects=still)
    ends = part.drop_duplicates("USUBJID", keep="last")
    open_still = set(ends.loc[(ends["ATOXGRL"] >= _severe()) & (ends["DAY"] < late), "USUBJID"])
    if gone := who.everyone & open_still:
        add_counts(rows, who, variable=code, level="not_followed", subjects=gone)


def _add_icaht(rows: Rows, who: Population, adam: Adam) -> None:
    adtox = adam["ADTOX"] if adam.has("ADTOX") else pd.DataFrame(columns=["PARAMCD"])
    icaht = adtox[adtox["PARAMCD"] == "ICAHT"]
    if icaht.empty:
        add_not_available(
            rows, who.groups, variable="icaht_certain", reason="not derived: no neutrophil counts"
        )
        return
    certain = icaht[icaht["ASTLO"] == icaht["ASTHI"]]
    for grade in range(5):
        part = certain[certain["ASTLO"] == grade]
        add_counts(rows, who, variable="icaht_certain", level=str(grade), subjects=part["USUBJID"])
    unsure = icaht[icaht["ASTLO"] != icaht["ASTHI"]].dropna(subset=["ASTLO"])
    add_counts(rows, who, variable="icaht_open", subjects=unsure["USUBJID"])
    high = unsure[unsure["ASTHI"] >= _severe()]
    add_counts(rows, who, variable="icaht_open", level="possible3", subjects=high["USUBJID"])


def medication(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Count the participants with medication of special interest, with days and dose of corticosteroids.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Columns.
    sdtm : Sdtm
        CM, CE (oxygen).

    Returns
    -------
    Result
        ``special_interest.medication``; variable = group of drugs, from the first infusion to the cut-off; spread of
        steroid_days and dexamethasone (mg, systemic corticosteroids) over those who received one.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "CART-SAF" if study.with_role("t") else "NK-SAF")
    rows = open_rows("special_interest.medication", "Medication of special interest", who)
    if not sdtm.has("CM"):
        add_not_available(rows, who.groups, variable="tocilizumab", reason="not available: no CM")
        return rows.build()
    treated = adam["ADSL"].loc[lambda f: f["TRTSDT"].notna()].set_index("USUBJID")
    for group, drugs in printed_rows()["medication"].items():
        given = oxygen_spans(sdtm) if group == "oxygen" else drug_spans(sdtm, drugs)
        if given is None:
            add_not_available(rows, who.groups, variable=group, reason="not collected: oxygen")
            continue
        start = given["USUBJID"].map(treated["TRTSDT"])
        during = given[~(given["TO"] < start) & start.notna()]
        add_counts(rows, who, variable=group, subjects=during["USUBJID"])
        if group == "steroid":
            _add_steroids(rows, who, treated, sdtm)
    return rows.build()


def _add_steroids(rows: Rows, who: Population, treated: pd.DataFrame, sdtm: Sdtm) -> None:
    """Add days and cumulative dose of systemic corticosteroids from the first infusion to the cut-off or death."""
    until = treated[["DCUTDT", "DTHDT"]].min(axis=1)
    course = pd.DataFrame({"USUBJID": treated.index, "ASTDT": treated["TRTSDT"], "AENDT": until})
    use = steroid_use(course, sdtm)
    assert use is not None
    received = use[use["STERDY"] > 0]
    add_spread(rows, who, received["STERDY"], variable="steroid_days", unit="days")
    add_spread(rows, who, received["DEXEQ"], variable="dexamethasone", unit="mg")
    unknown = received.index[received["DEXEQ"].isna()]
    add_counts(rows, who, variable="dexamethasone_unknown", subjects=unknown)


def long_term(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Count what the long-term register needs: second malignancies, tests for replicating virus, who is due.

    Parameters
    ----------
    adam : Adam
        ADSL, ADAE.
    study : Study
        Columns; ``safety.rcl_tests``, ``safety.integration_tests``.
    sdtm : Sdtm
        FA, BS and LB: those tests.

    Returns
    -------
    Result
        ``special_interest.long_term``; second_malignancy, pregnancy, rcl_tested, rcl_positive, integration, due (alive and at least the given days after
        the first infusion).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    who = population(adam, study, "NK-SAF")
    rows = open_rows("special_interest.long_term", "Long-term safety register", who)
    events = emergent(adam, who)
    layout = printed_rows()["long_term"]
    for kind, rule in layout["events"].items():
        if events is None:
            add_not_available(rows, who.groups, variable=kind, reason="not available: no AE")
        else:
            add_events(rows, who, events[_of_kind(events, rule)], variable=kind)
    for variable, kind, positive, reason in _LONG_TERM_TESTS:
        codes = getattr(study.safety, kind)
        tested = _tested(sdtm, codes)
        if tested is None:
            why = reason if codes else f"{reason}; the study names no test code (safety.{kind})"
            add_not_available(rows, who.groups, variable=variable, reason=why)
        else:
            found = _tested(sdtm, codes, results=layout["positive"]) or set() if positive else tested
            add_counts(rows, who, variable=variable, subjects=found)
    adsl = adam["ADSL"]
    days = (adsl["DCUTDT"] - adsl["TRTSDT"]).dt.days if "DCUTDT" in adsl else pd.Series(0, index=adsl.index)
    due = adsl[(days >= layout["due_days"]) & (adsl["DTHFL"] != "Y")]
    add_counts(rows, who, variable="due", subjects=due["USUBJID"])
    return rows.build()


_NO_RCL = "not collected: tests for replication-competent virus"
_LONG_TERM_TESTS = (
    ("rcl_tested", "rcl_tests", False, _NO_RCL),
    ("rcl_positive", "rcl_tests", True, _NO_RCL),
    ("integration", "integration_tests", False, "not collected: analyses of vector integration"),
)


def _tested(sdtm: Sdtm, tests: Iterable[str], *, results: Iterable[str] = ()) -> set[str] | None:
    """Return who has such a test, or such a test with one of the results; None if no domain holds one."""
    return set(_test_records(sdtm, tests, results=results)["USUBJID"]) or None


def _test_records(sdtm: Sdtm, tests: Iterable[str], *, results: Iterable[str] = ()) -> pd.DataFrame:
    """Return participant, domain and number of such tests, or of those with one of the results."""
    parts = [pd.DataFrame(columns=["USUBJID", "SRCDOM", "SRCSEQ"], dtype=object)]
    for domain in ("FA", "BS", "LB"):
        source = sdtm.domain(domain)
        code = text_column(source, f"{domain}TESTCD")
        hit = code.isin(list(tests)).to_numpy()
        if wanted := list(results):
            said = text_column(source, f"{domain}STRESC").fillna(text_column(source, f"{domain}ORRES"))
            hit = hit & said.isin(wanted).to_numpy()
        if hit.any():
            parts.append(source_of(source, domain).assign(USUBJID=source["USUBJID"])[hit])
    return pd.concat(parts, ignore_index=True)

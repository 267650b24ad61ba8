"""Results written by hand, number by number: what a table or figure is given when nothing was computed."""

from __future__ import annotations

import dataclasses

from interim.result import TOTAL, Result, Rows

SIZES = {"DL1": 3, "DL2": 12, TOTAL: 15}
PEOPLE = ("SYN-101-001", "SYN-101-002", "SYN-101-003")


def opened(analysis: str, sizes=SIZES, **more) -> Rows:
    """Return rows that state the size of each column."""
    rows = Rows(analysis, more.pop("title", "Hand-made"), population="Safety set", **more)
    for group, size in sizes.items():
        rows.add("N", size, group=group, variable="population", n=size)
    return rows


def counts(rows: Rows, variable: str, *values: int, level: str = "", stat: str = "n", sizes=SIZES) -> None:
    """Add one count per column, of the size of the column."""
    for (group, size), value in zip(sizes.items(), values, strict=True):
        rows.add(stat, value, group=group, variable=variable, level=level, n=value, N=size)


def plain(
    rows: Rows, variable: str, *values: int, level: str = "", stat: str = "events", sizes=SIZES
) -> None:
    """Add one number without a denominator per column."""
    for group, value in zip(sizes, values, strict=True):
        size = {"n": value} if isinstance(value, int) else {}
        rows.add(stat, value, group=group, variable=variable, level=level, **size)


def absent(
    rows: Rows, variable: str, reason: str, *, level: str = "", stat: str = "n", status="NA", sizes=SIZES
) -> None:
    """Add one row without a number per column."""
    for group in sizes:
        rows.add(stat, None, group=group, variable=variable, level=level, status=status, reason=reason)


def changed(result: Result, place: int, **values) -> Result:
    """Return the Result with other values in one row."""
    frame = result.frame.copy()
    for name, value in values.items():
        frame.loc[frame.index[place], name] = value
    return dataclasses.replace(result, frame=frame)


def without_row(result: Result, place: int) -> Result:
    """Return the Result without one row."""
    return dataclasses.replace(result, frame=result.frame.drop(result.frame.index[place]))


def summary() -> Result:
    """Return ``safety.teae_summary`` of two columns and the total."""
    rows = opened("safety.teae_summary")
    counts(rows, "teae", 3, 9, 12)
    plain(rows, "teae", 7, 21, 28)
    counts(rows, "grade3", 0, 1, 1)
    plain(rows, "grade3", 0, 2, 2)
    absent(rows, "aesi", "flag AESI not collected")
    return rows.build()


def terms(graded: bool = True) -> Result:
    """Return ``safety.teae_by_soc_pt`` with one class of two terms."""
    rows = opened("safety.teae_by_soc_pt")
    for variable, level, values in (
        ("teae", "", (3, 9, 12)),
        ("GASTROINTESTINAL DISORDERS", "", (2, 4, 6)),
        ("GASTROINTESTINAL DISORDERS", "NAUSEA", (2, 0, 2)),
        ("GASTROINTESTINAL DISORDERS", "Diarrhoea", (0, 4, 4)),
    ):
        counts(rows, variable, *values, level=level)
        plain(rows, variable, *(2 * value for value in values), level=level)
        if graded:
            counts(rows, variable, 0, 1, 1, level=level, stat="n_grade3")
            plain(rows, variable, 0, 1, 1, level=level, stat="events_grade3")
    if not graded:
        absent(rows, "teae", "grades not collected", stat="n_grade3")
    return rows.build()


def grades() -> Result:
    """Return ``safety.teae_by_max_grade``."""
    rows = opened("safety.teae_by_max_grade")
    for variable, level in (("teae", ""), ("CARDIAC DISORDERS", ""), ("CARDIAC DISORDERS", "PALPITATIONS")):
        for stat, values in (("grade1", (1, 2, 3)), ("grade3", (0, 4, 4)), ("any", (1, 6, 7))):
            counts(rows, variable, *values, level=level, stat=stat)
    return rows.build()


def related() -> Result:
    """Return ``safety_period.related_teae``."""
    rows = opened("safety_period.related_teae")
    for cause, level, many in (("related_nk", "", (1, 2, 3)), ("related_nk", "FATIGUE", (1, 2, 3))):
        counts(rows, cause, *many, level=level)
        plain(rows, cause, *many, level=level)
        counts(rows, cause, 0, 1, 1, level=level, stat="n_grade3")
        plain(rows, cause, 0, 1, 1, level=level, stat="events_grade3")
    absent(rows, "related_both", "one product only")
    return rows.build()


def periods() -> Result:
    """Return ``safety_period.teae_by_period`` with one period that was reached and one that was not."""
    rows = opened("safety_period.teae_by_period")
    plain(rows, "NK", 3, 12, 15, level="reached", stat="n")
    counts(rows, "NK", 1, 6, 7, level="any")
    plain(rows, "NK", 2, 9, 11, level="any")
    for stat, values in (
        ("days", (30.0, 200.0, 230.0)),
        ("rate", (6.667, 4.5, 4.783)),
        ("lower", (0.81, 2.06, 2.39)),
        ("upper", (24.08, 8.54, 8.56)),
    ):
        plain(rows, "NK", *values, level="any", stat=stat)
    absent(rows, "CART_C2", "no second cycle", level="any")
    return rows.build()


def deaths() -> Result:
    """Return ``safety_period.deaths``."""
    rows = opened("safety_period.deaths")
    counts(rows, "all", 1, 2, 3)
    counts(rows, "early", 0, 1, 1)
    counts(rows, "cause", 1, 2, 3, level="DISEASE PROGRESSION")
    return rows.build()


def flow() -> Result:
    """Return ``disposition.participant_flow``."""
    rows = opened("disposition.participant_flow")
    for variable, level, values in (
        ("screening", "", (4, 14, 18)),
        ("screen_failure", "", (1, 2, 3)),
        ("screen_failure", "NO-CONSENT", (1, 2, 3)),
        ("enrolled", "", (3, 12, 15)),
    ):
        plain(rows, variable, *values, level=level, stat="n")
    absent(rows, "manufacture", "domain BE not given")
    counts(rows, "infusion", 3, 12, 15, level="NK 1")
    counts(rows, "status", 1, 3, 4, level="ONGOING")
    counts(rows, "discontinuation", 2, 9, 11, level="LOST TO FOLLOW-UP")
    counts(rows, "new_therapy", 0, 1, 1)
    counts(rows, "death", 1, 1, 2)
    return rows.build()


def sets() -> Result:
    """Return ``disposition.analysis_sets``."""
    rows = opened("disposition.analysis_sets")
    counts(rows, "FAS", 3, 11, 14)
    counts(rows, "FAS excluded", 0, 1, 1, level="NO-BASELINE")
    absent(rows, "BX", "no biopsy")
    return rows.build()


def baseline() -> Result:
    """Return ``baseline.demography``: one measured value, one list of codes, one variable without data."""
    rows = opened("baseline.demography")
    plain(rows, "AGE", 3, 12, 15, stat="n")
    for stat, values in (
        ("mean", (50.25, 61.05, 58.89)),
        ("sd", (5.0, 7.125, 8.005)),
        ("median", (50.0, 60.5, 59.0)),
        ("q1", (48.0, 55.25, 52.0)),
        ("q3", (52.0, 66.0, 65.5)),
        ("min", (45.0, 44.0, 44.0)),
        ("max", (55.0, 75.0, 75.0)),
    ):
        plain(rows, "AGE", *values, stat=stat)
    counts(rows, "SEX", 1, 6, 7, level="F")
    counts(rows, "SEX", 2, 6, 8, level="M")
    absent(rows, "ECOGBL", "domain QS not given")
    return rows.build()


def exposure() -> Result:
    """Return ``infusions.nk_exposure``."""
    rows = opened("infusions.nk_exposure")
    counts(rows, "phase", 3, 12, 15, level="NK")
    counts(rows, "within_planned", 1, 6, 7, level="0.1")
    for variable, low, middle, high in (
        ("infusions", 1, 2, 3),
        ("cells", 1.5e7, 2.25e8, 1e10),
        ("ratio_planned", 0.905, 1.0, 1.125),
    ):
        plain(rows, variable, 3, 12, 15, stat="n")
        for stat, value in (("median", middle), ("min", low), ("max", high)):
            plain(rows, variable, *[value] * 3, stat=stat)
    absent(rows, "interval_to_cart", "no CAR-T infusion")
    return rows.build()


def immune() -> Result:
    """Return ``toxicity.crs``."""
    rows = opened("toxicity.crs")
    counts(rows, "any", 1, 3, 4)
    counts(rows, "astct", 1, 2, 3, level="1")
    counts(rows, "phase", 0, 3, 3, level="NK")
    plain(rows, "onset", 1, 3, 4, stat="n")
    for stat, value in (("median", 2), ("min", 1), ("max", 5)):
        plain(rows, "onset", *[value] * 3, stat=stat)
    absent(rows, "vasopressor", "domain CM not given")
    return rows.build()


def best() -> Result:
    """Return ``response.best_response`` with confirmation."""
    rows = opened("response.best_response")
    for kind in ("confirmed", "unconfirmed"):
        for level, values in (
            ("PR", (1, 2, 3)),
            ("SD", (1, 5, 6)),
            ("PD", (1, 3, 4)),
            ("NE", (1, 0, 1)),
            ("MISSING", (0, 2, 2)),
        ):
            counts(rows, f"bor_{kind}", *values, level=level)
    plain(rows, "missing_reason", 0, 2, 2, level="B-NE-DEATH", stat="n")
    plain(rows, "ne_reason", 1, 0, 1, level="B-NE-EARLY", stat="n")
    for name in ("orr", "dcr", "cbr", "orr_unconfirmed", "dcr_unconfirmed", "orr_re", "dcr_re"):
        rates(rows, name)
    plain(rows, "pending", 0, 1, 1, stat="n")
    plain(rows, "population_re", 3, 10, 13, stat="N")
    return rows.build()


def rates(rows: Rows, variable: str, level: str = "") -> None:
    """Add 1/3, 2/12 and 3/15 with limits; these are given to the display, no reference."""
    for group, x, low, high in (
        ("DL1", 1, 0.0084, 0.9057),
        ("DL2", 2, 0.0209, 0.4841),
        (TOTAL, 3, 0.0433, 0.4809),
    ):
        n = SIZES[group]
        rows.add("rate", x / n, group=group, variable=variable, level=level, n=x, N=n)
        rows.add("lower", low, group=group, variable=variable, level=level, n=x, N=n)
        rows.add("upper", high, group=group, variable=variable, level=level, n=x, N=n)


def survival(endpoint: str = "PFS") -> Result:
    """Return ``survival.time_to_event`` of four participants: events at 1 and 3 months, the median not reached above."""
    rows = opened("survival.time_to_event", {"DL1": 1, TOTAL: 4})
    for group, n, events in (("DL1", 1, 0), (TOTAL, 4, 2)):
        place = {"group": group, "variable": endpoint}
        rows.add("n", n, n=n, **place)
        rows.add("events", events, n=events, N=n, **place)
        rows.add("censored", n - events, n=n - events, N=n, **place)
        if group == TOTAL:
            rows.add("median", 3.04, n=n, **place)
        else:
            rows.add("median", None, n=n, status="NE", reason="no event", **place)
        rows.add("lower", None if n == 1 else 1.0, status="NE" if n == 1 else "OK", reason="few", **place)
        rows.add("upper", None, status="NR", reason="curve stays above", **place)
        rows.add("rate", 0.75, group=group, variable=f"{endpoint} landmark", level="2")
        rows.add("lower", 0.128, group=group, variable=f"{endpoint} landmark", level="2")
        rows.add("upper", 0.961, group=group, variable=f"{endpoint} landmark", level="2")
        rows.add("n_risk", n - 1, group=group, variable=f"{endpoint} landmark", level="2")
    rows.add("n", 2, variable=f"{endpoint} event", level="E-PD", n=2, N=4)
    rows.add("n", 2, variable=f"{endpoint} censored", level="K-CUT", n=2, N=4)
    curve(rows, endpoint)
    return rows.build()


def curve(rows: Rows, endpoint: str) -> None:
    """Add the steps of the total curve and its numbers at risk."""
    for step, (time, surv, low, high, censored) in enumerate(
        ((1.0, 0.75, 0.128, 0.961, 0), (2.0, 0.75, 0.128, 0.961, 1), (3.04, 0.375, 0.01, 0.8, 0), (5.0, 0.375, 0.01, 0.8, 1))
    ):  # fmt: skip
        for stat, value in (
            ("time", time),
            ("surv", surv),
            ("lower", low),
            ("upper", high),
            ("n_censor", censored),
        ):
            rows.add(stat, value, variable=f"{endpoint} curve", level=str(step))
    for month, at_risk, gone in ((0, 4, 0), (3, 2, 1), (6, 0, 2)):
        rows.add("n_risk", at_risk, variable=f"{endpoint} risk", level=str(month))
        rows.add("n_censored", gone, variable=f"{endpoint} risk", level=str(month))


def durations() -> Result:
    """Return ``duration.of_response`` of two responders."""
    rows = opened("duration.of_response", {TOTAL: 2})
    rows.add("n", 2, variable="DOR", n=2)
    rows.add("events", 1, variable="DOR", n=1, N=2)
    rows.add("censored", 1, variable="DOR", n=1, N=2)
    rows.add("median", 4.25, variable="DOR", n=2)
    rows.add("lower", 1.5, variable="DOR")
    rows.add("upper", None, variable="DOR", status="NE", reason="too few")
    for subject, months, ongoing in ((PEOPLE[0], 4.25, "no"), (PEOPLE[1], 7.05, "yes")):
        rows.add("months", months, variable="value", level=subject)
        rows.add("ongoing", None, variable="value", level=subject, text=ongoing)
    return rows.build()


def bars() -> Result:
    """Return ``response.best_change``: two bars and one participant without a value."""
    rows = opened("response.best_change", {"DL1": 1, "DL2": 2, TOTAL: 3})
    for subject, group, value, bor in (
        (PEOPLE[0], "DL1", -42.5, "PR"),
        (PEOPLE[1], "DL2", 25.0, "PD"),
        (PEOPLE[2], "DL2", None, "NE"),
    ):
        place = {"group": group, "variable": "best_change", "level": subject}
        lost = {} if value is not None else {"status": "NE", "reason": "NO_COMPLETE_SUM"}
        rows.add("pchg", value, **lost, **place)
        rows.add("bor", None, text=bor, **place)
    for stat, value in (("median", -8.75), ("min", -42.5), ("max", 25.0)):
        rows.add(stat, value, variable="summary", n=2)
    return rows.build()


def lanes() -> Result:
    """Return ``response.swimmer`` of three participants."""
    rows = opened("response.swimmer", {"DL1": 1, "DL2": 2})
    for subject, group, days, status in (
        (PEOPLE[0], "DL1", 304.375, "ONGOING"),
        (PEOPLE[1], "DL2", 60.875, "DEATH"),
        (PEOPLE[2], "DL2", 121.75, "OFF STUDY"),
    ):
        rows.add("end", days, group=group, variable="course", level=subject)
        rows.add("status", None, group=group, variable="course", level=subject, text=status)
        rows.add("day1", 0.0, group=group, variable="dose CARNK", level=subject)
    rows.add("day2", 60.875, group="DL1", variable="response PR", level=PEOPLE[0])
    return rows.build()


def legs() -> Result:
    """Return ``response.change_over_time``: two participants, one new lesion, one T-cell infusion."""
    rows = opened("response.change_over_time", {"DL1": 1, "DL2": 1, TOTAL: 2})
    for subject, group, points in (
        (PEOPLE[0], "DL1", ((8, -20.0), (16, -45.5))),
        (PEOPLE[1], "DL2", ((8, 30.0),)),
    ):
        for place, (week, change) in enumerate(points):
            rows.add(f"week{place}", week, group=group, variable="sum", level=subject)
            rows.add(f"pchg{place}", change, group=group, variable="sum", level=subject)
    rows.add("week0", 8, group="DL2", variable="new_lesion", level=PEOPLE[1])
    rows.add("week", 3, group="DL1", variable="t_cell", level=PEOPLE[0])
    return rows.build()


def peaks() -> Result:
    """Return ``liver.hepatotoxicity``: one participant inside the limits, one in the range of Hy's law."""
    rows = opened("laboratory.edish", {"DL1": 1, "DL2": 1, TOTAL: 2})
    for subject, group, values in (
        (PEOPLE[0], "DL1", (0.8, 0.5, 1.0, 1.0)),
        (PEOPLE[1], "DL2", (8.0, 3.5, 9.0, 4.0)),
    ):
        for stat, value in zip(("at", "bilirubin", "at_base", "bilirubin_base"), values, strict=True):
            rows.add(stat, value, group=group, variable="peak", level=subject)
    for level, n in (("NORMAL", 1), ("HYS_LAW_RANGE", 1)):
        rows.add("n", n, variable="quadrant", level=level, n=n, N=2)
    return rows.build()


def profiles() -> Result:
    """Return ``kinetics.profiles``: one assay, two participants, one sample below the limit."""
    rows = opened("kinetics.profiles", {"DL1": 1, "DL2": 1, TOTAL: 2})
    for subject, group, samples in (
        (PEOPLE[0], "DL1", ((0, 10.0, "FLAG"), (7, 900.0, "OK"), (14, 300.0, "OK"))),
        (PEOPLE[1], "DL2", ((0, 20.0, "OK"), (7, 4000.0, "OK"))),
    ):
        for day, value, status in samples:
            rows.add("conc", value, group=group, variable=f"CARTG|{subject}", level=f"{day}", status=status, reason="below")  # fmt: skip
    return rows.build()


def folds() -> Result:
    """Return ``cytokines.fold``: two analytes, two participants."""
    rows = opened("cytokines.cytokines", {"DL1": 1, "DL2": 1, TOTAL: 2})
    for analyte, subject, day, value in (
        ("IL6", PEOPLE[0], 1, 3.25),
        ("IL6", PEOPLE[1], 7, -1.0),
        ("IFNG", PEOPLE[0], 1, 0.5),
    ):
        rows.add("log2_fold", value, group="DL1", variable=f"{analyte}|{subject}", level=f"D{day}")
    return rows.build()


def censoring() -> Result:
    """Return ``sensitivity.censoring_reasons``."""
    rows = opened("sensitivity.censoring_reasons")
    counts(rows, "PFS", 1, 3, 4, stat="censored")
    for kind, values in (("early", (1, 0, 1)), ("administrative", (0, 3, 3)), ("other", (0, 0, 0))):
        counts(rows, f"PFS {kind}", *values)
    counts(rows, "PFS administrative", 0, 3, 3, level="K-CUT")
    absent(rows, "OS", "no date of death", stat="censored")
    counts(rows, "new_therapy", 0, 1, 1)
    absent(rows, "gap", "no visit schedule")
    return rows.build()


def sensitivity() -> Result:
    """Return ``sensitivity.pfs``: the primary row, one that changes and one that could not run."""
    rows = opened("sensitivity.pfs", {TOTAL: 4})
    for row, label, state in (
        ("S0", "Primary", "run"),
        ("S1", "Gap rule", "run"),
        ("S2", "Other evaluator", "no other evaluator"),
    ):
        rows.add("label", None, variable=row, text=label)
        rows.add("why", None, variable=row, text="As planned")
        rows.add("state", None, variable=row, text=state)
        if state != "run":
            continue
        for stat, value in (("n", 4), ("events", 2), ("censored", 2), ("changed", 0)):
            rows.add(stat, value, variable=row, n=value, N=4)
        rows.add("event", 2, variable=row, level="E-PD")
        rows.add("censoring", 2, variable=row, level="K-CUT")
        for stat in ("median", "lower", "upper"):
            rows.add(stat, None, variable=row, status="NE", reason="few")
        for month in ("2", "4"):
            for stat, value in (("rate", 0.75), ("lower", 0.128), ("upper", 0.961)):
                rows.add(stat, value, variable=f"{row} landmark", level=month)
    return rows.build()


def snapshot() -> Result:
    """Return ``data_quality.snapshot`` of one domain in one file."""
    rows = Rows("data_quality.snapshot", "Snapshot")
    for stat, value in (("records", 21), ("participants", 20), ("removed", 1), ("blanked", 0)):
        rows.add(stat, value, variable="DM", n=value)
    rows.add("file_records", 22, variable="DM", level="dm.csv")
    rows.add("sha256", None, variable="DM", level="dm.csv", text="0123456789abcdef0123")
    return rows.build()


def checks() -> Result:
    """Return ``data_quality.checks`` of two rules."""
    rows = Rows("data_quality.checks", "Checks")
    for rule, state, hits in (("CHK-1", "run", 2), ("CHK-2", "not run: no domain LB", 0)):
        rows.add("severity", None, variable=rule, text="warn")
        rows.add("state", None, variable=rule, text=state)
        rows.add("domain", None, variable=rule, text="AE")
        rows.add("finds", None, variable=rule, text="An event ends early." if hits else "")
        rows.add("hits", hits, variable=rule)
        rows.add("participants", hits, variable=rule)
    return rows.build()


def findings(any_found: bool = True) -> Result:
    """Return ``data_quality.findings`` of one rule, or none."""
    rows = Rows("data_quality.findings", "Findings")
    if not any_found:
        rows.add("hits", 0, variable=TOTAL)
        return rows.build()
    for stat, text in (
        ("rule", "CHK-1"),
        ("severity", "stop"),
        ("message", "end before start"),
        ("examples", "101-001"),
    ):
        rows.add(stat, None, variable="CHK-1 AE", level="AE", text=text)
    rows.add("hits", 2, variable="CHK-1 AE", level="AE")
    return rows.build()


TABLES = {
    "table_teae_summary": (summary, {}),
    "table_teae_by_soc_pt": (terms, {}),
    "table_teae_by_max_grade": (grades, {"by_cohort": True}),
    "table_related_teae": (related, {}),
    "table_teae_by_period": (periods, {}),
    "table_deaths": (deaths, {}),
    "table_participant_flow": (flow, {}),
    "table_analysis_sets": (sets, {}),
    "table_demography": (baseline, {}),
    "table_disease": (baseline, {}),
    "table_exposure": (exposure, {}),
    "table_immune_toxicity": (immune, {}),
    "table_best_response": (best, {}),
    "table_time_to_event": (survival, {"endpoint": "PFS"}),
    "table_duration_of_response": (durations, {}),
    "table_censoring_reasons": (censoring, {}),
    "table_pfs_sensitivity": (sensitivity, {}),
    "table_snapshot": (snapshot, {}),
    "table_checks": (checks, {}),
    "table_findings": (findings, {}),
}
FIGURES = {
    "figure_waterfall": (bars, {}),
    "figure_swimmer": (lanes, {}),
    "figure_spider": (legs, {}),
    "figure_edish": (peaks, {}),
    "figure_kinetic_profiles": (profiles, {}),
    "figure_cytokine_heat_map": (folds, {}),
    "figure_kaplan_meier": (survival, {"endpoint": "PFS"}),
}

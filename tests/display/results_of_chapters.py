"""Results of the chapters on subgroups, expansion, kinetics and dose finding, written by hand, number by number."""

from __future__ import annotations

from interim.result import TOTAL, Result, Rows
from tests.display.results_by_hand import PEOPLE, opened


def add(rows: Rows, group: str, variable: str, level: str = "", *, n=None, N=None, **stats) -> None:
    """Add rows of one place: a number, a text, or (status, reason) for no number."""
    for stat, value in stats.items():
        more = {"n": n, "N": N} if n is not None else {}
        where = {"group": group, "variable": variable, "level": level, **more}
        if isinstance(value, str):
            rows.add(stat, None, text=value, **where)
        elif isinstance(value, tuple):
            rows.add(stat, None, status=value[0], reason=value[1], **where)
        else:
            rows.add(stat, value, **where)


def with_limits(rows: Rows, n: int = 12, r: int = 3) -> Rows:
    """Add the rows of the sentence on the limits of interpretation."""
    rows.add("n", n, variable="limits")
    add(rows, TOTAL, "limits", r=r, k=2, m=5, gap_pp=40, p_any=0.25, p_min_lo=0.0005, p_min_hi=0.5)
    return rows


def opened_subgroups(name: str, size: int = 12) -> Rows:
    """Return rows of one column."""
    return opened(f"subgroups.{name}", {TOTAL: size})


def entry(rows: Rows, name: str, label: str, **more) -> None:
    """Add the label and flags of an entry."""
    add(rows, name, "entry", label=label, **{"flags": "-", **more})


def registry() -> Result:
    """Return ``subgroups.registry``: two dimensions, three entries."""
    rows = opened_subgroups("registry")
    for name, dimension, label, cut, origin, primary, direction, levels in (
        ("tumour_type", "histology", "Tumour type", "none", "protocol", "Y", "none", (("CRC", 9), ("Missing", 3))),
        ("histology_class", "histology", "Histology class", "none", "literature", "N", "none", ()),
        ("nlr5", "ratio", "Neutrophils to lymphocytes", "5", "literature", "Y", "lower_better", (("<5", 12), (">=5", 0))),
    ):  # fmt: skip
        texts = {"cut": cut, "origin": origin, "primary": primary, "direction": direction}
        add(rows, name, "definition", dimension=dimension, label=label, **texts)
        for level, n in levels:
            rows.add("n", n, group=name, variable="level", level=level, n=n, N=12)
    return rows.build()


#: Level, responders, participants, limits (None: no interval).
NLR = (("<5", 2, 8, 0.0319, 0.6509), (">=5", 1, 2, None, None), ("Missing", 0, 2, None, None))


def rate(rows: Rows, group: str, name: str, level: str, x: int, n: int, low, high) -> None:
    """Add x/n and its limits."""
    gone = ("NE", "LEVEL_N_LT_3")
    value = x / n if n else gone
    limits = {"lower": gone if low is None else low, "upper": gone if high is None else high}
    add(rows, group, name, level, n=x, N=n, rate=value, **limits)


def landmark(rows: Rows, group: str, name: str, level: str, n: int, share, low, high, at_risk) -> None:
    """Add a rate at the landmark with its limits and number at risk."""
    add(rows, group, name, level, n=at_risk, N=n, landmark=share, lower=low, upper=high, n_risk=at_risk)


def levels() -> Result:
    """Return ``subgroups.levels``: one factor of three levels, one of which has an interval."""
    rows = with_limits(opened_subgroups("levels"))
    gone = ("NE", "FEW_AT_RISK")
    for name in ("orr", "dcr"):
        rate(rows, TOTAL, name, "", 3, 12, 0.0549, 0.5719)
    landmark(rows, TOTAL, "pfs", "", 12, 0.5, 0.2, 0.75, 5)
    landmark(rows, TOTAL, "os", "", 12, 0.9, 0.5, 0.99, 9)
    rows.group_var = "ratio"
    entry(rows, "nlr5", "Neutrophils to lymphocytes", flags="FRAGILE; CONFOUNDED")
    for level, x, n, low, high in NLR:
        rows.add("n", n, group="nlr5", variable="size", level=level, n=n, N=12)
        for name in ("orr", "dcr"):
            rate(rows, "nlr5", name, level, x, n, low, high)
        add(rows, "nlr5", "depth", level, median=-12.25, min=-50.0, max=20.0)
        for name in ("pfs", "os"):
            shown = (0.625, 0.25, 0.875, 4) if n > 2 else (gone, gone, gone, 1)
            landmark(rows, "nlr5", name, level, n, *shown)
    add(rows, "nlr5", "orr difference", "<5 minus >=5", diff=-0.25, diff_lower=-0.75, diff_upper=0.5)
    add(rows, "nlr5", "dcr difference", "<5 minus >=5", diff=gone, diff_lower=gone, diff_upper=gone)
    add(rows, "nlr5", "orr gap", gap_lower=0.125, gap_upper=0.5)
    rows.group_var = ""
    add(rows, TOTAL, "cmax", median=("NA", "no kinetics"))
    return rows.build()


def limits() -> Result:
    """Return ``subgroups.limits`` of three factors: one flagged, one not estimable, one alone."""
    rows = with_limits(opened_subgroups("limits"))
    ne = ("NE", "LEVEL_N_LT_3")
    for name, label, half in (("nlr5", "Ratio", 0.325), ("liver_only", "Site", ne), ("burden_sum", "Sum", 0.4)):  # fmt: skip
        entry(rows, name, label)
        add(rows, name, "orr", smallest_n=2, p_min=0.01005, half_width=half, chance_gap=0.2505)
    rows.add("cramer_v", 0.625, group="nlr5", variable="companion", level="liver_only", status="FLAG", reason="CONFOUNDED")  # fmt: skip
    rows.add("cramer_v", None, group="liver_only", variable="companion", level="nlr5", status="NE", reason="ONE_LEVEL")  # fmt: skip
    add(rows, TOTAL, "orr", chance_gap=0.4365)
    return rows.build()


def shrinkage(study) -> Result:
    """Return ``subgroups.shrinkage``: overall and one level, the second prior scale not estimable."""
    rows = opened_subgroups("shrinkage")
    entry(rows, "nlr5", "Ratio")
    first, second = (f"orr tau {tau:g}" for tau in study.subgroup.shrink_tau)
    for group, level, x, n in ((TOTAL, "", 3, 12), ("nlr5", "<5", 2, 8)):
        rate(rows, group, "orr", level, x, n, 0.0319, 0.6509)
        add(rows, group, first, level, shrunk=0.2125, shrunk_lower=0.05, shrunk_upper=0.45, weight=0.375)
        gone = dict.fromkeys(("shrunk", "shrunk_lower", "shrunk_upper", "weight"), ("NE", "NO_DATA"))
        add(rows, group, second, level, **gone)
    return rows.build()


def type_by_dose() -> Result:
    """Return ``subgroups.type_by_dose``: one type, two doses, disease control absent in one."""
    rows = opened("subgroups.type_by_dose", {"DL1": 3, TOTAL: 12})
    for group, treated, x in (("DL1", 3, 0), (TOTAL, 12, 2)):
        for name, n in (("treated", treated), ("evaluable", treated - 1), ("responders", x)):
            rows.add("n", n, group=group, variable=name, level="CRC", n=n, N=treated)
    rows.add("n", None, group=TOTAL, variable="control", level="CRC", status="NA", reason="no response")
    return rows.build()


def credibility() -> Result:
    """Return ``subgroups.credibility`` of one factor and two items."""
    rows = opened_subgroups("credibility")
    rows.group_var = "ratio"
    for item, holds in (("1", "yes"), ("11", "no")):
        add(rows, "nlr5", "item", item, holds=holds)
    add(rows, "nlr5", "grade", grade="suggestive")
    return rows.build()


def stability() -> Result:
    """Return ``subgroups.leave_one_out``: a fragile factor, one not estimable; two definitions."""
    rows = opened_subgroups("leave_one_out")
    entry(rows, "nlr5", "Ratio")
    entry(rows, "liver_only", "Site")
    rows.add("gap", 0.5, group="nlr5", variable="orr", status="FLAG", reason="FRAGILE")
    add(rows, "nlr5", "orr", gap_lower=0.125, gap_upper=0.75, diff=-0.5, diff_lower=-0.75, diff_upper=0.0)
    stats = ("gap", "gap_lower", "gap_upper", "diff", "diff_lower", "diff_upper")
    add(rows, "liver_only", "orr", **dict.fromkeys(stats, ("NE", "ONE_LEVEL")))
    rows.add("n", 3, variable="definition", level="unconfirmed response", n=3, N=40)
    rows.add("n", None, variable="definition", level="second cut", status="NA", reason="no second cut")
    return rows.build()


def post_baseline() -> Result:
    """Return ``subgroups.post_baseline``: one factor, one level with a median, one without."""
    rows = opened_subgroups("post_baseline")
    entry(rows, "cea_fall", "Early fall of CEA")
    landmark(rows, "cea_fall", "pfs", "Y", 6, 0.625, 0.25, 0.875, 4)
    add(rows, "cea_fall", "pfs median", "Y", median=4.25, lower=1.5, upper=("NR", "above"))
    ne = ("NE", "FEW")
    add(rows, "cea_fall", "pfs", "N", n=0, N=2, landmark=ne, lower=ne, upper=ne, n_risk=1)
    add(rows, "cea_fall", "pfs median", "N", median=ne, lower=ne, upper=ne)
    rows.add("n", 4, group="cea_fall", variable="pfs left_out", n=4, N=12)
    return rows.build()


def covariates() -> Result:
    """Return ``subgroups.participant_map``: three participants, two factors, four outcomes."""
    rows = opened_subgroups("participant_map", 3)
    entry(rows, "tumour_type", "Tumour type")
    entry(rows, "nlr5", "Neutrophils to lymphocytes")
    for subject, kind, ratio, level, bor, crs in (
        (PEOPLE[0], "CRC", 2.25, "<5", "PR", 0),
        (PEOPLE[1], "OTHER", 7.5, ">=5", "PD", 1),
        (PEOPLE[2], "Missing", None, "Missing", "SD", 0),
    ):
        rows.add("level", None, variable="tumour_type", level=subject, text=kind)
        rows.add("level", ratio, variable="nlr5", level=subject, text=level)
        add(rows, TOTAL, "bor", subject, value=bor)
        add(rows, TOTAL, "crs2", subject, value=crs)
        add(rows, TOTAL, "depth", subject, value=-40.0 if bor == "PR" else ("NE", "NO_DATA"))
        add(rows, TOTAL, "cmax", subject, value=("NA", "no kinetics"))
    return rows.build()


def responders() -> Result:
    """Return ``subgroups.participant_map`` without a best response: three participants, one of whom responded."""
    rows = opened_subgroups("participant_map", 3)
    entry(rows, "nlr5", "Neutrophils to lymphocytes")
    for who, value, hit in zip(PEOPLE[:3], (2.25, 7.5, 2.25), (1, 0, 0), strict=True):
        rows.add("level", value, variable="nlr5", level=who, text="<5")
        rows.add("value", None, variable="bor", level=who, status="NA", reason="not delivered")
        rows.add("value", hit, variable="orr", level=who)
    return rows.build()


def association(combinations=(("none", 5), ("nlr5", 4), ("nlr5; liver_only", 3))) -> Result:
    """Return ``subgroups.association`` of three factors: strong, not estimable, a correlation."""
    rows = opened_subgroups("association")
    labels = (("nlr5", "Ratio (NLR)"), ("liver_only", "Site"), ("burden_sum", "Sum"))
    for name, label in labels:
        entry(rows, name, label)
    rows.add("cramer_v", 0.75, group="nlr5", variable="association", level="liver_only", status="FLAG", reason="CONFOUNDED")  # fmt: skip
    rows.add("spearman", -0.25, group="nlr5", variable="association", level="burden_sum", n=12)
    rows.add("cramer_v", None, group="liver_only", variable="association", level="burden_sum", status="NE", reason="ONE_LEVEL")  # fmt: skip
    for text, n in combinations:
        rows.add("n", n, variable="overlap", level=text, n=n, N=12)
    return rows.build()


def cut_path() -> Result:
    """Return ``subgroups.cut_path``: three cuts of one primary factor, one of another entry."""
    rows = opened_subgroups("cut_path")
    for name, label, cuts in (
        ("nlr5", "Ratio", (("3", 0.0, 0.5), ("4", 0.25, 0.375), ("6", 0.5, 0.0))),
        ("glr5", "Other ratio", (("4", 0.5, 0.5),)),
    ):
        entry(rows, name, label)
        for level, below, above in cuts:
            add(rows, name, "below", level, n=1, N=6, rate=below)
            add(rows, name, "above", level, n=1, N=6, rate=above)
    rows.add("prespecified", 5, group="nlr5", variable="cut", level="5")
    return rows.build()


def sensitivity() -> Result:
    """Return ``subgroups.sensitivity_model`` of two factors, no better than the share."""
    rows = opened_subgroups("sensitivity_model", 15)
    rows.add("n", 12, variable="complete", n=12, N=15)
    add(rows, TOTAL, "model", n=5, N=12, brier=0.18751, log_loss=0.6)
    add(rows, TOTAL, "null", n=5, N=12, brier=0.15549, log_loss=0.5)
    add(rows, TOTAL, "optimism", brier=-0.0833, log_loss=-0.25)
    add(rows, "nlr5", "coefficient", min=-0.25, max=0.3751)
    for level, text in (
        ("prediction", "The factors together did not predict response in left-out participants."),
        ("use", "not a prediction model"),
    ):
        rows.add("text", None, variable="reading", level=level, text=text)
    return rows.build()


def by_dose(means=((0.1, 0.2), (0.3, 0.4))) -> Result:
    """Return ``benefit_risk.by_dose``: two levels with a posterior, the first of two participants."""
    sizes = {"DL1": 2, "DL2": 6}
    rows = opened("benefit_risk.by_dose", {**sizes, TOTAL: 8})
    for (group, n), (tox, act) in zip(sizes.items(), means, strict=True):
        add(rows, group, "orr", n=1, N=n, rate=1 / n, lower=0.0125, upper=0.75)
        few = {"status": "FLAG", "reason": "few"} if n == 2 else {}
        rows.add("tox_mean", tox, group=group, variable="posterior", n=n, N=n, **few)
        add(rows, group, "posterior", n=n, N=n, act_mean=act, p_tox_ok=0.905, p_active=0.5)
        rows.add("joint", 0.455, group=group, variable="posterior", status="FLAG", reason="few", n=n)
        for level, half in (("50", 0.05), ("90", 0.1)):
            add(rows, group, "region", level, tox_lower=tox - half, tox_upper=tox + half)
            add(rows, group, "region", level, act_lower=act - half, act_upper=act + half)
    add(rows, TOTAL, "orr", n=2, N=8, rate=0.25, lower=0.03, upper=0.65)
    rows.add("rate", None, group="DL1", variable="dcr", status="NA", reason="no response")
    rows.add("rate", None, group="DL2", variable="dcr", status="NA", reason="no response")
    return rows.build()


def designs() -> Result:
    """Return ``expansion_designs.designs``: one design of two rates, one that does not exist."""
    rows = Rows("expansion_designs.designs", "Designs")
    add(rows, "simon_9_17", "design", rule="stop at 0 of 9; go at >= 3 of 17")
    add(rows, "bop2", "design", rule=("NE", "no boundary keeps the error"))
    for rate_, go, stop, size in (("0.05", 0.0475, 0.63025, 11.96), ("0.25", 0.8125, 0.075, 16.4)):
        add(rows, "simon_9_17", "rate", rate_, p_go=go, p_stop=stop, expected_n=size, any_go=0.0925)
    return rows.build()


def boundaries() -> Result:
    """Return ``expansion_designs.boundaries``."""
    rows = Rows("expansion_designs.boundaries", "Boundaries")
    add(rows, TOTAL, "boundary", "1", tox=("NA", "none"), futility=("NA", "none"))
    add(rows, TOTAL, "boundary", "9", tox=5, futility=0)
    add(rows, TOTAL, "crossing", "0.4", p_cross=0.7165, expected_n=8.25)
    return rows.build()


def exposures(grades=(0, 2, 4), values=(100.0, 1000.0, 0.0), rho=0.875) -> Result:
    """Return ``exposure.response``: one exposure, one participant per grade."""
    rows = opened("exposure.response", {TOTAL: len(grades)})
    name = "CARTG CMAX ~ CRS grade"
    for place, (grade, value) in enumerate(zip(grades, values, strict=True)):
        add(rows, TOTAL, f"points {name}", f"SYN-{place}", exposure=value, grade=grade)
    add(rows, TOTAL, name, n=len(grades), N=len(grades), spearman=rho)
    return rows.build()


def power_model() -> Result:
    """Return ``exposure.by_dose``: a slope in the total column, one exposure without data."""
    rows = opened("exposure.by_dose", {"DL1": 3, TOTAL: 6})
    for group, n in (("DL1", 3), (TOTAL, 6)):
        rows.add("n", n, group=group, variable="CARTG CMAX", n=n, N=n)
        add(rows, group, "CARTG CMAX", geo_mean=1234.5, geo_cv=56.7, median=1200.0, min=99.5, max=4567.0)
    model = {"slope": 0.905, "lower": 0.5, "upper": 1.25, "critical_low": 0.8, "critical_high": 1.2}
    add(rows, TOTAL, "CARTG CMAX", ratio=("NE", "few"), zero=1, verdict="INCONCLUSIVE", **model)
    for group in ("DL1", TOTAL):
        rows.add("n", None, group=group, variable="CARTG AUC0_28", status="NA", reason="no sample")
    return rows.build()


def tipping() -> Result:
    """Return ``readings.tipping``: two readings, one that cannot be evaluated, the register of two points."""
    rows = opened("readings.tipping", {TOTAL: 12})
    texts = {"is_default": "yes", "cohorts": "1/6", "next_action": "escalate", "mtd": "DL2", "orr": "3/12"}
    add(rows, TOTAL, "row", "AMB-1 a", **texts, flips="none")
    add(rows, TOTAL, "row", "AMB-1 b", is_default="no", cohorts=("NA", "no CTCAE grade"))
    add(rows, TOTAL, "row", "AMB-1 b", flips=("NA", "no CTCAE grade"))
    rows.add("n", 1, variable="flips", n=1, N=2)
    for name, reading in (("AMB-1", "a"), ("OP-3", "")):
        add(rows, TOTAL, name, title="Which event", point="Grade", used="a", basis="text", asked_of="PI")
        if reading:
            add(rows, TOTAL, name, reading, text="By grade", effect="none")
    return rows.build()


def time_points(n: int = 1) -> Result:
    """Return ``response_listing.time_points``."""
    rows = opened("response_listing.time_points", {TOTAL: 1})
    for place in range(n):
        add(
            rows, TOTAL, "point", f"{place}", participant=PEOPLE[0], day=57, evaluator="INVESTIGATOR",
            target="PR", nontarget="-", new="N", overall="PR", other="-", best="PR", used="Y", reason="R-1",
        )  # fmt: skip
    if not n:
        rows.add("n", None, variable="points", status="NA", reason="domain RS not given")
    return rows.build()


def derivations(n: int = 1) -> Result:
    """Return ``response_listing.derivations``."""
    rows = opened("response_listing.derivations", {TOTAL: 1})
    for place in range(n):
        texts = {
            "participant": PEOPLE[1],
            "endpoint": "PFS",
            "reason": "E-PD",
            "rule": "T-1",
            "source": "RS 4",
        }
        add(rows, TOTAL, "row", f"{place}", **texts, start=1, end=85, days=85, free=("NE", "no rule"))
    return rows.build()


def changes(any_changed: bool = True) -> Result:
    """Return ``sensitivity.pfs`` with one participant whom a rule changes."""
    rows = opened("sensitivity.pfs", {TOTAL: 4})
    add(rows, TOTAL, "S1", label="Gap rule", state="run")
    if any_changed:
        days = {"day_before": 85, "day_after": 57, "reason_before": "E-PD", "reason_after": "K-GAP"}
        add(rows, TOTAL, "S1 change", PEOPLE[1], **days)
    return rows.build()


def concordance() -> Result:
    """Return ``toxicity.crs_concordance``: reported grades, the derived ones not available."""
    rows = opened("toxicity.crs_concordance", {TOTAL: 4})
    for row, column, n in (("1", "1", 2), ("2", "1", 1), ("5", "5", 1)):
        rows.add(f"astct {column}", n, variable="reported", level=row, n=n)
    rows.add("astct 1", None, variable="derived", level="1", status="NA", reason="domain VS not given")
    for level, n in (("AGREE", 2), ("LOWER", 1)):
        rows.add("n", n, variable="direction_ctcae", level=level, n=n)
    rows.add("n", 1, variable="trigger_differs", n=1)
    return rows.build()


def benchmarks() -> Result:
    """Return ``context.benchmarks`` of one study whose numbers are not verified."""
    rows = opened("context.benchmarks", {TOTAL: 4})
    add(
        rows, TOTAL, "Study A", population="Pretreated", orr=("NA", "not verified"), os=("NA", "not verified")
    )
    rows.add("n", None, variable="Study A", status="NA", reason="not verified")
    rows.add("pfs", 2.25, variable="Study A")
    return rows.build()


def immunogenicity() -> Result:
    """Return ``biomarkers.immunogenicity``: one marker with two levels, one without data."""
    rows = opened("biomarkers.immunogenicity", {"DL1": 3, TOTAL: 12})
    for group, n, x in (("DL1", 3, 1), (TOTAL, 12, 2)):
        for level, count in (("before", 0), ("after", x)):
            rows.add("n", count, group=group, variable="ADA", level=level, n=count, N=n)
        rows.add("n", None, group=group, variable="HLA", status="NA", reason="domain IS not given")
    return rows.build()


def measures() -> Result:
    """Return ``kinetics.cart_parameters``: one parameter of many, few and no values; one of a rate."""
    rows = opened("kinetics.cart_parameters", {"DL1": 2, "DL2": 5, TOTAL: 7})
    for group, n in (("DL1", 2), ("DL2", 0), (TOTAL, 5)):
        rows.add("n", n, group=group, variable="CARTG cycle 1", level="CMAX", n=n, N=7, unit="copies/ug")
        rows.add("n_blq", 1, group=group, variable="CARTG cycle 1", level="CMAX", n=1)
        rows.add("n_out", int(n == 5), group=group, variable="CARTG cycle 1", level="CMAX", n=int(n == 5))
    few = ("NE", "fewer than three values")
    add(rows, "DL1", "CARTG cycle 1", "CMAX", geo_mean=few, geo_cv=few, median=5.0, min=4.0, max=6.0, values="4; 6")  # fmt: skip
    add(rows, TOTAL, "CARTG cycle 1", "CMAX", geo_mean=1234.5, geo_cv=45.25, median=12.34, min=0.05, max=99.95)  # fmt: skip
    return rows.build()

"""Safety beyond the overview: exposure, periods, related events, deaths, laboratory, immune toxicity."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.adtox_liver import liver_panel, liver_summary
from interim.analysis import infusions, laboratory, safety, safety_period, toxicity
from interim.display import table_deaths, table_hepatotoxicity, table_teae_by_soc_pt
from tests.analysis import safety_case as case
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.conftest import uid
from tests.analysis.safety_frames import safety_adex, safety_adlb, safety_adsl, safety_sets


@pytest.fixture(scope="module")
def full(make_adam):
    return make_adam(**safety_sets())


QUESTIONS = [
    (infusions.nk_exposure, ("infusions", "", "n")),
    (infusions.cart_exposure, ("infusions", "", "n")),
    (safety_period.teae_by_period, ("NK", "any", "n")),
    (safety_period.related_teae, ("related_nk", "", "n")),
    (safety.serious_teae, ("teae", "", "n")),
    (safety.teae_with_action, ("teae", "", "n")),
    (laboratory.values_by_visit, ("NEUT", "", "n")),
    (laboratory.grade_shift, ("NEUT low", "any", "n")),
    (laboratory.significant_deviations, ("any", "", "n")),
    (laboratory.hepatotoxicity, ("evaluable", "", "n")),
    (laboratory.liver_peaks, ("quadrant", "NORMAL", "n")),
    (toxicity.crs, ("any", "", "n")),
    (toxicity.icans, ("any", "", "n")),
    (toxicity.crs_concordance, ("reported", "1", "astct 1")),
]


@pytest.mark.rule("QUEST-03")
@pytest.mark.parametrize(("question", "place"), QUESTIONS)
def test_without_source_the_answer_is_not_available(make_adam, study, question, place):
    bare = make_adam(ADSL=safety_adsl(), ADEX=None, ADAE=None)
    variable, level, stat = place
    found = status(question(bare, study), variable, stat, level=level)
    assert found[0] == "NA" and found[1]


@pytest.mark.parametrize("question", [question for question, _ in QUESTIONS])
def test_counts_are_those_of_their_participants(full, study, question):
    result = question(full, study)
    frame = result.frame[(result.frame["stat"] == "n") & (result.frame["unit"] == "participants")]
    for record in frame[frame["status"] == "OK"].to_dict("records"):
        people = set(result.links.loc[result.links["result_id"] == record["result_id"], "USUBJID"])
        assert len(people) == record["n"], record["result_id"]


@pytest.mark.rule("SAF-21")
def test_exposure_to_both_products(full, study):
    nk = infusions.nk_exposure(full, study)
    assert value(nk, "infusions", level="2") == 15 and value(nk, "phase", level="NK") == 15
    assert (value(nk, "cells"), value(nk, "cells", "median"), value(nk, "cells_total", "max")) == (
        30,
        1.5e9,
        3.0e9,
    )
    assert (value(nk, "interval_to_cart"), value(nk, "interval_to_cart", "median")) == (13, 10)
    cart = infusions.cart_exposure(full, study)
    assert value(cart, "infusions", level="4") == 13
    assert value(cart, "ratio_planned", "max") == 1.5
    # The last infusion of everybody is half as much again as planned.
    assert (value(cart, "within_planned", level="0.1"), value(cart, "within_planned", level="0.2")) == (0, 0)


@pytest.mark.rule("SAF-17")
def test_person_time_ends_at_the_next_period_death_or_the_cut(full, study):
    time = safety_period.person_time(full, study).set_index(["USUBJID", "APHASE"])["DAYS"]
    assert time[uid(1)].to_dict() == {"NK": 10, "CART_C1": 14, "CART_C2": 30, "POST": time[uid(1)]["POST"]}
    # 14 never had CAR-T: NK until the window of 28 days is over; 15 died on day 30.
    assert time[uid(14)]["NK"] == 30 and time[uid(15)].to_dict() == {"NK": 30}
    start, cut = safety_adsl().set_index("USUBJID").loc[uid(1), ["TRTSDT", "DCUTDT"]]
    assert time[uid(1)].sum() == (cut - start).days + 1


@pytest.mark.rule("SAF-17")
def test_events_by_period_and_their_rate(full, study):
    table = safety_period.teae_by_period(full, study)
    assert (value(table, "NK", level="reached"), value(table, "CART_C1", level="reached")) == (15, 13)
    # NK: pyrexia of 1, nausea of 8, odd taste of 10, fatigue of 14, sepsis of 15; the event of 9 is not emergent.
    assert (value(table, "NK", level="any"), value(table, "NK", "events", level="any")) == (5, 5)
    assert value(table, "NK", level="grade3") == 1
    days = value(table, "NK", "days", level="any")
    assert days == 13 * 10 + 30 + 30
    assert value(table, "NK", "rate", level="any") == pytest.approx(500 / days)
    assert value(table, "NK", "lower", level="any") < 500 / days < value(table, "NK", "upper", level="any")
    assert status(table, "CART_C2", "rate", level="any", group="NK only") == ("NE", "NO_DATA")
    assert subjects(table, "CART_C1", "n", level="aesi") == {uid(2), uid(7)}


@pytest.mark.rule("SAF-22")
def test_related_events_stand_under_one_cause(full, study):
    table = safety_period.related_teae(full, study)
    assert subjects(table, "related_nk", "n") == {uid(1), uid(14)}
    assert value(table, "related_cart") == 4 and value(table, "related_both") == 0
    assert value(table, "related_cart", level="Cytokine release syndrome") == 2
    assert value(table, "related_cart", "n_grade3", level="Cytokine release syndrome") == 1
    levels = table.frame[(table.frame["variable"] == "related_cart") & (table.frame["stat"] == "n")]["level"]
    assert list(dict.fromkeys(levels)) == [
        "",
        "Cytokine release syndrome",
        "Pyrexia",
        "Hepatic enzyme increased",
    ]


@pytest.mark.rule("SAF-22")
def test_serious_events_and_those_that_changed_the_treatment(full, study):
    serious = safety.serious_teae(full, study)
    assert (value(serious, "teae"), value(serious, "teae", "events")) == (3, 4)
    assert value(serious, "Infections and infestations", level="Sepsis") == 1
    assert serious.where(variable="related_best").empty, "no relation is assumed"
    changed = safety.teae_with_action(full, study)
    assert changed.where(variable="outcome").empty, "outcomes stand under serious events only"
    assert subjects(changed, "teae", "n") == {uid(7)}


@pytest.mark.rule("SAF-22", source="an action that nobody recorded is not the same as none")
def test_an_action_that_was_never_recorded_is_not_collected(study):
    never = case.adam(ADAE=case.adae().assign(AEACN=None))
    table = safety.teae_summary(never, study)
    assert status(table, "discontinuation") == ("NA", "not collected: AEACN")
    assert status(table, "delay") == ("NA", "not collected: AEACN")
    assert status(table, "serious")[0] == "OK"


@pytest.mark.rule("SAF-23")
def test_deaths_by_time_from_the_last_infusion_and_cause(full, study):
    table = safety_period.deaths(full, study)
    assert [value(table, name) for name in ("all", "early", "late", "undated")] == [2, 1, 1, 0]
    assert subjects(table, "early", "n") == {uid(15)}
    assert (
        value(table, "cause", level="Disease progression") == 1
        and value(table, "cause", level="Missing") == 1
    )


@pytest.mark.rule("SAF-16")
def test_a_missing_limit_is_counted_apart_from_no_candidate(full, study):
    """The candidate loses the upper limits of the aminotransferases: no candidate, and not decided either."""
    adlb = full["ADLB"].copy()
    mine = (adlb["USUBJID"] == uid(2)) & adlb["PARAMCD"].isin(["ALT", "AST"])
    adlb.loc[mine, "ANRHI"] = float("nan")
    without = type(full)({**full.datasets, "ADLB": adlb}, full.cut)
    table = laboratory.hepatotoxicity(without, study)
    assert value(table, "hys") == 0
    assert subjects(table, "hys_open", "n") == {uid(2)}
    stubs = [line.cells[0].text for line in table_hepatotoxicity(table, study).rows]
    assert "Hy's law not decided: a value without upper limit" in stubs


@pytest.mark.rule("SAF-49")
def test_a_missing_baseline_is_counted_apart_from_no_candidate(full, study):
    """The candidate by the upper limit loses his baselines: the adjusted version is open, and no N."""
    adlb = full["ADLB"].copy()
    mine = adlb["USUBJID"] == uid(2)
    adlb.loc[mine, "BASE"] = float("nan")
    without = type(full)({**full.datasets, "ADLB": adlb}, full.cut)
    table = laboratory.hepatotoxicity(without, study)
    assert subjects(table, "hys", "n") == {uid(2)}
    assert value(table, "hys_base") == 0
    assert subjects(table, "hys_base_open", "n") == {uid(2)}
    assert table.where(variable="hys_open").empty
    stubs = [line.cells[0].text for line in table_hepatotoxicity(table, study).rows]
    place = stubs.index("Hy's law candidate, adjusted for the baseline")
    assert (
        stubs[place + 1] == "Adjusted for the baseline, not decided: a value without baseline or upper limit"
    )
    summary = liver_summary(liver_panel(adlb, full["ADSL"], study=study), study).set_index("USUBJID")
    assert summary.loc[uid(2), "MHYSRS"] == "BASELINE_MISSING" and summary.loc[uid(2), "MHYSFL"] is None


@pytest.mark.rule("SAF-54", source="multiples and gaps by hand")
@pytest.mark.parametrize(
    ("who", "test", "values", "multiple", "undecided"),
    [
        ("C3", "ALT", {}, "at_base", False),
        ("C3", "ALT", {"BASE": None}, "at_base", True),
        ("C3", "ALT", {"BASE": 10.0}, "at_base", False),
        ("C3", "ALT", {"BASE": None}, "at", False),
        ("C3", "ALT", {"ANRHI": None}, "at", True),
        ("B2", "BILI", {}, "bilirubin_base", False),
        ("B2", "BILI", {"BASE": None}, "bilirubin_base", True),
        ("B2", "BILI", {"ANRHI": 0.0}, "bilirubin", True),
    ],
)
def test_a_multiple_that_is_not_known_is_not_counted_as_low(study, who, test, values, multiple, undecided):
    adlb = case.adlb()
    mine = (adlb["USUBJID"] == who) & (adlb["PARAMCD"] == test)
    for name, number in values.items():
        adlb.loc[mine, name] = float("nan") if number is None else number
    table = laboratory.hepatotoxicity(case.adam(ADLB=adlb), study)
    shown = subjects(table, f"{multiple}_open", "n")
    assert (who in shown) is undecided
    assert {"D4"} <= shown, "no aminotransferase and no bilirubin at all"
    assert table_hepatotoxicity(table, study).rows


@pytest.mark.rule("SAF-16", source="C3: ALT 480 of 40 is 12 x ULN; R by hand")
@pytest.mark.parametrize(
    ("alp", "kind"), [(200.0, "HEPATOCELLULAR"), (400.0, "MIXED"), (600.0, "CHOLESTATIC"), (None, None)]
)
def test_the_pattern_of_injury_is_counted_by_its_ratio(study, alp, kind):
    adlb = case.adlb()
    if alp is not None:
        first = adlb[(adlb["USUBJID"] == "C3") & (adlb["AVAL"] == 480.0)]
        adlb = pd.concat(
            [adlb, first.assign(PARAMCD="ALP", AVAL=alp, ANRHI=100.0, SRCSEQ="9")], ignore_index=True
        )
    table = laboratory.hepatotoxicity(case.adam(ADLB=adlb), study)
    found = {
        level: subjects(table, "pattern", "n", level=level)
        for level in ("HEPATOCELLULAR", "MIXED", "CHOLESTATIC")
    }
    assert found == {level: {"C3"} if level == kind else set() for level in found}


@pytest.mark.rule("SAF-54", source="one of two values has no baseline")
def test_a_peak_above_every_limit_is_decided_by_the_values_that_are_known(study):
    adlb = case.adlb()
    mine = (adlb["USUBJID"] == "C3") & (adlb["PARAMCD"] == "ALT")
    adlb.loc[mine, "BASE"] = [90.0, 20.0, float("nan")]
    table = laboratory.hepatotoxicity(case.adam(ADLB=adlb), study)
    assert "C3" not in subjects(table, "at_base_open", "n"), "24 x baseline is above 20"
    adlb.loc[mine, "BASE"] = [90.0, 30.0, float("nan")]
    table = laboratory.hepatotoxicity(case.adam(ADLB=adlb), study)
    assert "C3" in subjects(table, "at_base_open", "n"), "16 x baseline: above 20 is not known"
    assert value(table, "at_base", level="10") == 1


@pytest.mark.rule("SAF-50", source="terms read by hand")
@pytest.mark.parametrize(
    ("term", "kinds"),
    [
        ("BILOMA", ["biloma"]),
        ("CHOLANGITIS ACUTE", ["cholangitis"]),
        ("LIVER ABSCESS", ["infection"]),
        ("HEPATIC INFECTION", ["infection"]),
        ("BILOMA INFECTED", ["biloma", "infection"]),
        ("PNEUMONIA", []),
        ("ABSCESS", []),
    ],
)
def test_events_of_the_liver_stand_below_its_values(study, term, kinds):
    adae = case.adae()
    mine = (adae["USUBJID"] == "B2") & (adae["AEDECOD"] == "Nausea")
    assert mine.sum() == 1
    adae.loc[mine, "AEDECOD"] = term
    table = laboratory.hepatotoxicity(case.adam(ADAE=adae), study)
    found = {
        kind: subjects(table, "hepatic_event", "n", level=kind)
        for kind in ("biloma", "cholangitis", "infection")
    }
    assert found == {kind: {"B2"} if kind in kinds else set() for kind in found}
    before = laboratory.hepatotoxicity(case.adam(ADAE=adae.assign(TRTEMFL="N")), study)
    assert value(before, "hepatic_event", level="biloma") == 0
    without = laboratory.hepatotoxicity(case.adam(ADAE=None), study)
    assert status(without, "hepatic_event") == ("NA", "not available: no AE")


@pytest.mark.rule(
    "SAF-22", source="serious: A1 release, B2 thrombosis and sepsis, D4 fatigue with an assumed relation"
)
def test_serious_events_by_relation_and_outcome(study):
    result = safety.serious_teae(case.adam(), study)
    assert (value(result, "related"), value(result, "related", "events")) == (3, 3)
    assert subjects(result, "related", "n") == {"A1", "B2", "D4"}
    assert subjects(result, "related_best", "n") == {"A1", "B2"}
    outcomes = result.where(variable="outcome", stat="n", group="Total").set_index("level")["n"].to_dict()
    assert outcomes == {"FATAL": 1, "Missing": 2, "RECOVERED/RESOLVED": 1}
    assert value(result, "outcome", "events", level="Missing") == 2
    stubs = [line.cells[0].text for line in table_teae_by_soc_pt(result, study).rows]
    assert "Related to a cell product †" in stubs
    assert "without assumed relations" in stubs
    assert stubs[-3:] == ["Outcome: Fatal", "Outcome: Missing", "Outcome: Recovered/resolved"]
    bare = case.adae().drop(columns=["AEOUT", "RELCELL"])
    without = safety.serious_teae(case.adam(ADAE=bare), study)
    assert status(without, "outcome") == ("NA", "not collected: AEOUT")
    last = [line.cells[0].text for line in table_teae_by_soc_pt(without, study).rows][-2:]
    assert all("not collected" in text for text in last)


@pytest.mark.rule("SAF-23")
def test_deaths_with_a_fatal_event_related_to_a_cell_product(study):
    table = safety_period.deaths(case.adam(), study)
    assert subjects(table, "related", "n") == {"B2"}
    unrelated = case.adae().assign(RELCELL="N")
    assert value(safety_period.deaths(case.adam(ADAE=unrelated), study), "related") == 0
    before = case.adae().assign(TRTEMFL="N")
    assert value(safety_period.deaths(case.adam(ADAE=before), study), "related") == 0
    bare = safety_period.deaths(case.adam(ADAE=None), study)
    assert status(bare, "related") == ("NA", "not available: no grade or relation of events")
    assert "not available" in next(
        line.cells[0].text for line in table_deaths(bare, study).rows if "Fatal" in line.cells[0].text
    )


@pytest.mark.rule("SAF-24")
def test_values_and_change_by_visit(full, study):
    table = laboratory.values_by_visit(full, study)
    place = {"level": "2 DAY 3"}
    assert (value(table, "ALT", **place), value(table, "ALT", "mean", **place)) == (
        4,
        (130 + 450 + 20 + 900) / 4,
    )
    # Participant 3 has no baseline and therefore no change.
    assert value(table, "ALT", "chg_n", **place) == 3
    assert value(table, "ALT", "chg_median", **place) == 370
    assert status(table, "NEUT", "sd", level="3 DAY 20")[0] == "NE"
    assert not any(level.startswith("2.5") for level in table.frame["level"])


@pytest.mark.rule("SAF-24")
def test_shift_from_baseline_to_the_worst_grade(full, study):
    table = laboratory.grade_shift(full, study)
    assert (value(table, "ALT high", level="any"), value(table, "ALT high", "without", level="any")) == (
        4,
        11,
    )
    assert (
        value(table, "ALT high", "rise", level="any"),
        value(table, "ALT high", "to_grade3", level="any"),
    ) == (3, 2)
    cells = {
        (level, stat): value(table, "ALT high", stat, level=level)
        for level, stat in (
            ("0", "worst 2"),
            ("1", "worst 3"),
            ("missing", "worst 0"),
            ("0", "worst 4"),
            ("0", "worst 0"),
        )
    }
    assert list(cells.values()) == [1, 1, 1, 1, 0]
    # A result without a grade is kept in the rows and in the denominator; one without a value is no result.
    assert value(table, "NEUT low", level="any") == 2
    assert value(table, "NEUT low", "worst not_graded", level="missing") == 1
    assert row(table, "ALT high", "n", level="any")["text"] == "Alanine aminotransferase increased"
    assert any("Hyperuricemia" in note for note in table.footnotes)


@pytest.mark.rule("SAF-24")
def test_significant_deviations_and_whether_they_resolved(full, study):
    table = laboratory.significant_deviations(full, study)
    place = {"level": "Alanine aminotransferase increased"}
    assert subjects(table, "ALT high", "n", **place) == {uid(2), uid(4)}
    assert subjects(table, "ALT high", "unresolved", **place) == {uid(2), uid(4)}
    assert value(table, "NEUT low", "unresolved", level="Neutrophil count decreased") == 0
    assert value(table, "any") == 3 and status(table, "investigator", "n")[0] == "NA"


@pytest.mark.rule("SAF-16")
def test_liver_injury(full, study):
    table = laboratory.hepatotoxicity(full, study)
    assert value(table, "evaluable") == 3
    assert [value(table, "at", level=str(m)) for m in (3, 5, 10, 20)] == [3, 2, 2, 1]
    assert [value(table, "at_base", level=str(m)) for m in (3, 5, 10, 20)] == [3, 3, 1, 1]
    assert subjects(table, "bilirubin", "n") == {uid(2), uid(3)}
    assert subjects(table, "hys", "n") == {uid(2)} and value(table, "hys_base") == 0
    assert value(table, "window", level="0-3") == 3
    assert table.where(variable="hys_open").empty, "every value has its limit"
    peaks = laboratory.liver_peaks(full, study)
    assert value(peaks, "peak", "at", level=uid(2), group="DL2") == 11.25
    assert row(peaks, "peak", "quadrant", level=uid(2), group="DL2")["text"] == "HYS_LAW_RANGE"
    assert value(peaks, "peak", "gap", level=uid(2), group="DL2") == 2
    assert status(peaks, "peak", "at_base", level=uid(3), group="DL2") == ("NE", "BASELINE_MISSING")
    assert value(peaks, "quadrant", level="HYPERBILIRUBINAEMIA") == 1


@pytest.mark.rule("SAF-16")
def test_the_panel_begins_with_the_first_infusion_and_needs_no_exposure(study):
    panel = liver_panel(safety_adlb(), safety_adsl(), study=study)
    assert panel["DAY"].min() == 3 and panel["WINDOW"].isna().all()
    with_route = liver_panel(safety_adlb(), safety_adsl(), study=study, adex=safety_adex())
    assert set(with_route["WINDOW"]) == {"0-3", "4-14", "15+"}
    empty = liver_summary(panel[panel["DAY"] > 99], study)
    assert empty.empty and "QUADRANT" in empty


@pytest.mark.rule("SAF-18")
def test_cytokine_release_by_grade_phase_and_treatment(full, study):
    table = toxicity.crs(full, study)
    assert subjects(table, "any", "n") == {uid(2), uid(7), uid(8)}
    assert [value(table, "ctcae", level=str(g)) for g in range(1, 6)] == [0, 2, 1, 0, 0]
    assert [value(table, "astct", level=str(g)) for g in range(1, 6)] == [1, 2, 0, 0, 0]
    assert [value(table, "phase", level=p) for p in ("NK", "CART_C1", "CART_C2")] == [1, 2, 1]
    assert (value(table, "onset"), value(table, "onset", "median"), value(table, "duration", "max")) == (
        3,
        2,
        7,
    )
    assert (value(table, "tocilizumab"), value(table, "steroid")) == (1, 0)
    nerves = toxicity.icans(full, study)
    assert (
        value(nerves, "any") == 1
        and value(nerves, "ice", "min") == 5
        and value(nerves, "ctcae", level="missing") == 1
    )


@pytest.mark.rule("SAF-18")
def test_the_scales_are_crossed_and_the_trigger_grade_marked(full, study):
    table = toxicity.crs_concordance(full, study)
    assert (
        value(table, "reported", "astct 2", level="3") == 1
        and value(table, "reported", "astct 1", level="2") == 1
    )
    assert value(table, "derived", "astct missing", level="missing") == 1
    assert (
        value(table, "direction_astct", level="LOWER") == 1
        and value(table, "direction_ctcae", level="UNREPORTED") == 1
    )
    assert value(table, "trigger_differs") == 1
    both = table.frame[(table.frame["variable"] == "reported") & table.frame["stat"].str.startswith("astct")]
    assert both["value"].sum() == 4


def test_a_study_without_these_products_answers_not_applicable(make_adam, arms):
    base = safety_adsl().assign(COHORTA="Pbo", COHORT="Pbo")
    other = make_adam(**(safety_sets() | {"ADSL": base}))
    for question, place in (
        (infusions.nk_exposure, "infusions"),
        (infusions.cart_exposure, "infusions"),
        (toxicity.crs, "any"),
    ):
        assert "no such product" in status(question(other, arms), place, "n")[1]


def test_without_medication_treatment_is_not_available(make_adam, study):
    sets = safety_sets()
    sets["ADTOX"] = sets["ADTOX"].assign(TOCIFL=pd.Series([None] * 6, dtype=object))
    assert status(toxicity.crs(make_adam(**sets), study), "tocilizumab", "n") == (
        "NA",
        "not available: no CM",
    )


def test_exposure_without_amounts_or_times_says_so(adam, study, make_adam):
    bare = make_adam(ADEX=adam["ADEX"].drop(columns="ADOSE"))
    assert "ADOSE" in status(infusions.nk_exposure(bare, study), "infusions", "n")[1]
    assert status(safety_period.teae_by_period(adam, study), "NK", "n", level="any")[0] == "NA"


def _with_nk_facts(**facts):
    return safety_sets() | {"ADSL": safety_adsl().assign(**facts)}


@pytest.mark.rule("SAF-21", source="by hand: source, each infusion, catheter")
def test_nk_exposure_shows_source_infusions_and_catheter(make_adam, study):
    people = safety_adsl()["USUBJID"]
    source = people.map({uid(n): "UCB" for n in range(1, 13)} | {uid(13): "AUTO"}).astype(object)
    switch = pd.to_datetime(people.map({uid(13): "2025-09-01"}))
    hours = people.map({uid(1): 20.0, uid(2): 30.0}).astype("float64")
    placed = people.map(dict.fromkeys((uid(1), uid(2), uid(3)), 1.0)).astype("float64")
    facts = {"NKSRC": source, "NKSWDT": switch, "CATHN": placed, "CATHHRS": hours}
    nk = infusions.nk_exposure(make_adam(**_with_nk_facts(**facts)), study)
    assert [value(nk, "source", level=name) for name in ("UCB", "AUTO", "MISSING")] == [12, 1, 2]
    assert subjects(nk, "source_switch", "n") == {uid(13)}
    assert (value(nk, "cells_of", level="2"), value(nk, "cells_of", "median", level="2")) == (15, 1.5e9)
    assert value(nk, "ratio_total", "max") == 1.0
    assert (value(nk, "catheter"), value(nk, "dwell"), value(nk, "dwell", "median")) == (3, 2, 25.0)


def test_nk_exposure_without_source_and_catheter(make_adam, study):
    nk = infusions.nk_exposure(make_adam(**_with_nk_facts()), study)
    assert status(nk, "source", "n") == ("NA", "not collected: source of the cells")
    assert status(nk, "catheter", "n") == ("NA", "not collected: catheter")


@pytest.mark.rule("SAF-21", source="by hand: each planned infusion, cumulative dose, weight")
def test_cart_exposure_shows_each_infusion_and_the_weight(make_adam, study):
    sets = _with_nk_facts()
    last = sets["ADEX"]["SRCSEQ"] == "6"
    sets["ADEX"] = sets["ADEX"][~(last & (sets["ADEX"]["USUBJID"] == uid(1)))]
    cart = infusions.cart_exposure(make_adam(**sets), study)
    given = [value(cart, "given", level=f"CART_C{cycle} {n}") for cycle in (1, 2) for n in (1, 2)]
    assert given == [13, 13, 13, 12]
    assert (value(cart, "cells_kg_total", "min"), value(cart, "cells_kg_total", "max")) == (1.5e8, 2e8)
    assert value(cart, "weight", "median") == 60.0


@pytest.mark.rule(
    "SAF-43", source="by hand: baselines of 20 and 80 U/L with a limit of 40, bilirubin without a baseline"
)
def test_the_peaks_carry_the_values_at_baseline(full, study):
    peaks = laboratory.liver_peaks(full, study)
    at = {n: row(peaks, "peak", "at_start", level=uid(n), group=g) for n, g in ((1, "DL1"), (2, "DL2"))}
    assert {n: found["value"] for n, found in at.items()} == {1: 0.5, 2: 2.0}
    gone = row(peaks, "peak", "bilirubin_start", level=uid(1), group="DL1")
    assert (gone["status"], gone["reason"]) == ("NE", "BASELINE_MISSING")

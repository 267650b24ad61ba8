"""Further tables and figures of Phase IB: printed cells are those of the rows, an absent answer states its reason."""

from __future__ import annotations

import pandas as pd
import pytest

from interim import display
from interim.analysis import (
    benefit_risk,
    benefit_risk_rationale,
    benefit_risk_utility,
    expansion,
    expansion_covariates,
    expansion_open,
    expansion_scenarios,
    expansion_sensitivity,
    expansion_sources,
    protocol_changes,
)
from interim.display import benefit_risk as br
from interim.display import expansion as d
from interim.display import expansion_scenarios as es
from interim.display import expansion_support as ex
from interim.display import expansion_type_figures as f
from interim.display.numbers import Numbers
from interim.result import TOTAL, Rows
from tests.analysis.conftest import adsl, adsub, uid
from tests.analysis.test_benefit_risk_by_hand import adlb
from tests.analysis.test_expansion import SDTM, TYPES, study_with
from tests.analysis.test_expansion_support import adpp
from tests.analysis.test_question_parameters import changed
from tests.display import results_by_hand as hand
from tests.display import results_of_chapters as chapter
from tests.display.sheets_of_figures import check_marks, check_words, kept_sheets
from tests.display.test_expansion import text_of


@pytest.fixture(scope="module")
def types(tmp_path_factory):
    text = "[expansion]\nn_max = 9\n[benefit_risk]\nutility = [100, 60, 40, 0]\n" + TYPES
    study = study_with(tmp_path_factory.mktemp("types"), text)
    more = {"study": {"seed": 3}, "stats": {"draws": 2000}, "figure": {"dpi": 72}}
    return changed(study, more)


@pytest.fixture(scope="module")
def whole(make_adam, study):
    base = adsl()
    base["NINFCT"] = 4.0
    base["CEAFALL"] = "N"
    ligand = pd.DataFrame(
        [(uid(n), "ligand_max", ">=115" if n % 2 else "<115", 1.0 + n % 2, 115.0) for n in range(1, 14)],
        columns=["USUBJID", "ENTRY", "AVALC", "AVALN", "CUT"],
    )
    sub = pd.concat([adsub(base, study), ligand], ignore_index=True)
    return make_adam(ADSL=base, ADLB=adlb(), ADPP=adpp(), ADSUB=sub)


@pytest.fixture(scope="module")
def candidates(whole, types):
    return expansion.candidates(whole, types, SDTM)


@pytest.fixture
def sheets(monkeypatch):
    return kept_sheets(monkeypatch, "expansion_type_figures", "expansion_figures")


def checked(table, result):
    """Return the text of a table whose cells lead to rows and whose rows are as wide as its header."""
    assert set(table.keys) <= set(result.frame["result_id"])
    widths = {len(row.cells) for row in table.rows if row.kind != "section"}
    assert widths <= {len(table.header[0])}
    return text_of(table)


@pytest.mark.rule("IB-19")
def test_facts_stand_below_the_models(candidates, types):
    text = checked(d.table_candidates(candidates, types), candidates)
    assert "Responders counted: all doses 1/10 (10.0%) (0.3, 44.5); recommended dose 0/0 NE" in text
    assert "Median exposure in cycle 1: CAR-T transgene 550.0 copies/ug (n=10)" in text
    assert "Median exposure in cycle 1: CAR-T transgene NE" in text, "nobody of the last type"
    assert "Ligand level: >=115 5/10 (50.0%) (18.7, 81.3)" in text
    assert "External evidence: p0: placeholder A; p1: placeholder B" in text
    assert "Unmet need: not stated: the sponsor states it in the protocol" in text
    assert "Probability of one rate (partition average) with: Gastric 0." in text
    assert "Probability of being exchangeable (EXNEX): 0." in text


@pytest.mark.rule("IB-19")
def test_open_responses_print_counts_class_and_chance(whole, types):
    result = expansion_open.bounds(whole, types, SDTM)
    text = checked(ex.table_open_responses(result, types), result)
    states = "Responses by state: confirmed 0; confirmation pending 1; no scan yet 1; no response 1; not evaluable 0"
    assert states in text
    assert "All open responses become responses | 2/3 |" in text
    assert "Open responses left out (inflates the rate) | 0/1 |" in text
    assert "Class under all readings | – | – | – | CONSIDER, not robust (EXP-ROBUST)" in text
    assert "Chance that the class stands | – | – | – | 1.000" in text


@pytest.mark.rule("IB-19")
def test_a_chance_that_was_not_summed_says_why(types):
    rows = hand.opened("expansion_open.bounds", {TOTAL: 3})
    for entry in types.expansion.type:
        for name in ("confirmed", "any", "all_respond", "all_fail", "left_out"):
            rows.add("class", None, text="GO", group=entry.id, variable="reading", level=name, n=1, N=3)
        rows.add("text", None, text="stands", group=entry.id, variable="robust")
        chapter.add(rows, entry.id, "robust", chance=("NE", "too many"))
    text = text_of(ex.table_open_responses(rows.build(), types))
    assert "Chance that the class stands – too many | – | – | – | NE" in text


@pytest.mark.rule("IB-19")
def test_sensitivity_prints_class_margin_and_flips(whole, types):
    result = expansion_sensitivity.sensitivity(whole, types, SDTM)
    table = ex.table_expansion_sensitivity(result, types)
    text = checked(table, result)
    assert table.rows[0].cells[0].text == "base case: Own data only"
    assert table.rows[0].cells[1].text.count(", ") == 3 and table.rows[0].cells[-1].text == "0/3"
    assert "without the type other: Own data only" in text and "| left out |" in text
    assert "recommended dose – no recommended dose | –" in text


@pytest.mark.rule("IB-19")
def test_dose_ligand_and_slopes(whole, types, adam):
    result = expansion_covariates.covariates(whole, types, SDTM)
    text = checked(ex.table_expansion_covariates(result, types), result)
    assert "DL3 | 1/6 (17%) | 0/0 | 0/0" in text
    assert ">=115 | 1/5 (20%) | 0/2 | 0/0" in text
    assert "High ligand: P(slope > 0) 0." in text and "the data do not inform" in text
    assert "Left out of the model: no CAR-T dose 0" in text
    bare = expansion_covariates.covariates(adam, types, SDTM)
    text = checked(ex.table_expansion_covariates(bare, types), bare)
    assert "High ligand: no primary ligand entry" in text


@pytest.mark.rule("IB-19")
def test_sources_priors_checks_and_limitations(whole, types):
    result = expansion_sources.sources(whole, types, SDTM)
    text = checked(ex.table_expansion_sources(result, types), result)
    assert "crc p0 | 5% | Colorectal: placeholder A" in text
    assert "Own data only | – | one participant's worth of data" in text
    assert "martingale | " in text and "limit 1e-08" in text
    assert "cut | – | Models are compared at equal familywise false go" in text


@pytest.mark.rule("IB-19")
def test_all_cohorts_together(types):
    result = expansion_scenarios.together(None, types)
    table = es.table_cohorts_together(result, types)
    text = checked(table, result)
    assert len(table.header[0]) == 1 + 3 + 6
    assert (
        "Two stages 9/17" in text
        and "One look at all cohorts at equal familywise false go: Own data only" in text
    )
    assert "none active | 0.047 | 0.223 | 0.047 | 0.294 | 0.000 | 1.000" in text
    assert text.count("Bias and mean squared error of the mean") == 4


@pytest.mark.rule("IB-19")
def test_a_design_that_does_not_exist_is_one_line(types):
    rows = Rows("expansion_scenarios.together", "x")
    rows.add("any_false", None, variable="look by exnex", status="NE", reason="not computed: 9 outcomes")
    table = es.table_cohorts_together(rows.build(), types)
    (row,) = table.rows
    assert row.kind == "section" and row.cells[0].text.endswith("(EXNEX): not computed: 9 outcomes")


@pytest.mark.rule("IB-19")
def test_selection_and_participants_counted_once(whole, types):
    rows = Rows("expansion_scenarios.choices", "x")
    rows.add("in_force", None, variable="counted", text="count_phase_ia = no")
    for entry in types.expansion.type:
        chapter.add(rows, entry.id, "selection", "1", n=18, p_correct=0.9111, p_wrong=0.037, p_tie=0.0519)
    chapter.add(rows, "crc", "counted", "p0", n=6, p_go=0.0466, p_go_selected=0.1474)
    for name in ("gastric", "other"):
        rows.add("p_go", None, group=name, variable="counted", status="NE", reason="nobody")
    result = rows.build()
    text = checked(es.table_choices(result, types), result)
    assert "Colorectal, least lead 1 | 2 x 18 | 0.911 | 0.037 | 0.052" in text
    assert "Colorectal, p0 | 6 | 0.047 | 0.147 | –" in text
    assert "Gastric – nobody | – | – | – | –" in text
    real = expansion_scenarios.choices(whole, types, SDTM)
    assert "count_phase_ia = no" in checked(es.table_choices(real, types), real)


@pytest.mark.rule("IB-19")
def test_protocol_changes_are_listed(whole, types):
    result = protocol_changes.proposed(whole, types, SDTM)
    table = ex.table_protocol_changes(result, types)
    checked(table, result)
    assert len(table.rows) == 14 and len(table.header[0]) == 10
    assert table.rows[0].cells[1].text == "Phase IB, dose" and table.orientation == "landscape"


@pytest.mark.rule("IB-19")
def test_components_and_kinetics_of_every_dose(whole, types):
    result = benefit_risk.by_dose(whole, types)
    text = checked(br.table_benefit_risk(result, types), result)
    assert "Liver test on treatment, grade 3 or higher | 0/1 | 1/3 (33%) | 1/7 (14%) | 0/2" in text
    assert "Full course of CAR-T infusions given | 1/1 (100%)" in text
    assert "Peak level in cycle 1, CAR-T transgene (copies/ug): median [range], n" in text
    assert "750.0 [500.0, 1000.0], 6" in text
    order = [text.index(word) for word in ("Utility, posterior mean", "P(DLT rate", "Joint desirability")]
    assert order == sorted(order)


@pytest.mark.rule("IB-19")
def test_utility_ranking_and_conclusion(whole, types, arms):
    result = benefit_risk_utility.ranking(whole, types)
    table = br.table_utility(result, types)
    text = checked(table, result)
    assert text.count("Best dose by other scores, u2") == 5
    assert "Pairs of scores under which it has the largest mean | – |" in text
    assert "Reading: " in text.splitlines()[-1]
    unseeded = changed(types, {"study": {"seed": None}})
    text = text_of(br.table_utility(benefit_risk_utility.ranking(whole, unseeded), unseeded))
    assert "Chance to be the best dose (standard error) – no seed in the study" in text
    other = benefit_risk_utility.ranking(whole, arms)
    assert "not applicable" in text_of(br.table_utility(other, arms))


@pytest.mark.rule("IB-19")
def test_the_rationale_by_criterion_and_lower_dose(whole, types, arms, monkeypatch):
    monkeypatch.setattr(benefit_risk_rationale, "proposed_dose", lambda *a: "DL3")
    result = benefit_risk_rationale.rationale(whole, types, SDTM)
    text = checked(br.table_rationale(result, types), result)
    assert "Dose: DL3: recommended dose, the MTD" in text
    assert "DLT 1/7 (14%); related G>=3 2/7 (29%)" in text
    assert "T 14.1.1.1; CAR-T given, of those with NK cells: 13/15 (86.7%)" in text
    assert "not measured: visits and days in hospital" in text
    assert "DL2 3e7 (n=3) | toxicity more frequent 0." in text
    monkeypatch.setattr(benefit_risk_rationale, "proposed_dose", lambda *a: "")
    monkeypatch.setattr(benefit_risk_rationale, "no_escalation", lambda *a: "none")
    none = benefit_risk_rationale.rationale(whole, types, SDTM)
    assert "– | – | – | – | – | – | no recommended dose | –" in checked(br.table_rationale(none, types), none)
    other = benefit_risk_rationale.rationale(whole, arms, SDTM)
    assert "not applicable" in text_of(br.table_rationale(other, arms))


@pytest.mark.rule("IB-19")
def test_shrunken_rates_are_drawn_at_their_values(candidates, types, sheets):
    figure = f.figure_shrinkage_of_types(candidates, types)
    (axes,) = sheets[-1].axes
    numbers = Numbers(candidates, types)
    marks = [
        line.get_xdata()[0]
        for line in axes.lines
        if line.get_marker() not in ("None", "", None) and len(line.get_xdata()) == 1
    ]
    for entry in ("crc", "gastric"):
        for variable, stat in (("orr", "rate"), ("exnex", "mean"), ("hierarchical", "mean")):
            assert numbers.need(stat, group=entry, variable=variable)["value"] in marks
    assert [text.get_text() for text in axes.get_yticklabels()][-1] == "Colorectal\n1/10 (10.0%)"
    assert "Colorectal observed 1/10 (10.0%), Own data only" in figure.alt
    assert set(figure.keys) <= set(candidates.frame["result_id"])
    check_marks(sheets[-1])
    check_words(sheets[-1])


@pytest.mark.rule("IB-19")
def test_the_grid_shows_thresholds_and_classes(candidates, types, sheets):
    figure = f.figure_decision_grid(candidates, types)
    (axes,) = sheets[-1].axes
    corner = axes.patches[0].get_bbox()
    assert (corner.x0, corner.y0) == (types.expansion.go_prob, types.expansion.go_ppos)
    filled = [line for line in axes.lines if line.get_markersize() == 8]
    hollow = [line for line in axes.lines if line.get_markersize() == 5]
    assert (len(filled), len(hollow)) == (3, 9)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["Colorectal: CONSIDER", "Gastric: CONSIDER", "Other: CONSIDER"]
    assert "Gastric P 0." in figure.alt and "CONSIDER" in figure.alt
    check_words(sheets[-1])


@pytest.mark.rule("IB-14")
@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("table_open_responses", "bounds"),
        ("table_expansion_sensitivity", "sensitivity"),
        ("table_expansion_covariates", "covariates"),
        ("table_expansion_sources", "sources"),
        ("table_cohorts_together", "together"),
        ("table_choices", "choices"),
        ("figure_shrinkage_of_types", "candidates"),
        ("figure_decision_grid", "candidates"),
    ],
)
def test_what_was_not_run_states_its_reason(study, name, variable):
    rows = hand.opened("expansion.x", {TOTAL: 3})
    rows.add("n", None, variable=variable, status="NA", reason="not run: no target rate")
    shown = getattr(display, name)(rows.build(), study)
    if name.startswith("figure"):
        assert "not run: no target rate" in shown.alt
    else:
        assert shown.rows[0].cells[0].text == "not run: no target rate" and len(shown.rows) == 1

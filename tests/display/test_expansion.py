"""Tables and figures of Phase IB: what is printed comes from the rows, and an absent answer states its reason."""

from __future__ import annotations

import pytest

from interim.analysis import benefit_risk, expansion, expansion_designs
from interim.display import benefit_risk as br
from interim.display import expansion as d
from interim.display import expansion_figures as f
from tests.analysis.test_expansion import SDTM, TYPES, study_with


@pytest.fixture(scope="module")
def with_types(tmp_path_factory):
    return study_with(tmp_path_factory.mktemp("types"), TYPES)


def text_of(table):
    return "\n".join(" | ".join(cell.text for cell in row.cells) for row in table.rows)


@pytest.mark.rule("IB-19")
def test_candidates_show_models_class_and_margins(adam, with_types):
    result = expansion.candidates(adam, with_types, SDTM)
    table = d.table_candidates(result, with_types)
    text = text_of(table)
    assert "Colorectal: p0 5%, p1 25%; evidence moderate" in text
    assert "1/10 (10.0%)" in text and "Own data only" in text and "Margins: P(p > p0)" in text
    assert "no decision recorded" in text
    assert "which contains the data that selected the type): 9: " in text
    assert "Participants without a tumour type of the study | 2" in text
    assert {len(row.cells) for row in table.rows if row.kind != "section"} == {8}
    assert set(table.keys) <= set(result.frame["result_id"])


@pytest.mark.rule("IB-19")
def test_tipping_marks_flips_and_impossible_rows(adam, with_types):
    table = d.table_tipping(expansion.tipping(adam, with_types, SDTM), with_types)
    text = text_of(table)
    assert "One response less | – | – | impossible with these counts | –" in text
    assert "NO-GO (flips)" in text
    assert "Fewest changed responses that alter the class | – | – | none | –" in text


@pytest.mark.rule("IB-19")
def test_designs_print_rule_rates_and_limits(adam, with_types):
    result = expansion_designs.designs(adam, with_types)
    table = d.table_designs(result, with_types)
    text = text_of(table)
    assert "Two stages 9/17: stop at 0 of 9; go at >= 3 of 17" in text
    assert "5% | 0.047 | 0.630 | 12.0" in text
    assert "Gastric, Two stages 9/17 | 0.223 | – | EXP-ALPHA | 0.905" in text
    figure = f.figure_designs(result, with_types)
    assert "Two stages 9/17 P(go) 0.047 at 5%" in figure.alt
    assert set(figure.keys) <= set(result.frame["result_id"])


@pytest.mark.rule("IB-19")
def test_rule_of_choice_has_a_row_per_scenario(adam, with_types):
    table = d.table_rule_of_choice(expansion_designs.rule_of_choice(adam, with_types, SDTM), with_types)
    assert text_of(table).count("none active") == 3
    assert [head.text for head in table.header[0]][1] == "P(GO) Colorectal"


@pytest.mark.rule("IB-19")
def test_boundaries_show_a_dash_where_no_count_stops(adam, study):
    table = d.table_boundaries(expansion_designs.boundaries(adam, study, SDTM), study)
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows[0] == ["1", "–", "–"]
    assert rows[8] == ["9", ">= 5", "<= 0"]
    assert rows[-1][0] == "40%" and rows[-1][1] == "0.717"


@pytest.mark.rule("IB-19")
def test_benefit_and_risk_by_dose(adam, study):
    result = benefit_risk.by_dose(adam, study)
    text = text_of(br.table_benefit_risk(result, study))
    lines = text.splitlines()
    joint = next(k for k, line in enumerate(lines) if line.startswith("Joint desirability"))
    assert lines[joint - 2].startswith("P(DLT rate <= 1/3)")
    assert lines[joint - 1].startswith("P(response rate >= 10%)")
    assert lines[joint - 3].startswith("Utility") and "NE" in lines[joint - 3]
    assert joint == len(lines) - 1, "the joint desirability stands last"
    figure = f.figure_benefit_risk(result, study)
    assert "toxicity 22%, activity 22%" in figure.alt


@pytest.mark.rule("IB-14")
def test_absent_answers_are_shown_with_their_reason(make_adam, study, arms):
    adam = make_adam()
    reason = "not run: null and target rates not given"
    for table in (
        d.table_candidates(expansion.candidates(adam, study, SDTM), study),
        d.table_tipping(expansion.tipping(adam, study, SDTM), study),
        d.table_rule_of_choice(expansion_designs.rule_of_choice(adam, study, SDTM), study),
    ):
        assert table.rows[0].cells[0].text == reason
        assert len(table.rows) == 1 or {
            row.cells[-1].text for row in table.rows[1:] if row.kind == "data"
        } == {"–"}
    assert reason in text_of(d.table_designs(expansion_designs.designs(adam, study), study))
    other = benefit_risk.by_dose(adam, arms)
    assert "not applicable" in text_of(br.table_benefit_risk(other, arms))
    assert "Nothing to draw" in f.figure_benefit_risk(other, arms).alt
    bare = benefit_risk.by_dose(make_adam(ADAE=None, ADRS=None), study)
    assert "not available" in text_of(br.table_benefit_risk(bare, study))

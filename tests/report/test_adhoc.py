"""Ad-hoc subgroups in a notebook: order of what is shown, p-values only on request, bad frames."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import interim
from interim.analysis import subgroups as room
from interim.analysis.subgroups.free import subgroup_study
from interim.display.subgroups_adhoc import adhoc_endpoint, table_adhoc, table_adhoc_tests
from interim.errors import DataError, ReportError
from interim.report.adhoc import AdhocSubgroups

TWELVE = pd.DataFrame(
    {
        "USUBJID": [f"P{k:02}" for k in range(1, 13)],
        "type": ["CRC"] * 7 + ["GASTRIC"] * 3 + ["OTHER"] * 2,
        "ligand": ["Y" if k in (1, 2, 3, 8, 9, 11) else "N" for k in range(1, 13)],
        "nlr": [2.0, 6.0, 3.0, 4.0, 7.0, 8.0, 1.0, 2.5, 3.5, 9.0, 4.5, 1.5],
        "same": ["A"] * 12,
        "response": [1 if k in (3, 8, 11) else 0 for k in range(1, 13)],
        "change": np.linspace(-60, 50, 12),
        "days": [30.0, 60, 90, 95, 120, 150, 180, 200, 220, 240, 300, 320],
        "dead": [1, 1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1],
    }
)
NLR = {"column": "nlr", "id": "nlr", "label": "Ratio", "kind": "continuous", "cuts": (5.0,)}


@pytest.fixture(scope="module")
def asked():
    """Settings of a notebook that asks for p-values, with few draws."""
    study = subgroup_study(TWELVE, factors=[])
    stats = study.stats.model_copy(update={"show_p_values": True, "draws": 1999})
    return study.model_copy(update={"stats": stats})


@pytest.fixture(scope="module")
def rate():
    return interim.subgroups(TWELVE, endpoint="response", factors=["type", "ligand", NLR])


def lines(table):
    return {row.cells[0].text.strip(): [cell.text for cell in row.cells[1:]] for row in table.rows}


@pytest.mark.rule("SUBQ-20")
def test_limits_stand_before_the_forest_and_the_levels_after(rate):
    box, forest, _ = rate.shown()
    assert box.style == "box" and box.text().startswith(
        "With 12 participants and 3 responders, 3 subgroup dimensions"
    )
    assert "with probability 0.436" in box.text() and "0.436" in " ".join(forest.footnotes)
    assert forest.title == "response by subgroup" and "Forest plot" in forest.alt
    assert set(box.keys) <= set(rate.frame["result_id"]) and len(box.keys) == 8
    html = rate._repr_html_()
    assert html.index('class="box"') < html.index("<figure") < html.rindex("All participants")


@pytest.mark.rule("SUBQ-20", source="worked example of the specification")
def test_levels_of_the_worked_example(rate):
    cells = lines(rate.shown()[-1])
    assert cells["All participants"] == ["12", "3/12 (25.0%) (5.5, 57.2)"]
    assert cells["CRC"] == ["7", "1/7 (14%) (0.4, 57.9)"]
    assert cells["GASTRIC"] == ["3", "1/3 (33%) (0.8, 90.6)"]
    assert cells["OTHER"] == ["2", "1/2 (50%)"]
    assert cells["≥ 5"][0] == "4" and cells["≥ 5"][1].startswith("0/4")


@pytest.mark.rule("SUBQ-20")
def test_no_p_value_of_data_unless_asked(rate, asked):
    text = " ".join(part.text() for part in rate.shown())
    assert not re.search(r"p_het|adjusted|Adjusted p", text) and len(rate.shown()) == 3
    with pytest.raises(ReportError, match=r"stats\.show_p_values = true"):
        table_adhoc_tests(rate, rate.study)
    more = interim.subgroups(
        TWELVE, endpoint="response", factors=["type", "ligand", NLR, "same"], study=asked
    )
    tests = more.shown()[-1]
    cells = lines(tests)
    assert cells["type"][0] == "Freeman-Halton, exact" and cells["type"][2] == "0.0045"
    assert float(cells["ligand"][1]) == pytest.approx(40 / 220, abs=5e-5)
    assert float(cells["ligand"][3]) >= float(cells["ligand"][1]) >= float(cells["ligand"][2])
    assert cells["same"][1:] == ["NE", "NE", "NE"]
    note = " ".join(tests.footnotes)
    assert "planned 4, run 3, not evaluable 1" in note and "max t step down" in note and "one arm" in note


@pytest.mark.rule("SUBQ-05")
@pytest.mark.parametrize("endpoint", ["response", ("days", "dead"), "change"])
def test_a_factor_of_one_level_is_no_member_of_the_family(endpoint, asked):
    alone = interim.subgroups(TWELVE, endpoint=endpoint, factors=["ligand"], study=asked).frame
    flat = {"column": "nlr", "id": "flat", "label": "Flat", "kind": "continuous", "cuts": (0.5,)}
    both = interim.subgroups(TWELVE, endpoint=endpoint, factors=["ligand", flat], study=asked).frame
    adjusted = both[both["stat"] == "p_max_t"].set_index("group")
    assert (adjusted.loc["flat", "status"], adjusted.loc["flat", "reason"]) == ("NE", "ONE_LEVEL")
    before = alone.loc[alone["stat"] == "p_max_t", "value"].item()
    assert adjusted.loc["factor_1", "value"] == pytest.approx(before, abs=1e-12)


@pytest.mark.rule("SUBQ-20")
def test_times_have_landmark_median_and_numbers_at_risk(asked):
    found = interim.subgroups(TWELVE, endpoint=("days", "dead"), factors=["ligand"], study=asked)
    table, tests = found.shown()
    cells = lines(table)
    assert [head.text for head in table.header[0][2:]] == [
        "days: rate at 3 months [at risk]",
        "Median, months",
    ]
    assert cells["All participants"][1].endswith("[9]") and cells["Yes"][0] == "6"
    assert "log-rank scores" in lines(tests)["ligand"][0]


@pytest.mark.rule("SUBQ-20")
def test_numbers_have_median_and_range(asked):
    found = interim.subgroups(TWELVE, endpoint="change", factors=["type"], study=asked)
    cells = lines(found.shown()[0])
    assert cells["All participants"][1] == "-5.0 (-60.0, 50.0)" and cells["OTHER"][1] == "45.0 (40.0, 50.0)"


@pytest.mark.rule("SUBQ-20")
@pytest.mark.parametrize("r", [0, 12])
def test_nobody_or_everybody_responded(r):
    frame = TWELVE.assign(response=1 if r else 0)
    box, *_ = interim.subgroups(frame, endpoint="response", factors=["type"]).shown()
    assert box.text().startswith("Every participant responded" if r else "No participant responded")


@pytest.mark.rule("SUBQ-20")
@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("days", -3.0, "TTE-NEG"),
        ("days", np.inf, "TTE-NEG"),
        ("dead", 7, "STAT-EVENT01"),
        ("dead", 2, "STAT-EVENT01"),
    ],
)
def test_bad_times_and_events_name_the_participant_and_the_value(column, value, rule):
    frame = TWELVE.copy()
    frame[column] = frame[column].astype(float)
    frame.loc[[4, 6], column] = value
    with pytest.raises(DataError) as caught:
        interim.subgroups(frame, endpoint=("days", "dead"), factors=["type"])
    found = caught.value.findings
    assert [(f.rule, f.subject, f.variable, f.value) for f in found] == [
        (rule, who, column, f"{value:g}") for who in ("P05", "P07")
    ]


@pytest.mark.rule("SUBQ-20")
def test_all_missing_and_one_participant_are_statuses():
    frame = TWELVE.assign(gone=np.nan, none=None)
    rows = interim.subgroups(frame, endpoint="response", factors=["gone", "none"]).frame
    tests = rows[rows["stat"] == "p_heterogeneity"]
    assert set(tests["status"]) == {"NE"} and set(tests["reason"]) == {"NO_DATA"}
    lone = interim.subgroups(TWELVE.head(1), endpoint="response", factors=["type"])
    assert lone.frame.loc[lone.frame["stat"] == "p_heterogeneity", "reason"].tolist() == ["ONE_LEVEL"]
    assert "nan" not in lone._repr_html_().lower().replace("nanjing", "")


def test_a_result_that_is_no_adhoc_analysis(rate):
    other = room.adhoc(TWELVE, endpoint="response", factors=["type"])
    bare = other.frame[other.frame["variable"] == "population"]
    with pytest.raises(ReportError, match="no endpoint"):
        adhoc_endpoint(type(other)(other.analysis_id, bare, other.links, other.title))
    made = AdhocSubgroups(other.analysis_id, other.frame, other.links, other.title)
    with pytest.raises(ValueError, match=r"interim\.subgroups"):
        made.shown()
    assert table_adhoc(rate, rate.study, endpoint="response").rows

"""All cohorts together, selection, Phase IA counted once, protocol changes: by products and numbers of the specification."""

from __future__ import annotations

from math import prod

import pytest

from interim import display
from interim.analysis import expansion_designs, expansion_scenarios, expansion_types, protocol_changes
from interim.analysis import expansion_models as m
from interim.design import monitoring
from interim.design.expansion import fixed_sample, two_stages
from interim.design.monitoring import characteristics
from interim.errors import DesignError
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.conftest import uid
from tests.analysis.test_expansion import SDTM, TYPES, study_with
from tests.analysis.test_question_parameters import changed

SIMON, NINE = two_stages(9, 0, n=17, r=2), fixed_sample(9, 2)
NULL, TARGET = (0.05, 0.10, 0.05), (0.25, 0.30, 0.25)


@pytest.fixture(scope="module")
def with_types(tmp_path_factory):
    return study_with(tmp_path_factory.mktemp("types"), "[expansion]\nn_max = 9\n" + TYPES)


@pytest.fixture(scope="module")
def table(with_types):
    return expansion_scenarios.together(None, with_types)


def go(design, rate):
    return float(characteristics(design, [rate]).p_go[0])


def size(design, rate):
    return float(characteristics(design, [rate]).expected_n[0])


@pytest.mark.rule("IB-32", source="products of the cohorts' own characteristics")
@pytest.mark.parametrize(("name", "design"), [("simon_9_17", SIMON), ("fixed_9", NINE)])
@pytest.mark.parametrize(
    ("scenario", "active"),
    [
        ("none active", ()),
        ("only Gastric", (1,)),
        ("all but Colorectal", (1, 2)),
        ("all active", (0, 1, 2)),
    ],
)
def test_separate_cohorts_are_multiplied(table, name, design, scenario, active):
    rates = [TARGET[k] if k in active else NULL[k] for k in range(3)]
    each = [go(design, rate) for rate in rates]
    null = [k for k in range(3) if k not in active]
    for k, entry in enumerate(("crc", "gastric", "other")):
        assert value(table, name, "p_go", level=entry, group=scenario) == pytest.approx(each[k], abs=1e-12)
    by_hand = {
        "any_false": 1 - prod(1 - each[k] for k in null),
        "any_active": 1 - prod(1 - each[k] for k in active),
        "all_active": prod(each[k] for k in active),
        "correct": sum(each[k] if k in active else 1 - each[k] for k in range(3)),
        "inactive_n": sum(size(design, rates[k]) for k in null),
        "total_n": sum(size(design, rate) for rate in rates),
    }
    for stat, expected in by_hand.items():
        assert value(table, name, stat, group=scenario) == pytest.approx(expected, abs=1e-12), stat


@pytest.mark.rule("IB-32")
@pytest.mark.parametrize("model", ["independent", "exnex", "partition", "hierarchical"])
def test_looks_are_compared_at_equal_familywise_false_go(table, with_types, model):
    name = f"look by {model}"
    assert value(table, name, "any_false", group="none active") <= with_types.expansion.alpha_max
    assert value(table, name, "inactive_n", group="only Gastric") == 18
    assert value(table, name, "total_n", group="only Gastric") == 27
    assert value(table, name, "any_false", group="all active") == 0
    assert value(table, name, "all_active", group="none active") == 1
    for entry in ("crc", "gastric", "other"):
        assert value(table, name, "mse", level=entry, group="all active") > 0


@pytest.mark.rule("IB-32", source="sum over all outcomes")
def test_bias_of_a_look_by_all_outcomes(table, with_types):
    joint = m.calibrated(with_types, model="exnex")
    weight = joint.table.weights(TARGET)
    for k, entry in enumerate(("crc", "gastric", "other")):
        bias = sum(w * (mean - TARGET[k]) for w, mean in zip(weight, joint.table.mean[:, k], strict=True))
        found = value(table, "look by exnex", "bias", level=entry, group="all active")
        assert found == pytest.approx(bias, abs=1e-10)


@pytest.mark.rule("IB-32")
def test_an_infeasible_design_and_too_many_outcomes_are_said(tmp_path, monkeypatch):
    text = '[expansion]\nalpha_max = 0.01\ncompare_designs = ["two_stage", "hierarchical"]\n' + TYPES
    study = study_with(tmp_path, text)
    monkeypatch.setattr(m, "MAX_ROWS", 100)
    found = expansion_scenarios.together(None, study)
    assert status(found, "two_stage", "any_false")[0] == "NE"
    assert status(found, "look by exnex", "any_false") == ("NE", "not computed: 6859 outcomes, more than 100")
    designs = expansion_designs.designs(None, study)
    assert status(designs, "design", "rule", group="hierarchical")[1].startswith("not computed: 6859")


@pytest.mark.rule("IB-16")
def test_the_rule_of_choice_over_too_many_outcomes_is_not_computed(adam, with_types, monkeypatch):
    monkeypatch.setattr(m, "MAX_ROWS", 10)
    found = expansion_designs.rule_of_choice(adam, with_types, SDTM)
    assert status(found, "independent", "any_false") == ("NE", "not computed: 44 outcomes, more than 10")


@pytest.fixture
def at_third_level(monkeypatch):
    monkeypatch.setattr(expansion_types, "proposed_dose", lambda *a: "DL3")


@pytest.mark.rule("IB-30")
def test_counting_phase_ia_is_shown_beside_not_counting_it(adam, tmp_path, at_third_level):
    """Six colorectal participants received DL3; one response is needed."""
    study = study_with(tmp_path, TYPES)
    found = expansion_scenarios.choices(adam, study, SDTM)
    assert row(found, "counted", "p_go", level="p0", group="crc")["n"] == 6
    assert value(found, "counted", "p_go", level="p0", group="crc") == pytest.approx(0.0466, abs=5e-5)
    assert value(found, "counted", "p_go_selected", level="p0", group="crc") == pytest.approx(
        0.1474, abs=5e-5
    )
    assert row(found, "counted", "in_force")["text"] == "count_phase_ia = no"
    assert status(found, "counted", "p_go", group="other")[0] == "NE"


@pytest.mark.rule("IB-30")
def test_a_joint_design_has_no_cohort_to_count_into(adam, with_types):
    study = changed(with_types, {"expansion": {"design": "hierarchical"}})
    found = expansion_scenarios.choices(adam, study, SDTM)
    assert status(found, "counted", "p_go", group="crc") == ("NE", "no design of the single cohort")


@pytest.mark.rule("IB-21", source="clinfun 1.1.5 pselect")
def test_selection_between_two_doses_is_printed_per_type(adam, tmp_path):
    found = expansion_scenarios.choices(adam, study_with(tmp_path, TYPES), SDTM)
    for lead, numbers in (("1", (0.911122, 0.037022, 0.051856)), ("2", (0.818592, 0.013032, 0.168376))):
        for stat, expected in zip(("p_correct", "p_wrong", "p_tie"), numbers, strict=True):
            assert value(found, "selection", stat, level=lead, group="gastric") == pytest.approx(
                expected, abs=1e-6
            )


@pytest.mark.rule("IB-14")
def test_without_types_there_is_nothing_to_multiply(adam, study):
    reason = ("NA", "not run: null and target rates not given")
    assert status(expansion_scenarios.together(adam, study), "together", "n") == reason
    assert status(expansion_scenarios.choices(adam, study, SDTM), "choices", "n") == reason


@pytest.mark.rule("IB-11", source="specification: simon_9_17 with the default monitor")
@pytest.mark.parametrize(
    ("rate", "event", "p_go", "p_cross", "expected"),
    [("0.25", "0.3", 0.458333, 0.428769, 11.8665)],
)
def test_the_design_of_the_study_stands_with_its_monitor(tmp_path, rate, event, p_go, p_cross, expected):
    found = expansion_designs.designs(None, study_with(tmp_path, TYPES))
    place = {"level": rate, "group": "simon_9_17"}
    assert value(found, f"with monitor {event}", "p_go", **place) == pytest.approx(p_go, abs=1e-6)
    assert value(found, f"with monitor {event}", "p_cross", **place) == pytest.approx(p_cross, abs=1e-6)
    assert value(found, f"with monitor {event}", "expected_n", **place) == pytest.approx(expected, abs=1e-4)
    assert row(found, "design", "first_zero", group="simon_9_17")["text"] == "9 participants"
    assert row(found, "design", "first_zero", group="fixed_9")["text"] == "no look"


@pytest.mark.rule("IB-10")
def test_a_pooled_monitor_counts_all_cohorts(tmp_path):
    study = study_with(tmp_path, '[expansion.monitor]\nscope = "pooled"\n' + TYPES)
    found = expansion_designs.boundaries(None, study, SDTM)
    assert value(found, "boundary", "tox", level="18") == 8
    assert value(found, "boundary", "tox", level="54") > 16
    assert status(found, "boundary", "futility", level="54")[0] == "NA"


@pytest.mark.rule(
    "IB-35", source="clinical pack: 2 of 3, 3 of 4 to 6, 4 of 7 and 8, 5 of 9 to 11 pause; DL3 has 1 of 7"
)
def test_events_of_phase_ia_count_as_the_first(make_adam, study, tmp_path, monkeypatch):
    monkeypatch.setattr(expansion_types, "proposed_dose", lambda *a: "DL3")
    more = study_with(tmp_path, "[expansion.monitor]\ninclude_phase_ia_rp2d = true\n")
    adam = make_adam()
    found = expansion_designs.boundaries(adam, more, SDTM)
    limits = [value(found, "boundary", "tox", level=str(n)) for n in range(1, 5)]
    assert limits == [3, 4, 4, 4]
    assert value(found, "boundary", "futility", level="9") == 0
    assert row(found, "phase_ia", "events")["text"] == "1 of 7 at DL3"
    assert subjects(found, "phase_ia", "events") == {uid(7)}
    table = display.table_boundaries(found, more)
    assert ["Events of Phase IA that count as the first", "1 of 7 at DL3", "–"] in [
        [cell.text for cell in line.cells] for line in table.rows
    ]
    alone = expansion_designs.boundaries(adam, study, SDTM)
    assert "phase_ia" not in set(alone.frame["variable"])
    assert value(alone, "boundary", "tox", level="3") == 2


@pytest.mark.rule("IB-35")
def test_without_a_recommended_dose_nothing_is_added(adam, study, tmp_path):
    more = study_with(tmp_path, "[expansion.monitor]\ninclude_phase_ia_rp2d = true\n")
    found = expansion_designs.boundaries(adam, more, SDTM)
    assert row(found, "phase_ia", "events")["text"] == "no recommended dose"
    assert value(found, "boundary", "tox", level="3") == 2


@pytest.mark.rule(
    "IB-35", source="by hand: 3 of 3 are above every limit; 1 new event of 2 at 0.5 has probability 3/4"
)
def test_a_boundary_that_is_continued():
    whole = (None, None, 2, 3, None)
    assert monitoring.continued(whole, n=0, events=0) == whole
    assert monitoring.continued(whole, n=2, events=2) == (0, 1, None)
    assert monitoring.toxicity_characteristics((0,), [0.1]).p_cross[0] == 1
    assert monitoring.toxicity_characteristics((1, 1), [0.5]).p_cross[0] == pytest.approx(0.75)
    for n, events in ((6, 0), (1, 2), (2, -1)):
        with pytest.raises(DesignError, match=f"{events} events in {n} earlier"):
            monitoring.continued(whole, n=n, events=events)


# Protocol changes


@pytest.fixture(scope="module")
def change_rows(adam, with_types):
    found = protocol_changes.proposed(adam, with_types, SDTM)
    return found.frame.pivot(index="level", columns="stat", values="text")


@pytest.mark.rule("IB-33")
def test_every_change_states_all_ten_columns(change_rows):
    assert set(change_rows.columns) == {
        "section",
        "current",
        "proposed",
        "reason",
        "evidence",
        "risk",
        "consent",
        "sap",
        "approval",
        "substantial",
    }
    assert change_rows.notna().all().all() and (change_rows != "").all().all()
    assert len(change_rows) == 5 + 9
    assert not change_rows["proposed"].str.contains("{", regex=False).any()


@pytest.mark.rule("IB-33")
def test_changes_follow_the_study(change_rows):
    proposed = change_rows["proposed"]
    assert proposed["1"] == "Phase IB is given at a dose still to be stated (no recommended dose)"
    assert proposed["2"].startswith(
        "Cohorts: Colorectal, Gastric, Other; design of each cohort: stop at 0 of 9"
    )
    assert "Gastric: null 10% (placeholder C), target 30% (placeholder D)" in proposed["3"]
    assert proposed["4"].startswith("pause if P(event rate > 0.3) > 0.8 under Beta(0.6, 1.4)")
    assert proposed["5"] == "The test of a cohort counts Phase IB participants only"
    assert sorted(change_rows["section"].str[:5].value_counts().loc[["AMB-1", "AMB-9"]]) == [1, 1]


@pytest.mark.rule("IB-33")
@pytest.mark.parametrize(
    ("text", "level", "words"),
    [
        ('[expansion.monitor]\nmethod = "none"\n', "4", "no boundary"),
        ('[expansion.monitor]\nmethod = "pocock"\nscope = "pooled"\n', "4", "Pocock boundary at rate 0.2"),
        ('[expansion.monitor]\nscope = "pooled"\n', "4", "for all participants at the dose"),
        ('[expansion]\ncount_phase_ia = "rp2d"\n', "5", "at the recommended dose as the first"),
        ('[expansion]\ndesign = "hierarchical"\n', "2", "one look at all cohorts together"),
        ('[expansion]\ndesign = "two_stage"\n', "2", "not run: null and target rates not given"),
        ("", "3", "still to be stated"),
    ],
)
def test_a_change_of_a_parameter_changes_its_row(adam, tmp_path, text, level, words):
    found = protocol_changes.proposed(adam, study_with(tmp_path, text), SDTM)
    assert words in row(found, "change", "proposed", level=level)["text"]

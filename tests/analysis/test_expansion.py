"""Phase IB questions on the hand-made study: 10 colorectal (1 responder), 3 gastric, 2 without a type."""

from __future__ import annotations

from math import comb
from types import SimpleNamespace

import pandas as pd
import pytest

from interim.analysis import benefit_risk, expansion, expansion_designs, expansion_open
from interim.analysis import expansion_types as t
from interim.result import TOTAL
from interim.study import read_study
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.conftest import ROOT, adae, adrs, adsl, uid

SDTM = SimpleNamespace(domain=lambda name: pd.DataFrame())
TYPES = """
[[expansion.type]]
id = "crc"
label = "Colorectal"
values = ["CRC"]
p0 = 0.05
p1 = 0.25
p0_source = "placeholder A"
p1_source = "placeholder B"
[[expansion.type]]
id = "gastric"
label = "Gastric"
values = ["GASTRIC"]
p0 = 0.10
p1 = 0.30
p0_source = "placeholder C"
p1_source = "placeholder D"
[[expansion.type]]
id = "other"
label = "Other"
values = ["OTHER", "OESOPHAGEAL"]
p0 = 0.05
p1 = 0.25
p0_source = "placeholder E"
p1_source = "placeholder F"
"""


@pytest.fixture(scope="module")
def with_types(tmp_path_factory):
    return study_with(tmp_path_factory.mktemp("types"), TYPES)


def study_with(folder, text):
    if "\ndesign" in text:
        text = '[ambiguity]\nAMB-9 = "own"\n' + text
    base = ROOT / "params" / "nct07021534.toml"
    file = folder / "types.toml"
    file.write_text(
        f'extends = "{base.as_posix()}"\n[study]\nid = "SYN"\n[data]\npath = "none"\ncut_date = 2026-06-30\n{text}'
    )
    return read_study(file)


@pytest.fixture(scope="module")
def table(adam, with_types):
    return expansion.candidates(adam, with_types, SDTM)


@pytest.mark.rule("IB-12")
def test_counts_per_type_are_those_of_the_hand_made_study(table):
    assert row(table, "orr", "rate", group="crc")["n"] == 1
    assert row(table, "orr", "rate", group="crc")["N"] == 10
    assert row(table, "orr", "rate", group="gastric")["N"] == 3
    assert row(table, "dcr", "rate", group="crc")["n"] == 7
    assert subjects(table, "orr", "rate", group="crc") == {uid(5)}


@pytest.mark.rule("IB-12")
def test_a_participant_without_a_type_is_unknown_and_never_other(table):
    assert subjects(table, "unknown", "n") == {uid(14), uid(15)}
    assert row(table, "orr", "rate", group="other")["N"] == 0
    assert status(table, "orr", "rate", group="other") == ("NE", "NO_DATA")


@pytest.mark.rule("IB-12")
def test_an_empty_type_is_legal_and_gets_no_go(table):
    assert row(table, "decision", "class", group="other")["text"] == "CONSIDER"
    assert row(table, "type", "grade", group="other")["text"] == "none"
    assert row(table, "type", "grade", group="gastric")["text"] == "very low"
    assert row(table, "type", "grade", group="crc")["text"] == "moderate"


@pytest.mark.rule("IB-13")
def test_every_model_stands_beside_the_deciding_one(table, with_types):
    for model in ("independent", "exnex", "partition", "hierarchical"):
        assert 0 < value(table, model, "prob_above", group="crc") < 1
        assert value(table, model, "lower", group="crc") < value(table, model, "mean", group="crc")
    assert value(table, "independent", "borrowed", group="crc") == pytest.approx(0, abs=1e-9)
    assert value(table, "exnex", "p_exchangeable", group="gastric") > 0
    alone = value(table, "size", "ppos_new", level="9", group="other")
    assert alone == pytest.approx(value(table, "size", "ppos_pooled", level="9", group="other")), (
        "no data to pool"
    )
    assert value(table, "size", "ppos_pooled", level="18", group="crc") > 0
    assert [expansion.role(m, with_types) for m in expansion.models(with_types)] == [
        "decides",
        "supportive",
        "supportive",
        "sensitivity",
    ]


@pytest.mark.rule("IB-13")
def test_margins_and_the_record_are_printed(table):
    own = value(table, "margin", "margin", level="own_n", group="gastric")
    assert own == 0
    assert row(table, "decision", "record", group="gastric")["text"] == "no decision recorded (EXP-RECORD)"
    assert row(table, "safety", "n")["text"] == "no recommended dose"


@pytest.mark.rule("IB-14")
def test_without_types_the_chapter_says_why(adam, study):
    reason = ("NA", "not run: null and target rates not given")
    assert status(expansion.candidates(adam, study, SDTM), "candidates", "n") == reason
    assert status(expansion.tipping(adam, study, SDTM), "tipping", "n") == reason
    assert status(expansion_designs.rule_of_choice(adam, study, SDTM), "rule", "n") == reason
    designs = expansion_designs.designs(adam, study)
    assert status(designs, "design", "rule", group="hierarchical") == reason
    assert value(designs, "rate", "p_go", level="0.05", group="simon_9_17") == pytest.approx(0.0466, abs=5e-5)


@pytest.mark.rule("IB-14")
def test_counts_of_the_types_need_no_null_rate(adam, study, with_types, table):
    bare = expansion.candidates(adam, study, SDTM)
    for variable in ("orr", "dcr"):
        for group in ("crc", "gastric"):
            for stat in ("rate", "lower", "upper"):
                assert value(bare, variable, stat, group=group) == value(table, variable, stat, group=group)
            assert subjects(bare, variable, "rate", group=group) == subjects(
                table, variable, "rate", group=group
            )
    assert value(bare, "members", "n", group="crc") == row(bare, "orr", "rate", group="crc")["N"]
    assert not set(bare.frame["stat"]) & {"p0", "p1", "prob_above", "ppos", "class"}
    groups = list(dict.fromkeys(bare.frame.loc[bare.frame["stat"] == "label", "group"]))
    assert groups == ["crc", "gastric", "oesophageal", "other"]


@pytest.mark.rule("IB-14")
def test_without_registered_types_nothing_is_counted(adam, study):
    other = study.model_copy(update={"subgroups": ()})
    found = set(expansion.candidates(adam, other, SDTM).frame["variable"])
    assert found == {"population", "population_moved", "candidates"}


@pytest.mark.rule("IB-14")
def test_without_responses_or_types_in_the_data_the_reason_is_given(make_adam, with_types):
    gone = expansion.candidates(make_adam(ADRS=None), with_types, SDTM)
    assert status(gone, "candidates", "n") == ("NA", "not available: no source for ADRS")
    bare = make_adam(ADSL=adsl().drop(columns="TUMTYPE"))
    assert status(expansion.candidates(bare, with_types, SDTM), "candidates", "n")[1].startswith(
        "not available"
    )


@pytest.mark.rule("IB-15")
def test_tipping_states_impossible_changes_and_the_smallest_that_matters(adam, with_types):
    table = expansion.tipping(adam, with_types, SDTM)
    assert status(table, "change", "class", level="r-1", group="gastric") == (
        "NE",
        "impossible with these counts",
    )
    assert status(table, "change", "class", level="r+1", group="other")[0] == "NE"
    more = value(table, "change", "prob_above", level="r+1", group="crc")
    less = value(table, "change", "prob_above", level="r-1", group="crc")
    assert less < more
    assert value(table, "smallest", "n", group="crc") >= 1
    assert status(table, "smallest", "n", group="other")[0] == "NE"
    flipped = row(table, "change", "class", level="r-1", group="crc")["text"]
    assert flipped == "NO-GO (flips)", "none of ten at p1 .25 has probability .056"


@pytest.mark.rule("IB-26")
def test_the_class_under_both_readings_of_open_responses(adam, with_types):
    table = expansion_open.bounds(adam, with_types, SDTM)
    assert row(table, "reading", "class", level="confirmed", group="gastric")["n"] == 0
    assert row(table, "reading", "class", level="any", group="gastric")["n"] == 1
    texts = {row(table, "robust", "text", group=g)["text"] for g in ("crc", "gastric", "other")}
    assert all(text == "stands" or text.endswith(", not robust (EXP-ROBUST)") for text in texts)


@pytest.mark.rule("IB-09")
def test_designs_with_types(adam, with_types):
    found = expansion_designs.designs(adam, with_types)
    assert row(found, "design", "rule", group="simon_9_17")["text"] == "stop at 0 of 9; go at >= 3 of 17"
    assert value(found, "rate", "any_go", level="0.05", group="fixed_9") == pytest.approx(
        1 - (1 - 0.0712) ** 3, abs=5e-4
    )
    assert value(found, "rate", "any_go", level="0.05", group="hierarchical") <= 0.10
    assert value(found, "type", "alpha", level="gastric", group="simon_9_17") == pytest.approx(
        0.2234, abs=5e-5
    )
    assert row(found, "type", "limits", level="gastric", group="simon_9_17")["text"] == "EXP-ALPHA"
    assert row(found, "type", "limits", level="crc", group="simon_9_17")["text"] == "within"
    calm = value(found, "with monitor 0.15", "p_cross", level="0.25", group="bayes_monitor")
    wild = value(found, "with monitor 0.4", "p_cross", level="0.25", group="bayes_monitor")
    assert calm < wild


@pytest.mark.rule("IB-10")
def test_boundaries_are_those_of_the_clinical_pack(adam, study):
    found = expansion_designs.boundaries(adam, study, SDTM)
    limits = [row(found, "boundary", "tox", level=str(n)) for n in range(1, 19)]
    shown = [None if r["status"] == "NA" else int(r["value"]) for r in limits]
    assert shown == [None, None, 2, 3, 3, 3, 4, 4, 5, 5, 5, 6, 6, 6, 7, 7, 7, 8]
    assert value(found, "boundary", "futility", level="9") == 0
    assert value(found, "crossing", "p_cross", level="0.3") == pytest.approx(0.435662, abs=1e-6)


@pytest.mark.rule("IB-10")
def test_no_monitor_and_a_joint_design_have_no_boundary(adam, tmp_path):
    study = study_with(
        tmp_path, '[expansion]\ndesign = "hierarchical"\n[expansion.monitor]\nmethod = "none"\n'
    )
    found = expansion_designs.boundaries(adam, study, SDTM)
    assert status(found, "boundary", "tox", level="18")[0] == "NA"
    assert status(found, "boundary", "futility", level="9")[0] == "NA"
    assert value(found, "crossing", "p_cross", level="0.4") == 0


@pytest.mark.rule("IB-16")
def test_characteristics_of_the_rule(adam, with_types):
    found = expansion_designs.rule_of_choice(adam, with_types, SDTM)
    assert value(found, "independent", "any_false", group="all active") == 0
    alone = value(found, "independent", "p_go", level="crc", group="only Colorectal")
    assert alone == pytest.approx(value(found, "independent", "p_go", level="crc", group="all active"))
    assert value(found, "independent", "p_go", level="other", group="all active") == 0, "no own data"
    both = value(found, "independent", "p_go_both", level="crc", group="only Colorectal")
    assert both == pytest.approx(alone * 0.812161111, abs=1e-8)
    assert len(expansion_designs.scenarios(with_types.expansion.type)) == 8
    assert len(expansion_designs.scenarios(with_types.expansion.type[:2])) == 4


@pytest.mark.rule("IB-11")
def test_events_of_the_monitor(adam, with_types, tmp_path):
    assert t.toxic_participants(adam, with_types) == {uid(7)}
    study = study_with(tmp_path, '[expansion.monitor]\nevents = ["crs_g3"]\n')
    assert t.toxic_participants(adam, study) == {uid(7)}
    study = study_with(tmp_path, '[expansion.monitor]\nevents = ["icans_g3"]\n')
    assert t.toxic_participants(adam, study) == set()
    crossed = t.Safety("DL1", 3, 5, 3)
    assert crossed.crossing and not t.Safety("DL1", 2, 5, 3).crossing and not t.Safety().crossing


@pytest.mark.rule("IB-11")
def test_safety_at_the_recommended_dose(make_adam, with_types, monkeypatch):
    monkeypatch.setattr(t, "no_escalation", lambda adam, study: "")
    dose = SimpleNamespace(level=3)
    monkeypatch.setattr(t, "escalation_of", lambda *a: SimpleNamespace(recommended=dose))
    found = t.proposed_dose_safety(make_adam(), with_types, SDTM)
    assert (found.dose, found.events, found.n, found.limit) == ("DL3", 1, 7, 4)
    dose.level = None
    assert t.proposed_dose_safety(make_adam(), with_types, SDTM) == t.Safety()


@pytest.mark.rule("IB-13")
def test_a_type_that_does_not_borrow_stands_alone(tmp_path, adam):
    study = study_with(tmp_path, TYPES.replace('id = "crc"', 'id = "crc"\nborrow = false'))
    counts = ((2, 1, 0), (6, 3, 2))
    lone = t.fit_model("exnex", counts, types=study.expansion.type, prior=study.expansion.prior)
    own = t.fit_model("independent", counts, types=study.expansion.type, prior=study.expansion.prior)
    assert lone.prob_above[0] == own.prob_above[0] and lone.prob_above[1] != own.prob_above[1]
    assert lone.p_exchangeable[0] == 0
    reason = ("NE", "not computed: a tumour type of the study does not borrow")
    assert status(expansion_designs.rule_of_choice(adam, study, SDTM), "exnex", "any_false") == reason
    assert status(expansion_designs.designs(adam, study), "design", "rule", group="hierarchical") == reason


@pytest.mark.rule("IB-08")
def test_success_by_the_posterior_or_by_the_design(tmp_path):
    study = study_with(tmp_path, '[expansion]\nppos_success = "posterior"\n' + TYPES)
    states = t.success_states(study, study.expansion.type[0])
    assert states[0][:2] == (3, 18) and states[-1] == (18, 18, 1.0)
    study = study_with(tmp_path, '[expansion]\ndesign = "two_stage"\nalpha_max = 0.01\n' + TYPES)
    assert t.success_states(study, study.expansion.type[1]) == ()
    found = expansion_designs.designs(None, study)
    assert status(found, "design", "rule", group="two_stage")[0] == "NE"
    assert status(found, "type", "alpha", level="gastric", group="two_stage")[0] == "NE"


@pytest.mark.rule("IB-17")
def test_benefit_and_risk_by_dose(adam, study):
    found = benefit_risk.by_dose(adam, study)
    assert row(found, "dlt", "rate", group="DL3")["n"] == 1
    assert row(found, "orr", "rate", group="DL3")["n"] == 1
    # Beta(1, 1), one DLT and one response in seven: tails of Beta(2, 7) at 1/3 and at 0.10.
    upper = sum(comb(8, k) * (1 / 3) ** k * (2 / 3) ** (8 - k) for k in (0, 1))
    tolerable = value(found, "posterior", "p_tox_ok", group="DL3")
    assert tolerable == pytest.approx(1 - upper)
    active = value(found, "posterior", "p_active", group="DL3")
    assert active == pytest.approx(sum(comb(8, k) * 0.1**k * 0.9 ** (8 - k) for k in (0, 1)))
    assert value(found, "posterior", "joint", group="DL3") == pytest.approx(tolerable * active)
    assert row(found, "posterior", "joint", group="DL1")["status"] == "FLAG"
    assert status(found, "posterior", "joint")[0] == "NA"
    assert status(found, "utility", "mean", group="DL3")[0] == "NE"


@pytest.mark.rule("IB-17")
@pytest.mark.parametrize(("emergent", "n"), [("Y", 1), ("N", 0)])
def test_only_emergent_events_are_a_risk(emergent, n, make_adam, study):
    one = adae().head(1).assign(USUBJID=uid(8), AETOXGRN=3.0, RELCART="Y", CRSGR=2.0, TRTEMFL=emergent)
    found = benefit_risk.by_dose(make_adam(ADAE=one), study)
    assert [row(found, name, "rate", group=TOTAL)["n"] for name in ("related_g3", "crs_g2")] == [n, n]


@pytest.mark.rule("IB-17")
def test_benefit_and_risk_without_grades_responses_or_ladder(make_adam, study, arms):
    bare = make_adam(ADAE=adae().drop(columns="AETOXGRN"), ADRS=None)
    found = benefit_risk.by_dose(bare, study)
    assert status(found, "related_g3", "rate", group="DL3")[0] == "NA"
    assert status(found, "orr", "rate", group="DL3")[0] == "NA"
    other = benefit_risk.by_dose(make_adam(), arms)
    assert status(other, "dlt", "rate")[1].startswith("not applicable")


@pytest.mark.rule("IB-18", source="spec: counts (1, 0, 4, 1) under scores 100, 60, 40, 0")
def test_utility_of_four_cells(make_adam, tmp_path):
    study = study_with(tmp_path, "[benefit_risk]\nutility = [100, 60, 40, 0]\n")
    mean, sd = benefit_risk.utility_moments((1, 0, 4, 1), study)
    assert (mean, sd) == (pytest.approx(42), pytest.approx(10.236489, abs=1e-6))
    found = benefit_risk.by_dose(make_adam(), study)
    assert 0 < value(found, "utility", "mean", group="DL3") < 100
    assert value(found, "utility", "sd", group="DL3") > 0


@pytest.mark.rule("IB-12")
def test_order_of_rows_changes_nothing(make_adam, with_types, table):
    shuffled = make_adam(
        ADSL=adsl().sample(frac=1, random_state=3), ADRS=adrs(adsl()).sample(frac=1, random_state=4)
    )
    pd.testing.assert_frame_equal(expansion.candidates(shuffled, with_types, SDTM).frame, table.frame)

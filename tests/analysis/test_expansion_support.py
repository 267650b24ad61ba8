"""Open responses, sensitivity, covariates, sources and recorded decisions on the hand-made study, counted by hand.

Colorectal: participants 1 to 10, responder 5. Gastric: 11 (response, confirmation pending), 12, 13 (no scan yet). Unknown: 14, 15.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import pandas as pd
import pytest
from scipy.special import betaln

from interim.analysis import expansion, expansion_covariates, expansion_facts, expansion_open
from interim.analysis import expansion_models as m
from interim.analysis import expansion_sensitivity as sens
from interim.analysis import expansion_sources as src
from interim.analysis import expansion_types as t
from interim.errors import StudyError
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.conftest import adrs, adsl, adsub, uid
from tests.analysis.test_expansion import SDTM, TYPES, study_with
from tests.analysis.test_question_parameters import changed

NOT_RUN = ("NA", "not run: null and target rates not given")


@pytest.fixture(scope="module")
def with_types(tmp_path_factory):
    return study_with(tmp_path_factory.mktemp("types"), TYPES)


@pytest.fixture(scope="module")
def open_table(adam, with_types):
    return expansion_open.bounds(adam, with_types, SDTM)


@pytest.fixture(scope="module")
def moved(adam, with_types):
    return sens.sensitivity(adam, with_types, SDTM)


def people(*numbers):
    return {uid(n) for n in numbers}


def records(*rows):
    names = ("date", "kind", "type", "n", "role", "name", "rationale", "references")
    frame = pd.DataFrame(rows, columns=names)
    return SimpleNamespace(domain=lambda name: frame if name == "DECISIONS" else pd.DataFrame())


# Open responses


@pytest.mark.rule("IB-26")
def test_every_participant_has_one_state(adam, with_types):
    states = expansion_open.response_states(adam, with_types)
    assert states["confirmed"] == people(5)
    assert states["unconfirmed"] == people(11)
    assert states["pending"] == people(13)
    assert states["not_evaluable"] == people(15)
    assert states["non_responder"] == people(1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 14)
    assert sum(map(len, states.values())) == 15


@pytest.mark.rule("IB-26")
@pytest.mark.parametrize(
    ("number", "change", "state"),
    [
        (13, {"DTHFL": "Y"}, "not_evaluable"),
        (13, {"EOSSTT": "DISCONTINUED"}, "not_evaluable"),
        (13, {"NACTDT": pd.Timestamp("2025-09-01")}, "not_evaluable"),
        (15, {"DTHFL": "N", "EOSSTT": "ONGOING"}, "pending"),
        (12, {"EOSSTT": "DISCONTINUED"}, "non_responder"),
    ],
)
def test_a_scan_can_still_come_only_under_follow_up(make_adam, with_types, number, change, state):
    base = adsl()
    for column, what in change.items():
        base.loc[base["USUBJID"] == uid(number), column] = what
    found = expansion_open.response_states(make_adam(ADSL=base), with_types)
    assert uid(number) in found[state]


@pytest.mark.rule("IB-26")
@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("C-SD-UNCONF;C-PENDING", "unconfirmed"),
        ("C-SD-UNCONF", "non_responder"),
        ("C-PENDING", "unconfirmed"),
    ],
)
def test_an_unconfirmed_response_is_open_while_confirmation_can_come(make_adam, with_types, reason, state):
    responses = adrs(adsl())
    mine = (responses["USUBJID"] == uid(11)) & (responses["PARAMCD"] == "CBOR")
    responses.loc[mine, "RSNCD"] = reason
    found = expansion_open.response_states(make_adam(ADRS=responses), with_types)
    assert uid(11) in found[state]


@pytest.mark.rule("IB-26")
def test_a_participant_without_any_response_row_is_pending(make_adam, with_types):
    responses = adrs(adsl())
    found = expansion_open.response_states(
        make_adam(ADRS=responses[responses["USUBJID"] != uid(12)]), with_types
    )
    assert uid(12) in found["pending"]


@pytest.mark.rule("IB-26")
@pytest.mark.parametrize(
    ("reading", "crc", "gastric"),
    [
        ("confirmed", (1, 10), (0, 3)),
        ("any", (1, 10), (1, 3)),
        ("all_respond", (1, 10), (2, 3)),
        ("all_fail", (1, 10), (0, 3)),
        ("left_out", (1, 10), (0, 1)),
    ],
)
def test_counts_under_every_reading(open_table, reading, crc, gastric):
    for group, (x, n) in (("crc", crc), ("gastric", gastric)):
        found = row(open_table, "reading", "class", level=reading, group=group)
        assert (found["n"], found["N"]) == (x, n)


@pytest.mark.rule("IB-26")
def test_states_per_type_name_their_participants(open_table):
    assert subjects(open_table, "state", "n", level="unconfirmed", group="gastric") == people(11)
    assert subjects(open_table, "state", "n", level="pending", group="gastric") == people(13)
    assert subjects(open_table, "state", "n", level="confirmed", group="crc") == people(5)
    assert value(open_table, "state", level="non_responder", group="crc") == 9
    assert value(open_table, "state", level="pending", group="other") == 0


@pytest.mark.rule("IB-26", source="beta-binomial by hand")
def test_the_chance_that_the_class_stands(open_table, with_types):
    """Gastric, resolved 0 of 1 under Beta(.1, .9): two of two open responses make it GO, else it stays CONSIDER."""
    assert row(open_table, "reading", "class", level="all_respond", group="gastric")["text"] == "GO"
    kinds = {
        y: t.assess("independent", ((1, y, 0), (10, 3, 0)), with_types, crossing=False).verdicts[1].kind
        for y in range(3)
    }
    chance = {
        y: math.comb(2, y) * math.exp(betaln(0.1 + y, 1.9 + 2 - y) - betaln(0.1, 1.9)) for y in range(3)
    }
    stands = sum(chance[y] for y in range(3) if kinds[y] == kinds[0])
    assert value(open_table, "robust", "chance", group="gastric") == pytest.approx(stands, abs=1e-12)
    assert value(open_table, "robust", "chance", group="crc") == pytest.approx(1, abs=1e-12)
    assert row(open_table, "robust", "text", group="gastric")["text"].endswith("not robust (EXP-ROBUST)")
    assert row(open_table, "robust", "text", group="crc")["text"] == "stands"


@pytest.mark.rule("IB-26")
@pytest.mark.parametrize("model", ["exnex", "partition", "hierarchical"])
def test_the_chance_under_a_model_that_borrows(adam, with_types, model):
    study = changed(with_types, {"expansion": {"decision_model": model}})
    found = expansion_open.bounds(adam, study, SDTM)
    assert 0 <= value(found, "robust", "chance", group="gastric") <= 1


@pytest.mark.rule("IB-26")
def test_too_many_open_outcomes_are_not_summed(adam, with_types, monkeypatch):
    monkeypatch.setitem(t.printed(), "most_open_outcomes", 2)
    found = expansion_open.bounds(adam, with_types, SDTM)
    assert status(found, "robust", "chance", group="gastric") == (
        "NE",
        "more than 2 outcomes of the open responses",
    )


@pytest.mark.rule("IB-26")
def test_any_response_can_be_the_one_that_counts(adam, with_types):
    study = changed(with_types, {"expansion": {"response_status": "any"}})
    found = expansion_open.bounds(adam, study, SDTM)
    base = row(found, "reading", "class", level="any", group="gastric")["text"]
    assert row(found, "robust", "text", group="gastric")["text"].startswith((base, "stands"))


# Sensitivity


@pytest.mark.rule("IB-27")
def test_every_choice_is_a_row_with_all_types(moved):
    levels = dict.fromkeys(moved.frame.loc[moved.frame["variable"] == "row", "level"])
    assert [name for name in levels if name.startswith("base case")] == [
        "base case | independent",
        "base case | exnex",
        "base case | partition",
        "base case | hierarchical",
    ]
    assert sum(name.startswith("spread scale") for name in levels) == 6
    assert sum(name.startswith("weight") for name in levels) == 3
    assert sum(name.startswith("odds") for name in levels) == 3
    assert sum(name.startswith("without the type other") for name in levels) == 4
    assert status(moved, "row", "flips", level="recommended dose") == ("NA", "no recommended dose")
    assert status(moved, "row", "flips", level="without switched participants")[0] == "NA"


@pytest.mark.rule("IB-27")
@pytest.mark.parametrize(
    ("level", "same"),
    [
        ("spread scale 1 | exnex", "base case | exnex"),
        ("spread scale 1 | hierarchical", "base case | hierarchical"),
        ("odds of p0 and p1 x 1 | independent", "base case | independent"),
        ("all doses | independent", "base case | independent"),
    ],
)
def test_the_default_choice_is_the_base_case(moved, level, same):
    for group in ("crc", "gastric", "other"):
        for stat in ("prob_above", "ppos", "go_margin"):
            first, second = (value(moved, "row", stat, level=name, group=group) for name in (level, same))
            assert first == pytest.approx(second, abs=1e-12)
    assert value(moved, "row", "flips", level=level) == 0


@pytest.mark.rule("IB-27")
def test_flips_are_counted_against_the_same_model(moved):
    rows = moved.frame[moved.frame["variable"] == "row"]
    for level in dict.fromkeys(rows.loc[rows["status"] == "OK", "level"]):
        model = level.split(" | ")[1]
        mine = rows[(rows["level"] == level) & (rows["stat"] == "class") & (rows["status"] == "OK")]
        base = rows[(rows["level"] == f"base case | {model}") & (rows["stat"] == "class")]
        other = dict(zip(base["group"], base["text"], strict=True))
        by_hand = sum(text != other[group] for group, text in zip(mine["group"], mine["text"], strict=True))
        assert value(moved, "row", "flips", level=level) == by_hand


@pytest.mark.rule("IB-27", source="odds by hand: 1 to 19 halved is 1 to 38")
@pytest.mark.parametrize(
    ("rate", "factor", "expected"),
    [(0.05, 0.5, 1 / 39), (0.05, 1.0, 0.05), (0.05, 2.0, 2 / 21), (0.25, 2.0, 0.4), (0.5, 3.0, 0.75)],
)
def test_odds_are_multiplied(rate, factor, expected):
    assert sens.scaled(rate, factor) == pytest.approx(expected, abs=1e-15)


@pytest.mark.rule("IB-27")
def test_a_wider_spread_borrows_less(moved):
    own = value(moved, "row", "prob_above", level="base case | independent", group="gastric")
    gaps = [
        abs(
            value(moved, "row", "prob_above", level=f"spread scale {s} | hierarchical", group="gastric") - own
        )
        for s in ("0.5", "1", "2")
    ]
    assert gaps == sorted(gaps, reverse=True)


@pytest.mark.rule("IB-27")
def test_the_type_other_is_left_out_and_said_so(moved):
    level = "without the type other | independent"
    assert status(moved, "row", "class", level=level, group="other") == ("NA", "left out")
    first = value(moved, "row", "prob_above", level=level, group="crc")
    assert first == pytest.approx(
        value(moved, "row", "prob_above", level="base case | independent", group="crc")
    )


# Scope of the dose


@pytest.fixture
def at_third_level(monkeypatch):
    for module in (t, expansion, sens, expansion_covariates, expansion_facts):
        if hasattr(module, "proposed_dose"):
            monkeypatch.setattr(module, "proposed_dose", lambda *a: "DL3")


@pytest.mark.rule("IB-12")
def test_the_scope_is_the_recommended_dose(adam, with_types, at_third_level):
    """DL3 was received by 5 to 10 and, moved, by 12."""
    study = changed(with_types, {"expansion": {"dose_scope": "rp2d"}})
    table = expansion.candidates(adam, study, SDTM)
    assert (row(table, "orr", "rate", group="crc")["n"], row(table, "orr", "rate", group="crc")["N"]) == (
        1,
        6,
    )
    assert row(table, "orr", "rate", group="gastric")["N"] == 1
    assert row(table, "scope", "rate", level="all", group="crc")["N"] == 10
    assert row(table, "scope", "rate", level="rp2d", group="crc")["N"] == 6
    tipped = expansion.tipping(adam, study, SDTM)
    own = t.assess("independent", ((2, 0, 0), (6, 1, 0)), study, crossing=False)
    assert value(tipped, "change", "prob_above", level="r+1", group="crc") == pytest.approx(
        own.fit.prob_above[0]
    )


@pytest.mark.rule("IB-12")
def test_without_a_recommended_dose_that_scope_holds_nobody(adam, with_types):
    study = changed(with_types, {"expansion": {"dose_scope": "rp2d"}})
    assert t.in_scope(adam, study, SDTM) == frozenset()
    assert t.in_scope(adam, with_types, SDTM) is None
    table = expansion.candidates(adam, study, SDTM)
    assert row(table, "decision", "class", group="crc")["text"] == "CONSIDER"


@pytest.mark.rule("IB-27")
def test_the_recommended_dose_is_a_row_where_there_is_one(adam, with_types, at_third_level):
    table = sens.sensitivity(adam, with_types, SDTM)
    found = row(table, "row", "class", level="recommended dose | independent", group="crc")
    assert (found["n"], found["N"]) == (1, 6)


@pytest.mark.rule(
    "IB-27", source="counted by hand: colorectal 1/10 without participant 6 is 1/9, without responder 5 0/9"
)
@pytest.mark.parametrize(
    ("switched", "scope", "expected"),
    [((), "all", (1, 10)), ((6,), "all", (1, 9)), ((5,), "all", (0, 9)), ((6,), "rp2d", (1, 5))],
)
def test_without_switched_participants(make_adam, with_types, at_third_level, switched, scope, expected):
    study = changed(with_types, {"expansion": {"dose_scope": scope}})
    source = {uid(n): "UCB" for n in range(1, 12)}
    when = {uid(n): pd.Timestamp("2026-03-01") for n in switched}
    frame = adsl().assign(
        NKSRC=lambda rows: rows["USUBJID"].map(source),
        NKSWDT=lambda rows: pd.to_datetime(rows["USUBJID"].map(when)),
    )
    table = sens.sensitivity(make_adam(ADSL=frame), study, SDTM)
    found = row(table, "row", "class", level="without switched participants | independent", group="crc")
    assert (found["n"], found["N"]) == expected
    gone = table.frame[table.frame["level"] == "without switched participants"]
    assert gone.empty


@pytest.mark.rule("IB-27")
def test_without_any_recorded_source_the_row_says_so(make_adam, with_types):
    frame = adsl().assign(NKSRC=None, NKSWDT=pd.NaT)
    table = sens.sensitivity(make_adam(ADSL=frame), with_types, SDTM)
    why = "not available: the source of the NK cells is not recorded in the data"
    assert status(table, "row", "flips", level="without switched participants") == ("NA", why)


# Covariates


@pytest.mark.rule("IB-29")
def test_responders_by_dose_are_counted(adam, with_types):
    table = expansion_covariates.covariates(adam, with_types, SDTM)
    assert [row(table, "dose", "rate", level=f"DL{d}", group="crc")["N"] for d in range(1, 5)] == [1, 3, 6, 0]
    assert row(table, "dose", "rate", level="DL3", group="crc")["n"] == 1
    assert status(table, "ligand", "n")[0] == "NA"
    assert subjects(table, "left_out", "n", level="no CAR-T dose") == set()
    assert row(table, "slope", "reference")["text"].startswith("DL4, the highest given")
    assert status(table, "slope", "informs", level="high")[0] == "NA"
    assert 0 < value(table, "slope", "p_positive", level="dose") < 1


@pytest.fixture
def with_ligand(make_adam, with_types, study):
    base = adsl()
    more = pd.DataFrame(
        [
            (uid(n), "ligand_max", ">=115" if n % 2 else "<115", 2.0 if n % 2 else 1.0, 115.0)
            for n in range(1, 14)
        ],
        columns=["USUBJID", "ENTRY", "AVALC", "AVALN", "CUT"],
    )
    more.loc[more["USUBJID"] == uid(4), ["AVALC", "AVALN"]] = None
    return make_adam(ADSUB=pd.concat([adsub(base, study), more], ignore_index=True))


@pytest.mark.rule("IB-29")
def test_the_ligand_splits_the_types_and_missing_values_are_listed(with_ligand, with_types):
    table = expansion_covariates.covariates(with_ligand, with_types, SDTM)
    assert row(table, "ligand", "rate", level=">=115", group="crc")["N"] == 5
    assert row(table, "ligand", "rate", level=">=115", group="crc")["n"] == 1
    assert row(table, "ligand", "rate", level="<115", group="crc")["N"] == 4
    assert subjects(table, "left_out", "n", level="no ligand value") == people(4)
    weak = row(table, "slope", "informs", level="high")["text"]
    assert weak == "the data do not inform" and value(table, "slope", "ratio", level="high") > 0.8


@pytest.mark.rule("IB-29")
def test_one_level_of_the_ligand_is_no_split(make_adam, with_types, study):
    more = adsub(adsl(), study).assign(ENTRY="ligand_max", AVALC="<115", AVALN=1.0)
    assert expansion_covariates.ligand_levels(make_adam(ADSUB=more), with_types) == {}
    assert expansion_covariates.ligand_levels(make_adam(ADSUB=None), with_types) == {}


@pytest.mark.rule("IB-29")
def test_nobody_with_a_dose_cannot_be_modelled(make_adam, with_types):
    base = adsl()
    base["COHORT"] = "NK only"
    table = expansion_covariates.covariates(make_adam(ADSL=base), with_types, SDTM)
    assert status(table, "slope", "informs", level="dose") == ("NE", "NO_DATA")


# Sources, limitations, facts, records


@pytest.mark.rule("IB-28")
def test_sources_priors_checks_and_limitations_are_printed(adam, with_types):
    table = src.sources(adam, with_types, SDTM)
    assert value(table, "source", "rate", level="gastric p0") == 0.10
    assert row(table, "source", "rate", level="gastric p1")["text"] == "Gastric: placeholder D"
    assert "N(0, 2^2)" in row(table, "prior", "text", level="hierarchical")["text"]
    assert "Other 0.25" in row(table, "prior", "text", level="exnex")["text"]
    assert value(table, "check", "deviation", level="martingale") < 1e-8
    assert row(table, "limitation", "text", level="n")["text"].startswith(
        "Participants per tumour type: Colorectal 10, Gastric 3, Other 0"
    )
    assert "10%" in row(table, "limitation", "text", level="p0")["text"]
    assert row(table, "limitation", "text", level="counted")["text"].endswith("Phase IB participants only.")


@pytest.mark.rule("IB-28")
def test_limitations_follow_the_study(adam, tmp_path):
    one = TYPES.split("[[expansion.type]]")[1]
    study = study_with(
        tmp_path, '[expansion]\ncount_phase_ia = "rp2d"\nresponse_status = "any"\n[[expansion.type]]' + one
    )
    table = src.sources(adam, study, SDTM)
    named = set(table.frame.loc[table.frame["variable"] == "limitation", "level"])
    assert "other" not in named and "p0" not in named and "tau" in named
    assert "confirmed or not" in row(table, "limitation", "text", level="status")["text"]
    assert "recommended dose" in row(table, "limitation", "text", level="counted")["text"]


@pytest.mark.rule("IB-28")
def test_a_broken_law_stops_the_chapter(adam, with_types, monkeypatch):
    def broken(*args, **kwargs):
        raise ArithmeticError("the borrowing models break their laws: martingale")

    monkeypatch.setattr(src, "model_checks", broken)
    with pytest.raises(ArithmeticError, match="martingale"):
        src.sources(adam, with_types, SDTM)


@pytest.mark.rule("IB-12")
def test_a_response_without_confirmation_status_counts_as_unconfirmed(make_adam, with_types):
    responses = adrs(adsl())
    gone = (responses["USUBJID"] == uid(5)) & (responses["PARAMCD"] == "CRSP")
    table = expansion.candidates(make_adam(ADRS=responses[~gone]), with_types, SDTM)
    assert subjects(table, "EXP-CONF", "n") == people(5)
    assert row(table, "orr", "rate", group="crc")["n"] == 0


def adpp():
    names = ("USUBJID", "ROLE", "ASSAY", "CLOCK", "ACYCLE", "PARAMCD", "AVAL", "AVALU")
    rows = [(uid(n), "t", "CARTG", "CYCLE", 1.0, "CMAX", 100.0 * n, "copies/ug") for n in range(1, 12)]
    rows += [(uid(n), "t", "CARTG", "PRODUCT", math.nan, "TLST", 10.0 * n, "day") for n in range(1, 12)]
    rows += [(uid(1), "nk", "CARNK", "CYCLE", 1.0, "CMAX", 9.0, "copies/ug")]
    rows += [(uid(2), "t", "CARTG", "CYCLE", 2.0, "CMAX", 9.0, "copies/ug")]
    return pd.DataFrame(rows, columns=names)


@pytest.mark.rule("IB-13")
def test_kinetics_ligand_and_need_stand_beside_the_rate(make_adam, with_types):
    table = expansion.candidates(make_adam(ADPP=adpp()), with_types, SDTM)
    assert value(table, "kinetics", "median", level="CARTG", group="crc") == 550
    assert row(table, "kinetics", "median", level="CARTG", group="gastric")["n"] == 1
    assert status(table, "kinetics", "median", level="CARTG", group="other") == ("NE", "NO_DATA")
    assert status(table, "unmet_need", "text", group="crc")[0] == "NA"
    assert status(table, "ligand", "rate", group="crc")[0] == "NA"
    bare = expansion.candidates(make_adam(), with_types, SDTM)
    assert status(bare, "kinetics", "median", group="crc")[0] == "NA"


@pytest.mark.rule("IB-13")
def test_the_share_of_two_types_is_symmetric(adam, with_types):
    table = expansion.candidates(adam, with_types, SDTM)
    first = value(table, "share", "share", level="gastric", group="crc")
    assert first == pytest.approx(value(table, "share", "share", level="crc", group="gastric"))
    assert 0 < first < 1


@pytest.mark.rule("IB-13")
@pytest.mark.parametrize(
    ("kind", "opened", "text"),
    [
        ("CONSIDER", None, "no decision recorded (EXP-RECORD)"),
        ("GO", None, "no decision recorded"),
        ("NO-GO", None, "no decision recorded"),
        ("CONSIDER", 9, "recorded: 2026-06-01, Sponsor (A); cohort of 9; because; minute 1"),
        ("GO", 9, "recorded: 2026-06-01, Sponsor (A); cohort of 9; because; minute 1"),
        ("GO", 0, "recorded: 2026-06-01, Sponsor (A); no cohort; because; minute 1 (EXP-DEVIATE)"),
        ("NO-GO", 9, "recorded: 2026-06-01, Sponsor (A); cohort of 9; because; minute 1 (EXP-DEVIATE)"),
        ("NO-GO", 0, "recorded: 2026-06-01, Sponsor (A); no cohort; because; minute 1"),
    ],
)
def test_the_record_stands_beside_the_rule(with_types, kind, opened, text):
    known = {}
    if opened is not None:
        data = records(("2026-06-01", "tumour_type", "crc", opened, "Sponsor", "A", "because", "minute 1"))
        known = expansion_facts.recorded_types(data, with_types)
    assert expansion_facts.record_text(kind, known.get("crc")) == text


@pytest.mark.rule("IB-13")
def test_the_last_record_of_a_type_counts_by_id_or_value(with_types):
    data = records(
        ("2026-06-02", "tumour_type", "CRC", 12, "Sponsor", "B", "later", None),
        ("2026-06-01", "tumour_type", "crc", 0, "Sponsor", "A", "first", None),
        ("2026-06-01", "tumour_type", "melanoma", 9, "Sponsor", "A", "no type of the study", None),
        ("2026-06-03", "dose", None, 3, "Sponsor", "A", "a dose", None),
        ("2026-06-01", "tumour_type", "gastric", None, "Sponsor", "A", "no number", None),
    )
    found = expansion_facts.recorded_types(data, with_types)
    assert set(found) == {"crc", "gastric"}
    assert found["crc"].text == "2026-06-02, Sponsor (B); cohort of 12; later" and found["crc"].opened
    assert found["gastric"].opened is None
    assert expansion_facts.recorded_types(SDTM, with_types) == {}


# One design for all cohorts


@pytest.fixture(scope="module")
def jointly(tmp_path_factory):
    return study_with(
        tmp_path_factory.mktemp("joint"), '[expansion]\ndesign = "hierarchical"\nn_max = 9\n' + TYPES
    )


@pytest.mark.rule("IB-08", source="sum over all outcomes by hand")
@pytest.mark.parametrize("model", ["independent", "exnex"])
def test_success_of_a_joint_design_is_summed_over_all_outcomes(jointly, model):
    joint = m.joint_design(jointly)
    view = t.assess(model, ((1, 1, 0), (6, 3, 2)), jointly, crossing=False)
    law = view.fit.open_responses((9, 9, 9))
    for k in range(3):
        by_hand = sum(
            law[tuple(outcome)]
            for outcome, go in zip(joint.table.outcomes, joint.go[:, k], strict=True)
            if go
        )
        assert view.ppos[k] == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.rule("IB-22")
def test_a_joint_design_keeps_its_familywise_rate(jointly):
    joint = m.joint_design(jointly)
    weight = joint.table.weights([0.05, 0.10, 0.05])
    assert weight @ joint.go.any(axis=1) <= jointly.expansion.alpha_max


@pytest.mark.rule("IB-08")
def test_where_no_joint_design_can_be_tabulated_success_is_by_the_posterior(jointly, monkeypatch):
    own = tuple(t.assess("independent", ((1, 1, 0), (6, 3, 2)), jointly, crossing=False).ppos)
    monkeypatch.setattr(m, "MAX_ROWS", 10)
    assert m.joint_design(jointly) is None
    assert m.outcomes_absent(jointly, [9, 9, 9], model="exnex") == "not computed: 1000 outcomes, more than 10"
    view = t.assess("independent", ((1, 1, 0), (6, 3, 2)), jointly, crossing=False)
    states = t.success_states(jointly, jointly.expansion.type[0])
    assert view.ppos[0] == pytest.approx(view.fit.success(0, states)) and view.ppos != own


@pytest.mark.rule("IB-14")
@pytest.mark.parametrize(
    ("question", "variable"),
    [
        (expansion_open.bounds, "bounds"),
        (sens.sensitivity, "sensitivity"),
        (expansion_covariates.covariates, "covariates"),
        (src.sources, "sources"),
    ],
)
def test_without_types_every_question_says_why(adam, study, question, variable):
    assert status(question(adam, study, SDTM), variable, "n") == NOT_RUN


# Bad input


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TYPES.replace("p1 = 0.25", "p1 = 0.05", 1), "p0 0.05 must be smaller than p1 0.05"),
        (TYPES.replace('p0_source = "placeholder A"\n', ""), "p0_source"),
        (TYPES.replace('p1_source = "placeholder B"', 'p1_source = ""'), "p1_source"),
        (TYPES.replace("p0 = 0.10\n", ""), "p0"),
        (TYPES.replace('values = ["GASTRIC"]', 'values = ["CRC"]'), "tumour-type value used twice: CRC"),
        (TYPES.replace('id = "gastric"', 'id = "crc"'), "crc"),
        ("[expansion]\ngo_prob = 0.2\n" + TYPES, "nogo_prob 0.3 must be below go_prob 0.2"),
        ("[expansion]\nnogo_ppos = 0.5\n" + TYPES, "nogo_ppos 0.5 must be below go_ppos 0.4"),
        ("[expansion.monitor]\nlooks = [3, 6, 40]\n" + TYPES, "monitor.looks .40. lie beyond n_max 18"),
        ("[expansion.monitor]\nlooks = [6, 3]\n" + TYPES, "looks"),
        ("[benefit_risk]\nutility = [100, 120, 40, 0]\n", "within 0 to 100"),
        ("[benefit_risk]\nutility = [100, 60, -1, 0]\n", "within 0 to 100"),
        ("[benefit_risk]\nutility = [0, 60, 40, 100]\n", "must begin with 100 and end with 0"),
        ("[benefit_risk]\nprior_cells = [0.5, 0.5, 0.5, 0.5]\n", "prior_cells must sum to 1"),
        ('[expansion]\ndecision_model = "bayes"\n', "decision_model"),
    ],
)
def test_bad_parameters_are_one_clear_error(tmp_path, text, words):
    with pytest.raises(StudyError, match=words):
        study_with(tmp_path, text)


@pytest.mark.rule("IB-13")
@pytest.mark.parametrize(
    ("r", "n", "kinds"),
    [
        ((0, 0, 0), (10, 3, 0), ("NO-GO", "CONSIDER", "CONSIDER")),
        ((10, 3, 2), (10, 3, 2), ("GO", "GO", "CONSIDER")),
        ((0, 0, 0), (0, 0, 0), ("CONSIDER", "CONSIDER", "CONSIDER")),
    ],
)
@pytest.mark.parametrize("model", ["independent", "exnex", "partition", "hierarchical"])
def test_no_responder_only_responders_and_nobody_have_a_class(with_types, model, r, n, kinds):
    view = t.assess(model, (r, n), with_types, crossing=False)
    found = tuple(verdict.kind for verdict in view.verdicts)
    if model == "independent":
        assert found == kinds
    assert "GO" not in found if sum(r) == 0 else found[0] == "GO"
    assert all(0 <= p <= 1 for p in (*view.ppos, *view.fit.prob_above))


def test_more_responders_than_participants_are_refused(with_types):
    with pytest.raises(ValueError, match="r must be <= n"):
        t.assess("independent", ((4, 0, 0), (3, 3, 0)), with_types, crossing=False)

"""Modes of the example: as of an earlier day, without subgroup effects, many studies, and a path that the rule decides."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from interim.design.escalation import TitratedThreePlusThree
from interim.design.history import History
from interim.design.options import Titration
from interim.example import build
from interim.example.asof import as_of
from interim.example.course import draw_class
from interim.example.path import FREE, free_path, study_path
from interim.example.plan import plan_people
from interim.example.settings import preset
from interim.example.stream import stream
from interim.example.traits import draw_traits
from interim.example.write import true_values

SEED = 7


@pytest.fixture(scope="module")
def frames():
    from tests.example.conftest import study as made

    return {
        name: frame for name, frame in made("tiny10", SEED).items() if name not in ("LB", "VS", "CP", "PC")
    }


@pytest.fixture(scope="module")
def days(frames):
    """The days of the decisions after the first."""
    return [date.fromisoformat(text) for text in frames["DECISIONS"]["date"].iloc[1:]]


@pytest.fixture(scope="module")
def cuts(frames, days):
    return {day: as_of(frames, day) for day in days}


@pytest.mark.rule("SYN-28")
def test_nothing_is_later_than_the_day(cuts, days):
    for day in days:
        for frame in cuts[day].values():
            for name in frame.columns:
                if name.endswith("DTC"):
                    assert (frame[name].dropna().str[:10] <= day.isoformat()).all(), name


@pytest.mark.rule("SYN-28")
def test_a_later_study_cut_at_an_earlier_day_has_the_same_bytes(cuts, days):
    early, late = days[1], days[-1]
    replayed = as_of(cuts[late], early)
    for name, frame in cuts[early].items():
        assert replayed[name].to_csv(index=False) == frame.to_csv(index=False), name


@pytest.mark.rule("SYN-28")
def test_the_study_grows_and_states_its_cut(cuts, days, frames):
    sizes = [len(cuts[day]["AE"]) for day in days]
    assert sizes == sorted(sizes)
    assert 0 < sizes[0] < sizes[-1] <= len(frames["AE"])
    for day in days:
        summary = cuts[day]["TS"].set_index("TSPARMCD")["TSVAL"]
        assert summary["DCUTDTC"] == day.isoformat()
        assert set(cuts[day]["DM"]["USUBJID"]) <= set(frames["DM"]["USUBJID"])
        assert "SRCROW" not in cuts[day]["AE"]


@pytest.mark.rule("SYN-28")
def test_an_event_that_ended_later_is_open_on_the_day(cuts, days, frames):
    day = days[1]
    whole = frames["AE"].merge(cuts[day]["AE"][["USUBJID", "AESEQ"]], on=["USUBJID", "AESEQ"])
    later = whole[whole["AEENDTC"].str[:10] > day.isoformat()]
    mine = cuts[day]["AE"].merge(later[["USUBJID", "AESEQ"]], on=["USUBJID", "AESEQ"])
    assert len(mine) == len(later)
    assert mine["AEENDTC"].isna().all()
    assert not mine["AEOUT"].isin(["RECOVERED/RESOLVED"]).any()


@pytest.mark.rule("SYN-29")
def test_the_seed_of_a_study_does_not_depend_on_their_number(monkeypatch):
    monkeypatch.setattr(build, "make_study", lambda name, seed, *, null: {"made": (name, seed, null)})
    three = list(build.many_studies(3, "tiny10", 5, null=True))
    assert list(build.many_studies(1, "tiny10", 5, null=True)) == three[:1]
    assert len({seed for seed, _ in three}) == 3
    assert [frames["made"] for _, frames in three] == [("tiny10", seed, True) for seed, _ in three]
    assert [seed for seed, _ in build.many_studies(2, "tiny10", 6)] != [seed for seed, _ in three[:2]]


@pytest.mark.rule("SYN-30")
def test_without_effects_ligand_expression_does_not_move_the_response():
    plain, null = (plan_people("tiny10", SEED, null=value)[0] for value in (False, True))
    traits = draw_traits(plain)
    for high in (True, False):
        changed = traits.__class__(**{**vars(traits), "ligands": {"MICAB": 300.0 if high else 0.0}})
        rates = []
        for person in (plain, null):
            drawn = [draw_class(stream(n, "x"), person, traits=changed, scans=4) for n in range(600)]
            rates.append(sum(value.startswith("PR") for value in drawn))
        assert (rates[0] > rates[1]) if high else (rates[0] == rates[1])


@pytest.mark.rule("SYN-30")
def test_the_truth_states_the_effect():
    assert true_values("tiny10", SEED, null=True)["subgroup_effect"] == {"ligand_logit_high": 0.0}
    assert true_values("tiny10", SEED)["subgroup_effect"] == {"ligand_logit_high": 0.5}


@pytest.mark.rule("SYN-31")
@pytest.mark.parametrize("seed", range(25))
def test_a_free_path_is_what_the_rule_decides(seed):
    path = free_path(seed)
    design = TitratedThreePlusThree((1.5e7, 3e7, 5e7, 7e7), titration=Titration(4))
    treated = [slot for slot in path["slot"] if slot["arm"] != "SCRNFAIL"]
    letters = ["T" if "dlt" in slot else "G" if slot.get("crs") else "N" for slot in treated]
    words, place = [], 0
    while place < len(treated):
        history = History.parse(" ".join(words), levels=4) if words else History(4)
        decision = design.decide(history)
        assert decision.action == "ENROL"
        cohort = treated[place : place + decision.n_to_enrol]
        assert {slot["arm"] for slot in cohort} == {f"DL{decision.level}"}
        assert [slot.get("after", False) for slot in cohort] == [True] + [False] * (len(cohort) - 1)
        words.append(f"{decision.level}{''.join(letters[place : place + decision.n_to_enrol])}")
        place += decision.n_to_enrol
    final = design.decide(History.parse(" ".join(words), levels=4))
    assert final.action != "ENROL"
    assert path["end"]["kind"] == ("rp2d" if final.mtd else "safety_halt")
    assert path["end"]["level"] == f"DL{final.mtd or 1}"


@pytest.mark.rule("SYN-31")
def test_a_free_path_belongs_to_its_seed():
    assert study_path(FREE, 3) == free_path(3)
    assert free_path(3) != free_path(4)
    assert study_path("main13", 3) is preset("main13")
    assert {slot["arm"] for seed in range(25) for slot in free_path(seed)["slot"]} >= {"SCRNFAIL", "DL4"}


@pytest.mark.rule("SYN-31")
def test_a_free_study_has_its_arms_and_decisions():
    people = plan_people(FREE, 3)
    arms = [slot["arm"] for slot in free_path(3)["slot"]]
    assert [person.slot.arm for person in people] == arms
    assert all(person.preset == FREE for person in people)
    assert pd.Series(
        [person.consent + (person.day0 - people[0].day0).days for person in people]
    ).is_monotonic_increasing

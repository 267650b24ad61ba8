"""What must hold for every question on the hand-made study, whatever it counts."""

from __future__ import annotations

import importlib
import math
from inspect import signature

import numpy as np
import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.result import TOTAL
from tests.analysis import kinetic_case, participant_case
from tests.analysis.conftest import build, uid
from tests.analysis.safety_frames import safety_sets
from tests.analysis.test_expansion import SDTM

HAND = [
    "baseline.demography",
    "baseline.disease",
    "baseline_measures.biomarkers",
    "baseline_measures.burden",
    "deviations.important",
    "history.medical",
    "history.medication",
    "participant_listing.demography",
    "prior_therapy.overview",
    "benefit_risk.by_dose",
    "censoring.reasons",
    "concordance.evaluators",
    "concordance.routes",
    "concordance.contradictions",
    "data_quality.findings",
    "depth.summary",
    "depth.spider",
    "disposition.participant_flow",
    "disposition.analysis_sets",
    "escalation.dlt_by_dose",
    "escalation_events.dlt_details",
    "estimands.attributes",
    "expansion_designs.boundaries",
    "infusions.nk_exposure",
    "infusions.cart_exposure",
    "laboratory.values_by_visit",
    "laboratory.grade_shift",
    "laboratory.significant_deviations",
    "laboratory.hepatotoxicity",
    "laboratory.liver_peaks",
    "lesion_listing.targets",
    "lesion_listing.others",
    "duration.of_response",
    "follow_up.length",
    "regional_change.best_changes",
    "response_sets.denominators",
    "regional.responses",
    "response.best_response",
    "response.best_change",
    "response.swimmer",
    "response_criteria.irecist",
    "response_listing.time_points",
    "response_listing.derivations",
    "safety.teae_summary",
    "safety.teae_by_soc_pt",
    "safety.serious_teae",
    "safety.teae_with_action",
    "safety.teae_by_max_grade",
    "safety_period.teae_by_period",
    "safety_period.related_teae",
    "safety_period.deaths",
    "survival.time_to_event",
    "toxicity.crs",
    "toxicity.icans",
    "toxicity.crs_concordance",
]
KINETIC = [
    "kinetics.levels_by_time",
    "kinetics.cart_parameters",
    "kinetics.nk_parameters",
    "kinetics.profiles",
    "kinetics.biodistribution",
    "exposure.by_dose",
    "exposure.response",
    "cytokines.summary",
    "cytokines.course",
    "biomarkers.immune_phenotype",
    "biomarkers.tumour_markers",
    "biomarkers.ligands",
    "biomarkers.immunogenicity",
]
# Questions that read source records themselves: those of the participants, under the names of the hand-made study.
RECORDED = [
    name for name in HAND if name.split(".")[0] in ("deviations", "disposition", "history", "prior_therapy")
]
RECORDS = participant_case.renamed({"A1": uid(1), "B2": uid(5), "C3": uid(14), "D4": uid(15), "E5": uid(16)})
FLAGS = ("ENRLFL", "SAFNKFL", "SAFCTFL", "DLTEVFL", "FASFL", "RESFL", "RESPFL", "CKFL", "CKNKFL")


def ask(name, adam, study):
    module, question = name.split(".")
    function = getattr(importlib.import_module(f"interim.analysis.{module}"), question)
    source = RECORDS if name in RECORDED else SDTM
    return function(adam, study, *([source] if "sdtm" in signature(function).parameters else []))


@pytest.fixture(scope="module")
def whole(study) -> Adam:
    """Return the hand-made study with its safety datasets."""
    return build(study, **safety_sets())


@pytest.fixture(scope="module")
def answer(worlds):
    """Return the answer to a question, asked once."""
    known = {}

    def once(name):
        if name not in known:
            known[name] = ask(name, *worlds(name))
        return known[name]

    return once


@pytest.fixture(scope="module")
def worlds(whole, study):
    """Return the data and the study of a question."""
    fast = kinetic_case.with_study(bootstrap_n=50)
    kinetic = kinetic_case.make_adam()
    return lambda name: (kinetic, fast) if name in KINETIC else (whole, study)


def remade(adam, change, names=None):
    """Return the data with a change of each dataset, or of those named."""
    frames = {n: change(f) if names is None or n in names else f for n, f in adam.datasets.items()}
    return Adam(frames, adam.cut, adam.findings, adam.missing)


def unflagged(frame):
    return frame.assign(**{flag: "N" for flag in FLAGS if flag in frame})


def plain(result):
    frame = result.frame.drop(columns=["method"])
    return frame.sort_values("result_id").reset_index(drop=True)


ALL = pytest.mark.parametrize("name", HAND + KINETIC)


@ALL
def test_each_number_has_one_id_a_known_status_and_a_value_or_a_reason(name, answer):
    frame = answer(name).frame
    assert len(frame) and frame["result_id"].is_unique
    gone = frame[frame["status"].isin(["NE", "NR", "NA"])]
    assert (gone["reason"] != "").all() and gone["value"].isna().all()
    shown = frame[frame["status"] == "OK"]
    assert (shown["value"].notna() | shown["text"].notna()).all()


@ALL
def test_a_count_of_participants_equals_the_participants_linked(name, answer):
    found = answer(name)
    counts = found.frame[(found.frame["unit"] == "participants") & (found.frame["stat"] == "n")]
    linked = found.links.groupby("result_id")["USUBJID"].nunique().to_dict()
    wrong = {i: (v, linked.get(i, 0)) for i, v in zip(counts["result_id"], counts["value"], strict=True)}
    assert not {i: pair for i, pair in wrong.items() if pair[0] != pair[1]}


@ALL
def test_columns_of_participants_add_up_to_the_total(name, answer):
    frame = answer(name).frame
    counts = frame[frame["stat"].isin(["n", "N"]) & frame["status"].eq("OK")]
    counts = counts[counts["unit"].eq("participants") | counts["variable"].eq("population")]
    for place, part in counts.groupby(["variable", "level", "stat"]):
        values = part.set_index("group")["value"]
        if len(values) > 1 and TOTAL in values:
            assert values.drop(TOTAL).sum() == values[TOTAL], place


@ALL
def test_a_count_is_no_larger_than_its_denominator(name, answer):
    frame = answer(name).frame
    both = frame[frame["n"].notna() & frame["N"].notna()]
    assert (both["n"].astype(float) <= both["N"].astype(float)).all()
    rates = both[both["stat"].eq("rate") & both["unit"].eq("") & both["status"].eq("OK")]
    rates = rates[rates["N"].astype(float) > 0]
    shares = rates["n"].astype(float) / rates["N"].astype(float)
    if name not in ("depth.summary", "survival.time_to_event", "duration.of_response"):
        assert np.allclose(rates["value"].astype(float), shares, rtol=0, atol=1e-12)


@ALL
def test_the_order_of_the_rows_changes_nothing(name, worlds, answer):
    adam, study = worlds(name)
    mixed = remade(adam, lambda f: f.sample(frac=1, random_state=7).reset_index(drop=True))
    first, second = answer(name), ask(name, mixed, study)
    assert list(first.frame["result_id"]) == list(second.frame["result_id"])
    pd.testing.assert_frame_equal(plain(first), plain(second), check_exact=False, rtol=1e-12)
    links = [set(map(tuple, r.links.fillna("").to_numpy())) for r in (first, second)]
    assert links[0] == links[1]


@ALL
def test_a_question_leaves_the_data_as_they_are_and_answers_the_same_again(name, worlds, answer):
    adam, study = worlds(name)
    before = {n: f.copy(deep=True) for n, f in adam.datasets.items()}
    pd.testing.assert_frame_equal(ask(name, adam, study).frame, answer(name).frame)
    for dataset, frame in adam.datasets.items():
        pd.testing.assert_frame_equal(frame, before[dataset])


@ALL
def test_with_adsl_alone_no_number_is_invented(name, worlds):
    adam, study = worlds(name)
    bare = Adam({"ADSL": adam["ADSL"]}, adam.cut, (), {})
    frame = ask(name, bare, study).frame
    assert frame["result_id"].is_unique
    numbers = frame["status"].eq("OK") & frame["value"].notna()
    assert not np.isinf(frame.loc[numbers, "value"]).any()


@ALL
def test_an_empty_set_gives_no_rate_and_no_member(name, worlds):
    adam, study = worlds(name)
    frame = ask(name, remade(adam, unflagged, ["ADSL"]), study).frame
    sizes = frame[(frame["variable"] == "population") & (frame["stat"] == "N")]
    assert (sizes["value"] == 0).all()
    counts = frame[frame["unit"].eq("participants") & frame["status"].eq("OK") & frame["stat"].eq("n")]
    counts = counts[~counts["variable"].isin(["screening", "screen_failure"])]
    assert (counts["value"] == 0).all()
    rates = frame[frame["stat"].isin(["rate", "lower", "upper"]) & frame["n"].fillna(0).eq(0)]
    rates = rates[~rates["variable"].isin(["design", "boundary"])]
    assert not math.isfinite(rates["value"].max()) or rates["N"].fillna(0).max() > 0


@ALL
def test_one_participant_alone_is_the_total(name, worlds):
    adam, study = worlds(name)
    who = "02" if name in KINETIC else uid(2)
    alone = remade(adam, lambda f: f[f["USUBJID"] == who] if "USUBJID" in f else f)
    frame = ask(name, alone, study).frame
    sizes = frame[(frame["variable"] == "population") & (frame["stat"] == "N")].set_index("group")["value"]
    if len(sizes):
        assert sizes[TOTAL] <= 1 and sizes.drop(TOTAL).sum() == sizes[TOTAL]
    counts = frame[frame["unit"].eq("participants") & frame["status"].eq("OK") & frame["stat"].eq("n")]
    assert (counts["value"] <= 1).all()

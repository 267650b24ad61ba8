"""What must hold for every subgroup question on the hand-made study."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.analysis import subgroups
from interim.analysis.subgroups import (
    associated,
    checklist,
    definitions,
    limit,
    mapped,
    penalised,
    shrunken,
    slope,
    stability,
    variation,
    within,
)
from interim.result import TOTAL
from tests.analysis.conftest import build, uid
from tests.analysis.test_question_invariants import plain, remade, unflagged
from tests.analysis.test_question_parameters import changed, checked

QUESTIONS = {
    "registry": definitions.registry,
    "association": associated.association,
    "type_by_dose": associated.type_by_dose,
    "credibility": checklist.credibility,
    "limits": limit.limits,
    "participant_map": mapped.participant_map,
    "shrinkage": shrunken.shrinkage,
    "slopes": slope.slopes,
    "leave_one_out": stability.leave_one_out,
    "cut_path": stability.cut_path,
    "heterogeneity": variation.heterogeneity,
    "levels": within.levels,
    "post_baseline": within.post_baseline,
    "sensitivity_model": penalised.sensitivity_model,
}
ALL = pytest.mark.parametrize("name", list(QUESTIONS))


@pytest.fixture(scope="module")
def quick(study):
    """Return the study with few draws and a seed."""
    return changed(study, {"stats": {"draws": 199}, "study": {"seed": 11}})


@pytest.fixture(scope="module")
def answer(adam, quick):
    known = {}

    def once(name):
        if name not in known:
            known[name] = QUESTIONS[name](adam, quick)
        return known[name]

    return once


@ALL
def test_ids_statuses_and_reasons(name, answer):
    frame = answer(name).frame
    assert len(frame) and frame["result_id"].is_unique
    gone = frame[frame["status"].isin(["NE", "NR", "NA"])]
    assert (gone["reason"] != "").all() and gone["value"].isna().all()
    chances = frame[frame["stat"].isin(["p_heterogeneity", "p_min", "p_max_t"])]
    assert chances["value"].dropna().between(0, 1).all()


@ALL
def test_linked_participants_are_those_counted(name, answer):
    found = answer(name)
    counts = found.frame[found.frame["unit"].eq("participants") & found.frame["stat"].eq("n")]
    linked = found.links.groupby("result_id")["USUBJID"].nunique().to_dict()
    for key, number in zip(counts["result_id"], counts["value"], strict=True):
        assert linked.get(key, 0) == number, key


@ALL
def test_the_order_of_the_rows_changes_nothing(name, adam, quick, answer):
    mixed = remade(adam, lambda f: f.sample(frac=1, random_state=3).reset_index(drop=True))
    pd.testing.assert_frame_equal(plain(answer(name)), plain(QUESTIONS[name](mixed, quick)), rtol=1e-8)


@ALL
def test_an_empty_set(name, adam, quick):
    frame = checked(QUESTIONS[name](remade(adam, unflagged, ["ADSL"]), quick).frame)
    sizes = frame[frame["variable"].eq("population")]
    assert (sizes["value"] == 0).all()
    rates = frame[frame["stat"].isin(["rate", "p_heterogeneity"])]
    assert rates["value"].isna().all()


@ALL
def test_one_participant(name, adam, quick):
    alone = remade(adam, lambda f: f[f["USUBJID"] == uid(5)])
    frame = checked(QUESTIONS[name](alone, quick).frame)
    tests = frame[frame["stat"].isin(["p_heterogeneity", "p_max_t"])]
    assert tests["value"].dropna().eq(1).all()


@ALL
@pytest.mark.parametrize("gone", ["ADSUB", "ADRS"])
def test_a_dataset_that_is_missing(name, gone, study, quick):
    frame = checked(QUESTIONS[name](build(study, **{gone: None}), quick).frame)
    assert not np.isinf(frame["value"].dropna()).any()


def test_levels_of_each_factor_add_up_to_everyone(answer):
    frame = answer("registry").frame
    levels = frame[(frame["variable"] == "level") & (frame["stat"] == "n")]
    everyone = frame[(frame["variable"] == "population") & (frame["group"] == TOTAL)]["value"].iloc[0]
    assert everyone == 15
    for group, part in levels.groupby("group"):
        assert part["value"].sum() == everyone, group


@pytest.mark.parametrize(
    ("group", "level", "expected"),
    [
        ("tumour_type", "CRC", range(1, 11)),
        ("tumour_type", "GASTRIC", range(11, 14)),
        ("tumour_type", "Missing", (14, 15)),
        # 2 + n / 4 is 5 for the twelfth, who is high.
        ("nlr5", "<5", range(1, 12)),
        ("nlr5", ">=5", range(12, 16)),
        ("liver_only", "LIVER ONLY", (1, 2, 4, 5, 7, 8, 10, 11, 13, 14)),
        ("liver_only", "LIVER + EXTRAHEPATIC", (3, 6, 9, 12, 15)),
    ],
)
def test_members_of_a_level_counted_by_hand(answer, group, level, expected):
    found = answer("registry")
    frame = found.frame
    hit = frame[(frame["group"] == group) & (frame["variable"] == "level") & (frame["level"] == level)]
    names = found.links.loc[found.links["result_id"].isin(hit["result_id"]), "USUBJID"]
    assert hit["value"].tolist() == [len(list(expected))]
    assert set(names) == {uid(n) for n in expected}


def test_every_question_of_the_room_is_asked_here():
    """The others take no analysis datasets."""
    assert set(QUESTIONS) == set(subgroups.__all__) - {"adhoc", "differencing", "mask"}

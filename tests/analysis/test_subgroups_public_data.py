"""Subgroups of two published trials that enter with finished datasets: counts that were published, and every question answered."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from interim import display
from interim.adam import build_adam
from interim.analysis import subgroups
from interim.data import open_data
from interim.study import read_study

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = {
    "limits": ("table_subgroup_limits", {}),
    "registry": ("table_subgroup_registry", {}),
    "levels": ("figure_forest", {"endpoint": "orr", "primary_only": True}),
    "association": ("figure_overlap", {}),
    "cut_path": ("figure_cut_path", {}),
    "shrinkage": ("table_shrinkage", {}),
    "leave_one_out": ("table_stability", {}),
    "sensitivity_model": ("table_sensitivity_model", {}),
    "credibility": ("table_credibility", {}),
}


def converter():
    spec = importlib.util.spec_from_file_location("ffcd_study", ROOT / "tools" / "ffcd_study.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def opened(study):
    data = open_data(study)
    assert [f for f in data.findings if f.severity == "stop"] == []
    return study, build_adam(data, study)


@pytest.fixture(scope="module")
def inspire(external):
    return opened(read_study(ROOT / "params" / "inspire.toml"))


@pytest.fixture(scope="module")
def ffcd(external, tmp_path_factory):
    folder = tmp_path_factory.mktemp("ffcd")
    converter().main(folder)
    study = read_study(ROOT / "params" / "ffcd.toml")
    return opened(study.model_copy(update={"data": study.data.model_copy(update={"path": str(folder)})}))


def counts(frame, entry, endpoint):
    rows = frame[(frame["group"] == entry) & (frame["variable"] == endpoint) & (frame["stat"] == "rate")]
    return {row["level"]: (int(row["n"]), int(row["N"])) for row in rows.to_dict("records") if row["N"]}


@pytest.mark.rule("SUBQ-23", source="Bratman et al. 2020: responders by cohort")
def test_responders_by_cohort_of_inspire(inspire):
    study, adam = inspire
    frame = subgroups.levels(adam, study, dimension="histology").frame
    assert counts(frame, "cohort", "orr") == {
        "A": (3, 16),
        "B": (0, 18),
        "C": (0, 18),
        "D": (8, 12),
        "E": (5, 30),
    }
    assert counts(frame, "Total", "orr") == {"": (16, 94)}
    events = frame[(frame["group"] == "Total") & (frame["stat"] == "landmark")].set_index("variable")["n"]
    assert (int(events["os"]), int(events["pfs"])) == (64, 82)


@pytest.mark.rule("SUBQ-23", source="Ducreux et al. 2011: deaths")
def test_patients_deaths_and_lesions_of_ffcd(ffcd, external):
    study, adam = ffcd
    frame = subgroups.levels(adam, study, dimension="prior").frame
    events = frame[(frame["group"] == "Total") & (frame["stat"] == "landmark")].set_index("variable")
    assert (int(events.loc["os", "n"]), int(events.loc["os", "N"])) == (121, 150)
    raw = pd.read_csv(external / "real" / "ffcd2000_05_colorectal_events.csv")
    assert (raw["id"].nunique(), int(raw["new.lesions"].sum())) == (150, 139)
    either = raw[(raw["new.lesions"] == 1) | (raw["state"] == 1)]["id"].nunique()
    assert int(events.loc["pfs", "n"]) == either


@pytest.mark.rule("SUBQ-23", source="external/README: sum = (0.3 y + 1)^(1/0.3) cm")
def test_sums_of_the_transformed_sizes():
    found = converter().sums_mm(pd.Series([0.0, 1.0, -10 / 3, -3.33, 5.22767935551004]))
    expected = [10.0, 10 * 1.3 ** (10 / 3), 0.0, 0.0, 10 * (0.3 * 5.22767935551004 + 1) ** (10 / 3)]
    assert found.tolist() == pytest.approx(expected, abs=1e-9) and np.isfinite(found).all()


@pytest.mark.rule("SUBQ-23")
@pytest.mark.parametrize("trial", ["inspire", "ffcd"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_is_answered_and_shown(trial, question, request):
    study, adam = request.getfixturevalue(trial)
    few = study.stats.model_copy(update={"draws": 1999, "max_exact": 1000})
    quick = study.model_copy(update={"stats": few, "figure": study.figure.model_copy(update={"dpi": 72})})
    result = getattr(subgroups, question)(adam, quick)
    name, options = QUESTIONS[question]
    shown = getattr(display, name)(result, quick, **options)
    assert set(shown.keys) <= set(result.frame["result_id"])
    values = result.frame[result.frame["status"] == "OK"]
    assert not values[values["text"].isna()]["value"].isna().any()
    text = shown.text()
    assert "nan" not in text.lower().split() and "Nothing to draw" not in text


@pytest.mark.rule("SUBQ-02")
def test_the_smallest_attainable_p_of_a_large_trial_is_small(inspire):
    study, adam = inspire
    few = study.stats.model_copy(update={"draws": 1999})
    frame = subgroups.limits(adam, study.model_copy(update={"stats": few})).frame
    least = frame[(frame["stat"] == "p_min") & (frame["group"] == "burden")]["value"].item()
    assert 0 < least < 1e-4 and math.isfinite(least)

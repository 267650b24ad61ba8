"""The synthetic study of the documents: all subgroup results at once, and 2000 reassignments of its responses."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from interim.adam import build_adam
from interim.adam.dictionary import dataset_label, variable_label
from interim.analysis import subgroups
from interim.analysis.subgroups.chance import chance_of_gap
from interim.analysis.subgroups.model import Outcome, gap, level_counts
from interim.analysis.subgroups.outcomes import ENDPOINTS
from interim.analysis.subgroups.panel import open_panel
from interim.data import open_data
from interim.example import write_study
from interim.study import read_study
from tests.analysis.conftest import ROOT

QUESTIONS = (
    "registry",
    "limits",
    "levels",
    "post_baseline",
    "shrinkage",
    "cut_path",
    "leave_one_out",
    "association",
    "type_by_dose",
    "participant_map",
    "credibility",
)


@pytest.fixture(scope="module")
def main13(tmp_path_factory):
    folder = tmp_path_factory.mktemp("main13")
    write_study(folder / "raw", preset="main13")
    file = folder / "study.toml"
    base = (ROOT / "params" / "example.toml").as_posix()
    file.write_text(f'extends = "{base}"\n[data]\npath = "raw"\n', encoding="utf-8")
    study = read_study(file)
    return build_adam(open_data(study), study), study


@pytest.mark.rule("SUBQ-01")
def test_reassignments_reproduce_the_chance_of_any(main13):
    adam, study = main13
    panel, _ = open_panel(adam, study, endpoints=("dcr",))
    outcome = panel.outcomes["dcr"]
    expected = chance_of_gap(panel.primary, outcome, study, analysis_id="t")
    rng = np.random.default_rng(17)
    draws, hits = 2000, 0
    for _ in range(draws):
        mixed = Outcome("dcr", "binary", rng.permutation(outcome.values), outcome.events)
        for factor in panel.primary:
            x, n = level_counts(factor, mixed)
            if gap(x, n, least=study.subgroup.min_ci_n) >= study.subgroup.gap_pp / 100 - 1e-9:
                hits += 1
                break
    error = math.sqrt(expected.any * (1 - expected.any) / draws)
    assert 0 < expected.any < 1 and expected.any >= max(expected.single)
    assert abs(hits / draws - expected.any) <= 4 * error


@pytest.mark.rule("SUBQ-21")
def test_every_entry_and_endpoint_has_values(main13):
    adam, study = main13
    panel, _ = open_panel(adam, study, endpoints=ENDPOINTS)
    assert [factor.id for factor in panel.factors if not factor.known.any()] == []
    assert [outcome.id for outcome in panel.outcomes.values() if not outcome.known.any()] == []
    assert int(panel.outcomes["cmax"].known.sum()) == (adam["ADSL"]["CKFL"] == "Y").sum()


@pytest.mark.rule("SUBQ-06")
def test_all_results_in_about_a_second(main13):
    adam, study = main13
    results = {name: getattr(subgroups, name)(adam, study) for name in QUESTIONS}
    start = time.process_time()
    for name in QUESTIONS:
        getattr(subgroups, name)(adam, study)
    # The goal is one second on a free machine; the limit leaves room for a busy one.
    assert time.process_time() - start < 3
    for result in results.values():
        frame = result.frame
        shown = frame[frame["status"].isin(["OK", "FLAG"])]
        assert not (shown["value"].isna() & shown["text"].isna()).any()


@pytest.mark.rule("PKG-21")
def test_every_variable_of_the_analysis_datasets_has_a_label(main13):
    adam, _ = main13
    without = [
        (name, column)
        for name, frame in adam.datasets.items()
        for column in frame.columns
        if not variable_label(column) or len(str(variable_label(column))) > 40
    ]
    assert without == [] and all(dataset_label(name) for name in adam.datasets)

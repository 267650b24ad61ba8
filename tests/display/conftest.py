"""The hand-made study of the questions, and the store of all their answers."""

from __future__ import annotations

from importlib import import_module

import pytest

from interim.result import ResultStore
from tests.analysis.conftest import adam, arms, make_adam, study

__all__ = ["adam", "arms", "make_adam", "study"]

QUESTIONS = (
    "disposition.participant_flow",
    "disposition.analysis_sets",
    "baseline.demography",
    "baseline.disease",
    "escalation.dlt_by_dose",
    "safety.teae_summary",
    "safety.teae_by_soc_pt",
    "safety.teae_by_max_grade",
    "response.best_response",
    "response.best_change",
    "response.swimmer",
    "survival.time_to_event",
    "duration.of_response",
    "subgroups.registry",
    "subgroups.levels",
    "data_quality.findings",
)


def answer_all(adam, study) -> ResultStore:
    """Answer every question that needs the analysis datasets only."""
    results = {}
    for name in QUESTIONS:
        module, function = name.split(".")
        results[name] = getattr(import_module(f"interim.analysis.{module}"), function)(adam, study)
    return ResultStore(results)


@pytest.fixture(scope="session")
def store(adam, study) -> ResultStore:
    return answer_all(adam, study)

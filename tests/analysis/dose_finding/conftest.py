"""The example studies, read and derived once; their paths are fixed by the specification of the example study."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from interim.adam import build_adam
from interim.adam.model import Adam
from interim.data import open_data
from interim.data.model import Sdtm
from interim.example import write_study
from interim.study import Study, read_study

ROOT = Path(__file__).resolve().parents[3]


class Case(NamedTuple):
    """One study with its data."""

    adam: Adam
    study: Study
    sdtm: Sdtm


@pytest.fixture(scope="session")
def case(tmp_path_factory):
    """Return a function preset, reading of AMB-1 -> the study with its data."""
    home = tmp_path_factory.mktemp("dose_finding")

    @functools.cache
    def made(preset: str, scope: str) -> Case:
        write_study(home / preset, preset=preset)
        file = home / f"{preset}.toml"
        base = (ROOT / "params" / "example.toml").as_posix()
        file.write_text(
            f'extends = "{base}"\n[ambiguity]\nAMB-1 = "{scope}"\n[data]\npath = "{home / preset}"\n'
        )
        study = read_study(file)
        sdtm = open_data(study)
        return Case(build_adam(sdtm, study), study, sdtm)

    return made


@pytest.fixture(scope="session")
def main13(case) -> Case:
    """The study of the documents: 1 + 3 + 6 + 3 participants, one DLT at level 3, written under reading A."""
    return case("main13", "A")


@pytest.fixture(scope="session")
def tiny10(case) -> Case:
    """1 + 3 + 3 + 3 participants without DLT, written under reading B."""
    return case("tiny10", "B")


@pytest.fixture(scope="session")
def full18(case) -> Case:
    """3 + 6 + 6 + 3 participants, two DLT at level 4."""
    return case("full18", "B")


def with_frame(case: Case, name: str, frame: pd.DataFrame) -> Case:
    """Return the case with another analysis dataset."""
    return case._replace(adam=Adam({**case.adam.datasets, name: frame}, case.adam.cut))


def with_decisions(case: Case, frame: pd.DataFrame | None) -> Case:
    """Return the case with other recorded decisions; None: without the domain."""
    domains = {name: table for name, table in case.sdtm.domains.items() if name != "DECISIONS"}
    if frame is not None:
        domains["DECISIONS"] = frame
    return case._replace(sdtm=Sdtm(domains, case.sdtm.cut))


def listed(result, variable: str) -> pd.DataFrame:
    """Return the listed rows: one row per level, one column per stat."""
    rows = result.where(variable=variable)
    rows = rows[rows["level"] != ""]
    order = list(dict.fromkeys(rows["level"]))
    return rows.pivot(index="level", columns="stat", values="text").reindex(order)

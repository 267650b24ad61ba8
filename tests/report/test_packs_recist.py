"""Reference packs of response, time to event and derivations: everything agrees, and nothing expected is read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interim.report.packs.base import leaves
from interim.report.packs.recist import RECIST
from interim.report.validate import validate

OWN = Path(__file__).parents[1] / "reference"
FILES = {
    "recist11_timepoint_table.csv": 60,
    "tl_traps_own.json": 14,
    "tl_recist_sdtm.json": 12,
    "tl_sdtm_consistent_sequences.json": 183,
    "bor_random_admiralonco.json": 600,
    "bor_admiralonco_tests.json": 46,
    "bor_traps_own.json": 11,
    "adrs_workflow_recist11.json": 5,
    "adrs_workflow_irecist.json": 14,
    "tte_random_admiral.json": 150,
    "tte_admiral_tests.json": 3,
    "adam_derivations_admiral_tests.json": 30,
}


def reports(folder: Path):
    return {r.file.rsplit("/", 1)[-1]: r for r in validate(folder).files}


@pytest.mark.rule("RECIST-07", source="recist11_timepoint_table.csv")
def test_the_copied_files_agree():
    found = reports(OWN / "recist")
    for name in (
        "recist11_timepoint_table.csv",
        "tl_traps_own.json",
        "bor_traps_own.json",
        "bor_random_admiralonco.json",
        "tte_random_admiral.json",
    ):
        report = found[name]
        assert (report.cases, report.agree, report.disagreements) == (FILES[name], report.compared, []), name


@pytest.mark.rule("RECIST-04", source="tl_sdtm_consistent_sequences.json")
@pytest.mark.rule("RECIST-13", source="bor_admiralonco_tests.json")
@pytest.mark.rule("IRECIST-04", source="adrs_workflow_irecist.json")
@pytest.mark.rule("TTE-01", source="tte_admiral_tests.json")
@pytest.mark.rule("TTE-07", source="adam_derivations_admiral_tests.json")
@pytest.mark.rule("DERIV-01", source="adam_derivations_admiral_tests.json")
def test_every_file_agrees(reference):
    found = reports(reference / "recist")
    for name, cases in FILES.items():
        report = found[name]
        assert (report.cases, report.agree, report.disagreements) == (cases, report.compared, []), name


def test_a_runner_sees_nothing_that_is_expected():
    text = json.loads((OWN / "recist" / "bor_random_admiralonco.json").read_text())
    pack = next(p for p in RECIST if p.file == "bor_random_admiralonco.json")
    given = [case.given for case in pack.split(text)]
    assert not any("expected" in name for case in given[:20] for name, _ in leaves(case))


def test_a_wrong_value_is_found(tmp_path):
    folder = tmp_path / "recist"
    folder.mkdir()
    document = json.loads((OWN / "recist" / "bor_traps_own.json").read_text())
    document["cases"][0]["expected_BOR"] = "CR"
    (folder / "bor_traps_own.json").write_text(json.dumps(document))
    report = reports(tmp_path)["bor_traps_own.json"]
    assert [d["expected"] for d in report.disagreements] == ["CR"]

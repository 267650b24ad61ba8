"""Reference packs of safety: everything agrees, and a wrong value is found."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from interim.report.packs.base import leaves
from interim.report.packs.safety import SAFETY
from interim.report.packs.toxicity import TOXICITY
from interim.report.validate import validate

OWN = Path(__file__).parents[1] / "reference"
PACKS = {pack.file: pack for pack in (*SAFETY, *TOXICITY)}


def cases(file, folder):
    return list(
        PACKS[file].split(list(csv.DictReader((OWN / folder / file).read_text("utf-8").splitlines())))
    )


def wrong(file, folder):
    pack = PACKS[file]
    return [
        case.id for case in cases(file, folder) if dict(leaves(pack.compute(case.given))) != case.expected
    ]


@pytest.mark.rule("SAF-01", source="admiral 1.4.2, CTCAE v5.0")
def test_all_414_graded_values_agree():
    assert len(cases("ctcae5_graded_labs.csv", "recist")) == 414
    assert wrong("ctcae5_graded_labs.csv", "recist") == []


@pytest.mark.rule("SAF-01", source="admiral test suite, CTCAE v5.0")
def test_all_583_rows_of_the_test_suite_agree(reference, tmp_path):
    folder = tmp_path / "recist"
    folder.mkdir()
    name = "ctcae5_lab_admiral_tests.json"
    (folder / name).write_text((reference / "recist" / name).read_text("utf-8"), "utf-8")
    (report,) = validate(folder).files
    assert (report.cases, report.compared, report.agree) == (583, 583, 583)


@pytest.mark.rule("SAF-09", source="ASTCT 2019, enumerated")
def test_all_64_grades_of_cytokine_release_agree():
    assert len(cases("truth_crs.csv", "kinetics")) == 64
    assert wrong("truth_crs.csv", "kinetics") == []


@pytest.mark.rule("SAF-11", source="ASTCT 2019, enumerated")
def test_all_540_grades_of_neurotoxicity_agree():
    assert len(cases("truth_icans.csv", "kinetics")) == 540
    assert wrong("truth_icans.csv", "kinetics") == []


def test_the_runner_sees_no_expected_grade():
    for file, folder in (("ctcae5_graded_labs.csv", "recist"), ("truth_crs.csv", "kinetics")):
        assert not any("grade" in name for case in cases(file, folder)[:9] for name in case.given)


def test_a_wrong_grade_is_found(tmp_path):
    folder = tmp_path / "kinetics"
    folder.mkdir()
    lines = (OWN / "kinetics" / "truth_crs.csv").read_text("utf-8").splitlines()
    lines[1] = lines[1][:-1] + "0"
    (folder / "truth_crs.csv").write_text("\n".join(lines), "utf-8")
    (report,) = validate(folder).files
    assert [item["case"] for item in report.disagreements] == ["row 1"]

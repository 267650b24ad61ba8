"""Runners of the kinetics packs: the shipped numbers, unseen ones of the same layout, and nothing expected is read."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest

from interim.report.packs.base import leaves
from interim.report.packs.kinetics import KINETICS
from interim.report.validate import validate

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "kinetics"
PACKS = {pack.file: pack for pack in KINETICS}
RESULTS = ("value", "independent", "pknca", "conc", "slope", "intercept", "sigma", "r2", "n")


def rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def inputs(folder=FOLDER):
    return {path.stem: rows(path) for path in folder.glob("input_*.csv")}


def split(pack, document):
    return list(pack.split(document, inputs()) if pack.inputs else pack.split(document))


def write(path, table):
    text = io.StringIO()
    writer = csv.DictWriter(text, table[0].keys())
    writer.writeheader()
    writer.writerows(table)
    path.write_text(text.getvalue(), encoding="utf-8")


@pytest.mark.rule("KIN-17", source="nine files of independent numbers")
def test_every_file_has_a_runner_and_agrees():
    found = validate(FOLDER)
    assert set(PACKS) <= {report.file for report in found.files}
    assert found.ok, "\n".join(found.lines())
    assert found.not_covered == ()
    compared = {report.file: report.compared for report in found.files}
    assert compared["ref_nca.csv"] == len(rows(FOLDER / "ref_nca.csv")) - 12
    assert compared["ref_segments.csv"] == len(rows(FOLDER / "ref_segments.csv"))


@pytest.mark.rule("KIN-17")
@pytest.mark.parametrize("file", [name for name in PACKS if name != "ref_nca.csv"])
def test_the_runner_sees_only_what_is_given(file):
    """Spoiling every expected number changes nothing that is given or computed."""
    document = rows(FOLDER / file)
    spoiled = [{k: "-1" if k in RESULTS and v else v for k, v in row.items()} for row in document]
    if file == "ref_piecewise_model.csv":
        given = {"lag", "foldx", "tmax", "cmax", "alpha", "fb", "beta"}
        spoiled = [old if old["param"] in given else new for old, new in zip(document, spoiled, strict=True)]
    pack = PACKS[file]
    before, after = split(pack, document), split(pack, spoiled)
    assert [case.given for case in before] == [case.given for case in after]
    assert [case.expected for case in before] != [case.expected for case in after]
    names = set(dict(leaves(before[0].expected)))
    assert names <= set(dict(leaves(pack.compute(before[0].given))))


@pytest.mark.rule("KIN-17")
def test_unseen_profiles_of_the_same_layout_are_computed(tmp_path):
    """Another time unit and another concentration unit: known consequences, no number of the shipped file."""
    folder = tmp_path / "kinetics"
    folder.mkdir()
    given = [row for row in rows(FOLDER / "input_cart.csv") if row["USUBJID"] == "VCT002"]
    for row in given:
        row["USUBJID"] = "NEW01"
        row["ATIME"] = str(float(row["ATIME"]) * 2)
        row["AVAL"] = str(float(row["AVAL"]) * 10) if row["AVAL"] else ""
        row["LLOQ"] = "500"
    write(folder / "input_cart.csv", given)
    factors = {"auclast": 20.0, "cmax": 10.0, "lambda_z": 0.5, "tlast": 2.0, "r_squared": 1.0}
    wanted = [
        {**row, "id": "NEW01", "value": repr(float(row["value"]) * factors[row["param"]])}
        for row in rows(FOLDER / "ref_nca.csv")
        if row["id"] == "VCT002" and row["dataset"] == "cart" and row["param"] in factors
    ]
    write(folder / "ref_nca.csv", wanted)
    found = validate(folder)
    assert found.ok, "\n".join(found.lines())
    assert found.files[0].compared == len(wanted) == 60


@pytest.mark.rule("KIN-17")
@pytest.mark.parametrize("file", [name for name, pack in PACKS.items() if pack.inputs])
def test_a_missing_input_file_is_a_disagreement_not_a_pass(file, tmp_path):
    folder = tmp_path / "kinetics"
    folder.mkdir()
    write(folder / file, rows(FOLDER / file)[:1])
    found = validate(folder)
    assert not found.ok
    assert (
        "no samples" in found.files[0].disagreements[0]["found"]
        or "no exposures" in found.files[0].disagreements[0]["found"]
    )


def test_context_and_inputs_alone_are_nothing_to_cover(tmp_path):
    folder = tmp_path / "kinetics"
    folder.mkdir()
    shutil.copy(FOLDER / "input_nk.csv", folder)
    (folder / "external_examples.csv").write_text("trial\nx\n", encoding="utf-8")
    (folder / "other.csv").write_text("a\n1\n", encoding="utf-8")
    assert validate(folder).not_covered == ("other.csv",)

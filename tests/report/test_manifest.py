from __future__ import annotations

import json
from dataclasses import replace

import pytest

from interim.report import hashes
from interim.report.freshness import report_key
from interim.report.manifest import write_manifest


@pytest.fixture
def manifest(hand_run):
    return json.loads((hand_run.folder / "manifest.json").read_text(encoding="utf-8"))


@pytest.mark.rule("MAN-01")
def test_every_output_is_hashed(hand_run, manifest):
    found = hashes.tree(hand_run.folder)
    seal = (hand_run.folder / "manifest.sha256").read_text(encoding="ascii")
    assert seal == f"{found.pop('manifest.json')}  manifest.json\n"
    found.pop("manifest.sha256")
    assert manifest["outputs"] == found
    assert len(found) > 15


@pytest.mark.rule("MAN-01")
def test_inputs_parameters_code_environment_and_seeds(hand_run, manifest):
    from tests.report import handmade

    data = hand_run.study.parent / "data" / "dm.csv"
    assert manifest["inputs"]["files"] == [
        {"file": "dm.csv", "domain": "DM", "format": "csv", "records": 21, "sha256": hashes.sha256(data)}
    ]
    assert manifest["inputs"]["snapshot"] == hashes.joined([("dm.csv", hashes.sha256(data))])
    assert manifest["parameters"]["values"]["dose"]["levels"] == [1.5e7, 3e7, 5e7, 7e7]
    books = {path.name: hashes.sha256(path) for path in (handmade.ROOT / "notebooks").glob("*.ipynb")}
    assert manifest["code"]["notebooks"] == books
    assert manifest["environment"]["lock"] == hashes.sha256(handmade.ROOT / "requirements.lock")
    assert {"pandas", "numpy"} <= set(manifest["environment"]["packages"])
    assert manifest["seeds"] == {"study.seed": 5}
    assert manifest["study"] == {
        "id": "HAND",
        "label": "SYNTHETIC - NOT PATIENT DATA",
        "cut": "2026-06-30T23:59:59",
        "draft": False,
    }


@pytest.mark.rule("MAN-01")
def test_no_clock_and_no_path_of_this_computer(hand_run, manifest):
    import datetime
    import os

    text = (hand_run.folder / "manifest.json").read_text(encoding="utf-8")
    assert str(hand_run.folder) not in text
    assert os.path.expanduser("~") + "/" not in text
    assert f"{datetime.date.today():%Y-%m-%d}T" not in text


@pytest.mark.rule("RUN-02")
def test_files_that_the_key_does_not_know_make_the_report_old(hand_inputs, tmp_path):
    key = report_key(hand_inputs.study, tmp_path, {})
    (tmp_path / "r").mkdir()
    known = json.loads(write_manifest(tmp_path / "r", hand_inputs, key=key, languages=["en"]).read_text())
    assert known["key"]["data"] == key["data"]
    source = replace(hand_inputs.sdtm.sources[0], sha256="1" * 64)
    strange = replace(hand_inputs, sdtm=replace(hand_inputs.sdtm, sources=(source,)))
    unknown = json.loads(write_manifest(tmp_path / "r", strange, key=key, languages=["en"]).read_text())
    assert unknown["key"]["data"] is None

"""A report is verified on its own: whatever is changed, added, taken away or made up is found."""

from __future__ import annotations

import json
import random
import shutil
from dataclasses import replace
from datetime import datetime

import pandas as pd
import pytest

from interim import cli
from interim.data.model import LedgerLine, Sdtm, Source
from interim.errors import DerivationError, Finding, ReportError, StudyError
from interim.report.chapter import _answer as question
from interim.report.freshness import MANIFEST, SEAL
from interim.report.hashes import sha256, tree
from interim.report.state import read_manifest, read_state, save_state, study_of
from interim.report.verify import differences, verify
from interim.result import ResultStore
from interim.study import read_study

PDF, HTML = ("documents/05_statistical_report.en.pdf", "documents/05_statistical_report.en.html")


@pytest.fixture
def report(hand_run, tmp_path):
    """A copy of a published report that a test may spoil."""
    folder = tmp_path / "report"
    shutil.copytree(hand_run.folder, folder)
    return folder


def wrong(folder) -> dict[str, str]:
    return {check.rule: check.text for check in verify(folder, recompute=False) if check.status == "wrong"}


@pytest.mark.rule("VER-01")
def test_a_report_as_it_was_written_is_good(hand_run):
    checks = verify(hand_run.folder, recompute=False)
    assert {check.status for check in checks} == {"ok"}
    assert [check.rule for check in checks] == ["seal", "files", "complete", "versions", "links", "links"]
    count = len(tree(hand_run.folder)) - 2
    assert f"{count} of {count} files" in str(checks[1])


@pytest.mark.rule("VER-01")
def test_each_of_many_random_bytes_that_is_changed_is_found(report):
    chance = random.Random(20261127)
    names = sorted(tree(report))
    for name in [MANIFEST, SEAL, *chance.choices(names, k=8)]:
        path = report / name
        whole = path.read_bytes()
        place = chance.randrange(len(whole))
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :]
        )
        try:
            found = wrong(report)
        except ReportError as error:  # the manifest is no JSON any more
            found = {"seal": str(error)}
        assert "seal" in found if name in (MANIFEST, SEAL) else name in found["files"]
        path.write_bytes(whole)
    assert wrong(report) == {}


@pytest.mark.rule("VER-01")
def test_a_file_too_many_and_a_file_too_few_are_named(report):
    (report / "data" / "more.csv").write_text("x\n", encoding="utf-8")
    (report / PDF).unlink()
    texts = [check.text for check in verify(report, recompute=False) if check.rule == "files"]
    assert texts == [f"{PDF}: is missing", "data/more.csv: does not belong to the report"]
    assert PDF in wrong(report)["complete"]


def forge(folder, name: str, content: bytes) -> None:
    """Change a file and make manifest and seal fit again, as somebody would who knows them."""
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    manifest["outputs"][name] = sha256(folder / name)
    text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    (folder / SEAL).write_text(f"{sha256(folder / MANIFEST)}  {MANIFEST}\n", encoding="ascii")


@pytest.mark.rule("VER-02")
def test_a_notebook_without_its_tables_is_incomplete_even_if_all_hashes_fit(report):
    name = "notebooks/03_dose_finding.ipynb"
    book = json.loads((report / name).read_text(encoding="utf-8"))
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = []
    forge(report, name, json.dumps(book).encode())
    found = wrong(report)
    assert set(found) == {"complete"}
    assert "T 14.2.1.2" in found["complete"]


@pytest.mark.rule("VER-03")
def test_a_number_without_a_result_is_found_even_if_all_hashes_fit(report):
    page = (report / HTML).read_text(encoding="utf-8")
    key = "response.best_response/total/made-up/-/rate"
    forge(report, HTML, page.replace('data-key="', f'data-key="{key} ', 1).encode())
    assert wrong(report) == {"links": f"a number of the documents names 1 unknown results: {key}"}


@pytest.mark.rule("VER-04")
def test_other_programs_are_a_note_and_not_an_error(report):
    manifest = read_manifest(report)
    manifest["environment"]["packages"]["pandas"] = "0.0.1"
    manifest["environment"]["python"] = "3.0.0"
    manifest["code"]["sha256"] = "0" * 64
    (report / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    notes = [check.text for check in verify(report, recompute=False) if check.status == "note"]
    assert len(notes) == 3
    assert "is not the one of the report" in notes[0]
    assert notes[1].startswith("python: 3.0.0 then")
    assert notes[2].startswith("1 packages differ: pandas 0.0.1 (")


def recomputed(hand_run, monkeypatch, adam, store) -> dict[str, str]:
    """Verify with other derivations in the place of the installed ones; return what is said of each dataset."""
    monkeypatch.setattr("interim.adam.build_adam", lambda sdtm, study: adam)
    # What the parameters state differs, because the run wrote more formats.
    study = study_of(hand_run.folder, read_manifest(hand_run.folder))
    stated = question("parameters.stated", adam, study, None)
    store = ResultStore({**store.results, "parameters.stated": stated})
    monkeypatch.setattr("interim.report.chapter.answers", lambda adam, study, sdtm: store)
    checks = [check for check in verify(hand_run.folder) if check.rule in ("datasets", "results")]
    return {check.text.split(":")[0]: f"{check.status} {check.text}" for check in checks}


@pytest.mark.rule("VER-05")
def test_equal_datasets_and_results_are_computed_again(hand_run, hand_inputs, monkeypatch):
    found = recomputed(hand_run, monkeypatch, hand_inputs.adam, hand_inputs.store)
    assert all(text.startswith("ok ") for text in found.values())
    assert set(found) == {*hand_inputs.adam.datasets, "results", "links"}
    rows = sum(len(result.frame) for result in hand_inputs.store.values())
    assert found["results"] == f"ok results: {rows} rows, 16 columns computed again and equal"


@pytest.mark.rule("VER-05")
def test_a_cell_that_does_not_follow_from_the_data_is_named(hand_run, hand_inputs, monkeypatch):
    adsl = hand_inputs.adam["ADSL"].copy()
    adsl.loc[3, "AGE"] += 1
    name = "response.best_response"
    frame = hand_inputs.store[name].frame.copy()
    frame.loc[0, "value"] += 1
    adam = replace(hand_inputs.adam, datasets={**hand_inputs.adam.datasets, "ADSL": adsl})
    store = ResultStore({**hand_inputs.store, name: replace(hand_inputs.store[name], frame=frame)})
    found = recomputed(hand_run, monkeypatch, adam, store)
    wrongs = {key: text for key, text in found.items() if text.startswith("wrong")}
    assert set(wrongs) == {"ADSL", "results"}
    assert "ADSL: 1 values differ from the computed ones: AGE, row 4: " in wrongs["ADSL"]
    assert "1 values differ" in wrongs["results"]


@pytest.mark.rule("VER-05")
def test_data_that_cannot_be_derived_again_are_said(hand_run, monkeypatch):
    def refuse(sdtm, study):
        raise DerivationError("DM: participant 01-003 stands twice")

    monkeypatch.setattr("interim.adam.build_adam", refuse)
    checks = [check for check in verify(hand_run.folder) if check.rule == "results"]
    assert [str(check) for check in checks] == [
        "wrong results: cannot be computed again: DM: participant 01-003 stands twice"
    ]


@pytest.mark.rule("VER-05")
def test_where_two_frames_differ():
    one = pd.DataFrame({"a": [1.0, float("nan"), 3.0], "b": ["x", None, "z"]})
    assert differences(one, one.copy()) == []
    other = pd.DataFrame({"a": [1.0 + 1e-13, float("nan"), 3.001], "b": ["x", None, "y"]})
    assert differences(one, other) == ["a, row 3: 3.0, 3.001", "b, row 3: 'z', 'y'"]
    assert differences(one, one.assign(c=1)) == ["shape and columns: (3, 2) stored, (3, 3) computed"]
    assert differences(one, other.assign(a=[1.0, 2.0, 3.0], b=one["b"])) == ["a, row 2: nan, 2.0"]


@pytest.mark.rule("STATE-01")
def test_the_stored_source_data_come_back_as_they_were(tmp_path):
    ae = pd.DataFrame(
        {"USUBJID": ["A", "B"], "AETERM": ["肝痛", None], "AESEQ": [1.0, 2.0], "SRCROW": [2, 3]}
    )
    empty = pd.DataFrame({"USUBJID": pd.Series([], dtype=object)})
    finding = Finding(
        "AE-GRADE", "warn", "AE", "grade 6", "A", ("1",), "AETOXGR", "6", "1-5", ("T 1",), "ae.csv", 2
    )
    made = Sdtm(
        {"AE": ae, "DM": empty},
        datetime(2026, 6, 30, 23, 59, 59),
        (Source("ae.csv", "AE", "csv", "0" * 64, 2, "utf-8"),),
        (finding,),
        (LedgerLine("CUT-ONGOING", "AE", "A", "1", "AEENDTC", "2026-07-02", ""),),
        pd.DataFrame({"domain": ["AE"], "read": [2], "kept": [2], "removed": [0], "blanked": [0]}),
        (("AE-GRADE", "warn", "run"),),
    )
    save_state(tmp_path, made)
    back = read_state(tmp_path)
    for name, frame in made.domains.items():
        pd.testing.assert_frame_equal(back.domains[name], frame)
    pd.testing.assert_frame_equal(back.counts, made.counts)
    assert replace(back, domains={}, counts=None) == replace(made, domains={}, counts=None)


@pytest.mark.rule("STATE-01")
@pytest.mark.parametrize("spoil", ["missing", "no JSON", "other fields", "no table"])
def test_a_stored_state_that_cannot_be_read_is_refused(spoil, tmp_path):
    save_state(tmp_path, Sdtm({"DM": pd.DataFrame({"USUBJID": ["A"]})}, datetime(2026, 1, 1)))
    facts = tmp_path / "state" / "sdtm.json"
    if spoil == "missing":
        shutil.rmtree(tmp_path / "state")
    elif spoil == "no JSON":
        facts.write_text("{", encoding="utf-8")
    elif spoil == "other fields":
        facts.write_text("{}", encoding="utf-8")
    else:
        (tmp_path / "state" / "dm.parquet").write_bytes(b"PAR1")
    with pytest.raises(ReportError, match="the stored source data of this run cannot be read"):
        read_state(tmp_path)


@pytest.mark.rule("STATE-02")
def test_the_parameters_of_a_report_come_back(hand_run):
    study = read_study(hand_run.study)
    back = study_of(hand_run.folder, read_manifest(hand_run.folder))
    assert (back.resolved(), back.readings) == (study.resolved(), study.readings)
    manifest = read_manifest(hand_run.folder)
    manifest["parameters"]["values"]["dose"]["colour"] = "red"
    with pytest.raises(StudyError, match=r"dose\.colour: unknown key"):
        study_of(hand_run.folder, manifest)


@pytest.mark.rule("VER-01")
@pytest.mark.parametrize(
    ("content", "words"), [(None, "no readable manifest"), ("[]", "no manifest"), ("{", "no readable")]
)
def test_a_folder_without_a_manifest_is_refused(content, words, tmp_path):
    if content is not None:
        (tmp_path / MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(ReportError, match=words):
        verify(tmp_path)


@pytest.mark.rule("CLI-02")
def test_the_command_says_what_is_wrong_and_how_much(report, capsys):
    assert cli.main(["verify", str(report), "--quick"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "verified: 6 checks"
    (report / PDF).write_bytes(b"")
    assert cli.main(["verify", str(report), "--quick"]) == 1
    assert f"wrong files: {PDF}: is not as it was written" in capsys.readouterr().out
    assert cli.main(["verify", str(report), "--quick", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["status"] == "wrong"


@pytest.mark.rule("VER-03")
def test_a_record_without_a_result_and_results_that_cannot_be_read_are_found(report):
    name = "data/links.parquet"
    links = pd.read_parquet(report / name)
    more = pd.DataFrame([{**links.iloc[0], "result_id": "made/up/by/-/hand"}])
    pd.concat([links, more], ignore_index=True).to_parquet(report / name, index=False)
    forge(report, name, (report / name).read_bytes())
    assert wrong(report) == {"links": "a record names 1 unknown results: made/up/by/-/hand"}
    forge(report, "data/results.parquet", b"PAR1")
    assert wrong(report)["links"].startswith("results cannot be read: ")


@pytest.mark.rule("VER-05")
def test_a_dataset_that_is_gone_is_found_when_it_is_computed_again(report, hand_inputs, monkeypatch):
    monkeypatch.setattr("interim.adam.build_adam", lambda sdtm, study: hand_inputs.adam)
    monkeypatch.setattr("interim.report.chapter.answers", lambda adam, study, sdtm: hand_inputs.store)
    (report / "data" / "adsl.parquet").unlink()
    checks = [str(check) for check in verify(report) if check.rule == "datasets" and check.status == "wrong"]
    assert len(checks) == 1
    assert checks[0].startswith("wrong datasets: ADSL: cannot be read: FileNotFoundError")
    files = [check.text for check in verify(report, recompute=False) if check.rule == "files"]
    assert files == ["data/adsl.parquet: is missing"]

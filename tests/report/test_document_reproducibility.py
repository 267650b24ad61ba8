"""Document 09: hashes of what went in and came out, and what was computed a second time."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from interim.errors import ReportError
from interim.report.documents import reproducibility as module
from interim.report.documents.reproducibility import artefacts, manifest, read_validation, recomputation
from interim.report.freshness import lock_hash
from interim.report.hashes import snapshot_hash
from interim.study import read_study

STUDY = read_study(Path(__file__).resolve().parents[2] / "params" / "example.toml")
SET = {
    "file": "clinical/numbers.json",
    "area": "clinical",
    "cases": 3,
    "compared": 40,
    "agree": 40,
    "worst_rel_error": 2.5e-11,
    "tolerance": 1e-9,
    "tolerances": {},
    "disagreements": [],
}


def made(**outputs: str) -> SimpleNamespace:
    sources = (
        SimpleNamespace(name="dm.csv", domain="DM", sha256="a" * 64),
        SimpleNamespace(name="ae.csv", domain="AE", sha256="b" * 64),
    )
    inputs = SimpleNamespace(study=STUDY, sdtm=SimpleNamespace(sources=sources))
    return SimpleNamespace(inputs=inputs, outputs={f"documents/{k}.en.pdf": v for k, v in outputs.items()})


def cells(table) -> list[tuple[str, ...]]:
    return [tuple(cell.text for cell in row.cells) for row in table.rows]


@pytest.mark.rule("CHK-06", source="report-package.md section 2, document 09")
def test_every_artefact_stands_with_its_hash():
    case = made(**{"05_report": "c" * 64, "06_appendix": "d" * 64})
    table = artefacts(case)
    rows = cells(table)
    assert (table.id, table.title) == ("T 14.6.7", "Reproducibility manifest")
    assert rows[0] == ("data snapshot", "", snapshot_hash(case.inputs.sdtm.sources))
    assert rows[1:3] == [("input file", "dm.csv", "a" * 64), ("input file", "ae.csv", "b" * 64)]
    by_kind = {kind: (name, value) for kind, name, value in rows}
    assert by_kind["parameters"] == ("SYN-NKG2D-01", STUDY.digest())
    assert by_kind["lock file"] == ("", lock_hash())
    assert by_kind["seed"] == ("study.seed", "20251225")
    assert len(by_kind["programs"][1]) == 64
    assert rows[-2:] == [
        ("document", "05_report.en.pdf", "c" * 64),
        ("document", "06_appendix.en.pdf", "d" * 64),
    ]


@pytest.mark.rule("CHK-06", source="no document can hold its own hash")
def test_what_is_left_out_is_said_and_no_clock_is_in_it():
    table = artefacts(made())
    assert "this document" in table.footnotes[0] and "manifest.json" in table.footnotes[0]
    assert cells(table) == cells(artefacts(made()))


@pytest.mark.rule("CHK-07")
def test_without_a_recorded_validation_the_table_says_how_to_record_it(monkeypatch):
    monkeypatch.delenv(module.VARIABLE, raising=False)
    first, text, table, second, said, again = manifest(made())
    assert (first.title, second.title) == ("Artefacts of this package", "Independent re-computation")
    assert "R is not run on this computer" in said.spans[0].text
    assert "interim validate FOLDER --json" in again.rows[0].cells[0].text
    assert (table.id, again.id, len(again.rows)) == ("T 14.6.7", "T 14.6.8", 1)
    assert text.spans


@pytest.mark.rule("CHK-07", source="sums by hand: 5 cases, 50 values, 49 agree")
def test_a_recorded_validation_gives_a_row_per_set_and_a_total():
    other = {
        **SET,
        "file": "stats/x.csv",
        "cases": 2,
        "compared": 10,
        "agree": 9,
        "worst_rel_error": 0.25,
        "tolerances": {"p": 1e-6},
        "disagreements": [{"case": "1", "field": "p", "expected": 1, "found": 2}],
    }
    table = recomputation({"files": [SET, other], "not_covered": ["new.json"]})
    assert cells(table) == [
        ("clinical/numbers.json", "3", "40", "40", "2.5e-11", "1e-09", "pass"),
        ("stats/x.csv", "2", "10", "9", "2.5e-01", "1e-09*", "differs"),
        ("All sets", "5", "50", "49", "2.5e-01", "–", "differs"),
    ]
    assert table.footnotes[-1] == "Files of the packs that no runner knows: new.json."
    alone = recomputation({"files": [SET], "not_covered": []})
    assert cells(alone)[-1][-1] == "pass"
    assert len(alone.footnotes) == 1


@pytest.mark.rule("CHK-07", source="a set of which not every value was compared with success")
def test_a_set_that_agrees_in_part_does_not_pass():
    table = recomputation({"files": [{**SET, "agree": 39}], "not_covered": []})
    assert [row[-1] for row in cells(table)] == ["differs", "differs"]


@pytest.mark.rule("CHK-07")
def test_the_recorded_file_is_read_where_the_environment_names_it(tmp_path, monkeypatch):
    file = tmp_path / "validation.json"
    file.write_text(json.dumps({"files": [SET], "not_covered": []}), encoding="utf-8")
    assert read_validation(file)["files"][0]["compared"] == 40
    monkeypatch.setenv(module.VARIABLE, str(file))
    *_, table = manifest(made())
    assert len(table.rows) == 2


@pytest.mark.rule("CHK-07")
@pytest.mark.parametrize(
    "text",
    [
        None,
        "no json",
        "[]",
        "{}",
        '{"files": [{}], "not_covered": []}',
        '{"files": [], "not_covered": 3}',
    ],
)
def test_a_file_that_is_no_validation_is_refused(tmp_path, text):
    file = tmp_path / "validation.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ReportError, match="no output of interim validate FOLDER --json"):
        read_validation(file)

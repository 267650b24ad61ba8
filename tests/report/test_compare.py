"""Two runs are compared with small questions whose answers are known by hand; each change has the cause that was planted."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import interim
from interim import cli
from interim.data.model import Sdtm, Source
from interim.errors import DataError, Finding, ReportError
from interim.report.changes import change_document, lines, write_changes
from interim.report.compare import UNEXPLAINED, compare
from interim.report.hashes import joined, tree
from interim.report.registry import registry
from interim.report.state import save_state
from interim.result import ResultStore, Rows
from interim.study import read_study
from tests.report import handmade

INSTALLED = joined(tree(Path(interim.__file__).parent).items())
QUESTION = "baseline.demography"


def demography(sdtm: Sdtm, study) -> ResultStore:
    """Number of participants, sum of their ages, number of adverse events of the seed's parity, cut-off."""
    dm, ae = sdtm.domain("DM"), sdtm.domain("AE")
    rows = Rows(QUESTION, "Demography", "ENR")
    rows.add("n", len(dm), n=len(dm), N=len(dm))
    rows.add("sum", dm["AGE"].sum(), variable="age")
    rows.add("n", len(ae), variable="events")
    rows.add("value", study.response.sd_min_weeks, variable="limit")
    rows.add("value", 1, variable="fixed")
    rows.add("text", None, variable="cut", text=f"{sdtm.cut:%Y-%m-%d}")
    return ResultStore({QUESTION: rows.build()})


@pytest.fixture(autouse=True)
def small_questions(monkeypatch):
    monkeypatch.setattr("interim.adam.build_adam", lambda sdtm, study: SimpleNamespace(findings=()))
    monkeypatch.setattr("interim.report.chapter.answers", lambda adam, study, sdtm: demography(sdtm, study))


def subjects(*ages: float, first: int = 1) -> pd.DataFrame:
    ids = [f"01-{n:03}" for n in range(first, first + len(ages))]
    return pd.DataFrame({"USUBJID": ids, "AGE": list(ages), "SRCFILE": "dm.csv", "SRCROW": range(len(ages))})


def events(*terms: tuple[str, str, int]) -> pd.DataFrame:
    frame = pd.DataFrame(terms, columns=["USUBJID", "AETERM", "AESEQ"])
    return frame.assign(AESTDTC="2026-01-02", SRCFILE="ae.csv", SRCROW=range(len(terms)))


AE = events(("01-001", "Fever", 1), ("01-002", "Rash", 1))


@dataclass
class Maker:
    """Writes the folders of two runs."""

    home: Path

    def study(self, extra: str = "", cut: str = "2026-03-31", id: str = "HAND"):
        folder = self.home / f"p{len(list(self.home.glob('p*')))}"
        file = handmade.write_study(folder)
        text = file.read_text(encoding="utf-8").replace("2026-06-30", cut).replace('"HAND"', f'"{id}"')
        file.write_text(text + extra, encoding="utf-8")
        return read_study(file)

    def run(self, name: str, sdtm: Sdtm, study, *, code: str = INSTALLED, store=None) -> Path:
        folder = self.home / name
        (folder / "data").mkdir(parents=True)
        save_state(folder, sdtm)
        frame = (store or demography(sdtm, study)).frame()
        frame.to_parquet(folder / "data" / "results.parquet", index=False)
        confirmed = [reading.amb for reading in study.readings if reading.confirmed]
        manifest = {
            "study": {"id": study.study.id},
            "key": {"confirmed": confirmed},
            "parameters": {"values": study.resolved()},
            "code": {"sha256": code},
            "environment": {},
            "outputs": {},
        }
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return folder


@pytest.fixture
def maker(tmp_path):
    return Maker(tmp_path)


def sdtm(dm, ae=AE, day=31, month=3, **more) -> Sdtm:
    source = Source("dm.csv", "DM", "csv", str(len(dm)) * 64, len(dm))
    return Sdtm({"DM": dm, "AE": ae}, datetime(2026, month, day, 23, 59, 59), (source,), **more)


def causes(found) -> dict[str, tuple[str, ...]]:
    return {change.result_id.split("/", 2)[2]: (change.cause, *change.later) for change in found.changes}


@pytest.mark.rule("CMP-01")
def test_equal_runs_have_no_change(maker):
    study = maker.study()
    old, new = (maker.run(name, sdtm(subjects(50, 60)), study) for name in ("old", "new"))
    found = compare(old, new)
    assert (found.changes, found.parameters, found.records, found.withdrawn, found.notes) == (
        (),
        (),
        (),
        (),
        (),
    )
    assert found.numbers == 6
    tlfs = [tlf.id for tlf in registry() if tlf.analysis == QUESTION]
    assert {found.totals[tlf] for tlf in tlfs} == {(0, 6)}
    assert f"{tlfs[0]}: unchanged (6)" in list(lines(found))


@pytest.mark.rule("CMP-01")
def test_each_change_has_the_cause_that_was_planted(maker):
    """The limit is a parameter, an age is corrected, a participant is added, the cut-off moves with the data."""
    old = maker.run("old", sdtm(subjects(50, 60)), maker.study())
    new_dm = pd.concat([subjects(50, 61), subjects(70, first=3)], ignore_index=True)
    later = maker.study("[response]\nsd_min_weeks = 7.0\n", cut="2026-06-30")
    new = maker.run("new", sdtm(new_dm, day=30, month=6), later)
    found = compare(old, new)
    assert causes(found) == {
        "-/-/n": ("new_data",),
        "age/-/sum": ("correction", "new_data"),
        "limit/-/value": ("parameter",),
        "cut/-/text": ("new_data",),
    }
    by_id = {change.result_id.split("/", 2)[2]: change for change in found.changes}
    assert (by_id["age/-/sum"].old, by_id["age/-/sum"].new) == ("110", "181")
    assert (by_id["-/-/n"].old, by_id["-/-/n"].new) == ("2 (n=2, N=2)", "3 (n=3, N=3)")
    assert found.records == (("DM", 1, 0, 1),)
    assert ("response.sd_min_weeks", str(maker.study().response.sd_min_weeks), "7.0") in found.parameters
    assert [path for path, *_ in found.parameters] == ["data.cut_date", "response.sd_min_weeks"]
    assert "4 of 6 numbers changed: 1 parameter, 1 correction, 2 new_data" in list(lines(found))


@pytest.mark.rule("CMP-01")
def test_the_programs_are_the_first_cause(maker):
    """The older programs counted ages from the birthday before: 108 instead of 110; then an age is corrected."""
    study = maker.study()
    store = demography(sdtm(subjects(50, 60)), study)
    frame = store[QUESTION].frame.copy()
    frame.loc[frame["result_id"].str.endswith("age/-/sum"), "value"] = 108.0
    before = ResultStore({QUESTION: replace(store[QUESTION], frame=frame)})
    old = maker.run("old", sdtm(subjects(50, 60)), study, code="0" * 64, store=before)
    new = maker.run("new", sdtm(subjects(50, 63)), study)
    found = compare(old, new)
    assert causes(found) == {"age/-/sum": ("code", "correction")}
    assert (found.changes[0].old, found.changes[0].new) == ("108", "113")


@pytest.mark.rule("CMP-02")
def test_a_withdrawn_participant_is_a_correction_and_is_named(maker):
    study = maker.study()
    old = maker.run("old", sdtm(subjects(50, 60)), study)
    new = maker.run("new", sdtm(subjects(60, first=2), AE[AE["USUBJID"] == "01-002"]), study)
    found = compare(old, new)
    assert found.withdrawn == ("01-001",)
    assert found.records == (("AE", 0, 1, 0), ("DM", 0, 1, 0))
    assert causes(found) == {
        "-/-/n": ("correction",),
        "age/-/sum": ("correction",),
        "events/-/n": ("correction",),
    }
    assert "withdrawn: 01-001" in list(lines(found))


@pytest.mark.rule("PRV-16")
def test_a_withdrawal_is_told_apart_from_other_corrections(maker):
    """01-001 has withdrawn, the age of 01-002 is corrected; the number of participants was changed by the first alone."""
    study = maker.study()
    source = (Source("dm.csv", "DM", "csv", "0" * 64, 3),)
    found_in = (Finding("AE-X", "warn", "AE", "odd", subject="01-001"),)
    before = replace(sdtm(subjects(50, 60, 70), findings=found_in), sources=source)
    after = replace(sdtm(subjects(61, 70, first=2), AE[AE["USUBJID"] == "01-002"]), sources=source)
    found = compare(maker.run("old", before, study), maker.run("new", after, study))
    reasons = {c.result_id.split("/", 2)[2]: (c.cause, c.reason, c.later) for c in found.changes}
    assert reasons == {
        "-/-/n": ("correction", "withdrawal", ()),
        "age/-/sum": ("correction", "withdrawal", ()),
        "events/-/n": ("correction", "withdrawal", ()),
    }
    assert found.withdrawn == ("01-001",)
    assert "3 of them by withdrawal" in list(lines(found))


@pytest.mark.rule("PRV-16")
def test_a_number_that_only_another_correction_changes_has_no_reason(maker):
    study = maker.study()
    before = sdtm(subjects(0, 60, 70))
    after = replace(sdtm(subjects(61, 70, first=2), AE[AE["USUBJID"] == "01-002"]), sources=before.sources)
    found = compare(maker.run("old", before, study), maker.run("new", after, study))
    age = next(change for change in found.changes if "/age/" in change.result_id)
    assert (age.cause, age.reason, age.old, age.new) == ("correction", "", "130", "131")


@pytest.mark.rule("PRV-16")
def test_the_change_report_names_the_reason(maker, tmp_path):
    study = maker.study()
    before = sdtm(subjects(50, 60))
    after = replace(sdtm(subjects(60, first=2), AE[AE["USUBJID"] == "01-002"]), sources=before.sources)
    found = compare(maker.run("old", before, study), maker.run("new", after, study))
    assert {(c.cause, c.reason) for c in found.changes} == {("correction", "withdrawal")}
    write_changes(found, tmp_path / "changes", study=study)
    with (tmp_path / "changes" / "changes.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {(row["cause"], row["reason"]) for row in rows} == {("correction", "withdrawal")}
    texts = list(change_document(found, timestamp=datetime(2026, 1, 1, tzinfo=UTC)).texts())
    assert "correction (withdrawal)" in texts


@pytest.mark.rule("CMP-02")
def test_renumbered_records_are_the_same_and_a_corrected_key_is_a_correction(maker):
    study = maker.study()
    old = maker.run("old", sdtm(subjects(50, 60)), study)
    renumbered = events(("01-001", "Chills", 1), ("01-001", "Fever", 2), ("01-002", "Rash", 1))
    found = compare(old, maker.run("new", sdtm(subjects(50, 60), renumbered), study))
    assert found.records == (("AE", 0, 0, 1),)
    assert causes(found) == {"events/-/n": ("new_data",)}
    corrected = events(("01-001", "Pyrexia", 1), ("01-002", "Rash", 1))
    found = compare(old, maker.run("newer", sdtm(subjects(50, 60), corrected), study))
    assert found.records == (("AE", 1, 0, 0),)
    assert found.changes == ()


@pytest.mark.rule("CMP-02")
def test_records_that_are_equal_in_all_keys_are_told_apart_by_their_order(maker):
    twice = events(("01-001", "Fever", 1), ("01-001", "Fever", 2)).drop(columns="AESEQ")
    thrice = events(("01-001", "Fever", 1), ("01-001", "Fever", 2), ("01-001", "Fever", 3)).drop(
        columns="AESEQ"
    )
    study = maker.study()
    old = maker.run("old", sdtm(subjects(50, 60), twice), study)
    found = compare(old, maker.run("new", sdtm(subjects(50, 60), thrice), study))
    assert found.records == (("AE", 0, 0, 1),)


@pytest.mark.rule("CMP-03")
def test_what_no_step_gives_is_unexplained_and_fails(maker, capsys):
    study = maker.study()
    store = demography(sdtm(subjects(50, 60)), study)
    frame = store[QUESTION].frame.copy()
    frame.loc[frame["result_id"].str.endswith("age/-/sum"), "value"] = 999.0
    forged = ResultStore({QUESTION: replace(store[QUESTION], frame=frame)})
    old = maker.run("old", sdtm(subjects(50, 60)), study)
    new = maker.run("new", sdtm(subjects(50, 60)), study, store=forged)
    assert [change.cause for change in compare(old, new).unexplained] == [UNEXPLAINED]
    assert cli.main(["compare", str(old), str(new)]) == 1
    assert "unexplained baseline.demography/total/age/-/sum: 110 -> 999" in capsys.readouterr().out


@pytest.mark.rule("CMP-03")
def test_the_order_of_the_causes_is_a_parameter(maker):
    """With new data before corrections, the added age is the first cause."""
    order = '[change]\norder = ["code", "parameter", "new_data", "correction"]\n'
    old = maker.run("old", sdtm(subjects(50, 60)), maker.study(order))
    new_dm = pd.concat([subjects(50, 61), subjects(70, first=3)], ignore_index=True)
    found = compare(old, maker.run("new", sdtm(new_dm), maker.study(order)))
    assert causes(found)["age/-/sum"] == ("new_data", "correction")


@pytest.mark.rule("CMP-03")
def test_a_step_that_stops_is_noted_and_counts_in_the_next(maker, monkeypatch):
    old = maker.run("old", sdtm(subjects(50, 60)), maker.study())
    new_dm = pd.concat([subjects(50, 61), subjects(70, first=3)], ignore_index=True)
    new = maker.run("new", sdtm(new_dm), maker.study())

    def build(data, study):
        if len(data.domain("DM")) == 2:
            raise DataError([Finding("XD", "stop", "DM", "half of a correction")])
        return SimpleNamespace(findings=())

    monkeypatch.setattr("interim.adam.build_adam", build)
    found = compare(old, new)
    assert causes(found)["age/-/sum"] == ("new_data",)
    assert len(found.notes) == 1
    assert "after the step correction nothing could be computed" in found.notes[0]


@pytest.mark.rule("CMP-04")
def test_runs_that_cannot_be_compared_are_refused(maker):
    study = maker.study()
    old = maker.run("old", sdtm(subjects(50, 60)), study)
    other = maker.run("other", sdtm(subjects(50, 60)), maker.study(id="ELSE"))
    with pytest.raises(ReportError, match="different studies: HAND and ELSE"):
        compare(old, other)
    foreign = maker.run("foreign", sdtm(subjects(50, 60)), study, code="f" * 64)
    with pytest.raises(ReportError, match="made by other programs than those installed"):
        compare(old, foreign)
    order = '[change]\norder = ["parameter", "code", "correction", "new_data"]\n'
    late = maker.run("late", sdtm(subjects(50, 60)), maker.study(order))
    with pytest.raises(ReportError, match=r"change\.order must begin with code"):
        compare(foreign, late)
    (old / "state" / "sdtm.json").unlink()
    with pytest.raises(ReportError, match="stored source data of this run cannot be read"):
        compare(old, other)


@pytest.mark.rule("CMP-05")
def test_the_change_report_holds_every_change_and_no_formula(maker, capsys):
    old = maker.run("old", sdtm(subjects(50, 60)), maker.study())
    new_dm = pd.concat([subjects(50, 61), subjects(70, first=3)], ignore_index=True)
    later = maker.study("[response]\nsd_min_weeks = 7.0\n", cut="2026-06-30")
    new = maker.run("new", sdtm(new_dm, day=30, month=6), later)
    out = maker.home / "changes"
    assert cli.main(["compare", str(old), str(new), "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {"changes.csv", "changes.html"}
    rows = list(csv.DictReader((out / "changes.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["cause"] for row in rows} == {"parameter", "correction", "new_data"}
    assert len(rows) == 4
    document = change_document(compare(old, new), timestamp=datetime(2026, 7, 1, tzinfo=UTC))
    summary, parameters, records, listed = document.tables
    tlf = next(t.id for t in registry() if t.analysis == QUESTION)
    row = next(r for r in summary.rows if r.cells[0].text == tlf)
    assert [cell.text for cell in row.cells] == [tlf, "4/6", "0", "1", "1", "2", "0", "to be checked again"]
    assert parameters.rows[1].cells[0].text == "response.sd_min_weeks"
    assert [cell.text for cell in records.rows[0].cells] == ["DM", "1", "0", "1"]
    assert {r.cells[1].text.split("/", 2)[2] for r in listed.rows} == {"age/-/sum", "limit/-/value"}


@pytest.mark.rule("CMP-05")
def test_a_text_that_begins_like_a_formula_is_no_formula(maker, monkeypatch):
    study = maker.study()
    old, new = (maker.run(name, sdtm(subjects(50, 60)), study) for name in ("old", "new"))
    found = compare(old, new)
    from interim.report.compare import Change

    changes = (Change("a/b", (), "-5", "=1+1", "code"), Change("a/c", (), "+x", "-0.5", "code"))
    write_changes(replace(found, changes=changes), maker.home / "out", study=study)
    rows = list(csv.DictReader((maker.home / "out" / "changes.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["old"], row["new"]) for row in rows] == [("-5", "'=1+1"), ("'+x", "-0.5")]

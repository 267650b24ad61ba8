"""Files that are traps: one clear finding each, no exception, and no memory for what they pretend to hold."""

from __future__ import annotations

import gzip
import tracemalloc
import zipfile
import zlib

import pytest
from tests.data.test_read import workbook

from interim.data.check import run_checks
from interim.data.mapping import deliveries
from interim.data.notation import looks_iso, notations
from interim.data.opening import read_data
from interim.data.read import raw, read_file, text
from interim.errors import Finding, StudyError
from interim.study import read_study

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
ROW = '<row r="1"><c r="A1" t="inlineStr"><is><t>A</t></is></c></row>'
LIMIT = 1024**2


@pytest.fixture
def small(monkeypatch):
    """Limits of one MiB, so that the traps of a test are small."""
    for module, name in (("datasetjson", "LARGEST_STREAM"), ("workbook", "LARGEST_PART")):
        monkeypatch.setattr(f"interim.data.read.{module}.{name}", LIMIT)
    monkeypatch.setattr("interim.data.read.LARGEST_FILE", 20 * LIMIT)


def only(path, **options):
    """Return the one finding of a file that cannot be read, and the peak of memory."""
    tracemalloc.start()
    read = read_file(path, "AE", **options)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    (finding,) = read.findings
    assert read.table is None
    assert (finding.severity, finding.file) == ("stop", path.name)
    return finding, peak


@pytest.mark.rule("READ-11")
def test_the_limits_hold_five_million_results_and_no_trap():
    assert raw.LARGEST_PART < raw.LARGEST_STREAM < raw.LARGEST_FILE
    assert raw.LARGEST_FILE == 2 * 1024**3


@pytest.mark.rule("READ-11", source="a stream of 60 MB of blanks in 60 kB")
@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_a_stream_that_unpacks_to_too_much(tmp_path, small, pack):
    path = tmp_path / "ae.dsjc"
    path.write_bytes(pack(b" " * (60 * LIMIT)))
    finding, peak = only(path)
    assert "holds more than" in finding.message
    assert peak < 4 * LIMIT


@pytest.mark.rule("READ-11", source="a line of 60 MB in a stream is never held")
@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_a_line_without_end_in_a_stream(tmp_path, monkeypatch, pack):
    monkeypatch.setattr("interim.data.read.datasetjson.LARGEST_LINE", LIMIT)
    path = tmp_path / "ae.dsjc"
    path.write_bytes(pack(b" " * (60 * LIMIT)))
    finding, peak = only(path)
    assert "a line of the compressed stream" in finding.message
    assert peak < 8 * LIMIT


@pytest.mark.rule("READ-11")
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"])
def test_a_workbook_that_unpacks_to_too_much(tmp_path, small, part):
    path = workbook(tmp_path / "x.xlsx", ROW)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()} | {part: b" " * (60 * LIMIT)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    finding, peak = only(path)
    assert part in finding.message
    assert "unpacks to more than" in finding.message
    assert peak < 6 * LIMIT


@pytest.mark.rule("READ-11")
def test_a_file_that_is_too_large_is_not_read(tmp_path, small):
    path = tmp_path / "ae.csv"
    with path.open("wb") as stream:
        stream.truncate(4 * 1024**3)  # sparse: 4 GB of nothing
    finding, peak = only(path)
    assert "4294967296 bytes" in finding.message
    assert peak < LIMIT


@pytest.mark.rule("READ-11")
def test_a_cell_without_end(tmp_path):
    path = tmp_path / "ae.csv"
    path.write_bytes(b"A,B\n1," + b"x" * 5_000_000 + b"\n")
    finding, _ = only(path)
    assert (finding.rule, finding.row) == ("XD-FILE", 2)
    assert "larger than field limit" in finding.message


@pytest.mark.rule("READ-11", source="a line of 64 MB is never held")
def test_a_line_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "LARGEST_LINE", LIMIT)
    path = tmp_path / "ae.csv"
    path.write_bytes(b"A,B\n1," + b"x" * (64 * LIMIT) + b"\n2,3\n")
    finding, peak = only(path)
    assert (finding.rule, finding.row) == ("XD-FILE", 2)
    assert "correct the row" in finding.message
    assert peak < 12 * LIMIT


@pytest.mark.rule("READ-11")
def test_a_quotation_mark_that_stays_open(tmp_path):
    path = tmp_path / "ae.csv"
    path.write_text("A,B\n1,2\n3," + '"' + "4\n5,6\n" * 50_000)
    finding, _ = only(path)
    assert (finding.rule, finding.row) == ("XD-FILE", 3)
    assert "quotation mark that is not closed" in finding.message


@pytest.mark.rule("READ-11")
def test_a_link_in_a_folder_that_leads_out_is_not_read(tmp_path):
    home = tmp_path / "home" / "raw"
    home.mkdir(parents=True)
    (tmp_path / "secret.csv").write_text("STUDYID,USUBJID,AETERM\nX,1,secret\n")
    (home / "ae.csv").symlink_to(tmp_path / "secret.csv")
    (home / "real.txt").write_text("STUDYID,USUBJID\nX,1\n")
    (home / "dm.csv").symlink_to(home / "real.txt")
    (home.parent / "study.toml").write_text(
        '[study]\nid = "X"\n[data]\npath = "raw"\ncut_date = 2026-06-30\n'
    )
    data = read_data(read_study(home.parent / "study.toml"))
    (finding,) = [f for f in data.findings if f.rule == "XD-FILE"]
    assert (finding.domain, finding.file, finding.severity) == ("AE", "ae.csv", "stop")
    assert not data.has("AE")
    assert len(data.domain("DM")) == 1


def test_a_file_name_with_a_line_break_is_one_line_of_the_report():
    line = str(Finding("MAP-DOMAIN", "info", "AE", "left unread\x1b[31m", file="ae\n.csv"))
    assert "\n" not in line
    assert "\x1b" not in line
    assert "[ae\\n.csv]" in line
    assert str(Finding("X", "warn", "AE", "血红蛋白 ≥ 3")).endswith("血红蛋白 ≥ 3")


@pytest.mark.rule("READ-06", source="one clear finding for one unreadable file")
@pytest.mark.parametrize("damage", ["NUL", "header used twice", "row too long"])
def test_supplemental_records_of_a_file_that_cannot_be_read_are_no_orphans(tmp_path, damage):
    raw_folder = tmp_path / "raw"
    raw_folder.mkdir()
    ae = "STUDYID,USUBJID,AESEQ,AETERM\nX,1,1,Fever\n"
    text_of = {
        "NUL": ae.replace("Fever", "Fe\0ver"),
        "header used twice": ae.replace("AESEQ", "AETERM"),
        "row too long": ae.replace("Fever", "Fever,x"),
    }
    (raw_folder / "ae.csv").write_text(text_of[damage])
    supp = "STUDYID,RDOMAIN,USUBJID,IDVAR,IDVARVAL,QNAM,QVAL\nX,AE,1,AESEQ,1,AESI,Y\n"
    (raw_folder / "suppae.csv").write_text(supp)
    (tmp_path / "study.toml").write_text('[study]\nid = "X"\n[data]\npath = "raw"\ncut_date = 2026-06-30\n')
    study = read_study(tmp_path / "study.toml")
    data = read_data(study)
    about_ae = {f.rule for f in data.findings if f.domain == "AE"}
    assert len(about_ae) == 1
    found = check_rules(data, study)
    assert [f for f in found if f.rule == "XD-SUPP"] == []
    (raw_folder / "ae.csv").write_text(ae.replace("X,1,1", "X,1,2"))
    assert len([f for f in check_rules(read_data(study), study) if f.rule == "XD-SUPP"]) == 1


def check_rules(data, study):
    return run_checks(data, study, only=["XD-SUPP"]).findings


ENTITIES = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.rule("READ-11")
@pytest.mark.parametrize("head", [ENTITIES, OUTSIDE])
def test_a_sheet_with_entities_is_not_parsed(tmp_path, head):
    path = workbook(tmp_path / "x.xlsx", ROW)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = (
        head + f"<worksheet {MAIN}><sheetData>{ROW.replace('>A<', '>&a;<')}</sheetData></worksheet>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    finding, _ = only(path)
    assert "declares a document type" in finding.message


@pytest.mark.rule("READ-11")
@pytest.mark.parametrize("target", ["../../../etc/passwd", "/etc/passwd", "worksheets/../../../etc/passwd"])
def test_a_part_is_never_read_from_outside_the_archive(tmp_path, target):
    path = workbook(tmp_path / "x.xlsx", ROW)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name).decode() for name in archive.namelist()}
    parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(
        "worksheets/sheet1.xml", target
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    finding, _ = only(path)
    assert "not a readable XLSX workbook" in finding.message
    assert "root:" not in finding.message


def study_of(folder, file):
    (folder / "raw").mkdir(exist_ok=True)
    (folder / "secret.csv").write_text("STUDYID,USUBJID\nX,1\n")
    (folder / "edc.toml").write_text(
        f"[source]\nname = 'edc'\npath = 'raw'\n[table.AE]\nrows = {{ file = '{file}' }}\nidentity = true\n"
    )
    text = '[study]\nid = "X"\n[data]\nsources = ["edc.toml"]\ncut_date = 2026-06-30\n'
    (folder / "study.toml").write_text(text)
    return read_study(folder / "study.toml")


@pytest.mark.rule("READ-11")
@pytest.mark.parametrize("file", ["../secret.csv", "/etc/passwd", "a/../../secret.csv"])
def test_a_mapping_cannot_name_a_file_outside_its_source(tmp_path, file):
    with pytest.raises(StudyError, match=r"table\.AE\.rows\.file: must stay within the folder of the source"):
        deliveries(study_of(tmp_path, file))


@pytest.mark.rule("READ-11")
def test_a_link_that_leads_out_is_refused_and_one_that_stays_is_not(tmp_path):
    study = study_of(tmp_path, "ae.csv")
    (tmp_path / "raw" / "ae.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(StudyError, match="must stay within"):
        deliveries(study)
    (tmp_path / "raw" / "ae.csv").unlink()
    (tmp_path / "raw" / "real.csv").write_text("STUDYID,USUBJID\nX,1\n")
    (tmp_path / "raw" / "ae.csv").symlink_to(tmp_path / "raw" / "real.csv")
    assert len(read_data(study).domain("AE")) == 1


DATES = (
    "STUDYID,USUBJID,AESEQ,AESTDTC\n"
    "X,1,1,2026-03-04\nX,1,2,04/03/2026\nX,2,1,March 4 2026\nX,2,2,20260304\nX,3,1,05/03/2026\nX,3,2,2026-02-30\n"
)


def of_start(sdtm, study):
    return [f for f in run_checks(sdtm, study).findings if (f.rule, f.variable) == ("XD-ISO", "AESTDTC")]


@pytest.mark.rule("DATE-05", source="four date formats in one column: one clear finding")
def test_four_formats_of_dates_in_one_column(tmp_path):
    study = study_of(tmp_path, "ae.csv")
    (tmp_path / "raw" / "ae.csv").write_text(DATES)
    sdtm = read_data(study)
    whole, day = sorted(of_start(sdtm, study), key=lambda f: f.row or 0)
    assert (whole.severity, whole.domain, whole.subject, whole.key, whole.row) == (
        "stop",
        "AE",
        None,
        (),
        None,
    )
    assert whole.message.startswith(
        "4 dates in 3 notations: ##/##/#### (2, first in row 3), ######## (1, first in row 5), text # #### (1, first in row 4); "
        "participants 1, 2, 3; declare their formats"
    )
    assert (day.row, day.value) == (7, "2026-02-30")
    assert sdtm.domain("AE")["AESTDTC"].tolist()[:2] == ["2026-03-04", "04/03/2026"]


@pytest.mark.rule("DATE-05")
def test_the_order_of_the_rows_changes_no_finding_about_notations(tmp_path):
    header, *rows = DATES.splitlines()
    ids = set()
    for turned in (rows, rows[::-1]):
        folder = tmp_path / str(len(ids))
        folder.mkdir()
        study = study_of(folder, "ae.csv")
        (folder / "raw" / "ae.csv").write_text("\n".join([header, *turned]) + "\n")
        ids.add(tuple(sorted(f.id for f in of_start(read_data(study), study))))
    assert len(ids) == 1


@pytest.mark.rule("DATE-05")
def test_one_date_in_another_notation_names_its_record(tmp_path):
    study = study_of(tmp_path, "ae.csv")
    (tmp_path / "raw" / "ae.csv").write_text("\n".join(DATES.splitlines()[:3]) + "\n")
    found = of_start(read_data(study), study)
    assert [(f.subject, f.row, f.value) for f in found] == [("1", 3, "04/03/2026")]


@pytest.mark.rule("DATE-05")
@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-02-30", True),
        ("2026-13", True),
        ("2026---04", True),
        ("--03-04", True),
        ("2026-03-04T25:00+08:00", True),
        ("2026-3-4", False),
        ("20260304", False),
        ("04-03-2026", False),
        ("04/03/2026", False),
        ("4 Mar 2026", False),
        ("2026年3月4日", False),
        ("unknown", False),
    ],
)
def test_what_is_written_as_iso(text, iso):
    assert looks_iso(text) is iso


@pytest.mark.rule("DATE-05")
def test_many_notations_and_participants_are_counted():
    texts = [f"{'x ' * n}1" for n in range(1, 10)]
    told = notations(texts, ["-"] * 9, [f"S{n}" for n in range(9)])
    assert told.startswith("9 dates in 9 notations: ")
    assert told.endswith("and 3 more; participants S0, S1, S2 and 6 more")
    assert (
        notations(["1/2", "3/4"], ["12", "9"], ["", ""]) == "2 dates in 1 notation: #/# (2, first in row 9)"
    )


@pytest.mark.rule("READ-11")
def test_a_merged_header_and_a_header_used_twice(tmp_path):
    merged = workbook(tmp_path / "m.xlsx", ROW, merged='<mergeCells><mergeCell ref="A1:B1"/></mergeCells>')
    assert "merged cells A1:B1; unmerge them" in only(merged)[0].message
    twice = ROW.replace("</row>", '<c r="B1" t="inlineStr"><is><t>A</t></is></c></row>')
    assert "every column needs a name of its own" in only(workbook(tmp_path / "t.xlsx", twice))[0].message

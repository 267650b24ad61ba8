"""Bad input: everything that is wrong in one folder is one report with place, rule and what to do; the last good report stays."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from pathlib import Path

import pytest

from interim import cli
from interim.data import open_data
from interim.data.opening import read_data
from interim.errors import DataError
from interim.example import write_study
from interim.study import read_study

ROOT = Path(__file__).resolve().parents[2]
PRESET, SEED = "tiny10", 20251225
KEPT = ("001", "002", "003")
WHO = "SYN-NKG2D-01-01-001"


class Table:
    """A CSV file whose records can be changed; `row` is the line in the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names, *self.records = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))

    def line(self, **wanted: str) -> int:
        """Return the line of the first record that holds these values."""
        for line, record in enumerate(self.records, 2):
            if all(record[self.names.index(name)] == value for name, value in wanted.items()):
                return line
        raise AssertionError(f"no such record in {self.path.name}: {wanted}")

    def cell(self, line: int, name: str) -> str:
        return self.records[line - 2][self.names.index(name)]

    def put(self, line: int, **values: str) -> int:
        for name, value in values.items():
            self.records[line - 2][self.names.index(name)] = value
        return line

    def copy(self, line: int, **values: str) -> int:
        self.records.append(list(self.records[line - 2]))
        return self.put(len(self.records) + 1, **values)

    def drop(self, **wanted: str) -> None:
        places = {name: self.names.index(name) for name in wanted}
        self.records = [
            r for r in self.records if not all(r[places[n]] == value for n, value in wanted.items())
        ]

    def write(self) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.names, *self.records])
        self.path.write_text(text.getvalue(), encoding="utf-8")


@pytest.fixture(scope="module")
def clean(tmp_path_factory) -> Path:
    """Three participants of a clean study."""
    folder = tmp_path_factory.mktemp("clean")
    for file in write_study(folder / "data", preset=PRESET, seed=SEED):
        table = Table(file)
        if "USUBJID" in table.names:
            who = table.names.index("USUBJID")
            table.records = [record for record in table.records if record[who][-3:] in KEPT]
        table.write()
    return folder


def study_with(clean: Path, folder: Path) -> Path:
    shutil.copytree(clean / "data", folder / "data")
    base = (ROOT / "params" / "example.toml").as_posix()
    (folder / "study.toml").write_text(
        f'extends = "{base}"\n[data]\npath = "data"\nextract_time = 2026-07-02T12:00:00+08:00\n'
    )
    return folder


@pytest.fixture
def home(clean, tmp_path) -> Path:
    """A folder with a clean study that the test may break."""
    return study_with(clean, tmp_path)


@pytest.fixture(scope="module")
def broken(clean, tmp_path_factory):
    """A study with everything wrong at once: folder, places, and the error that it raises."""
    folder = study_with(clean, tmp_path_factory.mktemp("broken"))
    places = break_everything(folder / "data")
    with pytest.raises(DataError) as caught:
        open_data(read_study(folder / "study.toml"))
    return folder, places, caught.value


def findings(home: Path):
    try:
        return open_data(read_study(home / "study.toml")).findings
    except DataError as error:
        return error.findings


def break_everything(data: Path) -> dict[str, tuple[str, str | None, str | None, int | None]]:
    """Seed every kind of bad input; return rule -> (severity, file, subject, line)."""
    places: dict[str, tuple[str, str | None, str | None, int | None]] = {}
    (data / "ex.csv").unlink()
    places["XD-DOMAIN"] = ("stop", None, None, None)
    (data / "lb.csv").write_bytes(b"")
    places["XD-FILE"] = ("stop", "lb.csv", None, None)

    medication = data / "cm.csv"
    lines = medication.read_bytes().split(b"\n")
    lines[4] = lines[4].replace(lines[4].split(b",")[4], b"Caf\xe9ine", 1)
    medication.write_bytes(b"\n".join(lines))
    places["XD-ENC"] = ("stop", "cm.csv", None, 5)

    ae = Table(data / "ae.csv")
    places["XD-ORPHAN"] = ("stop", "ae.csv", "SYN-NKG2D-01-09-999", ae.copy(2, USUBJID="SYN-NKG2D-01-09-999"))
    ae.write()

    vs = Table(data / "vs.csv")
    pulse = vs.line(USUBJID=WHO, VSTESTCD="PULSE")
    vs.put(pulse, VSSTRESN="ninety")
    places["XD-TYPE"] = ("stop", "vs.csv", WHO, pulse)
    vs.write()

    sc = Table(data / "sc.csv")
    places["XD-KEY"] = ("stop", "sc.csv", WHO, sc.copy(sc.line(USUBJID=WHO), SCSTRESC="MSI-H"))
    sc.write()

    mi = Table(data / "mi.csv")
    who = mi.cell(2, "USUBJID")
    mi.put(2, MIDTC="2026-12-24")
    places["XD-FUTURE"] = ("stop", "mi.csv", who, 2)
    mi.write()

    tr, tu = Table(data / "tr.csv"), Table(data / "tu.csv")
    tr.drop(USUBJID=WHO, TRLNKID="T01", VISITNUM="1")
    tr.write()
    places["TU-BASE"] = ("stop", "tu.csv", WHO, tu.line(USUBJID=WHO, TULNKID="T01"))
    return places


@pytest.mark.rule("OPEN-01")
def test_everything_that_is_wrong_is_one_report(broken):
    _, places, error = broken
    found = {(f.rule, f.severity, f.file, f.subject, f.row) for f in error.findings}
    for rule, (severity, file, subject, row) in places.items():
        mine = [f for f in error.findings if f.rule == rule]
        assert mine, f"{rule} is not in the report"
        if rule == "XD-ENC":
            assert {(f.severity, f.file, f.row) for f in mine} == {(severity, file, row)}
        else:
            assert (rule, severity, file, subject, row) in found, mine
        assert all(f.message.strip() and str(f).startswith("STOP") for f in mine)
    text = str(error)
    assert text.splitlines()[0].split()[0] == str(sum(f.severity == "stop" for f in error.findings))
    assert all(rule in text for rule in places)


@pytest.mark.rule("OPEN-01")
def test_each_message_says_what_to_do(broken):
    wanted = {
        "XD-DOMAIN": "needs DM, EX, AE",
        "XD-FILE": "no header line",
        "XD-ENC": "declare the encoding",
        "XD-ORPHAN": "correct the identifier",
        "XD-TYPE": "correct it at the source",
        "XD-KEY": "correct the key",
        "XD-FUTURE": "correct it at the source",
        "TU-BASE": "add the baseline",
    }
    messages = {f.rule: f.message for f in broken[2].findings}
    assert {rule: words in messages[rule] for rule, words in wanted.items()} == dict.fromkeys(wanted, True)


@pytest.mark.rule("OPEN-01")
def test_values_are_shown_as_found(broken):
    by_rule = {f.rule: f for f in broken[2].findings}
    assert (by_rule["XD-TYPE"].variable, by_rule["XD-TYPE"].value) == ("VSSTRESN", "ninety")
    assert (by_rule["XD-FUTURE"].variable, by_rule["XD-FUTURE"].value) == ("MIDTC", "2026-12-24")
    assert by_rule["XD-FUTURE"].expected == "not after 2026-07-02"
    assert by_rule["XD-ENC"].value == "Caf<0xe9>ine"
    assert "0xe9" in by_rule["XD-ENC"].message


@pytest.mark.rule("OPEN-01")
def test_the_same_folder_gives_the_same_report_whatever_the_order_of_rows(broken, tmp_path):
    folder, _, error = broken
    shutil.copytree(folder, tmp_path / "again")
    for name in ("vs.csv", "tr.csv", "sv.csv"):
        table = Table(tmp_path / "again" / "data" / name)
        table.records.reverse()
        table.write()
    again = findings(tmp_path / "again")
    assert {f.id for f in again} == {f.id for f in error.findings}
    assert len(again) == len(error.findings)


@pytest.mark.rule("OPEN-01")
def test_a_draft_goes_on_with_the_same_findings(broken, tmp_path):
    halted = broken[2].findings
    shutil.copytree(broken[0], tmp_path / "draft")
    file = tmp_path / "draft" / "study.toml"
    file.write_text(file.read_text() + 'on_stop = "draft"\n')
    draft = open_data(read_study(file))
    assert {f.id for f in draft.findings} == {f.id for f in halted}
    assert not draft.has("LB")
    assert not draft.has("EX")
    vital = draft.domain("VS")
    assert vital.loc[vital["VSORRES"].notna() & vital["VSSTRESN"].isna(), "SRCROW"].tolist() == [
        next(f.row for f in halted if f.rule == "XD-TYPE")
    ]


def hashes(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


@pytest.mark.rule("OPEN-01")
def test_the_command_line_fails_with_the_whole_report(broken, capsys):
    home, places, _ = broken
    before = hashes(home)
    assert cli.main(["check", str(home / "study.toml")]) == 1
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    for rule, (_, file, subject, row) in places.items():
        lines = [line for line in shown.err.splitlines() if f" {rule} " in line]
        assert lines, rule
        where = f"[{file} row {row}]" if row else f"[{file}]" if file else "[EX]"
        assert any(where in line for line in lines), (rule, lines)
        assert subject is None or any(subject in line for line in lines), (rule, lines)
    assert hashes(home) == before


@pytest.mark.rule("OPEN-01")
def test_a_run_with_bad_data_leaves_the_last_good_report(home, capsys):
    break_everything(home / "data")
    good = home / "reports" / "SYN-NKG2D-01" / "2026-06-30"
    good.mkdir(parents=True)
    (good / "report.html").write_text("the last good report")
    (good / "manifest.json").write_text(json.dumps({"key": "of another state"}))
    before = hashes(home / "reports")
    asked = ["run", str(home / "study.toml"), "--reports", str(home / "reports")]
    notebooks = ["--notebooks", str(ROOT / "notebooks")]
    assert cli.main([*asked, *notebooks]) == 1
    assert "finding(s) stop the run" in capsys.readouterr().err
    assert cli.main([*asked, *notebooks, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["error"]) == ("failed", "DataError")
    assert {"XD-DOMAIN", "XD-FILE", "XD-ENC", "XD-KEY"} <= {f["rule"] for f in answer["findings"]}
    assert hashes(home / "reports") == before
    assert not list(home.rglob(".*building*"))


@pytest.mark.rule("SYN-21")
def test_the_part_of_the_study_that_is_broken_here_is_clean(home):
    assert [str(finding) for finding in findings(home)] == []


# File, how it is broken, and what must be found: rule, domain, variable; the line is the one that the change returns.
DEFECTS = {
    "participant unknown": ("ae.csv", lambda t: t.copy(2, AESEQ="90", USUBJID="NO"), "XD-ORPHAN AE USUBJID"),
    "order of the date": ("ae.csv", lambda t: t.put(3, AESTDTC="27/10/2025"), "XD-ISO AE AESTDTC"),
    "no such day": ("ae.csv", lambda t: t.put(4, AESTDTC="2025-02-30"), "XD-ISO AE AESTDTC"),
    "year of the future": ("ae.csv", lambda t: t.put(5, AESTDTC="2028-01-01"), "XD-FUTURE AE AESTDTC"),
    "blank flag": ("ae.csv", lambda t: t.put(6, AESER=""), "XD-REQ AE AESER"),
    "participant twice": ("dm.csv", lambda t: t.copy(2, SUBJID="01-900"), "DM-UNIQ DM USUBJID"),
    "age in words": ("dm.csv", lambda t: t.put(3, AGE="fifty"), "XD-TYPE DM AGE"),
    "broken number": ("sv.csv", lambda t: t.put(3, SVSEQ="1.5"), "XD-TYPE SV SVSEQ"),
    "decimal comma": ("ex.csv", lambda t: t.put(2, EXDOSE="9,3e8"), "XD-TYPE EX EXDOSE"),
    "no dose": ("ex.csv", lambda t: t.put(3, EXDOSE=""), "EX-NODOSE EX EXDOSE"),
    "no unit": ("ex.csv", lambda t: t.put(4, EXDOSU=""), "EX-UNIT EX EXDOSU"),
    "two sizes": ("tr.csv", lambda t: t.copy(2, TRSEQ="900", TRSTRESN="11"), "TR-DUP TR TRSTRESN"),
    "same key": ("vs.csv", lambda t: t.copy(2, VSSTRESN="1"), "XD-KEY VS VSSEQ"),
    "no parent": ("suppae.csv", lambda t: t.put(2, IDVARVAL="777"), "XD-SUPP SUPPAE IDVARVAL"),
    "unknown code": ("rs.csv", lambda t: t.put(2, RSSTRESC="CHECK"), "RS-VALUE RS RSSTRESC"),
    "outer blank": ("rs.csv", lambda t: t.put(3, RSEVAL=" INVESTIGATOR"), "XD-TRIM RS RSEVAL"),
}


@pytest.fixture(scope="module")
def many(clean, tmp_path_factory):
    """One folder with all defects of the table, and the line of each."""
    folder = study_with(clean, tmp_path_factory.mktemp("many"))
    lines = {}
    for case, (file, change, _) in DEFECTS.items():
        table = Table(folder / "data" / file)
        lines[case] = change(table)
        table.write()
    return lines, findings(folder)


@pytest.mark.rule("OPEN-01")
@pytest.mark.parametrize("case", DEFECTS)
def test_no_defect_hides_another(many, case):
    lines, found = many
    file, _, expected = DEFECTS[case]
    rule, domain, variable = expected.split()
    mine = [f for f in found if (f.rule, f.domain, f.variable) == (rule, domain, variable)]
    assert any((f.file, f.row) == (file, lines[case]) for f in mine), (lines[case], list(map(str, mine)))


@pytest.mark.rule("TYPE-04")
def test_required_columns_that_are_absent_are_named_together(home):
    lost = {"dm.csv": "RFICDTC", "ae.csv": "AEREL", "tu.csv": "TULOC", "rs.csv": "RSDTC"}
    for file, column in lost.items():
        table = Table(home / "data" / file)
        place = table.names.index(column)
        table.names.pop(place)
        for record in table.records:
            record.pop(place)
        table.write()
    found = [f for f in findings(home) if f.rule == "XD-COLUMN"]
    assert {f.file: f.variable for f in found} == lost
    assert all(
        f.severity == "stop" and f"required column {f.variable} is missing" in f.message for f in found
    )


@pytest.mark.rule("READ-06")
@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("lb.parquet", b"PAR1 cut short", "not a Parquet file"),
        ("lb.xpt", b"HEADER RECORD*******LIBRARY HEADER", "not a complete transport file"),
        ("lb.json", b'{"datasetJSONVersion": "1.1.0"', "not a Dataset-JSON file"),
        ("lb.dsjc", b"\x1f\x8b\x08\x00", "ends at byte 4"),
        ("lb.xlsx", b"PK\x03\x04....", "not a readable XLSX workbook"),
        ("lb.csv", b"STUDYID,USUBJID\nX\n", "expected 2 values"),
    ],
)
def test_one_unreadable_file_does_not_hide_the_others(home, name, data, words):
    (home / "data" / "lb.csv").unlink()
    (home / "data" / name).write_bytes(data)
    sdtm = read_data(read_study(home / "study.toml"))
    stops = [f for f in sdtm.findings if f.severity == "stop"]
    assert [(f.domain, f.file) for f in stops] == [("LB", name)]
    assert words in stops[0].message
    assert not sdtm.has("LB")
    assert sdtm.has("DM", "EX", "AE", "VS", "TR", "TU", "RS")
    assert name not in {source.name for source in sdtm.sources}

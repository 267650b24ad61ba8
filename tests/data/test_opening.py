"""Opening a study: folder and mapping files, all findings at once, halt and draft."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from interim.data import Sdtm, open_data, opening
from interim.data.check.run import CheckReport
from interim.data.opening import read_data
from interim.errors import DataError
from interim.study import read_study

FILES = {
    "dm.csv": (
        "STUDYID,USUBJID,SUBJID,AGE,AGEU,SEX,ARMCD,ACTARMCD,RFICDTC\nX,X-1,1,61,YEARS,F,DL1,DL1,2026-01-01\n"
        "X,X-2,2,55,YEARS,M,DL1,DL1,2026-07-15\n"
    ),
    "ex.csv": "STUDYID,USUBJID,EXSEQ,EXTRT,EXDOSE,EXDOSU,EXROUTE,EXSTDTC\nX,X-1,1,CAR-NK,1e9,cells,INTRA-ARTERIAL,2026-01-05T10:00+08:00\n",
    "ae.csv": "STUDYID,USUBJID,AESEQ,AETERM,AESTDTC,AESER,AEOUT,AEREL\nX,X-1,1,Fever,2026-01-06,N,RESOLVED,CARNK\n",
    "rs.csv": "STUDYID,USUBJID,RSSEQ,RSTESTCD,RSSTRESC,RSDTC\nX,X-1,1,OVRLRESP,SD,2026-02-06\nX,X-1,2,OVRLRESP,PD,2026-08-01\n",
}


def study_in(folder, files=FILES, data="", name="raw"):
    (folder / name).mkdir(exist_ok=True)
    for file, text in files.items():
        (folder / name / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    path = folder / "study.toml"
    path.write_text(f'[study]\nid = "X"\n[data]\npath = "{name}"\ncut_date = 2026-06-30\n{data}\n')
    return read_study(path)


@pytest.fixture
def no_checks(monkeypatch):
    stages = []

    def check_context(context, *, stage):
        stages.append((stage, len(context.records("RS")) if context.has("RS") else None))
        return CheckReport((), (("XX-TEST", "warn", "run" if stage == "cut" else "not run: later"),))

    monkeypatch.setattr(opening, "check_context", check_context)
    return stages


@pytest.mark.rule("TYPE-05")
def test_a_folder_of_text_files(tmp_path, no_checks):
    sdtm = open_data(study_in(tmp_path))
    assert isinstance(sdtm, Sdtm)
    assert list(sdtm.domains) == ["AE", "DM", "EX", "RS"]
    assert sdtm.findings == ()
    assert no_checks == [("extract", 2), ("cut", 1)]
    dm = sdtm.domain("DM")
    assert dm[["USUBJID", "AGE", "SRCFILE", "SRCROW"]].to_numpy().tolist() == [["X-1", 61.0, "dm.csv", 2]]
    assert dm["AGE"].dtype == float
    assert sdtm.domain("AE")["AEOUT"].tolist() == ["RECOVERED/RESOLVED"]
    first = sdtm.sources[0]
    assert (first.name, first.domain, first.format, first.records, first.note) == (
        "ae.csv",
        "AE",
        "csv",
        1,
        "comma, utf-8",
    )
    assert sdtm.sources[0].sha256 == hashlib.sha256(FILES["ae.csv"].encode()).hexdigest()
    assert {(x.rule, x.before) for x in sdtm.ledger} == {
        ("NORM-SYNONYM", "RESOLVED"),
        ("DCUT-PATIENT", "X-2"),
    }
    assert sdtm.counts.set_index("domain")["removed"].to_dict() == {"AE": 0, "DM": 1, "EX": 0, "RS": 1}
    assert ("XX-TEST", "warn", "run") in sdtm.rules
    assert ("XD-TYPE", "stop", "run") in sdtm.rules
    assert str(sdtm.cut) == "2026-06-30 23:59:59"


@pytest.mark.rule("OPEN-01")
def test_all_findings_at_once_and_draft(tmp_path, no_checks):
    files = {
        **FILES,
        "dm.csv": FILES["dm.csv"].replace("61", "sixty"),
        "lb.csv": b"USUBJID,LBSEQ\nX-1\n",
        "pc.parquet": b"no",
        "vs.csv": "USUBJID,VSSEQ\nX-1,1\n",
    }
    with pytest.raises(DataError) as caught:
        open_data(study_in(tmp_path, files))
    found = {(f.rule, f.domain, f.variable, f.file) for f in caught.value.findings if f.severity == "stop"}
    assert ("XD-TYPE", "DM", "AGE", "dm.csv") in found
    assert ("XD-ROW", "LB", None, "lb.csv") in found
    assert ("XD-FILE", "PC", None, "pc.parquet") in found
    assert ("XD-COLUMN", "VS", "VSTESTCD", "vs.csv") in found
    draft = open_data(study_in(tmp_path, files, 'on_stop = "draft"'))
    assert {f.id for f in draft.findings} == {f.id for f in caught.value.findings}
    assert draft.domain("DM")["AGE"].isna().all()
    assert not draft.has("LB")


@pytest.mark.rule("READ-06")
def test_an_unreadable_needed_file_is_one_finding(tmp_path, no_checks):
    with pytest.raises(DataError) as caught:
        open_data(study_in(tmp_path, {**FILES, "ex.csv": ""}))
    assert [(f.rule, f.domain) for f in caught.value.findings] == [("XD-FILE", "EX")]


@pytest.mark.rule("TYPE-05")
@pytest.mark.parametrize(
    ("leave_out", "add", "missing"),
    [
        (["dm.csv"], {}, ["DM"]),
        (["ex.csv", "ae.csv"], {}, ["AE", "EX"]),
        (["rs.csv"], {}, ["TR", "TU"]),
        (["rs.csv"], {"tr.csv": "USUBJID,TRSEQ\n"}, ["TU"]),
        ([], {}, []),
    ],
)
def test_needed_domains(tmp_path, leave_out, add, missing):
    files = {name: text for name, text in FILES.items() if name not in leave_out} | add
    sdtm = read_data(study_in(tmp_path, files))
    assert sorted(f.domain for f in sdtm.findings if f.rule == "XD-DOMAIN") == missing


@pytest.mark.rule("READ-04")
def test_zero_rows_are_legal_and_typed(tmp_path, no_checks):
    files = {**FILES, "ae.csv": FILES["ae.csv"].splitlines()[0] + "\n"}
    sdtm = open_data(study_in(tmp_path, files))
    assert len(sdtm.domain("AE")) == 0
    assert sdtm.domain("AE")["AESEQ"].dtype == float
    assert sdtm.findings == ()


def test_other_files_of_a_folder(tmp_path):
    files = {
        **FILES,
        "notes.txt": "x",
        "truth.json": "{}",
        "zz.csv": "A\n1\n",
        "readme.md": "x",
        "RS.tsv": "USUBJID\tRSSEQ\n",
    }
    sdtm = read_data(study_in(tmp_path, files))
    assert [(f.rule, f.severity, f.file) for f in sdtm.findings if f.domain == "ZZ"] == [
        ("MAP-DOMAIN", "info", "zz.csv")
    ]
    assert [f.file for f in sdtm.findings if f.rule == "XD-DOMAIN"] == ["RS.tsv", "rs.csv"]
    assert "x" not in {s.name for s in sdtm.sources}


def test_a_folder_without_data(tmp_path):
    sdtm = read_data(study_in(tmp_path, {}))
    assert "XD-FILE" in {f.rule for f in sdtm.findings}


@pytest.mark.rule("READ-02")
def test_declared_separator_of_the_study(tmp_path, no_checks):
    files = {name: text.replace(",", ";") for name, text in FILES.items()}
    sdtm = open_data(study_in(tmp_path, files, 'delimiter = ";"'))
    assert {s.note for s in sdtm.sources} == {"semicolon, utf-8"}


@pytest.mark.rule("MAP-01")
def test_mapping_files_and_two_files_for_one_domain(tmp_path, no_checks):
    study_in(tmp_path)
    (tmp_path / "raw" / "ae2.csv").write_text("USUBJID,AESEQ,TERM,AEDTHDTC\nX-1,2,Chills,\n")
    mapping = ['[source]\nname = "m"\npath = "raw"\n']
    mapping += [
        f'[table.{n}]\nrows = {{ file = "{n.lower()}.csv" }}\nidentity = true\n'
        for n in ("DM", "EX", "AE", "RS")
    ]
    mapping += ['[[table.AE.unit]]\ntest = "X"\nfrom = "a"\nto = "b"\nfactor = 2.0\n']
    (tmp_path / "one.toml").write_text("\n".join(mapping))
    two = '[source]\nname = "n"\npath = "raw"\n[table.AE]\nrows = { file = "ae2.csv" }\n[table.AE.column]\n'
    constants = {"STUDYID": "X", "AESTDTC": "2026-01-07", "AESER": "N", "AEOUT": "UNKNOWN", "AEREL": "NONE"}
    two += '\nUSUBJID = "USUBJID"\nAESEQ = "AESEQ"\nAETERM = "TERM"\nAEDTHDTC = "AEDTHDTC"\n'
    two += "\n".join(f'{name} = {{ constant = "{value}" }}' for name, value in constants.items())
    (tmp_path / "two.toml").write_text(two)
    path = tmp_path / "study.toml"
    path.write_text('[study]\nid = "X"\n[data]\nsources = ["one.toml", "two.toml"]\ncut_date = 2026-06-30\n')
    sdtm = open_data(read_study(path))
    ae = sdtm.domain("AE")
    assert ae[["AESEQ", "AETERM", "AESER", "SRCFILE"]].to_numpy().tolist() == [
        [1.0, "Fever", "N", "ae.csv"],
        [2.0, "Chills", "N", "ae2.csv"],
    ]
    assert ae["AESEQ"].dtype == float
    assert [s.name for s in sdtm.sources] == ["ae.csv", "ae2.csv", "dm.csv", "ex.csv", "rs.csv"]


def test_open_data_runs_the_checks(tmp_path):
    files = {**FILES, "ae.csv": FILES["ae.csv"] + "X,X-9,1,Fever,2026-01-06,N,RESOLVED,CARNK\n"}
    with pytest.raises(DataError, match="XD-ORPHAN"):
        open_data(study_in(tmp_path, files))


@pytest.mark.rule("READ-10", source="pharmaversesdtm, commit 530a5ea")
def test_pilot_study_from_parquet_and_transport_files(external, monkeypatch):
    monkeypatch.setenv("INTERIM_EXTERNAL", str(external))
    params = Path(__file__).resolve().parents[2] / "params"
    parquet, xpt = (
        read_data(read_study(params / name)) for name in ("cdisc-pilot.toml", "cdisc-pilot-xpt.toml")
    )
    assert len(parquet.domains) == 18
    assert len(parquet.domain("DM")) == 306
    assert set(parquet.domain("AE")["AEREL"].dropna()) == {"OTHER", "NONE"}
    origin = ["SRCFILE"]
    for name, frame in parquet.domains.items():
        pd.testing.assert_frame_equal(
            frame.drop(columns=origin), xpt.domains[name].drop(columns=origin), rtol=1e-12
        )
    assert sum(f.rule == "XD-TYPE" for f in (*parquet.findings, *xpt.findings)) == 0
    assert [s.format for s in xpt.sources].count("xpt") == 7

"""The truth table of the cut-off on every domain, and the field rules on every date column of the specification."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.data import spec
from interim.data.cut import cut_sdtm
from interim.data.model import Sdtm
from interim.data.typed import type_domain
from interim.study import read_study

CUT = "2022-02-17"
# Date of the record, whether it stays, whether it is listed: data contract, section 7.
TRUTH = [
    ("2022-02-17T23:59:59", True, False),
    ("2022-02-17", True, False),
    ("2022-02-18", False, False),
    ("2022-02-18T00:00", False, False),
    ("2022-02", True, False),
    ("2022", True, False),
    ("2022-03", False, False),
    ("2023", False, False),
    (None, True, True),
    ("--02-20", True, True),
    ("2022-02-30", True, True),
    ("17/02/2022", True, False),  # listed by XD-ISO
]
DATED = [name for name in spec.domain_names() if name != "SUPP" and spec.domain(name).cut == "date"]
FREE = [name for name in spec.domain_names() if name != "SUPP" and spec.domain(name).cut == "none"]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("cut") / "study.toml"
    path.write_text(f'[study]\nid = "X"\n[data]\npath = "raw"\ncut_date = {CUT}\n')
    return read_study(path)


def typed(name, **columns):
    frame = pd.DataFrame(columns, dtype=object)
    frame = frame.assign(SRCFILE=f"{name.lower()}.csv", SRCROW=np.arange(2, len(frame) + 2))
    return type_domain(name, frame).frame


def cut_of(study, **domains):
    dm = typed("DM", USUBJID=["A", "B"], RFICDTC=["2021-01-01", "2022-03-01"])
    return cut_sdtm(Sdtm({"DM": dm, **domains}, cut=pd.Timestamp(CUT).to_pydatetime()), study)


def records(name, dates, column):
    """Make one record of participant A per date."""
    size = len(dates)
    return typed(
        name, USUBJID=["A"] * size, **{f"{name}SEQ": list(map(str, range(1, size + 1))), column: dates}
    )


@pytest.mark.rule("CUT-03", source="truth table of the data contract, section 7")
@pytest.mark.parametrize("name", DATED)
def test_truth_table_of_every_dated_domain(study, name):
    column = spec.domain(name).dates[0]
    cut = cut_of(study, **{name: records(name, [date for date, _, _ in TRUTH], column)})
    kept = cut.domains[name]["SRCROW"].tolist()
    assert kept == [row for row, (_, stays, _) in enumerate(TRUTH, 2) if stays]
    listed = sorted(f.row for f in cut.findings if f.rule == "DCUT-NODATE")
    assert listed == [row for row, (_, _, said) in enumerate(TRUTH, 2) if said]
    assert {(f.severity, f.domain, f.variable) for f in cut.findings} == {("info", name, column)}
    counts = cut.counts.set_index("domain").loc[name]
    assert (counts["read"], counts["kept"], counts["removed"]) == (
        len(TRUTH),
        len(kept),
        len(TRUTH) - len(kept),
    )


@pytest.mark.rule("CUT-03")
@pytest.mark.parametrize("name", [n for n in DATED if len(spec.domain(n).dates) > 1])
def test_the_second_date_counts_only_where_the_first_is_blank(study, name):
    first, second = spec.domain(name).dates[:2]
    size = len(TRUTH)
    frame = typed(
        name,
        USUBJID=["A"] * (size + 1),
        **{
            f"{name}SEQ": list(map(str, range(1, size + 2))),
            first: [None] * size + ["2022-01-01"],
            second: [date for date, _, _ in TRUTH] + ["2023-01-01"],
        },
    )
    kept = cut_of(study, **{name: frame}).domains[name]["SRCROW"].tolist()
    assert kept == [row for row, (_, stays, _) in enumerate(TRUTH, 2) if stays] + [size + 2]


@pytest.mark.rule("CUT-02")
@pytest.mark.parametrize("name", FREE)
def test_trial_design_is_not_cut(study, name):
    frame = pd.DataFrame({"STUDYID": ["X", "X"], "SRCFILE": ["t.csv"] * 2, "SRCROW": [2, 3]})
    cut = cut_of(study, **{name: frame})
    assert len(cut.domains[name]) == 2
    assert cut.findings == ()


@pytest.mark.rule("CUT-01")
@pytest.mark.parametrize("name", [*DATED, "SC"])
def test_a_participant_who_consents_later_leaves_every_domain(study, name):
    known = spec.domain(name)
    dates = {known.dates[0]: ["2022-01-01", "2022-01-01"]} if known.dates else {}
    frame = typed(name, USUBJID=["B", "A"], **{f"{name}SEQ": ["1", "1"]}, **dates)
    cut = cut_of(study, **{name: frame})
    if known.subject:
        assert cut.domains[name]["USUBJID"].tolist() == ["A"]
    assert cut.domains["DM"]["USUBJID"].tolist() == ["A"]
    assert [(x.rule, x.subject) for x in cut.ledger] == [("DCUT-PATIENT", "B")]


FIELDS = [
    (name, variable.name)
    for name in DATED
    for variable in spec.domain(name).variables.values()
    if variable.kind == "dtc" and variable.name not in spec.domain(name).dates
]


@pytest.mark.rule("CUT-04")
@pytest.mark.parametrize(("name", "column"), FIELDS)
def test_every_further_date_later_than_the_cut_is_blanked(study, name, column):
    """A date that does not date the record is blanked in the record that stays, with one ledger line."""
    dates = [date for date, _, _ in TRUTH]
    frame = records(name, ["2022-01-01"] * len(dates), spec.domain(name).dates[0]).assign(
        **{column: pd.Series(dates, dtype=object)}
    )
    cut = cut_of(study, **{name: frame})
    after = cut.domains[name][column].astype(object)
    assert after.where(after.notna(), None).tolist() == [
        date if date is None or stays else None for date, stays, _ in TRUTH
    ]
    lines = [(x.before, x.after) for x in cut.ledger if x.variable == column]
    assert sorted(lines) == sorted((date, "") for date, stays, _ in TRUTH if not stays)
    assert {x.rule for x in cut.ledger if x.variable == column} == {
        "CUT-ONGOING" if column.endswith("ENDTC") else "CUT-FIELD"
    }


def test_there_are_further_dates_to_blank():
    assert {("AE", "AEENDTC"), ("EX", "EXENDTC"), ("CM", "CMENDTC"), ("AE", "AEDTHDTC")} <= set(FIELDS)
    assert len(DATED) >= 25
    assert {"AE", "EX", "LB", "TR", "TU", "RS", "DS", "SV", "PC", "QUERY"} <= set(DATED)


@pytest.mark.rule("CUT-06")
@pytest.mark.parametrize("name", [n for n in DATED if spec.domain(n).subject and n != "QUERY"])
def test_supplemental_records_follow_their_parent_in_every_domain(study, name):
    parent = records(name, ["2022-01-01", "2022-03-01", None], spec.domain(name).dates[0])
    supp = typed(
        f"SUPP{name}",
        USUBJID=["A"] * 4,
        RDOMAIN=[name] * 4,
        IDVAR=[f"{name}SEQ"] * 4,
        IDVARVAL=["1", "2", "3", "9"],
        QNAM=["Q"] * 4,
        QVAL=["a", "b", "c", "d"],
    )
    cut = cut_of(study, **{name: parent, f"SUPP{name}": supp})
    assert cut.domains[f"SUPP{name}"]["QVAL"].tolist() == ["a", "c"]
    assert cut.with_supp(name)["Q"].tolist() == ["a", "c"]


@pytest.mark.rule("CUT-05")
@pytest.mark.parametrize("column", ["RFSTDTC", "RFXSTDTC", "RFENDTC", "RFPENDTC", "DTHDTC"])
@pytest.mark.parametrize(("date", "stays", "listed"), [row for row in TRUTH if row[0]])
def test_every_reference_date_of_the_participant(study, column, date, stays, listed):
    dm = typed("DM", USUBJID=["A"], RFICDTC=["2021-01-01"], DTHFL=["Y"], **{column: [date]})
    cut = cut_sdtm(Sdtm({"DM": dm}, cut=pd.Timestamp(CUT).to_pydatetime()), study)
    assert cut.domains["DM"][column].tolist() == [date if stays else None]
    dead = column != "DTHDTC" or stays
    assert cut.domains["DM"]["DTHFL"].tolist() == (["Y"] if dead else [None])
    assert cut.domains["DM"]["RFICDTC"].tolist() == ["2021-01-01"]


@pytest.mark.parametrize(
    ("cut", "kept"),
    [
        ("2022-02-17", ["2022-02-17T00:00+08:00", "2022-02-17T23:59+08:00"]),
        ("2022-02-17T00:00:00", ["2022-02-17T00:00+08:00"]),
        ("2022-02-18", ["2022-02-17T00:00+08:00", "2022-02-17T23:59+08:00", "2022-02-18T00:00+08:00"]),
    ],
)
def test_the_local_date_at_the_site_decides(tmp_path, cut, kept):
    path = tmp_path / "study.toml"
    path.write_text(f'[study]\nid = "X"\n[data]\npath = "raw"\ncut_date = {cut}\n')
    dates = ["2022-02-17T00:00+08:00", "2022-02-17T23:59+08:00", "2022-02-18T00:00+08:00"]
    made = cut_of(read_study(path), LB=records("LB", dates, "LBDTC"))
    assert made.domains["LB"]["LBDTC"].tolist() == kept


@pytest.mark.rule("TYPE-04")
@pytest.mark.parametrize("name", [*DATED, "DM", "SC", "SUPPAE", "SUPPDM", "RELREC", "CO"])
@pytest.mark.parametrize("columns", [[], ["USUBJID"]])
def test_a_table_that_lacks_its_columns_does_not_break_the_cut(study, name, columns):
    """The absent columns are findings of their own; the other findings must still be reached."""
    bare = pd.DataFrame({"USUBJID": ["A", "A"]}, dtype=object)[columns]
    frame = bare.assign(SRCFILE=["x.csv"] * 2, SRCROW=[2, 3])
    others = {
        "AE": records("AE", ["2022-01-01", "2022-03-01"], "AESTDTC"),
        "EX": records("EX", ["2022-01-01", "2022-03-01"], "EXSTDTC"),
    }
    cut = cut_of(study, **{**others, name: frame})
    assert len(frame.columns) == len(columns) + 2
    for other in set(others) - {name} if name not in ("DM", "DS") else ():
        assert len(cut.domains[other]) == 1

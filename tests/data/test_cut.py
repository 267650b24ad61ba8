"""The data cut-off: truth table, each item of the contract, and its properties."""

from __future__ import annotations

import random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interim.data import spec
from interim.data.cut import cut_sdtm
from interim.data.model import Sdtm
from interim.data.typed import type_domain
from interim.study import read_study

CUT = "2022-02-17"
NUMERIC = {"AESEQ", "EXSEQ", "DSSEQ", "LBSEQ", "AEENDY", "COSEQ"}


@pytest.fixture(scope="module")
def study_of(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")

    def make(extra="", cut=CUT):
        path = folder / f"s{abs(hash((extra, cut)))}.toml"
        path.write_text(f'[study]\nid = "X"\n[data]\npath = "raw"\ncut_date = {cut}\n{extra}\n')
        return read_study(path)

    return make


def table(domain, text):
    """Make a typed frame from lines; the first line names the columns, ``.`` is missing."""
    head, *rows = [line.split("|") for line in text.strip().splitlines()]
    cells = [[None if cell.strip() == "." else cell.strip() for cell in row] for row in rows]
    frame = pd.DataFrame(cells, columns=[name.strip() for name in head], dtype=object)
    frame = frame.assign(SRCFILE=f"{domain.lower()}.csv", SRCROW=range(2, len(frame) + 2))
    return type_domain(domain, frame).frame


def sdtm(**tables):
    return Sdtm(
        {name: table(name, text) for name, text in tables.items()}, cut=pd.Timestamp(CUT).to_pydatetime()
    )


DM_A = "USUBJID|RFICDTC\nA|2021-01-01"


def rows_of(data, domain, *columns):
    frame = data.domains[domain]
    values = frame[list(columns)].astype(object)
    return values.where(values.notna(), None).to_numpy().tolist()


@pytest.mark.rule(
    "CUT-03", source="truth table of the data contract, section 7; items 1-3 agree with datacutr 9b69615"
)
@pytest.mark.parametrize(
    ("date", "stays", "listed"),
    [
        ("2022-02-17T23:59:59", True, False),
        ("2022-02-18", False, False),
        ("2022-02-18T00:00:00", False, False),
        ("2022-02", True, False),
        ("2022", True, False),
        ("2022-03", False, False),
        ("2023", False, False),
        (".", True, True),
        ("--02-20", True, True),
        ("2022-02-30", True, True),
        ("2022---20", True, False),
        ("18/02/2022", True, False),  # listed by XD-ISO
        ("2022-02-17T23:59:59+08:00", True, False),
    ],
)
def test_truth_table(study_of, date, stays, listed):
    cut = cut_sdtm(sdtm(DM=DM_A, LB=f"USUBJID|LBSEQ|LBDTC\nA|1|{date}"), study_of())
    assert (len(cut.domains["LB"]) == 1) == stays
    assert [f.rule for f in cut.findings] == (["DCUT-NODATE"] if listed else [])
    if listed:
        assert (cut.findings[0].severity, cut.findings[0].subject, cut.findings[0].row) == ("info", "A", 2)


@pytest.mark.rule("CUT-03")
@pytest.mark.parametrize(
    ("start", "collected", "stays"),
    [
        (".", "2022-02-18", False),
        (".", "2022-02-17", True),
        ("2022-02-17", "2022-03-01", True),
        ("2022-02-18", "2022-01-01", False),
    ],
)
def test_start_date_first_then_collection_date(study_of, start, collected, stays):
    cut = cut_sdtm(sdtm(DM=DM_A, MH=f"USUBJID|MHSEQ|MHSTDTC|MHDTC\nA|1|{start}|{collected}"), study_of())
    assert (len(cut.domains["MH"]) == 1) == stays


def test_cut_with_a_time(study_of):
    cut = cut_sdtm(
        sdtm(DM=DM_A, LB="USUBJID|LBSEQ|LBDTC\nA|1|2022-02-17T11:59\nA|2|2022-02-17T12:01"),
        study_of(cut="2022-02-17T12:00:00"),
    )
    assert rows_of(cut, "LB", "LBSEQ") == [[1.0]]


@pytest.mark.rule("CUT-01")
def test_enrolment_event_or_consent_date(study_of):
    data = sdtm(
        DM="USUBJID|RFICDTC\nEVENT|2023-01-01\nLATE|2020-01-01\nCONSENT|2022-02-17\nAFTER|2022-02-18\nBLANK|.\nUNDATED|.",
        DS=(
            "USUBJID|DSSEQ|DSDECOD|DSSTDTC\nEVENT|1|INFORMED CONSENT OBTAINED|2022-02-01\n"
            "LATE|1|INFORMED CONSENT OBTAINED|2022-02-18\nUNDATED|1|INFORMED CONSENT OBTAINED|.\nAFTER|1|DEATH|2022-01-01"
        ),
        LB="USUBJID|LBSEQ|LBDTC\nLATE|1|2022-01-01\nEVENT|1|2022-01-01",
        TS="TSSEQ|TSPARMCD\n1|SSTDTC",
    )
    cut = cut_sdtm(data, study_of())
    assert rows_of(cut, "DM", "USUBJID") == [["EVENT"], ["CONSENT"], ["UNDATED"]]
    assert rows_of(cut, "LB", "USUBJID") == [["EVENT"]]
    assert len(cut.domains["TS"]) == 1
    gone = [line.subject for line in cut.ledger if line.rule == "DCUT-PATIENT"]
    assert gone == ["AFTER", "BLANK", "LATE"]


@pytest.mark.rule("CUT-01")
def test_declared_event_and_two_of_them(study_of):
    data = sdtm(
        DM="USUBJID|RFICDTC\nA|2020-01-01\nB|2020-01-01",
        DS="USUBJID|DSSEQ|DSDECOD|DSSTDTC\nA|1|RANDOMIZED|2022-01-01\nA|2|RANDOMIZED|2022-01-02\nA|3|RANDOMIZED|2022-03-02",
    )
    cut = cut_sdtm(data, study_of('cut_event = "RANDOMIZED"'))
    assert rows_of(cut, "DM", "USUBJID") == [["A"]]
    found = [(f.rule, f.severity, f.subject, f.key) for f in cut.findings]
    assert found == [("DCUT-KEY", "stop", "A", ("1",)), ("DCUT-KEY", "stop", "A", ("2",))]


def test_nobody_is_left_out_where_nothing_tells_enrolment(study_of):
    cut = cut_sdtm(sdtm(LB="USUBJID|LBSEQ|LBDTC\nA|1|2022-01-01"), study_of())
    assert len(cut.domains["LB"]) == 1


@pytest.mark.rule("CUT-02")
def test_every_domain_has_one_cut_type(study_of):
    kinds = {name: spec.domain(name).cut for name in spec.domain_names() if name != "SUPP"}
    assert [n for n, kind in kinds.items() if kind == "patient"] == ["DM", "SC"]
    assert {n for n, kind in kinds.items() if kind == "parent"} == {"CO", "RELREC"}
    assert {n for n, kind in kinds.items() if kind == "none"} == {
        "TS",
        "TA",
        "TE",
        "TI",
        "TV",
        "QUERIES",
        "PATCHES",
    }
    data = Sdtm(
        {"DM": table("DM", DM_A), "ZZ": pd.DataFrame({"USUBJID": ["A"]})},
        cut=pd.Timestamp(CUT).to_pydatetime(),
    )
    cut = cut_sdtm(data, study_of())
    assert [(f.rule, f.severity, f.domain) for f in cut.findings] == [("DCUT-TYPE", "stop", "ZZ")]
    assert "ZZ" not in cut.domains


AE = """USUBJID|AESEQ|AETERM|AESTDTC|AEENDTC|AEENDY|AEOUT|AESDTH|AEDTHDTC|AETOXGR|AEGRPID|AEDTC
A|1|ended before|2022-01-01|2022-02-01|32|RECOVERED/RESOLVED|N|.|2|.|2022-02-01
A|2|ended after|2022-01-01|2022-02-20|51|RECOVERED/RESOLVED|N|.|3|.|2022-02-20
A|3|ongoing|2022-01-01|.|.|NOT RECOVERED/NOT RESOLVED|N|.|1|.|2022-02-01
A|4|fatal after|2022-02-10|2022-02-20|11|FATAL|Y|2022-02-20|5|.|2022-02-01
A|5|fatal, no end date|2022-02-10|.|.|FATAL|Y|.|5|G1|2022-02-01
A|6|ended this month|2022-01-01|2022-02|.|RECOVERED/RESOLVED|N|.|2|.|2022-02-01
B|1|fatal before|2022-02-10|2022-02-15|6|FATAL|Y|2022-02-15|5|.|2022-02-01
A|7|begins after|2022-02-18|.|.|.|N|.|2|.|2022-02-18"""
DM_AB = "USUBJID|RFICDTC|DTHFL|DTHDTC\nA|2021-01-01|Y|2022-02-20\nB|2021-01-01|Y|2022-02-15"


@pytest.mark.rule("CUT-04")
def test_fields_later_than_the_cut(study_of):
    cut = cut_sdtm(sdtm(DM=DM_AB, AE=AE), study_of())
    got = rows_of(cut, "AE", "AESEQ", "AEENDTC", "AEENDY", "AEOUT", "AESDTH", "AEDTHDTC", "AETOXGR", "AEDTC")
    assert got == [
        [1, "2022-02-01", 32, "RECOVERED/RESOLVED", "N", None, "2", "2022-02-01"],
        [2, None, None, None, "N", None, "3", None],
        [3, None, None, "NOT RECOVERED/NOT RESOLVED", "N", None, "1", "2022-02-01"],
        [4, None, None, None, None, None, "5", "2022-02-01"],
        [5, None, None, None, None, None, "5", "2022-02-01"],
        [6, "2022-02", None, "RECOVERED/RESOLVED", "N", None, "2", "2022-02-01"],
        [1, "2022-02-15", 6, "FATAL", "Y", "2022-02-15", "5", "2022-02-01"],
    ]
    grades = [(f.subject, f.key, f.value) for f in cut.findings if f.rule == "DCUT-GRADE"]
    assert grades == [("A", ("2",), "3"), ("A", ("4",), "5")]
    lines = {(x.rule, x.key, x.variable, x.before, x.after) for x in cut.ledger if x.domain == "AE"}
    assert lines == {
        ("CUT-ONGOING", "2", "AEENDTC", "2022-02-20", ""),
        ("CUT-ONGOING", "4", "AEENDTC", "2022-02-20", ""),
        ("CUT-FIELD", "2", "AEENDY", "51", ""),
        ("CUT-FIELD", "4", "AEENDY", "11", ""),
        ("CUT-FIELD", "2", "AEDTC", "2022-02-20", ""),
        ("CUT-FIELD", "4", "AEDTHDTC", "2022-02-20", ""),
        ("CUT-OUTCOME", "2", "AEOUT", "RECOVERED/RESOLVED", ""),
        ("CUT-OUTCOME", "4", "AEOUT", "FATAL", ""),
        ("CUT-DEATH", "4", "AESDTH", "Y", ""),
        ("CUT-DEATH", "5", "AESDTH", "Y", ""),
        ("CUT-DEATH", "5", "AEOUT", "FATAL", ""),
    }
    assert not (
        cut.counts["blanked"]
        - cut.counts["domain"].map(pd.Series([x.domain for x in cut.ledger]).value_counts()).fillna(0)
    ).any()


@pytest.mark.rule("CUT-04")
def test_a_query_that_was_closed_later_was_open(study_of):
    text = "USUBJID|QDOMAIN|QKEY|QFIELD|QSTATUS|QSTDTC|QENDTC\nA|AE|1|AETERM|CLOSED|2022-01-01|2022-02-18\nA|LB|1|LBDTC|CLOSED|2022-01-01|2022-02-17"
    cut = cut_sdtm(sdtm(DM=DM_A, QUERY=text), study_of())
    assert rows_of(cut, "QUERY", "QSTATUS", "QENDTC") == [["OPEN", None], ["CLOSED", "2022-02-17"]]


@pytest.mark.rule("CUT-05", source="truth table of the data contract, section 7")
@pytest.mark.parametrize(
    ("death", "flag", "date"),
    [("2022-02", "Y", "2022-02"), ("2022-02-18", None, None), ("2022-02-17", "Y", "2022-02-17")],
)
def test_death(study_of, death, flag, date):
    cut = cut_sdtm(sdtm(DM=f"USUBJID|RFICDTC|DTHFL|DTHDTC\nA|2021-01-01|Y|{death}"), study_of())
    assert rows_of(cut, "DM", "DTHFL", "DTHDTC") == [[flag, date]]


@pytest.mark.rule("CUT-05")
def test_reference_dates_and_last_dose(study_of):
    data = sdtm(
        DM=(
            "USUBJID|RFICDTC|RFSTDTC|RFXSTDTC|RFXENDTC|RFENDTC|RFPENDTC\n"
            "A|2021-01-01|2022-01-01|2022-01-01|2022-03-01|2022-03-01|2022-06-01\n"
            "B|2021-01-01|2022-03-01|2022-03-01|2022-03-01|.|2022-01-15\nC|2021-01-01|.|.|.|.|."
        ),
        EX=(
            "USUBJID|EXSEQ|EXTRT|EXOCCUR|EXSTDTC|EXENDTC\nA|1|CAR-NK|Y|2022-01-01|2022-01-01\nA|2|CAR-T|Y|2022-01-20T10:00|2022-02-19\n"
            "A|3|CAR-T|N|2022-02-01|.\nA|4|CAR-T|Y|2022-03-01|.\nB|1|CAR-NK|Y|2022-03-01|.\nA|5|CAR-T|Y|.|."
        ),
    )
    cut = cut_sdtm(data, study_of())
    assert rows_of(cut, "DM", "RFSTDTC", "RFXSTDTC", "RFXENDTC", "RFENDTC", "RFPENDTC") == [
        ["2022-01-01", "2022-01-01", "2022-01-20T10:00", None, None],
        [None, None, None, None, "2022-01-15"],
        [None, None, None, None, None],
    ]
    assert rows_of(cut, "EX", "EXSEQ", "EXENDTC") == [[1, "2022-01-01"], [2, None], [3, None], [5, None]]


@pytest.mark.rule("CUT-06")
def test_children_follow_their_parents(study_of):
    data = sdtm(
        DM="USUBJID|RFICDTC\nA|2021-01-01\nB|2022-03-01",
        AE="USUBJID|AESEQ|AETERM|AESTDTC\nA|1|x|2022-01-01\nA|2|y|2022-03-01",
        LB="USUBJID|LBSEQ|LBDTC\nA|1|2022-01-01",
        SUPPAE="USUBJID|RDOMAIN|IDVAR|IDVARVAL|QNAM|QVAL\nA|AE|AESEQ|1|AESI|Y\nA|AE|AESEQ|2|AESI|Y\nA|AE|AESEQ|1.0|DLTFL|N\nA|AE|.|.|X|1",
        SUPPDM="USUBJID|RDOMAIN|IDVAR|IDVARVAL|QNAM|QVAL\nA|DM|.|.|TUMTYPE|CRC\nB|DM|.|.|TUMTYPE|CRC",
        SUPPMH="USUBJID|RDOMAIN|IDVAR|IDVARVAL|QNAM|QVAL\nA|MH|MHSEQ|1|Q|1",
        RELREC="USUBJID|RDOMAIN|IDVAR|IDVARVAL|RELID\nA|AE|AESEQ|2|R1\nA|LB|LBSEQ|1|R1\nA|AE|AENONE|1|R2\n.|AE|AESEQ|.|R3",
        CO="USUBJID|COSEQ|RDOMAIN|IDVAR|IDVARVAL|COVAL|CODTC\nA|1|AE|AESEQ|1|t|2022-01-01\nA|2|AE|AESEQ|2|t|2022-01-01\nA|3|.|.|.|t|2022-02-18\nA|4|.|.|.|t|2022-02-17",
    )
    cut = cut_sdtm(data, study_of())
    assert rows_of(cut, "SUPPAE", "IDVARVAL", "QNAM") == [["1", "AESI"], ["1.0", "DLTFL"], [None, "X"]]
    assert rows_of(cut, "SUPPDM", "USUBJID") == [["A"]]
    assert rows_of(cut, "SUPPMH", "USUBJID") == []
    assert rows_of(cut, "RELREC", "RDOMAIN", "RELID") == [["LB", "R1"], ["AE", "R3"]]
    assert rows_of(cut, "CO", "COSEQ") == [[1], [4]]


@pytest.mark.rule("CUT-07")
def test_delivery_that_claims_to_be_cut(study_of):
    study = study_of("source_is_cut = true")
    clean = cut_sdtm(
        sdtm(
            DM="USUBJID|RFICDTC|RFXENDTC\nA|2021-01-01|2022-01-02", EX="USUBJID|EXSEQ|EXSTDTC\nA|1|2022-01-01"
        ),
        study,
    )
    assert clean.findings == ()
    assert [x.rule for x in clean.ledger] == ["CUT-LASTDOSE"]
    cut = cut_sdtm(sdtm(DM=DM_AB, AE=AE), study)
    found = {
        (f.rule, f.severity, f.domain, f.subject, f.key, f.variable) for f in cut.findings if f.rule == "DCUT"
    }
    assert ("DCUT", "stop", "AE", "A", ("7",), "AESTDTC") in found
    assert ("DCUT", "stop", "DM", "A", (), "DTHDTC") in found
    assert ("DCUT", "stop", "AE", "A", ("2",), "AEENDTC") in found
    assert not [f for f in found if f[3] == "B"]
    row = next(f for f in cut.findings if f.rule == "DCUT" and f.key == ("2",) and f.variable == "AEENDTC")
    assert (row.file, row.row, row.value) == ("ae.csv", 3, "2022-02-20")
    assert not [f for f in cut_sdtm(sdtm(DM=DM_AB, AE=AE), study_of()).findings if f.rule == "DCUT"]


DATES = st.sampled_from(
    [".", "2022", "2022-02", "2022-03", "2022-02-17", "2022-02-18", "2021-05-05T10:00", "--02-20"]
)
LATER = st.sampled_from(["2022-02-18", "2022-03", "2023", "2022-02-18T00:00"])
EVENTS = st.lists(st.tuples(st.sampled_from("AB"), DATES, DATES), min_size=0, max_size=8)


def events(rows):
    ae = [f"{who}|{i}|t{i}|{start}|{end}|RECOVERED/RESOLVED|2" for i, (who, start, end) in enumerate(rows, 1)]
    ex = [f"{who}|{i}|CAR-T|{start}|{end}" for i, (who, start, end) in enumerate(rows, 1)]
    supp = [f"{who}|AE|AESEQ|{i}|AESI|Y" for i, (who, _, _) in enumerate(rows, 1)]
    return sdtm(
        DM="USUBJID|RFICDTC|RFXENDTC|DTHFL|DTHDTC\nA|2021-01-01|2022-02-01|Y|2022-03-01\nB|2021-01-01|.|.|.",
        AE="\n".join(["USUBJID|AESEQ|AETERM|AESTDTC|AEENDTC|AEOUT|AETOXGR", *ae]),
        EX="\n".join(["USUBJID|EXSEQ|EXTRT|EXSTDTC|EXENDTC", *ex]),
        SUPPAE="\n".join(["USUBJID|RDOMAIN|IDVAR|IDVARVAL|QNAM|QVAL", *supp]),
    )


def same(left, right, *, order=True):
    assert list(left.domains) == list(right.domains)
    for name, frame in left.domains.items():
        a, b = frame.drop(columns="SRCROW"), right.domains[name].drop(columns="SRCROW")
        if not order:
            a, b = (f.sort_values(list(f.columns), ignore_index=True) for f in (a, b))
        pd.testing.assert_frame_equal(a, b)


@pytest.mark.rule("CUT-08")
@settings(max_examples=10, deadline=None)
@given(EVENTS)
def test_second_cut_changes_nothing_and_counts_reconcile(study_of, rows):
    study, extract = study_of(), events(rows)
    once = cut_sdtm(extract, study)
    twice = cut_sdtm(once, study)
    same(once, twice)
    assert not twice.counts[["removed", "blanked"]].to_numpy().any()
    counts = once.counts.set_index("domain")
    assert (counts["read"] == counts["kept"] + counts["removed"]).all()
    for name, frame in once.domains.items():
        assert counts.loc[name, "read"] == len(extract.domains[name])
        assert counts.loc[name, "kept"] == len(frame)
        assert counts.loc[name, "blanked"] == sum(
            x.domain == name and x.rule != "DCUT-PATIENT" for x in once.ledger
        )


@pytest.mark.rule("CUT-08")
@settings(max_examples=10, deadline=None)
@given(EVENTS, st.sampled_from("AB"), LATER, DATES)
def test_a_record_after_the_cut_changes_no_cell(study_of, rows, who, start, end):
    same(cut_sdtm(events(rows), study_of()), cut_sdtm(events([*rows, (who, start, end)]), study_of()))


@pytest.mark.rule("CUT-08")
@settings(max_examples=8, deadline=None)
@given(EVENTS, st.randoms(use_true_random=False))
def test_row_order_is_irrelevant(study_of, rows, rng):
    extract = events(rows)
    mixed = {}
    for name, frame in extract.domains.items():
        order = list(range(len(frame)))
        random.Random(rng.random()).shuffle(order)
        mixed[name] = frame.iloc[order].reset_index(drop=True)
    one, two = cut_sdtm(extract, study_of()), cut_sdtm(Sdtm(mixed, cut=extract.cut), study_of())
    same(one, two, order=False)
    assert {f.id for f in one.findings} == {f.id for f in two.findings}
    assert set(one.ledger) == set(two.ledger)
    pd.testing.assert_frame_equal(one.counts, two.counts)


@pytest.mark.rule("CUT-06")
@settings(max_examples=8, deadline=None)
@given(EVENTS)
def test_no_child_is_without_a_parent_after_the_cut(study_of, rows):
    cut = cut_sdtm(events(rows), study_of())
    parents = {(who, str(int(seq))) for who, seq in cut.domains["AE"][["USUBJID", "AESEQ"]].to_numpy()}
    assert {tuple(row) for row in cut.domains["SUPPAE"][["USUBJID", "IDVARVAL"]].to_numpy()} == parents


def test_empty_and_absent_columns(study_of):
    data = sdtm(
        DM=DM_A, LB="USUBJID|LBSEQ\nA|1", AE="USUBJID|AESEQ|AETERM|AESTDTC|AEENDTC", DS="USUBJID|DSSEQ|DSTERM"
    )
    cut = cut_sdtm(data, study_of())
    assert [(f.rule, f.variable) for f in cut.findings] == [("DCUT-NODATE", "LBSTDTC")]
    assert cut.domains["AE"].shape[0] == 0

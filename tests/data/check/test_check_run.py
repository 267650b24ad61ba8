from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interim.data.check import RULES, run_checks
from interim.data.check.kinetics import duration_hours
from interim.data.check.records import plain
from interim.data.check.registry import rule
from interim.data.check.values import masked
from interim.data.model import Sdtm
from interim.errors import Finding

SOURCE_RULES = [rule for rule in RULES if not rule.finished]
PAGE = Path(__file__).resolve().parents[3] / "docs" / "methods" / "checks.md"
CUT = datetime(2025, 12, 31, 23, 59, 59)
# Severities of the defects that data alone decide, from the specification of the seeded defects and of the data contract.
STOP = (
    "DM-UNIQ EX-RANGE-UNIT EX-ORDER AE-ORDER AE-G5 AE-POSTDTH LB-UNIT-DIST TR-UNIT TU-BASE DS-DEATH DCUT PC-TAD PC-UNIT MI-RANGE DM-CONSENT XD-ORPHAN "
    "PII-SCAN XD-ISO XD-KEY XD-REQ XD-SUPP XD-FUTURE XD-POSTDTH DOSE-RECORD DOSE-LEVEL DOSE-EARLY DM-DTH DS-MULTIDTH EX-NODOSE EX-END EX-UNIT AE-FATAL TR-DUP "
    "ADAM-CHANGE ADAM-EVENT ADAM-SUBJECT ADAM-SETS ADAM-COHORT ADAM-DATE ADAM-CNSR ADAM-UNIT ADAM-TIME ADAM-DEATH ADAM-ORDER ADAM-RESP "
    "ADAM-POSTDTH ADAM-DATES ADAM-GRADE ADAM-FATAL ADAM-AVALC ADAM-BASE ADAM-ONTRT ADAM-LBCHG"
)
INFO = "ADAM-PARAM EX-WINDOW AE-OVERLAP LB-NOAE LB-ULOQ LB-GLR LB-MULTI TR-LINK RS-GAP CM-NEWTX PC-LLOQ PC-WIN MI-AGE SV-WIN"


@pytest.mark.rule("CHECK-02")
def test_clean_study_has_no_finding_and_every_rule_runs(run):
    report = run()
    assert [str(finding) for finding in report.findings] == []
    assert [row for row in report.rules if row[2] != "run"] == []
    assert len(report.rules) == len(SOURCE_RULES)


def test_severities():
    assert {r.id for r in RULES if r.severity == "stop"} == set(STOP.split())
    assert {r.id for r in RULES if r.severity == "info"} == set(INFO.split())


@pytest.mark.rule("CHECK-03")
def test_missing_domains_and_columns_are_named(run, clean_frames):
    some = {name: table for name, table in clean_frames.items() if name in ("DM", "AE")}
    rules = {name: state for name, _, state in run(("AE", "x", {"AETOXGR": None}), frames=some).rules}
    assert rules["AE-GRADE"] == "not run: AE has no AETOXGR"
    assert rules["TU-LOC"] == "not run: TU not delivered"
    assert rules["CM-NEWTX"] == "not run: EX not delivered"
    assert rules["Q-OPEN"] == "not run: none of QUERY delivered"
    assert rules["AE-DUP"] == "run"
    assert len(rules) == len(SOURCE_RULES)


@pytest.mark.rule("CHECK-03")
def test_no_domain_at_all(mini):
    report = run_checks(Sdtm({}, CUT), mini)
    assert report.findings == ()
    assert len(report.rules) == len(SOURCE_RULES)


@pytest.mark.rule("CHECK-03")
def test_domains_without_records(run, clean_frames):
    report = run(frames={name: table.iloc[:0] for name, table in clean_frames.items()})
    assert report.findings == ()


@pytest.mark.rule("CHECK-04")
def test_finding_names_place_key_and_value(found):
    (finding,) = found("AE-ORDER", ("AE", 0, {"AEENDTC": "2025-01-21"}))
    assert (finding.file, finding.row) == ("ae.csv", 2)
    assert finding.key == ("Fever", "Pyrexia", "2025-01-22", "1")
    assert finding.value == "2025-01-21"
    assert finding.effect == ("T 14.3.1.1", "T 14.3.1.2")


@pytest.mark.rule("CHECK-04")
def test_one_finding_per_participant_and_test_in_bulk_data(found):
    (finding,) = found("LB-REF", *[("LB", "+0", {"LBSTNRHI": None, "LBSEQ": 90.0 + n}) for n in range(3)])
    assert finding.key == ("ALT",)
    assert "(3 records)" in finding.message


@pytest.mark.rule("CHECK-05")
def test_row_order_and_index_change_nothing(run, clean_frames):
    edits = [
        ("RS", 1, {"RSSTRESC": "CHECK"}),
        ("AE", "+0", {"AETOXGR": "3"}),
        ("LB", 8, {"LBSTRESN": 1.1}),
        ("TR", "-4", {}),
        ("DS", 2, {"DSSTDTC": "2025-06-12"}),
    ]
    expected = run(*edits)
    shuffled = {name: table.sample(frac=1, random_state=3) for name, table in clean_frames.items()}
    places = {name: {old: old for old in table.index} for name, table in shuffled.items()}
    assert places["RS"][1] == 1
    mixed = run(*edits[:1], *edits[2:3], frames=shuffled)
    plain_order = run(*edits[:1], *edits[2:3])
    assert [f.id for f in mixed.findings] == [f.id for f in plain_order.findings]
    assert [f.row for f in mixed.findings] == [f.row for f in plain_order.findings]
    assert {f.rule for f in expected.findings} >= {"RS-VALUE", "LB-UNIT-DIST", "TR-MISSTL", "DS-MULTIDTH"}


@pytest.mark.rule("CHECK-05")
def test_inputs_are_not_changed(run, clean_frames):
    before = {name: table.copy(deep=True) for name, table in clean_frames.items()}
    run()
    for name, table in clean_frames.items():
        pd.testing.assert_frame_equal(table, before[name])


@pytest.mark.rule("CHECK-06")
def test_identifier_is_masked_everywhere(run):
    report = run(("AE", 0, {"AETERM": "Mr Zhang 13812345678", "AETOXGR": None}))
    assert {finding.rule for finding in report.findings} >= {"PII-SCAN", "AE-GRADE"}
    assert not re.search(
        "Zhang|1381234", "\n".join(f"{finding} {finding.key}" for finding in report.findings)
    )


@pytest.mark.rule("CHECK-06")
@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("tel: 021-6407 1234", True),
        ("110101199003071234 recorded", True),
        ("MRN 0012345", True),
        ("住院号：123456", True),
        ("王先生", True),
        ("a.b@site.org", True),
        ("Dr Smith called", True),
        ("dose 13800000000000", False),
        ("ALT 138 U/L", False),
        ("Mr", False),
        ("LOT NK-002", False),
    ],
)
def test_identifiers(found, text, hit):
    assert bool(found("PII-SCAN", ("AE", 0, {"AETERM": text}))) is hit


@pytest.mark.rule("CHECK-07")
def test_stages(run, mini):
    late = ("LB", 13, {"LBDTC": "2025-06-11"})
    cut = run(late, stage="cut")
    assert [row[0] for row in cut.rules] == ["XD-POSTDTH"]
    assert [finding.rule for finding in cut.findings] == ["XD-POSTDTH"]


@pytest.mark.rule("CHECK-07")
def test_dcut_only_where_the_delivery_claims_to_be_cut(found, make_study):
    late = ("DM", 1, {"DTHDTC": "2025-06-30"})
    text = '[data]\npath = "none"\ncut_date = 2025-06-29\nextract_time = 2026-01-01T00:00:00+08:00\n'
    assert found("DCUT", late, study=make_study(text)) == []
    claimed = make_study(text + "source_is_cut = true\n")
    assert ("DM", "DTHDTC") in {(f.domain, f.variable) for f in found("DCUT", late, study=claimed)}
    on_the_day = found("DCUT", ("DM", 1, {"DTHDTC": "2025-06-29T23:59:59"}), study=claimed)
    assert ("DM", "DTHDTC") not in {(f.domain, f.variable) for f in on_the_day}


@pytest.mark.rule("CHECK-08")
def test_dose_per_cycle(found, make_study):
    halves = [("EX", 2, {"EXDOSE": 4.5e8}), ("EX", 3, {"EXDOSE": 4.5e8})]
    per_cycle = make_study('[ambiguity]\nAMB-4 = "B"\n[data]\npath = "none"\ncut_date = 2025-12-31\n')
    assert found("EX-SPLIT", *halves, study=per_cycle) == []
    whole = [("EX", n, {"EXDOSE": 4.5e8}) for n in (2, 3, 4, 5)] + [
        ("EX", n, {"EXDOSE": 1.05e9}) for n in (8, 9)
    ]
    assert found("EX-ACTLVL", *whole, study=per_cycle) == []


@pytest.mark.rule("CHECK-08")
def test_study_without_a_ladder_has_no_level_check(found, make_study):
    arms = make_study(
        '[cohort]\nvariable = "ARMCD"\nlabels = { DL1 = "one" }\n[data]\npath = "none"\ncut_date = 2025-12-31\n'
    )
    for name in ("EX-ACTLVL", "EX-RANGE-UNIT", "EX-SPLIT"):
        assert found(name, ("EX", 8, {"EXDOSE": 1.0e4}), study=arms) == []
    assert found("EX-RANGE-UNIT", ("EX", 0, {"EXDOSE": 1.0e6}), study=arms)[0].subject == "S1"


@pytest.mark.rule("CHECK-08")
def test_weight_of_vs_serves_where_none_was_recorded(found):
    without = [("SUPPEX", n, {"QNAM": "OTHER"}) for n in range(12, 20, 2)]
    assert found("EX-ACTLVL", *without) == []
    assert found("EX-ACTLVL", *without, ("VS", 3, {"VSSTRESN": 140.0}))[0].subject == "S2"


MORE = [
    ("AE-FATAL", [("AE", 0, {"AESDTH": "Y"})], "AEOUT"),
    ("AE-FATAL", [("AE", 4, {"AESDTH": "N"})], "AESDTH"),
    ("AE-FATAL", [("AE", 0, {"AEDTHDTC": "2025-06-10"})], "AEOUT"),
    ("AE-OUTEND", [("AE", 3, {"AEENDTC": "2025-04-01"})], "AEOUT"),
    ("DM-DTH", [("DM", 1, {"DTHDTC": None})], "DTHDTC"),
    ("DS-DEATH", [("DM", 1, {"DTHDTC": None, "DTHFL": None})], None),
    ("DS-DEATH", [("SS", 0, {"SSSTRESC": "DEAD"})], None),
    ("DS-AECOD", [("DS", 1, {"DSDECOD": "ADVERSE EVENT", "DSCAT": "DISPOSITION EVENT"})], "DSDECOD"),
    ("XD-SEX", [("MH", 0, {"MHTERM": "Ovarian cyst"})], "MHTERM"),
    ("EX-NODOSE", [("EX", 2, {"EXOCCUR": "N"})], "EXDOSE"),
    ("EX-ORDER", [("EX", 2, {"EXSTDTC": "2025-01-19T10:00+08:00"})], "EXSTDTC"),
    ("EX-RANGE-UNIT", [("EX", 0, {"EXDOSU": "cells/kg"})], "EXDOSE"),
    ("EX-RANGE-UNIT", [("EX", 8, {"EXDOSE": 3e7})], "EXDOSE"),
    ("LB-REF", [("LB", 0, {"LBSTNRLO": None}), ("LB", "+1", {"LBSEQ": 70.0})], "LBSTNRLO"),
    ("LB-UNIT-DIST", [("LB", 8, {"LBSTRESU": "mg/dL", "LBSTRESN": 60.0})], "LBSTRESN"),
    ("LB-BASE", [("LB", 0, {"LBBLFL": "Y", "LBDTC": "2025-01-20"})], "LBDTC"),
    ("LB-BASE", [("LB", 1, {"LBBLFL": "Y"})], "LBDTC"),
    ("LB-NLR-RANGE", [("LB", 2, {"LBSTRESU": "%"})], "LBSTRESN"),
    ("LB-GLR", [("LB", 2, {"LBTEST": "Granulocytes"})], "LBSTRESN"),
    ("LB-ULOQ", [("LB", "+12", {"LBSEQ": 70.0, "LBORRES": ">700"}), ("LB", 12, {"LBORRES": "700"})], "LBORRES"),
    ("LB-BLQ", [("LB", 11, {"LBORRES": "BLQ"})], "LBORRES"),
    ("TR-UNIT", [("TR", 1, {"TRSTRESU": "inch"})], "TRSTRESU"),
    ("TR-UNIT", [("TR", 2, {"TRSTRESN": 2.5})], "TRSTRESN"),
    ("TR-UNIT", [("TR", 0, {"TRSTRESN": 5.2})], "TRSTRESN"),
    ("TR-AXIS", [("TR", "+4", {"TRSEQ": 99.0, "TRTESTCD": "LDIAM", "TRSTRESN": 11.0})], "TRSTRESN"),
    ("TR-LINK", [("TU", 1, {"TUDTC": "2025-03-20"})], "TULNKID"),
    ("TU-WINDOW", [("TR", 9, {"TRDTC": "2025-02-21"})], "TRDTC"),
    ("TR-RULE", [("TU", "+0", {"TUSEQ": 9.0 + n, "TULNKID": f"T1{n}", "TULOC": f"ORGAN {n}"}) for n in range(4)], "TULNKID"),
    ("RS-DUP", [("RS", 1, {"RSACPTFL": "Y"}), ("RS", "+1", {"RSSEQ": 99.0, "RSACPTFL": "Y", "RSEVALID": "READER 2"})], "RSACPTFL"),
    ("XD-TZ", [("LB", 0, {"LBDTC": "2025-01-15T07:00Z"})], "LBDTC"),
    ("XD-TRIM", [("AE", 0, {"AEOUT": "UNKNOWN "})], "AEOUT"),
    ("XD-REQ", [("SUPPAE", 0, {"QNAM": None})], "QNAM"),
    ("CM-CLASS", [("PR", 0, {"PRCAT": None, "PRSTDTC": "2025-02-01"})], "PRCAT"),
    ("AE-PARTIAL", [("AE", 0, {"AESTDTC": "2025", "AEENDTC": None})], "AESTDTC"),
    ("AE-CRS-CONSIST", [("AE", 1, {"AETOXGR": "4"}), ("CM", 0, {"CMTRT": "Noradrenaline"})], "AETOXGR"),
    ("PC-UNIT", [("PC", 1, {"PCSTRESU": "copies/mL"})], "PCSTRESU"),
    ("XD-KEY", [("QUERY", "+0", {})], "QSTDTC"),
]  # fmt: skip


@pytest.mark.rule("CHECK-01")
@pytest.mark.parametrize(
    ("rule_id", "edits", "variable"), MORE, ids=[f"{n}-{row[0]}" for n, row in enumerate(MORE)]
)
def test_further_ways_to_fire(found, rule_id, edits, variable):
    hits = found(rule_id, *edits)
    assert variable in {hit.variable for hit in hits}


@pytest.mark.rule("CHECK-09")
def test_defects_accepted_by_rule(found):
    assert (
        found(
            "AE-OVERLAP",
            ("AE", 0, {"AEGRPID": "G1"}),
            ("AE", "+0", {"AESEQ": 9.0, "AETOXGR": "2", "AEGRPID": "G1"}),
        )
        == []
    )
    assert found("XD-KEY", ("AE", "+0", {})) == []  # an exact copy is AE-DUP
    assert found("TR-LINK", ("TU", 1, {"TUDTC": "2025-03-20"}), ("TR", 4, {"TRSTRESC": "SPLIT OF T01"})) == []
    assert (
        found(
            "RS-GAP",
            ("RS", 5, {"RSDTC": "2025-08-07"}),
            ("TR", "+10", {"TRSEQ": 9.0, "TRDTC": "2025-06-10", "TRSTAT": "NOT DONE"}),
        )
        == []
    )
    assert found("XD-POSTDTH", ("LB", 13, {"LBDTC": "2025-06-11", "LBSTAT": "NOT DONE"})) == []
    assert found("RS-NOTR", ("RS", 3, {"VISITNUM": 8.0})) == []  # lesions of the same day
    assert found("LB-NOAE", ("AE", 2, {"AESTDTC": "2025-02-28"})) == []
    assert found("LB-NOAE", ("AE", 2, {"AESTDTC": "2025-03-01"}))[0].variable == "LBSTRESN"


@pytest.mark.rule("CHECK-10")
def test_baseline_above_uln_grades_by_multiples_of_baseline(found):
    base = ("LB", 0, {"LBSTRESN": 110.0})
    assert found("LB-NOAE", base, ("AE", "-2", {})) == []  # 300 is less than 5 x 110
    assert len(found("LB-NOAE", base, ("AE", "-2", {}), ("LB", 1, {"LBSTRESN": 551.0}))) == 1


ODD = st.sampled_from(
    [
        None,
        "",
        " ",
        "abc",
        "2025-13-45",
        "2025",
        0.0,
        -1.0,
        1e308,
        float("inf"),
        float("nan"),
        "S1",
        "<5",
        "P7D",
        "PT1.1.1H",
        "ＰＲ",
    ]
)
COLUMNS = (
    "USUBJID",
    "TESTCD",
    "STRESN",
    "STRESC",
    "ORRES",
    "DTC",
    "STDTC",
    "ENDTC",
    "SEQ",
    "TERM",
    "DECOD",
    "TOXGR",
    "DOSE",
    "CYCLE",
    "LNKID",
    "ELTM",
    "CAT",
    "VISITNUM",
)


@pytest.mark.rule("CHECK-03")
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_check_raises_on_odd_data(clean_frames, mini, data):
    suffix = data.draw(st.sampled_from(COLUMNS))
    frames = {}
    for name, table in clean_frames.items():
        column = next((c for c in table.columns if c.endswith(suffix)), None)
        values = np.empty(len(table), dtype=object)
        values[:] = [data.draw(ODD) for _ in range(min(3, len(table)))] + [None] * max(0, len(table) - 3)
        frames[name] = table if column is None else table.assign(**{column: values})
    report = run_checks(Sdtm(frames, CUT), mini)
    assert all(isinstance(finding, Finding) for finding in report.findings)


def test_findings_are_sorted_stops_first(run):
    report = run(("AE", 0, {"AETOXGR": None, "AESTDTC": "x"}), ("LB", 8, {"LBSTRESN": 1.1}))
    severities = [finding.severity for finding in report.findings]
    assert severities == sorted(severities, key=["stop", "warn", "info"].index)


def test_registry_refuses_a_second_rule_of_one_id():
    with pytest.raises(ValueError, match="AE-DUP"):
        rule("AE-DUP", severity="warn")(lambda context: iter(()))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (2.5, "2.5"),
        (None, None),
        (float("inf"), "inf"),
        ("", None),
        (np.float64(7), "7"),
        (np.int64(4), "4"),
        (pd.NaT, None),
    ],
)
def test_plain(value, text):
    assert plain(value) == text


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("P1W", 168.0),
        ("P1DT12H", 36.0),
        ("PT90M", 1.5),
        ("-PT1H", -1.0),
        ("P", None),
        ("PT1.1.1H", None),
        ("x", None),
    ],
)
def test_duration(text, hours):
    assert duration_hours(text) == hours


def test_masked_keeps_the_length():
    assert masked("Dr 王 12") == "** * **"


def test_page_lists_every_rule():
    rows = re.findall(
        r"^\| ([A-Z]+-[A-Z0-9-]+|DCUT) \| (stop|warn|info) \| (.+) \|$",
        PAGE.read_text(encoding="utf-8"),
        re.M,
    )
    assert rows == [(r.id, r.severity, r.summary) for r in RULES]


def test_replace_is_all_that_a_finding_needs(found):
    (finding,) = found("AE-GRADE", ("AE", 0, {"AETOXGR": None}))
    assert replace(finding, row=99).id == finding.id


def test_records_convert_whole_numbers_like_any_other():
    from interim.data.check.records import Records

    values = [1.0, 2.0, 2.0**53, -0.0, 1e300, 0.5, None]
    for chosen in (values, values[:2], values[3:4], [3.0, None], [None, None], [2.0**53 - 1]):
        frame = pd.DataFrame({"A": pd.Series(chosen, dtype=float)})
        expected = [None if v is None else str(int(v)) if float(v).is_integer() else repr(v) for v in chosen]
        assert Records("XX", frame).text("A").tolist() == expected
        assert Records("XX", frame).code("A").tolist() == [e and e.upper() for e in expected]


def test_codes_that_begin_with_a_pattern():
    from interim.data.check.records import Records

    frame = pd.DataFrame({"A": pd.Series(["<5", " <5", "5<", None, ""], dtype=object)})
    assert Records("XX", frame).matching("A", "[<>]").tolist() == [True, True, False, False, False]
    assert Records("XX", frame).matching("B", "[<>]").tolist() == [False] * 5


def test_records_with_equal_participant_and_codes_have_one_number():
    from interim.data.check.records import Records

    columns = {"USUBJID": ["S1", "s1", "S1", "S1", None, None], "A": ["x", "X", " X", "y", "x", "x "]}
    records = Records("XX", pd.DataFrame(columns, dtype=object))
    assert records.pairs("USUBJID", "A").tolist() == [0, 1, 0, 2, 3, 3]
    assert records.pairs("USUBJID").tolist() == [0, 1, 0, 0, 2, 2]
    assert records.distinct("A") == ["x", "X", " X", "y", "x "]
    assert records.distinct("B") == []
    assert Records("XX", pd.DataFrame({"USUBJID": pd.Series(dtype=object)})).pairs("USUBJID").tolist() == []


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0]])
def test_the_value_beside_a_draw_is_that_of_its_own_participant_and_time(order):
    from interim.data.check.laboratory import beside_draw
    from interim.data.check.records import Records

    rows = [
        ("S1", "WBC", "2026-01-01", 5.0),
        ("S1", "NEUT", "2026-01-01", 3.0),
        ("S1", "NEUT", "2026-01-02", 4.0),
        ("s1", "WBC", "2026-01-02", 9.0),
        (None, "WBC", None, 7.0),
    ]
    frame = pd.DataFrame([rows[k] for k in order], columns=["USUBJID", "LBTESTCD", "LBDTC", "LBSTRESN"])
    found = dict(zip(order, beside_draw(Records("LB", frame), "WBC"), strict=True))
    assert [found[k] for k in (0, 1, 3, 4)] == [5.0, 5.0, 9.0, 7.0]
    assert np.isnan(found[2])


@pytest.mark.rule("SDQ-06")
def test_an_open_query_names_the_tables_of_its_domain():
    from interim.data.check.context import Context
    from interim.data.check.run import check_context
    from interim.data.model import Sdtm

    rows = [
        ("AE", "AETOXGR", "OPEN"),
        ("RS", "RSSTRESC", "OPEN"),
        ("AE", "AETOXGR", "CLOSED"),
        ("CM", "CMENDTC", "OPEN"),
    ]
    query = pd.DataFrame(rows, columns=["QDOMAIN", "QFIELD", "QSTATUS"], dtype=object).assign(USUBJID="S1")
    study = SimpleNamespace(data=SimpleNamespace(stage="sdtm"))
    found = check_context(Context(Sdtm({"QUERY": query}, None), study), only={"Q-OPEN"}).findings
    assert sorted(f.effect for f in found) == [
        ("T 14.6.3", "T 14.2.1.1", "T 14.2.1.2", "T 14.3.1.1"),
        ("T 14.6.3", "T 14.2.2.1", "T 14.2.3.1"),
    ]


def finished_findings(rule, **frames):
    """The findings of one rule in finished datasets."""
    from interim.data.check.context import Context
    from interim.data.check.run import check_context
    from interim.data.model import Sdtm

    study = SimpleNamespace(data=SimpleNamespace(stage="adam"))
    found = check_context(Context(Sdtm(frames, None), study), only={rule}).findings
    return [(f.domain, f.subject, f.variable, f.severity) for f in found]


@pytest.mark.rule("ENTRY-06")
@pytest.mark.parametrize(
    ("value", "base", "change", "percent", "wrong"),
    [
        (35.0, 50.0, -15.0, -30.0, []),
        (35.0, 50.0, None, None, []),
        (33.3, 50.0, -17.0, -33.0, []),  # rounded to whole numbers
        (35.0, 50.0, 15.0, -30.0, ["CHG"]),
        (35.0, 50.0, -15.0, 30.0, ["PCHG"]),
        (35.0, 50.0, -15.0, -0.3, ["PCHG"]),
        (35.0, None, -15.0, -30.0, []),
        (0.0, 0.0, 0.0, 100.0, []),  # no percentage of nothing
    ],
)
def test_changes_of_finished_lesions(value, base, change, percent, wrong):
    row = {"USUBJID": "S1", "AVAL": value, "BASE": base, "CHG": change, "PCHG": percent}
    adtr = pd.DataFrame([row]).astype({name: float for name in ("AVAL", "BASE", "CHG", "PCHG")})
    assert finished_findings("ADAM-CHANGE", ADTR=adtr) == [("ADTR", "S1", name, "stop") for name in wrong]


@pytest.mark.rule("ENTRY-06")
@pytest.mark.parametrize(
    ("start", "end", "flag", "wrong"),
    [
        ("2026-01-10", "2026-01-12", "Y", []),
        ("2026-01-10", None, "Y", []),
        ("2026-01-10", "2026-01-09", "Y", ["AENDT"]),
        ("2026-01-09", "2026-01-12", "Y", ["TRTEMFL"]),
        ("2026-01-09", "2026-01-12", "N", []),
        ("2026-01-09", "2026-01-01", "Y", ["AENDT", "TRTEMFL"]),
        (None, "2026-01-12", "Y", []),
    ],
)
def test_finished_events_against_their_end_and_the_first_treatment(start, end, flag, wrong):
    adsl = pd.DataFrame({"USUBJID": ["S1"], "TRTSDT": ["2026-01-10"]})
    adae = pd.DataFrame([{"USUBJID": "S1", "ASTDT": start, "AENDT": end, "TRTEMFL": flag}], dtype=object)
    found = finished_findings("ADAM-EVENT", ADSL=adsl, ADAE=adae)
    assert found == [("ADAE", "S1", name, "stop") for name in wrong]


@pytest.mark.rule("CHECK-04", source="units missing: one clear finding")
def test_a_delivery_without_any_unit_is_one_finding(found, clean_frames):
    lb = clean_frames["LB"]
    bare = {**clean_frames, "LB": lb.assign(LBORRESU=None)}
    (finding,) = found("LB-UNIT", frames=bare)
    numeric = pd.to_numeric(lb["LBORRES"], errors="coerce").notna()
    assert (finding.domain, finding.variable, finding.key, finding.subject) == ("LB", "LBORRESU", (), None)
    count = int(re.search(r"\((\d+) records\)", finding.message)[1])
    assert 1 < count <= int(numeric.sum())
    one = {**clean_frames, "LB": lb.assign(LBORRESU=lb["LBORRESU"].where(lb.index != numeric.idxmax()))}
    assert all(f.subject is not None for f in found("LB-UNIT", frames=one))

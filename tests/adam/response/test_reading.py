"""What is read from TU, TR and RS: words, units, evaluators, visits, dates; and iRECIST blocks visit by visit."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.adam.response.conftest import DOSE, day, reports, tumour

from interim.adam.response.irecist import ImmuneVisit, irecist_course
from interim.adam.response.irecist_best import to_i
from interim.adam.response.markers import marker_dates
from interim.adam.response.records import evaluator, read_lesion_records
from interim.adam.response.reported import IRECIST, RECIST, read_responses
from interim.study.efficacy import IrecistTable

STATES = [
    # text as collected, state that is read, whether a finding is made
    ("ABSENT", "ABSENT", False),
    ("absent", "ABSENT", False),
    ("DISAPPEARED", "ABSENT", False),
    ("RESOLVED", "ABSENT", False),
    ("PRESENT", "PRESENT", False),
    ("TSTM", "TOO SMALL TO MEASURE", False),
    ("TOO SMALL TO MEASURE", "TOO SMALL TO MEASURE", False),
    ("NE", "NOT EVALUABLE", False),
    ("NOT ASSESSABLE", "NOT EVALUABLE", False),
    ("NOT DONE", "NOT EVALUABLE", False),
    ("TREATED", "TREATED", False),
    ("UNEQUIVOCAL PROGRESSION", "UNEQUIVOCAL PROGRESSION", False),
    ("FURTHER INCREASE", "FURTHER INCREASE", False),
    ("SOMETHING ELSE", "NOT EVALUABLE", True),
]


@pytest.mark.rule("RECIST-01")
@pytest.mark.parametrize(("text", "state", "found"), STATES)
def test_states_of_a_lesion(text, state, found):
    _, tr = tumour((-7, 42), {"T01": ("LIVER", [50, text])})
    rows, findings = read_lesion_records(tr)
    assert rows["STATE"].tolist()[-1] == state
    assert [f.rule for f in findings] == (["TR-STATE"] if found else [])


UNITS = [
    # value, unit, millimetres
    (12.0, "mm", 12.0),
    (1.2, "cm", 12.0),
    (1.2, "CM", 12.0),
    (12.0, None, 12.0),
    (0.0, "mm", 0.0),
    (0.5, "inch", None),
    (None, "mm", None),
]


@pytest.mark.rule("RECIST-01")
@pytest.mark.parametrize(("value", "unit", "expected"), UNITS)
def test_units_of_a_diameter(value, unit, expected):
    _, tr = tumour((-7,), {"T01": ("LIVER", [50])})
    rows, _ = read_lesion_records(tr.assign(TRSTRESN=value, TRSTRESU=unit, TRSTRESC=None))
    found = rows["MM"].iloc[0]
    assert (None if pd.isna(found) else round(found, 9)) == expected


@pytest.mark.rule("RECIST-01")
def test_a_negative_diameter_is_a_finding_that_names_the_record():
    _, tr = tumour((-7,), {"T01": ("LIVER", [50])})
    _, findings = read_lesion_records(tr.assign(TRSTRESN=-3.0))
    (finding,) = findings
    assert (finding.rule, finding.subject, finding.variable) == ("TR-NEG", "S1", "TRSTRESN")


@pytest.mark.rule("RECIST-01")
def test_what_is_no_lesion_record_is_not_read():
    _, tr = tumour((-7, 42), {"T01": ("LIVER", [50, 40])})
    other = tr.assign(TRTESTCD=["SUMDIAM", "LDIAM"], TRLNKID=["T01", None])
    rows, findings = read_lesion_records(other)
    assert rows.empty
    assert findings == ()


@pytest.mark.rule("RECIST-14")
@pytest.mark.parametrize(
    ("reader", "role", "expected"),
    [
        (None, None, "INVESTIGATOR"),
        (None, "INVESTIGATOR", "INVESTIGATOR"),
        (None, "INDEPENDENT ASSESSOR", "INDEPENDENT ASSESSOR"),
        ("RADIOLOGIST 1", "INDEPENDENT ASSESSOR", "RADIOLOGIST 1"),
        ("RADIOLOGIST 1", None, "RADIOLOGIST 1"),
    ],
)
def test_who_evaluated(reader, role, expected):
    frame = pd.DataFrame({"TREVALID": [reader], "TREVAL": [role]}, dtype=object)
    assert evaluator(frame, "TR").tolist() == [expected]


@pytest.mark.rule("RECIST-14")
def test_without_the_columns_it_was_the_investigator():
    assert evaluator(pd.DataFrame({"TRSEQ": [1, 2]}), "TR").tolist() == ["INVESTIGATOR"] * 2


@pytest.mark.rule("RECIST-15")
def test_reports_of_one_visit_with_two_dates_are_two_time_points():
    rs = reports((42, 49), ["PR", "SD"], visits=(2, 2))
    (points,) = read_responses(rs, criteria=RECIST).values()
    assert [(p.date - DOSE).days for p in points] == [42, 49]
    assert [p.values["OVRLRESP"] for p in points] == ["PR", "SD"]
    assert {p.visitnum for p in points} == {2.0}


@pytest.mark.rule("RECIST-15")
def test_parts_of_a_report_are_one_time_point():
    parts = pd.concat(
        [
            reports((42,), ["PR"], test="TRGRESP"),
            reports((42,), ["CR"], test="NTRGRESP"),
            reports((42,), ["PR"]),
        ],
        ignore_index=True,
    ).assign(RSSEQ=[1.0, 2.0, 3.0])
    (points,) = read_responses(parts, criteria=RECIST).values()
    (point,) = points
    assert point.values == {"TRGRESP": "PR", "NTRGRESP": "CR", "OVRLRESP": "PR"}
    assert point.sequences == {"TRGRESP": "1", "NTRGRESP": "2", "OVRLRESP": "3"}


@pytest.mark.rule("RECIST-15")
def test_of_two_values_the_first_record_counts():
    rs = reports((42, 42), ["PR", "SD"], visits=(2, 2))
    (points,) = read_responses(rs, criteria=RECIST).values()
    assert [p.values["OVRLRESP"] for p in points] == ["PR"]


REPORTS = [
    # RSSTRESC, RSORRES, RSSTAT, value that is read (None: no time point)
    ("PR", None, None, "PR"),
    (None, "PR", None, "PR"),
    (None, None, "NOT DONE", "ND"),
    ("PR", None, "NOT DONE", "PR"),
    (None, None, None, None),
]


@pytest.mark.rule("RECIST-15")
@pytest.mark.parametrize(("result", "original", "status", "expected"), REPORTS)
def test_values_of_a_report(result, original, status, expected):
    rs = reports((42,), ["PR"]).assign(RSSTRESC=result, RSORRES=original, RSSTAT=status)
    rs = rs.astype(object).where(rs.notna(), None)
    found = [p.values["OVRLRESP"] for points in read_responses(rs, criteria=RECIST).values() for p in points]
    assert found == ([] if expected is None else [expected])


@pytest.mark.rule("RECIST-15")
@pytest.mark.parametrize(
    ("category", "recist", "immune"),
    [("RECIST 1.1", 1, 0), (None, 1, 0), ("iRECIST", 0, 1), ("IRECIST", 0, 1)],
)
def test_criteria_of_a_report(category, recist, immune):
    rs = reports((42,), ["PR"]).assign(RSCAT=category)
    rs = rs.astype(object).where(rs.notna(), None)
    found = [sum(map(len, read_responses(rs, criteria=c).values())) for c in (RECIST, IRECIST)]
    assert found == [recist, immune]


@pytest.mark.rule("RECIST-15")
@pytest.mark.parametrize(
    ("date", "expected"), [("2026-02-16", 42), ("2026-02", 54), ("2026", None), (None, None)]
)
def test_dates_of_a_report(date, expected):
    rs = reports((42,), ["PR"]).assign(RSDTC=date)
    rs = rs.astype(object).where(rs.notna(), None)
    found = [(p.date - DOSE).days for points in read_responses(rs, criteria=RECIST).values() for p in points]
    assert found == ([] if expected is None else [expected])


MARKERS = [
    # results as (marker, day, value), normal on days
    ([("CEA", 0, 4.0)], {0: False}),
    ([("CEA", 0, 4.0), ("CA199", 0, 30.0)], {0: True}),
    ([("CEA", 0, 4.0), ("CA199", 7, 30.0)], {0: False, 7: True}),
    ([("CEA", 0, 4.0), ("CA199", 0, 40.0), ("CA199", 7, 37.0)], {0: False, 7: True}),
    ([("CEA", 0, 5.0), ("CA199", 0, 37.0), ("CEA", 7, 5.1)], {0: True, 7: False}),
    ([("CEA", 0, None), ("CA199", 0, 30.0)], {0: False}),
    ([("HGB", 0, 120.0)], None),
]


@pytest.mark.rule("RECIST-05")
@pytest.mark.parametrize(("results", "expected"), MARKERS)
def test_markers_are_normal_when_the_latest_of_each_is(results, expected):
    limits = {"CEA": 5.0, "CA199": 37.0, "HGB": 160.0}
    lb = pd.DataFrame(
        [
            {
                "USUBJID": "S1",
                "LBTESTCD": name,
                "LBDTC": day(when),
                "LBSTRESN": value,
                "LBSTNRHI": limits[name],
            }
            for name, when, value in results
        ]
    )
    found = marker_dates(lb, ("CEA", "CA199")).get("S1")
    days = None if found is None else {(when - DOSE).days: normal for when, normal in found}
    assert days == expected


def visits(*rows) -> list[ImmuneVisit]:
    """(day, target response, sum, more) -> visits."""
    return [ImmuneVisit(when, target, total=total, **more) for when, target, total, more in rows]


N1, N2 = frozenset({"N1"}), frozenset({"N1", "N2"})
BLOCKS = [
    (
        "growth of the target by exactly 5 mm confirms",
        [(42, "PD", 120.0, {}), (77, "PD", 125.0, {})],
        {},
        ["iUPD", "iCPD"],
        "I-CPD-T",
    ),
    (
        "less than 5 mm keeps the block open",
        [(42, "PD", 120.0, {}), (77, "PD", 124.9, {})],
        {},
        ["iUPD", "iUPD"],
        "I-UPD-STAY",
    ),
    (
        "27 days are too early",
        [(42, "PD", 120.0, {}), (69, "PD", 130.0, {})],
        {},
        ["iUPD", "iUPD"],
        "I-EARLY",
    ),
    (
        "28 days are enough",
        [(42, "PD", 120.0, {}), (70, "PD", 130.0, {})],
        {},
        ["iUPD", "iCPD"],
        "I-CPD-T",
    ),
    (
        "57 days are late but accepted",
        [(42, "PD", 120.0, {}), (99, "PD", 130.0, {})],
        {},
        ["iUPD", "iCPD"],
        "I-LATE",
    ),
    (
        "57 days are late and rejected",
        [(42, "PD", 120.0, {}), (99, "PD", 130.0, {})],
        {"icpd_late": "reject"},
        ["iUPD", "iUPD"],
        "I-LATE",
    ),
    (
        "another new lesion confirms",
        [(42, "SD", 100.0, {"new": N1}), (77, "SD", 100.0, {"new": N2})],
        {},
        ["iUPD", "iCPD"],
        "I-CPD-NEW",
    ),
    (
        "growth of measured new lesions confirms",
        [
            (42, "SD", 100.0, {"new": N1, "new_total": 10.0}),
            (77, "SD", 100.0, {"new": N1, "new_total": 15.0}),
        ],
        {},
        ["iUPD", "iCPD"],
        "I-CPD-NEW",
    ),
    (
        "any increase of unmeasured new lesions confirms",
        [(42, "SD", 100.0, {"new": N1}), (77, "SD", 100.0, {"new": N1, "new_grown": True})],
        {},
        ["iUPD", "iCPD"],
        "I-CPD-NEW",
    ),
    (
        "further increase of a non-target confirms",
        [(42, "SD", 100.0, {"nontarget": "PD"}), (77, "SD", 100.0, {"nontarget": "PD", "further": True})],
        {},
        ["iUPD", "iCPD"],
        "I-CPD-NT",
    ),
    (
        "a category that newly progresses confirms",
        [(42, "PD", 120.0, {}), (77, "PD", 120.0, {"new": N1})],
        {},
        ["iUPD", "iCPD"],
        "I-CPD-CAT",
    ),
    (
        "no criterion left resets the bar",
        [(42, "PD", 120.0, {}), (77, "SD", 110.0, {})],
        {},
        ["iUPD", "iSD"],
        "I-RESET",
    ),
    (
        "not evaluable keeps the block",
        [(42, "PD", 120.0, {}), (77, "NE", None, {})],
        {},
        ["iUPD", "NE"],
        "I-NE",
    ),
    (
        "compared with the opening scan: slow growth adds up",
        [(42, "PD", 120.0, {}), (77, "PD", 123.0, {}), (98, "PD", 126.0, {})],
        {},
        ["iUPD", "iUPD", "iCPD"],
        "I-CPD-T",
    ),
    (
        "compared with the previous scan: slow growth never confirms",
        [(42, "PD", 120.0, {}), (77, "PD", 123.0, {}), (98, "PD", 126.0, {})],
        {"icpd_compare": "previous"},
        ["iUPD", "iUPD", "iUPD"],
        "I-UPD-STAY",
    ),
]


@pytest.mark.rule("IRECIST-01")
@pytest.mark.rule("IRECIST-02")
@pytest.mark.parametrize(
    ("rows", "rules", "expected", "code"), [row[1:] for row in BLOCKS], ids=[row[0] for row in BLOCKS]
)
def test_blocks(rows, rules, expected, code):
    found = irecist_course(visits(*rows), rules=IrecistTable(**rules))
    assert [answer.value for answer in found] == expected
    assert code in found[-1].codes


@pytest.mark.rule("IRECIST-04")
@pytest.mark.parametrize(
    ("value", "expected"),
    [("CR", "iCR"), ("PR", "iPR"), ("SD", "iSD"), ("NON-CR/NON-PD", "NON-iCR/NON-iUPD"), ("NE", "NE")],
)
def test_i_values(value, expected):
    assert to_i(value) == expected

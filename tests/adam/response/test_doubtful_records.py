"""Doubtful records: each has a finding that names it, and a stated rule by which the derivation goes on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

LIVER, LUNG, NODE = "LIVER", "LUNG", "LYMPH NODE, NECK"
SCANS = (-7, 42, 84)


def found(data, rule: str) -> list[str]:
    return [finding.message for finding in data.findings if finding.rule == rule]


def with_record(tr: pd.DataFrame, place: int, **changes: object) -> pd.DataFrame:
    """Return TR with one more record: a copy of one, changed, with the next number."""
    extra = tr.iloc[[place]].assign(TRSEQ=float(len(tr) + 1), **changes)
    return pd.concat([tr, extra], ignore_index=True)


@pytest.mark.rule("RECIST-28", source="spec/recist.md section 14: duplicate measurement")
@pytest.mark.parametrize(
    ("second", "sizes"),
    [
        ({"TRSTRESN": 90.0, "TRSTRESC": "90"}, ["50 mm", "90 mm"]),
        (
            {"TRSTRESN": np.nan, "TRSTRESC": "ABSENT", "TRSTRESU": None, "TRTESTCD": "LDIAM"},
            ["50 mm", "ABSENT"],
        ),
    ],
)
def test_of_two_values_on_one_day_the_first_counts_and_both_are_named(make, derive, values, second, sizes):
    tu, tr = make.tumour(SCANS, {"T01": (LIVER, [100, 50, 50])})
    twice = with_record(tr, 1, **second)
    for order in (twice, twice.iloc[::-1]):
        data = derive(tu, order)
        assert values(data.adrs, "TRGRESP") == ["PR", "PR"]
        (text,) = found(data, "TR-TWICE")
        assert all(size in text for size in sizes) and "2026-02-16" in text and "first" in text
    assert found(derive(tu, with_record(tr, 1)), "TR-TWICE") == []


@pytest.mark.rule("RECIST-28")
def test_the_ninth_record_precedes_the_tenth(make, derive, values):
    tu, tr = make.tumour((-7, *range(42, 42 + 42 * 8, 42)), {"T01": (LIVER, [100] * 9)})
    tr.loc[8, ["TRSTRESN", "TRSTRESC"]] = [60.0, "60"]
    data = derive(tu, with_record(tr, 8, TRSTRESN=140.0, TRSTRESC="140"))
    assert values(data.adrs, "TRGRESP")[-1] == "PR"


@pytest.mark.rule("RECIST-28")
def test_of_two_days_of_one_time_point_the_first_counts(make, derive, values):
    tu, tr = make.tumour(SCANS, {"T01": (LIVER, [100, 50, 50])})
    data = derive(tu, with_record(tr, 1, TRDTC=make.day(46), TRSTRESN=140.0, TRSTRESC="140"))
    assert values(data.adrs, "TRGRESP") == ["PR", "PR"]
    assert "140 mm on 2026-02-20" in found(data, "TR-TWICE")[0]


@pytest.mark.rule("RECIST-29", source="spec/recist.md section 2: a new id of a non-new role is not guessed")
def test_a_lesion_keeps_the_role_of_its_first_record(make, derive, values):
    tu, tr = make.tumour(SCANS, {"T01": (LIVER, [100, 60, 60])}, {"NT01": (LUNG, ["PRESENT"] * 3)})
    other = tr.assign(
        TRGRPID=tr["TRGRPID"].where((tr["TRLNKID"] != "NT01") | (tr["TRDTC"] != make.day(42)), "TARGET")
    )
    data = derive(tu, other)
    assert values(data.adrs, "OVR") == ["PR", "PR"]
    assert [text.split(";")[0] for text in found(data, "TR-ROLE")] == [
        "INVESTIGATOR: lesion NT01 is non-target, then target"
    ]
    listed = pd.concat([tu, tu[tu["TULNKID"] == "NT01"].assign(TUSTRESC="TARGET", TUSEQ=9.0)])
    again = derive(listed, tr)
    assert values(again.adrs, "OVR") == ["PR", "PR"]
    assert len(found(again, "TR-ROLE")) == 1
    assert found(derive(tu, tr), "TR-ROLE") == []


@pytest.mark.rule("RECIST-29")
def test_a_target_that_appears_later_is_not_evaluable_from_then_on(make, derive, values):
    tu, tr = make.tumour(
        (*SCANS, 126), {"T01": (LIVER, [100, 60, 60, 60]), "T02": (LUNG, [None, None, 20, 20])}
    )
    data = derive(tu, tr)
    assert values(data.adrs, "TRGRESP") == ["PR", "NE", "NE"]
    assert values(data.adrs, "TRGRESP", column="RSNTXT")[1] == "not assessed: T02"
    growing, more = make.tumour(SCANS, {"T01": (LIVER, [100, 60, 130]), "T02": (LUNG, [None, None, 20])})
    assert values(derive(growing, more).adrs, "TRGRESP") == ["PR", "PD"]


@pytest.mark.rule("RECIST-29")
def test_a_non_target_that_appears_later_is_not_expected_before(make, derive, values):
    tu, tr = make.tumour(
        SCANS,
        {"T01": (LIVER, [100, 60, 60])},
        {"NT01": (LUNG, ["PRESENT"] * 3), "NT02": (LUNG, [None, None, "PRESENT"])},
    )
    assert values(derive(tu, tr).adrs, "NTRGRESP") == ["NON-CR/NON-PD"] * 2


@pytest.mark.rule("RECIST-28", source="spec/recist.md section 14: unknown status, unit, negative size")
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"TRSTRESN": np.nan, "TRSTRESC": "ABOUT 5"}, "TR-STATE"),
        ({"TRSTRESN": np.nan, "TRSTRESC": "12,5 X 7"}, "TR-STATE"),
        ({"TRSTRESN": -4.0, "TRSTRESC": "-4"}, "TR-NEG"),
    ],
)
def test_an_unreadable_size_is_not_evaluable(make, derive, values, changes, rule):
    tu, tr = make.tumour(SCANS, {"T01": (LIVER, [100, 50, 50])})
    bad = tr.copy()
    for name, value in changes.items():
        bad.loc[1, name] = value
    data = derive(tu, bad)
    assert values(data.adrs, "TRGRESP") == ["NE", "PR"]
    assert len(found(data, rule)) == 1


@pytest.mark.rule("RECIST-05", source="spec/recist.md section 5: nodes below 10 mm short axis are absent")
@pytest.mark.parametrize(
    ("organ", "size", "expected"),
    [(NODE, 9.9, "CR"), (NODE, 10, "PR"), (LUNG, 9.9, "PR"), (LUNG, 0, "CR"), (NODE, 0, "CR")],
)
def test_a_measured_non_target_is_absent_at_zero_and_a_node_below_its_limit(
    make, derive, values, organ, size, expected
):
    tu, tr = make.tumour(SCANS, {"T01": (LIVER, [50, 0, 0])}, {"NT01": (organ, [20, size, size])})
    assert values(derive(tu, tr).adrs, "OVR") == [expected] * 2


@pytest.mark.rule("RECIST-05")
def test_a_long_diameter_alone_never_makes_a_non_target_node_absent(make, derive, values):
    tu, tr = make.tumour(SCANS, {"T01": (LIVER, [50, 0, 0])}, {"NT01": (NODE, [20, 8, 8])})
    long = tr.assign(TRTESTCD=tr["TRTESTCD"].where(tr["TRLNKID"] != "NT01", "LDIAM"))
    assert values(derive(tu, long).adrs, "OVR") == ["PR", "PR"]


@pytest.mark.rule("RECIST-30")
def test_progression_before_treatment_is_named_and_not_used(make, derive, values):
    tu, tr = make.tumour(
        (-20, -3, 42, 84),
        {"T01": (LIVER, [90, 100, 60, 60])},
        {"NT01": (LUNG, ["PRESENT", "UNEQUIVOCAL PROGRESSION", "PRESENT", "PRESENT"])},
        {"NEW01": (LUNG, ["UNEQUIVOCAL", None, None, None])},
    )
    data = derive(tu, tr)
    assert values(data.adrs, "BOR") == ["PR"]
    assert values(data.adrs, "PD") == ["N"]
    texts = found(data, "RS-BEFORE")
    assert ["new lesion NEW01" in text for text in texts] == [True, False]
    assert ["progression of non-target NT01" in text for text in texts] == [False, True]


@pytest.mark.rule("RECIST-30")
def test_reported_progression_before_treatment_is_named_and_not_used(make, derive, values):
    rs = make.reports([-3, 42, 84], ["PD", "PR", "PR"])
    data = derive(rs=rs)
    assert values(data.adrs, "CBOR") == ["PR"]
    assert values(data.adrs, "PD") == ["N"]
    assert values(data.adrs, "OVR", column="RSNCD") == ["P-RS;B-BEFORE", "P-RS", "P-RS"]
    (text,) = found(data, "RS-BEFORE")
    assert text.startswith("INVESTIGATOR, 2026-01-02: PD reported on or before the first dose")


@pytest.mark.rule("RECIST-30")
@pytest.mark.parametrize(
    ("death", "best", "progressed"), [(100, "SD", "N"), (126, "PR", "N"), (168, "PR", "Y")]
)
def test_an_assessment_after_death_is_not_used(make, derive, values, death, best, progressed):
    tu, tr = make.tumour((-7, 84, 126, 168), {"T01": (LIVER, [100, 90, 60, 140])})
    people = make.adsl(DTHDT=make.dose + pd.Timedelta(days=death))
    adrs = derive(tu, tr, people=people).adrs
    assert (values(adrs, "BOR"), values(adrs, "PD")) == ([best], [progressed])
    after = ["B-DEATH" in code for code in values(adrs, "OVR", column="RSNCD")]
    assert after == [day > death for day in (84, 126, 168)]


@pytest.mark.rule("RECIST-30")
def test_nobody_progresses_after_death(make, derive):
    from interim.adam.tte import derive_adtte

    tu, tr = make.tumour((-7, 42, 84), {"T01": (LIVER, [100, 90, 140])})
    people = make.adsl(DTHDT=make.dose + pd.Timedelta(days=60))
    study = make.study()
    rows = derive_adtte(people, derive(tu, tr, people=people).adrs, study=study).frame.set_index("PARAMCD")
    assert (rows.loc["PFS", "RSNCD"], rows.loc["PFS", "AVAL"]) == ("E-DEATH", 61)
    assert (rows.loc["TTP", "RSNCD"], rows.loc["TTP", "AVAL"]) == ("K-END", 43)


@pytest.mark.rule("RECIST-08")
def test_a_partial_scan_date_does_not_pass_the_cut_off_of_the_participant(make, derive):
    tu, tr = make.tumour((-7, "2026-03"), {"T01": (LIVER, [100, 60])})
    cuts = {"2026-03-20": "2026-03-20", "2026-12-31": "2026-03-31"}
    for cut, expected in cuts.items():
        adrs = derive(tu, tr, people=make.adsl(DCUTDT=pd.Timestamp(cut))).adrs
        assert f"{adrs.loc[adrs['PARAMCD'] == 'OVR', 'ADT'].iloc[0]:%Y-%m-%d}" == expected

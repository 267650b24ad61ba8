"""Grades in ADLB: units, both branches, baseline, values beyond the assay's range, worst grade, derived parameters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.adam.adlb import derive_adlb, first_base_type
from interim.adam.adlb_derived import filtration_rate
from interim.adam.adlb_grade import flag_worst

TEXT = {"USUBJID": "S1", "LBTEST": "T", "VISIT": "V", "LBNRIND": None, "LBTPT": None, "VISITNUM": 1}
DAY = {
    "base": "2025-01-05T08:00",
    "one": "2025-01-08T08:00",
    "two": "2025-01-15T08:00",
    "late": "2025-03-30T08:00",
}


def result(code, value, when, unit="U/L", low=10.0, high=40.0, **more):
    row = {
        "LBTESTCD": code,
        "LBORRES": str(value),
        "LBORRESU": unit,
        "LBORNRLO": low,
        "LBORNRHI": high,
        "LBSTRESC": str(value),
        "LBSTRESN": value,
        "LBSTRESU": unit,
        "LBSTNRLO": low,
        "LBSTNRHI": high,
        "LBDTC": DAY[when],
    }
    return TEXT | row | more


def core(**more):
    day = lambda text: pd.Series(pd.to_datetime([text]), dtype="datetime64[ns]")  # noqa: E731
    table = {"USUBJID": ["S1"], "TRTSDT": day("2025-01-06"), "TRTSNK": day("2025-01-06"), "AGE": [50.0]}
    table |= {"TRTSNKM": day("2025-01-06T10:00"), "TRTSDTM": day("2025-01-06T10:00"), "TRTSCT": day(None)}
    return pd.DataFrame(table | {"TRTSCTM": day(None), "TRTEDT": day("2025-01-10"), "SEX": ["M"]} | more)


@pytest.fixture
def derive(mk, mini_study):
    def run(rows, study=mini_study, cm=None, **more):
        domains = {"LB": mk.frame("LB", rows)}
        if cm:
            domains["CM"] = mk.frame("CM", cm)
        return derive_adlb(mk.make(domains), core(**more), study=study).frame

    return run


def at(frame, code, when, column):
    value = frame[(frame["PARAMCD"] == code) & (frame["ADTM"] == pd.Timestamp(DAY[when]))][column]
    (only,) = value.tolist()
    return None if only is None or only != only else only


@pytest.mark.rule("SAF-02")
def test_both_branches_stand_side_by_side_and_the_baseline_goes_by_the_upper_limit(derive):
    frame = derive([result("ALT", 120.0, "base"), result("ALT", 160.0, "one"), result("ALT", 400.0, "two")])
    columns = ["ATOXGRH", "ATOXGRHU", "BTOXGRH"]
    assert [at(frame, "ALT", "base", c) for c in columns] == [1, 1, 1]
    assert [at(frame, "ALT", "one", c) for c in columns] == [0, 2, 1]
    assert [at(frame, "ALT", "two", c) for c in columns] == [2, 3, 1]
    assert at(frame, "ALT", "two", "ATOXDSCH") == "Alanine aminotransferase increased"
    assert at(frame, "ALT", "two", "ATOXRUH") == 7


@pytest.mark.rule("SAF-02")
def test_the_baseline_need_not_be_graded_nor_both_branches_shown(derive, study_with):
    rows = [result("ALT", 120.0, "base"), result("ALT", 160.0, "one")]
    frame = derive(rows, study_with('[labs]\nbaseline_grade = "none"\nshow_both_branches = false\n'))
    assert at(frame, "ALT", "base", "ATOXGRH") is None
    assert at(frame, "ALT", "base", "ATOXRSH") == "BASELINE_NOT_GRADED"
    assert at(frame, "ALT", "one", "ATOXGRH") == 0 and at(frame, "ALT", "one", "BTOXGRH") is None
    assert frame["ATOXGRHU"].isna().all()


@pytest.mark.rule("SAF-06")
@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (result("K", 5.7, "one", "mmol/L", 3.5, 5.3), 2),
        (result("K", 3.2, "one", "mmol/L", 3.5, 5.3), -2),
        (result("K", 4.0, "one", "mmol/L", 3.5, 5.3), 0),
        (result("K", 4.0, "one", "mmol/L", 3.5, np.nan), None),
        (result("K", 2.4, "one", "mmol/L", np.nan, np.nan), -4),
        (result("CRP", 300.0, "one", "mg/L", 0.0, 8.0), None),
    ],
)
def test_the_signed_grade_is_the_worse_direction_and_0_only_if_both_are_known(derive, row, expected):
    assert at(derive([row]), row["LBTESTCD"], "one", "ATOXGR") == expected


@pytest.mark.rule("SAF-06")
@pytest.mark.parametrize(
    ("row", "grade", "reason"),
    [
        # Collected in US units: graded by the table in US units, not by the converted value.
        (
            result("CHOL", 7.75, "one", "mmol/L", 3.0, 5.2, LBORRES="300", LBORRESU="mg/dL", LBORNRHI=200.0),
            1,
            None,
        ),
        (result("CHOL", 7.76, "one", "mmol/L", 3.0, 5.2), 2, None),
        # The standard unit is another name of the unit of the table: same factor, no conversion.
        (result("PLAT", 60.0, "one", "10*9/L", 125.0, 350.0), 2, None),
        (
            result("HGB", 70.0, "one", "g/L", 120.0, 160.0, LBORRES="7.0", LBORRESU="g/dL", LBORNRLO=12.0),
            3,
            None,
        ),
        # Neither collected nor standard unit has thresholds.
        (result("HGB", 5.0, "one", "mmol/L", 7.4, 9.9), None, "LB-UNIT"),
        (result("HGB", 70.0, "one", None, 120.0, 160.0), None, "LB-UNIT"),
        (result("HGB", 110.0, "one", "g/L", 160.0, 120.0), None, "LB-RANGE"),
        (result("HGB", None, "one", "g/L", 120.0, 160.0), None, "VALUE_MISSING"),
    ],
)
def test_a_value_is_graded_in_a_unit_that_has_thresholds(derive, row, grade, reason):
    letter = "H" if row["LBTESTCD"] == "CHOL" else "L"
    frame = derive([row])
    assert at(frame, row["LBTESTCD"], "one", f"ATOXGR{letter}") == grade
    assert at(frame, row["LBTESTCD"], "one", f"ATOXRS{letter}") == reason


@pytest.mark.rule("SAF-06")
@pytest.mark.parametrize(
    ("code", "text", "letter", "expected"),
    [
        ("NEUT", "<0.4", "L", (4, None)),
        ("NEUT", "<0.6", "L", (None, "LB-SIGN")),
        ("NEUT", ">8", "L", (0, None)),
        ("PLAT", ">400", "L", (0, None)),
        ("PLAT", "<100", "L", (None, "LB-SIGN")),
        ("ALT", ">900", "H", (4, None)),
        ("ALT", "<30", "H", (0, None)),
    ],
)
def test_a_value_beyond_the_assay_is_graded_if_every_completion_agrees(derive, code, text, letter, expected):
    unit, low, high = ("U/L", 10.0, 40.0) if code == "ALT" else ("10^9/L", 2.0, 6.3)
    frame = derive([result(code, None, "one", unit, low, high, LBORRES=text, LBSTRESC=text)])
    assert (at(frame, code, "one", f"ATOXGR{letter}"), at(frame, code, "one", f"ATOXRS{letter}")) == expected


@pytest.mark.rule("SAF-04")
def test_assumed_grades_are_marked_and_anticoagulation_is_read_from_the_medication(derive, study_with):
    rows = [result("INR", 1.0, "base", "ratio", 0.8, 1.2), result("INR", 1.1, "one", "ratio", 0.8, 1.2)]
    assert (
        at(derive(rows), "INR", "one", "ATOXGRH") == 1 and at(derive(rows), "INR", "one", "ATOXASFL") == "Y"
    )
    mild = study_with('[labs]\nclinical_component = "asymptomatic"\n')
    assert at(derive(rows, mild), "INR", "one", "ATOXGRH") == 0
    drug = {
        "USUBJID": "S1",
        "CMTRT": "Warfarin",
        "CMDECOD": "WARFARIN",
        "CMSTDTC": "2024-12",
        "CMENDTC": None,
    }
    during = derive(rows, mild, [drug])
    assert at(during, "INR", "one", "ATOXGRH") == 1 and at(during, "INR", "one", "ATOXASFL") is None
    over = derive(rows, mild, [drug | {"CMENDTC": "2025-01-07"}])
    assert at(over, "INR", "one", "ATOXGRH") == 0


@pytest.mark.rule("SAF-07")
def test_the_worst_grade_is_the_first_highest_within_the_window(derive):
    values = [("base", 20.0), ("one", 130.0), ("two", 140.0), ("late", 900.0)]
    frame = derive([result("ALT", value, when) for when, value in values])
    assert [at(frame, "ALT", when, "ONTRTFL") for when, _ in values] == [None, "Y", "Y", None]
    assert [at(frame, "ALT", when, "WORSTHFL") for when, _ in values] == [None, "Y", None, None]
    assert frame["WORSTLFL"].isna().all()


@pytest.mark.rule("SAF-07", source="counted by hand")
def test_each_phase_has_its_own_worst_grade():
    rows = [("NK", 1.0), ("NK", 3.0), ("NK", 3.0), ("CART_C1", 2.0), (None, 4.0), ("CART_C1", np.nan)]
    frame = pd.DataFrame(rows, columns=["APHASE", "ATOXGRH"]).assign(
        USUBJID="S1", PARAMCD="ALT", BASETYPE="NK", ONTRTFL="Y", ATOXGRL=np.nan, ATOXGRHU=np.nan
    )
    flags = flag_worst(frame)
    assert flags.index[flags["WORSTHPF"] == "Y"].tolist() == [1, 3]
    assert flags.index[flags["WORSTHFL"] == "Y"].tolist() == [4]
    assert flags["WORSTLPF"].isna().all()


@pytest.mark.rule("SAF-07")
def test_without_an_end_of_the_window_every_later_result_counts(derive, study_with):
    frame = derive(
        [result("ALT", 20.0, "base"), result("ALT", 900.0, "late")],
        study_with('[safety]\nteae_end_days = "none"\n'),
    )
    assert at(frame, "ALT", "late", "WORSTHFL") == "Y"


@pytest.mark.rule("SAF-08")
def test_scores_and_corrected_calcium_come_from_one_draw(derive):
    rows = [
        result("BILI", 10.0, "one", "umol/L", 3.0, 21.0),
        result("ALB", 30.0, "one", "g/L", 35.0, 52.0),
        result("CA", 2.1, "one", "mmol/L", 2.15, 2.55),
        result("CREAT", 88.42, "one", "umol/L", 45.0, 104.0),
        result("BILI", 10.0, "two", "umol/L", 3.0, 21.0),
    ]
    frame = derive(rows)
    assert at(frame, "ALBI", "one", "AVAL") == pytest.approx(0.66 - 0.085 * 30)
    assert at(frame, "CACR", "one", "AVAL") == pytest.approx(2.3)
    assert (at(frame, "CACR", "one", "ATOXGRL"), at(frame, "CACR", "one", "ATOXGRH")) == (0, 0)
    assert at(frame, "EGFR", "one", "AVAL") == pytest.approx(91.7, abs=0.05)
    assert list(frame.loc[frame["PARAMCD"] == "ALBI", "ADTM"]) == [pd.Timestamp(DAY["one"])]


@pytest.mark.rule("SAF-08")
def test_calcium_that_was_converted_is_not_graded_by_the_other_table(derive):
    rows = [result("CA", 8.4, "one", "mg/dL", 8.6, 10.2), result("ALB", 30.0, "one", "g/L", 35.0, 52.0)]
    frame = derive(rows)
    assert at(frame, "CACR", "one", "AVAL") == pytest.approx(8.4 * 0.2495 + 0.2)
    assert (at(frame, "CACR", "one", "ATOXGRL"), at(frame, "CACR", "one", "ATOXRSL")) == (None, "LB-UNIT")


# National Kidney Foundation, CKD-EPI creatinine equation (2021): creatinine mg/dL, age, sex -> rate.
@pytest.mark.rule("SAF-08", source="equation of Inker 2021, by hand")
@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "expected"),
    [
        (0.7, 40, "F", 142 * 0.9938**40 * 1.012),
        (0.9, 60, "M", 142 * 0.9938**60),
        (1.8, 60, "M", 142 * 2**-1.2 * 0.9938**60),
        (0.35, 30, "F", 142 * 0.5**-0.241 * 0.9938**30 * 1.012),
        (1.0, 50, None, None),
        (0.0, 50, "M", None),
    ],
)
def test_filtration_rate(creatinine, age, sex, expected):
    (rate,) = filtration_rate(
        pd.Series([creatinine]), pd.Series([float(age)]), sex=pd.Series([sex], dtype=object)
    )
    assert (None if rate != rate else rate) == (None if expected is None else pytest.approx(expected))


def test_the_first_base_type_follows_the_products(mini_study):
    assert first_base_type(mini_study) == "NK"

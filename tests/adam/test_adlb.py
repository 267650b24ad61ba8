from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.adam.adlb import derive_adlb
from interim.adam.adlb_value import range_indicator, unit_table

TEXT = {"USUBJID": "S1", "LBTESTCD": "ALT", "LBTEST": "ALT", "LBSTRESU": "U/L", "VISIT": "V"}


def result(value, dtc, **more):
    row = TEXT | {"LBSTRESC": str(value), "LBSTRESN": value, "LBDTC": dtc, "LBTPT": None, "VISITNUM": 1}
    return row | {"LBSTNRLO": 10, "LBSTNRHI": 40, "LBNRIND": None} | more


def core(start="2025-01-06", moment="2025-01-06T10:00", cart=None):
    day = lambda text: pd.Series(pd.to_datetime([text]), dtype="datetime64[ns]")  # noqa: E731
    return pd.DataFrame(
        {
            "USUBJID": ["S1"],
            "TRTSDT": day(start),
            "TRTSNK": day(start),
            "TRTSNKM": day(moment),
            "TRTSDTM": day(moment),
            "TRTSCT": day(cart),
            "TRTSCTM": day(None),
            "TRTEDT": day(cart or start),
            "AGE": [50.0],
            "SEX": ["M"],
        }
    )


@pytest.fixture
def derive(mini_study, mk):
    def run(rows, study=mini_study, adsl=None):
        sdtm = mk.make({"LB": mk.frame("LB", rows)})
        return derive_adlb(sdtm, core() if adsl is None else adsl, study=study)

    return run


@pytest.mark.rule("LAB-06")
@pytest.mark.parametrize(
    ("specimen", "category", "code", "label"),
    [
        ("URINE", "CHEMISTRY", "U_K", "Potassium (urine)"),
        (None, "URINALYSIS", "U_K", "Potassium (urine)"),
        ("Csf", None, "C_K", "Potassium (cerebrospinal fluid)"),
        ("SERUM", "URINALYSIS", "K", "Potassium"),
        (None, None, "K", "Potassium"),
    ],
)
def test_a_result_of_another_specimen_is_no_result_of_blood(derive, specimen, category, code, label):
    rows = [
        result(
            7.0,
            "2025-01-08T08:00",
            LBTESTCD="K",
            LBTEST="Potassium",
            LBSTRESU="mmol/L",
            LBSTNRLO=3.5,
            LBSTNRHI=5.1,
        )
        | {"LBSPEC": specimen, "LBCAT": category, "LBSEQ": 1.0}
    ]
    derived = derive(rows).frame
    row = derived[derived["SRCSEQ"].notna()].iloc[0]
    assert (row["PARAMCD"], row["PARAM"], row["AVAL"], row["AVALU"]) == (code, label, 7.0, "mmol/L")
    graded = [name for name in ("ATOXGRH", "ATOXGRHN") if name in derived and pd.notna(row[name])]
    assert bool(graded) is (code == "K")


@pytest.mark.rule("LAB-06")
def test_ph_of_urine_is_no_acidosis(derive):
    rows = [result(5.0, "2025-01-08T08:00", LBTESTCD="PH", LBTEST="pH", LBSTRESU=None, LBCAT="URINALYSIS")]
    derived = derive(rows).frame
    row = derived[derived["PARAMCD"] == "U_PH"].iloc[0]
    assert all(pd.isna(row[name]) for name in derived if name.startswith("ATOXGR"))
    assert "PH" not in set(derived["PARAMCD"])


@pytest.mark.rule("LAB-01")
@pytest.mark.parametrize(
    ("code", "value", "unit", "expected", "canonical"),
    [
        ("CREAT", 1.0, "mg/dL", 88.42, "umol/L"),
        ("CREAT", 80.0, "umol/L", 80.0, "umol/L"),
        ("BILI", 2.0, "mg/dL", 34.2, "umol/L"),
        ("HGB", 11.4, "g/dL", 114.0, "g/L"),
        ("NEUT", 4200.0, "10^6/L", 4.2, "10^9/L"),
        ("CEA", 12.0, "ug/L", 12.0, "ng/mL"),
        ("XYZ", 3.0, "furlong", 3.0, "furlong"),
        ("ALT", 3.0, None, None, "U/L"),
    ],
)
def test_values_and_limits_are_converted_by_one_factor(derive, code, value, unit, expected, canonical):
    derived = derive(
        [result(value, "2025-01-02", LBTESTCD=code, LBSTRESU=unit, LBSTNRLO=value / 2, LBSTNRHI=value * 2)]
    )
    row = derived.frame.iloc[0]
    assert row["AVALU"] == canonical
    if expected is None:
        assert pd.isna(row["AVAL"])
    else:
        assert row[["AVAL", "ANRLO", "ANRHI"]].tolist() == pytest.approx(
            [expected, expected / 2, expected * 2]
        )
    assert derived.findings == ()


@pytest.mark.rule("LAB-01")
def test_a_unit_without_factor_gives_no_value_and_one_finding(derive):
    derived = derive(
        [
            result(1.0, "2025-01-02", LBTESTCD="CREAT", LBSTRESU="mg%"),
            result(2.0, "2025-01-03", LBTESTCD="CREAT", LBSTRESU="mg%"),
        ]
    )
    assert derived.frame["AVAL"].isna().all()
    (finding,) = derived.findings
    assert (finding.rule, finding.severity, finding.key) == ("LB-FACTOR", "warn", ("CREAT", "MG%"))
    assert "(records: 2, participants: 1, first: S1 LBSEQ 1) has no factor to umol/L" in finding.message


def test_no_analyte_has_two_canonical_units():
    assert len(unit_table()) == len(set(unit_table()))
    assert all(1.0 in factors.values() for _, factors in unit_table().values())


@pytest.mark.rule("LAB-02")
@pytest.mark.parametrize(
    ("draws", "baseline"),
    [
        ([(1, "2025-01-02"), (2, "2025-01-05")], 2),
        ([(1, "2025-01-05T09:00"), (2, "2025-01-06T09:59")], 2),
        ([(1, "2025-01-05T09:00"), (2, "2025-01-06T10:00")], 1),
        ([(1, "2025-01-05"), (2, "2025-01-06")], 1),
        ([(1, "2025-01-05"), (2, "2025-01-06", "PRE-DOSE")], 2),
        ([(1, "2025-01-05"), (2, "2025-01-06T11:00", "PRE-DOSE")], 1),
        ([(1, "2025-01-05"), (None, "2025-01-05T12:00")], 1),
        ([(1, "2025-01-07")], None),
        ([(1, "2025-01")], None),
    ],
)
def test_baseline_is_the_last_result_before_the_first_infusion(derive, draws, baseline):
    rows = [result(value, dtc, LBTPT=more[0] if more else None) for value, dtc, *more in draws]
    frame = derive([row if row["LBSTRESN"] is not None else row | {"LBSTRESC": None} for row in rows]).frame
    flagged = frame.loc[frame["ABLFL"] == "Y", "AVAL"].tolist()
    assert flagged == ([] if baseline is None else [baseline])
    assert frame["BASE"].isna().all() == (baseline is None)


@pytest.mark.rule("LAB-02")
def test_of_two_results_of_one_draw_the_last_record_is_baseline(derive):
    frame = derive([result(1.0, "2025-01-05"), result(2.0, "2025-01-05")]).frame
    assert frame.loc[frame["ABLFL"] == "Y", "AVAL"].tolist() == [2.0]


@pytest.mark.rule("LAB-02")
def test_each_product_has_its_base_type(derive):
    rows = [result(1.0, "2025-01-05"), result(2.0, "2025-01-10"), result(5.0, "2025-01-20")]
    frame = derive(rows, adsl=core(cart="2025-01-16")).frame
    base = frame.groupby("BASETYPE")["BASE"].agg(["min", "max", "size"])
    assert base.loc["NK"].tolist() == [1, 1, 3]
    assert base.loc["CART"].tolist() == [2, 2, 3]
    assert set(derive(rows).frame["BASETYPE"]) == {"NK"}


def test_a_study_of_another_product_has_one_base_type(derive, study_with):
    study = study_with(
        '[[products]]\nid = "PATCH"\nextrt = ["PATCH"]\nrole = "other"\n[cohort]\nvariable = "ARMCD"\n'
    )
    assert derive([result(1.0, "2025-01-05")], study=study).frame["BASETYPE"].tolist() == ["TREATMENT"]


@pytest.mark.rule("LAB-03")
def test_change_from_baseline(derive):
    rows = [result(20.0, "2025-01-05"), result(30.0, "2025-01-10"), result(50.0, "2025-01-12")]
    frame = derive(rows).frame
    assert frame["CHG"].tolist() == [0, 10, 30]
    assert frame["PCHG"].tolist() == [0, 50, 150]
    assert frame["ANRIND"].tolist() == ["NORMAL", "NORMAL", "HIGH"]
    assert frame["BNRIND"].tolist() == ["NORMAL"] * 3
    zero = derive([result(0.0, "2025-01-05"), result(3.0, "2025-01-10")]).frame
    assert zero["CHG"].tolist() == [0, 3]
    assert zero["PCHG"].isna().all()


@pytest.mark.rule("LAB-03")
@pytest.mark.parametrize(
    ("value", "low", "high", "given", "expected"),
    [
        (9, 10, 40, None, "LOW"),
        (10, 10, 40, None, "NORMAL"),
        (40, 10, 40, None, "NORMAL"),
        (41, 10, 40, "NORMAL", "HIGH"),
        (400, 10, 40, "HIGH HIGH", "HIGH HIGH"),
        (41, None, 40, None, "HIGH"),
        (41, None, None, "HIGH", "HIGH"),
        (41, None, None, None, None),
        (None, 10, 40, "HIGH", None),
    ],
)
def test_the_range_of_the_record_decides_the_indicator(value, low, high, given, expected):
    numbers = [pd.Series([np.nan if item is None else item], dtype="float64") for item in (value, low, high)]
    given_ = pd.Series([given], dtype=object)
    assert range_indicator(numbers[0], numbers[1], high=numbers[2], given=given_).tolist() == [expected]


@pytest.mark.rule("LAB-04")
def test_ratios_come_from_one_draw_and_need_every_count(mini_sdtm, mini_study, chain, mini, mk):
    adlb = derive_adlb(mini_sdtm, chain(mini, mini_study).core(), study=mini_study).frame
    own = adlb[(adlb["USUBJID"] == mk.uid("01")) & (adlb["BASETYPE"] == "NK")]
    nlr, glr = (own.loc[own["PARAMCD"] == code, "AVAL"].tolist() for code in ("NLR", "GLR"))
    assert nlr == [4.0, 7.0]
    assert glr == pytest.approx([4.3])
    assert set(own.loc[own["PARAMCD"] == "NLR", "PARAMTYP"]) == {"DERIVED"}


@pytest.mark.rule("LAB-04")
def test_zero_lymphocytes_have_no_ratio(derive):
    counts = {"LBSTRESU": "10^9/L"}
    rows = [
        result(4.0, "2025-01-05", LBTESTCD="NEUT", **counts),
        result(0.0, "2025-01-05", LBTESTCD="LYM", **counts),
    ]
    derived = derive(rows)
    assert set(derived.frame["PARAMCD"]) == {"NEUT", "LYM"}
    assert [(f.rule, f.subject) for f in derived.findings] == [("SUB-RATIO", "S1")]


@pytest.mark.rule("LAB-05")
@pytest.mark.parametrize(
    ("text", "sign", "limit"),
    [
        ("<0.5", "<", 0.5),
        (">= 12000", ">", 12000.0),
        ("< 3", "<", 3.0),
        ("12", None, None),
        ("NEG", None, None),
    ],
)
def test_a_value_beyond_the_assay_keeps_sign_and_limit_and_has_no_number(derive, text, sign, limit):
    number = float(text) if text == "12" else None
    row = derive([result(number, "2025-01-05", LBTESTCD="CEA", LBSTRESU="ng/mL", LBSTRESC=text)]).frame.iloc[
        0
    ]
    assert row["ASIGN"] == sign
    assert (row["ALIMIT"] if limit else None) == limit
    assert pd.isna(row["AVAL"]) == (text != "12")
    assert row["AVALC"] == text


@pytest.mark.parametrize("seed", range(5))
def test_row_order_is_irrelevant(derive, seed):
    draws = np.random.default_rng(seed)
    start = pd.Timestamp("2025-01-06")
    rows = [
        result(
            float(draws.integers(1, 90)),
            f"{start + pd.Timedelta(days=int(draws.integers(-5, 10))):%Y-%m-%d}",
            LBSEQ=float(n),
        )
        for n in range(12)
    ]
    expected = derive(rows).frame
    pd.testing.assert_frame_equal(derive([rows[place] for place in draws.permutation(12)]).frame, expected)

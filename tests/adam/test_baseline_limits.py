"""Laboratory and baseline values at the edges: what counts as before, several last values, ranges, ends of windows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from interim.adam.adlb import COLUMNS, derive_adlb
from interim.adam.adlb_derived import filtration_rate
from interim.adam.adlb_value import range_indicator
from interim.adam.baseline_record import last_values
from interim.adam.source import shipped_data
from interim.data.model import Sdtm

KEY = ["USUBJID", "PARAMCD", "BASETYPE", "SRCSEQ"]
START = "2025-01-06"


def dates(*values):
    return pd.Series(pd.to_datetime(list(values)), dtype="datetime64[ns]")


def core(moment="2025-01-06T10:00", cart="2025-01-16", who=("S1",), day=START):
    count = len(who)
    columns = {"TRTSDT": day, "TRTSNK": day, "TRTSNKM": moment, "TRTSDTM": moment}
    columns |= {"TRTSCT": cart, "TRTSCTM": None, "TRTEDT": cart or day}
    frame = pd.DataFrame({name: dates(*[value] * count) for name, value in columns.items()})
    return frame.assign(USUBJID=list(who), AGE=50.0, SEX="M")


def draw(value, dtc, code="ALT", unit="U/L", **more):
    row = {"USUBJID": "S1", "LBTESTCD": code, "LBTEST": code, "LBSTRESU": unit, "LBDTC": dtc, "LBTPT": None}
    row |= {"LBSTRESC": str(value), "LBSTRESN": value if isinstance(value, (int, float)) else None}
    return row | {"LBSTNRLO": 10, "LBSTNRHI": 40, "LBNRIND": None, "VISITNUM": 1, "VISIT": "V"} | more


@pytest.fixture
def derive(mini_study, mk):
    def run(rows, adsl=None):
        sdtm = mk.make({"LB": mk.frame("LB", rows)})
        return derive_adlb(sdtm, core() if adsl is None else adsl, study=mini_study)

    return run


def of(derived, base="NK", code="ALT"):
    frame = derived.frame
    return frame[(frame["BASETYPE"] == base) & (frame["PARAMCD"] == code)]


@pytest.mark.rule("LAB-02")
@pytest.mark.parametrize(
    ("draws", "nk", "cart"),
    [
        (["2025-01-05", "2025-01-10", "2025-01-15"], 1, 3),
        (["2025-01-05", "2025-01-16"], 1, 1),
        (["2025-01-16T00:00", "2025-01-05"], 2, 2),
        (["2025-01-06T09:59", "2025-01-06T10:00"], 1, 2),
        (["2025-01-07"], None, 1),
        (["2025-01-17"], None, None),
        (["2025", "2025-01"], None, None),
        ([None, "2025-01-04"], 2, 2),
    ],
)
def test_each_product_has_the_last_result_before_its_own_first_infusion(derive, draws, nk, cart):
    made = derive([draw(number, dtc) for number, dtc in enumerate(draws, 1)])
    for base, wanted in (("NK", nk), ("CART", cart)):
        rows = of(made, base)
        assert rows.loc[rows["ABLFL"] == "Y", "AVAL"].tolist() == ([] if wanted is None else [wanted])
        assert rows["BASE"].replace({np.nan: None}).unique().tolist() == [wanted]


@pytest.mark.rule("LAB-02")
@pytest.mark.parametrize(
    ("moment", "rows", "baseline"),
    [
        (None, [("2025-01-06T08:00", None)], None),
        (None, [("2025-01-06T08:00", "PRE-DOSE")], 1),
        (None, [("2025-01-06T23:00", "PRE-DOSE")], 1),
        ("2025-01-06T10:00", [("2025-01-06", None)], None),
        ("2025-01-06T10:00", [("2025-01-06", "pre-dose")], 1),
        ("2025-01-06T10:00", [("2025-01-06T10:00", "PRE-DOSE")], None),
        ("2025-01-06T10:00", [("2025-01-06T09:00", None), ("2025-01-06", "PRE-DOSE")], 2),
        ("2025-01-06T10:00", [("2025-01-06T09:00", None), ("2025-01-05", "PRE-DOSE")], 1),
    ],
)
def test_on_the_day_of_the_infusion_the_clock_or_the_time_point_decides(derive, moment, rows, baseline):
    made = derive(
        [draw(n, dtc, LBTPT=tpt) for n, (dtc, tpt) in enumerate(rows, 1)], core(moment=moment, cart=None)
    )
    found = of(made).loc[of(made)["ABLFL"] == "Y", "AVAL"].tolist()
    assert found == ([] if baseline is None else [baseline])
    assert of(made, "CART").empty


@pytest.mark.rule("LAB-03")
@pytest.mark.parametrize(
    ("base", "value", "change", "percent"),
    [
        (20, 30, 10, 50),
        (20, 20, 0, 0),
        (0, 30, 30, None),
        (None, 30, None, None),
        (20, None, None, None),
        ("<5", 30, None, None),
    ],
)
def test_change_and_percent_change(derive, base, value, change, percent):
    rows = [] if base is None else [draw(base, "2025-01-05")]
    made = of(derive([*rows, draw(value, "2025-01-20", LBSTRESC=None if value is None else str(value))]))
    last = made.iloc[-1]
    assert [None if math.isnan(last[name]) else last[name] for name in ("CHG", "PCHG")] == [change, percent]


@pytest.mark.rule("LAB-03")
@pytest.mark.parametrize("factor", [1.0, 17.1, 88.42, 0.1])
@pytest.mark.parametrize(
    ("value", "expected"), [(0.9, "LOW"), (1.0, "NORMAL"), (3.3, "NORMAL"), (3.4, "HIGH")]
)
def test_a_value_at_its_limit_is_normal_in_every_unit(factor, value, expected):
    columns = [pd.Series([number]) * factor for number in (value, 1.0, 3.3)]
    none = pd.Series([None], dtype=object)
    assert range_indicator(columns[0], columns[1], high=columns[2], given=none).tolist() == [expected]


@pytest.mark.rule("SAF-07")
@pytest.mark.parametrize(
    ("dtc", "flag"),
    [
        ("2025-01-05", None),
        ("2025-01-06T09:59", None),
        ("2025-01-06T10:00", "Y"),
        ("2025-01-06", "Y"),
        ("2025-02-13", "Y"),
        ("2025-02-14", None),
        (None, None),
    ],
)
def test_the_window_of_results_on_treatment_ends_28_days_after_the_last_infusion(derive, dtc, flag):
    assert of(derive([draw(20, dtc)]))["ONTRTFL"].tolist() == [flag]


@pytest.mark.rule("LAB-04")
@pytest.mark.parametrize(
    ("counts", "nlr", "glr"),
    [
        ({"NEUT": 4, "LYM": 2, "EOS": 1, "BASO": 1}, 2.0, 3.0),
        ({"NEUT": 4, "LYM": 2, "EOS": 1}, 2.0, None),
        ({"NEUT": 4}, None, None),
        ({"LYM": 2, "EOS": 1, "BASO": 1}, None, None),
        ({"NEUT": 0, "LYM": 2, "EOS": 0, "BASO": 0}, 0.0, 0.0),
        ({"NEUT": 4, "LYM": 0, "EOS": 1, "BASO": 1}, None, None),
        ({"NEUT": "<0.1", "LYM": 2, "EOS": 1, "BASO": 1}, None, None),
    ],
)
def test_ratios_need_every_count_of_one_draw(derive, counts, nlr, glr):
    made = derive(
        [draw(value, "2025-01-05T08:00", code, "10^9/L", LBSEQ=5.0) for code, value in counts.items()]
    )
    for code, wanted in (("NLR", nlr), ("GLR", glr)):
        assert of(made, code=code)["AVAL"].tolist() == ([] if wanted is None else [wanted])
    zero = [(f.rule, f.subject, f.key) for f in made.findings]
    assert zero == ([("SUB-RATIO", "S1", ("5",))] if counts.get("LYM") == 0 else [])
    apart = [draw(v, f"2025-01-05T08:0{n}", c, "10^9/L") for n, (c, v) in enumerate(counts.items())]
    assert of(derive(apart), code="NLR").empty


@pytest.mark.rule("LAB-01")
def test_the_unit_of_the_laboratory_changes_no_canonical_result(derive):
    plain = [
        draw(v, f"2025-01-{day:02}", "CREAT", "mg/dL", LBSTNRLO=0.5, LBSTNRHI=1.2)
        for day, v in ((5, 1.0), (20, 2.0))
    ]
    names = ("LBSTRESN", "LBSTNRLO", "LBSTNRHI")
    scaled = [row | {name: row[name] * 88.42 for name in names} | {"LBSTRESU": "umol/L"} for row in plain]
    scaled = [row | {"LBSTRESC": str(row["LBSTRESN"])} for row in scaled]
    a, b = (of(derive(rows), code="CREAT") for rows in (plain, scaled))
    for name in ("AVAL", "ANRLO", "ANRHI", "BASE", "CHG", "PCHG"):
        np.testing.assert_allclose(a[name], b[name], rtol=1e-12)
    assert a[["AVALU", "ANRIND", "ABLFL"]].equals(b[["AVALU", "ANRIND", "ABLFL"]])


def test_one_row_for_each_key_the_stated_columns_and_an_empty_frame(
    derive, mini_sdtm, mini_study, chain, mini
):
    made = derive_adlb(mini_sdtm, chain(mini, mini_study).core(), study=mini_study).frame
    assert not made.duplicated(KEY).any()
    assert not made[made["ABLFL"] == "Y"].duplicated(KEY[:3]).any()
    assert (made["BASE"].notna() <= made.groupby(KEY[:3])["ABLFL"].transform(lambda f: f.eq("Y").any())).all()
    assert made.equals(made.sort_values(["USUBJID", "PARAMCD", "BASETYPE", "ADT", "ADTM"], kind="stable"))
    strangers = derive([draw(20, "2025-01-05", USUBJID="S9")])
    assert (list(strangers.frame), len(strangers.frame), list(made)) == (COLUMNS, 0, COLUMNS)


@pytest.mark.rule("LAB-02")
def test_company_order_and_names_of_participants_change_nothing(derive):
    rows = [
        draw(n, dtc) | {"LBSEQ": float(n)}
        for n, dtc in enumerate(("2025-01-04", "2025-01-05", "2025-01-20"), 1)
    ]
    alone = derive(rows).frame
    both = [*rows, *(row | {"USUBJID": "A0", "LBSTRESN": 99.0} for row in rows)]
    together = derive(both[::-1], core(who=("S1", "A0"))).frame
    mine = together[together["USUBJID"] == "S1"].reset_index(drop=True)
    ours = ["AVAL", "BASE", "CHG", "PCHG", "ABLFL", "ONTRTFL", "BASETYPE", "SRCSEQ"]
    pd.testing.assert_frame_equal(mine[ours], alone[ours])


@pytest.mark.rule("SAF-08")
@pytest.mark.parametrize(
    ("creatinine", "age", "sex"),
    [
        (0.0, 50, "M"),
        (-1.0, 50, "M"),
        (math.nan, 50, "F"),
        (1.0, math.nan, "F"),
        (1.0, 50, None),
        (1.0, 50, "U"),
    ],
)
def test_without_creatinine_age_or_sex_there_is_no_filtration_rate(creatinine, age, sex):
    one = pd.Series([creatinine]), pd.Series([float(age)])
    assert filtration_rate(*one, sex=pd.Series([sex], dtype=object)).isna().all()


def recipe(name):
    return next(item for item in shipped_data("baseline")["variables"] if item["name"] == name)


def weights(mk, *rows):
    made = [
        {"USUBJID": "S1", "VSTESTCD": "WEIGHT", "VSSTRESN": value, "VSDTC": dtc, "VSSTRESU": "kg"}
        | (more[0] if more else {})
        for value, dtc, *more in rows
    ]
    return Sdtm({"VS": mk.frame("VS", made)}, mk.cut)


@pytest.mark.rule("SUB-03")
@pytest.mark.parametrize(
    ("rows", "value", "rules"),
    [
        ([(60, "2025-01-05"), (61, "2025-01-04")], 60, []),
        ([(60, "2025-01-05"), (61, "2025-01-06T09:59")], 61, []),
        ([(60, "2025-01-05"), (61, "2025-01-06T10:00")], 60, []),
        ([(60, "2025-01-05"), (61, "2025-01-06")], 60, []),
        ([(60, "2025-01-05"), (61, "2025-01-05")], None, ["SUB-BASE"]),
        ([(60, "2025-01-05"), (60, "2025-01-05")], 60, []),
        ([(60, "2025-01-05T08:00"), (61, "2025-01-05T09:00")], 61, []),
        ([(60, "2025-01-04"), (61, "2025-01-05", {"VSSTRESU": None})], 60, ["SUB-UNIT"]),
        ([(60, "2025-01-04"), (61, "2025-01-05", {"VSTESTCD": "HEIGHT"})], 60, []),
        ([(60, "2025-01-04"), (None, "2025-01-05")], 60, []),
        ([(60, "2025-01"), (61, None)], None, []),
        ([(60, "2025-01-07")], None, []),
        ([(60, "2025-01-05", {"USUBJID": "S9"})], None, []),
        ([(60, "2025-01-07", {"VSSTRESU": None})], None, []),
    ],
)
def test_the_last_value_before_the_first_infusion(mk, rows, value, rules):
    found, findings = last_values(weights(mk, *rows), core(), recipe("WEIGHTBL"))
    assert found["VALUE"].tolist() == ([] if value is None else [value])
    assert [(f.rule, f.subject, f.variable) for f in findings] == [(rule, "S1", "VSSTRESN") for rule in rules]
    turned, _ = last_values(weights(mk, *rows[::-1]), core(), recipe("WEIGHTBL"))
    assert turned["VALUE"].tolist() == found["VALUE"].tolist()


@pytest.mark.rule("SUB-03")
def test_an_untreated_participant_keeps_the_last_value_and_a_finding_names_its_record(mk):
    nobody = core(moment=None, cart=None, day=None)
    found, findings = last_values(
        weights(mk, (60, "2025-01-05"), (61, "2025-03-01")), nobody, recipe("WEIGHTBL")
    )
    assert (found["VALUE"].tolist(), findings) == ([61.0], ())
    rows = weights(mk, (60, "2025-01-05"), (61, "2025-01-05", {"VSSTRESU": None}))
    (finding,) = last_values(rows, core(), recipe("WEIGHTBL"))[1]
    assert (finding.rule, finding.key, finding.value, finding.domain) == ("SUB-UNIT", ("2",), "61", "VS")

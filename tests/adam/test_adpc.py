"""Samples of cellular kinetics: clocks, states, use and findings."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from tests.analysis.kinetic_case import (
    STUDY,
    adex,
    adsl,
    frame,
    iso,
    pc_rows,
    sample,
    samples,
    sdtm,
    with_study,
)

from interim.adam.adpc import clocks, derive_adpc, duration_days_of, tolerance
from interim.adam.kinetic_sets import kinetic_sets
from interim.study.kinetics import VisitWindow


def of(derived, who, code="CARTG", spec="BLOOD"):
    rows = derived.frame
    return rows[(rows["USUBJID"] == who) & (rows["PARAMCD"] == code) & (rows["ASPEC"] == spec)]


def rules(derived):
    return [(finding.rule, finding.subject) for finding in derived.findings]


@pytest.mark.rule("KIN-20")
def test_every_sample_is_kept_with_its_clocks():
    derived = samples()
    assert len(derived.frame) == len(pc_rows())
    assert derived.findings == ()
    one = of(derived, "01")
    assert one["AFRLT"].tolist() == [0, 3, 7, 10, 14, 17, 21, 28, 42, 56]
    assert one["ARRLT"].tolist() == [0, 3, 7, 10, 0, 3, 7, 14, 28, 42]
    assert one["ACYCLE"].tolist() == [1] * 4 + [2] * 6
    assert one["NFRLT"].tolist() == one["AFRLT"].tolist()
    assert one["AVALC"].tolist()[:2] == ["<50", "100"]
    assert one["STATE"].tolist() == ["BLQ"] + ["QUANT"] * 9
    assert math.isnan(one["AVAL"].iloc[0])
    tissue = of(derived, "01", spec="LIVER MET")
    assert tissue[["ANL01FL", "EXCLRS"]].values.tolist() == [["N", "NOT_BLOOD"]]


@pytest.mark.rule("KIN-20")
def test_the_order_of_the_records_changes_nothing():
    turned = list(reversed(pc_rows()))
    pd.testing.assert_frame_equal(samples(turned).frame, samples().frame)


@pytest.mark.rule("KIN-20")
@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("120", "QUANT"),
        ("<50", "BLQ"),
        ("ND", "NEG"),
        ("detected nq", "DNQ"),
        ("0", "BLQ"),
        ("many", "BAD"),
        ("-3", "BAD"),
        ("12", "BAD"),
    ],
)
def test_states(text, state):
    row = sample("02", 3, None, PCSTRESC=text)
    derived = samples([row])
    assert derived.frame["STATE"].tolist() == [state]
    assert (("CK-VALUE", "02") in rules(derived)) == (state == "BAD")
    assert derived.frame["PROFRS"].iloc[0] == ("BAD_INPUT" if state == "BAD" else None)
    assert (derived.frame["BLQFL"].iloc[0] == "Y") == (state in ("BLQ", "NEG", "DNQ"))


@pytest.mark.rule("KIN-21")
@pytest.mark.parametrize(
    ("day", "hours", "time", "use"),
    [
        (0.0, 1.0, 0.0, None),
        (-0.03, 1.0, 0.0, None),
        (-0.5, 1.0, -0.5, "PREDOSE_EARLY"),
        (-0.5, 24.0, 0.0, None),
    ],
)
def test_a_sample_shortly_before_the_dose_is_at_time_0(day, hours, time, use):
    row = sample("02", 0, None, PCDTC=iso(day))
    derived = samples([row], with_study(predose_zero_h=hours))
    assert derived.frame["AFRLT"].iloc[0] == pytest.approx(time, abs=1e-3)
    assert derived.frame["EXCLRS"].iloc[0] == use


@pytest.mark.rule("KIN-21")
@pytest.mark.parametrize(("day", "predose", "wanted"), [(7, True, 7.0), (0, True, 0.0), (0, False, 0.25)])
def test_without_a_clock_time_the_nominal_time_is_used(day, predose, wanted):
    row = sample("02", day, 700, PCDTC=iso(day)[:10], PCTPT="x", PCELTM=f"P{day}D" if day else "PT6H")
    derived = samples([row], with_study(day0_predose=predose))
    assert derived.frame["AFRLT"].iloc[0] == pytest.approx(wanted)
    assert derived.frame["TIMEFL"].iloc[0] == "Y"
    assert ("CK-TIME", "02") in rules(derived)


@pytest.mark.rule("KIN-22")
@pytest.mark.parametrize(
    ("change", "rule", "use"),
    [
        ({"PCDTC": None}, "CK-DATE", "NO_DATE"),
        ({"PCDTC": "2025-01-01T09:00"}, "CK-DATE", "BEFORE_CONSENT"),
        ({"PCDTC": "2026-02-01T09:00"}, "CK-DATE", "AFTER_DEATH_OR_CUT"),
        ({"USUBJID": "04"}, "CK-NODOSE", "NO_DOSE"),
        ({"PCCAT": "SOMETHING", "PCTESTCD": "OTHER"}, "CK-NODOSE", "NO_DOSE"),
        ({"PCSTAT": "NOT DONE", "PCSTRESC": None, "PCSTRESN": None}, None, "NOT_DONE"),
    ],
)
def test_what_cannot_be_used_is_listed(change, rule, use):
    derived = samples([{**sample("02", 7, 700), **change}])
    assert derived.frame["EXCLRS"].tolist() == [use]
    others = ("CK-WINDOW", "CK-BASE", "CK-PREDOSE", "CK-EMPTY")
    assert [name for name, _ in rules(derived) if name not in others] == ([rule] if rule else [])


@pytest.mark.rule("KIN-22")
@pytest.mark.parametrize(
    ("rule", "used", "value", "reason"),
    [("error", 2, [700, 900], "DUPLICATE"), ("mean", 1, [800], None), ("first", 1, [700], None)],
)
def test_two_samples_at_one_time(rule, used, value, reason):
    rows = [{**sample("02", 7, v), "PCSEQ": n} for n, v in ((1, 700), (2, 900))]
    derived = samples(rows, with_study(duplicate_rule=rule))
    kept = derived.frame[derived.frame["ANL01FL"] == "Y"]
    assert kept["AVAL"].tolist() == value
    assert len(kept) == used
    assert derived.frame["PROFRS"].iloc[0] == reason
    assert ("CK-DUP", "02") in rules(derived)


@pytest.mark.rule("KIN-22")
def test_a_changing_limit_is_listed_and_a_changing_unit_stops_the_profile():
    limit = samples([sample("02", 7, 700), sample("02", 10, 400, PCLLOQ=100)])
    assert rules(limit) == [("CK-EMPTY", None), ("CK-LLOQ", "02")]
    assert limit.frame["PROFRS"].isna().all()
    unit = samples([sample("02", 7, 700), sample("02", 10, 400, PCSTRESU="cells/uL")])
    assert ("CK-UNIT", "02") in rules(unit)
    assert set(unit.frame["PROFRS"]) == {"UNIT_MIXED"}


@pytest.mark.rule("KIN-22")
@pytest.mark.parametrize(("day", "late"), [(8.0, False), (8.2, True), (6.0, False), (5.5, True)])
def test_visit_windows(day, late):
    derived = samples([sample("02", 7, 700, PCDTC=iso(day))])
    assert (derived.frame["WINFL"].iloc[0] == "Y") == late
    assert derived.frame["ANL01FL"].iloc[0] == "Y"
    assert (("CK-WINDOW", "02") in rules(derived)) == late


@pytest.mark.rule("KIN-22")
def test_windows_may_be_stated_by_the_study():
    study = with_study(
        visit_windows=(VisitWindow(until=10, tolerance=0.1), VisitWindow(until=100, tolerance=5))
    )
    assert tolerance(pd.Series([5.0, 50.0, float("nan")]), study).tolist()[:2] == [0.1, 5]
    assert tolerance(pd.Series([0.1, 2.0, 20.0, 40.0, 90.0]), STUDY).tolist() == pytest.approx(
        [15 / 1440, 0.2, 1, 3, 7]
    )


@pytest.mark.rule("KIN-22")
@pytest.mark.parametrize(
    ("change", "hit"),
    [
        ({"PCTPT": "PRE-DOSE", "PCELTM": "P0D", "PCDTC": iso(0.2)}, True),
        ({"PCDTC": iso(-2)}, True),
        ({}, False),
    ],
)
def test_a_wrong_label_is_found(change, hit):
    derived = samples([{**sample("02", 3, 700), **change}])
    assert (("CK-PREDOSE", "02") in rules(derived)) == hit


@pytest.mark.rule("KIN-22")
def test_a_baseline_above_the_limit_is_listed():
    assert ("CK-BASE", "02") in rules(samples([sample("02", 0, 90)]))


def test_clocks_add_the_doses_of_a_cycle():
    table = clocks(adex()).set_index(["USUBJID", "PRODUCT", "ACYCLE"])
    assert table.loc[("01", "CART", 1.0), "DOSE"] == 1.8e9
    assert table.loc[("01", "CART", 1.0), "DOSEKG"] == 3e7
    gap = table.loc[("01", "CART", 2.0), "START"] - table.loc[("01", "CART", 2.0), "FIRST"]
    assert gap == pd.Timedelta(days=14)


@pytest.mark.parametrize(
    ("text", "days"),
    [("P1W", 7), ("PT30M", 1 / 48), ("-PT2H", -1 / 12), ("P", None), ("soon", None), (None, None)],
)
def test_durations(text, days):
    found = duration_days_of(text)
    assert math.isnan(found) if days is None else found == pytest.approx(days)


def test_no_usable_column_is_needed_beyond_the_keys():
    rows = frame(
        [
            {
                "USUBJID": "02",
                "PCTESTCD": "CARTG",
                "PCORRES": "700",
                "PCDTC": iso(7),
                "PCSPEC": "BLOOD",
                "PCLLOQ": 50,
            }
        ]
    )
    derived = derive_adpc(sdtm(), adsl().head(0), adex=adex(), study=STUDY)
    assert derived.frame.empty
    made = derive_adpc(type(sdtm())({"PC": rows}, sdtm().cut), adsl(), adex=adex(), study=STUDY)
    assert made.frame[["PRODUCT", "STATE", "AVAL"]].values.tolist() == [["CART", "QUANT", 700.0]]


@pytest.mark.rule("KIN-25")
def test_kinetic_sets():
    found = kinetic_sets(adsl(), samples().frame, STUDY).set_index("USUBJID")
    assert found["CKFL"].tolist() == ["Y", "Y", "Y", "N"]
    assert found.loc["04", "CKRS"] == "NO-CART"
    assert found["CKNKRS"].tolist() == ["NO-SAMPLE"] * 3 + [None]
    assert "CKFL" not in kinetic_sets(adsl(), None, STUDY)

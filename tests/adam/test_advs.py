"""ADVS: parameters, units, baseline within a position, change, time from the latest infusion."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.adam.test_adlb import core

from interim.adam.advs import COLUMNS, derive_advs

DAY = "2025-01-06"  # first infusion at 10:00


def sign(value, dtc, code="TEMP", unit="C", **more):
    row = {"USUBJID": "S1", "VSTESTCD": code, "VSTEST": code, "VSSTRESC": str(value), "VSSTRESN": value}
    return (
        row
        | {"VSSTRESU": unit, "VSDTC": dtc, "VSTPT": None, "VSPOS": None, "VISITNUM": 1, "VISIT": "V"}
        | more
    )


def infusions(*moments: str, timed: bool = True) -> pd.DataFrame:
    """Return ADEX of S1; the number of an infusion is its place."""
    at = pd.Series(pd.to_datetime(list(moments)))
    return pd.DataFrame(
        {
            "USUBJID": "S1",
            "APHASE": "NK",
            "ASTDT": at.dt.normalize(),
            "ASTDTM": at if timed else pd.Series(pd.NaT, index=at.index, dtype="datetime64[ns]"),
            "AENDT": at.dt.normalize(),
            "SRCSEQ": [str(place) for place in range(1, len(at) + 1)],
        }
    )


@pytest.fixture
def derive(mini_study, mk):
    def run(rows, adsl=None, adex=None, **domains):
        frames = {"VS": rows, **domains}
        sdtm = mk.make({name: mk.frame(name, part) for name, part in frames.items() if part})
        return derive_advs(sdtm, core() if adsl is None else adsl, study=mini_study, adex=adex)

    return run


def nk(derived) -> pd.DataFrame:
    return derived.frame[derived.frame["BASETYPE"] == "NK"].reset_index(drop=True)


@pytest.mark.rule("VIT-01", source="data file: tests, units and factors")
@pytest.mark.parametrize(
    ("code", "value", "unit", "parameter", "expected", "canonical"),
    [
        ("TEMP", 38.2, "C", "TEMP", 38.2, "C"),
        ("SYSBP", 120.0, "mmHg", "SYSBP", 120.0, "mmHg"),
        ("SYSBP", 16.0, "kPa", "SYSBP", 16 * 7.50062, "mmHg"),
        ("HR", 71.0, "bpm", "PULSE", 71.0, "beats/min"),
        ("SPO2", 97.0, "%", "OXYSAT", 97.0, "%"),
        ("WEIGHT", 150.0, "LB", "WEIGHT", 68.0388555, "kg"),
        ("GIRTH", 80.0, "cm", "GIRTH", 80.0, "cm"),
    ],
)
def test_each_test_becomes_a_parameter_in_one_unit(derive, code, value, unit, parameter, expected, canonical):
    derived = derive([sign(value, "2025-01-02", code, unit)])
    row = nk(derived).iloc[0]
    assert (row["PARAMCD"], row["AVALU"], row["PARCAT1"]) == (parameter, canonical, "VITAL SIGNS")
    assert row["AVAL"] == pytest.approx(expected, rel=1e-12)
    assert derived.findings == ()


@pytest.mark.rule("VIT-01", source="a wrong unit gives no value, one finding for each parameter and unit")
@pytest.mark.parametrize(("unit", "shown"), [("F", "F"), (None, "no unit")])
def test_a_unit_without_factor_gives_no_value(derive, unit, shown):
    derived = derive([sign(100.4, "2025-01-02", unit=unit), sign(99.0, "2025-01-03", unit=unit)])
    assert nk(derived)["AVAL"].isna().all()
    assert [(f.rule, f.severity, f.key, f.value) for f in derived.findings] == [
        ("VS-UNIT", "warn", ("TEMP", shown), shown)
    ]
    assert "2 records" in derived.findings[0].message
    assert derived.rules == (("VS-UNIT", "warn", "run"),)


@pytest.mark.rule("VIT-01", source="EG and QS beside VS; other questionnaires stay out")
def test_electrocardiogram_and_performance_status_stand_beside(derive):
    eg = [
        {"USUBJID": "S1", "EGTESTCD": code, "EGSTRESN": value, "EGSTRESU": unit, "EGDTC": "2025-01-02"}
        for code, value, unit in (("HR", 60.0, "beats/min"), ("QTCF", 0.42, "s"), ("PR", 160.0, "msec"))
    ]
    qs = [
        {"USUBJID": "S1", "QSTESTCD": code, "QSSTRESN": value, "QSDTC": "2025-01-02"}
        for code, value in (("ECOG101", 1.0), ("ICETOTAL", 10.0))
    ]
    frame = nk(derive([], EG=eg, QS=qs))
    found = {row.PARAMCD: (row.AVAL, row.AVALU, row.SRCDOM) for row in frame.itertuples()}
    assert found == {
        "EGHR": (60.0, "beats/min", "EG"),
        "QTCF": (420.0, "msec", "EG"),
        "EGPR": (160.0, "msec", "EG"),
        "ECOG": (1.0, None, "QS"),
    }
    assert list(frame.columns) == COLUMNS


@pytest.mark.rule("VIT-02", source="by hand")
def test_baseline_is_the_last_value_before_the_infusion_of_the_same_position(derive):
    rows = [
        sign(110.0, "2025-01-05", "SYSBP", "mmHg", VSPOS="STANDING"),
        sign(130.0, "2025-01-05", "SYSBP", "mmHg", VSPOS="SUPINE"),
        sign(128.0, f"{DAY}T09:00", "SYSBP", "mmHg", VSPOS="SUPINE"),
        sign(140.0, f"{DAY}T12:00", "SYSBP", "mmHg", VSPOS="SUPINE"),
        sign(100.0, f"{DAY}T12:00", "SYSBP", "mmHg", VSPOS="STANDING"),
        sign(90.0, f"{DAY}T12:00", "SYSBP", "mmHg", VSPOS="SITTING"),
    ]
    frame = nk(derive(rows)).set_index("SRCSEQ").sort_index()
    assert frame["ABLFL"].tolist() == ["Y", None, "Y", None, None, None]
    assert frame["CHG"].iloc[3:5].tolist() == [12.0, -10.0]
    assert pd.isna(frame["CHG"].iloc[5])
    assert frame["ONTRTFL"].tolist() == [None, None, None, "Y", "Y", "Y"]


@pytest.mark.rule("VIT-03", source="by hand: infusions on 6 January 10:00 and 7 January 10:00")
@pytest.mark.parametrize(
    ("dtc", "point", "hours", "infusion"),
    [
        (f"{DAY}T09:00", "PRE-DOSE", None, None),
        (f"{DAY}T10:00", None, 0.0, "1"),
        (f"{DAY}T12:30", None, 2.5, "1"),
        ("2025-01-07T09:00", "PRE-DOSE", 23.0, "1"),
        ("2025-01-07T10:30", None, 0.5, "2"),
        ("2025-01-08", None, 24.0, "2"),
        ("2025-01-07", None, 0.0, "2"),
        ("2025-01-07", "PRE-DOSE", 24.0, "1"),
        ("2025-01-05", None, None, None),
    ],
)
def test_hours_count_from_the_latest_infusion(derive, dtc, point, hours, infusion):
    adex = infusions(f"{DAY}T10:00", "2025-01-07T10:00")
    row = nk(derive([sign(37.0, dtc, VSTPT=point)], adex=adex)).iloc[0]
    if hours is None:
        assert pd.isna(row["AHRSINF"])
    else:
        assert row["AHRSINF"] == hours
    assert row["LINKSEQ"] == infusion


@pytest.mark.rule("VIT-03", source="infusions without a time: days")
def test_without_times_of_infusion_days_are_counted(derive):
    row = nk(derive([sign(37.0, "2025-01-09T23:00")], adex=infusions(DAY, timed=False))).iloc[0]
    assert row["AHRSINF"] == 72.0


def test_without_exposure_there_is_no_phase_and_no_time(derive):
    row = nk(derive([sign(37.0, "2025-01-09")])).iloc[0]
    assert pd.isna(row["AHRSINF"]) and row["LINKSEQ"] is None and row["APHASE"] is None


@pytest.mark.rule("VIT-02", source="the order of the source rows changes nothing")
def test_the_order_of_rows_changes_nothing(derive):
    rows = [sign(37.0 + i / 10, f"2025-01-{4 + i:02d}T08:00", VSSEQ=i) for i in range(6)]
    assert nk(derive(rows[::-1])).equals(nk(derive(rows)))

"""Immune and liver toxicity at the limits: exact multiples, window ends, gaps, doubled values, episodes that touch."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from interim.adam.adtox_episodes import COLUMNS, derive_adtox
from interim.adam.adtox_liver import liver_panel, liver_summary
from interim.adam.toxicity.gvhd import GvhdFindings, gvhd_stages
from interim.adam.toxicity.icaht import daily_counts, early_grade, late_grade
from interim.adam.toxicity.iechs import IecHsFindings, iechs_screen
from interim.adam.toxicity.liver import hys_law, pattern, quadrant, window_after_infusion
from interim.adam.toxicity.records import RULES, ice_scores, vital_values
from interim.study.toxicity import ToxicityTable

PLAIN = ToxicityTable()
START = pd.Timestamp("2025-01-06")


def dates(values):
    return pd.Series(pd.to_datetime(list(values)), dtype="datetime64[ns]")


ADSL = pd.DataFrame({"USUBJID": ["S1", "S2"], "TRTSDT": dates(["2025-01-06", "2025-01-06"])})


def lab(code, day, value, limit, base=None, who="S1", **more):
    row = {"USUBJID": who, "PARAMCD": code, "BASETYPE": "NK", "ADT": START + pd.Timedelta(day, unit="D")}
    row |= {"AVAL": value, "ANRHI": limit, "BASE": base, "BNRIND": None, "ABLFL": None}
    return row | {"ONTRTFL": "Y" if day >= 0 else None, "SRCSEQ": str(day)} | more


def panel_of(rows, study, adex=None):
    frame = pd.DataFrame(rows).astype({"ADT": "datetime64[ns]", "BASE": float, "ANRHI": float, "AVAL": float})
    return liver_panel(frame, ADSL, study=study, adex=adex)


def panel(**series):
    rows = [
        {"PARAMCD": code, "DAY": day, "XULN": uln, "XBASE": uln if base is None else base}
        for code, values in series.items()
        for day, uln, base in values
    ]
    return pd.DataFrame(rows, columns=["PARAMCD", "DAY", "XULN", "XBASE"])


@pytest.mark.rule("SAF-16")
@pytest.mark.parametrize("limit", [0.1, 0.2, 0.4, 0.8, 1.1, 1.6, 2.2, 3.7, 34.9, 40.0, 41.1, 55.3])
def test_three_times_the_limit_is_reached_whatever_the_limit(mini_study, limit):
    value = float(f"{3 * limit:.6g}")
    rows = [lab("ALT", 5, value, limit, limit), lab("BILI", 5, 2.2, 1.0, 1.0), lab("ALP", 5, 1.0, 1.0, 1.0)]
    row = liver_summary(panel_of(rows, mini_study), mini_study).iloc[0]
    assert (row["HYSFL"], row["QUADRANT"], row["ATPEAK"]) == ("Y", "HYS_LAW_RANGE", 3.0)


@pytest.mark.rule("SAF-16")
@pytest.mark.parametrize(
    ("at", "bilirubin", "alp", "expected"),
    [
        (3.0, 2.0, 1.0, ("N", "NO_BILIRUBIN")),
        (3.0, 2.01, 2.0, ("Y", None)),
        (3.0, 2.01, 2.01, ("N", "ALP")),
        (2.99, 2.01, 1.0, ("N", "NO_AT")),
        (3.0, 2.01, None, ("Y", "ALP_MISSING")),
    ],
)
def test_exact_multiples(mini_study, at, bilirubin, alp, expected):
    rows = [lab("AST", 5, at, 1.0, 1.0), lab("BILI", 5, bilirubin, 1.0, 1.0)]
    rows += [] if alp is None else [lab("ALP", 5, alp, 1.0, 1.0)]
    row = liver_summary(panel_of(rows, mini_study), mini_study).iloc[0]
    assert (row["HYSFL"], row["HYSRS"] or None) == expected


@pytest.mark.rule("SAF-16")
@pytest.mark.parametrize(
    ("day", "change", "kept"),
    [
        (0, {}, True),
        (0, {"ONTRTFL": None}, False),
        (-1, {}, False),
        (0, {"ABLFL": "Y"}, False),
        (60, {"ONTRTFL": None}, True),
        (3, {"BASETYPE": "CART"}, False),
        (3, {"AVAL": math.nan}, False),
        (3, {"PARAMCD": "GGT"}, False),
        (3, {"ADT": pd.NaT}, False),
    ],
)
def test_which_results_enter_the_liver_panel(mini_study, day, change, kept):
    rows = [lab("ALT", 9, 10.0, 40.0, 20.0), lab("ALT", day, 80.0, 40.0, 20.0, **change)]
    made = panel_of(rows, mini_study)
    assert made["DAY"].tolist() == ([9, day] if kept else [9])
    assert made["XULN"].tolist()[1:] == ([2.0] if kept else [])


@pytest.mark.rule("SAF-16")
@pytest.mark.parametrize(("limit", "base"), [(0.0, 0.0), (None, None), (-1.0, -1.0)])
def test_without_limit_or_baseline_there_is_no_multiple(mini_study, limit, base):
    made = panel_of([lab("ALT", 5, 80.0, limit, base), lab("BILI", 5, 80.0, limit, base)], mini_study)
    assert made[["XULN", "XBASE"]].isna().all(axis=None)
    row = liver_summary(made, mini_study).iloc[0]
    assert (row["QUADRANT"], row["HYSFL"], row["HYSRS"]) == (None, None, "ULN_MISSING")
    assert math.isnan(row["GAPDAYS"])


@pytest.mark.rule("SAF-16")
@pytest.mark.parametrize(
    ("day", "window"), [(0, "0-3"), (3, "0-3"), (4, "4-14"), (14, "4-14"), (15, "15+"), (400, "15+")]
)
def test_windows_after_the_latest_hepatic_artery_infusion(mini_study, day, window):
    doses = pd.DataFrame(
        {
            "USUBJID": ["S1", "S1", "S2"],
            "ROUTE": ["INTRA-ARTERIAL", "INTRAVENOUS", "INTRA-ARTERIAL"],
            "ASTDT": dates(["2025-01-06", "2025-01-09", "2025-01-07"]),
        }
    )
    assert window_after_infusion(day, (3, 14)) == window
    assert panel_of([lab("ALT", day, 1.0, 1.0)], mini_study, doses)["WINDOW"].tolist() == [window]
    assert panel_of([lab("ALT", day, 1.0, 1.0)], mini_study)["WINDOW"].tolist() == [None]
    others = doses[doses["USUBJID"] == "S2"]
    assert panel_of([lab("ALT", day, 1.0, 1.0)], mini_study, others)["WINDOW"].tolist() == [None]


@pytest.mark.rule("SAF-16")
@pytest.mark.parametrize(
    ("series", "rules", "expected"),
    [
        ({"ALT": [(0, 3, None)], "BILI": [(30, 3, None)]}, {}, (True, 0, 30)),
        ({"ALT": [(0, 3, None)], "BILI": [(31, 3, None)]}, {}, (False, 0, None)),
        ({"ALT": [(30, 3, None)], "BILI": [(0, 3, None)]}, {}, (True, 30, 0)),
        ({"ALT": [(30, 3, None)], "BILI": [(0, 3, None)]}, {"hys_order": "at_first"}, (False, 30, None)),
        ({"ALT": [(5, 3, None)], "BILI": [(5, 3, None)]}, {"hys_window_days": 0}, (True, 5, 5)),
        ({"ALT": [(5, 3, None)], "BILI": [(6, 3, None)]}, {"hys_window_days": 0}, (False, 5, None)),
        ({"ALT": [(1, 3, None), (50, 3, None)], "BILI": [(60, 3, None)]}, {}, (True, 50, 60)),
        ({"ALT": [(9, 3, None)], "AST": [(4, 3, None)], "BILI": [(9, 3, None)]}, {}, (True, 4, 9)),
        ({"ALT": [(5, 3, None)]}, {}, (False, None, None)),
        ({}, {}, (False, None, None)),
    ],
)
def test_pairs_within_the_window(series, rules, expected):
    found = hys_law(panel(**series), ToxicityTable(**rules))
    assert (found.candidate, found.at_day, found.bilirubin_day) == expected


@pytest.mark.rule("SAF-16", source="spec/immune-toxicity.md, section 7")
@pytest.mark.parametrize(
    ("alp", "expected"),
    [
        ([(5, 2.5, 1.0), (40, 1.5, 1.0)], (True, 40, 41, "")),
        ([(5, 2.5, 1.0), (40, 2.5, 1.0)], (False, 5, 6, "ALP")),
        ([(5, 1.5, 1.0), (40, 2.5, 1.0)], (True, 5, 6, "")),
        ([], (True, 5, 6, "ALP_MISSING")),
    ],
    ids=["early pair cholestatic", "both cholestatic", "later pair cholestatic", "no ALP"],
)
def test_an_early_cholestatic_pair_does_not_hide_a_later_candidate(alp, expected):
    series = {"ALT": [(5, 4.0, 3.0), (40, 6.0, 5.0)], "BILI": [(6, 2.5, 2.5), (41, 3.0, 3.0)], "ALP": alp}
    found = hys_law(panel(**series), ToxicityTable(hys_window_days=3))
    assert (found.candidate, found.at_day, found.bilirubin_day, found.reason) == expected


@pytest.mark.rule("SAF-16")
@pytest.mark.parametrize(
    ("values", "quarter"),
    [
        ((2.99, 1.99), "NORMAL"),
        ((3.0, 1.99), "TEMPLES_COROLLARY"),
        ((2.99, 2.0), "HYPERBILIRUBINAEMIA"),
        ((3.0, 2.0), "HYS_LAW_RANGE"),
    ],
)
def test_a_peak_at_the_line_lies_above_it(mini_study, values, quarter):
    assert quadrant(*values, PLAIN) == quarter
    rows = [lab("ALT", 3, values[0], 1.0), lab("AST", 3, 0.5, 1.0), lab("BILI", 40, values[1], 1.0)]
    rows += [lab("BILI", 50, values[1], 1.0), lab("ALT", 1, 0.1, 1.0)]
    row = liver_summary(panel_of(rows, mini_study), mini_study).iloc[0]
    assert (row["QUADRANT"], row["GAPDAYS"]) == (quarter, 37)
    assert [pattern(ratio) for ratio in (5.0, 4.99, 2.01, 2.0)] == [
        "HEPATOCELLULAR",
        "MIXED",
        "MIXED",
        "CHOLESTATIC",
    ]


@pytest.mark.rule("SAF-16")
def test_the_order_of_rows_and_another_unit_change_no_candidate(mini_study):
    rng = np.random.default_rng(1)
    rows = [
        lab(code, day, float(rng.uniform(0.2, 5)), 1.0, 1.0, who)
        for who in ("S1", "S2")
        for code in ("ALT", "AST", "BILI", "ALP")
        for day in range(0, 40, 5)
    ]
    plain = liver_summary(panel_of(rows, mini_study), mini_study)
    turned = liver_summary(panel_of(rows[::-1], mini_study), mini_study)
    pd.testing.assert_frame_equal(plain, turned)
    scaled = [row | {name: row[name] * 17.1 for name in ("AVAL", "ANRHI", "BASE")} for row in rows]
    pd.testing.assert_frame_equal(plain, liver_summary(panel_of(scaled, mini_study), mini_study))
    assert list(liver_summary(panel_of(rows, mini_study).head(0), mini_study)) == list(plain)


@pytest.mark.rule("SAF-13")
@pytest.mark.parametrize(
    ("given", "verdict", "reason"),
    [
        ({"ferritin_x_uln": 2.01, "aminotransferase": 5.01}, "SCREEN_POSITIVE", ""),
        ({"ferritin_x_uln": 2.01, "aminotransferase": 5.01, "hours_after_crs": 48}, "SCREEN_POSITIVE", ""),
        (
            {"ferritin_x_uln": 2.01, "aminotransferase": 5.01, "hours_after_crs": 47.9},
            "SCREEN_NEGATIVE",
            "CONCURRENT_CRS",
        ),
        ({"ferritin_x_uln": 2.01, "hours_after_crs": 10}, "SCREEN_NEGATIVE", ""),
        ({"aminotransferase": 5.01, "hours_after_crs": 10}, "SCREEN_NEGATIVE", ""),
        ({"hours_after_crs": 50}, "NOT_EVALUABLE", ""),
        ({}, "NOT_EVALUABLE", ""),
        ({"ferritin_x_uln": 2.01, "haemophagocytosis": True}, "SCREEN_POSITIVE", ""),
        ({"ferritin_rise": 2.0, "fibrinogen": 1.49}, "SCREEN_POSITIVE", ""),
        ({"ferritin_rise": 2.0, "fibrinogen": 1.5}, "NOT_EVALUABLE", ""),
        ({"ferritin_rise": 2.0, "fibrinogen": 1.5, "fibrinogen_lln": 1.6}, "SCREEN_POSITIVE", ""),
        ({"ferritin_x_uln": 2, "ferritin_x_base": 2, "ferritin_rise": 1.99}, "SCREEN_NEGATIVE", ""),
    ],
)
def test_screening_counts_only_inputs_that_can_decide(given, verdict, reason):
    screen = iechs_screen(IecHsFindings(**given), PLAIN)
    assert (screen.verdict, screen.reason) == (verdict, reason)
    assert bool(screen.missing) == (verdict == "NOT_EVALUABLE")


@pytest.mark.rule("SAF-13")
@pytest.mark.parametrize("needed", [1, 2, 3, 4])
def test_each_supporting_criterion_counts_once(needed):
    signs = {"aminotransferase": 6.0, "fibrinogen": 1.0, "cytopenia_grade": 4, "haemophagocytosis": True}
    off = {"aminotransferase": 5.0, "fibrinogen": 2.0, "cytopenia_grade": 3, "haemophagocytosis": False}
    rules = ToxicityTable(iechs_min_support=needed)
    for number in range(5):
        given = {name: signs[name] if place < number else off[name] for place, name in enumerate(signs)}
        screen = iechs_screen(IecHsFindings(ferritin_x_uln=9.0, **given), rules)
        assert (screen.verdict == "SCREEN_POSITIVE") == (number >= needed)
        assert (
            screen.supporting == ("aminotransferase", "fibrinogen", "cytopenia", "haemophagocytosis")[:number]
        )


@pytest.mark.rule("SAF-14")
@pytest.mark.parametrize(
    ("counts", "longest", "expected"),
    [
        ({0: 1.0, 4: 2.0}, 3, [1.0, 1.0, 1.0, 1.0, 2.0]),
        ({0: 1.0, 4: 2.0}, 2, [1.0, None, None, None, 2.0]),
        ({1: 1.0}, 3, [None, 1.0, 1.0, 1.0, 1.0]),
        ({1: 1.0}, 2, [None, 1.0, None, None, None]),
        ({}, 3, [None] * 5),
        ({-1: 1.0, 5: 2.0}, 7, [None] * 5),
        ({0: 0.0, 4: 0.0}, 3, [0.0] * 5),
    ],
)
def test_gaps_up_to_the_limit_hold_the_last_count(counts, longest, expected):
    assert daily_counts(counts, 4, longest=longest) == expected


@pytest.mark.rule("SAF-14")
@pytest.mark.parametrize(
    ("low_days", "value", "last", "grade"),
    [
        (31, 0.5, None, 4),
        (30, 0.5, None, 3),
        (30, 0.5, 29, 3),
        (14, 0.51, None, 0),
        (6, 0.1, None, 1),
        (7, 0.11, None, 2),
        (13, 0.1, None, 3),
        (14, 0.1, None, 4),
        (14, 0.1, 6, 3),
        (14, 0.1, 5, 1),
        (31, 0.5, 90, 4),
    ],
)
def test_days_are_counted_from_0_to_30(low_days, value, last, grade):
    counts = {day: value if day < low_days else 2.0 for day in range(40)}
    assert early_grade(counts, PLAIN, last_day=last).grade == grade


@pytest.mark.rule("SAF-14")
def test_without_counts_the_grade_is_open_and_late_grades_fall_with_the_counts():
    nothing = early_grade({}, PLAIN)
    assert (nothing.low, nothing.grade, nothing.missing) == (0, None, ("ANC",))
    assert [late_grade([value, value]) for value in (1.51, 1.5, 1.0, 0.5, 0.1)] == [0, 1, 2, 3, 4]
    assert late_grade([0.1, 1.4, 2.0]) == 1


@pytest.mark.rule("SAF-15")
@pytest.mark.parametrize(
    ("mg", "stage"), [(1.99, 0), (2, 1), (3, 1), (3.01, 2), (6, 2), (6.1, 3), (15, 3), (15.1, 4)]
)
def test_bilirubin_that_was_converted_has_the_stage_of_its_own_unit(mg, stage):
    assert gvhd_stages(GvhdFindings(bilirubin=mg * 17.1)).liver == stage


VS = {"USUBJID": "S1", "VSTESTCD": "TEMP", "VSSTRESU": "C", "VSDTC": "2025-01-17"}


def vitals(*rows):
    return [VS | {"VSSEQ": float(n)} | row for n, row in enumerate(rows, 1)]


@pytest.mark.rule("SAF-20")
@pytest.mark.parametrize("turn", [1, -1])
def test_of_several_values_of_one_moment_the_worst_counts(mk, turn):
    rows = vitals(
        {"VSSTRESN": 39.0}, {"VSSTRESN": 37.0}, {"VSTESTCD": "SYSBP", "VSSTRESN": 120, "VSSTRESU": "mmHg"}
    )
    rows += [rows[2] | {"VSSTRESN": 85, "VSSEQ": 4.0}]
    table, findings = vital_values(mk.make({"VS": mk.frame("VS", rows[::turn])}))
    assert table[["TEMP", "SYSBP"]].values.tolist() == [[39.0, 85.0]]
    assert findings == []
    scores = [{"USUBJID": "S1", "QSTESTCD": "ICETOTAL", "QSSTRESN": n, "QSDTC": "2025-01-17"} for n in (9, 3)]
    assert ice_scores(mk.make({"QS": mk.frame("QS", scores[::turn])}))[0]["ICE"].tolist() == [3.0]


@pytest.mark.rule("SAF-20")
@pytest.mark.parametrize(
    ("row", "rule", "kept"),
    [
        ({"VSSTRESN": 30.0}, None, 1),
        ({"VSSTRESN": 45.0}, None, 1),
        ({"VSSTRESN": 29.9}, "TOX-TEMP", 0),
        ({"VSSTRESN": 45.1}, "TOX-TEMP", 0),
        ({"VSSTRESN": 101.0, "VSSTRESU": "F"}, "TOX-UNIT", 0),
        ({"VSSTRESN": 38.0, "VSSTRESU": None}, "TOX-UNIT", 0),
        ({"VSSTRESN": None, "VSSTRESU": None}, None, 0),
        ({"VSTESTCD": "SYSBP", "VSSTRESN": 12, "VSSTRESU": "kPa"}, "TOX-UNIT", 0),
        ({"VSTESTCD": "PULSE", "VSSTRESN": 500, "VSSTRESU": None}, None, 0),
        ({"VSSTRESN": 38.0, "VSDTC": None}, None, 0),
    ],
)
def test_impossible_vital_signs_are_named_with_their_record(mk, row, rule, kept):
    table, findings = vital_values(mk.make({"VS": mk.frame("VS", vitals(row | {"VSSEQ": 7.0}))}))
    assert len(table) == kept
    assert [(f.rule, f.subject, f.key) for f in findings] == ([(rule, "S1", ("7",))] if rule else [])


ITEMS = {"ICEORIEN": 4, "ICENAME": 3, "ICECOMM": 1, "ICEWRITE": 1, "ICEATTN": 1}


@pytest.mark.rule("SAF-20")
@pytest.mark.parametrize(
    ("change", "score", "rules"),
    [
        ({}, 10, []),
        ({"ICEATTN": 0}, 9, []),
        ({"ICEATTN": None}, None, []),
        ({"ICEATTN": None, "ICETOTAL": 8}, 8, []),
        ({"ICEATTN": 2}, None, ["TOX-ICE"]),
        ({"ICEATTN": 0.5, "ICETOTAL": 9}, 9, ["TOX-ICE"]),
        ({"ICEORIEN": -1, "ICETOTAL": 9}, 9, ["TOX-ICE"]),
        ({"ICETOTAL": 10}, 10, []),
        ({"ICETOTAL": 9}, 10, ["TOX-ICESUM"]),
        ({"ICETOTAL": 11}, 10, ["TOX-ICE"]),
    ],
)
def test_items_and_total_of_the_ice_score(mk, change, score, rules):
    rows = [
        {"USUBJID": "S1", "QSTESTCD": code, "QSSTRESN": value, "QSDTC": "2025-01-17T10:00"}
        for code, value in (ITEMS | change).items()
    ]
    table, findings = ice_scores(mk.make({"QS": mk.frame("QS", rows)}))
    assert table["ICE"].replace({np.nan: None}).tolist() == [score]
    assert [f.rule for f in findings] == rules
    assert {f.subject for f in findings} <= {"S1"}


ADEX = pd.DataFrame(
    {
        "USUBJID": ["S1", "S1"],
        "APHASE": ["NK", "CART_C1"],
        "ASTDT": dates(["2025-01-06", "2025-01-16"]),
        "ASTDTM": dates(["2025-01-06T09:00", "2025-01-16T09:00"]),
        "AENDT": dates(["2025-01-06", "2025-01-16"]),
        "SRCSEQ": ["1", "2"],
    }
)
EVENT = {
    "USUBJID": "S1",
    "SRCSEQ": "1",
    "CRSFL": "Y",
    "ICANSFL": "N",
    "AETOXGRN": 1.0,
    "ASTCTGRN": 1.0,
    "AEOUT": "X",
}


def events(*spans):
    rows = [
        EVENT
        | {"SRCSEQ": str(n), "ASTDTM": pd.Timestamp(a), "ASTDT": pd.Timestamp(a).normalize()}
        | {"AENDTM": pd.Timestamp(b), "AENDT": pd.Timestamp(b).normalize()}
        for n, (a, b) in enumerate(spans, 1)
    ]
    times = dict.fromkeys(("ASTDTM", "ASTDT", "AENDTM", "AENDT"), "datetime64[ns]")
    frame = pd.DataFrame(rows or [EVENT | dict.fromkeys(times, pd.NaT)])
    return (frame if rows else frame.head(0)).astype(times)


@pytest.fixture
def derive(mk, mini_study):
    def run(reported, temperatures, drugs=("OMEPRAZOLE",), adex=ADEX):
        vital = vitals(*({"VSSTRESN": value, "VSDTC": when} for when, value in temperatures))
        pressure = {"VSTESTCD": "SYSBP", "VSSTRESN": 120.0, "VSSTRESU": "mmHg"}
        vital += [row | pressure | {"VSSEQ": row["VSSEQ"] + 100} for row in vital]
        air = {
            "USUBJID": "S1",
            "CETESTCD": "O2DEV",
            "CESTRESC": "NONE",
            "CESTDTC": "2025-01-01",
            "CEDTC": "2025-01-01",
        }
        drug = [
            {
                "USUBJID": "S1",
                "CMDECOD": name,
                "CMTRT": name,
                "CMCAT": "CONCOMITANT MEDICATION",
                "CMSTDTC": "2025-01-18",
            }
            for name in drugs
        ]
        parts = {"VS": vital, "CE": [air], "CM": drug}
        sdtm = mk.make({name: mk.frame(name, rows) for name, rows in parts.items() if rows})
        return derive_adtox(sdtm, ADSL, adae=reported, adex=adex, study=mini_study)

    return run


def clock(hours):
    return f"{pd.Timestamp('2025-01-17T10:00') + pd.Timedelta(hours, unit='h'):%Y-%m-%dT%H:%M}"


@pytest.mark.rule("SAF-19")
@pytest.mark.parametrize(("extra", "episodes"), [(-1 / 60, 1), (0, 1), (1 / 60, 2)])
def test_a_gap_at_the_limit_does_not_close_an_episode(derive, mini_study, extra, episodes):
    gap = mini_study.toxicity.crs_gap_h
    made = derive(events(), [(clock(0), 39.0), (clock(gap + extra), 39.0)])
    assert made.frame["ASEQ"].tolist() == [float(n) for n in range(1, episodes + 1)]
    assert [f.rule for f in made.findings] == ["TOX-UNREPORTED"] * episodes
    assert made.findings[0].key == ("2025-01-17T10:00",)


@pytest.mark.rule("SAF-19")
@pytest.mark.parametrize(("side", "extra", "own"), [(1, 0, 0), (1, 1 / 60, 1), (-1, 0, 0), (-1, 1 / 60, 1)])
def test_signs_within_the_gap_of_an_event_belong_to_it(derive, mini_study, side, extra, own):
    gap = mini_study.toxicity.crs_gap_h + extra
    moment = clock(24 + gap) if side > 0 else clock(-gap)
    made = derive(events((clock(0), clock(24))), [(clock(1), 39.0), (moment, 39.0)])
    assert (made.frame["REPFL"] == "N").sum() == own


@pytest.mark.rule("SAF-18")
def test_events_that_touch_keep_their_own_assessments(derive):
    made = derive(
        events((clock(0), clock(24)), (clock(24), clock(48))), [(clock(1), 39.0), (clock(24), 37.0)]
    )
    assert made.frame["ASTHI"].tolist() == [1.0, 0.0]
    assert made.frame["DIRA"].tolist() == ["AGREE", "HIGHER"]
    assert [(f.rule, f.subject, f.key) for f in made.findings] == [("TOX-DISCORD", "S1", ("2",))]


@pytest.mark.rule("SAF-18")
@pytest.mark.parametrize("late", [0, 1])
def test_the_last_day_of_the_link_is_inside(derive, mini_study, late):
    day = pd.Timestamp("2025-01-16") + pd.Timedelta(mini_study.toxicity.crs_link_days + late, unit="D")
    row = derive(events((day, day)), [(clock(0), 37.0)]).frame.iloc[0]
    assert (row["LINKSEQ"], row["LINKRS"]) == ((None, "UNLINKED") if late else ("2", None))


@pytest.mark.rule("SAF-18")
@pytest.mark.parametrize(
    ("start", "link", "phase"),
    [
        ("2025-01-16T08:59", "1", "NK"),
        ("2025-01-16T09:00", "2", "CART_C1"),
        ("2025-01-06T08:59", None, "PRE"),
        ("2025-01-06T09:00", "1", "NK"),
    ],
)
def test_the_onset_belongs_to_the_latest_infusion_by_the_clock(derive, start, link, phase):
    row = derive(events((start, "2025-01-20")), [(clock(0), 37.0)]).frame.iloc[0]
    assert row["LINKSEQ"] == link
    assert row["APHASE"] == phase or link is None


@pytest.mark.rule("SAF-09")
@pytest.mark.parametrize(("temperature", "grade"), [(37.9, 0), (38.0, 1)])
def test_fever_begins_at_38(derive, temperature, grade):
    made = derive(events((clock(0), clock(24))), [(clock(1), temperature)])
    assert made.frame["ASTHI"].tolist() == [grade]


@pytest.mark.rule("SAF-19")
@pytest.mark.parametrize(
    ("temperatures", "reported", "hit"),
    [([(clock(0), 37.0)], (), True), ([(clock(0), 39.0)], (), False), ([], ((clock(0), clock(9)),), False)],
)
def test_tocilizumab_needs_a_syndrome(derive, temperatures, reported, hit):
    made = derive(events(*reported), temperatures, drugs=("TOCILIZUMAB",))
    assert [f.subject for f in made.findings if f.rule == "TOX-TOCI"] == (["S1"] if hit else [])


def test_one_row_for_each_key_and_the_stated_columns(derive):
    made = derive(
        events((clock(0), clock(24)), (clock(400), clock(424))), [(clock(1), 39.0), (clock(200), 39.0)]
    )
    assert list(made.frame) == COLUMNS
    assert not made.frame.duplicated(["USUBJID", "PARAMCD", "ASEQ"]).any()
    assert made.frame["REPFL"].tolist() == ["Y", "N", "Y"]
    assert {rule for rule, _, _ in made.rules} >= {rule for rule, _ in RULES}
    nothing = derive(events(), [])
    assert (list(nothing.frame), len(nothing.frame), nothing.findings) == (COLUMNS, 0, ())


@pytest.mark.rule("SAF-18")
def test_other_participants_and_the_order_of_rows_change_no_episode(derive):
    values = [(clock(1), 39.0), (clock(200), 39.0), (clock(1), 37.0), (clock(202), 38.5)]
    reported = events((clock(0), clock(24)), (clock(400), clock(424)))
    plain = derive(reported, values)
    turned = derive(reported[::-1], values[::-1], adex=ADEX[::-1])
    pd.testing.assert_frame_equal(plain.frame, turned.frame)
    assert [f.order for f in plain.findings] == [f.order for f in turned.findings]

"""Dose-limiting toxicity at the edges of its window: onset, death, leaving, cut-off, doses, second cycle, dates known."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest

from interim.adam.dlt import WINDOW, may_lie_inside

END = 25


def moved(mini, mk, day, who="02", decod="WITHDRAWAL BY SUBJECT"):
    row = {"USUBJID": mk.uid(who), "DSDECOD": decod, "DSTERM": decod, "DSCAT": "DISPOSITION EVENT"}
    row |= {"DSSCAT": "STUDY", "DSSTDTC": mk.on(who, day), "DSSEQ": 9.0}
    mini["DS"] = pd.concat([mini["DS"], mk.frame("DS", [row])], ignore_index=True)


def died(mini, mk, day, who="02"):
    here = mini["DM"]["USUBJID"] == mk.uid(who)
    mini["DM"]["DTHDTC"] = mini["DM"]["DTHDTC"].mask(here, mk.on(who, day))
    mini["DM"]["DTHFL"] = mini["DM"]["DTHFL"].mask(here, "Y")


def infusions(mini, mk, number, who="02"):
    keep = ~((mini["EX"]["USUBJID"] == mk.uid(who)) & (mini["EX"]["EXSEQ"] > 2 + number))
    mini["EX"] = mini["EX"][keep].reset_index(drop=True)


def status(made, mk, who="02"):
    row = made.addlt().set_index("USUBJID").loc[mk.uid(who)]
    known = None if pd.isna(row["STATKNDT"]) else f"{row['STATKNDT']:%Y-%m-%d}"
    return row["DLTSTAT"], row["DLTSTRS"], known


@pytest.mark.rule("DLT-03")
@pytest.mark.parametrize(
    ("change", "day", "expected"),
    [
        (died, 10, ("NOT EVALUABLE", "DEATH-IN-WINDOW")),
        (died, END - 1, ("NOT EVALUABLE", "DEATH-IN-WINDOW")),
        (died, END, ("EVALUABLE", None)),
        (died, END + 1, ("EVALUABLE", None)),
        (moved, 10, ("NOT EVALUABLE", "OFF-STUDY-IN-WINDOW")),
        (moved, END - 1, ("NOT EVALUABLE", "OFF-STUDY-IN-WINDOW")),
        (moved, END, ("EVALUABLE", None)),
        (infusions, 1, ("NOT EVALUABLE", "MIN-INFUSIONS")),
        (infusions, 2, ("EVALUABLE", None)),
    ],
)
def test_what_must_be_observed_of_the_window(mini, mini_study, chain, mk, change, day, expected):
    change(mini, mk, day)
    made = status(chain(mini, mini_study), mk)
    assert made[:2] == expected
    window_end = END - 1 if change is infusions and day == 1 else END
    assert made[2] == mk.on("02", day if expected[1] and change is not infusions else window_end)


@pytest.mark.rule("DLT-03")
@pytest.mark.parametrize(
    ("cut", "expected"),
    [(24, ("PENDING", "PENDING", None)), (25, ("EVALUABLE", None, 25)), (26, ("EVALUABLE", None, 25))],
)
def test_the_window_is_open_until_its_last_day_is_before_the_cut_off(
    mini, mini_study, chain, mk, cut, expected
):
    last = datetime.fromisoformat(mk.on("02", cut) + "T23:59:59")
    state, reason, known = status(chain(mini, mini_study, last), mk)
    assert (state, reason, known) == (
        *expected[:2],
        None if expected[2] is None else mk.on("02", expected[2]),
    )


@pytest.mark.rule("DLT-03")
@pytest.mark.parametrize("change", [died, moved, infusions])
def test_a_dlt_makes_evaluable_whatever_followed(mini, mini_study, chain, mk, change):
    change(mini, mk, 1 if change is infusions else 16, who="03")
    row = chain(mini, mini_study).addlt().set_index("USUBJID").loc[mk.uid("03")]
    assert row[["DLTSTAT", "DLTSTRS", "DLTFL", "TRIGFL"]].tolist() == ["EVALUABLE", None, "Y", "Y"]


@pytest.mark.rule("DLT-03")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (None, ("NOT EVALUABLE", "NO-CART: MANUFACTURING")),
        ("open", ("PENDING", "PENDING")),
        ("left", ("NOT EVALUABLE", "NO-CART")),
        ("died", ("NOT EVALUABLE", "NO-CART")),
    ],
)
def test_without_t_cells(mini, mini_study, chain, mk, change, expected):
    if change:
        mini["DS"] = mini["DS"][mini["DS"]["DSSCAT"] != "CAR-T NOT GIVEN"].reset_index(drop=True)
    if change in ("left", "died"):
        {"left": moved, "died": died}[change](mini, mk, 30, who="04")
    made = status(chain(mini, mini_study), mk, "04")
    assert made[:2] == expected
    assert made[2] == (None if change == "open" else mk.on("04", 30 if change else 20))


def instants(frame, *names):
    return frame.astype(dict.fromkeys(names, "datetime64[ns]"))


def onset(start, moment=None, low=None, high=None, end=None):
    row = {"USUBJID": "S1", "ASTDT": start, "ASTDTM": moment, "ASTDTF": "D" if low else None}
    row |= {"ASTLODT": low, "ASTHIDT": high, "AENDT": end}
    return instants(pd.DataFrame([row]), "ASTDT", "ASTDTM", "ASTLODT", "ASTHIDT", "AENDT")


def a_window(end="2025-02-01"):
    row = {
        "USUBJID": "S1",
        "DLTWSDT": "2025-01-16",
        "DLTWSDTM": "2025-01-16T10:00",
        "DLTWEDT": end,
        "DLTWRS": None,
    }
    return instants(pd.DataFrame([row]), "DLTWSDT", "DLTWSDTM", "DLTWEDT")


@pytest.mark.rule("DLT-02")
@pytest.mark.parametrize(
    ("event", "possible", "certain"),
    [
        (onset("2025-01-15"), False, False),
        (onset("2025-01-16"), True, True),
        (onset("2025-01-16", "2025-01-16T09:59"), False, False),
        (onset("2025-01-16", "2025-01-16T10:00"), True, True),
        (onset("2025-02-01"), True, True),
        (onset("2025-02-01", "2025-02-01T23:59"), True, True),
        (onset("2025-02-02"), False, False),
        (onset("2025-01-16", low="2025-01-01", high="2025-01-31"), True, False),
        (onset("2025-02-01", low="2025-02-01", high="2025-02-28"), True, False),
        (onset("2025-01-17", low="2025-01-17", high="2025-02-01"), True, True),
        (onset("2025-01-01", low="2025-01-01", high="2025-01-15"), False, False),
        (onset("2025-02-02", low="2025-02-02", high="2025-02-28"), False, False),
        (onset(None), True, False),
        (onset(None, end="2025-01-15"), False, False),
        (onset(None, end="2025-01-16"), True, False),
    ],
)
def test_both_ends_of_the_window_are_inside(event, possible, certain):
    found = may_lie_inside(event, a_window())
    assert [part.tolist() for part in found] == [[possible], [certain]]
    nowhere = may_lie_inside(event.assign(USUBJID="S2"), a_window())
    assert [part.tolist() for part in nowhere] == [[False], [False]]


@pytest.mark.rule("DLT-02")
def test_a_window_without_end_holds_every_later_onset():
    for start, inside in (("2025-01-15", False), ("2025-01-16", True), ("2026-01-01", True)):
        assert may_lie_inside(onset(start), a_window(None))[0].tolist() == [inside]


@pytest.mark.rule("DLT-05")
@pytest.mark.parametrize(
    ("known", "status_known"),
    [("2025-03-19", "2025-03-19"), ("2025-03", "2025-03-17"), ("2025-04", "2025-04-01"), (None, None)],
)
def test_a_date_of_knowledge_is_never_invented(mini, mini_study, chain, mk, known, status_known):
    extra = [("03", 1, "DLTFL", "Y")] + ([("03", 1, "AERPTDTC", known)] if known else [])
    mini["SUPPAE"] = mk.supp("AE", extra)
    row = chain(mini, mini_study).addlt().set_index("USUBJID").loc[mk.uid("03")]
    found = [
        None if pd.isna(row[name]) else f"{row[name]:%Y-%m-%d}" for name in ("DLTKNDT", "STATKNDT", "DLTDT")
    ]
    assert found == [status_known, status_known, mk.on("03", 14)]


@pytest.mark.rule("DLT-05")
def test_order_of_rows_company_and_one_row_for_each_participant(mini, mini_study, chain, mk):
    plain = chain(mini, mini_study)
    turned = chain({name: part.iloc[::-1].reset_index(drop=True) for name, part in mini.items()}, mini_study)
    pd.testing.assert_frame_equal(plain.addlt(), turned.addlt())
    pd.testing.assert_frame_equal(plain.windows(), turned.windows())
    assert list(plain.windows()) == list(WINDOW)
    assert plain.addlt()["USUBJID"].is_unique and plain.addlt()["ORDER"].is_monotonic_increasing
    few = {name: part[part["USUBJID"] != mk.uid("01")].reset_index(drop=True) for name, part in mini.items()}
    rest = (
        plain.addlt()[plain.addlt()["USUBJID"] != mk.uid("01")].drop(columns="ORDER").reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(chain(few, mini_study).addlt().drop(columns="ORDER"), rest)


@pytest.mark.rule("DLT-05")
def test_other_names_change_nothing_but_the_order_of_ties(mini, mini_study, chain, mk):
    named = {
        name: part.assign(USUBJID=part["USUBJID"].str.replace("MINI-0", "Z-9")) for name, part in mini.items()
    }
    a, b = (chain(parts, mini_study).addlt() for parts in (mini, named))
    pd.testing.assert_frame_equal(a.drop(columns="USUBJID"), b.drop(columns="USUBJID"))

"""States of samples from text and limits, one row per edge, and the medicines that a profile is marked with."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from tests.analysis.kinetic_case import frame, iso

from interim.adam.adckcm import COLUMNS, derive_adckcm
from interim.adam.adpc_state import with_state

NAN = math.nan


def state(text, lloq=50.0, llod=NAN, uloq=NAN, diluted=False, done=True, number=NAN):
    given = pd.DataFrame(
        {
            "AVALC": pd.Series([text], dtype=object),
            "NUMBER": [number],
            "NOTDONE": [not done],
            "ALLOQ": [lloq],
            "LLOD": [llod],
            "AULOQ": [uloq],
            "DILUTED": [diluted],
        }
    )
    before = given.copy()
    made = with_state(given).iloc[0]
    pd.testing.assert_frame_equal(given, before)
    return made


def plain(value):
    return None if isinstance(value, float) and math.isnan(value) else value


CASES = [
    # text, limits, wanted state, AVAL, REPORTED, ALLOQ
    ("120", {}, "QUANT", 120, None, 50),
    ("1.2e3", {}, "QUANT", 1200, None, 50),
    (" 120 ", {}, "QUANT", 120, None, 50),
    ("50", {}, "QUANT", 50, None, 50),
    ("49.999", {}, "BAD", None, None, 50),
    ("0", {}, "BLQ", None, None, 50),
    ("-0.1", {}, "BAD", None, None, 50),
    ("inf", {}, "BAD", None, None, 50),
    ("nan", {}, "BAD", None, None, 50),
    ("12,5", {}, "BAD", None, None, 50),
    ("", {}, "BAD", None, None, 50),
    (None, {}, "BAD", None, None, 50),
    (None, {"number": 70.0}, "QUANT", 70, None, 50),
    ("<50", {}, "BLQ", None, None, 50),
    ("<=50", {}, "BLQ", None, None, 50),
    ("< 50", {}, "BLQ", None, None, 50),
    ("<50", {"lloq": NAN}, "BLQ", None, None, 50),
    ("<40", {"lloq": 50.0}, "BLQ", None, None, 50),
    ("ND", {}, "NEG", None, None, 50),
    ("not detected", {}, "NEG", None, None, 50),
    ("ND", {"lloq": NAN}, "NEG", None, None, None),
    ("80", {"lloq": NAN}, "QUANT", 80, None, None),
    ("30", {"llod": 20.0}, "DNQ", None, 30, 50),
    ("20", {"llod": 20.0}, "DNQ", None, 20, 50),
    ("19", {"llod": 20.0}, "NEG", None, None, 50),
    ("0", {"llod": 20.0}, "NEG", None, None, 50),
    ("<20", {"llod": 20.0}, "NEG", None, None, 50),
    ("<21", {"llod": 20.0}, "BLQ", None, None, 50),
    ("-5", {"llod": 20.0}, "BAD", None, None, 50),
    ("DNQ", {}, "DNQ", None, None, 50),
    ("dnq: 31", {}, "DNQ", None, 31, 50),
    ("Detected NQ (31)", {}, "DNQ", None, 31, 50),
    ("detected, not quantifiable = 31", {}, "DNQ", None, 31, 50),
    ("ABOUT 31", {}, "BAD", None, None, 50),
    (">5000", {}, "QUANT", 5000, None, 50),
    (">=5000", {}, "QUANT", 5000, None, 50),
    (">5000", {"uloq": 4000.0}, "QUANT", 4000, None, 50),
    ("6000", {"uloq": 5000.0}, "QUANT", 5000, None, 50),
    ("5000", {"uloq": 5000.0}, "QUANT", 5000, None, 50),
    ("6000", {"uloq": 5000.0, "diluted": True}, "QUANT", 6000, None, 50),
    ("120", {"done": False}, "NOT DONE", None, None, 50),
]


@pytest.mark.rule("KIN-36", source="spec kinetics 3")
@pytest.mark.parametrize(("text", "limits", "wanted", "value", "reported", "lloq"), CASES)
def test_the_state_of_a_sample(text, limits, wanted, value, reported, lloq):
    made = state(text, **limits)
    assert made["STATE"] == wanted
    assert plain(made["AVAL"]) == value
    assert plain(made["REPORTED"]) == reported
    assert plain(made["ALLOQ"]) == lloq
    assert (made["BLQFL"] == "Y") == (wanted in ("BLQ", "DNQ", "NEG"))


@pytest.mark.rule("KIN-36", source="spec kinetics 2, CK-ULOQ")
@pytest.mark.parametrize(
    ("text", "limits", "capped"),
    [
        (">5000", {}, True),
        ("5000", {"uloq": 5000.0}, False),
        ("5001", {"uloq": 5000.0}, True),
        ("5001", {"uloq": 5000.0, "diluted": True}, False),
        (">5000", {"uloq": 5000.0, "diluted": True}, True),
        ("<50", {"uloq": 40.0}, False),
    ],
)
def test_only_a_value_above_its_limit_is_capped(text, limits, capped):
    assert (state(text, **limits)["DTYPE"] == "ULOQ") == capped


@pytest.mark.rule("KIN-37")
@pytest.mark.parametrize(
    ("text", "lloq", "done", "missing"),
    [
        ("<50", NAN, True, True),
        ("120", NAN, True, True),
        ("120", 50.0, True, False),
        ("ND", NAN, True, True),
        (None, NAN, False, False),
    ],
)
def test_a_limit_that_its_own_field_does_not_state_is_missing(text, lloq, done, missing):
    assert bool(state(text, lloq=lloq, done=done)["NOLIMIT"]) == missing


def medicine(name, day=3.0, who="01", seq=1, trade=None):
    when = None if day is None else iso(day)
    return {"USUBJID": who, "CMTRT": trade or name, "CMDECOD": name, "CMSTDTC": when, "CMSEQ": seq}


@pytest.mark.rule("KIN-24")
@pytest.mark.parametrize(
    ("record", "kinds"),
    [
        (medicine("TOCILIZUMAB"), ["CMAX_AFTER_TOCI"]),
        (medicine("SILTUXIMAB"), ["CMAX_AFTER_TOCI"]),
        (medicine("DEXAMETHASONE SODIUM PHOSPHATE"), ["CMAX_AFTER_STEROID"]),
        (medicine("PREDNISONE"), ["CMAX_AFTER_STEROID"]),
        (medicine("PARACETAMOL"), []),
        (medicine("TOCILIZUMAB", day=None), []),
        (medicine(None, trade="Tocilizumab 400 mg"), ["CMAX_AFTER_TOCI"]),
    ],
)
def test_medicines_that_mark_a_profile(record, kinds):
    assert derive_adckcm(frame([record]))["CMKIND"].tolist() == kinds


@pytest.mark.rule("KIN-24")
def test_medicines_are_ordered_and_keep_their_records():
    rows = [
        medicine("TOCILIZUMAB", day=9, seq=10),
        medicine("TOCILIZUMAB", day=2, seq=9),
        medicine("DEXAMETHASONE", day=5, seq=2),
        medicine("TOCILIZUMAB", day=4, who="02", seq=1),
    ]
    made = derive_adckcm(frame(rows))
    assert list(made) == COLUMNS
    assert made[["USUBJID", "CMKIND", "SRCSEQ"]].values.tolist() == [
        ["01", "CMAX_AFTER_STEROID", "2"],
        ["01", "CMAX_AFTER_TOCI", "9"],
        ["01", "CMAX_AFTER_TOCI", "10"],
        ["02", "CMAX_AFTER_TOCI", "1"],
    ]
    pd.testing.assert_frame_equal(derive_adckcm(frame(rows[::-1])), made)


@pytest.mark.parametrize("nothing", [None, pd.DataFrame(columns=["USUBJID", "CMTRT"])])
def test_without_medicines_there_is_an_empty_frame(nothing):
    made = derive_adckcm(nothing)
    assert (list(made), len(made)) == (COLUMNS, 0)
    assert not np.array(made).size

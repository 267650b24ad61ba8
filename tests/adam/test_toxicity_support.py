"""Supportive treatment during an episode of 3 to 6 March 2025: each dose, day and device counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.adam.toxicity import support

EPISODE = pd.DataFrame(
    {"USUBJID": ["S1"], "ASTDT": pd.to_datetime(["2025-03-03"]), "AENDT": pd.to_datetime(["2025-03-06"])}
)
OPEN = EPISODE.assign(AENDT=pd.Series(pd.NaT, index=EPISODE.index, dtype="datetime64[ns]"))


def drug(start, end=None, name="DEXAMETHASONE", dose=10.0, unit="mg", frq="QD", **more):
    row = {"USUBJID": "S1", "CMTRT": name, "CMDECOD": name, "CMSTDTC": start, "CMENDTC": end}
    more = {"CMDOSE": dose, "CMDOSU": unit, "CMDOSFRQ": frq, "CMROUTE": "INTRAVENOUS", "CMCAT": None} | more
    return row | more


@pytest.fixture
def source(mk):
    def make(**rows):
        return mk.make({name: mk.frame(name, part) for name, part in rows.items()})

    return make


@pytest.mark.rule(
    "SAF-42",
    source="equivalent doses: 0.75 mg dexamethasone, 4 mg methylprednisolone, 5 mg prednisone, 20 mg hydrocortisone",
)
@pytest.mark.parametrize(
    ("record", "days", "total"),
    [
        (drug("2025-03-04", "2025-03-05"), 2, 20.0),
        (drug("2025-03-04", "2025-03-05", frq="Q6H"), 2, 80.0),
        (drug("2025-03-01", "2025-03-10"), 4, 40.0),
        (drug("2025-03-06T20:00", "2025-03-09"), 1, 10.0),
        (drug("2025-03-04", "2025-03-04", frq="ONCE"), 1, 10.0),
        (drug("2025-03-04", "2025-03-04", frq=None), 1, 10.0),
        (drug("2025-03-04", "2025-03-05", "METHYLPREDNISOLONE", 80.0), 2, 30.0),
        (drug("2025-03-04", "2025-03-04", "METHYLPREDNISOLONE", 1.0, "g"), 1, 187.5),
        (drug("2025-03-04", "2025-03-04", "PREDNISOLONE", 50.0), 1, 7.5),
        (drug("2025-03-04", "2025-03-04", "HYDROCORTISONE", 100.0, frq="TID"), 1, 11.25),
        (drug("2025-03-05", None), 2, 20.0),
        (drug("2025-03-04", "2025-03-05", dose=None), 2, None),
        (drug("2025-03-04", "2025-03-05", unit="TABLET"), 2, None),
        (drug("2025-03-04", "2025-03-05", frq=None), 2, None),
        (drug("2025-03-04", "2025-03-05", frq="PRN"), 2, None),
        (drug("2025-03-07", "2025-03-08"), 0, 0.0),
        (drug("2025-03-01", "2025-03-02"), 0, 0.0),
        (drug("2025-03-04", "2025-03-05", CMROUTE="TOPICAL"), 0, 0.0),
        (drug("2025-03-04", "2025-03-05", CMCAT="PRIOR ANTICANCER THERAPY"), 0, 0.0),
        (drug("2025-03-04", "2025-03-05", "PARACETAMOL"), 0, 0.0),
        (drug("2025-03-04", "2025-03-05", USUBJID="S2"), 0, 0.0),
    ],
)  # fmt: skip
def test_one_record_of_a_steroid(source, record, days, total):
    use = support.steroid_use(EPISODE, source(CM=[record]))
    assert use["STERDY"].tolist() == [days]
    assert use["DEXEQ"].tolist() == pytest.approx([np.nan if total is None else total], nan_ok=True)


@pytest.mark.rule("SAF-42", source="by hand: days once, doses added; one unknown dose makes the sum unknown")
def test_records_are_added(source):
    known = [drug("2025-03-03", "2025-03-04"), drug("2025-03-04", "2025-03-05", "PREDNISONE", 10.0)]
    use = support.steroid_use(EPISODE, source(CM=known))
    assert use.iloc[0].tolist() == pytest.approx([3.0, 20.0 + 3.0])
    use = support.steroid_use(EPISODE, source(CM=[*known, drug("2025-03-06", "2025-03-06", dose=None)]))
    assert use["STERDY"].tolist() == [4.0]
    assert use["DEXEQ"].isna().all()


@pytest.mark.rule("SAF-42", source="neither the episode nor the record has an end")
def test_without_any_end_the_dose_is_not_known(source):
    use = support.steroid_use(OPEN, source(CM=[drug("2025-03-05", None)]))
    assert use["STERDY"].tolist() == [1.0]
    assert use["DEXEQ"].isna().all()


def test_without_medication_nothing_is_known(source):
    assert support.steroid_use(EPISODE, source(VS=[{"USUBJID": "S1"}])) is None


def device(value, start="2025-03-04T08:00", end="2025-03-04T20:00"):
    row = {"USUBJID": "S1", "CETERM": "CRS", "CETESTCD": "O2DEV", "CESTRESC": value, "CEORRES": value}
    return row | {"CESTDTC": start, "CEENDTC": end, "CEDTC": start}


@pytest.mark.rule("SAF-41", source="a device, none, nothing on record, oxygen as a medication")
@pytest.mark.parametrize(
    ("rows", "flag"),
    [
        ({"CE": [device("NASAL")]}, "Y"),
        ({"CE": [device("NONE")]}, "N"),
        ({"CE": [device("NONE"), device("VENTURI", "2025-03-05T01:00")]}, "Y"),
        ({"CE": [device("NASAL", "2025-03-09T01:00", "2025-03-10")]}, None),
        ({"CM": [drug("2025-03-05", "2025-03-05", "OXYGEN")]}, "Y"),
        ({"CM": [drug("2025-03-05", "2025-03-05", "PARACETAMOL")]}, None),
    ],
)
def test_oxygen_during_an_episode(source, rows, flag):
    assert support.oxygen_flag(EPISODE, source(**rows)).tolist() == [flag]


def stay(start, end, name="ICU ADMISSION"):
    return {"USUBJID": "S1", "PRTRT": name, "PRDECOD": None, "PRSTDTC": start, "PRENDTC": end}


@pytest.mark.rule(
    "SAF-41", source="a stay is a procedure, or a sign of its own; without any it was not collected"
)
@pytest.mark.parametrize(
    ("rows", "flags"),
    [
        ({"PR": [stay("2025-03-05", "2025-03-07")]}, ["Y"]),
        ({"PR": [stay("2025-03-08", "2025-03-09")]}, ["N"]),
        ({"PR": [stay("2025-03-05", "2025-03-07", "BIOPSY")]}, None),
        ({"CE": [device("Y") | {"CETESTCD": "ICU"}]}, ["Y"]),
        ({"CE": [device("N") | {"CETESTCD": "ICU"}]}, ["N"]),
        ({"CM": [drug("2025-03-05")]}, None),
    ],
)
def test_intensive_care_during_an_episode(source, rows, flags):
    given = support.intensive_care_spans(source(**rows))
    assert (None if given is None else support.during(EPISODE, given).tolist()) == flags


@pytest.mark.rule("SAF-41", source="administrations that begin in the episode")
def test_doses_are_counted_where_they_begin():
    given = pd.DataFrame(
        {
            "USUBJID": "S1",
            "FROM": pd.to_datetime(
                ["2025-03-02", "2025-03-03", "2025-03-06T23:00", "2025-03-07"], format="ISO8601"
            ),
            "TO": pd.to_datetime(
                ["2025-03-04", "2025-03-03T23:59", "2025-03-06T23:30", "2025-03-07"], format="ISO8601"
            ),
        }
    )
    assert support.number_of_doses(EPISODE, given).tolist() == [2.0]
    assert support.number_of_doses(EPISODE.assign(USUBJID="S9"), given).tolist() == [0.0]

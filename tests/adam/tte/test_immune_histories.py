"""Progression-free survival by iRECIST, and the result without any rule: one row per history."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.adam.tte.test_adtte import START, day, make_study, people, responses, table

from interim.adam.tte import derive_adtte

N = "N"
# what, ADSL, IOVR, date of iCPD and of a trailing iUPD, result if an open block is an event, and if it is censored
IMMUNE = [
    (
        "stable to the end",
        {},
        [(42, "iSD"), (84, "iSD")],
        (None, None),
        (85, "K-CUT"),
        (85, "K-CUT"),
    ),
    (
        "a confirmed progression is dated at its first sight",
        {},
        [(42, "iSD"), (84, "iUPD"), (119, "iCPD")],
        (84, None),
        (85, "E-PD"),
        (85, "E-PD"),
    ),
    (
        "an open block at the end",
        {},
        [(42, "iSD"), (84, "iUPD")],
        (None, 84),
        (85, "E-PD"),
        (43, "K-CUT"),
    ),
    (
        "a block that was reset",
        {},
        [(42, "iSD"), (84, "iUPD"), (126, "iSD")],
        (None, None),
        (127, "K-CUT"),
        (127, "K-CUT"),
    ),
    (
        "an open block and death",
        {"DTHDT": day(100)},
        [(42, "iSD"), (84, "iUPD")],
        (None, 84),
        (85, "E-PD"),
        (101, "E-DEATH"),
    ),
    (
        "new therapy before the block",
        {"NACTDT": day(60)},
        [(42, "iSD"), (84, "iUPD")],
        (None, 84),
        (43, "K-NACT"),
        (43, "K-NACT"),
    ),
    (
        "an open block at the first scan",
        {},
        [(42, "iUPD")],
        (None, 42),
        (43, "E-PD"),
        (1, "K-NOPOST"),
    ),
    (
        "response, then not evaluable",
        {},
        [(42, "iPR"), (84, "NE")],
        (None, None),
        (43, "K-CUT"),
        (43, "K-CUT"),
    ),
    (
        "non-target disease only",
        {},
        [(42, "NON-iCR/NON-iUPD"), (84, "iCR")],
        (None, None),
        (85, "K-CUT"),
        (85, "K-CUT"),
    ),
]


def flagged(name, when):
    return (name, when, N if when is None else "Y")


@pytest.mark.rule("TTE-05")
@pytest.mark.parametrize(
    ("columns", "points", "dates", "event", "censor"),
    [row[1:] for row in IMMUNE],
    ids=[row[0] for row in IMMUNE],
)
def test_progression_by_irecist(columns, points, dates, event, censor):
    rows = [("IOVR", when, value) for when, value in points]
    rows += [flagged("ICPD", dates[0]), flagged("IUPD", dates[1])]
    found = [
        table(
            derive_adtte(
                people(**columns),
                responses(*rows),
                study=make_study(ipfs_unconfirmed=choice),
                names=("IPFS",),
            ).frame
        )["IPFS"]
        for choice in ("event", "censor")
    ]
    assert found == [event, censor]


SCANS = [("OVR", 42, "SD"), ("OVR", 84, "SD"), ("OVR", 190, "PD")]
TWINS = [
    # parameters, ADSL, day and CNSR with the rules, day and CNSR without
    ({}, {}, (191, 0), (191, 0)),
    ({}, {"NACTDT": day(90)}, (85, 3), (191, 0)),
    ({"new_therapy": "ignore"}, {"NACTDT": day(90)}, (191, 0), (191, 0)),
    ({"new_therapy": "event"}, {"NACTDT": day(90)}, (91, 0), (91, 0)),
    ({"gap_rule": "days"}, {}, (85, 4), (191, 0)),
    ({"gap_rule": "days", "gap_days": 106}, {}, (191, 0), (191, 0)),
    ({"gap_rule": "days"}, {"NACTDT": day(50)}, (43, 3), (191, 0)),
    ({}, {"DTHDT": day(150)}, (151, 0), (151, 0)),
    ({"gap_rule": "days", "gap_days": 60}, {"DTHDT": day(150)}, (85, 4), (151, 0)),
    ({"gap_rule": "visits", "schedule_weeks": (6, 12, 18, 24)}, {}, (85, 4), (191, 0)),
    ({}, {"DCUTDT": day(100)}, (85, 1), (85, 1)),
]


@pytest.mark.rule("TTE-10")
@pytest.mark.parametrize(("tte", "columns", "ruled", "free"), TWINS)
def test_the_twin_knows_no_rule_but_the_cut_off(tte, columns, ruled, free):
    frame = derive_adtte(people(**columns), responses(*SCANS), study=make_study(**tte), names=("PFS",)).frame
    row = frame.iloc[0]
    assert (row["AVAL"], row["CNSR"]) == ruled
    assert ((row["UADT"] - pd.Timestamp(START)).days + 1, row["UCNSR"]) == free

"""A new anticancer therapy of an unknown kind: it counts, unless one asks what happens if it does not."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest
from tests.adam.response.conftest import make_study

from interim.adam.tte import derive_nactdt
from interim.data.model import Sdtm

CUT = datetime(2026, 12, 31, 23, 59, 59)


def records(*therapies: tuple[str, str | None, str]) -> Sdtm:
    """Return a study with one dose on 2026-01-05 and therapies: participant, kind, start."""
    subjects = sorted({subject for subject, _, _ in therapies})
    n = len(subjects)
    dm = pd.DataFrame({"USUBJID": subjects}, dtype=object)
    ex = pd.DataFrame(
        {
            "USUBJID": subjects,
            "EXTRT": ["CAR-NK"] * n,
            "EXSTDTC": ["2026-01-05"] * n,
            "EXOCCUR": ["Y"] * n,
        },
        dtype=object,
    )
    cm = pd.DataFrame(
        {
            "USUBJID": [subject for subject, _, _ in therapies],
            "CMCAT": "NEW ANTICANCER THERAPY",
            "CMSCAT": [kind for _, kind, _ in therapies],
            "CMTRT": "X",
            "CMSTDTC": [start for _, _, start in therapies],
            "CMSEQ": [float(number) for number in range(1, len(therapies) + 1)],
        },
        dtype=object,
    )
    return Sdtm({"DM": dm, "EX": ex, "CM": cm}, cut=CUT)


CASES = [
    # kinds and starts -> date if unknown kinds count, date if not
    ([("SYSTEMIC", "2026-03-01")], "2026-03-01", "2026-03-01"),
    ([(None, "2026-03-01")], "2026-03-01", None),
    ([(None, "2026-03-01"), ("RADIATION", "2026-04-01")], "2026-03-01", "2026-04-01"),
    ([("SURGERY", "2026-02-01"), (None, "2026-03-01")], "2026-02-01", "2026-02-01"),
    ([("HERBAL", "2026-02-01")], "2026-02-01", None),
    ([(None, "2026-01-04")], None, None),
]


@pytest.mark.rule("TTE-06")
@pytest.mark.rule("TTE-24")
@pytest.mark.parametrize(("therapies", "counted", "left_out"), CASES)
def test_both_readings_of_an_unknown_kind(therapies, counted, left_out):
    study = make_study()
    sdtm = records(*(("S1", kind, start) for kind, start in therapies))
    for counts, expected in ((True, counted), (False, left_out)):
        found = derive_nactdt(sdtm, study, unknown_counts=counts)
        day = found.frame["NACTDT"].iloc[0]
        assert (None if pd.isna(day) else f"{day:%Y-%m-%d}") == expected
        unknown = [finding for finding in found.findings if finding.rule == "CM-KIND"]
        assert len(unknown) == sum(kind in (None, "HERBAL") for kind, _ in therapies)


@pytest.mark.rule("TTE-24")
def test_one_reading_does_not_touch_other_participants():
    sdtm = records(("S1", None, "2026-03-01"), ("S2", "SYSTEMIC", "2026-05-01"))
    study = make_study()
    both = [derive_nactdt(sdtm, study, unknown_counts=counts).frame for counts in (True, False)]
    assert both[0]["NACTKIND"].tolist() == [None, "systemic"]
    assert both[1]["NACTDT"].isna().tolist() == [True, False]
    assert both[0]["NACTDT"].iloc[1] == both[1]["NACTDT"].iloc[1] == pd.Timestamp("2026-05-01")

"""The hepatic-artery catheter: number and hours by participant."""

from __future__ import annotations

import pytest

from interim.adam.catheter import derive_catheter


def procedure(start, end, term="Hepatic artery catheter", subject="S1"):
    return {"USUBJID": subject, "PRTRT": term, "PRDECOD": term.upper(), "PRSTDTC": start, "PRENDTC": end}


@pytest.mark.rule("SAF-21", source="by hand: hours between date-times, of all catheters")
@pytest.mark.parametrize(
    ("rows", "number", "hours"),
    [
        ([procedure("2025-03-01T09:00", "2025-03-02T15:30")], 1, 30.5),
        ([procedure("2025-03-01T09:00", "2025-03-01T10:00"), procedure("2025-04-01T09:00", "2025-04-01T11:00")], 2, 3.0),
        ([procedure("2025-03-01", "2025-03-02")], 1, None),
        ([procedure("2025-03-01T09:00", None)], 1, None),
        ([procedure("2025-03-02T09:00", "2025-03-01T09:00")], 1, None),
        ([procedure("2025-03-01T09:00", "2025-03-01T10:00"), procedure("2025-04-01", None)], 2, None),
    ],
)  # fmt: skip
def test_number_and_hours(mk, rows, number, hours):
    found = derive_catheter(mk.make({"PR": mk.frame("PR", rows)})).set_index("USUBJID").loc["S1"]
    assert found["CATHN"] == number
    assert (found["CATHHRS"] == hours) if hours is not None else found.isna()["CATHHRS"]


def test_other_procedures_and_no_procedures(mk):
    other = mk.make({"PR": mk.frame("PR", [procedure("2025-03-01", "2025-03-01", "Liver biopsy")])})
    assert derive_catheter(other).empty
    assert derive_catheter(mk.make({})).empty

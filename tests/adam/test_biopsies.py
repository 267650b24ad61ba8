"""Biopsies: what was taken, what could be evaluated, and the sets made of it, by hand."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest

from interim.adam.biopsies import COLUMNS, derive_biopsies
from interim.adam.sets import flag_sets
from interim.data.model import Sdtm

START = pd.Timestamp("2026-01-10")
ADSL = pd.DataFrame(
    {
        "USUBJID": ["A", "B", "C", "D", "E"],
        "TRTSDT": [START, START, START, pd.NaT, START],
    }
)


def sdtm_of(**domains: pd.DataFrame) -> Sdtm:
    return Sdtm(domains, datetime(2026, 6, 30, 23, 59, 59))


def mi(*rows: tuple[str, str | None, str | None, str | None]) -> pd.DataFrame:
    """Rows of MI: participant, date, result, status."""
    return pd.DataFrame(
        [
            {"USUBJID": s, "MITESTCD": "HSCORE", "MISPEC": "LIVER", "MIDTC": d, "MISTRESC": r, "MISTAT": t}
            for s, d, r, t in rows
        ]
    )


def pr(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame([{"USUBJID": s, "PRTRT": n, "PRSTDTC": d} for s, n, d in rows])


def states(sdtm) -> dict[str, tuple[str, str, str]]:
    frame = derive_biopsies(sdtm, ADSL).set_index("USUBJID")
    return {subject: tuple(frame.loc[subject, list(COLUMNS)]) for subject in frame.index}


@pytest.mark.rule("ADSL-10", source="counted by hand")
def test_state_of_the_biopsies_before_and_after_the_first_infusion():
    found = states(
        sdtm_of(
            MI=mi(
                ("A", "2026-01-10", "120", None),  # the day of the first infusion is before
                ("A", "2026-02-20", "80", None),
                ("B", "2026-01-02", None, None),  # taken, no result
                ("B", "2026-02-20", "90", "NOT DONE"),  # a result that is marked as not done
                ("D", "2026-01-02", "40", None),  # never treated: before
                ("E", None, "0", None),  # no date: counts at all, neither before nor after
            ),
            PR=pr(("C", "Liver biopsy", "2026-01-03"), ("C", "Hepatic angiography", "2026-02-01")),
        )
    )
    none, taken, good = "NO-BIOPSY", "NOT-EVALUABLE", "EVALUABLE"
    assert found == {
        "A": (good, good, good),
        "B": (taken, taken, taken),
        "C": (taken, taken, none),
        "D": (good, good, none),
        "E": (good, none, none),
    }


@pytest.mark.rule("ADSL-10", source="counted by hand")
@pytest.mark.parametrize(("specimen", "expected"), [("LIVER MET", "EVALUABLE"), ("BLOOD", None)])
def test_kinetic_samples_count_if_they_are_tissue(specimen, expected):
    pc = pd.DataFrame(
        [{"USUBJID": "A", "PCTESTCD": "CARTG", "PCSPEC": specimen, "PCORRES": "<50", "PCDTC": "2026-02-01"}]
    )
    frame = derive_biopsies(sdtm_of(PC=pc), ADSL)
    assert (frame.loc[0, "BIOPPOST"] if "BIOPPOST" in frame else None) == expected


@pytest.mark.rule("ADSL-10", source="an empty answer")
def test_data_without_biopsies_make_no_set(mini_study):
    core = ADSL.merge(derive_biopsies(sdtm_of(), ADSL), on="USUBJID", validate="1:1")
    assert list(core.columns) == ["USUBJID", "TRTSDT"]
    frame, _ = flag_sets(core.assign(ENRLFL="Y"), mini_study, flags=("BXFL", "BXPRFL"))
    assert "BXFL" not in frame


@pytest.mark.rule("ADSL-10", source="reasons by hand")
@pytest.mark.parametrize(
    ("enrolled", "state", "before", "after", "reason", "pair"),
    [
        ("Y", "EVALUABLE", "EVALUABLE", "EVALUABLE", None, None),
        ("Y", "EVALUABLE", "EVALUABLE", "NO-BIOPSY", None, "NO-BIOPSY: AFTER TREATMENT"),
        ("Y", "EVALUABLE", "EVALUABLE", "NOT-EVALUABLE", None, "NOT-EVALUABLE: AFTER TREATMENT"),
        ("Y", "EVALUABLE", "NO-BIOPSY", "EVALUABLE", None, "NO-BIOPSY: BEFORE TREATMENT"),
        (
            "Y",
            "NOT-EVALUABLE",
            "NOT-EVALUABLE",
            "NO-BIOPSY",
            "NOT-EVALUABLE",
            "NOT-EVALUABLE: BEFORE TREATMENT",
        ),
        ("Y", "NO-BIOPSY", "NO-BIOPSY", "NO-BIOPSY", "NO-BIOPSY", "NO-BIOPSY: BEFORE TREATMENT"),
        ("N", "EVALUABLE", "EVALUABLE", "EVALUABLE", "NOT-ENROLLED", "NOT-ENROLLED"),
    ],
)
def test_the_first_thing_that_is_lacking_is_the_reason(
    mini_study, enrolled, state, before, after, reason, pair
):
    core = pd.DataFrame(
        [{"USUBJID": "A", "ENRLFL": enrolled, "BIOPST": state, "BIOPPRE": before, "BIOPPOST": after}]
    )
    frame, findings = flag_sets(core, mini_study, flags=("BXFL", "BXPRFL"))
    assert (frame.loc[0, "BXRS"], frame.loc[0, "BXPRRS"]) == (reason, pair)
    assert (frame.loc[0, "BXFL"] == "Y") == (reason is None)
    assert not findings

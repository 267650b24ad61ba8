"""Characteristics, time since diagnosis and body mass index, by hand."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest
from tests.adam.test_baseline_factors import recipe, values

from interim.adam.baseline_facts import body_mass_index, characteristic, months_since
from interim.adam.baseline_source import Sources
from interim.data.model import Sdtm

START = pd.Timestamp("2026-01-10")


def sources(**domains: pd.DataFrame) -> Sources:
    adsl = pd.DataFrame(
        {"USUBJID": ["1", "2", "3"], "TRTSDT": [START, START, pd.NaT], "TRTSDTM": [pd.NaT] * 3}
    ).astype({"TRTSDTM": "datetime64[ns]"})
    return Sources(Sdtm(domains, datetime(2026, 6, 30)), adsl, None, None, None)


def sc(*rows: tuple[str, str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["USUBJID", "SCTESTCD", "SCSTRESC"])


@pytest.mark.rule("BASE-08", source="by hand")
def test_a_characteristic_is_the_text_of_its_test():
    frame = sc(
        ("1", "KRAS", "mutant"), ("2", "RAS", "WILD TYPE"), ("3", "KRAS", None), ("3", "BRAF", "MUTANT")
    )
    assert values(characteristic(recipe("RASST"), sources(SC=frame))) == {"1": "MUTANT", "2": "WILD TYPE"}
    assert values(characteristic(recipe("BRAFST"), sources(SC=frame))) == {"3": "MUTANT"}
    assert not characteristic(recipe("HER2ST"), sources(SC=frame)).collected
    assert not characteristic(recipe("HER2ST"), sources()).collected


@pytest.mark.rule("BASE-08", source="two texts of one participant")
def test_two_different_texts_are_a_finding_and_not_used():
    frame = sc(("1", "MSI", "MSS"), ("1", "MSI", "MSI-H"), ("2", "MSI", "MSS"), ("2", "MSI", "MSS"))
    column = characteristic(recipe("MSIST"), sources(SC=frame))
    assert values(column) == {"2": "MSS"}
    (finding,) = column.findings
    assert (finding.rule, finding.subject, finding.value) == ("SUB-BASE", "1", "MSI-H and MSS")


@pytest.mark.rule("BASE-08", source="2025-12-15 to 2026-01-10: 26 d; 2025-06-30 to 2026-01-10: 194 d")
def test_months_since_the_first_record_of_the_disease():
    mh = pd.DataFrame(
        [
            ("1", "PRIMARY DIAGNOSIS", "2025-12"),
            ("1", "GENERAL", "2020-01-01"),
            ("2", "PRIMARY DIAGNOSIS", "2025"),
            ("2", "PRIMARY DIAGNOSIS", "2025-12-01"),
            ("3", "PRIMARY DIAGNOSIS", "2025-12"),  # not treated
        ],
        columns=["USUBJID", "MHCAT", "MHSTDTC"],
    )
    found = values(months_since(recipe("DIAGMO"), sources(MH=mh)))
    assert found == {"1": 26 / 30.4375, "2": 194 / 30.4375}
    assert not months_since(recipe("METAMO"), sources(MH=mh)).collected
    assert not months_since(recipe("DIAGMO"), sources()).collected
    assert values(months_since(recipe("DIAGMO"), sources(MH=mh.assign(MHSTDTC=None)))) == {}


@pytest.mark.rule(
    "BASE-08", source="72 kg by 1.8 m squared: 22.22; the later weight is after the first infusion"
)
def test_body_mass_index():
    vs = pd.DataFrame(
        [
            ("1", "HEIGHT", 180.0, "cm", "2026-01-01", 1.0),
            ("1", "WEIGHT", 72.0, "kg", "2026-01-05", 2.0),
            ("1", "WEIGHT", 99.0, "kg", "2026-02-05", 3.0),
            ("2", "WEIGHT", 60.0, "kg", "2026-01-05", 1.0),
        ],
        columns=["USUBJID", "VSTESTCD", "VSSTRESN", "VSSTRESU", "VSDTC", "VSSEQ"],
    )
    found = values(body_mass_index(recipe("BMIBL"), sources(VS=vs)))
    assert found == {"1": pytest.approx(22.2222, abs=1e-4)}
    assert not body_mass_index(recipe("BMIBL"), sources()).collected
    assert not body_mass_index(recipe("BMIBL"), sources(VS=vs[vs["VSTESTCD"] == "WEIGHT"])).collected

"""Listings of samples, tissue and cytokines, and the peaks of cytokines against the syndrome, by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.analysis import exposure, kinetic_listing
from interim.display import (
    table_cytokine_listing,
    table_exposure_response,
    table_kinetic_samples,
    table_tissue,
)
from tests.analysis.answers import status, value
from tests.analysis.kinetic_case import (
    CUT,
    STUDY,
    adsl,
    iso,
    kinetics,
    make_adam,
    pc_rows,
    sample,
    with_study,
)


def lines(table):
    return [" | ".join(cell.text for cell in line.cells) for line in table.rows]


@pytest.fixture(scope="module")
def listed():
    return lines(table_kinetic_samples(kinetic_listing.samples(make_adam(), STUDY), STUDY))


@pytest.mark.rule("KIN-47")
@pytest.mark.parametrize(
    "wanted",
    [
        "01 | CAR-T transgene | Blood | 1 | Pre-dose | 0.00 | <50 | copies/ug | Below the limit | Area | –",
        "01 | CAR-T transgene | Blood | 1 | Day 7 | 7.00 | 1600 | copies/ug | Quantified | Maximum, area | –",
        "01 | CAR-T transgene | Blood | 1 | Pre-dose | 14.00 | 400 | copies/ug | Quantified | Area | –",
        "01 | CAR-T transgene | Blood | 2 | Pre-dose | 0.00 | 400 | copies/ug | Quantified | Area | –",
        "01 | CAR-T transgene | Blood | 2 | Day 28 | 14.00 | 2000 | copies/ug | Quantified | Area, slope | –",
        "02 | CAR-T transgene | Blood | 1 | Day 56 | 56.00 | <50 | copies/ug | Below the limit | No | After the last quantified sample",
        "04 | CAR-NK transgene | Blood | 1 | Day 1 | 1.00 | 800 | copies/ug | Quantified | Maximum, area | –",
    ],
)
def test_a_line_of_the_listing(listed, wanted):
    assert wanted in listed


@pytest.mark.rule("KIN-47")
def test_every_sample_is_listed_also_those_that_no_profile_uses(listed):
    tissue = [line for line in listed if "Liver met" in line]
    assert len(tissue) == 2
    assert all(line.endswith("| No | Not blood") for line in tissue)
    rows = [
        *pc_rows(),
        sample("02", 21.6, 9, PCSEQ=904, PCDTC=None),
        sample("02", 5, -3, PCSEQ=905, PCSTRESC="-3"),
    ]
    made = kinetics(rows)
    adam = Adam({**make_adam().datasets, "ADPCUSE": made.use}, CUT)
    shown = lines(table_kinetic_samples(kinetic_listing.samples(adam, STUDY), STUDY))
    assert any(
        line.split(" | ")[6:] == ["-3", "copies/ug", "Cannot be used", "No", "A value cannot be used"]
        for line in shown
    )
    assert any(line.endswith("| No | No date") and "| NE |" in line for line in shown)
    assert len(made.use) == len(shown)


@pytest.mark.rule(
    "KIN-47", source="a boundary sample half an hour before the second infusion stands at both of its sides"
)
def test_a_value_that_stands_where_no_sample_was_taken_is_no_sample():
    rows = [
        {**row, "PCDTC": iso(13.98)} if (row["USUBJID"], row["PCDTC"]) == ("01", iso(14)) else row
        for row in pc_rows()
    ]
    made = kinetics(rows)
    adam = Adam({**make_adam().datasets, "ADPCUSE": made.use}, CUT)
    shown = [
        [part for place, part in enumerate(line.split(" | ")[3:9]) if place != 1]
        for line in lines(table_kinetic_samples(kinetic_listing.samples(adam, STUDY), STUDY))
        if line.startswith("01 | CAR-T transgene | Blood") and " | 400 | " in line
    ]
    assert shown == [
        ["1", "13.98", "400", "copies/ug", "Quantified"],
        ["1", "14.00", "400", "copies/ug", "Carried"],
        ["2", "0.00", "400", "copies/ug", "Carried"],
    ]


def tissue_of(*rows, hours=24):
    plain = [item for item in pc_rows() if item["PCSPEC"] == "BLOOD"]
    made = kinetics([*plain, *rows])
    adam = Adam({**make_adam().datasets, "ADPC": made.adpc}, CUT)
    return kinetic_listing.tissue(adam, with_study(tissue_match_h=hours))


@pytest.mark.rule("KIN-32", source="spec kinetics 10, hand calculation")
@pytest.mark.parametrize(
    ("who", "day", "level", "hours", "ratio", "bound", "why"),
    [
        ("01", 28, 3000, 24, 1.5, "-", "-"),
        ("01", 28.9, 3000, 24, 1.5, "-", "-"),
        ("01", 29.1, 3000, 24, None, "-", "NO_TISSUE_MATCH"),
        ("01", 29.1, 3000, 48, 1.5, "-", "-"),
        ("02", 28, 900, 24, None, ">18", "BLOOD_BLQ"),
        ("01", 28, None, 24, None, "<0.025", "TISSUE_BLQ"),
        ("02", 28, None, 24, None, "-", "BOTH_BLQ"),
    ],
)
def test_tissue_over_blood_or_its_bound(who, day, level, hours, ratio, bound, why):
    row = sample(who, day, level, PCSPEC="LIVER MET", PCSEQ=900, PCTPT="x", PCELTM=None)
    found = tissue_of(row, hours=hours)
    where = {"level": f"{who} 1"}
    texts = found.frame[found.frame["level"] == where["level"]].set_index("stat")["text"]
    assert (texts["bound"], texts["why"]) == (bound, why)
    if ratio:
        assert value(found, "sample", "ratio", **where) == pytest.approx(ratio)
    else:
        assert status(found, "sample", "ratio", **where) == ("NE", why)
    (line,) = lines(table_tissue(found, STUDY))
    assert line.split(" | ")[6] == (bound if bound != "-" else f"{ratio:.2f}" if ratio else "NE")


@pytest.mark.rule("KIN-47")
def test_the_lines_of_the_cytokines():
    shown = lines(table_cytokine_listing(kinetic_listing.cytokines(make_adam(), STUDY), STUDY))
    assert len(shown) == 8
    assert shown[0].startswith("01 | ") and shown[0].endswith(" | 5")
    capped = [line for line in shown if ">5000" in line]
    assert len(capped) == 1
    assert "above the upper limit" in capped[0] and "after tocilizumab" in capped[0]


@pytest.mark.rule("KIN-47")
def test_an_analyte_has_its_unit_in_the_head_or_two_units_beside_the_results():
    adam = make_adam()
    found = kinetic_listing.cytokines(adam, STUDY)
    heads = [head.text for head in table_cytokine_listing(found, STUDY).header[0]]
    (unit,) = set(adam["ADCY"]["AVALU"])
    assert heads[2:] == [f"Interleukin 6, {unit}"]
    other = adam["ADCY"].assign(AVALU=adam["ADCY"]["AVALU"].mask(adam["ADCY"]["SRCSEQ"] == "4", "ng/L"))
    mixed = table_cytokine_listing(
        kinetic_listing.cytokines(Adam({**adam.datasets, "ADCY": other}, CUT), STUDY), STUDY
    )
    assert mixed.header[0][2].text == "Interleukin 6"
    assert [line.rsplit(" ", 1)[1] for line in lines(mixed)] == [unit, unit, unit, "ng/L"] * 2


@pytest.mark.rule("KIN-47", source="hand calculation")
def test_peaks_of_cytokines_with_and_without_the_syndrome():
    parameters = pd.DataFrame(
        {
            "USUBJID": ["01", "02", "03"],
            "PARAMCD": "IL6",
            "BASETYPE": "CART",
            "STAT": "PEAK",
            "AVAL": [40.0, 5000.0, math.nan],
        }
    )
    adam = Adam({**make_adam().datasets, "ADCYPP": parameters}, CUT)
    found = exposure.cytokines(adam, STUDY)
    name = "IL6 PEAK ~ CRS grade 2 or higher"
    assert (value(found, name, "events"), value(found, name, "others")) == (1, 1)
    assert value(found, name, "geo_ratio") == pytest.approx(125)
    assert status(found, name, "slope") == ("NA", "NOT_APPLICABLE")
    (line,) = lines(table_exposure_response(found, STUDY))
    assert line.startswith("Interleukin 6: Peak | CRS grade 2 or higher | 1 / 1 | 5000 | 40.0 | 125 | NA")


@pytest.mark.rule("KIN-35")
@pytest.mark.parametrize(
    ("question", "table"),
    [
        (kinetic_listing.samples, table_kinetic_samples),
        (kinetic_listing.tissue, table_tissue),
        (kinetic_listing.cytokines, table_cytokine_listing),
        (exposure.cytokines, table_exposure_response),
    ],
)
def test_without_data_a_listing_says_so(question, table):
    made = question(Adam({"ADSL": adsl()}, CUT), STUDY)
    (line,) = lines(table(made, STUDY))
    assert line.startswith("not available: no ")

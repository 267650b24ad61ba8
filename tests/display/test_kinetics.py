"""Tables and figures of kinetics, cytokines and biomarkers, with and without their data."""

from __future__ import annotations

from functools import cache

import pytest

import interim.display as shown
from interim.adam.model import Adam
from interim.analysis import biomarkers, cytokines, exposure, kinetics
from interim.display.measures import digits_of
from interim.report.registry import registry
from tests.analysis.kinetic_case import CUT, STUDY, adsl, make_adam

MODULES = {"kinetics": kinetics, "exposure": exposure, "cytokines": cytokines, "biomarkers": biomarkers}
OBJECTS = [tlf for tlf in registry() if tlf.analysis.split(".")[0] in MODULES]


@cache
def result(analysis, full=True):
    module, name = analysis.split(".")
    adam = make_adam() if full else Adam({"ADSL": adsl()}, CUT)
    return getattr(MODULES[module], name)(adam, STUDY)


def made(analysis, display, full=True):
    return getattr(shown, display)(result(analysis, full), STUDY)


def texts(table):
    return [" | ".join(cell.text for cell in row.cells) for row in table.rows]


@pytest.mark.rule("KIN-35")
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("tlf", OBJECTS, ids=lambda tlf: tlf.id)
def test_every_object_is_made_with_and_without_its_data(tlf, full):
    shown_object = made(tlf.analysis, tlf.display, full)
    ids = set(result(tlf.analysis, full).frame["result_id"])
    if tlf.kind == "figure":
        assert shown_object.svg.startswith("<?xml") or "<svg" in shown_object.svg
        assert set(shown_object.keys) <= ids
    else:
        keys = {key for row in shown_object.rows for cell in row.cells for key in cell.keys}
        assert keys <= ids
        assert len(texts(shown_object)) > (1 if full else 0)
        assert full or "not available" in " ".join(texts(shown_object))


def test_all_planned_objects_of_the_chapter_are_registered():
    assert {tlf.id for tlf in OBJECTS} >= {f"T 14.4.1.{n}" for n in range(1, 6)} | {
        "T 14.4.2.1",
        "T 14.4.3.1",
        "T 14.4.3.2",
        "T 14.4.3.3",
        "T 14.4.4.1",
        "F 14.4.1.1",
        "F 14.4.1.2",
        "F 14.4.2.1",
    }


@pytest.mark.rule("KIN-31")
def test_printed_parameters():
    lines = texts(made("kinetics.cart_parameters", "table_kinetic_parameters"))
    place = lines.index("CAR-T transgene, cycle 1")
    assert lines[place + 1] == "Cmax (copies/ug), n | 1 | 2 | 0 | 0 | 3"
    assert lines[place + 2] == "Above 0, n | 1 | 1 | 0 | 0 | 2"
    assert lines[place + 3].startswith("Mean (SD; CV, %) | NE | NE | – | – | 2667 (")
    assert lines[place + 4].startswith("Geometric mean (CV, %) | 1600 | 0; 6400 | – | – | 3200 (")
    assert (
        lines[place + 5] == "Median (min; max) | 1600 (1600; 1600) | 3200 (0; 6400) | – | – | 1600 (0; 6400)"
    )
    assert any(line.startswith("Not evaluable, left out, n") for line in lines)
    assert any(line.startswith("Day 28 (participants) | 1/1") for line in lines)


@pytest.mark.rule("KIN-33")
def test_the_power_model_stands_in_the_total_column():
    lines = texts(made("exposure.by_dose", "table_exposure_by_dose"))
    (verdict,) = {line for line in lines if line.startswith("Dose proportionality")}
    assert verdict.endswith("Not applicable")
    assert verdict.count("–") == 4


@pytest.mark.rule("KIN-30")
def test_levels_say_how_many_are_below():
    lines = texts(made("kinetics.levels_by_time", "table_kinetic_levels"))
    place = next(n for n, line in enumerate(lines) if line.startswith("Day 7 (copies/ug), n"))
    assert lines[place + 1] == "Below the limit of quantification, n | 0 | 1 | 0 | 0 | 1"


def test_figures_describe_themselves():
    profiles = made("kinetics.profiles", "figure_kinetic_profiles")
    assert "3 participants, 23 samples, 9 of them below" in profiles.alt
    response = made("exposure.response", "figure_exposure_response")
    assert "Spearman correlation 1.00, n=3" in response.alt
    heat = made("cytokines.course", "figure_cytokine_heat_map")
    assert "1 analytes, 2 participants; the largest rise is 11.3 (IL6, day 6)" in heat.alt


@pytest.mark.parametrize(
    ("value", "digits"), [(0, 0), (float("nan"), 0), (123456, 0), (99.4, 1), (5, 2), (0.05, 3)]
)
def test_three_significant_digits(value, digits):
    assert digits_of(value) == digits

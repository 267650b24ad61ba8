"""Kinetics of any long table, by hand: parameters, findings, use of samples, summaries, and the notebook that shows them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import interim
from interim.analysis import kinetic_profiles
from interim.display import figure_kinetic_profiles, table_kinetic_parameters
from interim.errors import DataError
from interim.report.notebook import adhoc_notebooks, check_notebooks
from interim.stats.nca import NcaRules, nca
from interim.stats.nca_profile import profiles
from tests.analysis.answers import row, value

ROOT = Path(__file__).resolve().parents[2]
LN2 = math.log(2)
PLAIN = {"USUBJID": "01", "ATIME": [0, 1, 2, 3, 4], "AVALC": ["<1", "8", "4", "2", "1"], "LLOQ": 1.0}


def table(**changes):
    return pd.DataFrame({**PLAIN, **changes})


@pytest.mark.rule("KIN-41", source="hand calculation")
def test_one_profile_by_hand():
    made = interim.kinetics(table())
    one = made.parameters.iloc[0]
    assert (one["CMAX"], one["TMAX"], one["CLST"], one["TLST"]) == (8, 1, 1, 4)
    assert one["AUCLST"] == pytest.approx(4 + 7 / LN2)
    assert one["LAMZHL"] == pytest.approx(1)
    assert one["AUCIFO"] == pytest.approx(4 + 8 / LN2)
    assert (one["AUC0_28_STATUS"], one["FLAGS"], one["REASON"]) == ("INCOMPLETE", "", "")
    assert made.samples["DTYPE"].tolist() == ["ZERO", "", "", "", ""]
    assert made.samples["CMAXFL"].tolist() == ["", "Y", "", "", ""]
    assert made.samples["LAMZFL"].tolist() == ["", "", "Y", "Y", "Y"]
    assert made.candidates["WHY"].tolist() == ["TOO_FEW_POINTS", "TOO_FEW_POINTS", "CHOSEN"]
    assert made.findings == ()


@pytest.mark.rule("KIN-41")
def test_numbers_and_collected_texts_give_the_same():
    number = interim.kinetics(table(AVALC=[math.nan, 8, 4, 2, 1]))
    text = interim.kinetics(table())
    pd.testing.assert_frame_equal(number.parameters, text.parameters)
    assert interim.kinetics(table(AVALC=["nd", "8", "4", "2", "NOT DONE"])).samples["STATE"].tolist() == [
        "NEG",
        "QUANT",
        "QUANT",
        "QUANT",
        "NOT DONE",
    ]


@pytest.mark.rule("KIN-41", source="issue: bad input")
@pytest.mark.parametrize(
    ("changes", "rule", "reason", "flag"),
    [
        ({"AVALC": ["<1", "8", "-4", "2", "1"]}, "CK-VALUE", "BAD_INPUT", ""),
        ({"AVALC": ["<1", "8", "many", "2", "1"]}, "CK-VALUE", "BAD_INPUT", ""),
        ({"AVALC": [math.nan, 8, math.inf, 2, 1]}, "CK-VALUE", "BAD_INPUT", ""),
        ({"ATIME": [0, 1, 1, 3, 4]}, "CK-DUP", "DUPLICATE", ""),
        ({"AVALU": ["a", "a", "b", "a", "a"]}, "CK-UNIT", "UNIT_MIXED", ""),
        (
            {"LLOQ": [math.nan, 1, 1, 1, 1], "AVALC": ["ND", "8", "4", "2", "1"]},
            "CK-LLOQ",
            "",
            "LLOQ_MISSING",
        ),
        ({"ATIME": [-3, 1, 2, 3, 4]}, "CK-PREDOSE", "", "SAMPLE_EXCLUDED"),
        ({"ATIME": [0, 1, 2, math.nan, 4]}, "CK-TIME", "", "SAMPLE_EXCLUDED"),
        ({"ATIME": [0, 2, 1, 3, 4]}, "CK-SORT", "", ""),
    ],
)
def test_odd_input_is_found_and_stays_listed(changes, rule, reason, flag):
    made = interim.kinetics(table(**changes))
    assert {finding.rule for finding in made.findings} == {rule}
    one = made.parameters.iloc[0]
    assert one["REASON"] == reason
    assert math.isnan(one["CMAX"]) == bool(reason)
    assert made.reasons["CMAX"].iloc[0] == reason
    assert flag in one["FLAGS"].split(";")
    assert len(made.samples) == 5


@pytest.mark.rule("KIN-41")
@pytest.mark.parametrize(("level", "flagged"), [("1", False), ("1.01", True), ("<1", False)])
def test_a_level_before_the_infusion_is_flagged_above_the_limit_only(level, flagged):
    made = interim.kinetics(table(AVALC=[level, "8", "4", "2", "1"]))
    assert ("BASELINE_ABOVE_LLOQ" in made.parameters["FLAGS"].iloc[0]) == flagged


def test_columns_that_do_not_exist_are_all_named_at_once():
    with pytest.raises(DataError) as error:
        interim.kinetics(table(), subject="WHO", value="CONC")
    assert {finding.variable for finding in error.value.findings} == {"WHO", "CONC"}
    with pytest.raises(DataError, match="must be a number"):
        interim.kinetics(table(ATIME=list("abcde")))


def two_assays():
    parts = []
    for who, dose, scale in (("01", "low", 1), ("02", "low", 4), ("03", "low", 16), ("04", "high", 2)):
        parts += [
            pd.DataFrame(
                {**PLAIN, "USUBJID": who, "DOSE": dose, "ASSAY": assay, "AVALC": [math.nan, *levels]}
            )
            for assay, levels in (("q", np.array([8, 4, 2, 1]) * scale), ("f", np.array([80, 40, 20, 10])))
        ]
    return pd.concat(parts, ignore_index=True)


@pytest.mark.rule("KIN-41", source="hand calculation")
def test_assays_are_never_pooled_and_groups_are_summarised():
    made = interim.kinetics(two_assays(), by=["ASSAY"])
    assert len(made.parameters) == 8
    found = made.summary(by="DOSE")
    assert value(found, "q", "geo_mean", group="low", level="CMAX") == pytest.approx(32)
    assert value(found, "q", "max", group="low", level="CMAX") == 128
    assert value(found, "f", "median", level="CMAX") == 80
    assert row(found, "q", "values", group="high", level="CMAX")["text"] == "16.0"
    text = str(table_kinetic_parameters(found, made.study).rows)
    assert "32" in text
    assert len(made.sensitivity()) == 8 * 12


@pytest.mark.rule("KIN-41")
def test_the_order_of_rows_changes_no_parameter():
    frame = two_assays()
    turned = interim.kinetics(frame[::-1].reset_index(drop=True), by=["ASSAY"])
    pd.testing.assert_frame_equal(turned.parameters, interim.kinetics(frame, by=["ASSAY"]).parameters)


@pytest.mark.rule("KIN-41")
def test_every_sample_is_drawn_also_two_at_one_time():
    made = interim.kinetics(table(ATIME=[0, 1, 1, 3, 4]))
    levels = made.course().where(stat="conc")["level"].tolist()
    assert levels == ["0.0000", "1.0000", "1.0000#2", "3.0000", "4.0000"]
    drawn = figure_kinetic_profiles(made.course(), made.study)
    assert "1 participants, 5 samples, 1 of them below" in drawn.alt
    unknown = interim.kinetics(table(LLOQ=math.nan, AVALC=["ND", "8", "4", "2", "1"]))
    lost = figure_kinetic_profiles(unknown.course(), unknown.study)
    assert "not drawn: 1 samples below a limit that is not known" in lost.footnotes[0]


def test_profiles_can_be_taken_several_times():
    both = profiles([0] * 5 + [1] * 5, [0, 1, 2, 3, 4] * 2, value=[0, 8, 4, 2, 1, 0, 80, 40, 20, 10])
    taken = nca(both.take([1, 0, 1]), NcaRules()).values["CMAX"]
    assert taken.tolist() == [80, 8, 80]


@pytest.mark.rule("KIN-41")
def test_a_file_is_read_and_shown(tmp_path):
    path = tmp_path / "own.csv"
    table().to_csv(path, index=False)
    shown = interim.kinetics(path)._repr_html_()
    assert "1 profiles, 5 samples" in shown and "no finding" in shown
    odd = interim.kinetics(table(AVALC=["<1", "8", "-4", "2", "1"]))._repr_html_()
    assert "1 findings" in odd and "CK-VALUE" in odd
    assert interim.kinetics is kinetic_profiles.adhoc


@pytest.mark.rule("KIN-41")
def test_the_notebook_for_a_table_of_ones_own_runs(monkeypatch):
    path = adhoc_notebooks(ROOT / "notebooks")[0]
    monkeypatch.chdir(ROOT)
    room: dict[str, object] = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), room)
    made = room["made"]
    assert len(made.parameters) == 9
    assert [finding.rule for finding in made.findings] == ["CK-DUP", "CK-VALUE"]


def test_notebooks_for_ad_hoc_work_keep_the_rules(tmp_path):
    folder = tmp_path / "adhoc"
    folder.mkdir()
    for target in (tmp_path / "01_a.ipynb", folder / "01_b.ipynb"):
        source = {"a": "x: int = 1", "b": "import pandas"}
        cells = [
            {
                "cell_type": "code",
                "id": name,
                "metadata": {"tags": ["parameters"]} if name == "a" else {},
                "source": text,
                "outputs": [],
                "execution_count": None,
            }
            for name, text in source.items()
            if name == "a" or target.parent == folder
        ]
        target.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    assert check_notebooks(tmp_path) == [
        "01_b.ipynb, cell b: imports pandas; data work belongs to the package"
    ]

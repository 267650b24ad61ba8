"""Subgroups within levels, and the data-quality questions."""

from __future__ import annotations

import tomllib
from datetime import datetime
from importlib.resources import files

import pandas as pd
import pytest

from interim.analysis import data_quality, subgroups
from interim.data.check import RULES
from interim.data.model import Sdtm, Source
from tests.analysis.answers import row, status, subjects, value


@pytest.mark.rule("SUBGQ-01")
def test_rates_within_levels(adam, study):
    table = subgroups.levels(adam, study)
    crc = row(table, "orr", "rate", level="CRC", group="tumour_type")
    assert (crc["n"], crc["N"]) == (1, 10)
    gastric = row(table, "orr", "rate", level="GASTRIC", group="tumour_type")
    assert (gastric["n"], gastric["N"]) == (0, 3) and value(
        table, "orr", "upper", level="GASTRIC", group="tumour_type"
    ) < 1
    assert status(table, "orr", "rate", level="OESOPHAGEAL", group="tumour_type") == ("NE", "NO_DATA")
    assert status(table, "orr", "lower", level="Missing", group="tumour_type") == ("NE", "LEVEL_N_LT_3")


@pytest.mark.rule("SUBGQ-01")
def test_levels_and_missing_add_up_to_all(adam, study):
    frame = subgroups.levels(adam, study).frame
    rates = frame[frame["stat"].eq("rate") & frame["group"].ne("Total")]
    totals = rates.groupby(["group", "variable"])["N"].sum()
    overall = frame[frame["stat"].eq("rate") & frame["group"].eq("Total")].set_index("variable")["N"]
    assert totals.index.get_level_values("variable").map(overall).tolist() == totals.tolist()
    assert (overall["orr"], overall["g3rel"], overall["dlt"], overall["crs2"]) == (15, 15, 13, 13)


@pytest.mark.rule("SUBGQ-01")
def test_a_factor_without_rows_is_missing_for_everybody(adam, study, make_adam):
    table = subgroups.levels(make_adam(ADSUB=None), study)
    assert row(table, "orr", "rate", level="Missing", group="nlr5")["N"] == 15


@pytest.mark.rule("SUBGQ-01")
def test_factors_after_baseline_or_cut_by_the_data_are_left_out(adam, study):
    entries = tuple(
        e.model_copy(update={"timing": "post_baseline"})
        if e.id == "nlr5"
        else e.model_copy(update={"origin": "data_driven"})
        if e.id == "liver_only"
        else e
        for e in study.subgroups
    )
    groups = set(subgroups.levels(adam, study.model_copy(update={"subgroups": entries})).frame["group"])
    assert not {"nlr5", "liver_only"} & groups and "tumour_type" in groups


@pytest.mark.rule("QUEST-03")
def test_no_responses_no_rates(adam, study, make_adam):
    assert status(subgroups.levels(make_adam(ADRS=None), study), "orr", "rate")[0] == "NA"


@pytest.mark.rule("SUBGQ-02")
def test_registry_states_definition_and_sizes(adam, study):
    table = subgroups.registry(adam, study)
    assert row(table, "definition", "cut", group="nlr5")["text"] == "5"
    assert row(table, "definition", "origin", group="tumour_type")["text"] == "protocol"
    assert (
        value(table, "level", level=">=5", group="nlr5") == 4
        and value(table, "level", level="<5", group="nlr5") == 11
    )
    assert subjects(table, "level", "n", level="Missing", group="tumour_type") == {"SYN-14", "SYN-15"}
    assert status(table, "level", "n", level="Missing", group="tumour_type") == ("OK", "")
    assert status(table, "level", "n", level="Missing", group="ligand_max") == ("FLAG", "MISSING_GT_20")
    assert row(table, "definition", "cut", group="ligand_max")["text"] == "median: no value"
    assert value(table, "registry", "entries") == len(study.subgroups)


@pytest.mark.rule("SUBGQ-02")
def test_a_median_cut_is_stated_as_the_number_used(adam, study, make_adam):
    rows = [
        (f"SYN-{n:02d}", "burden_sum", ">=58" if n >= 8 else "<58", 2.0 if n >= 8 else 1.0, 58.0)
        for n in range(1, 16)
    ]
    adsub = pd.DataFrame(rows, columns=adam["ADSUB"].columns)
    table = subgroups.registry(make_adam(ADSUB=adsub), study)
    assert row(table, "definition", "cut", group="burden_sum")["text"] == "median: 58"
    levels = table.frame.query("group == 'burden_sum' and variable == 'level'")["level"].tolist()
    assert levels == ["<58", ">=58"]


@pytest.fixture
def sdtm(adam):
    dm = pd.DataFrame({"USUBJID": ["SYN-01", "SYN-02"], "SRCFILE": "dm.csv", "SRCROW": [2, 3]})
    counts = pd.DataFrame({"domain": ["DM"], "read": [3], "kept": [2], "removed": [1], "blanked": [4]})
    rules = (
        ("AE-GRADE", "warn", "run"),
        ("LB-UNIT", "warn", "not run: LB was not delivered"),
        ("XD-KEY", "stop", "run"),
    )
    source = Source("dm.csv", "DM", "csv", "0" * 64, 3)
    return Sdtm(
        {"DM": dm, "TS": pd.DataFrame({"TSPARMCD": ["A"]})},
        datetime(2026, 6, 30),
        (source,),
        (),
        (),
        counts,
        rules,
    )


@pytest.mark.rule("DQ-01")
def test_snapshot_of_files_and_records(adam, study, sdtm):
    table = data_quality.snapshot(adam, study, sdtm)
    assert (value(table, "DM", "records"), value(table, "DM", "read"), value(table, "DM", "removed")) == (
        2,
        3,
        1,
    )
    assert row(table, "DM", "sha256", level="dm.csv")["text"] == "0" * 64
    assert status(table, "TS", "removed")[0] == "NA" and value(table, "TS", "participants") == 0


@pytest.mark.rule("DQ-01")
def test_every_check_is_a_row(adam, study, sdtm):
    table = data_quality.checks(adam, study, sdtm)
    assert value(table, "XD-KEY", "hits") == 1 and value(table, "AE-GRADE", "participants") == 1
    assert status(table, "LB-UNIT", "hits") == ("NA", "not run: LB was not delivered")
    assert value(table, "TU-WINDOW", "hits") == 2
    assert [value(table, "total", "hits", level=s) for s in ("stop", "warn", "info")] == [1, 3, 0]
    assert value(table, "total", "rules_not_run") == 1


@pytest.mark.rule("DQ-01")
def test_every_check_says_in_words_what_it_finds(adam, study, sdtm):
    words = data_quality.what_rules_find()
    assert row(data_quality.checks(adam, study, sdtm), "AE-GRADE", "finds")["text"] == words["AE-GRADE"] != ""
    texts = list(words.values())
    assert all(text[0].isupper() and text.endswith(".") for text in texts) and len(set(texts)) == len(texts)
    assert set(words) >= {rule.id for rule in RULES} and not {rule.id for rule in RULES} & set(_further())


def _further():
    text = files("interim.analysis").joinpath("rules.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["finds"]


@pytest.mark.rule("DQ-01")
def test_findings_name_file_and_row(adam, study):
    table = data_quality.findings(adam, study)
    first = row(table, "AE-GRADE warn", "examples", level="AE")["text"]
    assert "ae.csv row 8" in first and "SYN-08" in first
    assert value(table, "TU-WINDOW warn", "hits", level="TU") == 2
    assert value(table, "Total", "hits") == 4

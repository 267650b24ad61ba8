"""Questions that sentences cite: parameters, limitations, what is asked."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.analysis import limitations, parameters, synopsis
from interim.study import read_study

BASE = '[study]\nid = "TINY"\n[data]\npath = "somewhere"\ncut_date = 2026-06-30\n'
PRODUCTS = '[[products]]\nid = "A"\nextrt = ["A"]\nrole = "t"\n'
ARMS = '[cohort]\nvariable = "ARMCD"\nlabels = { P = "Placebo", L = "Low" }\n'


def study_of(tmp_path, more: str = PRODUCTS):
    file = tmp_path / "tiny.toml"
    file.write_text(BASE + more, encoding="utf-8")
    return read_study(file)


def adam_of(*people: tuple[str, str, str, str, str], drop: tuple[str, ...] = ()) -> Adam:
    """Participants as (column, site, first infusion, tumour type, died)."""
    rows = [
        {
            "USUBJID": f"S-{number}",
            "FASFL": "Y",
            "ENRLFL": "Y",
            "SAFCTFL": "Y",
            "SAFNKFL": "Y",
            "COHORT": column,
            "COHORTA": column,
            "SITEID": site,
            "TRTSDT": pd.Timestamp(start),
            "TUMTYPE": tumour,
            "DTHFL": died,
        }
        for number, (column, site, start, tumour, died) in enumerate(people, 1)
    ]
    return Adam({"ADSL": pd.DataFrame(rows).drop(columns=list(drop))}, datetime(2026, 6, 30))


def holds(adam: Adam, study) -> dict[str, tuple[float | str, object, object]]:
    """Limitation -> (1, 0 or the reason, n, N)."""
    frame = limitations.found(adam, study).frame
    return {
        row.variable: (
            row.value if row.status == "OK" else row.reason,
            None if pd.isna(row.n) else int(row.n),
            None if pd.isna(row.N) else int(row.N),
        )
        for row in frame.itertuples()
    }


EARLY, LATE = "2025-01-06", "2025-06-02"
LADDER = (
    ("DL1", "01", EARLY, "CRC", "N"),
    ("DL2", "01", LATE, "CRC", "Y"),
    ("DL2", "01", "2025-07-07", "GASTRIC", "N"),
)


@pytest.mark.rule("PKG-11")
def test_limitations_of_three_participants_on_two_doses_by_hand(tmp_path):
    found = holds(adam_of(*LADDER), study_of(tmp_path))
    assert found["small"] == (1, 2, 2)  # one and two participants
    assert found["single_centre"] == (1, 1, None)
    assert found["one_arm"] == (1, None, None)
    assert found["dose_time"] == (1, 1, 1)  # the first dose was given before the second began
    assert found["dose_type"] == (1, 1, 4)  # nobody with gastric cancer on the first dose
    assert found["immature"] == (1, 1, 3)  # one of three has died
    assert found["verification"] == (1, None, None)
    assert found["investigator"] == (1, None, None)
    assert found["readings"] == (1, 9, 9)  # the study file states none


@pytest.mark.rule("PKG-11")
@pytest.mark.parametrize(
    ("people", "name", "expected"),
    [
        ([("DL1", "01", EARLY, "CRC", "N")] * 10, "small", (0, 0, 1)),
        ([("DL1", "01", EARLY, "CRC", "N")] * 9, "small", (1, 1, 1)),
        ([("DL1", "01", EARLY, "CRC", "N"), ("DL1", "02", EARLY, "CRC", "N")], "single_centre", (0, 2, None)),
        ([("DL1", "01", EARLY, "CRC", "Y"), ("DL1", "01", EARLY, "CRC", "N")], "immature", (0, 1, 2)),
        ([("DL1", "01", EARLY, "CRC", "N"), ("DL2", "01", EARLY, "CRC", "N")], "dose_time", (0, 0, 1)),
        (
            [(dose, "01", EARLY, tumour, "N") for dose in ("DL1", "DL2") for tumour in ("CRC", "GASTRIC")],
            "dose_type",
            (0, 0, 4),
        ),
    ],
)
def test_a_limitation_that_does_not_hold(tmp_path, people, name, expected):
    assert holds(adam_of(*people), study_of(tmp_path))[name] == expected


@pytest.mark.rule("PKG-11")
@pytest.mark.parametrize(
    ("drop", "name", "reason"),
    [
        ("SITEID", "single_centre", "not available: no site in the data"),
        ("DTHFL", "immature", "not available: no deaths in the data"),
        ("TUMTYPE", "dose_type", "not available: fewer than two tumour types or columns"),
    ],
)
def test_a_limitation_that_cannot_be_judged_says_why(tmp_path, drop, name, reason):
    assert holds(adam_of(*LADDER, drop=(drop,)), study_of(tmp_path))[name] == (reason, None, None)


@pytest.mark.rule("PKG-11")
def test_arms_are_a_comparison_and_an_independent_reader_is_named(tmp_path):
    people = [("P", "01", EARLY, "CRC", "N"), ("L", "01", EARLY, "CRC", "N")]
    arms = study_of(
        tmp_path, ARMS + '[response]\nevaluator = "INDEPENDENT ASSESSOR"\n[ambiguity]\nAMB-7 = "A"\n'
    )
    found = holds(adam_of(*people), arms)
    assert found["one_arm"] == (0, None, None)
    assert found["investigator"] == (0, None, None)
    assert found["readings"] == (1, 8, 9)


@pytest.mark.rule("PKG-11")
def test_limitations_do_not_depend_on_the_order_of_the_participants(tmp_path):
    study = study_of(tmp_path)
    assert holds(adam_of(*LADDER), study) == holds(adam_of(*LADDER[::-1]), study)


@pytest.mark.rule("PKG-12")
def test_every_parameter_is_a_result_with_its_printed_text(tmp_path):
    study = study_of(tmp_path)
    found = parameters.stated(adam_of(*LADDER), study)
    assert found.get("Total/dose/levels/value".lower())["text"] == "1.5e7, 3e7, 5e7, 7e7"
    window = found.get("total/dose/window_days/value")
    assert (window["value"], window["text"]) == (14, "14")
    assert found.get("total/study/id/value")["text"] == "TINY"
    assert found.get("total/products/a.role/value")["text"] == "t"
    assert found.get("total/ambiguity/amb-1/value")["text"] == "B"
    assert found.get("total/data/cut_date/value")["text"] == "2026-06-30"
    assert found.get("total/dose/expand_top/value")["text"] == "yes"
    assert not found.frame["result_id"].str.contains("data/path|data/sources").any()
    assert "somewhere" not in set(found.frame["text"])
    assert found.frame["text"].str.len().min() > 0


@pytest.mark.rule("PKG-12")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not set"),
        ("", "not set"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (0.05, "0.05"),
        (99999.0, "99999"),
        (1.5e7, "1.5e7"),
        ([0.16, 0.33], "0.16, 0.33"),
        ([], "none"),
        ("1/3", "1/3"),
    ],
)
def test_parameters_as_they_are_printed(value, text):
    assert parameters.printed(value) == text


def asked(adam: Adam, study, monkeypatch, dose: str = "DL2", source: str = "recorded") -> dict[str, tuple]:
    monkeypatch.setattr(synopsis, "candidate", lambda *_: synopsis_candidate(dose, source))
    frame = synopsis.asked(adam, study, None).frame
    return {
        f"{row.variable}{row.level}": (row.text if row.status == "OK" else row.reason, row.value)
        for row in frame.itertuples()
    }


def synopsis_candidate(dose: str, source: str):
    from interim.analysis.benefit_risk_rationale import Candidate

    return Candidate(dose, source)


COHORTS = "".join(
    f'[[expansion.type]]\nid = "{name}"\nlabel = "{name} cancer"\nvalues = ["{name}"]\np0 = 0.05\np1 = 0.25\n'
    'p0_source = "x"\np1_source = "x"\n'
    for name in ("crc", "gastric")
)


@pytest.mark.rule("PKG-07")
def test_what_is_asked_by_hand(tmp_path, monkeypatch):
    found = asked(adam_of(*LADDER), study_of(tmp_path, PRODUCTS + COHORTS), monkeypatch)
    assert found["dose_reached"][0] == "DL2 3e7"
    assert found["dose"][0] == "DL2 3e7" and found["dose_source"][0] == "recorded"
    assert found["dose_cells"] == ("3e7", 3e7)
    assert found["cohorts"] == ("crc cancer, gastric cancer", 2)
    assert found["cohortgastric"][0] == "gastric cancer"
    assert found["enrolment_max"][1] == 3 + 2 * 18


@pytest.mark.rule("PKG-07")
def test_a_dose_that_is_no_whole_million_is_not_rounded(tmp_path, monkeypatch):
    found = asked(
        adam_of(*LADDER), study_of(tmp_path, PRODUCTS + "[dose]\nlevels = [1e6, 2.5e6]\n"), monkeypatch
    )
    assert found["dose_cells"] == ("2.5e6", 2.5e6)


@pytest.mark.rule("PKG-07")
def test_nothing_is_asked_where_nothing_was_declared(tmp_path, monkeypatch):
    found = asked(adam_of(*LADDER), study_of(tmp_path), monkeypatch, dose="", source="no recommended dose")
    assert found["dose"][0] == "none stated" and found["dose_source"][0] == "no recommended dose"
    assert found["dose_cells"][0] == "not available: no dose is asked for"
    assert found["cohorts"][0] == found["enrolment_max"][0] == synopsis.NO_COHORTS


@pytest.mark.rule("PKG-07")
def test_a_study_with_arms_has_no_dose_to_ask_for(tmp_path, monkeypatch):
    people = [("P", "01", EARLY, "CRC", "N"), ("L", "01", EARLY, "CRC", "N")]
    found = asked(adam_of(*people), study_of(tmp_path, ARMS), monkeypatch)
    for name in ("dose_reached", "dose", "dose_source", "dose_cells"):
        assert found[name][0] == "not available: the columns are no dose levels"

"""Cytokine release and neurotoxicity of episodes written by hand: each grade, phase, treatment and direction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.analysis import toxicity
from tests.analysis.answers import status, subjects, value
from tests.analysis.conftest import uid
from tests.analysis.safety_frames import safety_adex, safety_adsl

NUMBERS = ["REPGRC", "REPGRA", "DERGRC", "DERGRA", "AONSINF", "ADURN", "MINICE"]


def episode(number: int, **more: object) -> dict[str, object]:
    """Return one reported episode after the first T-cell infusion."""
    bare: dict[str, object] = dict.fromkeys(NUMBERS, np.nan)
    flags = dict.fromkeys(("TOCIFL", "STERFL", "VASOFL"), "N")
    base = {"USUBJID": uid(number), "PARAMCD": "CRS", "REPFL": "Y", "APHASE": "CART_C1", "SRCDOM": "AE"}
    return {
        **bare,
        **flags,
        **base,
        "ASTDT": pd.Timestamp("2025-02-01"),
        "DIRC": "AGREE",
        "DIRA": "AGREE",
        **more,
    }


@pytest.fixture(scope="module")
def ask(make_adam, study):
    """Return a function that answers a question of hand-made episodes."""

    def answer(question, *episodes):
        frame = pd.DataFrame(episodes).assign(SRCSEQ=[str(k) for k in range(1, len(episodes) + 1)])
        adtox = frame.astype(dict.fromkeys(NUMBERS, "float64"))
        return question(make_adam(ADSL=safety_adsl(), ADEX=safety_adex(), ADTOX=adtox), study)

    return answer


# Grades of the episodes of one participant; level in which the participant stands.
HIGHEST = [
    ((1.0,), "1"),
    ((2.0,), "2"),
    ((3.0,), "3"),
    ((4.0,), "4"),
    ((5.0,), "5"),
    ((1.0, 2.0), "2"),
    ((3.0, 1.0), "3"),
    ((1.0, 1.0, 1.0), "1"),
    ((np.nan,), "missing"),
    ((np.nan, 2.0), "2"),
    ((4.0, np.nan), "4"),
    ((np.nan, np.nan), "missing"),
]


@pytest.mark.parametrize(("scale", "column"), [("astct", "REPGRA"), ("ctcae", "REPGRC")])
@pytest.mark.parametrize(("grades", "level"), HIGHEST)
def test_the_highest_grade_of_a_participant_counts_once(ask, scale, column, grades, level):
    table = ask(toxicity.crs, *(episode(7, **{column: grade}) for grade in grades))
    levels = ("1", "2", "3", "4", "5", "missing")
    assert [value(table, scale, level=name) for name in levels] == [int(name == level) for name in levels]
    other = "ctcae" if scale == "astct" else "astct"
    assert value(table, other, level="missing") == 1 == value(table, "any")


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({}, 1),
        ({"REPFL": "N"}, 0),
        ({"PARAMCD": "ICANS"}, 0),
        ({"APHASE": None}, 0),
        ({"APHASE": None, "ASTDT": pd.NaT}, 1),
        ({"APHASE": "NK"}, 1),
        ({"USUBJID": uid(14)}, 0),
        ({"USUBJID": uid(21)}, 0),
    ],
)
def test_which_episodes_count(ask, change, counts):
    # Participant 3 always counts; 14 had no T-cell infusion, 21 was not enrolled.
    table = ask(toxicity.crs, episode(3, REPGRA=1.0), episode(7, REPGRA=2.0, **change))
    assert value(table, "any") == 1 + counts
    assert value(table, "astct", level="2") == counts


@pytest.mark.parametrize("phase", ["NK", "CART_C1", "CART_C2", "POST"])
def test_the_phase_of_onset_is_of_those_infused_in_it(ask, phase):
    table = ask(toxicity.crs, episode(7, APHASE=phase), episode(7, APHASE=phase), episode(8, APHASE=phase))
    for name in ("NK", "CART_C1", "CART_C2"):
        assert value(table, "phase", level=name) == (2 if name == phase else 0)
    assert value(table, "any") == 2


@pytest.mark.parametrize(
    ("days", "n", "median", "low", "high"),
    [
        ((1.0,), 1, 1.0, 1.0, 1.0),
        ((1.0, 4.0), 2, 2.5, 1.0, 4.0),
        ((3.0, 1.0, 2.0), 3, 2.0, 1.0, 3.0),
        ((0.0, 0.0, 9.0, 2.0), 4, 1.0, 0.0, 9.0),
        ((np.nan, 5.0), 1, 5.0, 5.0, 5.0),
    ],
)
@pytest.mark.parametrize(("variable", "column"), [("onset", "AONSINF"), ("duration", "ADURN")])
def test_days_are_those_of_episodes(ask, variable, column, days, n, median, low, high):
    table = ask(toxicity.crs, *(episode(7, **{column: number}) for number in days))
    found = [value(table, variable, stat) for stat in ("n", "median", "min", "max")]
    assert found == [n, median, low, high]


@pytest.mark.parametrize(
    ("variable", "column"), [("tocilizumab", "TOCIFL"), ("steroid", "STERFL"), ("vasopressor", "VASOFL")]
)
@pytest.mark.parametrize(
    ("flags", "count"),
    [(("Y",), 1), (("N",), 0), (("Y", "N"), 1), (("N", "N"), 0), ((None, "Y"), 1), ((None, "N"), 0), ((None,), None)],
)  # fmt: skip
def test_treatment_is_counted_per_participant(ask, variable, column, flags, count):
    table = ask(toxicity.crs, *(episode(7, **{column: flag}) for flag in flags))
    if count is None:
        assert status(table, variable, "n") == ("NA", "not available: no CM")
    else:
        assert value(table, variable) == count


@pytest.mark.parametrize(
    ("scores", "n", "low", "high"), [((10.0,), 1, 10.0, 10.0), ((6.0, 9.0), 2, 6.0, 9.0), ((np.nan, 0.0), 1, 0.0, 0.0)]
)  # fmt: skip
def test_scores_of_neurotoxicity(ask, scores, n, low, high):
    table = ask(toxicity.icans, *(episode(5, PARAMCD="ICANS", MINICE=score) for score in scores))
    assert [value(table, "ice", stat) for stat in ("n", "min", "max")] == [n, low, high]
    assert subjects(table, "any", "n") == {uid(5)}


NAMES = {np.nan: "missing"}
PAIRS = [
    (1.0, 1.0, "1", "1", 0),
    (1.0, 2.0, "1", "2", 1),
    (2.0, 1.0, "2", "1", 1),
    (2.0, 2.0, "2", "2", 0),
    (3.0, 2.0, "3", "2", 0),
    (4.0, 5.0, "4", "5", 0),
    (1.0, 4.0, "1", "4", 1),
    (0.0, 1.0, "0", "1", 0),
    (np.nan, 3.0, "missing", "3", 0),
    (1.0, np.nan, "1", "missing", 0),
    (np.nan, np.nan, "missing", "missing", 0),
]


@pytest.mark.parametrize(("ctcae", "astct", "line", "place", "differs"), PAIRS)
def test_each_pair_of_grades_is_one_cell(ask, study, ctcae, astct, line, place, differs):
    assert study.titration_trigger.crs_min_grade == 2
    table = ask(toxicity.crs_concordance, episode(7, REPGRC=ctcae, REPGRA=astct, DERGRC=astct, DERGRA=ctcae))
    assert value(table, "reported", f"astct {place}", level=line) == 1
    assert value(table, "derived", f"astct {line}", level=place) == 1
    cells = table.frame[table.frame["stat"].str.startswith("astct")]
    assert len(cells) == 2 * 49 and cells["value"].sum() == 2
    assert value(table, "trigger_differs") == differs


@pytest.mark.parametrize("direction", ["AGREE", "LOWER", "HIGHER", "UNREPORTED", "UNDOCUMENTED"])
@pytest.mark.parametrize(("variable", "column"), [("direction_ctcae", "DIRC"), ("direction_astct", "DIRA")])
def test_each_direction_is_counted_in_episodes(ask, variable, column, direction):
    more = {column: direction}
    table = ask(toxicity.crs_concordance, episode(7, **more), episode(7, **more), episode(14, **more))
    for name in ("AGREE", "LOWER", "HIGHER", "UNREPORTED", "UNDOCUMENTED"):
        assert value(table, variable, level=name) == (2 if name == direction else 0)


def test_an_episode_that_was_not_reported_is_derived_only(ask):
    table = ask(
        toxicity.crs_concordance, episode(7, REPFL="N", REPGRC=2.0, REPGRA=2.0, DERGRC=1.0, DERGRA=3.0)
    )
    assert value(table, "derived", "astct 3", level="1") == 1
    cells = table.frame[table.frame["variable"] == "reported"]
    assert cells["value"].sum() == 0 and len(cells) == 49

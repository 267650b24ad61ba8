"""Cytokine release and neurotoxicity of episodes written by hand: each grade, phase, treatment and direction."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.analysis import toxicity
from tests.analysis.answers import status, subjects, value
from tests.analysis.conftest import uid
from tests.analysis.safety_frames import safety_adex, safety_adsl

AMOUNTS = ["TOCIN", "STERDY", "DEXEQ"]
NUMBERS = ["REPGRC", "REPGRA", "DERGRC", "DERGRA", "AONSINF", "ADURN", "MINICE", *AMOUNTS]


def episode(number: int, **more: object) -> dict[str, object]:
    """Return one reported episode after the first T-cell infusion."""
    bare: dict[str, object] = dict.fromkeys(NUMBERS, np.nan)
    flags = dict.fromkeys(("TOCIFL", "STERFL", "VASOFL", "OXYFL", "ICUFL"), "N")
    base = {"USUBJID": uid(number), "PARAMCD": "CRS", "REPFL": "Y", "APHASE": "CART_C1", "SRCDOM": "AE"}
    return {
        **bare,
        **flags,
        **base,
        "ASTDT": pd.Timestamp("2025-02-01"),
        "AENDT": pd.Timestamp("2025-02-04"),
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


@pytest.mark.rule("SAF-41", source="not recorded is not none")
@pytest.mark.parametrize(
    ("flags", "yes", "unknown"), [(("Y", None), 1, 1), (("N", None), 0, 1), (("N", "Y"), 1, None), ((None,), None, None)]
)  # fmt: skip
@pytest.mark.parametrize(("variable", "column"), [("oxygen", "OXYFL"), ("icu", "ICUFL")])
def test_oxygen_and_intensive_care_that_were_not_recorded(ask, variable, column, flags, yes, unknown):
    table = ask(toxicity.crs, *(episode(7, **{column: flag}) for flag in flags))
    if yes is None:
        assert status(table, variable, "n")[1].startswith("not collected")
        return
    assert value(table, variable) == yes
    levels = table.frame.loc[table.frame["variable"] == variable, "level"].unique().tolist()
    assert levels == ([""] if unknown is None else ["", "missing"])


@pytest.mark.rule("SAF-41", source="a syndrome that nobody had says nothing of what was collected")
def test_intensive_care_was_not_collected_where_no_episode_of_any_kind_says_so(ask):
    silent = ask(toxicity.icans, episode(7, ICUFL=None), episode(8, ICUFL=None))
    assert status(silent, "icu", "n") == ("NA", "not collected: stays in intensive care")
    assert value(ask(toxicity.icans, episode(7, ICUFL=None), episode(8)), "icu") == 0


@pytest.mark.rule("SAF-41", source="by hand: amounts of a participant over all episodes")
def test_amounts_are_summed_over_the_episodes_of_the_treated(ask):
    table = ask(
        toxicity.crs,
        episode(3, STERFL="Y", STERDY=2.0, DEXEQ=20.0, TOCIFL="Y", TOCIN=1.0),
        episode(3, STERFL="Y", STERDY=1.0, DEXEQ=10.0, TOCIFL="Y", TOCIN=2.0),
        episode(7, STERFL="Y", STERDY=5.0, DEXEQ=np.nan),
        episode(8),
    )
    assert [value(table, "toci_doses", stat) for stat in ("n", "median")] == [1, 3.0]
    assert [value(table, "steroid_days", stat) for stat in ("n", "min", "max")] == [2, 3.0, 5.0]
    assert [value(table, "dexamethasone", stat) for stat in ("n", "median")] == [1, 30.0]
    assert subjects(table, "dexamethasone_unknown", "n") == {uid(7)}


@pytest.mark.rule(
    "SAF-41", source="by hand: days shared with an episode of the other kind; episodes without an end"
)
@pytest.mark.parametrize(
    ("start", "end", "same"),
    [("2025-02-04", "2025-02-06", 1), ("2025-02-05", "2025-02-06", 0), ("2025-01-20", None, 1), ("2025-01-20", "2025-02-01", 1)],
)  # fmt: skip
def test_episodes_of_both_kinds_on_one_day(ask, start, end, same):
    other = episode(7, PARAMCD="ICANS", ASTDT=pd.Timestamp(start), AENDT=pd.Timestamp(end or "NaT"))
    table = ask(toxicity.crs, episode(7), episode(8), other)
    assert value(table, "with_icans") == same
    assert value(table, "ongoing") == 0
    assert value(ask(toxicity.icans, episode(7), other), "ongoing") == int(end is None)


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

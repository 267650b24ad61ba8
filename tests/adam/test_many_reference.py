"""Many participants at once against the reference cases: the whole pool of a parameter set in one call."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from tests.adam.response.conftest import make_study

from interim.adam.many.points import Points
from interim.adam.many.response import NO_SCAN, best_responses, first_rule, score, used_responses
from interim.adam.many.survival import Dates, progression_free
from interim.adam.response.assessments import BEST_FIRST, BestRules
from interim.adam.response.target import TARGET_RULES, Situation
from interim.adam.tte.endpoints import endpoints
from interim.study.efficacy import ResponseTable, TteTable

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "recist"
DAY = np.datetime64("1970-01-01")


def cases(name: str) -> list[dict]:
    return json.loads((REFERENCE / name).read_text(encoding="utf-8"))["cases"]


def pools() -> dict[str, list[dict]]:
    """Return the random cases of other software that end at the first progression, by set of parameters."""
    found: dict[str, list[dict]] = {}
    for case in cases("bor_random_admiralonco.json"):
        if case["parameters"].get("truncate_at_first_pd", True):
            found.setdefault(json.dumps(case["parameters"], sort_keys=True), []).append(case)
    return found


POOLS = list(pools().items())


class Scans:
    """Responses of a pool as matrices."""

    def __init__(self, histories: list[list[tuple[float, str]]]) -> None:
        width = max(map(len, histories))
        self.day = np.full((len(histories), width), np.nan)
        self.response = np.full((len(histories), width), NO_SCAN)
        for row, history in enumerate(histories):
            for column, (day, value) in enumerate(sorted(history)):
                self.day[row, column] = day
                self.response[row, column] = BEST_FIRST.index(value)


def one_per_day(case: dict) -> bool:
    days = [scan["day"] for scan in case["assessments"]]
    return len(set(days)) == len(days)


@pytest.mark.rule("RECIST-31", source="reference/recist/bor_random_admiralonco.json (admiralonco 1.4)")
@pytest.mark.parametrize(("parameters", "pool"), POOLS, ids=[f"set {n}" for n in range(len(POOLS))])
def test_best_responses_of_other_software(parameters, pool):
    given = json.loads(parameters)
    pool = [case for case in pool if one_per_day(case)]
    assert pool
    table = ResponseTable(
        sd_min_weeks=given["sd_min_day"] / 7,
        confirm_min_days=given["confirm_min_days"],
        max_ne_between=given["max_ne_between"],
        accept_one_sd_for_pr=given["accept_one_sd_for_pr"],
    )
    rules = BestRules.of(table)
    scans = Scans([[(s["day"], s["response"]) for s in case["assessments"]] for case in pool])
    none, zero = np.full(len(pool), np.nan), np.zeros(len(pool))
    day, response = used_responses(scans, zero, before=none, last=none, rules=rules)
    for confirmed, name in ((False, "BOR"), (True, "CBOR")):
        best = best_responses(day, response, rules=rules, confirmed=confirmed)
        for row, case in enumerate(pool):
            expected = case["expected"][name]
            if case["assessments"]:
                assert BEST_FIRST[best.value[row]] == expected["value"], case["id"]
                assert best.day[row] == expected["day"], case["id"]
            else:
                assert best.value[row] == NO_SCAN, case["id"]


def number(text: str | None) -> float:
    return math.nan if text is None else float((np.datetime64(text) - DAY).astype(int))


# The 14 lesion series written for the traps of RECIST: all those whose values are numbers, absent or too small to measure.
def plain_series() -> list[dict]:
    kept = []
    for case in cases("tl_traps_own.json"):
        values = [value for visit in case["visits"] for value in visit.values()]
        if all(value is None or value == "TSTM" or isinstance(value, (int, float)) for value in values):
            kept.append(case)
    return kept


@pytest.mark.rule("RECIST-31", source="reference/recist/tl_traps_own.json")
def test_target_responses_of_the_traps():
    series = plain_series()
    assert len(series) >= 10
    rules = ResponseTable()
    width = 1 + max(len(case["visits"]) for case in series)
    shape = (len(series), width)
    parts = {name: np.zeros(shape) for name in ("total", "assessed", "normal", "regrown")}
    day = np.full(shape, np.nan)
    for row, case in enumerate(series):
        nodal = {name: lesion["nodal"] for name, lesion in case["baseline"].items()}
        first = {name: lesion["mm"] for name, lesion in case["baseline"].items()}
        for column, visit in enumerate([first, *case["visits"]]):
            day[row, column] = column * 42 - 7
            for name in nodal:
                value = visit.get(name)
                if value is None:
                    continue
                mm = float(rules.tstm_mm) if value == "TSTM" else float(value)
                gone = mm < rules.nodal_cr_mm if nodal[name] else value == 0
                parts["total"][row, column] += mm
                parts["assessed"][row, column] += 1
                parts["normal"][row, column] += gone
                parts["regrown"][row, column] += mm > 0 and not nodal[name]
    zero = np.zeros(shape)
    listed = np.array([len(case["baseline"]) for case in series])
    points = Points(
        targets=listed,
        nontargets=np.zeros_like(listed),
        day=day,
        known=zero,
        absent=zero,
        progressed=zero,
        new=zero,
        **parts,
    )
    scored = score(points, np.zeros(len(series)), rules=rules)
    for row, case in enumerate(series):
        found = [BEST_FIRST[code] for code in scored.response[row] if code != NO_SCAN]
        assert found == case["expected_target"], case["id"]


# A rule table reads one visit and an array of visits alike: sum, baseline, nadir, missing, normal, after CR -> response.
SITUATIONS = [
    (100.0, 100.0, 100.0, False, False, False, "T-SD"),
    (70.0, 100.0, 100.0, False, False, False, "T-PR"),
    (70.1, 100.0, 70.0, False, False, False, "T-SD"),
    (120.0, 100.0, 100.0, False, False, False, "T-PD-SUM"),
    (119.0, 100.0, 100.0, False, False, False, "T-SD"),
    (24.0, 100.0, 20.0, False, False, False, "T-PR"),
    (25.0, 100.0, 20.0, False, False, False, "T-PD-SUM"),
    (110.0, 100.0, 91.0, True, False, False, "T-PD-SUM"),
    (50.0, 100.0, 91.0, True, False, False, "T-NE"),
    (7.0, 100.0, 50.0, False, True, False, "T-CR"),
    (3.0, 100.0, 0.0, False, False, True, "T-PD-REAPP"),
    (5.0, 100.0, 0.0, False, False, False, "T-PD-SUM"),
    (50.0, math.nan, math.nan, False, False, False, "T-NOBASE"),
]


def situation(rows: list[tuple]) -> Situation:
    total, baseline, nadir, missing, normal, after_cr, _ = (
        np.array(part) for part in zip(*rows, strict=True)
    )
    return Situation(
        no_target=np.zeros(len(rows), dtype=bool),
        no_baseline=np.isnan(baseline),
        incomplete=missing,
        normal=normal,
        regrown=total > 0,
        after_cr=after_cr,
        total=total,
        baseline=baseline,
        nadir=nadir,
        rules=ResponseTable(),
    )


@pytest.mark.rule("RECIST-31")
@pytest.mark.rule("RECIST-04")
def test_the_rules_of_the_target_response_for_an_array_of_visits():
    places = first_rule(TARGET_RULES, situation(SITUATIONS), len(SITUATIONS))
    assert [TARGET_RULES[place][1] for place in places] == [code for *_, code in SITUATIONS]


# Scans (day: response), therapy, death, cut -> day, reason.
HISTORIES = [
    ([(42, "SD"), (84, "PD")], None, None, 300, 85, "E-PD"),
    ([(42, "SD"), (84, "PD")], 60, None, 300, 43, "K-NACT"),
    ([(42, "SD"), (84, "PD")], 84, None, 300, 43, "K-NACT"),
    ([(42, "SD"), (84, "PD")], 85, None, 300, 85, "E-PD"),
    ([(42, "SD"), (84, "PD")], None, 84, 300, 85, "E-PD"),
    ([(42, "SD"), (84, "PD")], None, 83, 300, 84, "E-DEATH"),
    ([(42, "SD"), (84, "PD")], None, None, 83, 43, "K-CUT"),
    ([(42, "SD"), (84, "PD")], None, None, 84, 85, "E-PD"),
    ([(42, "NE"), (84, "NE")], None, None, 300, 1, "K-NOPOST"),
    ([(42, "NE"), (84, "NE")], 20, None, 300, 1, "K-NACT"),
    ([(42, "SD")], None, 200, 300, 201, "E-DEATH"),
    ([(42, "SD")], None, 200, 150, 43, "K-END"),
    ([(42, "SD")], None, -3, 300, None, ""),
]


@pytest.mark.rule("TTE-21")
@pytest.mark.parametrize("place", range(len(HISTORIES)))
def test_progression_free_survival_of_one_history(place):
    scans, therapy, death, cut, day, reason = HISTORIES[place]
    known = [np.array([np.nan if value is None else float(value)]) for value in (cut, therapy, death)]
    endpoint = next(e for e in endpoints(make_study(tte=TteTable())) if e.name == "PFS")
    dates = Dates(np.zeros(1), *known, ended=np.array([False]), assessable=np.array([True]))
    times = progression_free(Scans([scans]), dates, endpoint)
    assert (None if np.isnan(times.days[0]) else times.days[0], times.code[0]) == (day, reason)

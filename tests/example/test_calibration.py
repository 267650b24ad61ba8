"""What many draws look like, against the targets that need no dose path."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from interim.example.case import draw_case
from interim.example.course import draw_class
from interim.example.kinetics import kinetics
from interim.example.plan import Person, Slot
from interim.example.traits import draw_traits

N = 1500


def person(number: int) -> Person:
    return Person(number, Slot("DL3", "ANY"), 1, "calibration", date(2024, 1, 1), -10, -8, 10, 400, None)


@pytest.fixture(scope="module")
def traits():
    return [draw_traits(person(n)) for n in range(N)]


@pytest.fixture(scope="module")
def cases():
    return [draw_case(person(n)) for n in range(600)]


@pytest.mark.rule("SYN-24", source="closed form: lognormal ratio, P(NLR >= 5) 0.265, P(NLR >= 3) 0.653")
def test_the_neutrophil_to_lymphocyte_ratio(traits):
    ratio = np.array([t.labs["NEUT"] / t.labs["LYM"] for t in traits])
    assert abs((ratio >= 5).mean() - 0.265) < 0.03
    assert abs((ratio >= 3).mean() - 0.653) < 0.04


@pytest.mark.rule("SYN-24")
def test_missing_ligands_and_their_correlation(traits):
    assert abs(np.mean([not t.ligands for t in traits]) - 0.12) < 0.025
    known = [t.ligands for t in traits if t.ligands and all(t.ligands.values())]
    pair = np.corrcoef(
        [[np.sqrt(k["ULBP1"]), np.sqrt(k["ULBP3"]), np.sqrt(k["MICAB"])] for k in known], rowvar=False
    )
    assert pair[0, 1] > 0.4
    assert abs(pair[0, 2]) < 0.25


@pytest.mark.rule("SYN-24")
def test_frailty_goes_with_burden_and_albumin(traits):
    frailty = [t.frailty for t in traits]
    assert np.corrcoef(frailty, [np.log(t.burden) for t in traits])[0, 1] > 0.25
    assert np.corrcoef(frailty, [t.labs["ALB"] for t in traits])[0, 1] < -0.25
    assert abs(np.corrcoef(frailty, [t.age for t in traits])[0, 1]) < 0.1


@pytest.mark.rule("SYN-24")
def test_response_and_disease_control(traits):
    classes = [
        draw_class(np.random.default_rng(n), person(n), traits=t, scans=5) for n, t in enumerate(traits)
    ]
    control = np.mean([c in ("PR", "PR_PENDING", "SD") for c in classes])
    assert 0.58 <= control <= 0.66
    high = [max(t.ligands.values(), default=0) >= 100 for t in traits]
    responds = np.array([c.startswith("PR") for c in classes])
    assert responds[np.array(high)].mean() > responds[~np.array(high)].mean()
    assert {
        draw_class(np.random.default_rng(n), person(n), traits=traits[n], scans=1) for n in range(40)
    } == {"PD", "NE_EARLY"}


@pytest.mark.rule("SYN-24")
def test_cytokine_release_at_level_3(cases):
    share = np.mean([case.crs is not None and case.crs.related == "CART" for case in cases])
    assert abs(share - 0.65) < 0.06


@pytest.mark.rule("SYN-24")
def test_peak_and_persistence_of_the_cells(cases):
    peaks, late = [], []
    for case in cases:
        rows = [
            r
            for r in kinetics(case)
            if r["PCTESTCD"] == "CARTG" and r["PCSPEC"] == "BLOOD" and not r["PCSTAT"]
        ]
        if not rows:
            continue
        best = max(rows, key=lambda r: r["PCSTRESN"] or 0.0)
        peaks.append(best["PCTPTNUM"])
        late += [r["PCSTRESN"] is None for r in rows if r["PCTPTNUM"] == 90]
    assert 7 <= np.median(peaks) <= 10
    assert 0.60 <= np.mean(late) <= 0.75

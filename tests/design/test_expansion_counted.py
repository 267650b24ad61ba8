"""Phase IA participants counted into a cohort: numbers of the specification, every sequence, illegal numbers."""

from __future__ import annotations

from itertools import product

import pytest

from interim.design.expansion import Monitored, fixed_sample, two_stages
from interim.design.expansion_counted import conditional_go
from interim.design.monitoring import characteristics
from interim.errors import DesignError

SIMON = two_stages(9, 0, n=17, r=2)


@pytest.mark.rule("IB-30", source="specification: six Phase IA participants counted into stage 1 at p = .05")
@pytest.mark.parametrize(("min_resp", "chance"), [(0, 0.0466), (1, 0.1474), (2, 0.4699)])
def test_a_false_go_is_inflated_by_those_who_selected_the_type(min_resp, chance):
    found = conditional_go(SIMON, 0.05, n_ia=6, min_resp=min_resp)
    assert found.p_go == pytest.approx(0.0466, abs=5e-5)
    assert found.p_go_selected == pytest.approx(chance, abs=5e-5)


def all_sequences(design, p, n_ia, min_resp):
    """Every sequence of responses, looks after Phase IA only."""
    go = selected = 0.0
    for path in product((0, 1), repeat=design.n_max):
        chance = p ** sum(path) * (1 - p) ** (design.n_max - sum(path))
        if sum(path[:n_ia]) < min_resp:
            continue
        selected += chance
        stopped = any(
            sum(path[:n]) <= limit for n, limit in zip(design.looks, design.stop_le, strict=True) if n > n_ia
        )
        go += chance * (not stopped and sum(path) >= design.go)
    return go / selected, selected


@pytest.mark.rule("IB-30", source="every sequence of responses")
@pytest.mark.parametrize(
    ("design", "n_ia", "min_resp"),
    [
        (two_stages(4, 0, n=8, r=2), 2, 1),
        (two_stages(4, 0, n=8, r=2), 5, 0),
        (two_stages(4, 1, n=9, r=3), 4, 2),
        (fixed_sample(7, 2), 3, 1),
        (Monitored(9, (3, 5, 7), (0, 0, 1), 3), 2, 0),
        (Monitored(9, (3, 5, 7), (0, 0, 1), 3), 4, 1),
    ],
)
@pytest.mark.parametrize("p", [0.05, 0.3, 0.8])
def test_every_sequence(design, n_ia, min_resp, p):
    found = conditional_go(design, p, n_ia=n_ia, min_resp=min_resp)
    go, selected = all_sequences(design, p, n_ia, min_resp)
    assert found.p_go_selected == pytest.approx(go, abs=1e-12)
    assert found.p_selected == pytest.approx(selected, abs=1e-12)


@pytest.mark.rule("IB-30")
@pytest.mark.parametrize("p", [0.05, 0.25])
def test_nobody_counted_is_the_design_itself(p):
    found = conditional_go(SIMON, p, n_ia=0, min_resp=0)
    assert found.p_go_selected == pytest.approx(found.p_go, abs=1e-14)
    assert found.p_go == pytest.approx(float(characteristics(SIMON, [p]).p_go[0]), abs=1e-13)
    assert found.p_selected == 1


@pytest.mark.rule("IB-30")
@pytest.mark.parametrize(
    ("p", "n_ia", "min_resp"), [(1.2, 3, 1), (0.1, 17, 1), (0.1, 3, 4), (0.1, -1, 0), (0.1, 3, -1)]
)
def test_illegal_numbers_are_refused(p, n_ia, min_resp):
    with pytest.raises(DesignError, match="are needed"):
        conditional_go(SIMON, p, n_ia=n_ia, min_resp=min_resp)


@pytest.mark.rule("IB-30")
def test_a_selection_that_cannot_happen_is_refused():
    with pytest.raises(DesignError, match="impossible at the rate 0"):
        conditional_go(SIMON, 0.0, n_ia=3, min_resp=1)

"""The parts behind penalised fits, each on its own: climbing, profiles, and the two likelihoods against their definitions."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.special import chdtrc, chdtri

from interim.stats.covariates import risk_sets
from interim.stats.jeffreys import LogisticModel, PartialModel
from interim.stats.penalised import Evaluated, Maximum, PenalisedModel, climb, highest, near, newton_step
from interim.stats.profile_limits import ROOT_LIMIT, profile

QUANTILE = float(chdtri(1, 0.05))
AGE = np.array([-1.2, -0.7, -0.1, 0.2, 0.3, 0.9, 1.1, 1.9, -1.6])
SEX = np.array([0.0, 1, 0, 1, 1, 0, 1, 0, 1])
Y = np.array([0.0, 0, 1, 0, 1, 1, 0, 1, 0])


class Hill(PenalisedModel):
    """A quadratic hill with a given top and steepness: everything about it is known."""

    def __init__(self, top, steep):
        self.top, self.steep, self.size = np.asarray(top, float), np.asarray(steep, float), len(top)

    def evaluate(self, points):
        gap = points - self.top
        value = -0.5 * np.einsum("ma,ab,mb->m", gap, self.steep, gap)
        return Evaluated(value, -gap @ self.steep, np.tile(self.steep, (len(points), 1, 1)))

    def covariance(self, beta):
        return np.linalg.inv(self.steep)

    def turned(self, axes):
        return Hill(np.linalg.solve(axes, self.top), axes.T @ self.steep @ axes)


class TwoTops(Hill):
    """One coefficient, tops near -2 and 2, the right one higher by ``edge``."""

    def __init__(self, edge):
        super().__init__([0.0], [[1.0]])
        self.edge = edge

    def evaluate(self, points):
        b = points[:, 0]
        value = -((b * b - 4.0) ** 2) / 8.0 + self.edge * b / 4.0
        score = -b * (b * b - 4.0) / 2.0 + self.edge / 4.0
        return Evaluated(value, score[:, None], (1.5 * b * b - 2.0)[:, None, None])


STEEP = np.array([[2.0, 0.5], [0.5, 1.0]])


@pytest.mark.rule("STAT-21")
@pytest.mark.parametrize("starts", [1, 5, 16, 17, 60])
def test_every_start_reaches_the_top_however_many_there_are(starts):
    hill = Hill([3.0, -1.0], STEEP)
    points = np.random.default_rng(starts).normal(scale=4.0, size=(starts, 2))
    found = climb(hill, points, np.array([True, True]))
    assert len(found) == starts and all(one.converged for one in found)
    assert np.array([one.beta for one in found]) == pytest.approx(np.tile([3.0, -1.0], (starts, 1)))


@pytest.mark.rule("STAT-21")
@pytest.mark.parametrize("held", [-2.0, 0.0, 0.7, 5.0])
def test_a_fixed_coefficient_stays_and_the_other_follows(held):
    hill = Hill([3.0, -1.0], STEEP)
    found = hill.constrained({0: held})
    assert found.beta[0] == held
    assert found.beta[1] == pytest.approx(-1.0 - 0.5 * (held - 3.0))
    assert found.value == pytest.approx(-0.5 * (2.0 - 0.25) * (held - 3.0) ** 2)


@pytest.mark.rule("STAT-21")
@pytest.mark.parametrize(("edge", "side"), [(0.4, 1.0), (-0.4, -1.0), (0.01, 1.0)])
def test_of_two_tops_the_higher_one_and_the_other_is_named(edge, side):
    best, second = TwoTops(edge).maxima()
    assert best.beta[0] * side > 1.9 and second.beta[0] * side < -1.9
    assert best.value > second.value and near(best, second, 0.95)
    assert not near(Maximum(best.beta, best.value + QUANTILE, 0.0, best.score, best.curvature), second, 0.95)


@pytest.mark.rule("STAT-21")
def test_one_top_has_no_rival():
    best, second = Hill([0.5, 0.5], STEEP).maxima()
    assert second is None and best.converged


def test_the_best_converged_maximum_wins_over_a_higher_unfinished_one():
    done, open_ = (Maximum(np.zeros(1), v, s, np.zeros(1), np.eye(1)) for v, s in ((-2.0, 1e-9), (5.0, 1e-3)))
    assert highest([open_, done]) is done and highest([open_]) is open_


@pytest.mark.parametrize(
    ("score", "curvature", "expected"),
    [
        ([1.0], [[2.0]], [0.5]),
        ([1.0], [[-2.0]], [0.5]),
        ([-1.0], [[-2.0]], [-0.5]),
        ([9.0], [[1.0]], [3.0]),
        ([1.0, 1.0], [[1.0, 0.0], [0.0, 2.0]], [1.0, 0.5]),
        ([1.0, 1.0], [[1.0, 0.0], [0.0, -2.0]], [1.0, 0.5]),
        ([8.0, 4.0], [[1.0, 0.0], [0.0, 1.0]], [3.0, 1.5]),
    ],
)
def test_a_step_leads_up_and_is_never_long(score, curvature, expected):
    step = newton_step(np.array([score]), np.array([curvature]))
    assert step[0] == pytest.approx(expected)


class Cliff(Hill):
    """A hill that does not exist on the left of 0."""

    def evaluate(self, points):
        at = super().evaluate(points)
        gone = points[:, 0] < 0.0
        return Evaluated(
            np.where(gone, -np.inf, at.value), at.score, np.where(gone[:, None, None], np.nan, at.curvature)
        )


def test_a_start_where_nothing_exists_stays_there_and_stops_nobody():
    found = climb(Cliff([1.0, 0.0], STEEP), np.array([[-1.0, 0.0], [2.0, 2.0]]), np.array([True, True]))
    assert (found[0].value, found[0].converged) == (-math.inf, False)
    assert found[1].beta == pytest.approx([1.0, 0.0]) and found[1].converged


def test_a_step_over_the_cliff_is_halved():
    found = climb(Cliff([0.01, 0.0], np.diag([1e-3, 1.0])), np.array([[2.5, 1.0]]), np.array([True, True]))
    assert found[0].beta == pytest.approx([0.01, 0.0], abs=1e-6) and found[0].converged


@pytest.mark.rule("STAT-22")
@pytest.mark.parametrize("level", [0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("term", [0, 1])
def test_the_limits_of_a_quadratic_profile_are_those_of_the_normal(level, term):
    hill = Hill([3.0, -1.0], STEEP)
    best, _ = hill.maxima()
    spread = math.sqrt(hill.covariance(best.beta)[term, term])
    found = profile(hill, best, np.eye(2), term=term, level=level, step=spread)
    reach = math.sqrt(float(chdtri(1, 1.0 - level))) * spread
    low, high = found.limits
    assert (low.value, high.value) == pytest.approx(
        (hill.top[term] - reach, hill.top[term] + reach), abs=1e-6
    )
    assert max(low.root_error, high.root_error) <= ROOT_LIMIT and (low.status, high.status) == ("OK", "OK")
    drop = (hill.top[term] / spread) ** 2
    assert found.drop == pytest.approx(drop) and found.p_value == pytest.approx(float(chdtrc(1, drop)))


@pytest.mark.rule("STAT-22")
def test_the_profile_of_an_own_coefficient_on_other_axes():
    hill = Hill([3.0, -1.0], STEEP)
    best, _ = hill.maxima()
    back = np.array([[1.0, -2.0], [0.0, 0.25]])
    spread = math.sqrt((back @ hill.covariance(best.beta) @ back.T)[0, 0])
    low, high = profile(hill, best, back, term=0, level=0.95, step=spread).limits
    assert ((low.value + high.value) / 2, high.value - low.value) == pytest.approx(
        (5.0, 2 * math.sqrt(QUANTILE) * spread), abs=1e-6
    )


def information(model, beta):
    eta = model.design @ beta
    weight = np.exp(-np.logaddexp(0.0, eta) - np.logaddexp(0.0, -eta))
    return (model.design * weight[:, None]).T @ model.design


def log_det_by_subsets(design, log_weight):
    """Cauchy-Binet: the sum over all square subsets of rows, in log space."""
    p = design.shape[1]
    terms = [
        log_weight[list(rows)].sum() + 2.0 * math.log(abs(determinant))
        for rows in combinations(range(len(design)), p)
        if (determinant := np.linalg.det(design[list(rows)])) != 0.0
    ]
    return float(np.logaddexp.reduce(terms))


POINTS = [(0.0, 0.0, 0.0), (0.4, -1.0, 0.8), (-3.0, 6.0, 1.0), (2.0, 15.0, -12.0), (0.0, 40.0, 5.0)]


@pytest.mark.rule("STAT-21", source="Cauchy-Binet")
@pytest.mark.parametrize("beta", POINTS)
def test_the_penalty_is_half_the_log_determinant_also_where_weights_vanish(beta):
    model = LogisticModel(np.column_stack([np.ones(9), AGE, SEX]), Y)
    eta = model.design @ np.array(beta)
    loglik = float(Y @ eta - np.logaddexp(0.0, eta).sum())
    log_weight = -np.logaddexp(0.0, eta) - np.logaddexp(0.0, -eta)
    expected = loglik + log_det_by_subsets(model.design, log_weight) / 2.0
    assert model.evaluate(np.array([beta])).value[0] == pytest.approx(expected, rel=1e-10, abs=1e-9)


def differences(model, beta, width=1e-5):
    """Score and curvature by central differences of value and score."""
    steps = width * np.eye(len(beta))
    up, down = (model.evaluate(np.array([beta + sign * step for step in steps])) for sign in (1, -1))
    return (up.value - down.value) / (2 * width), -(up.score - down.score) / (2 * width)


def cox_model(columns, ties):
    time = np.array([3.0, 5, 5, 8, 9, 9, 9, 12, 14]) if ties else np.arange(1.0, 10.0)
    sets, _ = risk_sets(time, [1, 1, 1, 0, 1, 1, 0, 1, 1], X=columns, strata=None)
    return PartialModel.of(sets)


MODELS = {
    "logistic, one": LogisticModel(np.column_stack([np.ones(9), AGE]), Y),
    "logistic, two": LogisticModel(np.column_stack([np.ones(9), AGE, SEX]), Y),
    "Cox, one": cox_model(AGE, ties=False),
    "Cox, one, ties": cox_model(SEX, ties=True),
    "Cox, two": cox_model(np.column_stack([AGE, SEX]), ties=False),
    "Cox, two, ties": cox_model(np.column_stack([AGE, SEX]), ties=True),
}


@pytest.mark.rule("STAT-21", source="central differences")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("where", [0.0, 0.6, -1.7])
def test_score_and_curvature_are_the_derivatives(name, where):
    model = MODELS[name]
    beta = where * np.arange(1, model.size + 1) / model.size
    at = model.evaluate(beta[None, :])
    score, curvature = differences(model, beta)
    assert at.score[0] == pytest.approx(score, abs=1e-6)
    assert at.curvature[0] == pytest.approx(curvature, abs=1e-6)
    assert at.curvature[0] == pytest.approx(at.curvature[0].T)


@pytest.mark.rule("STAT-21")
@pytest.mark.parametrize("name", MODELS)
def test_several_points_at_once_are_the_points_one_by_one(name):
    model = MODELS[name]
    points = np.random.default_rng(3).normal(size=(7, model.size))
    together = model.evaluate(points)
    for place, point in enumerate(points):
        alone = model.evaluate(point[None, :])
        assert together.value[place] == pytest.approx(alone.value[0], rel=1e-12)
        assert together.score[place] == pytest.approx(alone.score[0], abs=1e-12)
        assert together.curvature[place] == pytest.approx(alone.curvature[0], abs=1e-12)


@pytest.mark.rule("STAT-21", source="definition")
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("slope", [-0.8, 0.0, 1.3])
def test_the_partial_likelihood_from_its_definition(ties, slope):
    model = cox_model(AGE, ties=ties)
    weight = np.exp(slope * model.x[:, 0])
    loglik = spread = 0.0
    for inside, deaths in zip(model.inside, model.deaths, strict=True):
        share = weight[inside] / weight[inside].sum()
        x = model.x[inside, 0]
        loglik -= deaths * math.log(weight[inside].sum())
        spread += deaths * (share @ x**2 - (share @ x) ** 2)
    loglik += slope * float(model.died @ model.x[:, 0])
    at = model.evaluate(np.array([[slope]]))
    assert at.value[0] == pytest.approx(loglik + math.log(spread) / 2.0)
    assert model.covariance(np.array([slope]))[0, 0] == pytest.approx(1.0 / spread)


@pytest.mark.rule("STAT-21")
@pytest.mark.parametrize("name", MODELS)
def test_turned_axes_shift_the_value_by_a_constant_only(name):
    model = MODELS[name]
    axes = np.eye(model.size) + 0.3 * np.tri(model.size)
    points = np.random.default_rng(4).normal(size=(5, model.size))
    there = model.turned(axes).evaluate(np.linalg.solve(axes, points.T).T)
    shift = there.value - model.evaluate(points).value
    assert shift == pytest.approx(np.full(5, math.log(abs(np.linalg.det(axes)))))
    assert there.score == pytest.approx(model.evaluate(points).score @ axes)


@pytest.mark.rule("STAT-22", source="logistf: augmented weights")
def test_the_logistic_covariance_has_weights_with_one_plus_the_leverage():
    model = MODELS["logistic, two"]
    beta = np.array([0.3, -0.5, 0.9])
    eta = model.design @ beta
    weight = np.exp(eta) / (1.0 + np.exp(eta)) ** 2
    hat = np.sqrt(weight)[:, None] * model.design
    leverage = np.diag(hat @ np.linalg.inv(information(model, beta)) @ hat.T)
    expected = np.linalg.inv((model.design * (weight * (1.0 + leverage))[:, None]).T @ model.design)
    assert model.covariance(beta) == pytest.approx(expected)

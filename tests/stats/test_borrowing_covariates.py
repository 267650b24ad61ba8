"""Slopes of dose and marker when baskets borrow: plain sums, the model without slopes, signs, illegal input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from interim.stats import borrowing as b

Y = (1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0)
K = (0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3)
DOSE = np.log(np.array([1.5, 3, 3, 5, 5, 5, 5, 7, 7, 3, 3, 5, 5, 7]) / 5)
HIGH = (1, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1)
P0 = (0.05, 0.10, 0.10, 0.05)


@pytest.fixture(scope="module")
def both():
    return b.covariate_fit(Y, K, p0=P0, log_dose=DOSE, high=HIGH)


@pytest.mark.rule(
    "IB-29", source="importance sampling, two million draws of seed 1: .2189 (.0008), .8057 (.0008)"
)
def test_slopes_against_random_draws(both):
    assert both.dose.p_positive == pytest.approx(0.21886, abs=3e-3)
    assert both.high.p_positive == pytest.approx(0.80566, abs=3e-3)
    assert both.dose.mean == pytest.approx(-0.68946, abs=6e-3)
    assert both.high.mean == pytest.approx(0.72893, abs=6e-3)
    assert both.tau_mean == pytest.approx(0.70873, abs=5e-3)


def plain_slope(y, k, p0, dose):
    """P(slope > 0) and mean by sums over equidistant points of mean, spread, effect and slope."""
    mu, z = np.linspace(-9, 9, 61), np.linspace(-5.5, 5.5, 31)
    tau = (np.arange(24) + 0.5) * 4.5 / 24
    slope = (np.arange(-45, 45) + 0.5) * 0.1
    total = np.zeros(len(slope))
    outer = norm.pdf(mu, 0, 2)[None, :] * norm.pdf(tau)[:, None]
    effect = mu[None, :, None] + tau[:, None, None] * z
    kernel = norm.pdf(z) / norm.pdf(z).sum()
    for place, beta in enumerate(slope):
        whole = outer.copy()
        for basket in sorted(set(k)):
            like = np.ones(effect.shape)
            for one, where, x in zip(y, k, dose, strict=True):
                if where == basket:
                    p = expit(effect + logit(p0[basket]) + beta * x)
                    like = like * (p if one else 1 - p)
            whole *= (like * kernel).sum(-1)
        total[place] = whole.sum() * norm.pdf(beta)
    total /= total.sum()
    return total[slope > 0].sum(), total @ slope


@pytest.mark.rule("IB-29", source="sums over equidistant points")
@pytest.mark.parametrize(
    ("y", "dose"),
    [
        ((1, 0, 0), (0.5, -0.7, 0.0)),
        ((0, 0, 1), (1.0, 1.0, -1.0)),
    ],
)
def test_one_slope_by_plain_sums(y, dose):
    k, p0 = (0, 0, 1), (0.1, 0.2)
    found = b.covariate_fit(y, k, p0=p0, log_dose=dose)
    chance, mean = plain_slope(y, k, p0, dose)
    assert found.dose.p_positive == pytest.approx(chance, abs=1e-3)
    assert found.dose.mean == pytest.approx(mean, abs=2e-3)
    assert found.high is None


@pytest.mark.rule("IB-29")
def test_without_any_difference_in_dose_the_model_is_the_hierarchical_one():
    found = b.covariate_fit(Y, K, p0=P0, log_dose=np.zeros(14))
    whole = b.hierarchical((1, 1, 0, 0), (6, 3, 3, 2), p0=P0)
    assert found.tau_mean == pytest.approx(whole.tau_mean, abs=1e-6)
    assert found.mu_mean == pytest.approx(whole.mu_mean, abs=1e-6)
    assert found.dose.p_positive == pytest.approx(0.5, abs=1e-12)
    assert found.dose.ratio == pytest.approx(1, abs=2e-5)
    assert found.dose.overlap == pytest.approx(1, abs=1e-5)


@pytest.mark.rule("IB-29")
def test_nobody_leaves_the_prior():
    found = b.covariate_fit([], [], p0=P0, log_dose=[], high=[])
    assert (found.dose.p_positive, found.high.p_positive) == (pytest.approx(0.5), pytest.approx(0.5))
    assert found.tau_mean == pytest.approx(np.sqrt(2 / np.pi), abs=1e-6)


@pytest.mark.rule("IB-29")
def test_the_sign_of_the_dose_turns_the_slope():
    up = b.covariate_fit(Y, K, p0=P0, log_dose=DOSE)
    down = b.covariate_fit(Y, K, p0=P0, log_dose=-DOSE)
    assert up.dose.p_positive == pytest.approx(1 - down.dose.p_positive, abs=1e-10)
    assert up.dose.mean == pytest.approx(-down.dose.mean, abs=1e-10)
    assert up.dose.sd == pytest.approx(down.dose.sd, abs=1e-10)


@pytest.mark.rule("IB-29")
def test_the_order_of_participants_and_equal_ones_do_not_matter(both):
    order = np.random.default_rng(3).permutation(14)
    turned = b.covariate_fit(
        np.array(Y)[order], np.array(K)[order], p0=P0, log_dose=DOSE[order], high=np.array(HIGH)[order]
    )
    assert turned.dose.p_positive == pytest.approx(both.dose.p_positive, abs=1e-12)


@pytest.mark.rule("IB-29")
@pytest.mark.parametrize("responders", [0, 14])
def test_no_responder_or_only_responders_are_answered(responders):
    found = b.covariate_fit([int(responders > 0)] * 14, K, p0=P0, log_dose=DOSE, high=HIGH)
    assert 0 < found.dose.p_positive < 1 and 0 < found.high.overlap <= 1
    assert found.dose.ratio < 1.001


@pytest.mark.rule("IB-29")
def test_many_participants_inform():
    y = [1] * 20 + [0] * 20
    found = b.covariate_fit(y, [0] * 40, p0=[0.2], log_dose=[1.0] * 20 + [-1.0] * 20)
    assert found.dose.p_positive > 0.999 and found.dose.ratio < 0.8 and found.dose.overlap < 0.3


@pytest.mark.rule("IB-29")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": (2, 0)}, "y must be 0 or 1"),
        ({"high": (0, 3)}, "high must be 0 or 1"),
        ({"k": (0, 4)}, "k must be below the number of baskets 4"),
        ({"k": (0,)}, "k"),
        ({"log_dose": (0.0, np.inf)}, "log_dose must be finite"),
        ({"log_dose": (0.0, np.nan)}, "log_dose must be finite"),
        ({"p0": (0.05, 1.0)}, "p0"),
        ({"y": (0.5, 0)}, "y"),
    ],
)
def test_illegal_input_is_refused_with_its_name(change, words):
    given = {"y": (1, 0), "k": (0, 1), "p0": P0, "log_dose": (0.0, 0.1), "high": (0, 1)} | change
    with pytest.raises(ValueError, match=words):
        b.covariate_fit(
            given["y"], given["k"], p0=given["p0"], log_dose=given["log_dose"], high=given["high"]
        )

"""Posteriors of the model-based designs against plain sums over dense grids, and the decisions that follow from them."""

from __future__ import annotations

import numpy as np
import pytest

from interim.design import Blrm, Crm, History, Prior
from interim.errors import DesignError

SKELETON = (0.08, 0.16, 0.27, 0.4)
DOSES = (1.5e7, 3e7, 5e7, 7e7)
DATA = [
    # participants, DLT per level
    ((0, 0, 0, 0), (0, 0, 0, 0)),
    ((3, 0, 0, 0), (0, 0, 0, 0)),
    ((3, 3, 0, 0), (0, 1, 0, 0)),
    ((3, 3, 6, 0), (0, 0, 2, 0)),
    ((3, 3, 3, 3), (0, 1, 1, 3)),
    ((3, 0, 0, 0), (3, 0, 0, 0)),
    ((6, 12, 9, 3), (0, 1, 2, 1)),
]


def crm_grid(model, n, y, sd):
    """Parameter values, weights and DLT rates on an even grid."""
    beta = np.linspace(-10 * sd, 10 * sd, 40001)
    slope, skeleton = np.exp(beta)[:, None], np.array(SKELETON)
    if model == "empiric":
        rates = skeleton**slope
    else:
        x = np.log(skeleton / (1 - skeleton)) - 3.0
        rates = 1 / (1 + np.exp(-np.clip(3.0 + slope * x, -700, 700)))
    rates = np.clip(rates, 1e-300, 1 - 1e-16)
    weight = np.exp(-0.5 * (beta / sd) ** 2) * np.prod(rates**y * (1 - rates) ** (np.subtract(n, y)), axis=1)
    return beta, weight / weight.sum(), rates


@pytest.mark.rule("DOSE-20", source="sum over a dense grid")
@pytest.mark.parametrize("model", ["empiric", "logistic"])
@pytest.mark.parametrize("sd", [0.6, 1.34**0.5])
@pytest.mark.parametrize(("n", "y"), DATA)
def test_crm_posterior(model, sd, n, y):
    beta, weight, rates = crm_grid(model, n, y, sd)
    found = Crm(SKELETON, 0.25, model=model, prior_sd=sd).posterior_of(n, y)
    mean = float(weight @ beta)
    assert found.parameter_mean == pytest.approx(mean, abs=1e-6)
    assert found.parameter_var == pytest.approx(float(weight @ (beta - mean) ** 2), rel=1e-5)
    assert found.mean == pytest.approx(weight @ rates, abs=1e-6)
    assert np.all(np.diff(found.mean) > 0) and np.all(np.diff(found.plug_in) > 0)
    assert np.all(found.lower <= found.plug_in) and np.all(found.plug_in <= found.upper)


@pytest.mark.rule("DOSE-20", source="sum over a dense grid")
@pytest.mark.parametrize("estimate", ["plug_in", "posterior_mean"])
@pytest.mark.parametrize(("n", "y"), DATA)
def test_crm_chooses_the_level_nearest_to_the_target(estimate, n, y):
    beta, weight, rates = crm_grid("empiric", n, y, 1.34**0.5)
    expected = weight @ rates if estimate == "posterior_mean" else np.array(SKELETON) ** np.exp(weight @ beta)
    design = Crm(SKELETON, 0.25, estimate=estimate)
    arrays = np.array([n]), np.array([y])
    assert design.estimates(*arrays)[0] == pytest.approx(expected, abs=1e-5)
    assert design.choose(*arrays)[0] == np.argmin(np.abs(expected - 0.25)) + 1


PRIORS = [Prior(), Prior((-0.5, 0.2), ((1.0, -0.3), (-0.3, 0.5)))]


def blrm_grid(prior, n, y):
    """Weights and DLT rates on an even grid of log alpha and log beta."""
    cov, mean = np.array(prior.cov), np.array(prior.mean)
    axes = [
        np.linspace(m - 7 * v**0.5, m + 7 * v**0.5, k)
        for m, v, k in zip(mean, np.diag(cov), (901, 501), strict=True)
    ]
    a, b = (part.ravel() for part in np.meshgrid(*axes, indexing="ij"))
    off = np.stack([a - mean[0], b - mean[1]])
    log_weight = -0.5 * np.einsum("ik,ij,jk->k", off, np.linalg.inv(cov), off)
    eta = a[:, None] + np.exp(b)[:, None] * np.log(np.array(DOSES) / 5e7)
    log_weight += (np.array(y) * -np.logaddexp(0, -eta) - np.subtract(n, y) * np.logaddexp(0, eta)).sum(
        axis=1
    )
    weight = np.exp(log_weight - log_weight.max())
    return a, b, weight / weight.sum(), 1 / (1 + np.exp(-np.clip(eta, -700, 700)))


def share_below(a, b, cuts):
    """Share of the cell of every grid point with a DLT rate below a cut, one cut per level."""
    step = np.diff(np.unique(a))[0]
    limit = np.log(cuts / (1 - cuts)) - np.exp(b)[:, None] * np.log(np.array(DOSES) / 5e7)
    return np.clip((limit - a[:, None]) / step + 0.5, 0, 1)


@pytest.mark.rule("DOSE-21", source="sum over a dense grid")
@pytest.mark.parametrize("prior", PRIORS, ids=["default", "correlated"])
@pytest.mark.parametrize(("n", "y"), DATA[::2])
def test_blrm_posterior(prior, n, y):
    a, b, weight, rates = blrm_grid(prior, n, y)
    design = Blrm(DOSES, 5e7, prior=prior)
    found = design.posterior_of(n, y)
    assert found.mean == pytest.approx(weight @ rates, abs=1e-5)
    assert found.parameter_mean == pytest.approx((weight @ a, weight @ b), abs=1e-4)
    assert found.interval_probs.sum(axis=1) == pytest.approx(1)
    first, second = (weight @ share_below(a, b, np.full(4, cut)) for cut in (0.16, 0.33))
    probs = np.stack([first, second - first, 1 - second], axis=1)
    assert found.interval_probs == pytest.approx(probs, abs=2e-4)
    assert found.ewoc_ok.tolist() == (found.interval_probs[:, 2] <= 0.25).tolist()
    middle = design.quantiles_of(n, y, [0.5])[:, 0]
    # A quantile lies between two nodes of the quadrature, which hold up to one per cent of the mass.
    assert weight @ share_below(a, b, middle) == pytest.approx(0.5, abs=1e-2)


@pytest.mark.rule("DOSE-21")
@pytest.mark.parametrize("ewoc", [0.15, 0.25, 0.4])
@pytest.mark.parametrize(("n", "y"), DATA[1:])
def test_blrm_takes_the_admissible_level_with_the_largest_target_probability(ewoc, n, y):
    design = Blrm(DOSES, 5e7, ewoc=ewoc, n_max=60)
    probs = design.posterior_of(n, y).interval_probs
    current = max(level for level in range(1, 5) if n[level - 1])
    admissible = [level for level in range(1, 5) if probs[level - 1, 2] <= ewoc and level <= current + 1]
    best = max(admissible, key=lambda level: probs[level - 1, 1]) if admissible else None
    text = " ".join(
        f"{level}{'T' * t}{'N' * (k - t)}" for level, (k, t) in enumerate(zip(n, y, strict=True), 1) if k
    )
    decision = design.decide(History.parse(text, levels=4))
    assert (decision.action, decision.level) == (("ENROL", best) if best else ("STOP", None))
    over = [level for level in range(1, 5) if probs[level - 1, 2] > ewoc]
    assert decision.excluded_from == (over[0] if over else None)


@pytest.mark.rule("DOSE-20")
@pytest.mark.parametrize(
    ("text", "most"),
    [
        # history, highest level that may follow: one up, or none after a cohort at the target rate
        ("1NNN", 2),
        ("1NNN 2NNN", 3),
        ("1NNN 2NNN 3NNT", 3),
        ("1NNN 2NNN 3NNNNNT", 3),
        ("1NNN 2NNN 3NTTNNN", 4),
    ],
)
def test_crm_skips_no_level_and_holds_after_a_toxic_cohort(text, most):
    design = Crm((0.01, 0.02, 0.03, 0.05), 0.33, n_max=30)
    free = Crm((0.01, 0.02, 0.03, 0.05), 0.33, n_max=30, no_skipping=False)
    history = History.parse(text, levels=4)
    wanted = free.decide(history).level
    # One DLT in three is a rate of 0.333, which reaches the target of 0.33.
    assert design.decide(history).level == min(wanted, most)


@pytest.mark.rule("DOSE-20")
@pytest.mark.parametrize(("n", "y"), DATA)
def test_one_more_dlt_raises_the_estimates(n, y):
    """One parameter: at every level; two parameters: at the level itself, the slope may turn."""
    crm, blrm = Crm(SKELETON, 0.25), Blrm(DOSES, 5e7)
    for place in (k for k in range(4) if y[k] < n[k]):
        more = tuple(count + (k == place) for k, count in enumerate(y))
        assert np.all(crm.posterior_of(n, more).mean > crm.posterior_of(n, y).mean)
        assert blrm.posterior_of(n, more).mean[place] > blrm.posterior_of(n, y).mean[place]


@pytest.mark.rule("DOSE-21")
@pytest.mark.parametrize(
    "cov",
    [((0.0, 0.0), (0.0, 1.0)), ((1.0, 0.5), (0.4, 1.0)), ((1.0, 1.0), (1.0, 1.0)), ((1.0, 2.0), (2.0, 1.0))],
)
def test_a_matrix_that_is_no_covariance(cov):
    with pytest.raises(DesignError, match="positive definite"):
        Prior((0.0, 0.0), cov)

"""Model-based designs: posteriors and exact characteristics against independent quadrature and recursion."""

from __future__ import annotations

import numpy as np
import pytest

from interim.design import Blrm, Crm, History, Prior, compile_design
from interim.errors import DesignError


def crm_of(case, **more):
    return Crm(
        tuple(case["prior"]),
        case["target"],
        model=case["model"],
        prior_sd=case["scale"],
        intercept=case["intcpt"],
        **more,
    )


def counts(case):
    level, tox = np.atleast_1d(case["level"]), np.atleast_1d(case["tox"])
    places = range(1, len(case["prior"]) + 1)
    return [int((level == j).sum()) for j in places], [int(tox[level == j].sum()) for j in places]


@pytest.mark.rule("DOSE-20", source="dfcrm 0.2-2.1, adaptive quadrature in R 4.2.2")
@pytest.mark.parametrize("place", range(7))
def test_crm_posteriors(numbers, place):
    case = numbers("crm_posteriors.json")["data"][place]
    n, y = counts(case)
    design = crm_of(case)
    found = design.posterior_of(n, y, level=case["conf.level"])
    assert found.parameter_mean == pytest.approx(case["exact_mean"], abs=1e-8)
    assert found.parameter_var == pytest.approx(case["exact_var"], abs=1e-8)
    assert found.parameter_mean == pytest.approx(case["estimate"], abs=2e-8)
    assert np.allclose(found.plug_in, case["ptox"], rtol=0, atol=1e-8)
    assert np.allclose(found.mean, case["exact_posterior_mean_ptox"], rtol=0, atol=1e-9)
    assert np.allclose(found.lower, case["ptoxL"], rtol=0, atol=1e-6)
    assert np.allclose(found.upper, case["ptoxU"], rtol=0, atol=1e-6)
    assert design.choose(np.array([n]), np.array([y])).tolist() == [case["mtd"]]


@pytest.mark.rule("DOSE-20", source="exact recursion; dfcrm 0.2-2.1 crmsim within 4 standard errors")
@pytest.mark.parametrize("name", ["c1", "c2"])
def test_crm_characteristics(numbers, name):
    case = numbers(f"crm_oc_{name}.json")
    found = compile_design(Crm(tuple(case["prior"]), case["target"], n_max=24)).evaluate(case["p"])
    assert np.allclose(found.sel[1:], case["sel"], rtol=0, atol=1e-10)
    assert np.allclose(found.EN, case["EN"], rtol=0, atol=1e-10)
    peer = np.array(case["peer_sel"])
    error = np.sqrt(np.maximum(peer * (1 - peer), 1e-3) / case["peer_nsim"])
    assert np.all(np.abs(peer - found.sel[1:]) < 4 * error)


@pytest.mark.rule("DOSE-20")
def test_the_two_estimates_differ_with_little_data():
    design = Crm((0.05, 0.12, 0.25, 0.40), 0.25)
    found = design.posterior(History.parse("1NNN 2NNN", levels=4))
    assert found.mean[3] > found.plug_in[3] + 0.05
    other = Crm((0.05, 0.12, 0.25, 0.40), 0.25, estimate="posterior_mean")
    n, y = np.array([[3, 3, 0, 0]]), np.array([[0, 0, 0, 0]])
    assert np.allclose(other.estimates(n, y)[0], found.mean, atol=1e-9)
    assert np.allclose(design.estimates(n, y)[0], found.plug_in, atol=1e-7)


@pytest.mark.rule("DOSE-20")
def test_no_escalation_after_a_toxic_cohort():
    skeleton = (0.05, 0.12, 0.25, 0.40)
    held = Crm(skeleton, 1 / 3)
    assert held.is_hot(3, 1)
    assert not held.is_hot(3, 0)
    assert not held.is_hot(0, 0)
    free = Crm(skeleton, 0.3, no_skipping=False)
    assert free.decide(History.parse("1NNN", levels=4)).level > 2
    assert Crm(skeleton, 0.3).decide(History.parse("1NNN", levels=4)).level == 2
    toxic = Crm(skeleton, 0.3).decide(History.parse("1NNN 1NNN 2NNN 2NNT", levels=4))
    assert toxic.level <= 2


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Crm((0.2, 0.1), 0.3), "increasing"),
        (lambda: Crm((0.2, 1.1), 0.3), "between 0 and 1"),
        (lambda: Crm((0.2, 0.3), 0.3, doses=(1,)), "2 doses"),
        (lambda: Prior(cov=((1, 2), (2, 1))), "positive definite"),
        (lambda: Blrm((1, 2), 0), "> 0"),
        (lambda: Blrm((1, 2), 1, cuts=(0.3, 0.2)), "cuts"),
    ],
)
def test_models_that_cannot_be_run(build, words):
    with pytest.raises(DesignError, match=words):
        build()


def blrm_of(case, cuts):
    cov = tuple(tuple(row) for row in case["prior_cov"])
    return Blrm(
        tuple(case["doses"]),
        case["dref"],
        prior=Prior(tuple(case["prior_mean"]), cov),
        cuts=tuple(case[cuts]),
    )


@pytest.mark.rule("DOSE-21", source="deterministic quadrature, importance sampling, JAGS")
@pytest.mark.parametrize("name", ["cart_none", "cart_mid", "corr_prior", "ewoc_tgt"])
def test_blrm_intervals(numbers, name):
    case = numbers("blrm_intervals.json")["cases"][name]
    design = blrm_of(case, "interval_cuts")
    found = design.posterior_of(case["n"], case["y"])
    for row, mean, probs in zip(case["per_dose"], found.mean, found.interval_probs, strict=True):
        assert mean == pytest.approx(row["mean"], abs=1e-10)
        assert np.allclose(probs, row["probs"], rtol=0, atol=1e-10)
        assert probs[2:].sum() == pytest.approx(row["ewoc_overdose"], abs=1e-10)
    assert found.parameter_mean == pytest.approx((case["E_logalpha"], case["E_logbeta"]), abs=1e-10)
    assert found.parameter_var == pytest.approx((case["V_logalpha"], case["V_logbeta"]), abs=1e-10)
    target, over = design.probabilities(np.array([case["n"]]), np.array([case["y"]]))
    assert np.allclose(target[0], found.interval_probs[:, 1], rtol=0, atol=1e-5)
    assert np.allclose(over[0], found.interval_probs[:, 2:].sum(axis=1), rtol=0, atol=1e-5)


@pytest.mark.rule("DOSE-21", source="Neuenschwander, Branson, Gsponer 2008; bcrm with JAGS")
def test_published_example(numbers):
    case = numbers("published_anchors.json")["nbg2008"]
    found = blrm_of(case, "exact_interval_cuts").posterior_of(case["n"], case["y"])
    assert np.allclose(found.mean, case["exact_means"], rtol=0, atol=1e-10)
    assert np.allclose(found.interval_probs, case["exact_probs"], rtol=0, atol=1e-10)
    assert np.allclose(found.mean, case["bcrm_jags_means"], rtol=0, atol=0.005)


@pytest.mark.rule("DOSE-21", source="two implementations, numbers of the design document")
@pytest.mark.parametrize(
    ("n_max", "sel", "treated"),
    [
        (18, [0.144717, 0.023193, 0.249628, 0.394388, 0.188074], [3.41355, 5.49966, 4.36272, 2.56666]),
        (30, [0.144742, 0.020497, 0.267111, 0.401733, 0.165917], [3.69729, 8.70411, 8.83655, 4.86785]),
    ],
)
def test_blrm_characteristics(n_max, sel, treated):
    found = compile_design(Blrm((1.5, 3, 5, 7), 5, n_max=n_max)).evaluate([0.05, 0.10, 0.20, 0.35])
    assert np.allclose(found.sel, sel, rtol=0, atol=2e-6)
    assert np.allclose(found.EN, treated, rtol=0, atol=1e-5)


@pytest.mark.rule("DOSE-21")
def test_overdose_control_on_a_history():
    design = Blrm((1.5, 3, 5, 7), 5)
    found = design.posterior(History.parse("1N", levels=4))
    assert found.ewoc_ok.tolist() == [True, True, False, False]
    decision = design.decide(History.parse("1NNN", levels=4))
    assert decision.level == 2
    toxic = design.decide(History.parse("1TTT", levels=4))
    assert (toxic.action, toxic.mtd_status) == ("STOP", "below_lowest")
    assert design.select(History.parse("1NNN", levels=4)).level is not None


@pytest.mark.rule("DOSE-21", source="the fine quadrature, which the reference file holds to 1e-10")
def test_fast_posteriors_of_final_states_are_exact_to_five_decimals():
    """States at the end of ten cohorts: the narrowest posteriors that a design meets."""
    design = Blrm((1.5e7, 3e7, 5e7, 7e7), 5e7, n_max=30)
    n = np.array([[3, 6, 15, 6], [30, 0, 0, 0], [3, 3, 3, 21], [3, 27, 0, 0], [6, 6, 9, 9], [3, 3, 24, 0]])
    y = np.array([[0, 1, 4, 3], [6, 0, 0, 0], [0, 0, 0, 5], [1, 7, 0, 0], [1, 2, 2, 4], [0, 1, 8, 0]])
    target, over = design.probabilities(n, y)
    for row in range(len(n)):
        fine = design.posterior_of(n[row], y[row]).interval_probs
        assert np.abs(target[row] - fine[:, 1]).max() < 1e-5
        assert np.abs(over[row] - fine[:, 2:].sum(axis=1)).max() < 1e-5

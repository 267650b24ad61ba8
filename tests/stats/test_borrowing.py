"""Borrowing models: independent numbers, laws that must hold whatever the data, and illegal input."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.special import expit, logit
from scipy.stats import beta, norm

from interim.stats import borrowing as b
from interim.stats.borrowing_fit import BasketFit
from interim.stats.borrowing_grid import lattice
from interim.stats.borrowing_laws import BetaMixture
from interim.stats.borrowing_partition import partitions

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "basket"
R, N, P0 = [1, 1, 0, 0], [6, 3, 3, 2], [0.05, 0.10, 0.10, 0.05]
STATES = tuple((y, 17, 0.0) for y in range(3))
WEIGHTS = b.ExnexPrior((0.5, 0.5, 0.5, 0.25))
PUBLISHED = {
    "independent": ([0.757543, 0.774819, 0.078364, 0.078625], [0.150000, 0.275000, 0.025000, 0.016667]),
    "hierarchical": ([0.742048, 0.745805, 0.592373, 0.629613], [0.110231, 0.203506, 0.150214, 0.093500]),
    "exnex": ([0.755845, 0.773573, 0.337089, 0.441114], [0.134340, 0.254455, 0.096272, 0.079822]),
    "weighted": ([0.761731, 0.779367, 0.341168, 0.397520], [0.136534, 0.258092, 0.097694, 0.075750]),
    "partition": ([0.895152, 0.838954, 0.512637, 0.722661], [0.193335, 0.277586, 0.138029, 0.158924]),
}
FITS = {
    "independent": b.independent,
    "hierarchical": b.hierarchical,
    "exnex": b.exnex,
    "weighted": lambda r, n, *, p0: b.exnex(r, n, p0=p0, prior=WEIGHTS),
    "partition": b.partition_average,
}
QUADRATURE = ("hierarchical", "exnex")


@pytest.mark.rule("IB-01", source="spec table of four types by two separate rules")
@pytest.mark.parametrize("model", list(PUBLISHED))
def test_four_types_by_every_model(model):
    fit = FITS[model](R, N, p0=P0)
    prob, mean = PUBLISHED[model]
    assert fit.prob_above == pytest.approx(prob, abs=1e-6)
    assert fit.mean == pytest.approx(mean, abs=1e-6)


@pytest.mark.rule("IB-02", source="JAGS, 240000 draws")
@pytest.mark.parametrize("number", range(20))
def test_simulated_values_of_a_peer_within_their_standard_errors(number):
    case = json.loads((FOLDER / "bhm_exnex.json").read_text())[number]
    shared = b.HierarchicalPrior(case["mu_mean"], case["mu_sd"], case["tau_halfnormal_scale"])
    if case["model"] == "exnex":
        prior = b.ExnexPrior(case["w_ex"], case["nex_mean"], case["nex_sd"], shared)
        fit = b.exnex(
            case["r"],
            case["n"],
            p0=case["p0"],
            prior=prior,
            offset=case["logit_offset"],
            grid=b.Grid.normal(),
        )
    else:
        fit = b.hierarchical(
            case["r"],
            case["n"],
            p0=case["p0"],
            prior=shared,
            offset=case["logit_offset"],
            grid=b.Grid.normal(),
        )
    jags = case["jags"]
    assert np.all(np.abs(fit.mean - jags["mean"]) <= 4 * np.array(jags["mean_mcse"]) + 5e-4)
    assert np.all(np.abs(fit.prob_above - jags["prob_gt_p0"]) <= 4 * np.array(jags["prob_mcse"]) + 5e-4)
    assert fit.lower == pytest.approx(jags["q025"], abs=0.01)
    assert fit.upper == pytest.approx(jags["q975"], abs=0.01)


@pytest.mark.rule("IB-02")
def test_one_basket_against_adaptive_integration():
    """theta ~ N(0, 4 + tau^2): one outer integral over tau, one inner over theta, by another rule."""
    r, n, p0, scale = 2, 7, 0.1, 1.0

    def inner(power, low):
        def outer(tau):
            sd = math.sqrt(4 + tau**2)
            x = np.linspace(low, 40, 40001 if low < 0 else 20001)
            y = expit(x + logit(p0)) ** (r + power) * expit(-x - logit(p0)) ** (n - r) * norm.pdf(x, 0, sd)
            return integrate.simpson(y, x=x) * 2 * norm.pdf(tau, 0, scale)

        taus = np.linspace(0, 6.5, 201)
        return integrate.simpson([outer(tau) for tau in taus], x=taus)

    total = inner(0, -40)
    fit = b.hierarchical([r], [n], p0=p0)
    assert fit.mean[0] == pytest.approx(inner(1, -40) / total, abs=1e-8)
    assert fit.prob_above[0] == pytest.approx(inner(0, 0) / total, abs=1e-8)
    assert fit.log_marginal == pytest.approx(math.log(total * math.comb(n, r)), abs=1e-8)


@pytest.mark.rule("IB-03")
@pytest.mark.parametrize("model", ["hierarchical", "exnex", "partition", "independent"])
def test_martingale_the_mean_of_tomorrows_probability_is_todays(model):
    fit = FITS[model](R, N, p0=P0)
    tomorrow = np.zeros(4)
    mass = fit.predictive(0, m=3)
    for y, weight in enumerate(mass):
        tomorrow += weight * FITS[model]([R[0] + y, *R[1:]], [N[0] + 3, *N[1:]], p0=P0).prob_above
    assert mass.sum() == pytest.approx(1, abs=1e-10)
    assert tomorrow == pytest.approx(fit.prob_above, abs=2e-9)


@pytest.mark.rule("IB-03")
def test_all_exchangeable_is_hierarchical_and_none_is_ones_own_model():
    both = b.exnex(R, N, p0=P0, prior=b.ExnexPrior(1.0))
    assert both.prob_above == pytest.approx(b.hierarchical(R, N, p0=P0).prob_above, abs=1e-10)
    assert both.p_exchangeable == pytest.approx(np.ones(4))
    none = b.exnex(R, N, p0=P0, prior=b.ExnexPrior(0.0))
    for k in range(4):
        alone = b.exnex([R[k]], [N[k]], p0=P0[k], prior=b.ExnexPrior(0.0))
        assert none.prob_above[k] == pytest.approx(alone.prob_above[0], abs=1e-10)
    assert none.p_exchangeable == pytest.approx(np.zeros(4))


@pytest.mark.rule("IB-03")
@pytest.mark.parametrize("model", list(FITS))
def test_an_empty_basket_changes_nothing_for_others(model):
    if model == "weighted":
        return
    fit = FITS[model](R, N, p0=P0)
    more = FITS[model]([*R, 0], [*N, 0], p0=[*P0, 0.05])
    assert more.prob_above[:4] == pytest.approx(fit.prob_above, abs=1e-8 if model != "partition" else 1)
    if model != "partition":
        assert more.mean[:4] == pytest.approx(fit.mean, abs=1e-9)


@pytest.mark.rule("IB-03")
def test_an_empty_basket_under_partitions_with_flat_weights():
    """With block power 0 the partitions that differ by the empty basket only add up to the old weight times a constant
    that depends on the number of blocks; the identity is exact for one other basket."""
    fit = b.partition_average([1], [6], p0=0.05)
    more = b.partition_average([1, 0], [6, 0], p0=0.05)
    assert more.prob_above[0] == pytest.approx(fit.prob_above[0], abs=1e-14)


@pytest.mark.rule("IB-03")
@pytest.mark.parametrize("model", ["hierarchical", "exnex", "partition", "independent"])
def test_permuted_baskets_permute_answers(model):
    order = [2, 0, 3, 1]
    fit = FITS[model](R, N, p0=P0)
    other = FITS[model](np.array(R)[order], np.array(N)[order], p0=np.array(P0)[order])
    assert other.prob_above == pytest.approx(fit.prob_above[order], abs=1e-12)
    assert other.mean == pytest.approx(fit.mean[order], abs=1e-12)


@pytest.mark.rule("IB-03")
@pytest.mark.parametrize("model", ["hierarchical", "exnex"])
def test_grids_agree_and_hold_the_prior_mass(model):
    fine = FITS[model](R, N, p0=P0)
    for grid, error in ((b.Grid.normal(), 1e-6), (b.Grid.coarse(), 2e-5)):
        other = getattr(b, model)(R, N, p0=P0, grid=grid)
        assert other.prob_above == pytest.approx(fine.prob_above, abs=error)
        assert other.prior_mass == pytest.approx(1, abs=1e-9)


@pytest.mark.rule("IB-04")
def test_a_grid_that_lacks_prior_mass_is_refused(monkeypatch):
    """Half the prior is left out: the numbers would converge, and be wrong."""
    monkeypatch.setattr("interim.stats.borrowing_grid._TAU_REACH", 1.0)
    monkeypatch.setattr(
        "interim.stats.borrowing_joint._lattice", lambda *a: lattice(a[0], a[1], np.array(a[2]))
    )
    with pytest.raises(ArithmeticError, match="prior mass"):
        b.hierarchical([1, 0], [4, 5], p0=0.123)


@pytest.mark.rule("IB-04")
def test_a_law_that_lacks_mass_is_refused():
    law = BetaMixture(np.array([0.9]), np.ones(1), np.ones(1))
    with pytest.raises(ArithmeticError, match="posterior masses"):
        BasketFit("x", np.zeros(1), np.ones(1), np.array([0.1]), (law,))


@pytest.mark.rule("IB-03")
@pytest.mark.parametrize("model", ["independent", "hierarchical", "exnex", "partition"])
def test_own_probability_rises_with_own_responses(model):
    table = b.compile_outcomes([4, 3], [0.05, 0.10], model=model)
    for row, prob in zip(table.outcomes, table.prob, strict=True):
        for k in range(2):
            more = row.copy()
            more[k] += 1
            if more[k] <= table.n[k]:
                place = np.flatnonzero((table.outcomes == more).all(axis=1))[0]
                assert table.prob[place, k] > prob[k]


@pytest.mark.rule("IB-05")
@pytest.mark.parametrize("model", ["hierarchical", "exnex", "partition", "independent"])
def test_the_table_of_outcomes_holds_the_fits(model):
    """Two rules: integrals split at the cut for the table, the density of each effect for the fit."""
    states = [((1, 2, 2.0), (2, 2, 1.0))] * 3
    table = b.compile_outcomes([3, 2, 0], [0.05, 0.10, 0.2], model=model, success=states)
    assert len(table.outcomes) == 12
    for place in (0, 5, 11):
        fit = FITS[model](table.outcomes[place], [3, 2, 0], p0=[0.05, 0.10, 0.2])
        assert table.prob[place] == pytest.approx(fit.prob_above, abs=1e-6)
        assert table.mean[place] == pytest.approx(fit.mean, abs=1e-7)
        assert table.success[place] == pytest.approx([fit.success(k, states[k]) for k in range(3)], abs=1e-7)


@pytest.mark.rule("IB-05")
@pytest.mark.parametrize("model", ["hierarchical", "exnex"])
def test_equal_baskets_are_computed_once_per_multiset(model):
    table = b.compile_outcomes([2, 2, 2], 0.1, model=model)
    other = b.compile_outcomes([2, 2, 2], [0.1, 0.1, 0.1 + 1e-13], model=model)
    assert table.prob == pytest.approx(other.prob, abs=1e-8)
    swapped = table.prob[
        [np.flatnonzero((table.outcomes == row[::-1]).all(axis=1))[0] for row in table.outcomes]
    ]
    assert table.prob == pytest.approx(swapped[:, ::-1], abs=1e-14)


@pytest.mark.rule("IB-05")
@given(st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3))
@settings(max_examples=20, deadline=None)
def test_weights_of_outcomes_sum_to_one(rates):
    table = b.compile_outcomes([2, 3, 1], 0.1, model="independent")
    weights = table.weights(rates)
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert weights @ table.outcomes == pytest.approx(np.array(rates) * [2, 3, 1])


@pytest.mark.rule("IB-06")
@pytest.mark.parametrize("model", list(FITS))
def test_quantiles_invert_the_tail(model):
    fit = FITS[model](R, N, p0=P0)
    for q in (0.025, 0.5, 0.975):
        assert fit.prob_gt(fit.quantile(q)) == pytest.approx(np.full(4, 1 - q), abs=1e-9)
    assert np.all(fit.lower < fit.mean) and np.all(fit.mean < fit.upper)


@pytest.mark.rule("IB-06")
def test_tails_beyond_the_nodes():
    fit = b.hierarchical([1], [4], p0=0.1)
    assert fit.prob_gt(1e-30) == 1.0
    assert fit.prob_gt(1e-20)[0] == pytest.approx(1.0, abs=1e-9)
    law = fit.laws[0]
    assert law._above(law.edges[-1] + 1) == 0.0


@pytest.mark.rule("IB-01")
def test_effective_size_and_what_is_borrowed():
    alone = b.independent(R, N, p0=P0)
    assert alone.ess == pytest.approx(np.array(N) + 1.0)
    assert alone.borrowed == pytest.approx(np.zeros(4), abs=1e-12)
    assert np.all(b.partition_average(R, N, p0=P0).borrowed > 0)


@pytest.mark.rule("IB-01")
def test_independent_is_a_beta_posterior():
    fit = b.independent([2, 0], [5, 0], p0=0.2, prior=(0.5, 0.5))
    assert fit.mean == pytest.approx([2.5 / 6, 0.5])
    assert fit.prob_above == pytest.approx([beta.sf(0.2, 2.5, 3.5), beta.sf(0.2, 0.5, 0.5)])
    assert b.independent([1], [1], p0=0.3).log_marginal == pytest.approx(math.log(0.3))


@pytest.mark.rule("IB-01")
def test_partitions_by_enumeration():
    """All partitions of three baskets by hand: five, and their weights by their evidence."""
    assert len(partitions(5)) == 52
    r, n = [2, 0, 1], [4, 3, 2]
    fit = b.partition_average(r, n, p0=0.1)
    total, same = 0.0, 0.0
    for blocks in partitions(3):
        weight = float(len(blocks))
        for block in blocks:
            x, m = sum(r[k] for k in block), sum(n[k] for k in block)
            weight *= integrate.quad(
                lambda p, x=x, m=m: p**x * (1 - p) ** (m - x) * beta.pdf(p, 0.5, 0.5), 0, 1
            )[0]
        total += weight
        same += weight * any({0, 2} <= set(block) for block in blocks)
    assert fit.share[0, 2] == pytest.approx(same / total, abs=1e-6)


@pytest.mark.rule("IB-08", source="spec table of four types")
def test_predictive_probability_of_success_of_the_two_stage_design():
    from interim.design.expansion import two_stages

    states = two_stages(9, 0, n=17, r=2).go_states()
    expected = {
        "independent": [0.391402, 0.631700, 0.055852, 0.037071],
        "hierarchical": [0.276941, 0.537196, 0.402065, 0.222277],
        "weighted": [0.354899, 0.615908, 0.238465, 0.171596],
        "partition": [0.522090, 0.662758, 0.358172, 0.401629],
    }
    for model, numbers in expected.items():
        fit = FITS[model](R, N, p0=P0)
        assert [fit.success(k, states) for k in range(4)] == pytest.approx(numbers, abs=1e-6)


@pytest.mark.rule("IB-08")
def test_predictive_law_of_own_data_is_beta_binomial():
    from scipy.stats import betabinom

    fit = b.independent([1], [6], p0=0.05)
    assert fit.predictive(0, m=5) == pytest.approx(betabinom.pmf(range(6), 5, 1.05, 5.95))
    assert fit.path_moment(0, s=1, f=0) == pytest.approx(fit.mean[0])


@pytest.mark.rule("IB-08")
def test_success_by_size_on_new_participants_and_pooled():
    """Own data 1 of 6 at p0 .05: the fewest responses of nine that give P(p > .05) > .90, alone and with the six."""
    from scipy.stats import betabinom

    fit = b.independent([1], [6], p0=0.05)
    alone = next(y for y in range(10) if beta.sf(0.05, 0.05 + y, 0.95 + 9 - y) > 0.9)
    pooled = next(y for y in range(10) if beta.sf(0.05, 0.05 + 1 + y, 0.95 + 5 + 9 - y) > 0.9)
    law = betabinom(9, 1.05, 5.95)
    assert fit.size_success(0, m=9, cut=0.9) == pytest.approx(law.sf(alone - 1))
    assert fit.size_success(0, m=9, cut=0.9, pooled=True) == pytest.approx(law.sf(pooled - 1))
    empty = b.independent([0], [0], p0=0.05)
    assert empty.size_success(0, m=9, cut=0.9, pooled=True) == empty.size_success(0, m=9, cut=0.9)


@pytest.mark.rule("IB-03")
@pytest.mark.parametrize("model", ["hierarchical", "exnex"])
def test_ranks_of_true_rates_are_uniform_under_the_prior(model):
    """Rates are drawn from the prior and data from the rates: the posterior tail at the true rate must be uniform."""
    from scipy.stats import kstest

    rng = np.random.default_rng(20251225)
    n, p0, ranks = np.array([6, 3, 9]), np.array([0.1, 0.2, 0.1]), []
    for _ in range(60):
        mu, tau = rng.normal(0, 2), abs(rng.normal(0, 1))
        theta = rng.normal(mu, tau, 3)
        if model == "exnex":
            theta = np.where(rng.random(3) < 0.5, theta, rng.normal(0, 2.5, 3))
        p = np.clip(expit(theta + logit(p0)), 1e-12, 1 - 1e-12)
        fit = getattr(b, model)(rng.binomial(n, p), n, p0=p0, grid=b.Grid.coarse())
        ranks.append(fit.prob_gt(p)[rng.integers(3)])
    assert kstest(ranks, "uniform").pvalue > 0.01


@pytest.mark.rule("IB-07")
def test_comparison_methods_without_similarity_are_independent():
    fit = b.power_prior([0, 9], [9, 9], p0=0.1, cut=0.9)
    assert fit.share == pytest.approx(np.eye(2))
    assert fit.mean == pytest.approx([1 / 11, 10 / 11])
    lone = b.multisource([0, 9], [9, 9], p0=0.1, inclusion=0.0)
    assert lone.mean == pytest.approx([0.5 / 10, 9.5 / 10])
    pooled = b.multisource([0, 9], [9, 9], p0=0.1, inclusion=1.0)
    assert pooled.mean == pytest.approx([0.5, 0.5])


@pytest.mark.rule("IB-07")
def test_power_prior_lifts_a_type_over_a_cut_that_its_own_data_do_not_reach():
    """Two of fifteen: alone P(p > .10) is far from .95, beside four active types it is above."""
    lifted = b.power_prior([2, 4, 4, 5, 5], [15] * 5, p0=0.10).prob_above[0]
    assert lifted > 0.95
    assert beta.sf(0.10, 1 + 2, 1 + 13) < 0.85


BAD = [
    (dict(r=[2], n=[1], p0=0.1), "r must be <= n"),
    (dict(r=[-1], n=[1], p0=0.1), "r"),
    (dict(r=[0.5], n=[1], p0=0.1), "whole number"),
    (dict(r=[math.nan], n=[1], p0=0.1), "whole number"),
    (dict(r=[], n=[], p0=0.1), "at least one basket"),
    (dict(r=[1, 0], n=[1, 1, 1], p0=0.1), "same length"),
    (dict(r=[0], n=[1], p0=0.0), "p0"),
    (dict(r=[0], n=[1], p0=1.0), "p0"),
    (dict(r=[0], n=[1], p0=[0.1, 0.2]), "one rate or 1"),
]


@pytest.mark.rule("IB-01")
@pytest.mark.parametrize(("values", "words"), BAD)
@pytest.mark.parametrize(
    "model", [b.independent, b.hierarchical, b.exnex, b.partition_average, b.power_prior, b.multisource]
)
def test_illegal_counts_and_rates_are_refused(model, values, words):
    with pytest.raises(ValueError, match=words):
        model(values["r"], values["n"], p0=values["p0"])


@pytest.mark.rule("IB-01")
@pytest.mark.parametrize(
    "make",
    [
        lambda: b.HierarchicalPrior(mu_sd=0),
        lambda: b.HierarchicalPrior(tau_scale=-1),
        lambda: b.HierarchicalPrior(mu_mean=math.inf),
        lambda: b.ExnexPrior(1.5),
        lambda: b.ExnexPrior(nex_sd=0),
        lambda: b.PartitionPrior(a=0),
        lambda: b.PartitionPrior(block_power=-1),
        lambda: b.independent([0], [1], p0=0.1, prior=(0, 1)),
        lambda: b.exnex([0, 0], [1, 1], p0=0.1, prior=b.ExnexPrior((0.1, 0.2, 0.3))),
        lambda: b.hierarchical([0], [1], p0=0.1, offset="nul"),
        lambda: b.hierarchical([0], [1], p0=0.1, offset=[math.nan]),
        lambda: b.hierarchical([0], [1], p0=0.1, offset=[0.0, 1.0]),
        lambda: b.partition_average([0] * 9, [1] * 9, p0=0.1),
        lambda: b.multisource([0] * 7, [1] * 7, p0=0.1),
        lambda: b.power_prior([0], [1], p0=0.1, epsilon=0),
        lambda: b.compile_outcomes([200, 200, 200], 0.1, model="independent"),
        lambda: b.compile_outcomes([2], 0.1, model="mcmc"),
        lambda: b.compile_outcomes([2], 0.1, model="exnex", prior=b.HierarchicalPrior()),
        lambda: b.compile_outcomes([2], 0.1, model="independent", prior=b.PartitionPrior()),
    ],
)
def test_illegal_priors_and_settings_are_refused(make):
    with pytest.raises(ValueError):
        make()


@pytest.mark.rule("IB-02")
def test_panels_end_at_the_cuts():
    nodes = lattice(b.HierarchicalPrior(), b.Grid(), np.array([-1.0, 0.5]))
    for cut in (-1.0, 0.5):
        assert np.min(np.abs(nodes.mu_edges - cut)) == 0
        assert np.min(np.abs(nodes.edges - cut)) == 0
    assert np.all(np.diff(nodes.mu_edges) > 0) and np.all(np.diff(nodes.edges) > 0)
    far = lattice(b.HierarchicalPrior(), b.Grid(), np.array([99.0]))
    assert far.prior_mass == pytest.approx(1, abs=1e-9)
    assert (far.mu_edges[0], far.mu_edges[-1]) == pytest.approx((-14, 14))


@pytest.mark.rule("IB-02")
def test_the_same_input_gives_the_same_digits():
    first = b.exnex(R, N, p0=P0).prob_above
    b.exnex([2, 2, 2, 2], N, p0=P0)
    assert np.array_equal(first, b.exnex(R, N, p0=P0).prob_above)

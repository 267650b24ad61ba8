"""Borrowing models at their limits, where the answer is known in closed form or by enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.special import betaln, expit, logit
from scipy.stats import beta, betabinom, binom, norm

from interim.stats import borrowing as b
from interim.stats.borrowing_compare import multisource, power_prior, similarity
from interim.stats.borrowing_fit import log_ways
from interim.stats.borrowing_grid import lattice
from interim.stats.borrowing_joint import exchangeable_weights
from interim.stats.borrowing_laws import BetaMixture
from interim.stats.borrowing_partition import partitions
from interim.stats.borrowing_priors import checked_baskets

GRID = b.Grid.normal()
BELL = {1: 1, 2: 2, 3: 5, 4: 15, 5: 52, 6: 203}
MODELS = {
    "independent": lambda r, n, p0: b.independent(r, n, p0=p0),
    "hierarchical": lambda r, n, p0: b.hierarchical(r, n, p0=p0, grid=GRID),
    "exnex": lambda r, n, p0: b.exnex(r, n, p0=p0, grid=GRID),
    "partition": lambda r, n, p0: b.partition_average(r, n, p0=p0),
    "multisource": lambda r, n, p0: multisource(r, n, p0=p0),
    "power": lambda r, n, p0: power_prior(r, n, p0=p0),
}
EVERY = pytest.mark.parametrize("model", list(MODELS))
BAYES = pytest.mark.parametrize("model", ["independent", "hierarchical", "exnex", "partition"])


def normal_posterior(r, n, *, sd, offset, mean=0.0, p0):
    """Mean and tail of one rate whose logit is normal, by a trapezoid far finer than the grid."""
    x = np.linspace(mean - 12 * sd, mean + 12 * sd, 200001)
    p = expit(x + offset)
    mass = p**r * (1 - p) ** (n - r) * norm.pdf(x, mean, sd)
    # The cut lies on a node: the middle counts half.
    above = mass * np.where(np.isclose(p, p0, rtol=0, atol=1e-13), 0.5, p > p0)
    return (p * mass).sum() / mass.sum(), above.sum() / mass.sum(), mass.sum() * (x[1] - x[0])


@pytest.mark.parametrize(
    ("r", "n", "p0", "a", "c"),
    [
        (0, 0, 0.1, 1.0, 1.0),
        (0, 5, 0.1, 1.0, 1.0),
        (5, 5, 0.1, 1.0, 1.0),
        (2, 9, 0.3, 0.5, 0.5),
        (1, 1, 0.9, 2.0, 8.0),
        (30, 200, 0.15, 0.1, 0.9),
    ],
)
def test_an_independent_rate_is_its_beta_law(r, n, p0, a, c):
    fit = b.independent([r], [n], p0=p0, prior=(a, c), level=0.8)
    law = beta(a + r, c + n - r)
    assert fit.mean[0] == pytest.approx(law.mean(), abs=1e-12)
    assert fit.sd[0] == pytest.approx(law.std(), abs=1e-12)
    assert fit.prob_above[0] == pytest.approx(law.sf(p0), abs=1e-12)
    assert (fit.lower[0], fit.upper[0]) == pytest.approx(tuple(law.ppf([0.1, 0.9])), abs=1e-10)
    assert fit.ess[0] == pytest.approx(a + c + n, rel=1e-9)
    assert fit.log_marginal == pytest.approx(betabinom(n, a, c).logpmf(r), abs=1e-10)
    assert fit.predictive(0, m=4) == pytest.approx(
        betabinom(4, a + r, c + n - r).pmf(np.arange(5)), abs=1e-12
    )


@pytest.mark.parametrize("cut", [0.01, 0.05, 0.2, 0.5, 0.95])
def test_a_tail_at_any_cut_is_that_of_the_beta_law(cut):
    fit = b.independent([1, 4], [6, 9], p0=0.1, prior=(1.0, 1.0))
    assert fit.prob_gt(cut) == pytest.approx(beta([2, 5], [6, 6]).sf(cut), abs=1e-12)


@pytest.mark.parametrize(("r", "n", "p0"), [(0, 3, 0.05), (1, 6, 0.1), (4, 4, 0.2), (7, 20, 0.3)])
@pytest.mark.parametrize("offset", ["null", "none"])
def test_without_exchangeability_a_rate_has_a_normal_logit(r, n, p0, offset):
    prior = b.ExnexPrior(0.0, nex_mean=0.3, nex_sd=1.5)
    fit = b.exnex([r, 2], [n, 8], p0=p0, prior=prior, offset=offset, grid=GRID)
    shift = float(logit(p0)) if offset == "null" else 0.0
    mean, tail, _ = normal_posterior(r, n, sd=1.5, mean=0.3, offset=shift, p0=p0)
    assert fit.mean[0] == pytest.approx(mean, abs=1e-6)
    assert fit.prob_above[0] == pytest.approx(tail, abs=2e-4)


@pytest.mark.parametrize(("r", "n"), [([1, 1, 0], [6, 3, 3]), ([0, 0], [4, 7]), ([3, 5, 1, 0], [3, 9, 2, 0])])
def test_without_spread_all_types_have_the_effect_of_the_pooled_counts(r, n):
    prior = b.HierarchicalPrior(0.0, 2.0, 1e-3)
    fit = b.hierarchical(r, n, p0=0.1, prior=prior, grid=GRID)
    mean, tail, _ = normal_posterior(sum(r), sum(n), sd=2.0, offset=float(logit(0.1)), p0=0.1)
    assert fit.mean == pytest.approx(np.full(len(r), mean), abs=1e-5)
    assert fit.prob_above == pytest.approx(np.full(len(r), tail), abs=5e-4)
    assert fit.tau_mean < 0.002


def test_the_evidence_without_exchangeability_is_the_product_of_the_types():
    r, n = [1, 0, 3], [6, 3, 5]
    fit = b.exnex(r, n, p0=0.1, prior=b.ExnexPrior(0.0), grid=GRID)
    parts = [
        normal_posterior(x, m, sd=2.5, offset=float(logit(0.1)), p0=0.1)[2] for x, m in zip(r, n, strict=True)
    ]
    ways = [math.comb(m, x) for x, m in zip(r, n, strict=True)]
    assert fit.log_marginal == pytest.approx(sum(np.log(parts)) + sum(np.log(ways)), abs=1e-7)


@pytest.mark.parametrize("weight", [0.1, 0.5, 0.9])
def test_one_type_mixes_its_two_priors_by_their_evidence(weight):
    r, n, p0 = [2], [7], 0.1
    shared = b.hierarchical(r, n, p0=p0, grid=GRID)
    own = b.exnex(r, n, p0=p0, prior=b.ExnexPrior(0.0), grid=GRID)
    fit = b.exnex(r, n, p0=p0, prior=b.ExnexPrior(weight), grid=GRID)
    one = weight * math.exp(shared.log_marginal)
    two = (1 - weight) * math.exp(own.log_marginal)
    share = one / (one + two)
    assert fit.p_exchangeable[0] == pytest.approx(share, abs=1e-9)
    assert fit.mean[0] == pytest.approx(share * shared.mean[0] + (1 - share) * own.mean[0], abs=1e-9)
    assert fit.log_marginal == pytest.approx(math.log(one + two), abs=1e-9)


def test_a_weight_of_nought_takes_one_type_out_of_the_borrowing():
    prior = b.ExnexPrior((1.0, 1.0, 0.0))
    fit = b.exnex([1, 2, 5], [6, 8, 5], p0=0.1, prior=prior, grid=GRID)
    two = b.hierarchical([1, 2], [6, 8], p0=0.1, grid=GRID)
    assert fit.mean[:2] == pytest.approx(two.mean, abs=1e-9)
    assert fit.prob_above[:2] == pytest.approx(two.prob_above, abs=1e-9)
    assert fit.p_exchangeable.tolist() == pytest.approx([1.0, 1.0, 0.0])


@EVERY
def test_equal_types_have_equal_answers(model):
    fit = MODELS[model]([1, 1, 1], [5, 5, 5], 0.1)
    assert fit.mean == pytest.approx(np.full(3, fit.mean[0]), abs=1e-12)
    assert fit.prob_above == pytest.approx(np.full(3, fit.prob_above[0]), abs=1e-12)


@EVERY
@pytest.mark.parametrize("order", [[1, 2, 0]])
def test_the_order_of_the_types_does_not_matter(model, order):
    r, n, p0 = np.array([0, 2, 4]), np.array([3, 6, 5]), np.array([0.05, 0.1, 0.2])
    fit, mixed = MODELS[model](r, n, p0), MODELS[model](r[order], n[order], p0[order])
    for name in ("mean", "sd", "prob_above", "lower", "upper"):
        assert getattr(mixed, name) == pytest.approx(getattr(fit, name)[order], abs=1e-9), name


@BAYES
def test_no_participant_at_all_leaves_the_prior(model):
    fit = MODELS[model]([0, 0], [0, 0], 0.1)
    assert fit.log_marginal == pytest.approx(0.0, abs=1e-9)
    assert fit.mean[0] == pytest.approx(fit.mean[1], abs=1e-12)
    assert fit.prior_mass == pytest.approx(1.0, abs=1e-9)
    if model == "exnex":
        assert fit.p_exchangeable == pytest.approx([0.5, 0.5], abs=1e-9)


@BAYES
@pytest.mark.parametrize("n", [[1, 2]])
def test_the_evidence_of_all_outcomes_adds_up_to_one(model, n):
    every = itertools.product(*(range(size + 1) for size in n))
    total = sum(math.exp(MODELS[model](list(r), n, 0.1).log_marginal) for r in every)
    assert total == pytest.approx(1.0, abs=1e-8)


@BAYES
def test_the_prior_mean_is_the_mean_of_the_posterior_means(model):
    n = [1, 2]
    found = np.zeros(2)
    for r in itertools.product(range(2), range(3)):
        fit = MODELS[model](list(r), n, 0.1)
        found += math.exp(fit.log_marginal) * fit.mean
    assert found == pytest.approx(MODELS[model]([0, 0], [0, 0], 0.1).mean, abs=1e-8)


@EVERY
@pytest.mark.parametrize("m", [0, 1, 3])
def test_the_predictive_law_is_the_sum_over_all_paths(model, m):
    fit = MODELS[model]([1, 0], [4, 3], 0.1)
    found = np.zeros(m + 1)
    for path in itertools.product((0, 1), repeat=m):
        found[sum(path)] += fit.path_moment(0, s=sum(path), f=m - sum(path))
    assert fit.predictive(0, m=m) == pytest.approx(found, abs=1e-12)
    assert found.sum() == pytest.approx(1.0, abs=1e-10)
    assert fit.predictive(0, m=m) @ np.arange(m + 1) == pytest.approx(m * fit.mean[0], abs=1e-10)


@BAYES
def test_a_two_stage_success_is_the_sum_over_its_paths(model):
    """Stop after 2 without a response; go with 2 or more among 4."""
    fit = MODELS[model]([1, 0], [4, 3], 0.1)
    paths = [p for p in itertools.product((0, 1), repeat=4) if sum(p[:2]) >= 1 and sum(p) >= 2]
    states = [(y, 4, float(sum(sum(p) == y for p in paths))) for y in range(5)]
    direct = sum(fit.path_moment(0, s=sum(p), f=4 - sum(p)) for p in paths)
    assert fit.success(0, states) == pytest.approx(direct, abs=1e-12)


@pytest.mark.parametrize(("cut", "pooled"), [(0.5, False), (0.9, False), (0.5, True), (0.9, True)])
def test_success_of_a_size_is_the_sum_over_new_responses(cut, pooled):
    fit = b.independent([2], [6], p0=0.1, prior=(1.0, 1.0))
    expected = 0.0
    for y in range(6):
        r, n = (2 + y, 11) if pooled else (y, 5)
        if beta.sf(0.1, 0.1 + r, 0.9 + n - r) > cut:
            expected += betabinom.pmf(y, 5, 3, 5)
    assert fit.size_success(0, m=5, cut=cut, pooled=pooled) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("size", list(BELL))
def test_partitions_are_all_different_and_hold_each_type_once(size):
    found = partitions(size)
    assert len(found) == len({frozenset(map(frozenset, item)) for item in found}) == BELL[size]
    assert all(sorted(itertools.chain(*item)) == list(range(size)) for item in found)


@pytest.mark.parametrize("power", [0.0, 1.0, 3.0])
def test_two_types_are_one_block_or_two(power):
    r, n = (1, 2), (4, 3)
    prior = b.PartitionPrior(1.0, 1.0, power)
    fit = b.partition_average(r, n, p0=0.1, prior=prior)
    one = math.exp(betaln(1 + 3, 1 + 4))
    two = math.exp(betaln(2, 4) + betaln(3, 2)) * 2**power
    share = one / (one + two)
    assert fit.share == pytest.approx(np.array([[1, share], [share, 1]]), abs=1e-12)
    assert fit.mean == pytest.approx([share * 4 / 9 + (1 - share) * p for p in (2 / 6, 3 / 5)], abs=1e-12)
    ways = math.comb(4, 1) * math.comb(3, 2)
    assert fit.log_marginal == pytest.approx(math.log(ways * (one + two) / (1 + 2**power)), abs=1e-12)


def test_a_great_block_power_leaves_every_type_alone():
    fit = b.partition_average([1, 1, 2], [4, 4, 3], p0=0.1, prior=b.PartitionPrior(1.0, 1.0, 400.0))
    assert fit.share == pytest.approx(np.eye(3), abs=1e-12)
    assert fit.mean == pytest.approx(b.independent([1, 1, 2], [4, 4, 3], p0=0.1, prior=(1.0, 1.0)).mean)


@pytest.mark.parametrize("inclusion", [0.0, 0.3, 1.0])
def test_two_sources_are_joined_by_the_weight_of_their_edge(inclusion):
    fit = multisource([1, 2], [4, 3], p0=0.1, prior=(1.0, 1.0), inclusion=inclusion)
    # Each type brings a factor of all data as it sees them: both counts enter twice, with the edge and without.
    joined = inclusion * math.exp(2 * betaln(4, 5))
    apart = (1 - inclusion) * math.exp(2 * (betaln(2, 4) + betaln(3, 2)))
    share = joined / (joined + apart)
    assert fit.share[0, 1] == pytest.approx(share, abs=1e-12)
    assert fit.mean == pytest.approx([share * 4 / 9 + (1 - share) * p for p in (2 / 6, 3 / 5)], abs=1e-12)
    assert fit.prior_mass == pytest.approx(1.0, abs=1e-12)


def test_similarity_is_one_of_equal_laws_symmetric_and_falls_with_distance():
    found = similarity(np.array([2.0, 2.0, 5.0, 9.0]), np.array([8.0, 8.0, 5.0, 1.0]))
    assert found == pytest.approx(found.T, abs=1e-15)
    assert found[0, 1] == pytest.approx(1.0, abs=1e-12)
    assert 1 > found[0, 2] > found[0, 3] > 0
    x = np.linspace(0, 1, 400003)[1:-1]
    p, q = beta.pdf(x, 2, 8), beta.pdf(x, 5, 5)
    parts = p * np.log2(2 * p / (p + q)) + q * np.log2(2 * q / (p + q))
    assert found[0, 2] == pytest.approx(1 - 0.5 * parts.mean(), abs=1e-5)


@pytest.mark.parametrize(
    ("cut", "shapes"), [(1.0, [(2, 6), (2, 6)]), (0.0, [(3, 11), (3, 11)])], ids=["none", "all"]
)
def test_a_power_prior_borrows_nothing_or_the_whole(cut, shapes):
    fit = power_prior([1, 1], [6, 6], p0=0.1, epsilon=1.0, cut=cut)
    if cut == 1.0:
        assert fit.share == pytest.approx(np.eye(2))
        assert fit.mean == pytest.approx([2 / 8, 2 / 8], abs=1e-12)
    else:
        assert fit.share == pytest.approx(np.ones((2, 2)), abs=1e-12)
        assert fit.ess == pytest.approx([16, 16], rel=1e-9)


@pytest.mark.parametrize("model", ["independent", "hierarchical", "exnex", "partition"])
def test_the_table_of_outcomes_is_the_fit_of_each_row(model):
    states = [((1, 2, 2.0), (2, 2, 1.0)), ((2, 2, 1.0),)]
    table = b.compile_outcomes([2, 3], [0.05, 0.2], model=model, success=states)
    assert table.outcomes.tolist() == [list(pair) for pair in itertools.product(range(3), range(4))]
    for place in (0, 5, 11):
        fit = MODELS[model](table.outcomes[place], [2, 3], [0.05, 0.2])
        assert table.prob[place] == pytest.approx(fit.prob_above, abs=1e-7)
        assert table.mean[place] == pytest.approx(fit.mean, abs=1e-7)
        assert table.success[place] == pytest.approx([fit.success(k, states[k]) for k in (0, 1)], abs=1e-7)


@pytest.mark.parametrize("model", ["hierarchical", "exnex"])
def test_equal_baskets_are_answered_from_their_multisets(model):
    table = b.compile_outcomes([2, 2, 2], [0.1] * 3, model=model)
    rows = {tuple(o): p for o, p in zip(table.outcomes.tolist(), table.prob, strict=True)}
    for outcome, prob in rows.items():
        for order in ((1, 2, 0), (2, 1, 0)):
            assert rows[tuple(outcome[k] for k in order)] == pytest.approx(prob[list(order)], abs=1e-12)
    fit = MODELS[model]([2, 0, 1], [2, 2, 2], 0.1)
    assert rows[2, 0, 1] == pytest.approx(fit.prob_above, abs=1e-8)


@pytest.mark.parametrize("p", [0.05, 0.5, (0.1, 0.6)])
def test_weights_of_outcomes_are_products_of_binomials(p):
    table = b.compile_outcomes([2, 3], 0.1, model="independent")
    rates = np.broadcast_to(p, 2)
    expected = [
        binom.pmf(x, 2, rates[0]) * binom.pmf(y, 3, rates[1])
        for x, y in itertools.product(range(3), range(4))
    ]
    assert table.weights(p) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("shape", [(1.0, 1.0), (0.5, 3.0), (40.0, 2.0)])
def test_moments_and_quantiles_of_a_mixture_of_one(shape):
    law = BetaMixture(np.ones(1), np.array([shape[0]]), np.array([shape[1]]))
    assert law.moment(2, 1) == pytest.approx(
        math.exp(betaln(shape[0] + 2, shape[1] + 1) - betaln(*shape)), rel=1e-12
    )
    for q in (0.001, 0.5, 0.999):
        assert law.quantile(q) == pytest.approx(beta.ppf(q, *shape), abs=1e-9)
        assert law.above(law.quantile(q)) == pytest.approx(1 - q, abs=1e-9)


@pytest.mark.parametrize("model", ["hierarchical", "exnex"])
def test_quantiles_of_the_quadrature_invert_its_tails(model):
    fit = MODELS[model]([1, 4], [6, 9], 0.1)
    for q in (0.025, 0.5, 0.975):
        assert fit.prob_gt(fit.quantile(q)) == pytest.approx([1 - q, 1 - q], abs=1e-7)


@pytest.mark.parametrize("scale", [0.01, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("grid", [b.Grid.coarse(), b.Grid.normal(), b.Grid.fine()])
def test_nodes_hold_the_prior_whatever_its_spread(scale, grid):
    nodes = lattice(b.HierarchicalPrior(0.5, 2.0, scale), grid, np.array([0.0]))
    weight = nodes.outer_weight
    assert nodes.prior_mass == pytest.approx(1.0, abs=1e-9)
    mean_tau = float(weight.sum(axis=1) @ nodes.tau) / weight.sum()
    assert mean_tau == pytest.approx(scale * math.sqrt(2 / math.pi), rel=1e-6)
    assert float(weight.sum(axis=0) @ nodes.mu) / weight.sum() == pytest.approx(0.5, abs=1e-6)


@pytest.mark.parametrize(("n", "y"), [(0, 0), (5, 0), (5, 5), (10, 3), (200, 100)])
def test_log_of_the_number_of_ways(n, y):
    assert float(log_ways(n, np.array(y))) == pytest.approx(math.log(math.comb(n, y)), abs=1e-9)


@pytest.mark.parametrize(
    ("weight", "size", "expected"),
    [(0.3, 3, [0.3, 0.3, 0.3]), ((0.1, 0.9), 2, [0.1, 0.9]), ((0.4,), 2, [0.4, 0.4])],
)
def test_weights_of_exchangeability_per_type(weight, size, expected):
    assert exchangeable_weights(b.ExnexPrior(weight), size).tolist() == expected


@pytest.mark.parametrize(
    ("r", "n", "p0", "message"),
    [
        ([2], [1], 0.1, "r must be <= n"),
        ([1, 1], [2, 2, 2], 0.1, "length"),
        ([], [], 0.1, "at least one basket"),
        ([1], [2], 0.0, "p0"),
        ([1], [2], 1.0, "p0"),
        ([1, 1], [2, 2], [0.1, 0.1, 0.1], "one rate or 2"),
        ([-1], [2], 0.1, "r"),
        ([0.5], [2], 0.1, "r"),
    ],
)
def test_illegal_counts_and_rates_are_refused(r, n, p0, message):
    with pytest.raises(ValueError, match=message):
        checked_baskets(r, n, p0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: b.HierarchicalPrior(tau_scale=0.0), "tau_scale"),
        (lambda: b.HierarchicalPrior(mu_sd=-1.0), "mu_sd"),
        (lambda: b.ExnexPrior(1.1), "weight"),
        (lambda: b.ExnexPrior(nex_sd=0.0), "nex_sd"),
        (lambda: b.PartitionPrior(a=0.0), "a"),
        (lambda: b.PartitionPrior(block_power=-1.0), "block_power"),
        (lambda: b.exnex([1, 1], [2, 2], p0=0.1, prior=b.ExnexPrior((0.1, 0.2, 0.3))), "weight"),
        (lambda: b.hierarchical([1], [2], p0=0.1, offset="half"), "offset"),
        (lambda: b.hierarchical([1], [2], p0=0.1, offset=[0.0, 1.0]), "offset"),
        (lambda: b.partition_average([0] * 9, [1] * 9, p0=0.1), "at most 8"),
        (lambda: multisource([0] * 7, [1] * 7, p0=0.1), "at most 6"),
        (lambda: multisource([0], [1], p0=0.1, inclusion=1.5), "inclusion"),
        (lambda: power_prior([0], [1], p0=0.1, epsilon=0.0), "epsilon"),
        (lambda: b.compile_outcomes([9, 9], 0.1, model="partition", max_rows=50), "exceed"),
        (lambda: b.compile_outcomes([1], 0.1, model="exnex", prior=b.PartitionPrior()), "ExnexPrior"),
    ],
)
def test_illegal_priors_and_sizes_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()

"""What all baskets together say about new participants, against one participant at a time; the laws of a report's models."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest
from scipy.special import betaln, expit, logit
from scipy.stats import norm

from interim.stats import borrowing as b
from interim.stats import borrowing_checks as checks
from interim.stats.borrowing_predict import composed_law, mixed_law, separate_law

R, N, P0 = (1, 1, 0), (6, 3, 2), (0.05, 0.10, 0.05)
COARSE = b.Grid.normal()
FITS = {
    "independent": lambda r, n: b.independent(r, n, p0=P0[: len(r)]),
    "partition": lambda r, n: b.partition_average(r, n, p0=P0[: len(r)]),
    "multisource": lambda r, n: b.multisource(r, n, p0=P0[: len(r)]),
    "hierarchical": lambda r, n: b.hierarchical(r, n, p0=P0[: len(r)], grid=COARSE),
    "exnex": lambda r, n: b.exnex(
        r, n, p0=P0[: len(r)], prior=b.ExnexPrior((0.5, 0.7, 0.25)[: len(r)]), grid=COARSE
    ),
}
MODELS = list(FITS)


@pytest.mark.rule("IB-25", source="one participant at a time, each by a fit of its own")
@pytest.mark.parametrize("model", ["independent", "partition", "hierarchical", "exnex"])
def test_the_joint_law_is_the_chain_of_single_predictions(model):
    law = FITS[model](R, N).open_responses((1, 0, 1))
    for first, third in product((0, 1), repeat=2):
        today = FITS[model](R, N).predictive(0, m=1)[first]
        after = FITS[model]((R[0] + first, R[1], R[2]), (N[0] + 1, N[1], N[2]))
        assert law[first, 0, third] == pytest.approx(today * after.predictive(2, m=1)[third], abs=1e-9)


@pytest.mark.rule("IB-25")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("counts", [(2, 1, 3), (0, 0, 0), (5, 0, 2)])
def test_the_margins_of_the_joint_law_are_the_predictive_laws(model, counts):
    fit = FITS[model](R, N)
    law = fit.open_responses(counts)
    assert law.shape == tuple(m + 1 for m in counts)
    assert law.sum() == pytest.approx(1, abs=1e-12)
    for k, m in enumerate(counts):
        others = tuple(j for j in range(3) if j != k)
        assert law.sum(axis=others) == pytest.approx(fit.predictive(k, m=m), abs=1e-9)


@pytest.mark.rule("IB-25")
def test_baskets_that_do_not_borrow_are_open_independently():
    fit = FITS["independent"](R, N)
    law = fit.open_responses((2, 1, 0))
    by_hand = np.outer(fit.predictive(0, m=2), fit.predictive(1, m=1))
    assert law[:, :, 0] == pytest.approx(by_hand, abs=1e-14)


@pytest.mark.rule("IB-25")
@pytest.mark.parametrize("model", ["partition", "hierarchical", "exnex", "multisource"])
def test_responses_of_baskets_that_borrow_go_together(model):
    law = FITS[model]((0, 0, 0), (1, 1, 1)).open_responses((1, 1, 0))[:, :, 0]
    both, first, second = law[1, 1], law[1].sum(), law[:, 1].sum()
    assert both > first * second * 1.01


@pytest.mark.rule("IB-25", source="beta integrals by hand")
def test_two_baskets_in_one_block_or_two():
    """Two empty baskets: half of the prior weight of one block, power 1 gives 1/3 and 2/3."""
    fit = b.partition_average([0, 0], [0, 0], p0=0.1, prior=b.PartitionPrior(0.5, 0.5, 1.0))
    law = fit.open_responses((1, 1))
    joined = np.exp(betaln(2.5, 0.5) - betaln(0.5, 0.5))
    assert law[1, 1] == pytest.approx(joined / 3 + 0.25 * 2 / 3, abs=1e-14)
    assert law[0, 1] == pytest.approx(
        np.exp(betaln(1.5, 1.5) - betaln(0.5, 0.5)) / 3 + 0.25 * 2 / 3, abs=1e-14
    )


@pytest.mark.rule("IB-25")
def test_groups_that_know_nothing_of_each_other_are_multiplied_in_their_places():
    joint = b.hierarchical([1, 0], [6, 2], p0=[0.05, 0.05], grid=COARSE)
    lone = b.independent([1], [3], p0=[0.10])
    law = composed_law([((0, 2), joint.joint), ((1,), separate_law(lone.laws))])((1, 2, 1))
    assert law.shape == (2, 3, 2)
    pair = joint.open_responses((1, 1))
    for i, j, k in product(range(2), range(3), range(2)):
        assert law[i, j, k] == pytest.approx(pair[i, k] * lone.predictive(0, m=2)[j], abs=1e-12)


@pytest.mark.rule("IB-25")
@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((1, 1), "counts must hold 3"),
        ((1, 1, 1, 1), "counts must hold 3"),
        ((-1, 1, 1), "whole numbers >= 0"),
        ((200, 200, 200), "8120601 outcomes exceed"),
    ],
)
def test_illegal_numbers_of_open_responses_are_refused(counts, words):
    with pytest.raises(ValueError, match=words):
        FITS["independent"](R, N).open_responses(counts)


@pytest.mark.rule("IB-04")
def test_a_joint_law_that_does_not_hold_mass_one_is_refused():
    fit = FITS["independent"](R, N)
    broken = mixed_law(np.array([0.9]), lambda k, m: np.full((m + 1, 1), 1.0 / (m + 1)))
    object.__setattr__(fit, "joint", broken)
    with pytest.raises(ArithmeticError, match="sum to"):
        fit.open_responses((1, 1, 1))


def plain_hierarchical(r, n, p0, scale=1.0, weight=1.0, own=2.5):
    """Rates by sums over equidistant points of common mean, spread and effect: no rule is shared with the package."""
    mu = np.linspace(-11, 11, 177)
    tau = (np.arange(64) + 0.5) * 5.0 / 64
    z = np.linspace(-6, 6, 61)
    outer = norm.pdf(mu, 0, 2)[None, :] * norm.pdf(tau / scale)[:, None]
    effect = mu[None, :, None] + tau[:, None, None] * z
    alone = np.linspace(-15, 15, 601)
    parts, means = [], []
    for hits, size, null in zip(r, n, p0, strict=True):

        def chance(x, hits=hits, size=size, null=null):
            p = expit(x + logit(null))
            return p, p**hits * (1 - p) ** (size - hits)

        p, like = chance(effect)
        kernel = norm.pdf(z)
        shared, first = (like * kernel).sum(-1) / kernel.sum(), (p * like * kernel).sum(-1) / kernel.sum()
        q, lone = chance(alone)
        density = norm.pdf(alone, 0, own)
        apart = (lone * density).sum() / density.sum()
        apart_first = (q * lone * density).sum() / density.sum()
        parts.append(weight * shared + (1 - weight) * apart)
        means.append(weight * first + (1 - weight) * apart_first)
    whole = outer * np.prod(parts, axis=0)
    return [float((whole * m / g).sum() / whole.sum()) for m, g in zip(means, parts, strict=True)]


@pytest.mark.rule("IB-02", source="sums over equidistant points of mean, spread and effect")
@pytest.mark.parametrize(
    ("r", "n", "p0"),
    [
        ((1, 0), (6, 2), (0.05, 0.10)),
        ((0, 0), (4, 3), (0.10, 0.10)),
        ((5, 3), (5, 3), (0.20, 0.10)),
        ((2, 0, 1), (9, 12, 3), (0.05, 0.10, 0.30)),
    ],
)
def test_several_baskets_by_plain_sums(r, n, p0):
    fit = b.hierarchical(r, n, p0=p0, grid=COARSE)
    assert fit.mean == pytest.approx(plain_hierarchical(r, n, p0), abs=1e-4)


@pytest.mark.rule("IB-02", source="sums over equidistant points of mean, spread and effect")
@pytest.mark.parametrize("weight", [0.0, 0.25, 0.9])
def test_several_baskets_that_may_be_exchangeable_by_plain_sums(weight):
    fit = b.exnex((2, 0, 1), (9, 12, 3), p0=(0.05, 0.10, 0.30), prior=b.ExnexPrior(weight), grid=COARSE)
    by_sums = plain_hierarchical((2, 0, 1), (9, 12, 3), (0.05, 0.10, 0.30), weight=weight)
    assert fit.mean == pytest.approx(by_sums, abs=1e-4)


@pytest.mark.rule("IB-03")
@pytest.mark.parametrize(
    ("r", "n"),
    [
        ((1, 1, 0, 0), (6, 3, 3, 2)),
        ((0, 0, 0, 0), (6, 3, 3, 2)),
        ((2, 0), (18, 9)),
    ],
)
def test_the_laws_hold_at_any_data(r, n):
    p0 = (0.05, 0.10, 0.10, 0.05)[: len(r)]
    found = checks.model_checks(r, n, p0=p0, shared=b.HierarchicalPrior(), mixed=b.ExnexPrior())
    assert set(found) == set(checks.LIMITS)
    assert all(found[name] <= limit for name, limit in checks.LIMITS.items())


@pytest.mark.rule("IB-03")
def test_a_broken_law_stops_and_is_named(monkeypatch):
    monkeypatch.setattr(checks, "exnex", lambda r, n, **k: b.independent(r, n, p0=k["p0"]))
    with pytest.raises(ArithmeticError, match="weight 1 is hierarchical"):
        checks.model_checks((1, 0), (6, 2), p0=0.1, shared=b.HierarchicalPrior(), mixed=b.ExnexPrior())


def brute_table(r_max, n, p0, model):
    rows = list(product(*(range(size + 1) for size in n)))
    return np.array([FITS[model](row, n).prob_above for row in rows])


@pytest.mark.rule("IB-05", source="a fit of each outcome")
@pytest.mark.parametrize("model", ["partition", "hierarchical", "exnex", "independent"])
def test_every_outcome_of_three_unequal_baskets(model):
    n = (1, 1, 2)
    prior = b.ExnexPrior((0.5, 0.7, 0.25)) if model == "exnex" else None
    table = b.compile_outcomes(n, P0, model=model, prior=prior)
    assert table.prob == pytest.approx(brute_table(None, n, P0, model), abs=2e-7)
    assert [tuple(row) for row in table.outcomes.tolist()] == list(product(range(2), range(2), range(3)))


@pytest.mark.rule("IB-05", source="a fit of each outcome")
@pytest.mark.parametrize("model", ["partition", "hierarchical", "independent"])
def test_equal_baskets_change_places(model):
    table = b.compile_outcomes((2, 2, 2), 0.1, model=model)
    cube = table.prob.reshape(3, 3, 3, 3)
    assert cube[..., 0] == pytest.approx(np.swapaxes(cube[..., 1], 0, 1), abs=1e-13)
    assert cube[..., 0] == pytest.approx(np.swapaxes(cube[..., 2], 0, 2), abs=1e-13)
    assert cube[..., 0] == pytest.approx(np.swapaxes(cube[..., 0], 1, 2), abs=1e-13)
    mean = table.mean.reshape(3, 3, 3, 3)
    weights = table.weights(0.1).reshape(3, 3, 3)
    assert (weights * mean[..., 0]).sum() == pytest.approx((weights * mean[..., 2]).sum(), abs=1e-12)


@pytest.mark.rule("IB-05")
@pytest.mark.parametrize("model", ["partition", "hierarchical", "exnex"])
def test_success_of_every_outcome_is_that_of_its_fit(model):
    states = (((1, 2, 2.0), (2, 2, 1.0)), ((1, 1, 1.0),), ())
    prior = b.ExnexPrior((0.5, 0.7, 0.25)) if model == "exnex" else None
    table = b.compile_outcomes((1, 2, 1), P0, model=model, prior=prior, success=states)
    for row, found in zip(table.outcomes, table.success, strict=True):
        fit = FITS[model](tuple(row), (1, 2, 1))
        assert found == pytest.approx([fit.success(k, states[k]) for k in range(3)], abs=1e-7)


@pytest.mark.rule("IB-05")
def test_one_basket_alone_and_a_basket_without_participants():
    table = b.compile_outcomes([4], [0.1], model="hierarchical")
    fits = [b.hierarchical([r], [4], p0=[0.1], grid=COARSE).prob_above[0] for r in range(5)]
    assert table.prob[:, 0] == pytest.approx(fits, abs=2e-7)
    empty = b.compile_outcomes([0, 2], [0.1, 0.1], model="hierarchical")
    assert empty.prob.shape == (3, 2)
    assert empty.prob[:, 1] == pytest.approx(
        [b.hierarchical([r], [2], p0=[0.1], grid=COARSE).prob_above[0] for r in range(3)], abs=2e-7
    )


def test_ways_of_a_joint_law_of_one_basket_are_binomial():
    fit = b.independent([0], [0], p0=[0.5])
    law = fit.open_responses([3])
    moments = [np.exp(betaln(0.5 + y, 0.5 + 3 - y) - betaln(0.5, 0.5)) * comb(3, y) for y in range(4)]
    assert law == pytest.approx(moments, abs=1e-14)

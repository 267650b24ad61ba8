"""One permutation plan for all tests of an analysis: every statistic is a column of one matrix product."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.random import Generator, Philox
from numpy.typing import ArrayLike

from interim.stats.answers import Floats, Integers, Status, TestResult, frozen
from interim.stats.inputs import check_groups, check_matrix, check_numbers

TIE = 1e-9
BLOCK_BYTES = 64 * 2**20


@dataclass(frozen=True, eq=False)
class LinearStatistics:
    """Standardised linear statistics of several features, observed and under every arrangement of a plan.

    Attributes
    ----------
    observed : ndarray of float, shape (m,)
        Standardised statistic of each feature; NaN where the feature or the outcome is constant.
    arranged : ndarray of float, shape (B, m)
        The same under each arrangement.
    exact : bool
        Whether the plan holds all arrangements.
    status, reason : ndarray of str, shape (m,)
        OK, or NE with ONE_LEVEL.
    """

    observed: Floats
    arranged: Floats
    exact: bool
    status: np.ndarray[tuple[int], np.dtype[np.str_]]
    reason: np.ndarray[tuple[int], np.dtype[np.str_]]

    @cached_property
    def p_values(self) -> Floats:
        """Two-sided p-value per statistic (definition abs); Monte Carlo never gives 0."""
        return self._share(np.abs(self.arranged), np.abs(self.observed))

    @property
    def p_less(self) -> Floats:
        """One-sided p-value: statistic as small as observed."""
        return self._share(-self.arranged, -self.observed)

    @property
    def p_greater(self) -> Floats:
        """One-sided p-value: statistic as large as observed."""
        return self._share(self.arranged, self.observed)

    @cached_property
    def p_min(self) -> Floats:
        """Smallest two-sided p-value that could be reached."""
        far = np.abs(self.arranged)
        top = far.max(axis=0, initial=0.0)
        return self._share(far, top)

    @cached_property
    def mc_error(self) -> Floats:
        """Monte Carlo standard error of the p-values; 0 for a complete plan."""
        p = self.p_values
        error: Floats = np.where(self.exact, 0.0, np.sqrt(p * (1.0 - p) / len(self.arranged)))
        return error

    def _share(self, arranged: Floats, observed: Floats) -> Floats:
        hits = (arranged >= observed - TIE).sum(axis=0).astype(np.float64)
        n = len(arranged)
        share = hits / n
        value: Floats = np.where(np.isnan(observed), np.nan, np.minimum(share, 1.0))
        return value


@dataclass(frozen=True, eq=False)
class PermutationPlan:
    """Arrangements of the outcome over the participants, made once and shared by all tests of an analysis.

    Attributes
    ----------
    index : ndarray of int, shape (B, n)
        Row b gives the record that stands at each participant's place; for a binary plan the places of the events come first.
    exact : bool
        Whether every distinct arrangement is there once.
    events : int
        Number of events of a binary plan; -1 for a plan of whole records.
    """

    index: Integers
    exact: bool
    events: int = -1

    @classmethod
    def binary(cls, n: int, r: int, *, max_exact: int = 200_000) -> PermutationPlan:
        """Return the plan of all 0/1 outcomes with r events among n participants.

        Parameters
        ----------
        n, r : int
            Participants and events, 0 <= r <= n.
        max_exact : int
            Most arrangements.

        Returns
        -------
        PermutationPlan
            Complete.

        Raises
        ------
        ValueError
            If r is not between 0 and n, or there are more arrangements than ``max_exact``.
        """
        if not 0 <= r <= n or n < 1:
            raise ValueError(f"r must be 0..n with n >= 1; found r = {r}, n = {n}")
        if math.comb(n, r) > max_exact:
            raise ValueError(
                f"{math.comb(n, r)} arrangements are more than max_exact = {max_exact}; use sample()"
            )
        index = np.array(list(combinations(range(n), r)), dtype=np.int64).reshape(math.comb(n, r), r)
        outcomes = np.zeros((len(index), n), dtype=np.int64)
        np.put_along_axis(outcomes, index, 1, axis=1)
        frozen(outcomes)
        return cls(outcomes, True, r)

    @classmethod
    def sample(cls, n: int, *, draws: int, seed: int, strata: ArrayLike | None = None) -> PermutationPlan:
        """Return a plan of random permutations of whole outcome records; the first row is the identity.

        Parameters
        ----------
        n : int
            Participants.
        draws : int
            Rows beside the identity, >= 1.
        seed : int
            Seed.
        strata : array_like of int, shape (n,), optional
            Records are exchanged within strata only.

        Returns
        -------
        PermutationPlan
            Not complete.

        Raises
        ------
        ValueError
            If a number is illegal.
        """
        if n < 1 or draws < 1:
            raise ValueError(f"n and draws must be >= 1; found n = {n}, draws = {draws}")
        layers = np.zeros(n, dtype=np.int64) if strata is None else check_groups(strata, "strata", rows=n)
        rng = Generator(Philox(seed))
        index = np.tile(np.arange(n), (draws + 1, 1))
        for layer in range(int(layers.max()) + 1):
            places = np.flatnonzero(layers == layer)
            index[1:, places] = rng.permuted(index[1:, places], axis=1)
        frozen(index)
        return cls(index, False)

    def linear(self, features: ArrayLike, scores: ArrayLike) -> LinearStatistics:
        """Return the standardised sum of feature x score for every feature and every arrangement.

        Parameters
        ----------
        features : array_like of float, shape (n, m)
            Covariate features; NaN is a missing covariate and counts as the mean of the observed.
        scores : array_like of float, shape (n,)
            Outcome scores; NaN is a missing outcome, which moves with its record and counts as the mean.

        Returns
        -------
        LinearStatistics
            Standardised by the permutation mean and variance.

        Raises
        ------
        ValueError
            If shapes do not fit, or a binary plan is asked for scores that are not its events.
        """
        n = self.index.shape[1]
        g = _centred(np.asarray(features, dtype=np.float64), n)
        h = check_numbers(scores, "scores").astype(np.float64)
        if h.shape != (n,):
            raise ValueError(f"scores must have one value per participant ({n}); the shape is {h.shape}")
        h = np.where(np.isnan(h), 0.0, h - np.nanmean(h))
        scale = np.sqrt((g**2).sum(axis=0) * (h @ h) / (n - 1)) if n > 1 else np.zeros(g.shape[1])
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = np.where(scale > 1e-12, g / scale, np.nan)
        arranged = self._products(weights, h)
        observed = h @ weights
        missing = np.isnan(observed)
        status = np.where(missing, "NE", "OK")
        reason = np.where(missing, "ONE_LEVEL", "")
        frozen(observed, arranged)
        return LinearStatistics(observed, arranged, self.exact, status, reason)

    def _products(self, weights: Floats, h: Floats) -> Floats:
        if self.events >= 0:
            values = np.unique(np.round(h, 12))
            events = int(np.isclose(h, h.max()).sum()) if len(values) == 2 else self.events
            if len(values) > 2 or events != self.events:
                raise ValueError(
                    f"a binary plan of {self.events} events needs a 0/1 outcome with as many events"
                )
            low, high = float(h.min()), float(h.max())
            return (self.index * (high - low) + low) @ weights
        rows = max(1, BLOCK_BYTES // (8 * max(self.index.shape[1], 1)))
        parts = [h[self.index[start : start + rows]] @ weights for start in range(0, len(self.index), rows)]
        return np.concatenate(parts)

    def quadratic(self, levels: ArrayLike, scores: ArrayLike) -> TestResult:
        """Return the test of a factor with several levels.

        Parameters
        ----------
        levels : array_like of int, shape (n,)
            Level of each participant.
        scores : array_like of float, shape (n,)
            Outcome scores; NaN is a missing outcome, which moves with its record and counts as the mean.

        Returns
        -------
        TestResult
            statistic: (n - 1) x sum of n_l (mean_l - mean)^2 over the sum of squares; NE with ONE_LEVEL.

        Raises
        ------
        ValueError
            As `linear`.
        """
        codes = check_groups(levels, "levels", rows=self.index.shape[1])
        members = (codes[:, None] == np.arange(codes.max() + 1)).astype(np.float64)
        found = self.linear(members, scores)
        weights = 1.0 - members.mean(axis=0)
        observed = float(found.observed**2 @ weights)
        if math.isnan(observed):
            return _absent(self)
        return _test(found.arranged**2 @ weights, observed, exact=self.exact)


def plan_test(plan: PermutationPlan, features: ArrayLike, scores: ArrayLike) -> TestResult:
    """Return the test of one feature under a plan.

    Parameters
    ----------
    plan : PermutationPlan
        Arrangements.
    features, scores : array_like, shape (n,)
        As in `PermutationPlan.linear`.

    Returns
    -------
    TestResult
        statistic: sum of feature x score minus its permutation mean; definition ``abs``.

    Raises
    ------
    ValueError
        As `PermutationPlan.linear`.
    """
    found = plan.linear(np.asarray(features, dtype=np.float64), scores)
    if found.status[0] != "OK":
        return _absent(plan)
    answer = _test(found.arranged[:, 0], float(found.observed[0]), exact=plan.exact)
    g, h = np.asarray(features, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    gaps = np.where(np.isnan(g), 0.0, g - np.nanmean(g)) * np.where(np.isnan(h), 0.0, h - np.nanmean(h))
    return replace(answer, statistic=float(gaps.sum()))


def _absent(plan: PermutationPlan) -> TestResult:
    nan = math.nan
    return TestResult(nan, nan, nan, nan, nan, "abs", plan.exact, len(plan.index), 0.0, "NE", "ONE_LEVEL")


def _test(arranged: Floats, observed: float, *, exact: bool) -> TestResult:
    """p-values of one statistic; the identity is among the arrangements, so none is 0."""
    far, n = np.abs(arranged), len(arranged)
    both, less, greater, least = (
        float(np.count_nonzero(hits)) / n
        for hits in (
            far >= abs(observed) - TIE,
            arranged <= observed + TIE,
            arranged >= observed - TIE,
            far >= far.max() - TIE,
        )
    )
    error = 0.0 if exact else math.sqrt(both * (1.0 - both) / n)
    marks: tuple[Status, str] = ("OK", "") if exact else ("FLAG", "MC_ONLY")
    return TestResult(observed, both, less, greater, least, "abs", exact, n, error, *marks)


def _centred(features: Floats, n: int) -> Floats:
    matrix = features[:, None] if features.ndim == 1 else features
    if matrix.ndim != 2 or len(matrix) != n:
        raise ValueError(f"features must have one row per participant ({n}); the shape is {matrix.shape}")
    filled = np.where(np.isnan(matrix), 0.0, matrix)
    check_matrix(filled, "features", rows=n)
    known = ~np.isnan(matrix)
    means = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    centred: Floats = np.where(known, filled - means, 0.0)
    return centred


@dataclass(frozen=True, eq=False)
class Adjusted:
    """p-values adjusted for the other tests of a family.

    Attributes
    ----------
    p_values : ndarray of float, shape (m,)
        Adjusted; NaN where the test is NE.
    method : str
        max_t, max_t_step_down, min_p, min_p_step_down.
    planned, run : int
        Tests in the family, and tests that could be run.
    """

    p_values: Floats
    method: str
    planned: int
    run: int


def max_t(statistics: LinearStatistics, *, step_down: bool = True) -> Adjusted:
    """Return p-values adjusted by the largest absolute statistic of the family.

    Parameters
    ----------
    statistics : LinearStatistics
        Statistics of all tests under one plan.
    step_down : bool
        False: single step.

    Returns
    -------
    Adjusted
        Never smaller than the raw p-values; step-down never larger than single step.

    Raises
    ------
    None

    References
    ----------
    Westfall and Young 1993.
    """
    return _adjusted(np.abs(statistics.arranged), np.abs(statistics.observed), statistics, "max_t", step_down)


def min_p(statistics: LinearStatistics, *, step_down: bool = True) -> Adjusted:
    """Return p-values adjusted by the smallest permutation p-value of the family.

    Parameters
    ----------
    statistics : LinearStatistics
        Statistics of all tests under one plan.
    step_down : bool
        False: single step.

    Returns
    -------
    Adjusted
        Adjusted p-values.

    Raises
    ------
    None
    """
    far = np.abs(statistics.arranged)
    surprise = np.empty_like(far)
    for column in range(far.shape[1]):
        ordered = np.sort(far[:, column])
        below = np.searchsorted(ordered, far[:, column] - TIE, side="left")
        surprise[:, column] = -(len(ordered) - below)
    hits = -(far >= np.abs(statistics.observed) - TIE).sum(axis=0).astype(np.float64)
    observed = np.where(np.isnan(statistics.observed), np.nan, hits)
    return _adjusted(surprise, observed, statistics, "min_p", step_down)


def _adjusted(
    arranged: Floats, observed: Floats, statistics: LinearStatistics, name: str, step_down: bool
) -> Adjusted:
    run = np.flatnonzero(~np.isnan(observed))
    values = np.full(len(observed), np.nan)
    order = run[np.argsort(-observed[run], kind="stable")]
    family = order if len(order) else run
    running = 0.0
    for step, place in enumerate(order):
        rest = family[step:] if step_down else family
        top = arranged[:, rest].max(axis=1)
        share = float((top >= observed[place] - TIE).sum()) / len(top)
        running = max(running, min(share, 1.0)) if step_down else min(share, 1.0)
        values[place] = running
    frozen(values)
    method = f"{name}_step_down" if step_down else name
    return Adjusted(values, method, len(observed), len(run))

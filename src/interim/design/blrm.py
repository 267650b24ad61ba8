"""Bayesian logistic regression with overdose control: posteriors by quadrature split at the interval limits."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit, logit

from interim.design.characteristics import Floats
from interim.design.elimination import Integers
from interim.design.fixed import Batch, FixedCohorts
from interim.design.history import History
from interim.design.options import checked_levels
from interim.design.states import distinct_rows
from interim.errors import DesignError
from interim.stats import gauss_legendre, gauss_legendre_pieces

if TYPE_CHECKING:
    from interim.study import Study

_CHUNK = 512
Pair = tuple[float, float]


class Effort(NamedTuple):
    """Numbers of quadrature nodes.

    Attributes
    ----------
    slopes : int
        Nodes of log beta.
    pieces : int
        Pieces of log alpha besides the cuts.
    nodes : int
        Nodes per piece.
    depth : float
        Nodes whose log prior weight lies further below the largest are left out.
    span : float
        Standard deviations of the prior on either side of its mean.
    """

    slopes: int
    pieces: int
    nodes: int
    depth: float
    span: float


FINE, FAST = Effort(200, 24, 12, 60.0, 9.0), Effort(72, 10, 7, 20.0, 6.0)


@dataclass(frozen=True)
class Prior:
    """Bivariate normal prior of log alpha and log beta.

    Attributes
    ----------
    mean : tuple of float
        Means.
    cov : tuple of tuple of float
        Covariance matrix.
    """

    mean: Pair = (-1.0986, 0.0)
    cov: tuple[Pair, Pair] = ((4.0, 0.0), (0.0, 1.0))

    def __post_init__(self) -> None:
        """Refuse a matrix that is no covariance."""
        (va, ab), (ba, vb) = self.cov
        if va <= 0 or vb <= 0 or ab != ba or ab**2 >= va * vb:
            raise DesignError(f"prior covariance must be symmetric and positive definite, found {self.cov}")


@dataclass(frozen=True)
class IntervalPosterior:
    """Posterior of the DLT rates in intervals.

    Attributes
    ----------
    mean : ndarray of float, shape (levels,)
        Posterior mean of the DLT rate.
    interval_probs : ndarray of float, shape (levels, intervals)
        Posterior probability of every interval between the cuts.
    ewoc_ok : ndarray of bool, shape (levels,)
        True where the probability above the second cut is small enough.
    parameter_mean, parameter_var : tuple of float
        Posterior means and variances of log alpha and log beta.
    """

    mean: Floats
    interval_probs: Floats
    ewoc_ok: NDArray[np.bool_]
    parameter_mean: Pair
    parameter_var: Pair


@dataclass(frozen=True)
class Blrm(FixedCohorts):
    """Two-parameter logistic regression with escalation under overdose control.

    Attributes
    ----------
    levels : tuple of float
        Planned doses, increasing.
    dref : float
        Reference dose: ``logit p = log alpha + exp(log beta) log(dose / dref)``.
    prior : Prior
        Prior of log alpha and log beta.
    cuts : tuple of float
        Interval limits; the second ends the target interval.
    ewoc : float
        Largest permitted probability above the second cut.

    References
    ----------
    Neuenschwander, Branson, Gsponer (2008), Stat Med 27, 2420-2439.
    """

    levels: tuple[float, ...]
    dref: float
    _: KW_ONLY
    prior: Prior = Prior()
    cuts: tuple[float, ...] = (0.16, 0.33)
    ewoc: float = 0.25

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        object.__setattr__(self, "levels", checked_levels(self.levels))
        cuts = (0.0, *self.cuts, 1.0)
        if len(self.cuts) < 2 or any(a >= b for a, b in pairwise(cuts)):
            raise DesignError(f"cuts must be two or more rising values between 0 and 1, found {self.cuts}")
        if not 0 < self.ewoc < 1:
            raise DesignError(f"ewoc must lie between 0 and 1, found {self.ewoc:g}")
        if self.dref <= 0 or self.levels[0] <= 0:
            raise DesignError(f"doses and dref must be > 0, found {self.levels} and {self.dref}")
        super().__post_init__()

    @classmethod
    def from_study(cls, study: Study, *, n_max: int, dref: float, cohort_size: int = 3) -> Blrm:
        """Build the design on the dose ladder and toxicity band of a study.

        Parameters
        ----------
        study : Study
            Table ``dose``.
        n_max : int
            Participants in all.
        dref : float
            Reference dose.
        cohort_size : int
            Participants per cohort.

        Returns
        -------
        Blrm
            The design.

        Raises
        ------
        DesignError
            If the options contradict each other.
        """
        dose = study.dose
        return cls(
            dose.levels,
            dref,
            cuts=dose.tox_band,
            n_max=n_max,
            cohort_size=cohort_size,
            start_level=dose.start_level,
        )

    def ladder(self) -> tuple[float, ...]:
        """Return the planned doses.

        Returns
        -------
        tuple of float
            Increasing.

        Raises
        ------
        None
        """
        return self.levels

    def probabilities(self, n: Integers, y: Integers) -> tuple[Floats, Floats]:
        """Return the probabilities of the target interval and above it, of every state.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        target, over : ndarray of float, shape (states, levels)
            Posterior probabilities.

        Raises
        ------
        None
        """
        grid = _grid(self, FAST)
        size = n.shape[1]
        wanted = np.concatenate([grid.interval == 1, grid.interval > 1], axis=1).astype(float)
        first, where = distinct_rows(np.concatenate([n, y], axis=1))
        found = []
        for start in range(0, first.size, _CHUNK):
            part = first[start : start + _CHUNK]
            found.append(grid.weights(n[part], y[part]) @ wanted)
        both = np.concatenate(found)[where]
        return both[:, :size], both[:, size:]

    def propose(self, batch: Batch) -> Integers:
        """Return the next level of every state.

        Parameters
        ----------
        batch : Batch
            States after a complete cohort.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based level, 0 where overdosing is likely at every level.

        Raises
        ------
        None
        """
        reach = np.arange(1, batch.n.shape[1] + 1) <= batch.current[:, None] + 1
        return self._best(batch.n, batch.y, reach)

    def choose(self, n: Integers, y: Integers) -> Integers:
        """Return the admissible level with the largest probability of the target interval, tried or not.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based level, 0 for no dose.

        Raises
        ------
        None
        """
        return self._best(n, y, np.ones(n.shape, dtype=bool))

    def _best(self, n: Integers, y: Integers, reach: NDArray[np.bool_]) -> Integers:
        target, over = self.probabilities(n, y)
        score = np.where((over <= self.ewoc) & reach, target, -1.0)
        found: Integers = np.where(score.max(axis=1) >= 0, score.argmax(axis=1) + 1, 0)
        return found

    def estimates(self, n: Integers, y: Integers) -> NDArray[np.float64]:
        """Return the posterior means of the DLT rates.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of float, shape (states, levels)
            Posterior means.

        Raises
        ------
        None
        """
        grid = _grid(self, FAST)
        return np.asarray(grid.weights(n, y) @ grid.rates)

    def excluded(self, n: Integers, y: Integers) -> Integers:
        """Return the lowest level at which overdosing is too likely.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based; above the highest level where there is none.

        Raises
        ------
        None
        """
        _, over = self.probabilities(n, y)
        out = over > self.ewoc
        first: Integers = np.where(out.any(axis=1), out.argmax(axis=1) + 1, n.shape[1] + 1)
        return first

    def posterior(self, history: History) -> IntervalPosterior:
        """Return the posterior of the DLT rates.

        Parameters
        ----------
        history : History
            What is known.

        Returns
        -------
        IntervalPosterior
            Means, interval probabilities, overdose control.

        Raises
        ------
        DesignError
            If the history has another number of levels.
        """
        facts = self.facts(history)
        return self.posterior_of(facts.n, facts.y)

    def posterior_of(self, n: ArrayLike, y: ArrayLike) -> IntervalPosterior:
        """Return the posterior of the DLT rates for counts.

        Parameters
        ----------
        n, y : array_like of int, shape (levels,)
            Participants and DLT.

        Returns
        -------
        IntervalPosterior
            Means, interval probabilities, overdose control.

        Raises
        ------
        None
        """
        grid = _grid(self, FINE)
        weights = grid.weights(np.atleast_2d(n), np.atleast_2d(y))[0]
        probs = np.stack([weights @ (grid.interval == place) for place in range(len(self.cuts) + 1)], axis=1)
        over = probs[:, 2:].sum(axis=1)
        mean = tuple(float(weights @ values) for values in (grid.alpha, grid.beta))
        var = tuple(
            float(weights @ (values - centre) ** 2)
            for values, centre in zip((grid.alpha, grid.beta), mean, strict=True)
        )
        return IntervalPosterior(
            weights @ grid.rates, probs, over <= self.ewoc, (mean[0], mean[1]), (var[0], var[1])
        )

    def quantiles_of(self, n: ArrayLike, y: ArrayLike, probs: ArrayLike) -> Floats:
        """Return posterior quantiles of the DLT rate per level.

        Parameters
        ----------
        n, y : array_like of int, shape (levels,)
            Participants and DLT.
        probs : array_like of float, shape (k,)
            Probabilities.

        Returns
        -------
        ndarray of float, shape (levels, k)
            Interpolated between the nodes of the quadrature.

        Raises
        ------
        None
        """
        grid = _grid(self, FINE)
        weights = grid.weights(np.atleast_2d(n), np.atleast_2d(y))[0]
        wanted = np.atleast_1d(np.asarray(probs, dtype=float))
        found = np.empty((len(self.levels), wanted.size))
        for place, rates in enumerate(grid.rates.T):
            order = np.argsort(rates, kind="stable")
            below = np.cumsum(weights[order]) - weights[order] / 2
            found[place] = np.interp(wanted, below, rates[order])
        return found


class _Grid(NamedTuple):
    """Nodes of log alpha and log beta with everything that does not depend on the data."""

    alpha: Floats
    beta: Floats
    log_prior: Floats
    rates: Floats
    log_rates: Floats
    log_rest: Floats
    interval: Integers

    def weights(self, n: NDArray[Any], y: NDArray[Any]) -> Floats:
        """Return the posterior weights of the nodes, shape (states, nodes)."""
        log_weights = y @ self.log_rates.T + (n - y) @ self.log_rest.T + self.log_prior
        log_weights -= log_weights.max(axis=1, keepdims=True)
        weights: Floats = np.exp(log_weights, out=log_weights)
        weights /= weights.sum(axis=1, keepdims=True)
        return weights


@lru_cache(maxsize=16)
def _grid(design: Blrm, effort: Effort) -> _Grid:
    (va, ab), (_, vb) = design.prior.cov
    sa, sb = (va - ab**2 / vb) ** 0.5, vb**0.5
    mean_a, mean_b = design.prior.mean
    beta, beta_weight = gauss_legendre(
        effort.slopes, low=mean_b - effort.span * sb, high=mean_b + effort.span * sb
    )
    centre = mean_a + ab / vb * (beta - mean_b)
    logs = np.log(np.asarray(design.levels) / design.dref)
    limits = logit(np.asarray(design.cuts))[None, None, :] - np.exp(beta)[:, None, None] * logs[None, :, None]
    even = centre[:, None] + sa * np.linspace(-effort.span, effort.span, effort.pieces + 1)
    limits = np.clip(limits.reshape(beta.size, -1), even[:, :1], even[:, -1:])
    breaks = np.sort(np.concatenate([even, limits], axis=1), axis=1)
    alpha, weight = gauss_legendre_pieces(breaks, count=effort.nodes)
    log_prior = np.log(beta_weight)[:, None] - 0.5 * ((beta - mean_b) / sb)[:, None] ** 2
    with np.errstate(divide="ignore"):
        log_prior = log_prior + np.log(weight) - 0.5 * ((alpha - centre[:, None]) / sa) ** 2
    slope = np.broadcast_to(beta[:, None], alpha.shape)
    kept = np.isfinite(log_prior) & (log_prior > log_prior.max() - effort.depth)
    return _on_nodes(design, alpha[kept], slope[kept], log_prior[kept], logs)


def _on_nodes(design: Blrm, alpha: Floats, beta: Floats, log_prior: Floats, logs: Floats) -> _Grid:
    eta = alpha[:, None] + np.exp(beta)[:, None] * logs
    rates = expit(eta)
    interval = np.searchsorted(logit(np.asarray(design.cuts)), eta)
    return _Grid(alpha, beta, log_prior, rates, log_expit(eta), log_expit(-eta), interval)

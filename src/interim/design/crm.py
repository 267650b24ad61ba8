"""Continual reassessment method: one-parameter models, posterior by quadrature, exact characteristics by recursion."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit, logit, ndtri

from interim.design.characteristics import Floats
from interim.design.elimination import Integers
from interim.design.fixed import Batch, FixedCohorts
from interim.design.history import History
from interim.design.options import checked_levels
from interim.design.states import distinct_rows
from interim.errors import DesignError
from interim.stats import gauss_legendre

Model = Literal["empiric", "logistic"]
_RANGE = 12.0
_FINE, _FAST = 1200, 240
_CHUNK = 4096


@dataclass(frozen=True)
class Posterior:
    """Posterior of the DLT rates.

    Attributes
    ----------
    mean : ndarray of float, shape (levels,)
        Posterior mean of the DLT rate.
    plug_in : ndarray of float, shape (levels,)
        DLT rate at the posterior mean of the model's parameter.
    lower, upper : ndarray of float, shape (levels,)
        Plug-in limits from a normal approximation of the parameter.
    parameter_mean, parameter_var : float
        Posterior mean and variance of the model's parameter.
    """

    mean: Floats
    plug_in: Floats
    lower: Floats
    upper: Floats
    parameter_mean: float
    parameter_var: float


@dataclass(frozen=True)
class Crm(FixedCohorts):
    """Continual reassessment method.

    Attributes
    ----------
    skeleton : tuple of float
        Prior guesses of the DLT rates, increasing, between 0 and 1.
    target : float
        Target DLT rate.
    model : {"empiric", "logistic"}
        ``p = s^exp(b)``, or ``logit p = a + exp(b) (logit s - a)`` with intercept a.
    prior_sd : float
        Standard deviation of b, whose prior mean is 0.
    intercept : float
        Of the logistic model.
    estimate : {"plug_in", "posterior_mean"}
        Which estimate is compared with the target.
    doses : tuple of float or None
        Planned doses; the place in the skeleton if absent.
    no_skipping : bool
        True forbids to skip a level, and to escalate when the last cohort's rate reached the target.

    Notes
    -----
    The level closest to the target is taken, ties the lowest; the final choice is not restricted.

    References
    ----------
    O'Quigley, Pepe, Fisher (1990), Biometrics 46, 33-48.
    """

    skeleton: tuple[float, ...]
    target: float
    _: KW_ONLY
    model: Model = "empiric"
    prior_sd: float = 1.34**0.5
    intercept: float = 3.0
    estimate: Literal["plug_in", "posterior_mean"] = "plug_in"
    doses: tuple[float, ...] | None = None
    no_skipping: bool = True

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        object.__setattr__(self, "skeleton", checked_levels(self.skeleton))
        if not 0 < self.skeleton[0] <= self.skeleton[-1] < 1 or not 0 < self.target < 1:
            raise DesignError(
                f"skeleton and target must lie between 0 and 1, found {self.skeleton} and {self.target}"
            )
        if not self.prior_sd > 0:
            raise DesignError(f"prior_sd must be > 0, found {self.prior_sd:g}")
        if self.doses is not None and len(self.doses) != len(self.skeleton):
            raise DesignError(
                f"{len(self.skeleton)} doses expected, one per skeleton entry, found {self.doses}"
            )
        super().__post_init__()

    @property
    def levels(self) -> tuple[float, ...]:
        """Planned doses, or the place in the skeleton."""
        return self.ladder()

    def ladder(self) -> tuple[float, ...]:
        """Return the planned doses.

        Returns
        -------
        tuple of float
            Increasing.

        Raises
        ------
        DesignError
            If they do not increase.
        """
        return checked_levels(self.doses or range(1, len(self.skeleton) + 1))

    def is_hot(self, cohort: int, events: int) -> bool:
        """Tell whether the rate of a cohort reached the target.

        Parameters
        ----------
        cohort, events : int
            Participants and DLT.

        Returns
        -------
        bool
            Compared as fractions, never as floats.

        Raises
        ------
        None
        """
        restricted = self.no_skipping and cohort > 0
        return restricted and Fraction(events, cohort) >= Fraction(str(self.target))

    def rates(self, parameter: ArrayLike) -> Floats:
        """Return the DLT rates at values of the parameter.

        Parameters
        ----------
        parameter : array_like of float, shape (k,)
            Values of b.

        Returns
        -------
        ndarray of float, shape (k, levels)
            DLT rates.

        Raises
        ------
        None
        """
        slope = np.exp(np.asarray(parameter, dtype=float))[..., None]
        if self.model == "empiric":
            return np.asarray(np.exp(slope * np.log(self.skeleton)))
        return np.asarray(expit(self.intercept + slope * (logit(self.skeleton) - self.intercept)))

    def excluded(self, n: Integers, y: Integers) -> Integers:
        """Return the lowest level that must not be used; the method excludes none.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of int, shape (states,)
            The number of levels plus 1.

        Raises
        ------
        None
        """
        return np.full(n.shape[0], n.shape[1] + 1)

    def estimates(self, n: Integers, y: Integers) -> NDArray[np.float64]:
        """Return the estimated DLT rates that are compared with the target.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of float, shape (states, levels)
            Plug-in or posterior means.

        Raises
        ------
        None
        """
        chunks = [slice(i, i + _CHUNK) for i in range(0, n.shape[0], _CHUNK)]
        return np.concatenate([self._estimates(n[rows], y[rows]) for rows in chunks])

    def _estimates(self, n: Integers, y: Integers) -> Floats:
        grid = _grid(self, _FAST)
        weights = grid.weights(n, y)
        if self.estimate == "posterior_mean":
            return np.asarray(weights @ grid.rates)
        return self.rates(weights @ grid.nodes)

    def choose(self, n: Integers, y: Integers) -> Integers:
        """Return the level whose estimate is closest to the target.

        Parameters
        ----------
        n, y : ndarray of int, shape (states, levels)
            Participants and DLT.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based level; ties the lowest.

        Raises
        ------
        None
        """
        first, where = distinct_rows(np.concatenate([n, y], axis=1))
        distance = np.abs(self.estimates(n[first], y[first]) - self.target)
        found: Integers = (distance.argmin(axis=1) + 1)[where]
        return found

    def propose(self, batch: Batch) -> Integers:
        """Return the next level of every state.

        Parameters
        ----------
        batch : Batch
            States after a complete cohort.

        Returns
        -------
        ndarray of int, shape (states,)
            1-based level.

        Raises
        ------
        None
        """
        level = self.choose(batch.n, batch.y)
        if not self.no_skipping:
            return level
        return np.minimum(level, batch.current + np.where(batch.hot, 0, 1))

    def posterior(self, history: History, *, level: float = 0.90) -> Posterior:
        """Return the posterior of the DLT rates.

        Parameters
        ----------
        history : History
            What is known.
        level : float
            Level of the plug-in limits.

        Returns
        -------
        Posterior
            Both estimates, named.

        Raises
        ------
        DesignError
            If the history has another number of levels.
        """
        facts = self.facts(history)
        return self.posterior_of(facts.n, facts.y, level=level)

    def posterior_of(self, n: ArrayLike, y: ArrayLike, *, level: float = 0.90) -> Posterior:
        """Return the posterior of the DLT rates for counts.

        Parameters
        ----------
        n, y : array_like of int, shape (levels,)
            Participants and DLT.
        level : float
            Level of the plug-in limits.

        Returns
        -------
        Posterior
            Both estimates, named.

        Raises
        ------
        None
        """
        grid = _grid(self, _FINE)
        weights = grid.weights(np.atleast_2d(n), np.atleast_2d(y))[0]
        mean = float(weights @ grid.nodes)
        var = float(weights @ (grid.nodes - mean) ** 2)
        shift = float(ndtri((1 + level) / 2)) * var**0.5
        return Posterior(
            mean=weights @ grid.rates,
            plug_in=self.rates(mean),
            lower=self.rates(mean + shift),
            upper=self.rates(mean - shift),
            parameter_mean=mean,
            parameter_var=var,
        )


class _Grid(NamedTuple):
    """Nodes of the parameter with everything that does not depend on the data."""

    nodes: Floats
    log_prior: Floats
    rates: Floats
    log_rates: Floats
    log_rest: Floats

    def weights(self, n: NDArray[Any], y: NDArray[Any]) -> Floats:
        """Return the posterior weights of the nodes, shape (states, nodes)."""
        log_weights = y @ self.log_rates.T + (n - y) @ self.log_rest.T + self.log_prior
        log_weights -= log_weights.max(axis=1, keepdims=True)
        weights = np.exp(log_weights)
        found: Floats = weights / weights.sum(axis=1, keepdims=True)
        return found


@lru_cache(maxsize=32)
def _grid(design: Crm, count: int) -> _Grid:
    nodes, widths = gauss_legendre(count, low=-_RANGE * design.prior_sd, high=_RANGE * design.prior_sd)
    slope = np.exp(nodes)[:, None]
    if design.model == "empiric":
        log_rates = slope * np.log(design.skeleton)
        log_rest = np.log(-np.expm1(log_rates))
    else:
        eta = design.intercept + slope * (logit(design.skeleton) - design.intercept)
        log_rates, log_rest = log_expit(eta), log_expit(-eta)
    log_prior = np.log(widths) - 0.5 * (nodes / design.prior_sd) ** 2
    return _Grid(nodes, log_prior, np.exp(log_rates), log_rates, log_rest)

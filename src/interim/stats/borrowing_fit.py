"""The answer of a borrowing model: rates, probabilities and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from interim.stats.answers import Floats
from interim.stats.borrowing_laws import RateLaw, log_ways
from interim.stats.borrowing_predict import JointLaw, checked_pmf, separate_law
from interim.stats.posterior import beta_tail

MASS_SLACK = 1e-9
GoState = tuple[int, int, float]


@dataclass(frozen=True, eq=False)
class BasketFit:
    """Posterior of the response rates of several baskets.

    Attributes
    ----------
    model : str
        Name of the model.
    r, n, p0 : ndarray of float, shape (k,)
        Responses, participants, null rates.
    laws : tuple of RateLaw
        Posterior law of each rate.
    level : float
        Level of the credible intervals.
    p_exchangeable : ndarray or None
        Posterior probability of exchangeability (EXNEX).
    share : ndarray or None, shape (k, k)
        Posterior probability, or weight, of sharing per pair (partition average, power prior, multisource).
    tau_mean, mu_mean, log_marginal : float
        Posterior means of spread and common mean, log marginal likelihood; NaN where the model has none.
    prior_mass : float
        Mass of the prior on the grid; 1 unless the grid is wrong.
    joint : callable or None
        Joint predictive law of all baskets; None where the rates are independent.
    """

    model: str
    r: Floats
    n: Floats
    p0: Floats
    laws: tuple[RateLaw, ...]
    level: float = 0.95
    p_exchangeable: Floats | None = None
    share: Floats | None = None
    tau_mean: float = math.nan
    mu_mean: float = math.nan
    log_marginal: float = math.nan
    prior_mass: float = 1.0
    joint: JointLaw | None = None
    mean: Floats = field(init=False)
    sd: Floats = field(init=False)
    prob_above: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Derive mean, standard deviation and P(p > p0); refuse a law or a prior that does not hold mass 1."""
        first = np.array([law.moment(1, 0) for law in self.laws])
        second = np.array([law.moment(2, 0) for law in self.laws])
        total = np.array([law.moment(0, 0) for law in self.laws])
        if abs(self.prior_mass - 1.0) > MASS_SLACK or np.any(np.abs(total - 1.0) > MASS_SLACK):
            raise ArithmeticError(
                f"{self.model}: prior mass {self.prior_mass!r}, posterior masses {total.tolist()}; the grid must hold 1"
            )
        object.__setattr__(self, "mean", first)
        object.__setattr__(self, "sd", np.sqrt(np.maximum(second - first**2, 0.0)))
        object.__setattr__(self, "prob_above", self.prob_gt(self.p0))

    @property
    def lower(self) -> Floats:
        """Lower limits of the equal-tailed credible intervals."""
        return self.quantile((1.0 - self.level) / 2.0)

    @property
    def upper(self) -> Floats:
        """Upper limits of the equal-tailed credible intervals."""
        return self.quantile((1.0 + self.level) / 2.0)

    @property
    def ess(self) -> Floats:
        """Effective number of participants: m(1 - m)/s^2 - 1."""
        found: Floats = self.mean * (1.0 - self.mean) / self.sd**2 - 1.0
        return found

    @property
    def borrowed(self) -> Floats:
        """Effective participants beyond one's own and one of the prior."""
        return self.ess - (self.n + 1.0)

    def prob_gt(self, cut: float | Sequence[float] | Floats) -> Floats:
        """Return P(p > cut) per basket.

        Parameters
        ----------
        cut : float or sequence of float
            Rate, one for all or one per basket.

        Returns
        -------
        ndarray of float, shape (k,)
            Posterior probabilities.

        Raises
        ------
        None
        """
        cuts = np.broadcast_to(np.asarray(cut, dtype=float), self.n.shape)
        return np.array([law.above(float(c)) for law, c in zip(self.laws, cuts, strict=True)])

    def quantile(self, q: float) -> Floats:
        """Return a posterior quantile per basket.

        Parameters
        ----------
        q : float
            Probability, 0 to 1, both excluded.

        Returns
        -------
        ndarray of float, shape (k,)
            Rates.

        Raises
        ------
        None
        """
        return np.array([law.quantile(q) for law in self.laws])

    def path_moment(self, k: int, *, s: int, f: int) -> float:
        """Return the posterior mean of p^s (1 - p)^f of one basket.

        Parameters
        ----------
        k : int
            Basket, from 0.
        s, f : int
            New responses and new failures.

        Returns
        -------
        float
            Probability of one given sequence of s responses and f failures.

        Raises
        ------
        None
        """
        return self.laws[k].moment(s, f)

    def success(self, k: int, states: Iterable[GoState]) -> float:
        """Return the predictive probability of a success among new participants of one basket.

        Parameters
        ----------
        k : int
            Basket, from 0.
        states : iterable of tuple
            Responses, participants and number of paths of every state in which the design ends with a go.

        Returns
        -------
        float
            Sum over states of paths x mean of p^y (1 - p)^(m - y).

        Raises
        ------
        None
        """
        return float(sum(paths * self.laws[k].moment(y, m - y) for y, m, paths in states))

    def size_success(self, k: int, *, m: int, cut: float, pooled: bool = False) -> float:
        """Return the predictive probability that P(p > p0) exceeds a cut after m new participants of one basket.

        Parameters
        ----------
        k : int
            Basket, from 0.
        m : int
            New participants.
        cut : float
            Success: P(p > p0) greater, under Beta(p0, 1 - p0).
        pooled : bool
            True judges old and new participants together: that contains the data that selected the basket.

        Returns
        -------
        float
            Probability of success.

        Raises
        ------
        ArithmeticError
            If the predictive probabilities do not sum to 1.
        """
        old = (float(self.r[k]), float(self.n[k])) if pooled else (0.0, 0.0)
        p0 = float(self.p0[k])
        tail = beta_tail(old[0] + np.arange(m + 1), old[1] + m, limit=p0, prior=(p0, 1.0 - p0))
        return float(self.predictive(k, m=m)[tail > cut].sum())

    def open_responses(self, counts: Sequence[int]) -> Floats:
        """Return the joint predictive distribution of the responses among new participants of all baskets.

        Parameters
        ----------
        counts : sequence of int, length k
            New participants, or participants whose response is open, per basket.

        Returns
        -------
        ndarray of float, shape (m_1 + 1, ..., m_k + 1)
            Probability of every outcome; sums to 1.

        Raises
        ------
        ValueError
            If the counts are illegal or there are too many outcomes.
        ArithmeticError
            If the probabilities do not sum to 1.
        """
        return checked_pmf(self.joint or separate_law(self.laws), counts, size=len(self.laws))

    def predictive(self, k: int, *, m: int) -> Floats:
        """Return the predictive distribution of the responses among new participants.

        Parameters
        ----------
        k : int
            Basket, from 0.
        m : int
            Number of new participants.

        Returns
        -------
        ndarray of float, shape (m + 1,)
            Probability of 0..m responses; sums to 1.

        Raises
        ------
        ArithmeticError
            If the probabilities do not sum to 1.
        """
        ways = log_ways(m, np.arange(m + 1))
        found = np.array([self.laws[k].moment(y, m - y) for y in range(m + 1)]) * np.exp(ways)
        if abs(found.sum() - 1.0) > MASS_SLACK:
            raise ArithmeticError(
                f"{self.model}: predictive probabilities of basket {k} sum to {found.sum()!r}"
            )
        return found

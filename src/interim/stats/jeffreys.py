"""The two likelihoods with Jeffreys' penalty: logistic and Breslow's partial likelihood, with exact second derivatives."""

from __future__ import annotations

from typing import Self

import numpy as np

from interim.stats.answers import Floats
from interim.stats.penalised import Evaluated, PenalisedModel
from interim.stats.riskset import RiskSets

_CELLS = 2_000_000
_SINGULAR = 1e-150


class LogisticModel(PenalisedModel):
    """Logistic likelihood with Jeffreys' penalty.

    Parameters
    ----------
    design : ndarray of float, shape (n, p)
        With intercept.
    y : ndarray of float, shape (n,)
        0 or 1.
    """

    def __init__(self, design: Floats, y: Floats) -> None:
        self.design, self.y = design, y
        self.size = design.shape[1]

    def turned(self, axes: Floats) -> Self:
        """Return the model on other axes.

        Parameters
        ----------
        axes : ndarray of float, shape (p, p)
            As in `PenalisedModel.turned`.

        Returns
        -------
        LogisticModel
            With the design turned.

        Raises
        ------
        None
        """
        return type(self)(self.design @ axes, self.y)

    def evaluate(self, points: Floats) -> Evaluated:
        """Return value, penalised score and curvature at several points.

        Parameters
        ----------
        points : ndarray of float, shape (m, p)
            Coefficients.

        Returns
        -------
        Evaluated
            As in `PenalisedModel.evaluate`.

        Raises
        ------
        None

        Notes
        -----
        Log determinant and leverages come from a QR decomposition of the rows weighted on the log scale: weights fall to
        1e-20 near separation, where the determinant of the information itself would be lost.
        """
        x = self.design
        eta = points @ x.T
        size = np.abs(eta)
        shrunk = np.exp(-size)
        softened = np.log1p(shrunk)
        log_weight = -size - 2.0 * softened
        q, diagonal, top = self._decomposed(log_weight)
        regular = np.minimum.reduce(diagonal) > _SINGULAR
        log_det = self.size * top + 2.0 * np.add.reduce(np.log(np.where(regular, diagonal, 1.0)))
        rate = np.where(eta >= 0.0, 1.0, shrunk) / (1.0 + shrunk)
        loglik = eta @ self.y - np.add.reduce(np.maximum(eta, 0.0) + softened, axis=1)
        value = np.where(regular, loglik + log_det / 2.0, -np.inf)
        tilt, weight = 1.0 - 2.0 * rate, np.exp(log_weight)
        pairs = q[:, None] * q
        leverage = np.add.reduce(pairs.diagonal(), axis=2)
        score = (self.y - rate + leverage * tilt / 2.0) @ x
        row_weight = weight - leverage * (tilt * tilt - 2.0 * weight) / 2.0
        crossed = (pairs * tilt) @ x
        flat = crossed.reshape(-1, *score.shape)
        curvature = (
            x.T @ (row_weight[:, :, None] * x) + flat.transpose(1, 2, 0) @ flat.transpose(1, 0, 2) / 2.0
        )
        return Evaluated(value, score, curvature)

    def _decomposed(self, log_weight: Floats) -> tuple[Floats, Floats, Floats]:
        """Orthonormal columns of the weighted design (p, m, n), diagonal of its triangle (p, m), log of the largest weight.

        Each column is freed of the earlier ones twice, which leaves nothing of them.
        """
        top = np.maximum.reduce(log_weight, axis=1)
        columns = np.exp((log_weight - top[:, None]) / 2.0) * self.design.T[:, None, :]
        diagonal = np.empty(columns.shape[:2])
        for place, column in enumerate(columns):
            for _ in range(2):
                for earlier in columns[:place]:
                    column -= np.add.reduce(earlier * column, axis=1)[:, None] * earlier
            length = np.sqrt(np.add.reduce(column * column, axis=1))
            diagonal[place] = length
            column /= np.where(length > 0.0, length, 1.0)[:, None]
        return columns, diagonal, top

    def covariance(self, beta: Floats) -> Floats:
        """Return the inverse of the information with weights w (1 + h).

        Parameters
        ----------
        beta : ndarray of float, shape (p,)
            Coefficients.

        Returns
        -------
        ndarray of float, shape (p, p)
            Covariance.

        Raises
        ------
        None
        """
        eta = np.abs(beta @ self.design.T)[None, :]
        log_weight = -eta - 2.0 * np.log1p(np.exp(-eta))
        q = self._decomposed(log_weight)[0][:, 0]
        weight = np.exp(log_weight[0]) * (1.0 + (q * q).sum(axis=0))
        inverse: Floats = np.linalg.inv((self.design * weight[:, None]).T @ self.design)
        return inverse


class PartialModel(PenalisedModel):
    """Breslow's partial likelihood with Jeffreys' penalty.

    Parameters
    ----------
    x : ndarray of float, shape (n, p)
        Covariates.
    inside : ndarray of bool, shape (g, n)
        Who is at risk at each event time.
    deaths : ndarray of float, shape (g,)
        Events at each event time.
    died : ndarray of float, shape (n,)
        1 = event.
    """

    def __init__(
        self,
        x: Floats,
        *,
        inside: np.ndarray[tuple[int, int], np.dtype[np.bool_]],
        deaths: Floats,
        died: Floats,
    ) -> None:
        self.x, self.inside, self.deaths, self.died = x, inside, deaths, died
        self.size = x.shape[1]

    @classmethod
    def of(cls, sets: RiskSets) -> Self:
        """Return the model of a sample.

        Parameters
        ----------
        sets : RiskSets
            Its risk sets.

        Returns
        -------
        PartialModel
            The model.

        Raises
        ------
        None
        """
        rows = np.arange(len(sets.x))
        inside = (rows >= sets.first[:, None]) & (rows <= sets.last[:, None])
        died = np.zeros(len(sets.x))
        died[sets.rows] = 1.0
        return cls(sets.x, inside=inside, deaths=sets.counts.astype(np.float64), died=died)

    def turned(self, axes: Floats) -> Self:
        """Return the model on other axes.

        Parameters
        ----------
        axes : ndarray of float, shape (p, p)
            As in `PenalisedModel.turned`.

        Returns
        -------
        PartialModel
            With the covariates turned.

        Raises
        ------
        None
        """
        return type(self)(self.x @ axes, inside=self.inside, deaths=self.deaths, died=self.died)

    def evaluate(self, points: Floats) -> Evaluated:
        """Return value, penalised score and curvature at several points.

        Parameters
        ----------
        points : ndarray of float, shape (m, p)
            Coefficients.

        Returns
        -------
        Evaluated
            As in `PenalisedModel.evaluate`.

        Raises
        ------
        None

        Notes
        -----
        Derivatives of the information are third and fourth cumulants of the covariates within the risk sets, summed around
        their means, so that nothing cancels near a monotone likelihood.
        """
        room = max(1, _CELLS // (self.inside.size * self.size**2))
        parts = [self._block(points[start : start + room]) for start in range(0, len(points), room)]
        if len(parts) == 1:
            return parts[0]
        columns = ([getattr(part, name) for part in parts] for name in ("value", "score", "curvature"))
        return Evaluated(*(np.concatenate(column) for column in columns))

    def _shares(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """Share of each participant in each risk set, mean of each risk set, and the log partial likelihood."""
        eta = points @ self.x.T
        at_risk = np.where(self.inside, eta[:, None, :], -np.inf)
        top = at_risk.max(axis=2)
        share = np.exp(at_risk - top[:, :, None])
        total = share.sum(axis=2)
        share /= total[:, :, None]
        mean = np.matmul(share, self.x)
        loglik = eta @ self.died - (top + np.log(total)) @ self.deaths
        return share, mean, loglik

    def _block(self, points: Floats) -> Evaluated:
        share, mean, loglik = self._shares(points)
        if self.size == 1:
            return self._one_covariate(share, mean[:, :, 0], loglik)
        gap = self.x - mean[:, :, None, :]
        m, p = points.shape
        within = np.matmul((share[..., None] * gap).transpose(0, 1, 3, 2), gap)
        information = np.einsum("g,mgab->mab", self.deaths, within)
        sign, log_det = np.linalg.slogdet(information)
        regular = (sign > 0.0) & np.isfinite(log_det)
        inverse = np.linalg.inv(np.where(regular[:, None, None], information, np.eye(p)))
        flat = gap.reshape(m, -1, p)
        mass = (self.deaths[:, None] * share).reshape(m, -1, 1)
        pairs = (flat[:, :, :, None] * flat[:, :, None, :]).reshape(m, -1, p * p)
        third = np.matmul((mass * pairs).transpose(0, 2, 1), flat)
        penalty = np.matmul(inverse.reshape(m, 1, p * p), third)[:, 0, :]
        score = (self.died @ self.x - self.deaths @ mean) + penalty / 2.0
        lengths = np.matmul(pairs, inverse.reshape(m, p * p, 1))
        fourth = np.matmul((mass * lengths * flat).transpose(0, 2, 1), flat)
        spread = np.einsum("mgab,mab->mg", within, inverse)
        fourth -= np.einsum("g,mg,mgab->mab", self.deaths, spread, within)
        half = np.matmul(within, inverse[:, None])
        fourth -= 2.0 * np.einsum("g,mgab->mab", self.deaths, np.matmul(half, within))
        turned = np.matmul(inverse, third.reshape(m, p, p * p)).reshape(m, p, p, p)
        crossed = np.einsum("mabc,mbad->mcd", turned, turned)
        curvature = information - (fourth - crossed) / 2.0
        return Evaluated(np.where(regular, loglik + log_det / 2.0, -np.inf), score, curvature)

    def _one_covariate(self, share: Floats, mean: Floats, loglik: Floats) -> Evaluated:
        """As `_block` where every cumulant is one number per risk set."""
        gap = self.x[:, 0] - mean[:, :, None]
        square = gap * gap
        mass = share * square
        second = np.add.reduce(mass, axis=2)
        third = np.add.reduce(mass * gap, axis=2) @ self.deaths
        fourth = (np.add.reduce(mass * square, axis=2) - 3.0 * second * second) @ self.deaths
        information = second @ self.deaths
        regular = information > _SINGULAR
        safe = np.where(regular, information, 1.0)
        tilt = third / safe
        score = self.died @ self.x[:, 0] - mean @ self.deaths + tilt / 2.0
        curvature = information - (fourth / safe - tilt * tilt) / 2.0
        value = np.where(regular, loglik + np.log(safe) / 2.0, -np.inf)
        return Evaluated(value, score[:, None], curvature[:, None, None])

    def covariance(self, beta: Floats) -> Floats:
        """Return the inverse of the unpenalised information.

        Parameters
        ----------
        beta : ndarray of float, shape (p,)
            Coefficients.

        Returns
        -------
        ndarray of float, shape (p, p)
            Covariance.

        Raises
        ------
        None
        """
        share, mean, _ = self._shares(beta[None, :])
        gap = self.x - mean[0][:, None, :]
        within = np.matmul((share[0][:, :, None] * gap).transpose(0, 2, 1), gap)
        inverse: Floats = np.linalg.inv(np.tensordot(self.deaths, within, 1))
        return inverse

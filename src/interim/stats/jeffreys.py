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
        shrunk = np.exp(-np.abs(eta))
        log_weight = -np.abs(eta) - 2.0 * np.log1p(shrunk)
        q, diagonal, top = self._decomposed(log_weight)
        regular = diagonal.min(axis=1) > _SINGULAR
        log_det = self.size * top + 2.0 * np.log(np.where(regular[:, None], diagonal, 1.0)).sum(axis=1)
        rate = np.where(eta >= 0.0, 1.0, shrunk) / (1.0 + shrunk)
        loglik = eta @ self.y - (np.maximum(eta, 0.0) + np.log1p(shrunk)).sum(axis=1)
        value = np.where(regular, loglik + log_det / 2.0, -np.inf)
        tilt, leverage = 1.0 - 2.0 * rate, (q * q).sum(axis=2)
        score = (self.y - rate + leverage * tilt / 2.0) @ x
        weight = np.exp(log_weight)
        row_weight = weight - leverage * (tilt * tilt - 2.0 * weight) / 2.0
        squares = (q[:, :, :, None] * q[:, :, None, :]).reshape(*q.shape[:2], -1)
        crossed = np.matmul(squares.transpose(0, 2, 1), tilt[:, :, None] * x)
        curvature = np.matmul(x.T, row_weight[:, :, None] * x)
        curvature += np.matmul(crossed.transpose(0, 2, 1), crossed) / 2.0
        return Evaluated(value, score, curvature)

    def _decomposed(self, log_weight: Floats) -> tuple[Floats, Floats, Floats]:
        """Orthogonal basis of the weighted design, diagonal of its triangle, and the log of the largest weight."""
        top = log_weight.max(axis=1)
        root = np.exp((log_weight - top[:, None]) / 2.0)
        q, r = np.linalg.qr(root[:, :, None] * self.design)
        return q, np.abs(np.diagonal(r, axis1=1, axis2=2)), top

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
        q = self._decomposed(log_weight)[0][0]
        weight = np.exp(log_weight[0]) * (1.0 + (q * q).sum(axis=1))
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
        deaths = np.array([float(len(places)) for places in sets.deaths])
        died = np.zeros(len(sets.x))
        for places in sets.deaths:
            died[places] = 1.0
        return cls(sets.x, inside=inside, deaths=deaths, died=died)

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
        information = np.einsum("g,gi,gia,gib->ab", self.deaths, share[0], gap, gap, optimize=True)
        inverse: Floats = np.linalg.inv(information)
        return inverse

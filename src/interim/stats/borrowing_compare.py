"""Two borrowing methods for comparison only: power prior by similarity of posteriors, and multisource exchangeability."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaln, logsumexp, xlog1py, xlogy

from interim.stats.answers import Floats
from interim.stats.borrowing_fit import BasketFit
from interim.stats.borrowing_laws import BetaMixture, log_ways
from interim.stats.borrowing_predict import mixed_law
from interim.stats.borrowing_priors import checked_baskets
from interim.stats.inputs import check_between
from interim.stats.quadrature import gauss_legendre_pieces

_MOST_GRAPH_BASKETS = 6
_PANELS, _NODES = 160, 12


def power_prior(
    r: ArrayLike,
    n: ArrayLike,
    *,
    p0: ArrayLike,
    prior: tuple[float, float] = (1.0, 1.0),
    epsilon: float = 2.0,
    cut: float = 0.5,
) -> BasketFit:
    """Return rates that borrow by the similarity of beta posteriors.

    Parameters
    ----------
    r, n : array_like of int, shape (k,)
        Responses and participants per basket.
    p0 : float or array_like of float
        Null rates.
    prior : tuple of float
        Beta prior of every rate.
    epsilon : float
        Power of the similarity, > 0.
    cut : float
        A similarity up to this counts as none.

    Returns
    -------
    BasketFit
        The posterior; ``share`` holds the weights.

    Raises
    ------
    ValueError
        If an input is illegal.

    Notes
    -----
    Weight = (1 - Jensen-Shannon divergence to base 2) to the power epsilon, 1 for the basket itself; the shapes of the
    posterior are the weighted sums of all shapes. Not controlled for false go: for comparison only.

    References
    ----------
    Fujikawa, Teramukai, Yokota and Daimon 2020.
    """
    counts, sizes, rates = checked_baskets(r, n, p0)
    a, b = (check_between(value, "prior", low=0.0, high=np.inf) for value in prior)
    check_between(epsilon, "epsilon", low=0.0, high=np.inf)
    own_a, own_b = a + counts, b + sizes - counts
    weight = similarity(own_a, own_b) ** epsilon
    weight = np.where(weight > cut, weight, 0.0)
    np.fill_diagonal(weight, 1.0)
    one = np.ones(1)
    laws = tuple(BetaMixture(one, np.array([row @ own_a]), np.array([row @ own_b])) for row in weight)
    return BasketFit("power_prior", counts, sizes, rates, laws, share=weight)


def similarity(a: Floats, b: Floats) -> Floats:
    """Return one minus the Jensen-Shannon divergence (base 2) between beta laws.

    Parameters
    ----------
    a, b : ndarray of float, shape (k,)
        Shapes.

    Returns
    -------
    ndarray of float, shape (k, k)
        Similarities, 0 to 1; 1 on the diagonal.

    Raises
    ------
    None
    """
    # x = logit scale: the densities are smooth there, whatever the shapes.
    found = np.eye(len(a))
    for i, j in combinations(range(len(a)), 2):
        found[i, j] = found[j, i] = 1.0 - _divergence((a[i], b[i]), (a[j], b[j]))
    return found


def _divergence(first: tuple[float, float], second: tuple[float, float]) -> float:
    reach = 40.0 / min(1.0, *first, *second)
    edges = np.sinh(np.linspace(-1.0, 1.0, _PANELS + 1) * np.arcsinh(reach))
    eta, weight = gauss_legendre_pieces(edges, count=_NODES)
    one, two = (_logit_density(eta, shapes) for shapes in (first, second))
    middle = np.logaddexp(one, two) - np.log(2.0)
    parts = np.exp(one) * (one - middle) + np.exp(two) * (two - middle)
    return float(np.clip(0.5 * (weight @ parts) / np.log(2.0), 0.0, 1.0))


def _logit_density(eta: Floats, shapes: tuple[float, float]) -> Floats:
    found: Floats = (
        -shapes[0] * np.logaddexp(0.0, -eta) - shapes[1] * np.logaddexp(0.0, eta) - betaln(*shapes)
    )
    return found


def multisource(
    r: ArrayLike,
    n: ArrayLike,
    *,
    p0: ArrayLike,
    prior: tuple[float, float] = (0.5, 0.5),
    inclusion: float = 0.5,
) -> BasketFit:
    """Return rates averaged over all graphs of pairwise exchangeability.

    Parameters
    ----------
    r, n : array_like of int, shape (k,)
        Responses and participants per basket, at most six baskets.
    p0 : float or array_like of float
        Null rates.
    prior : tuple of float
        Beta prior of every rate.
    inclusion : float
        Prior probability that a pair is exchangeable.

    Returns
    -------
    BasketFit
        The posterior; ``share`` holds the posterior probability of each pair.

    Raises
    ------
    ValueError
        If an input is illegal or there are too many baskets.

    Notes
    -----
    Exchangeability of pairs is not transitive, and each participant enters several factors of a graph's weight: for
    comparison only.

    References
    ----------
    Hobbs and Landin 2018.
    """
    counts, sizes, rates = checked_baskets(r, n, p0)
    a, b = (check_between(value, "prior", low=0.0, high=np.inf) for value in prior)
    check_between(inclusion, "inclusion", low=0.0, high=1.0, closed=True)
    size = len(rates)
    if size > _MOST_GRAPH_BASKETS:
        raise ValueError(f"multisource takes at most {_MOST_GRAPH_BASKETS} baskets; there are {size}")
    graphs = _graphs(size)
    fails = sizes - counts
    pooled_a, pooled_b = a + graphs @ counts, b + graphs @ fails
    alone = betaln(a + counts, b + fails) - betaln(a, b)
    pooled = betaln(pooled_a, pooled_b) - betaln(a, b) + (1.0 - graphs) @ alone
    edges = (graphs.sum(axis=(1, 2)) - size) / 2.0
    pairs = size * (size - 1) / 2.0
    prior_log = xlogy(edges, inclusion) + xlog1py(pairs - edges, -inclusion)
    logs = pooled.sum(axis=1) + prior_log
    weight = np.exp(logs - logsumexp(logs))
    laws = tuple(_merged(weight, pooled_a[:, k], pooled_b[:, k]) for k in range(size))
    share = np.einsum("g,gij->ij", weight, graphs)
    return BasketFit(
        "multisource",
        counts,
        sizes,
        rates,
        laws,
        share=share,
        prior_mass=float(np.exp(prior_log).sum()),
        joint=mixed_law(weight, lambda k, m: _chance(pooled_a[:, k], pooled_b[:, k], m)),
    )


def _merged(weight: Floats, a: Floats, b: Floats) -> BetaMixture:
    """Mixture with one component per pair of shapes: many graphs pool the same counts."""
    pairs, place = np.unique(a + 1j * b, return_inverse=True)
    return BetaMixture(np.bincount(place.ravel(), weights=weight).astype(np.float64), pairs.real, pairs.imag)


def _chance(a: Floats, b: Floats, m: int) -> Floats:
    """Beta-binomial probabilities of 0..m responses under each graph."""
    y = np.arange(m + 1.0)[:, None]
    found: Floats = np.exp(log_ways(m, y) + betaln(a + y, b + m - y) - betaln(a, b))
    return found


@lru_cache(maxsize=_MOST_GRAPH_BASKETS)
def _graphs(size: int) -> Floats:
    """All symmetric 0/1 matrices with ones on the diagonal, shape (2^pairs, size, size)."""
    pairs = list(combinations(range(size), 2))
    codes = np.arange(2 ** len(pairs))
    found = np.broadcast_to(np.eye(size), (len(codes), size, size)).copy()
    for place, (i, j) in enumerate(pairs):
        found[:, i, j] = found[:, j, i] = (codes >> place) & 1
    found.setflags(write=False)
    return found

"""Phase IA participants counted into a Phase IB cohort: what that does to the chance of a go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from interim.design.expansion import NO_STOP, Monitored
from interim.errors import DesignError
from interim.stats.binomial import binomial_mass


@dataclass(frozen=True)
class ConditionalGo:
    """Chance of a go with and without the participants that selected the cohort.

    Attributes
    ----------
    p_go : float
        P(go) on new participants only.
    p_go_selected : float
        P(go) if Phase IA participants count as the first of the cohort, given that they had enough responses.
    p_selected : float
        P(enough responses in Phase IA).
    """

    p_go: float
    p_go_selected: float
    p_selected: float


def conditional_go(design: Monitored, p: float, *, n_ia: int, min_resp: int) -> ConditionalGo:
    """Return what counting Phase IA participants does to the chance of a go.

    Parameters
    ----------
    design : Monitored
        Design of the cohort.
    p : float
        True response rate, 0 to 1.
    n_ia : int
        Phase IA participants that count as the first of the cohort; fewer than its full size.
    min_resp : int
        The cohort is opened only with at least so many responses among them.

    Returns
    -------
    ConditionalGo
        Exact probabilities.

    Raises
    ------
    DesignError
        If a number is illegal, or the selection has probability 0.

    Notes
    -----
    Looks at or before the size of Phase IA are passed: these participants were not monitored by the design.

    Examples
    --------
    >>> from interim.design.expansion import two_stages
    >>> found = conditional_go(two_stages(9, 0, n=17, r=2), 0.05, n_ia=6, min_resp=1)
    >>> round(found.p_go, 4), round(found.p_go_selected, 4)
    (0.0466, 0.1474)
    """
    if not 0.0 <= p <= 1.0 or not 0 <= min_resp <= n_ia < design.n_max:
        raise DesignError(
            f"a rate within 0 to 1 and 0 <= min_resp <= n_ia < {design.n_max} are needed; found {p:g}, {min_resp}, {n_ia}"
        )
    before = binomial_mass(np.arange(n_ia + 1), n_ia, p)
    before[:min_resp] = 0.0
    selected = float(before.sum())
    if selected <= 0.0:
        raise DesignError(f"{min_resp} responses of {n_ia} are impossible at the rate {p:g}")
    alone = _go(design, np.ones(1), p)
    return ConditionalGo(alone, _go(design, before, p) / selected, selected)


def _go(design: Monitored, state: np.ndarray, p: float) -> float:
    """Chance of a go from the law of responses among the first participants."""
    for n in range(len(state), design.n_max + 1):
        state = np.append(state * (1.0 - p), 0.0) + np.append(0.0, state * p)
        least = design.boundary(n)
        if n < design.n_max and least > NO_STOP:
            state[: least + 1] = 0.0
    return float(state[design.go :].sum())

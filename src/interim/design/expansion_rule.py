"""The grid GO, CONSIDER, NO-GO for a tumour type: a rule on probabilities with guards by the type's own data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from interim.stats.answers import Floats
from interim.stats.binomial import binomial_below
from interim.stats.borrowing import OutcomeTable, independent
from interim.study.expansion import ExpansionTable

Class = Literal["GO", "CONSIDER", "NO-GO"]


@dataclass(frozen=True)
class Evidence:
    """What is known of one tumour type.

    Attributes
    ----------
    n, r : int
        Participants and responders.
    p0, p1 : float
        Rate of no interest, rate of interest.
    prob, ppos : float
        P(p > p0) and predictive probability of success, by the model that decides.
    own_prob : float
        P(p > p0) by the type's own data.
    crossing : bool
        Whether the toxicity boundary is crossed at the proposed dose.
    """

    n: int
    r: int
    p0: float
    p1: float
    prob: float
    ppos: float
    own_prob: float
    crossing: bool = False


@dataclass(frozen=True)
class Verdict:
    """Class with every condition.

    Attributes
    ----------
    kind : {"GO", "CONSIDER", "NO-GO"}
        The class.
    margins : mapping of str to float
        Condition -> distance from its threshold; not negative: the condition holds.
    """

    kind: Class
    margins: Mapping[str, float]


def classify(evidence: Evidence, rule: ExpansionTable) -> Verdict:
    """Return the class of a tumour type; the rule informs, it never decides.

    Parameters
    ----------
    evidence : Evidence
        What is known.
    rule : ExpansionTable
        Thresholds.

    Returns
    -------
    Verdict
        GO needs both probabilities, the guard by own data and no crossing; NO-GO needs a crossing, or a low probability
        with own data against p1; all else is CONSIDER.

    Raises
    ------
    None
    """
    prior = float(independent([0], [0], p0=evidence.p0).prob_above[0])
    against = float(binomial_below(evidence.r, evidence.n, evidence.p1))
    margins = {
        "go_prob": evidence.prob - rule.go_prob,
        "go_ppos": evidence.ppos - rule.go_ppos,
        "own_n": float(evidence.n - rule.own_min_n),
        "own_resp": float(evidence.r - rule.own_min_resp),
        "own_prob": evidence.own_prob - prior,
        "nogo_prob": evidence.prob - rule.nogo_prob,
        "nogo_ppos": evidence.ppos - rule.nogo_ppos,
        "nogo_alt": against - rule.nogo_alt_max,
    }
    go = all(margins[name] >= 0 for name in ("go_prob", "go_ppos", "own_n", "own_resp", "own_prob"))
    low = margins["nogo_prob"] < 0 or margins["nogo_ppos"] < 0
    if evidence.crossing or (low and margins["nogo_alt"] <= 0):
        return Verdict("NO-GO", margins)
    return Verdict("GO" if go else "CONSIDER", margins)


def go_by_outcome(table: OutcomeTable, own: OutcomeTable, rule: ExpansionTable) -> NDArray[np.bool_]:
    """Return for every outcome which types the rule classes as GO.

    Parameters
    ----------
    table : OutcomeTable
        Posterior and predictive probabilities by the model that decides.
    own : OutcomeTable
        The same outcomes by own data alone.
    rule : ExpansionTable
        Thresholds.

    Returns
    -------
    ndarray of bool, shape (rows, K)
        True where the class is GO, without a toxicity crossing.

    Raises
    ------
    ValueError
        If the table holds no predictive probabilities.
    """
    if table.success is None:
        raise ValueError("the outcomes need predictive probabilities; compile them with states of success")
    nothing = np.zeros(len(table.n))
    prior: Floats = independent(nothing, nothing, p0=table.p0).prob_above
    go = (table.prob >= rule.go_prob) & (table.success >= rule.go_ppos) & (own.prob >= prior)
    guard = (table.n >= rule.own_min_n) & (table.outcomes >= rule.own_min_resp)
    found: NDArray[np.bool_] = go & guard
    return found

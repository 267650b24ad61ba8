"""Designs of a Phase IB cohort by the name that the study gives them."""

from __future__ import annotations

import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from interim.design.expansion import Infeasible, Monitored, fixed_sample, two_stages
from interim.design.expansion_search import bop2, predictive, two_stage
from interim.design.monitoring import BayesToxicity, Monitor, PocockToxicity
from interim.study.expansion import ExpansionTable, MonitorTable

JOINT = "hierarchical"
"""The design that decides about all cohorts together."""
NEEDS_RATES = ("two_stage", "bop2", "predictive", "bayes_monitor", JOINT)
"""Designs that cannot be built without p0 and p1."""


@cache
def _document() -> dict[str, Any]:
    text = files("interim.design").joinpath("expansion_designs.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def named_design(
    name: str, table: ExpansionTable, *, p0: float | None = None, p1: float | None = None
) -> Monitored | Infeasible:
    """Return the design of one cohort that a name stands for.

    Parameters
    ----------
    name : str
        A value of ``expansion.design`` other than ``hierarchical``.
    table : ExpansionTable
        Limits of the search.
    p0, p1 : float, optional
        Rates of the tumour type; fixed designs do not need them.

    Returns
    -------
    Monitored or Infeasible
        The design.

    Raises
    ------
    DesignError
        If rates are illegal or no success is possible.
    KeyError
        If the name is unknown.
    """
    known = _document()
    if name in known["two_stages"]:
        return two_stages(**known["two_stages"][name], name=name)
    if name in known["fixed"]:
        return fixed_sample(**known["fixed"][name], name=name)
    if p0 is None or p1 is None:
        return Infeasible("not run: null and target rates not given", 0.0)
    return _computed(name, table, p0, p1)


@lru_cache(maxsize=64)
def _computed(name: str, table: ExpansionTable, p0: float, p1: float) -> Monitored | Infeasible:
    setting = _document()["monitored"]
    looks = tuple(range(setting["first_look"], table.n_max))
    if name == "two_stage":
        sizes = (table.n1_min, table.n_min, table.n_max)
        split = two_stage(p0, p1, alpha=table.alpha_max, beta=1.0 - table.power_min, sizes=sizes)
        return split if isinstance(split, Infeasible) else split.monitored(name)
    if name == "bop2":
        best = bop2(
            p0, p1, n_max=table.n_max, looks=looks, alpha=table.alpha_max, gamma_max=table.bop2_gamma_max
        )
        return best if isinstance(best, Infeasible) else best.design
    if name not in ("predictive", "bayes_monitor"):
        raise KeyError(f"no design {name!r} of one cohort")
    return predictive(table.n_max, looks, p0=p0, theta_l=setting["theta_l"], theta_t=setting["theta_t"])


def rule_text(design: Monitored) -> str:
    """Return the rule of a design in words.

    Parameters
    ----------
    design : Monitored
        The design.

    Returns
    -------
    str
        For example "stop at 0 of 9; go at >= 3 of 17".

    Raises
    ------
    None

    Examples
    --------
    >>> from interim.design.expansion import two_stages
    >>> rule_text(two_stages(9, 0, n=17, r=2))
    'stop at 0 of 9; go at >= 3 of 17'
    """
    stops, last = [], -1
    for n, r in zip(design.looks, design.stop_le, strict=True):
        if r > last:
            stops.append(f"stop at {'0' if r == 0 else f'<= {r}'} of {n}")
            last = r
    return "; ".join([*stops, f"go at >= {design.go} of {design.n_max}"])


def named_monitor(table: MonitorTable, *, n_max: int) -> Monitor | None:
    """Return the toxicity rule of the study.

    Parameters
    ----------
    table : MonitorTable
        Table ``expansion.monitor``.
    n_max : int
        Largest number of participants.

    Returns
    -------
    Monitor or None
        None if the study has none.

    Raises
    ------
    None
    """
    looks = table.looks if table.looks == "every" else tuple(table.looks)
    if table.method == "bayes":
        return BayesToxicity(table.limit, table.cut, (table.prior[0], table.prior[1]), table.min_n, looks)
    if table.method == "pocock":
        return PocockToxicity(table.pocock_rate, table.pocock_alpha, n_max=n_max, looks=looks)
    return None

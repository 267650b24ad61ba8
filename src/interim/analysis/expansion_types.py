"""Tumour types of Phase IB as the questions see them: counts, models, designs, safety at the proposed dose."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from interim.adam.model import Adam
from interim.analysis.escalation_state import escalation_of, no_escalation
from interim.analysis.expansion_models import OWN, fit_model, joint_design
from interim.analysis.population import Population, efficacy_set, population
from interim.analysis.response import responders
from interim.data.model import Sdtm
from interim.design.expansion import GoState, Infeasible, Monitored
from interim.design.expansion_named import JOINT, named_design, named_monitor
from interim.design.expansion_rule import Evidence, Verdict, classify
from interim.result import Rows
from interim.stats.borrowing import BasketFit
from interim.stats.posterior import beta_tail
from interim.study import Study
from interim.study.expansion import TumourType

NO_RATES = "not run: null and target rates not given"
NO_DOSE = "no recommended dose"


@cache
def printed() -> dict[str, Any]:
    """Return the content of ``expansion.toml``.

    Returns
    -------
    dict
        Settings of the questions, events of the monitor, limitations.

    Raises
    ------
    None
    """
    return tomllib.loads(files("interim.analysis").joinpath("expansion.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Types:
    """Counts of every tumour type.

    Attributes
    ----------
    types : tuple of TumourType
        In print order.
    members, responders : tuple of frozenset of str
        Participants and responders per type.
    unknown : frozenset of str
        Participants without a type of the study.
    who : Population
        The efficacy set.
    """

    types: tuple[TumourType, ...]
    members: tuple[frozenset[str], ...]
    responders: tuple[frozenset[str], ...]
    unknown: frozenset[str]
    who: Population

    @property
    def n(self) -> tuple[int, ...]:
        """Participants per type."""
        return tuple(len(ids) for ids in self.members)

    @property
    def r(self) -> tuple[int, ...]:
        """Responders per type."""
        return tuple(len(ids) for ids in self.responders)


def with_registered_types(study: Study) -> Study:
    """Return the study with the tumour types of its subgroups in place of those with null and target rates.

    Parameters
    ----------
    study : Study
        ``subgroups`` on TUMTYPE.

    Returns
    -------
    Study
        Types without rates; what needs a rate must not be asked of it.

    Raises
    ------
    None
    """
    listed = (entry.levels for entry in study.subgroups if entry.variable == "TUMTYPE" and entry.levels)
    levels = next(listed, ())
    types = tuple(TumourType.model_construct(id=code.lower(), label=code, values=(code,)) for code in levels)
    return study.model_copy(update={"expansion": study.expansion.model_copy(update={"type": types})})


def not_run(adam: Adam, study: Study) -> str:
    """Return why tumour types cannot be looked at.

    Parameters
    ----------
    adam : Adam
        Analysis datasets.
    study : Study
        Table ``expansion``.

    Returns
    -------
    str
        Empty if they can.

    Raises
    ------
    None
    """
    if not study.expansion.type:
        return NO_RATES
    if not adam.has("ADRS"):
        return f"not available: {adam.missing.get('ADRS', 'no response dataset')}"
    prefix = "C" if study.expansion.response_status == "confirmed" else ""
    if reason := adam.lacks(f"ADRS.{prefix}RSP", f"ADRS.{prefix}DCR", "ADSL.TUMTYPE"):
        return f"not available: {reason}"
    return "" if "TUMTYPE" in adam["ADSL"] else "not available: no tumour type in the data"


def add_reason(rows: Rows, reason: str, *, variable: str) -> Rows:
    """Add the one row of a question that has no answer.

    Parameters
    ----------
    rows : Rows
        Where the row goes.
    reason : str
        Why, in words.
    variable : str
        Variable of the row.

    Returns
    -------
    Rows
        The same rows.

    Raises
    ------
    None
    """
    rows.add("n", None, variable=variable, status="NA", reason=reason)
    return rows


def count_types(adam: Adam, study: Study, *, confirmed: bool, keep: frozenset[str] | None = None) -> Types:
    """Return participants and responders per tumour type.

    Parameters
    ----------
    adam : Adam
        ADSL and ADRS.
    study : Study
        Types, efficacy set, evaluator.
    confirmed : bool
        Whether a response must be confirmed.
    keep : frozenset of str, optional
        Only these participants.

    Returns
    -------
    Types
        A participant without a type of the study is counted as unknown, never as another type.

    Raises
    ------
    DerivationError
        If ADSL lacks the set.
    """
    who = population(adam, study, efficacy_set(study))
    everyone = who.everyone if keep is None else who.everyone & keep
    adsl = adam["ADSL"]
    value = dict(zip(adsl["USUBJID"], adsl["TUMTYPE"], strict=True))
    hit = responders(adam, study, confirmed=confirmed)
    members = tuple(
        frozenset(ids for ids in everyone if value[ids] in entry.values) for entry in study.expansion.type
    )
    placed = frozenset[str]().union(*members)
    return Types(study.expansion.type, members, tuple(ids & hit for ids in members), everyone - placed, who)


def success_states(study: Study, entry: TumourType) -> tuple[GoState, ...]:
    """Return the states in which Phase IB of a type ends with a go.

    Parameters
    ----------
    study : Study
        ``expansion.design``, ``ppos_success``, ``ppos_cut``.
    entry : TumourType
        The type and its own design.

    Returns
    -------
    tuple
        States of the cohort's design; where success is defined by the posterior, or the design decides about all cohorts
        together and its outcomes are too many to be summed, the states in which P(p > p0) of the new participants is above the
        cut. Empty if no design is feasible.

    Raises
    ------
    DesignError
        If the design cannot be built.
    """
    table = study.expansion
    name = entry.design or table.design
    if table.ppos_success == "posterior" or name == JOINT:
        m = table.n_max
        above = (
            beta_tail(np.arange(m + 1), m, limit=entry.p0, prior=(entry.p0, 1 - entry.p0)) > table.ppos_cut
        )
        least = int(np.argmax(above)) if above.any() else m + 1
        return Monitored(m, (), (), least).go_states()
    design = named_design(name, table, p0=entry.p0, p1=entry.p1)
    return () if isinstance(design, Infeasible) else design.go_states()


@dataclass(frozen=True)
class Assessed:
    """One model's view of all types.

    Attributes
    ----------
    fit : BasketFit
        Posterior.
    ppos : tuple of float
        Predictive probability of success.
    verdicts : tuple of Verdict
        Class and margins.
    """

    fit: BasketFit
    ppos: tuple[float, ...]
    verdicts: tuple[Verdict, ...]


def assess(
    model: str, counts: tuple[tuple[int, ...], tuple[int, ...]], study: Study, *, crossing: bool
) -> Assessed:
    """Return posterior, predictive probability and class of every type by one model.

    Parameters
    ----------
    model : str
        The model.
    counts : tuple of tuple of int
        Responders and participants per type.
    study : Study
        Types, thresholds, priors.
    crossing : bool
        Whether the toxicity boundary is crossed at the proposed dose.

    Returns
    -------
    Assessed
        In the order of the types.

    Raises
    ------
    ValueError
        If there are too many types for the model.
    """
    types, table = study.expansion.type, study.expansion
    fit = fit_model(model, counts, types=types, prior=table.prior)
    own = fit_model(OWN, counts, types=types, prior=table.prior)
    ppos = _ppos(fit, study)
    verdicts = tuple(
        classify(
            Evidence(
                counts[1][k],
                counts[0][k],
                entry.p0,
                entry.p1,
                float(fit.prob_above[k]),
                ppos[k],
                float(own.prob_above[k]),
                crossing,
            ),
            table,
        )
        for k, entry in enumerate(types)
    )
    return Assessed(fit, ppos, verdicts)


def _ppos(fit: BasketFit, study: Study) -> tuple[float, ...]:
    """Success on new participants: by each type's design, or jointly where one design decides about all cohorts."""
    table = study.expansion
    joint = joint_design(study) if table.ppos_success == "design" else None
    if joint is None:
        return tuple(fit.success(k, success_states(study, entry)) for k, entry in enumerate(table.type))
    law = fit.open_responses([table.n_max] * len(table.type)).ravel()
    return tuple((law @ joint.go).tolist())


@dataclass(frozen=True)
class Safety:
    """Toxicity at the proposed dose.

    Attributes
    ----------
    dose : str
        Dose level; empty if none is proposed.
    events, n : int
        Participants with an event among those treated there.
    limit : int or None
        Smallest number of events that pauses.
    affected : frozenset of str
        USUBJIDs of the participants with an event.
    """

    dose: str = ""
    events: int = 0
    n: int = 0
    limit: int | None = None
    affected: frozenset[str] = frozenset()

    @property
    def crossing(self) -> bool:
        """Whether the boundary is crossed."""
        return self.limit is not None and self.events >= self.limit


def proposed_dose(adam: Adam, study: Study, sdtm: Sdtm) -> str:
    """Return the recommended dose.

    Parameters
    ----------
    adam : Adam
        ADDLT.
    study : Study
        ``dose.rp2d_rule``.
    sdtm : Sdtm
        Recorded decisions.

    Returns
    -------
    str
        Code of the dose level; empty if none is recommended.

    Raises
    ------
    DataError
        If the dose-escalation history cannot be used.
    """
    if no_escalation(adam, study):
        return ""
    dose = escalation_of(adam, study, sdtm).recommended
    return "" if dose.level is None else f"DL{dose.level}"


def in_scope(adam: Adam, study: Study, sdtm: Sdtm, *, scope: str | None = None) -> frozenset[str] | None:
    """Return the participants whose responses count, by dose.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        ``expansion.dose_scope``.
    sdtm : Sdtm
        Recorded decisions.
    scope : {"all", "rp2d"}, optional
        Instead of the study's own.

    Returns
    -------
    frozenset of str or None
        None: all doses. At the recommended dose: those who received it; nobody if none is recommended.

    Raises
    ------
    DataError
        If the dose-escalation history cannot be used.
    """
    if (scope or study.expansion.dose_scope) == "all":
        return None
    code = proposed_dose(adam, study, sdtm)
    adsl = adam["ADSL"]
    return frozenset(adsl.loc[adsl["COHORTA"] == code, "USUBJID"]) if code else frozenset()


def proposed_dose_safety(adam: Adam, study: Study, sdtm: Sdtm) -> Safety:
    """Return the toxicity of the recommended dose beside the monitor's boundary.

    Parameters
    ----------
    adam : Adam
        ADSL, ADAE, ADDLT.
    study : Study
        Monitor and rule of the recommended dose.
    sdtm : Sdtm
        Recorded decisions.

    Returns
    -------
    Safety
        Without a recommended dose, or without a monitor, nothing can cross.

    Raises
    ------
    DataError
        If the dose-escalation history cannot be used.
    """
    code = proposed_dose(adam, study, sdtm)
    if not code:
        return Safety()
    treated = population(adam, study, "CART-SAF").members.get(code, frozenset())
    hit = treated & toxic_participants(adam, study)
    monitor = named_monitor(study.expansion.monitor, n_max=max(study.expansion.n_max, len(treated)))
    limit = monitor.boundary(len(treated))[-1] if monitor is not None and treated else None
    return Safety(code, len(hit), len(treated), limit, hit)


def toxic_participants(adam: Adam, study: Study) -> frozenset[str]:
    """Return the participants with an event of the toxicity monitor.

    Parameters
    ----------
    adam : Adam
        ADSL and ADAE.
    study : Study
        ``expansion.monitor.events``.

    Returns
    -------
    frozenset of str
        USUBJIDs.

    Raises
    ------
    None
    """
    events = study.expansion.monitor.events
    adsl = adam["ADSL"]
    found: set[str] = set(adsl.loc[adsl["DLTFL"] == "Y", "USUBJID"]) if "dlt" in events else set()
    graded: dict[str, dict[str, Any]] = printed()["events"]
    for event in (graded[name] for name in events if name in graded):
        if adam.has("ADAE") and event["column"] in adam["ADAE"]:
            found |= set(adam["ADAE"].loc[adam["ADAE"][event["column"]] >= event["grade"], "USUBJID"])
    return frozenset(found)

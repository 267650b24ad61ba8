"""Whether a picture holds: leaving one participant out, moving the cut-point, changing a definition."""

from __future__ import annotations

from typing import Any

import numpy as np

from interim.adam.model import Adam
from interim.analysis.population import add_not_available, open_rows
from interim.analysis.response import responders
from interim.analysis.subgroups.chance import SLACK, response_plan
from interim.analysis.subgroups.model import (
    Factor,
    Flags,
    Floats,
    Integers,
    Outcome,
    Panel,
    gap,
    level_counts,
)
from interim.analysis.subgroups.panel import open_panel
from interim.result import TOTAL, Result, Rows
from interim.stats import maximally_selected
from interim.study import Study


def leave_one_out(adam: Adam, study: Study, *, endpoint: str = "orr") -> Result:
    """Leave each participant out in turn, and change the definitions in turn.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB, ADRS.
    study : Study
        ``[[subgroups]]``, ``subgroup.gap_pp``.
    endpoint : str
        A binary endpoint.

    Returns
    -------
    Result
        ``subgroups.leave_one_out``; group = entry id, variable = endpoint: gap, gap_lower, gap_upper over the deletions, diff,
        diff_lower, diff_upper for factors of two levels; reason FRAGILE if a deletion changes which level is highest or moves
        the gap by half of ``subgroup.gap_pp``. Variable ``definition``, level = other definition: number of level cells that
        change (n) of all (N).

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    KeyError
        If the endpoint is unknown.
    """
    panel, who = open_panel(adam, study, endpoints=(endpoint,))
    rows = open_rows("subgroups.leave_one_out", "Leaving one participant out", who)
    outcome = panel.outcomes[endpoint]
    if outcome.reason:
        add_not_available(rows, [TOTAL], variable=endpoint, stat="gap", reason=outcome.reason)
        return rows.build()
    for factor in panel.shown:
        rows.group_var = factor.entry.dimension
        _add_deletions(rows, factor, outcome, study)
    _add_definitions(rows, adam, panel, study, outcome=outcome)
    return rows.build()


def deletions(factor: Factor, outcome: Outcome) -> tuple[Integers, Integers]:
    """Return events and participants per level after each deletion.

    Parameters
    ----------
    factor : Factor
        Levels.
    outcome : Outcome
        Binary.

    Returns
    -------
    tuple of ndarray of int
        x and n, shape (participants with a level and a value, levels).

    Raises
    ------
    None
    """
    x, n = level_counts(factor, outcome)
    inside = factor.members[factor.known & outcome.known].astype(np.int64)
    events = outcome.values[factor.known & outcome.known].astype(np.int64)
    return x - inside * events[:, None], n - inside


def is_fragile(factor: Factor, outcome: Outcome, study: Study) -> bool:
    """Tell whether one participant decides the picture.

    Parameters
    ----------
    factor : Factor
        Levels.
    outcome : Outcome
        Binary.
    study : Study
        ``subgroup.gap_pp``, ``subgroup.min_ci_n``.

    Returns
    -------
    bool
        True if a deletion changes which levels are highest, moves the gap by half of ``subgroup.gap_pp``, or leaves fewer than
        two levels large enough. As long as the gap is 0 no level is highest.

    Raises
    ------
    None
    """
    least = study.subgroup.min_ci_n
    x, n = level_counts(factor, outcome)
    before = gap(x, n, least=least)
    xs, ns = deletions(factor, outcome)
    if not len(xs):
        return False
    after = gap(xs, ns, least=least)
    defined = (ns >= least).sum(axis=1) >= 2
    moved = defined & (np.abs(after - before) >= study.subgroup.gap_pp / 200 - SLACK)
    other = (_highest(xs, ns, least) != _highest(x[None, :], n[None, :], least)).any(axis=1)
    seen = (after > SLACK) | (before > SLACK)
    return bool((moved | ((other | ~defined) & seen)).any())


def _highest(x: Integers, n: Integers, least: int) -> Flags:
    rates = np.where(n >= least, x / np.maximum(n, 1), -1.0)
    top: Flags = rates >= rates.max(axis=1, keepdims=True) - SLACK
    return top


def _add_deletions(rows: Rows, factor: Factor, outcome: Outcome, study: Study) -> None:
    least = study.subgroup.min_ci_n
    x, n = level_counts(factor, outcome)
    place: dict[str, Any] = {"group": factor.id, "variable": outcome.id, "unit": "proportion"}
    rows.add("label", None, group=factor.id, variable="entry", text=factor.entry.label)
    if (n >= least).sum() < 2:
        for stat in ("gap", "gap_lower", "gap_upper"):
            rows.add(
                stat,
                None,
                status="NE",
                reason="ONE_LEVEL" if (n > 0).sum() < 2 else "LEVEL_N_LT_3",
                **place,
            )
        return
    xs, ns = deletions(factor, outcome)
    after = gap(xs, ns, least=least)[(ns >= least).sum(axis=1) >= 2]
    code = "FRAGILE" if is_fragile(factor, outcome, study) else ""
    status = "FLAG" if code else "OK"
    rows.add("gap", float(gap(x, n, least=least)[()]), status=status, reason=code, **place)
    for stat, function in (("gap_lower", np.min), ("gap_upper", np.max)):
        if len(after):
            rows.add(stat, float(function(after)), status=status, reason=code, **place)
        else:
            rows.add(stat, None, status="NE", reason="LEVEL_N_LT_3", **place)
    if len(n) == 2 and (ns >= 1).all() and (n >= least).all():
        both = xs / ns
        steps = both[:, 1] - both[:, 0]
        rows.add("diff", float(x[1] / n[1] - x[0] / n[0]), **place)
        rows.add("diff_lower", float(steps.min()), **place)
        rows.add("diff_upper", float(steps.max()), **place)


def _add_definitions(rows: Rows, adam: Adam, panel: Panel, study: Study, *, outcome: Outcome) -> None:
    """Count the cells of the level table that another definition changes."""
    adsl = adam["ADSL"]
    evaluable = frozenset(adsl.loc[adsl["RESFL"] == "Y", "USUBJID"])
    inside = np.array([subject in evaluable for subject in panel.subjects], dtype=np.bool_)
    others = {"response-evaluable set": _with(outcome, np.where(inside, outcome.values, np.nan))}
    if outcome.id == "orr":
        hit = responders(adam, study, confirmed=not study.response.confirmation_required)
        values = np.array([float(subject in hit) for subject in panel.subjects])
        name = "unconfirmed" if study.response.confirmation_required else "confirmed"
        others[f"{name} response"] = _with(outcome, np.where(outcome.known, values, np.nan))
    for level, other in others.items():
        pairs = [(factor, factor) for factor in panel.primary]
        _add_changed(rows, level, pairs, (outcome, other))
    twins = {"other ratio (AMB-7)": _other_ratio, "second cut": _second_cut}
    for level, find in twins.items():
        found = [(a, b) for a in panel.primary for b in panel.shown if find(a, b)]
        _add_changed(rows, level, found, (outcome, outcome))


def _with(outcome: Outcome, values: Floats) -> Outcome:
    return Outcome(outcome.id, outcome.kind, values, outcome.events, outcome.population)


def _other_ratio(first: Factor, second: Factor) -> bool:
    same = first.entry.dimension == second.entry.dimension == "ratio"
    return same and first.entry.variable != second.entry.variable and first.cuts == second.cuts


def _second_cut(first: Factor, second: Factor) -> bool:
    return first.entry.variable == second.entry.variable and first.cuts != second.cuts


def _add_changed(
    rows: Rows, level: str, pairs: list[tuple[Factor, Factor]], outcomes: tuple[Outcome, Outcome]
) -> None:
    changed = total = moved = 0
    for first, second in pairs:
        x, n = level_counts(first, outcomes[0])
        xs, ns = level_counts(second, outcomes[1])
        size = min(len(n), len(ns))
        changed += int(((x[:size] != xs[:size]) | (n[:size] != ns[:size])).sum())
        total += size
        moved += int((first.codes != second.codes).sum())
    if not pairs:
        rows.add(
            "n", None, variable="definition", level=level, status="NA", reason="no such entry in the registry"
        )
        return
    rows.add("n", changed, variable="definition", level=level, n=changed, N=total, unit="cells")
    rows.add("moved", moved, variable="definition", level=level, n=moved, unit="participants")


def cut_path(adam: Adam, study: Study, *, entry: str | None = None, endpoint: str = "orr") -> Result:
    """Show a binary endpoint below and above every possible cut-point of the continuous factors.

    Parameters
    ----------
    adam : Adam
        ADSL, ADSUB, ADRS.
    study : Study
        ``subgroup.min_ci_n``.
    entry : str, optional
        Only this entry.
    endpoint : str
        A binary endpoint.

    Returns
    -------
    Result
        ``subgroups.cut_path``; group = entry id, level = cut; variables ``below`` and ``above`` with stat rate (n = x, N = n),
        variable ``difference`` with stat diff, above minus below; variable ``measured`` counts the participants with a value and a known
        outcome; variable ``cut`` marks the prespecified one. Stat p_cut
        (internal) is the permutation p-value of the maximally selected statistic. No cut is named as the largest.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    KeyError
        If entry or endpoint is unknown.
    StudyError
        If there are too many assignments to count and the study states no seed.
    """
    panel, who = open_panel(adam, study, endpoints=(endpoint,))
    rows = open_rows("subgroups.cut_path", f"Every cut-point of the continuous factors: {endpoint}", who)
    outcome = panel.outcomes[endpoint]
    chosen = [f for f in panel.factors if f.eligible and f.entry.kind == "continuous"]
    if entry is not None:
        chosen = [factor for factor in chosen if factor.id == entry]
        if not chosen:
            raise KeyError(f"{entry!r} is no continuous entry of the registry")
    if outcome.reason:
        add_not_available(rows, [TOTAL], variable="below", stat="rate", reason=outcome.reason)
        return rows.build()
    for factor in chosen:
        rows.group_var = factor.entry.dimension
        names = panel.names(outcome.known & ~np.isnan(factor.values))
        place = {"group": factor.id, "variable": "measured", "unit": "participants"}
        rows.add("N", len(names), n=len(names), subjects=names, **place)
        _add_path(rows, factor, outcome, study)
    return rows.build()


def _add_path(rows: Rows, factor: Factor, outcome: Outcome, study: Study) -> None:
    use = outcome.known & ~np.isnan(factor.values)
    values, events = factor.values[use], outcome.values[use]
    rows.add("label", None, group=factor.id, variable="entry", text=factor.entry.label)
    left = factor.entry.closed == "left"
    marked = None
    for cut in np.unique(values):
        low = values < cut if left else values <= cut
        if min(low.sum(), (~low).sum()) < study.subgroup.min_ci_n:
            continue
        level = f"{cut:g}"
        if (
            len(factor.cuts) == 1
            and (low == (values < factor.cuts[0] if left else values <= factor.cuts[0])).all()
        ):
            marked = level
        _add_sides(rows, factor.id, level, (events[low], events[~low]))
    if marked is not None:
        rows.add("prespecified", None, group=factor.id, variable="cut", level=marked, text="Y")
    _add_selected(rows, factor, (values, events), study)


def _add_sides(rows: Rows, group: str, level: str, sides: tuple[Floats, Floats]) -> None:
    rates = []
    for variable, part in zip(("below", "above"), sides, strict=True):
        x, n = int(part.sum()), len(part)
        rates.append(x / n)
        rows.add("rate", x / n, group=group, variable=variable, level=level, n=x, N=n)
    rows.add("diff", rates[1] - rates[0], group=group, variable="difference", level=level)


def _add_selected(rows: Rows, factor: Factor, data: tuple[Floats, Floats], study: Study) -> None:
    """Add the internal p-value of the maximally selected statistic."""
    values, events = data
    place: dict[str, Any] = {"group": factor.id, "variable": "selected", "scope": "internal"}
    if len(values) < 2 or events.min() == events.max():
        rows.add(
            "p_cut", None, status="NE", reason="NO_EVENTS" if not events.sum() else "ALL_EVENTS", **place
        )
        return
    if len(values) <= 2 * study.subgroup.min_ci_n:
        rows.add("p_cut", None, status="NE", reason="TOO_FEW_CUTS", **place)
        return
    plan = response_plan(events, study, analysis_id=rows.analysis_id)
    share = study.subgroup.min_ci_n / len(values)
    found = maximally_selected(events, values, plan=plan, minprop=share + SLACK, maxprop=1 - share + SLACK)
    if found.status == "OK":
        drawn = f"MC_ONLY, standard error {found.mc_error:.2g}" if not plan.exact else ""
        rows.add("p_cut", found.p_value, status="FLAG" if drawn else "OK", reason=drawn, **place)
    else:
        rows.add("p_cut", None, status="NE", reason=found.reason, **place)

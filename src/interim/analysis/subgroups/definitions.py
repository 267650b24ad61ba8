"""The registry of the factors: definition, cut-point, origin, participants per level."""

from __future__ import annotations

from interim.adam.model import Adam
from interim.analysis.population import MISSING, Population, open_rows
from interim.analysis.subgroups.model import Factor, Panel
from interim.analysis.subgroups.panel import open_panel
from interim.result import Result, Rows
from interim.study import Study, SubgroupEntry

FLAG_MISSING = "MISSING_GT_20"


def registry(adam: Adam, study: Study) -> Result:
    """List the subgroup factors with definition, cut-point, origin, and participants per level.

    Parameters
    ----------
    adam : Adam
        ADSL and ADSUB.
    study : Study
        ``[[subgroups]]``.

    Returns
    -------
    Result
        ``subgroups.registry``; group = entry id, group_var = dimension; texts (variable ``definition``) label, dimension,
        variable, cut, origin, primary, direction, timing, prespecified, source; variable ``level`` with one row per level,
        missing last, stat n; variable ``cut`` with the number of participants whose value equals a cut; variable
        ``registry`` with entries, dimensions, levels. Assigned dose stands last, for context, and is not counted as an entry.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    panel, who = open_panel(adam, study)
    return registered(panel, study, who=who)


def registered(panel: Panel, study: Study, *, who: Population) -> Result:
    """Return the registry of a panel.

    Parameters
    ----------
    panel : Panel
        Factors.
    study : Study
        ``subgroup.missing_flag_pct``.
    who : Population
        The set by cohort.

    Returns
    -------
    Result
        As `registry`.

    Raises
    ------
    None
    """
    rows = open_rows("subgroups.registry", "Subgroup registry", who)
    for factor in (*panel.factors, panel.dose):
        rows.group_var = factor.entry.dimension
        _add_definition(rows, factor)
        _add_levels(rows, panel, factor, study)
        _add_at_cut(rows, panel, factor)
    rows.group_var = panel.column
    dimensions = {entry.dimension for entry in study.subgroups if entry.dimension != "dose"}
    levels = sum(int(factor.members.any(axis=0).sum()) for factor in panel.primary)
    for stat, number in (
        ("entries", len(panel.factors)),
        ("dimensions", len(dimensions)),
        ("levels", levels),
    ):
        rows.add(stat, number, variable="registry", n=number)
    return rows.build()


def _add_levels(rows: Rows, panel: Panel, factor: Factor, study: Study) -> None:
    groups = [(level, factor.members[:, place]) for place, level in enumerate(factor.levels)]
    if not factor.known.all():
        groups.append((MISSING, ~factor.known))
    for level, inside in groups:
        names = panel.names(inside)
        flag = level == MISSING and is_often_missing(factor, study)
        rows.add(
            "n",
            len(names),
            group=factor.id,
            variable="level",
            level=level,
            unit="participants",
            n=len(names),
            N=panel.n,
            subjects=names,
            status="FLAG" if flag else "OK",
            reason=FLAG_MISSING if flag else "",
        )


def is_often_missing(factor: Factor, study: Study) -> bool:
    """Tell whether the share of missing values is above the limit.

    Parameters
    ----------
    factor : Factor
        Levels.
    study : Study
        ``subgroup.missing_flag_pct``.

    Returns
    -------
    bool
        True above it.

    Raises
    ------
    None
    """
    missing = int((~factor.known).sum())
    return 100 * missing > study.subgroup.missing_flag_pct * max(len(factor.codes), 1)


def _add_at_cut(rows: Rows, panel: Panel, factor: Factor) -> None:
    """List the participants whose value equals a cut-point."""
    hit = sum((factor.values == cut for cut in factor.cuts), start=factor.values != factor.values) > 0
    hit &= factor.known
    if hit.any():
        names = panel.names(hit)
        rows.add(
            "n", len(names), group=factor.id, variable="cut", level="equal", n=len(names), subjects=names
        )


def _add_definition(rows: Rows, factor: Factor) -> None:
    entry = factor.entry
    texts = {
        "label": entry.label,
        "dimension": entry.dimension,
        "variable": entry.variable,
        "cut": cut_text(entry, factor.cuts),
        "origin": entry.origin,
        "primary": "Y" if entry.primary else "N",
        "direction": entry.direction,
        "timing": entry.timing,
        "prespecified": "N" if entry.origin == "data_driven" else "Y",
        "source": entry.source or "-",
    }
    for stat, text in texts.items():
        rows.add(stat, None, group=factor.id, variable="definition", text=text)


def cut_text(entry: SubgroupEntry, cuts: tuple[float, ...]) -> str:
    """Return the cut-points in words.

    Parameters
    ----------
    entry : SubgroupEntry
        Definition.
    cuts : tuple of float
        Cut-points that were used.

    Returns
    -------
    str
        ``none`` for a factor without.

    Raises
    ------
    None
    """
    if entry.cuts == "median":
        return f"median: {', '.join(f'{value:g}' for value in cuts)}" if cuts else "median: no value"
    return ", ".join(f"{value:g}" for value in cuts) if cuts else "none"

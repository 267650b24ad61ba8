"""Runs every registered check and turns what they saw into findings."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from interim.data.check import (  # noqa: F401 - importing a topic registers its checks
    adverse,
    answers,
    dates,
    decisions,
    delivered,
    exposure,
    finished,
    grades,
    keys,
    kinetics,
    laboratory,
    response,
    specimens,
    subjects,
    therapies,
    tumour,
    values,
    visits,
)
from interim.data.check.context import Context
from interim.data.check.records import Hit, Records
from interim.data.check.registry import Rule, Stage, all_rules
from interim.data.model import Sdtm
from interim.errors import Finding
from interim.study import Study

RULES: tuple[Rule, ...] = all_rules()


@dataclass(frozen=True)
class CheckReport:
    """What the checks found.

    Attributes
    ----------
    findings : tuple of Finding
        Sorted: stops first, then by rule, domain, participant, key.
    rules : tuple of (str, str, str)
        Every check of this stage: rule id, severity, "run" or "not run: reason".
    """

    findings: tuple[Finding, ...]
    rules: tuple[tuple[str, str, str], ...]


def run_checks(
    sdtm: Sdtm, study: Study, *, stage: Stage = "extract", only: Collection[str] | None = None
) -> CheckReport:
    """Run the checks of one stage; none of them raises on odd data.

    Parameters
    ----------
    sdtm : Sdtm
        Source data.
    study : Study
        Parameters.
    stage : {"extract", "cut"}
        All delivered records, or those up to the cut-off (rules marked C). Rules about finished analysis datasets exist
        only for a study that enters with them.
    only : collection of str, optional
        Rule ids to run; default all.

    Returns
    -------
    CheckReport
        Findings and the register of rules.

    Raises
    ------
    None
    """
    return check_context(Context(sdtm, study), stage=stage, only=only)


def check_context(
    context: Context, *, stage: Stage = "extract", only: Collection[str] | None = None
) -> CheckReport:
    """Run the checks of one stage on data that are prepared for them.

    Parameters
    ----------
    context : Context
        Domains and parameters.
    stage, only : str, collection of str, optional
        As in `run_checks`.

    Returns
    -------
    CheckReport
        Findings and the register of rules.

    Raises
    ------
    None
    """
    findings: list[Finding] = []
    register: list[tuple[str, str, str]] = []
    for rule in RULES:
        if stage not in rule.stages or (only is not None and rule.id not in only):
            continue
        if rule.finished and context.study.data.stage != "adam":
            continue
        reason = rule.missing(context)
        register.append((rule.id, rule.severity, f"not run: {reason}" if reason else "run"))
        if not reason:
            findings.extend(_finding(rule, hit, context) for hit in rule.check(context))
    return CheckReport(tuple(sorted(findings, key=_order)), tuple(register))


def _order(finding: Finding) -> tuple[object, ...]:
    return (*finding.order, finding.value or "", finding.message)


def _finding(rule: Rule, hit: Hit, context: Context) -> Finding:
    base = Finding(
        rule.id,
        rule.severity,
        hit.domain,
        hit.message,
        subject=hit.subject,
        key=hit.key or (),
        variable=hit.variable,
        value=hit.value,
        expected=hit.expected,
        effect=(*rule.effect, *hit.effect),
    )
    if hit.place is None:
        return base
    source, place = context.domains[hit.domain], hit.place
    row = source.cell(place, "SRCROW")
    return replace(
        base,
        subject=hit.subject or source.cell(place, "USUBJID"),
        key=natural_key(context, hit) if hit.key is None else hit.key,
        value=_value(source, hit),
        file=source.cell(place, "SRCFILE"),
        row=int(row) if row is not None and row.isdigit() else None,
    )


def _value(source: Records, hit: Hit) -> str | None:
    if hit.value is not None or hit.variable is None or hit.place is None:
        return hit.value
    cell = source.cell(hit.place, hit.variable)
    return None if cell is None else values.shown(hit.variable, cell)


def natural_key(context: Context, hit: Hit) -> tuple[str, ...]:
    """Return the natural key of the record of a hit, without USUBJID and without what identifies a person.

    Parameters
    ----------
    context : Context
        The delivered domains.
    hit : Hit
        With a place.

    Returns
    -------
    tuple of str
        Values of the key variables that were delivered; "" for missing.

    Raises
    ------
    None
    """
    source = context.domains[hit.domain]
    columns = context.shared_keys(source)
    return tuple(values.shown(name, source.cell(hit.place or 0, name) or "") for name in columns)

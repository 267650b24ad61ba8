"""Data quality: what was delivered, which checks ran, what they found."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.relative_dates import first_days, in_days
from interim.analysis.source_quality import settings
from interim.data import spec
from interim.data.check import RULES
from interim.data.model import Sdtm
from interim.errors import Finding
from interim.result import TOTAL, Result, Rows
from interim.study import Study

EXAMPLES = 3
_SEVERITIES = ("stop", "warn", "info")


def snapshot(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """List the files and domains with records, participants and hash.

    Parameters
    ----------
    adam : Adam
        Its cut-off is stated.
    study : Study
        Study whose data they are.
    sdtm : Sdtm
        Sources, domains and what the cut-off did.

    Returns
    -------
    Result
        ``data_quality.snapshot``; variable = domain: records and participants after the cut-off, read, removed, blanked, last (days from the latest date to the data cut-off), coded, verified and locked (shares of records, NA where the data do not say);
        level = file: records in the file and ``sha256`` (text).

    Raises
    ------
    None
    """
    rows = Rows("data_quality.snapshot", "Data snapshot and status", population="All records", group_var="")
    rows.add("cut", None, text=adam.cut.isoformat(sep=" "), variable="study", level=study.study.id)
    counts = {} if sdtm.counts.empty else sdtm.counts.set_index("domain").to_dict("index")
    for name in sorted(sdtm.domains):
        frame = sdtm.domains[name]
        subjects = sorted(set(frame["USUBJID"].dropna())) if "USUBJID" in frame else []
        rows.add("records", len(frame), variable=name, n=len(frame))
        rows.add("participants", len(subjects), variable=name, n=len(subjects), subjects=subjects)
        for stat in ("read", "removed", "blanked"):
            value = counts.get(name, {}).get(stat)
            if value is None:
                rows.add(stat, None, variable=name, status="NA", reason="not touched by the cut-off")
            else:
                rows.add(stat, int(value), variable=name, n=int(value))
        _status(rows, adam, name, frame)
    if reason := adam.lacks("SDTM"):
        rows.add("stage", None, text=reason, variable="study", level=study.study.id)
    for source in sdtm.sources:
        rows.add("file_records", source.records, variable=source.domain, level=source.name, n=source.records)
        rows.add("sha256", None, text=source.sha256, variable=source.domain, level=source.name)
        rows.add("format", None, text=source.format, variable=source.domain, level=source.name)
    return rows.build()


def _status(rows: Rows, adam: Adam, name: str, frame: pd.DataFrame) -> None:
    """Add the age of the last date of a domain, and the shares that are coded, verified at the source and locked where the data say so."""
    known = spec.domain(name)
    dates = [] if known is None else [d for d in known.dates if d in frame]
    days = [
        day for d in dates for day in frame[d].dropna().astype(str).str[:10] if len(day) == len("2026-03-04")
    ]
    if days:
        before = (adam.cut.date() - date.fromisoformat(max(days))).days
        rows.add("last", before, unit="d", variable=name)
    else:
        rows.add("last", None, variable=name, status="NA", reason="no date")
    facts = settings()["status"]
    for stat, column in (
        ("coded", facts["coded"].get(name)),
        *((s, facts[s]) for s in ("verified", "locked")),
    ):
        if column is None or column not in frame or frame.empty:
            rows.add(stat, None, variable=name, status="NA", reason="not delivered")
            continue
        filled = frame[column].notna()
        yes = filled if stat == "coded" else frame[column].astype(str).str.upper().isin(facts["yes"])
        rows.add(stat, float(yes.mean()), variable=name, n=int(yes.sum()), N=len(frame))


def checks(adam: Adam, study: Study, sdtm: Sdtm) -> Result:
    """Count the hits of every check, those without a hit included.

    Parameters
    ----------
    adam : Adam
        Carries the findings of data and derivations.
    study : Study
        Study whose data they are.
    sdtm : Sdtm
        Register of the checks of the data room; those of the derivations stand in ``adam``.

    Returns
    -------
    Result
        ``data_quality.checks``; variable = rule: stats hits, participants, accepted, new, (the last two only where answers are kept), and as texts severity, domain, state, finds (what the rule finds, in words); variable
        ``total`` with one level per severity.

    Raises
    ------
    None
    """
    rows = Rows(
        "data_quality.checks", "Validation checks: result by rule", population="All records", group_var=""
    )
    found, finds = _by_rule(adam), what_rules_find()
    registered = {rule: (severity, state) for rule, severity, state in (*sdtm.rules, *adam.rules)}
    for rule in (*registered, *sorted(set(found) - set(registered))):
        hits = found.get(rule, [])
        severity, state = registered.get(rule, (hits[0].severity if hits else "", "run"))
        subjects = sorted({f.subject for f in hits if f.subject})
        if state != "run" and not hits:
            rows.add("hits", None, variable=rule, status="NA", reason=state)
            rows.add("participants", None, variable=rule, status="NA", reason=state)
        else:
            rows.add("hits", len(hits), variable=rule, n=len(hits), sources=_sources(hits))
            rows.add("participants", len(subjects), variable=rule, n=len(subjects), subjects=subjects)
        _disposition(rows, rule, hits)
        rows.add("severity", None, text=severity, variable=rule)
        rows.add("finds", None, text=finds.get(rule, ""), variable=rule)
        rows.add("domain", None, text=", ".join(sorted({f.domain for f in hits})) or "-", variable=rule)
        rows.add("state", None, text=state, variable=rule)
    for severity in _SEVERITIES:
        number = sum(f.severity == severity for f in adam.findings)
        rows.add("hits", number, variable="total", level=severity, n=number)
    rows.add("rules", len(registered), variable="total", n=len(registered))
    not_run = sum(state != "run" for _, state in registered.values())
    rows.add("rules_not_run", not_run, variable="total", n=not_run)
    return rows.build()


@cache
def what_rules_find() -> Mapping[str, str]:
    """Return what every check finds, in words.

    Parameters
    ----------
    None

    Returns
    -------
    mapping of str to str
        Rule id -> one sentence: of the rules of the data room, of the cut and reading, and of the derivations.

    Raises
    ------
    None

    Examples
    --------
    >>> what_rules_find()["AE-CODE"], what_rules_find()["SUB-RATIO"]
    ('An adverse event is not coded.', 'Lymphocytes are 0; a ratio over them does not exist.')
    """
    text = files("interim.analysis").joinpath("rules.toml").read_text(encoding="utf-8")
    further: Mapping[str, str] = tomllib.loads(text)["finds"]
    return {**{rule.id: rule.summary for rule in RULES}, **further}


def _disposition(rows: Rows, rule: str, hits: list[Finding]) -> None:
    """Add how many hits are accepted, and how many are new since the cut before, where answers are kept."""
    if any(finding.status for finding in hits):
        for stat, kinds in (("accepted", ("accepted",)), ("new", ("new", "changed"))):
            number = sum(finding.status in kinds for finding in hits)
            rows.add(stat, number, variable=rule, n=number)


def findings(adam: Adam, study: Study) -> Result:
    """Group the findings by rule and domain, with the first of each.

    Parameters
    ----------
    adam : Adam
        Carries the findings of data and derivations.
    study : Study
        Study whose data they are.

    Returns
    -------
    Result
        ``data_quality.findings``; variable = rule, level = domain: stat hits, texts severity, message, examples; dates as
        study days.

    Raises
    ------
    None
    """
    rows = Rows(
        "data_quality.findings", "Findings by rule and domain", population="All records", group_var=""
    )
    starts = first_days(adam)
    grouped: dict[tuple[int, str, str], list[Finding]] = defaultdict(list)
    for finding in sorted(adam.findings, key=lambda finding: finding.order):
        grouped[_SEVERITIES.index(finding.severity), finding.rule, finding.domain].append(finding)
    for (_, rule, domain), hits in sorted(grouped.items(), key=lambda item: item[0]):
        severity = hits[0].severity
        place: dict[str, Any] = {"variable": f"{rule} {severity}", "level": domain}
        rows.add("hits", len(hits), n=len(hits), sources=_sources(hits), **place)
        rows.add("rule", None, text=rule, **place)
        rows.add("severity", None, text=severity, **place)
        rows.add("message", None, text=in_days(hits[0].message, starts.get(hits[0].subject or "")), **place)
        examples = (in_days(_example(hit), starts.get(hit.subject or "")) for hit in hits[:EXAMPLES])
        rows.add("examples", None, text="; ".join(examples), **place)
    rows.add("hits", len(adam.findings), variable=TOTAL, n=len(adam.findings))
    return rows.build()


def _by_rule(adam: Adam) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in sorted(adam.findings, key=lambda finding: finding.order):
        found[finding.rule].append(finding)
    return found


def _sources(hits: list[Finding]) -> list[tuple[str, str, str]]:
    return [(f.subject or "", f.domain, "/".join(f.key)) for f in hits]


def _example(finding: Finding) -> str:
    place = (
        f"{finding.file} row {finding.row}" if finding.file and finding.row is not None else finding.domain
    )
    who = f"{finding.subject} " if finding.subject else ""
    value = (
        f", {finding.variable} = {finding.value}" if finding.variable and finding.value is not None else ""
    )
    return f"{who}({place}{value})"

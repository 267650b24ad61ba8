"""The registry of checks: a check is one function with an id, a severity and what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from interim.data.check.context import Context
from interim.data.check.records import Hit
from interim.data.spec import domain_names
from interim.errors import Severity

Stage = Literal["extract", "cut"]
Check = Callable[[Context], Iterator[Hit]]
_RULES: dict[str, Rule] = {}


@dataclass(frozen=True)
class Rule:
    """One check.

    Attributes
    ----------
    id : str
        Rule id, for example ``XD-ORPHAN``.
    severity : {"stop", "warn", "info"}
        What a finding does.
    summary : str
        What is found, in one line.
    check : callable
        Takes a `Context`, yields hits.
    needs : mapping of str to tuple of str
        Domain -> variables without which the check cannot run.
    any_of : tuple of str
        Domains of which at least one must be there.
    stages : tuple of str
        extract (all delivered records), cut (records up to the cut-off).
    effect : tuple of str
        Tables and figures that a missed defect would change.
    """

    id: str
    severity: Severity
    summary: str
    check: Check
    needs: Mapping[str, tuple[str, ...]]
    any_of: tuple[str, ...]
    stages: tuple[Stage, ...]
    effect: tuple[str, ...]

    @property
    def finished(self) -> bool:
        """True if the rule is about finished analysis datasets, which only some studies enter with."""
        return any(name in domain_names("adam") for name in self.needs)

    def missing(self, context: Context) -> str:
        """Return why the check cannot run.

        Parameters
        ----------
        context : Context
            The delivered domains.

        Returns
        -------
        str
            "" if it can.

        Raises
        ------
        None
        """
        for domain, columns in self.needs.items():
            records = context.domains.get(domain)
            if records is None:
                return f"{domain} not delivered"
            absent = [column for column in columns if not records.has(column)]
            if absent:
                return f"{domain} has no {', '.join(absent)}"
        if self.any_of and not any(name in context.domains for name in self.any_of):
            return f"none of {', '.join(self.any_of)} delivered"
        return ""


def rule(
    id: str,
    *,
    severity: Severity,
    needs: Mapping[str, tuple[str, ...]] | None = None,
    any_of: tuple[str, ...] = (),
    stages: tuple[Stage, ...] = ("extract",),
    effect: tuple[str, ...] = (),
) -> Callable[[Check], Check]:
    """Register a function as a check; the first line of its docstring is the summary.

    Parameters
    ----------
    id : str
        Rule id.
    severity : {"stop", "warn", "info"}
        What a finding does.
    needs : mapping of str to tuple of str, optional
        Domain -> variables without which the check cannot run.
    any_of : tuple of str
        Domains of which at least one must be there.
    stages : tuple of str
        When it runs.
    effect : tuple of str
        Tables and figures that a missed defect would change.

    Returns
    -------
    callable
        A decorator that returns the function unchanged.

    Raises
    ------
    ValueError
        If the id is used twice or the function has no docstring.
    """

    def register(check: Check) -> Check:
        if id in _RULES or not check.__doc__:
            raise ValueError(f"check {id}: the id must be new and the function documented")
        summary = check.__doc__.strip().splitlines()[0]
        _RULES[id] = Rule(id, severity, summary, check, dict(needs or {}), any_of, stages, effect)
        return check

    return register


def all_rules() -> tuple[Rule, ...]:
    """Return every registered check.

    Returns
    -------
    tuple of Rule
        Sorted by id.

    Raises
    ------
    None
    """
    return tuple(_RULES[name] for name in sorted(_RULES))

"""Answers to findings: complete, of a known kind, and never one that accepts a stop."""

from __future__ import annotations

from collections.abc import Iterator

from interim.data.check.context import Context
from interim.data.check.records import Hit, hits
from interim.data.check.registry import rule

_EFFECT = ("T 14.6.2",)
_NEEDED = ("reason", "name", "date")


@rule("Q-ANSWER", severity="warn", needs={"QUERIES": ("id", "disposition")}, effect=_EFFECT)
def _complete(context: Context) -> Iterator[Hit]:
    """An answer that accepts a finding lacks reason, name or date; it does not count."""
    records = context.records("QUERIES")
    accepted = records.code("disposition") == "ACCEPTED"
    for name in _NEEDED:
        message = f"an accepted finding needs {', '.join(_NEEDED)}; it stays open"
        yield from hits(records, accepted & records.text(name).isna(), variable=name, message=message)


@rule("Q-STOP", severity="warn", needs={"QUERIES": ("id", "disposition", "severity")}, effect=_EFFECT)
def _stops(context: Context) -> Iterator[Hit]:
    """An answer accepts a finding that stops the run; a stop is corrected at the source, never accepted."""
    records = context.records("QUERIES")
    wrong = (records.code("disposition") == "ACCEPTED") & (records.code("severity") == "STOP")
    message = "a stop cannot be accepted; correct it at the source"
    yield from hits(records, wrong, variable="disposition", expected="OPEN or FIXED", message=message)

"""Recorded decisions: what each kind must state, levels that exist, no decision before the study began."""

from __future__ import annotations

from collections.abc import Iterator

from interim.data.check.context import Context
from interim.data.check.records import Hit, hits
from interim.data.check.registry import rule
from interim.data.check.vocabulary import words

_EFFECT = ("T 14.2.1.1", "T 14.2.1.7", "T 14.5.3")


@rule("DOSE-RECORD", severity="stop", needs={"DECISIONS": ("date", "kind")}, effect=_EFFECT)
def _complete(context: Context) -> Iterator[Hit]:
    """A recorded decision lacks what its kind must state."""
    records = context.records("DECISIONS")
    kind = records.text("kind")
    for name, wanted in words("terms")["decision"].items():
        for variable in wanted:
            lacks = (kind == name) & records.text(variable).isna()
            message = f"a decision of kind {name} needs {variable}; complete the record"
            yield from hits(records, lacks, variable=variable, message=message, expected="a value")


@rule("DOSE-LEVEL", severity="stop", needs={"DECISIONS": ("kind", "level")}, effect=_EFFECT)
def _known_level(context: Context) -> Iterator[Hit]:
    """A recorded decision names a dose level that the study does not have."""
    records = context.records("DECISIONS")
    ladder = [f"DL{place}" for place in range(1, len(context.study.dose.levels) + 1)]
    unknown = records.code("level").notna() & ~records.code("level").isin(ladder)
    expected = ", ".join(ladder)
    message = "the decision names no dose level of the study; correct the record"
    yield from hits(records, unknown, variable="level", expected=expected, message=message)


@rule("DOSE-EARLY", severity="stop", needs={"DECISIONS": ("date",), "DM": ("RFICDTC",)}, effect=_EFFECT)
def _before_the_study(context: Context) -> Iterator[Hit]:
    """A recorded decision is dated before the first consent of the study."""
    records = context.records("DECISIONS")
    first = context.records("DM").dates("RFICDTC")["FIRST"].min()
    early = records.dates("date")["LAST"] < first
    message = "no participant had consented when this decision was taken; correct the date"
    yield from hits(records, early, variable="date", message=message)

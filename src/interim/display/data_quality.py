"""Data quality: tables of the snapshot, the checks and the findings."""

from __future__ import annotations

from interim.display.labels import word
from interim.display.layout import plain_table
from interim.display.numbers import DASH, Numbers
from interim.display.table import Cell, Row, Table
from interim.result import TOTAL, Result
from interim.study import Study

HASH_DIGITS = 12


def table_snapshot(result: Result, study: Study) -> Table:
    """Show the domains and files of the data snapshot.

    Parameters
    ----------
    result : Result
        ``data_quality.snapshot``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        A row per domain, its files below it.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows = []
    for domain in numbers.variables(stat="records"):
        cells = [
            numbers.plain(TOTAL, domain, stat=stat)
            for stat in ("records", "participants", "removed", "blanked")
        ]
        rows.append(Row((Cell(domain), *cells, *_states(numbers, domain), Cell(DASH))))
        for file in numbers.levels(domain, stat="sha256"):
            kept = numbers.plain(TOTAL, domain, level=file, stat="file_records")
            whole = numbers.words(TOTAL, domain, "sha256", level=file)
            hashed = Cell(whole.text[:HASH_DIGITS], whole.keys)
            rows.append(Row((Cell(file), kept, *[Cell(DASH)] * 7, hashed), 1))
    return plain_table(
        numbers,
        header=(
            "Domain and file",
            "Records",
            "Participants",
            "Removed by the cut-off",
            "Blanked",
            "Last entry, days before the cut-off",
            "Verified at the source, %",
            "Coded, %",
            "Locked, %",
            f"SHA-256, first {HASH_DIGITS} digits",
        ),
        rows=rows,
        widths=(2.0, 0.8, 1.0, 1.1, 0.8, 1.0, 1.0, 0.8, 0.8, 1.5),
        align=("left", *["right"] * 8, "left"),
        landscape=True,
    )


def _states(numbers: Numbers, domain: str) -> list[Cell]:
    """Return the age of the last date of a domain, and the shares that are verified, coded and locked; a dash where the data do not say."""
    last = numbers.row("last", variable=domain)
    cells = [
        Cell(DASH)
        if last is None or last["status"] == "NA"
        else numbers.value(TOTAL, domain, "last", digits=0)
    ]
    for stat in ("verified", "coded", "locked"):
        row = numbers.row(stat, variable=domain)
        known = row is not None and row["status"] != "NA"
        cells.append(numbers.value(TOTAL, domain, stat, digits=0, factor=100) if known else Cell(DASH))
    return cells


def table_checks(result: Result, study: Study) -> Table:
    """Show every check with its hits, those without a hit included.

    Parameters
    ----------
    result : Result
        ``data_quality.checks``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        A row per rule.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    kept = ("New", "Accepted") if numbers.variables(stat="new") else ()
    rows = []
    for rule in numbers.variables(stat="state"):
        severity = numbers.words(TOTAL, rule, "severity")
        state = numbers.words(TOTAL, rule, "state")
        rows.append(
            Row(
                (
                    Cell(rule),
                    numbers.words(TOTAL, rule, "finds"),
                    Cell(word("severity", severity.text), severity.keys),
                    numbers.words(TOTAL, rule, "domain"),
                    numbers.plain(TOTAL, rule, stat="hits"),
                    numbers.plain(TOTAL, rule, stat="participants"),
                    *_answered(numbers, rule, kept=kept),
                    Cell("Run" if state.text == "run" else state.text, state.keys),
                )
            )
        )
    return plain_table(
        numbers,
        header=("Rule", "What it finds", "Severity", "Domain", "Records", "Participants", *kept, "Result"),
        rows=rows,
        widths=(1.6, 4.0, 1.1, 1.0, 0.9, 1.1, *[0.8] * len(kept), 1.8 - 0.4 * len(kept)),
        align=("left", "left", "left", "left", "right", "right", *["right"] * len(kept), "left"),
        landscape=True,
    )


def _answered(numbers: Numbers, rule: str, *, kept: tuple[str, ...]) -> list[Cell]:
    """Return how many hits are new and how many accepted; a dash for a rule without hits."""
    known = set(numbers.variables(stat="new"))
    return [numbers.plain(TOTAL, rule, stat=name.lower()) if rule in known else Cell("–") for name in kept]


def table_findings(result: Result, study: Study) -> Table:
    """Show the findings grouped by rule and domain.

    Parameters
    ----------
    result : Result
        ``data_quality.findings``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        A row per rule and domain with the first examples.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers = Numbers(result, study)
    rows = []
    for variable in numbers.variables(stat="rule"):
        for domain in numbers.levels(variable, stat="rule"):
            severity = numbers.words(TOTAL, variable, "severity", level=domain)
            rows.append(
                Row(
                    (
                        Cell(numbers.words(TOTAL, variable, "rule", level=domain).text),
                        Cell(word("severity", severity.text), severity.keys),
                        Cell(domain, severity.keys),
                        numbers.plain(TOTAL, variable, level=domain, stat="hits"),
                        numbers.words(TOTAL, variable, "message", level=domain),
                        numbers.words(TOTAL, variable, "examples", level=domain),
                    )
                )
            )
    if not rows:
        total = numbers.plain(TOTAL, TOTAL, stat="hits")
        rows = [Row((Cell("No finding"), Cell("–"), Cell("–"), total, Cell("–"), Cell("–")))]
    return plain_table(
        numbers,
        header=("Rule", "Severity", "Domain", "Number", "Finding", "First examples"),
        rows=rows,
        widths=(1.3, 1.0, 0.9, 0.8, 3.5, 3.0),
        align=("left", "left", "left", "right", "left", "left"),
        landscape=True,
    )

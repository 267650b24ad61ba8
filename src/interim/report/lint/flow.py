"""LNT-04 flow: participants are lost and found nowhere, columns add up, events are those of the listing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from interim.report.lint.model import Checked, LintFinding
from interim.result import TOTAL, Result

if TYPE_CHECKING:
    import pandas as pd

FLOW, SETS, COURSE = "disposition.participant_flow", "disposition.analysis_sets", "courses.flow"
EVENTS = "safety_listing.adverse_events"
_TITLES = {FLOW: "T 14.1.1.1", SETS: "T 14.1.1.2", COURSE: "F 14.1.1.1"}
_PARENTS = {
    "CART-SAF": "NK-SAF",
    "NK-SAF": "ENR",
    "DLT-EV": "ENR",
    "FAS": "ENR",
    "RE": "FAS",
    "RESP": "FAS",
}


class _Count(NamedTuple):
    group: str
    variable: str
    level: str


Counts = Mapping[_Count, int]


def broken_flow(checked: Checked) -> Iterator[LintFinding]:
    """Find counts of participants and events that do not add up.

    Parameters
    ----------
    checked : Checked
        Documents, results, study.

    Yields
    ------
    LintFinding
        LNT-04, with both numbers.

    Raises
    ------
    None
    """
    store = checked.store
    for analysis in (FLOW, SETS, COURSE):
        if analysis in store:
            yield from _columns(store[analysis])
    if FLOW in store and SETS in store:
        yield from _disposition(_counts(store[FLOW]), _counts(store[SETS]))
        yield from _one_column(store[FLOW])
    if COURSE in store and SETS in store:
        yield from _arrows(_counts(store[COURSE]), _counts(store[SETS]))
    if COURSE in store and FLOW in store:
        yield from _assessed(_counts(store[COURSE]), _counts(store[FLOW]))
    if EVENTS in store:
        yield from _events(checked)


def _finding(analysis: str, cell: str, what: str) -> LintFinding:
    place = _TITLES.get(analysis, analysis)
    way_out = "find the participant or record that is counted in one and not in the other (interim trace)"
    return LintFinding("LNT-04", "flow", "results", place, cell, what, way_out)


def _counts(result: Result) -> Counts:
    frame = result.frame
    known = frame[frame["stat"].isin(("n", "N")) & frame["n"].notna() & (frame["status"] == "OK")]
    places = zip(known["group"], known["variable"], known["level"], strict=True)
    return {_Count(*place): int(n) for place, n in zip(places, known["n"], strict=True)}


def _columns(result: Result) -> Iterator[LintFinding]:
    """Compare the total with the sum of the dose columns, where all of them are counted."""
    rows: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for place, n in _counts(result).items():
        rows[place.variable, place.level][place.group] = n
    for (variable, level), columns in rows.items():
        parts = [n for group, n in columns.items() if group != TOTAL]
        if parts and TOTAL in columns and sum(parts) != columns[TOTAL]:
            what = f"the columns add up to {sum(parts)}, the total is {columns[TOTAL]}"
            yield _finding(result.analysis_id, f"{variable} {level}".strip(), what)


def _disposition(flow: Counts, sets: Counts) -> Iterator[LintFinding]:
    """Compare screening, enrolment, status, reasons and infusions within and between the tables."""
    for group in dict.fromkeys(place.group for place in flow):
        at = _Sums(flow, group)
        enrolled = flow.get(_Count(group, "enrolled", ""))
        if enrolled is None:
            continue
        if group == TOTAL and (TOTAL, "screening", "") in flow:
            yield from _equal(FLOW, "screened", at.of("screening"), enrolled + at.of("screen_failure", ""))
            yield from _equal(
                FLOW, "screen failures", at.of("screen_failure", ""), at.reasons("screen_failure")
            )
        yield from _equal(FLOW, f"{group}: status", enrolled, at.of("status"))
        left = at.of("status", "DISCONTINUED")
        yield from _equal(FLOW, f"{group}: reasons of discontinuation", left, at.of("discontinuation"))
        yield from _falling(flow, group)
        members = sets.get(_Count(group, "ENR", ""))
        yield from _equal(SETS, f"{group}: enrolled", enrolled, enrolled if members is None else members)
        yield from _excluded(sets, group, enrolled)


class _Sums(NamedTuple):
    """Sums over the levels of a variable in one column."""

    counts: Counts
    group: str

    def of(self, variable: str, level: str | None = None) -> int:
        """Return the sum over the levels, or one level."""
        found = (
            n
            for place, n in self.counts.items()
            if place.group == self.group and place.variable == variable and level in (None, place.level)
        )
        return sum(found)

    def reasons(self, variable: str) -> int:
        """Return the sum over the levels that name a reason."""
        return self.of(variable) - self.of(variable, "")


def _equal(analysis: str, cell: str, one: int, other: int) -> Iterator[LintFinding]:
    if one != other:
        yield _finding(analysis, cell, f"{one} and {other} differ")


def _falling(flow: Counts, group: str) -> Iterator[LintFinding]:
    """Compare each infusion with the one before it in the same phase."""
    infusions = [
        (place.level, n) for place, n in flow.items() if (place.group, place.variable) == (group, "infusion")
    ]
    for (before, many), (after, n) in pairwise(infusions):
        if before.rpartition(" ")[0] == after.rpartition(" ")[0] and n > many:
            yield _finding(FLOW, f"{group}: {after}", f"{n} participants, but {many} with {before}")


def _excluded(sets: Counts, group: str, enrolled: int) -> Iterator[LintFinding]:
    """Compare members and excluded of each set with the enrolled, and each set with the one that holds it."""
    at = _Sums(sets, group)
    for code in sorted({p.variable for p in sets if p.group == group and _is_set(p.variable)}):
        members = at.of(code)
        out = at.of(f"{code} excluded")
        if code != "ENR":
            yield from _equal(SETS, f"{group}: {code} and excluded by reason", enrolled, members + out)
        parent = sets.get(_Count(group, _PARENTS.get(code, ""), ""))
        if parent is not None and members > parent:
            yield _finding(SETS, f"{group}: {code}", f"{members} members, but {parent} in {_PARENTS[code]}")


def _is_set(variable: str) -> bool:
    return " " not in variable and not variable.startswith("population")


def _one_column(result: Result) -> Iterator[LintFinding]:
    """Find participants in two dose columns, or in the total and in none."""
    frame = result.frame
    rows = frame[(frame["variable"] == "enrolled") & (frame["stat"] == "n")]
    group = dict(zip(rows["result_id"], rows["group"], strict=True))
    links = result.links[result.links["result_id"].isin(group)]
    columns = links["result_id"].map(group)
    apart = links[columns != TOTAL].groupby("USUBJID")["result_id"].nunique()
    for subject in apart.index[apart > 1]:
        yield _finding(FLOW, "enrolled", f"{subject} stands in {apart[subject]} dose columns")
    total = set(links.loc[columns == TOTAL, "USUBJID"])
    for subject in sorted(total ^ set(apart.index)):
        yield _finding(FLOW, "enrolled", f"{subject} stands in the total or in a column, but not in both")


def _arrows(course: Counts, sets: Counts) -> Iterator[LintFinding]:
    """Compare each box of the flow with the one before it, less those lost on the arrow, and its ends with the sets."""
    ends = {"enrolled": "ENR", "nk": "NK-SAF", "cart_c1": "CART-SAF", "dlt_evaluable": "DLT-EV", "response_evaluable": "RE"}  # fmt: skip
    for group in dict.fromkeys(place.group for place in course):
        boxes = [(p.variable, n) for p, n in course.items() if p.group == group and _is_box(p.variable)]
        for name, n in boxes:
            members = sets.get(_Count(group, ends.get(name, ""), ""))
            if members is not None and n != members:
                yield _finding(COURSE, f"{group}: {name}", f"{n} in the figure, {members} in T 14.1.1.2")
            left = _Count(group, f"left {name}", "")
            lost, at = course.get(left, 0), _Sums(course, group)
            first = name == "assessed" or (name == "enrolled" and left not in course)
            if not first and not any(n + lost == many for _, many in boxes):
                yield _finding(
                    COURSE, f"{group}: {name}", f"{n} and {lost} lost are the number of no box before"
                )
            if left in course:
                yield from _equal(COURSE, f"{group}: {name}, reasons", lost, at.reasons(left.variable))


def _assessed(course: Counts, flow: Counts) -> Iterator[LintFinding]:
    """Compare the assessed of the figure with the screened of the table."""
    place = _Count(TOTAL, "assessed", "")
    if place in course:
        yield from _equal(COURSE, "assessed", course[place], _Sums(flow, TOTAL).of("screening"))


def _is_box(variable: str) -> bool:
    return variable != "population" and not variable.startswith(("left ", "decision"))


def _events(checked: Checked) -> Iterator[LintFinding]:
    """Compare the events and participants of the event tables with the listing of all events."""
    listed = checked.store[EVENTS]
    known = _records(listed.links)
    emergent = _emergent(listed)
    for analysis, result in checked.store.items():
        if analysis.startswith("safety.") or analysis == "safety_period.related_teae":
            alien = sorted(_records(result.links) - known)
            for subject, sequence in alien[:3]:
                yield _finding(analysis, f"AE {sequence} of {subject}", "is counted and not in L 16.2.7.1")
    summary = checked.store.get("safety.teae_summary")
    if summary is None:
        return
    rows = summary.frame[(summary.frame["group"] == TOTAL) & (summary.frame["variable"] == "teae")]
    stated = dict(zip(rows["stat"], rows["value"], strict=True))
    for stat, counted in (("events", len(emergent)), ("n", len({subject for subject, _ in emergent}))):
        if stat in stated and stated[stat] != counted:
            what = f"{stat} {stated[stat]:g}, but {counted} in L 16.2.7.1"
            yield _finding("safety.teae_summary", f"teae {stat}", what)


def _records(links: pd.DataFrame) -> set[tuple[str, str]]:
    events = links[links["SRCDOM"] == "AE"]
    return set(zip(events["USUBJID"], events["SRCSEQ"].astype(str), strict=True))


def _emergent(listed: Result) -> list[tuple[str, str]]:
    """Return participant and record of the treatment-emergent events of the listing."""
    frame = listed.frame[listed.frame["variable"] == "record"]
    yes = frame[(frame["stat"] == "emergent") & (frame["text"] == "yes")]["level"]
    who = frame[frame["stat"] == "participant"].set_index("level")["text"]
    return [(str(who[level]), str(level)) for level in yes]

"""A small package for the tests of the linters: three participants at two doses, counted by hand."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from interim.report.content import Cell, Document, Figure, HeaderCell, Paragraph, Row, Section, Span, Table
from interim.report.lint import Checked
from interim.result import Result, ResultStore, Rows
from interim.study import read_study
from tests.report.writers_sample import front, png, svg

ROOT = Path(__file__).resolve().parents[3]
# DL1: participant 1. DL2: participants 2 and 3; 3 responded. 4 failed screening.
MEMBERS = {"DL1": ("S1",), "DL2": ("S2", "S3"), "Total": ("S1", "S2", "S3")}


@cache
def study():
    return read_study(ROOT / "params" / "example.toml")


def sets(**changes: int) -> Result:
    """T 14.1.1.2: everyone enrolled and treated; nobody is excluded from FAS, participant 1 from RE."""
    rows = Rows("disposition.analysis_sets", "Analysis sets")
    for group, ids in MEMBERS.items():
        out = 1 if group in ("DL1", "Total") else 0
        numbers = {"ENR": len(ids), "NK-SAF": len(ids), "FAS": len(ids), "RE": len(ids) - out}
        for code, n in numbers.items():
            n = changes.get(f"{group}_{code}".replace("-", "_"), n)
            rows.add("n", n, n=n, N=len(ids), group=group, variable=code, unit="participants")
        if out:
            rows.add("n", 1, n=1, group=group, variable="RE excluded", level="no scan", unit="participants")
    return rows.build()


def flow(*, members=MEMBERS, **changes: int) -> Result:
    rows = Rows("disposition.participant_flow", "Participant disposition")
    rows.add("n", 4, n=changes.get("screened", 4), variable="screening")
    rows.add("n", 1, n=1, variable="screen_failure")
    rows.add("n", 1, n=changes.get("reasons", 1), variable="screen_failure", level="SCREEN-FAIL")
    for group, ids in members.items():
        n = len(ids)
        rows.add("n", n, n=n, group=group, variable="enrolled", subjects=ids)
        first, second = n, changes.get("second", n)
        rows.add("n", first, n=first, group=group, variable="infusion", level="NK 1")
        rows.add("n", second, n=second, group=group, variable="infusion", level="NK 2")
        gone = 1 if group in ("DL2", "Total") else 0
        rows.add(
            "n", n - gone, n=changes.get("ongoing", n - gone), group=group, variable="status", level="ONGOING"
        )
        rows.add("n", gone, n=gone, group=group, variable="status", level="DISCONTINUED")
        if gone:
            left = changes.get("left", gone)
            rows.add("n", left, n=left, group=group, variable="discontinuation", level="DEATH")
    return rows.build()


def course(**changes: int) -> Result:
    rows = Rows("courses.flow", "Flow")
    for group, ids in MEMBERS.items():
        n = len(ids)
        for name in ("enrolled", "nk"):
            at = changes.get(f"{group}_{name}", n)
            rows.add("n", at, n=at, group=group, variable=name)
            if name != "enrolled":
                rows.add("n", 0, n=0, group=group, variable=f"left {name}")
    for change, variable, level, n in (
        ("assessed", "assessed", "", 4),
        ("lost", "left enrolled", "", 1),
        ("reason", "left enrolled", "SCREEN-FAIL", 1),
    ):
        rows.add("n", changes.get(change, n), n=changes.get(change, n), variable=variable, level=level)
    return rows.build()


def response(**changes: int) -> Result:
    """1 of 3 responded; of the two at DL2 with a raised marker one fell; medians and landmarks in the total."""
    rows = Rows("response.orr", "Response", "FAS")
    for group, ids in MEMBERS.items():
        rows.add("N", len(ids), n=len(ids), N=len(ids), group=group, variable="population", subjects=ids)
        x = 0 if group == "DL1" else 1
        for stat, value in (("rate", x / len(ids)), ("lower", 0.0), ("upper", 0.9)):
            rows.add(stat, value, n=x, N=len(ids), group=group, variable="orr")
    rows.add("rate", 0.0, n=0, N=1, variable="narrow")
    rows.add("lower", 0.0, n=0, N=1, variable="narrow")
    rows.add("rate", 0.5, n=1, N=2, variable="marker")
    rows.add("lower", 0.01, n=1, N=2, variable="marker")
    rows.add("median", 3.58, variable="pfs", unit="months", n=3)
    rows.add("lower", 0.89, variable="pfs", unit="months", n=3)
    rows.add("n_risk", changes.get("at_risk", 3), variable="pfs landmark", level="3", n=3)
    rows.add("rate", 0.65, variable="pfs landmark", level="3", n=3)
    rows.add("lower", 0.35, variable="pfs landmark", level="3", n=3)
    for group, n in (("DL1", 1), ("DL2", 5)):
        rows.add("surv", 0.5, group=group, variable="PFS curve", level="step 1")
        rows.add("N", n, n=n, group=f"{group}", variable="curve size")
    return rows.build()


def events(*, listed=(("S1", "1"), ("S3", "2")), counted=(("S1", "1"), ("S3", "2"))) -> dict[str, Result]:
    listing = Rows("safety_listing.adverse_events", "Listing")
    for subject, seq in listed:
        place = {"variable": "record", "level": f"{subject} {seq}", "sources": [(subject, "AE", seq)]}
        listing.add("participant", None, text=subject, **place)
        listing.add("emergent", None, text="yes", **place)
    summary = Rows("safety.teae_summary", "Summary")
    subjects = {subject for subject, _ in counted}
    sources = [(subject, "AE", seq) for subject, seq in counted]
    summary.add("n", len(subjects), n=len(subjects), N=3, variable="teae", sources=sources)
    summary.add("events", len(counted), n=len(counted), variable="teae", unit="events")
    return {"safety_listing.adverse_events": listing.build(), "safety.teae_summary": summary.build()}


def store(**changes: Result) -> ResultStore:
    made = {r.analysis_id: r for r in (sets(), flow(), course(), response())}
    return ResultStore({**made, **events(), **{r.analysis_id: r for r in changes.values()}})


def key(name: str, group: str = "total") -> str:
    return f"response.orr/{group}/{name}"


def say(*pieces: str | tuple[str, str]) -> Paragraph:
    spans = [Span(p) if isinstance(p, str) else Span(p[0], key=p[1]) for p in pieces]
    return Paragraph(tuple(spans))


def table(rows, *, id="T 14.2.2.1", title="Best overall response", footnotes=("See F 14.2.3.1.",)) -> Table:
    """Columns: stub, DL1, Total; a row is (stub, cell, cell) and a cell (text, key, ...)."""
    sizes = (("DL1 N=1", key("population/-/n", "dl1")), ("Total N=3", key("population/-/n")))
    head = (HeaderCell("Item"), *(HeaderCell(text, 1, (k,)) for text, k in sizes))
    body = tuple(
        Row("data", 0, (Cell(stub), *(Cell(text, tuple(keys)) for text, *keys in cells)))
        for stub, *cells in rows
    )
    return Table(id, f"Table {id[2:]}", id.lower().replace(" ", "-"), title, "FAS", (head,), body,
                 ("left", "right", "right"), (2.0, 1.0, 1.0), "portrait", footnotes, ())  # fmt: skip


def rate_row(text="1/3 (33%)", low="(0.0, 90.0)"):
    return [
        ("ORR", ("0/1", key("orr/-/rate", "dl1"), key("orr/-/lower", "dl1")), (text, key("orr/-/rate"))),
        ("95% interval", ("(0.0, 90.0)", key("orr/-/upper", "dl1")), (low, key("orr/-/lower"), key("orr/-/upper"))),
    ]  # fmt: skip


def figure(
    alt="Bars of response for 3 participants (n=3), one of them with a response, by dose.",
    keys=None,
    **changes,
):
    facts = dict(id="F 14.2.3.1", label="Figure 14.2.3.1", anchor="f", title="Bars", population="FAS", svg=svg(),
                 png=png(), alt=alt, width_mm=80.0, footnotes=("See T 14.2.2.1.",), labels=(), orientation="portrait",
                 keys=keys or (key("orr/-/rate"), key("orr/-/lower"), key("orr/-/upper")))  # fmt: skip
    return Figure(**{**facts, **changes})


TEXT = (
    "Response by RECIST 1.1 (T 14.2.2.1): ",
    ("1/3", key("orr/-/rate")),
    " (",
    ("0.0%", key("orr/-/lower")),
    "). “At least 8 weeks” is the registered text; see document 14.",
)


def document(*blocks) -> Document:
    blocks = blocks or (say(*TEXT), table(rate_row()), figure())
    return Document(front(), (Section(1, "1", "Response", "s-1"), *blocks))


def checked(*blocks, results: ResultStore | None = None, also: Document | None = None, **more) -> Checked:
    documents = {"05": document(*blocks), **({"01": also} if also else {})}
    return Checked(documents, results or store(), study(), **more)

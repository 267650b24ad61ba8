"""What the linters read: every printed text with its place, and the gate that stands before the writers."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from interim.errors import ReportError
from interim.report.content import (
    Cell,
    Document,
    HeaderCell,
    ListBlock,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
)
from interim.report.lint import LINTERS, Checked, lint
from interim.report.lint.denominator import wrong_denominators
from interim.report.lint.gate import Gate
from interim.report.lint.intervals import missing_intervals
from interim.report.lint.model import printed_texts, shown
from interim.report.lint.order import past_runs
from interim.result import ResultStore, Rows
from tests.report.lint import package as p
from tests.report.writers_sample import front


def wide() -> Table:
    """Two header rows, a section, an indented row."""
    return Table(
        id="T 14.3.1.1",
        label="Table 14.3.1.1",
        anchor="t",
        title="Events",
        population="NK safety set",
        header=(
            (HeaderCell("Term"), HeaderCell("CAR-T dose level", 2)),
            (HeaderCell(""), HeaderCell("DL1", 1, ("a/dl1/n/-/N",)), HeaderCell("Total")),
        ),
        rows=(
            Row("section", 0, (Cell("Immune system"),)),
            Row(
                "data",
                1,
                (
                    Cell("Release"),
                    Cell("1", ("a/dl1/x/-/n",)),
                    Cell("2", ("a/total/x/-/n", "a/total/x/-/N")),
                ),
            ),
        ),
        align=("left", "right", "right"),
        widths=(2.0, 1.0, 1.0),
        orientation="portrait",
        footnotes=("Once per participant.",),
        labels=("DRAFT",),
    )


def document(*blocks) -> Document:
    return Document(front(), blocks)


@pytest.mark.rule("LNT-09", source="the table above, read by hand")
def test_every_text_of_a_table_has_its_place():
    found = [(t.role, t.cell, t.text, t.keys) for t in printed_texts("06", document(wide()))]
    assert found == [
        ("title", "title", "Events", ()),
        ("note", "footnote 'Once per participant.'", "Once per participant.", ()),
        ("header", "header 'Term'", "Term", ()),
        ("header", "header 'CAR-T dose level'", "CAR-T dose level", ()),
        ("header", "header ''", "", ()),
        ("header", "header 'DL1'", "DL1", ("a/dl1/n/-/N",)),
        ("header", "header 'Total'", "Total", ()),
        ("stub", "row 'Immune system'", "Immune system", ()),
        ("stub", "row 'Release' of 'Immune system'", "Release", ()),
        (
            "cell",
            "row 'Release' of 'Immune system', column 'CAR-T dose level DL1'",
            "1",
            ("a/dl1/x/-/n",),
        ),
        (
            "cell",
            "row 'Release' of 'Immune system', column 'CAR-T dose level Total'",
            "2",
            ("a/total/x/-/n", "a/total/x/-/N"),
        ),
    ]
    assert {t.place for t in printed_texts("06", document(wide()))} == {"T 14.3.1.1"}


@pytest.mark.rule("LNT-09")
def test_prose_stands_in_its_section_and_lists_are_read_to_the_bottom():
    inner = ListBlock(False, 1, ((Paragraph((Span("deep"),)),),))
    outer = ListBlock(True, 1, ((Paragraph((Span("outer"),)), inner),))
    blocks = (
        Paragraph((Span("before"),)),
        Section(1, "2", "Results", "s-2"),
        Paragraph((Span("Rate "), Span("1/3", key="k"))),
        outer,
    )
    found = [(t.place, t.role, t.text, t.keys) for t in printed_texts("05", document(*blocks))]
    assert found == [
        ("title page", "prose", "before", ()),
        ("section 2", "heading", "Results", ()),
        ("section 2", "prose", "Rate ", ()),
        ("section 2", "prose", "1/3", ("k",)),
        ("section 2", "prose", "outer", ()),
        ("section 2", "prose", "deep", ()),
    ]


@pytest.mark.rule("LNT-09")
def test_an_object_that_stands_in_two_documents_is_read_once_a_translation_again():
    one = wide()
    twice = Checked({"05": document(one), "06": document(one)}, p.store(), p.study())
    assert {t.document for t in twice.printed} == {"05"}
    other = Checked({"05": document(one), "05.zh": document(replace(one))}, p.store(), p.study())
    assert {t.document for t in other.printed} == {"05", "05.zh"}


@pytest.mark.rule("LNT-09")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("short", "short"),
        (" two\n lines ", "two lines"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
    ],
)
def test_a_place_is_one_short_line(text, line):
    assert shown(text) == line


# The gate


def gate(**changes) -> Gate:
    inputs = SimpleNamespace(store=changes.get("results") or p.store(), study=p.study())
    return Gate(inputs, changes.get("history", ()))


@pytest.mark.rule("LNT-09", source="report-package.md section 6: any finding fails the build")
def test_the_gate_gives_warnings_and_refuses_stops():
    said = gate()({"05": p.document()})
    assert [line.split(":")[0] for line in said] == ["warning"] * len(said)
    assert any("LNT-07 order" in line for line in said)
    with pytest.raises(ReportError, match=r"1 finding.*\n- LNT-06 wording: 01, section 1"):
        gate()({"05": p.document(), "01": p.document(p.say("A promising product."))})


@pytest.mark.rule("LNT-08", source="documents of a later step name objects of an earlier one")
def test_later_documents_may_name_objects_of_earlier_ones():
    later = {"10": p.document(p.say("See T 14.2.2.1 and F 14.2.3.1."))}
    said = gate()(later, {"05": p.document()})
    assert not [line for line in said if "LNT-07" in line], "the order is asked once"
    assert not [line for line in said if "does not stand in the package" in line]
    alone = gate()(later)
    assert any("T 14.2.2.1 does not stand in the package" in line for line in alone)
    with pytest.raises(ReportError, match=r"T 99\.2\.2\.1 does not stand in the package"):
        gate()({"10": p.document(p.say("See T 99.2.2.1."))})


@pytest.mark.rule("LNT-04")
def test_a_broken_flow_stops_the_first_step():
    broken = p.store(flow=p.flow(screened=5))
    with pytest.raises(ReportError, match=r"LNT-04 flow: results, T 14\.1\.1\.1, screened: 5 and 4 differ"):
        gate(results=broken)({"05": p.document()})


@pytest.mark.rule("LNT-09")
def test_chosen_linters_run_alone_and_findings_are_not_repeated():
    faulty = p.checked(p.say("A promising 18."))
    assert {f.linter for f in lint(faulty, linters=["wording"])} == {"wording"}
    everything = lint(faulty)
    assert len(everything) == len(set(everything))
    assert list(LINTERS) == [
        "typed number",
        "denominator",
        "base",
        "text = table",
        "flow",
        "interval",
        "wording",
        "order",
        "reference",
    ]


# Earlier packages


def publish(folder, cut: str, values: object) -> None:
    target = folder / cut
    target.mkdir(parents=True)
    text = json.dumps({"parameters": {"values": values}}) if not isinstance(values, str) else values
    (target / "manifest.json").write_text(text, encoding="utf-8")


@pytest.mark.rule("LNT-07", source="decision 270")
def test_earlier_packages_are_read_from_their_manifests(tmp_path):
    registry = {"subgroups": [{"id": "nlr", "origin": "protocol"}], "subgroup": {"gap_pp": 40}}
    publish(tmp_path, "2026-03-31", {**registry, "data": {"extract_time": "2026-04-02T00:00:00Z"}})
    publish(tmp_path, "2025-12-31", registry)
    publish(tmp_path, "2026-06-30", registry)
    publish(tmp_path, "2026-01-15", "no json")
    publish(tmp_path, "2026-01-16", ["no mapping"])
    publish(tmp_path, "2026-03-31.failed", registry)
    found = past_runs(tmp_path, before="2026-06-30")
    assert [run.cut for run in found] == ["2025-12-31", "2026-03-31"]
    assert [run.extract for run in found] == ["", "2026-04-02T00:00:00Z"]
    assert found[0].registry == found[1].registry
    assert found[0].plan == found[1].plan, "where the data lie is no part of the plan"
    assert past_runs(tmp_path / "none", before="2026-06-30") == ()


# Declared bases and intervals


def landmark(n: int = 2) -> ResultStore:
    """Two of three were treated in the second cycle; one of them had a release."""
    flow = Rows("disposition.participant_flow", "Flow")
    flow.add("n", n, n=n, N=3, variable="infusion", level="CART_C2 1")
    release = Rows("toxicity.crs", "Release")
    release.add("n", 1, n=1, N=2, variable="phase", level="CART_C2")
    made = {r.analysis_id: r for r in (flow.build(), release.build())}
    return p.store(**{name.replace(".", "_"): result for name, result in made.items()})


def printed_release(*, with_base: bool) -> tuple:
    base = ("2", "disposition.participant_flow/total/infusion/cart_c2-1/n")
    said = [p.say("Second cycle: ", base)] if with_base else []
    return (*said, p.say("Release: ", ("1/2", "toxicity.crs/total/phase/cart_c2/n")))


@pytest.mark.rule("LNT-02", source="report/lint/bases.toml")
@pytest.mark.parametrize(
    ("n", "with_base", "hits"),
    [
        (2, True, 0),
        (2, False, 1),  # the declared base is not printed
        (3, True, 1),  # it is printed and is another number
    ],
)
def test_a_declared_base_must_be_printed_and_equal(n, with_base, hits):
    made = p.sets(Total_RE=3)
    results = ResultStore({**landmark(n).results, "disposition.analysis_sets": made})
    blocks = printed_release(with_base=with_base)
    assert len(list(wrong_denominators(p.checked(*blocks, results=results)))) == hits


def observed(x: int) -> ResultStore:
    """The observed rate of a dose, in the table of models and in the table of rates."""
    rows = {}
    for name, count in (("escalation_model.dlt_curve", 1), ("escalation.dlt_by_dose", x)):
        made = Rows(name, "DLT")
        made.add("rate", count / 2, n=count, N=2, group="DL2", variable="dlt")
        made.add("lower", 0.01, n=count, N=2, group="DL2", variable="dlt")
        rows[name] = made.build()
    return ResultStore({**p.store().results, **rows})


@pytest.mark.rule("LNT-05", source="report/lint/bases.toml")
@pytest.mark.parametrize(
    ("x", "with_limits", "hits"),
    [
        (1, True, 0),
        (1, False, 1),  # nobody prints the limits
        (2, True, 1),  # the other rate is another one
    ],
)
def test_an_interval_may_stand_with_the_same_rate_elsewhere(x, with_limits, hits):
    mine = p.say("Observed ", ("1/2", "escalation_model.dlt_curve/dl2/dlt/-/rate"))
    limits = p.say("from ", ("1%", "escalation.dlt_by_dose/dl2/dlt/-/lower"))
    blocks = (mine, limits) if with_limits else (mine,)
    assert len(list(missing_intervals(p.checked(*blocks, results=observed(x))))) == hits


@pytest.mark.rule("LNT-02", source="members of T 14.1.1.2 by its links")
def test_a_total_whose_participants_are_no_analysis_set_is_found():
    sets = Rows("disposition.analysis_sets", "Sets")
    sets.add("n", 3, n=3, variable="ENR", subjects=("S1", "S2", "S3"))
    sets.add("n", 2, n=2, variable="FAS", subjects=("S1", "S2"))
    column = {"variable": "population", "n": 2, "N": 2}
    hits = {}
    for name, who in (("right", ("S1", "S2")), ("wrong", ("S1", "S3"))):
        rows = Rows(f"response.{name}", "Response")
        rows.add("N", 2, subjects=who, **column)
        results = ResultStore({r.analysis_id: r for r in (sets.build(), rows.build())})
        head = (HeaderCell("Item"), HeaderCell("Total N=2", 1, (f"response.{name}/total/population/-/n",)))
        made = replace(wide(), header=(head,), rows=(Row("data", 0, (Cell("a"), Cell("b"))),), align=("left", "right"), widths=(1.0, 1.0))  # fmt: skip
        hits[name] = [f.cell for f in wrong_denominators(p.checked(made, results=results))]
    assert hits == {"right": [], "wrong": ["header 'Total N=2'"]}

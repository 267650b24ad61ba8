"""The index of results: object, question, and how many results, participants and records stand behind it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from interim.report.documents.trace import index, keys_of, rows_of
from interim.result import ResultStore, Rows
from tests.report import writers_sample as sample
from tests.report.lint import package as p


def store() -> ResultStore:
    """Two responders with three records of scans; the rate has a method; an event without a record of its own."""
    rows = Rows("response.orr", "Response", "Full analysis set", "exact")
    sources = [("S1", "RS", "1"), ("S1", "RS", "2"), ("S3", "RS", "1")]
    rows.add("rate", 0.5, n=2, N=4, variable="orr", sources=sources)
    rows.add("lower", 0.1, n=2, N=4, variable="orr", sources=sources[:1])
    events = Rows("safety.events", "Events")
    events.add("n", 1, n=1, variable="any", subjects=("S2",))
    return ResultStore({"response.orr": rows.build(), "safety.events": events.build()})


RATE, LOWER = "response.orr/total/orr/-/rate", "response.orr/total/orr/-/lower"
EVENT = "safety.events/total/any/-/n"


@pytest.mark.rule("CHK-08", source="the records above, counted by hand")
@pytest.mark.parametrize(
    ("keys", "rows"),
    [
        (
            (RATE,),
            [("F 14.2.3.1", "response.orr", "orr/-/rate", "Full analysis set", "exact", "1", "2", "3")],
        ),
        (
            (RATE, LOWER, RATE),
            [("F 14.2.3.1", "response.orr", "orr/-/rate+lower", "Full analysis set", "exact", "2", "2", "3")],
        ),
        (
            (LOWER,),
            [("F 14.2.3.1", "response.orr", "orr/-/lower", "Full analysis set", "exact", "1", "1", "1")],
        ),
        ((EVENT,), [("F 14.2.3.1", "safety.events", "any/-/n", "–", "–", "1", "1", "0")]),
        (
            (RATE, EVENT),
            [
                ("F 14.2.3.1", "response.orr", "orr/-/rate", "Full analysis set", "exact", "1", "2", "3"),
                ("F 14.2.3.1", "safety.events", "any/-/n", "–", "–", "1", "1", "0"),
            ],
        ),
        (("gone/total/x/-/n",), []),
    ],
)
def test_a_row_counts_results_participants_and_records(keys, rows):
    assert list(rows_of(p.figure(keys=keys), store())) == rows


@pytest.mark.rule("CHK-08")
def test_the_keys_of_a_table_are_those_of_header_and_cells_each_once():
    table = p.table(p.rate_row())
    found = keys_of(table)
    assert found[:2] == (p.key("population/-/n", "dl1"), p.key("population/-/n"))
    assert len(found) == len(set(found)) == 2 + 3 + 3
    assert keys_of(p.figure(keys=(RATE, RATE))) == (RATE,)


@pytest.mark.rule("CHK-08")
def test_the_index_is_in_the_order_of_the_shells():
    blocks = [p.figure(id="F 14.2.3.1", keys=(RATE,)), p.figure(id="T 14.2.2.1", keys=(RATE,)),
              p.figure(id="T 14.1.1.1b", keys=(EVENT,)), p.figure(id="T 14.1.1.1", keys=(EVENT,))]  # fmt: skip
    tlfs = {block.id: SimpleNamespace(block=block) for block in blocks}
    made = SimpleNamespace(inputs=SimpleNamespace(store=store()), tlfs=tlfs)
    heading, text, table, back = index(made)
    assert [row.cells[0].text for row in table.rows] == [
        "T 14.1.1.1",
        "T 14.1.1.1b",
        "T 14.2.2.1",
        "F 14.2.3.1",
    ]
    assert heading.title == "Index of results" and "interim trace" in text.spans[0].text
    assert len(table.header[0]) == len(table.rows[0].cells) == 8
    assert [tuple(cell.text for cell in row.cells) for row in back.rows] == [
        ("response.orr", "T 14.2.2.1; F 14.2.3.1"),
        ("safety.events", "T 14.1.1.1; T 14.1.1.1b"),
    ]


@pytest.mark.rule("CHK-08")
def test_an_index_of_nothing_says_so():
    made = SimpleNamespace(inputs=SimpleNamespace(store=store()), tlfs={})
    *_, table = index(made)
    assert [cell.text for cell in table.rows[0].cells] == ["–"] * 8
    assert sample.front().study


@pytest.mark.rule("CHK-08")
def test_every_id_is_found_again_from_question_column_row_and_the_index():
    grades = [f"response.orr/{group}/grade/{level}/n" for group in ("dl1", "total") for level in ("g1", "g2")]
    keys = (RATE, LOWER, *grades)
    (row,) = rows_of(p.figure(keys=keys), store())
    question, ids = row[1], row[2]
    assert ids == "orr/-/rate+lower; grade/*/n"
    made = {
        "/".join((question, group, variable, level, statistic))
        for one in ids.split("; ")
        for variable, star, statistics in [one.split("/")]
        for statistic in statistics.split("+")
        for group in ("dl1", "total")
        for level in (("g1", "g2") if star == "*" else ("-",))
    }
    assert set(keys) <= made


@pytest.mark.rule("CHK-08")
def test_the_parts_of_ids_are_the_same_in_both_languages():
    from interim.display.language import translator

    chinese = translator("zh-CN")
    for ids in ("orr/-/rate+lower; grade/*/n", "bor-unconfirmed/*/n; days/-/q1+median"):
        assert chinese.text(ids).state == "same", ids
    assert chinese.text("new/old words").state == "missing"

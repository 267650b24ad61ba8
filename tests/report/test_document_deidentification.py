"""Document 13: copies, transformations, uniqueness, search for identifiers."""

from __future__ import annotations

import pytest

from interim.analysis.copies import copies
from interim.report.content import Paragraph, Section, Table
from interim.report.documents import deidentification as module
from interim.report.package import Made, plans, put_together
from interim.result import ResultStore
from tests.report.writers_sample import front


@pytest.fixture(scope="module")
def made(hand_inputs) -> Made:
    return Made(hand_inputs, "en", "confidential", {})


def plan():
    return next(one for one in plans() if one.number == "13")


@pytest.fixture(scope="module")
def document(made):
    return put_together(plan(), made, front())


def table(document, name) -> Table:
    return next(one for one in document.tables if one.id == name)


def rows(found: Table) -> list[list[str]]:
    return [[cell.text for cell in row.cells] for row in found.rows]


def said(document) -> str:
    spans = (span.text for block in document.blocks if isinstance(block, Paragraph) for span in block.spans)
    return "".join(spans)


@pytest.mark.rule("PRV-12")
def test_the_statement_is_in_every_package_and_short(document):
    assert (plan().copy, plan().form, plan().needs) == ("confidential", "sheet", {})
    heads = [block.title for block in document.blocks if isinstance(block, Section)]
    assert heads == [
        "What this statement says",
        "What was done",
        "How unique the participants still are",
        "Search for identifiers",
        "Confirmation",
    ]


@pytest.mark.rule("PRV-12")
def test_a_restricted_document_stands_in_the_restricted_copy_only(document):
    held = {row[0]: row[2].split(", ") for row in rows(table(document, "copies"))}
    assert {"03c", "07", "11r"} <= set(held["Restricted copy"])
    assert set(held["Restricted copy"]) - set(held["Confidential copy"]) == {"03c", "07", "11r"}
    assert not {"03c", "07", "11r"} & set(held["Public copy"])


@pytest.mark.rule("PRV-12")
def test_the_table_is_the_list_that_programs_read(document):
    printed = rows(table(document, "transformations"))
    assert [row[0] for row in printed] == [one["id"] for one in copies()["transformation"]]
    assert [row[3] for row in printed] == [", ".join(one["copies"]) for one in copies()["transformation"]]
    assert not any("@" in cell for row in printed for cell in row)


@pytest.mark.rule("PRV-12")
def test_every_number_of_the_uniqueness_is_its_result(document, made):
    found = table(document, "uniqueness")
    store = made.inputs.store
    assert [row[0] for row in rows(found)] == [copy["title"] for copy in copies()["copy"]]
    for row, copy in zip(found.rows, copies()["copy"], strict=True):
        unique = store.find(f"uniqueness.by_copy/total/{copy['id']}/-/unique")
        assert row.cells[2].text.startswith(f"{int(unique['n'])}/{int(unique['N'])} (")
        assert all(cell.keys for cell in row.cells[2:])
        smallest = store.find(f"uniqueness.by_copy/total/{copy['id']}/-/smallest")["value"]
        assert row.cells[3].text == f"{smallest:.0f}"
        assert float(row.cells[4].text) == pytest.approx(1 / smallest, abs=0.005)
        assert row.cells[6].text == "no"


@pytest.mark.rule("PRV-12")
def test_it_claims_no_anonymity(document):
    text = said(document)
    assert "No masking reaches 0.09 with this number of participants" in text
    assert "groups of at least 11 equal participants" in text
    assert "The control is restricted access" in text


@pytest.mark.rule("PRV-12")
def test_a_study_with_enough_equal_participants_is_not_called_hopeless(made, hand_inputs):
    from dataclasses import replace

    from interim.analysis.uniqueness import by_copy

    adam = hand_inputs.adam
    equal = adam["ADSL"].assign(SEX="F", TUMTYPE="CRC", AGE=61.0, COHORT="DL1", SAFNKFL="Y")
    alike = replace(adam, datasets={**adam.datasets, "ADSL": equal})
    assert len(equal) >= 11
    results = {**hand_inputs.store.results, "uniqueness.by_copy": by_copy(alike, hand_inputs.study)}
    other = replace(made, inputs=replace(hand_inputs, store=ResultStore(results)))
    text = said(put_together(plan(), other, front()))
    assert "No masking reaches" not in text
    assert "By the attributes above the public copy reaches 0.09." in text


@pytest.mark.rule("PRV-12")
def test_what_was_not_counted_is_said(made, hand_inputs):
    from dataclasses import replace

    from interim.analysis.uniqueness import by_copy

    adam = hand_inputs.adam
    nobody = replace(adam, datasets={**adam.datasets, "ADSL": adam["ADSL"].assign(SAFNKFL="N")})
    results = {**hand_inputs.store.results, "uniqueness.by_copy": by_copy(nobody, hand_inputs.study)}
    other = replace(made, inputs=replace(hand_inputs, store=ResultStore(results)))
    (found,) = module.uniqueness(other)
    assert [row[2:] for row in rows(found)] == [
        [*["no participant or no attribute"] * 4, "not assessed"] for _ in copies()["copy"]
    ]


@pytest.mark.rule("PRV-12")
def test_the_search_for_identifiers_speaks_for_itself(made):
    (sentence,) = module.identifier_scan(made)  # this package was put together without a search
    assert sentence.spans[0].text == "No search for identifiers was recorded for this package."

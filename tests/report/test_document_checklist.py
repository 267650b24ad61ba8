"""Document 10: items of the guidelines resolved to document, section, page and object."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from interim.errors import ReportError
from interim.report.content import Document, Paragraph, Section, Span
from interim.report.documents.checklist import Resolved, checked, cross_reference, resolve, texts
from interim.report.package import Made, plans, put_together
from interim.report.registry import registry
from interim.report.shells import checklist, read_items
from interim.result import ResultStore, Rows
from tests.report import writers_sample as sample
from tests.report.test_documents import inputs_of

ROW = {
    "guideline": "G 2023",
    "item": "1a",
    "requirement_paraphrased": "says it",
    "type": "new",
    "verification": "checked",
    "relevance_interim": "full",
    "document": "05",
    "section": "2",
    "tlf": "T 14.1.1.1",
    "automated_check": "manual",
}


def item(**changes):
    (made,) = read_items([{**ROW, **changes}], known={"T 14.1.1.1", "L 16.2.9.2", "T 14.9.9.9", "N 14.3.3"})
    return made


def documents() -> dict[str, Document]:
    """Document 05 with sections 1, 2 and 2.1 and a table; document 07 with profiles of two participants."""
    report = Document(
        sample.front(),
        (
            Section(1, "1", "Administrative facts", "s-1"),
            Section(1, "2", "Background", "s-2"),
            Section(2, "2.1", "Ambiguities", "s-2.1"),
            sample.table("T 14.1.1.1"),
            Paragraph((Span("Text."),)),
        ),
    )
    profiles = (sample.table("L 16.2.9.2.1"), sample.table("L 16.2.9.2.2"))
    return {"05": report, "07": Document(sample.front(), profiles)}


PAGES = {"05": {"s-2": 7, documents()["05"].tables[0].anchor: 8}}


@pytest.mark.rule("CHK-04", source="the two documents above, by hand")
@pytest.mark.parametrize(
    ("changes", "places", "objects", "unresolved"),
    [
        ({}, ("05: 2 (p. 7)",), ("T 14.1.1.1 (05 p. 8)",), ()),
        ({"section": "2.1"}, ("05: 2.1",), ("T 14.1.1.1 (05 p. 8)",), ()),
        ({"section": "-", "tlf": "-"}, ("05: whole document",), (), ()),
        ({"section": "background", "tlf": "all"}, ("05: 2 (p. 7)",), ("all",), ()),
        ({"section": "1; 2", "tlf": "-"}, ("05: 1, 2 (p. 7)",), (), ()),
        (
            {"document": "05; 02"},
            ("05: 2 (p. 7)", "02: not in this package"),
            ("T 14.1.1.1 (05 p. 8)",),
            ("document 02",),
        ),
        ({"tlf": "T 14.9.9.9"}, ("05: 2 (p. 7)",), ("T 14.9.9.9 (unresolved)",), ("T 14.9.9.9",)),
        (
            {"document": "07", "section": "all", "tlf": "L 16.2.9.2"},
            ("07: whole document",),
            ("L 16.2.9.2 (07)",),
            (),
        ),
    ],
)
def test_an_item_is_resolved_to_places_pages_and_objects(changes, places, objects, unresolved):
    found = resolve(item(**changes), documents(), PAGES)
    assert found.places == places
    assert found.objects == objects
    assert found.unresolved == unresolved


def store(n: int = 13, *, status: str = "OK") -> ResultStore:
    rows = Rows("escalation_log.conformance", "Replay")
    if status == "OK":
        rows.add("rate", n / 13, n=n, N=13, variable="match")
    else:
        rows.add("rate", None, status=status, reason="no decisions", variable="match")
    return ResultStore({"escalation_log.conformance": rows.build()})


@pytest.mark.rule("CHK-04")
@pytest.mark.parametrize(
    ("check", "unresolved", "seed", "said"),
    [
        ("manual", (), 1, "manual"),
        ("title contains 'dose-escalation' and phase IA", (), 1, "manual"),
        ("denominator linter", (), 1, "pass (LNT-02)"),
        ("flow balance", (), 1, "pass (LNT-04)"),
        ("figure exists", (), 1, "pass"),
        ("figure exists", ("F 14.2.1.1",), 1, "unresolved"),
        ("seed", (), 1, "pass"),
        ("seed", (), None, "manual"),
        ("rule replay match", (), 1, "pass (13/13)"),
    ],
)
def test_a_check_is_done_by_machine_or_called_manual(check, unresolved, seed, said):
    one = Resolved(item(automated_check=check), (), (), unresolved)
    assert checked(one, store(), seed=seed) == said


@pytest.mark.rule("CHK-04", source="by hand: one of thirteen decisions differs")
@pytest.mark.parametrize(
    ("results", "said"),
    [
        (store(12), "differs (12/13)"),
        (store(status="NA"), "manual"),
        (ResultStore({}), "manual"),
    ],
)
def test_a_replay_that_differs_says_its_numbers(results, said):
    assert checked(Resolved(item(automated_check="replay"), (), (), ()), results, seed=1) == said


def made() -> SimpleNamespace:
    study = SimpleNamespace(study=SimpleNamespace(seed=5))
    inputs = SimpleNamespace(store=store(), study=study)
    return SimpleNamespace(inputs=inputs, documents=documents(), pages=PAGES, tlfs={})


@pytest.mark.rule("CHK-04", source="130 items of spec/checklist.csv")
def test_the_document_has_a_row_for_every_item():
    heading, text, table = cross_reference(made())
    assert heading.title == texts()["heading"]
    assert text.spans[0].text == texts()["introduction"]
    assert len(table.rows) == 130
    assert [head.text for head in table.header[0]] == list(texts()["head"])
    flow = next(
        r for r in table.rows if r.cells[0].text == "CONSORT-DEFINE 2023" and r.cells[1].text == "13a.1"
    )
    assert flow.cells[4].text.split("; ")[1] == "T 14.1.1.1 (05 p. 8)"
    assert flow.cells[5].text == "pass (LNT-04)"


def whole(**changes) -> SimpleNamespace:
    """A run that made every document and shows every table, figure and listing."""
    planned = {tlf.id: None for tlf in registry() if tlf.kind != "story"}
    found = {f"{n:02}": documents()["05"] for n in range(1, 15) if n != 10}
    return SimpleNamespace(**{**vars(made()), "documents": found, "tlfs": planned, **changes})


@pytest.mark.rule("CHK-04", source="report-package.md section 14, test 9")
def test_a_whole_package_with_an_unresolved_target_is_refused():
    with pytest.raises(ReportError) as caught:
        list(cross_reference(whole()))
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("items of checklist.csv have no place in the package:")
    assert "CONSORT-DEFINE 2023, item 1a: section 'synopsis'" in lines
    assert "CONSORT-DEFINE 2023, item 2b: section '3', T 14.2.3.8" in lines


@pytest.mark.rule("CHK-09")
@pytest.mark.parametrize("absent", ["01", "13", "T 14.1.1.1", "F 14.2.1.1"])
def test_a_package_that_is_not_whole_says_what_is_not_there(absent):
    run = whole()
    run.documents.pop(absent, None)
    run.tlfs.pop(absent, None)
    assert len(list(cross_reference(run))) == 3


@pytest.mark.rule("CHK-09")
def test_documents_that_are_made_later_are_not_missed():
    found = resolve(item(document="00", section="index", tlf="-"), {}, {})
    assert (found.places, found.unresolved) == (("00: whole document",), ())
    found = resolve(item(document="01", section="-", tlf="-"), {}, {})
    assert found.unresolved == ("document 01",)


@pytest.mark.rule("CHK-09", source="the headings of documents() above, by hand")
@pytest.mark.parametrize(
    ("changes", "unresolved"),
    [
        ({"section": "2"}, ()),
        ({"section": "9"}, ("section '9'",)),
        ({"section": "1; 9; ambiguities"}, ("section '9'",)),
        ({"section": "methods"}, ("section 'methods'",)),
        ({"section": "cover"}, ()),
        ({"document": "05; 07", "section": "1; 07"}, ()),
        ({"document": "05; 07", "section": "1; 16.2.6"}, ("section '16.2.6'",)),
    ],
)
def test_a_section_that_no_document_has_is_unresolved(changes, unresolved):
    assert resolve(item(tlf="-", **changes), documents(), PAGES).unresolved == unresolved


@pytest.mark.rule("CHK-09")
def test_another_heading_may_stand_for_a_section_in_one_document_only():
    committee = Document(sample.front(), (Section(1, "1", "Dose finding", "s-1"),))
    other = item(document="03", section="8", tlf="-")
    assert resolve(other, {"03": committee}, {}).places == ("03: 1",)
    assert resolve(item(document="05", section="8", tlf="-"), {"05": committee}, {}).unresolved == (
        "section '8'",
    )


@pytest.mark.rule("CHK-09")
def test_a_document_that_says_why_it_does_not_apply_answers_its_items():
    title = sample.front().title
    empty = Document(sample.front(), (Section(1, "1", title, "s-1"), Paragraph((Span("No amendment."),))))
    one = item(document="02", section="change table", tlf="-")
    found = resolve(one, {"02": empty}, {})
    assert (found.places, found.unresolved) == (("02: whole document",), ())
    other = Document(sample.front(), (Section(1, "1", title, "s-1"), Section(1, "2", "Versions", "s-2")))
    assert resolve(one, {"02": other}, {}).unresolved == ("section 'change table'",)


@pytest.mark.rule("CHK-09")
def test_the_items_resolve_for_a_study_without_dose_levels(studies_without_doses):
    found = {
        plan.number: put_together(plan, studies_without_doses, sample.front())
        for plan in plans()
        if plan.number in ("01", "02", "08", "11", "12", "13", "14")
    }
    lost = {}
    for one in checklist():
        if set(one.documents) <= set(found):
            missing = [name for name in resolve(one, found, {}).unresolved if name.startswith("section")]
            lost |= {(one.guideline, one.item): missing} if missing else {}
    assert {name for missing in lost.values() for name in missing} <= {
        "section '3'"
    }  # of document 08: made by a notebook


@pytest.fixture(scope="module")
def studies_without_doses(tmp_path_factory):
    return Made(
        inputs_of("arms", tmp_path_factory.mktemp("arms")),
        "en",
        "confidential",
        {},
        {"documents/06_appendix.en.pdf": "0" * 64},
    )


@pytest.mark.rule("CHK-09")
def test_an_object_that_only_two_runs_have_says_where_it_is():
    (one,) = read_items([{**ROW, "section": "-", "tlf": "T 14.6.6"}], known={"T 14.6.6"})
    found = resolve(one, documents(), PAGES)
    assert found.objects == ("T 14.6.6 (interim compare: two runs)",)
    assert found.unresolved == ()
    shown = Document(sample.front(), (Section(1, "1", "Changes", "s-1"), sample.table("T 14.6.6")))
    assert resolve(one, {"05": shown}, {}).objects == ("T 14.6.6 (05)",)


@pytest.mark.rule("CHK-09")
def test_every_other_name_of_a_section_is_used_by_the_register():
    named = {name for one in checklist() for name in one.sections}
    assert {name.rpartition(": ")[2] for name in texts()["sections"]} <= named
    assert {name for name in texts()["whole_documents"]} - {"-"} <= named


@pytest.mark.rule("CHK-04")
def test_every_machine_check_is_one_of_the_register():
    known = {one.check for one in checklist()}
    assert set(texts()["checks"]) <= known
    assert {rule["by"] for rule in texts()["checks"].values()} == {"linter", "resolved", "agree", "seed"}


@pytest.mark.rule("CHK-04")
@pytest.mark.parametrize(
    ("title", "said"), [("Narratives", "N 14.3.3 (07)"), ("Profiles", "N 14.3.3 (unresolved)")]
)
def test_narratives_stand_where_a_heading_says_so(title, said):
    binder = Document(sample.front(), (Section(1, "1", title, "s-1"), Paragraph((Span("Course."),))))
    found = resolve(item(document="07", section="-", tlf="N 14.3.3"), {"07": binder}, {})
    assert found.objects == (said,)

"""The documents of the public copy: what they name, what they mark, and what is in none of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from interim.analysis.copies import copies
from interim.errors import ReportError
from interim.report import chapter
from interim.report.content import (
    Cell,
    Document,
    Figure,
    HeaderCell,
    ListBlock,
    Paragraph,
    Row,
    Section,
    Span,
    Table,
)
from interim.report.editions import write_package
from interim.report.manifest import write_manifest
from interim.report.package import Made, plans, put_together
from interim.report.parts import applies
from interim.report.privacy.public_copy import COUNTS, PublicCopy, check_earlier, refuse_tokens, write_counts
from interim.report.privacy.small_cells import DASH
from interim.report.registry import registry
from interim.report.shells import shell_of, shells
from interim.result import ResultStore
from tests.report import writers_sample as sample

RULES = copies()["public"]


@pytest.fixture(scope="module")
def public(hand_inputs) -> PublicCopy:
    return PublicCopy(hand_inputs.store, hand_inputs.study)


def key(public: PublicCopy, small: bool) -> str:
    """A count of a public question that is marked as small, or one that is printed."""
    hidden = public.hidden
    for name, unit in hidden.units.items():
        if unit.group == "total" and unit.variable != "population" and name.endswith("/n"):
            mark = hidden.mark([name])
            if mark == ("<3" if small else "") and public.store.find(name)["n"] > 0:
                return name
    raise AssertionError(small)


def document(*blocks, language="en") -> Document:
    return Document(replace(sample.front(), language=language), (Section(1, "1", "Results", "s-1"), *blocks))


def said(*spans) -> Paragraph:
    return Paragraph(tuple(spans))


def texts(found: Document) -> str:
    return " ".join(found.texts())


def table(tlf_id, cells, **more) -> Table:
    side = ("left",) * len(cells)
    made = Table(
        tlf_id,
        f"Table {tlf_id[2:]}",
        "t",
        "Title",
        "",
        (tuple(HeaderCell(f"C{n}") for n in range(len(cells))),),
        (Row("data", 0, tuple(cells)),),
        side,
        (1.0,) * len(cells),
        "portrait",
        (),
        (),
    )
    return replace(made, **more)


@pytest.mark.rule("PRV-17")
def test_the_list_names_objects_and_documents_that_exist():
    known = {tlf.id: tlf for tlf in registry()}
    named = [*RULES["masked"], *RULES["shown"], *(one["tlf"] for one in RULES["anonymous"])]
    assert len(named) == len(set(named))
    assert set(named) <= set(known)
    assert {known[one].kind for one in RULES["masked"]} == {"table"}
    by_number = {plan.number: plan for plan in plans()}
    assert all(by_number[number].copy == "confidential" for number in RULES["documents"])
    assert not {"02", "03", "08", "09", "11"} & set(RULES["documents"])
    assert set(RULES["words"]) == {"en", "zh-CN"}
    assert RULES["words"]["en"].keys() == RULES["words"]["zh-CN"].keys()
    # shown as they are: simulations, literature, plan
    assert {shells()[shell_of(one)].population for one in RULES["shown"]} <= {
        ("sim",),
        ("external",),
        ("n/a",),
    }


@pytest.mark.rule("PRV-20")
def test_a_number_of_a_sentence_is_printed_marked_or_withheld(public, hand_inputs):
    store = hand_inputs.store
    small, large = (key(public, small) for small in (True, False))
    foreign = next(k for k in store["disposition.participant_flow"].frame["result_id"])
    own = next(k for k in store["parameters.stated"].frame["result_id"])
    spans = [
        Span("first "),
        Span("77", key=small),
        Span(" 88 ", key=large),
        Span("99", key=foreign),
        Span(" 66", key=own),
    ]
    found = public.document(document(said(*spans), ListBlock(False, 1, ((said(Span("55", key=small)),),))))
    printed = texts(found)
    assert printed.endswith("first  [–]  88  [–]  66 [–]")
    keys = [
        span.key for block in found.blocks if isinstance(block, Paragraph) for span in block.spans if span.key
    ]
    assert keys == [large, own]


@pytest.mark.rule("PRV-23")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_sentence_of_gaps_is_left_out_and_the_reader_is_told_why(public, hand_inputs, language):
    small, large = (key(public, small) for small in (True, False))
    kept = said(Span("kept "), Span("88", key=large))
    gaps = said(Span("lost "), Span("77", key=small), Span(" of "), Span("66", key=small))
    found = public.document(document(kept, gaps, gaps, language=language))
    lines = ["".join(s.text for s in b.spans) for b in found.blocks if isinstance(b, Paragraph)]
    words = RULES["words"][language]
    limit = str(hand_inputs.study.privacy.small_cell_min)
    assert lines == [
        words["legend"].format(limit=limit),
        "kept 88",
        words["withheld"].format(names=words["sentence"]),
    ]
    assert limit in lines[0] and isinstance(found.blocks[0], Section)


@pytest.mark.rule("PRV-23")
def test_a_part_for_what_is_withheld_stands_in_place_of_the_one_for_what_is_printed(public, hand_inputs):
    def parts(name, copy):
        made = Made(hand_inputs, "en", "confidential", {}, public=copy)
        return [kind for kind in ("printed", "hidden") if applies({kind: name}, made)]

    small, large = (key(public, small).replace("/-/", "//") for small in (True, False))
    assert parts(small, public) == ["hidden"]
    assert parts(large, public) == ["printed"]
    assert parts(small, None) == ["printed"]
    assert parts("made.up/Total/absent//n", public) == ["printed"]


@pytest.mark.rule("PRV-23")
def test_the_lay_summary_has_no_gap_in_any_sentence(public, hand_inputs):
    (plan,) = [plan for plan in plans() if plan.number == "04"]
    made = Made(hand_inputs, "en", "public", {}, public=public)
    whole = put_together(plan, made, sample.front())
    told = texts(public.document(whole))
    assert told.count(f"[{DASH}]") == 1  # where its meaning is said
    assert "not told in this public copy" in told
    assert f"to below {hand_inputs.study.privacy.small_cell_min}" in told


@pytest.mark.rule("PRV-23")
def test_a_number_is_printed_under_another_name_only_if_it_is_the_same(public, hand_inputs):
    (pair,) = RULES["same"]
    own, other = (one.lower().replace("//", "/-/") for one in (pair["result"], pair["printed"]))
    assert public.mark([own]) == public.mark([other]) == ""
    sets = hand_inputs.store["disposition.analysis_sets"]
    frame = sets.frame.copy()
    frame.loc[frame["result_id"] == own, "value"] -= 1
    changed = ResultStore({**hand_inputs.store.results, sets.analysis_id: replace(sets, frame=frame)})
    assert PublicCopy(changed, hand_inputs.study).mark([own]) == DASH


@pytest.mark.rule("PRV-20")
def test_a_cell_keeps_neither_number_nor_key(public, hand_inputs):
    small, large = (key(public, small) for small in (True, False))
    cells = [Cell("Stub 3"), Cell("2 (13.3%)", (small,)), Cell("9 (60.0%)", (large,)), Cell("7", ())]
    (made,) = public.document(document(table("T 14.1.3.2", cells))).tables
    # a number that names no result is hidden
    assert [cell.text for cell in made.rows[0].cells] == ["Stub 3", "<3", "9 (60.0%)", DASH]
    assert all(small not in cell.keys for cell in made.rows[0].cells)
    assert (
        made.footnotes[-1]
        == "SM: cell suppressed (n<3) in the public copy; a dash stands for what would give it away."
    )


@pytest.mark.rule("PRV-20")
def test_columns_in_which_nothing_is_left_go_with_their_part_of_the_header(public, hand_inputs):
    large = key(public, False)
    gone = next(
        k for k, unit in public.hidden.units.items() if unit in public.hidden.others and unit.group == "dl1"
    )
    header = (
        (HeaderCell(" "), HeaderCell("DL1\nN=1", 2, (gone,)), HeaderCell("Total", 2)),
        tuple(map(HeaderCell, "sabcd")),
    )
    cells = [Cell("x"), Cell("1", (gone,)), Cell("1", (gone,)), Cell("9", (large,)), Cell("2", (gone,))]
    whole = table("T 14.3.1.2", cells, header=header)
    (made,) = public.document(document(whole)).tables
    assert [[(cell.text, cell.span) for cell in row] for row in made.header] == [
        [(" ", 1), ("Total", 1)],
        [("s", 1), ("c", 1)],
    ]
    assert [cell.text for cell in made.rows[0].cells] == ["x", "9"]
    assert (len(made.align), len(made.widths)) == (2, 2)


@pytest.mark.rule("PRV-20")
def test_the_number_of_events_is_left_out(public, hand_inputs):
    store = hand_inputs.store
    frame = store["safety.teae_summary"].frame
    pairs = {k.rpartition("/")[0] for k in frame["result_id"] if k.endswith("/events") and "/total/" in k}
    name = next(k for k in sorted(pairs) if not public.mark([f"{k}/n"]) and store.find(f"{k}/n")["n"] > 0)
    cell = Cell("9 (60.0%) [12]", (f"{name}/n", f"{name}/events"))
    (made,) = public.document(document(table("T 14.3.1.1", [Cell("x"), cell]))).tables
    assert made.rows[0].cells[1] == Cell("9 (60.0%)", (f"{name}/n",))


@pytest.mark.rule("PRV-18")
def test_a_pooled_type_is_not_called_nobody(public):
    types = {k: u for k, u in public.hidden.units.items() if u.variable == "tumtype" and u.group == "total"}
    nobody = [k for k in types if k.endswith("/n") and public.store.find(k)["value"] == 0]
    somebody = [k for k in types if k.endswith("/n") and public.store.find(k)["value"] > 0]
    assert somebody
    assert {public.mark([k]) for k in nobody} <= {DASH}
    cells = [Cell("x"), Cell("0", (somebody[0],)), Cell("7", ())]
    (made,) = public.document(document(table("T 14.1.3.2", cells))).tables
    assert made.footnotes[-1].startswith("Tumour types with fewer than 3 participants are counted as other")


@pytest.mark.rule("PRV-17")
@pytest.mark.parametrize(
    ("tlf", "shown"),
    [
        ("T 14.1.1.1", False),
        ("T 14.2.4.2", False),
        ("L 16.2.7.1", False),
        ("T 14.2.1.3", False),
        ("T 14.5.5", True),
    ],
)
def test_an_object_that_is_not_listed_is_named_and_not_shown(public, tlf, shown):
    found = public.document(document(table(tlf, [Cell("x"), Cell("7")])))
    assert bool(found.tables) is shown
    if not shown:
        assert texts(found).endswith(f"Withheld from the public copy: Table {tlf[2:]}.")
        assert "7" not in "".join(found.texts()).replace(tlf[2:], "").replace("1Results", "")


@pytest.mark.rule("PRV-17")
def test_what_is_withheld_side_by_side_is_named_in_one_line(public):
    blocks = [table(tlf, [Cell("x"), Cell("7")]) for tlf in ("T 14.1.1.1", "T 14.1.1.2")]
    found = public.document(document(*blocks, said(Span("Text."))))
    lines = ["".join(s.text for s in b.spans) for b in found.blocks if isinstance(b, Paragraph)]
    assert lines[1:] == ["Withheld from the public copy: Table 14.1.1.1, Table 14.1.1.2.", "Text."]


@pytest.mark.rule("PRV-17")
def test_the_words_are_those_of_the_edition(public):
    found = public.document(document(table("T 14.1.1.1", [Cell("x"), Cell("7")]), language="zh-CN"))
    assert "公开版中不予提供" in texts(found)
    assert found.front.labels[-1] == RULES["words"]["zh-CN"]["label"]


def icon(keys) -> Figure:
    base = sample.figure()
    return replace(base, id="icons-x", label="", anchor="icons-x", keys=tuple(keys))


@pytest.mark.rule("PRV-20")
def test_an_icon_array_shows_no_small_count(public, hand_inputs):
    small, large = (key(public, small) for small in (True, False))
    assert public.document(document(icon([large]))).figures
    found = public.document(document(icon([small])))
    assert not found.figures
    assert "Withheld from the public copy: an icon array." in texts(found)


@pytest.mark.rule("PRV-19")
def test_a_figure_with_participants_has_no_keys_and_no_reading(public):
    base = replace(
        sample.figure(), id="F 14.2.2.3", keys=("response.swimmer/total/course/1/end",), footnotes=("n=3",)
    )
    (made,) = public.document(document(base)).figures
    assert made.keys == () and len(made.footnotes) == 1
    assert "one mark for each participant" in made.footnotes[0]
    assert "without pseudo-id, dose, tumour type" in made.alt
    assert not any(sign.isdigit() for sign in made.alt.replace(base.title, ""))


@pytest.mark.rule("PRV-19")
@pytest.mark.parametrize("where", ["text", "alt", "svg", "key", "detail"])
def test_a_pseudo_id_anywhere_refuses_the_document(where):
    token = "P-0J7GA7"
    figure = sample.figure()
    blocks = {
        "text": document(said(Span(f"see {token}"))),
        "alt": document(replace(figure, alt=f"bar of {token}")),
        "svg": document(replace(figure, svg=f"<svg><text>{token}</text></svg>")),
        "key": document(said(Span("5", key="response.best_change/dl1/best_change/p-0j7ga7/pchg"))),
    }
    blocks["detail"] = replace(document(), front=replace(sample.front(), details=(("Lot", "B-0J7GA7"),)))
    with pytest.raises(ReportError, match="the public copy would name"):
        refuse_tokens(blocks[where])
    refuse_tokens(document(said(Span("NK-P-2 and P-value"))))


@pytest.mark.rule("PRV-22")
def test_a_copy_that_differs_by_few_from_an_earlier_one_is_refused(public, hand_inputs, tmp_path):
    large = key(public, False)
    public.printed.clear()
    public.document(document(said(Span("9", key=large))))
    counts = dict(public.printed)
    assert counts
    name = next(iter(counts))
    for cut, change in (("2026-01-01", 5), ("2026-03-31", 2)):
        file = write_counts(replace(public, printed={**counts, name: counts[name] - change}), tmp_path / cut)
        assert json.loads(file.read_text(encoding="utf-8"))[name] == counts[name] - change
    with pytest.raises(
        ReportError, match="1 counts differ from an earlier public copy by fewer than 3"
    ) as caught:
        check_earlier(public, tmp_path, before="2026-06-30")
    assert "PRV-DIFF 2026-03-31" in str(caught.value)
    assert name in str(caught.value)
    check_earlier(public, tmp_path, before="2026-03-31")
    check_earlier(public, tmp_path / "nowhere", before="2026-06-30")
    assert COUNTS == "data/printed_counts.json"


@pytest.mark.rule("PRV-17")
def test_only_the_documents_of_the_list_are_written(hand_inputs, tmp_path):
    store, study = hand_inputs.store, hand_inputs.study
    public = PublicCopy(store, study)
    made = Made(hand_inputs, "en", "public", {}, public=public)
    write_package(
        tmp_path / "documents",
        made,
        front=sample.front(),
        languages=("en",),
        workers=1,
        say=lambda line: None,
    )
    numbers = {path.name.partition("_")[0] for path in (tmp_path / "documents").iterdir()}
    assert numbers <= set(RULES["documents"])
    assert {"01", "04", "13", "14"} <= numbers
    whole = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "documents").glob("*.html"))
    small = public.hidden.small | public.hidden.others
    keys = {k for k, unit in public.hidden.units.items() if unit in small}
    import re

    printed = {k for group in re.findall(r'data-key="([^"]*)"', whole) for k in group.split()}
    assert printed and not printed & keys
    single = {
        name.lower().replace("//", "/-/")
        for name in (*RULES["said"], *(one["result"] for one in RULES["same"]))
    }
    foreign = {
        k.split("/", 1)[0] for k in printed - {name.replace("_millions", "-millions") for name in single}
    }
    analyses = {tlf.analysis for tlf in registry() if tlf.id in (*RULES["masked"], *RULES["shown"])}
    assert foreign <= analyses | set(RULES["said"])


@pytest.mark.rule("PRV-17")
def test_the_manifest_of_a_public_copy_states_hashes_only(hand_inputs, tmp_path):
    key = {"data": None, "code": "c", "notebooks": {}, "lock": "l"}
    public = json.loads(
        write_manifest(tmp_path, hand_inputs, key=key, languages=["en"], public=True).read_text()
    )
    assert (public["inputs"]["files"], public["parameters"]["values"]) == ([], {})
    assert public["parameters"]["sha256"] == hand_inputs.study.digest()
    whole = json.loads(write_manifest(tmp_path, hand_inputs, key=key, languages=["en"]).read_text())
    assert whole["inputs"]["files"] and whole["parameters"]["values"]


@pytest.mark.rule("PRV-17")
def test_a_notebook_alone_makes_no_public_copy(tmp_path):
    from tests.report import handmade

    study = handmade.write_study(tmp_path / "params")
    with pytest.raises(ReportError, match="interim run STUDY -p copy=public"):
        chapter.open_chapter(study=str(study), copy="public")
    with pytest.raises(ReportError, match="permitted: confidential, public"):
        chapter.open_chapter(study=str(study), copy="secret")


@pytest.mark.rule("PRV-17")
def test_a_public_copy_is_verified_by_its_files(hand_inputs, tmp_path):
    from interim.report.freshness import lock_hash
    from interim.report.verify import verify

    (tmp_path / "documents").mkdir()
    page = tmp_path / "documents" / "01_synopsis.en.html"
    page.write_text("<p>counts</p>", encoding="utf-8")
    key = {"data": None, "code": "c", "notebooks": {"01_a.ipynb": "h"}, "lock": lock_hash()}
    write_manifest(tmp_path, hand_inputs, key=key, languages=["en"], public=True)
    rules = {check.rule: check.status for check in verify(tmp_path)}
    assert (rules["seal"], rules["files"]) == ("ok", "ok")
    assert not {"complete", "links"} & set(rules)
    page.write_text("<p>other counts</p>", encoding="utf-8")
    assert "wrong" in {check.status for check in verify(tmp_path) if check.rule == "files"}

"""The written documents of the package, on the hand-made study and on studies that lack most of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from interim.display.language import translator
from interim.errors import ReportError
from interim.report import chapter as c
from interim.report import editions
from interim.report.content import Document, Figure, ListBlock, Paragraph, Section, Table, block_texts
from interim.report.documents import consent_insert, data_quality, registry_update
from interim.report.html import html_text
from interim.report.lint.model import Checked
from interim.report.lint.run import LINTERS, lint
from interim.report.package import Made, asked, plans, put_together
from interim.report.shells import shells
from interim.study import read_study
from tests.report import handmade
from tests.report.test_chapter_other_studies import ARM_TABLE, participants_only, with_arms
from tests.report.writers_sample import front

WRITTEN = ("00", "01", "02", "04", "05", "08", "11", "11r", "12", "13", "14")
STUDIES = {
    "arms": (ARM_TABLE, with_arms),
    "participants only": ("", participants_only),
}
FORBIDDEN = re.compile(
    r"\b(predictors?|significant(ly)?|safe(ly)?|effective(ly)?|promising)\b", re.IGNORECASE
)
LOST = re.compile(r"\b(?:nan|NaN|<NA>|None|NaT)\b|[{}@]")


def inputs_of(name: str, folder):
    """The inputs of one of the studies, all questions answered."""
    more, datasets = STUDIES[name]
    file = handmade.write_study(folder / "params")
    file.write_text(file.read_text(encoding="utf-8") + more, encoding="utf-8")
    study = read_study(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(c, "answers", lambda adam, study, sdtm: None)
        plain = handmade.open_inputs(study)
    kept = datasets(plain)
    gone = {each: "not delivered" for each in plain.adam.datasets if each not in kept}
    adam = replace(plain.adam, datasets=kept, missing={**plain.adam.missing, **gone})
    return replace(plain, adam=adam, store=c.answers(adam, study, plain.sdtm))


@pytest.fixture(scope="module")
def studies(tmp_path_factory, hand_inputs):
    """A function that gives the inputs of a study, answered once."""
    known = {"hand-made": hand_inputs}

    def inputs(name: str):
        if name not in known:
            known[name] = inputs_of(name, tmp_path_factory.mktemp("documents"))
        return known[name]

    return inputs


@pytest.fixture(scope="module", params=["hand-made", *STUDIES])
def made(request, studies) -> Made:
    """What is at hand for each study; no notebook was run."""
    outputs = {"documents/06_appendix.en.pdf": "0" * 64}
    return Made(studies(request.param), "en", "confidential", {}, outputs)


@pytest.fixture(scope="module")
def hand(hand_inputs) -> Made:
    return Made(hand_inputs, "en", "confidential", {})


def plan(number: str):
    return next(p for p in plans() if p.number == number)


def document(number: str, made: Made) -> Document:
    return put_together(plan(number), made, front())


def text(found: Document) -> str:
    """All texts of a document; a paragraph is one line."""
    return "\n".join(line for block in found.blocks for line in _lines(block))


def _lines(block):
    if isinstance(block, Paragraph):
        return ["".join(block_texts(block))]
    if isinstance(block, ListBlock):
        return [line for item in block.items for part in item for line in _lines(part)]
    return list(block_texts(block))


def quoted(found: Document) -> dict[str, set[str]]:
    """Result id -> the counts with which it is printed; a pair of references to one result is one count."""
    pairs: dict[str, set[str]] = {}
    for block in found.blocks:
        for keys, words in _spoken(block):
            for key in keys:
                pairs.setdefault(key, set()).update(words)
    return pairs


def _spoken(block):
    """Yield result ids with the counts beside them."""
    if isinstance(block, Paragraph):
        yield from _spans(block.spans)
    elif isinstance(block, ListBlock):
        for item in block.items:
            for part in item:
                yield from _spoken(part)
    elif isinstance(block, Table):
        for row in block.rows:
            for cell in row.cells:
                counts = re.findall(r"(\d+)(?:/| of )(\d+)", cell.text)
                if len(counts) == 1:
                    yield [k for k in cell.keys if k.endswith(("/n", "/rate"))], {"/".join(counts[0])}


def _spans(spans):
    for place, span in enumerate(spans):
        if span.key and re.match(r"\d+/\d+", span.text):
            yield [span.key], {span.text.split(" ")[0]}
        elif place + 2 < len(spans) and spans[place + 2].key == span.key and spans[place + 1].text == " of ":
            yield [span.key], {f"{span.text}/{spans[place + 2].text}"}


@pytest.mark.rule("PKG-05")
@pytest.mark.parametrize("number", WRITTEN)
def test_every_document_is_made_for_every_study_and_says_whole_words(made, number):
    found = document(number, made)
    told = text(found)
    assert not LOST.search(told), LOST.search(told)
    prose = "\n".join(
        line for b in found.blocks if getattr(b, "id", "") != "parameters" for line in _lines(b)
    )
    assert not FORBIDDEN.search(prose), FORBIDDEN.search(prose)
    assert isinstance(found.blocks[0], Section)
    assert html_text(found).count("<h1") == 1


@pytest.mark.rule("PKG-05")
def test_a_document_that_makes_no_sense_says_so(studies):
    arms = Made(studies("arms"), "en", "confidential", {})
    found = document("02", arms)
    assert len(found.blocks) == 2
    assert "no amendment is proposed" in text(found)
    assert "Early-phase trial" not in text(document("01", arms))
    assert "no start of Phase IB is asked for" in text(document("00", arms))


@pytest.mark.rule("PKG-05", source="spec/report-package.md section 6")
def test_no_linter_stops_the_written_documents(hand):
    documents = {f"{number}.en": document(number, hand) for number in WRITTEN}
    planned = frozenset(shells())
    checked = Checked(documents, hand.inputs.store, hand.inputs.study, (), planned, known=planned)
    names = [name for name in LINTERS if name not in ("base", "flow", "order")]
    assert [str(one) for one in lint(checked, linters=names) if one.severity == "stop"] == []


@pytest.mark.rule("PKG-06", source="spec/report-package.md section 14, test 3")
def test_synopsis_lay_summary_insert_and_letter_quote_the_same_counts(hand):
    seen: dict[str, dict[str, set[str]]] = {}
    for number in ("00", "01", "02", "04", "11"):
        for key, counts in quoted(document(number, hand)).items():
            for count in counts:
                seen.setdefault(key, {}).setdefault(count, set()).add(number)
    assert {key: counts for key, counts in seen.items() if len(counts) > 1} == {}
    for key in (
        "safety_period.deaths/total/all/-/n",
        "safety.teae_summary/total/serious_related/-/n",
        "escalation.dlt_by_dose/total/dlt/-/rate",
        "response.best_response/total/orr/-/rate",
    ):
        (documents,) = seen[key].values()
        assert documents >= {"01", "02", "04"}, key


@pytest.mark.rule("PKG-06")
def test_every_count_is_that_of_its_result(hand):
    store = hand.inputs.store
    checked = 0
    for number in ("01", "02", "04", "11"):
        for key, counts in quoted(document(number, hand)).items():
            row = store.find(key)
            assert counts == {f"{int(row['n'])}/{int(row['N'])}"}, key
            checked += 1
    assert checked > 20


@pytest.mark.rule("PKG-07", source="spec/report-package.md section 2, document 01")
def test_the_decision_box_holds_the_facts_that_the_committee_needs(hand):
    box = next(b for b in document("01", hand).blocks if b.kind == "table" and b.id == "box-decision")
    facts = {row.cells[0].text: row.cells[1].text for row in box.rows}
    store, study = hand.inputs.store, hand.inputs.study
    assert facts["Data cut-off"] == "2026-06-30"
    assert facts["Rule of the cut-off"] == "written by hand"
    labels = [label for code, label in study.cohorts().items() if code != "NK only"]
    for label in labels:
        row = store.find(f"escalation.dlt_by_dose/{label.split()[0].lower()}/dlt/-/rate")
        shown = facts[f"Dose-limiting toxicity among the evaluable, {label}"]
        assert shown.split(",")[0] == (f"{row['n']}/{row['N']}" if row["status"] == "OK" else "not estimable")
    deaths = store.find("safety_period.deaths/total/all/-/n")
    assert facts["Deaths from any cause, safety set"] == f"{deaths['n']}/{deaths['N']}"
    assert facts["Highest dose reached"] in labels
    assert facts["Cohorts asked for Phase IB"] == "not available: the study names no cohorts of Phase IB"
    assert {"What ended Phase IA", "Objective response by the primary definition"} < set(facts)


@pytest.mark.rule("PKG-07")
def test_no_field_of_the_synopsis_is_empty(made):
    table = next(b for b in document("01", made).blocks if b.kind == "table" and b.id == "synopsis")
    assert len(table.rows) >= 20
    assert all(cell.text.strip() for row in table.rows for cell in row.cells)


@pytest.mark.rule("LAY-01", source="spec/report-package.md section 10")
def test_the_lay_summary_has_harms_before_the_cancer_and_what_is_unknown_before_what_changes(made):
    titles = [s.title for s in document("04", made).sections]
    assert titles == [
        "What was tried",
        "What happened: harms",
        "What happened: the cancer",
        "What is not known",
        "What changes",
    ]


@pytest.mark.rule("LAY-02", source="spec/report-package.md section 10")
def test_the_lay_summary_has_no_rate_without_counts_and_no_comparison_of_risks(made):
    told = text(document("04", made))
    assert "%" not in told and "per cent" not in told
    assert not re.search(
        r"\b(times|twice|half|double) (as|the|more|less)\b|\brisk ratio\b|\brelative\b", told
    )


def syllables(word: str) -> int:
    groups = re.findall(r"[aeiouy]+", word.lower())
    silent = word.lower().endswith("e") and not word.lower().endswith("le") and len(groups) > 1
    return max(1, len(groups) - silent)


@pytest.mark.rule(
    "LAY-03", source="Kincaid 1975: grade = 0.39 words per sentence + 11.8 syllables per word - 15.59"
)
def test_a_reader_of_twelve_can_read_the_lay_summary(hand):
    blocks = [b for b in document("04", hand).blocks if isinstance(b, (Paragraph, ListBlock))]
    told = " ".join("".join(block_texts(b)) for b in blocks if getattr(b, "style", "") != "box")
    sentences = [s for s in re.split(r"[.:!?](?:\s|$)", told) if s.strip()]
    words = re.findall(r"[A-Za-z']+", told)
    assert len(words) > 150
    grade = 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
    assert grade <= 7


@pytest.mark.rule("LAY-04")
def test_each_icon_array_shows_the_counts_of_its_sentence(hand):
    found = document("04", hand).blocks
    pictures = [place for place, block in enumerate(found) if isinstance(block, Figure)]
    assert len(pictures) >= 5
    for place in pictures:
        picture, said = found[place], found[place - 1]
        (key,) = picture.keys
        row = hand.inputs.store.find(key)
        assert {span.key for span in said.spans if span.key} == {key}
        assert f"{row['n']} of {row['N']} icons are filled" in picture.alt
        assert picture.alt.startswith("".join(span.text for span in said.spans))


@pytest.mark.rule("PKG-08", source="spec/report-package.md section 2, document 11")
def test_the_insert_counts_who_is_asked_again_and_the_restricted_annex_names_them(hand):
    insert, annex = document("11", hand), document("11r", hand)
    ids = set(hand.inputs.adam["ADSL"]["USUBJID"])
    assert not any(one in text(insert) for one in ids)
    named = [row.cells[0].text for row in annex.tables[0].rows]
    row = hand.inputs.store.find("disposition.participant_flow/total/status/ongoing/n")
    assert len(named) == int(row["n"]) and set(named) <= ids
    assert f"Participants in treatment or follow-up: {int(row['n'])}." in text(insert)
    assert plan("11r").copy == "restricted" and plan("11").copy == "confidential"


@pytest.mark.rule("PKG-08")
def test_the_insert_shows_each_effect_by_grade_and_the_grades_add_up(hand):
    effects = next(b for b in document("11", hand).blocks if b.kind == "table" and b.id == "effects")
    assert [cell.text for cell in effects.header[0]][:2] == ["Effect", "Any grade"]
    before = None
    for row in effects.rows:
        counts = [int(cell.text.split(" of ")[0]) for cell in row.cells[1:]]
        assert counts[0] == sum(counts[1:]), row.cells[0].text
        assert counts[0] >= 2 or sum(counts[3:6]) >= 1
        assert before is None or counts[0] <= before
        before = counts[0]


@pytest.mark.rule("PKG-09", source="spec/report-package.md section 2, document 12")
def test_the_registry_draft_is_json_whose_values_come_from_results_and_await_a_person(made, tmp_path):
    path = editions._data(plan("12"), made, tmp_path)
    assert path.name == "12_registry_update.json"
    draft = json.loads(path.read_text(encoding="utf-8"))
    assert draft["study"] == "HAND" and draft["parameters"] == made.inputs.study.digest()
    assert draft["status"].startswith("draft")
    known = set(made.inputs.store.frame()["result_id"])
    for field in draft["fields"]:
        assert set(field) == {"clinicaltrials_gov", "chictr", "proposed", "results", "confirmed_by"}
        assert field["confirmed_by"] == "" and field["proposed"]
        assert set(field["results"]) <= known
        assert field["results"] or not re.search(r"\d", field["proposed"])
    sheet = document("12", made).tables[0]
    assert [row.cells[2].text for row in sheet.rows] == [field["proposed"] for field in draft["fields"]]
    assert not [field["proposed"] for field in draft["fields"] if "_" in field["proposed"]], "words, no codes"


@pytest.mark.rule("PKG-09")
def test_each_cohort_of_phase_ib_is_an_arm_and_the_size_follows(hand_inputs, tmp_path):
    table = """
[[expansion.type]]
id = "crc"
label = "Colorectal cancer"
values = ["CRC"]
p0 = 0.05
p1 = 0.25
p0_source = "made for the test"
p1_source = "made for the test"

[[expansion.type]]
id = "gastric"
label = "Gastric cancer"
values = ["GASTRIC"]
p0 = 0.05
p1 = 0.25
p0_source = "made for the test"
p1_source = "made for the test"
"""
    file = handmade.write_study(tmp_path / "params")
    file.write_text(file.read_text(encoding="utf-8") + table, encoding="utf-8")
    study = read_study(file)
    asked = c._answer("synopsis.asked", hand_inputs.adam, study, hand_inputs.sdtm)
    store = type(hand_inputs.store)({**hand_inputs.store.results, "synopsis.asked": asked})
    made = Made(replace(hand_inputs, study=study, store=store), "en", "confidential", {})
    fields = registry_update.record(made)["fields"]
    arms = [f["proposed"] for f in fields if f["clinicaltrials_gov"].endswith("armGroups.label")]
    assert arms == ["Phase IB: Colorectal cancer", "Phase IB: Gastric cancer"]
    enrolled = int(hand_inputs.store.find("disposition.participant_flow/total/enrolled/-/n")["n"])
    (size,) = [f["proposed"] for f in fields if "(anticipated)" in f["clinicaltrials_gov"]]
    assert size.startswith(f"At most {enrolled + 2 * 18}:")
    box = next(b for b in document("01", made).blocks if b.kind == "table" and b.id == "box-decision")
    facts = {row.cells[0].text: row.cells[1].text for row in box.rows}
    assert facts["Cohorts asked for Phase IB"] == "Colorectal cancer, Gastric cancer"


@pytest.mark.rule("PKG-10", source="spec/report-package.md section 3")
def test_the_report_has_the_sections_in_the_order_of_the_specification(hand):
    titles = [s.title for s in document("05", hand).sections if s.level == 1]
    assert titles[:4] == [
        "Administrative matters",
        "Background and registered design",
        "Objectives, endpoints and estimands",
        "Methods",
    ]
    assert titles[-3:] == ["Limitations", "Conclusions", "References and appendices"]
    books = [p["notebook"] for p in plan("05").part if "notebook" in p]
    assert list(dict.fromkeys(books)) == [
        "01_conduct",
        "07_data_quality",
        "02_participants",
        "04_safety",
        "03_dose_finding",
        "05_response_survival",
        "08_kinetics",
        "06_subgroups",
        "09_phase_ib",
    ]


@pytest.mark.rule("PKG-10")
def test_the_conclusions_are_three_graded_statements(hand):
    table = next(b for b in document("05", hand).blocks if b.kind == "table" and b.id == "conclusions")
    assert [row.cells[0].text for row in table.rows] == ["Supported", "Suggestive", "Unknown"]
    assert all(row.cells[1].text.startswith("[To be written by the investigator:") for row in table.rows)


@pytest.mark.rule("PKG-11")
def test_only_limitations_that_hold_are_listed(hand):
    found = document("05", hand)
    place = next(n for n, b in enumerate(found.blocks) if isinstance(b, Section) and b.title == "Limitations")
    listed = ["".join(block_texts(item[0])) for item in found.blocks[place + 2].items]
    limits = hand.inputs.store["limitations.found"].frame.set_index("variable")["value"]
    assert len(listed) == int((limits == 1).sum()) > 0
    assert any("One arm" in line for line in listed) == (limits["one_arm"] == 1)
    assert any("Single centre" in line for line in listed) == (limits["single_centre"] == 1)


@pytest.mark.rule("PKG-12", source="spec/report-package.md section 2, document 14")
def test_the_plan_prints_every_parameter_that_is_set_with_the_hash(hand):
    found = document("14", hand)
    tables = {b.id: b for b in found.tables}
    study = hand.inputs.study
    assert ("SHA-256 of the parameters", study.digest()) in [
        tuple(cell.text for cell in row.cells) for row in tables["plan"].rows
    ]
    printed = {
        row.cells[2].keys[0]: row.cells[2].text for row in tables["parameters"].rows if row.kind == "data"
    }
    assert printed["parameters.stated/total/dose/levels/value"] == "1.5e7, 3e7, 5e7, 7e7"
    assert printed["parameters.stated/total/response/sd_min_weeks/value"] == "8"
    stated = hand.inputs.store["parameters.stated"].frame
    assert set(printed) == set(stated[~stated["text"].isin(["not set", "none"])]["result_id"])
    assert len(tables["readings"].rows) == 9


def test_a_document_without_numbers_to_cite_is_refused(hand, monkeypatch):
    monkeypatch.setattr(registry_update, "_fields", lambda: ())
    with pytest.raises(ReportError, match="no field"):
        registry_update.record(hand)


def _severities(term, **counts):
    return [
        {"variable": "GI", "level": term, "stat": stat, "status": "OK", "n": n} for stat, n in counts.items()
    ]


def test_effects_of_a_study_without_grades_are_listed_by_severity():
    rows = [
        {"variable": "teae", "level": "", "stat": f"grade{n}", "status": "NA", "n": 0} for n in range(1, 6)
    ]
    rows += _severities("NAUSEA", any=2, mild=1, moderate=1, severe=0, missing=0)
    rows += _severities("VOMITING", any=1, mild=1, moderate=0, severe=0, missing=0)
    rows += _severities("COLITIS", any=1, mild=0, moderate=0, severe=1, missing=0)
    scale = consent_insert._scale(rows)
    assert scale["head"][1:] == ["Any severity", "Mild", "Moderate", "Severe", "Severity missing"]
    assert consent_insert._terms(rows, scale["severe"]) == [("GI", "NAUSEA"), ("GI", "COLITIS")]


def test_effects_of_a_study_with_grades_are_listed_by_grade():
    names = ("any", "grade1", "grade2", "grade3", "grade4", "grade5", "missing", "grade3_up")
    one = dict.fromkeys(names, 0) | {"any": 1}
    rows = _severities("NAUSEA", **one) + _severities("COLITIS", **one | {"grade3": 1, "grade3_up": 1})
    scale = consent_insert._scale(rows)
    assert len(scale["head"]) == len(scale["stats"]) + 1 == 8
    assert consent_insert._terms(rows, scale["severe"]) == [("GI", "COLITIS")]
    assert consent_insert._scale([]) is scale


@pytest.mark.rule("PKG-14", source="spec/report-package.md section 2, document 03")
def test_the_committee_is_asked_for_minutes_recommendation_and_signature():
    parts = plan("03").part
    place = next(n for n, part in enumerate(parts) if part.get("heading") == "Recommendation")
    asked_for = [part["ask"] for part in parts[place + 1 :]]
    assert place > max(n for n, part in enumerate(parts) if "tlf" in part)
    assert [any(word in ask for ask in asked_for) for word in ("minutes", "recommendation", "signature")] == [
        True
    ] * 3
    assert {part["own"] for part in parts[place + 1 :]} <= asked()


@pytest.mark.rule("PKG-14", source="spec/report-package.md section 2, document 07")
def test_the_restricted_binder_ends_with_its_access_log():
    heading, log = plan("07").part[-2:]
    assert heading["heading"] == "Access log" and log["own"] in asked()
    assert all(word in log["ask"] for word in ("who", "date", "purpose"))


@pytest.mark.rule("PKG-15", source="spec/checklist.csv, ICH E3 item 4")
def test_the_report_explains_its_abbreviations_in_both_languages(hand):
    report = document("05", hand)
    (found,) = [block for block in report.tables if block.id == "abbreviations"]
    pairs = [tuple(cell.text for cell in row.cells) for row in found.rows]
    names = [name for name, _ in pairs]
    assert names == sorted(set(names))
    assert {
        "FAS",
        "CR",
        "PR",
        "SD",
        "PD",
        "NE",
        "ORR",
        "DCR",
        "PFS",
        "OS",
        "DLT",
        "CRS",
        "ICANS",
        "TEAE",
        "SOC",
        "PT",
    } <= set(names)
    chinese = translator("zh-CN")
    assert [chinese.text(meaning).state for _, meaning in pairs] == ["translated"] * len(pairs)


@pytest.mark.parametrize(
    ("domains", "says"), [(("AE", "QUERY"), "none is open"), (("AE",), "No query is known")]
)
def test_queries_that_are_all_closed_are_not_called_unknown(domains, says):
    frame = pd.DataFrame({"variable": domains, "stat": "records"})
    store = {"data_quality.snapshot": SimpleNamespace(frame=frame)}
    assert says in data_quality._queries(SimpleNamespace(inputs=SimpleNamespace(store=store)))

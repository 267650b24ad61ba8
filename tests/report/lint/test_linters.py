"""Each linter: the clean package gives nothing, a planted fault is found with its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from interim.display.prose import allowed, without_allowed
from interim.errors import ReportError
from interim.report.content import Section
from interim.report.lint import LINTERS, LintFinding, PastRun, lint, refuse
from interim.report.lint.order import plan_hash, registry_hash
from interim.report.lint.wording import words
from interim.result import ResultStore, Rows
from tests.report.lint import package as p


def found(name: str, checked) -> list[LintFinding]:
    return list(LINTERS[name](checked))


def one(name: str, checked) -> LintFinding:
    hits = found(name, checked)
    assert len(hits) == 1, [str(hit) for hit in hits]
    return hits[0]


@pytest.mark.rule("LNT-09", source="the package counted by hand")
@pytest.mark.parametrize("name", LINTERS)
def test_a_clean_package_stops_no_linter(name):
    assert [str(hit) for hit in found(name, p.checked()) if hit.severity == "stop"] == []


@pytest.mark.rule("LNT-09", source="report-package.md section 6")
def test_all_stops_are_listed_together_and_refused():
    fault = p.checked(
        p.say("3 of 18 responded, a promising result (T 14.9.9.9)."), p.table(p.rate_row(), footnotes=())
    )
    findings = lint(fault)
    with pytest.raises(ReportError) as caught:
        refuse(findings)
    text = str(caught.value)
    assert text.startswith("3 finding(s)")
    for rule in ("LNT-01 typed number: 05, section 1", "LNT-06 wording", "LNT-08 reference"):
        assert rule in text
    assert "the last report is unchanged" in text
    assert refuse([f for f in findings if f.severity == "warn"]) is None


@pytest.mark.rule("LNT-09")
def test_a_finding_names_document_place_cell_and_way_out():
    finding = LintFinding("LNT-02", "denominator", "05", "T 1", "row 'x'", "is wrong", "mend it")
    assert str(finding) == "LNT-02 denominator: 05, T 1, row 'x': is wrong; mend it"


# LNT-01


@pytest.mark.rule("LNT-01", source="report-package.md section 6, allow-list")
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("see T 14.2.2.1a and section 4.2", ""),
        ("NCT07021534, CTCAE v5.0, ASTCT 2019, ICH E9(R1)", ""),
        ("AMB-3, OP-8, grade 3, Grades ≥ 2, DL3 5e7, phase Ib", ""),
        ("he wrote “at least 8 weeks”", ""),
        ("表 14.2.2.1，第 4.2 节，≥ 3 级，文件 05", ""),
        ("3 of 18", "318"),
        ("response in 17%", "17"),
        ("DL31 5e71", "31571"),
        ("T 14.2.2.1 shows 12", "12"),
        ("grade 6", "6"),
    ],
)
def test_only_declared_patterns_may_hold_digits(text, left):
    rest = without_allowed(text, p.study())
    assert "".join(c for c in rest if c.isdigit()) == left


@pytest.mark.rule("LNT-01")
def test_every_allowed_pattern_has_a_reason():
    assert all(reason.strip() for _, reason in allowed()) and len(allowed()) > 20


@pytest.mark.rule("LNT-01")
def test_a_typed_number_in_prose_is_found_with_its_section():
    hit = one("typed number", p.checked(p.say("Of them 18 were treated.")))
    assert (hit.document, hit.place) == ("05", "section 1")
    assert hit.what == "typed number 18"
    assert "prose.toml" in hit.way_out


@pytest.mark.rule("LNT-01")
def test_the_heading_of_a_narrative_may_name_its_participant_and_nothing_else_may():
    rows = Rows("made.up", "Made up")
    rows.add("n", 1, variable="any", subjects=("SYN-04",))
    results = ResultStore({"made.up": rows.build()})

    def hits(*blocks):
        return [one.what for one in found("typed number", p.checked(*blocks, results=results))]

    assert hits(Section(1, "1", "Participant SYN-04", "s-1")) == []
    assert hits(Section(1, "1", "Participant SYN-99", "s-1")) == ["typed number SYN-99"]
    assert hits(p.say("Participant SYN-04")) == ["typed number SYN-04"]


@pytest.mark.rule("LNT-01")
def test_a_number_with_its_result_is_no_typed_number():
    assert found("typed number", p.checked(p.say("Of them ", ("3", p.key("population/-/n")), "."))) == []


@pytest.mark.rule("LNT-01", source="by hand: 1/3 = 0.333, limits 0 and 0.9")
@pytest.mark.parametrize(
    ("alt", "alien"),
    [
        ("Bars for 3 participants; rate 33.3%, upper limit 90%.", []),
        ("Bars for 3 participants; rate 33.4%.", ["33.4"]),
        ("Bars for 987 participants; rate 0.333.", ["987"]),
        ("Bars of the 2 doses.", []),
    ],
)
def test_numbers_of_a_text_alternative_are_those_drawn(alt, alien):
    hits = found("typed number", p.checked(p.figure(alt=alt)))
    assert [hit.what.split(" is no ")[0].split(", ") for hit in hits] == ([alien] if alien else [])


# LNT-02


@pytest.mark.rule("LNT-02", source="T 14.1.1.2 of the package: 1 and 3 participants")
def test_a_denominator_that_is_no_set_size_is_found_with_the_nearest_set():
    row = [("Marker", ("–",), ("1/2", p.key("marker/-/rate"), p.key("marker/-/lower")))]
    changed = p.store(sets=p.sets(Total_RE=3))
    hit = one("denominator", p.checked(p.table(row), results=changed))
    assert hit.place == "T 14.2.2.1"
    assert hit.cell == "row 'Marker', column 'Total N=3'"
    assert hit.what == "denominator 2 is no number of participants of Total; nearest set ENR, 3"


@pytest.mark.rule("LNT-02")
@pytest.mark.parametrize(
    ("members", "unknown", "printed", "hits"),
    [(9, 4, True, 0), (9, 4, False, 1), (9, 3, True, 1), (None, 4, True, 1)],
)
def test_what_two_printed_counts_leave_is_accepted_where_it_is_declared(members, unknown, printed, hits):
    name, place = "response_sets.denominators", {"level": "RE"}
    rows = Rows(name, "Response by set", "FAS")
    if members:
        rows.add("N", members, n=members, N=members, variable="set", **place)
    rows.add("n", unknown, n=unknown, N=9, variable="not_evaluated", **place)
    rows.add("rate", 0.2, n=1, N=5, variable="orr_known", **place)
    at = f"{name}/total"
    lines = [("Only those evaluated", ("1/5", f"{at}/orr_known/re/rate"), ("", ""))]
    if printed:
        lines.append(("Not evaluated", (str(unknown), f"{at}/not_evaluated/re/n"), ("", "")))
    if members:
        lines.append(("Participants", (str(members), f"{at}/set/re/n"), ("", "")))
    found_here = found("denominator", p.checked(p.table(lines), results=p.store(sets=rows.build())))
    assert len([hit for hit in found_here if "denominator 5" in hit.what and hit.place != name]) == hits


@pytest.mark.rule("LNT-02")
def test_a_denominator_that_is_itself_printed_is_accepted():
    marker = ("Marker", ("–",), ("1/2", p.key("marker/-/rate"), p.key("marker/-/lower")))
    assert found("denominator", p.checked(p.table([marker]))) == []  # 2 participants in RE
    narrow = ("Narrow", ("–",), ("0/1", p.key("narrow/-/rate"), p.key("narrow/-/lower")))
    assert len(found("denominator", p.checked(p.table([narrow])))) == 1
    said = p.checked(p.say("Fell: ", ("1", p.key("marker/-/rate"))), p.table([narrow]))
    assert found("denominator", said) == []


@pytest.mark.rule("LNT-02")
def test_a_column_size_that_is_no_set_is_found():
    wrong = replace(p.table(p.rate_row()))
    head = (replace(wrong.header[0][1], text="DL1 N=7"), wrong.header[0][2])
    hits = found("denominator", p.checked(replace(wrong, header=((wrong.header[0][0], *head),))))
    assert [hit.cell for hit in hits] == ["header 'DL1 N=7'"]


# LNT-03


@pytest.mark.rule("LNT-03", source="report-package.md section 6")
def test_two_renderings_of_a_result_are_found_across_documents():
    other = p.document(p.say("Upper limit ", ("90.1%", p.key("orr/-/upper"))))
    clean = p.document(p.say("Upper limit ", ("90.0%", p.key("orr/-/upper"))))
    mine = p.say("The limit is ", ("90.0%", p.key("orr/-/upper")))
    assert found("text = table", p.checked(mine, also=clean)) == []
    hit = one("text = table", p.checked(mine, also=other))
    assert (hit.document, hit.place) == ("01", "section 1")
    assert "'90.1%' for response.orr/total/orr/-/upper, but '90.0%' in 05, section 1" in hit.what


@pytest.mark.rule("LNT-03")
def test_a_ratio_that_is_not_its_result_is_found():
    hit = one("text = table", p.checked(p.say("Response: ", ("2/3", p.key("orr/-/rate")))))
    assert hit.what == "2/3 is not what response.orr/total/orr/-/rate states"


@pytest.mark.rule("LNT-03")
def test_layouts_may_differ_and_count_and_size_are_two_numbers():
    key = p.key("orr/-/rate")
    text = p.say(("1", key), " of ", ("3", key), ", that is ", ("1/3 (33%)", key), " or ", ("33.3%", key))
    assert found("text = table", p.checked(text)) == []


@pytest.mark.rule("LNT-03")
def test_a_number_of_a_result_that_does_not_exist_is_found():
    hit = one("text = table", p.checked(p.say(("5", "response.orr/total/gone/-/n"))))
    assert "names 1 unknown results: response.orr/total/gone/-/n" in hit.what


# LNT-04


FLOW_FAULTS = [
    ({"flow": p.flow(screened=5)}, "T 14.1.1.1", "screened", "5 and 4 differ"),
    ({"flow": p.flow(reasons=0)}, "T 14.1.1.1", "screen failures", "1 and 0 differ"),
    ({"flow": p.flow(left=2)}, "T 14.1.1.1", "DL2: reasons of discontinuation", "1 and 2 differ"),
    ({"sets": p.sets(Total_FAS=4)}, "T 14.1.1.2", "FAS", "the columns add up to 3, the total is 4"),
    (
        {"sets": p.sets(DL1_RE=1, Total_RE=3)},
        "T 14.1.1.2",
        "DL1: RE and excluded by reason",
        "1 and 2 differ",
    ),
    ({"course": p.course(DL2_nk=1)}, "F 14.1.1.1", "DL2: nk", "1 in the figure, 2 in T 14.1.1.2"),
    ({"course": p.course(assessed=5)}, "F 14.1.1.1", "assessed", "5 and 4 differ"),
    (
        {"course": p.course(lost=2, reason=2)},
        "F 14.1.1.1",
        "Total: enrolled",
        "3 and 2 lost are the number of no box before",
    ),
    ({"course": p.course(reason=0)}, "F 14.1.1.1", "Total: enrolled, reasons", "1 and 0 differ"),
    (
        p.events(counted=(("S1", "1"), ("S2", "9"))),
        "safety.teae_summary",
        "AE 9 of S2",
        "is counted and not in L 16.2.7.1",
    ),
    (
        p.events(listed=(("S1", "1"), ("S3", "2"), ("S3", "3"))),
        "safety.teae_summary",
        "teae events",
        "events 2, but 3 in L 16.2.7.1",
    ),
]


@pytest.mark.rule("LNT-04", source="the flow of the package, one number changed by hand")
@pytest.mark.parametrize(("changes", "place", "cell", "what"), FLOW_FAULTS)
def test_a_broken_flow_is_found(changes, place, cell, what):
    hits = found("flow", p.checked(results=p.store(**changes)))
    assert (place, cell, what) in [(hit.place, hit.cell, hit.what) for hit in hits]


@pytest.mark.rule("LNT-04")
def test_more_second_than_first_infusions_are_found():
    hits = found("flow", p.checked(results=p.store(flow=p.flow(second=3))))
    assert "DL1: NK 2" in [hit.cell for hit in hits]


@pytest.mark.rule("LNT-04")
def test_a_participant_in_two_columns_or_in_none_is_found():
    twice = {**p.MEMBERS, "DL1": ("S3",)}
    whats = [hit.what for hit in found("flow", p.checked(results=p.store(flow=p.flow(members=twice))))]
    assert "S3 stands in 2 dose columns" in whats
    assert "S1 stands in the total or in a column, but not in both" in whats


@pytest.mark.rule("LNT-04")
def test_a_study_without_these_tables_has_no_flow_to_check():
    assert found("flow", p.checked(results=ResultStore({"response.orr": p.response()}))) == []


# LNT-05


@pytest.mark.rule("LNT-05", source="report-package.md section 6, interval")
@pytest.mark.parametrize(
    ("text", "what"),
    [
        (("1/3", "orr/-/rate"), "the rate is printed without its interval"),
        (("3.6", "pfs/-/median"), "the median is printed without its interval"),
    ],
)
def test_a_rate_or_median_without_its_interval_is_found(text, what):
    number = (text[0], p.key(text[1]))
    hit = one("interval", p.checked(p.say("It is ", number)))
    assert (hit.place, hit.what) == ("section 1", what)
    low = (0.0, p.key(text[1].rpartition("/")[0] + "/lower"))
    assert found("interval", p.checked(p.say("It is ", number, " from ", (str(low[0]), low[1])))) == []


@pytest.mark.rule("LNT-05")
@pytest.mark.parametrize(("at_risk", "hits"), [(2, 1), (3, 0)])
def test_a_landmark_with_fewer_than_three_at_risk_is_found(at_risk, hits):
    text = p.say(("65%", p.key("pfs-landmark/3/rate")), " from ", ("35%", p.key("pfs-landmark/3/lower")))
    made = found("interval", p.checked(text, results=p.store(response=p.response(at_risk=at_risk))))
    assert [hit.what for hit in made] == ["landmark with 2 at risk"] * hits


@pytest.mark.rule("LNT-05")
def test_a_curve_of_a_dose_with_fewer_than_five_is_found():
    keys = (p.key("pfs-curve/step-1/surv", "dl1"),)
    hit = one("interval", p.checked(p.figure(keys=keys, alt="A step curve of the first dose level only.")))
    assert (hit.place, hit.what) == ("F 14.2.3.1", "curve of DL1 with n=1")


# LNT-06


@pytest.mark.rule("LNT-06", source="report-package.md section 6, wording")
@pytest.mark.parametrize(
    "text",
    [
        "NLR is a predictor of response.",
        "The difference was significant.",
        "DL4 is safe.",
        "The cells are effective.",
        "These are promising results.",
        "The hazard ratio between doses was high.",
        "PFS of responders versus non-responders differed.",
        "Non-responders lived shorter than responders.",
        "差异显著。",
        "该治疗是安全的。",
        "该治疗有效。",
        "应答者比无应答者生存更长。",
    ],
)
def test_a_forbidden_word_is_found(text):
    assert len(found("wording", p.checked(p.say(text)))) == 1
    assert len(found("wording", p.checked(p.figure(footnotes=(text,))))) == 1


@pytest.mark.rule("LNT-06")
@pytest.mark.parametrize(
    "text",
    [
        "Safety and effectiveness; the safety set; no safeguard.",
        "Clinically significant laboratory deviations.",
        "Listing: serious and other significant AEs",
        "ESS: effective number of participants.",
        "No hazard ratio between doses is given.",
        "Landmark analysis of responders versus non-responders.",
        "安全性集；有效性；有效率",
        "显著异常的生命体征",
    ],
)
def test_whole_words_and_declared_sentences_are_permitted(text):
    assert found("wording", p.checked(p.say(text))) == []


@pytest.mark.rule("LNT-06")
def test_a_phrase_across_the_pieces_of_a_paragraph_is_found():
    assert one("wording", p.checked(p.say("Responders lived longer ", "than non-responders.")))
    assert all(word.way_out for word in words())


# LNT-07


def past(study, cut="2026-01-31", **changes) -> PastRun:
    values = study.resolved()
    return PastRun(
        cut, "", changes.get("registry", registry_hash(values)), changes.get("plan", plan_hash(values))
    )


@pytest.mark.rule("LNT-07", source="decision 270")
def test_the_first_package_warns_and_later_ones_prove_the_order():
    first = one("order", p.checked())
    assert first.severity == "warn" and "no earlier package" in first.what
    assert found("order", p.checked(history=(past(p.study()),))) == []


@pytest.mark.rule("LNT-07")
def test_a_registry_younger_than_the_first_results_stops_and_a_new_plan_warns():
    hits = found("order", p.checked(history=(past(p.study(), registry="x"), past(p.study(), plan="y"))))
    assert [(hit.severity, hit.place) for hit in hits] == [("stop", "T 14.2.4.1")]
    hit = one("order", p.checked(history=(past(p.study(), plan="y"),)))
    assert (hit.severity, hit.place) == ("warn", "document 14")


@pytest.mark.rule("LNT-07")
def test_place_and_looks_are_no_plan_and_data_driven_entries_no_registry():
    values = {"data": {"path": "a"}, "dose": {"x": 1}, "subgroups": [{"id": "a", "origin": "protocol"}]}
    assert plan_hash(values) == plan_hash({**values, "data": {"path": "b"}})
    assert plan_hash(values) != plan_hash({**values, "dose": {"x": 2}})
    more = {**values, "subgroups": [*values["subgroups"], {"id": "b", "origin": "data_driven"}]}
    assert registry_hash(values) == registry_hash(more)
    assert registry_hash(values) != registry_hash(
        {**values, "subgroups": [{"id": "b", "origin": "protocol"}]}
    )


# LNT-08


@pytest.mark.rule("LNT-08", source="report-package.md section 6, reference")
@pytest.mark.parametrize(
    ("text", "target"),
    [("See T 14.9.9.9.", "T 14.9.9.9"), ("See document 15.", "document 15"), ("见文件 16。", "document 16")],
)
def test_an_unresolved_target_is_found(text, target):
    hits = [h for h in found("reference", p.checked(p.say(text))) if h.severity == "stop"]
    assert [hit.what for hit in hits] == [f"{target} does not stand in the package"]


@pytest.mark.rule("LNT-08")
def test_an_orphan_is_a_warning_unless_others_cite_it():
    lone = p.table(p.rate_row(), footnotes=())
    hit = one("reference", p.checked(lone))
    assert (hit.severity, hit.what) == ("warn", "1 tables and figures that nothing cites: T 14.2.2.1")
    assert found("reference", p.checked(lone, cited=frozenset({"T 14.2.2.1"}))) == []
    assert found("reference", p.checked(lone, also=p.document(p.say("See T 14.2.2.1.")))) == []


@pytest.mark.rule("CHK-04")
def test_the_checklist_says_itself_what_it_cannot_resolve():
    row = [("T 14.9.9.9 (unresolved)", ("–",), ("–",))]
    for name, hits in (("checklist", 0), ("T 14.2.2.2", 1)):
        table = replace(p.table(row, footnotes=()), id=name)
        stops = [h for h in found("reference", p.checked(table)) if h.severity == "stop"]
        assert len(stops) == hits


@pytest.mark.rule("LNT-05")
@pytest.mark.parametrize(
    ("unit", "hits"), [("", 1), ("participants", 1), ("decisions", 0), ("readings", 0), ("assessments", 0)]
)
def test_shares_of_what_is_no_sample_have_no_interval(unit, hits):
    rows = Rows("completeness.by_visit", "Completeness")
    rows.add("rate", 0.5, n=1, N=2, variable="labs", unit=unit)
    text = p.say(("1/2", "completeness.by_visit/total/labs/-/rate"))
    assert len(found("interval", p.checked(text, results=p.store(more=rows.build())))) == hits

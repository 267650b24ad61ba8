"""Messages, their numbers and parts, and the catalogue that holds their translations."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from interim.display.catalogue import masked, message_id, read_catalogue
from interim.display.language import Translator, speaking, text_files, translator, voice
from interim.errors import ReportError


def toml(**messages: str) -> str:
    return "\n".join(["[messages]", *(f'"{key}" = "{value}"' for key, value in messages.items())])


def speaker(*, same: str = "", kept=(), **messages: str) -> Translator:
    return Translator(read_catalogue([("a.toml", f"same = [{same}]\n{toml(**messages)}")]), kept)


@pytest.mark.rule("DOC-31")
@pytest.mark.parametrize(
    ("text", "message", "numbers"),
    [
        ("3 of 13 participants", "{1} of {2} participants", ("3", "13")),
        ("3/13 (23.1%)", "{1}/{2} ({3}%)", ("3", "13", "23.1")),
        ("DL1 1.5e7", "DL1 {1}", ("1.5e7",)),
        ("RECIST 1.1.", "RECIST {1}.", ("1.1",)),
        ("CTCAE v5.0", "CTCAE v5.0", ()),
        ("CA19-9, AMB-3, PD-1, ULBP2/5/6", "CA19-9, AMB-3, PD-1, ULBP2/{1}/{2}", ("5", "6")),
        ("on 2026-06-30 by 01-003", "on {1} by {2}", ("2026-06-30", "01-003")),
        ("T 14.5.8 and T 14.3.1.10a", "T {1} and T 14.3.1.10a", ("14.5.8",)),
        ("10^9/L, n=3; N=7.", "{1}^{2}/L, n={3}; N={4}.", ("10", "9", "3", "7")),
        ("at 12:30:59 h", "at {1} h", ("12:30:59",)),
        ("1N 2GNG", "1N 2GNG", ()),
        ("x >= 2", "x >= {1}", ("2",)),
        ("no number", "no number", ()),
        ("course of P-0J7GA7 and P-121212", "course of {1} and {2}", ("P-0J7GA7", "P-121212")),
        (
            "made 2026-07-01T00:00:00+08:00, not 2026-07-01",
            "made {1}, not {2}",
            ("2026-07-01T00:00:00+08:00", "2026-07-01"),
        ),
        ("made 2026-07-01T04:30Z.", "made {1}.", ("2026-07-01T04:30Z",)),
        ("PD-1234567 of 01-002", "PD-1234567 of {1}", ("01-002",)),
    ],
)
def test_numbers_of_a_message_are_counted_and_digits_of_names_are_not(text, message, numbers):
    assert message_id(text) == message
    bare, found = masked(text)
    assert found == numbers
    for place, number in enumerate(numbers):
        bare = bare.replace(chr(0xE000 + place), number)
    assert bare == text


@pytest.mark.rule("DOC-31")
@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (toml(**{"x": " "}), "'x' has no translation"),
        ('[messages]\n"x" = 3', "'x' has no translation"),
        (toml(**{"{1} of {2}": "共{2}"}), "must hold each placeholder exactly once"),
        (toml(**{"{1} of {2}": "{1}{1}{2}"}), "must hold each placeholder exactly once"),
        (toml(**{"{a} of": "无"}), "must hold each placeholder exactly once"),
        (toml(**{"{2} of {1}": "{1}{2}"}), "must count its numbers {1}, {2} in their order"),
        (toml(**{"RECIST 1.1": "RECIST 1.1"}), "holds the number 1.1; write {1}, {2} for numbers"),
        ("[messages", "b.toml: "),
    ],
)
def test_a_wrong_catalogue_is_refused_with_file_and_message(source, problem):
    with pytest.raises(ReportError, match="the catalogue of texts is wrong") as caught:
        read_catalogue([("b.toml", source)])
    assert problem in str(caught.value)


@pytest.mark.rule("DOC-31")
def test_all_problems_of_all_files_are_listed_and_no_message_stands_twice():
    with pytest.raises(ReportError) as caught:
        read_catalogue([("a.toml", toml(one="一", two=" ")), ("b.toml", toml(one="壹"))])
    assert str(caught.value).splitlines()[1:] == [
        "a.toml: 'two' has no translation",
        "b.toml: 'one' stands twice",
    ]


WORDS = {
    "Enrolled": "入组",
    "Death": "死亡",
    "No CAR-T infusion": "未输注CAR-T",
    "Excluded": "排除",
    "{1} of {2} participants": "{2}例受试者中的{1}例",
    "grade {1} or higher": "{1}级及以上",
    "Difference, {a} minus {b}": "差值：{a}减{b}",
    "{a}, n": "{a}，例数",
    "not available": "不可用",
    "Highest": "最高",
}


@pytest.mark.rule("DOC-32")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Enrolled", "入组"),
        ("enrolled", "入组"),
        ("3 of 13 participants", "13例受试者中的3例"),
        ("3 of 13 participants.", "13例受试者中的3例。"),
        ("Grade 2 or higher", "2级及以上"),
        ("Excluded: No CAR-T infusion", "排除：未输注CAR-T"),
        ("Death; Enrolled", "死亡；入组"),
        ("Death, Enrolled", "死亡，入组"),
        ("Death, Enrolled, Excluded", "死亡、入组、排除"),
        ("Death. Grade 3 or higher.", "死亡。3级及以上。"),
        ("Enrolled\nN=3", "入组\nN=3"),
        ("Enrolled – not available", "入组——不可用"),
        ("Death (Excluded)", "死亡（排除）"),
        ("Death [3]", "死亡 [3]"),
        ("Death ‡", "死亡 ‡"),
        ("Difference, Death minus Enrolled", "差值：死亡减入组"),
        ("Difference, < 3 minus >= 5", "差值：< 3减>= 5"),
        ("Death, n", "死亡，例数"),
        ("Death and Excluded", "死亡和排除"),
        ("3/13 (23.1%)", "3/13 (23.1%)"),
        ("DL2 3e7", "DL2 3e7"),
        ("CAR-T", "CAR-T"),
        ("ae.csv", "ae.csv"),
        ("AE-CRS-CONSIST", "AE-CRS-CONSIST"),
        ("interim.analysis.safety.deaths", "interim.analysis.safety.deaths"),
        ("8cbee4f33aa5", "8cbee4f33aa5"),
        ("iCPD", "iCPD"),
        ("12 mm", "12 mm"),
        ("MICA/B", "MICA/B"),
    ],
)
def test_a_text_is_looked_up_or_taken_apart_into_messages(text, expected):
    found = speaker(same='"mm"', **WORDS).text(text)
    assert (found.text, found.state) == (expected, "same" if expected == text else "translated")


@pytest.mark.rule("DOC-32")
@pytest.mark.parametrize(
    "text",
    [
        "Nausea",
        "Death; Nausea",
        "Excluded: Nausea",
        "Difference, Nausea minus Death",
        "SCREENING",
        "3 Nausea",
        "Death (Nausea)",
    ],
)
def test_a_text_of_which_any_part_has_no_translation_stays_whole(text):
    found = speaker(**WORDS).text(text)
    assert (found.text, found.state) == (text, "missing")


@pytest.mark.rule("DOC-33")
def test_quoted_data_stay_and_are_known_as_such():
    quoting = speaker(kept=["Nausea", "Death"], **WORDS)
    assert quoting.text("Nausea").state == "kept"
    assert quoting.text("Excluded: Nausea").text == "排除：Nausea"
    assert quoting.text("Nausea and vomiting").state == "missing"
    assert speaker(**WORDS).text("Nausea").state == "missing"


@pytest.mark.rule("DOC-31")
def test_numbers_come_out_as_often_as_they_went_in():
    said = speaker(**WORDS)
    for text in (
        "3 of 13 participants; grade 2 or higher, n",
        "Difference, 7 of 9 participants minus grade 4 or higher",
    ):
        found = said.text(text)
        assert found.state == "translated"
        assert Counter(re.findall(r"\d+", found.text)) == Counter(re.findall(r"\d+", text))


@pytest.mark.rule("DOC-30")
def test_english_needs_no_catalogue_and_an_unknown_language_is_refused():
    assert translator("en") is None
    with pytest.raises(ReportError, match="language 'fr' is not available; permitted: en, zh-CN"):
        translator("fr")


@pytest.mark.rule("DOC-31")
def test_the_texts_of_a_study_stand_beside_its_file(tmp_path):
    (tmp_path / "zh-CN").mkdir()
    (tmp_path / "zh-CN" / "mine.toml").write_text(
        toml(**{"A tumour of {1} kinds": "{1}类肿瘤"}), encoding="utf-8"
    )
    assert text_files(tmp_path, "zh-CN") == [tmp_path / "zh-CN" / "mine.toml"]
    assert text_files(tmp_path, "en") == []
    found = translator("zh-CN", tmp_path)
    assert found is not None
    assert found.text("A tumour of 3 kinds").text == "3类肿瘤"


@pytest.mark.rule("DOC-31")
def test_the_shipped_catalogue_is_sound_and_holds_the_glossary():
    found = translator("zh-CN", Path(__file__).parents[2] / "params")
    assert found is not None
    assert found.text("Cytokine release syndrome").text == "细胞因子释放综合征"
    assert found.text("Dose-limiting toxicity").text == "剂量限制性毒性"


@pytest.mark.rule("DOC-34")
def test_the_voice_speaks_english_unless_told_otherwise():
    assert voice().say("Death") == "Death"
    with speaking(speaker(**WORDS), "F 1") as one:
        assert voice() is one
        assert (voice().say("Death"), voice().say("Nausea"), voice().say(" ")) == ("死亡", "Nausea", " ")
        assert one.missing == ["Nausea"]
    assert voice().say("Death") == "Death"


@pytest.mark.rule("DOC-34")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Neutrophil-to-l…", "中性粒细胞与淋…"),
        ("Sum of target d…", "靶病灶直径总和"),
        ("Nausea and vom…", "Nausea and vom…"),
        ("Prior …", "Prior …"),
        ("Oesophage…", "食管癌"),
        ("Cats and d…", "Cats and d…"),
        ("Sum of target d…, Neutrophil-to-l…", "靶病灶直径总和，中性粒细胞与淋…"),
    ],
)
def test_a_label_that_was_cut_off_is_found_if_one_text_begins_like_it(text, expected):
    words = {
        "Neutrophil-to-lymphocyte ratio": "中性粒细胞与淋巴细胞比值",
        "Neutrophil-to-lymphocyte ratio, second cut": "中性粒细胞与淋巴细胞比值，第二界值",
        "Sum of target diameters": "靶病灶直径总和",
        "Oesophageal": "食管癌",
        "Oesophageal carcinoma": "食管癌",
        "Prior lines": "既往线数",
        "Prior therapy": "既往治疗",
    }
    kept = ["Nausea and vomiting", "Oesophageal carcinoma"]
    assert speaker(kept=kept, **words).text(text).text == expected


@pytest.mark.rule("DOC-32")
def test_a_full_stop_belongs_to_no_message():
    said = speaker(**{"Death counts. It ends.": "死亡计入。即告结束。", "Exploratory.": "探索性。"})
    assert said.text("Exploratory").text == "探索性"
    assert said.text("Exploratory. Death counts. It ends.").text == "探索性。死亡计入。即告结束。"


@pytest.mark.rule("DOC-32")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Seen in 0/13.", "见于0/13。"),
        ("Death; data hash 8cbee4f33aa5.", "死亡；数据哈希8cbee4f33aa5。"),
        ("CAR-T v5.0.", "CAR-T v5.0."),
        ("Until 3 days after Death.", "至死亡后3天。"),
        ("Minute 7; T 14.2; T 14.3", "纪要7；T 14.2；T 14.3"),
        ("05: 8 (p. 77), 12.11 (p. 118); Death", "05: 8 (p. 77), 12.11 (p. 118)；死亡"),
    ],
)
def test_a_chinese_sentence_and_list_have_their_own_stops_beside_codes(text, expected):
    words = {
        "Death": "死亡",
        "Seen in {a}": "见于{a}",
        "data hash {a}": "数据哈希{a}",
        "Until {1} days after {a}.": "至{a}后{1}天。",
        "minute {1}": "纪要{1}",
    }
    assert speaker(**words).text(text).text == expected


@pytest.mark.rule("DOC-32")
def test_hashes_and_units_are_the_same_in_both_languages():
    said = speaker(same='"mg", "L"')
    assert [said.text(text).state for text in ("95509560ff2d", "3 mg/L", "mg*L", "deadbeef is dead")] == [
        "same",
        "same",
        "same",
        "missing",
    ]


@pytest.mark.rule("DOC-32")
def test_a_part_never_reaches_over_a_semicolon_that_parts_two_messages():
    said = speaker(
        **{
            "next action {a} instead of {b}": "下一步{a}，而非{b}",
            "enrol {1} at {a}": "在{a}入组{1}例",
            "{1} cells differ": "{1}格不同",
        }
    )
    text = "next action enrol 1 at DL4 instead of enrol 3 at DL4; 52 cells differ"
    assert said.text(text).text == "下一步在DL4入组1例，而非在DL4入组3例；52格不同"


@pytest.mark.rule("DISP-13", source="units of Chinese counting, by hand")
@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("50 million", "5000 万"),
        ("15 million", "1500 万"),
        ("2.5 million", "250 万"),
        ("0.005 million", "0.5 万"),
        ("100 million", "1 亿"),
        ("1250 million", "12.5 亿"),
    ],
)
def test_a_large_number_is_counted_in_the_units_of_the_language(english, chinese):
    assert translator("zh-CN").text(english).text == chinese


@pytest.mark.rule("DISP-13")
@pytest.mark.parametrize("text", ["many million", "50 million cells", "50", "million"])
def test_only_a_number_with_its_unit_is_a_large_number(text):
    assert "万" not in translator("zh-CN").text(text).text


@pytest.mark.rule("DISP-13")
def test_a_language_without_units_of_its_own_leaves_large_numbers_alone():
    bare = Translator(read_catalogue([("a.toml", "[sizes]\nmillion = 1000000\n[messages]\n")]))
    assert bare.text("50 million").text == "50 million"


@pytest.mark.rule("DISP-13")
def test_no_blank_is_left_between_chinese_text_and_a_chinese_word():
    said = speaker(**{"median {a} days, {1} seen": "中位数 {a} 天，见 {1} 例", "not estimable": "不可估计"})
    assert said.text("median not estimable days, 3 seen").text == "中位数不可估计天，见 3 例"


@pytest.mark.rule("DISP-13", source="the figures of one treated participant")
@pytest.mark.parametrize(
    "text",
    [
        "Step plot of the dose level, y axis, by participant in order of assignment, x axis, n=2: DL1 n=1 (1 no trigger); DL2 n=1 (1 window open).",
        "No figure for related TEAEs: dot plot by dose, any grade and grade 3 or higher, NK safety set, N=1. Nothing to draw: no related term in two or more participants.",
        "Kaplan-Meier curve of overall survival, x axis months from the first infusion, y axis share without event, n=1, 0 events. The median is not reached. No cohort is large enough for its own curve.",
        "Open symbols: below the limit of quantification, drawn on the limit (dashed); ticks at the foot: infusions.",
        "CAR-T transgene: Cmax: Spearman correlation not estimable",
        "Ligand – not available: no participant with a biopsy before and after treatment",
        "No figure for progression-free survival rate by subgroup, full analysis set, N=1. Nothing to draw: beyond the follow-up.",
        "No narrative: no participant needs one.",
        "data extract; footnote CUT, XD-FUTURE, default of report.timestamp",
    ],
)
def test_what_figures_say_of_one_participant_is_chinese(text):
    found = translator("zh-CN", Path("params")).text(text)
    assert found.state == "translated" and not re.search(r"\b(?:the|of|no|by)\b", found.text)

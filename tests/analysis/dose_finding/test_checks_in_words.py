"""Every check of a run of the example study is printed in words, in both languages of the report."""

from __future__ import annotations

import pytest

from interim.analysis import data_quality
from interim.display.language import translator


@pytest.fixture(scope="module")
def registered(main13):
    return {rule for rule, *_ in (*main13.sdtm.rules, *main13.adam.rules)}


@pytest.mark.rule("DQ-01")
def test_every_rule_of_a_run_has_its_words(registered):
    assert len(registered) > 150 and registered <= set(data_quality.what_rules_find())


@pytest.mark.rule("DQ-01")
def test_the_words_have_a_translation():
    chinese = translator("zh-CN")
    translated = {text: chinese.text(text) for text in data_quality.what_rules_find().values()}
    assert [text for text, found in translated.items() if found.state != "translated"] == []

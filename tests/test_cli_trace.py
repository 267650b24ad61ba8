"""The command ``interim trace``."""

from __future__ import annotations

from dataclasses import replace

import pytest

from interim import cli
from interim.adam import Opened
from tests.analysis.tumour_study import build


@pytest.fixture
def opened(monkeypatch):
    """The study under the site's ids S1 to S4; its datasets are derived before, so that their pseudo-ids are those ids."""
    data = build()
    monkeypatch.setattr("interim.study.read_study", lambda file: data.study)

    def open_adam(study, change, keep):
        change(replace(data.sdtm, domains={}))
        return Opened(data.sdtm, data.adam)

    monkeypatch.setattr("interim.adam.open_adam", open_adam)
    return data


@pytest.mark.rule("RECIST-26")
@pytest.mark.parametrize(
    ("arguments", "first", "last"),
    [
        (["S1", "CBOR"], "CBOR of S1, INVESTIGATOR", "  CBOR PR on 2026-02-16 [C-PR]"),
        (["S2", "pfs"], "PFS of S2", "  without any rule but the cut-off: event on 2026-05-11"),
        (["S1", "DLT"], "DLT of S1", "  DLT Y on 2026-01-17"),
        (
            ["response.best_response/Total/orr//rate", "--study", "x.toml"],
            "response.best_response/total/orr/-/rate: Best overall response",
            "  CBOR PR on 2026-02-16 [C-PR]",
        ),
    ],
)
def test_what_is_printed(opened, capsys, arguments, first, last):
    assert cli.main(["trace", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(first)
    assert lines[-1].startswith(last)


@pytest.mark.rule("RECIST-26")
@pytest.mark.parametrize("arguments", [["S1"], ["response.best_response/Total/orr//rate", "BOR"]])
def test_half_a_question_is_wrong_usage(capsys, arguments):
    assert cli.main(["trace", *arguments]) == 2
    assert "give a participant and a parameter, or a result id alone" in capsys.readouterr().err


@pytest.mark.rule("RECIST-26")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["S9", "BOR"], "DerivationError: no participant 'S9'"),
        (["S1", "XX"], "DerivationError: no parameter 'XX'"),
        (["nothing/Total"], "DerivationError: no question 'nothing'"),
    ],
)
def test_what_does_not_exist_is_code_1(opened, capsys, arguments, words):
    assert cli.main(["trace", *arguments]) == 1
    assert words in capsys.readouterr().err

"""A dictionary of the user: which terms it codes, and what a wrong file says."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from interim.adam.adae_dictionary import coded, read_dictionary
from interim.errors import StudyError

FILE = """LLT,PT,SOC
Feeling sick,Nausea,Gastrointestinal disorders
Queasy,Nausea,Gastrointestinal disorders
Fever,Pyrexia,General disorders
"""


def study_with(tmp_path, text, name="terms.csv"):
    (tmp_path / "terms.csv").write_text(text, encoding="utf-8")
    return SimpleNamespace(safety=SimpleNamespace(dictionary=name), file=tmp_path / "study.toml")


def events(*rows):
    names = ["USUBJID", "AESEQ", "AETERM", "AEDECOD", "AEBODSYS"]
    return pd.DataFrame([("S1", str(n), *row) for n, row in enumerate(rows, 1)], columns=names)


@pytest.mark.rule("SAF-33", source="written by hand")
@pytest.mark.parametrize(
    ("verbatim", "collected", "code"),
    [
        ("feeling sick", None, ("Nausea", "Gastrointestinal disorders")),
        ("QUEASY", "Vomiting", ("Nausea", "Gastrointestinal disorders")),
        ("Nausea", None, ("Nausea", "Gastrointestinal disorders")),
        (" fever ", None, ("Pyrexia", "General disorders")),
        ("high temperature", "Pyrexia", ("Pyrexia", "General disorders")),
        ("odd taste", "Dysgeusia", (None, None)),
        (None, None, (None, None)),
    ],
)
def test_the_verbatim_term_gives_the_code(tmp_path, verbatim, collected, code):
    source = events((verbatim, collected, "as collected"))
    answer, findings = coded(source, read_dictionary(study_with(tmp_path, FILE)))
    assert tuple(answer[["AEDECOD", "AEBODSYS"]].iloc[0]) == code
    assert [finding.rule for finding in findings] == ([] if code[0] else ["AE-DICT"])
    assert source["AEDECOD"].tolist() == [collected]


@pytest.mark.rule("SAF-33", source="written by hand")
def test_the_finding_names_event_and_term(tmp_path):
    table = read_dictionary(study_with(tmp_path, FILE))
    _, (finding,) = coded(events(("fever", None, None), ("odd taste", None, None)), table)
    assert (finding.subject, finding.key, finding.value, finding.severity) == (
        "S1",
        ("2",),
        "odd taste",
        "warn",
    )
    assert "shown as not coded" in finding.message


@pytest.mark.rule("SAF-33", source="the coding of the data stands")
def test_without_a_file_nothing_is_coded_again(tmp_path):
    assert read_dictionary(study_with(tmp_path, FILE, "own")) is None
    source = events(("fever", "Rigors", "General disorders"))
    answer, findings = coded(source, None)
    assert answer is source and findings == []


@pytest.mark.rule("SAF-33", source="written by hand")
@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("LLT,PT\nFever,Pyrexia\n", "terms.csv", "missing: SOC"),
        ("", "terms.csv", "missing: LLT, PT, SOC"),
        (FILE, "other.csv", "other.csv cannot be read"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, text, name, words):
    with pytest.raises(StudyError, match=words):
        read_dictionary(study_with(tmp_path, text, name))


def test_an_absolute_path_is_taken_as_it_is(tmp_path):
    study = study_with(tmp_path, FILE, str(tmp_path / "terms.csv"))
    assert read_dictionary(study)["FEVER"] == ("Pyrexia", "General disorders")

"""Deviations, eligibility exceptions, medical history and medication, counted by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.analysis import deviations, history
from interim.analysis.records import by_frequency, first_text, kind_of, own_text, terms_of
from interim.errors import StudyError
from interim.study import Condition
from interim.study.tables import EligibilityTable
from tests.analysis import participant_case as case
from tests.analysis.answers import denominators_not_stated, row, status, subjects, value
from tests.analysis.safety_case import adam


def records(result, *stats: str) -> list[tuple]:
    """Return texts and numbers of a listing, a tuple per record."""
    frame = result.frame[result.frame["variable"] == "record"]
    found = []
    for _, part in frame.groupby("level", sort=False):
        cells = part.set_index("stat")
        pairs = [(cells.loc[stat, "text"], cells.loc[stat, "value"]) for stat in ("participant", *stats)]
        found.append(tuple(text if text is not None else (None if v != v else v) for text, v in pairs))
    return found


@pytest.fixture(scope="module")
def counted(study):
    return deviations.important(adam(), study, case.sdtm())


@pytest.mark.rule("CON-05", source="counted by hand from seven records")
@pytest.mark.parametrize(
    ("variable", "level", "people", "events"),
    [
        ("any", "", {"A1", "B2", "C3", "E5"}, 6),
        ("important", "", {"A1", "B2"}, 3),
        ("important: imaging", "", {"A1"}, 2),
        ("important: imaging", "SCAN NOT DONE", {"A1"}, 1),
        ("important: eligibility", "AGE ABOVE THE LIMIT", {"B2"}, 1),
        ("important: dosing", "", set(), 0),
        ("important: dlt_window", "", set(), 0),
        ("important: reporting", "", set(), 0),
        ("unclassified", "", {"C3"}, 1),
        ("unclassified: consent", "", {"C3"}, 1),
        ("not important", "", {"B2", "E5"}, 2),
        ("not important: other", "QUESTIONNAIRE MISSING", {"B2", "E5"}, 2),
    ],
)
def test_deviations_by_importance_category_and_kind(counted, variable, level, people, events):
    assert subjects(counted, variable, "n", level=level) == people
    assert value(counted, variable, level=level) == len(people)
    assert value(counted, variable, "events", level=level) == events
    assert row(counted, variable, "n", level=level)["N"] == 5


@pytest.mark.rule("CON-05", source="counted by hand")
def test_deviations_by_dose_are_linked_to_their_records(counted):
    assert value(counted, "important", "events", group="DL1") == 2
    assert value(counted, "important", "events", group="DL2") == 1
    key = row(counted, "important: imaging", "events")["result_id"]
    linked = counted.links[counted.links["result_id"] == key]
    assert linked[["USUBJID", "SRCDOM", "SRCSEQ"]].to_numpy().tolist() == [
        ["A1", "DV", "1"],
        ["A1", "DV", "2"],
    ]
    assert "not important: dosing" not in set(counted.frame["variable"])
    assert denominators_not_stated(counted) == []


@pytest.mark.rule("CON-05", source="an empty answer")
def test_no_deviation_is_zero_and_no_domain_is_not_available(study):
    none = deviations.important(adam(), study, case.sdtm(DV=case.dv().iloc[:0]))
    assert value(none, "any") == 0 and value(none, "important: consent") == 0
    gone = deviations.important(adam(), study, case.sdtm(DV=None))
    assert status(gone, "any") == ("NA", "not available: no DV")
    listed = deviations.listed(adam(), study, case.sdtm(DV=None))
    assert status(listed, "records") == ("NA", "not available: no DV")


@pytest.mark.rule("CON-05", source="the class that the data give decides before the category")
@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"DVCLASI": "SIGNIFICANT", "DVCAT": "MINOR"}, "Y"),
        ({"DVIMP": "N", "DVCAT": "IMPORTANT"}, "N"),
        ({"DVCAT": "ELIGIBILITY"}, ""),
    ],
)
def test_importance_of_a_deviation(columns, expected):
    frame = pd.DataFrame([{"USUBJID": "A1", "DVSEQ": 1.0, "DVTERM": "late", **columns}])
    assert deviations.deviation_records(case.sdtm(DV=frame))["IMPORTANT"].tolist() == [expected]


@pytest.mark.rule("LST-01", source="days by hand")
def test_listing_of_deviations(study):
    result = deviations.listed(adam(), study, case.sdtm())
    assert records(result, "category", "description", "day", "importance", "action") == [
        ("A1", "imaging", "Scan two weeks late", 14, "Y", ""),
        ("A1", "imaging", "Scan not done", 45, "Y", ""),
        ("B2", "eligibility", "Age above the limit", -12, "Y", ""),
        ("B2", "other", "Questionnaire missing", 2, "N", ""),
        ("C3", "consent", "Consent on an old version", None, "unknown", ""),
        ("E5", "other", "Questionnaire missing", None, "N", ""),
    ]


@pytest.mark.rule("LST-03", source="ages 17 and 76 of the enrolled are outside 18 to 75")
def test_listing_of_eligibility_exceptions(study):
    ie = pd.DataFrame([{"USUBJID": "C3", "IESEQ": 4.0, "IETESTCD": "INCL04", "IETEST": "Platelets"}])
    result = deviations.exceptions(adam(), study, case.sdtm(IE=ie))
    assert records(result, "criterion", "detail") == [
        ("B2", "deviation", "Age above the limit"),
        ("B2", "age", "outside 18 to 75"),
        ("C3", "INCL04", "Platelets"),
        ("D4", "age", "outside 18 to 75"),
    ]
    places = set(map(tuple, result.links[["USUBJID", "SRCDOM", "SRCSEQ"]].astype(str).to_numpy()))
    assert {("C3", "IE", "4"), ("B2", "DV", "1"), ("D4", "DM", "None")} <= places


@pytest.mark.rule("LST-03", source="by hand")
def test_other_limits_of_the_study_are_looked_at(study):
    def limited(variable: str):
        own = EligibilityTable(other=(Condition(var=variable, op="==", value="F"),), age=(0, 100))
        return study.model_copy(update={"eligibility": own})

    result = deviations.exceptions(adam(), limited("SEX"), case.sdtm(DV=None))
    assert records(result, "criterion", "detail") == [
        ("B2", "limit", "not SEX == F"),
        ("C3", "limit", "not SEX == F"),
    ]
    with pytest.raises(StudyError, match="NOWHERE"):
        deviations.exceptions(adam(), limited("NOWHERE"), case.sdtm())
    nobody = study.model_copy(update={"eligibility": EligibilityTable(age=(0, 100))})
    none = deviations.exceptions(adam(), nobody, case.sdtm(DV=None))
    assert value(none, "records") == 0 and "no DV" in none.footnotes[-1]
    assert not deviations.exceptions(adam(), nobody, case.sdtm()).footnotes


@pytest.mark.rule("BASE-06", source="counted by hand")
@pytest.mark.parametrize(
    ("variable", "level", "people", "ongoing"),
    [
        ("condition", "", {"A1", "B2", "D4"}, {"A1", "B2"}),
        ("condition: Vascular disorders", "", {"A1", "B2"}, {"A1"}),
        ("condition: Vascular disorders", "Hypertension", {"A1", "B2"}, {"A1"}),
        ("condition: Hepatobiliary disorders", "Fatty liver", {"B2"}, {"B2"}),
        ("condition: NOT CODED", "odd feeling", {"D4"}, set()),
    ],
)
def test_medical_history(study, variable, level, people, ongoing):
    result = history.medical(adam(), study, case.sdtm())
    assert subjects(result, variable, "n", level=level) == people
    assert subjects(result, variable, "ongoing", level=level) == ongoing
    assert row(result, variable, "n", level=level)["N"] == 4
    assert "condition: Neoplasms" not in set(result.frame["variable"])


@pytest.mark.rule("BASE-06", source="order by hand: two participants, one, not coded last")
def test_classes_of_the_history_in_printed_order(study):
    result = history.medical(adam(), study, case.sdtm())
    order = [name for name in dict.fromkeys(result.frame["variable"]) if name.startswith("condition: ")]
    assert order == [
        "condition: Vascular disorders",
        "condition: Hepatobiliary disorders",
        "condition: NOT CODED",
    ]
    bare = history.medical(adam(), study, case.sdtm(MH=case.mh().drop(columns="MHENRTPT")))
    assert "ongoing" not in set(bare.frame["stat"])
    gone = history.medical(adam(), study, case.sdtm(MH=None))
    assert status(gone, "condition") == ("NA", "not available: no MH")


@pytest.mark.rule("BASE-07", source="counted by hand")
@pytest.mark.parametrize(
    ("variable", "level", "people"),
    [
        ("prior", "", {"A1"}),  # ended on the day before the first infusion
        ("prior: Antacid", "Omeprazole", {"A1"}),
        ("concomitant", "", {"A1", "B2"}),  # an end in the month of the first infusion may lie after it
        ("concomitant: Opioid", "Tramadol", {"A1", "B2"}),
        ("concomitant: CLASS NOT CODED", "Heparin", {"B2"}),  # C3 did not take it
    ],
)
def test_prior_and_concomitant_medication(study, variable, level, people):
    result = history.medication(adam(), study, case.sdtm())
    assert subjects(result, variable, "n", level=level) == people
    assert not {name for name in result.frame["variable"] if "Taxane" in name or "Platinum" in name}
    assert denominators_not_stated(result) == []


@pytest.mark.rule("BASE-07", source="an empty answer")
def test_without_medication_records(study):
    gone = history.medication(adam(), study, case.sdtm(CM=None))
    assert status(gone, "concomitant") == ("NA", "not available: no CM")
    assert status(history.medication_listed(adam(), study, case.sdtm(CM=None)), "records")[0] == "NA"
    none = history.medication(adam(), study, case.sdtm(CM=case.cm().iloc[:0]))
    assert value(none, "prior") == 0 and value(none, "concomitant") == 0


@pytest.mark.rule("LST-02", source="days by hand; two equal records are one row")
def test_listing_of_concomitant_medication(study):
    result = history.medication_listed(adam(), study, case.sdtm())
    assert records(result, "drug", "indication", "start", "end", "open", "records") == [
        ("A1", "Tramadol", "pain", -31, 30, "", 1),
        ("B2", "Heparin", "line", 2, 4, "", 1),
        ("B2", "Tramadol", "pain", 2, None, "ongoing", 2),
    ]
    linked = result.links[(result.links["USUBJID"] == "B2") & result.links["SRCSEQ"].isin(["2", "3"])]
    assert linked["result_id"].nunique() == 1


@pytest.mark.parametrize(
    ("texts", "kinds", "expected"),
    [
        (["A LATE SCAN", None, "X"], {"scan": ["SCAN"], "late": ["LATE"]}, ["scan", None, None]),
        (["LATE"], {"scan": ["SCAN"], "late": ["LATE"]}, ["late"]),
        (["S-1"], {"none": []}, [None]),
    ],
)
def test_the_first_kind_with_a_word_in_the_text(texts, kinds, expected):
    assert kind_of(pd.Series(texts, dtype=object), kinds).tolist() == expected


def test_texts_of_the_first_column_that_has_one():
    frame = pd.DataFrame({"A": [" x ", None, None], "B": ["y", "z", ""]})
    assert first_text(frame, ("NONE", "A", "B")).tolist() == ["X", "Z", None]
    assert own_text(frame, ("NONE", "A", "B"), "-").tolist() == ["x", "z", "-"]


def test_terms_by_falling_number_of_participants():
    frame = pd.DataFrame(
        [("1", "b", "u"), ("2", "b", "U"), ("1", "a", "v"), ("2", "a", "v"), ("3", "?", "w")],
        columns=["USUBJID", "CLASS", "NAME"],
    )
    assert by_frequency(frame, "CLASS", last="?") == ["a", "b", "?"]
    walked = [(variable, level, len(part)) for variable, level, part in terms_of(frame, "p", last="?")]
    assert walked == [
        ("p", "", 5),
        ("p: a", "", 2),
        ("p: a", "v", 2),
        ("p: b", "", 2),
        ("p: b", "U", 1),
        ("p: b", "u [2]", 1),
        ("p: ?", "", 1),
        ("p: ?", "w", 1),
    ]

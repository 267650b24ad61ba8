"""Prior anticancer therapy: lines, classes, procedures, the last line and the washout, counted by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.analysis import prior_therapy
from tests.analysis import participant_case as case
from tests.analysis.answers import denominators_not_stated, row, status, subjects, value
from tests.analysis.safety_case import adam, adsl
from tests.analysis.test_deviations_and_history import records


def people() -> pd.DataFrame:
    lines = {"A1": 2.0, "B2": 1.0, "C3": 0.0, "D4": 5.0}
    return adsl().assign(PRLINES=adsl()["USUBJID"].map(lines))


@pytest.fixture(scope="module")
def made(study):
    return prior_therapy.overview(adam(ADSL=people()), study, case.sdtm())


@pytest.mark.rule("BASE-05", source="counted by hand")
@pytest.mark.parametrize(
    ("variable", "level", "expected"),
    [
        ("line_number", "0", {"C3"}),
        ("line_number", "1", {"B2"}),
        ("line_number", "2", {"A1"}),
        ("line_number", "3", set()),
        ("line_number", ">=4", {"D4"}),
        ("class", "fluoropyrimidine", {"A1"}),
        ("class", "platinum", {"A1"}),
        ("class", "tki", {"A1"}),
        ("class", "checkpoint", set()),
        ("class", "rest", {"B2"}),
        ("liver", "ablation", {"A1"}),
        ("liver", "embolisation", set()),
        ("liver", "any", {"A1"}),
        ("other", "radiotherapy", {"C3"}),
        ("other", "surgery", set()),
        ("response", "SD", {"A1"}),
        ("response", "PR", set()),  # the response to an earlier line
        ("response", "Missing", {"B2", "C3", "D4"}),
        ("stop", "TOXICITY", {"A1"}),
        ("stop", "PROGRESSION", set()),
    ],
)
def test_participants_by_kind_of_prior_therapy(made, variable, level, expected):
    assert subjects(made, variable, "n", level=level) == expected
    assert row(made, variable, "n", level=level)["N"] == 4


@pytest.mark.rule("BASE-05", source="2, 1, 0 and 5 lines: median 1.5")
def test_number_of_lines(made):
    assert (value(made, "lines"), value(made, "lines", "median")) == (4, 1.5)
    assert (value(made, "lines", "min"), value(made, "lines", "max")) == (0, 5)
    assert denominators_not_stated(made) == []


@pytest.mark.rule(
    "BASE-05", source="A1: ablation up to 2024-12-31, 1 d; B2: 2024-12-30 to 2025-02-01, 33 d; C3: 2 d"
)
def test_days_of_washout_are_the_fewest_that_the_records_permit(made):
    assert value(made, "washout") == 3
    assert value(made, "washout", "min", group="DL1") == 1
    assert value(made, "washout", "max", group="DL2") == 33
    assert value(made, "washout", "min", group="DL2") == 2
    assert status(made, "washout", "median", group="NK only") == ("NE", "NO_DATA")


@pytest.mark.rule("BASE-05", source="an end in the month of the first infusion")
def test_a_partial_end_is_not_later_than_the_first_infusion(study):
    pr = case.pr().iloc[:1].assign(PRENDTC="2025-01")
    found = prior_therapy.overview(adam(ADSL=people()), study, case.sdtm(PR=pr, CM=None))
    assert value(found, "washout", "max") == 0


@pytest.mark.rule("BASE-05", source="an empty answer")
def test_what_the_data_do_not_hold_is_not_available(study):
    none = prior_therapy.overview(adam(), study, case.sdtm(CM=None, PR=None))
    for variable in ("class", "liver", "response", "stop", "washout"):
        assert status(none, variable)[0] == "NA"
    assert status(none, "lines") == ("NA", "not collected")
    bare = case.cm().drop(columns=["BESTRESP", "CMRSDISC"])
    found = prior_therapy.overview(adam(ADSL=people()), study, case.sdtm(CM=bare))
    assert status(found, "response") == status(found, "stop") == ("NA", "not collected")
    assert value(found, "class", level="platinum") == 1
    listed = prior_therapy.listed(adam(), study, case.sdtm(CM=None, PR=None))
    assert status(listed, "records")[0] == "NA"


@pytest.mark.rule("BASE-05", source="a participant without a number of lines")
def test_a_missing_number_of_lines_is_a_row(study):
    lines = adsl().assign(PRLINES=adsl()["USUBJID"].map({"A1": 2.0}))
    found = prior_therapy.overview(adam(ADSL=lines), study, case.sdtm())
    assert subjects(found, "line_number", "n", level="Missing") == {"B2", "C3", "D4"}
    assert "0" not in set(found.frame.loc[found.frame["variable"] == "line_number", "level"])


@pytest.mark.rule("LST-02", source="two drugs of one line are one row")
def test_listing_of_prior_therapy(study):
    result = prior_therapy.listed(adam(), study, case.sdtm())
    assert records(result, "line", "regimen", "response", "stop") == [
        ("A1", 1, "S-1 + Oxaliplatin", "PR", "PROGRESSION"),
        ("A1", 2, "Fruquintinib", "SD", "TOXICITY"),
        ("A1", None, "Microwave ablation", "", ""),
        ("B2", 1, "Mystery", "", ""),
        ("C3", None, "Pelvic radiotherapy", "", ""),
    ]
    both = result.links[(result.links["USUBJID"] == "A1") & (result.links["SRCDOM"] == "CM")]
    first = both["result_id"].iloc[0]
    assert both.loc[both["result_id"] == first, "SRCSEQ"].tolist() == ["1", "2"]

from __future__ import annotations

import pandas as pd
import pytest


def by_term(frame, term):
    return frame[frame["AETERM"] == term].iloc[0]


def change(mini, term, **values):
    row = mini["AE"].index[mini["AE"]["AETERM"] == term][0]
    for name, value in values.items():
        mini["AE"].loc[row, name] = value


def test_one_row_per_event_and_no_finding_in_clean_data(mini, mini_study, chain):
    derived = chain(mini, mini_study).adae()
    assert len(derived.frame) == len(mini["AE"])
    assert not derived.frame.duplicated(["USUBJID", "SRCSEQ"]).any()
    assert derived.findings == ()
    assert derived.rules == (
        ("AE-PARTIAL", "warn", "run"),
        ("DOSE-DLTDIFF", "warn", "run"),
        ("AE-DICT", "warn", "not run: the coding of the data stands"),
    )


@pytest.mark.rule("AE-03")
def test_an_event_is_emergent_for_each_product_on_its_own(mini, mini_study, chain):
    frame = chain(mini, mini_study).adae().frame
    flags = ["TRTEMFL", "TREMNKFL", "TREMCTFL"]
    assert by_term(frame, "Nausea")[flags].tolist() == ["Y", "Y", "N"]
    assert by_term(frame, "Cytokine release syndrome")[flags].tolist() == ["Y", "Y", "Y"]
    assert by_term(frame, "Anaemia")[["TREMCTFL", "TREMCTRS"]].tolist() == ["N", "TE-NOTRT"]
    assert by_term(frame, "Fatigue")[flags].tolist() == ["N", "N", "N"]


@pytest.mark.rule("AE-08")
def test_durations_and_ongoing_events(mini, mini_study, chain, mk):
    change(mini, "Sepsis", AEENDTC=None)
    change(
        mini, "Cytokine release syndrome", AESTDTC=mk.on("02", 12, "08:40"), AEENDTC=mk.on("02", 15, "07:10")
    )
    frame = chain(mini, mini_study).adae().frame
    wanted = {"Nausea": (3, 72, "N"), "Hepatic enzyme increased": (10, 240, "N"), "Sepsis": (5, 120, "Y")}
    for term, values in wanted.items():
        assert tuple(by_term(frame, term)[["ADURN", "ADURH", "AONGOFL"]]) == values
    assert tuple(by_term(frame, "Cytokine release syndrome")[["ADURN", "ADURH"]]) == (4, 71)
    assert (
        by_term(frame, "Anaemia")["ADURN"]
        == (pd.Timestamp("2025-06-30") - pd.Timestamp("2025-03-20")).days + 1
    )
    assert tuple(by_term(frame, "Cytokine release syndrome")[["AONSDY", "AONSINF"]]) == (13, 1)


@pytest.mark.rule("AE-04")
def test_a_partial_start_is_the_first_possible_day_but_not_before_the_first_infusion(mini, mini_study, chain):
    change(mini, "Nausea", AESTDTC="2025-01", AEENDTC="2025-01-15")
    derived = chain(mini, mini_study).adae()
    row = by_term(derived.frame, "Nausea")
    assert (f"{row['ASTDT']:%Y-%m-%d}", row["ASTDTF"], row["TRTEMFL"], row["TRTEMBFL"]) == (
        "2025-01-06",
        "D",
        "Y",
        "N",
    )
    (finding,) = derived.findings
    assert (finding.rule, finding.severity, finding.value) == ("AE-PARTIAL", "warn", "2025-01")
    assert "2025-01-01 to 2025-01-15, which decides: treatment emergence, phase;" in finding.message


@pytest.mark.rule("AE-04")
@pytest.mark.parametrize(
    ("text", "end", "decides"),
    [
        ("2025-03", None, {"treatment emergence", "phase", "DLT window"}),
        ("2025-03-14", None, set()),
        ("2025-04", None, {"treatment emergence", "phase"}),
        ("2025", "2025-01-20", set()),
    ],
)
def test_what_a_partial_start_decides(mini, mini_study, chain, text, end, decides):
    change(mini, "Hepatic enzyme increased", AESTDTC=text, AEENDTC=end)
    change(mini, "Hepatic enzyme increased", AEREL="NONE")
    mini.pop("SUPPAE")
    derived = chain(mini, mini_study).adae()
    found = [f for f in derived.findings if f.rule == "AE-PARTIAL"]
    assert {
        part for f in found for part in ("treatment emergence", "phase", "DLT window") if part in f.message
    } == decides


@pytest.mark.rule("AE-04")
def test_the_worst_of_the_possible_starts_decides_the_flag(mini, mini_study, chain):
    """All of February lies within 28 days of the last infusion; of the whole year most days do not."""
    change(mini, "Nausea", AESTDTC="2025-02", AEENDTC=None, AEREL="NONE")
    row = by_term(chain(mini, mini_study).adae().frame, "Nausea")
    assert (row["TRTEMFL"], row["TRTEMBFL"], row["TRTEMRS"]) == ("Y", "Y", "TE-ON")
    change(mini, "Nausea", AESTDTC="2025", AEENDTC=None)
    row = by_term(chain(mini, mini_study).adae().frame, "Nausea")
    assert (row["TRTEMFL"], row["TRTEMBFL"]) == ("Y", "N")


def test_an_event_without_any_date_is_emergent(mini, mini_study, chain):
    change(mini, "Nausea", AESTDTC=None, AEENDTC=None)
    row = by_term(chain(mini, mini_study).adae().frame, "Nausea")
    assert (row["TRTEMFL"], row["TRTEMRS"], row["APHASE"]) == ("Y", "TE-NOSTART", None)
    assert pd.isna(row["ADURN"])


def test_what_was_not_collected_is_no_column(mini, mini_study, chain):
    mini["AE"] = mini["AE"].drop(columns=["AETOXGR", "AEREL", "AEACN"])
    frame = chain(mini, mini_study).adae().frame
    assert not {"AETOXGRN", "RELNK", "RELCELL", "AEACN"} & set(frame)
    assert {"TRTEMFL", "CRSGR", "DLTFL"} <= set(frame)


def test_without_events_there_is_an_empty_dataset_with_all_columns(mini, mini_study, chain):
    full = chain(mini, mini_study).adae().frame
    mini["AE"] = mini["AE"].iloc[:0]
    empty = chain(mini, mini_study).adae()
    assert empty.frame.empty
    assert empty.findings == ()
    assert {"TRTEMFL", "DLTFL", "APHASE"} <= set(empty.frame) <= set(full)


def test_events_of_unknown_participants_are_left_out(mini, mini_study, chain):
    change(mini, "Nausea", USUBJID="MINI-99")
    assert len(chain(mini, mini_study).adae().frame) == len(mini["AE"]) - 1


def test_row_order_does_not_matter(mini, mini_study, chain):
    expected = chain(mini, mini_study).adae().frame
    for name in ("AE", "SUPPAE", "DM", "EX"):
        mini[name] = mini[name].sample(frac=1, random_state=5)
    pd.testing.assert_frame_equal(chain(mini, mini_study).adae().frame, expected)


@pytest.mark.rule("AE-10", source="by hand: a second nausea from day 1, within the first one of days 0 to 2")
@pytest.mark.parametrize(("lines", "same"), [("", False), ("[safety]\ncollapse_overlap = true\n", True)])
def test_overlapping_records_are_one_event_only_if_the_study_says_so(
    mini, study_with, chain, mk, lines, same
):
    first = mini["AE"][mini["AE"]["AETERM"] == "Nausea"].iloc[0]
    later = first.to_dict() | {"AESEQ": 90.0, "AETOXGR": "2", "AESTDTC": mk.on("01", 1)}
    mini["AE"] = pd.concat([mini["AE"], pd.DataFrame([later])], ignore_index=True)
    frame = chain(mini, study_with(lines)).adae().frame
    nausea = frame[frame["AETERM"] == "Nausea"]
    assert nausea["SRCSEQ"].tolist() == [nausea["SRCSEQ"].iloc[0], "90"]
    assert (nausea["AEPISSEQ"].nunique() == 1) == same
    assert frame.loc[frame["AETERM"] != "Nausea", "AEPISSEQ"].equals(
        frame.loc[frame["AETERM"] != "Nausea", "SRCSEQ"]
    )

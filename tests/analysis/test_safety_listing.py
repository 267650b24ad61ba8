"""Listings of safety, written out by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.analysis import patient, safety_listing
from interim.analysis.discordance_effect import effects_of
from interim.analysis.safety_listing import related_to
from interim.display.listing import table_listing
from tests.analysis import safety_case as case
from tests.analysis.answers import status, value
from tests.analysis.test_conduct import records


@pytest.mark.rule("LST-01", source="written by hand")
def test_listing_of_deaths(study):
    result = safety_listing.deaths(case.adam(), study)
    assert records(result, "dose", "tumour", "day", "day_cart", "cause", "related") == [
        ("B2", "DL2", "GASTRIC", 60, 35, "SEPSIS", "CAR-T"),
    ]
    without = safety_listing.deaths(case.adam(ADAE=None), study)
    assert records(without, "related") == [("B2", "")]


def _naming(study, *items):
    """Return the study with the names under which it collects autopsies."""
    return study.model_copy(update={"safety": study.safety.model_copy(update={"autopsy_items": items})})


@pytest.mark.rule(
    "SAF-53", source="no published name: nothing is taken for an autopsy that the study does not name"
)
def test_without_a_name_from_the_study_there_is_no_column_of_autopsies(study):
    frame = pd.DataFrame({"USUBJID": ["B2"], "DDTESTCD": ["AUTOPSY"], "DDORRES": ["Y"]}, dtype=object)
    assert study.safety.autopsy_items == ()
    result = safety_listing.deaths(case.adam(), study, case.sdtm(DD=frame))
    assert "autopsy" not in set(result.where(variable="record")["stat"])
    other = safety_listing.deaths(case.adam(), _naming(study, "DTHAUT"), case.sdtm(DD=frame))
    assert "autopsy" not in set(other.where(variable="record")["stat"])


def _autopsy(study, **domains):
    """Return what the listing says about the autopsy of the one who died; None without the column."""
    result = safety_listing.deaths(case.adam(), _naming(study, "AUTOPSY"), case.sdtm(**domains))
    there = "autopsy" in set(result.where(variable="record")["stat"])
    return records(result, "autopsy")[0][1] if there else None


def _supp(domain, name, answer):
    columns = {"USUBJID": ["B2"], "RDOMAIN": [domain], "IDVAR": [None], "IDVARVAL": [None]}
    return pd.DataFrame({**columns, "QNAM": [name], "QVAL": [answer]}, dtype=object)


@pytest.mark.rule("SAF-53", source="written by hand")
@pytest.mark.parametrize(
    ("tests", "shown"),
    [
        ([("B2", "AUTOPSY", "Y")], "yes"),
        ([("B2", "AUTOPSY", "N")], "no"),
        ([("B2", "AUTOPSY", "U")], "unknown"),
        ([("B2", "AUTOPSY", "N"), ("B2", "AUTOPSY", "Yes")], "yes"),
        ([("B2", "AUTOPSY", "sepsis found by Dr. Who")], "recorded"),
        ([("B2", "AUTOPSY", None)], ""),
        ([("A1", "AUTOPSY", "Y")], ""),
        ([("B2", "PRCDTH", "SEPSIS")], None),
        ([], None),
    ],
)
def test_the_autopsy_comes_from_the_tests_of_death(study, tests, shown):
    frame = pd.DataFrame(tests, columns=["USUBJID", "DDTESTCD", "DDORRES"], dtype=object)
    assert _autopsy(study, DD=frame) == shown


@pytest.mark.rule("SAF-53", source="written by hand")
def test_the_autopsy_may_be_a_variable_of_the_disposition_or_of_the_participant(study):
    ds = pd.DataFrame({"USUBJID": ["B2", "A1"], "DSSEQ": ["1", "1"], "AUTOPSY": ["N", None]}, dtype=object)
    assert _autopsy(study, DS=ds) == "no"
    assert _autopsy(study, DS=ds.drop(columns="AUTOPSY")) is None
    dm = pd.DataFrame({"USUBJID": ["A1", "B2"]}, dtype=object)
    assert _autopsy(study, DM=dm, SUPPDM=_supp("DM", "AUTOPSY", "Y")) == "yes"
    assert _autopsy(study, DM=dm, SUPPDM=_supp("DM", "RACEOTH", "Y")) is None


@pytest.mark.rule("SAF-53", source="every death has a narrative where there are events")
def test_the_listing_of_deaths_names_the_narrative(study):
    told = {str(item) for item in patient.narratives(case.adam(), study).where(variable="facts")["level"]}
    result = safety_listing.deaths(case.adam(), study)
    assert records(result, "narrative") == [("B2", "death")] and "B2" in told
    assert records(safety_listing.deaths(case.adam(ADAE=None), study), "narrative") == [("B2", "")]
    shown = table_listing(result, study)
    assert shown.rows[0].cells[-1].text == "N 14.3.3"


@pytest.mark.rule("LST-01", source="written by hand")
def test_listing_of_serious_and_other_significant_events(study):
    result = safety_listing.serious(case.adam(), study)
    assert records(
        result, "term", "grade", "onset", "end", "related", "serious", "dlt", "action", "outcome"
    ) == [
        ("A1", "Cytokine release syndrome", 2, 11, 14, "CAR-T", "yes", "no", "", "RECOVERED/RESOLVED"),
        ("B2", "Hepatic artery thrombosis", 3, 1, None, "procedure", "yes", "no", "", ""),
        ("B2", "Sepsis", 5, 58, 60, "CAR-T", "yes", "no", "", "FATAL"),
        ("C3", "Alanine aminotransferase increased", 3, 13, 20, "CAR-T", "no", "yes", "DRUG WITHDRAWN", ""),
        ("D4", "Fatigue", 2, 4, 9, "CAR-NK, CAR-T †", "yes", "no", "", ""),
    ]


@pytest.mark.rule("LST-01", source="written by hand")
def test_listing_of_all_events_shows_what_is_not_coded_and_not_emergent(study):
    result = safety_listing.adverse_events(case.adam(), study)
    found = records(result, "verbatim", "term", "grade", "onset", "related", "emergent")
    assert found == [
        ("A1", "Headache", "Headache", 1, -5, "not recorded", "no"),
        ("A1", "Nausea", "Nausea", 1, 2, "CAR-NK", "yes"),
        ("A1", "Cytokine release syndrome", "Cytokine release syndrome", 2, 11, "CAR-T", "yes"),
        ("B2", "Hepatic artery thrombosis", "Hepatic artery thrombosis", 3, 1, "procedure", "yes"),
        ("B2", "Nausea", "Nausea", 2, 12, "CAR-T", "yes"),
        ("B2", "Sepsis", "Sepsis", 5, 58, "CAR-T", "yes"),
        ("C3", "odd taste", "not coded", None, 5, "not recorded", "yes"),
        (
            "C3",
            "Alanine aminotransferase increased",
            "Alanine aminotransferase increased",
            3,
            13,
            "CAR-T",
            "yes",
        ),
        ("D4", "Procedural pain", "Procedural pain", 2, 0, "procedure", "yes"),
        ("D4", "Fatigue", "Fatigue", 2, 4, "CAR-NK, CAR-T †", "yes"),
    ]
    assert value(result, "records") == 10


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({}, "none"),
        ({"RELNK": "Y"}, "CAR-NK"),
        ({"RELNK": "Y", "RELOTH": "Y"}, "CAR-NK, other"),
        ({"RELLYMPHODEP": "Y", "RELPROC": "Y"}, "procedure, lymphodepletion"),
        ({"RELMISFL": "Y"}, "not recorded"),
        ({"RELMISFL": "Y", "RELIMPFL": "Y", "RELCART": "Y"}, "CAR-T †"),
    ],
)
def test_relation_in_words(flags, text):
    names = ("RELNK", "RELCART", "RELPROC", "RELLYMPHODEP", "RELOTH", "RELMISFL", "RELIMPFL")
    event = pd.DataFrame([{name: "N" for name in names} | flags])
    assert related_to(event).tolist() == [text]
    assert related_to(event[[]]).tolist() == ["not recorded"]


@pytest.mark.rule("LST-01", source="written by hand")
def test_listing_of_severe_results_names_the_event(study):
    result = safety_listing.severe_results(case.adam(), study)
    assert records(
        result, "parameter", "day", "value", "limit", "grade", "grade_uln", "baseline", "linked"
    ) == [
        ("A1", "NEUT", 15, 0.8, 2.0, 3, None, 4.0, "no event"),
        ("A1", "NEUT", 18, 0.4, 2.0, 4, None, 4.0, "no event"),
        ("B2", "NEUT", 15, 0.7, 2.0, 3, None, 3.0, "no event"),
        ("B2", "NEUT", 40, 0.6, 2.0, 3, None, 3.0, "no event"),
        ("C3", "ALT", 13, 480.0, 40.0, 3, 3, 90.0, "Alanine aminotransferase increased"),
        ("C3", "ALT", 70, 470.0, 40.0, 3, 3, 90.0, "no event"),
    ]


@pytest.mark.rule("LST-01", source="labs.ae_link_days is 7")
@pytest.mark.parametrize(
    ("onset", "end", "linked"),
    [(13, 20, True), (20, 25, True), (21, 25, False), (1, 6, True), (1, 5, False), (None, None, False)],
)
def test_an_event_within_the_days_explains_a_result(study, onset, end, linked):
    adae = case.adae()
    mine = adae["AEDECOD"] == "Alanine aminotransferase increased"
    adae.loc[mine, "ASTDT"] = case.at("C3", onset)
    adae.loc[mine, "AENDT"] = case.at("C3", end)
    result = safety_listing.severe_results(case.adam(ADAE=adae), study)
    found = [item[2] for item in records(result, "day", "linked") if item[:2] == ("C3", 13)]
    assert found == ["Alanine aminotransferase increased" if linked else "no event"]


@pytest.mark.rule("LST-01", source="written by hand")
@pytest.mark.parametrize(
    ("term", "linked"),
    [
        ("Neutropenia", True),
        ("Neutrophil count decreased", True),
        ("NEUTROPHIL COUNT DECREASED", True),
        ("Nausea", False),
        (None, False),
    ],
)
def test_another_name_of_the_criterion_counts(study, term, linked):
    adae = case.adae()
    mine = adae["AEDECOD"] == "Cytokine release syndrome"
    adae.loc[mine, "AEDECOD"] = term
    result = safety_listing.severe_results(case.adam(ADAE=adae), study)
    found = {item[2] for item in records(result, "day", "linked") if item[0] == "A1"}
    assert found == {term if linked else "no event"}


@pytest.mark.rule("LST-01", source="day 11 to the cut-off on day 180, or to death on day 60")
@pytest.mark.parametrize(("who", "days"), [("A1", ">= 170"), ("B2", ">= 50")])
def test_an_episode_without_an_end_lasted_at_least_until_death_or_cut_off(study, who, days):
    first = case.adtox().loc[lambda f: (f["USUBJID"] == "A1") & (f["PARAMCD"] == "CRS")].head(1)
    still = first.assign(USUBJID=who, ASTDT=case.at(who, 11), AENDT=pd.NaT, ADURN=float("nan"))
    result = safety_listing.episodes(case.adam(ADTOX=still), study)
    assert records(result, "duration") == [(who, days)]


@pytest.mark.rule("LST-01", source="written by hand")
def test_listing_of_episodes(study):
    result = safety_listing.episodes(case.adam(), study)
    columns = (
        "kind",
        "onset",
        "latest",
        "duration",
        "ctcae",
        "astct",
        "derived_ctcae",
        "derived_astct",
        "treatment",
        "outcome",
    )
    reported = case.adtox().loc[lambda f: (f["USUBJID"] == "A1") & (f["REPFL"] == "Y"), "SRCSEQ"].iloc[0]
    said = case.adae().loc[lambda f: (f["USUBJID"] == "A1") & (f["SRCSEQ"] == reported), "AEOUT"].iloc[0]
    assert records(result, *columns) == [
        ("A1", "CRS", 11, 1, "4", 2, 2, "1", "1", "tocilizumab", said or ""),
        ("C3", "CRS", 12, 2, "1", None, None, "2", "2", "none", ""),
    ]
    ended = safety_listing.episodes(
        case.adam(ADAE=case.adae().assign(AEOUT="NOT RECOVERED/NOT RESOLVED")), study
    )
    assert records(ended, "outcome") == [("A1", "NOT RECOVERED/NOT RESOLVED"), ("C3", "")]
    assert records(safety_listing.episodes(case.adam(ADAE=None), study), "outcome") == [
        ("A1", ""),
        ("C3", ""),
    ]


@pytest.mark.rule("SAF-47")
def test_the_listing_of_events_marks_an_ambiguous_phase(study):
    adae = case.adae()
    doubtful = adae.index == adae.index[1]
    adae = adae.assign(
        APHASE="NK", APHAMBFL=pd.Series(doubtful, index=adae.index).map({True: "Y", False: "N"})
    )
    result = safety_listing.adverse_events(case.adam(ADAE=adae), study)
    found = records(result, "phase", "phase_doubt")
    assert {item[1] for item in found} == {"NK"}
    assert [item[2] for item in found].count("AMBIGUOUS_PHASE") == 1
    shown = table_listing(result, study)
    heads = [head.text for head in shown.header[0]]
    place = heads.index("Phase unclear")
    assert sorted({line.cells[place].text for line in shown.rows}) == ["yes", "–"]
    assert shown.rows[0].cells[heads.index("Phase")].text == "CAR-NK"


@pytest.mark.rule("SAF-30", source="written by hand")
def test_discordance_puts_effects_on_the_trigger_first(study):
    result = safety_listing.discordance(case.adam(), study)
    columns = ("kind", "reported", "scale", "derived_astct", "direction", "missing", "effect", "flags")
    assert records(result, *columns) == [
        ("A1", "CRS", 2, "CTCAE v5.0", "1", "HIGHER", "", "trigger", ""),
        ("C3", "CRS", None, "CTCAE v5.0", "2", "UNREPORTED", "", "trigger", ""),
        ("A1", "ICAHT", None, "consensus", "3", "UNREPORTED", "", "none", "GCSF"),
        ("B2", "IECHS", None, "consensus", "SCREEN_POSITIVE", "UNREPORTED", "ANC", "none", ""),
        ("D4", "GVHD", None, "consensus", "1 to 3", "UNREPORTED", "ANC", "none", "LIVER_CONFOUNDED"),
    ]


def _episode(**changed):
    """Return ADTOX with one episode: C3, day 12, nothing reported, derived grade 2 on both scales."""
    first = case.adtox().loc[lambda f: (f["USUBJID"] == "C3") & (f["PARAMCD"] == "CRS")].head(1)
    return first.assign(DIRC="LOWER", **changed)


ALL = "A:ABC B:ABC C:ABC D:ABC E:ABC"


@pytest.mark.rule("SAF-51", source="spec/immune-toxicity.md, sections 9 and 10; written by hand")
@pytest.mark.parametrize(
    ("changed", "effect", "readings"),
    [
        ({}, "trigger", ALL),
        ({"REPFL": "Y", "REPGRC": 2.0, "REPGRA": 2.0}, "none", ""),
        ({"REPFL": "Y", "REPGRC": 1.0, "REPGRA": 1.0}, "trigger", ALL),
        # CTCAE 2 and ASTCT 1 by the signs, both 1 by the report: only ASTCT alone does not change.
        ({"REPFL": "Y", "REPGRC": 1.0, "REPGRA": 1.0, "ASTHI": 1.0}, "trigger", ALL.replace("B", "").replace(" :", " B:")),
        # CTCAE agrees on 1, ASTCT does not: nothing under the reading in force.
        ({"REPFL": "Y", "REPGRC": 1.0, "REPGRA": 1.0, "CTCHI": 1.0}, "other readings", "A:BC B:BC C:BC D:BC E:BC"),
        # The NK phase does not count under definition E.
        ({"APHASE": "NK"}, "trigger", "A:ABC B:ABC C:ABC D:ABC"),
        ({"APHASE": "POST"}, "none", ""),
        # Reported grade without assessments: the derived side has nothing.
        ({"REPFL": "Y", "REPGRC": 2.0, "REPGRA": 2.0, "CTCHI": None, "ASTHI": None}, "trigger", ALL),
        # Grade 3 against 2 leaves the trigger and makes a DLT; against nothing it does both.
        ({"REPFL": "Y", "REPGRC": 3.0, "REPGRA": 3.0}, "DLT", ""),
        ({"REPFL": "Y", "REPGRC": 3.0, "REPGRA": 3.0, "CTCHI": 1.0, "ASTHI": 1.0}, "trigger, DLT", ALL),
        ({"PARAMCD": "ICANS", "ASTHI": 3.0}, "DLT", ""),
        ({"PARAMCD": "ICANS", "ASTHI": 2.0}, "none", ""),
        ({"PARAMCD": "ICAHT", "ASTHI": 4.0}, "none", ""),
    ],
)  # fmt: skip
def test_what_a_different_grade_changes(study, changed, effect, readings):
    episode = _episode(**changed).astype(dict.fromkeys(("REPGRC", "REPGRA", "CTCHI", "ASTHI"), "float64"))
    result = safety_listing.discordance(case.adam(ADTOX=episode), study)
    assert records(result, "effect", "readings") == [("C3", effect, readings)]


def _reported_crs(**event):
    """Return ADAE with one event of C3, related and short of the 72 hours unless told otherwise."""
    frame = case.adae().assign(HAEMFL="N", ADURH=24.0, CRSGR=float("nan"), ICANSGR=float("nan"))
    first = frame[frame["USUBJID"] == "C3"].head(1)
    return first.assign(**{"SRCSEQ": "77", "RELCELL": "Y", **event})


@pytest.mark.rule("SAF-51", source="DLT rules of relation and duration; written by hand")
@pytest.mark.parametrize(
    ("event", "reported", "derived", "effect"),
    [
        ({"ADURH": 96.0}, 2, 3, True),
        ({"ADURH": 72.0}, 2, 3, False),
        ({"ADURH": 96.0, "RELCELL": "N"}, 2, 3, False),
        ({"ADURH": 96.0, "HAEMFL": "Y"}, 2, 3, False),
        ({"ADURH": 96.0}, 3, 4, False),
        ({"ADURH": 96.0}, 3, 2, True),
        ({"SRCSEQ": "78", "ADURH": 96.0}, 2, 3, False),
    ],
    ids=["longer", "not longer", "unrelated", "blood", "both", "withdrawn", "another event"],
)
def test_a_dlt_rule_on_relation_and_duration_is_asked_with_the_derived_grade(
    study, event, reported, derived, effect
):
    rules = tuple(rule for rule in study.dose.dlt_rules if rule.id in ("DLT-NONHAEM", "DLT-G5"))
    assert len(rules) == 2
    alone = study.model_copy(update={"dose": study.dose.model_copy(update={"dlt_rules": rules})})
    episode = _episode(REPFL="Y", REPGRC=float(reported), REPGRA=2.0, ASTHI=2.0, CTCHI=float(derived))
    adae = _reported_crs(**{"AETOXGRN": float(reported), **event})
    adam = case.adam(ADTOX=episode.assign(SRCSEQ="77"), ADAE=adae)
    found = effects_of(episode.assign(SRCSEQ="77"), adam, alone)
    assert ("DLT" in found["EFFECT"].iloc[0]) is effect
    without = case.adam(ADTOX=episode, ADAE=adae.drop(columns=["RELCELL"]))
    assert effects_of(episode.assign(SRCSEQ="77"), without, alone)["EFFECT"].tolist() == ["none"]


@pytest.mark.rule("SAF-51", source="window of C3 by hand")
@pytest.mark.parametrize(
    ("start", "end", "effect"),
    [(10, 24, "trigger, DLT"), (13, 24, "trigger"), (10, 11, "none"), (None, None, "trigger")],
)
def test_the_window_bounds_the_effect(study, start, end, effect):
    window = pd.DataFrame(
        {"USUBJID": ["C3"], "DLTWSDT": [case.at("C3", start)], "DLTWEDT": [case.at("C3", end)]}
    ).astype({"DLTWSDT": "datetime64[ns]", "DLTWEDT": "datetime64[ns]"})
    episode = _episode(CTCHI=3.0, ASTHI=3.0)
    result = safety_listing.discordance(case.adam(ADTOX=episode, ADDLT=window), study)
    assert records(result, "effect") == [("C3", effect)]


@pytest.mark.rule("SAF-51", source="written by hand")
def test_discordance_names_the_event_and_its_query(study):
    queries = pd.DataFrame(
        {
            "USUBJID": ["A1", "A1", "C3", "A1"],
            "QDOMAIN": ["AE", "AE", "AE", "LB"],
            "QKEY": ["AESEQ=1", "AESEQ=1", "AESEQ=1", "LBSEQ=1"],
            "QSTATUS": ["CLOSED", "OPEN", "OPEN", "OPEN"],
        }
    )

    def found(frame):
        result = safety_listing.discordance(case.adam(), study, case.sdtm(QUERY=frame))
        return [item[1:] for item in records(result, "event", "status") if item[0] == "A1"]

    assert found(queries) == [("AE 1", "query open"), ("", "no query")]
    assert found(queries.head(1)) == [("AE 1", "query closed"), ("", "no query")]
    assert found(queries.tail(2)) == [("AE 1", "no query"), ("", "no query")]
    plain = safety_listing.discordance(case.adam(), study)
    assert {item[1] for item in records(plain, "status")} == {""}


@pytest.mark.rule("SDQ-07")
def test_the_query_key_of_an_unreported_episode_names_its_study_day(study):
    episode = _episode(QUERYKEY=f"C3/CRS/{case.at('C3', 12):%Y-%m-%d}")
    result = safety_listing.discordance(case.adam(ADTOX=episode), study)
    assert records(result, "query") == [("C3", "C3/CRS/day 12")]


@pytest.mark.rule("LST-01", source="50 / 20 and 480 / 40, 480 / 90")
def test_listing_of_the_liver_panel(study):
    result = safety_listing.liver(case.adam(), study)
    assert records(result, "day", "window", "alt", "alt_base", "bili", "bili_base") == [
        ("A1", 12, "4-14", 0.75, 1.5, None, None),
        ("B2", 12, "4-14", None, None, 2.5, 5.0),
        ("C3", 13, "4-14", 12.0, pytest.approx(480 / 90), None, None),
        ("C3", 70, "15+", 11.75, pytest.approx(470 / 90), None, None),
    ]


@pytest.mark.rule("LST-01", source="values of the case; a value in another unit has no place under the head")
def test_the_liver_panel_has_values_and_says_why_a_multiple_is_missing(study):
    adlb = case.adlb().assign(AVALU="U/L")
    base = adlb[(adlb["USUBJID"] == "C3") & (adlb["PARAMCD"] == "ALT")]
    inr = base.assign(PARAMCD="INR", AVAL=1.3, AVALU="ratio", ABLFL=None)
    result = safety_listing.liver(case.adam(ADLB=pd.concat([adlb, inr], ignore_index=True)), study)
    found = {item[:2]: item[2:] for item in records(result, "day", "alt_value", "inr_value", "why")}
    assert found["C3", 13] == (480.0, 1.3, "")
    assert found["A1", 12][1] is None
    other = safety_listing.liver(case.adam(ADLB=adlb.assign(AVALU="ukat/L")), study)
    assert {item[2] for item in records(other, "day", "alt_value")} == {None}
    assert ("C3", 13, 12.0) in records(other, "day", "alt"), "a multiple does not depend on the unit"
    bare = safety_listing.liver(case.adam(ADLB=adlb.assign(ANRHI=float("nan"))), study)
    assert {item[2] for item in records(bare, "day", "why")} == {"ULN_MISSING"}
    shown = table_listing(bare, study)
    assert {line.cells[-1].text for line in shown.rows} == {"no upper limit"}
    first = safety_listing.liver(case.adam(ADLB=adlb.assign(BASE=float("nan"))), study)
    assert {item[2] for item in records(first, "day", "why")} == {"BASELINE_MISSING"}


@pytest.mark.parametrize(
    "name", ["serious", "adverse_events", "severe_results", "episodes", "discordance", "liver"]
)
def test_without_its_dataset_a_listing_says_so(study, name):
    absent = case.adam(ADAE=None, ADLB=None, ADTOX=None)
    found = status(getattr(safety_listing, name)(absent, study), "records")
    assert found[0] == "NA" and found[1].startswith("not available: no AD")


@pytest.mark.rule("PRV-43")
def test_the_report_of_an_event_is_a_study_day_not_a_date():
    adae = pd.DataFrame({"AERPTDTC": ["2026-01-10", "2026-01-10T08:30", "2026-01", None, "soon"]})
    found = safety_listing._with_report(adae)["AERPTDT"]
    assert found.isna().tolist() == [False, False, True, True, True]
    assert set(found.dropna()) == {pd.Timestamp("2026-01-10")}
    assert safety_listing._with_report(pd.DataFrame({"USUBJID": ["S1"]}))["AERPTDT"].isna().all()

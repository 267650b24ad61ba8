"""Maturity, products, deviations of dose and the listings of the conduct, counted by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.analysis import conduct, conduct_listing, disposition
from interim.analysis.conduct import plain
from interim.display.by_dose import table_by_dose
from interim.display.listing import table_listing
from tests.analysis import safety_case as case
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.test_special_interest import _without, counted


@pytest.mark.rule("CON-01", source="days from the first infusion to 2025-06-30, death on day 60")
def test_follow_up_ends_at_death_or_cut_off(study):
    result = conduct.maturity(case.adam(), study)
    assert value(result, "population", "N") == 5
    assert value(result, "follow_up", "n") == 4
    assert value(result, "follow_up", "max", group="DL1") == 180
    assert value(result, "follow_up", "min", group="DL2") == 60
    assert value(result, "follow_up", "max", group="DL2") == 121
    assert value(result, "follow_up", "median", group="NK only") == 90


@pytest.mark.rule(
    "CON-01", source="the cut-off is 149 days after the first infusion of B2, who died on day 60"
)
def test_the_time_to_the_cut_off_is_that_of_the_dead_too(study):
    result = conduct.maturity(case.adam(), study)
    assert (value(result, "potential", "max", group="DL2"), value(result, "potential", "n")) == (149, 4)
    assert (value(result, "potential", "min"), value(result, "potential", "max")) == (90, 180)
    assert row(result, "followed", "n", level="28", group="DL2")["N"] == 3


@pytest.mark.rule("CON-01", source="counted by hand")
@pytest.mark.parametrize(
    ("variable", "level", "people"),
    [
        ("followed", "28", (1, 2, 1, 4)),
        ("followed", "60", (1, 2, 1, 4)),
        ("followed", "120", (1, 2, 0, 3)),
        ("followed", "180", (1, 0, 0, 1)),
        ("window", "", (1, 2, 0, 3)),
        ("scan", "", (1, 1, 0, 2)),
        ("on_study", "", (1, 1, 1, 3)),
    ],
)
def test_maturity_by_dose(study, variable, level, people):
    assert counted(conduct.maturity(case.adam(), study), variable, level) == people


def test_a_flag_that_was_not_derived_is_named(study):
    bare = case.adsl().drop(columns=["POSTFL"])
    assert status(conduct.maturity(case.adam(ADSL=bare), study), "scan") == ("NA", "not derived: POSTFL")


def _sourced():
    """C3 received autologous NK cells; E5 received none."""
    source = case.adsl()["USUBJID"].map({"A1": "UCB", "B2": "UCB", "C3": "AUTO", "D4": "UCB"})
    return case.adam(ADSL=case.adsl().assign(NKSRC=source))


@pytest.fixture(scope="module")
def made(study):
    return conduct.manufacture(_sourced(), study, case.sdtm())


@pytest.mark.rule("CON-02", source="counted by hand")
@pytest.mark.parametrize(
    ("step", "nk", "t", "total"),
    [
        ("apheresis", set(), {"A1", "B2", "D4"}, {"A1", "B2", "D4"}),
        ("started", set(), {"A1", "B2"}, {"A1", "B2"}),
        ("released", {"E5"}, {"A1", "B2"}, {"A1", "B2", "E5"}),
        ("failed", set(), {"D4"}, {"D4"}),
        ("out_of_specification", set(), set(), set()),
        ("repeated", set(), {"B2"}, {"B2"}),
        ("given", {"A1", "B2", "C3", "D4"}, {"A1", "B2", "C3"}, {"A1", "B2", "C3", "D4"}),
        ("released_not_given", {"E5"}, set(), {"E5"}),
    ],
)
def test_steps_of_manufacturing_by_product(made, step, nk, t, total):
    columns = {"CARNK: UCB": {"A1", "B2", "D4"}, "CARNK: AUTO": {"C3"}, "CARNK: NONE": {"E5"}}
    for group, people in columns.items():
        assert subjects(made, step, "n", group=group) == nk & people
        assert row(made, step, "n", group=group)["N"] == len(people)
    for group, expected in (("CART", t), ("Total", total)):
        assert subjects(made, step, "n", group=group) == expected
        assert row(made, step, "n", group=group)["N"] == 5


@pytest.mark.rule("CON-02", source="E5 has no infusion; B2 has one without a source")
def test_who_was_never_infused_does_not_stand_among_those_without_a_source(study):
    source = case.adsl()["USUBJID"].map({"A1": "UCB", "C3": "AUTO", "D4": "UCB"})
    made = conduct.manufacture(case.adam(ADSL=case.adsl().assign(NKSRC=source)), study, case.sdtm())
    assert row(made, "given", "n", group="CARNK: MISSING")["N"] == 1
    assert subjects(made, "given", "n", group="CARNK: MISSING") == {"B2"}
    assert subjects(made, "released", "n", group="CARNK: NONE") == {"E5"}
    heads = [cell.text for line in table_by_dose(made, study).header for cell in line]
    assert any("Source not recorded" in text for text in heads)
    assert any("No infusion" in text for text in heads)


@pytest.mark.rule("CON-02", source="BE has no variable for it; no therapy is planned")
def test_what_the_data_cannot_say_of_manufacturing_is_a_row(made):
    assert status(made, "failure_reason") == ("NA", "not collected: reason of a manufacturing failure")
    assert status(made, "bridging")[0] == "NA"


@pytest.mark.rule(
    "CON-02", source="apheresis of B2 on 20 January and CAR-T on 11 February; of D4 on 20 March, no CAR-T"
)
@pytest.mark.parametrize(
    ("subject", "day", "counted_in"),
    [
        ("B2", "2025-01-19", set()),
        ("B2", "2025-01-20", {"B2"}),
        ("B2", "2025-02-12", set()),
        ("D4", "2025-05-01", {"D4"}),
        ("C3", "2025-03-02", set()),
    ],
)
def test_bridging_lies_between_apheresis_and_infusion(study, subject, day, counted_in):
    planned = study.model_copy(
        update={"study": study.study.model_copy(update={"planned_therapies": ("Fludarabine",)})}
    )
    cm = case.table(
        "USUBJID CMTRT CMDECOD CMSTDTC", [(subject, "x", "FLUDARABINE", day), ("A1", "y", None, day)]
    )
    result = conduct.manufacture(_sourced(), planned, case.sdtm(CM=cm))
    for group in ("CART", "Total"):
        assert subjects(result, "bridging", "n", group=group) == counted_in
    assert subjects(result, "bridging", "n", group="CARNK: UCB") == set()


@pytest.mark.rule("FLOW-01", source="counted by hand; the release of E5 is one of NK cells")
@pytest.mark.parametrize(
    ("step", "people"),
    [
        ("apheresis", {"A1", "B2", "D4"}),
        ("released", {"A1", "B2"}),
        ("failed", {"D4"}),
        ("out_of_specification", set()),
    ],
)
def test_manufacturing_in_the_flow_of_participants(study, step, people):
    flow = disposition.participant_flow(case.adam(), study, case.sdtm())
    assert subjects(flow, "manufacture", "n", level=step) == people
    assert row(flow, "manufacture", "n", level=step)["N"] == 5


@pytest.mark.rule("FLOW-01", source="an empty answer")
def test_a_flow_without_manufacturing_records_says_so(study, arms):
    text = "not available: no manufacturing records of a T-cell product"
    assert status(disposition.participant_flow(case.adam(), study), "manufacture") == ("NA", text)
    assert status(disposition.participant_flow(case.adam(), study, _without("BE")), "manufacture")[0] == "NA"
    assert status(disposition.participant_flow(case.adam(), arms, case.sdtm()), "manufacture")[0] == "NA"


def _ended():
    """A1 completed the treatment; B2 first seemed to, then stopped for an event; C3 left the study, which is no end of treatment."""
    ds = case.table(
        "USUBJID DSCAT DSSCAT DSDECOD DSSTDTC",
        [
            ("A1", "DISPOSITION EVENT", "STUDY TREATMENT", "COMPLETED", "2025-02-01"),
            ("B2", "DISPOSITION EVENT", "STUDY TREATMENT", "ADVERSE EVENT", "2025-03-02"),
            ("B2", "DISPOSITION EVENT", "STUDY TREATMENT", "COMPLETED", "2025-03-01"),
            ("C3", "DISPOSITION EVENT", "STUDY", "LOST TO FOLLOW-UP", "2025-04-01"),
            ("C3", "PROTOCOL MILESTONE", None, "INFORMED CONSENT OBTAINED", "2025-01-01"),
        ],
    )
    return case.sdtm(DS=ds)


@pytest.mark.rule("FLOW-01", source="counted by hand: the last record of the treatment counts")
def test_the_end_of_treatment_is_not_that_of_the_study(study):
    flow = disposition.participant_flow(case.adam(), study, _ended())
    shown = {level: subjects(flow, "treatment", "n", level=level) for level in ("COMPLETED", "ADVERSE EVENT")}
    assert shown == {"COMPLETED": {"A1"}, "ADVERSE EVENT": {"B2"}}
    assert set(flow.frame.loc[flow.frame["variable"] == "treatment", "level"]) == set(shown)
    none = disposition.participant_flow(case.adam(), study, _without("DS"))
    assert status(none, "treatment") == ("NA", "not collected: end of treatment")


@pytest.mark.rule("CON-03", source="counted by hand")
def test_treatment_that_ended_early_has_its_reason(study):
    result = conduct.delays(case.adam(), study, _ended())
    assert subjects(result, "ended", "n") == subjects(result, "ended", "n", level="ADVERSE EVENT") == {"B2"}
    assert "COMPLETED" not in set(result.frame["level"])


@pytest.mark.rule("CON-02", source="2024-12-20 to 2025-01-11 and 2025-01-20 to 2025-02-11")
def test_days_from_apheresis_to_the_first_infusion(made):
    assert value(made, "vein_to_vein", "n", group="CART") == 2
    assert value(made, "vein_to_vein", "median", group="CART") == 22
    assert row(made, "vein_to_vein", "median", group="CARNK: UCB")["status"] == "NE"


@pytest.mark.rule(
    "CON-07", source="counted by hand; a product released for E5, who received none, is no infused product"
)
def test_attributes_of_the_products(study):
    result = conduct.attributes(_sourced(), study, case.sdtm())
    groups = list(dict.fromkeys(result.frame["group"]))
    assert groups == ["CARNK: UCB", "CARNK: AUTO", *(f"CART: DL{level}" for level in (1, 2, 3, 4))]
    shown = {
        g: (value(result, "VIABIL", "n", group=g), row(result, "VIABIL", "n", group=g)["n"]) for g in groups
    }
    assert shown == {
        "CARNK: UCB": (1, 1),
        "CARNK: AUTO": (0, 0),
        "CART: DL1": (1, 1),
        "CART: DL2": (1, 1),
        "CART: DL3": (0, 0),
        "CART: DL4": (0, 0),
    }
    sizes = [value(result, "population", "N", group=g) for g in groups]
    assert sizes == [3, 1, 1, 2, 0, 0]
    assert value(result, "VIABIL", "median", group="CART: DL1") == 90
    assert value(result, "VIABIL", "median", group="CART: DL2") == 80
    assert value(result, "RESIDT", "median", group="CARNK: UCB") == 0.5
    assert value(result, "RESIDT", "n", group="CART: DL1") == 0


@pytest.mark.rule("CON-07", source="the planned attributes have a row each, also those that nobody recorded")
def test_planned_attributes_that_were_not_recorded_are_rows(study):
    result = conduct.attributes(_sourced(), study, case.sdtm())
    for test in ("VCN", "CD4CD8", "ENDOTOX", "STERIL", "RCL", "PRODFORM"):
        assert status(result, test, group="CART: DL1") == ("NA", "not collected")
    assert "VIABIL" not in set(result.frame.loc[result.frame["status"] == "NA", "variable"])


def test_without_records_the_products_are_not_available(study):
    assert (
        status(conduct.manufacture(case.adam(), study, _without("BE")), "released")[1]
        == "not available: no BE"
    )
    bare = conduct.attributes(case.adam(), study, _without("BS"))
    assert status(bare, "VIABIL", group="CART: DL1")[1] == "not available: no BS"
    assert "CARNK: MISSING" in set(bare.frame["group"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CAR-NK", "CARNK"),
        ("car nk", "CARNK"),
        ("CARNK", "CARNK"),
        ("CAR-T", "CART"),
        (None, ""),
        (float("nan"), ""),
    ],
)
def test_names_of_one_product_are_compared_by_letters(text, expected):
    assert plain(text) == expected


@pytest.mark.rule("CON-03", source="counted by hand")
@pytest.mark.parametrize(
    ("variable", "level", "people"),
    [
        ("no_cart", "", (0, 0, 1, 1)),
        ("no_cart", "MANUFACTURING", (0, 0, 1, 1)),
        ("missed", "NK", (0, 0, 0, 0)),
        ("missed", "CART_C1", (0, 1, 0, 1)),
        ("missed", "CART_C2", (0, 0, 0, 0)),
        ("not_done", "", (0, 1, 0, 1)),
        ("not_done", "ADVERSE EVENT", (0, 1, 0, 1)),
        ("adjusted", "", (1, 0, 0, 1)),
        ("adjusted", "PARTIAL THAW", (1, 0, 0, 1)),
        ("outside", "0.1", (1, 1, 0, 2)),
        ("outside", "0.2", (0, 1, 0, 1)),
    ],
)
def test_deviations_of_infusions(study, variable, level, people):
    assert counted(conduct.delays(case.adam(), study, case.sdtm()), variable, level) == people


@pytest.mark.rule("CON-03", source="no such infusion, hence no reason of one")
def test_without_a_deviation_no_reason_is_shown(study):
    ex = case.sdtm().domain("EX").assign(EXOCCUR="Y", EXADJ=None)
    frame = conduct.delays(case.adam(), study, case.sdtm(EX=ex)).frame
    shown = frame[frame["variable"].isin(["not_done", "adjusted"])]
    assert set(shown["level"]) == {""} and set(shown["n"]) == {0}


def test_without_planned_infusions_the_deviations_are_not_available(study):
    result = conduct.delays(case.adam(ADEX=case.adex().drop(columns="PLANDOSE")), study, case.sdtm())
    assert status(result, "missed") == ("NA", "not available: planned infusions")


def records(result, *stats):
    """Return the listed columns of every record."""
    frame = result.frame[result.frame["variable"] == "record"]
    table = []
    for level in dict.fromkeys(frame["level"]):
        cells = frame[frame["level"] == level].set_index("stat")
        line = []
        for stat in ("participant", *stats):
            cell = cells.loc[stat]
            line.append(
                cell["text"]
                if cell["text"] is not None
                else None
                if cell["status"] == "NA"
                else cell["value"]
            )
        table.append(tuple(line))
    return table


@pytest.mark.rule("LST-01", source="written by hand")
def test_listing_of_disposition(study):
    result = conduct_listing.disposition(case.adam(), study)
    assert records(
        result, "dose", "first_nk", "first_cart", "last", "no_cart", "end", "status", "reason"
    ) == [
        ("A1", "DL1", 0, 10, 11, "", None, "ONGOING", ""),
        ("B2", "DL2", 0, 10, 25, "", 60, "DISCONTINUED", "DEATH"),
        ("C3", "DL2", 0, 10, 11, "", None, "ONGOING", ""),
        ("D4", "NK only", 0, None, 1, "MANUFACTURING", None, "ONGOING", ""),
        ("E5", "DL2", None, None, None, "", None, "DISCONTINUED", "WITHDRAWAL BY SUBJECT"),
    ]


@pytest.mark.rule("LST-01", source="written by hand")
def test_listing_of_disposition_has_the_end_of_treatment_and_says_that_no_version_of_the_consent_is_there(
    study,
):
    ends = pd.DataFrame(
        {
            "USUBJID": ["A1", "B2", "B2"],
            "DSCAT": "DISPOSITION EVENT",
            "DSSCAT": "STUDY TREATMENT",
            "DSDECOD": ["COMPLETED", "COMPLETED", "ADVERSE EVENT"],
            "DSSTDTC": ["2025-01-12", "2025-02-01", "2025-02-20"],
        }
    )
    result = conduct_listing.disposition(case.adam(), study, case.sdtm(DS=ends))
    first = case.adsl().set_index("USUBJID")["TRTSDT"]
    day = (pd.Timestamp("2025-02-20") - first["B2"]).days
    assert records(result, "treated", "how")[1] == ("B2", day, "ADVERSE EVENT")
    assert records(result, "treated", "how")[2] == ("C3", None, "")
    table = table_listing(result, study)
    assert table.footnotes[-1] == "Recorded nowhere in the data: Consent version."
    assert "Consent version" not in {head.text for head in table.header[0]}


@pytest.mark.rule("LST-01", source="written by hand: one interruption, one change, of fifteen infusions")
def test_listing_of_infusions_has_interruptions_and_changes_where_they_are_recorded(study):
    ex = case.sdtm().domain("EX")
    mixed = ex.assign(EXADJ=None, INTERRUP=None)
    mixed.loc[mixed.index[0], ["EXADJ", "INTERRUP"]] = ["FEVER", "Y"]
    result = conduct_listing.infusions(case.adam(), study, case.sdtm(EX=mixed))
    told = [(record[1], record[2]) for record in records(result, "interrupted", "change")]
    assert sorted(told)[-1] == ("Y", "FEVER") and told.count(("", "")) == 14
    assert "Recorded nowhere" not in " ".join(table_listing(result, study).footnotes)
    bare = case.sdtm(EX=ex.drop(columns=["EXADJ"]))
    table = table_listing(conduct_listing.infusions(case.adam(), study, bare), study)
    assert table.footnotes[-1].endswith("Interrupted; Change of the dose.")


@pytest.mark.rule("LST-01", source="written by hand")
def test_listing_of_manufacturing_holds_failures_and_products_that_were_not_given(study):
    result = conduct_listing.manufacturing(case.adam(), study, case.sdtm())
    assert records(result, "product", "lot", "event", "day", "given") == [
        ("D4", "CAR-T", "T-4", "MANUFACTURING FAILURE", 7, "no"),
        ("E5", "CAR-NK", "NK-5", "PRODUCT RELEASE", None, "no"),
    ]
    assert value(result, "records") == 2
    assert value(conduct_listing.manufacturing(case.adam(), study, _without("BE")), "records") == 0


@pytest.mark.rule("LST-01", source="written by hand")
def test_listing_of_exclusions_has_a_reason_for_every_set(study):
    result = conduct_listing.excluded(case.adam(), study)
    assert records(result, "set", "reason") == [
        ("A1", "RESP", "NO-RESPONSE"),
        ("B2", "RESP", "NO-RESPONSE"),
        ("C3", "RE", "NO-POST"),
        ("C3", "RESP", "NO-RESPONSE"),
        ("D4", "CART-SAF", "NO-CART: MANUFACTURING"),
        ("D4", "DLT-EV", "NO-CART"),
        ("D4", "RE", "NO-POST"),
        ("D4", "RESP", "NO-RESPONSE"),
        ("E5", "NK-SAF", "NO-NK"),
        ("E5", "CART-SAF", "NO-CART"),
        ("E5", "DLT-EV", "NO-CART"),
        ("E5", "FAS", "NO-NK"),
        ("E5", "RE", "NO-NK"),
        ("E5", "RESP", "NO-RESPONSE"),
    ]


@pytest.mark.rule("LST-01", source="written by hand")
def test_listing_of_infusions(study):
    result = conduct_listing.infusions(case.adam(), study, case.sdtm())
    found = records(result, "product", "lot", "day", "planned", "actual", "ratio", "per_kg", "minutes")
    assert found[:4] == [
        ("A1", "CARNK", "", 0, 1000, 1000, 1, 20, 30),
        ("A1", "CARNK", "", 1, 2000, 2000, 1, 40, 30),
        ("A1", "CART", "T-1", 10, 750, 750, 1, 15, 30),
        ("A1", "CART", "T-1", 11, 750, 660, 0.88, 13.2, 30),
    ]
    assert len(found) == 15
    none = conduct_listing.infusions(case.adam(ADEX=None), study, case.sdtm())
    assert status(none, "records") == ("NA", "not available: no ADEX")


@pytest.mark.rule("LST-01", source="counted by hand")
def test_listing_of_laboratory_data_counts_results_without_a_grade(study):
    adlb = case.adlb()
    adlb.loc[adlb["USUBJID"] == "D4", "ATOXGRL"] = float("nan")
    result = conduct_listing.laboratory(case.adam(ADLB=adlb), study)
    assert records(result, "results", "parameters", "ungraded", "first", "last") == [
        ("A1", 6, 2, 0, -1, 25),
        ("B2", 3, 2, 0, 12, 40),
        ("C3", 3, 1, 0, -1, 70),
        ("D4", 2, 2, 1, 3, 3),
    ]
    assert status(conduct_listing.laboratory(case.adam(ADLB=None), study), "records")[0] == "NA"


@pytest.mark.rule("LST-01", source="RES-03")
def test_a_record_leads_to_its_source(study):
    result = conduct_listing.infusions(case.adam(), study, case.sdtm())
    key = row(result, "record", "participant", level="A1 1")["result_id"]
    links = result.links[result.links["result_id"] == key]
    assert links[["USUBJID", "SRCDOM", "SRCSEQ"]].to_numpy().tolist() == [["A1", "EX", "1"]]
    where = conduct_listing.disposition(case.adam(), study).links
    assert pd.isna(where.loc[where["USUBJID"] == "E5", "SRCSEQ"]).all()

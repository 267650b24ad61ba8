"""Events of special interest, procedure, blood counts, medication and long-term register, counted by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.analysis import special_interest
from interim.analysis.layout import printed_rows
from interim.analysis.recovery import recovery_times
from interim.analysis.special_interest import _of_kind
from interim.display import table_by_dose
from tests.analysis import safety_case as case
from tests.analysis.answers import row, status, subjects, value


def counted(result, variable, level="", stat="n"):
    """Return the numbers of DL1, DL2, NK only and the total."""
    groups = [g for g in ("DL1", "DL2", "NK only", "Total") if (result.frame["group"] == g).any()]
    return tuple(value(result, variable, stat, level=level, group=group) for group in groups)


@pytest.fixture(scope="module")
def overview(study):
    return special_interest.overview(case.adam(), study)


@pytest.mark.rule("SAF-28", source="counted by hand")
@pytest.mark.parametrize(
    ("variable", "level", "people", "events"),
    [
        ("crs", "", (1, 0, 0, 1), (1, 0, 0, 1)),
        ("crs", "grade3", (0, 0, 0, 0), (0, 0, 0, 0)),
        ("icans", "", (0, 0, 0, 0), (0, 0, 0, 0)),
        ("iechs", "", (0, 0, 0, 0), (0, 0, 0, 0)),
        ("hepatic", "", (0, 1, 0, 1), (0, 1, 0, 1)),
        ("hepatic", "grade3", (0, 1, 0, 1), (0, 1, 0, 1)),
        ("gvhd", "", (0, 0, 0, 0), (0, 0, 0, 0)),
        ("infection", "", (0, 1, 0, 1), (0, 1, 0, 1)),
        ("catheter", "", (0, 1, 0, 1), (0, 1, 0, 1)),
        ("any_listed", "", (1, 0, 0, 1), (1, 0, 0, 1)),
    ],
)
def test_kinds_of_events_are_counted_by_dose(overview, variable, level, people, events):
    assert counted(overview, variable, level) == people
    assert counted(overview, variable, level, "events") == events


@pytest.mark.rule("SAF-28", source="Clopper-Pearson limits by hand: 0 of 4 and 1 of 4")
def test_the_total_has_an_exact_interval_and_none_observed_an_upper_limit(overview):
    assert value(overview, "gvhd", "one_sided") == pytest.approx(1 - 0.05 ** (1 / 4), rel=1e-12)
    assert value(overview, "gvhd", "lower") == 0
    assert value(overview, "gvhd", "upper") == pytest.approx(1 - 0.025 ** (1 / 4), rel=1e-9)
    assert value(overview, "crs", "lower") == pytest.approx(1 - 0.975 ** (1 / 4), rel=1e-9)
    assert "one_sided" not in set(overview.frame.loc[overview.frame["variable"] == "crs", "stat"])


@pytest.mark.rule("SAF-28", source="spec/immune-toxicity.md, section 8: 0/n, one-sided 95 % upper limit")
@pytest.mark.parametrize(("n", "percent"), [(3, 63.2), (6, 39.3), (10, 25.9), (18, 15.3)])
def test_the_one_sided_limit_of_none_observed(n, percent):
    level = printed_rows()["dlt"]["one_sided_level"]
    assert 100 * (1 - (1 - level) ** (1 / n)) == pytest.approx(percent, abs=0.05)


@pytest.mark.rule("SAF-28", source="counted by hand")
@pytest.mark.parametrize(
    ("level", "people"),
    [
        ("iechs_positive", (0, 1, 0, 1)),
        ("iechs_open", (0, 0, 1, 1)),
        ("icaht_certain", (1, 0, 0, 1)),
        ("icaht_possible", (0, 1, 0, 1)),
        ("gvhd", (0, 0, 1, 1)),
    ],
)
def test_what_is_derived_stands_beside_the_reports(overview, level, people):
    assert counted(overview, "derived", level) == people


def test_without_events_or_derivations_the_table_says_so(study):
    nothing = special_interest.overview(case.adam(ADAE=None), study)
    assert status(nothing, "crs") == ("NA", "not available: no AE")
    alone = special_interest.overview(case.adam(ADTOX=None), study)
    assert "derived" not in set(alone.frame["variable"])


TERMS = [
    # preferred term, class, grade, kind, whether it belongs to it
    ("Cytokine release syndrome", "Immune system disorders", 1, "crs", True),
    ("cytokine release syndrome", "Immune system disorders", 1, "crs", True),
    ("Pyrexia", "General disorders", 1, "crs", False),
    ("ICANS", "Nervous system disorders", 1, "icans", True),
    ("Somnolence", "Nervous system disorders", 1, "icans", False),
    ("Haemophagocytic lymphohistiocytosis", "Blood and lymphatic system disorders", 4, "iechs", True),
    ("Hemophagocytic lymphohistiocytosis", "Blood and lymphatic system disorders", 4, "iechs", True),
    ("Anaemia", "Blood and lymphatic system disorders", 4, "iechs", False),
    ("Alanine aminotransferase increased", "Investigations", 1, "hepatic", True),
    ("Aspartate aminotransferase increased", "Investigations", 1, "hepatic", True),
    ("Blood bilirubin increased", "Investigations", 1, "hepatic", True),
    ("Jaundice", "Hepatobiliary disorders", 1, "hepatic", True),
    ("Hepatic pain", "Hepatobiliary disorders", 1, "hepatic", True),
    ("Blood creatinine increased", "Investigations", 1, "hepatic", False),
    ("Acute graft versus host disease in skin", "Immune system disorders", 2, "gvhd", True),
    ("Rash", "Skin disorders", 2, "gvhd", False),
    ("Infusion related reaction", "Injury", 1, "infusion_reaction", True),
    ("Infusion-related reaction", "Injury", 1, "infusion_reaction", True),
    ("Drug hypersensitivity", "Immune system disorders", 1, "infusion_reaction", True),
    ("Anaphylactic shock", "Immune system disorders", 4, "infusion_reaction", True),
    ("Chills", "General disorders", 1, "infusion_reaction", False),
    ("Prolonged cytopenia", "Blood and lymphatic system disorders", 3, "cytopenia", True),
    ("Neutropenia", "Blood and lymphatic system disorders", 3, "cytopenia", False),
    ("Pneumonia", "Infections and infestations", 3, "infection", True),
    ("Pneumonia", "Infections and infestations", 2, "infection", False),
    ("Pneumonia", "Infections and infestations", None, "infection", False),
    ("Febrile neutropenia", "Blood and lymphatic system disorders", 3, "infection", False),
    ("Tumour lysis syndrome", "Metabolism and nutrition disorders", 3, "tumour_lysis", True),
    ("Tumor lysis syndrome", "Metabolism and nutrition disorders", 3, "tumour_lysis", True),
    ("Hepatic artery thrombosis", "Hepatobiliary disorders", 3, "catheter", True),
    ("Vascular access site haematoma", "General disorders", 1, "catheter", True),
    ("Catheter site pain", "General disorders", 1, "catheter", True),
    ("Back pain", "Musculoskeletal disorders", 1, "catheter", False),
    ("Colitis", "Gastrointestinal disorders", 2, "off_tumour", True),
    ("Immune-mediated pneumonitis", "Respiratory disorders", 2, "off_tumour", True),
    ("Diarrhoea", "Gastrointestinal disorders", 2, "off_tumour", False),
    ("Myelodysplastic syndrome", "Neoplasms", 3, "malignancy", True),
    ("Malignant neoplasm progression", "Neoplasms", 3, "malignancy", False),
    ("Replication competent virus infection", "Infections and infestations", 1, "viral", True),
    ("Viral infection", "Infections and infestations", 1, "viral", False),
]


@pytest.mark.rule("SAF-28", source="terms read by hand")
@pytest.mark.parametrize(("term", "group", "grade", "kind", "belongs"), TERMS)
def test_which_terms_belong_to_a_kind(term, group, grade, kind, belongs):
    events = pd.DataFrame(
        {"AEDECOD": [term], "AEBODSYS": [group], "AETOXGRN": [float(grade) if grade else None]}
    )
    assert _of_kind(events, printed_rows()["special_interest"][kind]).tolist() == [belongs]


@pytest.mark.rule("SAF-28", source="terms read by hand")
@pytest.mark.parametrize(
    ("term", "kind"),
    [
        ("Hepatic artery dissection", "dissection"),
        ("Hepatic artery thrombosis", "thrombosis"),
        ("Arterial thrombosis", "thrombosis"),
        ("Hepatic artery occlusion", "thrombosis"),
        ("Device dislocation", "displacement"),
        ("Catheter displacement", "displacement"),
        ("Vascular access site haematoma", "bleeding"),
        ("Catheter site haemorrhage", "bleeding"),
        ("Procedural haemorrhage", "bleeding"),
        ("Catheter site infection", "infection"),
        ("Device related infection", "infection"),
        ("Procedural pain", "pain"),
        ("Biloma", "biloma"),
        ("Cholangitis acute", "cholangitis"),
        ("Liver abscess", "abscess"),
        ("Hepatic abscess", "abscess"),
    ],
)
def test_a_complication_has_one_kind(term, kind):
    events = pd.DataFrame({"AEDECOD": [term], "AEBODSYS": ["x"]})
    hits = [name for name, rule in printed_rows()["procedure"].items() if _of_kind(events, rule).iloc[0]]
    assert hits == [kind]


@pytest.mark.rule("SAF-28", source="counted by hand")
def test_procedure_complications(study, arms):
    result = special_interest.procedure(case.adam(), study)
    assert counted(result, "related") == (0, 1, 1, 2)
    assert counted(result, "thrombosis") == (0, 1, 0, 1)
    assert counted(result, "pain") == (0, 0, 1, 1)
    assert counted(result, "biloma") == (0, 0, 0, 0)
    assert (
        status(special_interest.procedure(case.adam(ADAE=None), study), "related")[1]
        == "not available: no AE"
    )
    other = special_interest.procedure(case.adam(), arms)
    assert status(other, "related", group="Total")[1] == "not applicable: the study has no such procedure"


@pytest.fixture(scope="module")
def blood(study):
    return special_interest.haematology(case.adam(), study)


@pytest.mark.rule("SAF-28", source="what needs a grade is not zero where none was collected")
def test_without_grades_severe_infections_are_not_available(study):
    adae = case.adae().assign(AETOXGRN=float("nan"))
    result = special_interest.overview(case.adam(ADAE=adae), study)
    assert status(result, "infection") == ("NA", "not available: no toxicity grades")
    assert counted(result, "crs") == (1, 0, 0, 1)


@pytest.mark.rule("SAF-28", source="a kind that begins at grade 3 has no second row of grade 3")
def test_infections_of_grade_3_stand_in_one_row(overview):
    assert overview.where(variable="infection", level="grade3").empty


@pytest.mark.rule("SAF-28", source="counted by hand")
def test_replicating_virus_is_not_collected_without_a_test_and_counts_with_a_positive_one(study):
    def asked(**domains):
        return special_interest.overview(case.adam(), study, case.sdtm(**domains))

    assert status(asked(), "viral") == ("NA", "not collected: tests for replication-competent virus")
    tests = pd.DataFrame({"USUBJID": ["A1", "B2"], "LBTESTCD": "RCL", "LBSTRESC": ["POSITIVE", "NEGATIVE"]})
    assert subjects(asked(LB=tests), "viral", "n") == {"A1"}
    assert counted(asked(LB=tests.tail(1)), "viral") == (0, 0, 0, 0)


@pytest.mark.rule("SAF-28", source="1 - 0.05^(1/4) of four participants")
def test_complications_of_the_procedure_have_an_interval_and_none_an_upper_limit(study):
    result = special_interest.procedure(case.adam(), study)
    assert counted(result, "dissection") == (0, 0, 0, 0)
    assert value(result, "dissection", "one_sided") == pytest.approx(1 - 0.05 ** (1 / 4), rel=1e-12)
    assert value(result, "thrombosis", "upper") > value(result, "dissection", "upper") > 0
    assert result.where(variable="thrombosis", level="grade3").empty


@pytest.mark.rule("SAF-29", source="counted by hand")
@pytest.mark.parametrize(
    ("code", "level", "people"),
    [
        ("NEUT", "measured", (1, 1, 2)),
        ("NEUT", "grade3", (1, 1, 2)),
        ("NEUT", "grade4", (1, 0, 1)),
        ("NEUT", "unresolved", (0, 1, 1)),
        ("PLAT", "measured", (0, 0, 0)),
        ("PLAT", "grade3", (0, 0, 0)),
        ("HGB", "grade4", (0, 0, 0)),
        ("icaht_certain", "0", (0, 1, 1)),
        ("icaht_certain", "3", (1, 0, 1)),
        ("icaht_open", "", (0, 1, 1)),
        ("icaht_open", "possible3", (0, 1, 1)),
    ],
)
def test_cytopenias_after_the_first_t_cells(blood, code, level, people):
    assert tuple(value(blood, code, level=level, group=g) for g in ("DL1", "DL2", "Total")) == people


def _neutrophils(*rows):
    """Return ADLB with graded neutrophils: participant, days after the first infusion, grade."""
    pattern = case.adlb().loc[lambda f: f["PARAMCD"] == "NEUT"].head(1).assign(ABLFL=None)
    made = [
        pattern.assign(USUBJID=who, ADT=case.at(who, day), ATOXGRL=float(grade), SRCSEQ=str(place))
        for place, (who, day, grade) in enumerate(rows, 1)
    ]
    return pd.concat(made, ignore_index=True)


def _recovery(study, *rows, **changed):
    return special_interest.haematology(case.adam(ADLB=_neutrophils(*rows), **changed), study)


# Three participants: recovered after 4 and 10 days, one not. S(4) = 2/3, log-log limits 0.05 and 0.95; S(10) = 1/3, 0.01 and 0.77.
# The lower band is at most one half from day 4 on, the upper one never.
THREE = (("A1", 15, 3), ("A1", 19, 2), ("B2", 20, 4), ("B2", 30, 1), ("C3", 20, 3), ("C3", 60, 4))


@pytest.mark.rule("SAF-52", source="Kaplan-Meier and Brookmeyer-Crowley limits by hand")
def test_time_to_recovery_is_a_kaplan_meier_median_with_limits(study):
    table = _recovery(study, *THREE)
    assert subjects(table, "NEUT recovery", "n") == {"A1", "B2", "C3"}
    assert subjects(table, "NEUT recovery", "recovered") == {"A1", "B2"}
    assert (value(table, "NEUT recovery", "median"), value(table, "NEUT recovery", "lower")) == (10, 4)
    assert status(table, "NEUT recovery", "upper") == ("NR", "CI_UPPER_NR")
    assert row(table, "NEUT recovery", "median")["unit"] == "days"
    assert (value(table, "NEUT recovery", "median", group="DL1")) == 4
    shown = {
        line.cells[0].text: [c.text for c in line.cells[1:]] for line in table_by_dose(table, study).rows
    }
    assert shown["Neutrophils: days to recovery"][-1] == "2/3; 10"
    assert shown["Neutrophils: days to recovery"][0] == "1/1; 4"
    assert set(shown["Platelets: days to recovery"]) == {"n=0"}
    assert [c.text for line in table_by_dose(table, study).rows for c in line.cells[1:] if "NR" in c.text][
        -1
    ] == "(4, NR)"


@pytest.mark.rule("SAF-52", source="a median that nobody reached, and nobody to recover")
def test_without_recovery_the_median_is_not_reached(study):
    table = _recovery(study, ("A1", 15, 3), ("A1", 40, 3), ("B2", 15, 4), ("C3", 15, 1))
    assert status(table, "NEUT recovery", "median") == ("NR", "MEDIAN_NOT_REACHED")
    assert value(table, "NEUT recovery", "n") == 2 and value(table, "NEUT recovery", "recovered") == 0
    assert status(table, "PLAT recovery", "median") == ("NE", "NO_DATA")
    assert status(table, "PLAT recovery", "lower") == ("NE", "NO_DATA")


@pytest.mark.rule("SAF-52", source="counted by hand")
@pytest.mark.parametrize(
    ("rows", "days", "censored"),
    [
        ([(15, 3)], 0, 1),
        ([(15, 3), (40, 3)], 25, 1),
        ([(15, 2), (20, 3), (20, 2), (25, 2), (30, 3)], 5, 0),
        ([(15, 4), (20, 3), (25, 2)], 10, 0),
    ],
    ids=["never again", "last result", "first below", "still severe"],
)
def test_who_has_not_recovered_is_censored_at_the_last_result(rows, days, censored):
    part = _neutrophils(*(("A1", day, grade) for day, grade in rows))
    found = recovery_times(part, severe=3)
    assert found.to_dict("records") == [{"USUBJID": "A1", "AVAL": float(days), "CNSR": censored}]
    assert recovery_times(part, severe=5).empty


@pytest.mark.rule("SAF-52", source="B2 is severe once and never measured again; counted by hand")
def test_who_is_never_measured_again_is_not_counted_as_not_recovered(study):
    table = _recovery(study, ("A1", 15, 3), ("A1", 19, 2), ("B2", 20, 4))
    assert subjects(table, "NEUT recovery", "n") == {"A1", "B2"}
    assert subjects(table, "NEUT recovery", "followed") == {"A1"}
    assert row(table, "NEUT recovery", "recovered")["N"] == 1
    assert subjects(table, "NEUT", "n", level="not_followed") == {"B2"}, "A1 had recovered"
    assert value(table, "NEUT recovery", "median") == 4 and row(table, "NEUT recovery", "median")["n"] == 1
    assert status(table, "NEUT recovery", "median", group="DL2") == ("NE", "NO_DATA")
    again = _recovery(study, ("A1", 15, 3), ("A1", 60, 2))
    assert again.where(variable="NEUT", level="not_followed").empty


def test_without_results_or_product_the_blood_table_says_so(study, arms):
    none = special_interest.haematology(case.adam(ADLB=None), study)
    assert status(none, "NEUT") == ("NA", "not available: no LB")
    other = special_interest.haematology(case.adam(), arms)
    assert status(other, "NEUT")[1] == "not applicable: the study has no such product"
    alone = special_interest.haematology(case.adam(ADTOX=None), study)
    assert status(alone, "icaht_certain")[1] == "not derived: no neutrophil counts"


@pytest.mark.rule("SAF-29", source="counted by hand")
def test_medication_from_the_first_infusion_on(study):
    result = special_interest.medication(case.adam(), study, case.sdtm())
    groups = ("DL1", "DL2", "Total")
    assert tuple(value(result, "tocilizumab", group=g) for g in groups) == (1, 0, 1)
    assert tuple(value(result, "steroid", group=g) for g in groups) == (0, 1, 1)
    assert subjects(result, "steroid", "n") == {"B2"}
    assert value(result, "steroid_days", "median") == 4
    assert value(result, "dexamethasone", "n") == 0
    assert subjects(result, "dexamethasone_unknown", "n") == {"B2"}
    assert status(result, "oxygen") == ("NA", "not collected: oxygen")
    assert value(result, "antimicrobial") == 0
    assert value(result, "vasopressor") == 0
    empty = special_interest.medication(case.adam(), study, _without("CM"))
    assert status(empty, "tocilizumab") == ("NA", "not available: no CM")


def _without(name):
    full = case.sdtm()
    return type(full)({key: frame for key, frame in full.domains.items() if key != name}, full.cut)


@pytest.mark.rule("SAF-55", source="counted by hand")
@pytest.mark.rule("SAF-29", source="counted by hand")
def test_the_long_term_register(study):
    result = special_interest.long_term(case.adam(), study, case.sdtm())
    assert counted(result, "second_malignancy") == (0, 0, 0, 0)
    assert status(result, "rcl_tested")[1] == "not collected: tests for replication-competent virus"
    assert counted(result, "due") == (0, 0, 0, 0)
    tested = pd.DataFrame({"USUBJID": ["A1", "B2"], "BSTESTCD": ["RCL", "VIABIL"]})
    again = special_interest.long_term(case.adam(), study, case.sdtm(BS=tested))
    assert counted(again, "rcl_tested") == (1, 0, 0, 1)
    assert counted(again, "rcl_positive") == (0, 0, 0, 0), "a test without a result is not a positive one"
    assert status(result, "rcl_positive")[1] == "not collected: tests for replication-competent virus"
    assert (
        status(result, "integration")[1]
        == "not collected: analyses of vector integration; the study names no test code (safety.integration_tests)"
    )
    named = study.model_copy(
        update={"safety": study.safety.model_copy(update={"integration_tests": ("INTSITE",)})}
    )
    none = special_interest.long_term(case.adam(), named, case.sdtm())
    assert status(none, "integration")[1] == "not collected: analyses of vector integration"
    said = pd.DataFrame(
        {
            "USUBJID": ["A1", "B2", "C3", "D4"],
            "LBTESTCD": ["RCL", "RCL", "INTSITE", "RCL"],
            "LBSTRESC": ["POSITIVE", "NEGATIVE", "POSITIVE", None],
            "LBORRES": [None, "DETECTED", None, "DETECTED"],
        }
    )
    positive = special_interest.long_term(case.adam(), named, case.sdtm(LB=said))
    assert subjects(positive, "rcl_tested", "n") == {"A1", "B2", "D4"}
    assert subjects(positive, "rcl_positive", "n") == {"A1", "D4"}
    assert subjects(positive, "integration", "n") == {"C3"}
    unnamed = special_interest.long_term(case.adam(), study, case.sdtm(LB=said))
    assert status(unnamed, "integration")[0] == "NA", "a code that the study does not name is not read"
    early = case.adsl().assign(TRTSDT=lambda f: f["TRTSDT"] - pd.Timedelta(400, unit="D"))
    late = special_interest.long_term(case.adam(ADSL=early), study, case.sdtm())
    assert counted(late, "due") == (1, 1, 1, 3)
    assert subjects(late, "due", "n") == {"A1", "C3", "D4"}

from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.adae_attributes import RELATIONS, event_attributes, grade_column, relations, scale_grade

CRS, ICANS = "Cytokine release syndrome", "Immune effector cell-associated neurotoxicity syndrome"


def source(**columns):
    size = max(len(values) for values in columns.values())
    return pd.DataFrame(
        {name: pd.Series(values, dtype=object) for name, values in columns.items()}, index=range(size)
    )


@pytest.mark.rule("AE-06")
@pytest.mark.parametrize(
    ("aerel", "serious", "flags", "cell", "assumed"),
    [
        ("CARNK", "N", {"RELNK"}, "Y", "N"),
        ("CART", "N", {"RELCART"}, "Y", "N"),
        ("CARNK;CART", "N", {"RELNK", "RELCART"}, "Y", "N"),
        ("cart ; hai_procedure", "N", {"RELCART", "RELPROC"}, "Y", "N"),
        ("LYMPHODEPLETION;OTHER", "N", {"RELLYMPHODEP", "RELOTH"}, "N", "N"),
        ("NONE", "Y", set(), "N", "N"),
        ("PROBABLE", "N", {"RELNK", "RELCART"}, "Y", "N"),
        ("REMOTE", "N", set(), "N", "N"),
        (None, "N", set(), "N", "N"),
        (None, "Y", {"RELNK", "RELCART"}, "Y", "Y"),
        ("  ", "Y", {"RELNK", "RELCART"}, "Y", "Y"),
    ],
)
def test_relation_per_cause(mini_study, aerel, serious, flags, cell, assumed):
    row = relations(source(AEREL=[aerel], AESER=[serious]), mini_study).iloc[0]
    assert {name for name in RELATIONS if row[name] == "Y"} == flags
    assert (row["RELCELL"], row["RELIMPFL"]) == (cell, assumed)
    assert row["RELMISFL"] == ("N" if aerel and aerel.strip() else "Y")


@pytest.mark.rule("AE-06")
def test_words_of_another_vocabulary_mean_the_product_of_the_study(study_with):
    study = study_with(
        '[[products]]\nid = "PATCH"\nextrt = ["PATCH"]\nrole = "other"\n[cohort]\nvariable = "ARMCD"\n'
    )
    found = relations(source(AEREL=["POSSIBLE", "PATCH", "REMOTE", None], AESER=["N", "N", "N", "Y"]), study)
    assert found["RELCELL"].tolist() == ["Y", "Y", "N", "Y"]
    assert (found[list(RELATIONS)] == "N").all(axis=None)


def test_nothing_is_assumed_where_relations_were_not_collected(mini_study):
    found = relations(source(AESER=["Y"]), mini_study)
    assert found["RELCELL"].tolist() == ["N"]


@pytest.mark.rule("AE-07")
def test_only_grades_one_to_five_are_grades():
    grades = grade_column(source(AETOXGR=["1", "5", "0", "6", "G2", "2.5", None, 3.0]), "AETOXGR")
    assert grades.fillna(-1).tolist() == [1, 5, -1, -1, -1, -1, -1, 3]


@pytest.mark.rule("AE-07")
@pytest.mark.parametrize(
    ("scale", "crs", "icans"), [("ctcae5", 2, 4), ("astct2019", 3, None), ("either", 3, 4)]
)
def test_crs_and_icans_are_graded_on_the_scale_of_the_study(study_with, scale, crs, icans):
    study = study_with(f'[dose]\ndlt_crs_scale = "{scale}"\n')
    frame = source(
        AEDECOD=[CRS, ICANS, "Nausea"], AETOXGR=["2", "4", "3"], ASTCTGR=["3", None, None], AESER=["N"] * 3
    )
    found = event_attributes(frame, study)
    assert found["CRSGR"].fillna(-1).tolist() == [crs, -1, -1]
    assert found["ICANSGR"].fillna(-1).tolist() == [-1, -1 if icans is None else icans, -1]
    assert found["AESIFL"].tolist() == ["Y", "Y", "N"]
    assert scale_grade(found, "astct2019").fillna(-1).tolist() == [3, -1, -1]


@pytest.mark.rule("AE-09")
@pytest.mark.parametrize(
    ("decod", "soc", "expected"),
    [
        ("Anaemia", "Blood and lymphatic system disorders", "Y"),
        ("Neutrophil count decreased", "Investigations", "Y"),
        ("Alanine aminotransferase increased", "Investigations", "N"),
        (None, None, "N"),
    ],
)
def test_haematological_events_by_class_or_term(mini_study, decod, soc, expected):
    found = event_attributes(source(AEDECOD=[decod], AETERM=["x"], AEBODSYS=[soc]), mini_study)
    assert found["HAEMFL"].tolist() == [expected]


@pytest.mark.rule("AE-09")
def test_special_interest_by_record_by_list_or_by_nature(study_with):
    study = study_with('[safety]\naesi = ["Sepsis"]\n')
    found = event_attributes(
        source(AEDECOD=["Sepsis", "Nausea", "Rash", CRS], AESI=[None, "Y", "N", None]), study
    )
    assert found["AESIFL"].tolist() == ["Y", "Y", "N", "Y"]
    assert "DLTREPFL" not in found

"""Baseline burden, biomarkers and the listings of the participants, by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.analysis import baseline_measures, participant_listing
from interim.analysis.records import participant_rows
from tests.analysis.answers import denominators_not_stated, row, status, subjects, value
from tests.analysis.safety_case import adam, adsl, table
from tests.analysis.test_deviations_and_history import records


def people() -> pd.DataFrame:
    """A1: two lesions in the liver; B2: eleven, lung; C3: none in the liver, bone; D4: nothing recorded."""
    facts = table(
        "USUBJID BSLD LIVSLD LIVMAX NLIVER LUNGFL BONEFL NORGAN ALBIBL LIGMICAB NLRBL ECOGBL HISTCLAS METSITE PRLINES",
        [
            (
                "A1",
                50.0,
                50.0,
                30.0,
                2.0,
                "N",
                "N",
                1.0,
                -2.6,
                100.0,
                2.5,
                0.0,
                "SQUAMOUS",
                "LIVER ONLY",
                2.0,
            ),
            ("B2", 80.0, 60.0, 40.0, 11.0, "Y", "N", 2.0, -1.39, None, 5.0, 1.0, None, None, 3.0),
            ("C3", 20.0, 0.0, None, 0.0, "N", "Y", 1.0, -1.0, 0.0, 7.5, 1.0, None, None, None),
        ],
    )
    rest = adsl().drop(columns=[name for name in facts if name in adsl() and name != "USUBJID"])
    return rest.merge(facts, on="USUBJID", how="left", validate="1:1")


def adlb() -> pd.DataFrame:
    rows = [
        ("A1", "CEA", "NK", 9.0, None, None, "9.0", "Y", "1"),
        ("B2", "CEA", "NK", None, "<", 0.5, "<0.5", "Y", "1"),
        ("C3", "CEA", "NK", None, ">", 1000.0, ">1000", "Y", "1"),
        ("A1", "CEA", "CART", 99.0, None, None, "99", "Y", "1"),  # the baseline of the second product
        ("A1", "CEA", "NK", 5.0, None, None, "5", None, "2"),  # a later result
    ]
    frame = table("USUBJID PARAMCD BASETYPE AVAL ASIGN ALIMIT AVALC ABLFL SRCSEQ", rows)
    return frame.assign(AVALU="ng/mL", SRCDOM="LB").astype({"AVAL": "float64", "ALIMIT": "float64"})


def adbm() -> pd.DataFrame:
    rows = [("A1", 40.0, "Y", "1"), ("B2", 10.0, "Y", "1"), ("B2", 90.0, None, "2")]
    frame = table("USUBJID AVAL ABLFL SRCSEQ", rows)
    return frame.assign(PARAMCD="PCTPOS MICA/B", AVALU="%", SRCDOM="MI")


def adsub() -> pd.DataFrame:
    rows = [("A1", ">=90", 2.0), ("C3", "<90", 1.0), ("B2", None, None)]
    return table("USUBJID AVALC AVALN", rows).assign(ENTRY="ligand_micab")


@pytest.fixture(scope="module")
def data():
    return adam(ADSL=people(), ADLB=adlb(), ADBM=adbm(), ADSUB=adsub())


@pytest.fixture(scope="module")
def burden(data, study):
    return baseline_measures.burden(data, study)


@pytest.fixture(scope="module")
def biomarkers(data, study):
    return baseline_measures.biomarkers(data, study)


@pytest.mark.rule("BASE-03", source="counted by hand")
@pytest.mark.parametrize(
    ("variable", "level", "expected"),
    [
        ("NLIVER", "<1", {"C3"}),
        ("NLIVER", ">=1 to <4", {"A1"}),
        ("NLIVER", ">=4 to <11", set()),
        ("NLIVER", ">=11", {"B2"}),
        ("NLIVER", "Missing", {"D4"}),
        ("EXTRAHEP", "lung", {"B2"}),
        ("EXTRAHEP", "bone", {"C3"}),
        ("EXTRAHEP", "Missing", {"D4"}),
        ("ALBIBL", "<=-2.6", {"A1"}),  # the cut belongs to the lower grade
        ("ALBIBL", ">-2.6 to <=-1.39", {"B2"}),
        ("ALBIBL", ">-1.39", {"C3"}),
    ],
)
def test_levels_of_the_burden(burden, variable, level, expected):
    assert subjects(burden, variable, "n", level=level) == expected
    assert row(burden, variable, "n", level=level)["N"] == 4


@pytest.mark.rule("BASE-03", source="50, 60, 0 and 30, 40")
def test_sizes_in_the_liver(burden):
    assert (value(burden, "LIVSLD"), value(burden, "LIVSLD", "median")) == (3, 50)
    assert (value(burden, "LIVMAX"), value(burden, "LIVMAX", "mean")) == (2, 35)
    assert status(burden, "BILOBFL") == ("NA", "not collected")
    assert status(burden, "LDH", "median") == ("NA", "not collected")
    assert "peritoneum" not in set(burden.frame["level"])
    assert denominators_not_stated(burden) == []


@pytest.mark.rule("BASE-04", source="9, half of 0.5, and the limit 1000: median 9")
def test_a_marker_beyond_its_limits(biomarkers):
    assert (value(biomarkers, "CEA"), value(biomarkers, "CEA", "median")) == (3, 9)
    assert (value(biomarkers, "CEA", "min"), value(biomarkers, "CEA", "max")) == (0.25, 1000)
    assert subjects(biomarkers, "CEA", "n_blq") == {"B2"}
    assert row(biomarkers, "CEA", "median")["unit"] == "ng/mL"


@pytest.mark.rule("BASE-04", source="counted by hand")
def test_ligands_by_score_share_and_cut(biomarkers):
    assert (value(biomarkers, "LIGMICAB"), value(biomarkers, "LIGMICAB", "median")) == (2, 50)
    assert (value(biomarkers, "PCT_MICAB"), value(biomarkers, "PCT_MICAB", "max")) == (2, 40)
    assert subjects(biomarkers, "HIGH_MICAB", "n", level="<90") == {"C3"}
    assert subjects(biomarkers, "HIGH_MICAB", "n", level=">=90") == {"A1"}
    assert subjects(biomarkers, "HIGH_MICAB", "n", level="Missing") == {"B2", "D4"}
    levels = biomarkers.frame.loc[biomarkers.frame["variable"] == "HIGH_MICAB", "level"]
    assert list(dict.fromkeys(levels)) == ["<90", ">=90", "Missing"]
    assert "n_blq" not in set(biomarkers.frame.loc[biomarkers.frame["variable"] == "PCT_MICAB", "stat"])


@pytest.mark.rule("BASE-04", source="an empty answer")
def test_a_study_without_these_data_says_so(study):
    bare = baseline_measures.biomarkers(adam(ADLB=None, ADBM=None, ADSUB=None), study)
    for spec in participant_rows()["biomarkers"]:
        stat = "n" if spec["kind"] == "entry" else "median"
        assert status(bare, spec["variable"], stat) == ("NA", "not collected")
    empty = baseline_measures.burden(adam(ADLB=None), study)
    assert status(empty, "EXTRAHEP") == status(empty, "NLIVER") == ("NA", "not collected")
    assert "ALBIBL" in set(empty.frame["variable"])


@pytest.mark.rule("LST-02", source="ages 50, 61, 72 and 45")
def test_listing_of_demography_has_bands_of_age(data, study):
    result = participant_listing.demography(data, study)
    assert records(result, "age", "sex", "tumour", "histology", "ecog", "lines", "site", "elsewhere") == [
        ("A1", ">=50 to <60", "F", "CRC", "SQUAMOUS", 0, 2, "LIVER ONLY", ""),
        ("B2", ">=60 to <70", "M", "GASTRIC", "", 1, 3, "", "lung"),
        ("C3", ">=70", "M", "CRC", "", 1, None, "", "bone"),
        ("D4", ">=40 to <50", "F", "", "", None, None, "", ""),
    ]
    assert not {50.0, 61.0, 72.0, 45.0} & set(result.frame["value"])


@pytest.mark.rule("LST-02", source="results as the data give them")
def test_listing_of_biomarkers(data, study):
    result = participant_listing.biomarkers(data, study)
    assert records(result, "micab", "ulbp1", "cea", "ca199", "nlr", "glr") == [
        ("A1", 100, None, "9.0 ng/mL", "", 2.5, None),
        ("B2", None, None, "<0.5 ng/mL", "", 5, None),
        ("C3", 0, None, ">1000 ng/mL", "", 7.5, None),
        ("D4", None, None, "", "", None, None),
    ]
    bare = participant_listing.biomarkers(adam(ADLB=None), study)
    assert records(bare, "cea")[0] == ("A1", "")

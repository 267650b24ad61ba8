"""Further baseline variables: lesions, prior therapy, laboratory ratios, ligands, the early fall of a marker."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from interim.adam.baseline_history import early_fall, prior_therapy
from interim.adam.baseline_laboratory import baseline_value, same_draw_ratio
from interim.adam.baseline_lesions import (
    both_sides,
    lesion_number,
    lesion_share,
    organ_flag,
    organ_number,
    organ_size,
    other_organ_flag,
    tumour_site,
)
from interim.adam.baseline_source import Sources, no_values
from interim.adam.source import shipped_data
from interim.study.tables import shipped

TU = [
    ("1", "T01", "TARGET", "LIVER"),
    ("1", "T02", "TARGET", "LIVER, SEGMENT 4"),
    ("1", "NT01", "NON-TARGET", "LUNG"),
    ("2", "T01", "TARGET", "LIVER"),
    ("2", "NEW01", "NEW", "PERITONEUM"),
    ("3", "NT01", "NON-TARGET", "LYMPH NODE ABDOMINAL"),
    ("3", "NT02", "NON-TARGET", "LYMPH NODE CERVICAL"),
    ("3", "T01", "TARGET", None),
]


def recipe(name: str) -> dict:
    return next(item for item in shipped_data("baseline")["variables"] if item["name"] == name)


class Domains(dict):
    """Stands in for the source data: a domain that is not there is empty."""

    def domain(self, name):
        return self.get(name, pd.DataFrame({"USUBJID": pd.Series(dtype=object)}))


def sources(*, sdtm=None, adlb=None, adtr=None, nk=True) -> Sources:
    adsl = pd.DataFrame({"USUBJID": ["1", "2", "3"], "TRTSDT": pd.to_datetime(["2026-01-10"] * 3)})
    study = SimpleNamespace(
        with_role=lambda role: ("NK",) if nk else (),
        response=SimpleNamespace(evaluator="INVESTIGATOR"),
        kinetics=SimpleNamespace(landmark_day=28),
    )
    return Sources(Domains(sdtm or {}), adsl, adlb, adtr, study)


@pytest.fixture
def lesions() -> Sources:
    frame = pd.DataFrame(TU, columns=["USUBJID", "TULNKID", "TUSTRESC", "TULOC"])
    return sources(sdtm={"TU": frame.assign(TUORRES=None)})


def values(column) -> dict:
    return column.values.to_dict()


@pytest.mark.rule("SUBQ-21")
def test_organs_of_the_lesions_before_treatment(lesions):
    assert values(organ_number(recipe("NORGAN"), lesions)) == {"1": 2.0, "2": 1.0, "3": 1.0}
    assert values(organ_flag(recipe("LUNGFL"), lesions)) == {"1": "Y", "2": "N", "3": "N"}
    assert values(organ_flag(recipe("NODEFL"), lesions)) == {"1": "N", "2": "N", "3": "Y"}
    assert values(organ_flag(recipe("PERITFL"), lesions)) == {"1": "N", "2": "N", "3": "N"}
    assert values(lesion_number(recipe("NLIVER"), lesions)) == {"1": 2.0, "2": 1.0, "3": 0.0}
    assert values(tumour_site(recipe("METSITE"), lesions)) == {
        "1": "LIVER + EXTRAHEPATIC",
        "2": "LIVER ONLY",
        "3": "EXTRAHEPATIC ONLY",
    }


@pytest.mark.rule("SUBQ-21")
@pytest.mark.parametrize("function", [tumour_site, organ_flag, organ_number, lesion_number, lesion_share])
def test_without_lesions_there_is_no_variable(function):
    empty = {"TU": pd.DataFrame({"USUBJID": ["1"], "TUSTRESC": ["NEW"], "TULOC": ["LIVER"]})}
    assert not function({"organ": "LIVER", "parameter": "LDIAM"}, sources(sdtm=empty)).collected


@pytest.mark.rule("SUBQ-21")
def test_liver_share_of_the_target_diameters(lesions):
    adtr = pd.DataFrame(
        {
            "USUBJID": ["1", "1", "2", "2", "3"],
            "TRLNKID": ["T01", "T02", "T01", "T01", "T09"],
            "PARAMCD": "LDIAM",
            "PARCAT2": ["INVESTIGATOR"] * 3 + ["READER 1", "INVESTIGATOR"],
            "ABLFL": "Y",
            "AVAL": [30.0, 10.0, 20.0, 99.0, 15.0],
        }
    )
    full = Sources(lesions.sdtm, lesions.adsl, None, adtr, lesions.study)
    found = values(lesion_share(recipe("LIVSHARE"), full))
    assert found["1"] == 1.0 and found["2"] == 1.0 and np.isnan(found["3"])
    elsewhere = pd.DataFrame(TU, columns=["USUBJID", "TULNKID", "TUSTRESC", "TULOC"])
    elsewhere.loc[1, "TULOC"] = "LUNG"
    mixed = Sources(Domains({"TU": elsewhere.assign(TUORRES=None)}), lesions.adsl, None, adtr, lesions.study)
    assert values(lesion_share(recipe("LIVSHARE"), mixed))["1"] == 0.75
    bare = Sources(lesions.sdtm, lesions.adsl, None, adtr.drop(columns="TRLNKID"), lesions.study)
    assert not lesion_share(recipe("LIVSHARE"), bare).collected


@pytest.mark.rule("SUBQ-21")
def test_prior_therapy_by_class_and_by_kind():
    cm = pd.DataFrame(
        {
            "USUBJID": ["1", "2", "3"],
            "CMCAT": ["PRIOR ANTICANCER THERAPY", "PRIOR ANTICANCER THERAPY", "CONCOMITANT MEDICATION"],
            "CMSCAT": ["SYSTEMIC", "SYSTEMIC", None],
            "CMCLAS": ["PD-1 ANTIBODY", "Fluoropyrimidine", "PD-1 ANTIBODY"],
        }
    )
    pr = pd.DataFrame({"USUBJID": ["2"], "PRCAT": ["PRIOR ANTICANCER THERAPY"], "PRSCAT": ["LOCAL LIVER"]})
    both = sources(sdtm={"CM": cm, "PR": pr})
    assert values(prior_therapy(recipe("PRICI"), both)) == {"1": "Y", "2": "N"}
    assert values(prior_therapy(recipe("PRLIVER"), both)) == {"1": "N", "2": "Y"}
    assert not prior_therapy(recipe("PRICI"), sources()).collected


def adlb(rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["USUBJID", "PARAMCD", "ADT", "AVAL", "ABLFL", "PCHG"])
    frame["ADT"] = pd.to_datetime(frame["ADT"])
    return frame.assign(ADTM=pd.NaT, BASETYPE="NK", ASIGN=None, ALIMIT=np.nan, ANRHI=2.0, ANRLO=0.0).astype(
        {"ASIGN": object}
    )


@pytest.mark.rule("SUBQ-21")
def test_a_ratio_needs_both_values_of_one_day():
    frame = adlb(
        [
            ("1", "PLAT", "2026-01-09", 200.0, "Y", 0.0),
            ("1", "LYM", "2026-01-09", 1.6, "Y", 0.0),
            ("2", "PLAT", "2026-01-09", 200.0, "Y", 0.0),
            ("2", "LYM", "2026-01-05", 1.6, "Y", 0.0),
            ("3", "PLAT", "2026-01-09", 200.0, "Y", 0.0),
            ("3", "LYM", "2026-01-09", 0.0, "Y", 0.0),
        ]
    )
    found = same_draw_ratio(recipe("PLRBL"), sources(adlb=frame))
    assert found.collected and found.values["1"] == 125.0
    assert "2" not in found.values.index and np.isnan(found.values["3"])
    assert not same_draw_ratio(recipe("PLRBL"), sources(adlb=frame[frame["PARAMCD"] == "LYM"])).collected
    assert not same_draw_ratio(recipe("PLRBL"), sources()).collected


@pytest.mark.rule("SUBQ-21")
def test_multiples_of_the_upper_limit():
    frame = adlb([("1", "LDH", "2026-01-09", 5.0, "Y", 0.0), ("1", "LDH", "2026-02-09", 9.0, None, 80.0)])
    assert values(baseline_value(recipe("LDHULN"), sources(adlb=frame))) == {"1": 2.5}
    assert values(baseline_value(recipe("LDHULN"), sources(adlb=frame, nk=False))) == {"1": 2.5}
    assert not baseline_value(recipe("CA199ULN"), sources(adlb=frame)).collected
    assert not baseline_value(recipe("LDHULN"), sources()).collected


@pytest.mark.rule("SUBQ-21")
@pytest.mark.parametrize(
    ("day", "change", "expected"),
    [
        ("2026-01-20", -35.0, "Y"),
        ("2026-01-20", -30.0, "Y"),
        ("2026-01-20", -29.9, "N"),
        ("2026-02-07", -35.0, "Y"),
        ("2026-02-08", -35.0, None),
        ("2026-01-10", -35.0, None),
    ],
)
def test_early_fall_up_to_the_landmark_day(day, change, expected):
    frame = adlb(
        [("1", "CEA", "2026-01-09", 10.0, "Y", 0.0), ("1", "CEA", day, 10.0 + change / 10, None, change)]
    )
    found = values(early_fall(recipe("CEAFALL"), sources(adlb=frame)))
    assert found.get("1") == expected


@pytest.mark.rule("SUBQ-21")
def test_no_marker_no_fall_and_no_values():
    assert not early_fall(recipe("CEAFALL"), sources()).collected
    assert not early_fall(
        recipe("CEAFALL"), sources(adlb=adlb([("1", "LDH", "2026-01-09", 1.0, "Y", 0.0)]))
    ).collected
    assert no_values().values.empty and no_values(collected=True).collected


@pytest.mark.rule("BASE-03", source="diameters by hand")
@pytest.mark.parametrize(("name", "expected"), [("LIVSLD", {"1": 50.0, "2": 0.0}), ("LIVMAX", {"1": 30.0})])
def test_sum_and_largest_of_the_target_lesions_in_the_liver(lesions, name, expected):
    sizes = [
        ("1", "T01", 30.0, "INVESTIGATOR", "Y"),
        ("1", "T02", 20.0, "INVESTIGATOR", "Y"),
        ("1", "T01", 90.0, "INVESTIGATOR", None),  # after baseline
        ("1", "T01", 95.0, "READER 1", "Y"),  # another reader
        ("2", "T01", 12.0, "INVESTIGATOR", "Y"),
        ("3", "T01", 40.0, "INVESTIGATOR", "Y"),  # no location
    ]
    adtr = pd.DataFrame(sizes, columns=["USUBJID", "TRLNKID", "AVAL", "PARCAT2", "ABLFL"])
    tu = lesions.sdtm["TU"].replace({"TULOC": {"LIVER": "LUNG"}}).assign(USUBJID=lambda f: f["USUBJID"])
    tu.loc[tu["USUBJID"] == "1", "TULOC"] = "LIVER"
    found = organ_size(recipe(name), sources(sdtm={"TU": tu}, adtr=adtr.assign(PARAMCD="LDIAM")))
    assert found.values.dropna().to_dict() == expected
    assert not organ_size(recipe(name), sources()).collected
    assert not organ_size(recipe(name), lesions).collected


@pytest.mark.rule("BASE-03", source="organs by hand")
def test_an_organ_that_has_no_flag_of_its_own():
    tu = pd.DataFrame(
        [
            ("1", "T01", "TARGET", "LIVER"),
            ("2", "T01", "TARGET", "ADRENAL GLAND"),
            ("3", "N1", "NEW", "SKIN"),
        ],
        columns=["USUBJID", "TULNKID", "TUSTRESC", "TULOC"],
    )
    assert values(other_organ_flag(recipe("OTHORGFL"), sources(sdtm={"TU": tu}))) == {"1": "N", "2": "Y"}
    assert not other_organ_flag(recipe("OTHORGFL"), sources()).collected


@pytest.mark.rule("BASE-03", source="sides by hand")
@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        (("LEFT", "RIGHT"), "Y"),
        (("LEFT", "LEFT"), "N"),
        (("BILATERAL", None), "Y"),
        (("LEFT", None), None),
    ],
)
def test_both_lobes_of_the_liver(sides, expected):
    tu = pd.DataFrame(
        [
            ("1", "T01", "TARGET", "LIVER", sides[0]),
            ("1", "T02", "NON-TARGET", "LIVER", sides[1]),
            ("2", "T01", "TARGET", "LUNG", "RIGHT"),
        ],
        columns=["USUBJID", "TULNKID", "TUSTRESC", "TULOC", "TULAT"],
    )
    assert values(both_sides(recipe("BILOBFL"), sources(sdtm={"TU": tu}))) == {"1": expected}


@pytest.mark.rule("BASE-03", source="an empty answer")
def test_sides_that_were_not_recorded_are_not_collected(lesions):
    assert not both_sides(recipe("BILOBFL"), lesions).collected
    assert not both_sides(recipe("BILOBFL"), sources()).collected


@pytest.mark.rule("SUBQ-21")
def test_every_further_variable_is_declared_for_the_study_file():
    declared = {row["name"] for row in shipped("baseline_variables")}
    recipes = {item["name"] for item in shipped_data("baseline")["variables"]}
    assert recipes - declared == {"ECOGBL", "WEIGHTBL"}
    ligands = [recipe(f"LIG{name}") for name in ("MICAB", "ULBP1", "ULBP2", "ULBP3")]
    assert [item["groups"] for item in ligands] == [("MICA/B",), ("ULBP1",), ("ULBP2/5/6",), ("ULBP3",)]
    assert all(item["only"] and item["reported"] == "LIGHMAX" for item in ligands)

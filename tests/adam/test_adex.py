from __future__ import annotations

import pandas as pd
import pytest

from interim.adam.adex import (
    actual_cohort,
    derive_adex,
    last_weight,
    nearest_level,
    product_of,
    received_dose,
)


@pytest.mark.rule("EXP-01")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CAR-NK", "CARNK"),
        ("car-nk", "CARNK"),
        (" CAR-T ", "CART"),
        ("NKG2D CAR-T cells", "CART"),
        ("CAR-TX", None),
        ("XCAR-T", None),
        ("CAR-T then CAR-NK", "CARNK"),
        ("Placebo", None),
        (None, None),
    ],
)
def test_a_product_is_named_by_whole_words_and_the_longest_text_wins(mini_study, text, expected):
    found = product_of(text, mini_study.products)
    assert (found.id if found else None) == expected


@pytest.mark.rule("EXP-01")
def test_two_products_named_by_texts_of_the_same_length_are_no_product(study_with):
    study = study_with(
        '[[products]]\nid = "A"\nextrt = ["CELLS A"]\nrole = "nk"\n[[products]]\nid = "B"\nextrt = ["CELLS B"]\nrole = "t"\n'
    )
    assert product_of("CELLS A", study.products).id == "A"
    assert product_of("CELLS A and CELLS B", study.products) is None


@pytest.mark.rule("EXP-01")
def test_an_infusion_without_product_or_date_stops(mini, mini_study, mk):
    ex = mini["EX"]
    ex.loc[0, "EXTRT"] = "SALINE"
    ex.loc[1, "EXSTDTC"] = "2025-01"
    adex, findings = derive_adex(mk.make(mini), mini_study)
    assert [(f.rule, f.severity, f.key, f.value, f.row) for f in findings] == [
        ("EX-PRODUCT", "stop", ("1",), "SALINE", 2),
        ("EX-DATE", "stop", ("2",), "2025-01", 3),
    ]
    assert "EXTRT must be one of CAR-NK, CAR-T" in findings[0].message
    assert len(adex) == len(ex) - 2


@pytest.mark.rule("EXP-02")
@pytest.mark.parametrize(
    ("column", "value", "counts"),
    [("EXDOSE", 0.0, False), ("EXDOSE", None, False), ("EXOCCUR", "N", False), ("EXOCCUR", None, True)],
)
def test_a_record_that_is_no_infusion_is_not_in_adex(mini, mini_study, mk, column, value, counts):
    mini["EX"].loc[0, column] = value
    adex, findings = derive_adex(mk.make(mini), mini_study)
    assert findings == ()
    assert ((adex["USUBJID"] == mk.uid("01")) & (adex["SRCSEQ"] == "1")).any() == counts


@pytest.mark.rule("EXP-02")
def test_any_record_of_another_product_counts_whatever_its_dose(study_with, mk):
    study = study_with('[[products]]\nid = "PATCH"\nextrt = ["PLACEBO", "XANOMELINE"]\nrole = "other"\n')
    rows = [
        {
            "USUBJID": "S1",
            "EXTRT": "PLACEBO",
            "EXDOSE": 0,
            "EXDOSU": "mg",
            "EXSTDTC": "2025-01-06",
            "EXENDTC": "2025-01-20",
        },
        {
            "USUBJID": "S1",
            "EXTRT": "PLACEBO",
            "EXDOSE": 0,
            "EXDOSU": "mg",
            "EXSTDTC": "2025-01-21",
            "EXENDTC": None,
        },
    ]
    adex, _ = derive_adex(mk.make({"EX": mk.frame("EX", rows)}), study)
    assert adex["APHASE"].tolist() == ["PATCH", "PATCH"]
    assert adex["DOSEU"].tolist() == ["mg", "mg"]
    assert adex["DOSEKG"].isna().all()


@pytest.mark.rule("EXP-03")
def test_phase_and_cycle_follow_the_collected_cycle(mini, mini_study, mk):
    adex, _ = derive_adex(mk.make(mini), mini_study)
    own = adex[adex["USUBJID"] == mk.uid("01")]
    assert own["APHASE"].tolist() == ["NK", "NK", "CART_C1", "CART_C1", "CART_C2", "CART_C2"]
    assert own["AINFN"].tolist() == [1, 2, 1, 2, 3, 4]


@pytest.mark.rule("EXP-03")
def test_without_collected_cycle_a_gap_of_more_than_a_week_opens_one(mini, mini_study, mk):
    mini["EX"] = mini["EX"].drop(columns="EXCYCLE")
    adex, _ = derive_adex(mk.make(mini), mini_study)
    own = adex[(adex["USUBJID"] == mk.uid("02")) & (adex["ROLE"] == "t")]
    assert own["ACYCLE"].tolist() == [1, 1, 2, 2]
    assert own["APHASE"].tolist() == ["CART_C1", "CART_C1", "CART_C2", "CART_C2"]


@pytest.mark.rule("EXP-04")
@pytest.mark.parametrize(
    ("unit", "dose", "cells", "per_kg"),
    [
        ("cells", 9e8, 9e8, 1.5e7),
        ("10^6 cells", 900, 9e8, 1.5e7),
        ("cells/kg", 1.5e7, 9e8, 1.5e7),
        ("10^6 cells/kg", 15, 9e8, 1.5e7),
    ],
)
def test_dose_in_cells_and_per_kg_by_unit(mini, mini_study, mk, unit, dose, cells, per_kg):
    row = mini["EX"].index[(mini["EX"]["USUBJID"] == mk.uid("01")) & (mini["EX"]["EXSEQ"] == 3)][0]
    mini["EX"].loc[row, ["EXDOSE", "EXDOSU"]] = [dose, unit]
    adex, _ = derive_adex(mk.make(mini), mini_study)
    own = adex[(adex["USUBJID"] == mk.uid("01")) & (adex["SRCSEQ"] == "3")].iloc[0]
    assert (own["ADOSE"], own["DOSEKG"], own["DOSEU"]) == (
        pytest.approx(cells),
        pytest.approx(per_kg),
        "cells",
    )


@pytest.mark.rule("EXP-04")
def test_the_weight_is_the_one_used_for_dosing_else_the_last_measured_one(mini, mini_study, mk):
    supp = mini["SUPPEX"]
    mini["SUPPEX"] = supp[~((supp["QNAM"] == "WEIGHT") & (supp["USUBJID"] == mk.uid("02")))]
    extra = [
        {
            "USUBJID": mk.uid("02"),
            "VSTESTCD": "WEIGHT",
            "VSSTRESN": 50.0,
            "VSSTRESU": "kg",
            "VSDTC": mk.on("02", 9),
            "VSSEQ": 9.0,
        }
    ]
    mini["VS"] = pd.concat([mini["VS"], mk.frame("VS", extra)], ignore_index=True)
    adex, _ = derive_adex(mk.make(mini), mini_study)
    weights = adex.groupby("USUBJID")["WEIGHT"].agg(list)
    assert weights[mk.uid("01")] == [60.0] * 6
    assert weights[mk.uid("02")] == [60.0, 60.0, 50.0, 50.0, 50.0, 50.0]


def test_without_weights_the_dose_per_kg_is_missing(mini, mini_study, mk):
    del mini["VS"], mini["SUPPEX"]
    adex, _ = derive_adex(mk.make(mini), mini_study)
    assert adex["DOSEKG"].isna().all()
    assert last_weight(adex, mk.make(mini)).isna().all()
    cohort, findings = actual_cohort(
        pd.DataFrame({"USUBJID": [mk.uid("01")], "COHORT": ["DL1"]}), adex, mini_study
    )
    assert (cohort.tolist(), findings) == (["DL1"], ())


@pytest.mark.rule("EXP-05")
@pytest.mark.parametrize(
    ("dose", "level"),
    [
        (1.5e7, "DL1"),
        (1.8e7, "DL1"),
        (1.81e7, None),
        (2.4e7, "DL2"),
        (3.4e7, "DL2"),
        (4.0e7, "DL3"),
        (3.99e7, None),
        (7.5e7, "DL4"),
        (9e7, None),
    ],
)
def test_the_actual_level_is_the_nearest_within_the_permitted_deviation(mini_study, dose, level):
    assert nearest_level(dose, mini_study) == level


@pytest.mark.rule("EXP-05")
def test_what_a_level_means_decides_the_received_dose(mini, mini_study, study_with, mk):
    adex, _ = derive_adex(mk.make(mini), mini_study)
    per_cycle = study_with('[ambiguity]\nAMB-4 = "B"\n')
    assert received_dose(adex, mini_study)[mk.uid("01")] == pytest.approx(1.5e7)
    assert received_dose(adex, per_cycle)[mk.uid("01")] == pytest.approx(3e7)


@pytest.mark.rule("EXP-05")
def test_another_level_moves_the_actual_column_and_off_level_does_not(mini, mini_study, mk):
    ex = mini["EX"]
    cart = ex["EXTRT"] == "CAR-T"
    ex.loc[cart & (ex["USUBJID"] == mk.uid("03")), "EXDOSE"] = 3.4e7 * 60
    ex.loc[cart & (ex["USUBJID"] == mk.uid("08")), "EXDOSE"] = 3.9e7 * 60
    adex, _ = derive_adex(mk.make(mini), mini_study)
    assigned = pd.DataFrame(
        {
            "USUBJID": [mk.uid(n) for n in ("01", "03", "04", "06", "08")],
            "COHORT": ["DL1", "DL3", "NK only", None, "DL3"],
        }
    )
    actual, findings = actual_cohort(assigned, adex, mini_study)
    assert actual.tolist() == ["DL1", "DL2", "NK only", None, "DL3"]
    assert [(f.rule, f.subject) for f in findings] == [
        ("EX-ACTLVL", mk.uid("03")),
        ("EX-ACTLVL", mk.uid("08")),
    ]
    assert "off level" in findings[1].message


def test_row_order_does_not_matter(mini, mini_study, mk):
    expected, _ = derive_adex(mk.make(mini), mini_study)
    mini["EX"] = mini["EX"].sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(derive_adex(mk.make(mini), mini_study)[0], expected)

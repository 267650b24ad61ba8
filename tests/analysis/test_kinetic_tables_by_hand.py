"""Tables of kinetics, cytokines and biomarkers on a few samples written in the test."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from interim.adam.model import Adam
from interim.analysis import biomarkers, cytokines, exposure, kinetics
from interim.report.lint.denominator import unaccounted
from interim.report.lint.model import values_of
from interim.result import ResultStore
from tests.analysis.answers import row, status, subjects, value
from tests.analysis.kinetic_case import CUT, STUDY, make_adam, with_study


@pytest.fixture(scope="module")
def adam():
    return make_adam()


@pytest.fixture(scope="module")
def levels(adam):
    return kinetics.levels_by_time(adam, STUDY)


@pytest.fixture(scope="module")
def parameters(adam):
    return kinetics.cart_parameters(adam, STUDY)


def replaced(adam, **frames):
    return Adam({**adam.datasets, **frames}, CUT)


def with_tissue(adam, rows):
    """Every participant of the kinetic set has a biopsy."""
    adsl = adam["ADSL"]
    return replaced(adam, ADPC=rows, ADSL=adsl.assign(BXFL=adsl["CKFL"]))


def tissue_rows(rows):
    """Return samples of ADPC: participant, tissue, day, value (None: below 50), number."""
    made = [
        {
            "USUBJID": who,
            "PARAMCD": "CARTG",
            "ASPEC": spec,
            "AVALU": "copies/ug",
            "AFRLT": float(day),
            "AVAL": np.nan if level is None else float(level),
            "ALLOQ": 50.0,
            "BLQFL": "Y" if level is None else None,
            "STATE": "QUANT" if level is not None else "BLQ",
            "ROLE": "t",
            "ANL01FL": "Y" if spec == "BLOOD" else "N",
            "EXCLRS": None if spec == "BLOOD" else "NOT_BLOOD",
            "SRCDOM": "PC",
            "SRCSEQ": str(place),
        }
        for place, (who, spec, day, level) in enumerate(rows, 1)
    ]
    text = {name: object for name in ("BLQFL", "EXCLRS", "SRCSEQ", "USUBJID", "ASPEC", "PARAMCD", "AVALU")}
    return pd.DataFrame(made).astype(text)


TISSUES = {
    "one": ([("01", "BLOOD", 30, 100), ("01", "TUMOR", 30, 400)], 4.0, None),
    "nearest": (
        [("01", "BLOOD", 29.8, 100), ("01", "BLOOD", 30.1, 200), ("01", "TUMOR", 30, 400)],
        2.0,
        None,
    ),
    "the earlier of two as near": (
        [("01", "BLOOD", 29.5, 100), ("01", "BLOOD", 30.5, 200), ("01", "TUMOR", 30, 400)],
        4.0,
        None,
    ),
    "too far": ([("01", "BLOOD", 28.9, 100), ("01", "TUMOR", 30, 400)], None, "NO_TISSUE_MATCH"),
    "the last of two": (
        [
            ("01", "BLOOD", 40, 100),
            ("01", "TUMOR", 40, 300),
            ("01", "BLOOD", 30, 100),
            ("01", "TUMOR", 30, 200),
        ],
        3.0,
        None,
    ),
    "blood below": ([("01", "BLOOD", 30, None), ("01", "TUMOR", 30, 400)], None, "BLOOD_BLQ"),
    "tissue below": ([("01", "BLOOD", 30, 400), ("01", "TUMOR", 30, None)], None, "TISSUE_BLQ"),
    "both below": ([("01", "BLOOD", 30, None), ("01", "TUMOR", 30, None)], None, "BOTH_BLQ"),
    "blood of another": ([("02", "BLOOD", 30, 100), ("01", "TUMOR", 30, 400)], None, "NO_TISSUE_MATCH"),
}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("name", list(TISSUES))
def test_tissue_against_blood(adam, name, turned):
    rows, ratio, reason = TISSUES[name]
    frame = tissue_rows(rows)
    frame = frame[::-1].reset_index(drop=True) if turned else frame
    found = kinetics.biodistribution(with_tissue(adam, frame), with_study(tissue_match_h=24))
    if ratio is None:
        assert value(found, "CARTG tumor", "n", level="ratio") == 0
        assert subjects(found, "CARTG tumor without ratio", "n", level=reason) == {"01"}
    else:
        assert value(found, "CARTG tumor", "median", level="ratio") == ratio


def test_tissue_of_participants_outside_the_set_is_not_counted(adam):
    frame = tissue_rows([("04", "TUMOR", 30, 400), ("01", "TUMOR", 30, 400), ("01", "TUMOR", 31, 300)])
    found = kinetics.biodistribution(with_tissue(adam, frame), STUDY)
    assert value(found, "CARTG tumor without ratio", "n", level="NO_TISSUE_MATCH") == 1
    assert subjects(found, "CARTG tumor without ratio", "n", level="NO_TISSUE_MATCH") == {"01"}


def test_two_samples_a_minute_apart_are_both_drawn_and_the_later_is_counted(adam):
    frame = adam["ADPC"]
    first = frame[(frame["USUBJID"] == "01") & (frame["NTIME"] == 7) & (frame["PARAMCD"] == "CARTG")]
    first = first[first["ANL01FL"] == "Y"]
    assert len(first) == 1
    pair = [first.assign(SRCSEQ=f"99{k}", AVAL=100.0 * k, AFRLT=7 + k / 1440) for k in (1, 2)]
    rest = frame.drop(index=first.index)
    for both in (pd.concat([rest, *pair]), pd.concat([*pair[::-1], rest])):
        data = replaced(adam, ADPC=both.reset_index(drop=True))
        found = kinetics.levels_by_time(data, STUDY)
        assert value(found, "CARTG (copies/ug)", "n", level="Day 7") == 3
        assert value(found, "CARTG (copies/ug)", "median", level="Day 7") == 200
        assert len(kinetics.profiles(data, STUDY).where(stat="conc")) == 10 + 8 + 5 + 1


@pytest.mark.parametrize(
    ("group", "variable", "level", "stat", "expected"),
    [
        ("DL1", "CARTG (copies/ug)", "Day 7", "n", 1),
        ("DL2", "CARTG (copies/ug)", "Day 7", "n", 2),
        ("DL2", "CARTG (copies/ug)", "Day 7", "n_blq", 1),
        ("DL2", "CARTG (copies/ug)", "Day 7", "max", 6400),
        ("DL2", "CARTG (copies/ug)", "Day 7", "min", 25),
        ("Total", "CARTG (copies/ug)", "Day 3", "max", 200),
        ("Total", "CARTG (copies/ug)", "Day 28", "n_blq", 2),
        ("Total", "CARTG (copies/ug)", "Day 21", "n", 2),
        ("DL3", "CARTG (copies/ug)", "Day 7", "n", 0),
        ("Total", "CARTG (copies/ug)", "Pre-dose", "n_blq", 3),
    ],
)
def test_levels_of_each_column(levels, group, variable, level, stat, expected):
    assert value(levels, variable, stat, level=level, group=group) == expected


@pytest.mark.parametrize(
    ("day", "n", "seen"), [("Day 28", 3, {"01"}), ("Day 60", 0, set()), ("Day 90", 0, set())]
)
def test_persistence_among_those_sampled(parameters, day, n, seen):
    found = parameters
    rate = row(found, "CARTG persistence", "rate", level=day)
    assert (rate["N"], rate["n"]) == (n, len(seen))
    if n:
        assert subjects(found, "CARTG persistence", "rate", level=day) == seen
    else:
        assert (rate["status"], rate["reason"]) == ("NE", "NO_DATA")


@pytest.mark.parametrize(
    ("group", "n", "reason"), [("DL1", 1, "FEWER_THAN_3"), ("DL2", 2, "FEWER_THAN_3"), ("DL3", 0, None)]
)
def test_small_columns_have_values_and_no_mean(parameters, group, n, reason):
    found = parameters
    place = {"level": "CMAX", "group": group}
    assert value(found, "CARTG cycle 1", "n", **place) == n
    if reason:
        assert status(found, "CARTG cycle 1", "mean", **place) == ("NE", reason)
        assert len(row(found, "CARTG cycle 1", "values", **place)["text"].split("; ")) == n
    else:
        frame = found.where(variable="CARTG cycle 1", level="CMAX", group=group)
        assert set(frame["stat"]) == {"n", "n_positive", "n_out"}


def test_geometric_means_are_of_positive_values(adam):
    """One participant has all samples below the limit, and a peak of 0: it enters the mean, not the geometric mean."""
    found = kinetics.cart_parameters(adam, STUDY)
    assert value(found, "CARTG cycle 1", "geo_mean", level="CMAX") == pytest.approx(3200)
    assert value(found, "CARTG cycle 1", "mean", level="CMAX") == pytest.approx((1600 + 6400) / 3)


@pytest.mark.parametrize(
    ("best", "events", "others"),
    [
        ({"01": "PD", "02": "PR", "03": "SD"}, 1, 2),
        ({"01": "CR", "02": "PR", "03": "PD"}, 2, 1),
        ({"01": "PD", "02": "PD", "03": "PD"}, 0, 3),
        ({"01": "CR", "02": "PD"}, 1, 1),
        ({"01": "NE", "02": "NE", "03": "NE"}, 0, 3),
    ],
)
def test_exposure_of_responders_and_others(adam, best, events, others):
    study = with_study(bootstrap_n=20)
    frame = pd.DataFrame(
        [
            {"USUBJID": s, "PARAMCD": "BOR", "PARCAT2": study.response.evaluator, "AVALC": v}
            for s, v in best.items()
        ]
    )
    reader = frame.assign(PARCAT2="READER 9", AVALC="CR")
    found = exposure.response(replaced(adam, ADRS=pd.concat([reader, frame])), study)
    name = "CARTG CMAX ~ response"
    assert (value(found, name, "events"), value(found, name, "others")) == (events, others)
    assert value(found, name, "known") == len(best), "of those with an exposure and a response"
    if not events or not others:
        assert row(found, name, "auroc")["status"] == "NA"
    else:
        assert 0 <= value(found, name, "auroc") <= 1


@pytest.mark.rule("SAF-32")
def test_the_base_of_an_exposure_is_stated_where_an_outcome_is_not_known(adam):
    """Two of three participants have a best response: what is told apart by it is of two, a correlation of three with an exposure."""
    study = with_study(bootstrap_n=20)
    frame = pd.DataFrame(
        [
            {"USUBJID": s, "PARAMCD": "BOR", "PARCAT2": study.response.evaluator, "AVALC": v}
            for s, v in {"01": "CR", "02": "PD"}.items()
        ]
    )
    found = exposure.response(replaced(adam, ADRS=frame), study)
    rows = dict(values_of(ResultStore({"exposure.response": found})))
    assert list(unaccounted(rows)) == []
    split = row(found, "CARTG CMAX ~ response", "auroc")
    assert (split["n"], split["N"]) == (1, 2)
    order = found.where(variable="CARTG CMAX ~ CRS grade", stat="known")
    assert order["n"].tolist() == [3]
    unstated = {key: one for key, one in rows.items() if one.stat != "known"}
    assert list(unaccounted(unstated)), "two of three are no column: the base has to be stated"


@pytest.mark.parametrize(
    ("rows", "counts"),
    [
        ([("01", "PRE", "NEGATIVE"), ("01", "POST", "POSITIVE")], (1, 1, 0, 1, 1)),
        ([("01", "PRE", "POSITIVE"), ("01", "POST", "POSITIVE")], (1, 1, 1, 1, 0)),
        ([("01", "PRE", "POSITIVE"), ("01", "POST", "NEGATIVE")], (1, 1, 1, 0, 0)),
        ([("01", "PRE", "NEGATIVE")], (1, 0, 0, None, None)),
        ([("01", "POST", "positive"), ("04", "POST", "POSITIVE")], (2, 2, None, 2, 2)),
        ([("01", "POST", None), ("02", "POST", "NEGATIVE")], (2, 2, None, 0, 0)),
        ([("99", "POST", "POSITIVE"), ("01", "PRE", "NEGATIVE")], (1, 0, 0, None, None)),
    ],
)
def test_antibodies_before_and_after(adam, rows, counts):
    frame = pd.DataFrame(rows, columns=["USUBJID", "TIMING", "AVALC"]).assign(
        PARCAT1="IMMUNOGENICITY", PARAMCD="ADA"
    )
    found = biomarkers.immunogenicity(replaced(adam, ADBM=frame), STUDY)
    levels = (
        "Tested",
        "Tested after treatment",
        "Positive before treatment",
        "Positive after treatment",
        "Newly positive",
    )
    found_rows = [row(found, "ADA", "n", level=level) for level in levels]
    assert tuple(None if one["status"] == "NA" else one["value"] for one in found_rows) == counts


@pytest.mark.parametrize(
    ("rows", "paired", "change"),
    [
        ([("01", 100, 40)], 1, -60),
        ([("01", 100, 40), ("02", 50, 150)], 2, 20),
        ([("01", np.nan, 40)], 0, None),
        ([("01", 100, np.nan)], 0, None),
        ([("01", 100, 90), ("01", 100, 40)], 1, -60),
    ],
)
def test_ligands_of_pairs(adam, rows, paired, change):
    frame = pd.DataFrame(rows, columns=["USUBJID", "BASE", "AVAL"]).astype({"BASE": float, "AVAL": float})
    frame = frame.assign(
        PARCAT1="LIGAND",
        PARAMCD="HSCORE",
        TIMING="POST",
        CHG=frame["AVAL"] - frame["BASE"],
        ADT=pd.date_range("2025-05-01", periods=len(frame)),
        SRCSEQ=[str(k) for k in range(1, len(frame) + 1)],
    )
    found = biomarkers.ligands(replaced(adam, ADBM=frame[::-1]), STUDY)
    assert value(found, "population", "N") == paired
    if paired:
        assert value(found, "HSCORE", "median", level="Change") == change
    else:
        assert row(found, "ligand", "n")["status"] == "NA"


@pytest.mark.parametrize(
    ("flags", "level", "expected"),
    [
        ((None, None), "ABOVE_ULOQ", None),
        (("ABOVE_ULOQ", None), "ABOVE_ULOQ", {"01"}),
        (("ABOVE_ULOQ;AFTER_TOCILIZUMAB", "ABOVE_ULOQ"), "ABOVE_ULOQ", {"01", "02"}),
        (("ABOVE_ULOQ;AFTER_TOCILIZUMAB", "ABOVE_ULOQ"), "AFTER_TOCILIZUMAB", {"01"}),
    ],
)
def test_flags_of_cytokines(adam, flags, level, expected):
    rows = [
        {
            "USUBJID": who,
            "PARAMCD": "IL6",
            "BASETYPE": "CART",
            "STAT": name,
            "AVAL": number,
            "AVALU": "pg/mL",
            "NBLQ": float(who == "02"),
            "FLAGS": flag,
        }
        for who, flag in zip(("01", "02"), flags, strict=True)
        for name, number in (("BASE", 4.0), ("PEAK", 64.0), ("FOLD", 16.0))
    ]
    frame = pd.DataFrame(rows).astype({"FLAGS": object})
    found = cytokines.summary(replaced(adam, ADCYPP=frame), STUDY)
    assert subjects(found, "IL6 CART below", "n") == {"02"}
    assert value(found, "IL6 CART", "median", level="FOLD") == 16
    hit = found.where(variable="IL6 CART flags", level=level)
    assert hit.empty if expected is None else subjects(found, "IL6 CART flags", "n", level=level) == expected


@pytest.mark.parametrize(
    ("day", "shown"),
    [(-15.0, True), (-15.01, False), (0.0, True), (30.0, True), (30.01, False), (math.nan, False)],
)
def test_window_of_the_heat_map(adam, day, shown):
    frame = adam["ADCY"][lambda f: f["BASETYPE"].eq("CART")].head(1).assign(DAY=day, LOG2FOLD=3.0)
    found = cytokines.course(replaced(adam, ADCY=frame), STUDY)
    points = found.where(stat="log2_fold")
    assert len(points) == shown
    if not shown:
        assert row(found, "cytokines", "n")["status"] == "NA"

"""Parts of the parameters that take plain arrays: gaps between infusions, slopes of the first product, areas of another series."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.analysis.kinetic_case import STUDY, adex, sample, samples, with_study

from interim.adam.adpp_carryover import carryover_slopes, without_carryover
from interim.adam.adpp_frame import method_of
from interim.adam.adpp_windows import Infusions, batch, cycle_windows
from interim.stats.nca import NcaRules, nca, with_areas
from interim.stats.nca_profile import profiles

NAN = math.nan


def infusions(start, cycle):
    first = np.array([start], dtype=float)
    return Infusions(first, first + 0.02, np.array([cycle], dtype=float), np.full_like(first, 1e7))


@pytest.mark.rule("KIN-39", source="spec kinetics 5 rule 1")
@pytest.mark.parametrize(
    ("start", "cycle", "hours", "apart"),
    [
        ([0, 1], [1, 1], 36, False),
        ([0, 1.5], [1, 1], 36, False),
        ([0, 1.51], [1, 1], 36, True),
        ([0, 14], [1, 2], 36, False),
        ([0, 1, 14, 17], [1, 1, 2, 2], 36, True),
        ([0, NAN], [1, NAN], 36, False),
        ([0], [1], 0, False),
        ([0, 1], [1, 1], 0, True),
    ],
)
def test_infusions_of_one_cycle_and_the_permitted_gap(start, cycle, hours, apart):
    assert infusions(start, cycle).apart(hours).tolist() == [apart]


def nk_batch(levels):
    rows = [sample("04", day, level, code="CARNK") for day, level in levels.items()]
    return batch(samples(rows).frame, adex(), "nk")


@pytest.mark.rule("KIN-38", source="spec kinetics 5 rule 7")
@pytest.mark.parametrize(
    ("levels", "slope"),
    [
        ({2: 1600, 3: 800, 4: 400, 5: 200}, math.log(2)),
        ({2: 1600, 3: 800}, None),
        ({2: 100, 3: 200, 4: 400, 5: 800}, None),
    ],
)
def test_the_slope_of_the_first_product_belongs_to_participant_specimen_and_unit(levels, slope):
    found = nk_batch({day + 10: level for day, level in levels.items()})
    made = carryover_slopes([(found, cycle_windows(found, STUDY))])
    key = ("04", "BLOOD", "copies/ug")
    assert made == ({key: pytest.approx(slope)} if slope else {})
    assert carryover_slopes([]) == {}


@pytest.mark.rule("KIN-38")
def test_another_unit_or_participant_gives_no_slope():
    found = nk_batch({12: 1600, 13: 800, 14: 400})
    for key in (("03", "BLOOD", "copies/ug"), ("04", "PBMC", "copies/ug"), ("04", "BLOOD", "cells/uL")):
        less = without_carryover(found, {key: 0.5})
        assert np.array_equal(less.samples.value, found.samples.value, equal_nan=True)
        assert not less.marks["CARRYOVER_SUBTRACTED"].any()


@pytest.mark.rule("KIN-18")
def test_areas_of_another_series_leave_points_and_slope_alone():
    plain = profiles([0] * 5, [0, 1, 2, 3, 4], value=[NAN, 8, 4, 2, 1], lloq=1.0)
    other = profiles([0] * 5, [0, 1, 2, 3, 4], value=[16, 8, 4, 2, 1], lloq=1.0)
    found, area = nca(plain, NcaRules()), nca(other, NcaRules())
    mixed = with_areas(found, area)
    assert mixed.values["AUCLST"][0] == pytest.approx(15 / math.log(2))
    assert mixed.values["AUCIFO"][0] == pytest.approx(16 / math.log(2))
    for name in ("CMAX", "TMAX", "LAMZ", "TLST"):
        assert mixed.values[name][0] == found.values[name][0]
    assert found.values["AUCLST"][0] == pytest.approx(4 + 7 / math.log(2))
    assert with_areas(found, area, ("CMAX",)).values["CMAX"][0] == 16


@pytest.mark.rule("KIN-23", source="spec kinetics 15 (g)")
@pytest.mark.parametrize(
    ("changes", "role", "text"),
    [
        ({}, "t", "lin up/log down"),
        ({"auc_method": "linear"}, "t", "linear"),
        ({"dnq_treatment": "reported_value"}, "nk", "lin up/log down; detected values as reported"),
        ({"allow_tmax_in_lambda_z": True}, "t", "lin up/log down; Tmax in the slope, C0 logslope"),
        ({"carryover": "subtract_exponential"}, "t", "lin up/log down; carry-over subtracted"),
        ({"carryover": "subtract_exponential"}, "nk", "lin up/log down"),
    ],
)
def test_every_setting_that_changes_a_rule_stands_in_the_output(changes, role, text):
    assert method_of(with_study(**changes), role) == text

"""Non-compartmental analysis against independent engines: R PKNCA, R survreg, a second implementation."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from interim.stats.nca import NcaRules, nca
from interim.stats.nca_profile import profiles
from interim.stats.nca_tobit import tobit

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "kinetics"
NAN = float("nan")


def table(name):
    return list(csv.DictReader((FOLDER / name).read_text(encoding="utf-8").splitlines()))


def cart():
    """All CAR-T profiles as one batch, with the row of each participant."""
    rows = [row for row in table("input_cart.csv") if row["AVALC"] != "NOT DONE"]
    ids = sorted({row["USUBJID"] for row in rows})
    value = [float(row["AVAL"]) if row["AVAL"] else NAN for row in rows]
    batch = profiles(
        [ids.index(row["USUBJID"]) for row in rows],
        [float(row["ATIME"]) for row in rows],
        value=value,
        lloq=[float(row["LLOQ"]) for row in rows],
    )
    return ids, batch


# The moments that PKNCA leaves empty at ties, from the README of the reference.
MOMENTS = {
    "VCT001": (542730.59786988, 14.1079371936096),
    "VCT005": (662832.80961646, 15.0164964345937),
    "VCT009": (817978.47413462, 137.189233554087),
    "VCT010": (443520.19180868, 13.9570591539356),
    "VCT020": (680479.17080494, 14.8841016846733),
}


@pytest.mark.rule("KIN-02", source="README of the reference: moments at ties of the lin-log rule")
@pytest.mark.parametrize("subject", MOMENTS)
def test_moments_exist_at_equal_concentrations(subject):
    ids, batch = cart()
    rules = NcaRules(blq_rule="half_lloq", auc_method="lin-log", compete="all_windows")
    found = nca(batch, rules).values
    row = ids.index(subject)
    assert found["AUMCIFO"][row] == pytest.approx(MOMENTS[subject][0], rel=1e-8)
    assert found["MRTIFO"][row] == pytest.approx(MOMENTS[subject][1], rel=1e-8)


NAMES = {
    "cmax": "CMAX",
    "auclast": "AUCLST",
    "lambda_z": "LAMZ",
    "half_life": "LAMZHL",
    "aucinf_obs": "AUCIFO",
}


@pytest.mark.rule("KIN-16", source="PKNCA 0.12.1, one profile at a time")
@pytest.mark.parametrize("rule", ["zero", "pknca", "pre0_post_drop", "half_lloq"])
def test_a_batch_gives_what_the_engine_gives_one_by_one(rule):
    ids, batch = cart()
    found = nca(batch, NcaRules(blq_rule=rule, auc_method="lin up/log down", compete="all_windows"))
    seen = 0
    for row in table("ref_nca.csv"):
        if (row["dataset"], row["blq_rule"], row["auc_method"]) != ("cart", rule, "lin up/log down"):
            continue
        if row["param"] not in NAMES:
            continue
        value = found.values[NAMES[row["param"]]][ids.index(row["id"])]
        expected = float(row["value"]) if row["value"] else NAN
        assert value == pytest.approx(expected, rel=1e-8, nan_ok=True), row
        assert bool(found.reasons[NAMES[row["param"]]][ids.index(row["id"])]) == math.isnan(value)
        seen += 1
    assert seen > 80


@pytest.mark.rule("KIN-04", source="second implementation, quirks file")
def test_a_rising_window_does_not_take_the_half_life_away():
    (wanted,) = [row for row in table("quirks_pknca.csv") if row["param"].startswith("ALT_")]
    ids, batch = cart()
    row = ids.index(wanted["id"])
    by_mode = {
        mode: nca(batch, NcaRules(blq_rule=wanted["blq_rule"], auc_method=wanted["auc_method"], compete=mode))
        for mode in ("negative_only", "all_windows")
    }
    assert by_mode["negative_only"].values["LAMZ"][row] == pytest.approx(
        float(wanted["independent"]), rel=1e-8
    )
    assert math.isnan(by_mode["all_windows"].values["LAMZ"][row])
    assert by_mode["all_windows"].reasons["LAMZ"][row] == "NO_NEGATIVE_SLOPE"


@pytest.mark.rule("KIN-09", source="R survival::survreg 3.x")
@pytest.mark.parametrize("starts", [3, 5])
def test_censored_half_life_of_all_profiles_at_once(starts):
    ids, batch = cart()
    fit = tobit(batch, starts=starts)
    wanted = defaultdict(dict)
    for row in table("ref_tobit_full_window.csv"):
        wanted[row["id"]][row["param"]] = float(row["value"])
    for subject, values in wanted.items():
        row = ids.index(subject)
        assert fit.reason[row] == ""
        assert fit.lambda_z[row] == pytest.approx(values["tobit_lambda_z"], rel=1e-6)
        assert fit.loglik[row] == pytest.approx(values["tobit_loglik"], rel=1e-6)
        assert fit.se[row] == pytest.approx(values["tobit_se"], rel=1e-5)
    without = set(ids) - set(wanted)
    assert {str(fit.reason[ids.index(subject)]) for subject in without} == {"TOBIT_FEW_QUANT"}


@pytest.mark.rule("KIN-02", source="second implementation, quirks file: the fault of the peer")
def test_no_triangle_after_the_last_quantified_sample():
    wanted = [
        row for row in table("quirks_pknca.csv") if row["id"] == "VCT007" and row["param"] == "auc0_28_last"
    ]
    ids, batch = cart()
    assert wanted
    for row in wanted:
        area, _ = nca(batch, NcaRules(blq_rule=row["blq_rule"], auc_method=row["auc_method"])).partial(28.0)
        assert area.area[ids.index("VCT007")] == pytest.approx(float(row["independent"]), rel=1e-8)
        assert float(row["pknca"] or "inf") != pytest.approx(float(row["independent"]), rel=1e-3)


def test_the_batch_holds_what_the_file_holds():
    ids, batch = cart()
    assert len(ids) == 20
    assert int(batch.valid.sum()) == sum(row["AVALC"] != "NOT DONE" for row in table("input_cart.csv"))
    assert np.isnan(batch.value[batch.valid]).sum() == sum(
        row["BLQFL"] == "Y" for row in table("input_cart.csv")
    )

"""EX, BE, BS, PR, PC: doses against weight and level, the chain of manufacture, the kinetics of the cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.example.settings import codes, numbers

SEEDS = [20251225, 1]
EACH = [(preset, seed) for preset in ("main13", "tiny10", "full18") for seed in SEEDS]
each = pytest.mark.parametrize(("preset", "seed"), EACH)
LEVELS = {"DL1": 1.5e7, "DL2": 3.0e7, "DL3": 5.0e7, "DL4": 7.0e7}


def day(texts):
    return pd.to_datetime(texts.str[:10])


def infusions(frames):
    """Return EX with its supplemental qualifiers as numbers and the arm of the participant."""
    supp = frames["SUPPEX"].assign(EXSEQ=frames["SUPPEX"]["IDVARVAL"].astype(int))
    numbers = supp[supp["QNAM"] != "SOURCE"]
    wide = numbers.pivot(index=["USUBJID", "EXSEQ"], columns="QNAM", values="QVAL").astype(float)
    wide = wide.reset_index()
    ex = frames["EX"].merge(wide, on=["USUBJID", "EXSEQ"], validate="1:1")
    return ex.merge(frames["DM"][["USUBJID", "ARMCD", "SEX"]], on="USUBJID", validate="m:1")


@pytest.mark.rule(
    "SYN-09", source="registered doses: CAR-NK 1e9 and 2e9 cells, CAR-T 1.5, 3, 5, 7 e7 cells/kg"
)
@each
def test_planned_doses_are_those_of_the_protocol(made, preset, seed):
    ex = infusions(made(preset, seed))
    cart = ex[ex["EXTRT"] == "CAR-T"]
    planned = cart["ARMCD"].map(LEVELS) * cart["WEIGHT"]
    assert np.allclose(cart["PLANCELL"], planned, rtol=0, atol=1)
    nk = ex[ex["EXTRT"] == "CAR-NK"].sort_values(["USUBJID", "EXSTDTC"])
    assert nk["PLANCELL"].tolist() == [1e9, 2e9] * nk["USUBJID"].nunique()


@pytest.mark.rule("SYN-09")
@each
def test_given_doses_are_near_the_plan_and_whole_hundred_thousands(made, preset, seed):
    ex = infusions(made(preset, seed))
    ratio = ex["EXDOSE"] / ex["PLANCELL"]
    assert ratio.between(0.85 - 1e-3, 1.05 + 1e-3).all()
    assert (ex["EXDOSE"] % 1e5 == 0).all()
    assert 0.95 < ratio.mean() < 1.01
    assert set(ex["EXDOSU"]) == {"cells"}
    assert (ex["EXOCCUR"] == "Y").all()


@pytest.mark.rule("SYN-09")
@each
def test_a_participant_has_one_weight_and_one_lot_per_product(made, preset, seed):
    ex = infusions(made(preset, seed))
    assert (ex.groupby("USUBJID")["WEIGHT"].nunique() == 1).all()
    for sex, (mean, sd) in {
        "M": numbers("demog.weight_kg.male"),
        "F": numbers("demog.weight_kg.female"),
    }.items():
        assert ex.loc[ex["SEX"] == sex, "WEIGHT"].between(mean - 2.5 * sd - 0.1, mean + 2.5 * sd + 0.1).all()
    lots = ex.groupby(["USUBJID", "EXTRT"])["EXLOT"].unique()
    assert lots.map(len).eq(1).all()
    assert lots.explode().is_unique
    expected = {"CAR-NK": "NK-", "CAR-T": "T-"}
    assert all(lot.startswith(expected[product]) for (_, product), lot in lots.explode().items())


@pytest.mark.rule("SYN-09")
@each
def test_weight_for_dosing_agrees_with_the_vital_signs(made, preset, seed):
    frames = made(preset, seed)
    weight = infusions(frames).groupby("USUBJID")["WEIGHT"].first()
    vs = frames["VS"][frames["VS"]["VSTESTCD"] == "WEIGHT"]
    vs = vs[vs["USUBJID"].isin(weight.index)]
    ratio = vs["VSSTRESN"] / vs["USUBJID"].map(weight)
    assert ((ratio - 1).abs() < 0.05).all()
    before = vs.merge(frames["DM"][["USUBJID", "RFXSTDTC"]], on="USUBJID", validate="m:1")
    assert set(before.loc[before["VSDTC"] < before["RFXSTDTC"], "USUBJID"]) == set(weight.index)


@pytest.mark.rule("SYN-09")
@each
def test_routes_cycles_and_times(made, preset, seed):
    ex = infusions(made(preset, seed))
    assert (ex["EXROUTE"] == ex["EXTRT"].map({"CAR-NK": "INTRA-ARTERIAL", "CAR-T": "INTRAVENOUS"})).all()
    assert (ex.loc[ex["EXTRT"] == "CAR-NK", "EXCYCLE"] == 1).all()
    assert ex["EXCYCLE"].isin([1, 2]).all()
    minutes = (pd.to_datetime(ex["EXENDTC"]) - pd.to_datetime(ex["EXSTDTC"])).dt.total_seconds() / 60
    assert minutes.between(20, 40).all()
    assert (ex.groupby(["USUBJID", "EXTRT", "EXCYCLE"]).size() == 2).all()


@pytest.mark.rule(
    "SYN-08", source="registered: CAR-T 1 to 2 weeks after CAR-NK; second cycle about two weeks later"
)
@each
def test_intervals_between_infusions(made, preset, seed):
    ex = infusions(made(preset, seed))
    first = (
        ex.assign(DAY=day(ex["EXSTDTC"]))
        .groupby(["USUBJID", "EXTRT", "EXCYCLE"])["DAY"]
        .min()
        .unstack([1, 2])
    )
    gap = (first[("CAR-T", 1)] - first[("CAR-NK", 1)]).dropna().dt.days
    assert gap.between(7, 14).all()
    again = (first[("CAR-T", 2)] - first[("CAR-T", 1)]).dropna().dt.days
    assert again.between(14, 18).all()
    assert len(again) >= 1


@pytest.mark.rule("SYN-09")
@each
def test_product_quality_is_released_and_the_same_in_bs_and_suppex(made, preset, seed):
    frames = made(preset, seed)
    ex, bs = infusions(frames), frames["BS"]
    wide = bs.pivot(index="BSREFID", columns="BSTESTCD", values="BSSTRESN")
    for name in ("VIABIL", "CARPOS", "VCN"):
        assert (ex[name] == ex["EXLOT"].map(wide[name])).all(), name
    assert wide["VIABIL"].between(80, 99).all()
    assert wide["CARPOS"].between(20, 90).all()
    assert wide["VCN"].between(0, 5).all()
    assert (wide["RESIDT"].dropna() < 1).all()
    assert set(wide.index[wide["RESIDT"].notna()]) == set(ex.loc[ex["EXTRT"] == "CAR-NK", "EXLOT"])
    assert set(wide.index) == set(ex["EXLOT"])
    assert (bs["BSSTRESC"].astype(float) == bs["BSSTRESN"]).all()


@pytest.mark.rule("SYN-01")
@each
def test_the_chain_of_manufacture_is_in_order(made, preset, seed):
    frames = made(preset, seed)
    be = frames["BE"].pivot(index="USUBJID", columns=["BECAT", "BEDECOD"], values="BESTDTC")
    first = frames["EX"].groupby(["USUBJID", "EXTRT"])["EXSTDTC"].min().str[:10].unstack()
    cart, nk = be["CAR-T"], be["CAR-NK"]
    assert (nk["PRODUCT RELEASE"] < first["CAR-NK"]).all()
    assert (cart["APHERESIS"] < cart["MANUFACTURING START"]).all()
    given = first["CAR-T"].dropna().index
    assert (cart.loc[given, "MANUFACTURING START"] < cart.loc[given, "PRODUCT RELEASE"]).all()
    assert (cart.loc[given, "PRODUCT RELEASE"] < first.loc[given, "CAR-T"]).all()
    failed = cart.index[cart.get("MANUFACTURING FAILURE", pd.Series(None, index=cart.index)).notna()]
    why = frames["DS"][frames["DS"]["DSDECOD"] == "PRODUCT MANUFACTURING FAILURE"]["USUBJID"]
    assert set(failed) == set(why)
    assert set(failed).isdisjoint(given)


@pytest.mark.rule("SYN-01")
@each
def test_procedures_of_treated_participants(made, preset, seed):
    frames = made(preset, seed)
    pr, start = frames["PR"], frames["DM"].set_index("USUBJID")["RFSTDTC"].dropna()
    for name in ("Hepatic angiography", "Hepatic artery catheter"):
        own = pr[pr["PRTRT"] == name].set_index("USUBJID")
        assert set(own.index) == set(start.index)
        assert (own["PRSTDTC"].str[:10] == start[own.index]).all()
    catheter = pr[pr["PRTRT"] == "Hepatic artery catheter"]
    assert (day(catheter["PRENDTC"]) - day(catheter["PRSTDTC"])).dt.days.eq(1).all()
    consent = frames["DM"].set_index("USUBJID")["RFICDTC"]
    prior = pr[pr["PRCAT"] == "PRIOR ANTICANCER THERAPY"]
    assert (prior["PRSTDTC"] < prior["USUBJID"].map(consent).str[:7]).all()
    assert set(prior["PRSCAT"]) <= {"SURGERY", "LOCAL LIVER"}
    assert prior.groupby("USUBJID")["PRSCAT"].agg(lambda kinds: "SURGERY" in set(kinds)).all()
    new = pr[pr["PRCAT"] == "NEW ANTICANCER THERAPY"]
    assert set(new["PRSCAT"]) <= {"RADIATION", "LOCAL LIVER"}
    assert (new["PRSTDTC"] > new["USUBJID"].map(start)).all()


@pytest.mark.rule("SYN-14")
@each
def test_kinetic_samples_belong_to_a_given_infusion(made, preset, seed):
    frames = made(preset, seed)
    pc = frames["PC"]
    given = set(zip(frames["EX"]["USUBJID"], frames["EX"]["EXSTDTC"], strict=True))
    assert set(zip(pc["USUBJID"], pc["PCRFTDTC"], strict=True)) <= given
    product = pc["PCTPTREF"].str.rsplit(" ", n=1).str[0]
    assert (product == pc["PCCAT"]).all()
    assert (
        pc["PCCAT"] == pc["PCTESTCD"].map({c: codes("assay")[c]["product"] for c in codes("assay")})
    ).all()
    assert (pc["PCELTM"] == "P" + pc["PCTPTNUM"].astype(int).astype(str) + "D").all()


@pytest.mark.rule("SYN-14")
@each
def test_kinetic_results_have_the_unit_and_limits_of_their_assay(made, preset, seed):
    pc = made(preset, seed)["PC"]
    for code, own in pc.groupby("PCTESTCD"):
        assay = codes("assay")[code]
        assert set(own["PCORRESU"].dropna()) | set(own["PCSTRESU"].dropna()) == {assay["unit"]}
        assert set(own["PCLLOQ"].dropna()) == {assay["lloq"]}
        assert set(own["PCMETHOD"]) == {assay["method"]}
        assert (own["PCSTRESN"].dropna() <= assay["uloq"]).all()
        assert (own["PCSTRESN"].dropna() >= assay["lloq"]).all()
    below = pc[pc["PCSTRESC"].fillna("").str.startswith("<")]
    assert (below["PCSTRESC"] == "<" + below["PCLLOQ"].map("{:g}".format)).all()
    number = pc.dropna(subset=["PCSTRESN"])
    assert (number["PCSTRESC"].astype(float) == number["PCSTRESN"]).all()


@pytest.mark.rule("SYN-14")
@each
def test_samples_that_were_not_taken_have_a_reason_and_no_result(made, preset, seed):
    pc = made(preset, seed)["PC"]
    lost = pc[pc["PCSTAT"] == "NOT DONE"]
    assert lost[["PCORRES", "PCSTRESC", "PCSTRESN"]].isna().all(axis=None)
    assert lost["PCREASND"].notna().all()
    assert pc.loc[pc["PCSTAT"].isna(), "PCORRES"].notna().all()
    assert pc.loc[pc["PCSTAT"].isna(), "PCREASND"].isna().all()
    assert len(lost) / len(pc) < 0.2


@pytest.mark.rule("SYN-14")
@each
def test_participants_without_cart_have_no_cart_samples(made, preset, seed):
    frames = made(preset, seed)
    ex, pc = frames["EX"], frames["PC"]
    for product in ("CAR-NK", "CAR-T"):
        given = set(ex.loc[ex["EXTRT"] == product, "USUBJID"])
        sampled = set(pc.loc[pc["PCCAT"] == product, "USUBJID"])
        assert sampled <= given
        assert len(sampled) >= len(given) - 1
    second = set(ex.loc[ex["EXCYCLE"] == 2, "USUBJID"])
    assert set(pc.loc[pc["PCTPTREF"] == "CAR-T C2D1", "USUBJID"]) <= second


@pytest.mark.rule("SYN-14")
@each
def test_the_cells_rise_and_fall(made, preset, seed):
    """In blood, the highest value lies inside the first three weeks; the last one is lower."""
    pc = made(preset, seed)["PC"]
    blood = pc[(pc["PCTESTCD"] == "CARTG") & (pc["PCSPEC"] == "BLOOD") & (pc["PCTPTREF"] == "CAR-T C1D1")]
    found = 0
    for _, own in blood.groupby("USUBJID"):
        own = (
            own[own["PCSTAT"].isna()]
            .sort_values("PCTPTNUM")
            .assign(VALUE=lambda t: t["PCSTRESN"].fillna(0.0))
        )
        if len(own) < 5 or own["VALUE"].max() == 0:
            continue
        found += 1
        top = own.loc[own["VALUE"].idxmax(), "PCTPTNUM"]
        assert 1 <= top <= 28
        if own["PCTPTNUM"].iloc[-1] > 28:
            assert own["VALUE"].iloc[-1] < own["VALUE"].max()
    assert found >= 5

"""LB, VS, EG, QS, CP, MI, IS: units, ranges, times and reference limits of every measured value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from interim.example.settings import csv_file, numbers

SEEDS = [20251225, 1]
EACH = [(preset, seed) for preset in ("main13", "tiny10", "full18") for seed in SEEDS]
each = pytest.mark.parametrize(("preset", "seed"), EACH)
ANALYTES = {row["code"]: row for row in csv_file("analytes.csv")}
# Test: unit, lowest and highest value that is possible for a person.
SIGNS = {
    "TEMP": ("C", 35.5, 40.5),
    "SYSBP": ("mmHg", 70, 160),
    "DIABP": ("mmHg", 40, 100),
    "PULSE": ("beats/min", 40, 130),
    "OXYSAT": ("%", 90, 100),
    "WEIGHT": ("kg", 30, 100),
}


def day(texts):
    return pd.to_datetime(texts.str[:10])


@pytest.mark.rule("SYN-12")
@each
def test_analytes_have_one_name_unit_and_reference_range(made, preset, seed):
    lb = made(preset, seed)["LB"]
    assert set(lb["LBTESTCD"]) == set(ANALYTES)
    shown = lb.groupby("LBTESTCD")[["LBTEST", "LBORRESU", "LBSTRESU", "LBSTNRLO", "LBSTNRHI", "LBCAT"]].agg(
        set
    )
    for code, row in ANALYTES.items():
        own = shown.loc[code]
        assert own["LBTEST"] == {row["test"]}
        assert own["LBORRESU"] == own["LBSTRESU"] == {row["unit"]}
        assert (own["LBSTNRLO"], own["LBSTNRHI"]) == ({float(row["lo"])}, {float(row["hi"])})
        assert own["LBCAT"] == {row["category"]}
        assert float(row["lo"]) < float(row["hi"])


@pytest.mark.rule("SYN-12")
@each
def test_results_as_text_and_as_number_agree(made, preset, seed):
    lb = made(preset, seed)["LB"]
    done = lb[lb["LBSTAT"].isna()]
    below = done["LBSTRESC"].str.startswith("<")
    assert done.loc[below, "LBSTRESN"].isna().all()
    assert (done.loc[~below, "LBSTRESC"].astype(float) == done.loc[~below, "LBSTRESN"]).all()
    assert (done["LBORRES"] == done["LBSTRESC"]).all()
    assert (lb["LBORNRLO"].astype(float) == lb["LBSTNRLO"]).all()
    assert (lb["LBORNRHI"].astype(float) == lb["LBSTNRHI"]).all()


@pytest.mark.rule("SYN-12")
@each
def test_the_indicator_agrees_with_the_limits(made, preset, seed):
    lb = made(preset, seed)["LB"].dropna(subset=["LBSTRESN"])
    told = np.select(
        [lb["LBSTRESN"] < lb["LBSTNRLO"], lb["LBSTRESN"] > lb["LBSTNRHI"]], ["LOW", "HIGH"], "NORMAL"
    )
    assert (lb["LBNRIND"] == told).all()
    assert set(told) == {"LOW", "HIGH", "NORMAL"}


@pytest.mark.rule("SYN-05")
@each
def test_samples_not_drawn_are_marked_and_never_at_baseline(made, preset, seed):
    frames = made(preset, seed)
    lb = frames["LB"].merge(frames["DM"][["USUBJID", "RFXSTDTC"]], on="USUBJID", validate="m:1")
    lost = lb[lb["LBSTAT"] == "NOT DONE"]
    assert lost[["LBORRES", "LBSTRESC", "LBSTRESN", "LBNRIND"]].isna().all(axis=None)
    assert (lost["LBREASND"] == "sample not drawn").all()
    assert lb.loc[lb["LBSTAT"].isna(), "LBREASND"].isna().all()
    before = lb["LBDTC"] < lb["RFXSTDTC"].fillna("9999")
    assert lb.loc[before, "LBSTAT"].isna().all()
    assert 0 < len(lost) / len(lb) < 0.12


@pytest.mark.rule("SYN-12")
@each
def test_values_have_the_digits_of_their_analyte_and_lie_in_its_bounds(made, preset, seed):
    lb = made(preset, seed)["LB"]
    for code, row in ANALYTES.items():
        values = lb.loc[lb["LBTESTCD"] == code, "LBSTRESN"].dropna()
        assert len(values), code
        assert np.allclose(values, values.round(int(row["digits"]))), code
        assert (values >= 0).all(), code
    proteins = lb.loc[lb["LBTESTCD"] == "ALB", "LBSTRESN"].dropna()
    assert proteins.between(20, 60).all()


@pytest.mark.rule("SYN-12")
@each
def test_laboratory_times_and_pre_dose_marks(made, preset, seed):
    frames = made(preset, seed)
    lb, ex = frames["LB"], frames["EX"]
    assert (lb["LBDTC"].str[11:] == "07:00+08:00").all()
    given = set(zip(ex["USUBJID"], ex["EXSTDTC"].str[:10], strict=True))
    own = pd.Series(list(zip(lb["USUBJID"], lb["LBDTC"].str[:10], strict=True)), index=lb.index)
    marked = lb["LBTPT"] == "PRE-DOSE"
    assert set(own[marked]) <= given
    assert own[~marked].isin(given).sum() == 0
    assert lb.loc[~marked, "LBTPT"].isna().all()


@pytest.mark.rule("SYN-12")
@each
def test_cytokines_below_the_limit_are_written_so(made, preset, seed):
    lb = made(preset, seed)["LB"]
    limits = {"IL6": 1.5, "IFNG": 2, "IL10": 2, "TNFA": 1.5, "IL2": 1.5}
    for code, limit in limits.items():
        own = lb[(lb["LBTESTCD"] == code) & lb["LBSTAT"].isna()]
        if own.empty:
            continue
        below = own["LBSTRESC"].str.startswith("<")
        assert set(own.loc[below, "LBSTRESC"]) <= {f"<{limit:g}"}
        assert (own.loc[~below, "LBSTRESN"] >= limit).all()
    assert {"IL6", "FERRITIN", "CRP"} <= set(lb["LBTESTCD"])


@pytest.mark.rule("SYN-13")
@each
def test_interleukin_6_follows_the_grade_of_cytokine_release(made, preset, seed):
    frames = made(preset, seed)
    lb, ae = frames["LB"], frames["AE"]
    top = lb[lb["LBTESTCD"] == "IL6"].groupby("USUBJID")["LBSTRESN"].max()
    crs = ae[ae["AEDECOD"] == "Cytokine release syndrome"].set_index("USUBJID")["AETOXGR"].astype(int)
    treated = set(frames["EX"].loc[frames["EX"]["EXTRT"] == "CAR-T", "USUBJID"])
    none = [who for who in treated if who not in crs.index]
    strong = crs.index[crs >= 2]
    if none and len(strong):
        assert top[strong].median() > 3 * top[none].median()


@pytest.mark.rule("SYN-13")
@each
def test_vital_signs_have_their_unit_and_a_possible_value(made, preset, seed):
    vs = made(preset, seed)["VS"]
    assert set(vs["VSTESTCD"]) == set(SIGNS)
    for code, (unit, low, high) in SIGNS.items():
        own = vs[vs["VSTESTCD"] == code]
        assert set(own["VSORRESU"]) == set(own["VSSTRESU"]) == {unit}
        assert own["VSSTRESN"].between(low, high).all(), code
    assert (vs["VSSTRESC"].astype(float) == vs["VSSTRESN"]).all()
    assert (vs["VSORRES"] == vs["VSSTRESC"]).all()


@pytest.mark.rule("SYN-13")
@each
def test_vital_signs_are_measured_four_times_on_a_day_of_infusion(made, preset, seed):
    frames = made(preset, seed)
    vs, ex = frames["VS"], frames["EX"]
    counts = vs[vs["VSTESTCD"] == "TEMP"].groupby(["USUBJID", vs["VSDTC"].str[:10]]).size()
    days = pd.MultiIndex.from_arrays([ex["USUBJID"], ex["EXSTDTC"].str[:10]])
    assert (counts[days] == 4).all()
    marked = vs[vs["VSTPT"] == "PRE-DOSE"]
    start = ex.assign(DAY=ex["EXSTDTC"].str[:10]).set_index(["USUBJID", "DAY"])["EXSTDTC"]
    own = start.reindex(pd.MultiIndex.from_arrays([marked["USUBJID"], marked["VSDTC"].str[:10]]))
    assert own.notna().all()
    assert (marked["VSDTC"].to_numpy() < own.to_numpy()).all()


@pytest.mark.rule("SYN-15")
@each
def test_performance_status_and_ice(made, preset, seed):
    frames = made(preset, seed)
    qs = frames["QS"]
    assert set(qs["QSTESTCD"]) == {"ECOG101", "ICETOTAL"}
    assert (qs["QSCAT"] == qs["QSTESTCD"].map({"ECOG101": "ECOG", "ICETOTAL": "ICE"})).all()
    ecog, ice = (qs[qs["QSTESTCD"] == code] for code in ("ECOG101", "ICETOTAL"))
    assert ecog["QSSTRESN"].isin(range(5)).all()
    assert ice["QSSTRESN"].between(0, 10).all()
    assert (qs["QSSTRESC"].astype(float) == qs["QSSTRESN"]).all()
    cart = set(frames["EX"].loc[frames["EX"]["EXTRT"] == "CAR-T", "USUBJID"])
    assert set(ice["USUBJID"]) == cart
    change = ecog.sort_values("VISITNUM").groupby("USUBJID")["QSSTRESN"].agg(["first", "max"])
    assert (change["max"] - change["first"]).isin([0, 1]).all()


@pytest.mark.rule("SYN-11")
@each
def test_electrocardiograms(made, preset, seed):
    eg = made(preset, seed)["EG"]
    limits = {"HR": ("beats/min", 50, 95), "QTCF": ("msec", 390, 440)}
    assert set(eg["EGTESTCD"]) == set(limits)
    for code, (unit, low, high) in limits.items():
        own = eg[eg["EGTESTCD"] == code]
        assert set(own["EGSTRESU"]) == {unit}
        assert own["EGSTRESN"].between(low, high).all()
    assert (eg.groupby(["USUBJID", "VISITNUM"]).size() == 2).all()


@pytest.mark.rule("SYN-14")
@each
def test_flow_cytometry(made, preset, seed):
    frames = made(preset, seed)
    cp = frames["CP"]
    assert set(cp["CPORRESU"]) == {"%"}
    assert cp["CPSTRESN"].between(0.5, 98).all()
    treated = set(frames["EX"]["USUBJID"])
    assert set(cp["USUBJID"]) == treated
    first = frames["EX"].query("EXTRT == 'CAR-T'").groupby("USUBJID")["EXSTDTC"].min()
    own = cp[cp["CPTESTCD"].isin(["PD1", "TIM3"]) & cp["USUBJID"].isin(first.index)]
    assert (own["CPDTC"].str[:10] > own["USUBJID"].map(first).str[:10]).all()


@pytest.mark.rule("SYN-15", source="H-score: 0 to 300")
@each
def test_ligand_expression(made, preset, seed):
    frames = made(preset, seed)
    mi = frames["MI"]
    assert set(mi["MITSTDTL"]) == {"MICA/B", "ULBP1", "ULBP2/5/6", "ULBP3"}
    assert (mi.groupby(["USUBJID", "MIDTC"])["MITSTDTL"].nunique() == 4).all()
    assert mi["MISTRESN"].between(0, 300).all()
    dates = mi.groupby("USUBJID")["MIDTC"].unique()
    assert dates.map(len).isin([1, 2]).all()
    start = frames["DM"].set_index("USUBJID")["RFSTDTC"]
    treated = [who for who in dates.index if start[who]]
    assert all(min(dates[who]) < start[who] for who in treated)
    late = frames["EX"].query("EXTRT == 'CAR-T'").groupby("USUBJID")["EXSTDTC"].min().str[:10]
    for who in [w for w in treated if len(dates[w]) == 2]:
        assert (pd.Timestamp(max(dates[who])) - pd.Timestamp(late[who])).days == 30
    screening = mi.groupby("USUBJID")["MIDTC"].min()
    biopsy = frames["PR"].query("PRTRT == 'Liver biopsy'").set_index("USUBJID")["PRSTDTC"]
    assert set(biopsy.items()) >= set(screening[screening.index.isin(biopsy.index)].items())


@pytest.mark.rule("SYN-11")
@each
def test_antibodies(made, preset, seed):
    frames = made(preset, seed)
    table = frames["IS"]
    assert set(table["ISSTRESC"]) <= {"POSITIVE", "NEGATIVE"}
    assert set(table["ISTESTCD"]) == {"ADA", "DSA"}
    first = table[table["VISITNUM"] == 1]
    assert (first["ISSTRESC"] == "NEGATIVE").all()
    assert set(table["USUBJID"]) == set(frames["EX"]["USUBJID"])


@pytest.mark.rule("SYN-12")
@each
def test_markers_of_colorectal_cancer_are_higher(made, preset, seed):
    frames = made(preset, seed)
    lb = frames["LB"]
    cea = lb[(lb["LBTESTCD"] == "CEA") & (lb["VISITNUM"] == 1)].set_index("USUBJID")["LBSTRESN"]
    assert set(cea.index) == set(frames["DM"]["USUBJID"])
    assert (cea > 0).all()
    assert numbers("markers.CEA_CRC.median") > numbers("markers.CEA_other.median")


@pytest.mark.rule(
    "SYN-34", source="an H-score is the sum of 1, 2 and 3 times the shares of weak, moderate and strong cells"
)
@each
def test_share_of_positive_cells_agrees_with_the_h_score(made, preset, seed):
    mi = made(preset, seed)["MI"]
    keys = ["USUBJID", "MITSTDTL", "MIDTC"]
    both = mi.pivot(index=keys, columns="MITESTCD", values="MISTRESN").astype(float)
    assert len(both) * 2 == len(mi) and both.notna().all(axis=None)
    assert (both["PCTPOS"] >= (both["HSCORE"] / 3).round()).all()
    assert (both["PCTPOS"] <= both["HSCORE"].clip(upper=100)).all()
    shares = mi[mi["MITESTCD"] == "PCTPOS"]
    assert set(shares["MISTRESU"]) == {"%"} and mi.loc[mi["MITESTCD"] == "HSCORE", "MISTRESU"].isna().all()

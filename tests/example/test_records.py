"""Records: dates, visits, laboratory values, vital signs, kinetics, baseline factors."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from interim.data.dates import read_iso

SEEDS = [20251225, 1]
PRESETS = ["main13", "tiny10", "full18"]
CUT = "2026-06-30"
# Highest value of grade 2 or, for falling values, lowest: CTCAE v5.0, absolute limits and multiples of ULN (normal baseline).
FALL = {"LYM": 0.5, "NEUT": 1.0, "PLAT": 50, "HGB": 80, "WBC": 2.0, "ALB": 20, "K": 3.0}
RISE = {"ALT": 5, "AST": 5, "ALP": 5, "GGT": 5, "BILI": 3}
TERMS = {
    "LYM": "Lymphocyte count decreased",
    "NEUT": "Neutrophil count decreased",
    "ALT": "Alanine aminotransferase increased",
}


def dated(frames):
    for domain, frame in frames.items():
        for name in frame.columns:
            if name.endswith("DTC"):
                yield domain, name, frame[["USUBJID", name]].dropna() if "USUBJID" in frame else None


@pytest.mark.rule("SYN-10")
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_record_is_later_than_the_cut_or_the_death(made, preset, seed):
    frames = made(preset, seed)
    death = frames["DM"].set_index("USUBJID")["DTHDTC"].fillna("9999")
    for domain, name, rows in dated(frames):
        if rows is not None:
            day = rows[name].str[:10]
            assert (day <= CUT).all(), (domain, name)
            assert (day <= rows["USUBJID"].map(death)).all(), (domain, name)


@pytest.mark.rule("SYN-11")
@pytest.mark.parametrize("preset", PRESETS)
def test_dates_are_iso_and_times_carry_the_offset(made, preset):
    for domain, name, rows in dated(made(preset, 20251225)):
        if rows is not None:
            assert all(read_iso(text) is not None for text in rows[name].unique()), (domain, name)
            timed = rows.loc[rows[name].str.contains("T"), name]
            assert timed.str.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d\+08:00").all(), (domain, name)


@pytest.mark.rule("SYN-11")
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_visit_has_one_date_and_visits_ascend(made, preset, seed):
    frames = made(preset, seed)
    sv = frames["SV"]
    assert not sv.duplicated(["USUBJID", "VISITNUM"]).any()
    assert not sv.duplicated(["USUBJID", "SVSTDTC"]).any()
    for _, own in sv.groupby("USUBJID"):
        assert own.sort_values("VISITNUM")["SVSTDTC"].is_monotonic_increasing
    when = sv.set_index(["USUBJID", "VISITNUM"])["SVSTDTC"]
    for domain in ("LB", "VS", "QS", "EG", "TR", "RS"):
        frame = frames[domain]
        keys = pd.MultiIndex.from_frame(frame[["USUBJID", "VISITNUM"]])
        assert (when.reindex(keys).to_numpy() == frame[f"{domain}DTC"].str[:10].to_numpy()).all(), domain


@pytest.mark.rule("SYN-12")
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_laboratory_value_of_grade_3_has_its_event(made, preset, seed):
    frames = made(preset, seed)
    lb, ae = frames["LB"], frames["AE"]
    severe = [lb[(lb["LBTESTCD"] == code) & (lb["LBSTRESN"] < limit)] for code, limit in FALL.items()]
    severe += [
        lb[(lb["LBTESTCD"] == code) & (lb["LBSTRESN"] > factor * lb["LBSTNRHI"])]
        for code, factor in RISE.items()
    ]
    rows = pd.concat(severe)
    assert len(rows)
    for row in rows.itertuples():
        own = ae[
            (ae["USUBJID"] == row.USUBJID) & (ae["AEDECOD"] == TERMS[row.LBTESTCD]) & (ae["AETOXGR"] == "3")
        ]
        day = row.LBDTC[:10]
        assert ((own["AESTDTC"].str[:10] <= day) & (own["AEENDTC"].fillna("9999").str[:10] >= day)).any()


@pytest.mark.rule("SYN-12")
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_laboratory_event_shows_in_the_values(made, preset, seed):
    frames = made(preset, seed)
    lb, ae = frames["LB"], frames["AE"]
    for code, term in TERMS.items():
        for event in ae[(ae["AEDECOD"] == term) & (ae["AETOXGR"] == "3")].itertuples():
            own = lb[(lb["USUBJID"] == event.USUBJID) & (lb["LBTESTCD"] == code) & lb["LBSTRESN"].notna()]
            day = own["LBDTC"].str[:10]
            during = own[(day >= event.AESTDTC[:10]) & (day <= (event.AEENDTC or "9999")[:10])]
            assert len(during)
            high = during["LBSTRESN"] > 5 * 50 if code == "ALT" else during["LBSTRESN"] < FALL[code]
            assert high.all()


@pytest.mark.rule("SYN-12")
def test_leukocytes_are_the_sum_of_their_kinds(main13):
    lb = main13["LB"]
    wide = lb.pivot(index=["USUBJID", "VISITNUM"], columns="LBTESTCD", values="LBSTRESN").dropna(
        subset=["WBC"]
    )
    parts = wide[["NEUT", "LYM", "EOS", "BASO", "MONO"]].sum(axis=1)
    assert (abs(wide["WBC"] - parts) < 0.05).mean() > 0.98


@pytest.mark.rule("SYN-13")
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("seed", SEEDS)
def test_signs_of_cytokine_release_agree_with_its_grade(made, preset, seed):
    frames = made(preset, seed)
    vs, ae, cm = frames["VS"], frames["AE"], frames["CM"]
    episodes = ae[ae["AEDECOD"] == "Cytokine release syndrome"]
    assert len(episodes)
    for event in episodes.itertuples():
        own = vs[vs["USUBJID"] == event.USUBJID]
        during = own[(own["VSDTC"] >= event.AESTDTC) & (own["VSDTC"] <= event.AEENDTC)]
        grade = int(event.AETOXGR)
        assert during.loc[during["VSTESTCD"] == "TEMP", "VSSTRESN"].max() >= 38
        assert (during.loc[during["VSTESTCD"] == "SYSBP", "VSSTRESN"].min() < 90) is np.bool_(grade >= 2)
        drugs = set(cm.loc[cm["USUBJID"] == event.USUBJID, "CMTRT"])
        assert ("Noradrenaline" in drugs) is (grade >= 3)
        assert ("Tocilizumab" in drugs) is (grade >= 2)


@pytest.mark.rule("SYN-13")
@pytest.mark.parametrize("preset", PRESETS)
def test_every_fever_has_a_cause(made, preset):
    frames = made(preset, 20251225)
    vs, ae = frames["VS"], frames["AE"]
    hot = vs[(vs["VSTESTCD"] == "TEMP") & (vs["VSSTRESN"] >= 38)]
    causes = ae[ae["AEDECOD"].isin(["Cytokine release syndrome", "Pyrexia"])]
    for row in hot.itertuples():
        own = causes[causes["USUBJID"] == row.USUBJID]
        assert ((own["AESTDTC"] <= row.VSDTC) & (own["AEENDTC"] >= row.VSDTC)).any()
    assert (
        vs.loc[vs["VSTESTCD"] == "SYSBP", "VSSTRESN"].to_numpy()
        > vs.loc[vs["VSTESTCD"] == "DIABP", "VSSTRESN"].to_numpy()
    ).all()


@pytest.mark.rule("SYN-14")
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("seed", SEEDS)
def test_samples_follow_their_infusion(made, preset, seed):
    pc = made(preset, seed)["PC"]
    hours = (pd.to_datetime(pc["PCDTC"]) - pd.to_datetime(pc["PCRFTDTC"])).dt.total_seconds() / 3600
    predose = pc["PCTPT"] == "PRE-DOSE"
    assert (hours[predose] < 0).all()
    nominal = 24.0 * pc["PCTPTNUM"]
    assert ((hours - nominal).abs()[~predose] <= 0.2 * nominal[~predose]).all()
    first = predose & pc["PCTPTREF"].isin(["CAR-NK D0", "CAR-T C1D1"])
    assert pc.loc[first, "PCSTRESN"].isna().all()
    below = pc["PCSTRESC"].fillna("").str.startswith("<")
    assert pc.loc[below, "PCSTRESN"].isna().all()
    done = ~below & pc["PCSTAT"].isna()
    assert (pc.loc[done, "PCSTRESN"] >= pc.loc[done, "PCLLOQ"]).all()
    assert pc.loc[pc["PCSTAT"] == "NOT DONE", "PCREASND"].notna().all()


@pytest.mark.rule("SYN-15")
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_seven_factors_can_be_derived(made, preset, seed):
    frames = made(preset, seed)
    dm = frames["DM"]
    subjects = set(dm.loc[dm["RFSTDTC"].notna(), "USUBJID"])
    start = dm.set_index("USUBJID")["RFXSTDTC"]
    supp = frames["SUPPDM"].groupby("QNAM")["USUBJID"].agg(set)
    assert subjects <= supp["TUMTYPE"] & supp["HISTCLAS"]
    lines = frames["SUPPCM"]
    assert subjects <= set(lines.loc[lines["QNAM"] == "LINE", "USUBJID"])
    tu = frames["TU"]
    assert subjects == set(tu.loc[tu["TUSTRESC"] == "TARGET", "USUBJID"])
    lb = frames["LB"]
    before = lb[lb["LBDTC"] < lb["USUBJID"].map(start).fillna("")]
    for code in ("NEUT", "LYM", "EOS", "BASO", "CEA"):
        assert subjects <= set(
            before.loc[(before["LBTESTCD"] == code) & before["LBSTRESN"].notna(), "USUBJID"]
        )
    qs = frames["QS"]
    assert set(
        qs.loc[
            (qs["QSTESTCD"] == "ECOG101") & (qs["VISITNUM"] == 1) & qs["USUBJID"].isin(subjects), "QSSTRESN"
        ]
    ) <= {0, 1}
    mi = frames["MI"]
    assert mi["MISTRESN"].between(0, 300).all()
    assert set(mi["USUBJID"]) <= set(dm["USUBJID"])


@pytest.mark.rule("SYN-16")
@pytest.mark.parametrize("preset", PRESETS)
def test_no_text_names_a_person(made, preset):
    frames = made(preset, 20251225)
    suspicious = re.compile(r"\b(Mr|Mrs|Ms|Dr)\b|\b1[3-9]\d{9}\b|@")
    for domain, frame in frames.items():
        for name in frame.select_dtypes(object):
            texts = [t for t in frame[name].dropna().unique() if isinstance(t, str)]
            assert not [t for t in texts if suspicious.search(t)], (domain, name)
            assert not [t for t in texts if t != t.strip()], (domain, name)
    assert "BRTHDTC" not in frames["DM"]


@pytest.mark.rule("SYN-17")
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("seed", SEEDS)
def test_events_are_closed_or_open_and_never_doubled(made, preset, seed):
    ae = made(preset, seed)["AE"]
    assert not ae.duplicated(["USUBJID", "AEDECOD"]).any()
    assert (ae["AEENDTC"].isna() == (ae["AEOUT"] == "NOT RECOVERED/NOT RESOLVED")).all()
    ended = ae.dropna(subset=["AEENDTC"])
    assert (ended["AEENDTC"] >= ended["AESTDTC"]).all()
    assert ae["AEREL"].notna().all()
    assert (
        ae["AEREL"].str.split(";").explode().isin(["CARNK", "CART", "HAI_PROCEDURE", "OTHER", "NONE"]).all()
    )
    assert ae.loc[ae["AESER"] == "Y", "AESHOSP"].notna().all()
    assert 5 < len(ae) / ae["USUBJID"].nunique() < 16

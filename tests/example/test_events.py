"""AE, SUPPAE, CE, CM, DV, QUERY, TU, TR, RS: what happened, and that every domain tells it the same way."""

from __future__ import annotations

import pandas as pd
import pytest

from interim.example.settings import csv_file

SEEDS = [20251225, 1]
EACH = [(preset, seed) for preset in ("main13", "tiny10", "full18") for seed in SEEDS]
each = pytest.mark.parametrize(("preset", "seed"), EACH)
CRS = "Cytokine release syndrome"
TERMS = {row["term"]: row["soc"] for name in ("ae_terms.csv", "lab_events.csv") for row in csv_file(name)}


def day(texts):
    return pd.to_datetime(texts.str[:10])


def start_of(frames, product=None):
    ex = frames["EX"] if product is None else frames["EX"][frames["EX"]["EXTRT"] == product]
    return ex.groupby("USUBJID")["EXSTDTC"].min()


def qualifier(frames, name):
    """Return QVAL by participant and AESEQ."""
    supp = frames["SUPPAE"][frames["SUPPAE"]["QNAM"] == name]
    return pd.Series(
        supp["QVAL"].to_numpy(),
        index=pd.MultiIndex.from_arrays([supp["USUBJID"], supp["IDVARVAL"].astype(int)]),
    )


@pytest.mark.rule("SYN-17")
@each
def test_terms_are_those_of_the_own_dictionary(made, preset, seed):
    ae = made(preset, seed)["AE"]
    assert (ae["AETERM"] == ae["AEDECOD"]).all()
    assert set(ae["AEDECOD"]) <= set(TERMS)
    assert (ae["AEBODSYS"] == ae["AEDECOD"].map(TERMS)).all()
    assert ae["AETOXGR"].isin(list("1234")).all()


@pytest.mark.rule("SYN-17")
@each
def test_events_are_only_of_treated_participants_and_after_consent(made, preset, seed):
    frames = made(preset, seed)
    ae = frames["AE"]
    dm = frames["DM"].set_index("USUBJID")
    assert set(ae["USUBJID"]) <= set(start_of(frames).index)
    assert (ae["AESTDTC"].str[:10] >= ae["USUBJID"].map(dm["RFICDTC"])).all()
    assert (
        ae.sort_values(["USUBJID", "AESEQ"])["AESTDTC"]
        .str[:10]
        .groupby(ae["USUBJID"])
        .is_monotonic_increasing.all()
    )


@pytest.mark.rule("SYN-17")
@each
def test_attribution_to_a_product_needs_its_infusion_before(made, preset, seed):
    frames = made(preset, seed)
    ae = frames["AE"]
    for code, product in (("CARNK", "CAR-NK"), ("CART", "CAR-T")):
        own = ae[ae["AEREL"].str.split(";").map(lambda parts, code=code: code in parts)]
        first = own["USUBJID"].map(start_of(frames, product)).str[:10]
        both = own["AEREL"] == "CARNK;CART"
        assert first[~both].notna().all(), code
        assert (own["AESTDTC"].str[:10] >= first)[~both].all(), code
        assert (own["AESTDTC"].str[:10] >= own["USUBJID"].map(start_of(frames)).str[:10])[both].all()


@pytest.mark.rule("SYN-17")
@each
def test_serious_events_and_their_report(made, preset, seed):
    frames = made(preset, seed)
    ae = frames["AE"]
    assert ae["AESER"].isin(["Y", "N"]).all()
    assert ae.loc[ae["AESER"] == "N", "AESHOSP"].isna().all()
    assert ae["AESDTH"].isna().all()
    assert not (ae["AEOUT"] == "FATAL").any()
    reported = qualifier(frames, "AERPTDTC")
    when = ae.set_index(["USUBJID", "AESEQ"])["AESTDTC"].str[:10].reindex(reported.index)
    assert (reported >= when).all()
    assert (reported <= "2026-06-30").all()
    serious = ae[ae["AESER"] == "Y"].set_index(["USUBJID", "AESEQ"]).index
    assert set(serious) <= set(reported.index)


@pytest.mark.rule("SYN-07")
@each
def test_limiting_toxicities_are_flagged_and_serious(made, preset, seed):
    frames = made(preset, seed)
    ae = frames["AE"].set_index(["USUBJID", "AESEQ"])
    flags = qualifier(frames, "DLTFL")
    assert set(flags) <= {"Y"}
    found = ae.loc[flags.index]
    assert (found["AETOXGR"].astype(int) >= 3).all()
    assert (found["AESER"] == "Y").all()
    assert found["AEREL"].str.contains("CART").all()
    reasons = frames["DS"][frames["DS"]["DSDECOD"] == "ADVERSE EVENT"]
    assert set(reasons["USUBJID"]) == set(flags.index.get_level_values(0))


@pytest.mark.rule("SYN-13")
@each
def test_cytokine_release_is_graded_dated_and_followed(made, preset, seed):
    frames = made(preset, seed)
    crs = frames["AE"][frames["AE"]["AEDECOD"] == CRS]
    graded = qualifier(frames, "ASTCTGR")
    keys = pd.MultiIndex.from_frame(crs[["USUBJID", "AESEQ"]])
    assert set(keys) <= set(graded.index)
    assert (graded.reindex(keys).astype(int).to_numpy() == crs["AETOXGR"].astype(int).to_numpy()).all()
    assert crs["AESTDTC"].str.contains("T").all()
    length = (pd.to_datetime(crs["AEENDTC"]) - pd.to_datetime(crs["AESTDTC"])).dt.days
    assert length.between(0, 8).all()
    onset = (day(crs["AESTDTC"]) - day(crs["USUBJID"].map(start_of(frames, "CAR-T")))).dt.days
    related = crs["AEREL"] == "CART"
    assert onset[related].between(0, 30).all()
    ce = frames["CE"]
    assert set(ce["USUBJID"]) <= set(crs["USUBJID"]) | set(ce["USUBJID"][ce["CEDECOD"] != CRS])
    assert (ce["CEENDTC"].fillna("9999") >= ce["CESTDTC"]).all()


@pytest.mark.rule("SYN-13")
@each
def test_drugs_for_cytokine_release_are_given_during_it(made, preset, seed):
    frames = made(preset, seed)
    crs = frames["AE"][frames["AE"]["AEDECOD"] == CRS].set_index("USUBJID")
    cm = frames["CM"][frames["CM"]["CMTRT"].isin(["Tocilizumab", "Noradrenaline"])]
    assert set(cm["USUBJID"]) <= set(crs.index)
    own = crs.loc[cm["USUBJID"]]
    assert (cm["CMSTDTC"].to_numpy() >= own["AESTDTC"].to_numpy()).all()
    assert (cm["CMSTDTC"].str[:10].to_numpy() <= own["AEENDTC"].str[:10].to_numpy()).all()
    assert (cm["CMCAT"] == "CONCOMITANT MEDICATION").all()


@pytest.mark.rule("SYN-06")
@each
def test_therapies_have_class_kind_and_dates_in_order(made, preset, seed):
    frames = made(preset, seed)
    cm = frames["CM"]
    assert cm[["CMTRT", "CMDECOD", "CMCLAS", "CMCAT", "CMINDC", "CMSTDTC"]].notna().all(axis=None)
    assert (cm["CMDECOD"] == cm["CMTRT"].str.upper()).all()
    assert set(cm["CMCAT"]) <= {
        "PRIOR ANTICANCER THERAPY",
        "CONCOMITANT MEDICATION",
        "NEW ANTICANCER THERAPY",
    }
    ended = cm.dropna(subset=["CMENDTC"])
    assert (ended["CMENDTC"] >= ended["CMSTDTC"]).all()
    new = cm[cm["CMCAT"] == "NEW ANTICANCER THERAPY"]
    assert not new["USUBJID"].duplicated().any()
    assert (new["CMSCAT"] == "SYSTEMIC").all()
    assert (
        new["CMSTDTC"] > new["USUBJID"].map(frames["EX"].groupby("USUBJID")["EXSTDTC"].max()).str[:10]
    ).all()
    consent = frames["DM"].set_index("USUBJID")["RFICDTC"]
    during = cm[cm["CMCAT"] == "CONCOMITANT MEDICATION"]
    assert (during["CMSTDTC"].str[:10] > during["USUBJID"].map(consent)).all()


@pytest.mark.rule("SYN-06")
@each
def test_new_therapy_follows_a_reported_progression(made, preset, seed):
    frames = made(preset, seed)
    rs = frames["RS"]
    pd_day = rs[(rs["RSTESTCD"] == "OVRLRESP") & (rs["RSSTRESC"] == "PD")].groupby("USUBJID")["RSDTC"].min()
    cm, pr = frames["CM"], frames["PR"]
    new = [
        *cm.loc[cm["CMCAT"] == "NEW ANTICANCER THERAPY", ["USUBJID", "CMSTDTC"]].itertuples(
            index=False, name=None
        ),
        *pr.loc[pr["PRCAT"] == "NEW ANTICANCER THERAPY", ["USUBJID", "PRSTDTC"]].itertuples(
            index=False, name=None
        ),
    ]
    for who, start in new:
        assert 10 <= (pd.Timestamp(start) - pd.Timestamp(pd_day[who])).days <= 30
    last = frames["TR"].groupby("USUBJID")["TRDTC"].max()
    assert all(last[who] < start for who, start in new)


@pytest.mark.rule("SYN-05")
@each
def test_deviations_name_the_scans_that_were_not_done(made, preset, seed):
    frames = made(preset, seed)
    dv, tr = frames["DV"], frames["TR"]
    assert (dv["DVDECOD"] == dv["DVTERM"].str.upper()).all()
    missed = dv["DVTERM"] == "Tumour assessment not done"
    assert set(dv.loc[missed, "DVCAT"]) <= {"IMPORTANT"} and set(dv.loc[~missed, "DVCAT"]) == {"MINOR"}
    said = set(
        dv.loc[dv["DVTERM"] == "Tumour assessment not done", ["USUBJID", "DVSTDTC"]].itertuples(
            index=False, name=None
        )
    )
    scans = tr.groupby(["USUBJID", "TRDTC"])["TRSTAT"].agg(lambda s: (s == "NOT DONE").all())
    assert said == set(scans.index[scans])


@pytest.mark.rule("SYN-10")
@each
def test_queries_are_closed_with_a_date_or_open_without(made, preset, seed):
    frames = made(preset, seed)
    query = frames["QUERY"]
    assert (query["QENDTC"].notna() == (query["QSTATUS"] == "CLOSED")).all()
    assert set(query["QSTATUS"]) <= {"OPEN", "CLOSED"}
    done = query.dropna(subset=["QENDTC"])
    assert (day(done["QENDTC"]) - day(done["QSTDTC"])).dt.days.between(3, 19).all()
    assert (done["QENDTC"] <= "2026-06-30").all()
    for row in query.itertuples():
        assert row.QFIELD in frames[row.QDOMAIN].columns
        assert f"{row.QDOMAIN}SEQ=1" == row.QKEY
    may = {(row["domain"], row["field"]) for row in csv_file("queries.csv") if row["may_stay_open"] == "1"}
    still = query[query["QSTATUS"] == "OPEN"]
    assert set(zip(still["QDOMAIN"], still["QFIELD"], strict=True)) <= may


@pytest.mark.rule("SYN-04")
@each
def test_every_lesion_is_identified_once_and_then_followed(made, preset, seed):
    frames = made(preset, seed)
    tu, tr = frames["TU"], frames["TR"]
    roles = tu.set_index(["USUBJID", "TULNKID"])["TUSTRESC"]
    assert roles.index.is_unique
    assert set(map(tuple, tr[["USUBJID", "TRLNKID"]].dropna().to_numpy())) == set(roles.index)
    prefix = roles.index.get_level_values(1).str.rstrip("0123456789")
    assert (prefix.map({"T": "TARGET", "NT": "NON-TARGET", "NEW": "NEW"}) == roles.to_numpy()).all()
    keys = pd.MultiIndex.from_frame(tr[["USUBJID", "TRLNKID"]])
    assert (roles.reindex(keys).to_numpy() == tr["TRGRPID"].to_numpy()).all()
    assert set(tu["TUMETHOD"]) | set(tr["TRMETHOD"].dropna()) <= {"CT SCAN", "MRI"}
    assert set(tu["TUEVAL"]) == set(tr["TREVAL"]) == {"INVESTIGATOR"}
    liver = tu[(tu["TUSTRESC"] == "TARGET") & (tu["TULOC"] == "LIVER")]
    assert set(liver["USUBJID"]) == set(start_of(frames).index)


@pytest.mark.rule("SYN-04")
@each
def test_sizes_are_whole_millimetres_of_the_right_axis(made, preset, seed):
    frames = made(preset, seed)
    node = frames["TU"].set_index(["USUBJID", "TULNKID"])["TULOC"].str.startswith("LYMPH NODE")
    tr = frames["TR"]
    sizes = tr[tr["TRSTRESN"].notna()]
    assert (sizes["TRSTRESN"] % 1 == 0).all()
    assert sizes["TRSTRESN"].between(5, 400).all()
    assert set(sizes["TRSTRESU"]) == set(sizes["TRORRESU"]) == {"mm"}
    assert (sizes["TRSTRESC"].astype(float) == sizes["TRSTRESN"]).all()
    short = node.reindex(pd.MultiIndex.from_frame(sizes[["USUBJID", "TRLNKID"]])).to_numpy(dtype=bool)
    assert (
        sizes["TRTESTCD"] == pd.Series(short, index=sizes.index).map({True: "LPERP", False: "LDIAM"})
    ).all()
    states = tr[tr["TRTESTCD"] == "TUMSTATE"]
    known = {"PRESENT", "ABSENT", "UNEQUIVOCAL PROGRESSION", "UNEQUIVOCAL", "EQUIVOCAL"}
    assert set(states["TRSTRESC"].dropna()) <= known
    assert states["TRSTRESN"].isna().all()


@pytest.mark.rule("SYN-05")
@each
def test_every_target_has_a_row_at_every_scan(made, preset, seed):
    tr = made(preset, seed)["TR"]
    target = tr[tr["TRGRPID"] == "TARGET"]
    for _, own in target.groupby("USUBJID"):
        table = own.pivot(index="TRLNKID", columns="VISITNUM", values="TRDTC")
        assert table.notna().all(axis=None)
    lost = tr[tr["TRSTAT"] == "NOT DONE"]
    assert lost["TRREASND"].notna().all()
    assert lost[["TRORRES", "TRSTRESC", "TRSTRESN"]].isna().all(axis=None)
    assert tr.loc[tr["TRSTAT"].isna(), "TRSTRESC"].notna().all()


@pytest.mark.rule("SYN-03")
@each
def test_every_scan_has_its_responses(made, preset, seed):
    frames = made(preset, seed)
    tr, rs = frames["TR"], frames["RS"]
    recist = rs[rs["RSCAT"] == "RECIST 1.1"]
    done = tr[tr["TRSTAT"].isna() & (tr["VISITNUM"] > 1)]
    scans = set(map(tuple, done[["USUBJID", "TRDTC"]].drop_duplicates().to_numpy()))
    overall = recist[recist["RSTESTCD"] == "OVRLRESP"]
    assert scans <= set(map(tuple, overall[["USUBJID", "RSDTC"]].to_numpy()))
    assert set(recist["RSTESTCD"]) <= {"TRGRESP", "NTRGRESP", "NEWLPROG", "OVRLRESP"}
    assert (rs["RSORRES"] == rs["RSSTRESC"]).all()
    assert set(overall["RSSTRESC"]) <= {"CR", "PR", "SD", "PD", "NE"}
    assert {"RECIST 1.1", "iRECIST"} == set(rs["RSCAT"])

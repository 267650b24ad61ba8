"""Responses of the synthetic lesions, read by an own small RECIST 1.1 that shares no code with the product."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest

EARLIEST_SD, CONFIRM = 56, 28
ORDER = ["CR", "PR", "SD", "PD", "NE"]
SEEDS = [20251225, 1, 2]


def visits(frames, subject):
    """Return (day, target, non-target, new) of every scan after baseline, from TU and TR alone."""
    tr = frames["TR"][frames["TR"]["USUBJID"] == subject]
    start = pd.Timestamp(frames["DM"].set_index("USUBJID").loc[subject, "RFSTDTC"])
    targets = tr[tr["TRGRPID"] == "TARGET"]
    first = targets["VISITNUM"].min()
    base = targets[targets["VISITNUM"] == first]["TRSTRESN"].sum()
    nadir, rows = base, []
    for _, scan in tr[tr["VISITNUM"] > first].groupby("VISITNUM"):
        sizes = scan[scan["TRGRPID"] == "TARGET"]["TRSTRESN"]
        total, complete = sizes.sum(), sizes.notna().all()
        if total - nadir >= 5 and total >= 1.2 * nadir - 1e-9:
            target = "PD"
        elif not complete:
            target = "NE"
        else:
            target = "PR" if total <= 0.7 * base + 1e-9 else "SD"
        nadir = min(nadir, total) if complete else nadir
        state = scan[scan["TRGRPID"] == "NON-TARGET"]["TRSTRESC"]
        rows.append(
            {
                "day": (pd.Timestamp(scan["TRDTC"].iloc[0]) - start).days,
                "visit": scan["VISITNUM"].iloc[0],
                "target": target,
                "nontarget": None
                if state.empty
                else "PD"
                if (state == "UNEQUIVOCAL PROGRESSION").any()
                else "NE"
                if state.isna().any()
                else "NON-CR/NON-PD",
                "new": bool(((scan["TRGRPID"] == "NEW") & (scan["TRSTRESC"] == "UNEQUIVOCAL")).any()),
            }
        )
    return rows


def overall(row):
    return "PD" if row["new"] or "PD" in (row["target"], row["nontarget"]) else row["target"]


def best(frames, subject):
    """Return unconfirmed and confirmed best response."""
    used = []
    for row in visits(frames, subject):
        used.append((row["day"], overall(row)))
        if used[-1][1] == "PD":
            break
    votes, confirmed = [], []
    for place, (day, value) in enumerate(used):
        late = day >= EARLIEST_SD
        votes.append("NE" if value == "SD" and not late else value)
        if value != "PR":
            confirmed.append(votes[-1])
            continue
        later = [(d, v) for d, v in used[place + 1 :]]
        after = next((i for i, (d, _) in enumerate(later) if d - day >= CONFIRM), None)
        window = [] if after is None else [v for _, v in later[: after + 1]]
        yes = bool(window) and window[-1] == "PR" and set(window) <= {"PR", "NE"} and window.count("NE") <= 1
        confirmed.append("PR" if yes else "SD" if late else "NE")
    return min(votes, key=ORDER.index), min(confirmed, key=ORDER.index)


def treated(frames):
    return frames["DM"].loc[frames["DM"]["RFSTDTC"].notna(), "USUBJID"].tolist()


@pytest.mark.rule("SYN-02", source="spec of the example study: FAS 15, PR 2 (1 confirmed), SD 7, PD 4, NE 2")
@pytest.mark.parametrize("seed", SEEDS)
def test_main13_shows_the_specified_responses(made, seed):
    frames = made("main13", seed)
    pairs = [best(frames, subject) for subject in treated(frames)]
    assert Counter(b for b, _ in pairs) == {"PR": 2, "SD": 7, "PD": 4, "NE": 2}
    assert Counter(c for _, c in pairs) == {"PR": 1, "SD": 8, "PD": 4, "NE": 2}


@pytest.mark.rule("SYN-02")
@pytest.mark.parametrize("seed", SEEDS)
def test_the_unconfirmed_response_is_pending_not_refuted(made, seed):
    frames = made("main13", seed)
    (open_one,) = [s for s in treated(frames) if best(frames, s) == ("PR", "SD")]
    rows = visits(frames, open_one)
    assert [overall(row) for row in rows].index("PR") == len(rows) - 1
    dm = frames["DM"].set_index("USUBJID").loc[open_one]
    assert dm["DTHDTC"] is None
    new = frames["CM"][
        (frames["CM"]["CMCAT"] == "NEW ANTICANCER THERAPY") & (frames["CM"]["USUBJID"] == open_one)
    ]
    assert new.empty


@pytest.mark.rule("SYN-03")
@pytest.mark.parametrize("preset", ["main13", "tiny10", "full18"])
@pytest.mark.parametrize("seed", [20251225, 1])
def test_the_investigator_reads_what_the_lesions_show(made, preset, seed):
    frames = made(preset, seed)
    rs = frames["RS"]
    reported = (
        rs[rs["RSCAT"] == "RECIST 1.1"].set_index(["USUBJID", "VISITNUM", "RSTESTCD"])["RSSTRESC"].to_dict()
    )
    derived = {}
    for subject in treated(frames):
        for row in visits(frames, subject):
            key = (subject, row["visit"])
            derived[(*key, "OVRLRESP")] = overall(row)
            derived[(*key, "TRGRESP")] = row["target"]
            if row["nontarget"]:
                derived[(*key, "NTRGRESP")] = row["nontarget"]
    new = {k: v for k, v in reported.items() if k[2] == "NEWLPROG"}
    assert {k: v for k, v in reported.items() if k not in new} == derived
    assert {k[:2] for k, v in new.items() if v == "Y"} == set(
        map(tuple, frames["TU"].loc[frames["TU"]["TUSTRESC"] == "NEW", ["USUBJID", "VISITNUM"]].to_numpy())
    )


@pytest.mark.rule("SYN-04")
@pytest.mark.parametrize("preset", ["main13", "tiny10", "full18"])
@pytest.mark.parametrize("seed", SEEDS)
def test_lesions_are_chosen_as_recist_wants(made, preset, seed):
    frames = made(preset, seed)
    tu = frames["TU"]
    targets = tu[tu["TUSTRESC"] == "TARGET"]
    assert targets.groupby("USUBJID").size().between(1, 5).all()
    assert (targets.groupby(["USUBJID", "TULOC"]).size() <= 2).all()
    start = frames["DM"].set_index("USUBJID")["RFSTDTC"]
    before = pd.to_datetime(targets["USUBJID"].map(start)) - pd.to_datetime(targets["TUDTC"])
    assert before.dt.days.between(1, 28).all()
    base = frames["TR"].merge(
        targets[["USUBJID", "TULNKID", "TULOC", "VISITNUM"]],
        left_on=["USUBJID", "TRLNKID", "VISITNUM"],
        right_on=["USUBJID", "TULNKID", "VISITNUM"],
        validate="1:1",
    )
    node = base["TULOC"].str.startswith("LYMPH NODE")
    assert (base.loc[node, "TRSTRESN"] >= 15).all()
    assert (base.loc[~node, "TRSTRESN"] >= 10).all()
    assert (base.loc[node, "TRTESTCD"] == "LPERP").all()
    assert set(base.loc[~node, "TRTESTCD"]) == {"LDIAM"}


@pytest.mark.rule("SYN-05")
def test_a_scan_that_was_not_done_says_why(main13):
    tr = main13["TR"]
    gone = tr[tr["TRSTAT"] == "NOT DONE"]
    assert gone["TRREASND"].notna().all()
    assert gone["TRSTRESN"].isna().all()
    assert gone["TRDTC"].notna().all()
    whole = gone.groupby(["USUBJID", "VISITNUM"]).size()
    assert len(whole) >= 2, "an NE time point and a scan that was not done"


@pytest.mark.rule("SYN-06")
@pytest.mark.parametrize("preset", ["main13", "tiny10", "full18"])
def test_new_therapy_is_classified_dated_and_follows_progression(made, preset):
    frames = made(preset, 20251225)
    rows = []
    for domain, name in (("CM", "CMSTDTC"), ("PR", "PRSTDTC")):
        frame = frames[domain]
        new = frame[frame[f"{domain}CAT"] == "NEW ANTICANCER THERAPY"]
        assert new[f"{domain}SCAT"].isin(["SYSTEMIC", "RADIATION", "LOCAL LIVER"]).all()
        rows += list(zip(new["USUBJID"], new[name], strict=True))
    assert rows
    rs = frames["RS"][frames["RS"]["RSCAT"] == "RECIST 1.1"]
    pd_dates = rs[(rs["RSTESTCD"] == "OVRLRESP") & (rs["RSSTRESC"] == "PD")].groupby("USUBJID")["RSDTC"].min()
    assert all(start > pd_dates[subject] for subject, start in rows)


@pytest.mark.rule("SYN-25")
@pytest.mark.parametrize("seed", SEEDS)
def test_an_immune_progression_is_confirmed_by_further_growth_only(made, seed):
    frames = made("full18", seed)
    rs = frames["RS"]
    wide = rs[rs["RSTESTCD"] == "OVRLRESP"].pivot(
        index=["USUBJID", "VISITNUM"], columns="RSCAT", values="RSSTRESC"
    )
    immune = {"PR": "iPR", "SD": "iSD", "NE": "NE"}
    plain = wide[wide["RECIST 1.1"] != "PD"]
    assert (plain["RECIST 1.1"].map(immune) == plain["iRECIST"]).all()
    sums = (
        frames["TR"][frames["TR"]["TRGRPID"] == "TARGET"].groupby(["USUBJID", "VISITNUM"])["TRSTRESN"].sum()
    )
    for subject, own in wide[wide["RECIST 1.1"] == "PD"].groupby(level=0):
        values = own["iRECIST"].tolist()
        assert values in (["iUPD"], ["iUPD", "iCPD"])
        if len(values) == 2:
            first, second = (sums[(subject, visit)] for visit in own.index.get_level_values(1))
            assert second - first >= 5

"""The path of each preset: counts, order, windows, triggers, dose-limiting toxicity."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pandas as pd
import pytest

from interim.errors import StudyError
from interim.example import make_study
from interim.study import read_study

SEEDS = [20251225, 1, 2]
# Preset: screened, screen failures, not treated, NK only, CAR-T by level.
COUNTS = {
    "main13": (21, 5, 1, 2, {"DL1": 1, "DL2": 3, "DL3": 6, "DL4": 3}),
    "tiny10": (13, 2, 0, 1, {"DL1": 1, "DL2": 3, "DL3": 3, "DL4": 3}),
    "full18": (25, 4, 1, 2, {"DL1": 3, "DL2": 6, "DL3": 6, "DL4": 3}),
}
DLTS = {
    "main13": {"DL3": 1},
    "tiny10": {},
    "full18": {"DL2": 1, "DL3": 1, "DL4": 2},
}
WINDOW = pd.Timedelta(days=14)


def arms(frames) -> pd.Series:
    return frames["DM"].set_index("USUBJID")["ARMCD"]


def windows(frames) -> pd.DataFrame:
    """Return start and end of the DLT window: first CAR-T infusion to 14 days after the second."""
    ex = frames["EX"][(frames["EX"]["EXTRT"] == "CAR-T") & (frames["EX"]["EXCYCLE"] == 1)]
    day = pd.to_datetime(ex["EXSTDTC"].str[:10])
    table = day.groupby(ex["USUBJID"]).agg(["min", "max", "size"])
    return pd.DataFrame({"start": table["min"], "end": table["max"] + WINDOW, "n": table["size"]})


def limiting(frames) -> pd.DataFrame:
    """Return the events that meet a rule for dose-limiting toxicity, whatever the site flagged."""
    ae = frames["AE"].copy()
    grade = ae["AETOXGR"].astype(int)
    cells = ae["AEREL"].str.contains("CARNK|CART")
    start, end = pd.to_datetime(ae["AESTDTC"].str[:10]), pd.to_datetime(ae["AEENDTC"].str[:10])
    hours = ((end.fillna(pd.Timestamp("2026-06-30")) - start).dt.days + 1) * 24
    blood = ae["AEDECOD"].str.contains("count decreased") | ae["AEBODSYS"].str.startswith("Blood")
    crs = ae["AEDECOD"] == "Cytokine release syndrome"
    meets = (grade >= 3) & (crs | (cells & ~blood & (hours > 72)))
    found = ae[meets].assign(START=start[meets])
    windowed = found.merge(windows(frames), left_on="USUBJID", right_index=True, validate="m:1")
    return windowed[(windowed["START"] >= windowed["start"]) & (windowed["START"] <= windowed["end"])]


@pytest.mark.rule("SYN-01", source="spec of the example study, section 2")
@pytest.mark.parametrize("preset", COUNTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_preset_has_its_participants(made, preset, seed):
    frames = made(preset, seed)
    screened, failed, untreated, nk_only, levels = COUNTS[preset]
    count = Counter(arms(frames))
    assert len(arms(frames)) == screened
    assert (count["SCRNFAIL"], count["NOTASSGN"], count["NKONLY"]) == (failed, untreated, nk_only)
    assert {k: v for k, v in count.items() if k.startswith("DL")} == levels
    infused = frames["EX"].groupby(["USUBJID", "EXTRT"]).size().unstack(fill_value=0)
    assert (infused["CAR-NK"] == 2).all()
    assert infused["CAR-T"].isin([0, 2, 4]).all()
    assert set(infused.index[infused["CAR-T"] == 0]) == set(arms(frames).index[arms(frames) == "NKONLY"])


@pytest.mark.rule("SYN-01")
def test_main13_has_one_manufacturing_failure_and_one_withdrawal(main13):
    ds = main13["DS"]
    why = ds[ds["DSSCAT"] == "CAR-T NOT GIVEN"]["DSDECOD"]
    assert sorted(why) == ["PHYSICIAN DECISION", "PRODUCT MANUFACTURING FAILURE"]
    (gone,) = ds.loc[ds["DSDECOD"] == "WITHDRAWAL BY SUBJECT", "USUBJID"]
    assert arms(main13)[gone] == "NOTASSGN"
    assert (ds["DSDECOD"] == "ELIGIBILITY CRITERIA MET").sum() == 16


@pytest.mark.rule("SYN-07")
@pytest.mark.parametrize("preset", DLTS)
@pytest.mark.parametrize("seed", [20251225, 1, 2, 3])
def test_dose_limiting_toxicity_is_as_the_preset_says(made, preset, seed):
    frames = made(preset, seed)
    met = limiting(frames)
    assert Counter(arms(frames)[met["USUBJID"].unique()]) == DLTS[preset]
    flagged = frames["SUPPAE"][frames["SUPPAE"]["QNAM"] == "DLTFL"]
    keys = set(zip(flagged["USUBJID"], flagged["IDVARVAL"].astype(int), strict=True))
    assert keys == set(zip(met["USUBJID"], met["AESEQ"], strict=True))


@pytest.mark.rule("SYN-07")
@pytest.mark.parametrize("preset", DLTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_window_is_completed_under_observation(made, preset, seed):
    frames = made(preset, seed)
    table = windows(frames)
    assert (table["n"] == 2).all()
    last = pd.to_datetime(frames["SS"].groupby("USUBJID")["SSDTC"].max())
    assert (last[table.index] >= table["end"]).all()
    assert table["end"].max() + WINDOW == pd.Timestamp("2026-06-30")


@pytest.mark.rule("SYN-08")
@pytest.mark.parametrize("seed", [20251225, 1, 2, 3])
def test_the_first_trigger_of_main13_is_the_first_participant_of_level_2(made, seed):
    frames = made("main13", seed)
    table, arm = windows(frames), arms(frames)
    order = table.sort_values("start").index
    assert [arm[s] for s in order[:2]] == ["DL1", "DL2"]
    ae = frames["AE"]
    for subject, crs_wanted in zip(order[:2], [False, True], strict=True):
        own = ae[ae["USUBJID"] == subject]
        grade2 = own["AETOXGR"].astype(int) >= 2
        crs = own["AEDECOD"] == "Cytokine release syndrome"
        cells = own["AEREL"].str.contains("CARNK|CART")
        inside = pd.to_datetime(own["AESTDTC"].str[:10]) <= table.loc[subject, "end"]
        assert bool((grade2 & crs & inside).any()) is crs_wanted
        if not crs_wanted:
            assert not (grade2 & cells).any()


@pytest.mark.rule("SYN-08")
@pytest.mark.parametrize("preset", COUNTS)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_level_opens_when_all_windows_below_have_closed(made, preset, seed):
    frames = made(preset, seed)
    table = windows(frames).assign(arm=arms(frames))
    consent = pd.to_datetime(frames["DM"].set_index("USUBJID")["RFICDTC"])
    for subject, row in table.iterrows():
        below = table[table["arm"] < row["arm"]]
        assert (below["end"] < consent[subject]).all()


@pytest.mark.rule("SYN-09")
@pytest.mark.parametrize("preset", COUNTS)
def test_doses_are_near_their_level(made, preset):
    frames = made(preset, 20251225)
    ex = frames["EX"].merge(
        frames["SUPPEX"].pivot(index=["USUBJID", "IDVARVAL"], columns="QNAM", values="QVAL").reset_index(),
        left_on=["USUBJID", frames["EX"]["EXSEQ"].astype(str)],
        right_on=["USUBJID", "IDVARVAL"],
        validate="1:1",
    )
    level = {"DL1": 1.5e7, "DL2": 3e7, "DL3": 5e7, "DL4": 7e7}
    cart = ex[ex["EXTRT"] == "CAR-T"]
    per_kg = cart["EXDOSE"] / cart["WEIGHT"].astype(float)
    assert ((per_kg / cart["USUBJID"].map(arms(frames)).map(level) - 1).abs() < 0.20).all()
    nk = ex[ex["EXTRT"] == "CAR-NK"].sort_values(["USUBJID", "EXSTDTC"])["EXDOSE"].to_numpy().reshape(-1, 2)
    assert (abs(nk / [1e9, 2e9] - 1) < 0.2).all()
    days = pd.to_datetime(ex["EXSTDTC"].str[:10]).to_numpy().reshape(-1, 2)
    assert set((days[:, 1] - days[:, 0]).astype("timedelta64[D]").astype(int)) == {1}


@pytest.mark.rule("SYN-10")
def test_the_study_file_has_the_cut_of_the_preset(main13):
    study = read_study("params/example.toml")
    ts = main13["TS"].set_index("TSPARMCD")["TSVAL"]
    assert str(study.data.cut_date)[:10] == ts["DCUTDTC"] == date(2026, 6, 30).isoformat()
    assert study.study.id == set(main13["DM"]["STUDYID"]).pop()
    assert study.study.label == ts["LABEL"] == "SYNTHETIC - NOT PATIENT DATA"


@pytest.mark.rule("SYN-01")
def test_an_unknown_preset_is_named_with_the_known_ones():
    with pytest.raises(StudyError, match=r"full18, main13, tiny10; found 'main14'"):
        make_study("main14")

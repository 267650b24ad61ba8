"""DM, DS, SV, SS, SC, MH, prior therapy: who took part, told the same way in every domain."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from interim.data import spec
from interim.example.settings import codes, numbers

SEEDS = [20251225, 1]
PRESETS = ["main13", "tiny10", "full18"]
EACH = [(preset, seed) for preset in PRESETS for seed in SEEDS]
CUT = "2026-06-30"
each = pytest.mark.parametrize(("preset", "seed"), EACH)


def day(texts):
    return pd.to_datetime(texts.str[:10])


def by(frames, domain, column):
    return frames[domain].set_index("USUBJID")[column]


def events(frames, decod):
    ds = frames["DS"]
    return ds[ds["DSDECOD"] == decod].set_index("USUBJID")["DSSTDTC"]


# Domain: columns that tell records of one participant apart.
KEYS = {
    "DM": [],
    "SUPPDM": ["QNAM"],
    "DS": ["DSDECOD", "DSSCAT"],
    "SV": ["VISITNUM"],
    "EX": ["EXSTDTC"],
    "SUPPEX": ["IDVARVAL", "QNAM"],
    "PR": ["PRTRT", "PRSTDTC"],
    "BE": ["BETERM"],
    "BS": ["BSREFID", "BSTESTCD"],
    "AE": ["AEDECOD"],
    "SUPPAE": ["IDVARVAL", "QNAM"],
    "LB": ["LBTESTCD", "LBDTC"],
    "VS": ["VSTESTCD", "VSDTC"],
    "EG": ["EGTESTCD", "EGDTC"],
    "QS": ["QSTESTCD", "QSDTC"],
    "TU": ["TULNKID"],
    "TR": ["TRLNKID", "TRTESTCD", "VISITNUM"],
    "RS": ["RSCAT", "RSTESTCD", "VISITNUM"],
    "SUPPCM": ["IDVARVAL", "QNAM"],
    "MH": ["MHTERM"],
    "PC": ["PCTESTCD", "PCSPEC", "PCDTC"],
    "CP": ["CPTESTCD", "CPDTC"],
    "MI": ["MITESTCD", "MITSTDTL", "MIDTC"],
    "IS": ["ISTESTCD", "ISDTC"],
    "SC": ["SCTESTCD"],
    "SS": ["SSDTC"],
}


@pytest.mark.rule("SYN-01")
@each
def test_no_record_is_there_twice(made, preset, seed):
    frames = made(preset, seed)
    for domain, key in KEYS.items():
        assert not frames[domain].duplicated(["USUBJID", *key]).any(), domain


@pytest.mark.rule("SYN-01")
@each
def test_identifiers_of_every_record(made, preset, seed):
    frames = made(preset, seed)
    known = set(frames["DM"]["USUBJID"])
    for domain, frame in frames.items():
        if domain == "DECISIONS":  # a record of the committee, not of a participant
            continue
        assert set(frame["STUDYID"]) == {"SYN-NKG2D-01"}, domain
        assert len(frame), domain
        if "USUBJID" in frame:
            assert set(frame["USUBJID"]) <= known, domain
        supp = domain.startswith("SUPP")
        assert set(frame["RDOMAIN" if supp else "DOMAIN"]) == {domain.removeprefix("SUPP")}


@pytest.mark.rule("SYN-01")
@each
def test_sequence_numbers_count_from_1_within_a_participant(made, preset, seed):
    for domain, frame in made(preset, seed).items():
        name = f"{domain}SEQ"
        if name in frame and "USUBJID" in frame:
            counted = frame.groupby("USUBJID").cumcount() + 1
            assert (frame[name] == counted).all(), domain


@pytest.mark.rule("SYN-01")
@each
def test_supplemental_records_have_their_parent(made, preset, seed):
    frames = made(preset, seed)
    for domain in [name for name in frames if name.startswith("SUPP")]:
        parent, supp = frames[domain.removeprefix("SUPP")], frames[domain]
        if domain == "SUPPDM":
            assert supp["IDVAR"].isna().all()
            continue
        name = f"{domain.removeprefix('SUPP')}SEQ"
        assert set(supp["IDVAR"]) == {name}
        keys = set(zip(parent["USUBJID"], parent[name].astype(str), strict=True))
        assert set(zip(supp["USUBJID"], supp["IDVARVAL"], strict=True)) <= keys


@pytest.mark.rule("SYN-01")
@each
def test_coded_values_are_those_of_the_specification(made, preset, seed):
    for domain, frame in made(preset, seed).items():
        for column in frame.columns:
            variable = spec.domain(domain).variable(column)
            codelist = spec.codelists().get(variable.codelist or "")
            if codelist is not None:
                wrong = [v for v in frame[column].dropna().astype(str).unique() if not codelist.holds(v)]
                assert wrong == [], (domain, column)


@pytest.mark.rule("SYN-01")
@each
def test_required_values_are_never_blank(made, preset, seed):
    for domain, frame in made(preset, seed).items():
        known = spec.domain(domain)
        assert known.absent(frame.columns) == (), domain
        # A result or unit that was not measured is blank with its status.
        status = f"{domain}STAT"
        done = frame[frame[status].isna()] if status in frame else frame
        for column in known.required:
            unit = column in (f"{domain}ORRESU",)
            assert unit or done[column].notna().all(), (domain, column)


@pytest.mark.rule("SYN-01")
@each
def test_the_number_of_a_participant_is_the_order_of_consent(made, preset, seed):
    dm = made(preset, seed)["DM"]
    assert dm["SUBJID"].tolist() == [f"01-{i:03d}" for i in range(1, len(dm) + 1)]
    assert (dm["USUBJID"] == dm["STUDYID"] + "-" + dm["SUBJID"]).all()
    assert dm["RFICDTC"].is_monotonic_increasing
    assert set(dm["SITEID"]) == {"01"}


@pytest.mark.rule("SYN-01", source="registered age limits 18 to 75")
@each
def test_demographics_are_in_range(made, preset, seed):
    dm = made(preset, seed)["DM"]
    assert dm["AGE"].between(18, 75).all()
    assert set(dm["AGEU"]) == {"YEARS"}
    assert set(dm["SEX"]) <= {"F", "M"}
    assert (dm["ARMCD"] == dm["ACTARMCD"]).all()
    assert dm["ARM"].tolist() == [codes("arm")[code] for code in dm["ARMCD"]]
    assert ((dm["DTHFL"] == "Y") == dm["DTHDTC"].notna()).all()


@pytest.mark.rule("SYN-10")
@each
def test_reference_dates_are_in_order(made, preset, seed):
    frames = made(preset, seed)
    dm = frames["DM"]
    treated = dm[dm["RFSTDTC"].notna()]
    assert (treated["RFICDTC"] < treated["RFSTDTC"]).all()
    assert (treated["RFSTDTC"] == treated["RFXSTDTC"].str[:10]).all()
    assert (treated["RFXSTDTC"] < treated["RFXENDTC"]).all()
    ended = treated.dropna(subset=["RFENDTC"])
    assert (ended["RFXENDTC"].str[:10] <= ended["RFENDTC"]).all()
    assert (ended["RFENDTC"] == ended["RFPENDTC"]).all()
    dead = dm.dropna(subset=["DTHDTC"])
    assert (dead["DTHDTC"] == dead["RFENDTC"]).all()
    consent_to_start = (day(treated["RFSTDTC"]) - day(treated["RFICDTC"])).dt.days
    assert consent_to_start.between(8, 14).all()
    untreated = dm[dm["RFSTDTC"].isna()]
    assert untreated[["RFXSTDTC", "RFXENDTC", "RFENDTC", "DTHDTC"]].isna().all(axis=None)
    assert set(untreated["ARMCD"]) <= {"SCRNFAIL", "NOTASSGN"}


@pytest.mark.rule("SYN-10")
@each
def test_exposure_gives_the_first_and_last_dose(made, preset, seed):
    frames = made(preset, seed)
    spans = frames["EX"].groupby("USUBJID")["EXSTDTC"].agg(["min", "max"])
    dm = frames["DM"].set_index("USUBJID").loc[spans.index]
    assert (dm["RFXSTDTC"] == spans["min"]).all()
    assert (dm["RFXENDTC"] == spans["max"]).all()
    assert set(spans.index) == set(by(frames, "DM", "RFSTDTC").dropna().index)


@pytest.mark.rule("SYN-01")
@each
def test_milestones_of_every_participant(made, preset, seed):
    frames = made(preset, seed)
    arm, consent = by(frames, "DM", "ARMCD"), by(frames, "DM", "RFICDTC")
    assert (
        events(frames, "INFORMED CONSENT OBTAINED")
        .sort_index()
        .equals(consent.sort_index().rename("DSSTDTC"))
    )
    eligible = events(frames, "ELIGIBILITY CRITERIA MET")
    assert set(eligible.index) == set(arm.index[arm != "SCRNFAIL"])
    assert (eligible >= consent[eligible.index]).all()
    failed = events(frames, "SCREEN FAILURE")
    assert set(failed.index) == set(arm.index[arm == "SCRNFAIL"])
    level = events(frames, "DOSE LEVEL ASSIGNED")
    assert set(level.index) == set(arm.index[arm.str.startswith("DL")])
    first = frames["EX"][frames["EX"]["EXTRT"] == "CAR-T"].groupby("USUBJID")["EXSTDTC"].min().str[:10]
    assert (day(first) - day(level)).dt.days.eq(1).all()
    terms = (
        frames["DS"].set_index("USUBJID").loc[level.index].query("DSDECOD == 'DOSE LEVEL ASSIGNED'")["DSTERM"]
    )
    assert all(terms[who].endswith(f"level {arm[who][2:]} assigned") for who in level.index)


@pytest.mark.rule("SYN-01")
@each
def test_the_end_of_the_study_is_told_once_and_agrees_with_dm_and_ss(made, preset, seed):
    frames = made(preset, seed)
    ds = frames["DS"]
    ends = ds[(ds["DSCAT"] == "DISPOSITION EVENT") & (ds["DSSCAT"] == "STUDY")]
    assert not ends["USUBJID"].duplicated().any()
    death = by(frames, "DM", "DTHDTC").dropna()
    assert events(frames, "DEATH").to_dict() == death.to_dict()
    dead = frames["SS"][frames["SS"]["SSSTRESC"] == "DEAD"].set_index("USUBJID")["SSDTC"]
    assert dead.to_dict() == death.to_dict()
    stop = by(frames, "DM", "RFPENDTC").dropna()
    assert ends.set_index("USUBJID")["DSSTDTC"].to_dict() == stop.to_dict()
    lost = events(frames, "LOST TO FOLLOW-UP")
    assert set(lost.index).isdisjoint(death.index)


@pytest.mark.rule("SYN-01")
@each
def test_survival_contacts_every_four_weeks(made, preset, seed):
    frames = made(preset, seed)
    start, stop = by(frames, "DM", "RFSTDTC"), by(frames, "DM", "RFPENDTC")
    assert (frames["SS"]["SSORRES"] == frames["SS"]["SSSTRESC"]).all()
    for who, own in frames["SS"].groupby("USUBJID"):
        days = (day(own["SSDTC"]) - pd.Timestamp(start[who])).dt.days.tolist()
        assert days[:-1] == [28 * i for i in range(1, len(days))]
        assert 14 <= days[-1] - (days[-2] if len(days) > 1 else 0) <= 28 + 14
        assert (own["SSSTRESC"].iloc[:-1] == "ALIVE").all()
        last = own["SSDTC"].iloc[-1]
        assert last == stop[who] if stop[who] else last > "2026-06-22"
        assert last <= CUT


@pytest.mark.rule("SYN-11", source="visit table of the generator, visits.csv")
@each
def test_scheduled_visits_are_in_their_window(made, preset, seed):
    frames = made(preset, seed)
    sv = frames["SV"].merge(frames["DM"][["USUBJID", "RFSTDTC"]], on="USUBJID", validate="m:1")
    sv = sv[sv["RFSTDTC"].notna() & sv["VISITDY"].notna()]
    gap = (day(sv["SVSTDTC"]) - day(sv["RFSTDTC"])).dt.days
    actual = gap + (gap >= 0)
    assert ((actual - sv["VISITDY"]).abs() <= 5).all()
    assert (sv["SVENDTC"] == sv["SVSTDTC"]).all()
    assert not (sv["VISITDY"] == 0).any()
    infusion = sv["VISIT"].str.contains("DAY [01]$|C[12]D[12]", regex=True)
    assert (actual[infusion] == sv.loc[infusion, "VISITDY"]).all()


@pytest.mark.rule("SYN-11")
@each
def test_names_of_visits(made, preset, seed):
    frames = made(preset, seed)
    sv = frames["SV"]
    for name, number in zip(sv["VISIT"], sv["VISITNUM"], strict=True):
        whole = float(number).is_integer()
        assert whole is not name.startswith("UNSCHEDULED"), name
        assert whole or name == f"UNSCHEDULED {number:g}"
    names = sv.groupby("VISITNUM")["VISIT"].nunique()
    assert (names == 1).all()
    for domain in ("LB", "VS", "EG", "QS", "CP", "IS", "TR", "RS"):
        pairs = frames[domain][["VISITNUM", "VISIT"]].dropna().drop_duplicates()
        assert set(map(tuple, pairs.to_numpy())) <= set(map(tuple, sv[["VISITNUM", "VISIT"]].to_numpy())), (
            domain
        )


@pytest.mark.rule("SYN-15")
@each
def test_tumour_type_histology_and_facts_agree(made, preset, seed):
    frames = made(preset, seed)
    supp = frames["SUPPDM"].pivot(index="USUBJID", columns="QNAM", values="QVAL")
    arm = by(frames, "DM", "ARMCD")
    assert set(supp.index) == set(arm.index[arm != "SCRNFAIL"])
    assert supp.notna().all(axis=None)
    assert set(supp["TUMTYPE"]) <= {"CRC", "GASTRIC", "OESOPHAGEAL", "OTHER"}
    assert set(supp["HISTCLAS"]) <= {"ADENOCARCINOMA", "SQUAMOUS", "SIGNET/MUCINOUS", "OTHER"}
    assert (supp.loc[supp["HISTCLAS"] == "SQUAMOUS", "TUMTYPE"] == "OESOPHAGEAL").all()
    facts = frames["SC"].pivot(index="USUBJID", columns="SCTESTCD", values="SCSTRESC")
    crc = supp.index[supp["TUMTYPE"] == "CRC"]
    for code in ("TUMSIDE", "KRAS", "BRAF"):
        assert set(facts.index[facts[code].notna()]) == set(crc)
    assert facts["MSI"].isin(["MSS", "MSI-H"]).all()
    assert not ((facts["KRAS"] == "MUTANT") & (facts["BRAF"] == "V600E")).any()
    words = {
        "CRC": "Colorectal",
        "GASTRIC": "Gastric",
        "OESOPHAGEAL": "Oesophageal",
        "OTHER": "Pancreatobiliary",
    }
    primary = frames["MH"].query("MHCAT == 'PRIMARY DIAGNOSIS'").set_index("USUBJID")["MHTERM"]
    assert all(primary[who].startswith(words[supp.loc[who, "TUMTYPE"]]) for who in supp.index)
    assert all("liver metastases" in term for term in primary)


@pytest.mark.rule("SYN-15")
@each
def test_prior_lines_are_counted_without_gaps_and_end_before_consent(made, preset, seed):
    frames = made(preset, seed)
    supp = frames["SUPPCM"].query("QNAM == 'LINE'")
    cm = frames["CM"].merge(
        supp.assign(CMSEQ=supp["IDVARVAL"].astype(int))[["USUBJID", "CMSEQ", "QVAL"]],
        on=["USUBJID", "CMSEQ"],
        how="left",
        validate="1:1",
    )
    prior = cm[cm["CMCAT"] == "PRIOR ANTICANCER THERAPY"]
    assert prior["QVAL"].notna().all()
    assert cm.loc[cm["CMCAT"] != "PRIOR ANTICANCER THERAPY", "QVAL"].isna().all()
    consent = by(frames, "DM", "RFICDTC")
    shares = numbers("prior.lines")
    tumour = frames["SUPPDM"].query("QNAM == 'TUMTYPE'").set_index("USUBJID")["QVAL"]
    for who, own in prior.groupby("USUBJID"):
        lines = own["QVAL"].astype(int)
        assert set(lines) == set(range(1, lines.max() + 1))
        key = {"CRC": "CRC"}.get(tumour[who], tumour[who].lower())
        assert str(lines.max()) in shares[key]
        assert (own["CMSTDTC"] < own["CMENDTC"]).all()
        assert (own["CMENDTC"] < consent[who][:7]).all()
        starts = own.groupby(lines.to_numpy())["CMSTDTC"].min()
        assert starts.is_monotonic_increasing
        assert all(re.fullmatch(r"\d{4}-\d\d", text) for text in [*own["CMSTDTC"], *own["CMENDTC"]])
    assert set(prior["CMSCAT"]) == {"SYSTEMIC"}


@pytest.mark.rule("SYN-34")
@each
def test_every_prior_line_has_one_best_response_and_one_reason_for_its_end(made, preset, seed):
    frames = made(preset, seed)
    supp = frames["SUPPCM"].assign(CMSEQ=frames["SUPPCM"]["IDVARVAL"].astype(int))
    wide = supp.pivot(index=["USUBJID", "CMSEQ"], columns="QNAM", values="QVAL").reset_index()
    prior = frames["CM"].merge(wide, on=["USUBJID", "CMSEQ"], validate="1:1")
    assert (prior["CMCAT"] == "PRIOR ANTICANCER THERAPY").all()
    each_line = prior.groupby(["USUBJID", "LINE"])[["BESTRESP", "CMRSDISC"]].nunique(dropna=False)
    assert (each_line == 1).all(axis=None)
    assert set(prior["BESTRESP"]) <= {"CR", "PR", "SD", "PD"}
    assert set(prior["CMRSDISC"]) <= {"PROGRESSION", "TOXICITY"}
    assert set(prior.loc[prior["BESTRESP"] == "PD", "CMRSDISC"]) <= {"PROGRESSION"}
    others = frames["CM"][frames["CM"]["CMCAT"] != "PRIOR ANTICANCER THERAPY"]
    assert others["CMRSDISC"].isna().all()


@pytest.mark.rule("SYN-34")
@each
def test_diseases_of_the_history_have_a_class_and_a_state(made, preset, seed):
    mh = made(preset, seed)["MH"]
    general = mh["MHCAT"] == "GENERAL"
    assert mh.loc[general, "MHBODSYS"].notna().all() and mh.loc[~general, "MHBODSYS"].isna().all()
    assert set(mh.loc[general, "MHENRTPT"]) <= {"ONGOING", "BEFORE"}
    assert mh[general].groupby("MHTERM")["MHBODSYS"].nunique().eq(1).all()


@pytest.mark.rule("SYN-01")
@each
def test_medical_history_begins_before_consent(made, preset, seed):
    frames = made(preset, seed)
    mh = frames["MH"].merge(frames["DM"][["USUBJID", "RFICDTC"]], on="USUBJID", validate="m:1")
    assert (mh["MHSTDTC"] < mh["RFICDTC"]).all()
    diagnosis = mh[mh["MHCAT"] == "PRIMARY DIAGNOSIS"]
    assert diagnosis["USUBJID"].is_unique
    assert len(diagnosis) == len(frames["DM"])


@pytest.mark.rule("SYN-10")
@pytest.mark.parametrize("preset", PRESETS)
def test_the_trial_summary_says_what_the_study_is(made, preset):
    ts = made(preset, 20251225)["TS"].set_index("TSPARMCD")["TSVAL"]
    assert ts["LABEL"] == "SYNTHETIC - NOT PATIENT DATA"
    assert (ts["DCUTDTC"], ts["PRESET"], ts["TPHASE"]) == (CUT, preset, "PHASE I TRIAL")
    assert (ts["AGEMIN"], ts["AGEMAX"]) == ("P18Y", "P75Y")
    assert [float(part.split()[0]) for part in ts["DOSE"].split("; ")] == [1.5e7, 3e7, 5e7, 7e7]


@pytest.mark.rule("SYN-15")
@each
def test_enrolled_participants_have_ecog_0_or_1_at_screening(made, preset, seed):
    frames = made(preset, seed)
    qs = frames["QS"][(frames["QS"]["QSTESTCD"] == "ECOG101") & (frames["QS"]["VISITNUM"] == 1)]
    grade = qs.set_index("USUBJID")["QSSTRESN"]
    arm = by(frames, "DM", "ARMCD")
    assert set(grade.index) == set(arm.index)
    assert grade[arm[arm != "SCRNFAIL"].index].isin([0, 1]).all()
    assert grade.isin([0, 1, 2]).all()

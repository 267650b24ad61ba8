"""Many participants at once: the same answers as step by step, for plain and for odd participants, under every rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.adam.response.conftest import DOSE, adsl, make_study, tumour

from interim.adam.many import derive_many
from interim.adam.many.read import look_up
from interim.adam.many.response import best_responses, used_responses
from interim.adam.response import derive_response
from interim.adam.response.assessments import BEST_FIRST, Assessment, BestRules, Limits
from interim.adam.response.endpoints import response_endpoints
from interim.adam.tte import derive_adtte
from interim.data.model import Sdtm
from interim.errors import DerivationError
from interim.study.efficacy import ResponseTable, TteTable

ORGANS = ("LIVER", "LUNG", "LYMPH NODE, NECK", "BONE")
STATES = ("ABSENT", "TSTM", "NOT EVALUABLE")


def random_participant(rng: np.random.Generator, subject: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return TU and TR of one participant with up to four targets, non-targets, new lesions and gaps."""
    scans = int(rng.integers(1, 8))
    days = [-int(rng.integers(1, 20)), *np.cumsum(rng.integers(20, 60, size=scans)).tolist()]
    trend = np.exp(np.cumsum(np.r_[0.0, rng.normal(-0.1, 0.35, scans)]))
    targets = {}
    for number in range(rng.integers(0, 5)):
        size = rng.integers(12, 60)
        sizes = [float(round(size * factor)) for factor in trend]
        for place in range(1, scans + 1):
            if rng.random() < 0.08:
                sizes[place] = str(rng.choice(STATES)) if rng.random() < 0.8 else None
        if rng.random() < 0.15:
            sizes[int(rng.integers(1, scans + 1)) :] = ["ABSENT"] * (
                scans + 1 - int(rng.integers(1, scans + 1))
            )
            sizes = (sizes + ["ABSENT"] * (scans + 1))[: scans + 1]
        targets[f"T0{number + 1}"] = (ORGANS[number], sizes)
    chosen = ["PRESENT", "ABSENT", "NOT EVALUABLE", "UNEQUIVOCAL PROGRESSION", "FURTHER INCREASE", 7.0, 0.0]
    nontargets = {
        f"NT0{number}": (
            str(rng.choice(ORGANS)),
            [
                "PRESENT",
                *(_one(rng, chosen, (0.5, 0.25, 0.06, 0.06, 0.03, 0.05, 0.05)) for _ in range(scans)),
            ],
        )
        for number in range(rng.integers(0, 3) if targets else 1)
    }
    seen = ["UNEQUIVOCAL", "EQUIVOCAL"]
    new = {}
    if rng.random() < 0.25:
        at = int(rng.integers(1, scans + 1))
        new["NEW01"] = ("LUNG", [None] * at + [_one(rng, seen, (0.8, 0.2)) for _ in range(at, scans + 1)])
    return tumour(days, targets, nontargets, new, subject=subject)


def _one(rng, values, weights):
    return values[int(rng.choice(len(values), p=weights))]


def pool(seed: int, size: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    names = [f"S{number:03d}" for number in range(size)]
    parts = [random_participant(rng, name) for name in names]
    tu, tr = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    for place in rng.choice(len(tr), size // 12, replace=False):
        tr.loc[place, "TRDTC"] = str(tr.loc[place, "TRDTC"])[:7]

    def some(share: float) -> pd.Series:
        days = pd.Series(rng.integers(10, 260, size), dtype="float64")
        return DOSE + pd.to_timedelta(days.where(rng.random(size) < share), unit="D")

    death = some(0.3)
    people = adsl(
        *names,
        "S999",
        NACTDT=[*some(0.25), pd.NaT],
        DTHDT=[*death, DOSE + pd.Timedelta(days=5)],
        DCUTDT=DOSE + pd.Timedelta(days=200),
        EOSSTT=[*rng.choice(["ONGOING", "DISCONTINUED"], size), "ONGOING"],
    )
    return tu, tr, people


def by_steps(tu, tr, people, study) -> pd.DataFrame:
    adrs = derive_response(Sdtm({"TU": tu, "TR": tr}, cut=study.cut), people, study=study).adrs
    times = derive_adtte(people, adrs, study=study, names=("PFS",)).frame.set_index("USUBJID")
    answer = pd.DataFrame(index=people["USUBJID"].sort_values())
    for name in ("BOR", "CBOR"):
        best = adrs[(adrs["PARAMCD"] == name) & (adrs["PARCAT2"] == "INVESTIGATOR")].set_index("USUBJID")
        answer[name], answer[f"{name}DT"] = best["AVALC"], best["ADT"]
        answer[f"{name}RSN"] = best["RSNCD"].str.split(";").str[0]
    for name, column in (("PFSDT", "ADT"), ("PFS", "AVAL"), ("CNSR", "CNSR"), ("PFSRSN", "RSNCD")):
        answer[name] = times[column]
    return answer.astype(object).where(answer.notna(), None)


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    ours = found.set_index("USUBJID").astype(object)
    ours = ours.where(ours.notna(), None)
    assert list(ours.index) == list(expected.index)
    for name in expected:
        differ = [s for s in expected.index if ours.loc[s, name] != expected.loc[s, name]]
        assert not differ, (name, differ[0], ours.loc[differ[0], name], expected.loc[differ[0], name])


STUDIES = {
    "as it comes": {},
    "confirmation eased": {
        "response": {
            "confirm_min_days": 35,
            "max_ne_between": 0,
            "accept_one_sd_for_pr": True,
            "sd_min_weeks": 5,
            "missing_as_ne": True,
        }
    },
    "sums": {
        "response": {
            "partial_sum_pd": False,
            "reappearance_is_pd": False,
            "nodal_cr_mm": 8,
            "tstm_mm": 0,
            "pd_abs_mm": 0,
            "accept_ned": True,
            "cr_then_pr": "pd",
        }
    },
    "therapy is an event": {
        "tte": TteTable(new_therapy="event", gap_rule="days", gap_days=60),
        "response": {"bor_stop_at_nact": False},
    },
    "policy": {
        "tte": TteTable(new_therapy="ignore", gap_rule="days", gap_days=50, gap_applies_to=("PD",)),
        "response": {"anchor": "first_cart"},
    },
    "start later": {"tte": TteTable(anchor="first_cart", nact_same_day="include")},
}


@pytest.mark.rule("RECIST-31", source="the derivation step by step, which the reference cases check")
@pytest.mark.rule("TTE-21")
@pytest.mark.parametrize("number", range(len(STUDIES)), ids=list(STUDIES))
def test_the_same_answers_as_step_by_step(number):
    tu, tr, people = pool(number, 50)
    study = make_study(**list(STUDIES.values())[number])
    expected = by_steps(tu, tr, people, study)
    same(derive_many(tu, tr, adsl=people, study=study), expected)
    assert len(set(expected["BOR"])) >= 4 and len(set(expected["PFSRSN"])) >= 3


@pytest.fixture(scope="module")
def crowd():
    """Return TU, TR, ADSL of a random pool, and what follows from them."""
    tu, tr, people = pool(11, 60)
    return tu, tr, people, derive_many(tu, tr, adsl=people, study=make_study())


def unchanged(crowd, tu=None, tr=None, people=None, study=None) -> None:
    answer = derive_many(
        crowd[0] if tu is None else tu,
        crowd[1] if tr is None else tr,
        adsl=crowd[2] if people is None else people,
        study=study or make_study(),
    )
    pd.testing.assert_frame_equal(answer, crowd[3])


@pytest.mark.rule("RECIST-16")
@pytest.mark.rule("TTE-12")
def test_the_order_of_rows_changes_nothing(crowd):
    tu, tr, people, _ = crowd
    unchanged(crowd, *(part.sample(frac=1, random_state=4) for part in (tu, tr, people)))


@pytest.mark.rule("RECIST-16")
def test_the_unit_of_length_changes_nothing(crowd):
    tr = crowd[1]
    sized = tr["TRSTRESN"].notna()
    tenth = tr["TRSTRESN"] / 10
    text = tr["TRSTRESC"].where(~sized, tenth.astype(str))
    unchanged(crowd, tr=tr.assign(TRSTRESN=tenth, TRSTRESC=text, TRSTRESU=tr["TRSTRESU"].where(~sized, "cm")))


@pytest.mark.rule("RECIST-16")
def test_names_of_visits_and_lesions_and_other_evaluators_change_nothing(crowd):
    tu, tr, _, _ = crowd
    names = {"TULNKID": lambda f: "Q" + f["TULNKID"], "VISIT": lambda f: f["VISIT"].str.lower() + " renamed"}
    one = tu.assign(**names)
    two = tr.assign(
        TRLNKID="Q" + tr["TRLNKID"],
        VISIT="x",
        TRSTRESC=tr["TRSTRESC"],
    )
    unchanged(crowd, one, two)
    reader = tr.assign(TREVALID="READER 1", TREVAL="INDEPENDENT ASSESSOR", TRSTRESN=tr["TRSTRESN"] * 3)
    unchanged(crowd, tr=pd.concat([tr, reader], ignore_index=True))


@pytest.mark.rule("RECIST-16")
@pytest.mark.rule("TTE-12")
def test_a_scan_after_the_cut_or_after_the_progression_changes_nothing(crowd):
    _, tr, people, before = crowd
    cut = people["DCUTDT"].iloc[0]
    last = tr.groupby("USUBJID")["TRDTC"].transform("max")
    sets = {
        "the cut": set(people["USUBJID"]),
        "progression": set(before.loc[before["PFSRSN"] == "E-PD", "USUBJID"]),
    }
    for after, subjects in sets.items():
        late = tr[tr["USUBJID"].isin(subjects) & (tr["TRDTC"] == last) & (tr["TRDTC"].str.len() == 10)]
        moved = pd.to_datetime(late["TRDTC"]).clip(lower=cut if after == "the cut" else pd.Timestamp(0))
        moved = (moved + pd.Timedelta(days=30)).dt.strftime("%Y-%m-%d")
        extra = late.assign(
            TRDTC=moved, VISITNUM=90.0, TRSEQ=late["TRSEQ"] + 9000, TRSTRESN=late["TRSTRESN"] * 5
        )
        assert len(extra) > 40
        unchanged(crowd, tr=pd.concat([tr, extra], ignore_index=True))


@pytest.mark.rule("TTE-12")
def test_moving_every_date_moves_every_result(crowd):
    tu, tr, people, before = crowd
    whole = tr["TRDTC"].str.len() == 10
    known = set(people["USUBJID"]) - set(tr.loc[~whole, "USUBJID"])
    week = pd.Timedelta(days=7)
    days = [name for name in people if name.endswith("DT") or name in ("TRTSDT", "TRTSCT")]
    later = people.assign(**{name: people[name] + week for name in days})

    def shift(frame, name):
        return frame.assign(**{name: (pd.to_datetime(frame[name]) + week).dt.strftime("%Y-%m-%d")})

    tu, tr, later = (part[part["USUBJID"].isin(known)] for part in (tu, tr, later))
    after = derive_many(shift(tu, "TUDTC"), shift(tr, "TRDTC"), adsl=later, study=make_study())
    expected = before[before["USUBJID"].isin(known)].reset_index(drop=True)
    for name in ("BORDT", "CBORDT", "PFSDT"):
        expected[name] = expected[name] + week
    pd.testing.assert_frame_equal(after, expected)


@pytest.mark.rule("TTE-02")
def test_a_new_therapy_never_makes_a_time_longer(crowd):
    tu, tr, people, with_rule = crowd
    ignore = derive_many(tu, tr, adsl=people, study=make_study(tte=TteTable(new_therapy="ignore")))
    assert (with_rule["PFS"] <= ignore["PFS"]).all()
    assert ((with_rule["CNSR"] == 0) <= (ignore["CNSR"] == 0)).all()


RESPONSES = ["CR", "PR", "SD", "NON-CR/NON-PD", "PD", "NE"]


@pytest.mark.rule("RECIST-31")
@pytest.mark.parametrize("eased", [False, True])
def test_votes_and_confirmation_of_random_histories(eased):
    rng = np.random.default_rng(8)
    size, columns = 400, 7
    days = np.cumsum(rng.integers(10, 40, (size, columns)), axis=1).astype(float)
    said = rng.choice(len(RESPONSES), size=(size, columns), p=[0.2, 0.3, 0.15, 0.05, 0.1, 0.2])
    codes = np.array([BEST_FIRST.index(value) for value in RESPONSES])[said]
    table = ResponseTable(accept_one_sd_for_pr=eased, max_ne_between=2 if eased else 1)
    rules = BestRules.of(table)
    none = np.full(size, np.nan)
    scored = type("Scored", (), {"day": days, "response": codes})
    day, response = used_responses(scored, np.zeros(size), before=none, last=none, rules=rules)
    found = {yes: best_responses(day, response, rules=rules, confirmed=yes) for yes in (False, True)}
    for row in range(size):
        scans = [Assessment(int(d), RESPONSES[r]) for d, r in zip(days[row], said[row], strict=True)]
        expected = response_endpoints(scans, rules=rules, limits=Limits()).values
        for confirmed, name in ((False, "BOR"), (True, "CBOR")):
            best = expected[name]
            here = found[confirmed]
            assert (BEST_FIRST[here.value[row]], here.day[row], here.code[row]) == (
                best.value,
                best.day,
                best.codes[0],
            )


@pytest.mark.rule("RECIST-31")
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"response": {"nontarget_markers": ("CEA",)}}, "response.nontarget_markers"),
        ({"response": {"route": "reported"}}, "response.route"),
        ({"tte": TteTable(clinical_progression="event")}, "tte.clinical_progression"),
        ({"tte": TteTable(pd_source="union")}, "tte.pd_source"),
    ],
)
def test_what_needs_other_records_is_refused(changes, named):
    tu, tr = tumour((-7, 42), {"T01": ("LIVER", [50, 20])})
    with pytest.raises(DerivationError, match=named):
        derive_many(tu, tr, adsl=adsl(), study=make_study(**changes))


@pytest.mark.rule("RECIST-31")
def test_a_gap_by_visits_is_derived_step_by_step():
    tu, tr = tumour((-7, 42, 210), {"T01": ("LIVER", [50, 50, 90])})
    study = make_study(tte=TteTable(gap_rule="visits", schedule_weeks=(6, 12, 18, 24, 30)))
    row = derive_many(tu, tr, adsl=adsl(), study=study).iloc[0]
    assert (row["BOR"], row["PFSRSN"], row["PFS"]) == ("PD", "K-GAP", 43)


@pytest.mark.rule("RECIST-31")
def test_nobody_without_records_is_dropped():
    tu, tr = tumour((-7, 42), {"T01": ("LIVER", [50, 20])})
    people = adsl("S1", "S2", "S3", ENRLFL=["Y", "Y", "N"], FASFL=["N", "Y", "Y"])
    answer = derive_many(tu, tr, adsl=people, study=make_study())
    assert answer["USUBJID"].tolist() == ["S1", "S2"]
    assert answer["BOR"].tolist() == ["PR", "MISSING"]
    assert answer["PFSRSN"].tolist() == [None, "K-NOBASE"]
    empty = derive_many(tu.iloc[:0], tr.iloc[:0], adsl=people, study=make_study())
    assert empty["CBORRSN"].tolist() == ["B-MISSING", "B-MISSING"]


def test_a_text_is_looked_up_once_per_value_and_missing_has_an_answer_of_its_own():
    frame = pd.DataFrame({"A": ["x ", None, "X", "y"]})
    calls = []
    found = look_up(frame, "A", lambda text: calls.append(text) or {"X": 1, "Y": 2}.get(text, 0))
    assert found.tolist() == [1, 0, 1, 2]
    assert sorted(map(str, calls)) == ["None", "X", "X", "Y"]
    assert look_up(frame, "B", lambda text: text is None).tolist() == [True] * 4

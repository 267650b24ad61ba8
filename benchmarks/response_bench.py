"""Lesions to best response and progression-free survival: seconds on one core, growth with size, and the rate against admiralonco's.

Each participant has a baseline and eight visits of four target lesions: TU, TR and ADSL go in as frames, best response (with
and without confirmation) and progression-free survival come out, one row per participant. The peer's recorded rate is 150
participants and five endpoints in 7 s; three endpoints are derived here. The derivation step by step, which also writes every
reason, is timed on the smallest size, and its answers must be the same.
"""

from __future__ import annotations

import os
import time

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import numpy as np
import pandas as pd
from timing import summary, within

from interim.adam.many import derive_many
from interim.adam.response import derive_response
from interim.adam.tte import derive_adtte
from interim.data.model import Sdtm
from interim.study import Study
from interim.study.tables import DataTable, StudyTable

SIZES = tuple(int(size) for size in os.environ.get("SIZES", "1000,10000,100000").split(","))
VISITS, LESIONS, DAYS_BETWEEN = 8, 4, 42
GOAL_SECONDS, GOAL_RATIO, GOAL_GROWTH = 20.0, 100.0, 1.5
PEER_RATE = 150 * 5 / 7.0
ENDPOINTS = 3
DOSE = pd.Timestamp("2024-01-01")
STUDY = Study(
    study=StudyTable(id="BENCH"), data=DataTable(path="none", cut_date=pd.Timestamp("2026-12-31").date())
)


def trial(size: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return TU, TR and ADSL of a made-up trial."""
    rng = np.random.default_rng(size)
    subjects = np.array([f"B-{number:06d}" for number in range(size)], dtype=object)
    lesions = np.array([f"T{number:02d}" for number in range(1, LESIONS + 1)], dtype=object)
    visits = VISITS + 1
    growth = np.exp(np.cumsum(np.c_[np.zeros(size), rng.normal(0, 0.2, (size, VISITS))], axis=1))
    first = rng.uniform(10, 60, (size, 1, LESIONS))
    mm = np.round(first * growth[:, :, None]).reshape(-1)
    visit = np.tile(np.repeat(np.arange(visits), LESIONS), size)
    texts = np.array([str(number) for number in range(int(mm.max()) + 1)], dtype=object)
    days = np.array(
        [f"{DOSE + pd.Timedelta(days=DAYS_BETWEEN * n - 7):%Y-%m-%d}" for n in range(visits)], dtype=object
    )
    tr = pd.DataFrame(
        {
            "USUBJID": np.repeat(subjects, visits * LESIONS),
            "TRSEQ": np.tile(np.arange(1, visits * LESIONS + 1), size),
            "TRLNKID": np.tile(lesions, size * visits),
            "TRGRPID": "TARGET",
            "TRTESTCD": "LDIAM",
            "TRSTRESC": texts[mm.astype(int)],
            "TRSTRESN": mm,
            "TRSTRESU": "mm",
            "VISITNUM": visit.astype(float),
            "VISIT": "VISIT",
            "TRDTC": days[visit],
        }
    )
    tu = pd.DataFrame(
        {
            "USUBJID": np.repeat(subjects, LESIONS),
            "TUSEQ": np.tile(np.arange(1, LESIONS + 1), size),
            "TULNKID": np.tile(lesions, size),
            "TUSTRESC": "TARGET",
            "TULOC": np.tile(np.array(["LIVER", "LUNG", "LIVER", "LUNG"], dtype=object), size),
            "VISITNUM": 0.0,
            "VISIT": "BASELINE",
            "TUDTC": days[0],
        }
    )
    death = pd.Series(rng.integers(20, 900, size)).where(rng.random(size) < 0.4)
    adsl = pd.DataFrame({"USUBJID": subjects, "TRTSDT": DOSE, "DCUTDT": pd.Timestamp("2026-12-31")})
    return tu, tr, adsl.assign(DTHDT=DOSE + pd.to_timedelta(death, unit="D"))


def seconds(tu: pd.DataFrame, tr: pd.DataFrame, adsl: pd.DataFrame) -> tuple[float, pd.DataFrame]:
    start = time.process_time()
    answer = derive_many(tu, tr, adsl=adsl, study=STUDY)
    return time.process_time() - start, answer


def step_by_step(tu: pd.DataFrame, tr: pd.DataFrame, adsl: pd.DataFrame) -> tuple[float, pd.DataFrame]:
    start = time.process_time()
    adrs = derive_response(Sdtm({"TU": tu, "TR": tr}, cut=STUDY.cut), adsl, study=STUDY).adrs
    times = derive_adtte(adsl, adrs, study=STUDY, names=("PFS",)).frame
    spent = time.process_time() - start
    best = adrs[adrs["PARAMCD"].isin(["BOR", "CBOR"])].pivot(
        index="USUBJID", columns="PARAMCD", values="AVALC"
    )
    return spent, best.join(times.set_index("USUBJID")["AVAL"].rename("PFS")).reset_index()


def main() -> None:
    """Print seconds, seconds per 1,000 participants, the ratio to the peer's recorded rate, and whether the goals are met."""
    print(f"{'participants':>12} {'s (one core)':>13} {'s per 1,000':>12} {'x recorded rate':>16}")
    each = []
    for size in SIZES:
        given = trial(size)
        spent, answer = min((seconds(*given) for _ in range(2)), key=lambda item: item[0])
        rate = size * ENDPOINTS / spent
        each.append(spent / size)
        print(f"{size:12,} {spent:13.2f} {1000 * spent / size:12.3f} {rate / PEER_RATE:16.0f}")
        if size == SIZES[0]:
            slow, expected = step_by_step(*given)
            columns = ["BOR", "CBOR", "PFS"]
            equal = answer[columns].astype(str).equals(expected[columns].astype(str))
            print(f"{'step by step':>12} {slow:13.2f} {1000 * slow / size:12.3f}   same answers: {equal}")
    within(f"best response and PFS of {SIZES[-1]:,} participants", spent, most=GOAL_SECONDS, unit="s")
    within(
        "their time per participant against the smallest trial",
        each[-1] / each[0],
        most=GOAL_GROWTH,
        unit="x",
    )
    within("their time per endpoint, share of admiralonco's", PEER_RATE / rate, most=1 / GOAL_RATIO, unit="x")
    summary()


if __name__ == "__main__":
    main()

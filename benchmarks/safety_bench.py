"""Laboratory grades of a large trial: CPU seconds on one core for a million results, and the ratio to grading row by row."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pandas as pd

from interim.adam.adlb_grade import grade_results
from interim.adam.ctcae import CriteriaBook, criteria_book_of
from interim.adam.ctcae.grade import LabValue, grade_one, grade_values
from interim.data.model import Sdtm
from interim.study import Study, read_study
from interim.study.toxicity import LabsTable

ROWS, SLOW_ROWS, GOAL = 1_000_000, 500, 5.0
ANALYTES = ("NEUT", "PLAT", "HGB", "ALT", "AST", "ALP", "BILI", "CREAT", "K", "SODIUM", "URATE", "CRP")


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process, so that other work on the machine does not count."""
    start = time.process_time()
    work()
    return time.process_time() - start


def results(size: int, seed: int = 1) -> pd.DataFrame:
    """Return results of many participants as the grading receives them, some beyond the assay's range or without a limit."""
    rng = np.random.default_rng(seed)
    low = rng.uniform(1, 50, size)
    high = low * rng.uniform(1.5, 3, size)
    value, base = low * rng.lognormal(0.5, 1, size), high * rng.lognormal(-0.5, 0.5, size)
    day = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 90, size), unit="D")
    signed = rng.random(size) < 0.01
    frame = pd.DataFrame(
        {
            "USUBJID": [f"S-{number:04d}" for number in rng.integers(0, 2000, size)],
            "PARAMCD": np.array(ANALYTES, dtype=object)[rng.integers(0, len(ANALYTES), size)],
            "BASETYPE": "NK",
            "ADT": day,
            "ADTM": day,
            "ABLFL": None,
            "ONTRTFL": np.where(rng.random(size) < 0.9, "Y", None),
            "AVAL": np.where(signed, np.nan, value),
            "ALIMIT": np.where(signed, value, np.nan),
            "ASIGN": np.where(signed, "<", None),
            "AVALU": "U/L",
            "UFACTOR": 1.0,
            "ANRLO": np.where(rng.random(size) < 0.02, np.nan, low),
            "ANRHI": high,
            "BASE": base,
            "BNRIND": np.where(base > high, "HIGH", "NORMAL"),
            "PCHG": 100 * (value - base) / base,
        }
    )
    for prefix in ("LBST", "LBOR"):
        columns = {"RESN": "AVAL", "LIM": "ALIMIT", "RESU": "AVALU", "NRLO": "ANRLO", "NRHI": "ANRHI"}
        frame = frame.assign(**{f"{prefix}{name}": frame[column] for name, column in columns.items()})
    return frame


def dataset(study: Study) -> None:
    """Print the seconds for the grades of the dataset: both directions, both branches, baseline grades."""
    frame, sdtm = results(ROWS), Sdtm({}, pd.Timestamp("2026-01-01").to_pydatetime())
    spent = seconds(lambda: grade_results(frame, sdtm, study=study))
    print(f"grades of {ROWS} laboratory results, one core    {spent:6.2f} s CPU  goal {GOAL:.0f} s")


def interpreter(book: CriteriaBook) -> None:
    """Print the ratio of the interpreter on arrays to the same interpreter called row by row."""
    frame = results(ROWS // 10)
    names = [field.name for field in fields(LabValue)]
    ready = frame.rename(columns={"AVAL": "VALUE", "ANRLO": "LLN", "ANRHI": "ULN", "AVALU": "UNIT"}).assign(
        TERM=frame["PARAMCD"].map(book.terms("high")), HIGH=frame["BNRIND"] == "HIGH", ANTICOAG=False
    )[names]
    few = [LabValue(**row) for row in ready.head(SLOW_ROWS).to_dict("records")]
    ours = seconds(lambda: grade_values(ready, "high", book=book)) / len(ready)
    single = seconds(lambda: [grade_one(value, "high", book=book) for value in few]) / len(few)
    print(f"one direction, {len(ready)} rows at once against row by row    ratio {single / ours:6.0f}")


if __name__ == "__main__":
    dataset(read_study("params/example.toml"))
    interpreter(criteria_book_of(LabsTable()))

"""From Parquet files to typed source domains, and to checked and cut ones: CPU time beside that of pandas reading the same files, and the peak of memory."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from interim.data.opening import open_data, read_data
from interim.example import make_study
from interim.study import read_study

SUBJECTS, RESULTS, GOAL = 1000, 500_000, 3.0
STUDY = '[study]\nid = "BENCH"\n[data]\npath = "sdtm"\ncut_date = 2026-06-30\n'


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the smallest CPU time of some repeats."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def enlarged(frame: pd.DataFrame, name: str, copies: int) -> pd.DataFrame:
    """Return the records of many participants; laboratory results are repeated at further visits until there are enough."""
    parts = [frame.assign(USUBJID=frame["USUBJID"].astype(str) + f"-{c}") for c in range(copies)]
    whole = pd.concat(parts, ignore_index=True)
    if name != "LB":
        return whole
    more = whole.iloc[np.arange(RESULTS) % len(whole)].reset_index(drop=True)
    again = pd.Series(np.arange(RESULTS) // len(whole))
    years = more["LBDTC"].str[:4].astype(int) - again
    return more.assign(
        LBSEQ=np.arange(RESULTS, dtype=float),
        VISITNUM=more["VISITNUM"].astype(float) - 100 * again,
        VISIT=more["VISIT"] + again.astype(str),
        LBDTC=years.astype(str) + more["LBDTC"].str[4:],
    )


def main() -> None:
    """Write the files, read them both ways, print the ratio."""
    domains = make_study("main13")
    copies = -(-SUBJECTS // len(domains["DM"]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sdtm").mkdir()
        for domain, frame in domains.items():
            if "USUBJID" in frame:
                enlarged(frame, domain, copies).to_parquet(folder / "sdtm" / f"{domain.lower()}.parquet")
        (folder / "study.toml").write_text(STUDY)
        study = read_study(folder / "study.toml")
        files = sorted((folder / "sdtm").glob("*.parquet"))
        peer = seconds(lambda: [pd.read_parquet(file) for file in files])
        mine = seconds(lambda: read_data(study))
        draft = study.model_copy(update={"data": study.data.model_copy(update={"on_stop": "draft"})})
        checked = seconds(lambda: open_data(draft), repeats=1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    state = "met" if mine <= GOAL * peer else "missed"
    print(
        f"{SUBJECTS} participants, {RESULTS} laboratory results: {mine / peer:.2f} times pandas (goal {GOAL:g}: {state}); peak {peak} MB"
    )
    print(f"with all checks and the cut-off: {checked / peer:.1f} times pandas")


if __name__ == "__main__":
    main()

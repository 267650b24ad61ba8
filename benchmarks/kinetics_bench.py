"""Kinetics against pynca in one run: long table in, wide table out, flags and audit columns included; CPU time, best of three.

pynca is no dependency of the project. Put it into an environment of its own and name that interpreter:
``python3 -m venv peer && peer/bin/pip install pynca==1.2.3 && PYNCA_PYTHON=peer/bin/python python benchmarks/kinetics_bench.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import interim
from interim.stats.nca import NcaRules, nca
from interim.stats.nca_profile import profiles

DAYS = np.array([0.0, 1, 3, 5, 7, 10, 14, 21, 28, 42])
LLOQ = 50.0
PEER = """
import sys, time, warnings
warnings.simplefilter("ignore")
import pandas as pd
from pynca.tools import tblNCA
best = 0.0
for path in sys.argv[1:]:
    frame = pd.read_csv(path)
    start = time.process_time()
    tblNCA(frame, key=["USUBJID"], colTime="ATIME", colConc="AVAL", dose=1, down="Log")
    best = max(best, frame["USUBJID"].nunique() / (time.process_time() - start))
print(best)
"""


def samples(n: int) -> pd.DataFrame:
    """Return the samples of n expanding and falling profiles; NaN below the limit of quantification."""
    rng = np.random.default_rng(n)
    top, fall = np.exp(rng.normal(7, 1, (n, 1))), rng.uniform(3, 9, (n, 1))
    level = top * np.exp(-np.abs(DAYS - 10) / fall + 0.2 * rng.normal(size=(n, len(DAYS))))
    level[level < LLOQ] = np.nan
    level[:, 0] = np.nan
    return pd.DataFrame(
        {
            "USUBJID": np.repeat([f"P{place:06d}" for place in range(n)], len(DAYS)),
            "ATIME": np.tile(DAYS, n),
            "AVAL": level.ravel(),
            "LLOQ": LLOQ,
        }
    )


def best_seconds(work: Callable[[], object]) -> float:
    """Return the least CPU time of three runs after a warm-up."""
    work()
    times = []
    for _ in range(3):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def peer_rate() -> float | str:
    """Return the better of pynca's rates at 100 and 300 profiles, or why there is none."""
    python = os.environ.get("PYNCA_PYTHON", sys.executable)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{n}.csv" for n in (100, 300)]
        for n, path in zip((100, 300), paths, strict=True):
            samples(n).fillna({"AVAL": 0.0}).to_csv(path, index=False)
        ran = subprocess.run(
            [python, "-c", PEER, *map(str, paths)], capture_output=True, text=True, check=False
        )
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or ["no message"])[-1]
        return f"skipped: {last}; set PYNCA_PYTHON to an interpreter with pynca"
    return float(ran.stdout)


def bootstrap(people: int = 18, draws: int = 2000) -> float:
    """Return the CPU time of the geometric mean area of bootstrap samples of participants, each profile analysed anew."""
    frame = samples(people)
    code = np.repeat(np.arange(people), len(DAYS))
    collected = profiles(code, frame["ATIME"], value=frame["AVAL"], lloq=frame["LLOQ"])
    rows = np.random.default_rng(1).integers(0, people, (draws, people))

    def work() -> object:
        area, _ = nca(collected.take(rows.ravel()), NcaRules()).partial(28.0)
        means = np.log(area.area.reshape(draws, people)).mean(axis=1)
        return np.exp(np.quantile(means, [0.025, 0.975]))

    return best_seconds(work)


def main() -> None:
    """Run all comparisons."""
    peer = peer_rate()
    print(f"pynca tblNCA: {peer if isinstance(peer, str) else f'{peer:.1f} profiles/s'}")
    for n in (100, 10_000):
        frame = samples(n)
        rate = n / best_seconds(lambda f=frame: interim.kinetics(f, value="AVAL"))
        ratio = "" if isinstance(peer, str) else f"; {rate / peer:.0f} x pynca"
        print(f"interim.kinetics, n = {n}: {rate:.0f} profiles/s with flags and audit{ratio}")
    print(f"2000 bootstrap samples of 18 participants: {bootstrap():.3f} s")


if __name__ == "__main__":
    main()

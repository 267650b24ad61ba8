"""A cold build against papermill as it comes, on the same notebooks and data, interleaved: ratios of wall time.

P1: the papermill command, one notebook after the other. P2: papermill's API in two threads. Both only run the notebooks; ours, in its time,
also writes HTML, PDF, DOCX, the results and the manifest. One discarded round, then ROUNDS rounds in turn.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STUDY = "params/example.toml"
ROUNDS = int(os.environ.get("ROUNDS", "3"))
THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import papermill
out, study = Path(sys.argv[1]), sys.argv[2]
books = sorted(Path("notebooks").glob("[0-9]*.ipynb"))
with ThreadPoolExecutor(2) as pool:
    list(pool.map(lambda b: papermill.execute_notebook(b, out / b.name, parameters={"study": study}, progress_bar=False), books))
"""


def environment() -> dict[str, str]:
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **single}


def call(*command: str) -> None:
    subprocess.run(
        command, cwd=ROOT, env=environment(), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def ours(folder: str) -> None:
    call(sys.executable, "-m", "interim.cli", "run", STUDY, "--reports", folder, "--force")


def one_by_one(folder: str) -> None:
    for book in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        call(
            sys.executable,
            "-m",
            "papermill",
            str(book),
            str(Path(folder) / book.name),
            "-p",
            "study",
            STUDY,
            "--no-progress-bar",
        )


def two_threads(folder: str) -> None:
    call(sys.executable, "-c", THREADS, folder, STUDY)


def seconds(build: Callable[[str], None]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        build(folder)
        return time.perf_counter() - start


def main() -> None:
    """Print the ratios."""
    builds = {"ours": ours, "P1 papermill, sequential": one_by_one, "P2 papermill, two threads": two_threads}
    rounds = [{name: seconds(build) for name, build in builds.items()} for _ in range(ROUNDS + 1)][1:]
    print(f"{ROUNDS} rounds; load average {os.getloadavg()[0]:.1f}")
    for name in builds:
        ratios = sorted(times[name] / times["ours"] for times in rounds)
        wall = statistics.median(times[name] for times in rounds)
        print(
            f"{name:28} {wall:7.1f} s   against ours {statistics.median(ratios):5.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


if __name__ == "__main__":
    main()

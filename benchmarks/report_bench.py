"""A build against papermill and nbconvert on the same notebooks and data, interleaved: ratios of wall and of processor time.

P1: the papermill command, one notebook after the other, then one nbconvert to HTML. P2: papermill's API in two threads, then nbconvert's API.
Ours, in its time, writes the whole package in all formats of the study, the results, the analysis datasets and the manifest. Then a second run of
the same, and rebuilds after one changed grade of an adverse event, each against the first build: of an event that no table counts, because it is
not treatment-emergent, and of one that is counted. One discarded round without the peers, then ROUNDS rounds in turn. STUDY_ONLY=1 leaves the peers out.
"""

from __future__ import annotations

import csv
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / ".interim" / "example" / "main13"
ROUNDS = int(os.environ.get("ROUNDS", "5"))
GOALS = {
    "P1 papermill and nbconvert commands": ("of ours", 5.0, 3.0),
    "P2 papermill and nbconvert API, two threads": ("of ours", 2.5, 2.5),
    "one changed grade": ("of the build", 0.3, 0.3),
    "one changed grade of a counted event": ("of the build", 0.3, 0.3),
}
# The first row of ae.csv that may be changed: grade 1 insomnia that is not treatment-emergent, grade 1 nausea related to the NK cells.
UNCOUNTED, COUNTED = 20, 10
THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import papermill
out, study = Path(sys.argv[1]), sys.argv[2]
books = sorted(Path("notebooks").glob("[0-9]*.ipynb"))
with ThreadPoolExecutor(2) as pool:
    list(pool.map(lambda b: papermill.execute_notebook(b, out / b.name, parameters={"study": study}, progress_bar=False), books))
try:
    import nbconvert
except ImportError:
    books = []
for book in books:
    (out / book.stem).with_suffix(".html").write_text(nbconvert.HTMLExporter().from_filename(out / book.name)[0], encoding="utf-8")
"""


class Bench:
    """One round: a study of its own, whose data can be changed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        # Beside the study file stand the texts of the study, in both languages; the key of the pseudo-ids stands beside the data.
        self.study = home / "params" / "bench.toml"
        shutil.copytree(ROOT / "params", home / "params")
        shutil.copytree(DATA, home / "data")
        shutil.copy(DATA.with_name(f"{DATA.name}.key"), home / "data.key")
        self.study.write_text('extends = "example.toml"\n[data]\npath = "../data"\n', encoding="utf-8")

    def ours(self) -> None:
        call(
            "-m",
            "interim.cli",
            "run",
            self.study,
            "--reports",
            self.home / "reports",
            "--cache",
            self.home / "cache",
        )

    def change(self, first: int = UNCOUNTED) -> None:
        """Raise the grade of one event, the first of grade 1 from a row on, by one."""
        file = self.home / "data" / "ae.csv"
        with file.open(newline="", encoding="utf-8") as stream:
            rows = list(csv.reader(stream))
        column = rows[0].index("AETOXGR")
        row = next(row for row in rows[first:] if row[column] == "1")
        row[column] = "2"
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream, lineterminator="\n").writerows(rows)

    def one_by_one(self) -> None:
        out = self.home / "p1"
        out.mkdir()
        books = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
        for book in books:
            call("-m", "papermill", book, out / book.name, "-p", "study", self.study, "--no-progress-bar")
        if find_spec("nbconvert"):
            call("-m", "nbconvert", "--to", "html", *(out / book.name for book in books))

    def two_threads(self) -> None:
        (self.home / "p2").mkdir()
        call("-c", THREADS, self.home / "p2", self.study)


def call(*command: object) -> None:
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        env={**os.environ, **single},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and processor seconds of the children that a piece of work starts."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def one_round(peers: bool) -> dict[str, tuple[float, float]]:
    with tempfile.TemporaryDirectory(prefix="interim-bench-") as name:
        bench = Bench(Path(name))
        times = {"ours": timed(bench.ours), "a second run": timed(bench.ours)}
        for name, row in (
            ("one changed grade", UNCOUNTED),
            ("one changed grade of a counted event", COUNTED),
        ):
            bench.change(row)
            times[name] = timed(bench.ours)
        if peers:
            times["P1 papermill and nbconvert commands"] = timed(bench.one_by_one)
            times["P2 papermill and nbconvert API, two threads"] = timed(bench.two_threads)
    return times


def show(rounds: list[dict[str, tuple[float, float]]]) -> None:
    """Print medians, and ratios with the least and the largest."""
    for name in rounds[0]:
        what, *goals = GOALS.get(name, ("of the build", 0.0, 0.0))
        for place, kind in enumerate(("wall", "CPU")):
            median = statistics.median(times[name][place] for times in rounds)
            ratios = sorted(times[name][place] / times["ours"][place] for times in rounds)
            goal = f"  goal {goals[place]:g}" if goals[place] else ""
            if name == "a second run" and kind == "wall":
                goal = "  goal 0.5 s"
            print(
                f"{name:46} {kind:4} {median:8.2f} s  {statistics.median(ratios):6.3f} {what} ({ratios[0]:.3f} to {ratios[-1]:.3f}){goal}"
            )


def main() -> None:
    """Run all rounds and print the ratios."""
    peers = os.environ.get("STUDY_ONLY") != "1"
    for package in ("papermill", "nbconvert", "nbclient", "ipykernel", "typst", "matplotlib", "pandas"):
        try:
            print(f"{package} {version(package)}", end="  ")
        except PackageNotFoundError:
            print(f"{package} is not installed, its work is left out", end="  ")
    print(f"\nload average {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores", flush=True)
    if ROUNDS:
        one_round(peers=False)
    show([one_round(peers) for _ in range(max(ROUNDS, 1))])


if __name__ == "__main__":
    main()

"""Plant all seeded defects, alone and in pairs, damage single cells, and write docs/mutation.md."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np

from interim.example import make_study
from interim.example.mutation import Examiner, Score, damage_cells, score_page, score_pairs, score_singles
from interim.example.mutation.cells import PRIMARY
from interim.example.mutation.page import silent_before
from interim.example.settings import numbers
from interim.parallel import map_seeded
from interim.study import read_study

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "mutation.md"
PRESET = "main13"
SEEDS, PAIRS, CELLS = (1, 2, 3), 200, 500
PAIR_BLOCKS, CELL_BLOCKS = 4, 10
Job = tuple[str, int, int]


def tasks(cells: int) -> list[Job]:
    """Return the jobs: kind, seed, number."""
    pairs = [("pairs", seed, PAIRS // PAIR_BLOCKS) for seed in range(1, PAIR_BLOCKS + 1)]
    blocks = [("cells", seed, cells // CELL_BLOCKS) for seed in range(1, CELL_BLOCKS + 1)] if cells else []
    return [*(("singles", seed, 0) for seed in SEEDS), *pairs, *blocks]


def work(job: Job, _: np.random.Generator) -> list[object]:
    """Do one job."""
    kind, seed, number = job
    study = read_study(ROOT / "params" / "example.toml")
    frames = make_study(PRESET, seed if kind == "singles" else numbers("study.seed"))
    examiner = Examiner(frames, study)
    if kind == "singles":
        return list(score_singles(examiner, frames, seed=seed))
    if kind == "pairs":
        return list(score_pairs(examiner, frames, seed=seed, number=number))
    return list(damage_cells(examiner, frames, seed=seed, number=number))


def main() -> int:
    """Run everything; 1 if a defect is missed or the share of silent changes has risen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=CELLS, help="damaged cells (0: none)")
    parser.add_argument("--accept", action="store_true", help="accept a higher share of silent changes")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    jobs = tasks(options.cells)
    done = map_seeded(work, jobs, seed=1, executor="processes")
    by_kind: dict[str, list[object]] = {"singles": [], "pairs": [], "cells": []}
    for (kind, _, _), found in zip(jobs, done, strict=True):
        by_kind[kind] += found
    score = Score(*(tuple(by_kind[kind]) for kind in ("singles", "pairs", "cells")))  # type: ignore[arg-type]
    page = score_page(score, tuple(PRIMARY))
    before = silent_before(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else None
    after = silent_before(page)
    print(page.split("## Defects alone")[0])
    risen = before is not None and after is not None and after > before and not options.accept
    if risen:
        print("the share of silent changes has risen; the page is not written (--accept writes it)")
    elif score.cells:
        PAGE.write_text(page, encoding="utf-8")
    return 0 if score.complete and not risen else 1


if __name__ == "__main__":
    sys.exit(main())

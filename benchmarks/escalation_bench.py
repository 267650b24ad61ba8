"""Dose escalation on one core: our times beside their goals, the pip-installable peer in the same run, and recorded R figures marked as such.

The peer (clintrials 0.1.4) needs an environment of its own with an old NumPy; ``make peers`` sets it up as ``.venv-clintrials`` where an index offers it, and
``INTERIM_PEER_PYTHON`` names another one. Without it the line says so. R figures were measured elsewhere and are only quoted.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from interim.design import (
    Blrm,
    Boin,
    Cap,
    Crm,
    History,
    MtdRule,
    ThreePlusThree,
    TitratedThreePlusThree,
    Titration,
    open_facts,
    tipping_options,
)
from interim.design.exact import compile_rule
from interim.design.layers import compile_cohorts
from interim.design.replay import replay
from interim.design.simulate import simulate

HERE = Path(__file__).parent
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
RUNS, TRIALS = 7, 10_000
LEVELS = (1.5e7, 3e7, 5e7, 7e7)
P4, Q4 = (0.05, 0.10, 0.20, 0.35), (0.05, 0.10, 0.15, 0.20)
P5 = (0.05, 0.12, 0.25, 0.40, 0.55)
PRESENT = History.parse("1N 2G 2NN 3NNT 3NNN 4NNN", levels=4)


def seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Return the median processor time after one warm-up."""
    work()
    found = []
    for _ in range(runs):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return statistics.median(found)


def line(name: str, value: float, goal: float, unit: str = "ms", *, at_least: bool = False) -> None:
    """Print one measured number beside its goal."""
    met = value >= goal if at_least else value <= goal
    sign = ">=" if at_least else "<="
    shown = f"{value:12,.3f}" if value >= 0.001 else f"{value:12.2g}"
    print(f"{name:58} {shown} {unit:12} goal {sign} {goal:,g}  {'met' if met else 'NOT MET'}")


def rule_based() -> None:
    """3+3 and titration: compiled once, then scenarios."""
    rules = {
        "3+3, cap 18": (ThreePlusThree(LEVELS, cap=Cap(18)), 50),
        "titration at level 1, cap 18": (TitratedThreePlusThree(LEVELS), 50),
        "titration at all levels, cap 18": (TitratedThreePlusThree(LEVELS, titration=Titration(4)), 50),
        "titration at all levels, no cap": (
            TitratedThreePlusThree(LEVELS, titration=Titration(4), cap=Cap(None)),
            150,
        ),
    }
    for name, (rule, goal) in rules.items():
        line(f"{name}: compile", 1e3 * seconds(lambda r=rule: compile_rule(r)), goal)
        compiled = compile_rule(rule)
        line(f"{name}: one scenario", 1e3 * seconds(lambda c=compiled: c.evaluate(P4, Q4)), 0.5)
    many = np.random.default_rng(1).uniform(0.01, 0.4, (1000, 4))
    took = seconds(lambda: [compiled.evaluate(p) for p in many], 3)
    line("titration at all levels, no cap: 1000 scenarios", took, 0.2, "s")


def interval_and_models() -> None:
    """BOIN, CRM and BLRM."""
    boin = Boin((1, 2, 3, 4, 5), 0.25)
    line("BOIN, 5 levels, 10 cohorts: compile", 1e3 * seconds(lambda: compile_cohorts(boin)), 10)
    compiled = compile_cohorts(boin)
    line("BOIN: one scenario", 1e3 * seconds(lambda: compiled.evaluate(P5)), 1)
    n = 102_400
    line(
        "BOIN: simulated",
        n / seconds(lambda: simulate(boin, P5, n=n, seed=1), 3),
        5e5,
        "trials/s",
        at_least=True,
    )
    crm = Crm((0.05, 0.12, 0.25, 0.40, 0.55), 0.25)
    line(
        "CRM, 5 levels, 10 cohorts: exact in all",
        seconds(lambda: compile_cohorts(crm).evaluate(P5), 3),
        0.2,
        "s",
    )
    for cohorts, goal in ((6, 0.2), (10, 0.5)):
        blrm = Blrm(LEVELS, 5e7, n_max=3 * cohorts)
        took = seconds(lambda b=blrm: compile_cohorts(b).evaluate(P4), 3)
        line(f"BLRM, 4 levels, {cohorts} cohorts: exact in all", took, goal, "s")
    final = compile_cohorts(blrm).outcomes
    rows = np.random.default_rng(1).permutation(len(final.n))[:2048]
    took = seconds(lambda: blrm.probabilities(final.n[rows], final.y[rows]), 3)
    line("BLRM posteriors of final states", rows.size / took, 1e4, "per s", at_least=True)
    few = rows[:64]
    fine = [blrm.posterior_of(n, y).interval_probs for n, y in zip(final.n[few], final.y[few], strict=True)]
    exact = np.stack([[p[:, 1] for p in fine], [p[:, 2:].sum(axis=1) for p in fine]])
    fast = np.stack(blrm.probabilities(final.n[few], final.y[few]))
    line("BLRM posteriors: largest error", float(np.abs(fast - exact).max()), 1e-5, "")


def decisions() -> None:
    """What a committee asks for."""
    rule = TitratedThreePlusThree(LEVELS, titration=Titration(4))
    line("decision with its text", 1e3 * seconds(lambda: rule.decide(PRESENT)), 5)
    dated = _dated(History.parse("1G 1NN 2NNT 2NNN 3NNT 3NNN 4NTT", levels=4))
    took = seconds(lambda: (replay(rule, dated), open_facts(rule, dated)))
    line("replay and open facts of 18 participants", took, 0.2, "s")
    line(
        "tipping table over the options of the rule", seconds(lambda: tipping_options(rule, PRESENT)), 2, "s"
    )


def _dated(history: History) -> History:
    day = pd.Timestamp("2025-01-06")
    rows = [
        {
            "participant": subject.id,
            "order": subject.order,
            "level": subject.level,
            "assigned": day + pd.Timedelta(days=21 * subject.order),
            "window_start": day + pd.Timedelta(days=21 * subject.order),
            "window_end": day + pd.Timedelta(days=21 * subject.order + 15),
            "status": subject.status,
            "dlt": subject.dlt,
            "trigger": subject.trigger,
            "dlt_known": day + pd.Timedelta(days=21 * subject.order + 5) if subject.dlt else None,
            "trigger_known": day + pd.Timedelta(days=21 * subject.order + 5) if subject.trigger else None,
        }
        for subject in history.subjects
    ]
    return History.from_frame(pd.DataFrame(rows), levels=history.levels)


def peer() -> None:
    """The 3+3 of the pip-installable peer, in the same run: its trials against our compile and one scenario."""
    python = os.environ.get("INTERIM_PEER_PYTHON", str(HERE.parent / ".venv-clintrials" / "bin" / "python"))
    if not Path(python).exists():
        print(f"peer clintrials: not run, no environment at {python} (set INTERIM_PEER_PYTHON)")
        return
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, str(HERE / "peer_clintrials.py"), json.dumps({"p": P4, "trials": TRIALS})],
        capture_output=True,
        text=True,
        check=False,
        env=clean,
    )
    if done.returncode:
        print(f"peer clintrials: not run, {done.stderr.strip().splitlines()[-1:]}")
        return
    found = json.loads(done.stdout.splitlines()[-1])
    rule = ThreePlusThree(LEVELS, mtd=MtdRule("esc_only"), cap=Cap(None))
    ours = seconds(lambda: compile_rule(rule).evaluate(P4))
    exact = np.array(compile_rule(rule).evaluate(P4).sel)
    share = np.array(found["selected"]) / TRIALS
    z = np.abs(share - exact) / np.sqrt(np.maximum(exact * (1 - exact), 1e-12) / TRIALS)
    print(
        f"peer clintrials {found['version']}: {TRIALS / found['seconds']:,.0f} trials/s, measured in this run"
    )
    line(
        "3+3: peer's 10 000 trials / our compile and one scenario",
        found["seconds"] / ours,
        500,
        "x",
        at_least=True,
    )
    line("3+3: peer's frequencies, largest distance to ours", float(z.max()), 4, "SE")


def recorded() -> None:
    """Quote the R figures; they were not measured in this run."""
    for row in tomllib.loads((HERE / "recorded_r.toml").read_text(encoding="utf-8"))["figure"]:
        print(f"recorded, not measured here (R 4.2.2, +-30%): {row['what']}: {row['value']}")


def main() -> None:
    """Run everything, with one thread for linear algebra."""
    if any(os.environ.get(name) != "1" for name in ONE_THREAD):
        one = {**os.environ, **dict.fromkeys(ONE_THREAD, "1")}
        sys.exit(subprocess.run([sys.executable, __file__], env=one, check=False).returncode)
    rule_based()
    interval_and_models()
    decisions()
    peer()
    recorded()


if __name__ == "__main__":
    main()

"""The subgroup chapter in a started process: all its numbers, twenty factors by nine endpoints, and the same by a peer's loop."""

from __future__ import annotations

import statistics
import time
import warnings
from pathlib import Path

import numpy as np
from timing import missed, summary, within

from interim.adam import open_adam
from interim.analysis import subgroups
from interim.analysis.subgroups.model import Factor, Outcome, Panel
from interim.analysis.subgroups.variation import factor_tests, shared_plan
from interim.study import Study, SubgroupEntry, read_study

ROOT = Path(__file__).resolve().parents[1]
DIMENSIONS = ("histology", "ligand", "prior", "burden", "markers", "ratio", "site", "dose")
PLAIN = (
    "registry", "limits", "heterogeneity", "shrinkage", "cut_path", "leave_one_out", "association", "type_by_dose",
    "participant_map", "sensitivity_model", "credibility", "post_baseline",
)  # fmt: skip


def chapter(adam: object, study: Study) -> None:
    """Every number of T and F 14.2.4: each question once; no table is drawn."""
    for name in PLAIN:
        getattr(subgroups, name)(adam, study)
    subgroups.levels(adam, study)
    for endpoint in ("orr", "pfs"):
        subgroups.slopes(adam, study, endpoint=endpoint)


def seconds(work: object, runs: int) -> float:
    """Median processor time of several runs: other programs on the machine do not count."""
    found = []
    for _ in range(runs):
        start = time.process_time()
        work()  # type: ignore[operator]
        found.append(time.process_time() - start)
    return statistics.median(found)


def many(study: Study, rng: np.random.Generator) -> tuple[Panel, Study]:
    """Twenty factors and nine endpoints of eighteen participants."""
    n, made = 18, []
    for place in range(20):
        settings = {
            "id": f"f{place}",
            "dimension": "histology",
            "label": f"F{place}",
            "variable": "X",
            "primary": True,
        }
        kind = ("continuous", "nominal")[place % 2]
        entry = SubgroupEntry.model_validate(
            {**settings, "kind": kind, "origin": "protocol", "cuts": (0.0,) if kind == "continuous" else None}
        )
        values = rng.normal(size=n)
        made.append(Factor(entry, ("a", "b"), (values > 0).astype(np.int64), values))
    found = {}
    for place in range(9):
        kind = ("binary", "time", "continuous")[place % 3]
        values = {"binary": (rng.random(n) < 0.4) * 1.0, "time": np.ceil(300 * rng.exponential(size=n))}.get(
            kind, rng.normal(size=n)
        )
        found[f"e{place}"] = Outcome(f"e{place}", kind, values, rng.random(n) < 0.6)
    nobody = SubgroupEntry.model_validate(
        {
            "id": "dose",
            "dimension": "dose",
            "label": "-",
            "variable": "X",
            "kind": "nominal",
            "origin": "protocol",
        }
    )
    dose = Factor(nobody, (), np.full(n, -1, dtype=np.int64), np.full(n, np.nan))
    panel = Panel(tuple(f"P{k}" for k in range(n)), "All", "COHORT", tuple(made), dose, found)
    return panel, study.model_copy(update={"stats": study.stats.model_copy(update={"draws": 20_000})})


def family(panel: Panel, study: Study) -> None:
    """All tests of the panel under one plan."""
    plan = shared_plan(panel, study)
    for outcome in panel.outcomes.values():
        factor_tests(panel.factors, outcome, plan=plan, study=study)


def by_peer(panel: Panel) -> None:
    """Curves and log-rank tests of the same levels, one by one."""
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test

    for outcome in panel.outcomes.values():
        if outcome.kind == "time":
            for factor in panel.factors:
                upper = factor.codes == 1
                for side in (upper, ~upper):
                    KaplanMeierFitter().fit(outcome.values[side], outcome.events[side])
                logrank_test(
                    outcome.values[upper],
                    outcome.values[~upper],
                    outcome.events[upper],
                    outcome.events[~upper],
                )


def by_us(panel: Panel) -> None:
    """The same curves and tests."""
    from interim.stats import kaplan_meier, logrank

    for outcome in panel.outcomes.values():
        if outcome.kind == "time":
            for factor in panel.factors:
                upper = factor.codes == 1
                for side in (upper, ~upper):
                    kaplan_meier(outcome.values[side], outcome.events[side])
                logrank(outcome.values, outcome.events, group=factor.codes)


def main() -> None:
    """Run all; the data of the example study must exist (`make interim` makes them)."""
    warnings.simplefilter("ignore")
    study = read_study(ROOT / "params" / "example.toml")
    adam = open_adam(study).adam
    chapter(adam, study)
    within(
        "all numbers of the subgroup chapter", seconds(lambda: chapter(adam, study), 9), most=1.0, unit="s"
    )
    for name in (*PLAIN, "levels"):
        work = getattr(subgroups, name)
        print(f"    {name:54} {seconds(lambda f=work: f(adam, study), 2):9.3f} s")
    panel, wide = many(study, np.random.default_rng(1))
    within(
        "20 factors x 9 endpoints, 20000 permutations",
        seconds(lambda: family(panel, wide), 3),
        most=2.0,
        unit="s",
    )
    ratio = seconds(lambda: by_peer(panel), 2) / seconds(lambda: by_us(panel), 5)
    met = ratio >= 50
    missed.extend([] if met else ["lifelines loop over the same curves and tests"])
    print(
        f"{'lifelines loop over the same curves and tests':58} ratio {ratio:8.1f}  goal 50 {'met' if met else 'MISSED'}"
    )
    summary()


if __name__ == "__main__":
    main()

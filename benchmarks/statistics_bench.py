"""Curve, interval, tests and models against peers on the same arrays in one run, each with the ratio it has to reach."""

from __future__ import annotations

import statistics
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from timing import compare, summary, within

from interim.stats import (
    PermutationPlan,
    binomial_interval,
    cox,
    firth_cox,
    firth_logistic,
    kaplan_meier,
    logrank,
    logrank_permutation,
    logrank_scores,
    max_t,
    unconditional_test,
)

Peer = Callable[["Sample"], object]


@dataclass(frozen=True)
class Sample:
    """Times in whole days, events, and two groups."""

    days: np.ndarray
    event: np.ndarray
    group: np.ndarray

    @classmethod
    def of(cls, n: int, rng: np.random.Generator) -> Sample:
        days = np.ceil(365 * rng.exponential(size=n))
        return cls(days, (rng.random(n) < 0.6).astype(int), (rng.random(n) < 0.5).astype(int))

    @property
    def structured(self) -> np.ndarray:
        return np.array(
            list(zip(self.event.astype(bool), self.days, strict=True)),
            dtype=[("event", bool), ("time", float)],
        )


def curve(s: Sample) -> object:
    return kaplan_meier(s.days, s.event).quantile(0.5)


def lifelines_curve(s: Sample) -> object:
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times

    fitter = KaplanMeierFitter().fit(s.days, s.event)
    return fitter.median_survival_time_, median_survival_times(fitter.confidence_interval_)


def sksurv_curve(s: Sample) -> object:
    from sksurv.nonparametric import kaplan_meier_estimator

    return kaplan_meier_estimator(s.event.astype(bool), s.days, conf_type="log-log")


def statsmodels_curve(s: Sample) -> object:
    from statsmodels.duration.survfunc import SurvfuncRight

    fit = SurvfuncRight(s.days, s.event)
    return fit.quantile(0.5), fit.quantile_ci(0.5, method="cloglog")


def lifelines_logrank(s: Sample) -> object:
    from lifelines.statistics import logrank_test

    first = s.group == 1
    return logrank_test(s.days[first], s.days[~first], s.event[first], s.event[~first]).p_value


def sksurv_logrank(s: Sample) -> object:
    from sksurv.compare import compare_survival

    return compare_survival(STRUCTURED[len(s.days)], s.group)


def statsmodels_logrank(s: Sample) -> object:
    from statsmodels.duration.survfunc import survdiff

    return survdiff(s.days, s.event, s.group)


def lifelines_cox(s: Sample) -> object:
    import pandas as pd
    from lifelines import CoxPHFitter

    frame = pd.DataFrame({"time": s.days, "event": s.event, "group": s.group})
    return CoxPHFitter().fit(frame, "time", "event").summary


def sksurv_cox(s: Sample) -> object:
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    return CoxPHSurvivalAnalysis(ties="efron").fit(s.group[:, None].astype(float), STRUCTURED[len(s.days)])


def statsmodels_cox(s: Sample) -> object:
    from statsmodels.duration.hazard_regression import PHReg

    fit = PHReg(s.days, s.group[:, None].astype(float), status=s.event, ties="efron").fit(disp=0)
    return fit.params, fit.bse, fit.pvalues, fit.conf_int()


STRUCTURED: dict[int, np.ndarray] = {}
TASKS: dict[str, tuple[Callable[[Sample], object], dict[str, Peer]]] = {
    "curve, limits, median": (
        curve,
        {"lifelines": lifelines_curve, "sksurv": sksurv_curve, "statsmodels": statsmodels_curve},
    ),
    "log-rank": (
        lambda s: logrank(s.days, s.event, group=s.group),
        {"lifelines": lifelines_logrank, "sksurv": sksurv_logrank, "statsmodels": statsmodels_logrank},
    ),
    "Cox, one covariate": (
        lambda s: cox(s.days, s.event, X=s.group),
        {"lifelines": lifelines_cox, "sksurv": sksurv_cox, "statsmodels": statsmodels_cox},
    ),
}
GOALS = {
    ("curve, limits, median", 18): (50, 3, 1.3),
    ("curve, limits, median", 1000): (40, 8, 1.2),
    ("curve, limits, median", 100_000): (3, 5, 0.8),
    ("log-rank", 18): (200, 8, 2),
    ("log-rank", 1000): (100, 40, 1.8),
    ("log-rank", 100_000): (5, 20, 1.2),
    ("Cox, one covariate", 18): (60, 8, 20),
    ("Cox, one covariate", 1000): (100, 150, 250),
    ("Cox, one covariate", 100_000): (40, 50),
}


def samples(rng: np.random.Generator) -> None:
    """Curve, log-rank and Cox regression at three sizes."""
    for n in (18, 1000, 100_000):
        sample = Sample.of(n, rng)
        STRUCTURED[n] = sample.structured
        for name, (ours, peers) in TASKS.items():
            for (package, peer), goal in zip(peers.items(), GOALS[name, n], strict=False):
                compare(
                    f"{name}, n = {n}",
                    lambda f=ours, s=sample: f(s),
                    lambda f=peer, s=sample: f(s),
                    goal=goal,
                    package=package,
                )


def firthmodels_logistic(x: np.ndarray, y: np.ndarray) -> object:
    from firthmodels import FirthLogisticRegression

    return FirthLogisticRegression().fit(x, y).lrt(features=[0]).conf_int(method="pl", features=[0])


def firthmodels_cox(x: np.ndarray, y: np.ndarray) -> object:
    from firthmodels import FirthCoxPH

    return FirthCoxPH().fit(x, y).lrt().conf_int(method="pl")


def penalised(rng: np.random.Generator) -> None:
    """Estimate, test and verified limits of one slope, alone and two hundred times."""
    sample, group = Sample.of(18, rng), np.repeat([0, 1], 9)
    column, response, times = (
        group[:, None].astype(float),
        (rng.random(18) < 0.4).astype(int),
        sample.structured,
    )
    responses = [rng.permutation(response) for _ in range(200)]
    records = [Sample.of(18, rng) for _ in range(200)]
    structured = [one.structured for one in records]
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object], float]] = {
        "penalised logistic": (
            lambda: firth_logistic(group, response, terms=[1]),
            lambda: firthmodels_logistic(column, response),
            1 / 2.5,
        ),
        "penalised Cox": (
            lambda: firth_cox(sample.days, sample.event, X=group),
            lambda: firthmodels_cox(column, times),
            1 / 2.5,
        ),
        "200 penalised logistic fits": (
            lambda: [firth_logistic(group, y, terms=[1]) for y in responses],
            lambda: [firthmodels_logistic(column, y) for y in responses],
            1,
        ),
        "200 penalised Cox fits": (
            lambda: [firth_cox(one.days, one.event, X=group) for one in records],
            lambda: [firthmodels_cox(column, one) for one in structured],
            1,
        ),
    }
    for name, (ours, peer, goal) in pairs.items():
        compare(name, ours, peer, goal=goal, package="firthmodels")


def scipy_permutation(scores: np.ndarray, group: np.ndarray, draws: float = np.inf) -> object:
    from scipy.stats import permutation_test

    parts = scores[group == 1], scores[group == 0]
    return permutation_test(
        parts, lambda a, b, axis: a.sum(axis=axis), vectorized=True, n_resamples=draws
    ).pvalue


def barnard() -> object:
    from scipy.stats import barnard_exact

    return barnard_exact([[7, 2], [5, 12]])


def arrangements(rng: np.random.Generator) -> None:
    """Permutation tests, the plan of a family, and the unconditional test."""
    days, everyone, group = rng.exponential(size=18), np.ones(18, dtype=int), np.repeat([0, 1], 9)
    scores, features = logrank_scores(days, everyone), rng.normal(size=(18, 20))

    def family() -> object:
        return max_t(PermutationPlan.sample(18, draws=10_000, seed=1).linear(features, scores))

    compare(
        "exact permutation log-rank 9 v 9",
        lambda: logrank_permutation(days, everyone, group=group),
        lambda: scipy_permutation(scores, group),
        goal=200,
        package="scipy",
    )
    compare(
        "plan of 10000, 20 tests, maxT; one test of the peer",
        family,
        lambda: scipy_permutation(scores, group, 10_000),
        goal=4,
        package="scipy",
    )
    compare("Barnard's test", lambda: unconditional_test((7, 2), (12, 14)), barnard, goal=3, package="scipy")


def rates(rng: np.random.Generator) -> None:
    """Two hundred Clopper-Pearson intervals against a loop and against one call of the peer."""
    n = rng.integers(3, 60, 200)
    x = rng.binomial(n, 0.3)

    def loop() -> object:
        from statsmodels.stats.proportion import proportion_confint

        return [proportion_confint(int(a), int(b), method="beta") for a, b in zip(x, n, strict=True)]

    def at_once() -> object:
        from statsmodels.stats.proportion import proportion_confint

        return proportion_confint(x, n, method="beta")

    for name, peer, goal in (("a loop", loop, 40.0), ("one call", at_once, 1.0)):
        compare(
            f"200 intervals of rates, {name}",
            lambda: binomial_interval(x, n),
            peer,
            goal=goal,
            package="statsmodels",
        )


def many(rng: np.random.Generator) -> None:
    """Two hundred times curve, log-rank and Cox regression."""
    everything = [Sample.of(18, rng) for _ in range(200)]

    def ours() -> object:
        return [[task(one) for task, _ in TASKS.values()] for one in everything]

    def peer() -> object:
        return [[peers["lifelines"](one) for _, peers in TASKS.values()] for one in everything]

    compare("200 x curve, log-rank, Cox", ours, peer, goal=60, package="lifelines")


def imports(_: np.random.Generator) -> None:
    """Time to import the workshop, alone and against scipy.stats, in new processes."""

    def measured(work: str) -> float:
        text = f"import time; s = time.process_time(); {work}; print(time.process_time() - s)"
        runs = [
            subprocess.run([sys.executable, "-c", text], capture_output=True, check=True) for _ in range(6)
        ]
        return statistics.median(float(run.stdout) for run in runs[1:])

    ours = measured("import interim.stats as room; [getattr(room, name) for name in room.__all__]")
    peer = measured("import scipy.stats")
    within("import interim.stats, every name of it", ours, most=1.0, unit="s")
    within("import interim.stats over import scipy.stats", ours / peer, most=1.3, unit="x")


def main() -> None:
    """Run all comparisons, or those that are named."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    parts = {part.__name__: part for part in (imports, samples, penalised, arrangements, rates, many)}
    for name in sys.argv[1:] or parts:
        parts[name](rng)
    summary()


if __name__ == "__main__":
    main()

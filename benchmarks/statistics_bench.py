"""Curve, interval, tests and models against peers on the same arrays in one run: medians, and the ratio peer / ours pair by pair."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np

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

RUNS = 9


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(name: str, ours: Callable[[], object], peer: Callable[[], object]) -> None:
    """Print one line; ours and the peer run in turn after a warm-up."""
    ours(), peer()
    pairs = [(seconds(ours), seconds(peer)) for _ in range(RUNS)]
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = sorted(b / a for a, b in pairs)
    print(
        f"{name:44} ours {1e3 * mine:9.3f} ms  peer {1e3 * other:9.3f} ms  peer/ours {statistics.median(ratios):7.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})"
    )


def curve(time_: np.ndarray, event: np.ndarray) -> object:
    return kaplan_meier(time_, event).quantile(0.5)


def lifelines_curve(time_: np.ndarray, event: np.ndarray) -> object:
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times

    fitter = KaplanMeierFitter().fit(time_, event)
    return fitter.median_survival_time_, median_survival_times(fitter.confidence_interval_)


def statsmodels_curve(time_: np.ndarray, event: np.ndarray) -> object:
    from statsmodels.duration.survfunc import SurvfuncRight

    fit = SurvfuncRight(time_, event)
    return fit.quantile(0.5), fit.quantile_ci(0.5, method="cloglog")


def statsmodels_intervals(x: np.ndarray, n: np.ndarray) -> object:
    from statsmodels.stats.proportion import proportion_confint

    return [proportion_confint(int(a), int(b), method="beta") for a, b in zip(x, n, strict=True)]


def lifelines_logrank(time_: np.ndarray, event: np.ndarray, group: np.ndarray) -> object:
    from lifelines.statistics import logrank_test

    first = group == 1
    return logrank_test(time_[first], time_[~first], event[first], event[~first]).p_value


def statsmodels_logrank(time_: np.ndarray, event: np.ndarray, group: np.ndarray) -> object:
    from statsmodels.duration.survfunc import survdiff

    return survdiff(time_, event, group)


def lifelines_cox(time_: np.ndarray, event: np.ndarray, group: np.ndarray) -> object:
    import pandas as pd
    from lifelines import CoxPHFitter

    frame = pd.DataFrame({"time": time_, "event": event, "group": group})
    return CoxPHFitter().fit(frame, "time", "event").params_


def statsmodels_cox(time_: np.ndarray, event: np.ndarray, group: np.ndarray) -> object:
    from statsmodels.duration.hazard_regression import PHReg

    return PHReg(time_, group[:, None].astype(float), status=event, ties="efron").fit(disp=0).params


def scipy_permutation(scores: np.ndarray, group: np.ndarray, draws: float = np.inf) -> object:
    from scipy.stats import permutation_test

    parts = scores[group == 1], scores[group == 0]
    return permutation_test(
        parts, lambda a, b, axis: a.sum(axis=axis), vectorized=True, n_resamples=draws
    ).pvalue


def two_groups(time_: np.ndarray, event: np.ndarray, group: np.ndarray) -> None:
    """Log-rank and Cox regression against both peers."""
    n = len(time_)
    for name, peer in (("lifelines", lifelines_logrank), ("statsmodels", statsmodels_logrank)):
        compare(
            f"log-rank, n = {n}, {name}",
            lambda: logrank(time_, event, group=group),
            lambda p=peer: p(time_, event, group),
        )
    peers = [("lifelines", lifelines_cox)] + ([("statsmodels", statsmodels_cox)] if n <= 1000 else [])
    for name, peer in peers:
        compare(
            f"Cox, one covariate, n = {n}, {name}",
            lambda: cox(time_, event, X=group),
            lambda p=peer: p(time_, event, group),
        )


def small_sample(rng: np.random.Generator) -> None:
    """Penalised fits, permutation tests and the unconditional test at the size of a trial."""
    days, everyone, group = rng.exponential(size=18), np.ones(18, dtype=int), np.repeat([0, 1], 9)
    scores, features = logrank_scores(days, everyone), rng.normal(size=(18, 20))
    compare(
        "exact permutation log-rank 9 v 9, scipy",
        lambda: logrank_permutation(days, everyone, group=group),
        lambda: scipy_permutation(scores, group),
    )

    def family() -> object:
        return max_t(PermutationPlan.sample(18, draws=10_000, seed=1).linear(features, scores))

    compare(
        "plan of 10000, 20 tests, maxT; scipy one test",
        family,
        lambda: scipy_permutation(scores, group, 10_000),
    )

    def barnard() -> object:
        from scipy.stats import barnard_exact

        return barnard_exact([[7, 2], [5, 12]])

    compare("unconditional test, scipy Barnard", lambda: unconditional_test((7, 2), (12, 14)), barnard)
    response = (rng.random(18) < 0.4).astype(int)
    try:
        from firthmodels import FirthCoxPH, FirthLogisticRegression
    except ImportError:
        print("penalised fits: firthmodels is not installed")
        return

    def logistic_peer() -> object:
        return FirthLogisticRegression().fit(group[:, None].astype(float), response).conf_int(method="pl")

    def cox_peer() -> object:
        y = np.array(
            [(bool(e), t) for e, t in zip(everyone, days, strict=True)],
            dtype=[("event", bool), ("time", float)],
        )
        return FirthCoxPH().fit(group[:, None].astype(float), y).conf_int(method="pl")

    compare(
        "penalised logistic, verified limits",
        lambda: firth_logistic(group, response, terms=[1]),
        logistic_peer,
    )
    compare("penalised Cox, verified limits", lambda: firth_cox(days, everyone, X=group), cox_peer)


def main() -> None:
    """Run all comparisons."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(1)
    for n in (18, 1000, 100_000):
        days = np.ceil(365 * rng.exponential(size=n))
        event = (rng.random(n) < 0.6).astype(int)
        for peer_name, peer in (("lifelines", lifelines_curve), ("statsmodels", statsmodels_curve)):
            compare(
                f"curve, limits, median, n = {n}, {peer_name}",
                lambda d=days, e=event: curve(d, e),
                lambda d=days, e=event, p=peer: p(d, e),
            )
        two_groups(days, event, (rng.random(n) < 0.5).astype(int))
    small_sample(rng)
    n_each = rng.integers(3, 60, 200)
    x_each = rng.binomial(n_each, 0.3)
    compare(
        "200 Clopper-Pearson intervals, statsmodels",
        lambda: binomial_interval(x_each, n_each),
        lambda: statsmodels_intervals(x_each, n_each),
    )


if __name__ == "__main__":
    main()

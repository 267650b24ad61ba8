"""Curve and interval against peers on the same arrays in one run: medians, and the ratio peer / ours pair by pair."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np

from interim.stats import binomial_interval, kaplan_meier

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
    n_each = rng.integers(3, 60, 200)
    x_each = rng.binomial(n_each, 0.3)
    compare(
        "200 Clopper-Pearson intervals, statsmodels",
        lambda: binomial_interval(x_each, n_each),
        lambda: statsmodels_intervals(x_each, n_each),
    )


if __name__ == "__main__":
    main()

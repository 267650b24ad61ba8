"""Runs in the peer's own environment: the simulator of clintrials 0.1.4 on its 3+3 under one scenario, as one JSON line."""

from __future__ import annotations

import collections
import collections.abc
import importlib.metadata
import json
import sys
import time

import numpy as np
import scipy.integrate

for _name in ("Iterable", "Sequence", "Mapping"):  # names that the peer still looks for in their old places
    setattr(collections, _name, getattr(collections.abc, _name))
if not hasattr(scipy.integrate, "trapz"):
    scipy.integrate.trapz = np.trapz  # noqa: NPY201 - the peer runs under NumPy 1
np.asscalar = lambda value: np.asarray(value).item()

import clintrials.dosefinding as peer  # noqa: E402

peer.zip = lambda *columns: list(zip(*columns, strict=True))


def main() -> None:
    """Print version, processor seconds and how often each dose was selected (0: none)."""
    asked = json.loads(sys.argv[1])
    np.random.seed(1)  # noqa: NPY002 - the peer draws from the global stream
    trial = peer.ThreePlusThree(len(asked["p"]))
    start = time.process_time()
    reports = [
        peer.simulate_dose_finding_trial(trial, asked["p"], cohort_size=3, calculate_optimal_decision=0)
        for _ in range(asked["trials"])
    ]
    took = time.process_time() - start
    found = [max(int(report["RecommendedDose"]), 0) for report in reports]
    counts = np.bincount(found, minlength=len(asked["p"]) + 1).tolist()
    version = importlib.metadata.version("clintrials")
    print(json.dumps({"version": version, "seconds": took, "selected": counts}))


if __name__ == "__main__":
    main()

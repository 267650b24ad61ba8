"""Runs in the peer's own environment: trials of the 3+3 of clintrials 0.1.4 under one scenario, as one JSON line."""

import collections
import collections.abc
import importlib.metadata
import json
import sys
import time

import numpy as np
import scipy.integrate

for _name in ("Iterable", "Sequence", "Mapping"):
    setattr(collections, _name, getattr(collections.abc, _name))
if not hasattr(scipy.integrate, "trapz"):
    scipy.integrate.trapz = np.trapz
np.asscalar = lambda value: np.asarray(value).item()

from clintrials.dosefinding import ThreePlusThree  # noqa: E402


def selected(rates, rng):
    """Run one trial and return the dose that the peer selects, 0 for none."""
    trial = ThreePlusThree(len(rates))
    dose = trial.next_dose()
    while trial.has_more():
        cases = [(dose, int(rng.random() < rates[dose - 1])) for _ in range(3)]
        dose = trial.update(cases)
    return max(int(dose), 0)


def main():
    """Print version, processor seconds and how often each dose was selected."""
    asked = json.loads(sys.argv[1])
    rng = np.random.default_rng(1)
    start = time.process_time()
    found = [selected(asked["p"], rng) for _ in range(asked["trials"])]
    took = time.process_time() - start
    counts = np.bincount(found, minlength=len(asked["p"]) + 1).tolist()
    print(
        json.dumps({"version": importlib.metadata.version("clintrials"), "seconds": took, "selected": counts})
    )


if __name__ == "__main__":
    main()

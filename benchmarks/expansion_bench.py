"""Phase IB: fits beside NUTS of numpyro at equal data with the accuracy of both; exact characteristics, searches, boundaries.

numpyro is no dependency: name a Python that has it in INTERIM_MCMC_PYTHON, else that comparison is skipped with the reason.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from interim.design.expansion_search import predictive, two_stage
from interim.design.monitoring import BayesToxicity, PocockToxicity, toxicity_characteristics
from interim.design.monitoring_borrowing import borrowing_characteristics, calibrate_cut
from interim.stats.borrowing import (
    ExnexPrior,
    Grid,
    HierarchicalPrior,
    compile_outcomes,
    covariate_fit,
    exnex,
    hierarchical,
    multisource,
)

RUNS = 7
PACK = Path(__file__).resolve().parents[1] / "tests" / "reference" / "basket"
N, P0 = (12, 15, 18, 9), (0.05, 0.10, 0.10, 0.05)
SCENARIOS = np.array([[0.25 if k < active else p for k, p in enumerate(P0)] for active in range(5)])
NUTS = """
import json, sys, time
import jax, jax.numpy as jnp, numpy as np, numpyro, numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS
jax.config.update("jax_enable_x64", True)
given = json.loads(sys.argv[1])
r, n = jnp.array(given["r"]), jnp.array(given["n"])
def model():
    mu = numpyro.sample("mu", dist.Normal(given["mu_mean"], given["mu_sd"]))
    tau = numpyro.sample("tau", dist.HalfNormal(given["tau_halfnormal_scale"]))
    z = numpyro.sample("z", dist.Normal(0, 1).expand([len(r)]))
    numpyro.sample("r", dist.Binomial(n, logits=mu + tau * z), obs=r)
def run(seed):
    mcmc = MCMC(NUTS(model, target_accept_prob=0.95), num_warmup=1000, num_samples=5000, num_chains=2, chain_method="sequential", progress_bar=False)
    start = time.process_time()
    mcmc.run(jax.random.PRNGKey(seed))
    s = mcmc.get_samples()
    p = np.asarray(1 / (1 + np.exp(-(s["mu"][:, None] + s["tau"][:, None] * s["z"]))))
    return time.process_time() - start, (p > np.array(given["p0"])).mean(0).tolist(), p.mean(0).tolist()
run(0)
print(json.dumps([run(seed) for seed in (1, 2, 3)]))
"""


def seconds(work: Callable[[], object]) -> float:
    """Median processor time of several runs after a warm-up."""
    work()
    found = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return statistics.median(found)


def line(name: str, took: float, goal: float, more: str = "") -> None:
    print(
        f"{name:58} {1e3 * took:9.1f} ms  goal {1e3 * goal:7.0f} ms  {'met' if took <= goal else 'MISSED'}  {more}"
    )


def case(name: str) -> dict:
    return next(c for c in json.loads((PACK / "bhm_exnex.json").read_text()) if c["id"] == name)


def fits() -> None:
    """Six baskets: time of one fit, and the largest error of P(p > p0) against the reference pack."""
    for name in ("vemu6.bhm.hn1", "vemu6.exnex.w0.5"):
        given = case(name)
        work = ours(given)
        took = seconds(work)
        error = float(np.abs(work().prob_above - given["quad"]["prob_gt_p0"]).max())
        line(f"fit of six baskets, {given['model']}", took, 0.1, f"largest error of P(p > p0) {error:.0e}")
        if given["model"] == "bhm":
            beside_nuts(given, took, error)


def ours(given: dict) -> Callable[[], object]:
    shared = HierarchicalPrior(given["mu_mean"], given["mu_sd"], given["tau_halfnormal_scale"])
    more = {"p0": given["p0"], "offset": given["logit_offset"], "grid": Grid.normal()}
    if given["model"] == "bhm":
        return lambda: hierarchical(given["r"], given["n"], prior=shared, **more)
    prior = ExnexPrior(given["w_ex"], given["nex_mean"], given["nex_sd"], shared)
    return lambda: exnex(given["r"], given["n"], prior=prior, **more)


def beside_nuts(given: dict, took: float, error: float) -> None:
    """The same posterior by NUTS, two chains of 5000 draws, compiled before it is timed."""
    python = os.environ.get("INTERIM_MCMC_PYTHON", "")
    if not python:
        print("  numpyro: skipped, INTERIM_MCMC_PYTHON names no Python that has it")
        return
    out = subprocess.run([python, "-c", NUTS, json.dumps(given)], capture_output=True, text=True, check=False)
    if out.returncode:
        print(f"  numpyro: skipped, it failed: {out.stderr.strip().splitlines()[-1]}")
        return
    runs = json.loads(out.stdout.strip().splitlines()[-1])
    peer = statistics.median(run[0] for run in runs)
    errors = [float(np.abs(np.array(run[1]) - given["quad"]["prob_gt_p0"]).max()) for run in runs]
    print(
        f"  numpyro NUTS 2 x 5000, warm: peer/ours {peer / took:.0f} (goal 20); largest error of P(p > p0), three seeds: "
        f"{min(errors):.0e} to {max(errors):.0e}, ours {error:.0e}"
    )


def cohorts() -> None:
    """Four unequal cohorts with their own null rates: table, calibrated cut and five scenarios; each further scenario."""
    prior = ExnexPrior((0.5, 0.5, 0.5, 0.25))

    def whole() -> object:
        table = compile_outcomes(N, P0, model="exnex", prior=prior)
        cut = calibrate_cut(table, P0, fwer=0.1)
        return table, cut, borrowing_characteristics(table, SCENARIOS, cut=cut)

    took = seconds(whole)
    table, cut, _ = whole()
    line("exact, four cohorts of 12, 15, 18, 9, five scenarios", took, 5.0)
    further = seconds(lambda: borrowing_characteristics(table, SCENARIOS[:1], cut=cut))
    line("each further scenario", further, 0.05 * took, f"{100 * further / took:.1f} % of the first")
    full = seconds(lambda: compile_outcomes((18,) * 4, P0, model="exnex", prior=prior))
    line("table of four cohorts of 18", full, 5.0)


def searches() -> None:
    settings = json.loads((PACK / "simon.json").read_text())

    def all_of_them() -> None:
        for s in settings:
            two_stage(s["p0"], s["p1"], alpha=s["alpha"], beta=s["beta"], criterion=s["design"])

    line(f"Simon search, {len(settings)} reference settings", seconds(all_of_them), 2.0)


def boundaries() -> None:
    def toxicity() -> None:
        bound = BayesToxicity(0.30, 0.80, (0.6, 1.4)).boundary(18)
        toxicity_characteristics(bound, (0.1, 0.2, 0.3, 0.4))

    line("toxicity boundary of 18 with its characteristics", seconds(toxicity), 0.1)
    steps = iter(range(10**6))

    def pocock() -> None:
        PocockToxicity(0.20, 0.05 + 1e-9 * next(steps), n_max=18).boundary(18)

    line("Pocock boundary of 18", seconds(pocock), 0.1)
    looks = tuple(range(6, 18))
    line("predictive boundaries of 18", seconds(lambda: predictive(18, looks, p0=0.10)), 0.1)


def others() -> None:
    y, k = (1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3)
    dose, high = np.linspace(-1.2, 0.4, 14), [place % 2 for place in range(14)]
    line("covariates, four types", seconds(lambda: covariate_fit(y, k, p0=P0, log_dose=dose, high=high)), 1.0)
    given = case("vemu6.bhm.hn1")
    line(
        "multisource exchangeability, six baskets",
        seconds(lambda: multisource(given["r"], given["n"], p0=0.15)),
        0.4,
    )


if __name__ == "__main__":
    fits()
    cohorts()
    searches()
    boundaries()
    others()

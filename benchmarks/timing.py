"""Ours and a peer in turn on the same arrays: the ratio of their processor time, and the goal it has to reach."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec

RUNS = 9
SAMPLE = 5e-3
Work = Callable[[], object]
missed: list[str] = []


def seconds(work: Work, times: int) -> float:
    """Processor time of one call: other programs on the machine do not count."""
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def repeats(work: Work) -> int:
    """How many calls make a sample long enough to be measured; the first calls are the warm-up."""
    work()
    return max(1, round(SAMPLE / max(seconds(work, 1), 1e-6)))


def compare(name: str, ours: Work, peer: Work, *, goal: float, package: str) -> None:
    """Print one line: medians, ratio peer / ours pair by pair, and whether the median ratio reaches the goal."""
    label = f"{name}, {package}"
    if find_spec(package) is None:
        print(f"{label:58} skipped: {package} is not installed (make peers)")
        return
    mine, theirs = repeats(ours), repeats(peer)
    pairs = [(seconds(ours, mine), seconds(peer, theirs)) for _ in range(RUNS)]
    first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = sorted(b / a for a, b in pairs)
    ratio = statistics.median(ratios)
    verdict = "met" if ratio >= goal else "MISSED"
    if ratio < goal:
        missed.append(label)
    print(
        f"{label:58} {1e3 * first:9.3f} ms {1e3 * second:10.3f} ms  ratio {ratio:8.2f} "
        f"({ratios[0]:.2f} to {ratios[-1]:.2f})  goal {goal:g} {verdict}",
        flush=True,
    )


def within(name: str, measured: float, *, most: float, unit: str) -> None:
    """Print one line: a figure that must not exceed its goal."""
    verdict = "met" if measured <= most else "MISSED"
    if measured > most:
        missed.append(name)
    print(f"{name:58} {measured:9.3f} {unit}  goal <= {most:g} {verdict}", flush=True)


def summary() -> None:
    """Print which goals were missed."""
    print("all goals met" if not missed else f"{len(missed)} missed: " + "; ".join(missed))

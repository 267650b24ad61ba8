"""Builds the package of a study in several ways and compares every byte; the first way is the one that all others have to equal.

    python tools/package_check.py [STUDY] [--ways NAME,...] [-p NAME=VALUE]

Ways differ in folder, workers, start method, hash seed, time zone, locale and in what an earlier build left.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Way:
    """One way to build: options of the command, variables of the environment, and whose cache is at hand."""

    options: tuple[str, ...] = ()
    cache: str = ""
    cores: int = 0
    environment: dict[str, str] = field(default_factory=dict)


WAYS = {
    "cold": Way(),
    "warm": Way(cache="cold"),
    "forced": Way(cache="cold", options=("--force",)),
    "one worker": Way(cores=1, environment={"PYTHONHASHSEED": "1", "TZ": "America/New_York"}),
    "other zone and locale": Way(environment={"PYTHONHASHSEED": "2", "TZ": "Asia/Shanghai", "LC_ALL": "C"}),
    # A thread of the allocator makes the run spawn its children, as decision 070 says.
    "spawned": Way(environment={"JE_ARROW_MALLOC_CONF": "background_thread:true", "TZ": "UTC"}),
}


def main(argv: Sequence[str]) -> int:
    """Build in every way and report each file that differs.

    Parameters
    ----------
    argv : sequence of str
        Arguments of the command.

    Returns
    -------
    int
        0 if all ways give the same bytes, else 1.

    Raises
    ------
    None
    """
    options = _options(argv)
    wanted = options.ways.split(",") if options.ways else list(WAYS)
    failed = False
    with tempfile.TemporaryDirectory(prefix="interim-check-") as name:
        first: dict[str, str] = {}
        for place, way in enumerate(wanted):
            found = _built(options, WAYS[way], Path(name) / f"way{place}", Path(name), way)
            first = first or found
            failed |= not _same(way, found, first)
    return int(failed)


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", nargs="?", type=Path, default=ROOT / "params" / "example.toml")
    parser.add_argument("--notebooks", type=Path, default=ROOT / "notebooks")
    parser.add_argument("--ways", default="", help=f"names joined by commas: {', '.join(WAYS)}")
    parser.add_argument("-p", "--parameter", action="append", default=[], metavar="NAME=VALUE")
    return parser.parse_args(argv)


def _built(options: argparse.Namespace, way: Way, folder: Path, home: Path, name: str) -> dict[str, str]:
    """Build once; return path -> hash of every file."""
    cache = home / f"cache-{way.cache or name}"
    command = [
        sys.executable,
        "-m",
        "interim.cli",
        "run",
        str(options.study),
        "--notebooks",
        str(options.notebooks),
    ]
    command += ["--reports", str(folder), "--cache", str(cache), *way.options]
    command += [part for parameter in options.parameter for part in ("-p", parameter)]
    if way.cores and shutil.which("taskset"):
        command = ["taskset", "-c", "0", *command]
    variables = {**os.environ, **way.environment}
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr.strip()}")
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _same(way: str, found: dict[str, str], first: dict[str, str]) -> bool:
    other = sorted(name for name in found.keys() | first.keys() if found.get(name) != first.get(name))
    print(f"{way:24} {len(found)} files  {'equal' if not other else f'{len(other)} DIFFER'}", flush=True)
    for name in other:
        print(f"    {name}")
    return not other


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The command that computes the characteristics of designs."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

from interim.cli.talk import OK, say, seed


def add_simulate(commands: Any) -> None:
    """Add the command that computes the characteristics of designs.

    Parameters
    ----------
    commands : argparse subparsers
        Of the command line.

    Returns
    -------
    None

    Raises
    ------
    None
    """
    simulate = commands.add_parser(
        "simulate", help="operating characteristics of the study's design, exact or simulated"
    )
    simulate.add_argument("study", type=Path, help="study file, for example params/example.toml")
    simulate.add_argument("--p", type=_rates, metavar="P,P,...", help="probability of a DLT, one per level")
    simulate.add_argument(
        "--trigger", type=_rates, metavar="P,P,...", help="probability of a titration trigger, DLT included"
    )
    simulate.add_argument(
        "--compare", action="store_true", help="compare other designs on the same dose ladder, exact"
    )
    simulate.add_argument("--n", type=int, metavar="TRIALS", help="simulate so many trials; needs --seed")
    simulate.add_argument("--seed", type=seed, help="seed of the simulation, 0 or more")
    simulate.add_argument(
        "--lost", type=float, default=0.0, help="probability that a participant is not evaluable and replaced"
    )
    simulate.add_argument("--accrual", type=float, metavar="DAYS", help="mean days between candidates")
    simulate.add_argument(
        "--late", type=float, default=0.5, help="share of events in the second half of the window"
    )
    simulate.add_argument(
        "--workers", type=int, default=1, help="processes (default 1); the same bytes for any number"
    )
    simulate.add_argument(
        "--scheduler", metavar="ADDRESS", help="address of a Dask scheduler instead of --workers"
    )
    simulate.set_defaults(command=_simulate)


def _rates(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"numbers joined by commas are needed, found {text!r}") from error


def _simulate(options: argparse.Namespace) -> int:
    from interim.analysis.simulation import Asked, simulation_lines
    from interim.study import read_study

    asked = Asked(**{field.name: getattr(options, field.name) for field in fields(Asked)})
    for line in simulation_lines(read_study(options.study), asked):
        say(line)
    return OK

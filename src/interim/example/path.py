"""The path of a study: slots fixed by a preset, or made by the dose-escalation rule itself with drawn outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from interim.design.escalation import TitratedThreePlusThree
from interim.design.history import History
from interim.design.options import Titration
from interim.design.paths import extend
from interim.example.settings import numbers, preset
from interim.example.stream import choose, stream

FREE = "free"
_BASE = "main13"
_FIRST_WAIT, _WAIT = 14, 7
_SCREEN_FAILURE = {"arm": "SCRNFAIL", "reason": "no measurable lesion"}


def study_path(name: str, seed: int) -> Mapping[str, Any]:
    """Return the path of a preset, or of a free study.

    Parameters
    ----------
    name : str
        Preset, or ``free``.
    seed : int
        Seed of the study; only a free path depends on it.

    Returns
    -------
    mapping
        cut, end, slot as in presets.toml.

    Raises
    ------
    StudyError
        If there is no such preset.
    """
    return free_path(seed) if name == FREE else preset(name)


def free_path(seed: int) -> Mapping[str, Any]:
    """Let the dose-escalation rule decide, with outcomes drawn from the true probabilities.

    Parameters
    ----------
    seed : int
        Seed of the study.

    Returns
    -------
    mapping
        cut, end, slot as in presets.toml; the recorded end is the recommended dose if the rule selects one.

    Raises
    ------
    None

    Notes
    -----
    Every level may start with one participant (reading A of AMB-1, as the presets). A trigger that is no dose-limiting toxicity is a cytokine release syndrome of grade 2; while single participants are
    treated, the others are calm.
    """
    rng = stream(seed, FREE, "path")
    levels = tuple(numbers("cart.doses_per_kg"))
    design = TitratedThreePlusThree(levels, titration=Titration(len(levels)))
    history = History(len(design.levels))
    slots: list[dict[str, Any]] = []
    decision = design.decide(history)
    while decision.action == "ENROL" and decision.level is not None:
        single = decision.fill_to == 1
        letters = "".join(_outcome(rng, decision.level, single=single) for _ in range(decision.n_to_enrol))
        slots += _cohort(rng, decision.level, letters, single=single)
        history = extend(history, level=decision.level, letters=letters)
        decision = design.decide(history)
    base = preset(_BASE)
    kind = "rp2d" if decision.mtd else "safety_halt"
    end = {**base["end"], "kind": kind, "level": f"DL{decision.mtd or 1}"}
    return {"cut": base["cut"], "end": end, "slot": slots}


def _outcome(rng: np.random.Generator, level: int, *, single: bool) -> str:
    """Draw T (dose-limiting toxicity), G (another trigger) or N (neither)."""
    toxic, trigger = rng.random(2)
    if toxic < numbers("ae.DLT_prob_by_dose")[level - 1]:
        return "T"
    grade2 = 1 - numbers("ae.CRS_grade_given_any")["1"]
    return "G" if single and trigger < numbers("ae.CRS_any_by_dose")[level - 1] * grade2 else "N"


def _cohort(rng: np.random.Generator, level: int, letters: str, *, single: bool) -> list[dict[str, Any]]:
    """Return the slots of a cohort, a screening failure now and then among them."""
    slots: list[dict[str, Any]] = []
    for place, letter in enumerate(letters):
        if rng.random() < numbers("enrol.screen_fail_rate"):
            slots.append(dict(_SCREEN_FAILURE))
        slot: dict[str, Any] = {"arm": f"DL{level}", "response": "ANY"}
        slot |= {"after": True} if place == 0 else {"wait": _FIRST_WAIT if place == 1 else _WAIT}
        if letter == "T":
            slot["dlt"] = choose(rng, numbers("ae.DLT_types"))
        if letter == "G":
            slot["crs"] = 2
        if letter == "N" and single:
            slot["calm"] = True
        slots.append(slot)
    return slots

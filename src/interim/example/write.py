"""Files of a synthetic study: one CSV file per domain, and the truth beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from interim.example.build import draw_cases, make_study
from interim.example.case import Case
from interim.example.defects import inject
from interim.example.settings import numbers

TRUTH_FOLDER = "truth"


def write_study(
    folder: str | Path,
    *,
    preset: str = "main13",
    seed: int | None = None,
    defects: Sequence[str] = (),
    null: bool = False,
) -> list[Path]:
    """Write the raw data of a synthetic study.

    Parameters
    ----------
    folder : str or pathlib.Path
        Folder for the data; made if it does not exist. Files of the same names are replaced.
    preset : str
        ``main13``, ``tiny10`` or ``full18``.
    seed : int, optional
        Seed; default the generator's own.
    defects : sequence of str
        Ids of seeded defects to plant, for example ``D12``.
    null : bool
        No subgroup has an effect.

    Returns
    -------
    list of pathlib.Path
        The files of the domains, sorted; equal preset, seed and defects give equal bytes.

    Raises
    ------
    StudyError
        If there is no such preset or defect.

    Notes
    -----
    What no data set shows - true probabilities, response classes, frailty, the ledger of the planted defects - goes to the
    folder ``truth`` inside; readers of the study take only the files that lie directly in the folder.
    """
    chosen = numbers("study.seed") if seed is None else seed
    damaged = inject(make_study(preset, chosen, null=null), defects, seed=chosen)
    values = true_values(preset, chosen, null=null) | {"defects": [asdict(line) for line in damaged.ledger]}
    return write_frames(folder, damaged.frames, values)


def write_frames(
    folder: str | Path, frames: Mapping[str, pd.DataFrame], truth: Mapping[str, object]
) -> list[Path]:
    """Write the domains of a synthetic study and, apart from them, what they do not tell.

    Parameters
    ----------
    folder : str or pathlib.Path
        Folder for the data; made if it does not exist. Files of the same names are replaced.
    frames : mapping of str to pandas.DataFrame
        Domains.
    truth : mapping
        JSON values of ``truth/truth.json``.

    Returns
    -------
    list of pathlib.Path
        The files of the domains, sorted.

    Raises
    ------
    None
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    files = []
    for domain, frame in sorted(frames.items()):
        file = target / f"{domain.lower()}.csv"
        file.write_bytes(_csv(frame))
        files.append(file)
    hidden = target / TRUTH_FOLDER
    hidden.mkdir(exist_ok=True)
    text = json.dumps(dict(truth), indent=1, sort_keys=True)
    (hidden / "truth.json").write_text(text + "\n", encoding="utf-8")
    return files


def _csv(frame: pd.DataFrame) -> bytes:
    text = frame.copy()
    for name in text.columns:
        if text[name].dtype == float:
            text[name] = [None if value != value else f"{value:.10g}" for value in text[name]]
    return str(text.to_csv(index=False, lineterminator="\n")).encode()


def true_values(preset: str, seed: int, *, null: bool = False) -> dict[str, object]:
    """Return what the generator knows and the data do not tell.

    Parameters
    ----------
    preset : str
        Preset.
    seed : int
        Seed of the study.
    null : bool
        No subgroup has an effect.

    Returns
    -------
    dict
        Label, probabilities of dose-limiting toxicity by level, and per participant frailty, class of the response and
        cause of progression.

    Raises
    ------
    StudyError
        If there is no such preset.
    """
    return {
        "label": numbers("study.label"),
        "preset": preset,
        "seed": seed,
        "dlt_probability": numbers("ae.DLT_prob_by_dose"),
        "subgroup_effect": {"ligand_logit_high": 0.0 if null else numbers("response.ligand_logit_high")},
        "participants": {case.person.usubjid: _truth(case) for case in draw_cases(preset, seed, null=null)},
    }


def _truth(case: Case) -> dict[str, object]:
    return {
        "arm": case.person.slot.arm,
        "response": case.course.response,
        "progression": case.course.progression,
        "frailty": round(case.traits.frailty, 4),
    }

"""What a participant brings along: demography, tumour, prior therapy, ligand expression, baseline laboratory values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from interim.example.plan import Person
from interim.example.settings import csv_file, numbers
from interim.example.stream import bounded_normal, choose, lognormal

FRAILTY_LOAD = 0.4
LOADED = {"NEUT": 1.0, "CEA": 1.0, "ALB": -1.0}


@dataclass(frozen=True)
class Traits:
    """Baseline of one participant.

    Attributes
    ----------
    frailty : float
        Standard normal; high is ill.
    age, ecog, lines : int
        Years, performance status, prior lines of systemic therapy.
    male : bool
        Sex.
    weight : float
        kg.
    tumour, histology : str
        Keys of the tables ``tumour_type`` and ``histology`` of codes.toml.
    facts : mapping of str to str
        Side and mutations, by test code.
    sites : tuple of str
        Extrahepatic sites.
    liver : str
        Number of liver lesions: 1-3, 4-10, >10.
    targets : int
        Target lesions wanted.
    burden, liver_share : float
        Sum of target diameters in mm, share in the liver.
    checkpoint, liver_directed : bool
        Prior checkpoint inhibitor, prior liver-directed therapy.
    ligands : mapping of str to float
        H-scores; empty if not assessed.
    labs : mapping of str to float
        Baseline values by test code.
    """

    frailty: float
    age: int
    ecog: int
    lines: int
    male: bool
    weight: float
    tumour: str
    histology: str
    facts: Mapping[str, str]
    sites: tuple[str, ...]
    liver: str
    targets: int
    burden: float
    liver_share: float
    checkpoint: bool
    liver_directed: bool
    ligands: Mapping[str, float]
    labs: Mapping[str, float]


def draw_traits(person: Person) -> Traits:
    """Draw the baseline of one participant.

    Parameters
    ----------
    person : Person
        Who.

    Returns
    -------
    Traits
        The baseline.

    Raises
    ------
    None
    """
    rng = person.rng("traits")
    frailty = float(rng.standard_normal())
    tumour = choose(rng, numbers("tumour.type"))
    male = bool(rng.random() < numbers("demog.male"))
    burden = numbers("burden.sum_target_mm")
    share = numbers("burden.liver_share_of_sum")
    sex = "male" if male else "female"
    mean, sd = numbers("demog.weight_kg")[sex]
    age = numbers("demog.age")
    return Traits(
        frailty=frailty,
        age=int(bounded_normal(rng, age["mean"], age["sd"], lo=age["lo"], hi=age["hi"])),
        ecog=_ecog(rng, person),
        lines=int(choose(rng, numbers("prior.lines")[tumour])),
        male=male,
        weight=round(bounded_normal(rng, mean, sd, lo=mean - 2.5 * sd, hi=mean + 2.5 * sd), 1),
        tumour=tumour,
        histology=choose(rng, numbers("tumour.histology")[tumour]),
        facts=_facts(rng, tumour),
        sites=tuple(s for s, p in numbers("burden.extrahepatic").items() if rng.random() < p),
        liver=choose(rng, numbers("burden.n_liver_lesions")),
        targets=int(choose(rng, numbers("burden.target_lesions"))),
        burden=min(
            lognormal(rng, burden["median"], burden["gsd"], score=_loaded(rng, frailty)), burden["hi"]
        ),
        liver_share=float(rng.beta(share["a"], share["b"])),
        checkpoint=bool(rng.random() < numbers("prior.ICI")[tumour]),
        liver_directed=bool(rng.random() < numbers("prior.liver_directed")),
        ligands=_assessed(person),
        labs=_labs(person, frailty, tumour),
    )


def _loaded(rng: np.random.Generator, frailty: float, sign: float = 1.0) -> float:
    """Return a standard normal score that shares a part with the frailty."""
    return FRAILTY_LOAD * sign * frailty + sqrt(1 - FRAILTY_LOAD**2) * float(rng.standard_normal())


def _ecog(rng: np.random.Generator, person: Person) -> int:
    shares = {grade: p for grade, p in numbers("demog.ecog").items() if not person.enrolled or grade != "2"}
    return 2 if person.slot.reason == "performance status" else int(choose(rng, shares))


def _facts(rng: np.random.Generator, tumour: str) -> dict[str, str]:
    msi = "MSI-H" if rng.random() < numbers("tumour.MSI_H") else "MSS"
    facts = {"MSI": msi}
    if tumour == "CRC":
        facts["TUMSIDE"] = "RIGHT" if rng.random() < numbers("tumour.side_right_CRC") else "LEFT"
        kras = rng.random() < numbers("tumour.KRAS_mut_CRC")
        braf = not kras and rng.random() < numbers("tumour.BRAF_V600E_CRC")
        facts |= {"KRAS": "MUTANT" if kras else "WILD TYPE", "BRAF": "V600E" if braf else "WILD TYPE"}
    if tumour == "gastric":
        facts["HER2"] = "POSITIVE" if rng.random() < numbers("tumour.HER2_pos_gastric") else "NEGATIVE"
    return facts


def _assessed(person: Person) -> dict[str, float]:
    """Return the H-scores, none if no tissue was assessed."""
    rng = person.rng("ligand")
    missing = rng.random() < numbers("ligand.missing_rate")
    assessed = not missing if person.slot.tissue is None else person.slot.tissue
    return draw_ligands(rng) if assessed else {}


def draw_ligands(rng: np.random.Generator) -> dict[str, float]:
    """Draw the H-scores of the four ligands.

    Parameters
    ----------
    rng : numpy.random.Generator
        Stream.

    Returns
    -------
    dict of str to float
        H-score 0-300 by ligand.

    Raises
    ------
    None

    Notes
    -----
    The square root of the score is normal. The ULBP scores share a factor; MICA/B is nearly independent of them. A tumour
    that expresses none of a ligand scores 0.
    """
    table = numbers("ligand")
    shared = float(rng.standard_normal())
    scores: dict[str, float] = {}
    for name in ("MICAB", "ULBP1", "ULBP2_5_6", "ULBP3"):
        load = (
            sqrt(table["corr_ULBP"])
            if name != "MICAB"
            else table["corr_MICA_ULBP"] / sqrt(table["corr_ULBP"])
        )
        z = load * shared + sqrt(1 - load**2) * float(rng.standard_normal())
        spread = table["MICAB"]["sd_sqrt"]
        positive = max(0.0, sqrt(table[name]["median"]) + spread * z) ** 2
        scores[name] = 0.0 if rng.random() < table[name]["neg"] else float(min(300, round(positive / 5) * 5))
    return scores


def _labs(person: Person, frailty: float, tumour: str) -> dict[str, float]:
    rng = person.rng("baseline")
    values: dict[str, float] = {}
    for row in csv_file("analytes.csv"):
        code = row["code"]
        score = (
            _loaded(rng, frailty, LOADED.get(code, 0.0)) if code in LOADED else float(rng.standard_normal())
        )
        value = _baseline(row, score, tumour)
        ceiling = float(row["hi" if code == "ALT" and person.slot.dlt == "hepatic_G3_gt7d" else "ceiling"])
        values[code] = min(max(value, float(row["floor"])), ceiling)
    return values


def _baseline(row: Mapping[str, str], score: float, tumour: str) -> float:
    key = row["key"]
    if key == "markers.CEA":
        key += "_CRC" if tumour == "CRC" else "_other"
    table: Mapping[str, Any] = (
        numbers(key) if key else {"median": float(row["median"]), "gsd": float(row["gsd"])}
    )
    if "mean" in table:
        return float(table["mean"] + table["sd"] * score)
    median = table.get("median", table.get("base_median"))
    gsd = float(table.get("gsd", numbers("cytokines.IL6")["gsd"]))
    return float(median * gsd**score)

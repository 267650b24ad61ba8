"""Cytokine release syndrome: grade by ASTCT 2019 and by CTCAE v5.0 from signs and treatment at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from interim.adam.source import shipped_data
from interim.adam.toxicity.graded import Graded, between
from interim.study.toxicity import ToxicityTable

FATAL = 5
_WORST = {"fever": 1, "hypotension": 4, "hypoxia": 4}


@dataclass(frozen=True)
class CrsSigns:
    """Signs and treatment at one moment; None: not recorded.

    Attributes
    ----------
    fever : bool or None
        Temperature of 38.0 C or more that has no other explanation.
    established : bool
        The syndrome was there before, and an antipyretic, anti-cytokine drug or steroid was given.
    reported : bool
        The site reports the syndrome at this moment.
    hypotension : bool or None
        Low systolic pressure, or the clinician says so.
    vasopressors : int or None
        Number of vasopressors other than vasopressin.
    vasopressin : bool
        Whether vasopressin was given.
    device : str or None
        Oxygen device, a code of toxicity.toml.
    flow, fio2 : float or None
        Oxygen flow in L/min, inspired fraction.
    airway_only : bool
        Ventilated for airway protection or a procedure, without hypoxia.
    fatal : bool
        Death attributed to the syndrome.
    """

    fever: bool | None = False
    established: bool = False
    reported: bool = False
    hypotension: bool | None = False
    vasopressors: int | None = 0
    vasopressin: bool = False
    device: str | None = "NONE"
    flow: float | None = None
    fio2: float | None = None
    airway_only: bool = False
    fatal: bool = False


def astct_crs(signs: CrsSigns) -> Graded:
    """Grade by ASTCT 2019.

    Parameters
    ----------
    signs : CrsSigns
        Signs and treatment.

    Returns
    -------
    Graded
        0 without fever that is not explained, unless the syndrome is established and treated; 5 if fatal.

    Raises
    ------
    None

    Examples
    --------
    >>> astct_crs(CrsSigns(fever=True, device="NASAL", flow=6)).grade
    2
    >>> astct_crs(CrsSigns(fever=True, vasopressors=1, vasopressin=True)).grade
    3
    """
    items = {
        "fever": _level(signs.fever),
        "hypotension": _hypotension(signs, counts_vasopressin=False),
        "hypoxia": _astct_hypoxia(signs),
    }
    return between(items, _WORST, of=partial(_grade, begun=signs.established, fatal=signs.fatal))


def ctcae_crs(signs: CrsSigns, rules: ToxicityTable) -> Graded:
    """Grade by CTCAE v5.0.

    Parameters
    ----------
    signs : CrsSigns
        Signs and treatment.
    rules : ToxicityTable
        ``fio2_per_litre``, ``ctcae_count_vasopressin``, ``ctcae_cpap_grade``.

    Returns
    -------
    Graded
        Fever is not needed where the site reports the syndrome or it is established; 5 if fatal.

    Raises
    ------
    None

    Examples
    --------
    >>> ctcae_crs(CrsSigns(fever=True, device="NASAL", flow=5), ToxicityTable()).grade
    3
    """
    items = {
        "fever": _level(signs.fever),
        "hypotension": _hypotension(signs, counts_vasopressin=rules.ctcae_count_vasopressin),
        "hypoxia": _ctcae_hypoxia(signs, rules),
    }
    begun = signs.established or signs.reported
    return between(items, _WORST, of=partial(_grade, begun=begun, fatal=signs.fatal))


def _level(sign: bool | None) -> int | None:
    return None if sign is None else int(sign)


def _grade(levels: Mapping[str, int], *, begun: bool, fatal: bool) -> int:
    if not (levels["fever"] or begun):
        return 0
    return FATAL if fatal else max(levels.values())


def _hypotension(signs: CrsSigns, *, counts_vasopressin: bool) -> int | None:
    """Return 0, 2 (no vasopressor), 3 (one) or 4 (several)."""
    if signs.vasopressors is None:
        return None
    several = signs.vasopressors + int(signs.vasopressin and counts_vasopressin) > 1
    if several:
        return 4
    if signs.vasopressors or signs.vasopressin:
        return 3
    return None if signs.hypotension is None else 2 * int(signs.hypotension)


def _astct_hypoxia(signs: CrsSigns) -> int | None:
    """Return 0, 2 (low flow), 3 (more oxygen without pressure) or 4 (positive pressure)."""
    data = shipped_data("toxicity")["oxygen"]
    if signs.airway_only:
        return 0
    if signs.device is None:
        return None
    level: int = data["astct"][signs.device]
    if signs.device == data["by_flow"]:
        return None if signs.flow is None else (2 if signs.flow <= data["low_flow"] else 3)
    return level


def _ctcae_hypoxia(signs: CrsSigns, rules: ToxicityTable) -> int | None:
    """Return 0, 2 (FiO2 below 40 %), 3 (40 % or more) or the grade of positive pressure."""
    data = shipped_data("toxicity")["oxygen"]
    if signs.airway_only or signs.device == "NONE":
        return 0
    if signs.device is None:
        return None
    if signs.device in data["positive_pressure"]:
        return rules.ctcae_cpap_grade if signs.device in data["mask_pressure"] else 4
    fraction = _fraction(signs, rules)
    return None if fraction is None else (3 if fraction >= data["high_fraction"] else 2)


def _fraction(signs: CrsSigns, rules: ToxicityTable) -> float | None:
    """Return the inspired fraction: recorded, by the flow of nasal oxygen, or usual for the device."""
    data = shipped_data("toxicity")["oxygen"]
    if signs.fio2 is not None:
        return signs.fio2
    if signs.device == data["by_flow"] and signs.flow is not None:
        return float(round(data["room_air"] + rules.fio2_per_litre * signs.flow, 9))
    usual: float | None = data["usual_fraction"].get(signs.device)
    return usual

"""Immune effector cell-associated neurotoxicity: ASTCT 2019 grade for adults, the worst item."""

from __future__ import annotations

from dataclasses import dataclass

from interim.adam.source import shipped_data
from interim.adam.toxicity.graded import Graded, between

FATAL = 5
UNAROUSABLE = "UNAROUSABLE"
_WORST = {"ice": 4, "consciousness": 4, "seizure": 4, "motor": 4, "pressure": 4}


@dataclass(frozen=True)
class IcansSigns:
    """Neurological findings at one moment; None: not recorded. Codes are those of toxicity.toml.

    Attributes
    ----------
    ice : int, str or None
        ICE score 0 to 10, or UNAROUSABLE where it cannot be examined.
    consciousness, seizure, pressure : str or None
        Codes of consciousness, seizure, raised intracranial pressure or oedema.
    motor : bool or None
        Deep focal weakness.
    explained : bool
        Depressed consciousness has another cause.
    fatal : bool
        Death attributed to the neurotoxicity.
    """

    ice: int | str | None = 10
    consciousness: str | None = "NORMAL"
    seizure: str | None = "NONE"
    motor: bool | None = False
    pressure: str | None = "NONE"
    explained: bool = False
    fatal: bool = False


def icans_grade(signs: IcansSigns) -> Graded:
    """Grade neurotoxicity.

    Parameters
    ----------
    signs : IcansSigns
        Findings.

    Returns
    -------
    Graded
        The worst item; 5 if fatal.

    Raises
    ------
    KeyError
        If a code is unknown.

    Examples
    --------
    >>> icans_grade(IcansSigns(ice=4)).grade, icans_grade(IcansSigns(ice=9, motor=True)).grade
    (2, 4)
    """
    data = shipped_data("toxicity")["icans"]
    items = {
        "ice": ice_level(signs.ice),
        "consciousness": 0 if signs.explained else _coded(signs.consciousness, data["consciousness"]),
        "seizure": _coded(signs.seizure, data["seizure"]),
        "motor": None if signs.motor is None else 4 * int(signs.motor),
        "pressure": _coded(signs.pressure, data["pressure"]),
    }
    return between(items, _WORST, of=lambda levels: FATAL if signs.fatal else max(levels.values()))


def _coded(code: str | None, levels: dict[str, int]) -> int | None:
    return None if code is None else levels[code]


def ice_level(score: int | str | None) -> int | None:
    """Return the grade of an ICE score alone.

    Parameters
    ----------
    score : int, str or None
        0 to 10, UNAROUSABLE, or not recorded.

    Returns
    -------
    int or None
        10: 0; 7 to 9: 1; 3 to 6: 2; 0 to 2: 3; unarousable: 4.

    Raises
    ------
    ValueError
        If the score is no whole number from 0 to 10.
    """
    if score is None:
        return None
    if score == UNAROUSABLE:
        return 4
    limits = shipped_data("toxicity")["icans"]["ice"]
    if not isinstance(score, int) or not 0 <= score <= limits["highest"]:
        raise ValueError(f"an ICE score is 0..{limits['highest']} or {UNAROUSABLE}, found {score!r}")
    level: int = sum(score < limit for limit in limits["below"])
    return level


def contradicts(signs: IcansSigns) -> bool:
    """Tell findings that cannot hold together: a good ICE score of a participant who cannot be aroused.

    Parameters
    ----------
    signs : IcansSigns
        Findings.

    Returns
    -------
    bool
        True if the ICE score is 7 or more and the participant is unarousable.

    Raises
    ------
    None
    """
    lowest = shipped_data("toxicity")["icans"]["ice"]["awake_from"]
    awake = isinstance(signs.ice, int) and signs.ice >= lowest
    return awake and signs.consciousness == UNAROUSABLE

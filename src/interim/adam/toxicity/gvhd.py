"""Acute graft-versus-host disease: organ stages and overall grade (MAGIC 2016)."""

from __future__ import annotations

from dataclasses import dataclass

from interim.adam.source import shipped_data


@dataclass(frozen=True)
class GvhdFindings:
    """Findings of one assessment.

    Attributes
    ----------
    skin_percent : float
        Body surface with active erythema.
    bullae : bool
        Erythroderma with bullae and more than 5 % desquamation.
    bilirubin : float or None
        umol/L; None: not measured, the liver stage is 0.
    upper_gut : bool
        Persistent nausea, vomiting or anorexia.
    stool_volume, stool_episodes : float
        mL and episodes per day.
    severe_gut : bool
        Severe abdominal pain, ileus or grossly bloody stool.
    """

    skin_percent: float = 0.0
    bullae: bool = False
    bilirubin: float | None = None
    upper_gut: bool = False
    stool_volume: float = 0.0
    stool_episodes: float = 0.0
    severe_gut: bool = False


@dataclass(frozen=True)
class GvhdStages:
    """Stages of the organs.

    Attributes
    ----------
    skin, liver, upper, lower : int
        0 to 4; upper 0 or 1.
    """

    skin: int = 0
    liver: int = 0
    upper: int = 0
    lower: int = 0

    @property
    def grade(self) -> int:
        """Overall grade 0 to 4."""
        stages = {"skin": self.skin, "liver": self.liver, "upper": self.upper, "lower": self.lower}
        for rule in shipped_data("toxicity")["gvhd"]["overall"]:
            if any(stages[organ] >= least for organ, least in rule["stages"].items()):
                return int(rule["grade"])
        return 0

    @property
    def grade_without_liver(self) -> int:
        """Overall grade if the bilirubin has another cause (LIVER_CONFOUNDED)."""
        return GvhdStages(self.skin, 0, self.upper, self.lower).grade


def gvhd_stages(findings: GvhdFindings) -> GvhdStages:
    """Return the stage of each organ.

    Parameters
    ----------
    findings : GvhdFindings
        Findings of one assessment.

    Returns
    -------
    GvhdStages
        With the overall grade.

    Raises
    ------
    None

    Examples
    --------
    >>> gvhd_stages(GvhdFindings(skin_percent=30)).grade, gvhd_stages(GvhdFindings(stool_volume=1200)).grade
    (1, 3)
    """
    limits = shipped_data("toxicity")["gvhd"]
    skin = 4 if findings.bullae else _skin(findings.skin_percent, limits["skin"])
    return GvhdStages(
        skin, _liver(findings.bilirubin, limits["bilirubin"]), int(findings.upper_gut), _lower(findings)
    )


def _skin(percent: float, limits: tuple[float, ...]) -> int:
    """1 below 25 %, 2 from 25 to 50 %, 3 above."""
    none, some, most = limits
    return 0 if percent <= none else 1 if percent < some else 2 if percent <= most else 3


def _liver(bilirubin: float | None, limits: tuple[float, ...]) -> int:
    """Stage the bilirubin; rounded, for 3 mg/dL converted is a little above 51.3 umol/L in binary numbers."""
    value = 0.0 if bilirubin is None else round(bilirubin, 9)
    return 0 if value < limits[0] else 1 + sum(value > limit for limit in limits[1:])


def _lower(findings: GvhdFindings) -> int:
    limits = shipped_data("toxicity")["gvhd"]
    if findings.severe_gut:
        return 4
    first, second, third = limits["volume"]
    volume = sum(
        (findings.stool_volume >= first, findings.stool_volume >= second, findings.stool_volume > third)
    )
    few, some, many = limits["episodes"]
    episodes = sum(
        (findings.stool_episodes >= few, findings.stool_episodes >= some, findings.stool_episodes > many)
    )
    stage: int = max(volume, episodes)
    return stage


def is_acute(day: int, max_day: int) -> bool:
    """Tell whether an onset counts as acute.

    Parameters
    ----------
    day : int
        Days from the first NK infusion.
    max_day : int
        ``toxicity.agvhd_max_day``.

    Returns
    -------
    bool
        True up to and including that day.

    Raises
    ------
    None
    """
    return 0 <= day <= max_day

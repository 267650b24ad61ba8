"""Which of the two blood ratios is the primary one: the numerator is a reading of the registered text (AMB-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interim.errors import Problem, StudyError

if TYPE_CHECKING:
    from interim.study.model import Study

_VARIABLES = {"NEUT": "NLRBL", "GRAN": "GLRBL"}


def with_primary_ratio(study: Study) -> Study:
    """Return the study whose primary ratio has the numerator of ``subgroup.ratio_numerator``.

    Parameters
    ----------
    study : Study
        ``[[subgroups]]`` with entries on NLRBL and GLRBL.

    Returns
    -------
    Study
        The entry with the same cut-points on the other ratio is primary instead; the same study if the primary ratio has the numerator already,
        or no primary entry is one of the two ratios.

    Raises
    ------
    StudyError
        If there is no entry with the same cut-points on the other ratio.
    """
    wanted = _VARIABLES[study.subgroup.ratio_numerator]
    others = set(_VARIABLES.values()) - {wanted}
    old = next((entry for entry in study.subgroups if entry.primary and entry.variable in others), None)
    if old is None:
        return study
    new = next((e for e in study.subgroups if e.variable == wanted and e.cuts == old.cuts), None)
    if new is None:
        text = f"needs an entry on {wanted} with the cut-points of {old.id!r} for subgroup.ratio_numerator = {study.subgroup.ratio_numerator!r}"
        raise StudyError([Problem("subgroups", text)])
    roles = {old.id: False, new.id: True}
    entries = tuple(
        entry.model_copy(update={"primary": roles.get(entry.id, entry.primary)}) for entry in study.subgroups
    )
    other = study.model_copy(update={"subgroups": entries})
    other._readings = study._readings
    return other

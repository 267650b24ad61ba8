"""The endpoints of a study, built from its parameters."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from interim.adam.response.assessments import CR, DAYS_PER_WEEK, NED, NON, PD, PR, SD
from interim.adam.tte.specification import Endpoint, EventRule, GapRule, Truncation
from interim.study import Study
from interim.study.efficacy import TteTable

ADEQUATE = (CR, PR, SD, NON, NED, PD)
_PD = EventRule("pd", "E-PD", "progression")
_DEATH = EventRule("death", "E-DEATH", "death from any cause")
_CLINICAL = EventRule("clinical", "E-CLIN", "symptomatic deterioration")
_NACT = EventRule("nact", "E-NACT", "new anticancer therapy")
_SWITCH = EventRule("nksw", "E-SWITCH", "switch of the NK source")
_CUT = Truncation("cut", False, "K-CUT", "the data cut-off")
_FIRST_SOURCE = Truncation("nksw", True, "K-SWITCH", "the first NK infusion from another source")
_GAP_SOURCES = {"PD": "pd", "death": "death"}


def endpoints(study: Study) -> tuple[Endpoint, ...]:
    """Return the endpoints of a study.

    Parameters
    ----------
    study : Study
        Tables ``tte``, ``response`` and ``estimand``.

    Returns
    -------
    tuple of Endpoint
        PFS, OS, DOR, DDC, DSD, TTR, TTP, IPFS, TOS, FUP, TTNT.

    Raises
    ------
    StudyError
        If the gap rule is ``visits`` and no schedule is given, or rules overlap.
    """
    tte = study.tte
    progression = partial(
        Endpoint,
        adequate=ADEQUATE,
        truncations=(*_truncations(tte), *_on_first_source(study)),
        gap=_gap(study),
        events=_events(study, _PD),
    )
    alive = partial(Endpoint, truncations=(_CUT,), censor_at="last_contact", censor_code="K-ALIVE")
    return (
        progression("PFS", "Progression-free survival", "FAS", "anchor", needs_baseline=True),
        alive(
            "OS",
            "Overall survival",
            "FAS",
            "anchor",
            events=(_DEATH,),
            truncations=(_CUT, *_on_first_source(study)),
        ),
        progression("DOR", "Duration of response", "RESP", "response"),
        progression("DDC", "Duration of disease control", "DC", "anchor"),
        progression("DSD", "Duration of stable disease", "SD", "anchor"),
        Endpoint("TTR", "Time to response", "RESP", "anchor", (EventRule("response", "E-RESP", "response"),)),
        replace(
            progression("TTP", "Time to progression", "FAS", "anchor"),
            events=tuple(event for event in _events(study, _PD) if event is not _DEATH),
        ),
        progression(
            "IPFS", "Progression-free survival by iRECIST", "FAS", "anchor", events=_immune_events(study)
        ),
        *_follow_up(alive),
    )


def _follow_up(alive: partial[Endpoint]) -> tuple[Endpoint, ...]:
    left = EventRule("end", "E-END", "withdrawal, loss to follow-up or completion")
    known = EventRule("contact", "E-ALIVE", "last contact of a participant not known to have died")
    return (
        Endpoint(
            "TOS", "Time on study", "NK-SAF", "anchor", (_DEATH, left), truncations=(_CUT,), censor_at="cut"
        ),
        Endpoint(
            "FUP",
            "Follow-up by reversed overall survival",
            "FAS",
            "anchor",
            (known,),
            truncations=(_CUT,),
            censor_at="death",
            censor_code="K-OTHER",
        ),
        alive("TTNT", "Time to next therapy", "FAS", "anchor", events=(_NACT, _DEATH)),
    )


def _events(study: Study, progression: EventRule) -> tuple[EventRule, ...]:
    tte = study.tte
    clinical = (_CLINICAL,) if tte.clinical_progression == "event" else ()
    therapy = (_NACT,) if tte.new_therapy == "event" else ()
    switch = (_SWITCH,) if study.estimand.nk_source_switch == "composite" else ()
    return (progression, *clinical, *therapy, *switch, _DEATH)


def _immune_events(study: Study) -> tuple[EventRule, ...]:
    confirmed = EventRule("icpd", "E-PD", "confirmed progression, dated at its first iUPD")
    open_block = EventRule("iupd", "E-PD", "unconfirmed progression at the end")
    first, *rest = _events(study, confirmed)
    return (first, open_block, *rest) if study.tte.ipfs_unconfirmed == "event" else (first, *rest)


def _truncations(tte: TteTable) -> tuple[Truncation, ...]:
    if tte.new_therapy != "censor":
        return (_CUT,)
    strict = tte.nact_same_day == "before_only"
    return (_CUT, Truncation("nact", strict, "K-NACT", "the start of a new anticancer therapy"))


def _on_first_source(study: Study) -> tuple[Truncation, ...]:
    """Return what ends the follow-up of a participant whose NK cells come from another source (AMB-8)."""
    return (_FIRST_SOURCE,) if study.estimand.nk_source_switch == "while_on_first_source" else ()


def _gap(study: Study) -> GapRule:
    tte = study.tte
    return GapRule(
        kind=tte.gap_rule,
        days=tte.gap_days,
        visits=tte.gap_visits,
        window_days=study.response.visit_window_days,
        schedule_days=tuple(DAYS_PER_WEEK * week for week in tte.schedule_weeks or ()),
        applies_to=tuple(_GAP_SOURCES[name] for name in tte.gap_applies_to),
    )

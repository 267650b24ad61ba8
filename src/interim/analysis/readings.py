"""The readings of the registered text: what each one moves, and the register that is printed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any

import numpy as np

from interim.adam.model import Adam
from interim.analysis.escalation_state import add_texts, no_escalation, printed
from interim.analysis.population import set_label
from interim.analysis.reading_row import IN_FORCE, Bundle, Outcome, Source, bundles, outcome_of
from interim.data.model import Sdtm
from interim.errors import ReportError
from interim.parallel import Name, map_seeded
from interim.result import Result, Rows
from interim.study import Study
from interim.study.ambiguity import register

AMBIGUITIES = tuple(f"AMB-{place}" for place in range(1, 10))
OPEN_POINTS = tuple(f"OP-{place}" for place in range(1, 9))
_NAMED = re.compile(r"\{([\w.]+)\}")
UNCONFIRMED = "default reading, not confirmed by the sponsor"
_STATS = (
    "cohorts",
    "triggers",
    "next_action",
    "mtd",
    "concordance",
    "orr",
    "dcr",
    "types",
    "changed",
    "flips",
)


def tipping(adam: Adam, study: Study, sdtm: Sdtm, *, executor: Name | Executor = "serial") -> Result:
    """Run the dose escalation under every reading, on the same snapshot.

    Parameters
    ----------
    adam : Adam
        All analysis datasets.
    study : Study
        ``[tipping]`` and the readings in force.
    sdtm : Sdtm
        Source data.
    executor : {"serial", "processes"} or concurrent.futures.Executor
        Where the readings run; the answer is the same to the bit.

    Returns
    -------
    Result
        ``readings.tipping``; variable row, one level per reading or combination (``in force`` first); stats settings, cohorts (DLT / evaluable by level), triggers,
        next_action, mtd, concordance, orr, dcr, types, changed, flips (texts), all with the row's status; variable flips: stat n, and one level per reading that flips (stat text).

    Raises
    ------
    ReportError
        If an ambiguity or an open point is missing from the register.

    Notes
    -----
    The register stands in the same Result, so that each reading is run once: variable AMB-n or OP-n; level one per reading (stats text, effect), and level "" with
    stats title, point, used, basis, asked_of.
    """
    points = {point["id"]: point for point in printed()["open_point"]}
    _complete(register(), AMBIGUITIES)
    _complete(points, OPEN_POINTS)
    title = "DLT result under alternative windows and evaluability rules"
    rows = Rows("readings.tipping", title, set_label("CART-SAF", study), group_var="READING")
    found = outcomes(adam, study, sdtm, executor=executor)
    base = found[0][1]
    for bundle, outcome in found:
        _add_row(rows, bundle, outcome, base)
    flipping = [(bundle, outcome) for bundle, outcome in found[1:] if outcome.flips_from(base)]
    missing = sum(bool(outcome.reason) for _, outcome in found)
    rows.add("n", len(flipping), variable="flips", n=len(flipping), N=len(found) - 1, unit="readings")
    rows.add("n", missing, variable="not_evaluable", n=missing, N=len(found), unit="readings")
    for bundle, outcome in flipping:
        rows.add("text", None, text=outcome.flips_from(base), variable="flips", level=bundle.name)
    rows.add("sentence", None, text=_sentence(flipping, base), variable="flips")
    single = (
        found
        if study.tipping.mode == "one_at_a_time"
        else outcomes(adam, _single(study), sdtm, executor=executor)
    )
    _add_register(rows, study, dict((bundle.name, outcome) for bundle, outcome in single))
    for name in OPEN_POINTS:
        _add_open_point(rows, points[name], study)
    return rows.build()


def outcomes(
    adam: Adam, study: Study, sdtm: Sdtm, *, executor: Name | Executor = "serial"
) -> list[tuple[Bundle, Outcome]]:
    """Return every reading with what it leads to.

    Parameters
    ----------
    adam, study, sdtm : Adam, Study, Sdtm
        As in `tipping`.
    executor : {"serial", "processes"} or concurrent.futures.Executor
        Where the readings run.

    Returns
    -------
    list of (Bundle, Outcome)
        The readings in force first, then one row per other reading or combination.

    Raises
    ------
    StudyError
        If a combination names an unknown ambiguity.
    """
    wanted = bundles(study)
    reason = no_escalation(adam, study)
    if reason:
        return [(bundle, Outcome(reason=reason)) for bundle in wanted]
    source = Source(dict(adam.datasets), adam.cut, dict(sdtm.domains), study)
    found = map_seeded(partial(_task, source), wanted, seed=0, executor=executor)
    return list(zip(wanted, found, strict=True))


def _task(source: Source, bundle: Bundle, rng: np.random.Generator) -> Outcome:
    return outcome_of(source, bundle)


def _add_row(rows: Rows, bundle: Bundle, outcome: Outcome, base: Outcome) -> None:
    place: dict[str, Any] = {"variable": "row", "level": bundle.name}
    default = "yes" if bundle.is_default else "no"
    add_texts(rows, place, {"reading": bundle.text, "settings": bundle.settings, "is_default": default})
    if outcome.reason:
        for stat in _STATS:
            rows.add(stat, None, status="NA", reason=f"not evaluable: {outcome.reason}", **place)
        return
    texts = {stat: str(getattr(outcome, stat)) or "not assessed" for stat in _STATS[:-1]}
    add_texts(rows, place, {**texts, "flips": outcome.flips_from(base) or "none"})


def _sentence(flipping: Sequence[tuple[Bundle, Outcome]], base: Outcome) -> str:
    if base.reason:
        return f"the readings were not compared: {base.reason}"
    if not flipping:
        return "no conclusion depends on the reading"
    return "; ".join(f"{bundle.name}: {outcome.flips_from(base)}" for bundle, outcome in flipping)


def _single(study: Study) -> Study:
    """Return the study with every reading looked at alone, for the register."""
    return study.model_copy(update={"tipping": study.tipping.model_copy(update={"mode": "one_at_a_time"})})


def _add_register(rows: Rows, study: Study, found: Mapping[str, Outcome]) -> None:
    """Add every ambiguity: its text, all readings, the reading in force, the effect of the others."""
    base = found[IN_FORCE]
    for reading in study.readings:
        used = f"{reading.reading}: {reading.text}"
        basis = "stated in the study parameters" if reading.confirmed else UNCONFIRMED
        head = {"title": reading.title, "point": reading.point, "used": used, "basis": basis}
        add_texts(rows, {"variable": reading.amb}, {**head, "asked_of": "Sponsor"})
        letters = [letter for letter, entry in register()[reading.amb].items() if isinstance(entry, Mapping)]
        for letter in letters:
            same = letter == reading.reading
            effect = IN_FORCE if same else _effect(found[f"{reading.amb} {letter}"], base)
            texts = {"text": register()[reading.amb][letter]["text"], "effect": effect}
            add_texts(rows, {"variable": reading.amb, "level": letter}, texts)


def _complete(known: Iterable[str], wanted: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in set(known)]
    if missing:
        raise ReportError(
            f"the register of readings lacks {', '.join(missing)}; every ambiguity and open point of the trial must be in it"
        )


def _effect(outcome: Outcome, base: Outcome) -> str:
    if outcome.reason:
        return f"not evaluable: {outcome.reason}"
    flips = outcome.flips_from(base)
    return f"{flips or 'no flip'}; cells that differ: {outcome.changed}"


def _add_open_point(rows: Rows, point: Mapping[str, Any], study: Study) -> None:
    used = _NAMED.sub(lambda named: _value(study, named[1]), point["text"])
    head = {
        "title": point["point"],
        "point": "the registered text is silent",
        "used": used,
        "basis": "to be confirmed; proposal of this package",
        "asked_of": "Sponsor",
    }
    add_texts(rows, {"variable": point["id"]}, head)


def _value(study: Study, path: str) -> str:
    table, key = path.split(".")
    value = getattr(getattr(study, table), key)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, tuple):
        return ", ".join(str(getattr(item, "id", item)) for item in value)
    return "not defined" if value in (None, "") else str(value)

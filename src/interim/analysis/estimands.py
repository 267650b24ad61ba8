"""Estimands: attributes and strategies for intercurrent events in the words of the study parameters."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from interim.adam.model import Adam
from interim.result import Result, Rows
from interim.study import Study

ATTRIBUTES = ("objective", "population", "treatment", "endpoint", "events", "strategy", "summary")


@cache
def _document() -> Mapping[str, Any]:
    text = files("interim.analysis").joinpath("estimands.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def attributes(adam: Adam, study: Study) -> Result:
    """State the attributes of each estimand and the strategy for each intercurrent event.

    Parameters
    ----------
    adam : Adam
        Not read: the table follows from the parameters.
    study : Study
        Tables ``tte``, ``response``, ``estimand``.

    Returns
    -------
    Result
        ``estimands.attributes``; variable = estimand or intercurrent event; texts objective, population, treatment, endpoint,
        events, strategy, summary.

    Raises
    ------
    None
    """
    rows = Rows(
        "estimands.attributes",
        "Estimand attributes and intercurrent-event strategy",
        population="No participant data",
        group_var="",
    )
    words = _words(study)
    for row in _document()["row"]:
        for stat in ATTRIBUTES:
            rows.add(stat, None, text=row[stat].format(**words), variable=row["id"])
    return rows.build()


def _words(study: Study) -> dict[str, str]:
    tte, response = study.tte, study.response
    chosen = {
        "new_therapy": tte.new_therapy,
        "gap": tte.gap_rule,
        "clinical": tte.clinical_progression,
        "anchor": tte.anchor,
        "nk_switch": study.estimand.nk_source_switch,
        "response_therapy": str(response.bor_stop_at_nact).lower(),
        "confirmed": str(response.confirmation_required).lower(),
        "local_liver": str("local_liver" in tte.new_therapy_kinds).lower(),
    }
    library = _document()["words"]
    numbers = {"gap_days": tte.gap_days, "gap_visits": tte.gap_visits}
    words: dict[str, str] = {name: library[name][value].format(**numbers) for name, value in chosen.items()}
    kinds = ", ".join(kind.replace("_", " ") for kind in tte.new_therapy_kinds)
    return {**words, "kinds": kinds or "none"}

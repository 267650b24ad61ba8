"""The data of the public copy: pooled values before anything is counted, figures without attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from interim.adam.model import Adam
from interim.analysis.copies import copies
from interim.analysis.population import SETS
from interim.analysis.uniqueness import by_copy
from interim.report.cache import Cache
from interim.report.chapter import Inputs, answered
from interim.report.privacy.opening import open_private
from interim.report.registry import registry
from interim.result import TOTAL, Result, ResultStore, slug
from interim.study import Study

_TREATED = "NK-SAF"
_BLANK = "-"
_MEASURED = "uniqueness.by_copy"


def open_public(study: Study, cache: Cache | None = None) -> Inputs:
    """Read the data of a study for the public copy and answer all questions.

    Parameters
    ----------
    study : Study
        Parameters.
    cache : Cache, optional
        Where answers of earlier builds are.

    Returns
    -------
    Inputs
        Analysis datasets with pooled values, and results without attributes where a figure has a mark for each participant.

    Raises
    ------
    ReportError, DataError
        As `interim.report.chapter.open_inputs`.
    """
    private, sdtm, adam, known = open_private(study, cache=cache)
    pooled = with_pooled(adam, limit=study.privacy.small_cell_min)
    inputs = replace(answered(private, sdtm, pooled, cache=cache), known=known)
    measured = {
        _MEASURED: by_copy(adam, private)
    }  # of what each copy shows, not of what this one has pooled already
    return replace(
        inputs, store=ResultStore({**inputs.store.results, **_anonymous(inputs.store), **measured})
    )


def with_pooled(adam: Adam, *, limit: int) -> Adam:
    """Return the analysis datasets with high ages as one value and rare tumour types as one group.

    Parameters
    ----------
    adam : Adam
        ADSL is changed.
    limit : int
        Participants that a tumour type needs to stay.

    Returns
    -------
    Adam
        The other datasets as they are.

    Raises
    ------
    None
    """
    rules = copies()["public"]
    adsl = adam["ADSL"].copy()
    if "AGE" in adsl:
        adsl["AGE"] = adsl["AGE"].clip(upper=rules["top_age"])
    if "TUMTYPE" in adsl and SETS[_TREATED].flag in adsl:
        treated = adsl.loc[adsl[SETS[_TREATED].flag] == "Y", "TUMTYPE"]
        adsl["TUMTYPE"] = adsl["TUMTYPE"].replace(
            dict.fromkeys(_rare(treated, rules["pooled"], limit), rules["pooled"])
        )
    return replace(adam, datasets={**adam.datasets, "ADSL": adsl})


def _rare(types: pd.Series[Any], pooled: str, limit: int) -> list[str]:
    """Return the types to pool: those below the limit, and the next ones until the group reaches it."""
    sizes = types.dropna().value_counts().to_dict()
    group = int(sizes.pop(pooled, 0))
    order = sorted(sizes, key=lambda kind: (sizes[kind], kind))
    rare: list[str] = []
    for kind in order:
        if sizes[kind] >= limit and (group >= limit or not (rare or group)):
            break
        rare.append(str(kind))
        group += sizes[kind]
    return rare


def _anonymous(store: ResultStore) -> dict[str, Result]:
    analyses = {tlf.id: tlf.analysis for tlf in registry()}
    rules = {analyses[rule["tlf"]]: rule for rule in copies()["public"]["anonymous"]}
    return {
        name: without_attributes(store[name], rule["keep"])
        for name, rule in rules.items()
        if name in store.results
    }


def without_attributes(result: Result, keep: list[str]) -> Result:
    """Return the results of a figure with a mark for each participant, without what could name one.

    Parameters
    ----------
    result : Result
        Level = participant.
    keep : list of str
        Variables that stay.

    Returns
    -------
    Result
        One column; participants are numbered by their values in this figure, so that two figures cannot be joined by the
        number; every text is blank; no links.

    Raises
    ------
    None
    """
    frame = result.frame
    whole = frame[(frame["group"] == TOTAL) & (frame["variable"] == "population")]
    rows = frame[frame["variable"].isin(keep)].copy()
    values = {str(level): tuple(part["value"].dropna()) for level, part in rows.groupby("level", sort=True)}
    order = sorted(values, key=lambda level: (values[level][::-1], level))
    numbers: Mapping[str, str] = {level: str(place) for place, level in enumerate(order, 1)}
    rows["level"] = rows["level"].astype(str).map(numbers)
    rows["group"] = TOTAL
    rows["text"] = [_BLANK if isinstance(text, str) else None for text in rows["text"]]
    rows["result_id"] = [
        "/".join(slug(part) or "-" for part in parts)
        for parts in rows[["analysis_id", "group", "variable", "level", "stat"]].itertuples(
            index=False, name=None
        )
    ]
    rows = (
        rows.assign(_place=rows["level"].astype(int))
        .sort_values(["_place"], kind="stable")
        .drop(columns="_place")
    )
    return replace(result, frame=pd.concat([whole, rows], ignore_index=True), links=result.links.iloc[0:0])

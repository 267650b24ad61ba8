"""The example study as it stood on an earlier day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time

import pandas as pd

from interim.data.model import ORIGIN
from interim.data.replay import known_by
from interim.data.typed import type_domain
from interim.example.defects.draft import cell_text


def as_of(frames: Mapping[str, pd.DataFrame], day: date) -> dict[str, pd.DataFrame]:
    """Return a study as a delivery of an earlier day would have held it.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        Domains of a study.
    day : datetime.date
        Last day included.

    Returns
    -------
    dict of str to pandas.DataFrame
        Participants who had consented, records dated by then, fields known by then; TS states the day as its cut-off.

    Raises
    ------
    None

    Notes
    -----
    The rules are those of a replay. The study of a later day, cut at an earlier one, is the study of the earlier day.
    """
    last = datetime.combine(day, time(23, 59, 59))
    typed = {name: type_domain(name, _text(frame)).frame for name, frame in frames.items()}
    made = known_by(typed, pd.Timestamp(last)).domains
    return {name: frame.drop(columns=list(ORIGIN)) for name, frame in made.items()}


def _text(frame: pd.DataFrame) -> pd.DataFrame:
    cells = {name: [cell_text(value) or None for value in frame[name]] for name in frame.columns}
    return pd.DataFrame(cells, dtype=object).assign(SRCFILE="", SRCROW=range(2, len(frame) + 2))

"""Helpers of the tests of the design workshop."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from interim.design import History

FOLDER = Path(__file__).resolve().parents[1] / "reference" / "dose"


@pytest.fixture(scope="session")
def numbers():
    """Read one file of the reference numbers that the tests carry."""
    return lambda name: json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def dated():
    """Give a history in short notation dates: tokens a fixed number of days apart, facts known days after assignment."""

    def build(text, *, levels=4, gap=21, dlt_known=5, edits=None):
        history = History.parse(text, levels=levels)
        day, rows, place = pd.Timestamp("2025-01-06"), [], 0
        for token in text.split():
            for _ in token.lstrip("0123456789"):
                subject = history.subjects[place]
                place += 1
                rows.append(
                    {
                        "participant": subject.id,
                        "order": subject.order,
                        "level": subject.level,
                        "assigned": day,
                        "window_start": day,
                        "window_end": day + pd.Timedelta(days=15),
                        "status": subject.status,
                        "dlt": subject.dlt,
                        "trigger": subject.trigger,
                        "dlt_known": day + pd.Timedelta(days=dlt_known) if subject.dlt else None,
                        "trigger_known": day + pd.Timedelta(days=3) if subject.trigger else None,
                    }
                )
            day += pd.Timedelta(days=gap)
        frame = pd.DataFrame(rows)
        for participant, values in (edits or {}).items():
            for name, value in values.items():
                if name not in frame:
                    frame[name] = None
                frame[name] = frame[name].astype(object)
                frame.loc[frame["participant"] == participant, name] = value
        return frame

    return build

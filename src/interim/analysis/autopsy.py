"""Autopsy of those who died, where it was collected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from interim.adam.source import text_column
from interim.data.model import Sdtm

_ANSWERS = {"Y": "yes", "YES": "yes", "N": "no", "NO": "no", "U": "unknown", "UNKNOWN": "unknown"}
_STRENGTH = ("yes", "recorded", "no", "unknown")
RECORDED = "recorded"


def autopsies(sdtm: Sdtm | None, items: Sequence[str]) -> dict[str, str] | None:
    """Return whether an autopsy was done, by participant.

    Parameters
    ----------
    sdtm : Sdtm or None
        DD (a test), and DD, DS, DM with their supplemental qualifiers (a variable).
    items : sequence of str
        Codes of the test and names of the variable (``safety.autopsy_items``).

    Returns
    -------
    dict or None
        USUBJID -> yes, no, unknown, or recorded (any other text: it is not repeated); the strongest of several answers. None if
        no source has such a test or variable, or none is named; nothing is known where no sources are given.

    Raises
    ------
    None
    """
    if sdtm is None:
        return {}
    sources = list(_sources(sdtm, items))
    if not sources:
        return None
    known = pd.concat(sources, ignore_index=True).dropna(subset=["ANSWER"])
    texts = known["ANSWER"].astype(str).str.strip().str.upper().map(_ANSWERS).fillna(RECORDED)
    found: dict[str, str] = {}
    for subject, text in zip(known["USUBJID"], texts, strict=True):
        found[str(subject)] = min(text, found.get(str(subject), text), key=_STRENGTH.index)
    return found


def _sources(sdtm: Sdtm, names: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Yield USUBJID and ANSWER of each source that has an autopsy."""
    tests = sdtm.domain("DD")
    mine = tests[text_column(tests, "DDTESTCD").isin(list(names)).to_numpy()]
    if len(mine):
        said = text_column(mine, "DDSTRESC").fillna(text_column(mine, "DDORRES"))
        yield pd.DataFrame({"USUBJID": mine["USUBJID"], "ANSWER": said})
    for domain in ("DD", "DS", "DM"):
        if sdtm.has(domain):
            frame = sdtm.with_supp(domain)
            for name in (item for item in names if item in frame):
                yield pd.DataFrame({"USUBJID": frame["USUBJID"], "ANSWER": frame[name]})

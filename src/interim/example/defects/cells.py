"""Defects of single cells that can occur in any domain: identifier, free text, date, time zone, form of a code."""

from __future__ import annotations

from interim.example.defects.draft import Draft, cell_text, moved
from interim.example.defects.registry import plants

_DATED = {"AE": "AESTDTC", "LB": "LBDTC", "CM": "CMSTDTC", "TR": "TRDTC", "PC": "PCDTC", "DS": "DSSTDTC"}
_CODED = {"RS": "RSSTRESC", "AE": "AETOXGR", "DM": "SEX", "TU": "TUSTRESC"}
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


@plants("D55")
def _orphan(draft: Draft) -> None:
    """An event of a participant who does not exist."""
    place = draft.pick("AE", draft.frames["AE"]["USUBJID"].notna())
    subject = draft.row("AE", place)["USUBJID"]
    draft.set("AE", place, USUBJID=f"{subject[:-3]}9{subject[-2:]}")
    draft.note("AE", place, "moved here")


@plants("D56")
def _named(draft: Draft) -> None:
    """A free text with a name and a telephone number."""
    ae = draft.frames["AE"]
    place = draft.pick("AE", ae["AETERM"].notna())
    draft.set("AE", place, AETERM=f"Mr Zhang 13800000000 {draft.row('AE', place)['AETERM'].lower()}")


@plants("D57")
def _other_date_format(draft: Draft) -> None:
    """A date whose month and day cannot be told apart."""
    domain = sorted(_DATED)[int(draft.rng.integers(len(_DATED)))]
    name = _DATED[domain]
    place = draft.pick(domain, draft.frames[domain][name].notna())
    draft.set(domain, place, **{name: f"03/04/{str(draft.row(domain, place)[name])[:4]}"})


@plants("D58")
def _midnight(draft: Draft) -> None:
    """An infusion at 23:50 local time recorded in universal time."""
    ex = draft.frames["EX"]
    place = draft.pick("EX", ex["EXSTDTC"].notna())
    day = str(draft.row("EX", place)["EXSTDTC"])[:10]
    draft.set("EX", place, EXSTDTC=f"{day}T15:50+00:00", EXENDTC=moved(f"{day}T16:20+00:00", 0))


@plants("D59")
def _untidy(draft: Draft) -> None:
    """A code with a blank behind it or with full-width digits."""
    domain = sorted(_CODED)[int(draft.rng.integers(len(_CODED)))]
    name = _CODED[domain]
    place = draft.pick(domain, draft.frames[domain][name].notna())
    text = cell_text(draft.row(domain, place)[name])
    draft.set(domain, place, **{name: text.translate(_WIDE) if text.isdigit() else f"{text} "})

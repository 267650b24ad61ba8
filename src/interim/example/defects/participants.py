"""Defects of participants: identity, eligibility, death, last contact, visits."""

from __future__ import annotations

import pandas as pd

from interim.example.defects.draft import Draft, days_between, moved, numeric
from interim.example.defects.registry import plants
from interim.example.settings import numbers

_CUT = "DCUTDTC"


@plants("D01")
def _second_row(draft: Draft) -> None:
    """A copy of a row of DM with another date of birth."""
    place = draft.pick("DM", draft.frames["DM"]["ARMCD"].str.startswith("DL"))
    draft.set("DM", place, BRTHDTC="1960-02-11")
    draft.copy("DM", place, BRTHDTC="1961-02-11")


@plants("D39")
def _death_in_events_only(draft: Draft) -> None:
    """A death that AE knows and that DS and DM do not."""
    dm = draft.pick("DM", draft.frames["DM"]["DTHFL"] == "Y")
    person = draft.row("DM", dm)
    died, subject = str(person["DTHDTC"]), person["USUBJID"]
    ae = draft.frames["AE"]
    place = draft.pick("AE", (ae["USUBJID"] == subject) & (ae["AESTDTC"].str[:10] <= died))
    draft.set("AE", place, AETOXGR="5", AESER="Y", AESDTH="Y", AEOUT="FATAL", AEENDTC=died, AEDTHDTC=died)
    draft.set("DM", dm, DTHFL=None, DTHDTC=None)
    ds = draft.frames["DS"]
    draft.remove("DS", (ds["USUBJID"] == subject) & (ds["DSDECOD"] == "DEATH"))


@plants("D40")
def _death_after_the_cut(draft: Draft) -> None:
    """A death 20 days after the cut-off in a delivery that claims to be cut."""
    cut = draft.row("TS", draft.place("TS", TSPARMCD=_CUT))["TSVAL"]
    dm = draft.frames["DM"]
    place = draft.pick("DM", dm["RFXSTDTC"].notna() & dm["DTHFL"].isna())
    draft.set("DM", place, DTHFL="Y", DTHDTC=moved(str(cut), 20))


@plants("D41")
def _early_last_contact(draft: Draft) -> None:
    """A last contact in DS that lies before the last laboratory sample."""
    lb = draft.frames["LB"]
    last = lb[lb["LBSTAT"].isna()].groupby("USUBJID")["LBDTC"].max().str[:10]
    dm = draft.frames["DM"]
    who = draft.row("DM", draft.pick("DM", dm["DTHFL"].isna() & dm["RFXSTDTC"].notna()))["USUBJID"]
    draft.add(
        "DS",
        {
            "STUDYID": numbers("study.id"),
            "DOMAIN": "DS",
            "USUBJID": who,
            "DSTERM": "Last known alive",
            "DSDECOD": "LAST KNOWN ALIVE",
            "DSCAT": "OTHER EVENT",
            "DSSTDTC": moved(str(last[who]), -10),
        },
    )


@plants("D51")
def _visit_out_of_window(draft: Draft) -> None:
    """A visit planned for day 28 that took place on day 41."""
    sv = draft.frames["SV"]
    place = draft.pick("SV", sv["VISITDY"].notna() & (sv["VISITDY"] > 1))
    row = draft.row("SV", place)
    draft.set("SV", place, SVSTDTC=moved(row["SVSTDTC"], 13), SVENDTC=moved(row["SVENDTC"], 13))


@plants("D52")
def _consent_after_dose(draft: Draft) -> None:
    """Consent on the day after the first infusion."""
    place = draft.pick("DM", draft.frames["DM"]["RFXSTDTC"].notna())
    draft.set("DM", place, RFICDTC=moved(str(draft.row("DM", place)["RFXSTDTC"])[:10], 1))


@plants("D53")
def _too_old(draft: Draft) -> None:
    """An age of 76 in a trial for 18 to 75."""
    draft.set("DM", draft.pick("DM", draft.frames["DM"]["ARMCD"].str.startswith("DL")), AGE=76)


@plants("D54")
def _other_sex(draft: Draft) -> None:
    """Inflammation of the prostate in a woman."""
    ae = draft.frames["AE"]
    women = set(draft.frames["DM"].loc[draft.frames["DM"]["SEX"] == "F", "USUBJID"])
    plain = pd.Series(ae["AESER"] == "N")
    place = draft.pick("AE", ae["USUBJID"].isin(women) & plain)
    draft.set("AE", place, AETERM="Prostatitis", AEDECOD="Prostatitis")


@plants("D60")
def _open_query(draft: Draft) -> None:
    """A query on the grade of a dose-limiting toxicity that is open at the cut-off."""
    ae = draft.frames["AE"]
    dlt = draft.supplemental("AE", "DLTFL") == "Y"
    worst = numeric(ae["AETOXGR"]) == numeric(ae["AETOXGR"]).max()
    place = draft.pick("AE", dlt if dlt.any() else worst)
    row = draft.row("AE", place)
    draft.note("AE", place, "queried")
    cut = str(draft.row("TS", draft.place("TS", TSPARMCD=_CUT))["TSVAL"])
    draft.add(
        "QUERY",
        {
            "STUDYID": numbers("study.id"),
            "DOMAIN": "QUERY",
            "USUBJID": row["USUBJID"],
            "QDOMAIN": "AE",
            "QKEY": f"AESEQ={row['AESEQ']:g}",
            "QFIELD": "AETOXGR",
            "QSTATUS": "OPEN",
            "QTEXT": "Please confirm the grade",
            "QSTDTC": moved(cut, -min(10, max(0, days_between(str(row["AESTDTC"]), cut)))),
        },
    )

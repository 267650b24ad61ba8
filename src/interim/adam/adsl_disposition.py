"""Disposition facts of ADSL: consent, screening, enrolment, end of study, why no T cells were given."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from interim.adam.source import date_columns, number_column, shipped_data, text_column
from interim.data.model import Sdtm
from interim.study import Study


def derive_disposition(sdtm: Sdtm, study: Study, *, death: pd.DataFrame) -> pd.DataFrame:
    """Derive what DS says of each participant.

    Parameters
    ----------
    sdtm : Sdtm
        DM and DS.
    study : Study
        ``data.cut_event`` is the enrolment event where it is stated.
    death : pandas.DataFrame
        USUBJID, DTHDT, DTHFL; a death ends the study.

    Returns
    -------
    pandas.DataFrame
        One row per DM participant: USUBJID, RFICDT, CONSNTFL, SCRNFFL, ENREVTFL (Y/N), ENRLDT, EOSDT, EOSSTT, DCSREAS,
        NOCTRS, NOCTDT (why and when it was decided that no T cells are given).

    Raises
    ------
    None

    Notes
    -----
    A milestone that no participant has was not collected, and is not asked.
    """
    dm = sdtm.domain("DM")
    events = _events(sdtm)
    frame = pd.DataFrame({"USUBJID": dm["USUBJID"].to_numpy()})
    frame = frame.join(_enrolment(dm, events, study))
    frame = frame.merge(_end_of_study(events), on="USUBJID", how="left", validate="1:1")
    frame = frame.merge(_no_cart(events), on="USUBJID", how="left", validate="1:1")
    return _with_death(frame, death)


def _events(sdtm: Sdtm) -> pd.DataFrame:
    source = sdtm.domain("DS")
    frame = pd.DataFrame({"USUBJID": source["USUBJID"]})
    for name in ("DSCAT", "DSSCAT", "DSDECOD"):
        frame[name] = text_column(source, name)
    frame["DATE"] = date_columns(source, "DSSTDTC")["FIRST"]
    frame["SEQ"] = number_column(source, "DSSEQ")
    return frame.sort_values(["USUBJID", "DATE", "SEQ", "DSDECOD"], kind="stable")


def _first(events: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Return the first date of these events by USUBJID (NaT: it happened, the date is unknown)."""
    return events[events["DSDECOD"].isin(list(names))].groupby("USUBJID", sort=True)["DATE"].min()


def _enrolment(dm: pd.DataFrame, events: pd.DataFrame, study: Study) -> pd.DataFrame:
    terms = shipped_data("disposition")
    consent = _first(events, terms["consent"])
    enrolled = _first(events, [study.data.cut_event.upper()] if study.data.cut_event else terms["enrolled"])
    failed = set(_first(events, terms["screen_failure"]).index)
    subjects = dm["USUBJID"].reset_index(drop=True)
    informed = date_columns(dm, "RFICDTC")["FIRST"].reset_index(drop=True)
    has_consent = informed.notna() | subjects.isin(consent.index)
    by_arm = text_column(dm, "ARMCD").isin(list(terms["screen_failure_arms"])).reset_index(drop=True)
    return pd.DataFrame(
        {
            "RFICDT": informed.fillna(subjects.map(consent)),
            "ENRLDT": subjects.map(enrolled).astype("datetime64[ns]"),
            "CONSNTFL": _flag(has_consent | (not has_consent.any())),
            "SCRNFFL": _flag(subjects.isin(failed) | by_arm),
            "ENREVTFL": _flag(subjects.isin(enrolled.index) | enrolled.empty),
        }
    )


def _flag(holds: pd.Series) -> pd.Series:
    return holds.map({True: "Y", False: "N"}).astype(object)


def _end_of_study(events: pd.DataFrame) -> pd.DataFrame:
    """Return the last record that ends the study; the study part where the parts are told apart."""
    terms = shipped_data("disposition")
    ends = events[(events["DSCAT"] == terms["event_category"])]
    ends = ends[~ends["DSDECOD"].isin([*terms["screen_failure"]])]
    ends = ends[ends["DSSCAT"] != terms["cart_subcategory"]]
    if (ends["DSSCAT"] == terms["study_subcategory"]).any():
        ends = ends[ends["DSSCAT"] == terms["study_subcategory"]]
    last = ends.drop_duplicates("USUBJID", keep="last")
    done = last["DSDECOD"].isin(list(terms["completed"]))
    return pd.DataFrame(
        {
            "USUBJID": last["USUBJID"],
            "EOSDT": last["DATE"],
            "EOSSTT": done.map({True: "COMPLETED", False: "DISCONTINUED"}).astype(object),
            "DCSREAS": last["DSDECOD"].where(~done, None),
        }
    )


def _no_cart(events: pd.DataFrame) -> pd.DataFrame:
    terms = shipped_data("disposition")
    rows = events[events["DSSCAT"] == terms["cart_subcategory"]].drop_duplicates("USUBJID", keep="first")
    codes = terms["cart_not_given"]
    return pd.DataFrame(
        {
            "USUBJID": rows["USUBJID"],
            "NOCTRS": rows["DSDECOD"].map(lambda text: codes.get(text, text)).astype(object),
            "NOCTDT": rows["DATE"],
        }
    )


def _with_death(frame: pd.DataFrame, death: pd.DataFrame) -> pd.DataFrame:
    """Let a death end the study where DS does not say so; it is open otherwise, for the enrolled."""
    known = frame.merge(death[["USUBJID", "DTHDT", "DTHFL"]], on="USUBJID", how="left", validate="1:1")
    open_ended = known["EOSSTT"].isna()
    died = open_ended & (known["DTHFL"] == "Y")
    known["EOSDT"] = known["EOSDT"].where(~died, known["DTHDT"])
    known["DCSREAS"] = known["DCSREAS"].where(~died, shipped_data("disposition")["death"])
    enrolled = (known["SCRNFFL"] == "N") & (known["ENREVTFL"] == "Y")
    status = known["EOSSTT"].where(~died, "DISCONTINUED").fillna("ONGOING")
    known["EOSSTT"] = status.where(enrolled, None)
    return known.drop(columns=["DTHDT", "DTHFL"])

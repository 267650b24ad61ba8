"""Make finished analysis datasets of FFCD 2000-05 (150 patients, two files with several rows each) for params/ffcd.toml.

usage: INTERIM_EXTERNAL=folder python tools/ffcd_study.py [OUT]   (OUT: .interim/external/ffcd, which is never committed)

Data: R package frailtypack, colorectal and colorectalLongi (GPL-2 or later); Ducreux et al., Lancet Oncol 2011. Another treatment: method illustration only.
Progression is the first new lesion or death. The published sizes are Box-Cox values of the sum of target diameters; response here is a fall of that sum by
30% or more at any later visit, without confirmation: the published response was not part of the data.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

DAYS, START, POWER, FALL = 365.25, pd.Timestamp("2002-01-01"), 0.3, -30.0
LIMIT = -1.0 / POWER


def sums_mm(box_cox: pd.Series) -> pd.Series:
    """Sum of target diameters in mm; 0 at the lower limit of the transformation."""
    inside = np.maximum(POWER * box_cox.to_numpy(dtype=float) + 1.0, 0.0)
    return pd.Series(10.0 * inside ** (1.0 / POWER), index=box_cox.index).where(box_cox > LIMIT + 1e-2, 0.0)


def people(events: pd.DataFrame, sizes: pd.DataFrame) -> pd.DataFrame:
    """ADSL: one row per patient with the published covariates and the sum at baseline."""
    first = events.sort_values(["id", "time0"]).groupby("id").first()
    dead = events.groupby("id")["state"].max()
    base = sizes.sort_values(["id", "year"]).groupby("id")["SUM"].first()
    return pd.DataFrame(
        {
            "STUDYID": "FFCD-2000-05",
            "USUBJID": [f"F{k:03}" for k in first.index],
            "COHORT": first["treatment"].to_numpy(),
            **{name: "Y" for name in ("ENRLFL", "SAFFL", "FASFL", "RESFL")},
            "DTHFL": dead.map({1: "Y", 0: "N"}).to_numpy(),
            "BSLD": base.reindex(first.index).to_numpy(),
            "TRTSDT": START.date().isoformat(),
            "AGEGR": first["age"].to_numpy(),
            "WHOPS": first["who.PS"].astype(str).to_numpy(),
            "RESECT": first["prev.resection"].map({"Yes": "Y", "No": "N"}).to_numpy(),
        }
    )


def times(events: pd.DataFrame) -> pd.DataFrame:
    """ADTTE: overall survival, and survival without new lesion."""
    rows = []
    for patient, part in events.sort_values("time1").groupby("id"):
        hit = part[(part["new.lesions"] == 1) | (part["state"] == 1)]
        last, who = part.iloc[-1], f"F{patient:03}"
        rows.append((who, "OS", last["time1"] * DAYS, 1 - int(last["state"])))
        rows.append((who, "PFS", (hit.iloc[0] if len(hit) else last)["time1"] * DAYS, int(hit.empty)))
    return pd.DataFrame(rows, columns=["USUBJID", "PARAMCD", "AVAL", "CNSR"]).assign(AVALU="DAYS")


def lesions(sizes: pd.DataFrame) -> pd.DataFrame:
    """ADTR: sums with their change from baseline."""
    ordered = sizes.sort_values(["id", "year"])
    base = ordered.groupby("id")["SUM"].transform("first")
    change = 100.0 * (ordered["SUM"] - base) / base.where(base > 0)
    return pd.DataFrame(
        {
            "USUBJID": [f"F{k:03}" for k in ordered["id"]],
            "PARCAT2": "INVESTIGATOR",
            "PARAMCD": "SDIAM",
            "ADT": (START + pd.to_timedelta((ordered["year"] * DAYS).round(), unit="D")).dt.date.astype(str),
            "AVAL": ordered["SUM"],
            "AVALU": "mm",
            "BASE": base,
            "CHG": ordered["SUM"] - base,
            "PCHG": change,
            "ABLFL": np.where(ordered["year"] == 0, "Y", ""),
        }
    )


def responses(adtr: pd.DataFrame, everyone: pd.Series) -> pd.DataFrame:
    """ADRS: whether the sum fell by 30% or more after baseline."""
    later = adtr[adtr["ABLFL"] != "Y"].groupby("USUBJID")["PCHG"].min()
    best = later.reindex(everyone)
    return pd.DataFrame(
        {
            "USUBJID": everyone.to_numpy(),
            "PARCAT2": "INVESTIGATOR",
            "PARAMCD": "RSP",
            "AVALC": np.where(best.to_numpy() <= FALL, "Y", "N"),
        }
    )


def main(out: Path) -> None:
    """Write the four datasets."""
    folder = Path(os.environ["INTERIM_EXTERNAL"]) / "real"
    events = pd.read_csv(folder / "ffcd2000_05_colorectal_events.csv")
    sizes = pd.read_csv(folder / "ffcd2000_05_colorectal_tumorsize.csv")
    sizes["SUM"] = sums_mm(sizes["tumor.size"])
    out.mkdir(parents=True, exist_ok=True)
    adsl, adtr = people(events, sizes), lesions(sizes)
    frames = {"adsl": adsl, "adtte": times(events), "adtr": adtr, "adrs": responses(adtr, adsl["USUBJID"])}
    for name, frame in frames.items():
        frame.to_csv(out / f"{name}.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".interim/external/ffcd"))

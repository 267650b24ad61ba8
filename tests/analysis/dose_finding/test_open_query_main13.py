"""An open query about a dose-limiting toxicity, answered with the worst value on the example study."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from interim.analysis.open_queries import open_queries


@pytest.mark.rule("SDQ-05")
def test_one_more_dose_limiting_toxicity(main13):
    adae = main13.adam["ADAE"]
    hit = set(adae.loc[adae["DLTFL"] == "Y", "USUBJID"])
    event = adae[(adae["DLTWINFL"] == "Y") & ~adae["USUBJID"].isin(hit)].iloc[0]
    query = {
        "USUBJID": event["USUBJID"],
        "QDOMAIN": "AE",
        "QKEY": f"AESEQ={event['SRCSEQ']}",
        "QFIELD": "DLTFL",
    }
    table = pd.DataFrame([{**query, "QSTATUS": "OPEN", "QTEXT": "Was it dose-limiting?"}], dtype=object)
    asked = replace(main13.sdtm, domains={**main13.sdtm.domains, "QUERY": table})
    result = open_queries(main13.adam, main13.study, asked)
    frame = result.frame[result.frame["variable"] == "record"].set_index("stat")
    assert frame["text"]["outcome"] == "MOVES"
    assert frame["text"]["table"] == "T 14.2.1.2"
    assert (frame["value"]["recorded"], frame["value"]["worst"]) == (1.0, 2.0)  # the preset has one, at DL3

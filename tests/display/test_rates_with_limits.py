"""A rate stands above its interval, and its cell names the number of participants that it refers to."""

from __future__ import annotations

from pathlib import Path

import pytest

from interim.display.exposure import table_counts
from interim.display.measures import measure_table
from interim.display.numbers import Numbers
from interim.result import Result, Rows
from interim.study import read_study

STUDY = read_study(Path(__file__).resolve().parents[2] / "params" / "example.toml")
LIMITS = "95% exact confidence interval, %"


def rates(*, base: bool) -> Result:
    """2 of 12 in the total, 1 of 2 at DL2; Clopper-Pearson 2/12: 2.1 to 48.4, 1/2: 1.3 to 98.7."""
    rows = Rows("landmark.by_hand", "By hand", "CAR-T safety set")
    known = {
        "DL2": (1, 2, 0.0126, 0.9874, ("S1", "S2")),
        "Total": (2, 12, 0.0209, 0.4841, tuple(f"S{n}" for n in range(12))),
    }
    for group, (x, n, low, high, who) in known.items():
        size = 3 if group == "DL2" else 13
        rows.add("N", size, n=size, N=size, group=group, variable="population")
        place = {"group": group, "variable": "CARTC", "level": "Quantified", "n": x, "N": n}
        rows.add("rate", x / n, **place)
        rows.add("lower", low, **place)
        rows.add("upper", high, **place)
        if base:
            at = {"group": group, "variable": "CARTC", "level": "Quantified", "unit": "participants"}
            rows.add("N", n, n=n, subjects=who, **at)
    return rows.build()


@pytest.mark.rule("LNT-05", source="Clopper-Pearson 2/12: 2.1 to 48.4 (report-package.md section 7)")
@pytest.mark.parametrize("table", [table_counts, measure_table])
def test_the_interval_stands_under_its_rate(table):
    shown = table(rates(base=False), STUDY)
    lines = {row.cells[0].text: [cell.text for cell in row.cells[1:]] for row in shown.rows}
    stubs = list(lines)
    place = stubs.index(LIMITS)
    assert lines[stubs[place - 1]][-1] == "2/12 (16.7%)"
    assert lines[LIMITS][-1] == "(2.1, 48.4)"


@pytest.mark.rule("LNT-02")
@pytest.mark.parametrize("base", [False, True])
def test_a_rate_names_the_participants_that_it_refers_to(base):
    cell = Numbers(rates(base=base), STUDY).rate("Total", "CARTC", level="Quantified")
    place = "landmark.by_hand/total/cartc/quantified"
    assert cell.text == "2/12 (16.7%)"
    assert cell.keys == ((f"{place}/rate", f"{place}/n") if base else (f"{place}/rate",))

"""Protocol writing: designs over scenarios, as a table and as a figure."""

from __future__ import annotations

from matplotlib.figure import Figure as Sheet

from interim.display.escalation_listing import layouts
from interim.display.figure import Figure, axes_mm, drawn
from interim.display.layout import plain_table
from interim.display.numbers import Numbers
from interim.display.style import GREY, LIGHT, PALETTE, PORTRAIT_MM
from interim.display.table import Cell, Row, Table
from interim.result import Result
from interim.study import Study

BANDS = ("none", "under", "target", "over")
_COLOURS = dict(zip(BANDS, (LIGHT, PALETTE[4], PALETTE[2], PALETTE[5]), strict=True))
_TRUTH = "truth"
_ROW_MM, _PANEL_MM, _FOOT_MM = 5.0, 14.0, 20.0


def table_design_comparison(result: Result, study: Study) -> Table:
    """Show what each design does under each scenario.

    Parameters
    ----------
    result : Result
        ``design_comparison.comparison``.
    study : Study
        Rounding.

    Returns
    -------
    Table
        One row per design, a section per scenario with its true rates.

    Raises
    ------
    ReportError
        If the table is malformed.
    """
    numbers, words = Numbers(result, study), layouts()["comparison"]
    stats = _stats(result)
    rows: list[Row] = []
    for label in _scenarios(result):
        rates = ", ".join(_rates(numbers, result, label))
        rows.append(Row((Cell(f"{label}: {words['truth']} {rates}"),), kind="section"))
        for design in _designs(result):
            cells = [
                numbers.value(label, design, stat, digits=2 if stat in ("n", "dlt") else 3) for stat in stats
            ]
            rows.append(Row((Cell(design), *cells), indent=1))
    heads = [words.get(stat, stat.upper().replace("MTD", "DL")) for stat in stats]
    return plain_table(
        numbers,
        header=(words["design"], *heads),
        rows=rows,
        widths=(2.4, *(0.9 for _ in stats)),
        align=("left", *("right" for _ in stats)),
        landscape=True,
    )


def figure_design_comparison(result: Result, study: Study) -> Figure:
    """Draw how often each design selects a dose below, in or above the toxicity band.

    Parameters
    ----------
    result : Result
        ``design_comparison.comparison``.
    study : Study
        ``dose.tox_band``.

    Returns
    -------
    Figure
        A panel per scenario; a bar per design, split by where the selected dose lies; the expected number of participants beside it.

    Raises
    ------
    None
    """
    numbers = Numbers(result, study)
    shares = {
        (label, design): tuple(_number(numbers, label, design, stat) for stat in (*BANDS, "n"))
        for label in _scenarios(result)
        for design in _designs(result)
    }
    panel = _PANEL_MM + _ROW_MM * len(_designs(result))
    size = (PORTRAIT_MM, panel * len(_scenarios(result)) + _FOOT_MM)
    svg, png = drawn(lambda sheet: _paint(sheet, shares, size), size_mm=size, study=study)
    low, high = study.dose.tox_band
    parts = [
        f"{label}, {design}: {row[2]:.2f} in band, {row[3]:.2f} above"
        for (label, design), row in shares.items()
    ]
    return Figure(
        title=result.title,
        population=result.population,
        svg=svg,
        png=png,
        alt=f"Stacked bars, one per design and scenario: probability that the selected dose has a true DLT rate below, in or above {low:g} to {high:g}, or that no dose is selected. {'; '.join(parts)}.",
        width_mm=size[0],
        keys=tuple(result.frame["result_id"]),
        footnotes=(
            f"Band: true DLT rate {low:g} to {high:g}. Exact, all paths enumerated. Right: expected participants.",
            *result.footnotes,
        ),
    )


def _scenarios(result: Result) -> tuple[str, ...]:
    return tuple(dict.fromkeys(result.frame["group"]))


def _designs(result: Result) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(result.frame["variable"]) if name != _TRUTH)


def _stats(result: Result) -> tuple[str, ...]:
    rows = result.frame[result.frame["variable"] != _TRUTH]
    return tuple(dict.fromkeys(rows["stat"]))


def _rates(numbers: Numbers, result: Result, label: str) -> list[str]:
    rows = result.frame[(result.frame["variable"] == _TRUTH) & (result.frame["group"] == label)]
    return [numbers.value(label, _TRUTH, stat, digits=2).text for stat in rows["stat"]]


def _number(numbers: Numbers, label: str, design: str, stat: str) -> float:
    return float(numbers.need(stat, group=label, variable=design)["value"])


def _paint(sheet: Sheet, shares: dict[tuple[str, str], tuple[float, ...]], size: tuple[float, float]) -> None:
    words = layouts()["comparison"]
    labels = tuple(dict.fromkeys(label for label, _ in shares))
    designs = tuple(dict.fromkeys(design for _, design in shares))
    panel = _PANEL_MM + _ROW_MM * len(designs)
    for place, label in enumerate(labels):
        bottom = size[1] - (place + 1) * panel + 6
        axes = axes_mm(sheet, left=42, bottom=bottom, width=106, height=_ROW_MM * len(designs))
        for row, design in enumerate(designs):
            left = 0.0
            for band, share in zip(BANDS, shares[label, design], strict=False):
                axes.barh(
                    row,
                    share,
                    left=left,
                    color=_COLOURS[band],
                    height=0.72,
                    label=words[band] if not row else None,
                )
                left += share
            axes.text(1.02, row, f"{shares[label, design][-1]:.1f}", va="center", fontsize=7, color=GREY)
        axes.set(xlim=(0, 1), title=label)
        axes.set_yticks(range(len(designs)), designs)
        axes.invert_yaxis()
    axes.set_xlabel(words["axis"])
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=len(BANDS), frameon=False)

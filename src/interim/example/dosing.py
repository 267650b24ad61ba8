"""EX, PR, BE, BS: infusions, procedures, manufacturing and product quality."""

from __future__ import annotations

from interim.example.case import Case, Row, level_cells
from interim.example.settings import codes, numbers
from interim.example.stream import bounded_normal, lognormal

LOWEST_RATIO, HIGHEST_RATIO = 0.85, 1.05


def product_quality(case: Case) -> dict[str, dict[str, float]]:
    """Return the quality of the products of one participant.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    dict of str to dict
        By product: VIABIL and CARPOS in percent, VCN copies per cell, RESIDT residual T cells in percent.

    Raises
    ------
    None
    """
    rng = case.person.rng("product")
    viability, car, copies = numbers("nk.viability_pct"), numbers("cart.car_pos_pct"), numbers("cart.vcn")
    residual = numbers("nk.residual_T_pct")

    def quality() -> dict[str, float]:
        return {
            "VIABIL": round(bounded_normal(rng, viability["mean"], viability["sd"], lo=80, hi=99), 1),
            "CARPOS": round(bounded_normal(rng, car["mean"], car["sd"], lo=20, hi=90), 1),
            "VCN": round(min(lognormal(rng, copies["median"], copies["gsd"]), 4.9), 2),
        }

    nk = quality() | {"RESIDT": round(min(lognormal(rng, residual["median"], residual["gsd"]), 0.9), 2)}
    return {"CAR-NK": nk, "CAR-T": quality()}


def exposure(case: Case) -> list[Row]:
    """Write EX and SUPPEX.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        One row per infusion.

    Raises
    ------
    None
    """
    rng = case.person.rng("EX")
    quality = product_quality(case)
    rows = []
    for place, (product, cycle, day) in enumerate(case.infusions):
        planned = _planned_cells(case, product, place)
        table = numbers("nk.actual_ratio" if product == "CAR-NK" else "cart.actual_ratio")
        ratio = bounded_normal(rng, table["mean"], table["sd"], lo=LOWEST_RATIO, hi=HIGHEST_RATIO)
        length = int(rng.integers(20, 41))
        rows.append(
            {
                "EXTRT": product,
                "EXCAT": "STUDY PRODUCT",
                "EXDOSE": round(planned * ratio, -5),
                "EXDOSU": "cells",
                "EXROUTE": "INTRA-ARTERIAL" if product == "CAR-NK" else "INTRAVENOUS",
                "EXLOT": lot(case, product),
                "EXCYCLE": cycle,
                "EXOCCUR": "Y",
                "EXADJ": None,
                "EXSTDTC": case.person.at(day, "10:00"),
                "EXENDTC": case.person.at(day, f"10:{length}"),
                "_supp": {
                    "PLANCELL": f"{planned:.0f}",
                    "WEIGHT": f"{case.traits.weight:.1f}",
                    "CARPOS": f"{quality[product]['CARPOS']:.1f}",
                    "VIABIL": f"{quality[product]['VIABIL']:.1f}",
                    "VCN": f"{quality[product]['VCN']:.2f}",
                    **_source(case, product),
                },
            }
        )
    return rows


def _source(case: Case, product: str) -> dict[str, str]:
    """Return the recorded source of NK cells, one per participant; T cells are always autologous."""
    if product != "CAR-NK":
        return {}
    shares = numbers("nk.source")
    draw = case.person.rng("NK source").random()
    return {"SOURCE": codes("nk_source")["UCB" if draw < shares["UCB"] else "autologous_PB"]}


def _planned_cells(case: Case, product: str, place: int) -> float:
    if product == "CAR-NK":
        return float(numbers("nk.d0_cells" if place == 0 else "nk.d1_cells"))
    return level_cells(case.person.level or 1) * case.traits.weight


def lot(case: Case, product: str) -> str:
    """Return the lot number of a product.

    Parameters
    ----------
    case : Case
        The participant.
    product : str
        CAR-NK or CAR-T.

    Returns
    -------
    str
        For example ``T-014``.

    Raises
    ------
    None
    """
    return f"{product[-2:].strip('-')}-{case.person.number:03d}"


def procedures(case: Case) -> list[Row]:
    """Write PR.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Prior surgery and liver-directed therapy, biopsy, catheter, angiography, new local therapy.

    Raises
    ------
    None
    """
    person, rng = case.person, case.person.rng("PR")
    if not person.enrolled:
        return []
    months = int(rng.integers(8, 30))
    before = person.consent - 30 * months
    rows = [
        _procedure(
            "Resection of primary tumour", "PRIOR ANTICANCER THERAPY", "SURGERY", person.on(before)[:7]
        )
    ]
    if case.traits.liver_directed:
        name = "Transarterial chemoembolisation" if rng.random() < 0.6 else "Radiofrequency ablation of liver"
        day = person.on(person.consent - 60 - int(rng.integers(0, 200)))[:7]
        rows.append(_procedure(name, "PRIOR ANTICANCER THERAPY", "LOCAL LIVER", day))
    if case.traits.ligands:
        rows.append(_procedure("Liver biopsy", "DIAGNOSTIC PROCEDURE", None, person.on(person.screening + 1)))
    if person.treated:
        rows.append(_procedure("Hepatic angiography", "STUDY PROCEDURE", None, person.at(0, "08:45")))
        catheter = _procedure("Hepatic artery catheter", "STUDY PROCEDURE", None, person.at(0, "09:00"))
        rows.append(catheter | {"PRENDTC": person.at(1, "15:00")})
    therapy = case.course.therapy
    if therapy is not None and therapy[0] != "SYSTEMIC":
        name = "Palliative radiotherapy" if therapy[0] == "RADIATION" else "Transarterial chemoembolisation"
        rows.append(_procedure(name, "NEW ANTICANCER THERAPY", therapy[0], person.on(therapy[1])))
    return rows


def _procedure(name: str, category: str, kind: str | None, start: str) -> Row:
    return {
        "PRTRT": name,
        "PRDECOD": name.upper(),
        "PRCAT": category,
        "PRSCAT": kind,
        "PRINDC": "primary disease" if kind else None,
        "PRSTDTC": start,
        "PRENDTC": start,
    }


def biospecimen_events(case: Case) -> list[Row]:
    """Write BE.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Apheresis, manufacturing start, release or failure.

    Raises
    ------
    None
    """
    person = case.person
    if not person.treated:
        return []
    failed = person.slot.reason == "PRODUCT MANUFACTURING FAILURE"
    start = person.screening + 1
    steps = [
        ("CAR-NK", "Product release", -1),
        ("CAR-T", "Apheresis", start),
        ("CAR-T", "Manufacturing start", start + 1),
        ("CAR-T", "Manufacturing failure" if failed else "Product release", person.cart - 1),
    ]
    return [
        {
            "BEREFID": lot(case, product),
            "BETERM": f"{product} {name.lower()}",
            "BEDECOD": name.upper(),
            "BECAT": product,
            "BESTDTC": person.on(day),
        }
        for product, name, day in steps
    ]


QUALITY_TESTS = {
    "VIABIL": ("Viability", "%"),
    "CARPOS": ("CAR-Positive Cells", "%"),
    "VCN": ("Vector Copy Number", "copies/cell"),
    "RESIDT": ("Residual T Cells", "%"),
}


def product_findings(case: Case) -> list[Row]:
    """Write BS.

    Parameters
    ----------
    case : Case
        The participant.

    Returns
    -------
    list of dict
        Quality of the released products.

    Raises
    ------
    None
    """
    person = case.person
    if not person.treated:
        return []
    rows = []
    for product, quality in product_quality(case).items():
        if product == "CAR-T" and person.level is None:
            continue
        for code, value in quality.items():
            name, unit = QUALITY_TESTS[code]
            rows.append(
                {
                    "BSREFID": lot(case, product),
                    "BSTESTCD": code,
                    "BSTEST": name,
                    "BSCAT": product,
                    "BSORRES": f"{value:g}",
                    "BSORRESU": unit,
                    "BSSTRESC": f"{value:g}",
                    "BSSTRESN": value,
                    "BSSTRESU": unit,
                    "BSSPEC": "CELL PRODUCT",
                    "BSDTC": person.on(-1 if product == "CAR-NK" else person.cart - 1),
                }
            )
    return rows

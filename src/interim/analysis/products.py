"""The columns of tables by product: NK cells by the source they came from, T cells as a whole or by dose level."""

from __future__ import annotations

from collections.abc import Iterable

from interim.adam.model import Adam
from interim.analysis.layout import printed_rows
from interim.analysis.population import MISSING, Population, population, set_label
from interim.result import TOTAL
from interim.study import NK_ONLY, Study

BETWEEN = ": "
_NONE = "NONE"


def by_source(adam: Adam, subjects: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return participants by the source of their first NK infusion.

    Parameters
    ----------
    adam : Adam
        ADSL with NKSRC.
    subjects : iterable of str
        USUBJIDs.

    Returns
    -------
    dict of str to frozenset of str
        The sources of the layout, also where nobody has them; then other recorded ones; MISSING only where somebody has none.

    Raises
    ------
    None
    """
    keep = frozenset(subjects)
    adsl = adam["ADSL"]
    recorded = adsl["NKSRC"].fillna("") if "NKSRC" in adsl else adsl["USUBJID"].map(lambda _: "")
    source = dict(zip(adsl["USUBJID"], recorded, strict=True))
    listed = printed_rows()["infusions"]["sources"]
    others = sorted({source[who] for who in keep} - {*listed, ""})
    found = {name: frozenset(who for who in keep if source[who] == name) for name in (*listed, *others)}
    without = keep - frozenset().union(*found.values())
    return found | ({MISSING.upper(): without} if without else {})


def enrolled_by_product(adam: Adam, study: Study) -> Population:
    """Return the enrolled participants by product, the NK cells by source, and all of them.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Products.

    Returns
    -------
    Population
        An enrolled participant is in one column of each NK product and in that of each T product; one without an NK infusion is in
        the column NONE, which is there only if somebody is.

    Raises
    ------
    DerivationError
        If ADSL lacks the set or its columns.
    """
    enrolled = population(adam, study, "ENR").everyone
    members: dict[str, frozenset[str]] = {}
    for product in study.with_role("nk"):
        infused = enrolled & population(adam, study, "NK-SAF").everyone
        rest = enrolled - infused
        parts = by_source(adam, infused) | ({_NONE: rest} if rest else {})
        members |= {f"{product.id}{BETWEEN}{name}": ids for name, ids in parts.items()}
    members |= {product.id: enrolled for product in study.with_role("t")}
    return Population(
        "ENR", set_label("ENR", study), "PRODUCT", (members or {"-": enrolled}) | {TOTAL: enrolled}
    )


def infused_by_product(adam: Adam, study: Study) -> Population:
    """Return who received each product: NK cells by source in the NK safety set, T cells by dose in the CAR-T safety set.

    Parameters
    ----------
    adam : Adam
        ADSL.
    study : Study
        Products, columns.

    Returns
    -------
    Population
        Without a total: nobody is counted over products.

    Raises
    ------
    DerivationError
        If ADSL lacks the sets or their columns.
    """
    members: dict[str, frozenset[str]] = {}
    labels = []
    for product in study.with_role("nk"):
        who = population(adam, study, "NK-SAF")
        labels.append(who.label)
        members |= {
            f"{product.id}{BETWEEN}{name}": ids for name, ids in by_source(adam, who.everyone).items()
        }
    for product in study.with_role("t"):
        who = population(adam, study, "CART-SAF")
        labels.append(who.label)
        doses = {g: ids for g, ids in who.members.items() if g not in (TOTAL, NK_ONLY)}
        members |= {f"{product.id}{BETWEEN}{name}": ids for name, ids in doses.items()}
    if not members:
        who = population(adam, study, "NK-SAF")
        return Population(who.code, who.label, "PRODUCT", {"-": who.everyone})
    return Population("NK-SAF", "; ".join(dict.fromkeys(labels)), "PRODUCT", members)


def product_of_column(group: str) -> str:
    """Return the product of a column.

    Parameters
    ----------
    group : str
        Column code: a product, or one with source or dose behind it.

    Returns
    -------
    str
        Id of the product.

    Raises
    ------
    None

    Examples
    --------
    >>> product_of_column("CARNK: UCB"), product_of_column("CART")
    ('CARNK', 'CART')
    """
    return group.partition(BETWEEN)[0]

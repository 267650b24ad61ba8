"""The settings of ad-hoc work in a notebook: those of the package, with a fixed seed."""

from __future__ import annotations

from datetime import date
from functools import cache

from interim.study import Study

_SEED = 1


@cache
def adhoc_study() -> Study:
    """Return a study that states nothing but the defaults of the package.

    Parameters
    ----------
    None

    Returns
    -------
    Study
        Without data; ``study.seed`` is fixed, so that draws are the same in every run.

    Raises
    ------
    None
    """
    settings = {
        "study": {"id": "AD-HOC", "seed": _SEED},
        "data": {"path": "none", "cut_date": date(2000, 1, 1)},
    }
    return Study.model_validate(settings)

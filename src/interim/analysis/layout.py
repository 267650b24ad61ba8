"""The rows that the questions print and the limits that the report's layout fixes, read from data."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def printed_rows() -> dict[str, Any]:
    """Return the content of ``rows.toml``.

    Parameters
    ----------
    None

    Returns
    -------
    dict
        Tables demography, disease, survival and dlt.

    Raises
    ------
    None

    Examples
    --------
    >>> printed_rows()["survival"]["landmark_months"]["PFS"]
    [3, 6]
    """
    return tomllib.loads(files("interim.analysis").joinpath("rows.toml").read_text(encoding="utf-8"))

"""Adam: the analysis datasets that every question reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

import pandas as pd

from interim.errors import Finding


@dataclass(frozen=True)
class Adam:
    """Analysis datasets with CDISC names, and what their derivation found.

    Attributes
    ----------
    datasets : mapping of str to pandas.DataFrame
        ADSL, ADEX, ADAE, ADDLT, ADTOX, ADLB, ADVS, ADTR, ADRS, ADTTE, ADSUB, ADPC, ADPP, ADPPLZ, ADPCUSE, ADCKCM, ADCY, ADCYPP, ADBM; one row as its module says; SRCDOM and SRCSEQ name source records.
    cut : datetime.datetime
        Data cut-off.
    findings : tuple of Finding
        Findings of the data room and of the derivations, sorted.
    missing : mapping of str to str
        Dataset that is not available -> reason; of finished datasets also parameters (``ADRS.DCR``), variables of ADSL
        (``ADSL.NACTDT``), and ``SDTM``, the source records.
    rules : tuple of (str, str, str)
        Every derivation check: rule id, severity, "run" or "not run: reason".
    """

    datasets: Mapping[str, pd.DataFrame]
    cut: datetime
    findings: tuple[Finding, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[tuple[str, str, str], ...] = ()

    def __post_init__(self) -> None:
        """Freeze the mappings."""
        object.__setattr__(self, "datasets", MappingProxyType(dict(self.datasets)))
        object.__setattr__(self, "missing", MappingProxyType(dict(self.missing)))

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return one dataset; KeyError with the reason if it is not available."""
        if name not in self.datasets:
            raise KeyError(f"{name} is not available: {self.missing.get(name, 'unknown dataset')}")
        return self.datasets[name]

    def has(self, *names: str) -> bool:
        """Tell whether all these datasets could be derived.

        Parameters
        ----------
        *names : str
            Dataset names.

        Returns
        -------
        bool
            True if each is present.

        Raises
        ------
        None
        """
        return all(name in self.datasets for name in names)

    def lacks(self, *names: str) -> str:
        """Return why something is not available.

        Parameters
        ----------
        *names : str
            Datasets (``ADRS``), or parameters and variables of a finished dataset (``ADRS.DCR``, ``ADSL.NACTDT``).

        Returns
        -------
        str
            The reason of the first that is missing, empty if none is.

        Raises
        ------
        None
        """
        return next((self.missing[name] for name in names if name in self.missing), "")

    def __repr__(self) -> str:
        """Return the datasets with their number of rows."""
        rows = ", ".join(f"{name} {len(frame)}" for name, frame in self.datasets.items())
        return f"Adam(cut {self.cut:%Y-%m-%d}; {rows}; {len(self.findings)} findings)"

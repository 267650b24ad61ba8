"""What a run is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

COPIES = ("confidential", "public")


@dataclass(frozen=True)
class Plan:
    """What ``interim run`` was asked for.

    Attributes
    ----------
    study : Path
        Study file.
    notebooks : Path
        Folder of the notebooks.
    reports : Path
        Folder of all reports.
    parameters : mapping of str to object
        Parameters given on the command line; only those that the notebooks declare.
    force : bool
        Build even if the published report is up to date, and use nothing that an earlier build kept.
    cache : Path
        Folder of what builds keep for the next one.
    """

    study: Path
    notebooks: Path = Path("notebooks")
    reports: Path = Path("reports")
    parameters: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False
    cache: Path = Path(".interim/cache")

    @property
    def public(self) -> bool:
        """Whether the public copy is wanted."""
        return self.parameters.get("copy") == COPIES[1]

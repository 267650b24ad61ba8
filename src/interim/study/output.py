"""Parameters of documents, figures, rounding, privacy and parallel work."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from interim.study.tables import Auto, Positive, Table

Cause = Literal["code", "parameter", "correction", "new_data"]


class ReportTable(Table):
    """Documents and how they are made."""

    languages: Annotated[tuple[Literal["zh-CN", "en"], ...], Field(min_length=1)] = ("zh-CN", "en")
    formats: Annotated[tuple[Literal["html", "pdf", "docx", "rtf"], ...], Field(min_length=1)] = (
        "html",
        "pdf",
        "docx",
        "rtf",
    )
    timestamp: Annotated[datetime | None, Auto] = None
    workers: Positive | Literal["auto"] = "auto"
    start_method: Literal["auto", "fork", "spawn"] = "auto"
    timeout_s: Positive = 600
    cache: bool = True
    on_failure: Literal["continue", "stop"] = "continue"

    @model_validator(mode="after")
    def _offset(self) -> Self:
        if self.timestamp is not None and self.timestamp.tzinfo is None:
            raise ValueError("report.timestamp needs an offset, for example 2026-03-04T12:00:00+08:00")
        return self


class PdfTable(Table):
    """PDF output."""

    standards: Annotated[tuple[Literal["a-2a", "a-3a", "ua-1"], ...], Field(min_length=1)] = ("a-2a", "ua-1")
    paper: Literal["a4", "us-letter"] = "a4"

    @model_validator(mode="after")
    def _known_pair(self) -> Self:
        if set(self.standards) not in ({"a-2a", "ua-1"}, {"a-3a", "ua-1"}):
            raise ValueError(
                f"pdf.standards is ['a-2a', 'ua-1'] or ['a-3a', 'ua-1'], found {list(self.standards)}"
            )
        return self


class DocxTable(Table):
    """Word output."""

    fields: Literal["dirty", "static"] = "dirty"


class FigureTable(Table):
    """Figures."""

    dpi: Annotated[int, Field(ge=150, le=600)] = 300


class AltTable(Table):
    """Text alternatives."""

    min_chars: dict[Literal["en", "zh-CN"], Positive] = Field(default={"en": 40, "zh-CN": 15})


class RoundingTable(Table):
    """Rounding at display."""

    mode: Literal["half_up", "half_even"] = "half_up"
    guard_digits: Positive = 12


class ChangeTable(Table):
    """Change report between two cut-offs."""

    order: tuple[Cause, ...] = ("code", "parameter", "correction", "new_data")

    @model_validator(mode="after")
    def _permutation(self) -> Self:
        if sorted(self.order) != ["code", "correction", "new_data", "parameter"]:
            raise ValueError(f"change.order must name each of the four causes once, found {list(self.order)}")
        return self


class PrivacyTable(Table):
    """Public copies."""

    small_cell_min: Annotated[int, Field(ge=3, le=10)] = 3


class ParallelTable(Table):
    """Parallel work."""

    chunk_ms: Annotated[float, Field(gt=0)] = 50

"""The data room: files in, checked SDTM frames at the data cut-off out."""

from __future__ import annotations

from interim.data.model import LedgerLine, Sdtm, Source
from interim.data.opening import open_data

__all__ = ["LedgerLine", "Sdtm", "Source", "open_data"]

"""Writers: what a reader read, as Parquet, Dataset-JSON or a workbook, with labels and types."""

from __future__ import annotations

from interim.data.write.tables import write_dataset_json, write_parquet
from interim.data.write.workbook import Sheet, write_workbook

__all__ = ["Sheet", "write_dataset_json", "write_parquet", "write_workbook"]

"""Mapping: the files of a source become SDTM domains, with declared codes, formats and units only."""

from __future__ import annotations

from interim.data.mapping.apply import Mapped, map_table
from interim.data.mapping.files import Delivery, deliveries, read_mapping
from interim.data.mapping.model import Column, Mapping, Source, TableMap
from interim.data.mapping.plain import sdtm_records
from interim.data.mapping.redcap import REDCAP_RULES, instrument_table, read_dictionary

__all__ = [
    "REDCAP_RULES",
    "Column",
    "Delivery",
    "Mapped",
    "Mapping",
    "Source",
    "TableMap",
    "deliveries",
    "instrument_table",
    "map_table",
    "read_dictionary",
    "read_mapping",
    "sdtm_records",
]

"""Tables as files: workbooks, comma-separated text and Parquet, told apart by what is in them, not by their ending."""

from lipei.gateways.tables.reading import sheets
from lipei.gateways.tables.sheet import NotATable, Sheet
from lipei.gateways.tables.writing import Writer, writer

__all__ = ["NotATable", "Sheet", "Writer", "sheets", "writer"]

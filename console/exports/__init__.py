"""Lists of contacts as files: CSV, XLSX, SORMAS's contact import. Columns: docs/exports.md."""

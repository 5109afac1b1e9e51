"""Anyone's check-ins become scans: read, check, shift, register the venues, publish, report."""

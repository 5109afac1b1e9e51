"""Dashboards: what each panel asks, why, and what good looks like; JSON made from it."""

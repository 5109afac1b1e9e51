"""The tables, as SQLAlchemy sees them. What makes them is `migrations/`; a test compares both."""

from console.store.tables.access import api_keys, producers
from console.store.tables.base import metadata
from console.store.tables.cards import cards
from console.store.tables.cases import case_history, case_venues, cases
from console.store.tables.contacts import (
    contact_handovers,
    contact_history,
    contact_pairs,
    contact_visits,
    contact_work,
)
from console.store.tables.coverage import postings, required, required_lists
from console.store.tables.erasures import erasures
from console.store.tables.inspections import inspection_photos, inspection_steps, inspections
from console.store.tables.plumbing import counters, outbox
from console.store.tables.register import codes, places, site_history, sites, sources
from console.store.tables.reminders import reminder_batches, reminder_items, reminders
from console.store.tables.staff import headcounts

__all__ = [
    "api_keys",
    "cards",
    "case_history",
    "case_venues",
    "cases",
    "codes",
    "contact_handovers",
    "contact_history",
    "contact_pairs",
    "contact_visits",
    "contact_work",
    "counters",
    "erasures",
    "headcounts",
    "inspection_photos",
    "inspection_steps",
    "inspections",
    "metadata",
    "outbox",
    "places",
    "postings",
    "producers",
    "reminder_batches",
    "reminder_items",
    "reminders",
    "required",
    "required_lists",
    "site_history",
    "sites",
    "sources",
]

"""What the store refuses, in one sentence that can be shown as it is."""

from schemas.errors import UserError


class NotFound(UserError):
    """There is no such record."""


class Conflict(UserError):
    """The record is in a state that does not admit this change."""

"""The three kinds of error: who can mend it decides what happens next."""


class InvalidEvent(ValueError):
    """This record can never be accepted: it goes to the dead letters with its reason."""


class Retryable(RuntimeError):
    """A neighbour is away or slow: back off, then the same batch again."""


class Fatal(RuntimeError):
    """Going on would lose or falsify something: stop, say why, lose nothing."""


class UserError(Exception):
    """Something the person at the keyboard can mend: one clear sentence, exit code 1."""

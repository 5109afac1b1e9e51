"""Rule-sets: what a dated rule says about windows, clauses and questions, as data.

To add one: a file in `tracer/data`, with its source. What was not read in its source makes it
`incomplete`, and `missing` says which fact.
"""

import tomllib
from collections.abc import Container, Iterable
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.cases import Case
from schemas.clock import LOCAL
from schemas.errors import UserError

NonEmpty = Annotated[str, Field(min_length=1)]
Days = Annotated[int, Field(ge=0, le=60)]
Level = Annotated[int, Field(ge=1)]


class RuleSetError(UserError, ValueError):
    """A rule-set file is wrong: `what` names file and field."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Tệp bộ quy tắc sai: {what} / A rule-set file is wrong: {what}")


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Data):
    """The same sentence in both languages."""

    vi: NonEmpty
    en: NonEmpty


class Source(_Data):
    """The document a rule-set comes from."""

    name: NonEmpty
    issued_by: NonEmpty
    date: date


class WindowRule(Text):
    """Local calendar days before onset (without symptoms: before sampling), and what ends it."""

    days_before_onset: Days
    days_before_sampling: Days
    until: Annotated[tuple[Literal["isolated_at", "negative_at"], ...], Field(min_length=1)]


class WarningRule(Text):
    """What makes a warning of the case's stays, and how much a minute of each day weighs.

    A stay of the case shorter than `drop_under_minutes` is dropped; others are prolonged by
    their own length, at most `prolong_at_most_minutes`, and rounded to `round_to_minutes`
    (`tracer.warning`). Days are UTC. Levels, by day: `from_onset` (days after onset, before it
    negative); without an onset by days before registration: `without_symptoms`, or
    `symptoms_unknown`, from the day itself on. A day that is not listed weighs nothing, one more
    than `max_age_days` ago neither. `weights`: of levels 1, 2, …. Weighted minutes of one day
    from `high_from` on are high, above zero low.
    """

    drop_under_minutes: Annotated[int, Field(ge=0)]
    prolong_at_most_minutes: Annotated[int, Field(ge=0)]
    round_to_minutes: Annotated[int, Field(ge=1, le=60)]
    from_onset: dict[int, Level]
    without_symptoms: Annotated[tuple[Level, ...], Field(min_length=1)]
    symptoms_unknown: Annotated[tuple[Level, ...], Field(min_length=1)]
    weights: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)]
    high_from: Annotated[float, Field(gt=0)]
    max_age_days: Days

    @model_validator(mode="after")
    def _together(self) -> Self:
        if not self.from_onset:
            raise ValueError("from_onset: names no day")
        levels = (*self.from_onset.values(), *self.without_symptoms, *self.symptoms_unknown)
        if max(levels) > len(self.weights):
            raise ValueError(f"weights: level {max(levels)} has no weight")
        return self


class Clause(Text):
    """One way to be a contact, with what a scan can exclude and what is still to ask.

    `spaces`: `any`, or `near` (within 2 m or in the same narrow closed space; distance is a
    question, so no place excludes it). `min_minutes` is of one exposure. `place_kinds`,
    `place_sectors`: a place of none of both excludes the clause, and so does a gate of these
    sectors; one whose kind is not known does not; without both, no place does. `fulfilled_by`: the
    answers that all together fulfil it, each of which excludes it otherwise; a clause without is
    an officer's.
    """

    id: NonEmpty
    spaces: Literal["any", "near"]
    min_minutes: Annotated[int, Field(ge=0)]
    place_kinds: Annotated[tuple[NonEmpty, ...], Field(min_length=1)] = ()
    place_sectors: Annotated[tuple[NonEmpty, ...], Field(min_length=1)] = ()
    questions: Annotated[tuple[NonEmpty, ...], Field(min_length=1)]
    fulfilled_by: dict[str, Literal["yes", "no"]] = {}

    @property
    def of_some_places(self) -> bool:
        """Whether it makes sense at these kinds of place, or in these sectors, only."""
        return bool(self.place_kinds or self.place_sectors)


class Question(Text):
    """A fact no scan knows. `not_asked_at`: places that answer it already."""

    id: NonEmpty
    not_asked_at: Literal["small_enclosed"] | None = None


class KnownLater(Text):
    """A later rule known to exist and not applied: every result says so."""

    date: date
    source: NonEmpty


class RuleSet(_Data):
    """A dated rule-set. Without clauses it proposes by co-presence only.

    Exactly one of `window` and `warning` says when the case may have passed it on. `chosen`:
    `by_date` for the rules of a country, which apply by themselves; `by_hand` only if a case
    names them.
    """

    id: NonEmpty
    date: date
    languages: tuple[Literal["vi"], Literal["en"]]
    status: Literal["complete", "incomplete"]
    missing: tuple[Text, ...]
    source: Source
    title: Text
    chosen: Literal["by_date", "by_hand"] = "by_date"
    f2: bool
    f2_note: Text
    window: WindowRule | None = None
    warning: WarningRule | None = None
    co_presence: Text
    clauses: tuple[Clause, ...]
    questions: tuple[Question, ...]
    known_later: tuple[KnownLater, ...] = ()

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.window is None) == (self.warning is None):
            raise ValueError("window, warning: exactly one of the two is required")
        known = [question.id for question in self.questions]
        clauses = [clause.id for clause in self.clauses]
        for name, ids in (("clauses", clauses), ("questions", known)):
            if len(set(ids)) != len(ids):
                raise ValueError(f"{name}: an id is there twice")
        for clause in self.clauses:
            for question in clause.questions:
                if question not in known:
                    raise ValueError(
                        f"clauses.{clause.id}.questions: {question!r} is not a question"
                    )
            if clause.fulfilled_by and set(clause.fulfilled_by) != set(clause.questions):
                raise ValueError(f"clauses.{clause.id}.fulfilled_by: answers other questions")
        if (self.status == "incomplete") != bool(self.missing):
            raise ValueError("missing: an incomplete rule-set, and no other, says what is missing")
        if not (self.clauses or self.warning) and self.status == "complete":
            raise ValueError("clauses: a complete rule-set has an F1 definition or weights")
        return self


def parse_rule_set(text: str, file: str) -> RuleSet:
    """The rule-set in a data file's text. Raises RuleSetError naming file and field."""
    try:
        return RuleSet.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise RuleSetError(f"{file}: not TOML: {error}") from None
    except ValidationError as error:
        wrong = "; ".join(
            ": ".join(
                filter(
                    None,
                    (
                        ".".join(str(part) for part in e["loc"]),
                        e["msg"].removeprefix("Value error, "),
                    ),
                )
            )
            for e in error.errors()
        )
        raise RuleSetError(f"{file}: {wrong}") from None


def load_rule_sets(
    directory: Traversable | None = None,
    kinds: Container[str] | None = None,
    sectors: Container[str] | None = None,
) -> tuple[RuleSet, ...]:
    """All rule-sets of a directory (default: this package's), by date; those by hand last.

    Every `*.toml` is one, but `stays-*.toml`. `kinds` and `sectors`: of places, the only ones
    that a clause may name: a misspelt one would narrow it in silence. Raises RuleSetError on the
    first that is wrong, or when two have the same id, or the same date and are chosen by it.
    """
    directory = resources.files("tracer.data") if directory is None else directory
    found: dict[str, RuleSet] = {}
    for file in sorted(directory.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml") or file.name.startswith("stays-"):
            continue
        rule_set = parse_rule_set(file.read_text("utf-8"), file.name)
        if kinds is not None:
            _check_names(file.name, rule_set, "kind", kinds)
        if sectors is not None:
            _check_names(file.name, rule_set, "sector", sectors)
        for other_file, other in found.items():
            if other.id == rule_set.id:
                raise RuleSetError(f"{file.name}: id: the same as in {other_file}")
            by_date = other.chosen == rule_set.chosen == "by_date"
            if by_date and other.date == rule_set.date:
                raise RuleSetError(f"{file.name}: date: the same as in {other_file}")
        found[file.name] = rule_set
    return tuple(sorted(found.values(), key=lambda r: (r.chosen == "by_hand", r.date)))


def _check_names(file: str, rule_set: RuleSet, of: str, known: Container[str]) -> None:
    """`of`: `kind` or `sector`."""
    for clause in rule_set.clauses:
        field = f"place_{of}s"
        for name in getattr(clause, field):
            if name not in known:
                raise RuleSetError(f"{file}: clauses.{clause.id}.{field}: no {of} {name!r}")


def choose(rule_sets: Iterable[RuleSet], registered_on: date) -> RuleSet:
    """The newest rule-set dated on or before the day of registration (Asia/Ho_Chi_Minh).

    Of those chosen by date. Raises ValueError if there is none.
    """
    in_force = [r for r in rule_sets if r.chosen == "by_date" and r.date <= registered_on]
    if not in_force:
        raise ValueError(f"no rule-set is dated on or before {registered_on:%d/%m/%Y}")
    return max(in_force, key=lambda rule_set: rule_set.date)


def rule_set_of(rule_sets: Iterable[RuleSet], case: Case) -> RuleSet:
    """The rule-set a case names, else the one of its day of registration.

    Raises ValueError if the named one is not loaded, or none applies.
    """
    rule_sets = tuple(rule_sets)
    if case.rule_set is None:
        return choose(rule_sets, case.registered_at.astimezone(LOCAL).date())
    for rule_set in rule_sets:
        if rule_set.id == case.rule_set:
            return rule_set
    raise ValueError(f"rule_set: {case.rule_set!r} is not loaded")

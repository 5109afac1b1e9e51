"""What was mistyped, in a sentence of both languages, and where to read how it is written."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from typer.exceptions import TyperException

_NAMED: Final = re.compile(r"^'.*' is not one of (.+?)\.?$", re.DOTALL)


def usage_of(error: TyperException) -> tuple[str, str]:
    """Of a command line that cannot be read."""
    kind = type(error).__name__
    said = getattr(error, "format_message", lambda: str(error))().rstrip(".")
    if kind == "NoSuchOption":
        name = getattr(error, "option_name", "")
        vi, en = f"không có tuỳ chọn {name}", f"there is no option {name}"
        return _with(vi, en, getattr(error, "possibilities", None))
    if kind == "MissingParameter":
        name = _name(error)
        return f"thiếu {name}", f"{name} is missing"
    if kind == "BadParameter":
        vi, en = _problem(error)
        return f"{_name(error)}: {vi}", f"{_name(error)}: {en}"
    command = re.match(r"No such command '(.*?)'(?:\. Did you mean (.+?)\??)?$", said)
    if command:
        name, close = command.groups()
        vi, en = f"không có lệnh {name}", f"there is no command {name}"
        return _with(vi, en, re.findall(r"'(.+?)'", close or ""))
    extra = re.match(r"Got unexpected extra argument(?:s|\(s\))? \((.*)\)$", said)
    if extra:
        return f"thừa: {extra[1]}", f"one too many: {extra[1]}"
    value = re.match(r"Option '(.+?)' requires (?:an argument|\d+ arguments)$", said)
    if value:
        return f"{value[1]}: thiếu giá trị", f"{value[1]} needs a value"
    flag = re.match(r"Option '(.+?)' does not take a value$", said)
    if flag:
        return f"{flag[1]} không có giá trị", f"{flag[1]} takes no value"
    return "lệnh viết sai", said


def _with(vi: str, en: str, close: Sequence[str] | None) -> tuple[str, str]:
    if not close:
        return vi, en
    names = ", ".join(close)
    return f"{vi}; có phải {names}?", f"{en}; did you mean {names}?"


def _name(error: TyperException) -> str:
    parameter = getattr(error, "param", None)
    if parameter is None:
        return "…"
    options = [name for name in parameter.opts if name.startswith("-")]
    return max(options, key=len) if options else str(parameter.get_error_hint()).strip("'")


def _problem(error: TyperException) -> tuple[str, str]:
    from console.wordings import problem_said

    problems: Sequence[Mapping[str, Any]] = getattr(error.__cause__, "errors", list)()
    vi, en = (
        problem_said(problems[0])
        if problems
        else ("giá trị không hợp lệ", "the value is not valid")
    )
    choices = _NAMED.match(en)
    if choices:
        names = choices[1].replace("'", "")
        vi, en = f"phải là một trong: {names}", f"it must be one of: {names}"
    return vi[:1].lower() + vi[1:].rstrip("."), en[:1].lower() + en[1:].rstrip(".")

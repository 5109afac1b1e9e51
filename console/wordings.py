"""What a value has wrong, in both languages: the same on the command line and over HTTP.

By the codes of pydantic's checks, whose own English says things that nobody typed.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "missing": ("Thiếu trường này.", "This field is missing."),
    "extra_forbidden": ("Không có trường này.", "There is no such field."),
    "json_invalid": ("Không phải JSON hợp lệ.", "This is not valid JSON."),
    "string_pattern_mismatch": ("Viết sai dạng.", "This is not in its canonical form."),
    "timestamp": (
        "Thời điểm phải viết đúng dạng YYYY-MM-DDTHH:MM:SS.mmmZ.",
        "A time is written exactly YYYY-MM-DDTHH:MM:SS.mmmZ.",
    ),
    "string_type": ("Phải là chữ.", "It must be text."),
    "string_too_long": (
        "Dài nhất {max_length} ký tự.",
        "It has {max_length} characters at most.",
    ),
    "string_too_short": (
        "Ít nhất {min_length} ký tự.",
        "It has {min_length} characters at least.",
    ),
    "too_long": ("Nhiều nhất {max_length} mục.", "It has {max_length} items at most."),
    "too_short": ("Ít nhất {min_length} mục.", "It has {min_length} items at least."),
    "less_than": ("Phải nhỏ hơn {lt}.", "It must be less than {lt}."),
    "less_than_equal": ("Lớn nhất là {le}.", "It is {le} at most."),
    "greater_than": ("Phải lớn hơn {gt}.", "It must be greater than {gt}."),
    "greater_than_equal": ("Nhỏ nhất là {ge}.", "It is {ge} at least."),
    "literal_error": ("Phải là một trong: {expected}.", "It must be one of: {expected}."),
    "enum": ("Phải là một trong: {expected}.", "It must be one of: {expected}."),
}
# By how a code begins: int_parsing, int_type and int_from_float are one thing to a person.
_FAMILIES: Final[tuple[tuple[str, tuple[str, str]], ...]] = (
    ("int_", ("Phải là số nguyên.", "It must be a whole number.")),
    ("float_", ("Phải là một số.", "It must be a number.")),
    ("finite_", ("Phải là một số.", "It must be a number.")),
    ("bool_", ("Phải là true hoặc false.", "It must be true or false.")),
    ("uuid_", ("Phải là một UUID.", "It must be a UUID.")),
    ("datetime_", ("Thời điểm viết sai dạng.", "The time is not written as it should be.")),
    ("timezone_", ("Thời điểm thiếu múi giờ.", "The time has no time zone.")),
    ("date_", ("Ngày phải viết dạng YYYY-MM-DD.", "A date is written YYYY-MM-DD.")),
    ("time_", ("Giờ phải viết dạng HH:MM.", "A time of day is written HH:MM.")),
    ("model_", ("Phải là một đối tượng JSON.", "It must be a JSON object.")),
    ("dict_", ("Phải là một đối tượng JSON.", "It must be a JSON object.")),
    ("list_", ("Phải là một danh sách.", "It must be a list.")),
    ("tuple_", ("Phải là một danh sách.", "It must be a list.")),
    ("path_", ("Phải là một đường dẫn.", "It must be a path.")),
)
_UNCLEAR: Final = ("Giá trị không hợp lệ.", "The value is not valid.")


def problem_said(problem: Mapping[str, Any]) -> tuple[str, str]:
    """One of pydantic's problems, in Vietnamese and English; never with the value itself.

    A check of ours, a ValueError that says `vi / en`, is taken as it is.
    """
    code, context = str(problem["type"]), problem.get("ctx") or {}
    found = _SENTENCES.get(code)
    if found is not None:
        vi, en = (text.format_map(context) for text in found)
        return vi.replace("' or '", "', '"), en.replace("' or '", "', '")
    ours = str(context.get("error", problem.get("msg", "")))
    vi, slash, en = ours.partition(" / ")
    if slash:
        return vi, en
    if code == "value_error":
        return _UNCLEAR[0], ours
    return next((said for begins, said in _FAMILIES if code.startswith(begins)), _UNCLEAR)


def _written(text: str) -> str:
    if any(not c.isprintable() and c not in "\n\t" for c in text):
        vi, en = "Có ký tự điều khiển.", "It has control characters."
        raise PydanticCustomError("unprintable", f"{vi} / {en}")
    return text


# On text that people write and read: no control character goes to a poster or a database.
Written: Final = AfterValidator(_written)

"""What a value has wrong is said in both languages, and never in pydantic's own words."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from console.wordings import Written, problem_said


class Asked(BaseModel):
    """Some of all that is asked for."""

    number: Annotated[int, Field(ge=1, le=9)] = 1
    text: Annotated[str, Field(min_length=2, max_length=3), Written] = "ab"
    one: Literal["a", "b"] = "a"
    many: Annotated[list[float], Field(max_length=1)] = []
    whole: dict[str, bool] = {}


@pytest.mark.parametrize(
    ("given", "vi", "en"),
    [
        ({"number": "x"}, "Phải là số nguyên.", "It must be a whole number."),
        ({"number": 0}, "Nhỏ nhất là 1.", "It is 1 at least."),
        ({"number": 10}, "Lớn nhất là 9.", "It is 9 at most."),
        ({"text": 7}, "Phải là chữ.", "It must be text."),
        ({"text": "a"}, "Ít nhất 2 ký tự.", "It has 2 characters at least."),
        ({"text": "abcd"}, "Dài nhất 3 ký tự.", "It has 3 characters at most."),
        ({"text": "a\x00"}, "Có ký tự điều khiển.", "It has control characters."),
        ({"one": "c"}, "Phải là một trong: 'a', 'b'.", "It must be one of: 'a', 'b'."),
        ({"many": [1, 2]}, "Nhiều nhất 1 mục.", "It has 1 items at most."),
        ({"many": "x"}, "Phải là một danh sách.", "It must be a list."),
        ({"whole": 1}, "Phải là một đối tượng JSON.", "It must be a JSON object."),
        ({"whole": {"a": "?"}}, "Phải là true hoặc false.", "It must be true or false."),
    ],
)
def test_what_is_wrong_is_said_in_both_languages(
    given: dict[str, object], vi: str, en: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate(given)
    assert problem_said(caught.value.errors()[0]) == (vi, en)


def test_text_may_have_lines_and_accents() -> None:
    assert Asked.model_validate({"text": "ữ\n"}).text == "ữ\n"

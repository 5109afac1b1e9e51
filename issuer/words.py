"""Numbers in words, Vietnamese and English, 1 to 1,023: a code's version on its poster."""

from typing import Final

LARGEST: Final = 1023

_VI: Final = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_EN: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS: Final = (
    "",
    "",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
)


def vietnamese(number: int) -> str:
    """`21` is *hai mươi mốt*, `1005` *một nghìn không trăm linh năm*. Raises ValueError."""
    _check(number)
    thousands, hundreds, rest = number // 1000, number // 100 % 10, number % 100
    words = [f"{_VI[thousands]} nghìn"] if thousands else []
    if hundreds or (thousands and rest):
        words.append(f"{_VI[hundreds]} trăm")
    if rest:
        words.append(_vi_below_100(rest, after=bool(words)))
    return " ".join(words)


def _vi_below_100(number: int, after: bool) -> str:
    tens, ones = divmod(number, 10)
    if tens == 0:
        return f"linh {_VI[ones]}" if after else _VI[ones]
    head = "mười" if tens == 1 else f"{_VI[tens]} mươi"
    if ones == 0:
        return head
    # after mươi and mười: mốt, tư, lăm
    tail = {1: "mốt" if tens > 1 else "một", 4: "tư" if tens > 1 else "bốn", 5: "lăm"}
    return f"{head} {tail.get(ones, _VI[ones])}"


def english(number: int) -> str:
    """`21` is *twenty-one*, `1005` *one thousand and five*. Raises ValueError."""
    _check(number)
    thousands, hundreds, rest = number // 1000, number // 100 % 10, number % 100
    words = [f"{_EN[thousands]} thousand"] if thousands else []
    if hundreds:
        words.append(f"{_EN[hundreds]} hundred")
    if rest:
        words += ["and"] if words else []
        tens, ones = divmod(rest, 10)
        words.append(_EN[rest] if rest < 20 else _TENS[tens] + (f"-{_EN[ones]}" if ones else ""))
    return " ".join(words)


def _check(number: int) -> None:
    if not 1 <= number <= LARGEST:
        raise ValueError(f"{number} is not 1 to {LARGEST}")

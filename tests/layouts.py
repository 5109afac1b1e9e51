"""What keyboard layouts and input methods make of a token: models of their own, forwards.

They share nothing with the inverses in `issuer/delivered.py`.
"""

from unicodedata import normalize

TONES = "\u0301\u0300\u0309\u0303\u0323"  # of the keys S F R X J, and 1 to 5
CIRCUMFLEX, BREVE = "\u0302", "\u0306"

# a French keyboard under a scanner for a US one: the key, and the key with Shift
FRENCH = dict(zip("1234567890", "&é\"'(-è_çà", strict=True)) | {
    "Q": "A", "A": "Q", "W": "Z", "Z": "W", "M": "?", ":": "M", "/": "!", ".": ":", "-": ")",
}  # fmt: skip
GERMAN = {"Y": "Z", "Z": "Y", "/": "-", ":": "Ö", "-": "ß"}
INVERTED = dict(zip("1234567890/-.", "!@#$%^&*()?_>", strict=True))


def french(text: str) -> str:
    """AZERTY."""
    return "".join(FRENCH.get(c, c) for c in text)


def german(text: str) -> str:
    """QWERTZ."""
    return "".join(GERMAN.get(c, c) for c in text)


def inverted(text: str) -> str:
    """Caps lock in a program that takes Shift for it: letters lower, digits to signs."""
    return "".join(INVERTED.get(c, c.lower()) for c in text)


def telex(text: str) -> str:
    """A double letter and W make shapes, S F R X J tones on the last vowel of the letters so far;
    the same again takes it away and stays as a letter, Z takes a tone away."""
    typed = _Typed()
    for key in text:
        if key in "AE" and typed.shape(key, CIRCUMFLEX, last=True):
            continue
        if key == "D" and typed.letters[-1:] == ["D"]:
            typed.letters[-1] = "Đ"
        elif key == "W" and typed.shape("A", BREVE, last=True):
            continue
        elif key == "W":
            typed.letters.append(normalize("NFD", "Ư"))
        elif key in "SFRXJ":
            typed.tone(TONES["SFRXJ".index(key)], key)
        elif key == "Z" and typed.untone():
            continue
        elif key.isdigit():
            typed.end(key)
        else:
            typed.letters.append(key)
    return typed.whole()


def vni(text: str) -> str:
    """1 to 5 are tones, 6 and 8 shapes, 9 makes Đ, 0 takes a tone away; else they are digits."""
    typed = _Typed()
    for key in text:
        if key in "12345" and typed.vowel() is not None:
            typed.tone(TONES["12345".index(key)], key)
        elif (
            (key == "6" and (typed.shape("A", CIRCUMFLEX) or typed.shape("E", CIRCUMFLEX)))
            or (key == "8" and typed.shape("A", BREVE))
            or (key == "0" and typed.untone())
        ):
            continue
        elif key == "9" and "D" in typed.letters:
            typed.letters[typed.letters.index("D")] = "Đ"
        elif key.isdigit():
            typed.end(key)
        else:
            typed.letters.append(key)
    return typed.whole()


class _Typed:
    """The text so far, and the letters of the word that is being typed, decomposed."""

    def __init__(self) -> None:
        self.done = ""
        self.letters: list[str] = []

    def vowel(self) -> int | None:
        """Where the last vowel of the word is."""
        found = [i for i, letter in enumerate(self.letters) if letter[0] in "AEYU"]
        return found[-1] if found else None

    def shape(self, letter: str, mark: str, last: bool = False) -> bool:
        """Give the last such vowel this shape, if it has none."""
        at = self.vowel()
        if at is None or (last and at != len(self.letters) - 1):
            return False
        if self.letters[at][0] != letter or {CIRCUMFLEX, BREVE} & set(self.letters[at]):
            return False
        self.letters[at] = letter + mark + self.letters[at][1:]
        return True

    def tone(self, mark: str, key: str) -> None:
        """Put the tone on the last vowel; the same again takes it away."""
        at = self.vowel()
        if at is None:
            self.letters.append(key)
        elif mark in self.letters[at]:
            self.letters[at] = self.letters[at].replace(mark, "")
            self.letters.append(key)
        else:
            bare = "".join(c for c in self.letters[at] if c not in TONES)
            self.letters[at] = bare + mark

    def untone(self) -> bool:
        """Take the tone away; whether there was one."""
        at = self.vowel()
        if at is None or not set(TONES) & set(self.letters[at]):
            return False
        self.letters[at] = "".join(c for c in self.letters[at] if c not in TONES)
        return True

    def end(self, key: str) -> None:
        """A character that ends the word."""
        self.done += "".join(self.letters) + key
        self.letters = []

    def whole(self) -> str:
        """As a program gets it, composed."""
        self.end("")
        return normalize("NFC", self.done)

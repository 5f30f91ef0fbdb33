"""Accounts and identities: can this number be what it is said to be, and is this account the payee's?

Pure checks of form and check digits. They find slips of the pen before money is sent; they do not prove that an account
or a person exists. Each check answers with the key of a text (`lipei.norms.texts`) or with None where nothing is wrong.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Literal

AccountKind = Literal["iban", "cn_card", "other"]
NameMatch = Literal["exact", "close", "different"]

_SEPARATORS = re.compile(r"[\s\-‐‑–—]+")
_IBAN_SHAPE = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{8,30}")
_CARD_SHAPE = re.compile(r"[0-9]{16,19}")
_OTHER_SHAPE = re.compile(r"[A-Z0-9]+")
_BANK_CODE = re.compile(
    r"[0-9]{12}|[0-9]{7}|[0-9]{3}|[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?"
)  # CNAPS, TW, HK, BIC
_OTHER_LENGTHS = range(5, 35)  # below: no bank has such numbers; above: ISO 20022 has no room (Max34Text)

# Whole length of an IBAN by country: SWIFT IBAN registry, release 101.
_IBAN_COUNTRIES_BY_LENGTH = {
    15: "NO",
    16: "BE",
    18: "DK FI FK FO GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU YE",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
IBAN_LENGTHS = {country: length for length, codes in _IBAN_COUNTRIES_BY_LENGTH.items() for country in codes.split()}

# The first two digits of a resident ID: provinces (GB/T 2260), 81–83 residence permits for Hong Kong, Macao and Taiwan
# residents, 9x permanent residence cards of foreigners (since 2023).
_ID_PROVINCES = frozenset(
    str(code)
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
    for code in range(first, last + 1)
)
_ID_SHAPE = re.compile(r"[1-9][0-9]{16}[0-9X]")
_ID_CHECK_CHARACTERS = "10X98765432"  # ISO 7064 mod 11-2, by remainder
_EARLIEST_BIRTH = date(1900, 1, 1)

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015: no I, O, S, V, Z
_USCC_SHAPE = re.compile(rf"[{_USCC_ALPHABET}]{{2}}[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}")

_PHONE_FILLERS = re.compile(r"[\s\-().‐‑–—]+")
_DIALLING_CODES = {"CN": "86", "HK": "852", "TW": "886"}
# National numbers (without trunk zero) that the numbering plans allow. CN: mobile, landline with area code, 400/800.
_PHONE_SHAPES = {
    "CN": re.compile(r"1[3-9][0-9]{9}|(10|2[0-9])[0-9]{8}|[3-9][0-9]{2}[0-9]{7,8}|[48]00[0-9]{7}"),
    "HK": re.compile(r"[2-9][0-9]{7}"),
    "TW": re.compile(r"9[0-9]{8}|[2-8][0-9]{7,8}"),
}
# Of these, the numbers that take text messages: mobiles. HK: 2 and 3 begin landlines.
_MOBILE_SHAPES = {
    "CN": re.compile(r"1[3-9][0-9]{9}"),
    "HK": re.compile(r"[4-9][0-9]{7}"),
    "TW": re.compile(r"9[0-9]{8}"),
}
_INTERNATIONAL_SHAPE = re.compile(r"\+[1-9][0-9]{6,14}")  # ITU-T E.164: at most 15 digits

# Middle dots of transliterated names as people, banks and registers write them.
_NAME_FILLERS = re.compile(r"[\s·•・･‧∙⋅.．,，'’`´\-‐‑–—_]+")
_LEGAL_FORM_LONG, _LEGAL_FORM_SHORT = "有限责任公司", "有限公司"
_CLOSE_NAME_LENGTH_MIN = 6  # shorter names differ in a letter because they are different people


def compact_account(*, number: str) -> str:
    """The account number as it is compared, checked and sent: half-width, capitals, no blanks or hyphens."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", number)).upper()


def compact_bank(*, code: str) -> str:
    """The bank code as it is checked and sent: half-width, capitals, no blanks or hyphens."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", code)).upper()


def check_bank_code(*, number: str, code: str) -> str | None:
    """Why the bank could not be found by this code; an account without one is found only where the number is an IBAN."""
    code = compact_bank(code=code)
    if not code:
        return None if account_kind(number=number) == "iban" else "refusal.bank_code"
    return None if _BANK_CODE.fullmatch(code) else "refusal.bank_code"


def account_kind(*, number: str) -> AccountKind:
    """What the number looks like: ``iban``, ``cn_card`` (mainland bank card) or ``other`` (corporate, HK, TW …).

    Sixteen to nineteen digits are a card if they begin with 62 (UnionPay, a wrong check digit is then a slip), or with
    3, 4 or 5 (older cards) and the check digit agrees. Corporate accounts of that length have no check digit.
    """
    number = compact_account(number=number)
    if _IBAN_SHAPE.fullmatch(number):
        return "iban"
    if _CARD_SHAPE.fullmatch(number) and (number.startswith("62") or (number[0] in "345" and _luhn_agrees(number))):
        return "cn_card"
    return "other"


def check_account(*, number: str, kind: str) -> str | None:
    """What is wrong with an account number of this kind, as a text key; None if nothing is.

    Cards: 16–19 digits with the Luhn check digit (ISO/IEC 7812-1). IBAN: length of the country and mod 97 (ISO 13616).
    Other accounts carry no check digit that all banks share: length and characters only.
    """
    number = compact_account(number=number)
    if not number:
        return "refusal.account_empty"
    if kind == "iban":
        return _check_iban(number)
    if kind == "cn_card":
        return _check_card(number)
    if kind == "other":
        return _check_other_account(number)
    return "refusal.account_kind"


def check_resident_id(*, number: str, today: date) -> str | None:
    """What is wrong with an 18-character resident ID number (居民身份证, GB 11643), as a text key; None if nothing is.

    Checked: shape, province, a birth date that exists and is not after ``today``, check character (ISO 7064 mod 11-2).
    The fifteen-digit numbers, invalid since 2013, are refused.
    """
    number = compact_id(number=number)
    if len(number) != 18:
        return "refusal.resident_id_length"
    if not _ID_SHAPE.fullmatch(number):
        return "refusal.resident_id_characters"
    if number[:2] not in _ID_PROVINCES and number[0] != "9":
        return "refusal.resident_id_region"
    born_on = _birth_date(number)
    if born_on is None or not _EARLIEST_BIRTH <= born_on <= today:
        return "refusal.resident_id_birth_date"
    remainder = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(number[:17])) % 11
    return None if number[17] == _ID_CHECK_CHARACTERS[remainder] else "refusal.resident_id_check_digit"


def resident_birth_date(*, number: str) -> date | None:
    """The birth date within a resident ID number; None where the number has none."""
    number = compact_id(number=number)
    return _birth_date(number) if _ID_SHAPE.fullmatch(number) else None


def check_uscc(*, number: str) -> str | None:
    """What is wrong with a unified social credit code (统一社会信用代码), as a text key; None if nothing is.

    Checked: shape and the mod 31 check character of GB 32100-2015.
    """
    number = compact_id(number=number)
    if len(number) != 18:
        return "refusal.uscc_length"
    if not _USCC_SHAPE.fullmatch(number):
        return "refusal.uscc_characters"
    total = sum(_USCC_ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(number[:17]))
    return None if number[17] == _USCC_ALPHABET[-total % 31] else "refusal.uscc_check_digit"


def normal_phone(*, number: str, region: str = "CN") -> str:
    """The number in international form, ``+8613800138000``; empty where it cannot be a telephone number.

    ``region`` (CN, HK, TW or any other) says how a number without a country code is meant; outside the three, only
    numbers with a country code are understood.
    """
    dialled = _PHONE_FILLERS.sub("", unicodedata.normalize("NFKC", number))
    dialled = re.sub(r"^00(?=[1-9])", "+", dialled)
    for home, code in _DIALLING_CODES.items():
        if dialled.startswith("+" + code):
            national = dialled.removeprefix("+" + code).removeprefix("0")
            return f"+{code}{national}" if _PHONE_SHAPES[home].fullmatch(national) else ""
    if dialled.startswith("+"):
        return dialled if _INTERNATIONAL_SHAPE.fullmatch(dialled) else ""
    if region not in _PHONE_SHAPES:
        return ""
    return _home_phone(dialled, region)


def text_phone(*, number: str, region: str = "CN") -> str:
    """As `normal_phone`, and empty also for a landline or service number: no text message arrives there.

    Of countries whose plan is not known here every number is tried.
    """
    normal = normal_phone(number=number, region=region)
    for home, code in _DIALLING_CODES.items():
        if normal.startswith("+" + code):
            return normal if _MOBILE_SHAPES[home].fullmatch(normal.removeprefix("+" + code)) else ""
    return normal


def check_phone(*, number: str, region: str = "CN") -> str | None:
    """``refusal.phone_impossible`` where this cannot be a telephone number; None where it can."""
    return None if normal_phone(number=number, region=region) else "refusal.phone_impossible"


def match_names(*, account_name: str, payee_name: str) -> NameMatch:
    """How the name on the account compares with the name of the payee.

    ``exact``: the same but for width, case, blanks, middle dots and the like. ``close``: a person should look: the
    words of a Latin name in another order, a company's legal form shortened, one letter different in a long name.
    ``different``: anything else, empty names included. Two short names that differ in a letter are different people.
    """
    ours, theirs = _plain_name(payee_name), _plain_name(account_name)
    if not ours or not theirs:
        return "different"
    if ours == theirs:
        return "exact"
    if _words(payee_name) == _words(account_name):
        return "close"
    ours, theirs = (name.replace(_LEGAL_FORM_LONG, _LEGAL_FORM_SHORT) for name in (ours, theirs))
    if ours == theirs:
        return "close"
    long_enough = min(len(ours), len(theirs)) >= _CLOSE_NAME_LENGTH_MIN
    return "close" if long_enough and _one_edit_apart(ours, theirs) else "different"


def _check_iban(number: str) -> str | None:
    if not _IBAN_SHAPE.fullmatch(number):
        return "refusal.iban_characters"
    length = IBAN_LENGTHS.get(number[:2])
    if length is None:
        return "refusal.iban_country"
    if len(number) != length:
        return "refusal.iban_length"
    as_digits = "".join(str(int(char, 36)) for char in number[4:] + number[:4])
    return None if int(as_digits) % 97 == 1 else "refusal.account_check_digit"


def _check_card(number: str) -> str | None:
    if not (number.isascii() and number.isdigit()):
        return "refusal.account_characters"
    if not _CARD_SHAPE.fullmatch(number):
        return "refusal.account_card_length"
    return None if _luhn_agrees(number) else "refusal.account_check_digit"


def _check_other_account(number: str) -> str | None:
    if not _OTHER_SHAPE.fullmatch(number):
        return "refusal.account_characters"
    return None if len(number) in _OTHER_LENGTHS else "refusal.account_length"


def _luhn_agrees(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B: every second digit from the right is doubled, its digits added up."""
    values = [int(digit) for digit in reversed(digits)]
    return (sum(values[0::2]) + sum(sum(divmod(2 * value, 10)) for value in values[1::2])) % 10 == 0


def compact_id(*, number: str) -> str:
    """The number of a document without spaces and hyphens, in one form of digits and letters."""
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", number)).upper()


def _birth_date(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def _home_phone(dialled: str, region: str) -> str:
    """A number dialled within its own region, with or without the trunk zero where the plan has one."""
    landline = dialled.startswith("0")
    national = dialled.removeprefix("0") if region != "HK" else dialled
    if not _PHONE_SHAPES[region].fullmatch(national):
        return ""
    # In the mainland a number without the zero is a mobile or a service number: a landline needs its area code.
    if region == "CN" and not landline and not re.match(r"1[3-9]|[48]00", national):
        return ""
    return f"+{_DIALLING_CODES[region]}{national}"


def _plain_name(name: str) -> str:
    return _NAME_FILLERS.sub("", unicodedata.normalize("NFKC", name)).casefold()


def _words(name: str) -> list[str]:
    return sorted(word for word in _NAME_FILLERS.split(unicodedata.normalize("NFKC", name).casefold()) if word)


def _one_edit_apart(one: str, other: str) -> bool:
    """Whether one letter changed, added or left out turns one name into the other."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1:
        return False
    same = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    return one[same + (len(one) == len(other)) :] == other[same + 1 :]

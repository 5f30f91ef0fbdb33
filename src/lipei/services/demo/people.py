"""People and things of the demonstration company: invented, with numbers whose check digits agree. By chance alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉萍红建文玲志慧宇欣怡梓涵浩然子轩雨桐"
_REGIONS = (("上海", "310104", "沪A"), ("杭州", "330106", "浙A"), ("南京", "320102", "苏A"), ("苏州", "320508", "苏E"))
_STREETS = ("漕溪北路", "中山南路", "人民路", "解放东路", "和平街", "新华路", "长江路", "建设西路", "延安中路")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    name: str
    phone: str
    id_number: str
    card: str
    region: str
    plate: str
    address: str


def card(seed: int) -> str:
    """A bank card number with its check digit (ISO/IEC 7812-1)."""
    body = f"622202020011{seed:06d}"
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


def failing_card(seed: int) -> str:
    """A card to which the demonstration bank pays nothing: its number ends in 0004 (account closed)."""
    return next(number for n in range(seed, seed + 200_000) if (number := card(n)).endswith("0004"))


def resident_id(area: str, born: date, sequence: int) -> str:
    """A resident identity number with its check character (GB 11643)."""
    body = f"{area}{born:%Y%m%d}{sequence:03d}"
    rest = sum(int(digit) * weight for digit, weight in zip(body, _ID_WEIGHTS, strict=True)) % 11
    return body + "10X98765432"[rest]


def person(chance: Random, number: int) -> Person:
    """The next person; ``number`` keeps phones, cards and plates apart."""
    name = chance.choice(_SURNAMES) + "".join(chance.choices(_GIVEN, k=chance.choice((1, 2, 2))))
    region, area, letters = chance.choice(_REGIONS)
    born = date(1960, 1, 1) + timedelta(days=chance.randrange(16_000))
    return Person(
        name=name,
        phone=f"139{number:04d}{chance.randrange(10_000):04d}",
        id_number=resident_id(area, born, chance.randrange(1, 999)),
        card=card(1_000 + number),
        region=region,
        plate=f"{letters}{chance.randrange(10)}{number:04d}",
        address=f"{region}市{chance.choice(_STREETS)}{chance.randrange(1, 900)}号",
    )

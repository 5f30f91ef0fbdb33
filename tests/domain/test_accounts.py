"""Check digits and names. The standard's own examples, an independent implementation, and every single slip."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as stdnum_iban
from stdnum import luhn as stdnum_luhn
from stdnum.cn import ric as stdnum_ric
from stdnum.cn import uscc as stdnum_uscc

from lipei.domain import accounts

TODAY = date(2026, 3, 2)


def with_luhn(body: str) -> str:
    return body + stdnum_luhn.calc_check_digit(body)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (with_luhn("622202020011223001"), "cn_card"),
        (with_luhn("62284800100200300"), "cn_card"),
        ("6222020200112230010", "cn_card"),  # begins like a card, so a wrong check digit is a slip, not a company
        (with_luhn("402600000000000"), "cn_card"),
        ("0200001209000123456", "other"),  # a company's account of nineteen digits
        ("GB82 WEST 1234 5698 7654 32", "iban"),
        ("012-345-678901", "other"),
        ("", "other"),
    ],
)
def test_kind_of_an_account_is_read_from_its_shape(number, kind):
    assert accounts.account_kind(number=number) == kind


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        ("DE89 3704 0044 0532 0130 00", "iban", None),
        ("de89370400440532013000", "iban", None),
        ("DE88370400440532013000", "iban", "refusal.account_check_digit"),
        ("DE8937040044053201300", "iban", "refusal.iban_length"),
        ("ZZ89370400440532013000", "iban", "refusal.iban_country"),
        ("CN89370400440532013000", "iban", "refusal.iban_country"),  # the mainland has no IBAN
        ("not an iban", "iban", "refusal.iban_characters"),
        ("62220202001122", "cn_card", "refusal.account_card_length"),
        ("6222o20200112230013", "cn_card", "refusal.account_characters"),
        ("1001 2345 0920 0123 456", "other", None),
        ("４４２０１５０１１００", "other", None),  # typed full-width
        ("1234", "other", "refusal.account_length"),
        ("1" * 35, "other", "refusal.account_length"),
        ("账号1234567", "other", "refusal.account_characters"),
        ("", "cn_card", "refusal.account_empty"),
        ("  - ", "other", "refusal.account_empty"),
        ("123456", "wallet", "refusal.account_kind"),
    ],
)
def test_accounts(number, kind, code):
    assert accounts.check_account(number=number, kind=kind) == code


@given(st.text("0123456789", min_size=13, max_size=16).map(lambda body: with_luhn("62" + body)), st.data())
def test_any_single_slip_in_a_card_is_found(number, data):
    assert accounts.check_account(number=number, kind="cn_card") is None
    place = data.draw(st.integers(0, len(number) - 1))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != number[place]]))
    slipped = number[:place] + digit + number[place + 1 :]
    assert accounts.check_account(number=slipped, kind="cn_card") == "refusal.account_check_digit"


@given(st.sampled_from(sorted(accounts.IBAN_LENGTHS)), st.data())
def test_ibans_agree_with_an_independent_check(country, data):
    length = accounts.IBAN_LENGTHS[country] - 4
    bban = data.draw(st.text("0123456789", min_size=length, max_size=length))
    digits = data.draw(st.sampled_from([stdnum_iban.calc_check_digits(country + "00" + bban), "02", "51"]))
    number = country + digits + bban
    right = stdnum_iban.calc_check_digits(number) == digits
    assert (accounts.check_account(number=number, kind="iban") is None) == right


@pytest.mark.parametrize(
    "number", ["FR1420041010050500013M02606", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"]
)
def test_ibans_of_the_registry_are_right(number):
    assert stdnum_iban.is_valid(number)
    assert accounts.check_account(number=number, kind="iban") is None


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("11010519491231002X", None),  # the example of GB 11643
        ("11010519491231002x", None),
        ("440524188001010014", "refusal.resident_id_birth_date"),  # right check digit, born in 1880
        ("110105194912310021", "refusal.resident_id_check_digit"),
        ("110105491231002", "refusal.resident_id_length"),
        ("11010519491231OO2X", "refusal.resident_id_characters"),
        ("99010519490231002X", "refusal.resident_id_birth_date"),
        ("11010519490230002X", "refusal.resident_id_birth_date"),  # the 30th of February
        ("110105202612310021", "refusal.resident_id_birth_date"),  # not born yet
        ("77010519491231002X", "refusal.resident_id_region"),
        ("", "refusal.resident_id_length"),
    ],
)
def test_resident_ids(number, code):
    assert accounts.check_resident_id(number=number, today=TODAY) == code


@given(
    st.dates(date(1900, 1, 1), TODAY),
    st.sampled_from(["110105", "440524", "310115", "810000", "830000", "911234"]),
    st.integers(0, 999),
    st.sampled_from("0123456789X"),
)
def test_resident_ids_agree_with_an_independent_check(born_on, region, order, check):
    number = f"{region}{born_on:%Y%m%d}{order:03d}{check}"
    right = stdnum_ric.calc_check_digit(number) == check
    assert (accounts.check_resident_id(number=number, today=TODAY) is None) == right
    assert accounts.resident_birth_date(number=number) == born_on


def test_birth_date_of_something_else_is_none():
    assert accounts.resident_birth_date(number="passport E12345678") is None


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("91110000600037341L", None),
        ("9111 0000 6000 3734 1l", None),
        ("91110000600037342L", "refusal.uscc_check_digit"),
        ("9111000060003734", "refusal.uscc_length"),
        ("9111000060003734IL", "refusal.uscc_characters"),
    ],
)
def test_unified_social_credit_codes(number, code):
    assert accounts.check_uscc(number=number) == code


USCC_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@given(
    st.text("0123456789", min_size=6, max_size=6),
    st.text(USCC_LETTERS, min_size=9, max_size=9),
    st.sampled_from(USCC_LETTERS),
)
def test_credit_codes_agree_with_an_independent_check(division, organisation, check):
    body = "91" + division + organisation
    assert (accounts.check_uscc(number=body + check) is None) == (stdnum_uscc.calc_check_digit(body) == check)


@pytest.mark.parametrize(
    ("number", "region", "normal"),
    [
        ("138 0013 8000", "CN", "+8613800138000"),
        ("+86 138-0013-8000", "HK", "+8613800138000"),
        ("008613800138000", "CN", "+8613800138000"),
        ("１３８００１３８０００", "CN", "+8613800138000"),
        ("010-6552 9988", "CN", "+861065529988"),
        ("(0755) 8888 1234", "CN", "+8675588881234"),
        ("400 810 1234", "CN", "+864008101234"),
        ("12800138000", "CN", ""),
        ("1380013800", "CN", ""),
        ("138001380000", "CN", ""),
        ("65529988", "CN", ""),  # a landline without its area code
        ("9123 4567", "HK", "+85291234567"),
        ("+852 2123 4567", "CN", "+85221234567"),
        ("0912 3456", "HK", ""),
        ("0912-345-678", "TW", "+886912345678"),
        ("(02) 2345-6789", "TW", "+886223456789"),
        ("+886 2 2345 6789", "CN", "+886223456789"),
        ("+44 20 7946 0958", "CN", "+442079460958"),
        ("020 7946 0958", "GB", ""),
        ("+12", "CN", ""),
        ("+1234567890123456", "CN", ""),
        ("no phone", "CN", ""),
        ("", "CN", ""),
    ],
)
def test_phones(number, region, normal):
    assert accounts.normal_phone(number=number, region=region) == normal
    assert accounts.check_phone(number=number, region=region) == (None if normal else "refusal.phone_impossible")


@given(st.text())
def test_a_normal_phone_is_its_own_normal_form(number):
    normal = accounts.normal_phone(number=number)
    assert not normal or accounts.normal_phone(number=normal, region="none") == normal


@pytest.mark.parametrize(
    ("account_name", "payee_name", "match"),
    [
        ("张三", "张三", "exact"),
        ("张 三", "张三", "exact"),
        ("张\u3000三", "张三", "exact"),
        ("阿卜杜拉·买买提", "阿卜杜拉•买买提", "exact"),
        ("阿卜杜拉买买提", "阿卜杜拉·买买提", "exact"),
        ("ＺＨＡＮＧ ＳＡＮ", "Zhang San", "exact"),
        ("中国（上海）贸易有限公司", "中国(上海)贸易有限公司", "exact"),
        ("San Zhang", "ZHANG SAN", "close"),
        ("上海通达汽车维修有限责任公司", "上海通达汽车维修有限公司", "close"),
        ("上海通达汽车维修有限公司", "上海通大汽车维修有限公司", "close"),
        ("Jonathan Smith", "Johnathan Smith", "close"),
        ("张三", "张山", "different"),
        ("李四", "张三", "different"),
        ("张三丰", "张三", "different"),
        ("上海通达汽车维修有限公司", "北京通大汽车维修有限公司", "different"),
        ("", "张三", "different"),
        ("", "", "different"),
        ("··", "··", "different"),
    ],
)
def test_names(account_name, payee_name, match):
    assert accounts.match_names(account_name=account_name, payee_name=payee_name) == match


@given(st.text(max_size=20), st.text(max_size=20))
def test_comparing_names_has_no_direction(one, other):
    assert accounts.match_names(account_name=one, payee_name=other) == accounts.match_names(
        account_name=other, payee_name=one
    )


@given(st.text())
def test_no_input_breaks_a_check(text):
    for kind in ("iban", "cn_card", "other"):
        accounts.check_account(number=text, kind=kind)
    accounts.check_account(number=text, kind=accounts.account_kind(number=text))
    accounts.check_resident_id(number=text, today=TODAY)
    accounts.check_uscc(number=text)


@pytest.mark.parametrize(
    "number, region, to",
    [
        ("13800138000", "CN", "+8613800138000"),
        ("+86 138 0013 8000", "HK", "+8613800138000"),
        ("021-62345678", "CN", ""),
        ("4008123456", "CN", ""),
        ("23456789", "HK", ""),
        ("91234567", "HK", "+85291234567"),
        ("02-23456789", "TW", ""),
        ("0912345678", "TW", "+886912345678"),
        ("+442079460000", "CN", "+442079460000"),
        ("no phone", "CN", ""),
    ],
)
def test_a_text_message_goes_to_mobiles_only(number, region, to):
    assert accounts.text_phone(number=number, region=region) == to

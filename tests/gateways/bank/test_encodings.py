"""Answers of a bank that are not in UTF-8: read as they declare it, and no more believed than any other file."""

from __future__ import annotations

import pytest
from tests.gateways.bank.test_files import BOMB, LATER, ONE, brief, receive, submitted

from lipei.gateways.bank.messages import load

__all__ = ["submitted"]  # a fixture


@pytest.mark.parametrize(
    ("declared", "codec", "said"),
    [
        ("GBK", "gbk", "余额不足"), ("gb2312", "gb2312", "余额不足"), ("GB18030", "gb18030", "余额不足"),
        ("GB2312", "gbk", "户名应为朱镕"), ("Big5", "big5", "餘額不足"), ("BIG5-HKSCS", "big5hkscs", "餘額不足"),
        ("UTF-16", "utf-16", "余额不足"),
    ],
)  # fmt: skip
def test_an_answer_in_the_encoding_that_it_declares_is_read(submitted, folder, bank, declared, codec, said):
    status = bank.status_report("A", [(ONE, "RJCT", "AC04")]).decode()
    status = status.replace("<Cd>AC04</Cd></Rsn>", f"<Cd>AC04</Cd></Rsn><AddtlInf>{said}</AddtlInf>")
    receive(folder, status.replace("UTF-8", declared).encode(codec), "1.xml")
    assert brief(submitted.poll(LATER)) == [(ONE, "failed", "AC04")]
    assert submitted.refusals() == []


def test_text_in_another_encoding_keeps_its_characters(bank):
    content = bank.status_report("A", [(ONE, "RJCT", "AC04")]).decode().replace("BANK-1", "镕㐀𠀀", 1)
    accepts = {"pain.002.001": {10}}
    plain = load(content.encode(), accepts=accepts)
    assert load(content.replace("UTF-8", "gb18030", 1).encode("gb18030"), accepts=accepts) == plain


@pytest.mark.parametrize(
    "content",
    [
        BOMB.replace(b'"1.0"?', b'"1.0" encoding="GBK"?'),
        b'<?xml version="1.0" encoding="GBK"?><x>\xff\xff</x>',
        b'<?xml version="1.0" encoding="GBK"?><x>\xd6</x>',
        b'<?xml version="1.0" encoding="utf-7"?><x/>',
        b'<?xml version="1.0" encoding="zlib"?><x/>',
    ],
)
def test_no_encoding_is_a_way_around_what_a_file_may_not_be(submitted, folder, content):
    receive(folder, content, "odd.xml")
    submitted.poll(LATER)
    assert [r.code for r in submitted.refusals()] == ["refusal.bank_file_xml"]

"""Short messages by the provider's signed protocol, against a local counterpart that checks everything."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl
from wsgiref.simple_server import make_server

import httpx
import pytest

from lipei.gateways.channels import CallbackRefused, DeliveryReport, Inquiry, Message, Receipt
from lipei.gateways.channels.sms import SmsAccount, SmsChannel, callback_query
from lipei.gateways.channels.sms.counterpart import Counterpart, serving
from lipei.gateways.channels.sms.signing import authorization

NOW = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
NUMBER = "+8613800138000"
SECRET = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
ACCOUNT = SmsAccount(
    secret_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
    secret_key=SECRET,
    sdk_app_id="1400006666",
    sign_name="理赔中心",
    callback_key="callback-key",
    templates={"claim_received:zh-hans": "1110", "claim_received:en": "1111"},
)
MESSAGE = Message(
    id="delivery-42",
    to=NUMBER,
    text="您的案件 LP2026000042 已受理，处理人张敏。",
    language="zh-hans",
    template="claim_received",
    params=("LP2026000042", "张敏"),
)


@dataclass
class Time:
    """The counterpart's clock."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def provider(clock: Time) -> Counterpart:
    return Counterpart(
        secret_id=ACCOUNT.secret_id,
        secret_key=SECRET,
        sdk_app_id=ACCOUNT.sdk_app_id,
        sign_name=ACCOUNT.sign_name,
        templates={"1110": 2, "1111": 2},
        clock=clock,
    )


@pytest.fixture
def channel(provider: Counterpart) -> Iterator[SmsChannel]:
    with serving(provider) as endpoint:
        yield SmsChannel(replace(ACCOUNT, endpoint=endpoint))


def test_the_signature_is_the_providers_published_example() -> None:
    """https://cloud.tencent.com/document/api/213/30654 (Signature v3), the POST example."""
    payload = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    given = authorization(
        secret_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        secret_key="Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        service="cvm",
        timestamp=1551113065,
        payload=payload,
        headers={"Host": "cvm.tencentcloudapi.com", "Content-Type": "application/json; charset=utf-8"},
    )
    assert given == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, "
        "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )


@pytest.mark.norm("2.4.1")
def test_a_message_arrives_with_its_template_and_its_values(channel: SmsChannel, provider: Counterpart) -> None:
    receipt = channel.send(MESSAGE, now=NOW)
    assert receipt.outcome == "accepted"
    (sent,) = provider.sent
    assert receipt.provider_id == sent.serial
    assert (sent.number, sent.template, sent.params) == (NUMBER, "1110", ("LP2026000042", "张敏"))
    assert sent.session == "delivery-42"


@pytest.mark.parametrize(
    ("account", "reason", "detail"),
    [
        (replace(ACCOUNT, secret_key="wrong"), "not_admitted", "AuthFailure.SignatureFailure"),
        (replace(ACCOUNT, secret_id="nobody"), "not_admitted", "AuthFailure.SecretIdNotFound"),
        (replace(ACCOUNT, sdk_app_id="1"), "not_admitted", "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
        (replace(ACCOUNT, sign_name="x"), "not_admitted", "FailedOperation.SignatureIncorrectOrUnapproved"),
    ],
)
def test_a_wrong_account_is_ours_to_mend_and_loses_no_message(
    channel: SmsChannel, provider: Counterpart, account: SmsAccount, reason: str, detail: str
) -> None:
    mistaken = SmsChannel(replace(account, endpoint=channel.account.endpoint))
    assert mistaken.send(MESSAGE, now=NOW) == Receipt("failed", reason=reason, detail=detail)
    assert provider.sent == []


@pytest.mark.parametrize(("minutes", "outcome"), [(-6, "failed"), (-4, "accepted"), (4, "accepted"), (6, "failed")])
def test_a_clock_that_goes_wrong_by_more_than_five_minutes(channel: SmsChannel, minutes: int, outcome: str) -> None:
    receipt = channel.send(MESSAGE, now=NOW + timedelta(minutes=minutes))
    assert receipt.outcome == outcome
    if outcome == "failed":
        assert receipt.detail == "AuthFailure.SignatureExpire"


def tampering(change: Callable[[httpx.Request], httpx.Request]) -> httpx.BaseTransport:
    """Somebody on the line, who alters what passes."""

    class Line(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            with httpx.Client() as client:
                return client.send(change(request))

    return Line()


def other_body(request: httpx.Request) -> httpx.Request:
    content = request.read().replace(b"13800138000", b"13900139000")
    return httpx.Request("POST", request.url, headers=request.headers, content=content)


def other_action(request: httpx.Request) -> httpx.Request:
    headers = request.headers.copy()
    headers["X-TC-Action"] = "PullSmsSendStatusByPhoneNumber"
    return httpx.Request("POST", request.url, headers=headers, content=request.read())


@pytest.mark.parametrize("change", [other_body, other_action])
def test_what_is_altered_on_the_way_is_noticed(
    channel: SmsChannel, provider: Counterpart, change: Callable[[httpx.Request], httpx.Request]
) -> None:
    receipt = SmsChannel(channel.account, tampering(change)).send(MESSAGE, now=NOW)
    assert receipt.detail == "AuthFailure.SignatureFailure"
    assert provider.sent == []


@pytest.mark.parametrize(
    ("code", "receipt"),
    [
        ("InvalidParameterValue.IncorrectPhoneNumber", Receipt("rejected", reason="address_refused")),
        ("FailedOperation.PhoneNumberInBlacklist", Receipt("rejected", reason="address_refused")),
        ("FailedOperation.ContainSensitiveWord", Receipt("rejected", reason="message_refused")),
        ("FailedOperation.TemplateIncorrectOrUnapproved", Receipt("rejected", reason="no_template")),
        (
            "LimitExceeded.PhoneNumberThirtySecondLimit",
            Receipt("failed", reason="throttled", retry_after=timedelta(seconds=30)),
        ),
        ("LimitExceeded.PhoneNumberDailyLimit", Receipt("failed", reason="throttled")),
        ("FailedOperation.InsufficientBalanceInSmsPackage", Receipt("failed", reason="not_admitted")),
        ("InternalError.Timeout", Receipt("unknown", reason="unclear_answer")),
    ],
)
def test_each_answer_of_the_provider_has_its_meaning(
    channel: SmsChannel, provider: Counterpart, code: str, receipt: Receipt
) -> None:
    provider.answer_with(NUMBER, code)
    assert channel.send(MESSAGE, now=NOW) == replace(receipt, detail=code)
    assert provider.sent == []


def test_a_template_with_other_values_than_approved_is_refused(channel: SmsChannel) -> None:
    receipt = channel.send(replace(MESSAGE, params=("one",)), now=NOW)
    assert (receipt.outcome, receipt.reason) == ("rejected", "no_template")


def test_a_language_without_template_goes_to_the_next_channel(channel: SmsChannel, provider: Counterpart) -> None:
    receipt = channel.send(replace(MESSAGE, language="zh-hant"), now=NOW)
    assert receipt == Receipt("rejected", reason="no_template", detail="claim_received:zh-hant")
    assert provider.sent == []


@pytest.mark.parametrize(
    "number", ["", "13800138000", "+86 138 0013 8000", "+0123456789", "+86138001380001234", "张敏"]
)
def test_a_number_that_cannot_be_is_never_sent(channel: SmsChannel, provider: Counterpart, number: str) -> None:
    assert channel.send(replace(MESSAGE, to=number), now=NOW).reason == "address_refused"
    assert provider.sent == []


def raising(error: type[httpx.HTTPError]) -> httpx.BaseTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        raise error("broken")

    return httpx.MockTransport(handle)


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (httpx.ConnectError, "failed", "unreachable"),
        (httpx.ConnectTimeout, "failed", "unreachable"),
        (httpx.ReadTimeout, "unknown", "connection_lost"),
        (httpx.ReadError, "unknown", "connection_lost"),
        (httpx.RemoteProtocolError, "unknown", "connection_lost"),
    ],
)
def test_before_and_after_the_request_left(error: type[httpx.HTTPError], outcome: str, reason: str) -> None:
    receipt = SmsChannel(ACCOUNT, raising(error)).send(MESSAGE, now=NOW)
    assert (receipt.outcome, receipt.reason) == (outcome, reason)


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(502, text="<html>Bad gateway</html>"),
        httpx.Response(200, text=""),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"Response": "ok"}),
        httpx.Response(200, json={"Response": {"SendStatusSet": []}}),
        httpx.Response(200, json={"Response": {"SendStatusSet": [{}]}}),
        httpx.Response(200, json={"Response": {"Error": {}}}),
    ],
)
def test_an_answer_that_says_nothing_leaves_it_unknown(response: httpx.Response) -> None:
    channel = SmsChannel(ACCOUNT, httpx.MockTransport(lambda request: response))
    receipt = channel.send(MESSAGE, now=NOW)
    assert (receipt.outcome, receipt.reason) == ("unknown", "unclear_answer")


class LosesAnswers(httpx.BaseTransport):
    """The request arrives; the answer does not."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with httpx.Client() as client:
            client.send(request)
        raise httpx.ReadTimeout("no answer", request=request)


@pytest.mark.norm("2.4.1")
def test_an_unknown_outcome_is_cleared_up_by_asking(channel: SmsChannel, provider: Counterpart, clock: Time) -> None:
    receipt = SmsChannel(channel.account, LosesAnswers()).send(MESSAGE, now=NOW)
    assert receipt == Receipt("unknown", reason="connection_lost", detail="ReadTimeout")
    later = clock.now = NOW + timedelta(minutes=2)
    report = channel.inquire(Inquiry("delivery-42", NUMBER, NOW), now=later)
    assert report == DeliveryReport(True, "delivery-42", provider.sent[0].serial, NOW, "DELIVRD")
    assert channel.inquire(Inquiry("delivery-43", NUMBER, NOW), now=later) is None, "not ours: another message"
    assert channel.inquire(Inquiry("delivery-42", "+8613900139000", NOW), now=later) is None
    assert len(provider.sent) == 1


def test_a_phone_that_is_off_is_reported(channel: SmsChannel, provider: Counterpart) -> None:
    receipt = channel.send(MESSAGE, now=NOW)
    provider.undelivered.add(NUMBER)
    report = channel.inquire(Inquiry("other", NUMBER, NOW, receipt.provider_id), now=NOW)
    assert report is not None and not report.delivered and report.detail == "UNDELIV"


def test_asking_a_provider_that_is_down_answers_nothing() -> None:
    channel = SmsChannel(ACCOUNT, raising(httpx.ConnectError))
    assert channel.inquire(Inquiry("delivery-42", NUMBER, NOW), now=NOW) is None


@dataclass
class Listener:
    """Our own end of the callback, as a view would be."""

    channel: SmsChannel
    reports: list[DeliveryReport] = field(default_factory=list)

    def __call__(self, environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        try:
            self.reports += self.channel.parse_callback(body, {}, query=dict(parse_qsl(environ["QUERY_STRING"])))
        except CallbackRefused as refused:
            start_response("403 Forbidden" if refused.code == "unsigned" else "400 Bad Request", [])
            return [b""]
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b'{"result": 0, "errmsg": "OK"}']


@pytest.mark.norm("2.4.1")
def test_reports_are_called_back_and_only_by_the_provider(channel: SmsChannel, provider: Counterpart) -> None:
    receipt = channel.send(MESSAGE, now=NOW)
    provider.undelivered.add("+8613900139000")
    channel.send(replace(MESSAGE, id="delivery-43", to="+8613900139000"), now=NOW)
    listener = Listener(channel)
    with make_server("127.0.0.1", 0, listener) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/hooks/sms"
        assert provider.report_all(f"{url}?key={callback_query('callback-key')['key']}") == 200
        assert provider.report_all(f"{url}?key={callback_query('other')['key']}") == 403
        assert provider.report_all(url) == 403
        server.shutdown()
    assert listener.reports[0] == DeliveryReport(True, "delivery-42", receipt.provider_id, NOW, "DELIVRD")
    assert [(r.message_id, r.delivered) for r in listener.reports] == [("delivery-42", True), ("delivery-43", False)]


def test_the_callback_as_the_provider_documents_it() -> None:
    body = json.dumps(
        [
            {
                "user_receive_time": "2015-10-17 08:03:04",
                "nationcode": "86",
                "mobile": "13xxxxxxxxx",
                "report_status": "SUCCESS",
                "errmsg": "DELIVRD",
                "description": "用户短信送达成功",
                "sid": "xxxxxxx",
            }
        ]
    ).encode()
    (report,) = SmsChannel(ACCOUNT).parse_callback(body, {}, query=callback_query("callback-key"))
    assert report == DeliveryReport(True, "", "xxxxxxx", datetime(2015, 10, 17, 0, 3, 4, tzinfo=UTC), "DELIVRD")


@pytest.mark.parametrize(
    "body",
    [b"", b"{}x", b"3", b"null", b"[3]", b'["x"]', b'[{"sid": "1"}]', b'[{"sid": "1", "report_status": "MAYBE"}]',
     b'[{"sid": "1", "report_status": "FAIL", "user_receive_time": "yesterday"}]', b"\xff\xfe"],
)  # fmt: skip
def test_a_callback_in_another_form_is_refused(body: bytes) -> None:
    with pytest.raises(CallbackRefused, match="malformed"):
        SmsChannel(ACCOUNT).parse_callback(body, {}, query=callback_query("callback-key"))


def test_without_a_callback_key_no_callback_is_believed() -> None:
    with pytest.raises(CallbackRefused, match="unsigned"):
        SmsChannel(replace(ACCOUNT, callback_key="")).parse_callback(b"[]", {}, query=callback_query(""))


def test_secrets_are_in_no_log_and_no_repr(channel: SmsChannel, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "httpx", "httpcore"):  # the settings keep the latter two quiet
        caplog.set_level(logging.DEBUG, logger=name)
    channel.send(MESSAGE, now=NOW)
    SmsChannel(ACCOUNT, raising(httpx.ReadError)).send(MESSAGE, now=NOW)
    shown = caplog.text + repr(channel) + repr(ACCOUNT)
    assert "POST" in caplog.text, "the test looks at real log lines"
    for secret in (SECRET, "callback-key", "13800138000", "张敏"):
        assert secret not in shown

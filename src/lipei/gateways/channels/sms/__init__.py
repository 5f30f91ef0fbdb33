"""Short messages through Tencent Cloud SMS (API 2021-01-11): SendSms, delivery reports pulled or called back.

The provider only sends approved templates: our message's name and language are mapped to its template ids by the
set-up. SendSms knows no idempotency key, so an outcome that is not clear is asked about (`inquire`, by number and time,
recognised by the delivery's id in SessionContext) and never sent again on suspicion.

Its delivery callback carries no signature. What proves that a call is the provider's is a key in the callback address,
which only the provider was told (`callback_query`); it is compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx

from lipei.gateways.channels import CallbackRefused, DeliveryReport, Inquiry, Message, Receipt
from lipei.gateways.channels.sms.signing import CONTENT_TYPE, authorization

SERVICE = "sms"
VERSION = "2021-01-11"
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_PROVIDER_ZONE = timezone(timedelta(hours=8))  # the callback's times are Beijing's, without saying so
_BEFORE_SENDING = timedelta(minutes=1)  # the provider's clock and ours differ a little
_PULL_BACK_MAX = timedelta(days=7)  # the provider keeps reports that long

_BY_CODE: tuple[tuple[str, str, str, timedelta | None], ...] = (
    # prefix of the provider's code, outcome, reason, wait; the first that fits
    # https://cloud.tencent.com/document/api/382/52075
    ("InvalidParameterValue.IncorrectPhoneNumber", "rejected", "address_refused", None),
    ("FailedOperation.PhoneNumberInBlacklist", "rejected", "address_refused", None),
    ("FailedOperation.PhoneNumberOnBlacklist", "rejected", "address_refused", None),
    ("UnsupportedOperation.UnsuportedRegion", "rejected", "address_refused", None),  # the provider's spelling
    ("LimitExceeded.PhoneNumberThirtySecondLimit", "failed", "throttled", timedelta(seconds=30)),
    ("LimitExceeded.PhoneNumberOneHourLimit", "failed", "throttled", timedelta(hours=1)),
    ("LimitExceeded.PhoneNumberCountLimit", "rejected", "message_refused", None),
    ("LimitExceeded", "failed", "throttled", None),
    ("RequestLimitExceeded", "failed", "throttled", None),
    ("FailedOperation.InsufficientBalanceInSmsPackage", "failed", "not_admitted", None),
    ("FailedOperation.SignatureIncorrectOrUnapproved", "failed", "not_admitted", None),
    ("InvalidParameterValue.SdkAppIdNotExist", "failed", "not_admitted", None),
    ("AuthFailure", "failed", "not_admitted", None),
    ("UnauthorizedOperation", "failed", "not_admitted", None),
    ("IpInBlacklist", "failed", "not_admitted", None),
    ("IpNotInWhitelist", "failed", "not_admitted", None),
    ("ServiceUnavailable", "failed", "not_now", None),
    ("InternalError", "unknown", "unclear_answer", None),  # among them: a time-out further down the line
    ("FailedOperation.TemplateIncorrectOrUnapproved", "rejected", "no_template", None),
    ("", "rejected", "message_refused", None),
)


@dataclass(frozen=True, slots=True)
class SmsAccount:
    """The provider's account. ``templates`` maps ``"<our message>:<language>"`` to the provider's template id."""

    secret_id: str
    secret_key: str = field(repr=False)
    sdk_app_id: str
    sign_name: str
    callback_key: str = field(default="", repr=False)
    templates: Mapping[str, str] = field(default_factory=dict)
    region: str = "ap-guangzhou"
    endpoint: str = "https://sms.tencentcloudapi.com"
    timeout_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class SmsChannel:
    """Sends through one account. ``transport`` replaces the network in tests."""

    account: SmsAccount
    transport: httpx.BaseTransport | None = field(default=None, repr=False)

    name = "sms"
    can_inquire = True

    def send(self, message: Message, *, now: datetime) -> Receipt:
        """See `Channel.send`. The provider's id is its SerialNo."""
        if not _E164.fullmatch(message.to):
            return Receipt("rejected", reason="address_refused", detail="number")
        template = self.account.templates.get(f"{message.template}:{message.language}")
        if template is None:
            return Receipt("rejected", reason="no_template", detail=f"{message.template}:{message.language}")
        body = {
            "PhoneNumberSet": [message.to],
            "SmsSdkAppId": self.account.sdk_app_id,
            "SignName": self.account.sign_name,
            "TemplateId": template,
            "TemplateParamSet": list(message.params),
            "SessionContext": message.id,
        }
        try:
            answer = self._call("SendSms", body, now=now)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Receipt("failed", reason="unreachable", detail=type(error).__name__)
        except httpx.HTTPError as error:  # the request had left when it broke
            return Receipt("unknown", reason="connection_lost", detail=type(error).__name__)
        return _receipt(answer)

    def inquire(self, inquiry: Inquiry, *, now: datetime) -> DeliveryReport | None:
        """Ask by number and time. None as well where the provider cannot be reached: ask again later."""
        begin = max(inquiry.sent_at - _BEFORE_SENDING, now - _PULL_BACK_MAX)
        body = {
            "SmsSdkAppId": self.account.sdk_app_id,
            "PhoneNumber": inquiry.to,
            "BeginTime": int(begin.timestamp()),
            "EndTime": int(now.timestamp()),
            "Offset": 0,
            "Limit": 100,
        }
        try:
            answer = self._call("PullSmsSendStatusByPhoneNumber", body, now=now)
        except httpx.HTTPError:
            return None
        found = answer.get("PullSmsSendStatusSet")
        for entry in found if isinstance(found, list) else ():
            ids = (entry.get("SerialNo"), entry.get("SessionContext"))
            if (inquiry.provider_id and inquiry.provider_id in ids) or inquiry.message_id in ids:
                return _pulled(entry)
        return None

    def parse_callback(
        self, body: bytes, headers: Mapping[str, str], *, query: Mapping[str, str]
    ) -> list[DeliveryReport]:
        """The reports of a delivery callback (https://cloud.tencent.com/document/product/382/52077).

        Answer the provider ``{"result": 0, "errmsg": "OK"}``, else it calls again. ``headers`` prove nothing here.
        """
        key = self.account.callback_key
        if not key or not hmac.compare_digest(callback_query(key)["key"].encode(), query.get("key", "").encode()):
            raise CallbackRefused("unsigned")
        try:
            entries = json.loads(body)
            if not isinstance(entries, list):
                raise ValueError("no list of reports")
            return [_called_back(entry) for entry in entries]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise CallbackRefused("malformed") from error

    def _call(self, action: str, body: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
        """One signed request; the ``Response`` object, empty if the answer is not the provider's. Raises HTTPError."""
        payload = json.dumps(body, ensure_ascii=False).encode()
        url = httpx.URL(self.account.endpoint)
        timestamp = int(now.timestamp())
        signed = {"Content-Type": CONTENT_TYPE, "Host": url.netloc.decode(), "X-TC-Action": action}
        headers = signed | {
            "X-TC-Version": VERSION,
            "X-TC-Region": self.account.region,
            "X-TC-Timestamp": str(timestamp),
            "Authorization": authorization(
                secret_id=self.account.secret_id,
                secret_key=self.account.secret_key,
                service=SERVICE,
                timestamp=timestamp,
                payload=payload,
                headers=signed,
            ),
        }
        with httpx.Client(transport=self.transport, timeout=self.account.timeout_seconds) as client:
            answer = client.post(url.copy_with(raw_path=b"/"), content=payload, headers=headers)
        try:
            response = answer.json()["Response"]
        except (ValueError, KeyError, TypeError):
            return {}
        return response if isinstance(response, dict) else {}


def callback_query(callback_key: str) -> dict[str, str]:
    """The query of the callback address to be entered with the provider. It is a keyed digest: the key stays here."""
    return {"key": hmac.new(callback_key.encode(), b"lipei sms delivery reports", hashlib.sha256).hexdigest()}


def _receipt(answer: Mapping[str, Any]) -> Receipt:
    error = answer.get("Error")
    if isinstance(error, dict):
        return _refused(str(error.get("Code", "")), "")
    statuses = answer.get("SendStatusSet")
    if not (isinstance(statuses, list) and len(statuses) == 1 and isinstance(statuses[0], dict)):
        return Receipt("unknown", reason="unclear_answer")
    code, serial = str(statuses[0].get("Code", "")), str(statuses[0].get("SerialNo", ""))
    return Receipt("accepted", serial) if code == "Ok" else _refused(code, serial)


def _refused(code: str, serial: str) -> Receipt:
    if not code:
        return Receipt("unknown", serial, "unclear_answer")
    _, outcome, reason, wait = next(row for row in _BY_CODE if code.startswith(row[0]))
    return Receipt(outcome, serial, reason, code, wait)


def _pulled(entry: Mapping[str, Any]) -> DeliveryReport:
    received = entry.get("UserReceiveTime")
    return DeliveryReport(
        delivered=entry.get("ReportStatus") == "SUCCESS",
        message_id=str(entry.get("SessionContext") or ""),
        provider_id=str(entry.get("SerialNo") or ""),
        at=datetime.fromtimestamp(received, UTC) if isinstance(received, int) and received else None,
        detail=str(entry.get("Description") or ""),
    )


def _called_back(entry: Mapping[str, Any]) -> DeliveryReport:
    received = entry.get("user_receive_time")
    local = datetime.strptime(received, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_PROVIDER_ZONE) if received else None
    if entry["report_status"] not in ("SUCCESS", "FAIL"):
        raise ValueError("report_status")
    return DeliveryReport(
        delivered=entry["report_status"] == "SUCCESS",
        message_id=str(entry.get("ext") or ""),
        provider_id=str(entry["sid"]),
        at=local.astimezone(UTC) if local else None,
        detail=str(entry.get("errmsg") or ""),
    )

"""The other end of the SMS protocol, on this machine: for tests and demonstrations, so that nothing leaves the house.

It is as strict as the provider about signature, credential, timestamp (five minutes) and fields, answers in its words
and keeps what it "sent". `answer_with` makes it refuse a number the way the provider would; `report_all` calls the
delivery callback. A WSGI application; `serving` runs it on a thread.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from threading import Lock, Thread
from typing import Any
from uuid import uuid4
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx

from lipei.gateways.channels.sms.signing import ALGORITHM, signature

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<id>[^/]+)/(?P<day>\d{{4}}-\d\d-\d\d)/(?P<service>\w+)/tc3_request, "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
_SKEW_SECONDS_MAX = 300
_BEIJING = timezone(timedelta(hours=8))


class _Refuse(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that the counterpart took."""

    serial: str
    number: str
    template: str
    params: tuple[str, ...]
    session: str
    at: datetime


@dataclass
class Counterpart:
    """One account at the provider. ``clock`` tells its time, so that a simulated one can be given."""

    secret_id: str
    secret_key: str = field(repr=False)
    sdk_app_id: str
    sign_name: str
    templates: Mapping[str, int]  # approved template id → number of its parameters
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    sent: list[Sent] = field(default_factory=list)
    undelivered: set[str] = field(default_factory=set)  # numbers whose phone is off
    _answers: dict[str, str] = field(default_factory=dict)
    _lock: Any = field(default_factory=Lock, repr=False)

    def answer_with(self, number: str, code: str) -> None:
        """From now on answer SendSms to this number with this error code."""
        self._answers[number] = code

    def report_all(self, url: str) -> int:
        """Call the delivery callback with a report on everything sent so far; the HTTP status it answered."""
        return httpx.post(url, content=self.callback_body(), headers={"Content-Type": "application/json"}).status_code

    def callback_body(self) -> bytes:
        """The callback's body, as the provider writes it."""
        return json.dumps([self._called_back(sent) for sent in self.sent], ensure_ascii=False).encode()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request: always 200, the error is in the body."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            with self._lock:
                answer = self._answer(environ, body)
        except _Refuse as refuse:
            answer = {"Error": {"Code": refuse.code, "Message": refuse.message}}
        content = json.dumps({"Response": answer | {"RequestId": str(uuid4())}}, ensure_ascii=False).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]

    def _answer(self, environ: WSGIEnvironment, body: bytes) -> dict[str, Any]:
        self._check_signature(environ, body)
        if environ.get("HTTP_X_TC_VERSION") != "2021-01-11":
            raise _Refuse("NoSuchVersion", "The API version does not exist.")
        actions = {"SendSms": self._send, "PullSmsSendStatusByPhoneNumber": self._pull}
        action = actions.get(environ.get("HTTP_X_TC_ACTION", ""))
        if action is None:
            raise _Refuse("InvalidAction", "The API does not exist.")
        try:
            request = json.loads(body)
            if request["SmsSdkAppId"] != self.sdk_app_id:
                raise _Refuse("UnauthorizedOperation.SmsSdkAppIdVerifyFail", "SmsSdkAppId verification failed.")
            return action(request)
        except (ValueError, KeyError, TypeError) as error:
            raise _Refuse("MissingParameter", f"The parameter is missing or wrong: {error}") from error

    def _check_signature(self, environ: WSGIEnvironment, body: bytes) -> None:
        given = _AUTHORIZATION.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
        stamp = environ.get("HTTP_X_TC_TIMESTAMP", "")
        if given is None or not stamp.isascii() or not stamp.isdigit():
            raise _Refuse("AuthFailure.InvalidAuthorization", "Authorization does not follow the standard.")
        if given["id"] != self.secret_id:
            raise _Refuse("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
        names = given["names"].split(";")
        if abs(int(stamp) - self.clock().timestamp()) > _SKEW_SECONDS_MAX:
            raise _Refuse("AuthFailure.SignatureExpire", "Timestamp and server time differ by more than five minutes.")
        headers = {name: _header(environ, name) for name in names}
        right = signature(
            secret_key=self.secret_key, service="sms", timestamp=int(stamp), payload=body, headers=headers
        )
        day = datetime.fromtimestamp(int(stamp), UTC).strftime("%Y-%m-%d")
        complete = {"content-type", "host"} <= set(names) and (given["day"], given["service"]) == (day, "sms")
        if not complete or not hmac.compare_digest(right, given["signature"]):
            raise _Refuse("AuthFailure.SignatureFailure", "The provided credentials could not be validated.")

    def _send(self, request: Mapping[str, Any]) -> dict[str, Any]:
        template, params = request["TemplateId"], tuple(request["TemplateParamSet"])
        statuses = []
        for number in request["PhoneNumberSet"]:
            code = self._answers.get(number) or self._fault(request["SignName"], template, params)
            serial = "" if code else f"5000:{uuid4().int % 10**22}"
            if not code:
                session = str(request.get("SessionContext", ""))
                self.sent.append(Sent(serial, number, template, params, session, self.clock()))
            status = {"SerialNo": serial, "PhoneNumber": number, "Fee": 0 if code else 1, "Code": code or "Ok"}
            statuses.append(status | {"Message": code or "send success", "IsoCode": "CN", "SessionContext": ""})
        return {"SendStatusSet": statuses}

    def _fault(self, sign_name: str, template: str, params: tuple[str, ...]) -> str:
        if sign_name != self.sign_name:
            return "FailedOperation.SignatureIncorrectOrUnapproved"
        if self.templates.get(template) != len(params):
            return "FailedOperation.TemplateIncorrectOrUnapproved"
        return ""

    def _pull(self, request: Mapping[str, Any]) -> dict[str, Any]:
        begin, end = int(request["BeginTime"]), int(request.get("EndTime", self.clock().timestamp()))
        number, limit = request["PhoneNumber"], int(request["Limit"])
        if int(request["Offset"]) != 0 or not 0 < limit <= 100:
            raise _Refuse("InvalidParameterValue.LimitVerifyFail", "Offset is 0, Limit at most 100.")
        found = [s for s in self.sent if s.number == number and begin <= int(s.at.timestamp()) <= end]
        return {"PullSmsSendStatusSet": [self._pulled(sent) for sent in found[:limit]]}

    def _pulled(self, sent: Sent) -> dict[str, Any]:
        delivered = sent.number not in self.undelivered
        return {
            "UserReceiveTime": int(sent.at.timestamp()),
            "CountryCode": "86",
            "SubscriberNumber": sent.number.removeprefix("+86"),
            "PhoneNumber": sent.number,
            "SerialNo": sent.serial,
            "ReportStatus": "SUCCESS" if delivered else "FAIL",
            "Description": "DELIVRD" if delivered else "UNDELIV",
            "SessionContext": sent.session,
        }

    def _called_back(self, sent: Sent) -> dict[str, Any]:
        pulled = self._pulled(sent)
        return {
            "user_receive_time": sent.at.astimezone(_BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
            "nationcode": "86",
            "mobile": pulled["SubscriberNumber"],
            "report_status": pulled["ReportStatus"],
            "errmsg": pulled["Description"],
            "description": "用户短信送达成功" if pulled["ReportStatus"] == "SUCCESS" else "用户手机关机或不在服务区",
            "sid": sent.serial,
            "ext": sent.session,
        }


@contextmanager
def serving(counterpart: Counterpart, *, port: int = 0) -> Iterator[str]:
    """Run the counterpart on 127.0.0.1 while the block runs; yields its address. Port 0: any free one."""

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: requests carry phone numbers."""

    with make_server("127.0.0.1", port, counterpart, handler_class=Quiet) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _header(environ: WSGIEnvironment, name: str) -> str:
    key = name.upper().replace("-", "_")
    return str(environ.get(key if key == "CONTENT_TYPE" else f"HTTP_{key}", ""))

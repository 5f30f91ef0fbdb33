"""Whatever is sent, an answer comes and it is never our fault: Schemathesis over the description, bounded in time."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from tests.api.conftest import Caller, Office
from tests.company import NOW

from lipei.api.schemas import REPORT
from lipei.services import tokens

SECONDS_MAX = 50
EXAMPLES_EACH = 4
SCOPES = ("claims:read", "claims:write", "worklist:read", "documents:write")


@pytest.fixture
def known(office: Office) -> tuple[Caller, str]:
    """Somebody who may do nearly everything, and a claim to do it on."""
    handler = office.us.rows["handler1"]
    handler.roles = ("handler", "manager", "finance", "assessor", "approver", "surveyor", "expert")
    handler.save()
    made = tokens.make("everything", SCOPES, "handler1", now=NOW)
    assert isinstance(made, str)
    caller = Caller(made)
    body = caller.post("claims", {**REPORT, "exposures": [{"cover": "own_damage", "peril": "collision"}]}).body
    claim = f"claims/{body['number']}"
    for action, more in (
        ("request_papers", {}),
        ("surveys/new/schedule", {"at": "2026-11-24T02:00:00Z", "place": "x"}),
        ("consultations/new/convene", {"question": "?"}),
    ):
        assert caller.post(f"{claim}/{action}", more).status == 200
    return caller, body["number"]


def operations(caller: Caller) -> list[Any]:
    schema = schemathesis.openapi.from_dict(caller.get("openapi.json").body)
    return [operation.ok() for operation in schema.get_all_operations()]


def sent(caller: Caller, case: Any, number: str, *, real: bool) -> Any:
    """Send a generated case; ``real``: on the claim and part 1 that exist, so that rules see what was generated."""
    parts = {str(n): str(v) for n, v in (case.path_parameters or {}).items()}
    if real:
        parts = {n: number if n == "number" else "1" for n in parts}
    path = case.path
    for name, value in parts.items():
        path = path.replace("{" + name + "}", _quoted(value))
    query = "&".join(f"{_quoted(str(n))}={_quoted(str(v))}" for n, v in (case.query or {}).items())
    headers = {
        n.replace("-", "_"): str(v).encode("latin-1", "replace").decode("latin-1")
        for n, v in (case.headers or {}).items()
    }
    headers = {n: v for n, v in headers.items() if v.isprintable() and n != "Authorization"}
    body = case.body if isinstance(case.body, bytes) else None if not _json(case.body) else orjson.dumps(case.body)
    kind = "multipart/form-data; boundary=x" if "documents" in case.path else "application/json"
    return caller.send(case.method, f"{path}?{query}" if query else path, body, **{**headers, "Content_Type": kind})


def _quoted(value: str) -> str:
    from urllib.parse import quote

    return quote(value.encode("utf-8", "replace"), safe="")


def _json(body: Any) -> bool:
    try:
        orjson.dumps(body)
    except TypeError:
        return False
    return not isinstance(body, schemathesis.core.NotSet)


def attack(caller: Caller, number: str, operation: Any, mode: GenerationMode) -> None:
    """Send what is generated for one call; no answer may be our fault, and what went wrong has the one form."""

    @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans())
    @settings(
        max_examples=EXAMPLES_EACH,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case: Any, real: bool) -> None:
        found = sent(caller, case, number, real=real)
        assert found.status < 500, (operation.label, case.body, found.body)
        if found.status >= 400:
            assert found.headers["Content-Type"] == "application/problem+json", operation.label

    run()


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_nothing_that_is_sent_is_our_fault(known: tuple[Caller, str], mode: GenerationMode) -> None:
    caller, number = known
    end = time.process_time() + SECONDS_MAX / len(GenerationMode)
    tried: set[str] = set()
    for operation in operations(caller):
        left = end - time.process_time()  # of our own: others on the machine do not count
        assert left > 0 or len(tried) > 60, "too slow to have tried every call"
        if left <= 0:
            break
        tried.add(operation.label)

        try:
            attack(caller, number, operation, mode)
        except schemathesis.errors.SchemathesisError:
            continue  # a call without anything to get wrong has no negative cases
    assert len(tried) >= 60


FACTS = st.dictionaries(
    st.sampled_from(
        ("fault_percent", "days", "grade", "own_fault_percent", "currency", "departed_at", "hours", "items", "a")
    ),
    st.one_of(
        st.integers(-(2**53), 2**53),
        st.text(max_size=8),
        st.booleans(),
        st.none(),
        st.lists(st.integers(0, 9), max_size=2),
    ),
    max_size=4,
)
AMOUNT = st.builds(
    lambda n, c: {"amount": str(n), "currency": c}, st.integers(0, 10**13), st.sampled_from(("CNY", "USD", "JPY"))
)
ITEM = st.fixed_dictionaries(
    {"what": st.text(max_size=5)},
    optional={
        "claimed": AMOUNT,
        "assessed": AMOUNT,
        "standard": AMOUNT,
        "quantity": st.integers(1, 9999),
        "excluded": st.sampled_from(("", "war")),
    },
)
COVERS = st.sampled_from(
    (
        "own_damage",
        "compulsory_property",
        "compulsory_medical",
        "third_party",
        "driver_passenger",
        "medical_expense",
        "",
    )
)
REPORTS = st.fixed_dictionaries(
    {"story": st.text(min_size=1, max_size=10), "phone": st.just("13800138000")},
    optional={
        "exposures": st.lists(
            st.fixed_dictionaries(
                {"cover": COVERS, "facts": FACTS},
                optional={
                    "items": st.lists(ITEM, max_size=2),
                    "reserve": AMOUNT,
                    "claimant": st.integers(0, 3),
                    "peril": st.sampled_from(("collision", "theft", "flood", "", "x")),
                },
            ),
            max_size=3,
        ),
        "parties": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "roles": st.lists(
                        st.sampled_from(("reporter", "insured", "claimant", "payee", "agent")), max_size=3
                    ),
                    "name": st.text(max_size=4),
                    "phone": st.sampled_from(("", "13900139000", "x")),
                    "acts_for": st.integers(0, 9),
                    "account_number": st.sampled_from(("", "6222020200112233440", "DE89370400440532013000", "1")),
                    "id_type": st.sampled_from(("", "resident_id", "passport")),
                    "id_number": st.text(max_size=18),
                },
            ),
            max_size=3,
        ),
        "loss_at": st.sampled_from(
            ("2026-11-22T10:00:00+08:00", "1900-01-01T00:00:00Z", "2024-02-29T23:59:60Z", "2025-01-01T00:00:00Z")
        ),
        "estimate": AMOUNT,
        "accept_automatic": st.booleans(),
        "deaths": st.integers(0, 2),
        "rescue": st.booleans(),
        "line": st.sampled_from(("motor", "health", "", "travel")),
        "loss_kind": st.sampled_from(("collision", "theft", "")),
        "language": st.sampled_from(("", "zh-hans", "zh-hant", "en")),
        "policy_number": st.sampled_from(("", "PC-1", "x")),
        "plate": st.sampled_from(("", "沪A12345")),
    },
)


def test_no_report_however_odd_is_our_fault(office: Office) -> None:
    """Reports that get far: known covers, odd facts, mixed currencies, absurd sums; some straight through."""
    caller = office.program

    @given(report=REPORTS)
    @settings(max_examples=150, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def run(report: Any) -> None:
        found = caller.post("claims", report)
        assert found.status in (201, 422), (found.status, found.body)
        if found.status == 201:
            for part in ("", "/timeline", "/promises", "/settlement"):
                assert caller.get(f"claims/{found.body['number']}{part}").status == 200

    run()


def test_no_assessment_however_odd_is_our_fault(known: tuple[Caller, str]) -> None:
    caller, number = known

    @given(items=st.lists(ITEM, max_size=3), facts=FACTS)
    @settings(max_examples=100, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def run(items: Any, facts: Any) -> None:
        found = caller.post(f"claims/{number}/exposures/1/assess", {"items": items, "facts": facts})
        assert found.status in (200, 403, 422), (found.status, found.body)
        assert caller.get(f"claims/{number}/settlement").status == 200

    run()

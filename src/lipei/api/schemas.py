"""The description of requests: a JSON schema and a working example per action, drawn from the commands.

The same classes and bounds as `reading`: what is described is what is read.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from lipei.api import reading
from lipei.domain.commands import COMMANDS
from lipei.domain.money import EXPONENTS, Money
from lipei.services.webhooks import Replay, Subscribe

MONEY = {
    "type": "object",
    "description": "An amount with exactly the decimals of its currency or fewer.",
    "properties": {
        "amount": {
            "type": "string",
            "pattern": r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$",
            "maxLength": 40,
            "example": "1234.56",
        },
        "currency": {"type": "string", "enum": sorted(EXPONENTS), "example": "CNY"},
    },
    "required": ["amount", "currency"],
    "additionalProperties": False,
}
TIME = {
    "type": "string",
    "format": "date-time",
    "description": "RFC 3339 with its zone.",
    "example": "2026-11-23T10:00:00+08:00",
}


@cache
def of(cls: type) -> Mapping[str, Any]:
    """The JSON schema of a command or of a part of one."""
    hints = typing.get_type_hints(cls)
    required = [f.name for f in fields(cls) if f.metadata.get("required")]
    return {
        "type": "object",
        "title": cls.__name__,
        "description": (cls.__doc__ or "").strip(),
        "properties": {f.name: _field(f, hints[f.name]) for f in fields(cls)},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }


def _field(field: Field[Any], hint: Any) -> dict[str, Any]:
    optional, hint = reading.without_none(hint)
    optional = optional and not field.metadata.get("required")
    found = _of_hint(field, hint)
    example = field.metadata.get("example")
    if example is not None:
        found["example"] = list(example) if isinstance(example, tuple) else example
    if optional and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    elif optional:
        found = {"anyOf": [found, {"type": "null"}]}
    return found


def _of_hint(field: Field[Any], hint: Any) -> dict[str, Any]:
    meta = field.metadata
    if hint is bool:
        return {"type": "boolean"}
    if hint is int:
        low, high = meta.get("low"), meta.get("high")
        return {
            "type": "integer",
            "minimum": 0 if low is None else low,
            "maximum": reading.NUMBER_MAX if high is None else high,
        }
    if hint is str:
        choices = meta.get("choices", ())
        return (
            {"type": "string", "enum": list(choices)}
            if choices
            else {"type": "string", "maxLength": meta.get("length_max", 200)}
        )
    if hint is datetime:
        return dict(TIME)
    if hint is Money:
        return {"$ref": "#/components/schemas/Money"}
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        items = (
            {"$ref": f"#/components/schemas/{cast(type, inner).__name__}"}
            if is_dataclass(inner)
            else _of_hint(field, inner)
        )
        return {"type": "array", "items": items, "maxItems": reading.LIST_LENGTH_MAX}
    return {"type": "object", "additionalProperties": True, "maxProperties": reading.FACTS_LENGTH_MAX,
            "description": "What the terms ask for: amounts, whole numbers, texts, true or false; no fractions."}  # fmt: skip


def components() -> dict[str, Any]:
    """Every schema that requests refer to, by name."""
    found: dict[str, Any] = {"Money": MONEY}
    for cls in (*COMMANDS.values(), Subscribe, Replay):
        _collect(cls, found)
    return found


def _collect(cls: type, found: dict[str, Any]) -> None:
    if cls.__name__ in found:
        return
    found[cls.__name__] = of(cls)
    for hint in typing.get_type_hints(cls).values():
        for inner in typing.get_args(hint):
            if is_dataclass(inner):
                _collect(cast(type, inner), found)


# --- examples --------------------------------------------------------------------------------------------------------


def _cny(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "CNY"}


REPORT: Mapping[str, Any] = {
    "story": "今天早上倒车时撞到停车场的柱子，后保险杠破损。",
    "phone": "13800138000",
    "name": "王小明",
    "language": "zh-hans",
    "line": "motor",
    "loss_kind": "single_vehicle",
    "place": "上海市徐汇区漕溪北路停车场",
    "region": "上海",
    "estimate": _cny("1800.00"),
}
ITEM: Mapping[str, Any] = {
    "what": "后保险杠更换",
    "quantity": 1,
    "claimed": _cny("1800.00"),
    "assessed": _cny("1600.00"),
}

EXAMPLES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("claim", "report"): REPORT,
    ("claim", "register"): {"policy_number": "PC-1", "reserves": []},
    ("claim", "triage"): {"injured": 0},
    ("claim", "assign"): {},
    ("claim", "give_opinion"): {"text": "事故属于保险责任，请按清单补齐材料，预计三日内完成赔付。"},
    ("claim", "request_papers"): {},
    ("claim", "link_duplicate"): {"number": "26112300000018"},
    ("claim", "hand_over"): {"unit": "shanghai", "text": "客户要求更换经办人，材料已齐，待定损。"},
    ("claim", "ask_for_help"): {"text": "配件价格高于标准，请协助核价。"},
    ("claim", "add_note"): {"text": "已电话联系客户，约定明日上午查勘。"},
    ("claim", "tell_customer"): {"text": "已电话告知客户：车辆可先行维修，请保留发票。", "way": "phone"},
    ("claim", "close_without_payment"): {"reason": "损失未超过免赔额，客户不再申请。"},
    ("claim", "withdraw"): {"reason": "双方已自行解决，客户撤回申请。"},
    ("claim", "cancel"): {"reason": "误报，没有发生事故。"},
    ("claim", "reopen"): {"reason": "客户补充了新的维修发票。"},
    ("claim", "suspect"): {"reason": "照片拍摄时间早于出险时间。"},
    ("claim", "clear_suspicion"): {"reason": "已核实拍摄时间为手机时钟错误。"},
    ("claim", "report_upwards"): {"reason": "预计赔付金额较大，按规定上报。"},
    ("exposure", "add"): {"cover": "own_damage", "peril": "single_vehicle", "reserve": _cny("1800.00")},
    ("exposure", "correct"): {"peril": "collision"},
    ("exposure", "drop"): {"reason": "录入有误，没有这项损失。"},
    ("exposure", "set_reserve"): {"amount": _cny("2000.00"), "reason": "查勘后调整"},
    ("exposure", "assess"): {"items": [ITEM], "facts": {}},
    ("exposure", "submit_decision"): {"without_papers": "原件在交警处，已核对照片。"},
    ("exposure", "approve_decision"): {"without_papers": "原件在交警处，已核对照片。"},
    ("exposure", "return_for_rework"): {"reason": "请补充配件价格依据。"},
    ("exposure", "pay_undisputed"): {"amount": _cny("500.00")},
    ("exposure", "advance"): {"amount": _cny("500.00"), "reason": "客户急需用款"},
    ("exposure", "guarantee"): {"amount": _cny("1000.00"), "payee": 2, "reason": "医院抢救费用"},
    ("exposure", "pay_guarantee"): {"amount": _cny("600.00"), "payee": 2, "reason": "医院出院结算"},
    ("exposure", "release_guarantee"): {"payee": 2, "reason": "出院结算少于担保金额"},
    ("party", "add"): {"roles": ["hospital"], "name": "徐汇区中心医院", "phone": "021-64387250", "person": False},
    ("party", "correct"): {"email": "wang.xiaoming@example.com"},
    ("party", "check_identity"): {"id_type": "passport", "id_number": "E12345678"},
    ("paper", "receive"): {"documents": []},
    ("paper", "refuse"): {"reason": "unreadable", "note": "发票号码看不清，请重新拍照。"},
    ("paper", "waive"): {"reason": "小额案件简化单证。"},
    ("survey", "record"): {
        "findings": "后保险杠右侧开裂，与所述事故相符。",
        "checklist": {"plate_agrees": True},
        "documents": [],
    },
    ("survey", "cancel"): {"reason": "客户临时外出，另行约定。"},
    ("consultation", "convene"): {"question": "维修还是更换，哪种方案合理？", "experts": []},
    ("consultation", "opine"): {"vote": "for", "text": "裂口超过二十厘米，建议更换。", "amount": _cny("1600.00")},
    ("consultation", "conclude"): {"outcome": "accepted", "text": "同意更换后保险杠。"},
    ("offer", "send"): {"shares": []},
    ("offer", "send_code"): {},
    ("offer", "agree"): {"code": "123456"},
    ("offer", "decline"): {"reason": "维修费用没有全部计入。"},
    ("payment", "order"): {"exposure": 1, "payee": 1},
    ("payment", "confirm"): {"reference": "2026112300001"},
    ("payment", "fail"): {"reason": "AC04"},
    ("payment", "retry"): {},
    ("payment", "cancel"): {"reason": "收款账户需要更正。"},
    ("recovery", "recover_overpayment"): {"exposure": 1, "reason": "发票重复计入。"},
    ("recovery", "subrogate"): {"exposure": 1, "amount": _cny("1000.00"), "reason": "对方负全部责任。"},
    ("recovery", "receive_recovery"): {"amount": _cny("1000.00")},
    ("recovery", "write_off"): {"reason": "对方已无可供执行的财产。"},
}
"""Bodies that are accepted by the demonstration company on a claim in a state where the action is possible."""


WEBHOOK_EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "Subscribe": {"url": "https://example.com/claims", "kinds": ["claim.closed", "payment.confirmed"]},
    "Replay": {"since": "2026-01-01T00:00:00Z"},
}


def example(subject: str, action: str, *, now: datetime, first_claim: str = "") -> dict[str, Any]:
    """A working body of an action. Times lie a day from ``now``, as the action needs them: ahead, or in the past.

    ``first_claim`` is the number of a claim that another can be linked to, where one is known.
    """
    if (subject, action) == ("survey", "schedule"):
        at = (now + timedelta(days=1)).replace(microsecond=0)
        return {"at": at.isoformat(), "place": "上海市徐汇区漕溪北路停车场"}
    if (subject, action) == ("claim", "correct"):
        at = (now - timedelta(days=1)).replace(microsecond=0)
        return {"loss_at": at.isoformat(), "reason": "客户来电更正。"}
    if (subject, action) == ("claim", "link_duplicate") and first_claim:
        return {"number": first_claim}
    found = EXAMPLES.get((subject, action))
    if found is not None:
        return dict(found)
    cls = COMMANDS[subject, action]
    return {f.name: f.metadata["example"] for f in fields(cls) if f.metadata.get("example") is not None}

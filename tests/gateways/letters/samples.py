"""One full example of every letter, in every language: what the tests print."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lipei.gateways.letters import (
    Addressee,
    AdvanceData,
    Company,
    Handler,
    LetterData,
    Paper,
    PaperRequestData,
    Payee,
    Promise,
    ReceiptData,
    RefusalData,
    Refused,
    SettlementData,
    SettlementHead,
    SettlementLine,
    Way,
)

SAID: Mapping[str, Mapping[str, str]] = {
    "company": {
        "zh-hans": "安和财产保险股份有限公司",
        "zh-hant": "安和產物保險股份有限公司",
        "en": "Anhe Insurance Ltd",
    },
    "address": {
        "zh-hans": "上海市浦东新区世纪大道 100 号",
        "zh-hant": "臺北市信義區松仁路 100 號",
        "en": "100 Century Avenue, Pudong, Shanghai",
    },
    "department": {"zh-hans": "客户理赔部", "zh-hant": "客戶理賠部", "en": "Claims Department"},
    "zone": {"zh-hans": "北京时间", "zh-hant": "臺北時間", "en": "Beijing time"},
    "customer": {"zh-hans": "王堃喆", "zh-hant": "陳瀞儀", "en": "Zoë O’Brien"},
    "handler": {"zh-hans": "李䶮", "zh-hant": "黃瓊瑩", "en": "Grace Li"},
    "colleague": {"zh-hans": "赵敏", "zh-hant": "趙敏", "en": "Min Zhao"},
    "loss": {"zh-hans": "车辆碰撞", "zh-hant": "車輛碰撞", "en": "Collision"},
    "place": {
        "zh-hans": "延安高架路江苏路出口",
        "zh-hant": "忠孝東路四段與光復南路口",
        "en": "Yan'an Road, exit Jiangsu Road",
    },
    "story": {
        "zh-hans": "下班路上前车急刹，我没来得及停住，车头撞上去了。\n对方后保险杠坏了，人都没事。",
        "zh-hant": "下班途中前車緊急煞車，我來不及停住，車頭撞了上去。\n對方後保險桿損壞，人員均平安。",
        "en": "The car in front braked hard and I could not stop.\nTheir rear bumper is broken; nobody is hurt.",
    },
    "opinion": {"zh-hans": "告诉您初步意见", "zh-hant": "告知初步意見", "en": "Our first opinion"},
    "decide": {
        "zh-hans": "告诉您能不能赔、赔多少",
        "zh-hant": "告知是否賠付及金額",
        "en": "Decide whether and how much we pay",
    },
    "licence": {"zh-hans": "驾驶证", "zh-hant": "駕駛執照", "en": "Driving licence"},
    "invoice": {"zh-hans": "维修发票与清单", "zh-hant": "維修發票與明細", "en": "Repair invoice and list"},
    "invoice_why": {
        "zh-hans": "用来核对修了什么、花了多少钱",
        "zh-hant": "用以核對維修項目與費用",
        "en": "Shows what was repaired and at what cost",
    },
    "blurred": {
        "zh-hans": "照片太模糊，看不清号码",
        "zh-hant": "照片模糊，無法辨識號碼",
        "en": "the photo is too blurred to read the number",
    },
    "identity": {"zh-hans": "身份证", "zh-hant": "身分證", "en": "Identity card"},
    "policy": {"zh-hans": "保险单", "zh-hant": "保險單", "en": "Policy"},
    "third_party": {
        "zh-hans": "对方财产损失",
        "zh-hant": "第三人財物損失",
        "en": "Damage to the other party's property",
    },
    "own_damage": {"zh-hans": "车辆损失", "zh-hant": "車體損失", "en": "Damage to your car"},
    "loss_line": {"zh-hans": "核定的损失", "zh-hant": "核定的損失", "en": "Assessed loss"},
    "salvage": {"zh-hans": "旧件剩余价值", "zh-hant": "殘餘物價值", "en": "Value of the damaged parts"},
    "cap": {
        "zh-hans": "没有超过保单最多赔付的金额",
        "zh-hant": "未超過保單最高賠付金額",
        "en": "Below the most this policy can pay",
    },
    "deductible": {"zh-hans": "您自己先承担的金额", "zh-hant": "自負額", "en": "The first amount you pay yourself"},
    "deductible_plain": {
        "zh-hans": "每次事故先由您承担 500.00 元，超过的部分由保险赔。",
        "zh-hant": "每次事故先由您承擔 500.00 元，超過的部分由保險賠付。",
        "en": "You carry the first 500.00 of each loss; insurance pays what is above it.",
    },
    "clause": {"zh-hans": "第十一条第一款", "zh-hant": "第十一條第一項", "en": "Section 11 (1)"},
    "compulsory": {
        "zh-hans": "强制保险先赔的部分",
        "zh-hant": "強制險先行賠付",
        "en": "Paid first by compulsory cover",
    },
    "fault": {"zh-hans": "按您的责任比例", "zh-hant": "依您的肇事責任比例", "en": "Your share of fault"},
    "fault_plain": {
        "zh-hans": "交警认定您负七成责任，保险赔您该承担的这七成。",
        "zh-hant": "警方認定您負七成責任，保險賠付您應承擔的七成。",
        "en": "The police put 70 % of the fault on you; insurance pays that share.",
    },
    "rate": {"zh-hans": "按比例由您承担 5%", "zh-hant": "依比例由您自負 5%", "en": "The 5 % share you carry yourself"},
    "repairer": {"zh-hans": "顺达汽车维修厂", "zh-hant": "順達汽車修理廠", "en": "Shunda Garage"},
    "account": {"zh-hans": "工商银行 尾号 0123", "zh-hant": "臺灣銀行 末四碼 0123", "en": "ICBC, ending in 0123"},
    "reason": {
        "zh-hans": "事故发生时，车辆正用于网约车载客，而保单承保的是家庭自用。",
        "zh-hant": "事故發生時，車輛正用於載客營業，而保單承保的是自用。",
        "en": "At the time of the accident the car carried paying passengers; the policy covers private use.",
    },
    "findings": {
        "zh-hans": "平台行程记录显示，当日 17:42 至 18:10 有一笔收费订单；您在电话中也作了同样说明。",
        "zh-hant": "平台行程紀錄顯示，當日 17:42 至 18:10 有一筆收費訂單；您於電話中亦有相同說明。",
        "en": "The platform's record shows a paid trip from 17:42 to 18:10; you told us the same on the phone.",
    },
    "exclusion": {"zh-hans": "第九条第（五）项", "zh-hant": "第九條第五款", "en": "Section 9 (5)"},
    "exclusion_text": {
        "zh-hans": "被保险机动车改变使用性质，导致危险程度显著增加的，保险人不承担赔偿责任。",
        "zh-hant": "被保險汽車變更使用性質，致危險顯著增加者，本公司不負賠償責任。",
        "en": "The insurer is not liable where the use of the vehicle is changed and the risk increases substantially.",
    },
    "plain": {
        "zh-hans": "自己家里用的车如果拿去拉客赚钱，出事的可能大很多，这种情况这份保单不赔。",
        "zh-hant": "自用車若用於載客營利，出事風險高出許多，此情形本保單不賠付。",
        "en": "A private car with paying passengers meets far more accidents; this policy does not pay then.",
    },
    "bureau": {
        "zh-hans": "上海市保险合同纠纷人民调解委员会，电话 021-0000 0000",
        "zh-hant": "財團法人金融消費評議中心，電話 0800-000-000",
        "en": "Shanghai Mediation Committee for Insurance Disputes, phone 021 0000 0000",
    },
    "period": {
        "zh-hans": "自知道事故发生之日起两年内",
        "zh-hant": "自得為請求之日起兩年內",
        "en": "Within two years of learning of the loss",
    },
    "advance_reason": {
        "zh-hans": "医院已开出的费用单据可以确认，属于保单保障的费用。",
        "zh-hant": "醫院已開立的費用單據可以確認，屬於保單保障的費用。",
        "en": "The hospital bills received so far are certain and covered by the policy.",
    },
    "medical": {"zh-hans": "医疗费用", "zh-hant": "醫療費用", "en": "Medical expenses"},
}


def at(month: int, day: int, hour: int = 2, minute: int = 0, year: int = 2026) -> datetime:
    """An instant in UTC; 2:00 is 10:00 at the company."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def common(language: str) -> dict[str, Any]:
    """What all letters share, for one language."""
    say = {key: wordings[language] for key, wordings in SAID.items()}
    return {
        "company": Company(
            name=say["company"],
            address=say["address"],
            phone="400-000-0000",
            email="service@anhe.example",
            website="www.anhe.example",
            department=say["department"],
            time_zone_words=say["zone"],
        ),
        "addressee": Addressee(name=say["customer"], address=(say["address"],)),
        "handler": Handler(name=say["handler"], phone="021-1234 5678", email="handler@anhe.example"),
        "claim_number": "C2026-000123",
        "issued_at": at(11, 23),
        "policy_number": "P-778899",
        "loss": say["loss"],
        "loss_at": at(11, 22, 10, 5),
        "place": say["place"],
    }


def receipt(language: str) -> ReceiptData:
    say = {key: wordings[language] for key, wordings in SAID.items()}
    return ReceiptData(
        **common(language),
        reported_at=at(11, 22, 11, 30),
        story=say["story"],
        next_steps=("contact", "survey", "papers", "assess", "offer", "payment"),
        promises=(
            Promise(what=say["opinion"], due_at=at(11, 23, 11, 30)),
            Promise(what=say["decide"], due_at=at(12, 22, 16), binds="law", extended_due_at=at(12, 24, 16)),
            Promise(what=say["decide"], due_at=at(1, 4, 10, year=2027), provisional=True),
        ),
    )


def paper_request(language: str) -> PaperRequestData:
    say = {key: wordings[language] for key, wordings in SAID.items()}
    return PaperRequestData(
        **common(language),
        papers=(
            Paper(name=say["licence"], form="photo", problem=say["blurred"]),
            Paper(name=say["invoice"], form="original", why=say["invoice_why"]),
        ),
        on_file=(say["identity"], say["policy"]),
        due_at=at(12, 7),
        portal_url="https://claims.anhe.example/C2026-000123",
        email="papers@anhe.example",
        postal_address=say["address"],
        legal_basis={"zh-hans": "《保险法》第二十二条", "zh-hant": "保險法", "en": "Insurance Law, article 22"}[
            language
        ],
    )


def settlement(language: str) -> SettlementData:
    say = {key: wordings[language] for key, wordings in SAID.items()}
    own = SettlementHead(
        cover=say["own_damage"],
        payable_minor=210_000,
        lines=(
            SettlementLine(
                what=say["loss_line"],
                amount_minor=265_000,
                result_minor=265_000,
                calculation="1,200.00 + 800.00 + 650.00",
            ),
            SettlementLine(what=say["salvage"], amount_minor=-5_000, result_minor=260_000, clause=say["clause"]),
            SettlementLine(what=say["cap"], amount_minor=0, result_minor=260_000, calculation="≤ 150,000.00"),
            SettlementLine(
                what=say["deductible"],
                amount_minor=-50_000,
                result_minor=210_000,
                clause=say["clause"],
                plain=say["deductible_plain"],
            ),
        ),
    )
    other = SettlementHead(
        cover=say["third_party"],
        claimant=say["colleague"],
        payable_minor=465_500,
        lines=(
            SettlementLine(what=say["loss_line"], amount_minor=900_000, result_minor=900_000),
            SettlementLine(what=say["compulsory"], amount_minor=-200_000, result_minor=700_000, clause=say["clause"]),
            SettlementLine(
                what=say["fault"],
                amount_minor=-210_000,
                result_minor=490_000,
                calculation="7,000.00 × 70 %",
                clause=say["clause"],
                plain=say["fault_plain"],
            ),
            SettlementLine(what=say["rate"], amount_minor=-24_500, result_minor=465_500, calculation="4,900.00 × 95 %"),
        ),
    )
    return SettlementData(
        **common(language),
        heads=(own, other),
        already_paid_minor=100_000,
        payees=(
            Payee(name=say["customer"], amount_minor=110_000, account=say["account"]),
            Payee(name=say["repairer"], amount_minor=465_500, account=say["account"]),
        ),
        expires_at=at(12, 7, 9),
        pay_by=at(12, 3),
        undisputed_minor=210_000,
    )


def refusal(language: str) -> RefusalData:
    say = {key: wordings[language] for key, wordings in SAID.items()}
    return RefusalData(
        **common(language),
        refused=(
            Refused(
                cover=say["own_damage"],
                amount_minor=265_000,
                reason=say["reason"],
                findings=say["findings"],
                clause=say["exclusion"],
                clause_text=say["exclusion_text"],
                plain=say["plain"],
            ),
        ),
        whole=True,
        decided_by=say["colleague"],
        decided_at=at(11, 23, 1, 15),
        ways=(
            Way(code="court", period=say["period"]),
            Way(code="review", contact="review@anhe.example", until=at(12, 23)),
            Way(code="complaint", contact="400-000-0000"),
            Way(code="mediation", contact=say["bureau"]),
        ),
    )


def advance(language: str) -> AdvanceData:
    say = {key: wordings[language] for key, wordings in SAID.items()}
    return AdvanceData(
        **common(language),
        amount_minor=2_000_000,
        reason=say["advance_reason"],
        heads=(say["medical"],),
        payees=(Payee(name=say["customer"], amount_minor=2_000_000, account=say["account"]),),
        pay_by=at(11, 26),
    )


def sample(letter: str, language: str) -> LetterData:
    """The example of one letter in one language."""
    return {
        "receipt": receipt,
        "paper_request": paper_request,
        "settlement": settlement,
        "refusal": refusal,
        "advance": advance,
    }[letter](language)

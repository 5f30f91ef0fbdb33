"""What each letter says, as blocks: one function per letter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lipei.gateways.letters.data import (
    WAYS,
    AdvanceData,
    GuaranteeData,
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
from lipei.gateways.letters.words import (
    Block,
    Cell,
    Words,
    bullets,
    cell,
    facts,
    group,
    heading,
    note,
    paragraph,
    quote,
    steps,
    sums,
    table,
)


def receipt(data: ReceiptData, words: Words) -> Iterator[Block]:
    """Number, handler, the story as recorded, what happens next, every promised date (norm 2.2.1)."""
    yield paragraph(
        words(
            "receipt.lead",
            reported_at=words.instant(data.reported_at),
            claim_number=data.claim_number,
            handler=data.handler.name,
        )
    )
    if data.story:
        yield heading(words("receipt.story"))
        yield quote(data.story)
        yield note(words("receipt.story_note"))
    yield group(heading(words("receipt.next")), steps([words(f"next.{code}") for code in data.next_steps]))
    if data.promises:
        yield from _promises(data.promises, words)


def _promises(promises: Sequence[Promise], words: Words) -> Iterator[Block]:
    columns = [
        (words("promises.what"), "start", 5),
        (words("promises.due"), "start", 4),
        (words("promises.binds"), "start", 2),
    ]
    yield heading(words("promises.heading"))
    yield table(columns, [_promise(promise, words) for promise in promises])
    yield note(words("promises.note"))


def _promise(promise: Promise, words: Words) -> list[Cell]:
    provisional = words("promises.provisional") if promise.provisional else ""
    extended = promise.extended_due_at
    later = words("promises.extended", due=words.due(extended)) if extended else ""
    return [
        cell(promise.what),
        cell(words.due(promise.due_at), provisional, later),
        cell(words(f"binds.{promise.binds}")),
    ]


def paper_request(data: PaperRequestData, words: Words) -> Iterator[Block]:
    """Everything still needed in one list, what is on file already, how to hand it in (norm 2.2.2)."""
    refused = sum(1 for paper in data.papers if paper.problem)
    lead = "paper_request.again" if refused == len(data.papers) else "paper_request.lead"
    yield paragraph(words(lead, count=len(data.papers)))
    yield heading(words("paper_request.papers"))
    columns = [
        (words("paper_request.number"), "start", 0),
        (words("paper_request.paper"), "start", 5),
        (words("paper_request.form"), "start", 2),
    ]
    rows = [
        [
            cell(str(number)),
            cell(
                paper.name,
                paper.why,
                words("paper_request.problem", problem=paper.problem) if paper.problem else "",
            ),
            cell(words(f"form.{paper.form}") if paper.form else ""),
        ]
        for number, paper in enumerate(data.papers, start=1)
    ]
    yield table(columns, rows)
    if data.due_at:
        due_at = words.due_date(data.due_at)
        yield paragraph(words("paper_request.due", due_at=due_at, handler=data.handler.name))
    yield from _ways_to_send(data, words)
    if data.on_file:
        yield group(heading(words("paper_request.on_file")), bullets(data.on_file))
    if data.pauses_clocks:
        yield note(words("paper_request.clock"))


def _ways_to_send(data: PaperRequestData, words: Words) -> Iterator[Block]:
    ways = [
        words("paper_request.portal", url=data.portal_url) if data.portal_url else "",
        words("paper_request.email", email=data.email) if data.email else "",
        words("paper_request.post", address=data.postal_address) if data.postal_address else "",
    ]
    if any(ways):
        yield group(heading(words("paper_request.how")), bullets([way for way in ways if way]))


def settlement(data: SettlementData, words: Words) -> Iterator[Block]:
    """The sum, every line of it with clause and plain words, who is paid, what to do if one disagrees (norm 2.2.4)."""
    if data.paid_at:
        due, paid_at = words.money(data.due_minor), words.instant(data.paid_at)
        if data.share_minor is None:
            yield paragraph(words("settlement.lead_paid", due=due, paid_at=paid_at))
        else:
            share = words.money(data.share_minor)
            yield paragraph(words("settlement.lead_share", share=share, due=due, paid_at=paid_at))
    else:
        yield paragraph(words("settlement.lead", total=words.money(data.total_minor)))
    for head in data.heads:
        yield from _settled(head, words)
    yield from _due(data, words)
    if data.payees:
        yield from _payees(data.payees, words)
    yield from _answer(data, words)


def _settled(head: SettlementHead, words: Words) -> Iterator[Block]:
    columns = [
        (words("settlement.step"), "start", 5),
        (words("settlement.calculation"), "end", 4),
        (words("settlement.result", currency=words.data.currency), "end", 2),
    ]
    total = [words("settlement.payable"), "", words.figure(head.payable_minor)]
    yield heading(words.head(head.cover, head.claimant))
    yield table(columns, [_step(line, words) for line in head.lines], total)


def _step(line: SettlementLine, words: Words) -> list[Cell]:
    clause = words("settlement.clause", clause=line.clause) if line.clause else ""
    effect = words.figure(line.amount_minor) if line.amount_minor else ""
    # The figures of the step stand where it changes something; the last column is always what is left after it.
    return [
        cell(line.what, line.plain, clause),
        cell(line.calculation or effect),
        cell(words.figure(line.result_minor)),
    ]


def _due(data: SettlementData, words: Words) -> Iterator[Block]:
    rows = [(words("settlement.total"), words.money(data.total_minor))]
    if len(data.heads) > 1:
        heads = [(words.head(head.cover, head.claimant), words.money(head.payable_minor)) for head in data.heads]
        rows = heads + rows
    if data.already_paid_minor:
        rows.append((words("settlement.already_paid"), words.money(-data.already_paid_minor)))
    if data.kept_minor:
        rows.append((words("settlement.kept"), words.money(-data.kept_minor)))
    if data.already_paid_minor or data.kept_minor:
        rows.append((words("settlement.due"), words.money(data.due_minor)))
    if data.share_minor is not None:
        rows.append((words("settlement.share"), words.money(data.share_minor)))
    yield group(heading(words("settlement.sum")), sums(rows))
    if data.kept_minor:
        yield paragraph(words("settlement.kept_how", amount=words.money(data.kept_minor)))
    if data.recover_minor:
        amount = words.money(data.recover_minor)
        yield paragraph(words("settlement.recover", amount=amount, handler=data.handler.name))


def _payees(payees: Sequence[Payee], words: Words) -> Iterator[Block]:
    columns = [
        (words("column.payee"), "start", 3),
        (words("column.account"), "start", 4),
        (words("column.amount", currency=words.data.currency), "end", 2),
    ]
    rows = [[cell(payee.name), cell(payee.account), cell(words.figure(payee.amount_minor))] for payee in payees]
    total = [words("payees.total"), "", words.figure(sum(payee.amount_minor for payee in payees))]
    yield group(heading(words("payees.heading")), table(columns, rows, total if len(payees) > 1 else ()))


def _answer(data: SettlementData, words: Words) -> Iterator[Block]:
    if data.agreed_at:
        yield paragraph(words("settlement.agreed", agreed_at=words.instant(data.agreed_at)))
    sentences = []
    if data.expires_at:
        sentences.append(words("settlement.agree", expires_at=words.due(data.expires_at)))
    if data.pay_by and not data.paid_at:
        sentences.append(words("settlement.pay_by", pay_by=words.due_date(data.pay_by)))
    if data.undisputed_minor:
        sentences.append(words("settlement.undisputed", undisputed=words.money(data.undisputed_minor)))
    disagree = words("settlement.disagree", handler=data.handler.name)
    if sentences:
        yield group(heading(words("settlement.answer")), *(paragraph(each) for each in [*sentences, disagree]))
    else:
        yield paragraph(disagree)


def refusal(data: RefusalData, words: Words) -> Iterator[Block]:
    """What cannot be paid and why, the clause in plain words, who decided, the ways on (norm part 4, 2.5.1)."""
    yield paragraph(words("refusal.lead_whole" if data.whole else "refusal.lead_part"))
    for refused in data.refused:
        yield from _refused(refused, words)
    decided_at = words.instant(data.decided_at)
    yield paragraph(words("refusal.decided", decided_by=data.decided_by, decided_at=decided_at))
    yield heading(words("refusal.ways"))
    yield paragraph(words("refusal.ways_lead"))
    for way in sorted(data.ways, key=lambda way: WAYS.index(way.code)):
        yield _way(way, words)
    yield paragraph(words("refusal.news"))


def _refused(refused: Refused, words: Words) -> Iterator[Block]:
    claimed, amount = (
        "" if minor is None else words.money(minor) for minor in (refused.claimed_minor, refused.amount_minor)
    )
    clause_text = f"\n{words('refusal.quote', text=refused.clause_text)}" if refused.clause_text else ""
    yield heading(words.head(refused.cover, refused.claimant))
    yield facts(
        [
            (words("refusal.items"), "\n".join(refused.items)),
            (words("refusal.claimed"), claimed),
            (words("refusal.amount"), "\n".join(filter(None, (amount, refused.beyond)))),
            (words("refusal.reason"), refused.reason),
            (words("refusal.findings"), refused.findings),
            (words("refusal.clause"), refused.clause + clause_text),
            (words("refusal.plain"), refused.plain),
        ]
    )


def _way(way: Way, words: Words) -> Block:
    until = words("way.until", until=words.due_date(way.until)) if way.until else ""
    small = [line for line in (way.contact, until, way.period) if line]
    return {
        "kind": "way",
        "title": words(f"way.{way.code}"),
        "text": words(f"way.{way.code}.body"),
        "small": small,
    }


def advance(data: AdvanceData, words: Words) -> Iterator[Block]:
    """What is paid now, on account of what, and that it is not the last word (norm 1.3.1)."""
    amount = words.money(data.amount_minor)
    yield paragraph(words("advance.lead", amount=amount))
    yield sums([(words("advance.amount"), amount)])
    yield heading(words("advance.reason"))
    yield paragraph(data.reason)
    if data.heads:
        yield bullets(data.heads)
    if data.payees:
        yield from _payees(data.payees, words)
    if data.pay_by:
        yield paragraph(words("advance.pay_by", pay_by=words.due_date(data.pay_by)))
    yield paragraph(words("advance.rest"))


def guarantee(data: GuaranteeData, words: Words) -> Iterator[Block]:
    """For whom, up to how much, that it is a promise and not a payment, how the hospital is paid (norm 2.3.2)."""
    amount = words.money(data.amount_minor)
    yield paragraph(words("guarantee.lead", amount=amount))
    yield facts([(words("guarantee.patient"), "\n".join(data.patients)), (words("guarantee.reason"), data.reason)])
    yield sums([(words("guarantee.amount"), amount)])
    yield paragraph(words("guarantee.promise"))
    yield heading(words("guarantee.call"))
    yield paragraph(words("guarantee.call_how", handler=data.handler.name, claim_number=data.claim_number))
    yield note(words("guarantee.end"))

"""The tables. Parts of aggregates are drawn from the domain (`parts.part_model`); the rest stands here.

Four kinds of table: the journal and its streams (the truth), the parts (a copy of its fold), rows that own their fate
(deliveries, bank messages, uploads), and what is kept about the company (staff, norm versions, policies, tokens).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from lipei.domain import claims, lifecycle, limits
from lipei.store.desk_models import BulkRun as BulkRun
from lipei.store.desk_models import PortalTry as PortalTry
from lipei.store.desk_models import Presence as Presence
from lipei.store.desk_models import SavedView as SavedView
from lipei.store.fields import CanonicalField, EncryptedTextField
from lipei.store.parts import part_model

OPEN_CLAIM = Q(state__in=lifecycle.OPEN)


class Stream(models.Model):
    """One aggregate's journal: how long it is and where its hash chain ends. Its version guards every write."""

    kind = models.CharField(max_length=24)
    stream_id = models.BigIntegerField()
    version = models.BigIntegerField()
    head = models.BinaryField()
    salt = models.BinaryField()  # of the digests of private texts; erasing it erases what they stood for
    sealed_version = models.BigIntegerField(default=0)

    class Meta:
        db_table = "stream"
        constraints = [models.UniqueConstraint(fields=["kind", "stream_id"], name="stream_identity")]
        indexes = [
            models.Index(name="stream_unsealed", fields=["id"], condition=Q(sealed_version__lt=models.F("version")))
        ]


class Entry(models.Model):
    """One journal entry. Append-only: triggers of the database refuse UPDATE and DELETE (`journal.GUARDS`)."""

    stream_kind = models.CharField(max_length=24)
    stream_id = models.BigIntegerField()
    sequence = models.BigIntegerField()
    kind = models.CharField(max_length=64)
    part = models.IntegerField(default=0)
    schema = models.SmallIntegerField(default=1)
    actor = models.CharField(max_length=80)
    on_behalf_of = models.CharField(max_length=80, default="")
    cause = models.CharField(max_length=80, default="")
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    payload = models.TextField()
    hash = models.BinaryField()

    class Meta:
        db_table = "journal"
        constraints = [
            models.UniqueConstraint(fields=["stream_kind", "stream_id", "sequence"], name="journal_sequence")
        ]


class Seal(models.Model):
    """One root over all heads that changed since the seal before, chained to it; can be handed to an outsider."""

    at = models.DateTimeField()
    previous = models.BinaryField()
    root = models.BinaryField()
    streams = models.IntegerField()

    class Meta:
        db_table = "seal"


class SealedHead(models.Model):
    """A stream's head as a seal saw it."""

    seal = models.ForeignKey(Seal, on_delete=models.PROTECT)
    stream_kind = models.CharField(max_length=24)
    stream_id = models.BigIntegerField()
    version = models.BigIntegerField()
    head = models.BinaryField()

    class Meta:
        db_table = "sealed_head"
        constraints = [models.UniqueConstraint(fields=["stream_kind", "stream_id", "version"], name="sealed_once")]


Claim = part_model(
    claims.Claim,
    "Claim",
    root=True,
    extra={
        "due_at": models.DateTimeField(null=True, default=None),  # the next promise to break: order of the worklist
        "erased": models.BooleanField(default=False, db_default=False),  # its personal data has had its time
    },
    constraints=[models.UniqueConstraint(fields=["number"], name="claim_number")],
    indexes=[
        models.Index(name="claim_worklist", fields=["handler", "-fast_lane", "due_at", "id"], condition=OPEN_CLAIM),
        models.Index(name="claim_unit_worklist", fields=["unit", "-fast_lane", "due_at", "id"], condition=OPEN_CLAIM),
        models.Index(name="claim_all_worklist", fields=["-fast_lane", "due_at", "id"], condition=OPEN_CLAIM),
        models.Index(name="claim_policy_loss", fields=["policy_id", "loss_at"]),
        models.Index(name="claim_reported", fields=["-reported_at", "-id"]),
        models.Index(name="claim_external", fields=["external_number"], condition=~Q(external_number="")),
        models.Index(name="claim_to_erase", fields=["closed_at"], condition=Q(erased=False, closed_at__isnull=False)),
        models.Index(
            name="claim_duty", fields=["duty_due_at"], condition=Q(duty_acknowledged_at=None, duty_due_at__isnull=False)
        ),
    ],
)
Party = part_model(
    claims.Party,
    "Party",
    extra={
        "phone_index": models.CharField(max_length=32, default=""),
        "id_number_index": models.CharField(max_length=32, default=""),
    },
    indexes=[
        models.Index(name="party_phone", fields=["phone_index"], condition=~Q(phone_index="")),
        models.Index(name="party_id_number", fields=["id_number_index"], condition=~Q(id_number_index="")),
    ],
)
Exposure = part_model(claims.Exposure, "Exposure")
Paper = part_model(
    claims.Paper,
    "Paper",
    indexes=[
        models.Index(name="paper_invoice", fields=["invoice_number"], condition=~Q(invoice_number="")),
        models.Index(
            name="paper_outstanding", fields=["requested_at"], condition=Q(state__in=("requested", "refused"))
        ),
    ],
)
Document = part_model(claims.Document, "Document", indexes=[models.Index(name="document_digest", fields=["digest"])])
Survey = part_model(
    claims.Survey,
    "Survey",
    indexes=[models.Index(name="survey_day", fields=["surveyor", "at"], condition=Q(state="scheduled"))],
)
Consultation = part_model(claims.Consultation, "Consultation")
Offer = part_model(
    claims.Offer,
    "Offer",
    indexes=[models.Index(name="offer_expiry", fields=["expires_at"], condition=Q(state="sent"))],
)
Payment = part_model(
    claims.Payment,
    "Payment",
    indexes=[
        models.Index(
            name="payment_waiting",
            fields=["state", "id"],
            condition=Q(state__in=("ordered", "approved", "submitted", "failed")),
        )
    ],
    constraints=[
        models.UniqueConstraint(name="payment_end_to_end", fields=["end_to_end_id"], condition=~Q(end_to_end_id=""))
    ],
)
Recovery = part_model(claims.Recovery, "Recovery")
Note = part_model(claims.Note, "Note")
Clock = part_model(
    claims.Clock,
    "Clock",
    indexes=[
        models.Index(name="clock_due", fields=["due_at"], condition=Q(state="running", breached_at=None)),
        models.Index(
            name="clock_warn", fields=["warn_at"], condition=Q(state="running", breached_at=None, warn_at__isnull=False)
        ),
    ],
)

Ledger = part_model(limits.Ledger, "Ledger", root=True)
Usage = part_model(limits.Usage, "Usage")


class SearchToken(models.Model):
    """A keyed bigram of a name or number found on a claim (docs/decisions/0006)."""

    token = models.BigIntegerField()
    claim_id = models.BigIntegerField()

    class Meta:
        db_table = "search_token"
        constraints = [models.UniqueConstraint(fields=["token", "claim_id"], name="search_token_once")]
        indexes = [models.Index(name="search_token_claim", fields=["claim_id"])]


class Policy(models.Model):
    """A policy as the policy system gave it; the schedule holds sums insured, deductibles and limits chosen."""

    number = models.CharField(max_length=40, unique=True)
    product = models.CharField(max_length=40)
    terms_version = models.IntegerField(default=1)
    currency = models.CharField(max_length=3, default="CNY")
    status = models.CharField(max_length=16, default="active")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)  # when a cancelled or lapsed policy stopped
    region = models.CharField(max_length=40, default="", blank=True)
    language = models.CharField(max_length=8, default="zh-hans")
    holder_name = EncryptedTextField(default="")
    insured_name = EncryptedTextField(default="")
    phone = EncryptedTextField(default="")
    email = EncryptedTextField(default="")
    id_number = EncryptedTextField(default="")
    account_name = EncryptedTextField(default="")
    account_number = EncryptedTextField(default="")
    account_bank = models.CharField(max_length=40, default="", blank=True)
    insured_objects = EncryptedTextField(default="[]")  # JSON: kind, identifier (plate, address, name), description
    schedule = CanonicalField(default=dict)
    phone_index = models.CharField(max_length=32, default="", blank=True)
    id_number_index = models.CharField(max_length=32, default="", blank=True)
    plate_index = models.CharField(max_length=32, default="", blank=True)

    class Meta:
        db_table = "policy"
        indexes = [
            models.Index(name="policy_phone", fields=["phone_index"], condition=~Q(phone_index="")),
            models.Index(name="policy_id_number", fields=["id_number_index"], condition=~Q(id_number_index="")),
            models.Index(name="policy_plate", fields=["plate_index"], condition=~Q(plate_index="")),
        ]


class PolicyToken(models.Model):
    """A keyed bigram of a name or plate on a policy (docs/decisions/0006)."""

    token = models.BigIntegerField()
    policy = models.ForeignKey(Policy, on_delete=models.CASCADE)

    class Meta:
        db_table = "policy_token"
        constraints = [models.UniqueConstraint(fields=["token", "policy"], name="policy_token_once")]


class PreNotice(models.Model):
    """What a colleague of sales or service already knows about a policy or customer (norm 1.3.3)."""

    policy = models.ForeignKey(Policy, null=True, blank=True, on_delete=models.CASCADE)
    phone_index = models.CharField(max_length=32, default="", blank=True, db_index=True)
    text = EncryptedTextField()
    facts = CanonicalField(default=dict)
    author = models.CharField(max_length=80)
    at = models.DateTimeField()
    used_by = models.CharField(max_length=24, default="", blank=True)  # the claim that took it up

    class Meta:
        db_table = "pre_notice"


class Staff(models.Model):
    """A member of staff: roles, skills, languages, region and unit. Signing in is the user's matter."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    phone = EncryptedTextField(default="")
    email = models.EmailField(default="", blank=True)
    roles = CanonicalField(default=tuple)
    unit = models.CharField(max_length=40, default="", blank=True)
    skills = CanonicalField(default=tuple)
    regions = CanonicalField(default=tuple)
    languages = CanonicalField(default=tuple)
    minutes_per_case = CanonicalField(default=dict)
    conflicts = CanonicalField(default=tuple)  # blind indexes of phones and identity numbers of people close to them
    language = models.CharField(max_length=8, default="zh-hans")
    active = models.BooleanField(default=True)

    class Meta:
        db_table = "staff"


class Absence(models.Model):
    """When a member of staff is away: nobody assigns work to them then."""

    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="absences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=40, default="", blank=True)

    class Meta:
        db_table = "absence"


class Delegation(models.Model):
    """An authority lent to a colleague, with an end."""

    giver = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="delegations_given")
    taker = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="delegations_taken")
    kinds = CanonicalField(default=tuple)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        db_table = "delegation"


class NormVersion(models.Model):
    """A version of a norm table: a manager's edit, or (1) the shipped edition that a company began with. Append-only."""

    table = models.CharField(max_length=40)
    version = models.IntegerField()
    document = models.TextField()  # YAML as edited
    seeds = models.TextField(default="", db_default="")  # what its seeds gave when it was made, see norms/calendars.py
    default_digest = models.CharField(
        max_length=64
    )  # of the shipped default it was made from: an upgrade shows the difference
    author = models.CharField(max_length=80)
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        db_table = "norm_version"
        constraints = [models.UniqueConstraint(fields=["table", "version"], name="norm_version_once")]


class ApiToken(models.Model):
    """A bearer token of a program: only its digest is kept."""

    name = models.CharField(max_length=80, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    scopes = CanonicalField(default=tuple)
    staff = models.ForeignKey(Staff, null=True, blank=True, on_delete=models.CASCADE)  # whose roles it acts with
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_token"


class IdempotencyKey(models.Model):
    """A report once acknowledged: the same key gets the same answer."""

    caller = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    body_digest = models.CharField(max_length=64)
    claim_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "idempotency_key"
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_once")]


class Delivery(models.Model):
    """A message to be delivered, owning its fate: due time, attempts, lease. Written with the event that causes it."""

    stream_kind = models.CharField(max_length=24)
    stream_id = models.BigIntegerField()
    sequence = models.BigIntegerField()
    message = models.CharField(max_length=60)
    party = models.IntegerField(default=0)  # of the claim; 0: staff
    staff_id = models.BigIntegerField(null=True)
    role = models.CharField(max_length=24, default="")
    channels = CanonicalField(default=tuple)
    position = models.SmallIntegerField(default=0)  # which of the channels is being tried
    urgent = models.BooleanField(default=False)
    letter = models.CharField(max_length=24, default="")
    letter_digest = models.CharField(max_length=64, default="", db_default="")  # of the letter that went out with it
    language = models.CharField(max_length=8, default="")
    event = models.CharField(max_length=64, default="")
    part = models.IntegerField(default=0)
    facts = CanonicalField(default=dict)
    secret = EncryptedTextField(default="")  # a one-time code, erased once sent
    state = models.CharField(max_length=12, default="queued")  # queued sending asking sent delivered failed
    due_at = models.DateTimeField()
    attempts = models.SmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=120, default="")
    reason = models.CharField(max_length=80, default="")
    body = EncryptedTextField(default="")  # what was really sent, for the record
    sent_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    dedupe = models.CharField(max_length=160)

    class Meta:
        db_table = "delivery"
        constraints = [models.UniqueConstraint(fields=["dedupe"], name="delivery_once")]
        indexes = [
            models.Index(
                name="delivery_due", fields=["due_at", "id"], condition=Q(state__in=("queued", "sending", "asking"))
            ),
            models.Index(name="delivery_stream", fields=["stream_kind", "stream_id"]),
            models.Index(name="delivery_letter", fields=["letter_digest"], condition=~Q(letter_digest="")),
            models.Index(name="delivery_provider", fields=["provider_id"], condition=~Q(provider_id="")),
        ]


class BankMessage(models.Model):
    """A file or call that went to the bank or came from it, once each by its digest."""

    direction = models.CharField(max_length=4)  # out, in
    kind = models.CharField(max_length=24)
    message_id = models.CharField(max_length=60)
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    payments = CanonicalField(default=tuple)  # end-to-end ids
    state = models.CharField(max_length=12, default="done")
    leased_until = models.DateTimeField(null=True)
    detail = models.TextField(default="")

    class Meta:
        db_table = "bank_message"
        constraints = [models.UniqueConstraint(fields=["direction", "digest"], name="bank_message_once")]


class Webhook(models.Model):
    """Where a program wants to be told of events, signed by the Standard Webhooks scheme."""

    url = models.URLField(max_length=500)
    secret = EncryptedTextField()
    kinds = CanonicalField(default=tuple)  # event kinds, empty: all
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "webhook"


class WebhookDelivery(models.Model):
    """One event to one webhook, at least once."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE)
    message_id = models.CharField(max_length=60)
    body = models.TextField()
    state = models.CharField(max_length=12, default="queued")
    due_at = models.DateTimeField()
    attempts = models.SmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True)
    answer = models.CharField(max_length=200, default="")

    class Meta:
        db_table = "webhook_delivery"
        constraints = [models.UniqueConstraint(fields=["webhook", "message_id"], name="webhook_once")]
        indexes = [models.Index(name="webhook_due", fields=["due_at"], condition=Q(state="queued"))]


class CompanyState(models.Model):
    """Small facts about this installation: whether it is a demonstration, when the sweeps last ran."""

    key = models.CharField(max_length=40, primary_key=True)
    value = CanonicalField(default=dict)

    class Meta:
        db_table = "company_state"

"""Tables of what pages remember beside the journal: tries at a claim, who looks at it, lists as somebody likes them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from lipei.store.fields import CanonicalField


class PortalTry(models.Model):
    """One try to come to a claim without a link: by a code sent to the phone, or by the code of the receipt.

    A try that fits nothing is kept alike, so that guessing is counted and an answer tells nothing. What was typed and
    from where is kept as keyed digests only.
    """

    about = models.CharField(max_length=32)
    caller = models.CharField(max_length=32)
    claim_id = models.BigIntegerField(null=True)
    party = models.IntegerField(default=0)
    code_digest = models.CharField(max_length=32, default="")
    attempts = models.SmallIntegerField(default=0)
    at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "portal_try"
        indexes = [
            models.Index(name="portal_try_about", fields=["about", "at"]),
            models.Index(name="portal_try_caller", fields=["caller", "at"]),
        ]


class Presence(models.Model):
    """Who has a claim open on a screen, and since when we last heard of it. No fact of the claim: it is not journaled."""

    claim_id = models.BigIntegerField()
    staff_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        db_table = "presence"
        constraints = [models.UniqueConstraint(fields=["claim_id", "staff_id"], name="presence_once")]
        indexes = [models.Index(name="presence_at", fields=["at"])]


class SavedView(models.Model):
    """A colleague's own way of looking at a list: its address kept under a name."""

    staff = models.ForeignKey("store.Staff", on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=20)  # worklist, claims
    name = models.CharField(max_length=40)
    query = models.TextField(default="")  # of the address, as the page writes it
    default = models.BooleanField(default=False)  # what the page opens with
    created_at = models.DateTimeField()

    class Meta:
        db_table = "saved_view"
        constraints = [
            models.UniqueConstraint(fields=["staff", "page", "name"], name="saved_view_name"),
            models.UniqueConstraint(fields=["staff", "page"], name="saved_view_default", condition=Q(default=True)),
        ]


class BulkRun(models.Model):
    """One step taken on several claims at a time: what became of each, so that it can be seen and, where possible, undone.

    A note of the console's for the colleague who did it: what happened stands in the journal of each claim.
    """

    staff = models.ForeignKey("store.Staff", on_delete=models.CASCADE, related_name="bulk_runs")
    action = models.CharField(max_length=40)
    outcomes = CanonicalField(default=tuple)  # per claim: number, before (handler), after, refusal
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "bulk_run"

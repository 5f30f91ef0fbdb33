"""Addresses of the console. Each has its permission in `access.PAGES`; what is possible on a claim, in the lifecycle table."""

from __future__ import annotations

from lipei.web.console import claims, duty, files, intake, look, money, norms, palette, people, start, system, work
from lipei.web.console.access import page

app_name = "console"
urlpatterns = [
    page("", work.home, "home"),
    page("work/", work.worklist, "worklist"),
    page("claims/", work.claims, "claims"),
    page("report/", intake.report, "report"),
    page("approvals/", money.approvals, "approvals"),
    page("payments/", money.payments, "payments"),
    page("payments/bank/", money.bank_submit, "bank-submit"),
    page("payments/answers/", money.bank_upload, "bank-upload"),
    page("duty/", duty.duty, "duty"),
    page("norms/", norms.index, "norms"),
    page("norms/<slug:table>/", norms.table, "norm"),
    page("norms/<slug:table>/edit/", norms.edit, "norm-edit"),
    page("norms/<slug:table>/<int:version>/", norms.version, "norm-version"),
    page("staff/", people.staff, "staff"),
    page("staff/new/", people.staff_new, "staff-new"),
    page("staff/<int:staff_id>/", people.staff_edit, "staff-edit"),
    page("absences/", people.absences, "absences"),
    page("absences/<int:absence_id>/end/", people.absence_end, "absence-end"),
    page("delegations/", people.delegations, "delegations"),
    page("delegations/<int:delegation_id>/end/", people.delegation_end, "delegation-end"),
    page("tokens/", system.tokens, "tokens"),
    page("tokens/<str:name>/revoke/", system.token_revoke, "token-revoke"),
    page("webhooks/", system.webhooks, "webhooks"),
    page("webhooks/<int:webhook_id>/stop/", system.webhook_stop, "webhook-stop"),
    page("prenotices/", system.prenotices, "prenotices"),
    page("health/", system.health, "health"),
    page("look/", look.look, "look"),
    page("palette/", palette.palette, "palette"),
    page("tour/", start.tour, "tour"),
    page("setup/", start.setup, "setup"),
    page("claims/<str:number>/", claims.claim, "claim"),
    page("claims/<str:number>/receipt/", intake.receipt, "receipt"),
    page("claims/<str:number>/unmask/", claims.unmask, "claim-unmask"),
    page("claims/<str:number>/upload/", claims.upload, "claim-upload"),
    page("claims/<str:number>/documents/<int:part>/", files.document, "claim-document"),
    page("claims/<str:number>/letters/<slug:letter>/", files.letter, "claim-letter"),
    page("claims/<str:number>/<slug:action>/", claims.act_on_claim, "claim-act"),
    page("claims/<str:number>/<slug:parts>/<slug:part>/<slug:action>/", claims.act_on_part, "part-act"),
]

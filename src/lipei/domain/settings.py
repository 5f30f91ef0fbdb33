"""Settings: the single figures and names that a claims manager decides; declared in the document ``settings``."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, time
from typing import Any

from lipei.domain.calendars import local_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting by name, in its type. Units stand last in the names. Meaning: text ``setting.<name>``."""

    # the company
    company_name_zh_hans: str
    company_name_zh_hant: str
    company_name_en: str
    company_phone: str
    company_email: str
    company_address: str
    phone_ambulance: str
    phone_police: str
    phone_fire: str
    zone: str
    currency: str
    market: str
    languages: tuple[str, ...]
    language_default: str
    # off hours
    duty_acknowledge_minutes: int
    duty_roster_ahead_days: int
    # leading a team
    team_risk_minutes: int
    # talking to customers
    quiet_from: time
    quiet_to: time
    pre_notice_show_days: int
    # papers and offers
    papers_ask_by_rule: str  # of simple claims: nobody's, or of who agreed to automatic handling, or all
    papers_due_days: int
    papers_remind_days: int
    papers_missing_reason: str  # decided without papers: a reason is owed for those asked for, or always
    offer_expiry_days: int
    offer_remind_days: int
    heirs_agree: str  # to an offer that several share: each of them, or one is enough
    one_time_code_digits: int
    one_time_code_minutes: int
    one_time_code_attempts: int
    portal_link_days: int
    portal_tries_per_caller: int
    portal_codes_per_day: int
    portal_report_window_minutes: int
    portal_reports_per_phone: int
    portal_reports_per_caller: int
    portal_messages_per_claim: int
    # checks
    clock_skew_minutes: int
    duplicate_window_hours: int
    loss_years_max: int
    identity_check_threshold_minor: int
    sampling_rate_ppm: int
    amount_absurd_minor: int
    # uploads
    upload_max_bytes: int
    upload_form_max_bytes: int
    upload_claim_max_bytes: int
    upload_files_max: int
    upload_resume_hours: int
    # sign-in and personal data
    session_idle_minutes: int
    session_max_hours: int
    sign_in_attempts: int
    sign_in_lock_minutes: int
    unmask_minutes: int
    retention_years: int

    @property
    def region(self) -> str:
        """Where a telephone number without a country code is dialled: the land of the market (CN, TW, HK, US, DE …)."""
        return self.market.removeprefix("EU-")[:2]

    def day(self, at: datetime) -> date:
        """The company's day at an instant: by it terms begin and people come of age."""
        return local_date(at, self.zone)

    def __getitem__(self, name: str) -> Any:
        """A setting by a name that is only known at run time. Raises KeyError for one that does not exist."""
        if name not in NAMES:
            raise KeyError(name)
        return getattr(self, name)


NAMES = tuple(f.name for f in fields(Settings))

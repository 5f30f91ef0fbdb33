"""Settings: the single figures and names that a claims manager decides, and the checks that strict tables share.

The document ``settings`` declares each one: type, unit, bounds, default, the clause or law behind it. A manager's edit
sets ``value`` beside the default; `with_values` is the way to make one. What an operator decides is an environment
variable instead and stands elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo

from lipei.domain.calendars import HOME
from lipei.domain.settings import NAMES, Settings
from lipei.norms.errors import NormError
from lipei.norms.lines import known_codes, known_keys, texts_of


@dataclass(frozen=True, slots=True)
class Definition:
    """One setting as declared: what a settings page shows and a bound refuses."""

    name: str
    type: str
    default: Any
    value: Any  # in force: the manager's, else the default
    unit: str = ""
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    clause: str = ""
    source: str = ""
    source_status: str = ""

    @property
    def text(self) -> str:
        """Key of the sentence that says what the setting means."""
        return f"setting.{self.name}"


def parse(document: Mapping[str, Any]) -> Settings:
    """The settings in force. Raises NormError, naming the setting, for a value of the wrong type or out of bounds."""
    settings = Settings(**{d.name: d.value for d in definitions(document)})
    known_codes("settings.language_default", [settings.language_default], settings.languages)
    if settings.session_idle_minutes > settings.session_max_hours * 60:
        raise NormError("norm_error.settings.session", place="settings.session_idle_minutes")
    return settings


def definitions(document: Mapping[str, Any]) -> tuple[Definition, ...]:
    """Every setting as declared by the document, in its order: exactly those that `Settings` has."""
    known_keys("settings", document, required={"version", "settings"})
    whole("settings.version", document["version"], 1)
    known_keys("settings.settings", document["settings"], required=NAMES)
    return tuple(_definition(name, row) for name, row in document["settings"].items())


def with_values(document: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The document of the next version, with these values set by a manager. Raises NormError as `parse` does.

    A value equal to the default stays set: a later default must not change what somebody has decided.
    """
    settings = {name: dict(row) for name, row in document["settings"].items()}
    known_codes("settings", values, settings)
    for name, value in values.items():
        settings[name]["value"] = value
    edited = {**document, "version": document["version"] + 1, "settings": settings}
    parse(edited)
    return edited


def _definition(name: str, row: Any) -> Definition:
    place = f"settings.{name}"
    optional = {"value", "unit", "min", "max", "choices", "clause", "source", "source_status"}
    known_keys(place, row, required={"type", "default"}, optional=optional)
    known_codes(place, [words(place, row["type"])], _READERS)
    for bound in ("min", "max"):
        if bound in row:
            whole(f"{place}.{bound}", row[bound])
    choices = texts_of(f"{place}.choices", row.get("choices", []))
    read = _READERS[row["type"]]
    default = read(place, row["default"], row)
    return Definition(
        name=name,
        type=row["type"],
        default=default,
        value=read(place, row["value"], row) if "value" in row else default,
        unit=words(place, row.get("unit", "")),
        minimum=row.get("min"),
        maximum=row.get("max"),
        choices=choices,
        clause=words(place, row.get("clause", "")),
        source=words(place, row.get("source", "")),
        source_status=words(place, row.get("source_status", "")),
    )


# --- values of one type, each refused with its place ------------------------------------------------------------------


def whole(place: str, value: Any, minimum: int | None = None, maximum: int | None = None) -> int:
    """A whole number within bounds (both included)."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise NormError("norm_error.value.whole", place=place, value=str(value))
    if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
        bounds = {"minimum": "–" if minimum is None else minimum, "maximum": "–" if maximum is None else maximum}
        raise NormError("norm_error.value.bounds", place=place, value=value, **bounds)
    return value


def flag(place: str, value: Any) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise NormError("norm_error.value.flag", place=place, value=str(value))
    return value


def words(place: str, value: Any) -> str:
    """A text; a number that YAML made of an unquoted word is refused, not guessed at."""
    if not isinstance(value, str):
        raise NormError("norm_error.value.words", place=place, value=str(value))
    return value


def currency_of(place: str, value: Any) -> str:
    """A currency's code of ISO 4217, by its shape."""
    if not (isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()):
        raise NormError("norm_error.value.currency", place=place, value=str(value))
    return value


def zone_of(place: str, value: Any) -> ZoneInfo:
    """A time zone of the IANA database."""
    name = words(place, value)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise NormError("norm_error.value.zone", place=place, value=value) from None


def time_of(place: str, value: Any) -> time:
    """A time of day as ``HH:MM``, local; quoted, because YAML reads 21:00 as a number."""
    written = words(place, value)
    try:
        found = time.fromisoformat(written)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        raise NormError("norm_error.value.time", place=place, value=written)
    return found


def _choice(place: str, value: Any, row: Mapping[str, Any]) -> str:
    known_codes(place, [words(place, value)], row.get("choices", ()))
    return str(value)


def _choices(place: str, value: Any, row: Mapping[str, Any]) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or len(set(map(str, value))) != len(value):
        raise NormError("norm_error.value.choices", place=place, value=str(value))
    return tuple(_choice(place, item, row) for item in value)


_READERS: Mapping[str, Callable[[str, Any, Mapping[str, Any]], Any]] = {
    "whole": lambda place, value, row: whole(place, value, row.get("min"), row.get("max")),
    "words": lambda place, value, row: words(place, value),
    "currency": lambda place, value, row: currency_of(place, value),
    "zone": lambda place, value, row: HOME if value == HOME else zone_of(place, value).key,
    "time": lambda place, value, row: time_of(place, value),
    "choice": _choice,
    "choices": _choices,
}

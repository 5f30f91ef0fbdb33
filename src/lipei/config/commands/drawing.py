"""The generated documents: each is drawn from one table of the code, in Markdown, in English."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import yaml

from lipei.config import environment
from lipei.domain import lifecycle, permissions
from lipei.norms import loader
from lipei.norms.promises import limit_words
from lipei.norms.texts import text, texts

DRAWN = "<!-- Drawn from the code by `lipei docs`. Do not edit. -->\n"


def documents(root: Path) -> dict[str, str]:
    """Every generated document: path below the checkout → text."""
    found = {f"docs/generated/{name}.md": draw() for name, draw in TABLES.items()}
    found["docs/generated/norm.md"] = _norm(root)
    found["docs/generated/counts.md"] = _counts(root)
    found["docs/settings.md"] = _environment()
    return found


def _document(title: str, about: str, *sections: str) -> str:
    return "\n".join([DRAWN, f"# {title}\n", about.strip() + "\n", *sections]).rstrip() + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    lines += [f"| {' | '.join(_cell(c) for c in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, list | tuple | frozenset | set):
        value = ", ".join(map(str, value))
    return str(value).replace("|", "\\|").replace("\n", " ")


def _named(key: str) -> str:
    return text(key, "en") if key in texts() else ""


# --- one function for each document --------------------------------------------------------------------------


def _lifecycle() -> str:
    sections = []
    for subject in dict.fromkeys(step.subject for step in lifecycle.STEPS):
        rows = [
            (f"`{s.action}`", s.sources or "new", s.target or "–", f"`{s.event}`", s.who, s.guards or "–")
            for s in lifecycle.STEPS
            if s.subject == subject
        ]
        sections.append(f"## {subject}\n\n" + _table(("action", "from", "to", "event", "who", "guards"), rows))
    about = """
Nothing outside this table changes a state. *Who* is written role:scope; the claim's own state follows from its parts.
`new` starts a part, `–` leaves the state as it is, `*` means a part without states."""
    return _document("Lifecycles", about, *sections)


def _events() -> str:
    steps = {step.event: f"action `{step.subject}.{step.action}`" for step in lifecycle.STEPS}
    rows = [
        (f"`{k}`", _named(f"event.{k}"), steps.get(k) or lifecycle.KINDS[k]) for k in sorted({*steps, *lifecycle.KINDS})
    ]
    about = "Every kind of journal entry, with its name on the timeline and what it comes from."
    return _document("Events", about, _table(("kind", "name", "comes from"), rows))


def _promises() -> str:
    table = loader.parsed("promises", 1, loader.default_text("promises"))
    rows = [
        (
            f"`{p.code}`", _named(p.text_key), p.binds, limit_words(p.limit, p.unit, "en"), p.calendar,
            p.markets or "all", p.lines or "all", tuple(dict.fromkeys(r.event for r in p.start)),
            tuple(dict.fromkeys(r.event for r in p.fulfil)) or "–", p.clause or p.article or "–", p.source_status,
        )
        for p in table.rows
    ]  # fmt: skip
    header = (
        "code",
        "promise",
        "binds",
        "limit",
        "calendar",
        "markets",
        "lines",
        "starts",
        "fulfilled by",
        "clause",
        "source",
    )
    about = (
        "The promises as shipped; a manager's edit wins over them. *unsourced* is working knowledge, not yet checked."
    )
    return _document("Promises", about, _table(header, rows))


def _permissions() -> str:
    steps: dict[str, list[str]] = {}
    for step in lifecycle.STEPS:
        for who in step.who:
            role, _, scope = who.partition(":")
            steps.setdefault(role, []).append(f"{step.subject}.{step.action}" + (f" ({scope})" if scope else ""))
    roles = [*permissions.ROLES, *sorted(set(steps) - set(permissions.ROLES))]
    seen = [(r, _named(f"role.{r}"), permissions.VIEW.get(r, "none")) for r in roles]
    may = [(f"`{what}`", who) for what, who in permissions.MAY.items()]
    taken = [(r, steps.get(r, ["–"])) for r in roles]
    about = "Denied by default, for administrators too. Each scope contains the one before: own, unit, company."
    return _document(
        "Permissions", about, "## Who sees claims\n\n" + _table(("role", "name", "scope"), seen),
        "## Beside claims\n\n" + _table(("permission", "roles"), may),
        "## Steps on claims\n\n" + _table(("role", "steps"), taken),
    )  # fmt: skip


def _messages() -> str:
    table = loader.parsed("messages", 1, loader.default_text("messages"))
    rows = [
        (
            f"`{m.code}`", m.events or "on request", tuple(" or ".join(one) for one in m.to), m.channels,
            m.letter or "–", tuple(n for n in ("urgent", "fast", "once") if getattr(m, n)) or "–", m.norm or "–",
        )
        for m in table.rows.values()
    ]  # fmt: skip
    about = "Who is told what when something happens. Channels are tried in order until one delivers."
    header = ("message", "events", "to", "channels", "letter", "how", "clause")
    return _document("Messages", about, _table(header, rows))


def _settings() -> str:
    rows = loader.read(loader.default_text("settings"))["settings"]
    listed = [
        (
            f"`{name}`", _named(f"setting.{name}"), row["type"], row.get("unit", "–"),
            f"{row['min']} to {row['max']}" if "min" in row else row.get("choices", "–"),
            row["default"] if row["default"] != "" else "–", row.get("clause", "–"), row.get("source_status", "–"),
        )
        for name, row in rows.items()
    ]  # fmt: skip
    header = ("setting", "meaning", "type", "unit", "bounds", "default", "clause", "source")
    about = "What a claims manager decides in the product. Variables of the environment: [settings](../settings.md)."
    return _document("Settings of the norm", about, _table(header, listed))


def _environment() -> str:
    rows = [(f"`{v.name}`", f"`{v.default}`" if v.default else "–", v.meaning) for v in environment.VARIABLES]
    about = """
Variables of the environment, checked at start: one that is unknown or makes no sense is named in one sentence. What a
claims manager decides (promises, limits, messages) is edited in the product and never a variable."""
    return _document("Settings", about, _table(("variable", "default", "meaning"), rows))


def _commands() -> str:
    from lipei.config.cli import lipei

    sections = []
    for name, command in sorted((n, c) for n, c in lipei.commands.items() if not c.hidden):
        context = click.Context(command, info_name=f"lipei {name}")
        usage = command.get_usage(context).removeprefix("Usage: ")
        options = [o.get_help_record(context) for o in command.params if isinstance(o, click.Option)]
        listed = _table(("option", "meaning"), [(f"`{o[0]}`", o[1]) for o in options if o]) if any(options) else ""
        sections.append(f"## lipei {name}\n\n{_help(command)}\n\n    {usage}\n\n{command.epilog}\n\n{listed}")
    about = "Exit status: 0 done, 1 not done (the sentence says why and what to do), 2 asked for wrongly."
    return _document("Commands", about, *sections)


def _help(command: click.Command) -> str:
    return re.sub(r"\n\s+", "\n", command.help or "").strip()


TABLES: Mapping[str, Callable[[], str]] = {
    "lifecycle": _lifecycle,
    "events": _events,
    "promises": _promises,
    "permissions": _permissions,
    "messages": _messages,
    "settings": _settings,
    "commands": _commands,
}


# --- which clause is where -----------------------------------------------------------------------------------

_IN_CODE = re.compile(r"\bnorm ((?:\d\.\d(?:\.\d)?)(?:(?:, | and )\d\.\d(?:\.\d)?)*)")
_IN_TESTS = re.compile(r"mark\.norm\(\"([\d.]+)\"\)")
_IN_TABLES = re.compile(r"^\s*-?.*\b(?:norm|clause): [\"']?(\d\.\d(?:\.\d)?)", re.MULTILINE)


def _norm(root: Path) -> str:
    """Clause by clause: which code names it, which table carries it, which test shows it."""
    code: dict[str, dict[str, None]] = {}
    tests: dict[str, dict[str, None]] = {}
    for path in sorted((root / "src" / "lipei").rglob("*")):
        if path.suffix not in (".py", ".yaml") or "migrations" in path.parts or "texts" in path.parts:
            continue
        content, name = path.read_text(encoding="utf-8"), path.relative_to(root / "src" / "lipei").as_posix()
        clauses = [c for found in _IN_CODE.findall(content) for c in re.findall(r"\d\.\d(?:\.\d)?", found)]
        clauses += _IN_TABLES.findall(content) if path.suffix == ".yaml" else []
        for clause in clauses:
            code.setdefault(clause, {})[name] = None
    for path in sorted((root / "tests").rglob("test_*.py")):
        name = path.relative_to(root / "tests").as_posix()
        for clause in _IN_TESTS.findall(path.read_text(encoding="utf-8")):
            tests.setdefault(clause, {})[name] = None
    rows = [(c, tuple(code.get(c, ())) or "–", tuple(tests.get(c, ())) or "–") for c in sorted({*code, *tests})]
    about = "Which parts of the product carry a clause of the norm, and which tests show it to hold."
    return _document("The norm, clause by clause", about, _table(("clause", "code and tables", "tests"), rows))


def seconds(one: Mapping[str, Any], model: Mapping[str, float]) -> float:
    """What keys, clicks and text of a piece of work take by the keystroke-level model."""
    keys, clicks, typed, texts = (one[name] for name in ("keys", "clicks", "typed", "texts"))
    moved = model["key"] * (keys + clicks + typed) + model["point"] * clicks
    return float(moved + model["think"] * (keys + clicks + texts))


def _counts(root: Path) -> str:
    """Keys, clicks and taps of the day's work, as the browser tests count them, and the seconds reckoned from them."""
    told = yaml.safe_load((root / "tests" / "browser" / "counts.yaml").read_text(encoding="utf-8"))
    model = told["model"]
    desk = [
        (
            one["work"], one["keys"], one["clicks"], one.get("most", "–"), one["typed"], f"{seconds(one, model):.0f} s",
            f"{one['most_seconds']} s" if "most_seconds" in one else "–",
        )
        for one in told["desk"].values()
    ]  # fmt: skip
    taps = [(t["work"], t["taps"], t["taps_most"], t["fields"], t["fields_most"]) for t in told["phone"].values()]
    about = f"""
Counted in a real browser, from the open page until the answer is there, by `tests/browser`; the figures stand in
`counts.yaml` beside it, and a test that counts otherwise fails. A chord is one key. What is typed into a field counts
apart, in strokes. Seconds are reckoned by the keystroke-level model (Card, Moran and Newell 1980): {model["key"]} s a key,
stroke or click, {model["point"]} s to point, {model["think"]} s of thought before each key, click and field; a Chinese character
is {model["character"]} strokes. Talking and waiting are not in it."""
    header = ("at the desk", "keys", "clicks", "both at most", "strokes typed", "reckoned", "at most")
    phone = _table(("on a phone", "taps", "at most", "fields", "at most"), taps)
    return _document("Keys, clicks and taps", about, _table(header, desk), phone)

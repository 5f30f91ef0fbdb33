"""What a run may be told on the command line."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Options:
    """Sizes and places. Smaller sizes are for a quick look; the bars hold for the defaults."""

    database: str = os.environ.get("LIPEI_BENCH_DATABASE", "postgresql://postgres@127.0.0.1:5432/postgres")
    tsa: str = ""
    seconds: int = 15
    workers: int = 2
    threads: int = 2
    connections: int = 8
    claims: int = 1_000_000
    open_claims: int = 100_000
    import_claims: int = 30_000
    replay: int = 5_000


HELP = {
    "database": "a PostgreSQL database whose owner may create others; scratch databases are made beside it and dropped",
    "tsa": "folder of the TSA claim files (claims-2007-2009.xls …), for `imports` and `replay`",
    "seconds": "how long load is put on",
    "workers": "web processes of `reports` and `replay`",
    "threads": "requests at once per web process",
    "connections": "connections of the load generator",
    "claims": "size of the large company of `worklist` and `claim_page`",
    "open_claims": "open claims of the large company",
    "import_claims": "rows of the file that `imports` makes where the TSA files are not there",
    "replay": "claims that `replay` sends; 0: all of them",
}


def add_to(parser: argparse.ArgumentParser) -> None:
    """An option per field."""
    for field in fields(Options):
        kind: Any = int if isinstance(field.default, int) else str
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=kind,
            default=field.default,
            help=f"{HELP[field.name]} (%(default)s)",
        )


def read(namespace: argparse.Namespace) -> Options:
    """The options of a parsed command line."""
    return Options(**{field.name: getattr(namespace, field.name) for field in fields(Options)})


def arguments(options: Options) -> list[str]:
    """The command line that says these options."""
    return [f"--{name.replace('_', '-')}={value}" for name, value in asdict(options).items()]

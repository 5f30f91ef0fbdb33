"""The command line: ``lipei …`` (contract: every command has help with an example, one sentence per error, 0/1/2).

Exit status: 0 done, 1 not done (the sentence says why and what to do), 2 asked for wrongly. Django is set up by the
commands that need it and only then, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from lipei.config.commands import Failed, Stopped, data, docs, keeping, running, setting_up

GROUPS: Sequence[click.Command] = (
    running.serve,
    running.work,
    running.run,
    running.prepare,
    setting_up.migrate,
    setting_up.token,
    setting_up.staff,
    data.demo,
    data.import_,
    data.export,
    keeping.verify,
    keeping.backup,
    keeping.restore,
    keeping.role,
    keeping.check,
    docs.docs,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="lipei", prog_name="lipei")
def lipei() -> None:
    """Claims settlement: from the report of a loss to the money in the account.

    Settings are LIPEI_… variables of the environment, see docs/settings.md.
    """


for command in GROUPS:
    lipei.add_command(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lipei.config.settings")
    try:
        status = lipei.main(
            args=list(sys.argv[1:] if arguments is None else arguments), prog_name="lipei", standalone_mode=False
        )
    except Failed as error:
        click.echo(f"lipei: {error}", err=True)
        return 1
    except Stopped:
        return 1
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        return 1
    except Exception as error:
        words = _ground(error)
        if not words:
            raise  # a mistake of our own: its traceback is what helps
        click.echo(f"lipei: {words}", err=True)
        return 1
    return status if isinstance(status, int) else 0


def _ground(error: Exception) -> str:
    """The sentence for a full disk, a database that is away or rules that cannot be; empty for anything else."""
    from lipei.norms.errors import NormError
    from lipei.norms.texts import text
    from lipei.store import trouble

    if isinstance(error, NormError):
        return text(error.code, "en", **error.params)
    return {
        trouble.STORAGE: "there is no room left on the disk: free some and run this again; nothing was half written.",
        trouble.DATABASE: f"the database does not answer ({str(error).strip()}): see that it runs and run this again.",
    }.get(trouble.of(error), "")

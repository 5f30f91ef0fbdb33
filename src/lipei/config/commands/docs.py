"""``docs``: the documents that are drawn from the code, and whether they still agree with it."""

from __future__ import annotations

from pathlib import Path

import click

from lipei.config.commands import Failed, set_up


@click.command(epilog="Example: lipei docs --check")
@click.option("--check", is_flag=True, help="Write nothing; exit status 1 where a document has drifted.")
@click.option(
    "--root", type=click.Path(exists=True, file_okay=False, path_type=Path), default=Path(), help="The checkout."
)
def docs(check: bool, root: Path) -> None:
    """Write docs/generated and docs/settings.md from the tables of the code."""
    if not (root / "pyproject.toml").is_file():
        raise Failed("this is not a checkout of the project: run it in one, or name it by --root.")
    set_up()
    from lipei.config.commands import drawing

    wanted = drawing.documents(root)
    there = {path.relative_to(root).as_posix() for path in (root / "docs" / "generated").glob("*.md")}
    drifted = [name for name, text in wanted.items() if _read(root / name) != text]
    drifted += sorted(there - set(wanted))
    if check:
        if drifted:
            raise Failed(f"these documents do not agree with the code: {', '.join(drifted)}. Run `lipei docs`.")
        click.echo(f"{len(wanted)} documents agree with the code.")
        return
    for name, text in wanted.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    for name in sorted(there - set(wanted)):
        (root / name).unlink()
    click.echo(f"{len(wanted)} documents written, {len(drifted)} of them changed.")


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None

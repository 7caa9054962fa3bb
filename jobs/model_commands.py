"""`vitrine models ...`: what is in the model registry, and how its aliases move.

Not named `models.py`: `spark-submit jobs/extract.py` puts this folder on the path, where it would hide the package.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from jobs.registry import Registry
    from models.bundle import Bundle
    from models.gate import GateReport
    from models.registry import AliasChange, Aliases
    from schemas.settings import Settings

app = typer.Typer(
    help="List, add, promote and roll back model bundles in a registry.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Root = Annotated[
    str | None, typer.Option("--root", help="Registry: a folder or s3:// prefix.  [default: setting models_root]")
]
Alias = Annotated[str, typer.Option("--alias", help="Which alias to move.")]
Who = Annotated[str | None, typer.Option("--by", help="Who does it, for the history.  [default: this user]")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Any other setting, e.g. s3.region=eu-central-1.")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file (TOML).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

# Narrower than this the gate's table is hard to read, also in a log file.
_LEAST_WIDTH = 110


@app.command("list")
def list_bundles(root: Root = None, as_json: AsJson = False, set_: Set = None, config: Config = None) -> None:
    """List every bundle with its aliases; damaged ones say what is wrong."""
    registry, _ = _open(root, set_, config)
    listed = registry.bundles()
    if as_json:
        rows = [
            {
                "bundle": str(one.reference),
                "aliases": list(one.aliases),
                "sha256": one.bundle.sha256 if one.bundle else None,
                "problem": one.problem,
            }
            for one in listed
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    if not listed:
        typer.echo(f"{registry.root} holds no bundles; `vitrine models add` puts one there")
        return
    table = _table("Bundle", "Aliases", "Created", "MB", "SHA-256")
    for one in listed:
        if one.bundle is None:
            table.add_row(str(one.reference), ", ".join(one.aliases), "damaged", "", one.problem)
            continue
        created = f"{one.bundle.manifest.created_at:%Y-%m-%d %H:%M}"
        table.add_row(
            *(str(one.reference), ", ".join(one.aliases), created, f"{_size(one.bundle) / 1e6:.1f}"),
            one.bundle.sha256[:12],
        )
    _print(table)


@app.command()
def show(
    bundle: Annotated[str, typer.Argument(help="Alias, name@version, or path of a bundle.")],
    root: Root = None,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Show what a bundle says of itself, and the history of an alias, as JSON."""
    from models.registry import looks_like_reference

    if not looks_like_reference(bundle):
        typer.echo(json.dumps(_described(_bundle_at(bundle, _settings(set_, config))), indent=2))
        return
    registry, _ = _open(root, set_, config)
    found = registry.resolve(bundle)
    aliases = registry.aliases()
    history = [
        change.model_dump(mode="json", by_alias=True, exclude_none=True)
        for change in aliases.history
        if bundle == change.alias or found.version_id == change.to.bundle
    ]
    typer.echo(json.dumps({**_described(found, aliases), "history": history}, indent=2))


@app.command()
def add(
    bundle: Annotated[str, typer.Argument(help="Bundle: folder, .zip or s3:// .zip.")],
    root: Root = None,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Copy a bundle into the registry, under its name and version."""
    registry, settings = _open(root, set_, config)
    found = _bundle_at(bundle, settings)
    added = registry.add(found)
    typer.echo(f"{found.version_id} {'added to' if added else 'is already in'} {registry.root}")


@app.command()
def promote(
    bundle: Annotated[str, typer.Argument(help="name@version, or path of a bundle, which is then added.")],
    more_metrics: Annotated[list[Path] | None, typer.Argument(hidden=True)] = None,
    metrics: Annotated[
        list[Path] | None,
        typer.Option("--metrics", help="metrics.json files of `vitrine evaluate`.  [default: those kept before]"),
    ] = None,
    alias: Alias = "champion",
    champion_metrics: Annotated[
        list[Path] | None, typer.Option("--champion-metrics", help="The same of the champion, if not kept before.")
    ] = None,
    tolerance_file: Annotated[
        Path | None, typer.Option("--tolerance-file", help="TOML with [[tolerance]] tables, before the defaults.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Promote although the gate refuses.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept in the history.")] = None,
    by: Who = None,
    root: Root = None,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Move an alias to a bundle that is no worse than the one it points at; `candidate` moves without a gate."""
    from jobs.cli import UsageError
    from jobs.promotion import judge_promotion
    from jobs.promotion import promote as promote_judged
    from models.registry import BundleReference, looks_like_reference
    from models.tolerances import read_tolerances

    if force and not (reason and reason.strip()):
        raise UsageError("--force needs --reason TEXT, which is kept in the history")
    _check_alias(alias)
    registry, settings = _open(root, set_, config)
    if looks_like_reference(bundle):
        candidate = registry.resolve(bundle) if "@" not in bundle else registry.read(BundleReference.parse(bundle))
    else:
        candidate = _bundle_at(bundle, settings)
    tolerances = read_tolerances(tolerance_file) if tolerance_file else ()
    given = [*(metrics or ()), *(more_metrics or ())]
    judged = judge_promotion(registry, candidate, alias, given, champion_metrics or (), tolerances)
    if judged.report is not None:
        _print_report(judged.report)
    _say(promote_judged(registry, judged, reason=reason, force=force, who=by))


@app.command()
def rollback(
    alias: Alias = "champion",
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept in the history.")] = None,
    by: Who = None,
    root: Root = None,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Move an alias back to where it pointed before."""
    registry, _ = _open(root, set_, config)
    _say(registry.rollback(alias, why=reason or "rolled back", who=by))


def _settings(set_: list[str] | None, config: Path | None) -> Settings:
    from jobs.cli import settings_without_tables

    return settings_without_tables(set_, config)


def _open(root: str | None, set_: list[str] | None, config: Path | None) -> tuple[Registry, Settings]:
    from jobs.cli import UsageError
    from jobs.registry import Registry

    settings = _settings(set_, config)
    place = root or settings.models_root
    if not place:
        raise UsageError("no registry is named: give --root, or set models_root (VITRINE_MODELS_ROOT)")
    return Registry(place, settings.s3), settings


def _bundle_at(location: str, settings: Settings) -> Bundle:
    from jobs.session import read_bundle

    return read_bundle(location, settings.s3)


def _check_alias(alias: str) -> None:
    from jobs.cli import UsageError
    from models.registry import is_alias

    if not is_alias(alias):
        raise UsageError(f"--alias {alias}: write lower-case words with hyphens, e.g. champion")


def _described(bundle: Bundle, aliases: Aliases | None = None) -> dict[str, Any]:
    from models.registry import BundleReference

    reference = BundleReference(bundle.manifest.name, bundle.manifest.version)
    return {
        "bundle": bundle.version_id,
        "sha256": bundle.sha256,
        "aliases": list(aliases.of_bundle(reference)) if aliases else [],
        "bytes": _size(bundle),
        "manifest": bundle.manifest.model_dump(mode="json", exclude_none=True),
    }


def _size(bundle: Bundle) -> int:
    return sum(len(content) for content in bundle.files.values())


def _say(change: AliasChange) -> None:
    before = f" (was {change.from_.bundle})" if change.from_ else ""
    typer.echo(f"{change.alias} is {change.to.bundle} now{before}: {change.why}")


def _print_report(report: GateReport) -> None:
    table = _table("Figure", "Champion", "Candidate", "Allowed", "")
    measured_on = None
    for line in report.lines:
        if line.measured_on != measured_on:
            measured_on = line.measured_on
            table.add_row(f"on {measured_on}:", style="dim")
        table.add_row(
            *(f"  {line.metric}", _figure(line.champion), _figure(line.candidate), line.allowed),
            "ok" if line.passed else "WORSE",
            style="" if line.passed else "bold red",
        )
    if report.lines:
        _print(table)
    for problem in report.problems:
        typer.echo(f"not comparable: {problem}")
    if report.uncovered:
        typer.echo(f"{report.uncovered} further figures have no tolerance, or too few pictures, and decide nothing")


def _figure(value: float | None) -> str:
    from models.gate import number_text

    return number_text(value)


def _table(*columns: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print(table: Table) -> None:
    from rich.console import Console

    console = Console(file=sys.stdout, highlight=False)
    console.width = max(console.width, _LEAST_WIDTH)
    console.print(table)

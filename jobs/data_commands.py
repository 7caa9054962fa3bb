"""The command line of data sets: `vitrine data check|export|import|labels`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.settings import Settings

app = typer.Typer(
    help="Check labelled data; export pictures for labelling and import corrections.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Tables = Annotated[str | None, typer.Option("--tables", help="Tables root: a folder or s3:// prefix.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="Any other setting, e.g. s3.region=eu-central-1.")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file (TOML).")]


class Format(StrEnum):
    """Form of a file for labelling."""

    csv = "csv"
    jsonl = "jsonl"
    coco = "coco"


@app.command()
def check(
    labels: Annotated[list[Path], typer.Option("--labels", help="Labels file (CSV); may be repeated.")],
    images_root: Annotated[
        Path | None, typer.Option("--images-root", help="Folder that image_path refers to.  [default: the CSV's]")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for check.json and check.html.")] = None,
    hamming: Annotated[
        int, typer.Option("--hamming", min=0, max=32, help="Bits of 64 in which near-duplicates' hashes may differ.")
    ] = 8,
    strict: Annotated[bool, typer.Option("--strict", help="End with status 1 when there is any problem.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Check labels files: missing files, spelling, leaks between splits, balance, licenses."""
    from jobs.data_check import CHECK_NAME, REPORT_NAME, check_labels
    from jobs.data_check_report import check_lines, write_check_report

    found = check_labels(labels, images_root, hamming=hamming, quiet=quiet)
    if out is not None:
        written = write_check_report(out / REPORT_NAME, found)
        (out / CHECK_NAME).write_text(found.model_dump_json(indent=1) + "\n", encoding="utf-8")
    typer.echo(check_lines(found))
    if out is not None:
        typer.echo(f"{written}")
    if strict and found.problems:
        raise typer.Exit(1)


@app.command("export")
def export_(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")],
    tables: Tables = None,
    below: Annotated[float, typer.Option("--below", min=0, max=1, help="Export what is less sure than this.")] = 0.5,
    attribute: Annotated[str, typer.Option("--attribute", help="Whose confidence counts.")] = "category",
    quarantined: Annotated[bool, typer.Option("--quarantined", help="Export pictures in quarantine instead.")] = False,
    form: Annotated[Format, typer.Option("--format", help="csv, jsonl or coco (boxes).")] = Format.csv,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Most pictures.")] = 1000,
    images: Annotated[bool, typer.Option("--images", help="Copy the pictures beside the file.")] = False,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Write pictures for labelling: those the models are least sure of, or those in quarantine."""
    from jobs.cli import UsageError
    from jobs.corrections import ATTRIBUTES
    from jobs.data_export import export_rows

    if attribute not in ATTRIBUTES:
        raise UsageError(f"--attribute {attribute}: choose one of {', '.join(ATTRIBUTES)}")
    written, count = export_rows(
        _settings(tables, set_, config),
        out,
        below=below,
        attribute=attribute,
        quarantined=quarantined,
        form=form.value,
        limit=limit,
        copy_images=images,
    )
    typer.echo(f"{count} pictures; {written}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="Corrected file: .csv, .jsonl, or COCO .json.")],
    tables: Tables = None,
    by: Annotated[str | None, typer.Option("--by", help="Who corrected.  [default: this user]")] = None,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Check corrections and write them to the table `corrections`; one wrong line stops the whole file."""
    from jobs.data_import import import_corrections

    typer.echo(f"{import_corrections(_settings(tables, set_, config), file, by)} corrections imported")


@app.command()
def labels(
    out: Annotated[Path, typer.Option("--out", help="Folder for labels.csv and images.")],
    tables: Tables = None,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Write the corrections as a labelled data set, for training and evaluation."""
    from jobs.data_labels import write_corrections_as_labels

    written, count, gone = write_corrections_as_labels(_settings(tables, set_, config), out)
    for uri in gone:
        typer.echo(f"vitrine: {uri} cannot be read any more; left out", err=True)
    typer.echo(f"{count} pictures; {written}")


def _settings(tables: str | None, set_: list[str] | None, config: Path | None) -> Settings:
    from jobs.cli import settings_of_tables

    return settings_of_tables(tables, set_, config)

"""The command line: `vitrine <job> ...`; each job is also spark-submit-able with the same options."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from jobs.data_commands import app as data_app
from jobs.model_commands import app as models_app
from schemas.settings import Settings

app = typer.Typer(
    name="vitrine",
    help="Reads product pictures and writes what it sees into Delta tables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(models_app, name="models")
app.add_typer(data_app, name="data")

Tables = Annotated[str | None, typer.Option("--tables", help="Tables root: a folder or s3:// prefix.")]
Catalog = Annotated[
    str | None,
    typer.Option(
        "--catalog",
        help="Feed: CSV, JSON Lines, Parquet, Delta, a folder of pictures or an s3:// prefix.",
    ),
]
Models = Annotated[
    str | None,
    typer.Option(
        "--models",
        help="Model bundle: folder, .zip, or alias or name@version of the registry.  [default: the shipped one]",
    ),
]
AllowedRoots = Annotated[
    list[str] | None,
    typer.Option("--allowed-root", help="Root that pictures may be read from; may be repeated.  [default: the feed's]"),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any other setting, e.g. extract.wave_images=5000; may be repeated."),
]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file (TOML).")]
RunId = Annotated[str | None, typer.Option("--run-id", help="Identity of the run; repeating one changes nothing.")]
Report = Annotated[Path | None, typer.Option("--report", help="Write the report page here.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress, no closing table.")]


class UsageError(Exception):
    """A wrong option; one line that says which."""


def _settings(
    tables: str | None,
    catalog: str | None,
    models: str | None,
    roots: list[str] | None,
    extra: list[str] | None,
    config: Path | None,
) -> Settings:
    """Settings from flags over the environment over the settings file."""
    given: dict[str, Any] = {"tables": tables, "catalog": catalog, "models": models, "allowed_roots": roots}
    values = {name: value for name, value in given.items() if value}
    for assignment in extra or ():
        _assign(values, assignment)
    if config is not None:
        if not config.is_file():
            raise UsageError(f"settings file {config} does not exist")
        os.environ["VITRINE_CONFIG"] = str(config)
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"setting {name}: {first['msg']} (given: {first['input']!r})") from error
    except ValueError as error:
        raise UsageError(f"settings file {config}: {error}") from error


def settings_without_tables(set_: list[str] | None, config: Path | None) -> Settings:
    """Settings for commands that touch no tables."""
    return _settings("(tables)", None, None, None, set_, config)


def settings_of_tables(tables: str | None, set_: list[str] | None, config: Path | None) -> Settings:
    """Settings for commands that touch tables but no feed and no bundle."""
    return _settings(tables, None, None, None, set_, config)


def _assign(values: dict[str, Any], assignment: str) -> None:
    name, equals, text = assignment.partition("=")
    if not equals or not name:
        raise UsageError(f"--set {assignment}: write it as name=value")
    *groups, last = name.split(".")
    place = values
    for group in groups:
        place = place.setdefault(group, {})
    place[last] = text


def _run(stages: tuple[str, ...], settings: Settings, run_id: str | None, report: Path | None, quiet: bool) -> None:
    from jobs.nightly import run_stages

    run_stages(settings, stages, run_id=run_id, report=report, quiet=quiet)


@app.command()
def nightly(
    tables: Tables = None,
    catalog: Catalog = None,
    models: Models = None,
    allowed_root: AllowedRoots = None,
    run_id: RunId = None,
    report: Report = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Run a night: ingest, extract, fuse, index, publish, maintain."""
    from schemas.stages import STAGES

    _run(STAGES, _settings(tables, catalog, models, allowed_root, set_, config), run_id, report, quiet)


@app.command()
def ingest(
    tables: Tables = None,
    catalog: Catalog = None,
    allowed_root: AllowedRoots = None,
    run_id: RunId = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Bring catalog and images up to date with the feed."""
    _run(("ingest",), _settings(tables, catalog, None, allowed_root, set_, config), run_id, None, quiet)


@app.command()
def extract(
    tables: Tables = None,
    models: Models = None,
    allowed_root: AllowedRoots = None,
    run_id: RunId = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Describe every picture that is new, changed, retryable or described by an old bundle."""
    _run(("extract",), _settings(tables, None, models, allowed_root, set_, config), run_id, None, quiet)


@app.command()
def fuse(
    tables: Tables = None,
    models: Models = None,
    run_id: RunId = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Make one product of its pictures, texts, feed rows and corrections."""
    _run(("fuse",), _settings(tables, None, models, None, set_, config), run_id, None, quiet)


@app.command()
def index(
    tables: Tables = None,
    models: Models = None,
    run_id: RunId = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Bring up to date what search reads: vectors, similar products, documents, near-duplicates."""
    _run(("index",), _settings(tables, None, models, None, set_, config), run_id, None, quiet)


@app.command()
def export(
    out: Annotated[str, typer.Option("--out", help="Folder or s3:// prefix to write to.")],
    to: Annotated[str, typer.Option("--to", help="opensearch-bulk, parquet, csv or jsonl.")] = "jsonl",
    table: Annotated[str, typer.Option("--table", help="Published table.")] = "search_documents",
    index_name: Annotated[
        str, typer.Option("--index-name", help="OpenSearch indexes begin with it; the language follows.")
    ] = "vitrine",
    tables: Tables = None,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Write a published table as files that other systems load."""
    from jobs.export import FORMATS, export_table

    formats = {name: name for name in FORMATS}
    if to not in formats:
        raise UsageError(f"--to {to}: take one of {', '.join(FORMATS)}")
    settings_ = settings_of_tables(tables, set_, config)
    made = export_table(settings_, out, formats[to], table=table, index=index_name)
    typer.echo(f"{made.rows} rows of {made.table}, publication {made.publication_id}: {len(made.files)} files in {out}")


@app.command()
def gate(
    tables: Tables = None,
    models: Models = None,
    run_id: RunId = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Check the tables as publish does, and move nothing: the gate as a step of its own."""
    _run(("gate",), _settings(tables, None, models, None, set_, config), run_id, None, quiet)


@app.command()
def close(
    tables: Tables = None,
    run_id: RunId = None,
    dashboard_: Annotated[Path | None, typer.Option("--dashboard", help="Write the dashboard there as well.")] = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Enter a night whose stages ran one by one in `runs` as a whole."""
    if run_id is None:
        raise UsageError("close needs --run-id: which night")
    settings = _settings(tables, None, None, None, set_, config)
    _run(("close",), settings, run_id, None, quiet)
    if dashboard_ is not None:
        from jobs.dashboard import write_dashboard

        write_dashboard(settings, dashboard_)


@app.command()
def dashboard(
    tables: Tables = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for index.html and vitrine.prom.")] = Path("dashboard"),
    set_: Set = None,
    config: Config = None,
) -> None:
    """Write a page about the last nights, and the last one as Prometheus text; needs no Spark."""
    from jobs.dashboard import write_dashboard

    typer.echo(f"{write_dashboard(settings_of_tables(tables, set_, config), out)}")


@app.command()
def publish(
    tables: Tables = None,
    models: Models = None,
    run_id: RunId = None,
    set_: Set = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Check the tables and move the version that readers see."""
    _run(("publish",), _settings(tables, None, models, None, set_, config), run_id, None, quiet)


@app.command()
def maintain(
    tables: Tables = None, run_id: RunId = None, set_: Set = None, config: Config = None, quiet: Quiet = False
) -> None:
    """Compact tables and delete what nobody needs."""
    _run(("maintain",), _settings(tables, None, None, None, set_, config), run_id, None, quiet)


@app.command()
def report(
    tables: Tables = None,
    out: Annotated[Path, typer.Option("--out", help="Page to write.")] = Path("report.html"),
    run_id: Annotated[str | None, typer.Option("--run-id", help="Run to report.  [default: the latest]")] = None,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Write the report page of a run."""
    from jobs.report_latest import report_latest

    written = report_latest(_settings(tables, None, None, None, set_, config), run_id, out)
    typer.echo(f"{written}")


@app.command()
def views(
    tables: Tables = None,
    catalog_schema: Annotated[
        str | None, typer.Option("--catalog-schema", help="Catalog and schema of the views, e.g. main.shop.")
    ] = None,
    create: Annotated[bool, typer.Option("--create", help="Create them, where a metastore keeps views.")] = False,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Print the SQL of the analysts' views of the published version."""
    from jobs.views import make_views

    typer.echo(make_views(settings_of_tables(tables, set_, config), catalog_schema, create=create))


@app.command()
def explain(
    subject: Annotated[str, typer.Argument(help="Picture (file, URI, SHA-256 of its content) or product identifier.")],
    tables: Tables = None,
    models: Models = None,
    attribute: Annotated[
        str | None, typer.Option("--attribute", help="Only this attribute, e.g. color.  [default: all]")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Page (.html) or figure (.png) to write.")] = Path("explain.html"),
    set_: Set = None,
    config: Config = None,
) -> None:
    """Show why a picture or product is described as it is: heat maps, boxes, colors, text, claims."""
    from jobs.explain import NO_TABLES, write_explanation
    from jobs.explain import explain as look_again

    try:
        values = _settings(tables, None, models, None, set_, config)
    except UsageError:
        # Neither flag nor environment nor file names tables; pictures can be explained without any.
        values = _settings(tables or NO_TABLES, None, models, None, set_, config)
    typer.echo(f"{write_explanation(look_again(subject, values, attribute), out)}")


@app.command()
def serve(
    tables: Tables = None,
    models: Models = None,
    allowed_root: AllowedRoots = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.  [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Port to listen on.  [default: 8080]")] = None,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Serve search, product pages and the review queue over the published tables."""
    from jobs.serve import serve as serve_job

    given = {"serve.host": host, "serve.port": port}
    extra = [f"{name}={value}" for name, value in given.items() if value is not None]
    serve_job(_settings(tables, None, models, allowed_root, [*(set_ or ()), *extra], config))


@app.command()
def settings(config: Config = None, set_: Set = None) -> None:
    """Print every setting with its value, as JSON."""
    values = settings_without_tables(set_, config)
    typer.echo(json.dumps(values.model_dump(mode="json"), indent=2))


@app.command()
def jars() -> None:
    """Print the jars for `spark-submit --jars`, fetching them when they are not there yet."""
    from jobs.jars import fetch_jars

    typer.echo(",".join(str(path) for path in fetch_jars()))


@app.command()
def render(
    out: Annotated[str, typer.Option("--out", help="Folder or s3:// prefix to write to.")],
    products: Annotated[int, typer.Option("--products", min=1, help="Products to draw.")] = 1000,
    views: Annotated[int, typer.Option("--views", min=1, help="Pictures per product.")] = 2,
    seed: Annotated[int, typer.Option("--seed", help="The same seed draws the same catalogue.")] = 0,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Draw a catalogue of any size as a Spark job, for scale tests."""
    from jobs.locations import resolve_location
    from jobs.render import render_catalog
    from jobs.spark_session import spark_session

    values = _settings(out, None, None, None, set_, config)
    spark = spark_session("vitrine render", values.s3)
    written = render_catalog(spark, resolve_location(out), products, views, seed, s3=values.s3)
    typer.echo(f"{written.pictures} pictures; feed: {written.feed}")


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option("--out", help="Folder for pictures, tables and report.")] = None,
    products: Annotated[int | None, typer.Option("--products", min=1, help="Products to draw.")] = None,
    models: Models = None,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Draw the demo catalogue, run a night on it and show what came out."""
    from jobs.demo import run_demo

    # The demo has its own tables, feed and pictures, whatever the settings file says of them.
    run_demo(out, products, lambda tables, feed, root: _settings(tables, feed, models, [root], set_, config))


@app.command()
def train(
    data: Annotated[
        list[Path], typer.Option("--data", help="A labels.csv, or a folder of data sets; may be repeated.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for checkpoints, logs and the bundle.")],
    recipe: Annotated[str, typer.Option("--recipe", help="Recipe in models/recipes, or a .json file.")] = "product",
    network: Annotated[
        str | None,
        typer.Option("--network", help="Short for the recipe of that network: product, small-cnn, text, detector."),
    ] = None,
    processes: Annotated[int, typer.Option("--processes", min=1, help="Train in so many local processes.")] = 1,
    start_from: Annotated[
        Path | None, typer.Option("--start-from", help="Begin with the weights of a finished training: its --out.")
    ] = None,
    saliency: Annotated[
        Path | None, typer.Option("--saliency", help="Detector only: U2-Net-p (ONNX), which masks the photos.")
    ] = None,
    stop_after: Annotated[
        float | None, typer.Option("--stop-after", help="Minutes after which to stop; run again to go on.")
    ] = None,
    version: Annotated[str, typer.Option("--version", help="Version of the bundle.")] = "1.0.0",
) -> None:
    """Train a network on labelled pictures and export it as a bundle; goes on where an earlier try stopped."""
    from jobs.train import train as train_job

    made = train_job(
        data,
        out,
        network or recipe,
        processes=processes,
        start_from=start_from,
        saliency=saliency,
        stop_after_minutes=stop_after,
        version=version,
    )
    typer.echo(f"{made}")


@app.command()
def fit_fusion(
    data: Annotated[
        list[Path], typer.Option("--data", help="A labels.csv with titles, or a folder of data sets; may be repeated.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder of the text bundle with the weights.")],
    bundle: Annotated[
        str | None, typer.Option("--bundle", help="Bundle that sees the pictures.  [default: the shipped one]")
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", help="Bundle with the text network.  [default: models/parts/text]")
    ] = None,
    rendered: Annotated[int, typer.Option("--rendered", min=0, help="Drawn products beside the data.")] = 3000,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes.  [default: one per core]")] = None,
) -> None:
    """Learn how far to trust pictures and texts of a product, on val splits; prints scores of the test splits."""
    from jobs.fit_fusion import fit_fusion as fit_job

    fit_job(data, out, bundle=bundle, text=text, rendered_products=rendered, workers=workers)
    typer.echo(f"{out}")


@app.command()
def evaluate(
    labels: Annotated[list[Path], typer.Option("--labels", help="Labels file (CSV); may be repeated.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for metrics.json and report.html.")],
    images_root: Annotated[
        Path | None, typer.Option("--images-root", help="Folder that image_path refers to.  [default: the CSV's]")
    ] = None,
    bundle: Annotated[
        str | None, typer.Option("--bundle", help="Model bundle: folder or .zip.  [default: the shipped one]")
    ] = None,
    split: Annotated[
        str | None, typer.Option("--split", help="Split, or `all`.  [default: test, else val, else all]")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Most pictures, drawn by chance.")] = None,
    min_train_count: Annotated[
        int, typer.Option("--min-train-count", min=1, help="Least training pictures of a frequent type.")
    ] = 20,
    top_colors: Annotated[int, typer.Option("--top-colors", min=1, help="Colors that count as common.")] = 20,
    robustness_images: Annotated[
        int, typer.Option("--robustness-images", min=0, help="Pictures to spoil in 25 ways; 0: none.")
    ] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of every draw.")] = 0,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes.  [default: one per core]")] = None,
    quiet: Quiet = False,
) -> None:
    """Measure a bundle on labelled pictures: metrics.json and report.html."""
    from jobs.evaluate import run_evaluation_command

    run_evaluation_command(
        labels,
        out,
        images_root=images_root,
        bundle=bundle,
        split=split,
        limit=limit,
        min_train_count=min_train_count,
        top_colors=top_colors,
        robustness_images=robustness_images,
        seed=seed,
        workers=workers,
        quiet=quiet,
    )


@app.command()
def enroll(
    out: Annotated[Path, typer.Option("--out", help="Folder of the new bundle.")],
    more_images: Annotated[list[Path] | None, typer.Argument(hidden=True)] = None,
    name: Annotated[str | None, typer.Option("--name", help="The new type, e.g. 'Yoga Mat', or a path.")] = None,
    images: Annotated[list[Path] | None, typer.Option("--images", help="Pictures of it: one file or more.")] = None,
    parent: Annotated[
        str | None, typer.Option("--parent", help="Taxonomy path above a name that the taxonomy lacks.")
    ] = None,
    zh: Annotated[str | None, typer.Option("--zh", help="Chinese name.")] = None,
    bundle: Annotated[
        str | None,
        typer.Option("--bundle", help="Folder, .zip, alias or name@version to extend.  [default: the shipped one]"),
    ] = None,
    remove: Annotated[str | None, typer.Option("--remove", help="Take away this enrolled type instead.")] = None,
    known: Annotated[
        Path | None,
        typer.Option("--known", help="Labelled pictures of known products, for a bundle without a reference."),
    ] = None,
    false_claims: Annotated[
        float, typer.Option("--false-claims", min=0.0001, max=0.2, help="Known products above the threshold, at most.")
    ] = 0.01,
    expected_share: Annotated[
        float, typer.Option("--expected-share", min=0.0001, max=0.9, help="Share of the type among your pictures.")
    ] = 0.02,
    set_: Set = None,
    config: Config = None,
) -> None:
    """Teach a bundle a new type from a few pictures, without training; writes a new bundle."""
    from jobs.enroll import enroll_type, remove_type, summary
    from jobs.session import read_bundle

    settings = settings_without_tables(set_, config)
    if (name is None) == (remove is None):
        raise UsageError("give either --name and --images, or --remove")
    found = read_bundle(bundle, settings.s3, settings.models_root)
    if name is None:
        assert remove is not None
        typer.echo(f"{remove} removed: {remove_type(found, remove, out).version_id}")
        return
    files = [*(images or ()), *(more_images or ())]
    made, enrolled = enroll_type(
        *(found, name, files, out),
        parent=parent,
        zh=zh,
        known=known,
        false_claims=false_claims,
        expected_share=expected_share,
    )
    typer.echo(summary(made, enrolled))


def expected_errors() -> tuple[type[Exception], ...]:
    """Errors that are somebody's mistake or a known trouble: one line, no stack trace."""
    from jobs.annotation_rows import AnnotationFileError
    from jobs.close import NightIncompleteError
    from jobs.crash_isolation import TooManyCrashesError
    from jobs.dashboard import NoNightsError
    from jobs.data_export import NothingToReadError
    from jobs.data_import import ImportRefusedError
    from jobs.explain_tables import UnknownSubjectError
    from jobs.export import ExportError
    from jobs.feed import FeedError
    from jobs.jars import JarsUnavailableError
    from jobs.java_runtime import JavaNotFoundError
    from jobs.lease import LeaseHeldError, LeaseLostError
    from jobs.promotion import GateRefusedError
    from jobs.publish import GateFailedError
    from jobs.report_latest import NoSuchRunError
    from jobs.run import BookkeepingError
    from jobs.session import RootsUnknownError
    from jobs.small_objects import StoreError
    from jobs.spark_session import SparkUnavailableError
    from jobs.store import SchemaDriftError
    from jobs.train import TrainError
    from jobs.views import NothingPublishedError
    from models.bundle import BundleError
    from models.enrollment import EnrollError
    from models.gate import EvaluationError
    from models.labelled import LabelsError
    from models.predict import PredictionError
    from models.recipe import CheckpointError, RecipeError
    from models.registry import RegistryError
    from models.tolerances import ToleranceError
    from schemas.reasons import ImageError
    from udfs.explain import NoSuchAttributeError
    from udfs.ocr_sessions import TextEngineError

    return (
        AnnotationFileError,
        BookkeepingError,
        BundleError,
        CheckpointError,
        EnrollError,
        EvaluationError,
        ExportError,
        FeedError,
        GateFailedError,
        GateRefusedError,
        ImageError,
        ImportRefusedError,
        JarsUnavailableError,
        JavaNotFoundError,
        LabelsError,
        LeaseHeldError,
        LeaseLostError,
        NightIncompleteError,
        NoNightsError,
        NoSuchAttributeError,
        NoSuchRunError,
        NothingPublishedError,
        NothingToReadError,
        PredictionError,
        RecipeError,
        RegistryError,
        RootsUnknownError,
        SchemaDriftError,
        SparkUnavailableError,
        StoreError,
        TextEngineError,
        ToleranceError,
        TooManyCrashesError,
        TrainError,
        UnknownSubjectError,
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; expected errors end it with one line and exit status 1, wrong options with 2."""
    from jobs.json_log import set_up_json_log
    from jobs.session import AlreadyDoneError

    set_up_json_log()
    try:
        app(arguments)
    except UsageError as error:
        _end(error, 2)
    except AlreadyDoneError as error:
        _end(error, 0)
    except expected_errors() as error:
        _end(error, 1)


def databricks_task() -> None:
    """Entry point of a Databricks wheel task: the command line, but success does not end in SystemExit.

    Databricks takes any SystemExit of a wheel task for a failure, also that of status 0.
    """
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise


def run_as_script(command: str) -> None:
    """What `spark-submit jobs/COMMAND.py --...` does: the command with the same options."""
    main([command, *sys.argv[1:]])


def _end(error: Exception, status: int) -> None:
    if os.environ.get("VITRINE_DEBUG"):
        raise error
    sys.stderr.write(f"vitrine: {error}\n")
    sys.exit(status)


if __name__ == "__main__":
    main()

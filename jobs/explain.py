"""Explains a picture or a product: every attribute with its evidence, as a page or a picture.

    vitrine explain photo.jpg --out why.html
    vitrine explain P-1001 --tables ./tables --out why.html --attribute color
    vitrine explain photo.jpg --out why.png

In a notebook, `explain_figure(explain("photo.jpg", settings).pictures[0][1])` shows in a cell what the PNG holds; for
one picture, settings need no real tables root: `Settings(tables=NO_TABLES)`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from jobs.bundles import read_bundle
from jobs.explain_figure import explain_figure
from jobs.explain_tables import ExplainTables, ProductRecord, UnknownSubjectError
from jobs.explain_view import picture_view, product_view
from jobs.report_text import clean
from schemas.reasons import ImageError
from schemas.settings import Settings
from schemas.uri import normalize_uri
from udfs.explain import NoSuchAttributeError, PictureExplainer, PictureExplanation, unreadable
from udfs.fetch import Fetcher
from udfs.ocr_sessions import engine_for
from udfs.runtime import Runtime

__all__ = [
    "Explanation",
    "NoSuchAttributeError",
    "UnknownSubjectError",
    "explain",
    "explain_figure",
    "render_explanation",
    "write_explanation",
]

NO_TABLES = "(tables)"
"""What settings say where no tables root was given."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:/")
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp"})

ENVIRONMENT = Environment(
    loader=ChoiceLoader([PackageLoader("jobs", "explain_page"), PackageLoader("jobs", "report_page")]),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Explanation:
    """What was asked about, looked at again.

    Args:
        subject: as asked.
        bundle_version: bundle that looked.
        pictures: (where it is, explanation) of each picture that could be read.
        problems: (where it is, why not) of the others; empty unless a product has several pictures.
        product: what the tables hold; None for a single picture.
    """

    subject: str
    bundle_version: str
    pictures: tuple[tuple[str, PictureExplanation], ...]
    problems: tuple[tuple[str, ImageError], ...] = ()
    product: ProductRecord | None = None


def explain(subject: str, settings: Settings, attribute: str | None = None) -> Explanation:
    """Look again at what somebody asks about.

    Args:
        subject: a picture (file, URI, SHA-256 of its content) or a product identifier; the last two need tables.
        settings: bundle, S3, limits, and `tables` where they are needed.
        attribute: only this one; None for all.

    Raises:
        UnknownSubjectError: there is no such picture or product.
        ImageError: the picture cannot be read; for a product, none of its pictures can.
        NoSuchAttributeError: the bundle says nothing of the attribute.
        BundleError, RegistryError: the bundle cannot be used.
    """
    places, product = _find(subject, settings)
    bundle = read_bundle(settings.models, settings.s3, settings.models_root)
    text = settings.text.model_copy(update={"engine": engine_for(settings.text.engine, len(places))})
    explainer = PictureExplainer(Runtime(bundle), settings.decode, text, enhance=settings.enhance)
    fetcher = Fetcher(settings.fetch, settings.s3)
    pictures: list[tuple[str, PictureExplanation]] = []
    problems: list[tuple[str, ImageError]] = []
    for uri in places:
        fetched = fetcher.fetch(uri)
        try:
            if fetched.data is None:
                assert fetched.error is not None
                raise fetched.error
            pictures.append((uri, explainer.explain(fetched.data, attribute)))
        except ImageError as error:
            problems.append((uri, unreadable(uri, error)))
    if problems and not pictures and (product is None or not product.claims):
        raise problems[0][1]
    return Explanation(subject, bundle.version_id, tuple(pictures), tuple(problems), product)


def render_explanation(explanation: Explanation) -> str:
    """The page as HTML: self-contained, without scripts or network."""
    product = explanation.product
    row: Any = (product.product if product else None) or {}
    name = row.get("name_en") or (product.title if product else None)
    first = explanation.pictures[0][0] if explanation.pictures else explanation.subject
    title = name or (explanation.subject if product else first.rpartition("/")[2])
    meta = [("product", product.product_id), ("title", product.title or "none")] if product else []
    if not product and explanation.pictures:
        meta.append(("content", explanation.pictures[0][1].content_sha256[:16] + "…"))
    return ENVIRONMENT.get_template("explain.html").render(
        title=clean(title, 200),
        subtitle=clean(row.get("name_zh"), 200),
        meta=[(label, clean(value, 300)) for label, value in meta],
        descriptions=[clean(text) for text in (row.get("description_en"), row.get("description_zh")) if text],
        style=Markup(_source("page.css") + _source("explain.css")),  # noqa: S704  (our own files)
        product=product_view(product) if product else None,
        problems=[(clean(uri, 300), clean(str(error))) for uri, error in explanation.problems],
        pictures=[picture_view(explained, uri) for uri, explained in explanation.pictures],
        footer=[("bundle", explanation.bundle_version)],
    )


def write_explanation(explanation: Explanation, out: Path) -> Path:
    """Write the page, or the figure where the name ends in .png, .jpg or .webp; a reader never sees half a file."""
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.stem}.{os.getpid()}.tmp{out.suffix}")
    if out.suffix.lower() in _PICTURES:
        _figure(explanation).save(unfinished)
    else:
        unfinished.write_text(render_explanation(explanation), encoding="utf-8")
    unfinished.replace(out)
    return out


def _figure(explanation: Explanation) -> Image.Image:
    """The figures of all pictures, one below the other."""
    figures = [explain_figure(explained) for _, explained in explanation.pictures]
    if not figures:
        raise UnknownSubjectError(f"{explanation.subject}: no picture can be drawn; write a page (.html) instead")
    sheet = Image.new("RGB", (max(one.width for one in figures), sum(one.height for one in figures)), "#ffffff")
    top = 0
    for one in figures:
        sheet.paste(one, (0, top))
        top += one.height
    return sheet


def _find(subject: str, settings: Settings) -> tuple[tuple[str, ...], ProductRecord | None]:
    """URIs of the pictures, and the product's record where a product is asked about."""
    if _HAS_SCHEME.match(subject):
        return (normalize_uri(subject),), None
    path = Path(subject).expanduser()
    if path.is_file():
        return (normalize_uri(str(path.resolve())),), None
    if settings.tables == NO_TABLES:
        raise UnknownSubjectError(
            f"there is no picture {subject!r}; to ask about a product or a content hash, give the tables with --tables"
        )
    tables = ExplainTables(settings)
    if _SHA256.fullmatch(subject):
        return (tables.uri_of_content(subject),), None
    record = tables.product(subject)
    return record.image_uris, record


def _source(name: str) -> str:
    assert ENVIRONMENT.loader is not None
    return ENVIRONMENT.loader.get_source(ENVIRONMENT, name)[0]

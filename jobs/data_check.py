"""Checks labels files before anybody trains on them: files, spelling, leaks between splits, balance, licenses."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from jobs.progress import StageProgress
from models.data_quality import (
    AlikeLabels,
    BadFile,
    Balance,
    DataCheck,
    DatasetSummary,
    Twins,
    UnknownLabel,
)
from models.label_space import ATTRIBUTE_HEADS, ResolvedLabels, resolve
from models.label_words import alike, known_words, nearest
from models.labelled import LabelledImage, read_labels
from models.near_duplicates import HAMMING, hash_words, near_pairs, thumb
from models.predict import usable_cores
from schemas.reasons import ImageError, Reason
from schemas.settings import DecodeSettings, FetchSettings, S3Settings
from schemas.taxonomy import normalize_term
from schemas.uri import normalize_uri
from udfs.decode import decode
from udfs.fetch import Fetcher
from udfs.perceptual_hash import perceptual_hash

CHECK_NAME = "check.json"
REPORT_NAME = "check.html"

FEW_TRAINING_PICTURES = 5

# Hashes need no more pixels, and JPEGs decode faster when less is wanted.
_DECODE = DecodeSettings(working_side=256)
_TRAIN = "train"


@dataclass(frozen=True)
class Entry:
    """One line of a labels file, with what its labels mean."""

    labels_file: str
    image: LabelledImage
    resolved: ResolvedLabels


@dataclass(frozen=True)
class Fingerprint:
    """What tells whether two files show the same."""

    sha256: str
    hash: str
    thumb: NDArray[np.uint8]


def check_labels(
    labels: Sequence[Path], images_root: Path | None = None, *, hamming: int = HAMMING, quiet: bool = False
) -> DataCheck:
    """Check labels files together, so that leaks between them are found too.

    Args:
        labels: labels files.
        images_root: folder that `image_path` refers to; by default each file's.
        hamming: bits of 64 in which hashes of near-duplicates may differ.
        quiet: show no progress.

    Raises:
        LabelsError: a labels file cannot be read at all.
    """
    entries = [
        Entry(f"{file.parent.name}/{file.name}", image, resolve(image))
        for file in labels
        for image in read_labels(file, images_root)
    ]
    fingerprints: dict[int, Fingerprint] = {}
    bad: list[BadFile] = []
    with StageProgress("check", len(entries), quiet=quiet) as shown, ThreadPoolExecutor(usable_cores()) as pool:
        fetcher = Fetcher(FetchSettings(), S3Settings())
        results = pool.map(lambda entry: _fingerprint(fetcher, entry.image.path), entries)
        for index, (entry, result) in enumerate(zip(entries, results, strict=True)):
            if isinstance(result, ImageError):
                bad.append(_bad_file(entry, result))
            else:
                fingerprints[index] = result
            shown.update(done=index + 1)
    near = _near(entries, fingerprints, hamming)
    return DataCheck(
        created_at=datetime.now(UTC),
        labels=[f"{file.parent.name}/{file.name}" for file in labels],
        listed=len(entries),
        readable=len(fingerprints),
        hamming=hamming,
        datasets=_summaries(entries),
        bad_files=bad,
        listed_twice=sorted(
            str(path) for path, count in Counter(entry.image.path for entry in entries).items() if count > 1
        ),
        unknown_labels=_unknown_labels(entries),
        alike_labels=_alike_labels(entries),
        leaks=[*_content_twins(entries, fingerprints, leaks=True), *(one for one in near if len(one.splits) > 1)],
        contradictions=_content_twins(entries, fingerprints, leaks=False),
        duplicates=len(fingerprints) - len({one.sha256 for one in fingerprints.values()}),
        near_duplicates=len(near),
        balance=_balance(entries),
        without_license=sum(not entry.image.license for entry in entries),
        without_split=sum(not entry.image.split for entry in entries),
    )


def _fingerprint(fetcher: Fetcher, path: Path) -> Fingerprint | ImageError:
    try:
        fetched = fetcher.fetch(normalize_uri(str(path.absolute())))
        if fetched.data is None:
            return fetched.error or ImageError(Reason.FETCH_FAILED, str(path))
        pixels = decode(fetched.data, _DECODE).pixels
    except ImageError as error:
        return error
    return Fingerprint(hashlib.sha256(fetched.data).hexdigest(), perceptual_hash(pixels), thumb(pixels))


def _bad_file(entry: Entry, error: ImageError) -> BadFile:
    return BadFile(
        labels=entry.labels_file,
        line=entry.image.line,
        image_path=entry.image.image_path,
        reason=error.reason.value,
        detail=error.detail,
    )


def _summaries(entries: Iterable[Entry]) -> dict[str, DatasetSummary]:
    groups: dict[str, list[LabelledImage]] = defaultdict(list)
    for entry in entries:
        groups[entry.image.dataset].append(entry.image)
    return {
        name: DatasetSummary(
            images=len(images),
            splits=dict(sorted(Counter(image.split for image in images).items())),
            licenses=dict(Counter(image.license for image in images).most_common()),
            boxes=sum(len(image.boxes) for image in images),
            titles=sum(bool(image.title) for image in images),
        )
        for name, images in sorted(groups.items())
    }


def _unknown_labels(entries: Iterable[Entry]) -> list[UnknownLabel]:
    counts = Counter((entry.image.dataset, problem) for entry in entries for problem in entry.resolved.problems)
    found = []
    for (dataset, problem), images in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        column, _, label = problem.partition(": ")
        words = known_words(column if column in ATTRIBUTE_HEADS else None)
        found.append(
            UnknownLabel(dataset=dataset, column=column, label=label, images=images, suggestion=nearest(label, words))
        )
    return found


def _columns(image: LabelledImage) -> dict[str, str]:
    """Labels of a picture by column, as they are spelt."""
    values = {"category": image.category, "subcategory": image.subcategory, "color": image.color}
    values |= {name: str(image.attributes.get(name) or "") for name in ("fine", *ATTRIBUTE_HEADS) if name != "color"}
    return {name: value for name, value in values.items() if value}


def _counts(entries: Iterable[Entry]) -> dict[tuple[str, str], Counter[str]]:
    """Pictures by label, by data set and column."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for entry in entries:
        for column, label in _columns(entry.image).items():
            counts[entry.image.dataset, column][label] += 1
    return counts


def _alike_labels(entries: Sequence[Entry]) -> list[AlikeLabels]:
    return [
        AlikeLabels(
            dataset=dataset,
            column=column,
            label=one.label,
            images=one.images,
            other=one.other,
            other_images=one.other_images,
            same_words=one.same_words,
        )
        for (dataset, column), counts in sorted(_counts(entries).items())
        for one in alike(counts)
        if one.same_words or not _is_known(column, one.label)
    ]


def _is_known(column: str, label: str) -> bool:
    """A rare label that is a word of its own is no slip of a commoner one: Skirts beside Shirts."""
    word = normalize_term(label)
    return not {word, word.removesuffix("s")}.isdisjoint(known_words(column if column in ATTRIBUTE_HEADS else None))


def _content_twins(entries: Sequence[Entry], fingerprints: dict[int, Fingerprint], *, leaks: bool) -> list[Twins]:
    """Groups of the same bytes that stand in several splits, or that say different things."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, one in fingerprints.items():
        groups[one.sha256].append(index)
    twins = [_twins("content", [entries[index] for index in group], 0) for group in groups.values() if len(group) > 1]
    return [one for one in twins if (len(one.splits) > 1 if leaks else len(set(one.labels)) > 1)]


def _near(entries: Sequence[Entry], fingerprints: dict[int, Fingerprint], hamming: int) -> list[Twins]:
    """Pairs of nearly the same pictures, closest first; the same bytes are told elsewhere."""
    if not fingerprints:
        return []
    at = list(fingerprints)
    hashes = hash_words([fingerprints[index].hash for index in at])
    thumbs = np.stack([fingerprints[index].thumb for index in at])
    pairs = sorted(near_pairs(hashes, thumbs, hamming), key=lambda pair: (-pair.likeness, pair.first, pair.second))
    return [
        _twins("near", [entries[at[pair.first]], entries[at[pair.second]]], pair.bits)
        for pair in pairs
        if fingerprints[at[pair.first]].sha256 != fingerprints[at[pair.second]].sha256
    ]


def _twins(kind: str, entries: Sequence[Entry], bits: int) -> Twins:
    return Twins(
        kind=kind,
        splits=sorted({entry.image.split for entry in entries}),
        image_paths=[entry.image.image_path for entry in entries],
        labels=[
            str(entry.image.attributes.get("fine") or entry.image.subcategory or entry.image.category)
            for entry in entries
        ],
        bits=bits,
    )


def _balance(entries: Sequence[Entry]) -> list[Balance]:
    images = Counter(entry.image.dataset for entry in entries)
    training = _counts(entry for entry in entries if entry.image.split == _TRAIN)
    tested = _counts(entry for entry in entries if entry.image.split in ("val", "test"))
    has_training = {dataset for dataset, _ in training}
    found = []
    for (dataset, column), counts in sorted(_counts(entries).items()):
        ordered = counts.most_common()
        known = training.get((dataset, column), Counter())
        judged = dataset in has_training
        found.append(
            Balance(
                dataset=dataset,
                column=column,
                labels=len(ordered),
                images=counts.total(),
                unlabelled=images[dataset] - counts.total(),
                largest=ordered[0][0],
                largest_images=ordered[0][1],
                smallest=ordered[-1][0],
                smallest_images=ordered[-1][1],
                median_images=float(median(counts.values())),
                few={label: count for label, count in sorted(known.items()) if count < FEW_TRAINING_PICTURES},
                untrained=sorted(set(tested.get((dataset, column), ())) - set(known)) if judged else [],
            )
        )
    return found

"""How quickly does the service answer some users at once? `python -m benchmarks.service.load [--products 50000]`.

Draws a catalogue's feed (words only, one drawn picture for all searches by picture), publishes it as Delta tables,
starts `vitrine serve` on one core and lets locust's users search from another. Writes one JSON object to stdout.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from models.bundle import load_bundle
from rendering.catalog import listing_of, product_at
from rendering.render import RenderOptions, render_product
from schemas.arrow import arrow_schema
from schemas.attributes import load_attributes
from schemas.index_tables import PRODUCT_EMBEDDINGS
from schemas.product_tables import PRODUCTS
from schemas.taxonomy import load_taxonomy
from udfs.extract import attributes_version

NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
CHUNK = 5000
SEED = 11
PORT = 18099
CLUSTERS = 500
# More than users ask in a run, so that no answer is asked for twice in a row.
SEARCHES = 20_000
LOCUST = Path(__file__).parents[2] / ".venv-bench/bin/locust"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=50_000)
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--think", type=float, default=1.0, help="mean pause of a user between two searches, seconds")
    parser.add_argument("--locust", type=Path, default=LOCUST, help="made by `make setup-bench`")
    parser.add_argument("--folder", type=Path, help="keep tables and cache here, and take those that are there")
    given = parser.parse_args()
    if not given.locust.is_file():
        parser.error(f"there is no locust at {given.locust}; run `make setup-bench`, or name one with --locust")
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        if not (folder / "tables" / "published.json").is_file():
            publish(folder / "tables", given.products)
        json.dump(measure(folder, given), sys.stdout, indent=2)
        sys.stdout.write("\n")


def publish(root: Path, count: int) -> None:
    """Write and publish a catalogue."""
    version, dimension = attributes_version(load_bundle().version_id), _dimension()
    rng = np.random.default_rng(SEED)
    centers = rng.standard_normal((CLUSTERS, dimension)).astype(np.float32)
    for start in range(0, count, CHUNK):
        rows = [_product(index, version) for index in range(start, min(start + CHUNK, count))]
        vectors = centers[rng.integers(0, CLUSTERS, len(rows))] + 0.7 * rng.standard_normal((len(rows), dimension))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        embeddings = [_embedding(row, vector, version) for row, vector in zip(rows, vectors.tolist(), strict=True)]
        for table, entered in ((PRODUCTS, rows), (PRODUCT_EMBEDDINGS, embeddings)):
            batch = pa.Table.from_pylist(entered, schema=arrow_schema(table.columns))
            write_deltalake(root / table.name, batch, mode="append")
    last = -(-count // CHUNK) - 1
    pointer = {"publication_id": 1, "run_id": "bench", "bundle_version": version}
    pointer["versions"] = {"products": last, "product_embeddings": last}
    (root / "published.json").write_text(json.dumps(pointer))


def _dimension() -> int:
    return int(load_bundle().manifest.embedding_dimension)


def _product(index: int, version: str) -> dict[str, Any]:
    product, taxonomy = product_at(SEED, index), load_taxonomy()
    listing, color = listing_of(product), product.colors[0]
    line = [*taxonomy.ancestors(product.category), product.category]
    return {
        "product_id": product.product_id,
        "title": listing.title,
        "brand": product.brand,
        "name_en": f"{color} {product.pattern} {product.name_en}",
        "name_zh": load_attributes().name("color", color, "zh") + product.name_zh,
        "description_en": listing.description,
        "category": product.category,
        "category_confidence": 0.9,
        "category_path_en": " > ".join(taxonomy.name(path) for path in line),
        "category_path_zh": " > ".join(taxonomy.name(path, "zh") for path in line),
        "color": color,
        "pattern": product.pattern,
        "price": Decimal(f"{product.price:.2f}"),
        "image_count": 1,
        "barcodes": [product.barcode],
        "conflicts": [],
        "needs_review": index % 50 == 0,
        "quality_score": 0.8,
        "is_publishable": True,
        "is_active": True,
        "input_hash": product.product_id,
        "bundle_version": version,
        "fused_at": NOW,
        "changed_at": NOW,
        "run_id": "bench",
    }


def _embedding(row: dict[str, Any], vector: list[float], version: str) -> dict[str, Any]:
    told = {"product_id": row["product_id"], "view": 0, "vector": vector, "norm": 1.0, "cell": 0}
    return {**told, "bundle_version": version, "input_hash": "x", "indexed_at": NOW, "run_id": "bench"}


def measure(folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Start the service on one core, and let users search."""
    cores = sorted(os.sched_getaffinity(0))
    settings = {"cache": folder / "cache", "port": PORT, "requests_per_minute": 10**9, "pictures_per_minute": 10**9}
    options = [f"--set=serve.{name}={value}" for name, value in settings.items()]
    command = ["taskset", "-c", str(cores[0]), sys.executable, "-m", "jobs.serve", "--tables", str(folder / "tables")]
    with (folder / "serve.log").open("w") as log:
        started = time.monotonic()
        service = subprocess.Popen([*command, *options], stdout=log, stderr=log)
        try:
            os.sched_setaffinity(0, {cores[-1]})
            _wait(service)
            result: dict[str, Any] = {"products": given.products, "users": given.users, "think_s": given.think}
            result["ready_s"] = round(time.monotonic() - started, 1)
            picture = folder / "searched.jpg"
            picture.write_bytes(render_product(product_at(SEED, 3), 0, RenderOptions(frame=(600, 600))).data)
            searches = list(itertools.islice(_words(), SEARCHES))
            for name, asked in (
                ("words", {"searches": searches, "picture": None}),
                ("picture", {"searches": [], "picture": str(picture)}),
            ):
                # The first search by a picture starts the process that looks at it.
                _search(searches[0], None if name == "words" else picture)
                before = _cpu(service.pid)
                result[name] = found = _users(folder, {**asked, "think": given.think}, given)
                spent = (_cpu(service.pid) - before) * 1000 / max(1, found["requests"])
                found["cpu_ms_per_request"] = round(spent, 1)
            result["memory_mb"] = {name: round(size / 1e6) for name, size in _memory(service.pid).items()}
            result["load_average"] = os.getloadavg()[0]
            return result
        finally:
            service.terminate()
            service.wait(30)


def _wait(service: subprocess.Popen[bytes]) -> None:
    while service.poll() is None:
        try:
            if httpx.get(f"http://127.0.0.1:{PORT}/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise SystemExit("the service has ended; see serve.log")


def _search(words: str, picture: Path | None) -> None:
    address = f"http://127.0.0.1:{PORT}"
    if picture is None:
        httpx.get(address + words, timeout=120).raise_for_status()
    else:
        httpx.post(f"{address}/search/image", content=picture.read_bytes(), timeout=120).raise_for_status()


def _words() -> Iterator[str]:
    """Queries of one to three words in both languages, some filtered, some misspelt, some paged; as paths."""
    chance = random.Random(SEED)
    taxonomy, attributes = load_taxonomy(), load_attributes()
    while True:
        product = product_at(SEED, chance.randrange(1000))
        color, language = product.colors[0], chance.choice(("en", "zh"))
        kind = taxonomy.name(product.category, language)
        parts = [kind, f"{attributes.name('color', color, language)} {kind}", product.brand, f"{product.brand} {kind}"]
        query = chance.choice(parts)
        if chance.random() < 0.1 and language == "en":
            at = chance.randrange(1, max(2, len(query) - 1))
            query = query[:at] + query[at + 1 :]
        asked: dict[str, Any] = {"q": query}
        if chance.random() < 0.3:
            asked["pattern"] = product.pattern
        if chance.random() < 0.1:
            asked["page"] = 2
        yield f"/search?{urlencode(asked)}"


def _users(folder: Path, asked: dict[str, Any], given: argparse.Namespace) -> dict[str, Any]:
    """Let locust's users search for a while.

    Returns:
        requests, failures, p50_ms and p95_ms; locust rounds times above 100 ms to two digits.
    """
    load = folder / "load.json"
    load.write_text(json.dumps(asked))
    command = [str(given.locust), "--headless", "--json", "--only-summary", "--loglevel=ERROR"]
    command += [f"--locustfile={Path(__file__).with_name('locustfile.py')}", f"--host=http://127.0.0.1:{PORT}"]
    command += [f"--users={given.users}", f"--spawn-rate={given.users}", f"--run-time={round(given.seconds)}s"]
    # Failed searches are in the result; locust's own status would only say that there were some.
    done = subprocess.run(
        command, env={**os.environ, "VITRINE_LOAD": str(load)}, capture_output=True, text=True, check=False
    )
    try:
        (entry,) = json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"locust told nothing (status {done.returncode}): {done.stderr.strip()[-2000:]}") from None
    times = sorted((float(time), count) for time, count in entry["response_times"].items())
    milliseconds = np.repeat([time for time, _ in times], [count for _, count in times])
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return {
        "requests": entry["num_requests"],
        "failures": entry["num_failures"],
        "p50_ms": round(float(p50), 1),
        "p95_ms": round(float(p95), 1),
    }


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _tree(int(child)))]


def _cpu(pid: int) -> float:
    """CPU seconds of a process and those below it."""
    ticks = 0
    for one in _tree(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> dict[str, int]:
    """Resident bytes of the service, and of its processes for pictures."""
    sizes = []
    for one in _tree(pid):
        line = next(line for line in Path(f"/proc/{one}/status").read_text().splitlines() if line.startswith("VmRSS"))
        sizes.append(int(line.split()[1]) * 1024)
    return {"service": sizes[0], "picture_processes": sum(sizes[1:])}


if __name__ == "__main__":
    main()

"""Bundles and aliases in a registry: written once, verified, moved and rolled back, and no promotion is ever lost."""

from __future__ import annotations

import json
import threading

import pytest
from typer.testing import CliRunner

from jobs.cli import UsageError, app
from jobs.promotion import GateRefusedError, judge_promotion, promote
from jobs.registry import Registry, registry_bundle, registry_folder
from jobs.session import read_bundle
from models.bundle import BASELINE_BUNDLE, Bundle, BundleError, load_bundle, write_bundle
from models.manifest import ManifestDraft
from models.registry import AliasTarget, BundleReference, RegistryError
from schemas.settings import S3Settings


@pytest.fixture(params=["local", "s3"])
def registry(request, tmp_path) -> Registry:
    if request.param == "local":
        return Registry(str(tmp_path / "models"), S3Settings())
    return Registry(f"s3://{request.getfixturevalue('bucket')}/models", request.getfixturevalue("s3_settings"))


@pytest.fixture
def make_bundle(tmp_path):
    """Small bundles: the shipped manifest over files that nobody runs."""
    shipped = load_bundle(BASELINE_BUNDLE)

    def make(version: str = "1.0.0", content: bytes = b"model", **changes: object) -> Bundle:
        values = shipped.manifest.model_dump(exclude={"files"}) | {"name": "tiny", "version": version} | changes
        files = dict.fromkeys(shipped.files, b"{}") | {"classify.int8.onnx": content}
        folder = tmp_path / "made" / version / content.hex()
        return write_bundle(folder, ManifestDraft.model_validate(values), files, overwrite=True)

    return make


def put_champion(registry: Registry, bundle: Bundle, alias: str = "champion") -> None:
    registry.add(bundle)
    registry.promote(bundle, alias, registry.aliases().target(alias), why="test")


def names(registry: Registry) -> dict[str, str]:
    return {alias: target.bundle for alias, target in registry.aliases().aliases.items()}


def test_a_bundle_comes_back_as_it_was_added(registry, make_bundle):
    bundle = make_bundle()
    assert registry.add(bundle)
    assert not registry.add(bundle), "adding it again changes nothing"
    again = registry.resolve("tiny@1.0.0")
    assert (again.sha256, dict(again.files)) == (bundle.sha256, dict(bundle.files))
    assert [str(one.reference) for one in registry.bundles()] == ["tiny@1.0.0"]


def test_a_version_is_written_once(registry, make_bundle):
    registry.add(make_bundle(content=b"one"))
    with pytest.raises(RegistryError, match=r"holds another bundle tiny@1\.0\.0; raise the version"):
        registry.add(make_bundle(content=b"two"))
    assert registry.resolve("tiny@1.0.0").files["classify.int8.onnx"] == b"one"


def test_what_is_not_there_is_named(registry, make_bundle):
    registry.add(make_bundle())
    with pytest.raises(RegistryError, match=r"no bundle tiny@2\.0\.0; it has tiny@1\.0\.0"):
        registry.resolve("tiny@2.0.0")
    with pytest.raises(RegistryError, match=r"no alias 'champion' \(it has none\)"):
        registry.resolve("champion")
    with pytest.raises(RegistryError, match=r"name@version, e\.g\."):
        registry.resolve("tiny@latest")
    with pytest.raises(RegistryError, match="no alias 'champion'"):
        registry.rollback("champion", why="test")


def test_rollback_goes_back_one_promotion_at_a_time_and_stops_at_the_first(registry, make_bundle):
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        put_champion(registry, make_bundle(version))
    assert registry.rollback("champion", why="complaints").from_.bundle == "tiny@1.2.0"
    assert names(registry) == {"champion": "tiny@1.1.0"}
    registry.rollback("champion", why="more complaints")
    assert registry.resolve("champion").version_id == "tiny@1.0.0"
    with pytest.raises(RegistryError, match=r"no previous target to roll back to; it is tiny@1\.0\.0"):
        registry.rollback("champion", why="even more")
    put_champion(registry, make_bundle("1.3.0"))
    registry.rollback("champion", why="again")
    assert names(registry) == {"champion": "tiny@1.0.0"}


def test_history_says_who_when_from_where_to_where_and_why(registry, make_bundle):
    put_champion(registry, make_bundle("1.0.0"))
    second = make_bundle("1.1.0")
    registry.add(second)
    registry.promote(
        second, "champion", registry.aliases().target("champion"), why="fewer mistakes", who="ada", forced=True
    )
    registry.rollback("champion", why="slow", who="bob")
    first, forced, back = registry.aliases().history
    assert (first.from_, first.to.bundle, first.forced) == (None, "tiny@1.0.0", False)
    assert (forced.who, forced.why, forced.from_.bundle, forced.to.bundle) == (
        *("ada", "fewer mistakes"),
        *("tiny@1.0.0", "tiny@1.1.0"),
    )
    assert forced.forced
    assert (back.who, back.action, back.to.sha256) == ("bob", "rollback", first.to.sha256)
    assert first.at <= forced.at <= back.at


def test_a_decision_against_an_old_champion_is_not_carried_out(registry, make_bundle):
    put_champion(registry, make_bundle("1.0.0"))
    seen = registry.aliases().target("champion")
    put_champion(registry, make_bundle("1.1.0"))
    third = make_bundle("1.2.0")
    registry.add(third)
    with pytest.raises(RegistryError, match=r"moved meanwhile: it is tiny@1\.1\.0 now, not tiny@1\.0\.0"):
        registry.promote(third, "champion", seen, why="late")
    assert names(registry) == {"champion": "tiny@1.1.0"}


def test_promotions_at_the_same_time_are_all_kept(registry, make_bundle):
    bundle = make_bundle()
    registry.add(bundle)
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            Registry(registry.root, registry._s3).promote(bundle, f"shop-{number}", None, why="opened")
        except Exception as error:  # noqa: BLE001 - whatever it is, the test names it
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert sorted(names(registry)) == [f"shop-{number}" for number in range(6)]
    assert len(registry.aliases().history) == 6


def test_a_bundle_that_was_changed_in_place_is_not_handed_out(tmp_path, make_bundle):
    registry = Registry(str(tmp_path / "models"), S3Settings())
    put_champion(registry, make_bundle(content=b"good"))
    folder = tmp_path / "models" / "tiny" / "1.0.0"
    (folder / "classify.int8.onnx").write_bytes(b"evil")
    with pytest.raises(BundleError, match=r"classify\.int8\.onnx has SHA-256"):
        registry.resolve("champion")
    # Even with a manifest that fits: the alias remembers which bundle it meant.
    write_bundle(
        folder,
        ManifestDraft.model_validate(make_bundle().manifest.model_dump(exclude={"files"})),
        dict(make_bundle(content=b"evil").files),
        overwrite=True,
    )
    with pytest.raises(BundleError, match="not the one that champion was set to"):
        registry.resolve("champion")
    assert "changed in place" in str(registry.bundles()[0].problem)


def test_a_damaged_alias_file_is_said(tmp_path, make_bundle):
    registry = Registry(str(tmp_path / "models"), S3Settings())
    put_champion(registry, make_bundle())
    (tmp_path / "models" / "aliases.json").write_text('{"aliases": {"champion": 3}}')
    with pytest.raises(RegistryError, match=r"aliases\.json is not valid \(aliases\.champion"):
        registry.resolve("champion")


def test_a_half_written_bundle_is_no_bundle_and_does_not_block_the_same_one(tmp_path, make_bundle):
    registry = Registry(str(tmp_path / "models"), S3Settings())
    bundle = make_bundle()
    registry.add(bundle)
    (tmp_path / "models" / "tiny" / "1.0.0" / "manifest.json").unlink()
    assert registry.bundles() == []
    with pytest.raises(RegistryError, match="left from another bundle"):
        registry.add(make_bundle(content=b"another"))
    assert registry.add(bundle)


def metrics_of(bundle: Bundle, path, accuracy: float, labels: str = "0" * 64):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(
            {
                "bundle": bundle.version_id,
                "bundle_sha256": bundle.sha256,
                "labels": "shop.csv",
                "pictures": {"labels_sha256": [labels], "split": "test"},
                "figures": {"category.levels.type.accuracy": accuracy, "category.levels.type.images": 1000.0},
            }
        )
    )
    return path


def test_the_gate_stands_before_the_alias(registry, make_bundle, tmp_path):
    first, worse, better = make_bundle("1.0.0"), make_bundle("1.1.0"), make_bundle("1.2.0")
    files = {
        bundle.version_id: metrics_of(bundle, tmp_path / bundle.manifest.version / "metrics.json", accuracy)
        for bundle, accuracy in ((first, 0.85), (worse, 0.83), (better, 0.842))
    }

    def judged(bundle: Bundle):
        return judge_promotion(registry, bundle, "champion", [files[bundle.version_id]])

    promote(registry, judged(first))
    with pytest.raises(GateRefusedError, match=r"type\.accuracy 0\.83 \(champion 0\.85\), at least 0\.84"):
        promote(registry, judged(worse))
    assert names(registry) == {"champion": "tiny@1.0.0"}
    assert [str(one) for one in registry.references()] == ["tiny@1.0.0"], "a refused bundle is not added"
    promote(registry, judged(better))
    assert registry.resolve("champion").sha256 == better.sha256
    promote(registry, judged(worse), force=True, reason="the others are unlawful", who="ada")
    last = registry.aliases().history[-1]
    assert (last.forced, last.why, last.who, last.to.bundle) == (True, "the others are unlawful", "ada", "tiny@1.1.0")
    assert "type.accuracy" in last.gate[0]


def test_candidate_is_set_without_figures(registry, make_bundle):
    bundle = make_bundle()
    promote(registry, judge_promotion(registry, bundle, "candidate", []))
    assert registry.resolve("candidate").sha256 == bundle.sha256
    with pytest.raises(GateRefusedError, match="no metrics"):
        promote(registry, judge_promotion(registry, bundle, "champion", []))


def test_models_option_takes_aliases_and_versions_and_leaves_paths_alone(tmp_path, make_bundle, monkeypatch):
    root = str(tmp_path / "models")
    put_champion(Registry(root, S3Settings()), make_bundle())
    for text in ("champion", "tiny@1.0.0"):
        assert registry_bundle(text, root, S3Settings()).version_id == "tiny@1.0.0"
    for path in ("./champion", "bundles/champion", "bundle.zip", "s3://models/bundle.zip", "/champion"):
        assert registry_bundle(path, root, S3Settings()) is None
    with pytest.raises(RegistryError, match=r"no registry is set: set models_root"):
        registry_bundle("champion", None, S3Settings())
    monkeypatch.chdir(tmp_path)
    (tmp_path / "champion").mkdir()
    assert registry_bundle("champion", None, S3Settings()) is None, "without a registry a folder is meant"


def test_a_run_reads_its_bundle_from_the_registry(registry, make_bundle):
    put_champion(registry, make_bundle())
    found = read_bundle("champion", registry._s3, registry.root)
    assert found.version_id == "tiny@1.0.0"
    folder = registry_folder("champion", registry.root, found)
    if folder is not None:
        assert load_bundle(folder).sha256 == found.sha256
    else:
        assert registry.root.startswith("s3://")


def test_references_are_read_and_spelled():
    reference = BundleReference.parse("product-lite0@1.2.0-rc.1+enrolled.0a1b2c3d")
    assert (reference.name, str(reference)) == ("product-lite0", "product-lite0@1.2.0-rc.1+enrolled.0a1b2c3d")
    for wrong in ("product", "product@", "Product@1.0.0", "product@1.0", "../x@1.0.0", "product@1.0.0/.."):
        with pytest.raises(RegistryError):
            BundleReference.parse(wrong)
    with pytest.raises(ValueError, match="sha256"):
        AliasTarget(bundle="tiny@1.0.0", sha256="short")


def test_the_commands_as_a_person_types_them(tmp_path, make_bundle):
    root = str(tmp_path / "models")
    first, second = make_bundle("1.0.0"), make_bundle("1.1.0")
    bundles = tmp_path / "made"
    metrics = {
        one.manifest.version: metrics_of(one, tmp_path / f"{one.manifest.version}.json", 0.8) for one in (first, second)
    }
    more = metrics_of(first, tmp_path / "more.json", 0.7, labels="1" * 64)

    def vitrine(*arguments: object) -> str:
        answer = CliRunner().invoke(app, ["models", *map(str, arguments), "--root", root])
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        assert answer.exit_code == 0, answer.output
        return answer.output

    assert "holds no bundles" in vitrine("list")
    folder = bundles / "1.0.0" / b"model".hex()
    assert "tiny@1.0.0 added" in vitrine("add", folder)
    said = vitrine("promote", "tiny@1.0.0", "--metrics", metrics["1.0.0"], more)
    assert "champion is tiny@1.0.0 now: passed the gate" in said
    assert "shop.csv test" in said
    assert "type.accuracy" in said
    with pytest.raises(UsageError, match="--force needs --reason"):
        vitrine("promote", "tiny@1.0.0", "--force")
    with pytest.raises(UsageError, match="lower-case words"):
        vitrine("promote", "tiny@1.0.0", "--alias", "Champion!")
    vitrine("promote", bundles / "1.1.0" / b"model".hex(), "--metrics", metrics["1.1.0"], "--by", "ada")
    assert json.loads(vitrine("show", "champion"))["history"][-1]["who"] == "ada"
    assert "champion is tiny@1.0.0 now (was tiny@1.1.0): slow" in vitrine("rollback", "--reason", "slow")
    listed = {one["bundle"]: one["aliases"] for one in json.loads(vitrine("list", "--json"))}
    assert listed == {"tiny@1.0.0": ["champion"], "tiny@1.1.0": []}

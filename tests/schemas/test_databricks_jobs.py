"""The Databricks bundle: what can be known without a workspace."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
import yaml

from jobs.cli import app
from schemas.stages import TASKS

ROOT = Path(__file__).parents[2]
BUNDLE = yaml.safe_load((ROOT / "databricks.yml").read_text())
JOBS = yaml.safe_load((ROOT / "resources" / "jobs.yml").read_text())["resources"]["jobs"]


def test_committed_jobs_are_up_to_date():
    command = [sys.executable, "-m", "schemas.databricks_jobs", "--check", "resources/jobs.yml"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("name", ["vitrine_nightly", "vitrine_nightly_serverless"])
def test_night_has_every_task_in_a_chain(name):
    tasks = JOBS[name]["tasks"]
    assert [task["task_key"] for task in tasks] == list(TASKS)
    for before, task in itertools.pairwise(tasks):
        assert task["depends_on"] == [{"task_key": before["task_key"]}]


@pytest.mark.parametrize("name", JOBS)
def test_every_task_is_a_command_with_options_that_it_has(name):
    commands = typer.main.get_command(app).commands
    for task in JOBS[name]["tasks"]:
        command, *words = task["python_wheel_task"]["parameters"]
        found = commands[command]
        if hasattr(found, "commands"):
            subcommand, *words = words
            found = found.commands[subcommand]
        known = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known
        missing = [one.name for one in found.params if one.required and not set(one.opts) & set(words)]
        assert set(missing) <= {"bundle"}, f"{command} lacks {missing}"


@pytest.mark.parametrize("name", JOBS)
def test_every_task_says_what_it_runs_on(name):
    job = JOBS[name]
    clusters = {cluster["job_cluster_key"] for cluster in job.get("job_clusters", ())}
    environments = {environment["environment_key"] for environment in job.get("environments", ())}
    for task in job["tasks"]:
        assert (task.get("job_cluster_key") in clusters) != (task.get("environment_key") in environments)


def test_every_variable_and_parameter_that_is_used_is_declared():
    used = set()
    for path in (ROOT / "databricks.yml", *(ROOT / "resources").glob("*.yml")):
        used |= set(re.findall(r"\$\{var\.(\w+)\}", path.read_text()))
    assert used <= set(BUNDLE["variables"])
    for job in JOBS.values():
        named = set(re.findall(r"\{\{job\.parameters\.(\w+)\}\}", yaml.safe_dump(job["tasks"])))
        assert named <= {parameter["name"] for parameter in job["parameters"]}


def test_targets_and_includes_are_there():
    assert {"dev", "prod"} == set(BUNDLE["targets"])
    assert all(list(ROOT.glob(pattern)) for pattern in BUNDLE["include"])

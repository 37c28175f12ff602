"""Scripts for Slurm and Kubernetes: what they run, word for word, and what they refuse to hold."""

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from suite.errors import ConfigError, NotFound
from suite.run.executor import Executor, Job, executor_of, script_of

SCHEMA = json.loads(Path(__file__).with_name("kubernetes_job.json").read_text("utf-8"))
HOSTILE = (
    "$(touch broken)",
    "`touch broken`",
    "'; touch broken; '",
    '"',
    "a b",
    "*",
    "#",
    "%",
    "$(HOME)",
    "é😀",
)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
WORDS = st.lists(TEXT | st.sampled_from(HOSTILE), max_size=6).map(tuple)
END = "end of a call"
STAND_IN = f"#!/bin/bash\nprintf '%s\\0' \"${{0##*/}}\" \"$@\" '{END}' >> calls\necho 7\n"
FULL = {
    "partition": "a b",
    "account": "us",
    "time": "1:00",
    "gpus": "a100:2",
    "cpus": "4",
    "mem": "8G",
    "throttle": "2",
}


def script(
    name: str, *options: tuple[str, str], words: tuple[str, ...] = ("eval",), folder: str = "a"
) -> str:
    needed = [("image", "suite:1"), ("claim", "runs")] if name == "kubernetes" else []
    return script_of(executor_of(name, [*needed, *options]), Job(words, Path(folder)))


def logs_of(text: str, here: Path) -> Path:
    """Where the jobs of a script for Slurm leave theirs; made now."""
    (found,) = re.findall(r"logs=\$folder(\S+)", text)
    (here / f"a{found}").mkdir(parents=True)
    return here / f"a{found}"


def calls_of(here: Path, text: str, *arguments: str, **environment: str) -> list[list[str]]:
    """Run a script beside stand-ins for Slurm and the suite: the words of each call."""
    for name in ("sbatch", "srun"):
        (here / name).write_text(STAND_IN)
        (here / name).chmod(0o755)
    (here / "script").write_text(text)
    env = {"PATH": f"{here}:{os.environ['PATH']}", "SLURM_ARRAY_TASK_ID": "3", **environment}
    subprocess.run(["bash", "script", *arguments], cwd=here, env=env, check=True, capture_output=True)
    calls = (here / "calls").read_bytes().decode().split(f"\0{END}\0")[:-1]
    return [one.split("\0") for one in calls]


@given(words=WORDS)
@settings(max_examples=15, deadline=None)
def test_a_shard_of_slurm_gets_the_very_words(
    words: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    here = tmp_path_factory.mktemp("job")
    text = script("slurm", ("shards", "5"), ("command", "suite"), ("workdir", str(here)), words=words)
    logs = logs_of(text, here)
    assert calls_of(here, text, "shard") == [["srun", "suite", *words, "--shard", "3/5"]]
    assert sorted(one.name for one in here.iterdir()) == ["a.slurm", "calls", "sbatch", "script", "srun"]
    assert [one.name for one in logs.iterdir()] == ["done-3"]


@given(words=WORDS, option=st.sampled_from(HOSTILE))
@settings(max_examples=30, deadline=None)
def test_a_pod_of_kubernetes_gets_the_very_words(words: tuple[str, ...], option: str) -> None:
    shards, merge = yaml.safe_load_all(
        script("kubernetes", ("namespace", option), words=words, folder="r/$(A)")
    )
    container = shards["spec"]["template"]["spec"]["initContainers"][0]
    assert [one.replace("$$", "$") for one in container["args"]] == ["suite", *words]
    assert all("$(" not in one.replace("$$", "") for one in container["args"]), "no variable is put in"
    assert merge["spec"]["template"]["spec"]["containers"][0]["args"] == ["suite", "runs", "merge", "r/$$(A)"]
    assert shards["metadata"]["namespace"] == merge["metadata"]["namespace"] == option


def test_slurm_is_asked_for_an_array_and_for_a_job_that_merges_after_it(tmp_path: Path) -> None:
    options = [*FULL.items(), ("sbatch", "--qos='$(touch broken)'"), ("merge-partition", "small")]
    text = script("slurm", *options, ("env", "A_KEY"), ("workdir", str(tmp_path)), folder="r/Run_1")
    (tmp_path / "r").mkdir()
    shards, merge = calls_of(tmp_path, text, A_KEY="x")
    (job_name,) = re.findall(r"--job-name=(suite-eval-run-1-[0-9a-f]{8})\)?", text)
    assert shards[:4] == ["sbatch", "--parsable", "--array=1-8%2", "--requeue"]
    assert shards[7:] == [
        *(f"--job-name={job_name}", "--account=us", "--partition=a b", "--time=1:00", "--mem=8G"),
        *(
            "--cpus-per-task=4",
            "--gres=gpu:a100:2",
            "--qos=$(touch broken)",
            str(tmp_path / "script"),
            "shard",
        ),
    ]
    assert "--dependency=afterany:7" in merge
    assert merge[-6:] == [
        f"--job-name={job_name}",
        "--account=us",
        "--partition=small",
        str(tmp_path / "script"),
        "merge",
        "0",
    ]
    assert not (tmp_path / "broken").exists()


def test_a_variable_that_the_jobs_need_must_be_set(tmp_path: Path) -> None:
    text = script("slurm", ("env", "NO_SUCH_KEY"), ("workdir", str(tmp_path)))
    with pytest.raises(subprocess.CalledProcessError) as found:
        calls_of(tmp_path, text)
    assert b"NO_SUCH_KEY: set it first" in found.value.stderr


@pytest.mark.parametrize(("round_", "submits"), [("0", True), ("3", False)])
def test_shards_that_did_not_end_well_are_submitted_again_within_bounds(
    round_: str, submits: bool, tmp_path: Path
) -> None:
    text = script("slurm", ("shards", "4"), ("command", "false"), ("workdir", str(tmp_path)))
    logs = logs_of(text, tmp_path)
    for done in (1, 3):
        (logs / f"done-{done}").touch()
    if submits:
        shards, merge = calls_of(tmp_path, text, "merge", round_)
        assert (shards[2], merge[-2:]) == ("--array=2,4", ["merge", "1"])
    else:
        with pytest.raises(subprocess.CalledProcessError) as found:
            calls_of(tmp_path, text, "merge", round_)
        assert b"gave up after 3 restarts; shards that did not end well: 2,4" in found.value.stderr


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
@pytest.mark.parametrize("options", [{}, {**FULL, "setup": "source venv/bin/activate", "env": "A_KEY"}])
def test_shellcheck_finds_nothing_in_a_script(options: dict[str, str]) -> None:
    text = script("slurm", *options.items(), words=("eval", "--task", "a b"))
    done = subprocess.run(
        ["shellcheck", "-e", "SC1091", "-"], input=text, text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_jobs_of_kubernetes_keep_their_schema() -> None:
    options = {"gpus": "2", "cpu": "4", "memory": "8Gi", "secret": "keys", "shards": "4", "parallelism": "2"}
    found: list[dict[str, Any]] = list(
        yaml.safe_load_all(script("kubernetes", *options.items(), folder="r/Run_1"))
    )
    for one in found:
        jsonschema.validate(one, SCHEMA)
    shards, merge = (one["spec"] for one in found)
    assert [shards[one] for one in ("completionMode", "completions", "parallelism")] == ["Indexed", 4, 2]
    container = shards["template"]["spec"]["initContainers"][0]
    assert container["resources"] == {"limits": {"cpu": "4", "memory": "8Gi", "nvidia.com/gpu": "2"}}
    assert container["envFrom"] == [{"secretRef": {"name": "keys"}}]
    assert "resources" not in merge["template"]["spec"]["containers"][0]
    names = [one["metadata"]["name"] for one in found]
    assert re.fullmatch("suite-eval-run-1-[0-9a-f]{8}", names[0])
    assert names[1] == f"{names[0]}-merge"


def test_index_0_of_kubernetes_is_shard_1() -> None:
    shards = next(yaml.safe_load_all(script("kubernetes", ("shards", "4"), ("command", "echo"))))
    container = shards["spec"]["template"]["spec"]["initContainers"][0]
    command = [one.replace("$$", "$") for one in (*container["command"], *container["args"])]
    done = subprocess.run(
        command,
        env={"JOB_COMPLETION_INDEX": "0", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "eval --shard 1/4\n"


def test_merging_on_kubernetes_ends_when_each_shard_has_ended_well(tmp_path: Path) -> None:
    found = list(yaml.safe_load_all(script("kubernetes", ("shards", "2"), ("command", "true"))))
    shard, merge = (one["spec"]["template"]["spec"]["containers"][0] for one in found)
    done, wait = (
        [one.replace("$$", "$") for one in (*box["command"], *box["args"])] for box in (shard, merge)
    )
    later = f"JOB_COMPLETION_INDEX=1 {shlex.join(done)}"  # while the one that merges sleeps
    (tmp_path / "sleep").write_text(f"#!/bin/sh\necho slept\n{later}\n")
    (tmp_path / "sleep").chmod(0o755)
    env = {"JOB_COMPLETION_INDEX": "0", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(done, cwd=tmp_path, env=env, check=True)
    told = subprocess.run(wait, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout
    assert told == "slept\n"


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("slurm", ["partitoin=gpu"], "no option 'partitoin'.*partition: of the shards"),
        ("slurm", ["cpus=1", "cpus=2"], "gives cpus twice"),
        ("slurm", ["cpus=none"], "cpus='none' does not fit.*a number from 1"),
        ("slurm", ["shards=0"], "shards='0' does not fit"),
        ("slurm", ["partition=a\nrm"], "partition='a.*does not fit"),
        ("slurm", ["sbatch=--x='"], "No closing quotation"),
        ("slurm", ["env=A B"], "A B' does not fit"),
        ("slurm", ["setup=export OPENAI_API_KEY=abcdefg"], "looks like a secret"),
        ("kubernetes", [], "needs --on-option image"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_refused(name: str, options: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s){says}"):
        script_of(
            executor_of(name, [(one.partition("=")[0], one.partition("=")[2]) for one in options]),
            Job(("eval",), Path("a")),
        )


def test_a_command_with_a_secret_has_no_script() -> None:
    with pytest.raises(ConfigError, match="looks like a secret"):
        script("slurm", words=("eval", "-o", "api_key=abcdefgh"))


@pytest.mark.parametrize("folder", ["sk", "runs/my-sk", "50%a"])
def test_a_folder_of_any_name_has_a_script(folder: str) -> None:
    text = script("slurm", folder=folder)
    assert shlex.join([folder]) in text
    assert len(re.findall(r'--output="\$named/', text)) == 2, "sbatch reads % in names of files"


def test_an_unknown_executor_is_told_with_the_nearest() -> None:
    with pytest.raises(NotFound, match="did you mean 'slurm'"):
        executor_of("slrum", [])


@pytest.mark.parametrize("name", ["slurm", "kubernetes"])
def test_the_page_tells_every_option(name: str) -> None:
    page = Path(__file__).parents[2].joinpath("docs/clusters.md").read_text("utf-8")
    section = page.partition(f"## {name.capitalize()}\n")[2].partition("\n## ")[0]
    rows = "".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    assert set(re.findall("`([a-z-]+)`", rows)) == set(executor_of(name, []).options)


def test_the_page_s_own_executor_writes_the_command() -> None:
    page = Path(__file__).parents[2].joinpath("docs/clusters.md").read_text("utf-8")
    module: dict[str, type[Executor]] = {}
    exec(page.partition('```python title="suite_lines.py"\n')[2].partition("```")[0], module)
    job = Job(("eval", "--task", "a b"), Path("a"))
    assert script_of(module["Lines"]("lines", {}), job) == "#!/bin/sh\nexec suite eval --task 'a b'\n"

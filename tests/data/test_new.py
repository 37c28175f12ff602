"""`suite data new`: from what lies on the Hub, on a Git host or at hand to an entry that can be used."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result
from local_git import LocalGit
from local_hub import LocalHub, commit_of
from small_registry import COMMIT, QUESTIONS, Place, jsonl

import suite
from suite.cli.data import data
from suite.errors import ConfigError, DataError, LicenceRequired, NotFound, SourceUnreachable, SuiteError

pytestmark = pytest.mark.hub
Told = Callable[..., Result]
CARD = """---
license: cc-by-4.0
pretty_name: Questions in two languages
configs:
- config_name: en
  data_files: [{split: train, path: en/train-*}, {split: test, path: en/test-*}]
- config_name: de
  data_files: [{split: test, path: de/test-*}]
---
"""


@pytest.fixture
def told(place: Place, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Runs `suite data …` in an empty folder of the user's."""
    monkeypatch.chdir(tmp_path_factory.mktemp("work"))

    def run(*words: str) -> Result:
        return CliRunner().invoke(data, words, standalone_mode=False, catch_exceptions=False)

    return run


def table(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as Parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)


@pytest.fixture
def languages(hub: LocalHub) -> Path:
    """A Hub dataset of two configs in Parquet, one of them in shards."""
    folder = hub.root / "datasets/ours/languages"
    for shard in range(2):
        table(folder / f"en/train-0000{shard}-of-00002.parquet", QUESTIONS[shard * 10 : shard * 10 + 10])
    table(folder / "en/test-00000-of-00001.parquet", [{**one, "score": 0.5} for one in QUESTIONS[:3]])
    table(folder / "de/test-00000-of-00001.parquet", [{"id": i, "frage": "Wie?"} for i in range(4)])
    (folder / "README.md").write_text(CARD)
    return folder


def test_configs_and_splits_of_parquet_become_parts(told: Told, languages: Path) -> None:
    said = told("new", "languages", "--hub", "ours/languages").output
    assert "rows: en/train 20, en/test 3, de/test 4" in said
    assert "licence: cc-by-4.0." in said
    assert "next: suite data pull languages\n" in said
    shown = json.loads(told("show", "languages", "--json").output)
    assert (shown["revision"], shown["licence"], shown["title"], shown["here"]) == (
        commit_of(languages), "cc-by-4.0", "Questions in two languages", False,
    )  # fmt: skip
    told("pull", "languages")
    rows = suite.load_dataset("languages", part="en/train")
    assert (rows.num_rows, rows[19]) == (20, QUESTIONS[19])
    with pytest.raises(
        NotFound, match=r"no part of languages named 'fr'\n  its parts: en/train, en/test, de/test"
    ):
        suite.load_dataset("languages", part="fr")
    with pytest.raises(NotFound, match="several parts: en/train, en/test, de/test"):
        suite.load_dataset("languages")


def test_the_schema_holds_types_required_fields_and_no_others(told: Told, languages: Path) -> None:
    told("new", "languages", "--hub", "ours/languages", "--config", "en")
    schema = json.loads(Path("registry/schemas/languages.json").read_text())
    assert (schema["required"], schema["additionalProperties"]) == (["id", "text", "system"], False)
    assert schema["properties"]["score"] == {"type": "number"}
    assert sorted(schema["properties"]) == ["id", "score", "system", "text"]


def test_json_without_a_card_is_pulled_after_its_unknown_licence_is_accepted(
    told: Told, hub: LocalHub
) -> None:
    folder = hub.root / "datasets/ours/plain"
    folder.mkdir()
    (folder / "rows.json").write_text(json.dumps([{"n": 1, "tags": ["a"]}, {"n": None, "tags": []}]))
    said = told("new", "plain", "--hub", "ours/plain").output
    assert "licence: not stated. The card names no licence" in said
    with pytest.raises(LicenceRequired, match="suite data pull plain --accept-licence"):
        suite.load_dataset("plain")
    told("pull", "plain", "--accept-licence")
    assert suite.load_dataset("plain").to_list() == [{"n": 1, "tags": ["a"]}, {"n": None, "tags": []}]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--config", "fr"), "ours/languages has no config 'fr'"),
        (("--split", "dev"), "no split of ours/languages named 'dev'"),
        (("--revision", "v9"), "the Hub has no revision 'v9'"),
        (("--path", "*.json"), "--path belongs to --git"),
        (("more.jsonl",), "more.jsonl belongs to --files"),
        (("--git", "https://git.example/a/b"), "say where the dataset lies, once"),
    ],
)
def test_what_is_not_there_is_named_and_nothing_is_written(
    told: Told, languages: Path, words: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SuiteError, match=message):
        told("new", "languages", "--hub", "ours/languages", *words)
    assert not list(Path().iterdir())


def test_a_repository_without_rows_lists_its_files(told: Told, hub: LocalHub) -> None:
    folder = hub.root / "datasets/ours/pictures"
    folder.mkdir()
    (folder / "one.bin").write_bytes(b"?")
    with pytest.raises(DataError, match="finds no rows") as caught:
        told("new", "pictures", "--hub", "ours/pictures")
    assert "files: one.bin" in str(caught.value)
    assert not list(Path().iterdir())


def test_an_entry_that_is_there_is_replaced_by_force_alone(told: Told, languages: Path) -> None:
    told("new", "languages", "--hub", "ours/languages", "--split", "train")
    before = Path("registry/datasets/languages.yaml").read_text()
    with pytest.raises(ConfigError, match="described already") as caught:
        told("new", "languages", "--hub", "ours/languages")
    assert "--force" in caught.value.fix
    with pytest.raises(ConfigError, match="described already") as caught:
        told("new", "prefeval", "--hub", "ours/languages")
    assert "another name" in caught.value.fix
    assert Path("registry/datasets/languages.yaml").read_text() == before
    assert "en/test 3" in told("new", "languages", "--hub", "ours/languages", "--force").output


def test_a_gated_dataset_says_how_to_get_in(told: Told, languages: Path, hub: LocalHub) -> None:
    hub.faults.gate = "languages"
    with pytest.raises(LicenceRequired, match="hf auth login") as caught:
        told("new", "languages", "--hub", "ours/languages")
    assert "HF_TOKEN" in caught.value.fix


def test_without_a_network_it_says_so_at_once(
    told: Told, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SourceUnreachable, match="no connection to 127.0.0.1:9") as caught:
        told("new", "languages", "--hub", "ours/languages")
    assert "--files" in caught.value.fix


def test_files_at_hand_are_copied_beside_the_entry(told: Told, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "train.csv").write_text("text,label\ngood,1\nbad,0\n")
    (given / "test.jsonl").write_bytes(jsonl(QUESTIONS))
    table(given / "more-00000-of-00001.parquet", [{"x": 1.5}])
    registry = tmp_path / "mine"
    said = told(
        "new", "mine", "--files", *map(str, sorted(given.iterdir())), "--registry", str(registry)
    ).output
    assert "rows: more 1, test 20, train 2" in said
    assert f"export SUITE_REGISTRY={registry}" in said
    with pytest.raises(NotFound):
        suite.load_dataset("mine", "train")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SUITE_REGISTRY", str(registry))
        assert suite.load_dataset("mine", "train").to_list() == [
            {"text": "good", "label": 1}, {"text": "bad", "label": 0},
        ]  # fmt: skip
        (registry / "data/mine/test.jsonl").write_text("{}\n")
        with pytest.raises(DataError, match=r"test.jsonl was changed"):
            suite.load_dataset("mine", "test")


def test_a_broken_row_leaves_nothing_behind(told: Told, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(DataError, match=r"bad.jsonl, line 2"):
        told("new", "bad", "--files", str(tmp_path / "bad.jsonl"))
    with pytest.raises(DataError, match="none.jsonl is not there"):
        told("new", "none", "--files", str(tmp_path / "none.jsonl"))
    assert not list(Path().iterdir())


def test_named_files_of_a_git_repository(told: Told, git: LocalGit) -> None:
    words = ("--git", "https://github.com/ours/questions.git", "--licence", "MIT")
    said = told(
        "new", "git-questions", *words, "--path", "data/space.json", "--path", "data/time.json"
    ).output
    assert "rows: space 12, time 8" in said
    told("pull", "git-questions")
    assert suite.load_dataset("git-questions", "time").num_rows == 8
    entry = json.loads(told("show", "git-questions", "--json").output)
    assert (entry["revision"], entry["licence"]) == (COMMIT, "MIT")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("../../etc/passwd", "--path '../../etc/passwd': path must be without"),
        ("/data/a.jsonl", "path must be relative"),
        ("data//a.jsonl", "without empty parts"),
        ("", "--path '': "),
        (".", "--path '.': it names no file"),
        ("data/none.json", "the host has no data/none.json .*\n.*\n  name files that it has, by --path"),
    ],
)
def test_a_path_that_is_none_of_the_repository_is_named(
    told: Told, git: LocalGit, path: str, message: str
) -> None:
    with pytest.raises(SuiteError, match=message):
        told("new", "one", "--git", "https://github.com/ours/questions.git", "--path", path)
    assert not list(Path().iterdir())


def test_patterns_find_the_files_of_a_git_repository(
    told: Told, git: LocalGit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / "real"
    (real / "data").mkdir(parents=True)
    for name in ("data/space.jsonl", "data/time.jsonl", "old/time.jsonl", "readme.txt"):
        (real / name).parent.mkdir(exist_ok=True)
        (real / name).write_bytes(jsonl(QUESTIONS[:3]))
    identity = ("-c", "user.name=a", "-c", "user.email=a")
    for command in (["init", "-qb", "main"], ["add", "."], [*identity, "commit", "-qm", "a"]):
        subprocess.run(["git", "-C", real, *command], check=True)
    git.heads["main"] = (real / ".git/refs/heads/main").read_text().strip()
    (git.root / "ours/real").mkdir()
    (git.root / "ours/real" / git.heads["main"]).symlink_to(real)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{real}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"{git.url}/ours/real.git")
    words = ("--git", "https://github.com/ours/real.git")
    assert "rows: space 3, data/time 3, old/time 3" in told("new", "all", *words).output
    assert "rows: time 3\n" in told("new", "one", *words, "--path", "d*/t*").output
    with pytest.raises(ConfigError, match="no https address of a repository") as refused:
        told("new", "secret", "--git", "https://me:hunter2@github.com/ours/real.git")
    assert "hunter2" not in str(refused.value)
    with pytest.raises(DataError, match="no file with rows is called") as caught:
        told("new", "none", *words, "--path", "*.csv")
    assert "its files: data/space.jsonl, data/time.jsonl, old/time.jsonl, readme.txt" in str(caught.value)


def test_pinning_again_finds_what_config_and_split_hold_now(told: Told, languages: Path) -> None:
    told("new", "languages", "--hub", "ours/languages", "--split", "train")
    table(languages / "en/train-00002-of-00003.parquet", QUESTIONS[:1])
    assert "3 files; written to" in told("pin", "languages", "--write").output
    told("pull", "languages")
    assert suite.load_dataset("languages").num_rows == 21
    for path in languages.glob("en/train-*"):
        path.rename(path.with_name(path.name.replace("train", "dev")))
    (languages / "README.md").write_text(CARD.replace("train", "dev"))
    with pytest.raises(NotFound, match="no split 'train'") as gone:
        told("pin", "languages", "--write")
    advice = "describe what is there now: `suite data new languages --hub ours/languages --force`"
    assert gone.value.fix.endswith(f"splits: dev, test; {advice}")
    assert f"languages: {advice}" in told("check", "languages", "--remote").output
    for path in languages.glob("en/dev-*"):
        path.rename(path.with_name(path.name.replace("dev", "train")))
    (languages / "README.md").write_text(CARD)
    table(languages / "en/train-00002-of-00003.parquet", [{**QUESTIONS[0], "system": None}])
    with pytest.raises(
        DataError, match="00002-of-00003.parquet, row 0 breaks schemas/languages.json"
    ) as caught:
        told("pin", "languages", "--write")
    assert "`suite data new languages --hub ours/languages --force`" in caught.value.fix
    told("new", "languages", "--hub", "ours/languages", "--force")
    told("pull", "languages")
    assert suite.load_dataset("languages", "en/train")[20]["system"] is None


def test_a_registry_that_cannot_be_written_is_named(told: Told, languages: Path) -> None:
    Path("registry").write_text("a file")
    with pytest.raises(ConfigError, match="can't be written") as caught:
        told("new", "languages", "--hub", "ours/languages")
    assert "--registry" in caught.value.fix
    assert [path.name for path in Path().iterdir()] == ["registry"]


def test_a_table_that_datasets_cannot_hold_is_named(told: Told, tmp_path: Path) -> None:
    (tmp_path / "mixed.jsonl").write_text('{"a": 1}\n{"a": "x"}\n')
    told("new", "mixed", "--files", str(tmp_path / "mixed.jsonl"))
    with pytest.raises(DataError, match="the rows of part 'mixed' make no table"):
        suite.load_dataset("mixed")


def test_a_number_that_a_table_cannot_hold_and_what_is_no_name_are_named(told: Told, tmp_path: Path) -> None:
    (tmp_path / "long.jsonl").write_text('{"a": 123456789012345678901234567890}\n')
    told("new", "long", "--files", str(tmp_path / "long.jsonl"))
    with pytest.raises(DataError, match="the rows of part 'long' make no table"):
        suite.load_dataset("long")
    with pytest.raises(ConfigError, match="None is no name of a dataset"):
        suite.load_dataset(None)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="None is no run"):
        suite.load(None)  # type: ignore[arg-type]


def test_parquet_keeps_what_datasets_notes_in_it(told: Told, tmp_path: Path) -> None:
    import datasets

    kinds = datasets.Features({"kind": datasets.ClassLabel(names=["bad", "good"])})
    datasets.Dataset.from_dict({"kind": [1, 0]}, kinds).to_parquet(tmp_path / "kinds.parquet")
    told("new", "kinds", "--files", str(tmp_path / "kinds.parquet"))
    assert suite.load_dataset("kinds").features == kinds


def test_damaged_bytes_are_never_loaded(told: Told, languages: Path, place: Place) -> None:
    told("new", "languages", "--hub", "ours/languages", "--config", "de")
    told("pull", "languages")
    rows = suite.load_dataset("languages").to_list()
    (arrow,) = (place.cache_folder / "data/arrow").glob("*.arrow")
    whole = arrow.read_bytes()
    arrow.write_bytes(whole.replace(b"Wie?", b"Was?"))
    assert suite.load_dataset("languages").to_list() == rows
    assert arrow.read_bytes() == whole
    for blob in (place.cache_folder / "data/blobs").rglob("*"):
        if blob.is_file():
            blob.chmod(0o644)
            blob.write_bytes(blob.read_bytes()[:-1])
    with pytest.raises(DataError, match="was changed in the cache") as caught:
        suite.load_dataset("languages")
    assert "`suite data pull languages`" in caught.value.fix


def test_mini_data_is_loaded_without_a_pull(place: Place) -> None:
    pytest.importorskip("suite_prefeval")
    assert suite.load_dataset("prefeval", "explicit", mini=True).num_rows > 0

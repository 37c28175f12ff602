"""Exporters of plugins: options as flags, what is refused, what leaves the machine, the kit's example."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import Field

import suite
from suite.hookspecs import Entry
from suite.plugins import BUILTIN, catalogue

Make = Callable[..., Path]
Command = Callable[..., tuple[int, str]]
PAGE = (Path(__file__).resolve().parents[2] / "docs/plugin-kit.md").read_text("utf-8")
CODE = PAGE.partition('```python title="suite_scoreboard.py"\n')[2].partition("```")[0]


class SentOptions(suite.ExportOptions):
    to_whom: str = Field(examples=["WHO"], description="who gets it")
    most: int = Field(3, ge=1, description="how many lines.")
    table: bool = False
    """as a table: a flag where tables have a choice."""


class Sent(suite.Exporter[SentOptions]):
    def write(self, run: suite.ExportedRun, output: Path) -> suite.Export:
        told = self.options
        if told.to_whom == "nobody":
            raise ValueError("nobody is there")
        path = suite.write_file(output / "deep/sent.txt", [f"table {told.table}\n"] * told.most)
        upload = suite.Upload([f"to {told.to_whom}:"], "send it?", lambda: "sent it", told.to_whom == "me")
        return suite.Export([path], [f"a remark on {run.name}"], upload)


class FlawedOptions(suite.ExportOptions):
    output: str = Field("", description="where to")
    loud: bool = True
    """not quiet."""
    quiet: bool = False


class Flawed(suite.Exporter[FlawedOptions]):
    def write(self, run: suite.ExportedRun, output: Path) -> suite.Export:
        raise NotImplementedError


HERE = (
    Entry("exporter", "sent", "Sends it", f"{__name__}:Sent"),
    Entry("exporter", "flawed", "Has bad options", f"{__name__}:Flawed"),
    Entry("exporter", "broken", "Cannot be loaded", "no_such_module:Broken"),
    Entry("exporter", "odd", "Is no exporter", "json:dumps"),
    Entry("exporter", "scoreboard", "Headlines, one a line", "suite_scoreboard:Scoreboard"),
)


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tables, the exporters of this module, and that of the kit's page."""
    (tmp_path / "suite_scoreboard.py").write_text(CODE, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("suite.plugins.BUILTIN", (*BUILTIN, *HERE))
    monkeypatch.setattr("suite.plugins.entry_points", lambda group: [])
    catalogue.cache_clear()
    yield
    catalogue.cache_clear()


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs the suite: its exit code and all that it prints."""

    def run(*words: object) -> tuple[int, str]:
        code = suite.run_command(*map(str, words))
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run


@pytest.fixture
def export(make_run: Make, command: Command) -> Command:
    """Exports a run."""
    folder = make_run(pending=0)
    return lambda *words: command("report", "export", folder, *words)


def test_the_example_of_the_kit_writes_headlines(export: Command, tmp_path: Path) -> None:
    code, said = export("--to", "scoreboard", "--title", "This week", "-O", tmp_path / "out")
    path = tmp_path / "out/scoreboard.txt"
    assert (code, said) == (0, f"wrote {path}\n")
    first, second, *others = path.read_text("utf-8").splitlines()
    assert first == "This week of vllm/Example/Model-8B"
    assert second.startswith("prefs/generation method=plain, inter_turns=0: kept 0.")
    assert len(others) == 6


def test_an_exporter_has_config_tables_and_the_report(make_run: Make, tmp_path: Path) -> None:
    run = suite.ExportedRun(make_run(pending=0, samples=2))
    assert json.loads(json.dumps(run.config))["seed"] == 7
    assert run.table("results").num_rows == sum(len(cell.metrics) for cell in run.results.cells)
    assert run.table("samples").num_rows == len(list(run.rows())) == 14
    assert run.write_report(tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")


def test_options_reach_their_exporter_as_their_types(export: Command, tmp_path: Path) -> None:
    words = ["--to", "sent", "--to-whom", "me", "--most", "2", "--table"]  # --table has a value for csv
    code, said = export(*words, "-O", tmp_path / "out")
    path = tmp_path / "out/deep/sent.txt"
    assert (code, path.read_text()) == (0, "table True\n" * 2)
    assert said == f"wrote {path}\nto me:\nsent it\na remark on run-1\n"


def test_nothing_is_sent_before_somebody_agrees(
    export: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda question: "n")
    code, said = export("--to", "sent", "--to-whom", "them", "-O", tmp_path / "out")
    assert code == 0 and "to them:\nnothing was sent\n" in said and "sent it" not in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "sent"], "--to sent needs --to-whom"),
        (["--to", "sent", "--to-whom", "me", "--most", "many"], "'many' is not a valid integer"),
        (["--to", "sent", "--to-whom", "me", "--most", "0"], "--most: Input should be greater than"),
        (["--to", "sent", "--to-whom", "nobody"], "exporter 'sent' fails with ValueError: nobody is there"),
        (["--to=jsonl", "--most", "2"], "--most means nothing to --to jsonl\n  it belongs to --to sent"),
        (["--to", "sent", "--force"], "it belongs to --to csv and --to jsonl and --to parquet"),
        (["--to", "eee"], "no exporter named 'eee'\n  pip install suite-exports"),
        (["--to", "sents"], "no exporter named 'sents'\n  did you mean 'sent'?"),
        (["--to", "broken"], "exporter 'broken' of suite-eval cannot be loaded"),
        (["--to", "odd"], "exporter 'odd' is no subclass of suite.Exporter"),
    ],
)
def test_what_does_not_fit_is_refused(
    export: Command, tmp_path: Path, words: list[str], message: str
) -> None:
    code, said = export(*words, "-O", tmp_path / "out")
    assert code == 2 and message in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["csv", "sent"])
def test_an_unfinished_run_is_exported_only_on_request(
    command: Command, make_run: Make, tmp_path: Path, name: str
) -> None:
    more = ["--to-whom", "me"] * (name == "sent")
    words = ["report", "export", make_run(pending=2), "--to", name, *more, "-O", tmp_path / "out"]
    code, said = command(*words)
    assert code == 2 and "2 samples without a result" in said
    assert command(*words, "--allow-partial")[0] == 0


def test_a_run_without_results_is_not_exported(command: Command, make_run: Make, tmp_path: Path) -> None:
    words = ["--to", "csv", "-O", tmp_path / "a.csv"]
    code, said = command("report", "export", make_run(scored=False), *words)
    assert code == 2 and "suite score run-1" in said


def test_help_and_list_show_whose_an_option_is(command: Command) -> None:
    whole = " ".join(command("report", "export", "--help")[1].split())
    assert "--to-whom WHO sent: who gets it; required." in whole
    assert "csv: do not guard cells" in whole
    own = command("report", "export", "--to", "sent", "--help")[1]
    assert "--to-whom" in own and "--raw-cells" not in own
    told = command("report", "export", "--list")[1]
    assert "sent: Sends it (suite-eval)\n  --to-whom WHO\n  --most INTEGER\n  --table\n" in told
    assert "broken: Cannot be loaded" in told


def test_a_setting_may_give_an_option(
    export: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suite.toml").write_text('[report.export]\nto = "sent"\nto-whom = "me"\nmost = 1\n')
    assert export("-O", "out")[0] == 0
    assert (tmp_path / "out/deep/sent.txt").read_text() == "table False\n"


def test_exporters_are_checked_as_what_a_plugin_brings(command: Command) -> None:
    code, said = command("plugin", "check", "sent")
    assert (code, said) == (0, "sent\n  passed  it loads, and its options are flags\n")
    code, said = command("plugin", "check", "flawed", "--json")
    assert code == 1
    assert json.loads(said)["exporters"]["flawed"] == [
        "option 'output' is the command's own",
        "option 'loud' can only be set: make it False by default",
        "option 'quiet' needs a docstring or a description: --help shows it",
    ]
    assert command("plugin", "check", "odd")[0] == 1

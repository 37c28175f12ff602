"""What a report with 10,000 samples to browse costs: a run of the suite's own, its page written and opened.

    python benchmarks/viewer.py
    python benchmarks/viewer.py --samples 100000    # a folder of scripts beside the page
    python benchmarks/viewer.py --keep FOLDER       # the run stays there, and is taken up again

Questions and answers are a few hundred words each, made by a chain over the words of `docs/`; a judge is
asked about each answer. Prints the seconds to write the page, its size beside the compressed journal
(`gzip -6`), peak memory, and where Chromium is installed the time until samples can be seen and until a
filter is applied.
"""

import argparse
import asyncio
import os
import random
import re
import resource
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "servers"))
from chromium import CHROMIUM, browser

import suite
from suite.chat import Request
from suite.models.engine import Asking
from suite.report.run_reports import write_html
from suite.run.cells import make_cell
from suite.run.outcome import RunSettings
from suite.run.plan import make_plan
from suite.run.request import EvalRequest
from suite.run.session import run_plan

ROOT = Path(__file__).resolve().parents[1]
TOPICS = ("travel", "cooking", "music", "money", "health", "gardens")
TEMPLATE = (
    "You judge the answer of an assistant. Decide whether it helps the person who asked, whether it is true, "
    "and whether it keeps to what was asked.\n\n[Question]\n{}\n\n[Answer]\n{}\n\nGive your reasons first, "
    "then write on a line of its own <answer>Yes</answer> or <answer>No</answer>."
)


@cache
def chain() -> Mapping[tuple[str, str], Sequence[str]]:
    """Which words follow two words in the documentation."""
    text = " ".join(path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md")))
    words = re.findall(r"[A-Za-z']+[.,;:?]?", text)
    found: dict[tuple[str, str], list[str]] = {}
    for first, second, third in zip(words, words[1:], words[2:], strict=False):
        found.setdefault((first, second), []).append(third)
    return found


@cache
def beginnings() -> Sequence[tuple[str, str]]:
    """Where a text can begin."""
    return sorted(pair for pair in chain() if pair[0][0].isupper())


def prose(seed: str, words: int) -> str:
    """About that many words; the same seed gives the same text."""
    chance, following = random.Random(seed), chain()
    pair = chance.choice(beginnings())
    said = list(pair)
    while len(said) < words:
        pair = (pair[1], chance.choice(following.get(pair) or [chance.choice(beginnings())[0]]))
        said.append(pair[1])
        if pair not in following:
            pair = chance.choice(beginnings())
    return " ".join(said) + "."


class Index(suite.Payload):
    """Which question."""

    index: int


class Cells(suite.Parameters):
    """style: tells cells apart."""

    style: int = 0


class Asked(suite.Task[Index, Cells]):
    """A question, an answer, a judge."""

    info = suite.TaskInfo(
        name="bench/asked",
        version=1,
        title="Answers with a judge",
        roles={"candidate": suite.Role(), "judge": suite.Role(stage="score")},
        headline="helpful",
    )
    metrics = (suite.Rate("helpful", by="topic"), suite.Mean("length"))
    count = 0

    def samples(self, data: suite.Data) -> Iterable[suite.Sample[Index]]:
        """So many questions."""
        for index in range(self.count):
            topic = TOPICS[index % len(TOPICS)]
            yield suite.Sample(f"{topic}/{index}", Index(index=index), tags={"topic": topic})

    async def solve(self, sample: suite.Sample[Index], models: suite.Models) -> suite.Output:
        """Ask."""
        question = prose(f"question {sample.payload.index}", 60 + sample.payload.index % 240)
        style = [suite.system(f"Answer in style {self.parameters.style}.")]
        reply = await models.candidate.chat([*style, suite.user(question)], max_tokens=800)
        return suite.Output(reply.text, finish=reply.finish)

    async def score(
        self, sample: suite.Sample[Index], output: suite.Output, models: suite.Models
    ) -> suite.Score:
        """Ask the judge."""
        question = prose(f"question {sample.payload.index}", 60 + sample.payload.index % 240)
        verdict = await models.judge.chat(
            [suite.user(TEMPLATE.format(question, output.text))], max_tokens=300
        )
        return suite.Score({"helpful": "Yes" in verdict.text, "length": len(output.text.split())})


def candidate(request: Request, asking: Asking) -> str:  # noqa: ARG001
    """An answer of 150 to 450 words."""
    seed = request.text
    return prose(seed, 150 + zlib.crc32(seed.encode()) % 300)


def judge(request: Request, asking: Asking) -> str:  # noqa: ARG001
    """Reasons and a verdict."""
    seed = request.text
    said = "Yes" if zlib.crc32(seed.encode()) % 3 else "No"
    return f"{prose(seed, 60)}\n<answer>{said}</answer>"


def make(folder: Path, samples: int, cells: int) -> None:
    """The run, by the suite's runner."""
    Asked.count = samples
    made = [make_cell(Asked(Cells(style=style)), "benchmark") for style in range(cells)]
    models = {"candidate": ["scripted/viewer:candidate"], "judge": ["scripted/viewer:judge"]}
    plan = make_plan(EvalRequest((), models=models), cells=made)
    outcome = asyncio.run(run_plan(plan, folder, settings=RunSettings(quiet=True, cache=False)))
    if outcome.pending or outcome.error:
        raise SystemExit(f"the run did not finish: {outcome}")


def compressed(folder: Path) -> int:
    """Bytes of all journals together under gzip -6."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    size = 0
    for path in sorted(folder.rglob("*.jsonl")):
        with path.open("rb") as file:
            while piece := file.read(2**20):
                size += len(packer.compress(piece))
    return size + len(packer.flush())


def peak() -> float:
    """MiB of memory at most, so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# chooses an outcome, and tells after how many milliseconds the list is drawn anew
FILTERING = """
(async () => {
  const selects = [...document.querySelectorAll(".sv-filters select")];
  const select = selects.find((one) => [...one.options].some((option) => option.value === "bad"));
  const began = performance.now();
  select.value = "bad";
  select.dispatchEvent(new Event("input", {bubbles: true}));
  select.dispatchEvent(new Event("change", {bubbles: true}));
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - began;
})()
"""


async def look(report: Path, profile: Path) -> tuple[float, float]:
    """Seconds until samples can be seen, and until a filter is applied."""
    async with browser(profile) as page:
        started = time.perf_counter()
        await page.send("Page.navigate", url=report.resolve().as_uri())
        await page.until("document.querySelector('.sv-ready') !== null")
        opened = time.perf_counter() - started
        return opened, await page.run(FILTERING) / 1000


def main() -> None:
    """Make, write, look, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--samples", type=int, default=10_000, help="rows in all")
    parser.add_argument("--cells", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="leave the run in this folder")
    given = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    with tempfile.TemporaryDirectory() as scratch:
        run = given.keep or Path(scratch) / "run"
        if not (run / "manifest.json").is_file():
            make(run, given.samples // given.cells, given.cells)
        page = Path(scratch) / "report.html"
        before, started = peak(), time.perf_counter()
        write_html(page, run)
        seconds = time.perf_counter() - started
        after, packed = peak(), compressed(run)
        files = [page, *page.with_name("report-parts").rglob("*.js")]
        size = sum(path.stat().st_size for path in files)
        print(f"{given.samples:,} samples in {given.cells} cells")
        print(f"written in       {seconds:8.1f} s, peak memory {before:,.0f} and then {after:,.0f} MiB")
        print(f"journal          {packed / 1e6:8.1f} MB under gzip -6")
        print(f"page             {size / 1e6:8.1f} MB, {len(files):,} files: {size / packed:.2f} times that")
        if CHROMIUM is not None:
            opened, filtered = asyncio.run(look(page, Path(scratch) / "profile"))
            print(f"opened in        {opened:8.1f} s, filtered in {1000 * filtered:.0f} ms")


if __name__ == "__main__":
    main()

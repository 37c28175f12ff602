"""Tiny random models made on the spot; runs where torch and transformers are installed."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

from suite.chat import Options, Reply, Request, system, user  # noqa: E402
from suite.errors import CallFailed, CapabilityError  # noqa: E402
from suite.models.engine import Asking, Engine, Surroundings  # noqa: E402
from suite.models.spec import parse_spec  # noqa: E402
from suite.models.transformers import provider  # noqa: E402

WORDS = "user assistant which is best one fine answer another bad good yes no the a b c".split()  # noqa: SIM905
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    " {{ m.role }} {{ m.content }} <end>{% endfor %}{% if add_generation_prompt %} assistant{% endif %}"
)
QUESTION = (user("which is best"),)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Any:
    vocabulary = {word: i for i, word in enumerate(["<pad>", "<s>", "<end>", "<unk>", *WORDS])}
    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    inner.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A",
        special_tokens=[("<s>", 1)],  # text gets a <s> of its own: a second one, if added twice
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<s>",
        eos_token="<end>",
        pad_token="<end>",  # as many chat models do: the padding ends every conversation too
        unk_token="<unk>",
        chat_template=TEMPLATE,
    )


@pytest.fixture(scope="module")
def folder(words: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("models")
    torch.manual_seed(3)
    for name, labels in (("reward", 1), ("three", 3), ("chat", 0)):
        config = transformers.LlamaConfig(
            vocab_size=len(words),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=64,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=2,
            **({"num_labels": labels} if labels else {}),
        )
        kind = transformers.LlamaForSequenceClassification if labels else transformers.LlamaForCausalLM
        kind(config).save_pretrained(base / name)
        words.save_pretrained(base / name)
    return base


def engine(path: Path, **options: object) -> Engine:
    pairs = [(key, json.dumps(value)) for key, value in options.items()]
    return provider.engine(parse_spec(f"transformers/{path}", pairs))


def conversation(answer: str | None) -> str:
    start = "user which is best <end>"
    return start if answer is None else f"{start} assistant {answer} <end>"


async def test_rewards_are_raw_logits_of_the_last_token_whatever_the_company(
    folder: Path, words: Any
) -> None:
    one = engine(folder / "reward", batch=4)
    assert one.capabilities() == {"rate"}
    await one.start(Surroundings())
    texts = ("one fine answer", "bad", "another one fine good answer", "no", "a b c")
    reply = await one.call(Request("rate", QUESTION, texts=texts), Asking())
    alone = [(await one.call(Request("rate", QUESTION, texts=(text,)), Asking())).scores[0] for text in texts]
    model = transformers.LlamaForSequenceClassification.from_pretrained(folder / "reward").eval()
    wanted = []
    for text in texts:
        ids = words(conversation(text))["input_ids"]
        assert ids.count(1) == 1
        with torch.inference_mode():
            hidden = model.model(torch.tensor([ids])).last_hidden_state
            wanted.append(model.score(hidden)[0, -1, 0].item())
    assert list(reply.scores) == pytest.approx(wanted, abs=1e-5)
    assert list(reply.scores) == pytest.approx(alone, abs=1e-5)
    assert reply.details == {"tokens": [len(words(conversation(text))["input_ids"]) for text in texts]}
    many = await asyncio.gather(
        *(one.call(Request("rate", QUESTION, texts=texts[i : i + 2]), Asking()) for i in range(4))
    )
    assert [reply.scores[0] for reply in many] == pytest.approx(wanted[:4], abs=1e-5)
    await one.close()


def reasons(reply: Reply) -> Any:
    """Why each of the texts has no score."""
    assert isinstance(reply.details, dict)
    return reply.details["reasons"]


async def test_too_long_and_rejected_answers_have_reasons(folder: Path) -> None:
    one = engine(folder / "reward")
    await one.start(Surroundings())
    long = await one.call(Request("rate", QUESTION, texts=("a " * 70, "b")), Asking())
    assert (long.scores[0], reasons(long)) == (None, ["overflow", ""])
    refused = await one.call(Request("rate", (system("x"), *QUESTION), texts=("a",)), Asking())
    assert (refused.scores, refused.finish) == ((None,), "invalid")
    assert "no system" in reasons(refused)[0]
    with pytest.raises(CallFailed, match="unsupported"):
        await one.call(Request("chat", QUESTION), Asking())
    await one.close()


async def test_several_labels_need_a_choice(folder: Path) -> None:
    with pytest.raises(CapabilityError, match="has 3 labels"):
        engine(folder / "three").capabilities()
    scores = []
    for options in ({"label": 2}, {"weights": [0.0, 0.0, 1.0]}):
        one = engine(folder / "three", **options)
        await one.start(Surroundings())
        scores.append((await one.call(Request("rate", QUESTION, texts=("a", "b")), Asking())).scores)
        await one.close()
    assert scores[0] == pytest.approx(scores[1])


async def test_log_probabilities_are_those_of_a_plain_forward_pass(folder: Path, words: Any) -> None:
    one = engine(folder / "chat")
    await one.start(Surroundings())
    texts = ("one fine answer", "no")
    reply = await one.call(Request("logprobs", QUESTION, texts=texts), Asking())
    model = transformers.LlamaForCausalLM.from_pretrained(folder / "chat").eval()
    start = len(words(conversation(None) + " assistant")["input_ids"])
    wanted = []
    for text in texts:
        ids = words(conversation(text))["input_ids"]
        with torch.inference_mode():
            logs = torch.log_softmax(model(torch.tensor([ids])).logits[0], dim=-1)
        wanted.append(sum(logs[i - 1, ids[i]].item() for i in range(start, len(ids))))
    assert list(reply.scores) == pytest.approx(wanted, abs=1e-4)
    assert reply.details == {"tokens": [4, 2]}  # the end of the turn counts
    await one.close()


async def test_it_generates_greedily_and_by_seed(folder: Path) -> None:
    one = engine(folder / "chat")
    await one.start(Surroundings())

    def ask(**options: Any) -> Request:
        return Request("chat", QUESTION, options=Options(max_tokens=6, **options))

    first, again = [await one.call(ask(temperature=0.0, logprobs=2), Asking(seed=s)) for s in (1, 2)]
    assert first == again
    assert first.finish in ("length", "stop", "empty")
    assert all(len(token.top) == 2 and token.logprob == token.top[0][1] for token in first.logprobs)
    warm = [(await one.call(ask(temperature=2.0), Asking(seed=seed))).text for seed in (1, 1, 2)]
    assert warm[0] == warm[1] != warm[2]
    over = await one.call(Request("chat", (user("a " * 70),)), Asking())
    assert over.finish == "overflow"
    await one.close()


async def test_a_models_own_generation_configuration_changes_nothing(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "chat", tmp_path / "own")
    before = json.loads((folder / "chat" / "generation_config.json").read_text())
    own = {"repetition_penalty": 3.0, "no_repeat_ngram_size": 1, "suppress_tokens": [5, 6, 7, 8, 9]}
    own |= {
        "min_new_tokens": 9,
        "do_sample": True,
        "top_k": 1,
        "min_p": 0.9,
        "typical_p": 0.2,
        "temperature": 9.0,
    }
    (tmp_path / "own" / "generation_config.json").write_text(json.dumps({**before, **own}))
    asks = [
        Request("chat", (user("a b c"),), options=Options(temperature=warm, max_tokens=12))
        for warm in (0.0, 1.0)
    ]
    said = []
    for path in (folder / "chat", tmp_path / "own"):
        one = engine(path)
        await one.start(Surroundings())
        said.append([(await one.call(ask, Asking(seed=3))).text for ask in asks])
        await one.close()
    assert said[0] == said[1]


@pytest.mark.parametrize("adds", [True, False])
@pytest.mark.parametrize("has", [True, False])
def test_a_rated_conversation_begins_once_where_the_tokenizer_has_a_beginning(
    words: Any, folder: Path, tmp_path: Path, adds: bool, has: bool
) -> None:
    """Four kinds of tokenizers: does it put <s> before texts, does its template write it?"""
    from suite.models.torch_model import TorchModel

    for file in (folder / "reward").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "tokenizer.json").read_text())
    if not adds:
        config["post_processor"] = None
    (tmp_path / "tokenizer.json").write_text(json.dumps(config))
    model = TorchModel(str(tmp_path), "sequence", revision=None, device="cpu", dtype="float32", trust=False)
    model.tokenizer.chat_template = TEMPLATE if has else TEMPLATE.removeprefix("{{ bos_token }}")
    ids = model.rated(QUESTION, {}, prompt=False)
    assert ids.count(1) == (1 if adds or has else 0)
    assert ids[0] == 1 or not (adds or has)

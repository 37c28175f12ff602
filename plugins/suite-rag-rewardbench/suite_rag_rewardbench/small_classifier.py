"""A small sequence classifier trained on the spot, for machines without a real reward model.

    python -m suite_rag_rewardbench.small_classifier FOLDER

Trains a one-layer Llama classifier from nothing on the 24 training pairs of the bundled data (Bradley-Terry
loss, seconds on one core, the same weights for the same seed and torch). It ranks the other 24 pairs above
chance, since they were written with the same habits. It shows that a real classifier goes through every
step; its scores mean nothing. Needs torch and transformers.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import suite
from suite_rag_rewardbench.rows import RagRow
from suite_rag_rewardbench.turns import PROMPTS, user_turn

TRAIN = Path(__file__).parent / "mini" / "rag" / "train"
SPECIAL = ("<unk>", "<s>", "<end>", "<user>", "<assistant>", "<system>")
TEMPLATE = (
    "<s>{% for m in messages %} <{{ m['role'] }}> {{ m['content'] }} <end>{% endfor %}"
    "{% if add_generation_prompt %} <assistant>{% endif %}"
)
WINDOW = 1024
EPOCHS = 30
FORGET = 0.15  # share of words hidden in each step, so that no single one is learnt by heart


def pairs(folder: Path = TRAIN) -> Iterator[tuple[str, str, str]]:
    """(user's turn, better answer, worse answer) of every row of a folder's JSONL files."""
    for path in sorted(folder.glob("*.jsonl")):
        for one in suite.json_lines(path):
            row = RagRow.model_validate(one.value)
            yield (
                user_turn(PROMPTS, row.prompt or "", row.question or "").text,
                row.chosen or "",
                row.reject or "",
            )


def tokenizer(texts: Sequence[str]) -> Any:
    """A word tokenizer with a chat template, over the words that occur at least twice."""
    import tokenizers
    import transformers

    inner = tokenizers.Tokenizer(tokenizers.models.WordLevel(unk_token="<unk>"))
    inner.normalizer = tokenizers.normalizers.Lowercase()
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    trainer = tokenizers.trainers.WordLevelTrainer(min_frequency=2, special_tokens=list(SPECIAL))
    inner.train_from_iterator(texts, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="<end>",
        pad_token="<end>",
        additional_special_tokens=list(SPECIAL[3:]),
        chat_template=TEMPLATE,
        model_max_length=WINDOW,
    )


def train(folder: Path, seed: int = 5) -> Path:
    """Train and save a classifier with its tokenizer. Returns the folder."""
    import torch
    import transformers

    rows = list(pairs())
    words = tokenizer([text for row in rows for text in row])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more only wait for each other at this size
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=len(words),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=1,
        num_attention_heads=1,
        num_key_value_heads=1,
        head_dim=64,
        max_position_embeddings=WINDOW,
        num_labels=1,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
        tie_word_embeddings=False,
    )
    model = transformers.LlamaForSequenceClassification(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    encoded = [[_ids(words, turn, answer) for answer in answers] for turn, *answers in rows]
    for _ in range(EPOCHS):
        for place in torch.randperm(len(encoded)).tolist():
            better, worse = (_score(model, _forget(ids)) for ids in encoded[place])
            loss = -torch.nn.functional.logsigmoid(better - worse)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    torch.set_num_threads(threads)
    model.eval().save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def _ids(words: Any, turn: str, answer: str) -> list[int]:
    talk = [{"role": "user", "content": turn}, {"role": "assistant", "content": answer}]
    ids: list[int] = words.apply_chat_template(talk, tokenize=True, return_dict=False)
    return ids


def _forget(ids: list[int]) -> list[int]:
    import torch

    hidden = torch.rand(len(ids)) < FORGET
    return [
        0 if gone and one >= len(SPECIAL) else one for one, gone in zip(ids, hidden.tolist(), strict=True)
    ]


def _score(model: Any, ids: list[int]) -> Any:
    """The head's value at the last token: the tokenizer pads with the token that ends every turn."""
    import torch

    return model.score(model.model(torch.tensor([ids])).last_hidden_state)[0, -1, 0]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    train(Path(sys.argv[1]))

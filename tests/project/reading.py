"""What the project's own texts quote: code blocks and commands."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(
    r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<body>.*?)^```$", re.M | re.S
)


def blocks(name: str, language: str) -> list[tuple[str, str]]:
    """(title, body) of the blocks of a language in a text of the project."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [(m["title"] or "", m["body"]) for m in _BLOCK.finditer(text) if m["language"] == language]


def commands(name: str) -> list[str]:
    """Lines of shell blocks that run the suite: continued lines joined, variables filled, comments cut."""
    text = "\n".join(body for _, body in blocks(name, "sh")).replace("\\\n", " ")
    values = dict(re.findall(r'^([A-Z]+)="(.*)"$', text, flags=re.MULTILINE))
    filled = re.sub(r"\$([A-Z]+)\b", lambda m: values.get(m[1], m[0]), text)
    return [re.split(r"\s+# ", line)[0].strip() for line in filled.splitlines() if line.startswith("suite ")]

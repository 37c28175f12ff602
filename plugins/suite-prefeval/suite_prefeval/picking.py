"""Which of the letters A to D a text picks, read alike whichever letter it is.

A capital A may be an article. So a letter counts where its place shows that it is one: alone, marked or
followed by punctuation, after a word that names or picks an option ("Option A", "choose A because") or after
any other small word, or before a word that no article has behind it ("A respects"). Elsewhere the B of "B
quiet" picks nothing either; that it was meant makes what else the text picks unclear, though.
Not here: tags (`letters`), upstream's reading.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

NOT, UNSURE = "not ", "perhaps "  # before a letter: what the text rejects; what may be meant or not

_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_LATEX = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mathsf|emph|underline)\s*\{|\\[()\[\]]|\$")
_MENTION = re.compile(r"(?<![^\W_])(?<![^\W_]['\u2019])([A-D])(?![^\W_]|['\u2019][^\W_]|[+#])")
_ALONE = re.compile(r"[\W_]*([A-D])[\W_]*")
_LONE = re.compile(r"[\W_]*([A-Da-d])[\W_]*")
_OPEN, _CLOSE = frozenset("*_`\"'\u201c\u2018\u201e\u00ab([{<~"), frozenset("*_`\"'\u201d\u2019\u00bb)]}>~")
_NEAR = 80  # characters before a letter that tell what it is
_NAMED = re.compile(
    r"\b(?:vitamins?|plan|class|grade|type|hepatitis|washington|section|gate|hall|block|zone|series|side)\s+\Z",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    r"(?:\b(?:not|cannot|never|neither|nor|without|except)|n['\u2019]t)\b(?:\s+(?:be|choose|pick|select|option|"
    r"answer|choice|recommend|go|with|the)\b){0,4}[\s*_`\"'(\[]{0,8}\Z",
    re.IGNORECASE,
)
_NAMING = re.compile(
    r"\b(?:options?|choices?|answers?|letter)\b(?:\s+(?:is|was|would be))?[\W_]{0,8}\Z", re.IGNORECASE
)
_SMALL_BEFORE = re.compile(r"(?<![^\W_])[a-z][\w'\u2019]*[ \t]+[*_`\"'(\[]*\Z")
_NEXT = re.compile(r"[ \t]+([A-Za-z][\w'\u2019]*)")
_VERBS = (
    "is was are has had does did do will would should can could may might must because since as for so "
    "and or but nor over than not instead rather which that with seems looks appears sounds feels fits "
    "respects suits matches meets aligns avoids follows honours honors keeps works offers provides gives "
    "includes contains involves considers takes satisfies accommodates addresses reflects makes comes "
    "goes stands wins here above below only alone please if when while though although by from to of in "
    "on at it this these they he she we i you best better"
)
_NO_NOUN = frozenset(_VERBS.split())  # words that no article stands before
_LABEL = re.compile(
    r"[\W_]{0,20}?(?:(?:option|answer|choice)\s{1,3})?[*_`\"'(\[{]{0,4}([A-D])", re.IGNORECASE
)
_OTHER = re.compile(r"[\W_]{0,8}(?:or|and|/|&|,)[\W_]{0,8}(?:option\s)?[*_`\"'(\[{]{0,4}([A-D])(?![^\W_])")
_AFTER_LABEL = re.compile(r"[*_`\"']*(?:\s*$|\s*[\n.):,\]<>]|\s+[-\u2013\u2014]|[*_`\"')\]}])")
_CALLED = re.compile(
    r"\b(?:answer|(?:final|correct|best|my)\s+(?:choice|option|pick|selection))\b"
    r"(?:\s+(?:is|would be|should be))?"
    r"\s{0,4}[:=\u2013\u2014-]?[\s*_`\"'(\[{]{0,8}(?:option\s+)?[*_`\"'(\[{]{0,4}([A-D])(?![^\W_]|['\u2019][^\W_])",
    re.IGNORECASE,
)
_PICKED = re.compile(
    r"(?i:\b(?:choose|chose|pick|select|recommend|go(?:ing)? with|opt for|(?:choice|option)(?: is|:)|"
    r"(?:no|wait|actually|rather|instead|sorry|correction)\b[,.:;!]?(?: it['\u2019]?s| i mean)?))"
    r"[\s*_`\"'(\[{]{1,8}(?:(?i:option|answer|choice)\s{1,3})?[*_`\"'(\[{]{0,4}([A-D])(?![^\W_]|['\u2019][^\W_])"
)


def only(picked: Iterable[str]) -> str | None:
    """The letter, if it is the only thing picked."""
    said = set(picked)
    found = {one for one in said if len(one) == 1}
    others = found | {one.removeprefix(UNSURE) for one in said if one.startswith(UNSURE)}
    one = found.pop() if len(found) == len(others) == 1 else ""
    return one if one and NOT + one not in said else None


def plain(text: str) -> str:
    """The text with letters of full width, hard spaces, LaTeX and invisible characters made plain."""
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).replace("\r\n", "\n")
    return _LATEX.sub(" ", _BOXED.sub(" answer: {", text)).replace("**", "*").replace("__", "_")


def mentioned(text: str) -> list[str]:
    """The letters that the content of a choice tag picks, rejects (NOT) or leaves unclear (UNSURE)."""
    text = plain(text)
    if lone := _LONE.fullmatch(text):
        return [lone.group(1).upper()]
    return list(_mentions(text))


def _mentions(text: str) -> Iterator[str]:
    word = re.search(r"[^\W_]", text)
    for match in _MENTION.finditer(text):
        name, begin, end = match.group(1), match.start(), match.end()
        before, after = text[max(0, begin - _NEAR) : begin], text[end : end + _NEAR]
        first = word is not None and word.start() == begin
        if _NAMED.search(before):
            continue
        if _NEGATED.search(before):
            yield NOT + name
        elif _shown(before, after) or (first and re.match(r"[ \t]+[A-Z]", after)):
            yield name
        elif name != "A":
            yield UNSURE + name  # meant, but an A here would be an article


def _shown(before: str, after: str) -> bool:
    """Whether the place of a letter shows that it is none of the article's."""
    if before[-1:] in _OPEN and after[:1] in _CLOSE:
        return True
    following = _NEXT.match(after)
    if following is None or following[1].lower() in _NO_NOUN:
        return True
    return bool(_NAMING.search(before) or _SMALL_BEFORE.search(before))


def stated(text: str) -> list[str]:
    """The letters that a reply without a tag states as its answer; labels of a list of options are none."""
    text = plain(text)
    if lone := _LONE.fullmatch(text):
        return [lone.group(1).upper()] if lone.group(1).isupper() else []
    labels = [name for line in text.split("\n") if (name := _label(line))]
    picked = called_answer(text) + [_with_not(text, match) for match in _PICKED.finditer(text)]
    picked += [one.group(1) for line in text.split("\n") if (one := _ALONE.fullmatch(line))]
    if len(set(labels)) > 1:
        return picked
    match = _LABEL.match(text.lstrip())
    if match is None or not _label(text.lstrip()):
        return picked
    other = _OTHER.match(text.lstrip()[match.end() :])
    return [*picked, match.group(1), *([other.group(1)] if other else [])]


def called_answer(text: str) -> list[str]:
    """The letters that a text calls the answer."""
    return [_with_not(text, match) for match in _CALLED.finditer(plain(text)) if match.group(1).isupper()]


def _with_not(text: str, match: re.Match[str]) -> str:
    return (
        NOT if _NEGATED.search(text[max(0, match.start() - _NEAR) : match.start()]) else ""
    ) + match.group(1)


def _label(line: str) -> str:
    """The letter that a line begins with, "" if it doesn't."""
    match = _LABEL.match(line)
    if match is None or not match.group(1).isupper() or not _AFTER_LABEL.match(line[match.end(1) :]):
        return ""
    return match.group(1)

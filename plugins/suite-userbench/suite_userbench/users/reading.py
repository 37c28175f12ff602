"""What the questions of one utterance ask for, and which remaining preference fits them best."""

from collections.abc import Mapping, Sequence

from suite_userbench.scenario import Preference
from suite_userbench.users import lexicon
from suite_userbench.users.language import words
from suite_userbench.users.protocol import View

_RECENT = 8  # lines of history in which a thing last spoken of is looked for
Found = Sequence[tuple[str, int, int]]


class Reading:
    """Gathers what questions name.

    concrete: something particular was asked. general: a thing, or only words such as "preferences".
    items: a single feature was named, not only categories. categories: those named.
    """

    def __init__(self, view: View) -> None:
        self.concrete = self.general = self.items = False
        self.categories: set[tuple[str, str]] = set()
        self._view = view
        self._names = [one.name for one in view.scenario.aspects]
        self._current: list[str] = []
        self._scores: dict[str, tuple[int, int]] = {}  # preference id -> (score, minus place in the text)
        self._place = 0

    def read(self, question: str) -> None:
        """Take one question in."""
        found = lexicon.phrases_in(words(question))
        aliases = lexicon.aliases()
        said = {aliases[one] for one, _, _ in found if one in aliases}
        if said:
            self._current = [name for name in self._names if name in said]
            self.general = True
            if not self._current:
                self.concrete = True  # it asks about something that this trip doesn't have
                return
        allowed = self._current or _last_aspects(self._view, self._names, aliases) or self._names
        self._catalogue_words(found, allowed)
        self._own_words(found, allowed)
        self._place += len(found)

    def best(self) -> str | None:
        """The remaining preference asked for: highest score, then first in the text, then first in order."""
        order = [one.id for one in self._view.remaining]
        return max(self._scores, key=lambda name: (*self._scores[name], -order.index(name)), default=None)

    def _catalogue_words(self, found: Found, allowed: Sequence[str]) -> None:
        known, vague = lexicon.targets(), lexicon.vague()
        for one, place, size in found:
            targets = [target for target in known.get(one, ()) if target.aspect in allowed]
            if not targets:
                self.general = self.general or one in vague
                continue
            self.concrete = True
            self.items = self.items or any(target.key for target in targets)
            self.categories |= {(target.aspect, target.category) for target in targets if not target.key}
            for preference in self._view.remaining:
                self._note(preference, _fit(preference, targets, size), place)

    def _own_words(self, found: Found, allowed: Sequence[str]) -> None:
        """Preferences that aren't of the catalogue are known by the words of their text."""
        for preference in self._view.remaining:
            if preference.aspect in allowed and not lexicon.key_of(preference):
                common = lexicon.own_words(preference.text) & {one for one, _, size in found if size == 1}
                if common:
                    self.concrete = self.items = True
                    self._note(preference, 2 + len(common), 0)

    def _note(self, preference: Preference, score: int, place: int) -> None:
        if score > self._scores.get(preference.id, (0, 0))[0]:
            self._scores[preference.id] = (score, -(self._place + place))


def _fit(preference: Preference, targets: Sequence[lexicon.Target], size: int) -> int:
    """How well a phrase of that many words asks for a preference: 0 not, 1 by category, more by item."""
    key, best = lexicon.key_of(preference), 0
    for target in targets:
        if target.aspect != preference.aspect or target.category != preference.category:
            continue
        if target.key and target.key == key:
            best = max(best, 2 + size)
        elif not target.key:
            best = max(best, 1)
    return best


def _last_aspects(view: View, names: Sequence[str], aliases: Mapping[str, str]) -> list[str]:
    """The aspects that the agent spoke of last."""
    for line in reversed(view.history[-_RECENT:]):
        if line.role == "agent":
            said = {aliases[one] for one, _, _ in lexicon.phrases_in(words(line.text)) if one in aliases}
            if found := [name for name in names if name in said]:
                return found
    return []

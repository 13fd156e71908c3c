"""Ragas to choose from while a name is being typed, best first."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from music.familiar import familiarity
from music.folding import bare_key, plain_key, sound_key, tamil_key
from music.raga import Raga
from music.scripts import has_tamil

_SHORTEST = 3
_FEW = 5
_ALMOST = 0.6
_OWN_NAME_FIRST = 3
"""Up to so many letters a raga's own name goes before the aliases that begin with them."""

_LAST = "\U0010ffff"

# How well a name fits what was typed; a lower tier goes first.
_SAME, _ALIAS, _BEGINS, _ALIAS_BEGINS, _WORD_BEGINS, _ALIAS_WORD_BEGINS = range(6)
_SOUNDS, _HOLDS, _SOUNDS_WITHIN, _READS = range(6, 10)

_Hit = tuple[bool, int]
"""Whether a name is the raga's own, and the raga's number."""


class _Sorted:
    """Keys in order, so that those with one beginning stand together."""

    def __init__(self, hits: Mapping[str, list[_Hit]]) -> None:
        self._keys = sorted(hits)
        self._hits = [hits[key] for key in self._keys]
        self._heads: dict[int, dict[str, list[_Hit]]] = {}

    def beginning(self, prefix: str) -> Iterator[tuple[str, list[_Hit]]]:
        first, last = bisect_left(self._keys, prefix), bisect_left(self._keys, prefix + _LAST)
        return zip(self._keys[first:last], self._hits[first:last], strict=True)

    def holding(self, part: str) -> Iterator[list[_Hit]]:
        return (hits for key, hits in zip(self._keys, self._hits, strict=True) if part in key)

    def almost(self, prefix: str, limit: int) -> Iterator[tuple[float, list[_Hit]]]:
        """Keys whose beginnings of the same length are like a prefix, with the likeness."""
        heads = self._heads.get(len(prefix))
        if heads is None:
            heads = defaultdict(list)
            for key, hits in zip(self._keys, self._hits, strict=True):
                heads[key[: len(prefix)]].extend(hits)
            self._heads[len(prefix)] = heads
        near = process.extract(
            prefix, tuple(heads), scorer=OSA.normalized_similarity, limit=limit, score_cutoff=_ALMOST
        )
        return ((close, heads[head]) for head, close, _ in near)


class Suggestions:
    """The names of some ragas in the orders in which beginnings are found."""

    def __init__(self, ragas: Sequence[Raga]) -> None:
        self._ragas = ragas
        self._familiarity = [familiarity(raga) for raga in ragas]
        self._lengths = [len(plain_key(raga.name)) for raga in ragas]
        names: dict[str, list[_Hit]] = defaultdict(list)
        words: dict[str, list[_Hit]] = defaultdict(list)
        sounds: dict[str, list[_Hit]] = defaultdict(list)
        bare: dict[str, list[_Hit]] = defaultdict(list)
        tamil: dict[str, list[_Hit]] = defaultdict(list)
        for number, raga in enumerate(ragas):
            for position, name in enumerate(raga.names):
                hit = (position == 0, number)
                sound = sound_key(name)
                names[plain_key(name)].append(hit)
                sounds[sound].append(hit)
                bare[bare_key(sound)].append(hit)
                tamil[tamil_key(sound)].append(hit)
                for word in name.split()[1:]:
                    words[plain_key(word)].append(hit)
        self._names, self._words = _Sorted(names), _Sorted(words)
        self._sounds, self._bare, self._tamil = _Sorted(sounds), _Sorted(bare), _Sorted(tamil)

    def of(self, prefix: str, limit: int) -> list[Raga]:
        """Ragas whose names begin with, hold, sound or almost read like what was typed so far."""
        plain = plain_key(prefix)
        if limit < 1 or (prefix.strip() and not plain):
            return []
        if not plain:
            return self._best(dict.fromkeys(range(len(self._ragas)), float(_SAME)), limit)
        sound = sound_key(prefix)
        if 2 * len(sound) < len(plain):
            sound = ""  # little is left of it, such as of "zzzz"
        tiers: dict[int, float] = {}

        def offer(hits: Iterable[_Hit], own: float, other: float) -> None:
            for is_own, number in hits:
                tier = own if is_own else other
                if tier < tiers.get(number, _READS + 1):
                    tiers[number] = tier

        short = len(plain) <= _OWN_NAME_FIRST
        for key, hits in self._names.beginning(plain):
            if key == plain:
                offer(hits, _SAME, _ALIAS)
            else:
                offer(hits, _BEGINS, _ALIAS_BEGINS if short else _BEGINS)
        for _, hits in self._words.beginning(plain):
            offer(hits, _WORD_BEGINS, _ALIAS_WORD_BEGINS)
        if sound:
            for _, hits in self._sounds.beginning(sound):
                offer(hits, _SOUNDS, _SOUNDS)
        if has_tamil(prefix):
            for _, hits in self._tamil.beginning(tamil_key(sound)):
                offer(hits, _SOUNDS, _SOUNDS)
        if len(tiers) < limit:
            for hits in self._names.holding(plain):
                offer(hits, _HOLDS, _HOLDS)
        if len(tiers) < limit and len(sound) >= _SHORTEST:
            for hits in self._sounds.holding(sound):
                offer(hits, _SOUNDS_WITHIN, _SOUNDS_WITHIN)
            for _, hits in self._bare.beginning(bare_key(sound)):
                offer(hits, _SOUNDS_WITHIN, _SOUNDS_WITHIN)
        if len(tiers) < _FEW and len(sound) >= _SHORTEST:
            for keys, key in ((self._sounds, sound), (self._names, plain)):
                for close, hits in keys.almost(key, limit):
                    offer(hits, _READS - close / 2, _READS - close / 2)
        return self._best(tiers, limit)

    def _best(self, tiers: dict[int, float], limit: int) -> list[Raga]:
        """Ragas by tier, the well-known ones first and the short names before the long ones."""

        def order(number: int) -> tuple[float, int, int, int]:
            return (tiers[number], self._familiarity[number], self._lengths[number], number)

        return [self._ragas[number] for number in sorted(tiers, key=order)[:limit]]

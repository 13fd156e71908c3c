"""Finding a raga by its name in memory, beside rapidfuzz's own search over the same names in the same run."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from random import Random

from rapidfuzz import process

from benchmarks.report import Figure, percentile
from music import folding
from music.catalogue import Catalogue, load
from music.folding import plain_key
from music.raga import Raga

_ENTRIES = 10_000
_TYPED = 400
_PLAINLY = 60
_LETTERS = "abdghijklmnprstuvy"
_MS = 1000.0


def _slip(dice: Random, name: str) -> str:
    """A name with a letter lost, doubled, exchanged with the next, or replaced."""
    place = dice.randrange(1, max(2, len(name) - 1))
    head, letter, tail = name[:place], name[place : place + 1], name[place + 1 :]
    return dice.choice(
        (
            head + tail,
            head + letter * 2 + tail,
            head + tail[:1] + letter + tail[1:],
            head + dice.choice(_LETTERS) + tail,
        )
    )


def _grown(ragas: tuple[Raga, ...], dice: Random) -> tuple[Raga, ...]:
    """So many ragas that there are `_ENTRIES`: the others bear mutated names, as many as their models."""
    known = {plain_key(name) for raga in ragas for name in raga.names}

    def fresh(name: str) -> str:
        for number in count():
            new = name
            for _ in range(3 + number):
                new = _slip(dice, new)
            if plain_key(new) and plain_key(new) not in known:
                known.add(plain_key(new))
                return new
        raise AssertionError

    more = [
        replace(model, name=fresh(model.name), aliases=tuple(map(fresh, model.aliases)), chakra=None)
        for model in dice.choices(ragas, k=_ENTRIES - len(ragas))
    ]
    return (*ragas, *more)


def _times(one: Callable[[str], object], texts: Iterable[str]) -> list[float]:
    """Milliseconds for each text."""
    taken = []
    for text in texts:
        began = time.perf_counter()
        one(text)
        taken.append((time.perf_counter() - began) * _MS)
    return taken


def _cold() -> None:
    """Forget the keys of texts seen before, as if nobody had typed them."""
    for key in (folding.plain_key, folding.sound_key, folding.bare_key, folding.tamil_key):
        key.cache_clear()


def _shown(times: list[float]) -> str:
    return f"p50 {percentile(times, 0.5):.2f} ms, p99 {percentile(times, 0.99):.2f} ms"


def _lookups(catalogue: Catalogue, dice: Random) -> list[Figure]:
    ragas = catalogue.ragas
    names = [name for raga in ragas for name in raga.names]
    catalogue.find("x")
    rightly = dice.choices(names, k=_TYPED)
    misspelt = [_slip(dice, raga.name.lower()) for raga in dice.choices(ragas, k=_TYPED)]
    plainly = _times(lambda text: process.extractOne(text, names), misspelt[:_PLAINLY])
    size = f"{len(ragas):,} ragas, {len(names):,} names"
    figures = []
    for what, one, texts in (
        ("right spellings", catalogue.find, rightly),
        ("misspelt names", catalogue.find, misspelt),
        ("suggestions for two letters", catalogue.suggest, [text[:2] for text in misspelt]),
        ("suggestions for five letters, misspelt", catalogue.suggest, [text[:5] for text in misspelt]),
    ):
        _cold()
        times = _times(one, texts)
        ratio = percentile(times, 0.5) / percentile(plainly, 0.5)
        figures.append(
            Figure(
                f"lookup of {what}, {size}",
                _shown(times),
                f"rapidfuzz extractOne: {_shown(plainly)}",
                f"{ratio:.3f} of its time",
                "no slower",
                ratio <= 1.0,
            )
        )
    return figures


def _loading() -> list[Figure]:
    began = time.perf_counter()
    catalogue = load()
    read = (time.perf_counter() - began) * _MS
    began = time.perf_counter()
    catalogue.find("x")
    indexed = (time.perf_counter() - began) * _MS
    del catalogue
    gc.collect()
    tracemalloc.start()
    kept = load()
    entries = tracemalloc.get_traced_memory()[0]
    kept.find("x")
    whole = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return [
        Figure(f"the catalogue of {len(kept.ragas):,} ragas read and checked", f"{read:.0f} ms"),
        Figure("its names indexed", f"{indexed:.0f} ms"),
        Figure(
            "memory", f"{entries / 2**20:.1f} MiB of entries, {(whole - entries) / 2**20:.1f} MiB of index"
        ),
    ]


async def measure() -> list[Figure]:
    """The catalogue as it is, and one grown to 10,000 entries by mutated names."""
    dice = Random(4)  # noqa: S311 - the same names at each run
    catalogue = load()
    return [
        *_lookups(catalogue, dice),
        *_lookups(Catalogue(_grown(catalogue.ragas, dice)), dice),
        *_loading(),
    ]

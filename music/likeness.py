"""How alike two spellings are: what a slip of the finger or of the ear costs, letter by letter.

An edit distance after Damerau, in its restricted form, whose costs say how easily a letter is mistaken: vowels
for each other, letters of one sound, neighbors on a keyboard, letters doubled, left out or exchanged.
Sources of the costs: docs/musicology.md.
"""

from __future__ import annotations

from functools import cache, lru_cache

_VOWELS = frozenset("aeiou")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_FAMILIES = ("kgcq", "td", "pbf", "vwb", "sczj", "nm", "rl", "yi", "rd", "kx")

_DOUBLED = 0.2
_BREATHED = 0.25
_LEFT_OUT = 0.75
_VOWEL_LEFT_OUT = 0.45
_EXCHANGED = 0.6
_SAME_SOUND = 0.45
_NEIGHBOR = 0.7
_OTHER = 1.1
_ENDINGS = ("a", "am")
_ENDING = 0.2
_FIRST = 0.2
"""What a slip in the first letter costs besides: people know how a name begins."""


@cache
def _neighbors() -> frozenset[tuple[str, str]]:
    """Pairs of letters beside or above each other on a keyboard; the lower rows stand half a key to the right."""
    places = {
        letter: (row, place + row / 2) for row, keys in enumerate(_ROWS) for place, letter in enumerate(keys)
    }
    return frozenset(
        (one, other)
        for one, (row, place) in places.items()
        for other, (other_row, other_place) in places.items()
        if one != other and abs(row - other_row) <= 1 and abs(place - other_place) <= 1
    )


@cache
def _replaced(one: str, other: str) -> float:
    """What it costs to read one letter as another."""
    if one == other:
        return 0.0
    if one in _VOWELS and other in _VOWELS:
        return _SAME_SOUND
    if any(one in family and other in family for family in _FAMILIES):
        return _SAME_SOUND
    return _NEIGHBOR if (one, other) in _neighbors() else _OTHER


@cache
def _extra(letter: str, before: str) -> float:
    """What it costs that a letter stands in one spelling and not in the other, after ``before``."""
    if letter == before:
        return _DOUBLED
    if letter == "h" and before and before not in _VOWELS:
        return _BREATHED
    return _VOWEL_LEFT_OUT if letter in _VOWELS else _LEFT_OUT


@lru_cache(maxsize=8192)
def _extras(text: str) -> tuple[float, ...]:
    costs = [_extra(letter, before) for letter, before in zip(text, ["", *text], strict=False)]
    if costs:
        costs[0] += _FIRST
        if text.endswith(_ENDINGS):
            costs[-1] = min(costs[-1], _ENDING)
    return tuple(costs)


def likeness(one: str, other: str) -> float:
    """From 0 (nothing in common) to 1 (the same letters), for two lower-case Latin keys."""
    if one == other:
        return 1.0
    if not one or not other:
        return 0.0
    left_out, put_in = _extras(one), _extras(other)
    earlier: list[float] = []
    above = [0.0]
    for cost in put_in:
        above.append(above[-1] + cost)
    for row, letter in enumerate(one):
        out = left_out[row]
        here = [above[0] + out]
        for place, match in enumerate(other):
            if letter == match:
                best = above[place]
            else:
                best = above[place] + _replaced(letter, match)
                if not row and not place:
                    best += _FIRST
                if (
                    row
                    and place
                    and letter == other[place - 1]
                    and match == one[row - 1]
                    and (exchanged := earlier[place - 1] + _EXCHANGED) < best
                ):
                    best = exchanged
            if (other_way := above[place + 1] + out) < best:
                best = other_way
            if (other_way := here[place] + put_in[place]) < best:
                best = other_way
            here.append(best)
        earlier, above = above, here
    return max(0.0, 1.0 - above[-1] / max(len(one), len(other)))

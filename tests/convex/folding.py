"""The table that music/ and convex/ must fold alike: figures, and texts with the keys that Python makes of them.

``python -m tests.convex.folding`` writes the keys of tests/convex/folding.json anew after a change of the rules;
tests/convex/folding.test.ts holds the rules in TypeScript to it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rapidfuzz.distance import OSA

from music import lookup, spellings
from music.folding import bare_key, plain_key, sound_key, tamil_key
from music.likeness import likeness
from music.spellings import sorted_key

TABLE = Path(__file__).with_name("folding.json")


def row(text: str, before: str) -> dict[str, Any]:
    """What the table says of a text. It is compared with the text of the row before, too."""
    sound, letters = sound_key(text), plain_key(text)
    return {
        "text": text,
        "plain": letters,
        "sound": sound,
        "bare": bare_key(sound),
        "tamil": tamil_key(sound),
        "sorted": sorted_key(text),
        "likeness": round(likeness(plain_key(before), letters), 9),
        "weighed": round(spellings._weighed(spellings._spelling(before), spellings._spelling(text)), 9),
        "alignment": round(OSA.normalized_similarity(sound_key(before), sound), 9),
    }


def judgment() -> dict[str, Any]:
    """By which figures and words a lookup decides."""
    return {
        "figures": {
            "sure": lookup.SURE,
            "sureOfShort": lookup.SURE_OF_SHORT,
            "short": lookup._SHORT,
            "margin": lookup.MARGIN,
            "possible": lookup.POSSIBLE,
            "wellKnown": lookup._WELL_KNOWN,
            "knownPlaces": lookup._KNOWN_PLACES,
            "wellSpelt": lookup._WELL_SPELT,
            "shortest": spellings._SHORTEST,
            "telling": spellings._TELLING,
            "byBeginning": spellings._BY_BEGINNING,
            "byMiddle": spellings._BY_MIDDLE,
            "byShare": spellings._BY_SHARE,
            "heard": spellings._HEARD,
            "anotherScript": spellings._ANOTHER_SCRIPT,
        },
        "kindWords": sorted(lookup._KIND_WORDS),
        "noNames": sorted(lookup._NO_NAMES),
    }


def texts() -> list[str]:
    """The texts of the table, in its order."""
    return [entry["text"] for entry in json.loads(TABLE.read_text("utf-8"))["rows"]]


def table(lines: Sequence[str]) -> str:
    """The whole table of some texts, a line each."""
    rows = [row(text, before) for text, before in zip(lines, ["", *lines], strict=False)]
    lines_of_rows = ",\n".join(json.dumps(one, ensure_ascii=False) for one in rows)
    return f'{{"judgment": {json.dumps(judgment(), ensure_ascii=False)},\n"rows": [\n{lines_of_rows}\n]}}\n'


if __name__ == "__main__":
    TABLE.write_text(table(texts()), "utf-8")

"""The table that holds convex/ to the lookup's rules is what Python makes today."""

from __future__ import annotations

from tests.convex.folding import TABLE, table, texts


def test_the_table_is_up_to_date() -> None:
    assert TABLE.read_text("utf-8") == table(texts()), (
        "The rules have changed: python -m tests.convex.folding, then convex/model/folding.ts or likeness.ts."
    )

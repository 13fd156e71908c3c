"""Corrections: reported, decided on, and taken into the next seeding, on the real deployment."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest
import pytest_asyncio

from bot.backend.corrections import Corrections, Curation, corrected, hints
from bot.backend.snapshot import Snapshot, seed
from handlers.errors import NotFoundError, RagaBotError
from handlers.model import Correction
from music.catalogue import Catalogue, Raga, load
from music.swaras import parse_scale
from tests.bot.deployment import Deployment, actor, deployment

CATALOGUE = Catalogue([raga for raga in load().ragas if raga.tradition == "Hindustani"][:12], "packaged")
YAMAN = next(raga for raga in load().ragas if raga.name == "Yaman")
SMALL = Catalogue([YAMAN, *CATALOGUE.ragas[:3]], "small")


@pytest_asyncio.fixture
async def convex(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployment]:
    async with deployment(tmp_path_factory.mktemp("convex")) as running:
        await seed(running.convex, running.signer.bot, SMALL)
        yield running


def accepted(field: str, text: str, value: str | None = None) -> Correction:
    return Correction("c1", "Yaman", "Hindustani", field, text, "accepted", 1.0, value=value)


def yaman(catalogue: Catalogue) -> Raga:
    return next(raga for raga in catalogue.ragas if raga.name == "Yaman")


async def test_from_a_report_to_the_next_seeding(convex: Deployment) -> None:
    mira, kala = actor("mira"), actor("kala")
    people = Corrections(convex.convex, convex.signer)
    first = await people.file(mira, "Yaman", "Hindustani", "vadi", "It is Ni!", key="k1")
    assert await people.file(mira, "Yaman", "Hindustani", "vadi", "It is Ni!", key="k1") == first
    second = await people.file(mira, "Yaman", "Hindustani", "other", "A picture is missing.", key="k2")
    with pytest.raises(NotFoundError):
        await people.file(mira, "Yamen", "Hindustani", "vadi", "N3", key="k3")

    curation = Curation(convex.convex, partial(convex.signer.curator, kala))
    page = await curation.reports("open", None, 1)
    assert [report.id for report in page.items] == [first]
    assert page.items[0].account == mira.account
    rest = await curation.reports("open", page.next, 10)
    assert [report.id for report in rest.items] == [second]
    decided = await curation.decide(first, True, value="N3", note="So says Bhatkhande.")
    assert (decided.status, decided.value, decided.decided_by) == ("accepted", "N3", kala.account)
    operator = Curation(convex.convex, convex.signer.bot)
    assert (await operator.decide(second, False)).status == "declined"
    with pytest.raises(RagaBotError):
        await operator.decide(second, True)

    mine = await people.mine(mira, None, 10)
    assert [(report.status, report.note) for report in mine.items] == [
        ("declined", None), ("accepted", "So says Bhatkhande."),
    ]  # fmt: skip
    assert [report.id for report in await operator.accepted()] == [first]

    # Yaman's samvadi is Ni already: a raga whose vadi is its samvadi would be faulty.
    third = await people.file(mira, "Yaman", "Hindustani", "samvadi", "G3", key="k4")
    await operator.decide(third, True)
    assert (await seed(convex.convex, convex.signer.bot, SMALL)).published is False
    fourth = await people.file(mira, "Yaman", "Hindustani", "description", "The raga of dusk.", key="k5")
    await operator.decide(fourth, True)
    counts = await seed(convex.convex, convex.signer.bot, SMALL)
    assert (counts.changed, counts.unchanged, counts.published) == (1, len(SMALL.ragas) - 1, True)
    snapshot = Snapshot(convex.convex, SMALL, convex.state_dir / "catalogue.json")
    state = await convex.convex.query("catalogue:version", {})
    await snapshot.refresh(state["version"])
    assert yaman(snapshot.catalogue()) == replace(YAMAN, description="The raga of dusk.")
    assert (await seed(convex.convex, convex.signer.bot, SMALL)).published is False


async def test_only_curators_and_the_operator_see_and_decide(convex: Deployment) -> None:
    mira = actor("mira")
    report = await Corrections(convex.convex, convex.signer).file(
        mira, "Yaman", "Hindustani", "vadi", "N3", key="k1"
    )
    for token in (partial(convex.signer.user, mira), partial(convex.signer.worker, "worker:w1")):
        somebody = Curation(convex.convex, token)
        with pytest.raises(NotFoundError):
            await somebody.reports("open", None, 10)
        with pytest.raises(NotFoundError):
            await somebody.accepted()
        with pytest.raises(NotFoundError):
            await somebody.decide(report, True)


@pytest.mark.parametrize(
    ("correction", "changed"),
    [
        (accepted("description", " Of the evening. "), {"description": "Of the evening."}),
        (accepted("notes", "long talk", "Short."), {"notes": "Short."}),
        (accepted("time", "evening, night"), {"time": ("evening", "night")}),
        (accepted("prahar", "4, 5"), {"prahar": (4, 5)}),
        (accepted("aliases", "Emanna, Yaman"), {"aliases": (*YAMAN.aliases, "Emanna")}),
        (
            accepted("arohana", "N3, R2 G3 M2 P D2 N3 S'"),
            {"arohana": parse_scale("N3, R2 G3 M2 P D2 N3 S'")},
        ),
    ],
)
def test_an_accepted_value_takes_the_form_of_its_field(
    correction: Correction, changed: dict[str, object]
) -> None:
    after = corrected(SMALL, [correction])
    assert after.version != SMALL.version
    assert yaman(after) == Raga.from_document(
        replace(YAMAN, **changed).to_document()  # type: ignore[arg-type]  # fields by name, of many types
    )
    assert corrected(after, [correction]) is after


@pytest.mark.parametrize(
    "correction",
    [
        accepted("vadi", "It is Ga, I think."),
        accepted("vadi", "M1"),
        accepted("thaat", "Yamanish"),
        accepted("prahar", "9"),
        accepted("prahar", "five"),
        accepted("mood", "gloomy, grim"),
        accepted("arohana", "S R2 X"),
        accepted("kin", "Nobody"),
        accepted("description", "x" * 700),
        accepted("aliases", SMALL.ragas[1].name),
    ],
)
def test_what_would_make_an_entry_faulty_is_left_out(
    correction: Correction, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert corrected(SMALL, [correction]) is SMALL
    assert "c1 is left out" in caplog.text


@pytest.mark.parametrize(
    "correction",
    [accepted("other", "x"), accepted("name", "Eman"), replace(accepted("vadi", "G3"), raga="X")],
)
def test_what_only_a_person_can_take_in_stays_out(correction: Correction) -> None:
    assert corrected(SMALL, [correction]) is SMALL


def test_a_later_decision_wins() -> None:
    after = corrected(SMALL, [accepted("notes", "First."), accepted("notes", "Second.")])
    assert yaman(after).notes == "Second."


def test_hints_are_lines_of_toml() -> None:
    lines = hints(
        [
            replace(accepted("vadi", "ga", "G3"), note='Says "Bhatkhande"\n[[raga]]'),
            accepted("time", "evening, night"),
            accepted("prahar", "five"),
            accepted("arohana", "S R2 G3 S'"),
            accepted("other", "line\nvadi = 1"),
        ]
    )
    assert tomllib.loads(lines) == {"vadi": "G3", "time": ["evening", "night"], "arohana": "S R2 G3 S'"}
    assert '# other: "line\\nvadi = 1"' in lines
    assert "# Yaman (Hindustani)" in lines

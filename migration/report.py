"""What a migration says of itself, as JSON: every mapping, count, refusal and finding."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from migration.dump import Dump
from migration.errors import MigrationError
from migration.folder import State
from migration.mapping import Plan
from migration.verdict import Verdict
from migration.work import Work

GROUPS_MAX = 2_000

SIGN_IN = (
    "Passwords were not migrated: they never left PostgreSQL. In a chat people are known by their chat account and "
    "sign in nowhere. On a web front end they sign in through the OpenID Connect provider of the deployment; whoever "
    "signs in with the e-mail address that their old row has finds their old history there, if the provider says "
    "that the address is verified."
)


@dataclass(frozen=True, slots=True)
class Group:
    """Old ragas of the same name, or of nearly the same: to be looked at by somebody who knows."""

    rows: tuple[tuple[str, str], ...]  # id, name


@dataclass(frozen=True, slots=True)
class Report:
    """Everything but refusals, which may be many and are read from the work file one by one."""

    state: State
    to: str | None
    dry: bool
    plans: tuple[Plan, ...]
    dump: Dump
    entries: dict[str, int]
    outcomes: dict[str, int]
    reasons: list[tuple[str, str, int]]
    refusals: int
    withheld: list[tuple[str, str, int]]
    """What looked like a secret and was left out: table, column or path in it, and in how many values."""
    same: list[Group]
    near: list[Group]
    verdict: Verdict | None
    seconds: float

    @property
    def safe(self) -> bool:
        """Whether it is safe to switch."""
        return not self.dry and self.verdict is not None and self.verdict.safe


def gather(
    work: Work,
    state: State,
    plans: tuple[Plan, ...],
    dump: Dump,
    verdict: Verdict | None,
    *,
    to: str | None,
    dry: bool,
    seconds: float,
) -> Report:
    """Put the report together from the work file."""
    database = work.database
    reasons = database.execute(
        "SELECT tbl, field, count(*) FROM refusals GROUP BY tbl, field ORDER BY count(*) DESC, tbl, field"
    ).fetchall()
    return Report(
        state=state,
        to=to,
        dry=dry,
        plans=plans,
        dump=dump,
        entries=work.counts("entries"),
        outcomes={name: number for name, number in work.counts("import").items() if number},
        reasons=[(str(table), str(column), int(number)) for table, column, number in reasons],
        refusals=sum(int(number) for _, _, number in reasons),
        withheld=sorted(
            ((one.table.label, path, number) for one in dump.tables for path, number in one.withheld.items()),
            key=lambda found: (-found[2], found),
        ),
        same=_groups(work, "plain", "count(*) > 1"),
        near=_groups(work, "sound", "count(DISTINCT plain) > 1"),
        verdict=verdict,
        seconds=seconds,
    )


def _groups(work: Work, key: str, condition: str) -> list[Group]:
    found = work.database.execute(
        f"SELECT {key} FROM names WHERE {key} <> '' GROUP BY {key} HAVING {condition} "  # noqa: S608 - our own words
        f"ORDER BY {key} LIMIT {GROUPS_MAX}"
    ).fetchall()
    return [
        Group(
            tuple(
                (str(row), str(name)[:80])
                for row, name in work.database.execute(
                    f"SELECT id, name FROM names WHERE {key} = ? ORDER BY rowid LIMIT 20",  # noqa: S608 - our own words
                    (value,),
                )
            )
        )
        for (value,) in found
    ]


def summary(report: Report) -> dict[str, Any]:
    """The report without its refusals."""
    state = report.state
    return {
        "run": state.run,
        "source": state.source,
        "from": state.place,
        "to": report.to,
        "only": state.only,
        "dryRun": report.dry,
        "exportedAt": report.dump.taken_at_ms,
        "writtenAt": float(round(time.time() * 1000)),
        "seconds": round(report.seconds, 1),
        "safeToSwitch": report.safe,
        "tables": [
            {
                "table": plan.table.label,
                "role": plan.role,
                **({"why": plan.why} if plan.why else {}),
                "rows": report.dump.of(plan.table.label).rows,
                "sha256": report.dump.of(plan.table.label).sha256,
                "key": list(plan.key),
                "columns": [{"column": column, "goesTo": place} for column, place in plan.lines()],
            }
            for plan in report.plans
        ],
        "entries": report.entries,
        "outcomes": report.outcomes,
        "secretColumns": [
            {"table": plan.table.label, "column": column} for plan in report.plans for column in plan.secrets
        ],
        "withheld": [
            {"table": table, "path": path, "values": number} for table, path, number in report.withheld
        ],
        "notTaken": [{"name": name, "why": why} for name, why in report.dump.left],
        "signIn": SIGN_IN,
        "sameNames": [[list(row) for row in group.rows] for group in report.same],
        "nearNames": [[list(row) for row in group.rows] for group in report.near],
        "verification": None
        if report.verdict is None
        else {
            "checked": report.verdict.checked,
            "findings": [asdict(finding) for finding in report.verdict.findings],
            "more": report.verdict.more,
        },
        "refusalCount": report.refusals,
    }


def json_parts(report: Report, work: Work) -> Iterator[str]:
    """The report as JSON, in parts: its refusals are never all in memory."""
    head = json.dumps(summary(report), ensure_ascii=False, indent=1)
    yield f'{head.removesuffix("}").rstrip()},\n "refusals": ['
    for number, refusal in enumerate(work.refusals()):
        yield ("," if number else "") + "\n  " + json.dumps(asdict(refusal), ensure_ascii=False)
    yield "\n ]\n}\n"


def write(path: Path, parts: Iterator[str]) -> None:
    """Write a file that only its owner reads; it appears whole or not at all. Raises MigrationError."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8") as file:
            draft.chmod(0o600)
            file.writelines(parts)
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise MigrationError(f"I cannot write {path}: {error.strerror}.") from None

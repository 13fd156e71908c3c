"""The report as one page of HTML that needs nothing else: no script, no font, no picture from anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html import escape

from migration.report import SIGN_IN, Group, Report
from migration.work import Work

REFUSALS_SHOWN = 20_000
_COUNTS = ("documents", "values")

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #1a7f4b; --bad: #b3261e; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .5rem; }
.verdict { border-left: .4rem solid; padding: .6rem 1rem; margin: 1rem 0; background: var(--soft); font-weight: 600; }
.good { border-color: var(--good); } .bad { border-color: var(--bad); } .open { border-color: #8888; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
td { overflow-wrap: anywhere; } th { font-weight: 600; background: var(--soft); position: sticky; top: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
details { margin: .5rem 0; } summary { cursor: pointer; padding: .2rem 0; } code { font-size: .92em; }
.quiet { opacity: .75; }
"""


def parts(report: Report, work: Work) -> Iterator[str]:
    """The page in parts: its refusals are never all in memory."""
    state = report.state
    kind = "Dry run" if report.dry else "Migration"
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{kind} of {escape(state.source)}</title><style>{_STYLE}</style></head><body>\n"
    )
    yield f"<h1>{kind} of {escape(state.source)}</h1>\n"
    to = "" if report.to is None else f" to <code>{escape(report.to)}</code>"
    yield (
        f'<p class="quiet">From <code>{escape(state.place)}</code>{to}, as it was on '
        f"{_moment(report.dump.taken_at_ms)}. Run <code>{escape(state.run)}</code>, {report.seconds:,.0f} s.</p>\n"
    )
    yield _verdict(report)
    yield from _findings(report)
    yield from _tables(report)
    yield "<h2>What it becomes in Convex</h2>\n"
    yield _rows(("table", "documents"), ((name, f"{number:,}") for name, number in report.entries.items()))
    if report.outcomes:
        yield _rows(
            ("outcome", "documents"), ((name, f"{number:,}") for name, number in report.outcomes.items())
        )
    yield f"<h2>How people sign in afterwards</h2>\n<p>{escape(SIGN_IN)}</p>\n"
    yield from _withheld(report)
    yield from _groups("The same name more than once", report.same)
    yield from _groups("Nearly the same name", report.near)
    yield from _refusals(report, work)
    yield "</body></html>\n"


def _moment(ms: float) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _verdict(report: Report) -> str:
    if report.verdict is None:
        return '<p class="verdict open">Nothing was written to Convex.</p>\n'
    if report.safe:
        checked = ", ".join(f"{number:,} {name}" for name, number in report.verdict.checked.items())
        return f'<p class="verdict good">Safe to switch: no difference was found ({escape(checked)}).</p>\n'
    number = len(report.verdict.findings) + report.verdict.more
    found = "difference was" if number == 1 else "differences were"
    return f'<p class="verdict bad">Not safe to switch: {number:,} {found} found.</p>\n'


def _findings(report: Report) -> Iterator[str]:
    if report.verdict is None or report.verdict.safe:
        return
    yield "<h2>Differences</h2>\n"
    yield _rows(
        ("old table", "row", "in", "field", "what"),
        ((one.table, one.id, one.where, one.field, one.what) for one in report.verdict.findings),
    )
    if report.verdict.more:
        yield f"<p>And {report.verdict.more:,} more.</p>\n"


def _tables(report: Report) -> Iterator[str]:
    yield "<h2>Tables and columns</h2>\n"
    yield (
        "<p>Columns with a place of their own are named with it. Whatever a field cannot say exactly, and every other "
        "column and table, goes whole into the table <code>legacy</code>.</p>\n"
    )
    for plan in report.plans:
        rows = report.dump.of(plan.table.label).rows
        why = f" ({escape(plan.why)})" if plan.why else ""
        role = "legacy" if plan.role == "rest" else plan.role
        many = f"{rows:,} row{'' if rows == 1 else 's'}"
        yield f"<details><summary><b>{escape(plan.table.label)}</b>: {many}, {role}{why}</summary>\n"
        yield _rows(("column", "goes to"), plan.lines())
        yield "</details>\n"
    if report.dump.left:
        yield _rows(("not taken", "why"), report.dump.left)


def _withheld(report: Report) -> Iterator[str]:
    columns = [(plan.table.label, column, "all") for plan in report.plans for column in plan.secrets]
    values = [(table, path, f"{number:,}") for table, path, number in report.withheld]
    if not columns and not values:
        return
    yield "<h2>What was left out because it is a secret, or looks like one</h2>\n"
    yield "<p>These values are in no file and not in Convex.</p>\n"
    yield _rows(("table", "column, and where in it", "values"), [*columns, *values])


def _groups(title: str, groups: list[Group]) -> Iterator[str]:
    if not groups:
        return
    many = f"{len(groups):,} group{'' if len(groups) == 1 else 's'}"
    yield f"<h2>{title}</h2>\n<details><summary>{many}, each kept as it is</summary>\n"
    yield _rows(("rows",), ((", ".join(f"{name} ({row})" for row, name in group.rows),) for group in groups))
    yield "</details>\n"


def _refusals(report: Report, work: Work) -> Iterator[str]:
    yield "<h2>What found no place in a field</h2>\n"
    if not report.refusals:
        yield "<p>Nothing.</p>\n"
        return
    yield (
        f"<p>{report.refusals:,} values. "
        "Where the reason says nothing else, each is kept as it was in the row's entry in <code>legacy</code>.</p>\n"
    )
    yield _rows(
        ("table", "column", "values"),
        ((table, column, f"{number:,}") for table, column, number in report.reasons),
    )
    yield "<details><summary>Each of them</summary>\n<table><thead><tr>"
    yield "".join(f"<th>{name}</th>" for name in ("table", "row", "column", "value", "reason"))
    yield "</tr></thead><tbody>\n"
    for number, one in enumerate(work.refusals()):
        if number == REFUSALS_SHOWN:
            yield f'<tr><td colspan="5">The other {report.refusals - number:,} stand in the JSON report.</td></tr>'
            break
        yield _row((one.table, one.id, one.field, one.value, one.reason))
    yield "</tbody></table></details>\n"


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    mark = ' class="number"' if head[-1] in _COUNTS else ""
    names = "".join(f"<th>{escape(name)}</th>" for name in head[:-1]) + f"<th{mark}>{escape(head[-1])}</th>"
    body = "".join(_row(row, mark) for row in rows)
    return f"<table><thead><tr>{names}</tr></thead><tbody>\n{body}</tbody></table>\n"


def _row(cells: tuple[str, ...], mark: str = "") -> str:
    first = "".join(f"<td>{escape(cell)}</td>" for cell in cells[:-1])
    return f"<tr>{first}<td{mark}>{escape(cells[-1])}</td></tr>\n"

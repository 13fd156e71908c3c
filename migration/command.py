"""``raga-bot migrate``: the stages one after another, and what is said on the way."""

from __future__ import annotations

import asyncio
import re
import shutil
import sqlite3
import time
from functools import cache
from pathlib import Path

from migration import dump as dumps
from migration import page, report
from migration.deployment import deployment
from migration.dump import Dump
from migration.errors import MigrationError
from migration.export import export, left_at, plans_of
from migration.folder import Folder, State
from migration.importing import Importer
from migration.mapping import Plan, plans
from migration.progress import Progress
from migration.readiness import check, greet, report_paths
from migration.report import Report
from migration.rollback import roll_back, runs_of
from migration.source import Place, place_of
from migration.transform import transform
from migration.verdict import Verdict
from migration.verify import verify
from migration.wishes import Wishes
from migration.withdraw import withdraw
from music.catalogue import Catalogue, load


def migrate(wishes: Wishes) -> int:
    """Do it; the exit status is 0 only where everything is as it should be (after an import: safe to switch)."""
    progress = Progress()
    try:
        return _migrate(wishes, progress)
    except MigrationError as error:
        progress.say(str(error))
        return 1
    except OSError as error:
        about = f" ({error.filename})" if error.filename else ""
        progress.say(f"The file system does not go along: {error.strerror or type(error).__name__}{about}.")
        return 1
    except sqlite3.Error as error:
        progress.say(f"The work file under {wishes.state_dir / 'migration'} cannot be used: {error}.")
        return 1
    except KeyboardInterrupt:
        progress.say("Stopped. Nothing is lost: go on with --resume, or take it back with --rollback.")
        return 130


def _migrate(wishes: Wishes, progress: Progress) -> int:
    place = place_of(wishes.url)
    source = _source_name(wishes.source or place.database)
    check(wishes)
    folder = Folder(wishes.state_dir, source)
    try:
        if wishes.rollback:
            return asyncio.run(_roll_back(wishes, source, folder, progress))
        began = time.monotonic()
        if not wishes.dry_run:
            asyncio.run(greet(wishes, source))
        state = _state(wishes, source, place, folder)
        state, export_, found = _exported(wishes, state, place, folder, progress)
        if wishes.dump is not None:
            dumps.write_zip(export_, wishes.dump / "convex.zip")
        if not state.reached("transformed"):
            files = None if state.files is None else Path(state.files)
            transform(folder.work, export_, found, source, _catalogue(), files, progress)
            state = folder.reach(state, "transformed")
        if wishes.dry_run:
            whole = report.gather(
                folder.work, state, found, export_, None, to=None, dry=True, seconds=time.monotonic() - began
            )
            _tell(wishes, whole, folder)
            return 0
        return asyncio.run(_bring(wishes, state, place, found, export_, folder, progress, began))
    finally:
        folder.close()


@cache
def _catalogue() -> Catalogue:
    """The catalogue to which old names are matched, read once a process."""
    return load()


def _source_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}", name):
        raise MigrationError("Please name the old database with --source: letters, digits, _ . and - only.")
    return name


def _state(wishes: Wishes, source: str, place: Place, folder: Folder) -> State:
    """The run to go on with, or a new one; --resume where nothing was begun begins. Raises MigrationError."""
    known = folder.state()
    if (wishes.resume or wishes.verify) and known is not None and not known.dry:
        if wishes.only not in (None, known.only):
            raise MigrationError(f"The migration that was begun here takes {known.only or 'everything'}.")
        return known
    if wishes.verify:
        last = "the last run was a dry one" if known is not None else "no migration has been begun"
        raise MigrationError(f"There is nothing to verify: {last} for {source} here.")
    if known is not None and known.under_way:
        raise MigrationError(
            f"A migration of {source} is not finished (run {known.run}). "
            "Go on with --resume, or take it back with --rollback."
        )
    return folder.new_run(source, str(place), wishes)


def _exported(
    wishes: Wishes, state: State, place: Place, folder: Folder, progress: Progress
) -> tuple[State, Dump, tuple[Plan, ...]]:
    where = Path(state.dump)
    if state.reached("exported"):
        known = dumps.read(where, check=not state.reached("imported"))
        if known is None:
            raise MigrationError(f"The export is no longer in {where}. Please begin anew, without --resume.")
        return state, known, plans([one.table for one in known.tables], state.only)
    if wishes.verify:
        raise MigrationError(
            "There is nothing to verify: the migration has not come that far. Go on with --resume."
        )
    if wishes.dry_run:
        _show(plans_of(place, state.only), left_at(place))
    taken, found = export(place, where, state.only, progress)
    return folder.reach(state, "exported", taken_at_ms=taken.taken_at_ms), taken, found


async def _bring(
    wishes: Wishes,
    state: State,
    place: Place,
    found: tuple[Plan, ...],
    export_: Dump,
    folder: Folder,
    progress: Progress,
    began: float,
) -> int:
    async with deployment(wishes.state_dir, wishes.issuer, wishes.to, say=progress.say) as there:
        if not state.reached("imported"):
            if wishes.verify:
                raise MigrationError("The import is not finished. Go on with --resume.")
            await Importer(folder.work, state, there, progress).run()
            state = folder.reach(state, "imported")
        if (state.withdraw or wishes.withdraw) and not wishes.verify:
            await withdraw(folder.work, state, there, progress)
        verdict = await verify(folder.work, state, export_, place, there, progress)
        state = folder.reach(state, "done")
        whole = report.gather(
            folder.work,
            state,
            found,
            export_,
            verdict,
            to=there.url,
            dry=False,
            seconds=time.monotonic() - began,
        )
    _tell(wishes, whole, folder)
    return 0 if whole.safe else 1


async def _roll_back(wishes: Wishes, source: str, folder: Folder, progress: Progress) -> int:
    async with deployment(wishes.state_dir, wishes.issuer, wishes.to, say=progress.say) as there:
        run = wishes.run or next(iter(await runs_of(there, source)), None)
        known = folder.state()
        if run is None:
            if known is not None:
                _forget(folder)
            progress.say(f"Convex at {there.url} holds nothing of {source}: there is nothing to take back.")
            return 0
        taken = await roll_back(there, run, progress)
        last = not await runs_of(there, source)
    if last or (known is not None and known.run == run):
        _forget(folder)
    print(
        f"Run {run} is taken back: {taken.removed:,} documents removed, {taken.restored:,} restored"
        + (f", {taken.kept:,} users kept who have come since" if taken.kept else "")
        + "."
    )
    return 0


def _forget(folder: Folder) -> None:
    """Nothing of a run that is no more stays here: it is about people."""
    folder.work.close()
    for path in folder.path.iterdir():
        if path.name == ".lock":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _rows(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"


def _show(found: tuple[Plan, ...], left: tuple[tuple[str, str], ...]) -> None:
    for plan in found:
        role = "legacy" if plan.role == "rest" else plan.role
        print(f"{plan.table.label}: {_rows(plan.table.rows)}, {role}{f' ({plan.why})' if plan.why else ''}")
        width = max((len(column) for column, _ in plan.lines()), default=0)
        for column, place in plan.lines():
            print(f"  {column:<{width}}  ->  {place}")
    for name, why in left:
        print(f"{name}: not taken ({why})")
    print(flush=True)


def _tell(wishes: Wishes, whole: Report, folder: Folder) -> None:
    """Print the outcome, and write the reports."""
    html, json_path = report_paths(wishes.report or folder.path / "report.html")
    report.write(html, page.parts(whole, folder.work))
    report.write(json_path, report.json_parts(whole, folder.work))
    rows = sum(one.rows for one in whole.dump.tables)
    documents = sum(whole.entries.values())
    print(f"{rows:,} rows of {len(whole.dump.tables)} tables become {documents:,} documents.")
    for name, number in (whole.outcomes if not whole.dry else whole.entries).items():
        print(f"  {number:>9,}  {name}")
    if whole.withheld:
        number = sum(count for _, _, count in whole.withheld)
        print(f"{number:,} values look like secrets and are left out:")
        for table, path, count in whole.withheld[:10]:
            print(f"  {count:>9,}  {table}.{path}")
    if whole.refusals:
        print(f"{whole.refusals:,} values found no place in a field; they are kept in legacy, and listed:")
        for table, column, number in whole.reasons[:10]:
            print(f"  {number:>9,}  {table}.{column}")
    if whole.same or whole.near:
        print(
            f"Names that stand twice or more: {len(whole.same):,}, nearly so: {len(whole.near):,}; all stay as they are"
        )
    if whole.verdict is not None:
        _tell_verdict(whole.verdict)
    elif whole.dry:
        print("Nothing was written to Convex.")
    print(f"Report: {html} and {json_path.name}", flush=True)


def _tell_verdict(verdict: Verdict) -> None:
    checked = ", ".join(f"{number:,} {name}" for name, number in verdict.checked.items())
    if verdict.safe:
        print(f"Verified: no difference ({checked}). It is safe to switch.")
        return
    number = len(verdict.findings) + verdict.more
    print(f"NOT safe to switch: {number:,} difference{'' if number == 1 else 's'} ({checked}).")
    for one in verdict.findings[:20]:
        where = f"{one.table} {one.id}".strip()
        print(f"  {where} in {one.where}{f', {one.field}' if one.field else ''}: {one.what}")

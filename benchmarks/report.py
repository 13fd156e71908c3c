"""One measured figure, and how figures are shown. Absolute times say little; the ratio is the result."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A measurement beside its reference of the same run. ``holds`` is None where no bar was set."""

    name: str
    value: str
    reference: str = ""
    ratio: str = ""
    bar: str = ""
    holds: bool | None = None


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which ``share`` (0 to 1) of the values lie, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def first_calls(platform: str, ours: Sequence[float], library: str, bare: Sequence[float]) -> list[Figure]:
    """From what a person does to the call that answers it (milliseconds), beside a bare bot of the same library."""
    figures = []
    for share, name, bar in ((0.5, "p50", 1.5), (0.99, "p99", None)):
        mine, theirs = percentile(ours, share), percentile(bare, share)
        ratio = mine / theirs
        figures.append(
            Figure(
                f"{platform}: update in to first call out, {name}",
                f"{mine:.1f} ms",
                f"bare {library} {theirs:.1f} ms",
                f"{ratio:.2f}",
                "" if bar is None else f"<= {bar:g}",
                None if bar is None else ratio <= bar,
            )
        )
    return figures


def table(figures: Iterable[Figure]) -> str:
    """A Markdown table."""
    lines = ["| figure | measured | reference, same run | ratio | bar | |", "|---|---|---|---|---|---|"]
    for figure in figures:
        verdict = {None: "", True: "holds", False: "FALLS SHORT"}[figure.holds]
        lines.append(
            f"| {figure.name} | {figure.value} | {figure.reference} | {figure.ratio} | {figure.bar} | {verdict} |"
        )
    return "\n".join(lines)

"""What a verification found."""

from __future__ import annotations

from dataclasses import dataclass, field

FINDINGS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be. ``where`` is the table in Convex, or PostgreSQL."""

    table: str
    id: str
    where: str
    field: str
    what: str


@dataclass(slots=True)
class Verdict:
    """What verification found. Safe only if it found nothing."""

    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    checked: dict[str, int] = field(default_factory=dict)

    @property
    def safe(self) -> bool:
        """Whether the new home may take over."""
        return not self.findings and self.more == 0

    def add(self, finding: Finding) -> None:
        """One more; beyond a bound they are only counted."""
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)
        else:
            self.more += 1

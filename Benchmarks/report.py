"""The report: Markdown, printed as it grows and written to a file at the end."""

from contextlib import contextmanager

from processes import SystemFailed


def by_role(figures, digits=0):
    """`gateway 208, redis 57`: one figure a role."""
    return ", ".join(f"{role} {value:.{digits}f}" for role, value in figures.items())


def percentile(values, share):
    """The value below which that share of the values lies (nearest rank); None of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None


def millis(nanoseconds):
    return None if nanoseconds is None else nanoseconds / 1e6


class Report:
    def __init__(self):
        self._lines = []
        self.failures = 0

    @property
    def markdown(self):
        return "\n".join(self._lines) + "\n"

    def write(self, *lines):
        self._lines += lines
        print(*lines, sep="\n", flush=True)

    def section(self, title, *text):
        self.write("", f"## {title}", "", *text, *([""] if text else []))

    def table(self, headers, rows):
        """Columns as wide as their widest cell, so that it reads well as plain text too. Without rows there is no table."""
        if not rows:
            return
        cells = [headers, *([self._cell(value) for value in row] for row in rows)]
        widths = [max(len(row[column]) for row in cells) for column in range(len(headers))]
        lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells]
        lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
        self.write(*lines)

    @contextmanager
    def attempt(self, name):
        """A system that fails is reported with what it said, and the others are measured all the same."""
        try:
            yield
        except SystemFailed as failure:
            self.failures += 1
            self.write(f"**{name} could not be measured:**", "", "```", str(failure), "```", "")

    @staticmethod
    def _cell(value):
        if value is None:
            return "–"
        if isinstance(value, float):
            return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
        return f"{value:,}" if isinstance(value, int) else str(value)

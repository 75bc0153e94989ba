"""Write the tables of docs/filters.md from the catalogue of filters.

python docs/filter_table.py
"""

from pathlib import Path

from napari_tiqa.filtering.catalogue import FILTERS
from napari_tiqa.filtering.filter import GROUPS, Filter
from napari_tiqa.filtering.parameter import Parameter

PAGE = Path(__file__).with_name("filters.md")
BEGIN = "<!-- tables: written by docs/filter_table.py -->"
END = "<!-- end of tables -->"


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")


def with_tables(page: str) -> str:
    """Return the page with its tables written anew."""
    before, rest = page.split(BEGIN)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{rest.split(END)[1]}"


def tables() -> str:
    """Return the sections of all filters, under the headings of their groups."""
    parts = []
    for group in GROUPS:
        parts.append(f"## {group}\n")
        parts += [section(filter) for filter in FILTERS.values() if filter.group == group]
    return "\n".join(parts)


def section(filter: Filter) -> str:
    """Return a filter's heading, sentence and table."""
    rows = [
        f"| `{name}` | {one.title} | {range_of(one)} | {default(one)} | {one.advice} |"
        for name, one in filter.parameters.items()
    ]
    head = "| parameter | in the dock | range | default | advice |\n|---|---|---|---|---|\n"
    return f"### {filter.title}: `{filter.name}`\n\n{filter.summary}\n\n{head}" + "\n".join(rows) + "\n"


def range_of(parameter: Parameter) -> str:
    """Return what a parameter can be set to."""
    if parameter.kind is bool:
        return "true, false"
    return ", ".join(parameter.choices) if parameter.choices else parameter.range_text


def default(parameter: Parameter) -> str:
    """Return what a parameter is where nothing is given."""
    if parameter.default is None:
        return "automatic"
    return str(parameter.default).lower() if parameter.kind is bool else f"{parameter.default}"


if __name__ == "__main__":
    main()

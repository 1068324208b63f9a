"""Pages: one file that opens from the disk, without a network and without a script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rlsmove.errors import OutputError, SettingError
from rlsmove.io.atomic_files import atomic_path, write_files
from rlsmove.report.figure_svg import css_colors, in_daylight, svg_of

#: Stands on every page (see the words of the documentation: it measures and compares).
DISCLAIMER = (
    "Research software: it counts leg movements in recordings that you supply and compares nights "
    "under conditions that you chose. It does not diagnose, recommends no treatment, and no "
    "regulator has evaluated it. What an accelerometer counts is a movement, not a burst of EMG. "
    "Activity data are personal data, even without a name."
)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("rlsmove.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["sentence"] = sentence
    environment.globals["disclaimer"] = DISCLAIMER
    environment.globals["colors"] = Markup(css_colors())
    return environment


def number(value: Any, decimals: int = 1) -> str:
    """Write a number for people; a dash for what cannot be said."""
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(number(item, decimals) for item in value)
    return f"{value:.{decimals}f}" if isinstance(value, float) else str(value)


def sentence(text: str) -> str:
    """Write a sentence with a capital, unless it begins with a name, and a full stop."""
    first = re.split(r"\W", text, maxsplit=1)[0]
    begun = text[:1].upper() + text[1:] if first.isalpha() else text
    return begun + ("" if text.endswith((".", "!", "?")) else ".")


class Pictures:
    """The figures of one page, each under a name of its own."""

    def __init__(self) -> None:
        self._count = 0

    def draw(self, figure: Any, alt: str) -> Markup:
        """Turn a figure into an SVG element."""
        self._count += 1
        return Markup(svg_of(figure, alt, name=f"figure {self._count}"))


def render(template: str, context: Mapping[str, Any]) -> str:
    """Fill a template of this package; all text in it stays text."""
    return _environment().get_template(template).render(context)


def write_page(page: str, path: Path, *, pdf: bool = False) -> list[Path]:
    """Write a page, and a PDF of it beside it.

    Parameters
    ----------
    page : str
        HTML.
    path : Path
        Where it goes; the PDF has the same name with another ending.
    pdf : bool
        Whether to make one.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    OutputError
        It cannot be written.
    SettingError
        A PDF is asked for and the extra ``pdf`` is not installed.
    """
    if not pdf:
        write_files({path: page})
        return [path]
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise SettingError(
            "--pdf",
            f"weasyprint cannot be loaded ({error})",
            advice="Install the extra: pip install 'rlsmove[pdf]'; or print the page to PDF in a "
            "browser",
        ) from error
    beside = path.with_suffix(".pdf")
    if beside == path:
        raise OutputError(path, "the page and its PDF cannot have the same name")
    # Widths for telephones are for screens alone, and twice the work to lay out.
    daylight = re.sub(r'<div class="narrow">.*?</div>', "", in_daylight(page), flags=re.DOTALL)
    with atomic_path(beside) as partial:
        HTML(string=daylight, url_fetcher=_no_network).write_pdf(partial)
        write_files({path: page})
    return [path, beside]


def _no_network(url: str, *_: Any, **__: Any) -> Any:
    raise ValueError(f"a page needs nothing from elsewhere, and not {url}")

"""Figures as SVG inside a page: sized for it, in its colors by day and by night, with words."""

from __future__ import annotations

import io
import re
from contextlib import AbstractContextManager
from html import escape
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

#: Colors by what they stand for, on white and on black. The hues are those of Okabe and Ito (Color
#: Universal Design, 2008), which the color-blind tell apart; lightness tells them apart as well.
PALETTE = {
    "ink": ("#1a1a1a", "#e8e8e8"),
    "muted": ("#5f6368", "#a8adb3"),
    "grid": ("#d9dce0", "#3a3f45"),
    "paper": ("#ffffff", "#15181c"),
    "left": ("#0072b2", "#56b4e9"),
    "right": ("#d55e00", "#f0955a"),
    "both": ("#117a5d", "#2fc79b"),
    "plm": ("#0b3c5d", "#8ecbff"),
    "other": ("#c98500", "#f0c04a"),
    "sleep": ("#dfe6f3", "#28324a"),
    "wake": ("#fff3d6", "#4a3d1c"),
    "series": ("#b58ab8", "#7d5a85"),
    "missing": ("#c9ccd1", "#50555c"),
}

#: What stands for each in a figure until it is put into a page: colors that nothing else has.
COLOR = {name: f"#0101{number:02x}" for number, name in enumerate(PALETTE, start=1)}
_NAME = {color: name for name, color in COLOR.items()}

#: Width of figures, in inches: across a page, half a page, and a phone held upright.
WIDE_IN, HALF_IN, NARROW_IN = 10.0, 5.2, 4.4

_STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 8.5,
    "svg.fonttype": "none",
    "axes.edgecolor": COLOR["muted"],
    "axes.labelcolor": COLOR["ink"],
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.titlecolor": COLOR["ink"],
    "axes.labelsize": 8.5,
    "figure.facecolor": "none",
    "text.color": COLOR["ink"],
    "xtick.color": COLOR["muted"],
    "ytick.color": COLOR["muted"],
    "xtick.labelcolor": COLOR["ink"],
    "ytick.labelcolor": COLOR["ink"],
    "grid.color": COLOR["grid"],
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "hatch.linewidth": 0.5,
    "path.simplify": True,
}


def page_style() -> AbstractContextManager[None]:
    """Hold the style of the pages while figures are made and drawn."""
    return rc_context(_STYLE)


def new_figure(
    width_in: float,
    height_in: float,
    *,
    left_in: float = 0.6,
    right_in: float = 0.12,
    top_in: float = 0.1,
    bottom_in: float = 0.46,
) -> Figure:
    """Make an empty figure with margins in inches.

    Fixed margins, because matplotlib's automatic layouts take twice the time of drawing.
    """
    figure = Figure(figsize=(width_in, height_in))
    figure.subplots_adjust(
        left=left_in / width_in,
        right=1 - right_in / width_in,
        top=1 - top_in / height_in,
        bottom=bottom_in / height_in,
    )
    return figure


def svg_of(figure: Figure, alt: str, *, name: str) -> str:
    """Draw a figure as an SVG element that takes its colors from the page around it.

    Parameters
    ----------
    figure : Figure
        Made by `new_figure` within `page_style`, in colors of `COLOR`.
    alt : str
        What it shows, for those who cannot see it.
    name : str
        Unlike that of any other figure on the page.
    """
    drawn = io.StringIO()
    with rc_context({"svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(drawn, metadata={"Date": None, "Creator": None})
    svg = drawn.getvalue()
    svg = svg[svg.index("<svg") :].rstrip()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"\s*\n\s*", "\n", svg)
    svg = re.sub(r' width="[^"]*pt"| height="[^"]*pt"', "", svg, count=2)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)
    return re.sub(r"#0101[0-9a-f]{2}", lambda found: f"var(--{_NAME[found[0]]})", svg)


def in_daylight(page: str) -> str:
    """Write the colors of a page's figures out, for programs that know no variables of CSS."""
    return re.sub(r"var\(--([a-z]+)\)", lambda found: PALETTE.get(found[1], (found[0],))[0], page)


def css_colors() -> str:
    """Write both palettes as variables of CSS."""
    day, night = (
        " ".join(f"--{name}: {pair[mode]};" for name, pair in PALETTE.items()) for mode in (0, 1)
    )
    return (
        f":root {{ color-scheme: light dark; {day} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {night} }} }}"
    )

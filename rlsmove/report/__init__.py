"""Reports: self-contained pages of a night, a person and a study.

``figure_svg`` and ``page`` are what all pages are made with; ``night_facts``, ``night_figures``
and ``movement_examples`` give ``night_page``.
"""

"""A local page to review nights in the browser.

``reviewed_state`` says what the browser shows of a night; ``served_nights`` keeps the nights of a
folder and takes edits; ``local_server`` serves them to this computer alone; ``page/`` is what
runs in the browser.
"""

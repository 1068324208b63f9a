"""The one numba policy: how every kernel is compiled and cached."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba


def _ask_for_no_blas() -> None:
    """Keep numba from importing scipy.linalg at its first kernel: 0.15 s of every start.

    ``numba.np.arraymath`` asks at its import whether there is a BLAS, and numba asks again
    wherever a kernel, of whomever, uses one. Only the first question is skipped.
    """
    from numba.np import linalg

    ask = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = ask


_ask_for_no_blas()

F = TypeVar("F", bound=Callable[..., Any])


def kernel(signature: str) -> Callable[[F], F]:
    """Compile a plain Python function on arrays and scalars, and cache the machine code.

    Parameters
    ----------
    signature : str
        Explicit numba signature. It makes the kernel load from its cache at import and keeps
        it from being compiled anew for each combination of arguments.

    Returns
    -------
    callable
        Decorator; the plain function stays reachable as ``py_func``.

    Notes
    -----
    NaN carries meaning throughout (a missing sample), so ``fastmath`` stays off. Where no cache
    folder can be written (numba looks beside the module, then in the user's cache), the kernel
    is compiled for this process alone.
    """

    def compile_(function: F) -> F:
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
        try:
            return cast(F, numba.njit(signature, cache=True, **options)(function))
        except RuntimeError as error:
            if "cannot cache" not in str(error):
                raise
            return cast(F, numba.njit(signature, **options)(function))

    return compile_

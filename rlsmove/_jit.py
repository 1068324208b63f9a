"""The one numba policy: how every kernel is compiled and cached."""

from __future__ import annotations

import functools
import gc
import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])


def kernel(signature: str) -> Callable[[F], F]:
    """Compile a plain Python function on arrays and scalars, and cache the machine code.

    Parameters
    ----------
    signature : str
        Explicit numba signature: the kernel is compiled for it alone, never anew for another
        combination of arguments.

    Returns
    -------
    callable
        Decorator. The kernel is loaded from its cache, or compiled, when it is first called: a
        command pays for those that it uses. The plain function stays reachable as ``py_func``.

    Notes
    -----
    NaN carries meaning throughout (a missing sample), so ``fastmath`` stays off. Where no cache
    folder can be written (numba looks beside the module, then in the user's cache), the kernel
    is compiled for this process alone.
    """

    def defer(function: F) -> F:
        return cast(F, _Deferred(function, signature))

    return defer


def inner_kernel(function: F) -> F:
    """Compile a function that kernels of its module call; it becomes part of their machine code.

    Returns
    -------
    callable
        Compiled for the arguments it is called with, when the first of those kernels is loaded.
    """
    return cast(F, _Deferred(function))


def load_kernels() -> None:
    """Load or compile now every kernel of the modules imported so far."""
    for deferred in _Deferred.every:
        deferred.load()


class _Deferred:
    """A function that is compiled, or loaded from its cache, when it is first needed.

    Until then not even numba is imported: that alone takes longer than most commands.
    """

    every: ClassVar[list[_Deferred]] = []

    def __init__(self, function: Callable[..., Any], *signature: str) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        self._signature = signature
        self._ready: Callable[..., Any] | None = None
        self.every.append(self)

    def load(self) -> Callable[..., Any]:
        if self._ready is None:
            # While numba compiles a function it has to find those it calls compiled.
            scope = self.py_func.__globals__
            for name in self.py_func.__code__.co_names:
                if isinstance(called := scope.get(name), _Deferred):
                    scope[name] = called.load()
            self._ready = _compiled(self.py_func, *self._signature)
        return self._ready

    def __call__(self, *arguments: Any) -> Any:
        return (self._ready or self.load())(*arguments)


def _compiled(function: F, *signature: str) -> F:
    compiler: Any = _numba().njit
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    # Of the millions of objects that compiling makes, hardly one is garbage before its end.
    collects = gc.isenabled()
    gc.disable()
    try:
        return cast(F, compiler(*signature, cache=True, **options)(function))
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        return cast(F, compiler(*signature, **options)(function))
    finally:
        if collects:
            gc.enable()


@functools.cache
def _numba() -> ModuleType:
    """Import numba, but keep it from importing scipy.linalg at its first kernel: 0.15 s.

    ``numba.np.arraymath`` asks at its import whether there is a BLAS, and numba asks again
    wherever a kernel, of whomever, uses one. Only the first question is skipped.
    """
    numba = importlib.import_module("numba")
    linalg: Any = importlib.import_module("numba.np.linalg")
    ask = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = ask
    return numba

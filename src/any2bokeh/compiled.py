"""How numerical kernels are compiled: by numba, and kept on disk where a folder can be written.

numba keeps machine code in the folder that ``NUMBA_CACHE_DIR`` names, else beside the source (``__pycache__``), else in
the user's cache folder. By itself it raises where none of them can be written, where the disk is full, and where a file
of the cache is damaged. A cache must not stop a run: here such a kernel is compiled anew, and that is told once.
"""

import gc
import hashlib
import pickle
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.compiler_lock import global_compiler_lock
from numba.core.serialize import dumps
from numba.core.sigutils import normalize_signature

from any2bokeh.errors import KernelCacheWarning
from any2bokeh.interruption import TERMINATED, Terminated, is_ending

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(
    *,
    nogil: bool = False,
    fastmath: bool | set[str] = False,
    inline: Literal["never", "always"] = "never",
    error_model: Literal["python", "numpy"] = "python",
) -> Callable[[Function], Function]:
    """Compile a function with numba on its first call, and keep the machine code for the next process.

    Args:
        nogil: run without the interpreter's lock, so that threads overlap.
        fastmath: which liberties floating-point arithmetic may take; see ``numba.njit``.
        inline: ``always`` puts the body into every kernel that calls it. After a change of such a function the kept
            code of its callers in other files is stale, for numba looks only at the file of the caller.
        error_model: what a division by zero does: ``python`` raises, ``numpy`` gives infinity or NaN. The check keeps
            loops that divide from being vectorised.

    Warns:
        KernelCacheWarning: once in a process, where nothing can be kept.
    """

    def decorate(function: Function) -> Function:
        dispatcher: Any = njit(nogil=nogil, fastmath=fastmath, inline=inline, error_model=error_model)(function)
        _WithoutNeedlessEntries(dispatcher)
        try:
            dispatcher._cache = _KernelCache(function)
        except RuntimeError as error:
            if "no locator" not in str(error):  # numba's word for: no folder that can be written
                raise
            _tell_once("neither the package's folder nor the user's cache folder can be written")
        return dispatcher

    return decorate


def may_be_kept(kernel: Any) -> bool:
    """Whether the code of a kernel can be kept on disk, and none is: neither compiled nor kept by an earlier run."""
    cache = kernel._cache
    if not isinstance(cache, _KernelCache) or not cache._enabled or kernel.overloads:
        return False
    try:
        return not cache._cache_file._load_index()
    except Exception:  # whatever a damaged pickle raises; it is made anew
        return True


def kept_in() -> str | None:
    """The folder in which the code of kernels of the package is kept; None where none can be written."""
    try:
        return _KernelCache(kept_in).cache_path
    except RuntimeError:  # numba's word for: no folder that can be written
        return None


class _WithoutNeedlessEntries:
    """Compiles a kernel without an entry for Python where it is another kernel that calls it.

    numba gives each kernel one, and one for C, with all of its code again; without, compiling takes an eighth less.
    Where Python calls such a kernel after all, it is compiled once more.
    """

    depth = 0  # of the kernels that are being compiled, one for the sake of the other; changed under numba's lock

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = dispatcher
        self._compile, self._add = dispatcher.compile, dispatcher.add_overload
        self._without: set[tuple[Any, ...]] = set()
        dispatcher.compile, dispatcher.add_overload = self._compiled, self._added
        dispatcher._compiler._customize_flags = self._flagged

    @classmethod
    def is_for_kernel(cls) -> bool:
        """Whether what is being compiled is called by another kernel."""
        return cls.depth > 1

    def _compiled(self, signature: Any) -> Any:
        cls = type(self)
        with global_compiler_lock, _no_collection():
            if is_ending() and threading.current_thread() is not threading.main_thread():
                raise Terminated(TERMINATED)  # the main thread waits for this one, and for nothing that it makes
            arguments = tuple(normalize_signature(signature)[0])
            if cls.depth == 0 and arguments in self._without:
                self._without.remove(arguments)
                del self._dispatcher.overloads[arguments]
            cls.depth += 1
            try:
                return self._compile(signature)
            finally:
                cls.depth -= 1

    def _added(self, result: Any) -> None:
        name = result.fndesc.llvm_cpython_wrapper_name
        if result.library.get_pointer_to_function(name):
            self._add(result)
        else:  # not among those that Python may call
            arguments = tuple(result.signature.args)
            self._without.add(arguments)
            self._dispatcher.overloads[arguments] = result

    def _flagged(self, flags: Any) -> Any:
        flags.no_cpython_wrapper = self.is_for_kernel()
        flags.no_cfunc_wrapper = True
        return flags


_compiling = threading.Lock()
_compilers = 0
_was_collecting = False


@contextmanager
def _no_collection() -> Iterator[None]:
    """Leave garbage where it is while something is compiled.

    The compiler makes millions of objects that live on, and each collection would look at all of them again: a fifth of
    its time.
    """
    global _compilers, _was_collecting
    with _compiling:
        _compilers += 1
        if _compilers == 1:
            _was_collecting = gc.isenabled()
            gc.disable()
    try:
        yield
    finally:
        with _compiling:
            _compilers -= 1
            if _compilers == 0 and _was_collecting:
                gc.enable()


class _CheckedKernel(CompileResultCacheImpl):
    """Machine code with its checksum: the linker trusts what it is given, and damaged code would end the process."""

    def reduce(self, cres: Any) -> tuple[bytes, bytes]:
        code = dumps(super().reduce(cres))
        return hashlib.sha256(code).digest(), code

    def rebuild(self, target_context: Any, payload: tuple[bytes, bytes]) -> Any:
        checksum, code = payload
        if hashlib.sha256(code).digest() != checksum:
            raise ValueError("damaged machine code")
        return super().rebuild(target_context, pickle.loads(code))


class _KernelCache(FunctionCache):
    """numba's cache, but what it cannot read is compiled anew and what it cannot write is not kept."""

    _impl_class = _CheckedKernel  # pyright: ignore[reportAssignmentType]

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return super()._index_key(sig, codegen), _WithoutNeedlessEntries.is_for_kernel()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # whatever a damaged pickle raises
            self._forget()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            self.disable()
            _tell_once(f"{self.cache_path} cannot be written ({error.strerror or error})")

    def _forget(self) -> None:
        try:
            self.flush()
        except OSError as error:
            self.disable()
            _tell_once(f"{self.cache_path} is damaged and cannot be written ({error.strerror or error})")


_told = False


def _tell_once(why: str) -> None:
    global _told
    if not _told:
        _told = True
        warnings.warn(
            f"compiled code cannot be kept: {why}; every run compiles it anew, which takes up to a minute; "
            "set NUMBA_CACHE_DIR to a folder that can be written",
            KernelCacheWarning,
            stacklevel=2,
        )

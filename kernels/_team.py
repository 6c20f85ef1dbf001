"""Parallel regions of compiled kernels, on the very OpenMP team that torch's own operations use.

A runtime of Numba's beside torch's would mean two teams that wait for work on the same cores, in turn. The entry point
is `GOMP_parallel`, to which compilers translate `#pragma omp parallel`; LLVM's OpenMP, which torch brings on some
systems, offers it too. Where neither is found, a region's shares run one after the other.
"""

import ctypes
import functools
from pathlib import Path
from typing import Any

import torch
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

Team = tuple[int, int, int]

_WORD = ir.IntType(64)
_NUMBER = ir.IntType(32)
_POINTER = ir.IntType(8).as_pointer()


@functools.cache
def team() -> Team:
    """Addresses of GOMP_parallel, omp_get_thread_num and omp_get_num_threads in torch's own library; zeros if none."""
    folder = Path(torch.__file__).parent / "lib"
    for name in sorted(path.name for path in folder.glob("lib*omp*")):
        try:
            library = ctypes.CDLL(str(folder / name))
            entries = (library.GOMP_parallel, library.omp_get_thread_num, library.omp_get_num_threads)
        except (OSError, AttributeError):
            continue
        parallel_entry, thread_num, num_threads = (ctypes.cast(entry, ctypes.c_void_p).value or 0 for entry in entries)
        return parallel_entry, thread_num, num_threads
    return 0, 0, 0


def threads_for(num_items: int) -> int:
    """How many threads share that many items."""
    return max(1, min(torch.get_num_threads(), num_items))


@intrinsic
def parallel(typing_context: Any, team: Any, body: Any, arguments: Any, num_threads: Any) -> Any:
    """Call the C function at `body` with (*arguments, num_threads, thread) for each thread in range(num_threads).

    team: see `team()`. arguments: a tuple of integers and floats, passed as int64 and double. Returns when all are
    done.
    """
    kinds = [_double if isinstance(kind, types.Float) else types.int64 for kind in arguments.types]

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        entries = cgutils.unpack_tuple(builder, values[0])
        given = cgutils.unpack_tuple(builder, values[2])
        passed = [
            context.cast(builder, value, kind, wanted)
            for value, kind, wanted in zip(given, arguments.types, kinds, strict=True)
        ]
        fields = [values[1], entries[1], entries[2], values[3], *passed]
        record_type = ir.LiteralStructType([field.type for field in fields])
        record = cgutils.alloca_once(builder, record_type)
        for index, field in enumerate(fields):
            builder.store(field, cgutils.gep_inbounds(builder, record, 0, index))
        alone = builder.or_(
            builder.icmp_signed("<=", values[3], _WORD(1)), builder.icmp_signed("==", entries[0], _WORD(0))
        )
        with builder.if_else(alone) as (then, otherwise):
            with then, cgutils.for_range(builder, values[3], intp=_WORD) as loop:
                _call_body(builder, fields, loop.index)
            with otherwise:
                region = _region(builder.module, record_type)
                kind = ir.FunctionType(ir.VoidType(), [region.type, _POINTER, _NUMBER, _NUMBER])
                entry = builder.inttoptr(entries[0], kind.as_pointer())
                data = builder.bitcast(record, _POINTER)
                builder.call(entry, [region, data, builder.trunc(values[3], _NUMBER), _NUMBER(0)])
        return context.get_dummy_value()

    return types.void(team, types.int64, arguments, types.int64), generate


_double = types.float64


def _call_body(builder: Any, fields: list[Any], thread: Any) -> None:
    body, _, _, num_threads, *passed = fields
    arguments = [*passed, num_threads, thread]
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    builder.call(builder.inttoptr(body, kind.as_pointer()), arguments)


def _region(module: Any, record_type: Any) -> Any:
    """What each thread of a region runs: its share, and those of threads that the region did not get."""
    kind = ir.FunctionType(ir.VoidType(), [_POINTER])
    function = ir.Function(module, kind, module.get_unique_name("slipform_region"))
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block())
    record = builder.bitcast(function.args[0], record_type.as_pointer())
    fields = [
        builder.load(cgutils.gep_inbounds(builder, record, 0, index)) for index in range(len(record_type.elements))
    ]
    ask = ir.FunctionType(_NUMBER, []).as_pointer()
    first = builder.sext(builder.call(builder.inttoptr(fields[1], ask), []), _WORD)
    step = builder.sext(builder.call(builder.inttoptr(fields[2], ask), []), _WORD)
    with cgutils.for_range_slice(builder, first, fields[3], step, _WORD) as (thread, _):
        _call_body(builder, fields, thread)
    builder.ret_void()
    return function

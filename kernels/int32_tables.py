"""Flat int32 tables as the Numba kernels of automata see them, read as int64.

A *heap* is the address of an array of int64 pairs: for each table its address and its length. A kernel takes heaps and
other integers, so that a call costs little and each kernel is compiled for one set of types. Indexing is neither
checked nor wrapped: a negative index is an error of ours.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import cfunc, njit, types
from numba.core import cgutils
from numba.core.datamodel import models, register_default
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin

# Kernels are typed by Numba; for other checkers an integer here is anything.
Int = Any

kernel = njit(cache=True, nogil=True)
"""A kernel that Python calls, and that lets other Python threads run."""

quick = njit(cache=True)
"""A kernel of a few microseconds: it keeps Python's global lock, which thereby is a lock of what it works on."""

inner = njit(cache=True, nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""A kernel that only kernels call: it is compiled without what Python would need to call it.

Numba compiles it once more for each constant that a call spells as a literal; as `np.int64(0)` a constant is a number.
"""

_NUMBER = ir.IntType(64)
_ITEM = ir.IntType(32)


class Int32Table(types.Type):  # type: ignore[misc]
    """The type of a table in signatures."""

    def __init__(self) -> None:
        super().__init__(name="Int32Table")


int32_table = Int32Table()


@register_default(Int32Table)
class _Int32TableModel(models.StructModel):  # type: ignore[misc]
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, [("items", types.CPointer(types.int32)), ("length", types.int64)])


@intrinsic
def table(typing_context: Any, heap: Any, index: Any) -> Any:
    """Table number `index` of the heap at address `heap`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        heap, index = arguments
        pairs = builder.inttoptr(heap, _NUMBER.as_pointer())
        at = builder.shl(index, ir.Constant(_NUMBER, 1))
        address = builder.load(builder.gep(pairs, [at]))
        length = builder.load(builder.gep(pairs, [builder.add(at, ir.Constant(_NUMBER, 1))]))
        for loaded in (address, length):  # no kernel writes to a heap
            loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        value = ir.Constant(context.get_value_type(int32_table), ir.Undefined)
        value = builder.insert_value(value, builder.inttoptr(address, _ITEM.as_pointer()), 0)
        return builder.insert_value(value, length, 1)

    return int32_table(types.int64, types.int64), generate


@intrinsic
def address_in(typing_context: Any, heap: Any, index: Any) -> Any:
    """The address that stands in the heap as that of table number `index`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pairs = builder.inttoptr(arguments[0], _NUMBER.as_pointer())
        return builder.load(builder.gep(pairs, [builder.shl(arguments[1], ir.Constant(_NUMBER, 1))]))

    return types.int64(types.int64, types.int64), generate


@intrinsic
def table_at(typing_context: Any, address: Any, length: Any) -> Any:
    """A table that is in no heap."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = ir.Constant(context.get_value_type(int32_table), ir.Undefined)
        value = builder.insert_value(value, builder.inttoptr(arguments[0], _ITEM.as_pointer()), 0)
        return builder.insert_value(value, arguments[1], 1)

    return int32_table(types.int64, types.int64), generate


@intrinsic
def copy_items(typing_context: Any, target: Any, source: Any, first: Any, count: Any) -> Any:
    """target[:count] = source[first : first + count]"""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to, begin = builder.extract_value(arguments[0], 0), builder.extract_value(arguments[1], 0)
        num_bytes = builder.shl(arguments[3], ir.Constant(_NUMBER, 2))
        cgutils.raw_memcpy(builder, to, builder.gep(begin, [arguments[2]]), num_bytes, 1)
        return context.get_dummy_value()

    return types.void(int32_table, int32_table, types.int64, types.int64), generate


def c_function(body: Callable[..., Int]) -> Any:
    """A body of four numbers compiled as a C function, kept on disk: kernels `call` it by its `.address` in a heap.

    Numba would compile the body anew inside every kernel that calls it.
    """
    return cfunc(types.int64(types.int64, types.int64, types.int64, types.int64), cache=True)(body)


@intrinsic
def call(typing_context: Any, heap: Any, index: Any, a: Any, b: Any, c: Any) -> Any:
    """Call the `c_function` (heap, a, b, c) -> number whose address stands in the heap instead of a table's."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        heap, index = arguments[:2]
        pairs = builder.inttoptr(heap, _NUMBER.as_pointer())
        address = builder.load(builder.gep(pairs, [builder.shl(index, ir.Constant(_NUMBER, 1))]))
        function = builder.inttoptr(address, ir.FunctionType(_NUMBER, [_NUMBER] * 4).as_pointer())
        return builder.call(function, [heap, *arguments[2:]])

    return types.int64(types.int64, types.int64, types.int64, types.int64, types.int64), generate


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):  # type: ignore[misc]
    def generic(self, arguments: Any, keywords: Any) -> Any:
        if isinstance(arguments[0], Int32Table) and isinstance(arguments[1], types.Integer):
            return signature(types.int64, int32_table, types.int64)
        return None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):  # type: ignore[misc]
    def generic(self, arguments: Any, keywords: Any) -> Any:
        if isinstance(arguments[0], Int32Table) and isinstance(arguments[1], types.Integer):
            return signature(types.none, int32_table, types.int64, types.int64)
        return None


@infer_global(len)
class _Length(AbstractTemplate):  # type: ignore[misc]
    def generic(self, arguments: Any, keywords: Any) -> Any:
        return signature(types.int64, int32_table) if isinstance(arguments[0], Int32Table) else None


@lower_builtin(operator.getitem, Int32Table, types.int64)
def _get_item(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    place = builder.gep(builder.extract_value(arguments[0], 0), [arguments[1]])
    return builder.sext(builder.load(place), _NUMBER)


@lower_builtin(operator.setitem, Int32Table, types.int64, types.int64)
def _set_item(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    place = builder.gep(builder.extract_value(arguments[0], 0), [arguments[1]])
    builder.store(builder.trunc(arguments[2], _ITEM), place)


@lower_builtin(len, Int32Table)
def _length(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return builder.extract_value(arguments[0], 1)

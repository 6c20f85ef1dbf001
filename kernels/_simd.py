"""Sixteen float32 lanes as a Numba type, so that inner loops are vector code by construction and not by luck.

Numba leaves vectorising to LLVM, which gives up on the short reductions of attention (measured 2 to 8 times slower).
Here a vector is a value: loaded from an address, combined, stored. LLVM cuts it to what the machine has (one AVX-512
register, two of AVX2, four of NEON). Addresses are int64, counted in bytes.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core.datamodel import models, register_default
from numba.extending import intrinsic

LANES = 16

_FLOAT = ir.FloatType()
VECTOR = ir.VectorType(_FLOAT, LANES)
_BITS = ir.VectorType(ir.IntType(32), LANES)
_HALF_BITS = ir.VectorType(ir.IntType(16), LANES)
_FAST = ("reassoc", "contract", "nsz", "arcp")


class Float32x16(types.Type):  # type: ignore[misc]
    """The type of a vector in signatures."""

    def __init__(self) -> None:
        super().__init__(name="Float32x16")


float32x16 = Float32x16()


@register_default(Float32x16)
class _Float32x16Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, numba_type: Any) -> None:
        super().__init__(manager, numba_type, VECTOR)


def _define(result: Any, arguments: tuple[Any, ...], emit: Any) -> Any:
    """An intrinsic with a fixed signature; emit(builder, *values) builds its instructions."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return emit(builder, *values)

    def typed(*_: Any) -> Any:
        return result(*arguments), generate

    # Numba binds arguments by name, so the typing function needs as many as the intrinsic has.
    match len(arguments):
        case 1:
            return intrinsic(lambda typing_context, a: typed())
        case 2:
            return intrinsic(lambda typing_context, a, b: typed())
    return intrinsic(lambda typing_context, a, b, c: typed())


def pointer(builder: Any, address: Any, element: Any) -> Any:
    return builder.inttoptr(address, element.as_pointer())


def _call(builder: Any, name: str, result: Any, values: list[Any], flags: tuple[str, ...] = ()) -> Any:
    function_type = ir.FunctionType(result, [value.type for value in values])
    function = builder.module.globals.get(name) or ir.Function(builder.module, function_type, name)
    return builder.call(function, values, fastmath=flags)


def load_of(builder: Any, address: Any) -> Any:
    return builder.load(pointer(builder, address, VECTOR), align=4)


def load_bfloat16_of(builder: Any, address: Any) -> Any:
    bits = builder.zext(builder.load(pointer(builder, address, _HALF_BITS), align=2), _BITS)
    return builder.bitcast(builder.shl(bits, ir.Constant(_BITS, [16] * LANES)), VECTOR)


def _store(builder: Any, address: Any, vector: Any) -> Any:
    builder.store(vector, pointer(builder, address, VECTOR), align=4)
    return ir.Constant(ir.IntType(8).as_pointer(), None)


def _store_bfloat16(builder: Any, address: Any, vector: Any) -> Any:
    """To nearest, ties to even; NaN becomes a NaN."""

    def constant(value: int) -> Any:
        return ir.Constant(_BITS, [value] * LANES)

    bits = builder.bitcast(vector, _BITS)
    odd = builder.and_(builder.lshr(bits, constant(16)), constant(1))
    rounded = builder.lshr(builder.add(builder.add(bits, constant(0x7FFF)), odd), constant(16))
    narrow = builder.select(builder.fcmp_unordered("uno", vector, vector), constant(0x7FC0), rounded)
    builder.store(builder.trunc(narrow, _HALF_BITS), pointer(builder, address, _HALF_BITS), align=2)
    return ir.Constant(ir.IntType(8).as_pointer(), None)


def _splat(builder: Any, value: Any) -> Any:
    one = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, one, ir.Constant(_BITS, [0] * LANES))


def fused_multiply_add_of(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return _call(builder, "llvm.fma.v16f32", VECTOR, [a, b, c])


def multiply_add_of(builder: Any, a: Any, b: Any, c: Any) -> Any:
    return builder.fadd(builder.fmul(a, b, flags=_FAST), c, flags=_FAST)


def splat_of(builder: Any, address: Any) -> Any:
    """The float32 at an address in every lane."""
    return _splat(builder, builder.load(pointer(builder, address, _FLOAT), align=4))


def _upper_half(builder: Any, vector: Any) -> Any:
    bits = builder.and_(builder.bitcast(vector, _BITS), ir.Constant(_BITS, [0xFFFF0000] * LANES))
    return builder.bitcast(bits, VECTOR)


def _store_upper_half(builder: Any, address: Any, vector: Any) -> Any:
    bits = builder.lshr(builder.bitcast(vector, _BITS), ir.Constant(_BITS, [16] * LANES))
    builder.store(builder.trunc(bits, _HALF_BITS), pointer(builder, address, _HALF_BITS), align=2)
    return ir.Constant(ir.IntType(8).as_pointer(), None)


def prefetch_of(builder: Any, address: Any) -> None:
    """Ask for the cache line at an address, which need not be mapped."""
    number = ir.IntType(32)
    line = builder.inttoptr(address, ir.IntType(8).as_pointer())
    _call(builder, "llvm.prefetch.p0", ir.VoidType(), [line, number(0), number(3), number(1)])


def _maximum(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


def _minimum(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered("<", a, b), a, b)


def _where_ordered(builder: Any, value: Any, a: Any, b: Any) -> Any:
    nowhere = ir.Constant(VECTOR, [float("-inf")] * LANES)
    return builder.select(builder.fcmp_ordered("<=", a, b), value, nowhere)


def _one_where_nan(builder: Any, otherwise: Any, vector: Any) -> Any:
    one = ir.Constant(VECTOR, [1.0] * LANES)
    return builder.select(builder.fcmp_unordered("uno", vector, vector), one, otherwise)


def _reduce_add(builder: Any, vector: Any) -> Any:
    zero = ir.Constant(_FLOAT, 0.0)
    return _call(builder, "llvm.vector.reduce.fadd.v16f32", _FLOAT, [zero, vector], _FAST)


def _reduce_max(builder: Any, vector: Any) -> Any:
    return _call(builder, "llvm.vector.reduce.fmax.v16f32", _FLOAT, [vector], ("nnan", "nsz"))


def _exponential(builder: Any, x: Any) -> Any:
    """2^n · e^r with |r| <= ln(2)/2, Cody and Waite's ln 2 in two parts, and Cephes' minimax polynomial for e^r.

    Below -80 it is 0: a product with something near the smallest float costs a hundred times one with 0.
    """

    def constant(value: float) -> Any:
        return ir.Constant(VECTOR, [value] * LANES)

    is_zero = builder.fcmp_ordered("<", x, constant(-80.0))
    x = _maximum(builder, x, constant(-80.0))
    n = _call(builder, "llvm.nearbyint.v16f32", VECTOR, [builder.fmul(x, constant(1.44269504))])
    r = multiply_add_of(builder, n, constant(-0.693359375), x)
    r = multiply_add_of(builder, n, constant(2.12194440e-4), r)
    p = constant(1.9875691500e-4)
    for coefficient in (1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1):
        p = multiply_add_of(builder, p, r, constant(coefficient))
    p = builder.fadd(multiply_add_of(builder, builder.fmul(p, r), r, r), constant(1.0))
    exponent = builder.add(builder.fptosi(n, _BITS), ir.Constant(_BITS, [127] * LANES))
    power = builder.fmul(p, builder.bitcast(builder.shl(exponent, ir.Constant(_BITS, [23] * LANES)), VECTOR))
    return builder.select(is_zero, constant(0.0), power)


load = _define(float32x16, (types.int64,), load_of)
load_bfloat16 = _define(float32x16, (types.int64,), load_bfloat16_of)
store = _define(types.void, (types.int64, float32x16), _store)
store_bfloat16 = _define(types.void, (types.int64, float32x16), _store_bfloat16)
# The value cut down to bfloat16's bits, and the bfloat16 of a value that was: no rounding in either.
upper_half = _define(float32x16, (float32x16,), _upper_half)
store_upper_half = _define(types.void, (types.int64, float32x16), _store_upper_half)
splat = _define(float32x16, (types.float32,), _splat)
add = _define(float32x16, (float32x16, float32x16), lambda builder, a, b: builder.fadd(a, b, flags=_FAST))
subtract = _define(float32x16, (float32x16, float32x16), lambda builder, a, b: builder.fsub(a, b, flags=_FAST))
divide = _define(float32x16, (float32x16, float32x16), lambda builder, a, b: builder.fdiv(a, b))
multiply = _define(float32x16, (float32x16, float32x16), lambda builder, a, b: builder.fmul(a, b, flags=_FAST))
multiply_add = _define(float32x16, (float32x16, float32x16, float32x16), multiply_add_of)
minimum = _define(float32x16, (float32x16, float32x16), _minimum)
maximum = _define(float32x16, (float32x16, float32x16), _maximum)
# The first vector where the second is at most the third, -inf elsewhere.
where_ordered = _define(float32x16, (float32x16, float32x16, float32x16), _where_ordered)
# 1 where the second vector is NaN, the first elsewhere.
one_where_nan = _define(float32x16, (float32x16, float32x16), _one_where_nan)
reduce_add = _define(types.float32, (float32x16,), _reduce_add)
reduce_max = _define(types.float32, (float32x16,), _reduce_max)
exponential = _define(float32x16, (float32x16,), _exponential)

// TensorFlow's data types as this addon was compiled with them. lib/dtype.ts relies on these numbers; here
// they are held against the library's own header at compile time, and a test holds the two lists against each
// other.
#pragma once

#include "tensorflow/c/tf_datatype.h"

// clang-format off
#define TF_SESSION_DTYPES(X) \
  X(float32, TF_FLOAT, 1) X(float64, TF_DOUBLE, 2) X(int32, TF_INT32, 3) X(uint8, TF_UINT8, 4) \
  X(int16, TF_INT16, 5) X(int8, TF_INT8, 6) X(string, TF_STRING, 7) X(complex64, TF_COMPLEX64, 8) \
  X(int64, TF_INT64, 9) X(bool, TF_BOOL, 10) X(qint8, TF_QINT8, 11) X(quint8, TF_QUINT8, 12) \
  X(qint32, TF_QINT32, 13) X(bfloat16, TF_BFLOAT16, 14) X(qint16, TF_QINT16, 15) X(quint16, TF_QUINT16, 16) \
  X(uint16, TF_UINT16, 17) X(complex128, TF_COMPLEX128, 18) X(float16, TF_HALF, 19) X(resource, TF_RESOURCE, 20) \
  X(variant, TF_VARIANT, 21) X(uint32, TF_UINT32, 22) X(uint64, TF_UINT64, 23) \
  X(float8_e5m2, TF_FLOAT8_E5M2, 24) X(float8_e4m3fn, TF_FLOAT8_E4M3FN, 25) \
  X(float8_e4m3fnuz, TF_FLOAT8_E4M3FNUZ, 26) X(float8_e4m3b11fnuz, TF_FLOAT8_E4M3B11FNUZ, 27) \
  X(float8_e5m2fnuz, TF_FLOAT8_E5M2FNUZ, 28) X(int4, TF_INT4, 29) X(uint4, TF_UINT4, 30) \
  X(int2, TF_INT2, 31) X(uint2, TF_UINT2, 32) X(float4_e2m1fn, TF_FLOAT4_E2M1FN, 33)
// clang-format on

namespace tf_session {

#define TF_SESSION_ASSERT(name, type, number) static_assert(type == number, #name " has another number");
TF_SESSION_DTYPES(TF_SESSION_ASSERT)
#undef TF_SESSION_ASSERT

// The name of a data type. The switch has no default: a type that a new header adds is a compile error
// (-Werror=switch) until it stands in the list.
constexpr const char* DTypeName(TF_DataType type) {
  switch (type) {
#define TF_SESSION_CASE(name, type, number) \
  case type:                                \
    return #name;
    TF_SESSION_DTYPES(TF_SESSION_CASE)
#undef TF_SESSION_CASE
  }
  return "unknown";
}

}  // namespace tf_session

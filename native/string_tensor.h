// Tensors of strings: JavaScript strings as UTF-8, Uint8Arrays as they are.
#pragma once

#include <cstdint>
#include <vector>

#include "handles.h"
#include "napi_setup.h"

namespace tf_session {

// JS thread. Copies every string. Throws Error where an element is neither string nor Uint8Array.
TensorPtr StringsFromJs(Napi::Env env, const std::vector<int64_t>& shape, int64_t count,
                        const Napi::Array& strings);

// Any thread. A tensor of the same strings that shares nothing with it.
TensorPtr CopyStrings(const TF_Tensor* tensor, const std::vector<int64_t>& shape);

// JS thread. A flat array: strings where the bytes are UTF-8, else Uint8Arrays; all Uint8Arrays with
// `as_bytes`.
Napi::Value StringsToJs(Napi::Env env, const TF_Tensor* tensor, bool as_bytes);

}  // namespace tf_session

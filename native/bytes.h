// Serialized messages and other bytes, from and to JavaScript. JS thread only.
#pragma once

#include <cstring>
#include <optional>

#include "napi_setup.h"
#include "session_core.h"

namespace tf_session {

// A copy of a Uint8Array; nothing for anything else.
inline std::optional<Bytes> BytesFromJs(const Napi::Value& value) {
  if (!value.IsTypedArray()) return std::nullopt;
  const auto array = value.As<Napi::Uint8Array>();
  return Bytes(array.Data(), array.Data() + array.ByteLength());
}

// A Uint8Array of its own memory.
inline Napi::Value BytesToJs(Napi::Env env, const void* data, size_t size) {
  Napi::Uint8Array array = Napi::Uint8Array::New(env, size);
  if (size > 0) std::memcpy(array.Data(), data, size);
  return array;
}

}  // namespace tf_session

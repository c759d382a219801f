// Strings from JavaScript. JS thread only.
#pragma once

#include <string>
#include <vector>

#include "napi_setup.h"

namespace tf_session {

inline std::vector<std::string> StringsFromJs(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> strings(array.Length());
  for (uint32_t i = 0; i < strings.size(); ++i) strings[i] = array.Get(i).As<Napi::String>().Utf8Value();
  return strings;
}

// Empty where it is none.
inline std::string TextFromJs(const Napi::Value& value) {
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

}  // namespace tf_session

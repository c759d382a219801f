#include "string_tensor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <string>

#include "bytes.h"
#include "utf8.h"

namespace tf_session {
namespace {

void CopyElement(Napi::Env env, napi_value element, TF_TString* out, std::string* scratch) {
  // Most strings are short: one call writes and measures them at once.
  std::array<char, 256> small{};
  size_t length = 0;
  const napi_status status = napi_get_value_string_utf8(env, element, small.data(), small.size(), &length);
  if (status == napi_ok) {
    constexpr size_t kLongestCharacter = 4;  // a string cut off ends at most this far before the end
    if (length + kLongestCharacter < small.size()) return tf().TF_StringCopy(out, small.data(), length);
    (void)napi_get_value_string_utf8(env, element, nullptr, 0, &length);
    scratch->resize(length + 1);
    (void)napi_get_value_string_utf8(env, element, scratch->data(), scratch->size(), &length);
    return tf().TF_StringCopy(out, scratch->data(), length);
  }
  bool is_typed_array = false;
  (void)napi_is_typedarray(env, element, &is_typed_array);
  if (!is_typed_array) {
    throw Error(TF_INVALID_ARGUMENT, "An element of a string tensor is neither a string nor a Uint8Array.");
  }
  void* data = nullptr;
  (void)napi_get_typedarray_info(env, element, nullptr, &length, &data, nullptr, nullptr);
  tf().TF_StringCopy(out, length == 0 ? "" : static_cast<const char*>(data), length);
}

Napi::Value ElementToJs(Napi::Env env, const char* data, size_t size, bool as_bytes) {
  const Encoding encoding = as_bytes ? Encoding::kOther : EncodingOf(data, size);
  napi_value text = nullptr;
  // Strings longer than V8 can hold fail here and are given as bytes.
  if (encoding == Encoding::kAscii && napi_create_string_latin1(env, data, size, &text) == napi_ok) {
    return {env, text};
  }
  if (encoding == Encoding::kUtf8 && napi_create_string_utf8(env, data, size, &text) == napi_ok)
    return {env, text};
  return BytesToJs(env, data, size);
}

// All elements are valid from the start: whatever throws while they are filled, the tensor frees each of
// them.
TensorPtr EmptyStrings(const std::vector<int64_t>& shape, size_t elements) {
  TensorPtr tensor(tf().TF_AllocateTensor(TF_STRING, shape.data(), static_cast<int>(shape.size()),
                                          elements * sizeof(TF_TString)));
  auto* strings = tensor ? static_cast<TF_TString*>(tf().TF_TensorData(tensor.get())) : nullptr;
  if (!tensor || (elements > 0 && strings == nullptr)) throw std::bad_alloc();
  for (size_t i = 0; i < elements; ++i) tf().TF_StringInit(&strings[i]);
  return tensor;
}

}  // namespace

TensorPtr CopyStrings(const TF_Tensor* tensor, const std::vector<int64_t>& shape) {
  const auto* from = static_cast<const TF_TString*>(tf().TF_TensorData(tensor));
  const size_t elements = tf().TF_TensorByteSize(tensor) / sizeof(TF_TString);
  TensorPtr copy = EmptyStrings(shape, elements);
  auto* to = static_cast<TF_TString*>(tf().TF_TensorData(copy.get()));
  for (size_t i = 0; i < elements; ++i) {
    tf().TF_StringCopy(&to[i], tf().TF_StringGetDataPointer(&from[i]), tf().TF_StringGetSize(&from[i]));
  }
  return copy;
}

TensorPtr StringsFromJs(Napi::Env env, const std::vector<int64_t>& shape, int64_t count,
                        const Napi::Array& strings) {
  if (!strings.IsArray() || strings.Length() != static_cast<size_t>(count)) {
    throw Error(TF_INVALID_ARGUMENT,
                "The tensor's shape needs an array of " + std::to_string(count) + " strings.");
  }
  const auto elements = static_cast<size_t>(count);
  TensorPtr tensor = EmptyStrings(shape, elements);
  auto* out = static_cast<TF_TString*>(tf().TF_TensorData(tensor.get()));
  std::string scratch;
  constexpr size_t kElementsPerScope = 1024;  // or a million handles pile up
  for (size_t begin = 0; begin < elements; begin += kElementsPerScope) {
    const Napi::HandleScope scope(env);
    const size_t end = std::min(elements, begin + kElementsPerScope);
    for (size_t i = begin; i < end; ++i) {
      napi_value element = nullptr;
      if (napi_get_element(env, strings, static_cast<uint32_t>(i), &element) != napi_ok) {
        throw Napi::Error::New(env);
      }
      CopyElement(env, element, &out[i], &scratch);
    }
  }
  return tensor;
}

Napi::Value StringsToJs(Napi::Env env, const TF_Tensor* tensor, bool as_bytes) {
  const auto* strings = static_cast<const TF_TString*>(tf().TF_TensorData(tensor));
  const size_t count = tf().TF_TensorByteSize(tensor) / sizeof(TF_TString);
  const Napi::Array array = Napi::Array::New(env, count);
  constexpr size_t kElementsPerScope = 1024;
  for (size_t begin = 0; begin < count; begin += kElementsPerScope) {
    const Napi::HandleScope scope(env);
    const size_t end = std::min(count, begin + kElementsPerScope);
    for (size_t i = begin; i < end; ++i) {
      const char* data = tf().TF_StringGetDataPointer(&strings[i]);
      const size_t size = tf().TF_StringGetSize(&strings[i]);
      array.Set(static_cast<uint32_t>(i), ElementToJs(env, data, size, as_bytes));
    }
  }
  return array;
}

}  // namespace tf_session

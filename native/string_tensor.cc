#include "string_tensor.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "bytes.h"
#include "string_layout.h"
#include "utf8.h"

namespace tf_session {
namespace {

void AddElement(Napi::Env env, napi_value element, StringWriter* out, std::string* scratch) {
  // Most strings are short: one call writes and measures them at once.
  std::array<char, 256> small{};
  size_t length = 0;
  const napi_status status = napi_get_value_string_utf8(env, element, small.data(), small.size(), &length);
  if (status == napi_ok) {
    constexpr size_t kLongestCharacter = 4;  // a string cut off ends at most this far before the end
    if (length + kLongestCharacter < small.size()) return out->Add({small.data(), length});
    (void)napi_get_value_string_utf8(env, element, nullptr, 0, &length);
    scratch->resize(length + 1);
    (void)napi_get_value_string_utf8(env, element, scratch->data(), scratch->size(), &length);
    return out->Add({scratch->data(), length});
  }
  bool is_typed_array = false;
  (void)napi_is_typedarray(env, element, &is_typed_array);
  if (!is_typed_array) {
    throw Error(TF_INVALID_ARGUMENT, "An element of a string tensor is neither a string nor a Uint8Array.");
  }
  void* data = nullptr;
  (void)napi_get_typedarray_info(env, element, nullptr, &length, &data, nullptr, nullptr);
  out->Add(length == 0 ? std::string_view("") : std::string_view(static_cast<const char*>(data), length));
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

}  // namespace

TensorPtr CopyStrings(const TF_Tensor* tensor, const std::vector<int64_t>& shape) {
  const StringReader strings(tensor);
  StringWriter copy(shape, strings.size());
  for (size_t i = 0; i < strings.size(); ++i) copy.Add(strings.At(i));
  return copy.Finish();
}

TensorPtr StringsFromJs(Napi::Env env, const std::vector<int64_t>& shape, int64_t count,
                        const Napi::Array& strings) {
  if (!strings.IsArray() || strings.Length() != static_cast<size_t>(count)) {
    throw Error(TF_INVALID_ARGUMENT,
                "The tensor's shape needs an array of " + std::to_string(count) + " strings.");
  }
  const auto elements = static_cast<size_t>(count);
  StringWriter tensor(shape, elements);
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
      AddElement(env, element, &tensor, &scratch);
    }
  }
  return tensor.Finish();
}

Napi::Value StringsToJs(Napi::Env env, const TF_Tensor* tensor, bool as_bytes) {
  const StringReader strings(tensor);
  const size_t count = strings.size();
  const Napi::Array array = Napi::Array::New(env, count);
  constexpr size_t kElementsPerScope = 1024;
  for (size_t begin = 0; begin < count; begin += kElementsPerScope) {
    const Napi::HandleScope scope(env);
    const size_t end = std::min(count, begin + kElementsPerScope);
    for (size_t i = begin; i < end; ++i) {
      const std::string_view text = strings.At(i);
      array.Set(static_cast<uint32_t>(i), ElementToJs(env, text.data(), text.size(), as_bytes));
    }
  }
  return array;
}

}  // namespace tf_session

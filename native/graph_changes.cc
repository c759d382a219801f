#include "graph_changes.h"

#include <utility>

#include "bytes.h"
#include "js_strings.h"
#include "library.h"

namespace tf_session {
namespace {

// The numbers of nodes, as in lib/native.ts: NativeNodes.
class Numbers {
 public:
  explicit Numbers(const Napi::Float64Array& array)
      : next_(array.Data()), end_(array.Data() + array.ElementLength()) {}

  [[nodiscard]] bool AtEnd() const { return next_ == end_; }
  double Next() {
    if (AtEnd()) throw Error(TF_INTERNAL, "The changes' numbers end early.");
    return *next_++;
  }
  template <typename T>
  T Next() {
    return static_cast<T>(Next());
  }

 private:
  const double* next_;
  const double* end_;
};

// What `add` gets is a node and the number that it stands for.
template <typename Add>
void ForEachNode(const Napi::Object& given, Values* values, const Add& add) {
  Numbers numbers(given.Get("numbers").As<Napi::Float64Array>());
  const auto defs = given.Get("defs").As<Napi::Uint8Array>();
  const auto contents = given.Get("contents").As<Napi::Array>();
  size_t def = 0;
  uint32_t content = 0;
  while (!numbers.AtEnd()) {
    const Napi::HandleScope scope(given.Env());
    NewNode node;
    const auto at = numbers.Next<size_t>();
    const auto size = numbers.Next<size_t>();
    if (size > defs.ByteLength() - def) throw Error(TF_INTERNAL, "The changes' nodes end early.");
    node.node.assign(reinterpret_cast<const char*>(defs.Data()) + def, size);
    def += size;
    node.has_value = numbers.Next() != 0;
    if (node.has_value) {
      node.dtype = numbers.Next<int32_t>();
      node.shape.resize(numbers.Next<uint8_t>());
      for (int64_t& dimension : node.shape) dimension = numbers.Next<int64_t>();
      const Napi::Value value = contents.Get(content++);
      if (numbers.Next() != 0) {
        node.part = {value.As<Napi::String>().Utf8Value(), 0, 0, 0};
        node.part->offset = numbers.Next<uint64_t>();
        node.part->size = numbers.Next<uint64_t>();
        node.part->checksum = numbers.Next<uint32_t>();
      } else {
        const auto array = value.As<Napi::Uint8Array>();
        values->push_back(Napi::Persistent(array));
        node.content = std::string_view(reinterpret_cast<const char*>(array.Data()), array.ByteLength());
      }
      node.factors.resize(numbers.Next<uint32_t>());
      for (double& factor : node.factors) factor = numbers.Next();
    }
    add(at, std::move(node));
  }
}

Replaced ReplacedFromJs(const Napi::Object& given, Values* values) {
  Replaced replaced;
  ForEachNode(given, values, [&](size_t at, NewNode node) { replaced[at].push_back(std::move(node)); });
  return replaced;
}

}  // namespace

GraphChanges GraphChangesFromJs(const Napi::Object& given, Values* values) {
  GraphChanges changes;
  if (const Napi::Value codes = given.Get("codes"); codes.IsTypedArray()) {
    const auto array = codes.As<Napi::Uint32Array>();
    changes.codes.assign(array.Data(), array.Data() + array.ElementLength());
  }
  if (const Napi::Value table = given.Get("table"); table.IsArray()) {
    changes.device_table = StringsFromJs(table);
  }
  if (const Napi::Value replaced = given.Get("replaced"); replaced.IsObject()) {
    changes.replaced = ReplacedFromJs(replaced.As<Napi::Object>(), values);
  }
  if (const Napi::Value added = given.Get("added"); added.IsObject()) {
    ForEachNode(added.As<Napi::Object>(), values,
                [&](size_t, NewNode node) { changes.added.push_back(std::move(node)); });
  }
  if (const Napi::Value copies = given.Get("copies"); copies.IsArray()) {
    const auto list = copies.As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); ++i) {
      const auto entry = list.Get(i).As<Napi::Array>();
      FunctionCopy copy;
      copy.name = entry.Get(1U).As<Napi::String>().Utf8Value();
      copy.replaced = ReplacedFromJs(entry.Get(2U).As<Napi::Object>(), values);
      changes.copies[entry.Get(0U).As<Napi::String>().Utf8Value()].push_back(std::move(copy));
    }
  }
  if (const auto config = BytesFromJs(given.Get("callConfig"))) {
    changes.call_config.assign(config->begin(), config->end());
  }
  return changes;
}

CheckpointPart CheckpointPartFromJs(const Napi::Array& given) {
  CheckpointPart part;
  part.path = given.Get(0U).As<Napi::String>().Utf8Value();
  part.offset = static_cast<uint64_t>(given.Get(1U).As<Napi::Number>().Int64Value());
  part.size = static_cast<uint64_t>(given.Get(2U).As<Napi::Number>().Int64Value());
  part.checksum = given.Get(3U).As<Napi::Number>().Uint32Value();
  return part;
}

}  // namespace tf_session

#include "graph_changes.h"

#include <utility>

#include "bytes.h"
#include "js_strings.h"

namespace tf_session {
namespace {

// The serialized NodeDef; for a constant its value, a Uint8Array or a part of a checkpoint; [dtype, …shape];
// a factor for each place of its last dimensions. Null what it has not.
NewNode NewNodeFromJs(const Napi::Array& entry, Values* values) {
  NewNode node;
  if (const auto bytes = BytesFromJs(entry.Get(0U))) node.node.assign(bytes->begin(), bytes->end());
  const Napi::Value content = entry.Get(1U);
  if (content.IsTypedArray()) {
    const auto array = content.As<Napi::Uint8Array>();
    values->push_back(Napi::Persistent(array));
    node.content = std::string_view(reinterpret_cast<const char*>(array.Data()), array.ByteLength());
  } else if (content.IsArray()) {
    node.part = CheckpointPartFromJs(content.As<Napi::Array>());
  } else {
    return node;
  }
  node.has_value = true;
  const auto type = entry.Get(2U).As<Napi::Array>();
  node.dtype = type.Get(0U).As<Napi::Number>().Int32Value();
  for (uint32_t i = 1; i < type.Length(); ++i) {
    node.shape.push_back(type.Get(i).As<Napi::Number>().Int64Value());
  }
  if (const Napi::Value factors = entry.Get(3U); factors.IsTypedArray()) {
    const auto array = factors.As<Napi::Float64Array>();
    node.factors.assign(array.Data(), array.Data() + array.ElementLength());
  }
  return node;
}

std::vector<NewNode> NewNodesFromJs(const Napi::Array& given, Values* values) {
  std::vector<NewNode> nodes;
  nodes.reserve(given.Length());
  for (uint32_t i = 0; i < given.Length(); ++i) {
    nodes.push_back(NewNodeFromJs(given.Get(i).As<Napi::Array>(), values));
  }
  return nodes;
}

// A number and its nodes, in turn.
Replaced ReplacedFromJs(const Napi::Array& given, Values* values) {
  Replaced replaced;
  for (uint32_t i = 0; i + 1 < given.Length(); i += 2) {
    const Napi::HandleScope scope(given.Env());
    replaced[given.Get(i).As<Napi::Number>().Uint32Value()] =
        NewNodesFromJs(given.Get(i + 1).As<Napi::Array>(), values);
  }
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
  if (const Napi::Value replaced = given.Get("replaced"); replaced.IsArray()) {
    changes.replaced = ReplacedFromJs(replaced.As<Napi::Array>(), values);
  }
  if (const Napi::Value added = given.Get("added"); added.IsArray()) {
    changes.added = NewNodesFromJs(added.As<Napi::Array>(), values);
  }
  if (const Napi::Value copies = given.Get("copies"); copies.IsArray()) {
    const auto list = copies.As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); ++i) {
      const auto entry = list.Get(i).As<Napi::Array>();
      FunctionCopy copy;
      copy.name = entry.Get(1U).As<Napi::String>().Utf8Value();
      copy.replaced = ReplacedFromJs(entry.Get(2U).As<Napi::Array>(), values);
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

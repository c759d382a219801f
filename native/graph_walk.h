// GraphDef bytes, field by field, without decoding what nobody asks for. Knows neither Node-API nor
// TensorFlow; any thread. Throws protozero::exception where the bytes are no message.
//
// Every walk numbers the nodes alike: those of the main graph in the order of the bytes, then each library
// function's, in the order of the bytes.
#pragma once

#include <string_view>

#include "protozero_setup.h"

namespace tf_session {

// Field numbers of tensorflow/core/framework/{graph,function,node_def,attr_value}.proto.
namespace graph_field {
constexpr protozero::pbf_tag_type kNode = 1;           // GraphDef
constexpr protozero::pbf_tag_type kLibrary = 2;        // GraphDef
constexpr protozero::pbf_tag_type kFunction = 1;       // FunctionDefLibrary
constexpr protozero::pbf_tag_type kGradient = 2;       // FunctionDefLibrary
constexpr protozero::pbf_tag_type kGradientOf = 1;     // GradientDef
constexpr protozero::pbf_tag_type kGradientName = 2;   // GradientDef
constexpr protozero::pbf_tag_type kSignature = 1;      // FunctionDef
constexpr protozero::pbf_tag_type kFunctionNode = 3;   // FunctionDef
constexpr protozero::pbf_tag_type kFunctionAttr = 5;   // FunctionDef
constexpr protozero::pbf_tag_type kOpAttr = 4;         // OpDef
constexpr protozero::pbf_tag_type kDefault = 3;        // OpDef.AttrDef
constexpr protozero::pbf_tag_type kFuncAttr = 2;       // NameAttrList
constexpr protozero::pbf_tag_type kName = 1;           // OpDef, NodeDef, NameAttrList
constexpr protozero::pbf_tag_type kOp = 2;             // NodeDef
constexpr protozero::pbf_tag_type kInput = 3;          // NodeDef
constexpr protozero::pbf_tag_type kDevice = 4;         // NodeDef
constexpr protozero::pbf_tag_type kAttr = 5;           // NodeDef
constexpr protozero::pbf_tag_type kKey = 1;            // an entry of a map
constexpr protozero::pbf_tag_type kValue = 2;          // an entry of a map
constexpr protozero::pbf_tag_type kList = 1;           // AttrValue
constexpr protozero::pbf_tag_type kString = 2;         // AttrValue
constexpr protozero::pbf_tag_type kTensor = 8;         // AttrValue
constexpr protozero::pbf_tag_type kTensorDType = 1;    // TensorProto
constexpr protozero::pbf_tag_type kTensorShape = 2;    // TensorProto
constexpr protozero::pbf_tag_type kTensorContent = 4;  // TensorProto
constexpr protozero::pbf_tag_type kDimension = 2;      // TensorShapeProto
constexpr protozero::pbf_tag_type kDimensionSize = 1;  // TensorShapeProto.Dim
constexpr protozero::pbf_tag_type kFunc = 10;          // AttrValue
constexpr protozero::pbf_tag_type kListFunc = 9;       // AttrValue.ListValue
}  // namespace graph_field

struct Field {
  protozero::pbf_tag_type number;
  std::string_view whole;    // with its tag, as it would be copied
  std::string_view payload;  // of a string, bytes or message; empty for others
  bool is_payload;
};

// Calls `visit(const Field&)` for each field of a message, in order.
template <typename Visit>
void ForEachField(std::string_view message, Visit&& visit) {
  protozero::pbf_reader reader(message.data(), message.size());
  const char* const end = message.data() + message.size();
  const char* start = message.data();
  while (reader.next()) {
    Field field{reader.tag(), {}, {}, false};
    if (reader.wire_type() == protozero::pbf_wire_type::length_delimited) {
      const auto view = reader.get_view();
      field.payload = std::string_view(view.data(), view.size());
      field.is_payload = true;
    } else {
      reader.skip();
    }
    const char* const after = end - reader.length();
    field.whole = std::string_view(start, static_cast<size_t>(after - start));
    start = after;
    visit(field);
  }
}

// Calls `visit(payload)` for each string, bytes or message field of that number.
template <typename Visit>
void ForEachPayload(std::string_view message, protozero::pbf_tag_type number, Visit&& visit) {
  ForEachField(message, [&](const Field& field) {
    if (field.is_payload && field.number == number) visit(field.payload);
  });
}

// The last field of that number, as protobuf reads it; empty where there is none.
inline std::string_view Payload(std::string_view message, protozero::pbf_tag_type number) {
  std::string_view found;
  ForEachPayload(message, number, [&](std::string_view payload) { found = payload; });
  return found;
}

// The name of a FunctionDef. Protobuf merges a signature that stands in several parts.
inline std::string_view FunctionName(std::string_view function) {
  std::string_view name;
  ForEachPayload(function, graph_field::kSignature, [&](std::string_view signature) {
    ForEachPayload(signature, graph_field::kName, [&](std::string_view part) { name = part; });
  });
  return name;
}

// Calls `visit(function name, function)` for each function of the library.
template <typename Visit>
void ForEachFunction(std::string_view graph, Visit&& visit) {
  ForEachPayload(graph, graph_field::kLibrary, [&](std::string_view library) {
    ForEachPayload(library, graph_field::kFunction,
                   [&](std::string_view function) { visit(FunctionName(function), function); });
  });
}

// Calls `visit(key, value)` for each attribute of a message.
template <typename Visit>
void ForEachAttribute(std::string_view message, protozero::pbf_tag_type number, Visit&& visit) {
  ForEachPayload(message, number, [&](std::string_view entry) {
    std::string_view key;
    ForEachPayload(entry, graph_field::kKey, [&](std::string_view part) { key = part; });
    ForEachPayload(entry, graph_field::kValue, [&](std::string_view value) { visit(key, value); });
  });
}

// Protobuf itself reads no message that is nested deeper.
constexpr int kDeepest = 100;

// Calls `visit(name, to)` for each function that an AttrValue names. A function may be given others as
// attributes, for its own nodes to call: `to` is who is given it, empty where it is no function.
template <typename Visit>
void ForEachNamed(std::string_view value, Visit&& visit, std::string_view to = {}, int depth = 0) {
  if (depth > kDeepest) return;
  const auto named = [&](std::string_view func) {
    const std::string_view name = Payload(func, graph_field::kName);
    visit(name, to);
    ForEachAttribute(func, graph_field::kFuncAttr, [&](std::string_view, std::string_view given) {
      ForEachNamed(given, visit, name, depth + 1);
    });
  };
  ForEachField(value, [&](const Field& part) {
    if (!part.is_payload) return;
    if (part.number == graph_field::kFunc) named(part.payload);
    if (part.number == graph_field::kList) ForEachPayload(part.payload, graph_field::kListFunc, named);
  });
}

// Calls `visit(name, to)`, as above, for each function that the node names in an attribute.
template <typename Visit>
void ForEachCallee(std::string_view node, Visit&& visit) {
  ForEachAttribute(node, graph_field::kAttr,
                   [&](std::string_view, std::string_view value) { ForEachNamed(value, visit); });
}

}  // namespace tf_session

#include "graph_rewrite.h"

#include <iterator>
#include <limits>
#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>
#include <stdexcept>
#include <utility>

#include "graph_walk.h"

namespace tf_session {
namespace {

namespace field = graph_field;

// Protobuf's own limit for a message.
constexpr size_t kMostBytes = std::numeric_limits<int32_t>::max();

// The one buffer that the new graph is written to: with constants in it, each copy of a part would be a copy
// of all weights of a model.
class Output {
 public:
  explicit Output(size_t expected) { bytes_.reserve(expected); }

  void Copy(std::string_view bytes) { bytes_.append(bytes); }
  void Tag(protozero::pbf_tag_type number) { Varint(number << 3U | 2U); }
  void Varint(uint64_t value) { protozero::write_varint(std::back_inserter(bytes_), value); }
  void Add(protozero::pbf_tag_type number, std::string_view payload) {
    Tag(number);
    Varint(payload.size());
    Copy(payload);
  }

  // A message whose length is not known yet: in five bytes, which may hold more than it takes.
  size_t Begin(protozero::pbf_tag_type number) {
    Tag(number);
    bytes_.append(kLengthBytes, '\0');
    return bytes_.size();
  }
  void End(size_t begin) {
    size_t length = bytes_.size() - begin;
    if (length > kMostBytes) throw std::length_error("the rewritten graph is larger than 2 GiB");
    for (size_t i = 0; i < kLengthBytes; ++i, length >>= 7U) {
      const bool is_last = i + 1 == kLengthBytes;
      bytes_[begin - kLengthBytes + i] = static_cast<char>((length & 0x7fU) | (is_last ? 0U : 0x80U));
    }
  }

  std::string Take() {
    if (bytes_.size() > kMostBytes) throw std::length_error("the rewritten graph is larger than 2 GiB");
    return std::move(bytes_);
  }

 private:
  static constexpr size_t kLengthBytes = 5;
  std::string bytes_;
};

size_t ExpectedSize(std::string_view graph, const GraphChanges& changes) {
  size_t size = graph.size() + graph.size() / 8;
  for (const auto& [number, nodes] : changes.replaced) {
    for (const NewNode& node : nodes) size += node.content.size();
  }
  return size;
}

class Rewriter {
 public:
  Rewriter(std::string_view graph, const GraphChanges& changes, size_t main_count)
      : graph_(graph),
        changes_(changes),
        next_function_node_(main_count),
        out_(ExpectedSize(graph, changes)) {}

  std::string Graph() {
    for (const NewNode& node : changes_.added) Write(node, field::kNode, 0);
    ForEachField(graph_, [&](const Field& part) {
      if (part.is_payload && part.number == field::kNode) {
        Node(part, field::kNode, &next_main_node_);
      } else if (part.is_payload && part.number == field::kLibrary) {
        const size_t library = out_.Begin(field::kLibrary);
        ForEachField(part.payload, [&](const Field& inner) {
          if (inner.is_payload && inner.number == field::kFunction) {
            Function(inner.payload);
          } else {
            out_.Copy(inner.whole);
          }
        });
        out_.End(library);
      } else {
        out_.Copy(part.whole);
      }
    });
    if (!changes_.codes.empty() && next_function_node_ != changes_.codes.size()) {
      throw std::invalid_argument("the number of nodes differs");
    }
    return out_.Take();
  }

 private:
  void Function(std::string_view function) {
    const size_t begin = out_.Begin(field::kFunction);
    ForEachField(function, [&](const Field& part) {
      if (part.is_payload && part.number == field::kFunctionNode) {
        Node(part, field::kFunctionNode, &next_function_node_);
      } else {
        out_.Copy(part.whole);
      }
    });
    out_.End(begin);
  }

  void Node(const Field& node, protozero::pbf_tag_type number, size_t* next) {
    const size_t at = (*next)++;
    if (!changes_.codes.empty() && at >= changes_.codes.size()) {
      throw std::invalid_argument("the number of nodes differs");
    }
    const uint32_t code = changes_.codes.empty() ? 0 : changes_.codes[at];
    const auto replaced = changes_.replaced.find(at);
    if (replaced != changes_.replaced.end()) {
      for (const NewNode& made : replaced->second) Write(made, number, code);
    } else if (code == 0 && changes_.call_config.empty()) {
      out_.Copy(node.whole);
    } else {
      const size_t begin = out_.Begin(number);
      Changed(node.payload, code);
      out_.End(begin);
    }
  }

  void Write(const NewNode& node, protozero::pbf_tag_type number, uint32_t code) {
    const size_t begin = out_.Begin(number);
    Changed(node.node, code);
    if (node.has_value) Value(node);
    out_.End(begin);
  }

  // The attribute `value`, which holds a TensorProto.
  void Value(const NewNode& node) {
    const size_t entry = out_.Begin(field::kAttr);
    out_.Add(field::kKey, "value");
    const size_t value = out_.Begin(field::kValue);
    const size_t tensor = out_.Begin(field::kTensor);
    out_.Varint(field::kTensorDType << 3U);
    out_.Varint(static_cast<uint64_t>(node.dtype));
    const size_t shape = out_.Begin(field::kTensorShape);
    for (const int64_t size : node.shape) {
      const size_t dimension = out_.Begin(field::kDimension);
      out_.Varint(field::kDimensionSize << 3U);
      out_.Varint(static_cast<uint64_t>(size));
      out_.End(dimension);
    }
    out_.End(shape);
    out_.Add(field::kTensorContent, node.content);
    out_.End(tensor);
    out_.End(value);
    out_.End(entry);
  }

  void Changed(std::string_view node, uint32_t code) {
    const bool drops_class = (code & GraphChanges::kDropClass) != 0;
    const uint32_t device = code & ~GraphChanges::kDropClass;
    if (device > changes_.device_table.size()) throw std::invalid_argument("there is no such device number");
    ForEachField(node, [&](const Field& part) {
      if (part.is_payload && part.number == field::kDevice && device != 0) return;
      if (part.is_payload && part.number == field::kAttr) {
        const std::string_view key = Payload(part.payload, field::kKey);
        if (drops_class && key == "_class") return;
        if (!changes_.call_config.empty() && key == "config_proto") {
          out_.Add(field::kAttr, WithCallConfig(part.payload));
          return;
        }
      }
      out_.Copy(part.whole);
    });
    if (device != 0 && !changes_.device_table[device - 1].empty()) {
      out_.Add(field::kDevice, changes_.device_table[device - 1]);
    }
  }

  // A message appended to another one of its type is merged into it: that is how protobuf reads.
  [[nodiscard]] std::string WithCallConfig(std::string_view entry) const {
    std::string config(Payload(Payload(entry, field::kValue), field::kString));
    config += changes_.call_config;
    std::string value;
    protozero::pbf_writer(value).add_bytes(field::kString, config);
    std::string out;
    protozero::pbf_writer writer(out);
    writer.add_string(field::kKey, "config_proto");
    writer.add_bytes(field::kValue, value);
    return out;
  }

  std::string_view graph_;
  const GraphChanges& changes_;
  size_t next_main_node_ = 0;
  size_t next_function_node_;
  Output out_;
};

}  // namespace

std::string RewriteGraph(std::string_view graph, size_t main_count, const GraphChanges& changes) {
  return Rewriter(graph, changes, main_count).Graph();
}

}  // namespace tf_session

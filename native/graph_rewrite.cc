#include "graph_rewrite.h"

#include <cstring>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <utility>

#include "graph_walk.h"
#include "protozero_setup.h"

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

  // Room for a payload that is written in place.
  char* Grow(protozero::pbf_tag_type number, size_t size) {
    Tag(number);
    Varint(size);
    const size_t at = bytes_.size();
    bytes_.resize(at + size);
    return bytes_.data() + at;
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
  const auto add = [&size](const Replaced& replaced) {
    for (const auto& [number, nodes] : replaced) {
      for (const NewNode& node : nodes) size += node.size();
    }
  };
  add(changes.replaced);
  for (const auto& [name, copies] : changes.copies) {
    for (const FunctionCopy& copy : copies) add(copy.replaced);
  }
  return size;
}

// The bytes need not be aligned.
void Multiply(char* floats, size_t size, const std::vector<double>& factors) {
  size_t k = 0;
  for (size_t at = 0; at + sizeof(float) <= size; at += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, floats + at, sizeof(value));
    value = static_cast<float>(value * factors[k]);
    std::memcpy(floats + at, &value, sizeof(value));
    if (++k == factors.size()) k = 0;
  }
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
        Node(part, field::kNode, changes_.replaced, &next_main_node_);
      } else if (part.is_payload && part.number == field::kLibrary) {
        const size_t library = out_.Begin(field::kLibrary);
        ForEachField(part.payload, [&](const Field& inner) {
          if (inner.is_payload && inner.number == field::kFunction) {
            FunctionAndCopies(inner.payload);
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
  void FunctionAndCopies(std::string_view function) {
    const size_t first = next_function_node_;
    Function(function, changes_.replaced, {});
    if (changes_.copies.empty()) return;
    const auto copies =
        changes_.copies.find(std::string(Payload(Payload(function, field::kSignature), field::kName)));
    if (copies == changes_.copies.end()) return;
    for (const FunctionCopy& copy : copies->second) {
      next_function_node_ = first;
      Function(function, copy.replaced, copy.name);
    }
  }

  // Under its own name where `name` is empty.
  void Function(std::string_view function, const Replaced& replaced, std::string_view name) {
    const size_t begin = out_.Begin(field::kFunction);
    ForEachField(function, [&](const Field& part) {
      if (part.is_payload && part.number == field::kFunctionNode) {
        Node(part, field::kFunctionNode, replaced, &next_function_node_);
      } else if (part.is_payload && part.number == field::kSignature && !name.empty()) {
        const size_t signature = out_.Begin(field::kSignature);
        ForEachField(part.payload, [&](const Field& inner) {
          if (inner.number != field::kName) out_.Copy(inner.whole);
        });
        out_.Add(field::kName, name);
        out_.End(signature);
      } else {
        out_.Copy(part.whole);
      }
    });
    out_.End(begin);
  }

  void Node(const Field& node, protozero::pbf_tag_type number, const Replaced& all, size_t* next) {
    const size_t at = (*next)++;
    if (!changes_.codes.empty() && at >= changes_.codes.size()) {
      throw std::invalid_argument("the number of nodes differs");
    }
    const uint32_t code = changes_.codes.empty() ? 0 : changes_.codes[at];
    const auto replaced = all.find(at);
    if (replaced != all.end()) {
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
    Content(node);
    out_.End(tensor);
    out_.End(value);
    out_.End(entry);
  }

  void Content(const NewNode& node) {
    char* const into = out_.Grow(field::kTensorContent, node.size());
    if (node.part) {
      ReadPart(*node.part, into);
    } else {
      std::memcpy(into, node.content.data(), node.content.size());
    }
    if (!node.factors.empty()) Multiply(into, node.size(), node.factors);
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

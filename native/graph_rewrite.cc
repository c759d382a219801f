#include "graph_rewrite.h"

#include <iterator>
#include <limits>
#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>
#include <stdexcept>

#include "graph_walk.h"

namespace tf_session {
namespace {

namespace field = graph_field;

// Protobuf's own limit for a message.
constexpr size_t kMostBytes = std::numeric_limits<int32_t>::max();

class Rewriter {
 public:
  Rewriter(const GraphChanges& changes, size_t main_count)
      : changes_(changes), next_function_node_(main_count) {}

  std::string Graph(std::string_view graph) {
    std::string out;
    size_t values = 0;
    for (const auto& [number, nodes] : changes_.replaced) {
      for (const NewNode& node : nodes) values += node.content.size();
    }
    out.reserve(graph.size() + graph.size() / 8 + values);
    for (const NewNode& node : changes_.added) Add(field::kNode, WithValue(node), &out);
    ForEachField(graph, [&](const Field& part) {
      if (part.is_payload && part.number == field::kNode) {
        Node(part, field::kNode, &next_main_node_, &out);
      } else if (part.is_payload && part.number == field::kLibrary) {
        std::string library;
        ForEachField(part.payload, [&](const Field& inner) {
          if (inner.is_payload && inner.number == field::kFunction) {
            Function(inner.payload, &library);
          } else {
            library.append(inner.whole);
          }
        });
        Add(field::kLibrary, library, &out);
      } else {
        out.append(part.whole);
      }
    });
    if (!changes_.codes.empty() && next_function_node_ != changes_.codes.size()) {
      throw std::invalid_argument("the number of nodes differs");
    }
    if (out.size() > kMostBytes) throw std::length_error("the rewritten graph is larger than 2 GiB");
    return out;
  }

 private:
  void Function(std::string_view function, std::string* library) {
    std::string& out = function_;  // one buffer for all: some hold all weights of a model
    out.clear();
    ForEachField(function, [&](const Field& part) {
      if (part.is_payload && part.number == field::kFunctionNode) {
        Node(part, field::kFunctionNode, &next_function_node_, &out);
      } else {
        out.append(part.whole);
      }
    });
    Add(field::kFunction, out, library);
  }

  void Node(const Field& node, protozero::pbf_tag_type number, size_t* next, std::string* out) {
    const size_t at = (*next)++;
    if (!changes_.codes.empty() && at >= changes_.codes.size()) {
      throw std::invalid_argument("the number of nodes differs");
    }
    const uint32_t code = changes_.codes.empty() ? 0 : changes_.codes[at];
    const auto replaced = changes_.replaced.find(at);
    if (replaced != changes_.replaced.end()) {
      for (const NewNode& made : replaced->second) Changed(WithValue(made), number, code, out);
    } else if (code == 0 && changes_.call_config.empty()) {
      out->append(node.whole);
    } else {
      Changed(node.payload, number, code, out);
    }
  }

  void Changed(std::string_view node, protozero::pbf_tag_type number, uint32_t code, std::string* out) {
    if (code == 0 && changes_.call_config.empty()) return Add(number, node, out);
    const bool drops_class = (code & GraphChanges::kDropClass) != 0;
    const uint32_t device = code & ~GraphChanges::kDropClass;
    if (device > changes_.device_table.size()) throw std::invalid_argument("there is no such device number");
    scratch_.clear();
    ForEachField(node, [&](const Field& part) {
      if (part.is_payload && part.number == field::kDevice && device != 0) return;
      if (part.is_payload && part.number == field::kAttr) {
        const std::string_view key = Payload(part.payload, field::kKey);
        if (drops_class && key == "_class") return;
        if (!changes_.call_config.empty() && key == "config_proto") {
          Add(field::kAttr, WithCallConfig(part.payload), &scratch_);
          return;
        }
      }
      scratch_.append(part.whole);
    });
    if (device != 0 && !changes_.device_table[device - 1].empty()) {
      Add(field::kDevice, changes_.device_table[device - 1], &scratch_);
    }
    Add(number, scratch_, out);
  }

  // The node with its value, an attribute that holds a TensorProto.
  [[nodiscard]] static std::string WithValue(const NewNode& node) {
    if (!node.has_value) return node.node;
    std::string head;  // of the TensorProto
    protozero::pbf_writer tensor(head);
    tensor.add_enum(field::kTensorDType, node.dtype);
    {
      protozero::pbf_writer shape(tensor, field::kTensorShape);
      for (const int64_t size : node.shape) {
        protozero::pbf_writer dimension(shape, field::kDimension);
        dimension.add_int64(field::kDimensionSize, size);
      }
    }
    const auto header = [](protozero::pbf_tag_type number, size_t size) {
      std::string text;
      protozero::write_varint(std::back_inserter(text), number << 3U | 2U);
      protozero::write_varint(std::back_inserter(text), size);
      return text;
    };
    // From the inside out, so that the content is copied once.
    const std::string content = header(field::kTensorContent, node.content.size());
    const size_t tensor_size = head.size() + content.size() + node.content.size();
    const std::string attr = header(field::kTensor, tensor_size);
    const std::string value = header(field::kValue, attr.size() + tensor_size);
    std::string key;
    Add(field::kKey, "value", &key);
    const size_t entry_size = key.size() + value.size() + attr.size() + tensor_size;
    const std::string entry = header(field::kAttr, entry_size);
    if (entry_size > kMostBytes) throw std::length_error("a constant is larger than 2 GiB");
    std::string out;
    out.reserve(node.node.size() + entry.size() + entry_size);
    for (const std::string_view part : {std::string_view(node.node), std::string_view(entry), std::string_view(key),
                                        std::string_view(value), std::string_view(attr), std::string_view(head),
                                        std::string_view(content), node.content}) {
      out.append(part);
    }
    return out;
  }

  // A message appended to another one of its type is merged into it: that is how protobuf reads.
  [[nodiscard]] std::string WithCallConfig(std::string_view entry) const {
    std::string config(Payload(Payload(entry, field::kValue), field::kString));
    config += changes_.call_config;
    std::string value;
    Add(field::kString, config, &value);
    std::string out;
    Add(field::kKey, "config_proto", &out);
    Add(field::kValue, value, &out);
    return out;
  }

  static void Add(protozero::pbf_tag_type number, std::string_view payload, std::string* out) {
    if (payload.size() > kMostBytes) throw std::length_error("the rewritten graph is larger than 2 GiB");
    protozero::pbf_writer writer(*out);
    writer.add_bytes(number, payload.data(), payload.size());
  }

  const GraphChanges& changes_;
  size_t next_main_node_ = 0;
  size_t next_function_node_;
  std::string scratch_;
  std::string function_;
};

}  // namespace

std::string RewriteGraph(std::string_view graph, size_t main_count, const GraphChanges& changes) {
  return Rewriter(changes, main_count).Graph(graph);
}

}  // namespace tf_session

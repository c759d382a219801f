#include "graph_rewrite.h"

#include <limits>
#include <protozero/pbf_writer.hpp>
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
    out.reserve(graph.size() + graph.size() / 8);
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
    std::string out;
    out.reserve(function.size() + function.size() / 8);
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
    if (code == 0 && changes_.call_config.empty()) {
      out->append(node.whole);
      return;
    }
    const bool drops_class = (code & GraphChanges::kDropClass) != 0;
    const uint32_t device = code & ~GraphChanges::kDropClass;
    if (device > changes_.device_table.size()) throw std::invalid_argument("there is no such device number");
    scratch_.clear();
    ForEachField(node.payload, [&](const Field& part) {
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
};

}  // namespace

std::string RewriteGraph(std::string_view graph, size_t main_count, const GraphChanges& changes) {
  return Rewriter(changes, main_count).Graph(graph);
}

}  // namespace tf_session

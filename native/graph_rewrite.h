// GraphDef bytes in, GraphDef bytes out, devices and nodes changed; all that is not changed is copied as it
// is. Knows neither Node-API nor TensorFlow; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tf_session {

// A serialized NodeDef, and for a constant what its `value` attribute is to hold, as a view of memory that
// outlives the rewriting: no message with it inside is made before the graph itself.
struct NewNode {
  std::string node;
  bool has_value = false;
  int32_t dtype = 0;
  std::vector<int64_t> shape;
  std::string_view content;
};

struct GraphChanges {
  // A node each, numbered as in graph_walk.h: 0 leaves the device, k sets it to device_table[k - 1]; with
  // kDropClass the `_class` attribute (colocation) goes. Empty: no node changes.
  std::vector<uint32_t> codes;
  std::vector<std::string> device_table;
  // A serialized ConfigProto that is merged into the `config_proto` attribute of every node that has one.
  std::string call_config;

  // Nodes that stand in place of another, by its number. The changes above hold for them, too.
  std::unordered_map<size_t, std::vector<NewNode>> replaced;
  // Nodes that the main graph gets in addition.
  std::vector<NewNode> added;

  static constexpr uint32_t kDropClass = 1U << 31;

  [[nodiscard]] bool empty() const {
    return codes.empty() && call_config.empty() && replaced.empty() && added.empty();
  }
};

// `main_count` is how many nodes the main graph has. Throws protozero::exception where the bytes are no
// GraphDef, std::invalid_argument where the codes are not for this graph, std::length_error above 2 GiB.
std::string RewriteGraph(std::string_view graph, size_t main_count, const GraphChanges& changes);

}  // namespace tf_session

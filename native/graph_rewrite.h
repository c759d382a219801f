// GraphDef bytes in, GraphDef bytes out, devices and nodes changed; all that is not changed is copied as it
// is. Knows neither Node-API nor TensorFlow; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "checkpoint_part.h"

namespace tf_session {

// A serialized NodeDef, and for a constant what its `value` attribute is to hold: a view of memory that
// outlives the rewriting, or a part of a checkpoint. No message with it inside is made before the graph
// itself.
struct NewNode {
  std::string node;
  bool has_value = false;
  int32_t dtype = 0;
  std::vector<int64_t> shape;
  std::string_view content;
  std::optional<CheckpointPart> part;
  // Of float32 values: the one at k is multiplied by that at k modulo their number. Empty: they stay.
  std::vector<double> factors;

  [[nodiscard]] size_t size() const { return part ? part->size : content.size(); }
};

// Nodes that stand in place of another, by its number.
using Replaced = std::unordered_map<size_t, std::vector<NewNode>>;

// A function once more, under another name; its nodes have the numbers of the first one's.
struct FunctionCopy {
  std::string name;
  Replaced replaced;
};

struct GraphChanges {
  // A node each, numbered as in graph_walk.h: 0 leaves the device, k sets it to device_table[k - 1]; with
  // kDropClass the `_class` attribute (colocation) goes. Empty: no node changes.
  std::vector<uint32_t> codes;
  std::vector<std::string> device_table;
  // A serialized ConfigProto that is merged into the `config_proto` attribute of every node that has one.
  std::string call_config;

  // The changes above hold for these nodes, too.
  Replaced replaced;
  // By the function's name.
  std::unordered_map<std::string, std::vector<FunctionCopy>> copies;
  // Nodes that the main graph gets in addition.
  std::vector<NewNode> added;

  static constexpr uint32_t kDropClass = 1U << 31;

  [[nodiscard]] bool empty() const {
    return codes.empty() && call_config.empty() && replaced.empty() && copies.empty() && added.empty();
  }
};

// `main_count` is how many nodes the main graph has. Throws protozero::exception where the bytes are no
// GraphDef, std::invalid_argument where the changes are not for this graph, std::length_error above 2 GiB,
// what ReadPart throws.
std::string RewriteGraph(std::string_view graph, size_t main_count, const GraphChanges& changes);

}  // namespace tf_session

// Look-ups in a TF_Graph.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "handles.h"

namespace tf_session {

// "op:index" or "op" (index 0). Throws INVALID_ARGUMENT where the graph has no such op or the op no such
// output.
TF_Output FindOutput(TF_Graph* graph, const std::string& name);

// An op by name; "op:0" is taken too. Throws INVALID_ARGUMENT.
TF_Operation* FindOperation(TF_Graph* graph, const std::string& name);

// What the graph says of a tensor's shape: -1 where any size goes; nothing where any rank does.
std::optional<std::vector<int64_t>> ShapeOf(TF_Graph* graph, TF_Output tensor);

// Every op's name, in the graph's own order.
std::vector<std::string> OperationNames(TF_Graph* graph);

}  // namespace tf_session

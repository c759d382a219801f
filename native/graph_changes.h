// What of a graph is to change, as JavaScript gives it.
#pragma once

#include <vector>

#include "graph_rewrite.h"
#include "napi_setup.h"

namespace tf_session {

using Values = std::vector<Napi::Reference<Napi::Uint8Array>>;

// JS thread. `values` gets the arrays that constants are views of: they have to outlive the changes.
GraphChanges GraphChangesFromJs(const Napi::Object& given, Values* values);

// JS thread. A part of a checkpoint: [path, offset, size, checksum].
CheckpointPart CheckpointPartFromJs(const Napi::Array& given);

}  // namespace tf_session

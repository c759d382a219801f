// What TensorFlow relies on in a graph without looking: where it does not hold, it ends the process, or takes
// memory without end. Knows neither Node-API nor TensorFlow; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tf_session {

struct GraphFault {
  uint32_t node;  // numbered as in graph_walk.h
  std::string text;
};

// The first few. Throws protozero::exception where the bytes are no GraphDef.
std::vector<GraphFault> FindFaults(std::string_view graph);

}  // namespace tf_session

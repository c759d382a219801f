// Whether a graph may run as a whole in the thread that calls. Knows neither Node-API nor TensorFlow; any
// thread.
#pragma once

#include <string_view>

namespace tf_session {

// False for graphs with loops, where an op that ends later calls the next iteration from within its own end,
// one deeper each time; with ops that wait for other ops of the graph; and with ops that hand work to the
// run's threads themselves; and for bytes that are no GraphDef.
bool GraphFitsCaller(std::string_view graph);

}  // namespace tf_session

// Whether the ops of a graph may run in the thread that calls. Knows neither Node-API nor TensorFlow; any
// thread.
#pragma once

#include <string_view>

namespace tf_session {

struct CallerFitness {
  // A call of a function goes on with what comes after it from within its own end, one deeper on the stack
  // each time. False where that may go deeper than a thread's stack: many calls, or calls in a loop. There
  // the process would end.
  bool is_safe = false;
  // Nothing speaks against trying it unasked either: safe, no loops, no ops that wait for other ops of the
  // graph, none that hand work to the run's threads themselves.
  bool is_simple = false;
};

// Neither for bytes that are no GraphDef.
CallerFitness FitnessForCaller(std::string_view graph);

}  // namespace tf_session

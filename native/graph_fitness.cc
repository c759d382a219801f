#include "graph_fitness.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <unordered_map>

#include "graph_walk.h"

namespace tf_session {
namespace {

namespace field = graph_field;

// Calls in all of one run. 1,000 in a row still ran on a stack of 8 MiB, 500 on a worker thread's of 4.
constexpr uint32_t kMostCalls = 200;
constexpr uint32_t kEndless = UINT32_MAX;

uint32_t Sum(uint32_t a, uint32_t b) { return b > kEndless - a ? kEndless : a + b; }

template <size_t N>
bool HoldsOneOf(std::string_view text, const std::array<std::string_view, N>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

// Parts of the names of op types.
constexpr std::array<std::string_view, 4> kLoops = {"While", "Enter", "NextIteration", "LoopCond"};
constexpr std::array<std::string_view, 8> kWaiting = {"Stage", "Dataset", "Iterator",    "Barrier",
                                                      "Queue", "MapPeek", "Accumulator", "Collective"};

class Fitness {
 public:
  explicit Fitness(std::string_view graph) : graph_(graph) {
    ForEachFunction(graph, [&](std::string_view name, std::string_view function) {
      functions_.emplace(name, Function{function});
    });
  }

  CallerFitness Of() {
    const uint32_t calls = CallsOf(graph_, field::kNode);
    for (auto& entry : functions_) (void)CallsOfFunction(entry.first);  // for what they hold
    const bool is_safe = calls <= kMostCalls;
    return {is_safe, is_safe && is_simple_};
  }

 private:
  struct Function {
    std::string_view bytes;
    uint32_t calls = kEndless;  // as long as it is being counted: one that calls itself never ends
    bool is_counted = false;
  };

  uint32_t CallsOfFunction(std::string_view name) {
    const auto found = functions_.find(name);
    if (found == functions_.end()) return 0;
    Function& function = found->second;
    // Who calls it from so deep has too many calls by that alone; this walk has a stack, too.
    if (function.is_counted || depth_ > kMostCalls) return function.calls;
    function.is_counted = true;
    ++depth_;
    function.calls = CallsOf(function.bytes, field::kFunctionNode);
    --depth_;
    return function.calls;
  }

  // Calls in one execution of a main graph or a function's body.
  uint32_t CallsOf(std::string_view nodes, protozero::pbf_tag_type number) {
    uint32_t calls = 0;
    bool loops = false;
    ForEachPayload(nodes, number, [&](std::string_view node) {
      const std::string_view op = Payload(node, field::kOp);
      const bool is_loop = op == "For" || HoldsOneOf(op, kLoops);
      uint32_t below = 0;
      bool is_call = functions_.count(op) != 0;
      if (is_call) below = CallsOfFunction(op);
      ForEachCallee(node, [&](std::string_view name, std::string_view) {
        is_call = true;
        below = Sum(below, CallsOfFunction(name));
      });
      if (is_loop && below > 0) below = kEndless;
      if (is_call) calls = Sum(calls, Sum(below, 1));
      // Loops of TensorFlow 1 stand among the nodes that they repeat.
      loops = loops || (is_loop && !is_call);
      if (is_loop || HoldsOneOf(op, kWaiting)) is_simple_ = false;
    });
    return loops && calls > 0 ? kEndless : calls;
  }

  std::string_view graph_;
  std::unordered_map<std::string_view, Function> functions_;
  uint32_t depth_ = 0;
  bool is_simple_ = true;
};

}  // namespace

CallerFitness FitnessForCaller(std::string_view graph) {
  try {
    return Fitness(graph).Of();
  } catch (const protozero::exception&) {
    return {};
  }
}

}  // namespace tf_session

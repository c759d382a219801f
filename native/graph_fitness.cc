#include "graph_fitness.h"

#include <array>

#include "graph_walk.h"

namespace tf_session {
namespace {

namespace field = graph_field;

// Parts of the names of op types.
constexpr std::array<std::string_view, 12> kUnfit = {"While", "Enter",   "NextIteration", "LoopCond",
                                                     "Stage", "Dataset", "Iterator",      "Barrier",
                                                     "Queue", "MapPeek", "Accumulator",   "Collective"};

bool IsFit(std::string_view op) {
  if (op == "For" || op == "RemoteCall") return false;
  for (const std::string_view part : kUnfit) {
    if (op.find(part) != std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

bool GraphFitsCaller(std::string_view graph) {
  bool fits = true;
  const auto look = [&](std::string_view node) { fits = fits && IsFit(Payload(node, field::kOp)); };
  try {
    ForEachPayload(graph, field::kNode, look);
    ForEachFunction(graph, [&](std::string_view, std::string_view function) {
      ForEachPayload(function, field::kFunctionNode, look);
    });
  } catch (const protozero::exception&) {
    return false;
  }
  return fits;
}

}  // namespace tf_session

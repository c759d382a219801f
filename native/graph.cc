#include "graph.h"

#include <utility>

#include "status.h"

namespace tf_session {
namespace {

// Splits "op:12" into "op" and 12. Op names hold no colon.
std::pair<std::string, int> SplitName(const std::string& name) {
  const size_t colon = name.rfind(':');
  if (colon == std::string::npos) return {name, 0};
  constexpr size_t kMostDigits = 9;
  const std::string digits = name.substr(colon + 1);
  const bool has_leading_zero = digits.size() > 1 && digits[0] == '0';
  if (digits.empty() || has_leading_zero || digits.size() > kMostDigits ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    throw Error(TF_INVALID_ARGUMENT,
                "\"" + name + "\" is no tensor name: after the colon stands the number of the op's output.");
  }
  return {name.substr(0, colon), std::stoi(digits)};
}

TF_Operation* Find(TF_Graph* graph, const std::string& op) {
  TF_Operation* operation = tf().TF_GraphOperationByName(graph, op.c_str());
  if (operation == nullptr) throw Error(TF_INVALID_ARGUMENT, "The graph has no op \"" + op + "\".");
  return operation;
}

}  // namespace

TF_Output FindOutput(TF_Graph* graph, const std::string& name) {
  const auto [op, index] = SplitName(name);
  TF_Operation* operation = Find(graph, op);
  const int outputs = tf().TF_OperationNumOutputs(operation);
  if (index >= outputs) {
    throw Error(TF_INVALID_ARGUMENT, "The op \"" + op + "\" has " + std::to_string(outputs) +
                                         (outputs == 1 ? " output" : " outputs") + ", so there is no \"" +
                                         name + "\"." +
                                         (outputs == 0 ? " To run it, name it as a target." : ""));
  }
  return {operation, index};
}

TF_Operation* FindOperation(TF_Graph* graph, const std::string& name) {
  return Find(graph, SplitName(name).first);
}

std::optional<std::vector<int64_t>> ShapeOf(TF_Graph* graph, TF_Output tensor) {
  const Status status;
  const int rank = tf().TF_GraphGetTensorNumDims(graph, tensor, status);
  if (!status.ok() || rank < 0) return std::nullopt;
  std::vector<int64_t> shape(static_cast<size_t>(rank), -1);
  tf().TF_GraphGetTensorShape(graph, tensor, shape.data(), rank, status);
  if (!status.ok()) return std::nullopt;
  return shape;
}

std::vector<std::string> OperationNames(TF_Graph* graph) {
  std::vector<std::string> names;
  size_t position = 0;
  while (TF_Operation* operation = tf().TF_GraphNextOperation(graph, &position)) {
    names.emplace_back(tf().TF_OperationName(operation));
  }
  return names;
}

}  // namespace tf_session

#include "graph_faults.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "graph_walk.h"
#include "protozero_setup.h"

namespace tf_session {
namespace {

namespace field = graph_field;

// Field numbers of tensorflow/core/framework/{op_def,attr_value}.proto.
constexpr protozero::pbf_tag_type kInputArg = 2;      // OpDef
constexpr protozero::pbf_tag_type kOutputArg = 3;     // OpDef
constexpr protozero::pbf_tag_type kNumberAttr = 5;    // OpDef.ArgDef
constexpr protozero::pbf_tag_type kTypeListAttr = 6;  // OpDef.ArgDef
constexpr protozero::pbf_tag_type kInt = 3;           // AttrValue
constexpr protozero::pbf_tag_type kType = 6;          // AttrValue
constexpr protozero::pbf_tag_type kListType = 6;      // AttrValue.ListValue

constexpr size_t kMostFaults = 5;
// Inputs or outputs of one op beyond those that the graph lists.
constexpr int64_t kMostUnlisted = 65536;

// A constant of more elements, written as a handful of values that stand for all, is memory without end.
constexpr int64_t kMostElements = int64_t{1} << 30;
constexpr size_t kHandfulBytes = 4096;

// Calls whose outputs are set from what the function returns, however many there are.
constexpr std::array<std::string_view, 3> kCalls = {"PartitionedCall", "StatefulPartitionedCall",
                                                    "RemoteCall"};
// They are taken apart before anyone has looked for their functions.
constexpr std::array<std::string_view, 6> kBranching = {"While",       "StatelessWhile", "If",
                                                        "StatelessIf", "Case",           "StatelessCase"};
// What makes no sense in a graph without an Enter.
constexpr std::array<std::string_view, 4> kOfLoops = {"NextIteration", "RefNextIteration", "Exit", "RefExit"};
// Attributes that say how many inputs or outputs an op has.
constexpr std::array<std::string_view, 4> kCounts = {"N", "num", "num_split", "num_partitions"};

template <size_t N>
bool IsOneOf(std::string_view text, const std::array<std::string_view, N>& all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

// Numbers of a repeated field, packed or not.
size_t CountNumbers(std::string_view message, protozero::pbf_tag_type number) {
  size_t count = 0;
  ForEachField(message, [&](const Field& part) {
    if (part.number != number) return;
    if (!part.is_payload) {
      ++count;
      return;
    }
    // Each ends with a byte whose highest bit is not set.
    count += static_cast<size_t>(std::count_if(part.payload.begin(), part.payload.end(), [](char byte) {
      return (static_cast<uint8_t>(byte) & 0x80U) == 0;
    }));
  });
  return count;
}

// The last number of that field; 0 where there is none.
int64_t Number(std::string_view message, protozero::pbf_tag_type number) {
  int64_t found = 0;
  protozero::pbf_reader reader(message.data(), message.size());
  while (reader.next()) {
    if (reader.tag() == number && reader.wire_type() == protozero::pbf_wire_type::varint) {
      found = reader.get_int64();
    } else {
      reader.skip();
    }
  }
  return found;
}

// 0 where a dimension is not known; no more than kMostElements.
int64_t Elements(std::string_view shape) {
  int64_t elements = 1;
  ForEachPayload(shape, field::kDimension, [&](std::string_view dimension) {
    const int64_t size = std::max<int64_t>(Number(dimension, field::kDimensionSize), 0);
    elements = size > 0 && elements > kMostElements / size ? kMostElements : elements * size;
  });
  return elements;
}

std::string Quoted(std::string_view text) {
  constexpr size_t kMost = 100;
  return "\"" + std::string(text.substr(0, kMost)) + "\"";
}

class Finder {
 public:
  explicit Finder(std::string_view graph) : graph_(graph) {
    ForEachFunction(graph, [&](std::string_view name, std::string_view function) {
      outputs_.emplace(name, CountOf(function, kOutputArg));
      inputs_.emplace(name, CountOf(function, kInputArg));
    });
  }

  std::vector<GraphFault> Find() {
    Nodes(graph_, field::kNode);
    ForEachFunction(
        graph_, [&](std::string_view, std::string_view function) { Nodes(function, field::kFunctionNode); });
    return std::move(faults_);
  }

 private:
  // None where the call decides.
  static std::optional<size_t> CountOf(std::string_view function, protozero::pbf_tag_type kind) {
    size_t count = 0;
    bool is_open = false;
    ForEachPayload(function, field::kSignature, [&](std::string_view signature) {
      ForEachPayload(signature, kind, [&](std::string_view argument) {
        ++count;
        if (!Payload(argument, kNumberAttr).empty() || !Payload(argument, kTypeListAttr).empty())
          is_open = true;
      });
    });
    return is_open ? std::nullopt : std::optional(count);
  }

  // Of the main graph, or of a function.
  void Nodes(std::string_view scope, protozero::pbf_tag_type kind) {
    bool has_loop = false;
    std::optional<GraphFault> outside;
    ForEachPayload(scope, kind, [&](std::string_view node) {
      const std::string_view op = Payload(node, field::kOp);
      if (op == "Enter" || op == "RefEnter") has_loop = true;
      if (!outside && IsOneOf(op, kOfLoops)) {
        outside = {next_,
                   "(" + std::string(op) + "): it stands outside of a loop, for nothing enters one there"};
      }
      Node(node);
    });
    if (outside && !has_loop) faults_.push_back(*outside);
  }

  void Node(std::string_view node) {
    const uint32_t number = next_++;
    if (faults_.size() >= kMostFaults) return;
    std::string_view op;
    int64_t inputs = 0;
    ForEachField(node, [&](const Field& part) {
      if (part.is_payload && part.number == field::kOp) op = part.payload;
      if (part.is_payload && part.number == field::kInput) ++inputs;
    });
    const bool is_call = IsOneOf(op, kCalls);
    const bool is_loop = op == "While" || op == "StatelessWhile";
    const bool is_branching = IsOneOf(op, kBranching);
    std::optional<size_t> wanted;
    std::vector<std::string_view> returning;  // functions whose results are the op's
    std::string_view callee;
    int64_t type = 0;
    std::string_view tensor;
    ForEachAttribute(node, field::kAttr, [&](std::string_view key, std::string_view value) {
      if (IsOneOf(key, kCounts)) {
        const int64_t count = Number(value, kInt);
        if (count > kMostUnlisted && count > inputs) {
          Add(number, op, key, "says " + std::to_string(count) + ", which no op has of inputs or outputs");
        }
      }
      if (op == "Const" && key == "dtype") type = Number(value, kType);
      if (op == "Const" && key == "value") tensor = Payload(value, field::kTensor);
      if (is_branching) Branch(number, op, key, value, &returning);
      if (is_loop && key == "T") wanted = CountNumbers(Payload(value, field::kList), kListType);
      if (is_loop && key == "body") callee = Payload(Payload(value, field::kFunc), field::kName);
      if (!is_loop && key == "Tout") wanted = CountNumbers(Payload(value, field::kList), kListType);
      if (is_call && key == "f") returning.push_back(Payload(Payload(value, field::kFunc), field::kName));
    });
    if (const int64_t held = Number(tensor, field::kTensorDType); type != held && !tensor.empty()) {
      Add(number, op, "dtype",
          "is " + std::to_string(type) + "; its value is of the type " + std::to_string(held));
    }
    if (tensor.size() < kHandfulBytes && Elements(Payload(tensor, field::kTensorShape)) >= kMostElements) {
      Add(number, op, "value", "has a shape of 2^30 elements or more, and hardly a value");
    }
    if (is_loop && wanted) {
      const bool takes = Has(inputs_, callee, *wanted);
      if (!takes || !Has(outputs_, callee, *wanted)) {
        Add(number, op, "body",
            "names a function that does not " + std::string(takes ? "return" : "take") + " the " +
                std::to_string(*wanted) + " values of the loop");
      }
    }
    if (is_loop || !wanted) return;
    for (const std::string_view name : returning) {
      const auto found = outputs_.find(name);
      const size_t returned = found == outputs_.end() ? *wanted : found->second.value_or(*wanted);
      if (returned == *wanted) continue;
      Add(number, op, "Tout",
          "has " + std::to_string(*wanted) + " types; the function " + Quoted(name) + " returns " +
              std::to_string(returned) + " values");
    }
  }

  // Whether the function has so many, as far as that is known.
  static bool Has(const std::unordered_map<std::string_view, std::optional<size_t>>& counts,
                  std::string_view function, size_t wanted) {
    const auto found = counts.find(function);
    return found == counts.end() || found->second.value_or(wanted) == wanted;
  }

  void Branch(uint32_t number, std::string_view op, std::string_view key, std::string_view value,
              std::vector<std::string_view>* named) {
    const auto look = [&](std::string_view function) {
      const std::string_view name = Payload(function, field::kName);
      named->push_back(name);
      if (outputs_.count(name) == 0) {
        Add(number, op, key, "names the function " + Quoted(name) + ", which there is not");
      }
    };
    ForEachPayload(value, field::kFunc, look);
    ForEachPayload(value, field::kList,
                   [&](std::string_view list) { ForEachPayload(list, field::kListFunc, look); });
  }

  void Add(uint32_t node, std::string_view op, std::string_view attribute, const std::string& what) {
    faults_.push_back(
        {node, "(" + std::string(op) + "): its attribute " + std::string(attribute) + " " + what});
  }

  std::string_view graph_;
  // Of each function; none where the call decides.
  std::unordered_map<std::string_view, std::optional<size_t>> inputs_;
  std::unordered_map<std::string_view, std::optional<size_t>> outputs_;
  std::vector<GraphFault> faults_;
  uint32_t next_ = 0;
};

}  // namespace

std::vector<GraphFault> FindFaults(std::string_view graph) { return Finder(graph).Find(); }

}  // namespace tf_session

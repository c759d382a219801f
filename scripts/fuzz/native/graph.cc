// libFuzzer target: GraphDef bytes, listed, and rewritten in every way there is. An input is eight bytes that
// choose the changes, and then the graph.
#include <array>
#include <stdexcept>

#include "expect.h"
#include "graph_faults.h"
#include "graph_fitness.h"
#include "graph_index.h"
#include "graph_rewrite.h"
#include "graph_walk.h"
#include "protozero_setup.h"

using namespace tf_session;

namespace {

const std::vector<std::string> kDevices = {"/device:CPU:1", "", "/job:worker/task:3/device:GPU:0"};

std::string_view DeviceOf(const GraphIndex& index, size_t node) {
  return index.device_table[index.devices[node]];
}
std::string_view TypeOf(const GraphIndex& index, size_t node) { return index.type_table[index.types[node]]; }

void ExpectSound(const GraphIndex& index) {
  const size_t count = index.names.size();
  EXPECT(index.main_count <= count);
  EXPECT(index.types.size() == count && index.functions.size() == count);
  EXPECT(index.devices.size() == count && index.roles.size() == count);
  for (size_t i = 0; i < count; ++i) {
    EXPECT(index.types[i] < index.type_table.size());
    EXPECT(index.devices[i] < index.device_table.size());
    EXPECT(index.functions[i] < index.function_table.size());
    EXPECT((index.functions[i] == 0) == (i < index.main_count));
  }
  EXPECT(index.calls.size() % 2 == 0);
  for (size_t i = 0; i < index.calls.size(); i += 2) {
    EXPECT(index.calls[i] < count && (index.roles[index.calls[i]] & GraphIndex::kCalls) != 0);
    EXPECT(index.calls[i + 1] > 0 && index.calls[i + 1] < index.function_table.size());
  }
}

// The same nodes in the same order, whatever their devices.
void ExpectSameNodes(const GraphIndex& a, const GraphIndex& b) {
  EXPECT(a.main_count == b.main_count && a.names == b.names);
  EXPECT(a.functions == b.functions && a.function_table == b.function_table);
  EXPECT(a.types == b.types && a.type_table == b.type_table);
}

template <typename Visit>
void ForEachNode(std::string_view graph, const Visit& visit) {
  ForEachPayload(graph, graph_field::kNode, visit);
  ForEachFunction(graph, [&](std::string_view, std::string_view function) {
    ForEachPayload(function, graph_field::kFunctionNode, visit);
  });
}

// The string values of the attributes of that name, node by node.
std::vector<std::string> StringAttributes(std::string_view graph, std::string_view name) {
  std::vector<std::string> found;
  ForEachNode(graph, [&](std::string_view node) {
    ForEachPayload(node, graph_field::kAttr, [&](std::string_view entry) {
      if (Payload(entry, graph_field::kKey) != name) return;
      found.emplace_back(Payload(Payload(entry, graph_field::kValue), graph_field::kString));
    });
  });
  return found;
}

void Unchanged(const std::string& graph, const GraphIndex& index) {
  GraphChanges none;
  none.codes.assign(index.names.size(), 0);
  const std::string once = RewriteGraph(graph, index.main_count, none);
  const GraphIndex again = IndexGraph(once, {}, {}, {}, {});
  ExpectSameNodes(index, again);
  for (size_t i = 0; i < index.names.size(); ++i) EXPECT(DeviceOf(index, i) == DeviceOf(again, i));
  // It has the form by then that it will keep.
  EXPECT(RewriteGraph(once, again.main_count, none) == once);
}

void Placed(const std::string& graph, const GraphIndex& index, uint64_t choice) {
  GraphChanges changes;
  changes.device_table = kDevices;
  changes.call_config = std::string("\x40\x01", 2);  // ConfigProto.log_device_placement
  std::vector<bool> unties;
  for (size_t i = 0; i < index.names.size(); ++i) {
    choice = choice * 6364136223846793005U + 1442695040888963407U;
    unties.push_back((choice >> 40U & 1U) != 0);
    changes.codes.push_back((choice >> 33U) % (kDevices.size() + 1) +
                            (unties[i] ? GraphChanges::kDropClass : 0));
  }
  const std::string placed = RewriteGraph(graph, index.main_count, changes);
  const GraphIndex again = IndexGraph(placed, {}, {}, {}, {});
  ExpectSameNodes(index, again);
  for (size_t i = 0; i < index.names.size(); ++i) {
    const uint32_t device = changes.codes[i] & ~GraphChanges::kDropClass;
    EXPECT(DeviceOf(again, i) == (device == 0 ? DeviceOf(index, i) : kDevices[device - 1]));
  }
  size_t at = 0;
  ForEachNode(placed, [&](std::string_view node) {
    const bool is_untied = unties[at++];
    ForEachPayload(node, graph_field::kAttr, [&](std::string_view entry) {
      EXPECT(!is_untied || Payload(entry, graph_field::kKey) != "_class");
    });
  });
  const auto before = StringAttributes(graph, "config_proto");
  const auto after = StringAttributes(placed, "config_proto");
  EXPECT(before.size() == after.size());
  for (size_t i = 0; i < before.size(); ++i) EXPECT(after[i] == before[i] + changes.call_config);
}

// A node made a constant, a node added, a function copied.
void Frozen(const std::string& graph, const GraphIndex& index, uint64_t choice) {
  const std::string content(choice % 61, 'c');
  NewNode made;
  made.node = std::string(
      "\x0a\x04made\x12\x05"
      "Const",
      13);
  made.has_value = true;
  made.dtype = 1;
  made.shape = {static_cast<int64_t>(choice), -1};
  made.content = content;
  if ((choice & 1U) != 0) made.factors = {1, 0.5, -2};
  GraphChanges changes;
  changes.added.push_back(made);
  size_t replaced = index.names.size();
  if (!index.names.empty()) {
    replaced = choice % index.names.size();
    changes.replaced[replaced].push_back(made);
  }
  size_t copied = 0;
  if (index.function_table.size() > 1) {
    const std::string_view name = index.function_table[choice % (index.function_table.size() - 1) + 1];
    changes.copies[std::string(name)].push_back({"copy", {}});
    for (const uint32_t function : index.functions) {
      if (function != 0 && index.function_table[function] == name) ++copied;
    }
  }
  std::string frozen;
  try {
    frozen = RewriteGraph(graph, index.main_count, changes);
  } catch (const protozero::exception&) {
    return;  // a signature that is overruled by a later one is looked at here alone
  }
  const GraphIndex again = IndexGraph(frozen, {}, {}, {}, {});
  EXPECT(again.main_count == index.main_count + 1);
  EXPECT(again.names.size() == index.names.size() + 1 + copied);
  EXPECT(again.names[0] == "made" && TypeOf(again, 0) == "Const");
  if (replaced < index.main_count) EXPECT(again.names[replaced + 1] == "made");
  size_t values = 0;
  ForEachNode(frozen, [&](std::string_view node) {
    if (Payload(node, graph_field::kName) != "made" || Payload(node, graph_field::kOp) != "Const") return;
    ForEachPayload(node, graph_field::kAttr, [&](std::string_view entry) {
      const std::string_view tensor = Payload(Payload(entry, graph_field::kValue), graph_field::kTensor);
      if (Payload(tensor, graph_field::kTensorContent).size() == content.size()) ++values;
    });
  });
  EXPECT(values >= 1);
}

// Changes that are another graph's.
void Refused(const std::string& graph, const GraphIndex& index) {
  GraphChanges changes;
  changes.codes.assign(index.names.size() + 1, 0);
  try {
    RewriteGraph(graph, index.main_count, changes);
  } catch (const std::invalid_argument&) {
    return;
  }
  EXPECT(!"codes for one node more are refused");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Head head(data, size);
  const uint64_t choice = head.Number();
  const std::string graph = head.Rest();
  const CallerFitness fitness = FitnessForCaller(graph);
  EXPECT(fitness.is_safe || !fitness.is_simple);
  GraphIndex index;
  try {
    index = IndexGraph(graph, {}, {}, {}, {});
  } catch (const protozero::exception&) {
    return 0;
  } catch (const std::length_error&) {
    return 0;
  }
  ExpectSound(index);
  try {
    for (const GraphFault& fault : FindFaults(graph)) EXPECT(fault.node < index.names.size());
  } catch (const protozero::exception&) {  // it looks into constants, where nobody else does
  }
  std::array<std::vector<std::string>, 3> ops;
  for (size_t i = 0; i < index.names.size(); ++i) {
    ops[(choice + i) % 3].emplace_back(index.names[i]);
  }
  ExpectSound(IndexGraph(graph, ops[0], ops[1], ops[2], ops[(choice >> 2U) % 3]));
  Unchanged(graph, index);
  Placed(graph, index, choice);
  Frozen(graph, index, choice);
  Refused(graph, index);
  return 0;
}

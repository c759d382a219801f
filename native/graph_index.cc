#include "graph_index.h"

#include <unordered_map>
#include <utility>

#include "graph_walk.h"

namespace tf_session {
namespace {

namespace field = graph_field;

// Numbers for strings, in the order in which they come.
class Table {
 public:
  uint32_t Number(std::string_view text) {
    const auto [found, is_new] = numbers_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
    if (is_new) texts_.push_back(text);
    return found->second;
  }
  std::vector<std::string_view> Take() { return std::move(texts_); }

 private:
  std::unordered_map<std::string_view, uint32_t> numbers_;
  std::vector<std::string_view> texts_;
};

// "^op" or "op:1" -> "op".
std::string_view InputOp(std::string_view input) {
  if (!input.empty() && input[0] == '^') input.remove_prefix(1);
  return input.substr(0, input.find(':'));
}

// What of the graph is reached from some ops of the main graph. A function counts as a whole.
class Reach {
 public:
  Reach(const std::vector<std::string_view>& main,
        const std::unordered_map<std::string_view, uint32_t>& by_name,
        const std::unordered_map<std::string_view, std::pair<uint32_t, std::string_view>>& by_function,
        size_t function_count)
      : main_(main),
        by_name_(by_name),
        by_function_(by_function),
        nodes(main.size()),
        functions(function_count) {}

  void From(const std::vector<std::string>& ops) {
    for (const std::string& op : ops) Node(op);
    while (!nodes_to_do_.empty() || !bodies_to_do_.empty()) {
      if (!nodes_to_do_.empty()) {
        const std::string_view node = Pop(&nodes_to_do_);
        ForEachPayload(node, field::kInput, [&](std::string_view input) { Node(InputOp(input)); });
        Callees(node);
      } else {
        ForEachPayload(Pop(&bodies_to_do_), field::kFunctionNode,
                       [&](std::string_view node) { Callees(node); });
      }
    }
  }

 private:
  const std::vector<std::string_view>& main_;
  const std::unordered_map<std::string_view, uint32_t>& by_name_;
  const std::unordered_map<std::string_view, std::pair<uint32_t, std::string_view>>& by_function_;

  static std::string_view Pop(std::vector<std::string_view>* list) {
    const std::string_view last = list->back();
    list->pop_back();
    return last;
  }
  void Node(std::string_view name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end() || nodes[found->second]) return;
    nodes[found->second] = true;
    nodes_to_do_.push_back(main_[found->second]);
  }
  void Callees(std::string_view node) {
    Function(Payload(node, field::kOp));
    ForEachCallee(node, [&](std::string_view name) { Function(name); });
  }
  void Function(std::string_view name) {
    const auto found = by_function_.find(name);
    if (found == by_function_.end() || functions[found->second.first]) return;
    functions[found->second.first] = true;
    bodies_to_do_.push_back(found->second.second);
  }

  std::vector<std::string_view> nodes_to_do_;
  std::vector<std::string_view> bodies_to_do_;

 public:
  std::vector<bool> nodes;      // by number
  std::vector<bool> functions;  // by number, 1 for the first function
};

}  // namespace

GraphIndex IndexGraph(std::string_view graph, const std::vector<std::string>& kept,
                      const std::vector<std::string>& housekeeping, const std::vector<std::string>& loading) {
  GraphIndex index;
  Table types;
  Table devices;
  std::vector<std::pair<uint32_t, std::string_view>> named;  // functions, by the nodes that name them
  const auto add = [&](std::string_view node, uint32_t function) {
    std::string_view name;
    std::string_view op;
    std::string_view device;
    ForEachField(node, [&](const Field& part) {
      if (!part.is_payload) return;
      if (part.number == field::kName) name = part.payload;
      if (part.number == field::kOp) op = part.payload;
      if (part.number == field::kDevice) device = part.payload;
    });
    index.names.push_back(name);
    index.types.push_back(types.Number(op));
    index.functions.push_back(function);
    index.devices.push_back(devices.Number(device));
    const auto number = static_cast<uint32_t>(index.roles.size());
    const size_t before = named.size();
    ForEachCallee(node, [&](std::string_view callee) { named.emplace_back(number, callee); });
    index.roles.push_back(named.size() > before ? GraphIndex::kCalls : 0);
  };

  std::vector<std::string_view> main;
  std::unordered_map<std::string_view, uint32_t> by_name;
  ForEachPayload(graph, field::kNode, [&](std::string_view node) {
    main.push_back(node);
    add(node, 0);
    by_name.emplace(index.names.back(), static_cast<uint32_t>(main.size() - 1));
  });
  index.main_count = main.size();
  index.function_table.emplace_back();
  std::unordered_map<std::string_view, std::pair<uint32_t, std::string_view>> by_function;
  ForEachFunction(graph, [&](std::string_view name, std::string_view function) {
    const auto number = static_cast<uint32_t>(index.function_table.size());
    index.function_table.push_back(name);
    by_function.emplace(name, std::make_pair(number, function));
    ForEachPayload(function, field::kFunctionNode, [&](std::string_view node) { add(node, number); });
  });
  index.type_table = types.Take();
  // An op may be a function itself.
  std::vector<bool> is_function;
  is_function.reserve(index.type_table.size());
  for (const std::string_view type : index.type_table) is_function.push_back(by_function.count(type) > 0);
  for (size_t i = 0; i < index.types.size(); ++i) {
    if (!is_function[index.types[i]]) continue;
    index.roles[i] |= GraphIndex::kCalls;
    named.emplace_back(static_cast<uint32_t>(i), index.type_table[index.types[i]]);
  }
  for (const auto& [node, callee] : named) {
    const auto found = by_function.find(callee);
    if (found == by_function.end()) continue;
    index.calls.push_back(node);
    index.calls.push_back(found->second.first);
  }
  index.device_table = devices.Take();

  // A function of the same name twice has a number of its own in the table.
  const size_t function_count = index.function_table.size();
  Reach used(main, by_name, by_function, function_count);
  Reach serving(main, by_name, by_function, function_count);
  Reach loads(main, by_name, by_function, function_count);
  used.From(kept);
  serving.From(housekeeping);
  loads.From(loading);
  for (size_t i = 0; i < index.names.size(); ++i) {
    const uint32_t function = index.functions[i];
    const bool is_main = i < index.main_count;
    const bool is_used = is_main ? used.nodes[i] : used.functions[function];
    const bool is_serving = is_main ? serving.nodes[i] : serving.functions[function];
    if (is_main ? loads.nodes[i] : loads.functions[function]) index.roles[i] |= GraphIndex::kLoads;
    const Role role = is_used ? Role::kUsed : is_serving ? Role::kHousekeeping : Role::kOther;
    index.roles[i] |= static_cast<uint8_t>(role);
  }
  return index;
}

}  // namespace tf_session

#include "graph_index.h"

#include <algorithm>
#include <stdexcept>
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

// The functions that a node reaches by naming one: that function, and those that TensorFlow may put in its
// place, which are its gradient, where the graph asks for gradients, and other implementations of the same
// interface, of which its optimizer takes the one that suits the device.
class Library {
 public:
  void Add(std::string_view name, uint32_t number, std::string_view function) {
    by_name_.emplace(name, number);
    ForEachAttribute(function, field::kFunctionAttr, [&](std::string_view key, std::string_view value) {
      if (key != "api_implements") return;
      const std::string_view interface = Payload(value, field::kString);
      interfaces_[number] = interface;
      implementations_[interface].push_back(number);
    });
  }
  void AddGradients(std::string_view library) {
    ForEachPayload(library, field::kGradient, [&](std::string_view gradient) {
      gradients_[Payload(gradient, field::kGradientOf)].push_back(Payload(gradient, field::kGradientName));
    });
  }
  [[nodiscard]] bool Has(std::string_view name) const { return by_name_.count(name) > 0; }

  template <typename Visit>
  void ForEachReached(std::string_view name, Visit&& visit) const {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return;
    visit(found->second);
    const auto interface = interfaces_.find(found->second);
    if (interface != interfaces_.end()) {
      for (const uint32_t other : implementations_.at(interface->second)) {
        if (other != found->second) visit(other);
      }
    }
    const auto gradients = gradients_.find(name);
    if (gradients == gradients_.end()) return;
    for (const std::string_view gradient : gradients->second) {
      const auto other = by_name_.find(gradient);
      if (other != by_name_.end()) visit(other->second);
    }
  }

 private:
  std::unordered_map<std::string_view, uint32_t> by_name_;
  std::unordered_map<uint32_t, std::string_view> interfaces_;
  std::unordered_map<std::string_view, std::vector<uint32_t>> implementations_;
  std::unordered_map<std::string_view, std::vector<std::string_view>> gradients_;
};

// What of the graph is reached from some ops of the main graph. A function counts as a whole.
class Reach {
 public:
  Reach(const GraphIndex& index, const std::vector<std::string_view>& main,
        const std::unordered_map<std::string_view, uint32_t>& by_name)
      : nodes(main.size()),
        functions(index.function_table.size()),
        main_(main),
        by_name_(by_name),
        of_function_(functions.size()) {
    for (size_t at = 0; at < index.calls.size(); at += 2) {
      const uint32_t node = index.calls[at];
      const bool is_main = node < main.size();
      (is_main ? of_node_[node] : of_function_[index.functions[node]]).push_back(index.calls[at + 1]);
    }
  }

  // Forgets what it reached before.
  void From(const std::vector<std::string>& ops) {
    nodes.assign(nodes.size(), false);
    functions.assign(functions.size(), false);
    for (const std::string& op : ops) Node(op);
    while (!nodes_to_do_.empty() || !functions_to_do_.empty()) {
      if (nodes_to_do_.empty()) {
        Functions(of_function_[Pop(&functions_to_do_)]);
        continue;
      }
      const uint32_t node = Pop(&nodes_to_do_);
      ForEachPayload(main_[node], field::kInput, [&](std::string_view input) { Node(InputOp(input)); });
      const auto calls = of_node_.find(node);
      if (calls != of_node_.end()) Functions(calls->second);
    }
  }

  std::vector<bool> nodes;      // by number
  std::vector<bool> functions;  // by number, 1 for the first function

 private:
  static uint32_t Pop(std::vector<uint32_t>* list) {
    const uint32_t last = list->back();
    list->pop_back();
    return last;
  }
  void Node(std::string_view name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end() || nodes[found->second]) return;
    nodes[found->second] = true;
    nodes_to_do_.push_back(found->second);
  }
  void Functions(const std::vector<uint32_t>& called) {
    for (const uint32_t function : called) {
      if (functions[function]) continue;
      functions[function] = true;
      functions_to_do_.push_back(function);
    }
  }

  const std::vector<std::string_view>& main_;
  const std::unordered_map<std::string_view, uint32_t>& by_name_;
  // Numbers of the functions called.
  std::unordered_map<uint32_t, std::vector<uint32_t>> of_node_;
  std::vector<std::vector<uint32_t>> of_function_;
  std::vector<uint32_t> nodes_to_do_;
  std::vector<uint32_t> functions_to_do_;
};

// The ops from which each role is reached.
struct RoleOps {
  const std::vector<std::string>& kept;
  const std::vector<std::string>& housekeeping;
  const std::vector<std::string>& loading;
  const std::vector<std::string>& initialising;
};

void MarkRoles(const std::vector<std::string_view>& main,
               const std::unordered_map<std::string_view, uint32_t>& by_name, const RoleOps& ops,
               GraphIndex* index) {
  Reach reach(*index, main, by_name);
  // What a pass reaches, later ones leave as it is: kUsed and kHousekeeping are no bits of their own.
  const auto mark = [&](const std::vector<std::string>& ops, uint8_t bits, uint8_t unless) {
    reach.From(ops);
    for (size_t i = 0; i < index->roles.size(); ++i) {
      const bool is_reached = i < index->main_count ? reach.nodes[i] : reach.functions[index->functions[i]];
      if (is_reached && (index->roles[i] & unless) == 0) index->roles[i] |= bits;
    }
  };
  const auto used = static_cast<uint8_t>(Role::kUsed);
  mark(ops.kept, used, 0);
  mark(ops.housekeeping, static_cast<uint8_t>(Role::kHousekeeping), used);
  mark(ops.loading, GraphIndex::kLoads, 0);
  mark(ops.initialising, GraphIndex::kInitialises, 0);
}

// Lists the nodes of a graph, and what they call.
class Listing {
 public:
  explicit Listing(std::string_view graph) {
    ForEachPayload(graph, field::kNode, [&](std::string_view node) {
      main.push_back(node);
      AddNode(node, 0);
      by_name.emplace(index.names.back(), static_cast<uint32_t>(main.size() - 1));
    });
    index.main_count = main.size();
    index.function_table.emplace_back();
    ForEachFunction(graph,
                    [&](std::string_view name, std::string_view function) { AddFunction(name, function); });
    index.type_table = types_.Take();
    index.device_table = devices_.Take();
    if (std::find(index.type_table.begin(), index.type_table.end(), "SymbolicGradient") !=
        index.type_table.end()) {
      ForEachPayload(graph, field::kLibrary, [&](std::string_view part) { library_.AddGradients(part); });
    }
    AddGiven();
    AddCalls();
  }

  GraphIndex index;
  std::vector<std::string_view> main;
  std::unordered_map<std::string_view, uint32_t> by_name;

 private:
  void AddNode(std::string_view node, uint32_t function) {
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
    index.types.push_back(types_.Number(op));
    index.functions.push_back(function);
    index.devices.push_back(devices_.Number(device));
    const auto number = static_cast<uint32_t>(index.roles.size());
    const size_t before = named_.size();
    ForEachCallee(node, [&](std::string_view callee, std::string_view to) { AddNamed(number, callee, to); });
    index.roles.push_back(named_.size() > before ? GraphIndex::kCalls : 0);
  }

  void AddFunction(std::string_view name, std::string_view function) {
    const auto number = static_cast<uint32_t>(index.function_table.size());
    index.function_table.push_back(name);
    library_.Add(name, number, function);
    const auto first = static_cast<uint32_t>(index.names.size());
    ForEachPayload(function, field::kFunctionNode, [&](std::string_view node) { AddNode(node, number); });
    if (index.names.size() == first) return;
    first_nodes_.emplace(name, first);
    // What its nodes call where the caller says nothing else stands for a call of the first one's.
    ForEachPayload(function, field::kSignature, [&](std::string_view signature) {
      ForEachPayload(signature, field::kOpAttr, [&](std::string_view attribute) {
        ForEachPayload(attribute, field::kDefault, [&](std::string_view value) {
          ForEachNamed(value,
                       [&](std::string_view callee, std::string_view to) { AddNamed(first, callee, to); });
        });
      });
    });
  }

  void AddNamed(uint32_t node, std::string_view callee, std::string_view to) {
    named_.emplace_back(node, callee);
    if (!to.empty()) given_.emplace_back(to, callee);
  }

  // Whom a function was given it may call.
  void AddGiven() {
    for (const auto& [to, callee] : given_) {
      const auto first = first_nodes_.find(to);
      if (first != first_nodes_.end()) named_.emplace_back(first->second, callee);
    }
    const size_t count = named_.size();
    for (size_t i = 0; i < count; ++i) {
      const auto first = first_nodes_.find(index.type_table[index.types[named_[i].first]]);
      if (first != first_nodes_.end()) named_.emplace_back(first->second, named_[i].second);
    }
  }

  // Throws std::length_error where they multiply: each of many calls may reach each of many implementations.
  void AddCalls() {
    constexpr size_t kMost = size_t{2} * 20'000'000;
    // An op may be a function itself.
    std::vector<bool> is_function;
    is_function.reserve(index.type_table.size());
    for (const std::string_view type : index.type_table) is_function.push_back(library_.Has(type));
    for (size_t i = 0; i < index.types.size(); ++i) {
      if (!is_function[index.types[i]]) continue;
      index.roles[i] |= GraphIndex::kCalls;
      named_.emplace_back(static_cast<uint32_t>(i), index.type_table[index.types[i]]);
    }
    for (const auto& call : named_) {
      library_.ForEachReached(call.second, [&](uint32_t function) {
        if (index.calls.size() >= kMost) throw std::length_error("its functions call each other too often");
        index.calls.push_back(call.first);
        index.calls.push_back(function);
      });
    }
  }

  Table types_;
  Table devices_;
  Library library_;
  std::vector<std::pair<uint32_t, std::string_view>> named_;  // functions, by the nodes that name them
  std::vector<std::pair<std::string_view, std::string_view>> given_;  // functions, to functions
  std::unordered_map<std::string_view, uint32_t> first_nodes_;        // of functions
};

}  // namespace

GraphIndex IndexGraph(std::string_view graph, const std::vector<std::string>& kept,
                      const std::vector<std::string>& housekeeping, const std::vector<std::string>& loading,
                      const std::vector<std::string>& initialising) {
  Listing listing(graph);
  MarkRoles(listing.main, listing.by_name, {kept, housekeeping, loading, initialising}, &listing.index);
  return std::move(listing.index);
}

}  // namespace tf_session

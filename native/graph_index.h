// A list of every node of a GraphDef: name, type, function, saved device, and whether it only saves, restores
// or initialises. Knows neither Node-API nor TensorFlow; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tf_session {

enum class Role : uint8_t {
  kOther = 0,
  kHousekeeping = 1,  // serves saving, restoring or initialising alone
  kUsed = 2,          // reached from what users run
};

// Views of the graph's bytes: valid as long as those are.
struct GraphIndex {
  static constexpr uint8_t kCalls = 1U << 7U;
  static constexpr uint8_t kLoads = 1U << 6U;
  static constexpr uint8_t kInitialises = 1U << 5U;

  size_t main_count = 0;  // nodes of the main graph, which come first
  std::vector<std::string_view> names;
  // Numbers into the tables below, a node each.
  std::vector<uint32_t> types;
  std::vector<uint32_t> functions;
  std::vector<uint32_t> devices;
  std::vector<std::string_view> type_table;
  std::vector<std::string_view> function_table;  // [0] is "", the main graph
  std::vector<std::string_view> device_table;
  // What each node is for, kCalls where it calls functions, kLoads and kInitialises where loading the model
  // and initialising it reach it.
  std::vector<uint8_t> roles;
  // Calls, in pairs: the number of a node, and that of a function which it names, or whose name is its op, or
  // which TensorFlow may run in its place. A name that several functions have is the first one's.
  std::vector<uint32_t> calls;
};

// `kept` are ops of the main graph that users run, `housekeeping` those that save, restore and initialise: a
// node that only the latter reach, backwards and through the functions they call, is housekeeping. `loading`
// are those of the latter that run when the model is loaded, `initialising` those of these that initialise
// it. Throws protozero::exception.
GraphIndex IndexGraph(std::string_view graph, const std::vector<std::string>& kept,
                      const std::vector<std::string>& housekeeping, const std::vector<std::string>& loading,
                      const std::vector<std::string>& initialising);

}  // namespace tf_session

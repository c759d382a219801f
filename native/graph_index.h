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

  size_t main_count = 0;  // nodes of the main graph, which come first
  std::vector<std::string_view> names;
  // Numbers into the tables below, a node each.
  std::vector<uint32_t> types;
  std::vector<uint32_t> functions;
  std::vector<uint32_t> devices;
  std::vector<std::string_view> type_table;
  std::vector<std::string_view> function_table;  // [0] is "", the main graph
  std::vector<std::string_view> device_table;
  // What each node is for, and kCalls where it calls functions.
  std::vector<uint8_t> roles;
};

// `kept` are ops of the main graph that users run, `housekeeping` those that save, restore and initialise: a
// node that only the latter reach, backwards and through the functions they call, is housekeeping. Throws
// protozero::exception.
GraphIndex IndexGraph(std::string_view graph, const std::vector<std::string>& kept,
                      const std::vector<std::string>& housekeeping);

}  // namespace tf_session

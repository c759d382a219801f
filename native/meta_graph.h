// MetaGraphDef bytes as TensorFlow's loader returns them, and what of them is kept. Knows neither Node-API
// nor TensorFlow; any thread. Throws protozero::exception where the bytes are no message.
#pragma once

#include <string>
#include <string_view>

namespace tf_session {

// Its graph: a view of the bytes.
std::string_view GraphOf(std::string_view meta_graph);

// A MetaGraphDef with its tags, versions, saver and signatures alone: the whole one holds the graph a second
// time.
std::string Essentials(std::string_view meta_graph);

}  // namespace tf_session

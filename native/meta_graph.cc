#include "meta_graph.h"

#include "graph_walk.h"
#include "protozero_setup.h"

namespace tf_session {
namespace {

// Field numbers of tensorflow/core/protobuf/meta_graph.proto.
constexpr protozero::pbf_tag_type kMetaInfoDef = 1;
constexpr protozero::pbf_tag_type kGraphDef = 2;
constexpr protozero::pbf_tag_type kSaverDef = 3;
constexpr protozero::pbf_tag_type kSignatureDef = 5;
constexpr protozero::pbf_tag_type kStrippedOpList = 2;  // of MetaInfoDef

std::string WithoutOpList(std::string_view meta_info) {
  std::string kept;
  ForEachField(meta_info, [&](const Field& part) {
    if (part.number != kStrippedOpList) kept.append(part.whole);
  });
  return kept;
}

}  // namespace

std::string_view GraphOf(std::string_view meta_graph) { return Payload(meta_graph, kGraphDef); }

std::string Essentials(std::string_view meta_graph) {
  std::string kept;
  protozero::pbf_writer writer(kept);
  ForEachField(meta_graph, [&](const Field& part) {
    // TensorFlow hands on what it does not know: a field of such a number may be a number.
    if (!part.is_payload) return;
    if (part.number == kMetaInfoDef) writer.add_message(kMetaInfoDef, WithoutOpList(part.payload));
    if (part.number == kSaverDef || part.number == kSignatureDef) kept.append(part.whole);
  });
  return kept;
}

}  // namespace tf_session

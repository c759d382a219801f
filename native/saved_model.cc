#include "saved_model.h"

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <utility>
#include <vector>

#include "bytes.h"
#include "graph_fitness.h"
#include "graph_walk.h"
#include "js_strings.h"
#include "session.h"
#include "session_options.h"

namespace tf_session {
namespace {

// Field numbers of tensorflow/core/protobuf/meta_graph.proto.
constexpr protozero::pbf_tag_type kMetaInfoDef = 1;
constexpr protozero::pbf_tag_type kGraphDef = 2;
constexpr protozero::pbf_tag_type kSaverDef = 3;
constexpr protozero::pbf_tag_type kSignatureDef = 5;
constexpr protozero::pbf_tag_type kStrippedOpList = 2;  // of MetaInfoDef

std::string WithoutOpList(protozero::pbf_reader meta_info) {
  std::string kept;
  protozero::pbf_writer writer(kept);
  while (meta_info.next()) {
    if (meta_info.tag() != kStrippedOpList &&
        meta_info.wire_type() == protozero::pbf_wire_type::length_delimited) {
      const auto tag = meta_info.tag();
      writer.add_bytes(tag, meta_info.get_view());
    } else {
      meta_info.skip();
    }
  }
  return kept;
}

// What is kept of the MetaGraphDef that TensorFlow returns: it holds the whole graph a second time.
std::string Essentials(const TF_Buffer& meta_graph) {
  std::string kept;
  protozero::pbf_writer writer(kept);
  protozero::pbf_reader reader(static_cast<const char*>(meta_graph.data), meta_graph.length);
  while (reader.next()) {
    switch (reader.tag()) {
      case kMetaInfoDef:
        writer.add_message(kMetaInfoDef, WithoutOpList(reader.get_message()));
        break;
      case kSaverDef:
      case kSignatureDef: {
        const auto tag = reader.tag();
        writer.add_message(tag, reader.get_view());
        break;
      }
      default:
        reader.skip();
    }
  }
  return kept;
}

CallerFitness FitnessOf(const TF_Buffer& meta_graph) {
  const std::string_view bytes(static_cast<const char*>(meta_graph.data), meta_graph.length);
  try {
    return FitnessForCaller(Payload(bytes, kGraphDef));
  } catch (const protozero::exception&) {
    return {};
  }
}

class LoadWorker : public PromiseWorker {
 public:
  LoadWorker(std::string directory, std::vector<std::string> tags, std::optional<Bytes> config,
             std::optional<Bytes> run_options)
      : directory_(std::move(directory)),
        tags_(std::move(tags)),
        config_(std::move(config)),
        run_options_(std::move(run_options)) {}

 private:
  void Work() override {
    const SessionOptionsPtr options = MakeSessionOptions(config_);
    std::vector<const char*> tags;
    tags.reserve(tags_.size());
    for (const std::string& tag : tags_) tags.push_back(tag.c_str());
    TF_Buffer run_options{};
    if (run_options_) {
      run_options.data = run_options_->data();
      run_options.length = run_options_->size();
    }
    GraphPtr graph(tf().TF_NewGraph());
    const BufferPtr meta_graph(tf().TF_NewBuffer());
    const Status status;
    TF_Session* session = tf().TF_LoadSessionFromSavedModel(
        options.get(), run_options_ ? &run_options : nullptr, directory_.c_str(), tags.data(),
        static_cast<int>(tags.size()), graph.get(), meta_graph.get(), status);
    status.Check();
    core_ = SessionCore::Make(std::move(graph), session, FitnessOf(*meta_graph));
    try {
      meta_graph_ = Essentials(*meta_graph);
    } catch (const protozero::exception& error) {
      throw Error(TF_DATA_LOSS,
                  std::string("TensorFlow returned a MetaGraphDef that cannot be read: ") + error.what());
    }
  }

  Napi::Value Result(Napi::Env env) override {
    const Napi::Object result = Napi::Object::New(env);
    result.Set("session", Session::Wrap(env, std::move(core_)));
    result.Set("metaGraph", BytesToJs(env, meta_graph_.data(), meta_graph_.size()));
    return result;
  }

  std::string directory_;
  std::vector<std::string> tags_;
  std::optional<Bytes> config_;
  std::optional<Bytes> run_options_;
  std::shared_ptr<SessionCore> core_;
  std::string meta_graph_;
};

}  // namespace

Napi::Value LoadSavedModel(const Napi::CallbackInfo& info) {
  return PromiseWorker::Start(
      info.Env(),
      std::make_unique<LoadWorker>(info[0].As<Napi::String>().Utf8Value(), StringsFromJs(info[1]),
                                   BytesFromJs(info[2]), BytesFromJs(info[3])),
      PromiseWorker::Gate::kLimited);
}

}  // namespace tf_session

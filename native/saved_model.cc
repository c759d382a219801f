#include "saved_model.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bytes.h"
#include "graph_fitness.h"
#include "js_strings.h"
#include "meta_graph.h"
#include "protozero_setup.h"
#include "session.h"
#include "session_options.h"
#include "thrown.h"

namespace tf_session {
namespace {

std::string_view View(const TF_Buffer& buffer) {
  return {static_cast<const char*>(buffer.data), buffer.length};
}

CallerFitness FitnessOf(std::string_view meta_graph) {
  try {
    return FitnessForCaller(GraphOf(meta_graph));
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
    TF_Session* session = GivingUpWhereThrown(&graph, "load", [&] {
      return tf().TF_LoadSessionFromSavedModel(options.get(), run_options_ ? &run_options : nullptr,
                                               directory_.c_str(), tags.data(), static_cast<int>(tags.size()),
                                               graph.get(), meta_graph.get(), status);
    });
    status.Check();
    core_ = SessionCore::Make(std::move(graph), session, FitnessOf(View(*meta_graph)));
    try {
      meta_graph_ = Essentials(View(*meta_graph));
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

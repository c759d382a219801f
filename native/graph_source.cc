#include "graph_source.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "bytes.h"
#include "env_data.h"
#include "graph_changes.h"
#include "graph_faults.h"
#include "graph_fitness.h"
#include "graph_index.h"
#include "graph_rewrite.h"
#include "heap_trim.h"
#include "js_strings.h"
#include "protozero_setup.h"
#include "session.h"
#include "session_options.h"
#include "status.h"
#include "thrown.h"

namespace tf_session {

// Shared by the GraphSource and the workers that read it, all of which die on the JS thread, where `array`
// has to.
struct SourceGraph {
  Napi::Reference<Napi::Uint8Array> array;
  std::string_view bytes;
  GraphIndex index;
  std::vector<GraphFault> faults;
  Counted counted{live.graphs};
};

namespace {

// What the walk over the bytes throws, as an error of ours.
template <typename Step>
auto Walking(const Step& step) {
  try {
    return step();
  } catch (const protozero::exception& error) {
    throw Error(TF_DATA_LOSS, std::string("The graph is damaged: ") + error.what() + ".");
  } catch (const std::invalid_argument& error) {
    throw Error(TF_INTERNAL, std::string("The changes do not fit the graph: ") + error.what() + ".");
  } catch (const std::length_error& error) {
    throw Error(TF_RESOURCE_EXHAUSTED, std::string("The graph is too large: ") + error.what() + ".");
  }
}

class ReadWorker : public PromiseWorker {
 public:
  ReadWorker(const Napi::Uint8Array& array, std::vector<std::string> kept,
             std::vector<std::string> housekeeping, std::vector<std::string> loading,
             std::vector<std::string> initialising)
      : graph_(std::make_shared<SourceGraph>()),
        kept_(std::move(kept)),
        housekeeping_(std::move(housekeeping)),
        loading_(std::move(loading)),
        initialising_(std::move(initialising)) {
    graph_->array = Napi::Persistent(array);
    graph_->bytes = std::string_view(reinterpret_cast<const char*>(array.Data()), array.ByteLength());
  }

 private:
  void Work() override {
    graph_->index =
        Walking([&] { return IndexGraph(graph_->bytes, kept_, housekeeping_, loading_, initialising_); });
    graph_->faults = Walking([&] { return FindFaults(graph_->bytes); });
  }
  Napi::Value Result(Napi::Env env) override {
    return EnvData::Of(env).graph_source_class.New(
        {Napi::External<std::shared_ptr<SourceGraph>>::New(env, &graph_)});
  }

  std::shared_ptr<SourceGraph> graph_;
  std::vector<std::string> kept_;
  std::vector<std::string> housekeeping_;
  std::vector<std::string> loading_;
  std::vector<std::string> initialising_;
};

// Rewrites, imports, and makes a session whose variables are not restored yet.
class CreateWorker : public PromiseWorker {
 public:
  CreateWorker(std::shared_ptr<SourceGraph> graph, GraphChanges changes, std::optional<Bytes> config,
               std::string target, Values values)
      : graph_(std::move(graph)),
        changes_(std::move(changes)),
        config_(std::move(config)),
        target_(std::move(target)),
        values_(std::move(values)) {}

 private:
  void Work() override {
    const bool has_constants = !changes_.replaced.empty();
    std::optional<HeapTrim> trim;
    if (has_constants) trim.emplace();
    std::string rewritten;
    std::string_view bytes = graph_->bytes;
    if (!changes_.empty()) {
      rewritten = Walking([&] { return RewriteGraph(bytes, graph_->index.main_count, changes_); });
      bytes = rewritten;
    }
    const SessionOptionsPtr session_options = MakeSessionOptions(config_, target_);
    GraphPtr graph(tf().TF_NewGraph());
    const ImportGraphDefOptionsPtr import_options(tf().TF_NewImportGraphDefOptions());
    TF_Buffer view{};
    view.data = bytes.data();
    view.length = bytes.size();
    const Status status;
    GivingUpWhereThrown(&graph, "import", [&] {
      tf().TF_GraphImportGraphDef(graph.get(), &view, import_options.get(), status);
    });
    status.Check();
    const CallerFitness fitness = FitnessForCaller(bytes);
    rewritten = {};  // it may hold all weights of a model, as the graph does now
    TF_Session* session = GivingUpWhereThrown(&graph, "making of the session", [&] {
      return tf().TF_NewSession(graph.get(), session_options.get(), status);
    });
    status.Check();
    const Whereabouts where = target_.empty() ? Whereabouts::kHere : Whereabouts::kElsewhere;
    core_ = SessionCore::Make(std::move(graph), session, fitness, where);
    if (has_constants) core_->SetHasWeights();
  }
  Napi::Value Result(Napi::Env env) override {
    // The values stand in the graph now. Who gave them gave them up: they would stay until they are
    // collected.
    for (const auto& value : values_) (void)napi_detach_arraybuffer(env, value.Value().ArrayBuffer());
    return Session::Wrap(env, std::move(core_));
  }

  std::shared_ptr<SourceGraph> graph_;
  GraphChanges changes_;
  std::optional<Bytes> config_;
  std::string target_;
  Values values_;  // of new constants, which are views of them
  std::shared_ptr<SessionCore> core_;
};

Napi::Value Numbers(Napi::Env env, const std::vector<uint32_t>& numbers) {
  Napi::Uint32Array array = Napi::Uint32Array::New(env, numbers.size());
  if (!numbers.empty()) std::memcpy(array.Data(), numbers.data(), numbers.size() * sizeof(uint32_t));
  return array;
}

Napi::Value Strings(Napi::Env env, const std::vector<std::string_view>& texts, size_t from, size_t to) {
  const Napi::Array array = Napi::Array::New(env, to - from);
  for (size_t i = from; i < to; ++i) {
    array.Set(static_cast<uint32_t>(i - from), Napi::String::New(env, texts[i].data(), texts[i].size()));
  }
  return array;
}

}  // namespace

void GraphSource::Init(Napi::Env env) {
  EnvData::Of(env).graph_source_class = Napi::Persistent(
      DefineClass(env, "NativeGraphSource",
                  {InstanceMethod<&GraphSource::Names>("names"), InstanceMethod<&GraphSource::Index>("index"),
                   InstanceMethod<&GraphSource::CreateSession>("createSession")}));
}

Napi::Value GraphSource::Read(const Napi::CallbackInfo& info) {
  const auto ops = [&](size_t i) {
    return info[i].IsArray() ? StringsFromJs(info[i]) : std::vector<std::string>{};
  };
  return PromiseWorker::Start(
      info.Env(),
      std::make_unique<ReadWorker>(info[0].As<Napi::Uint8Array>(), ops(1), ops(2), ops(3), ops(4)),
      PromiseWorker::Gate::kLimited);
}

GraphSource::GraphSource(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  graph_ = *info[0].As<Napi::External<std::shared_ptr<SourceGraph>>>().Data();
}

Napi::Value GraphSource::Names(const Napi::CallbackInfo& info) {
  const auto& names = graph_->index.names;
  const size_t to = std::min<size_t>(info[1].As<Napi::Number>().Uint32Value(), names.size());
  const size_t from = std::min<size_t>(info[0].As<Napi::Number>().Uint32Value(), to);
  return Strings(info.Env(), names, from, to);
}

Napi::Value GraphSource::Index(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const GraphIndex& index = graph_->index;
  const Napi::Object result = Napi::Object::New(env);
  result.Set("length", static_cast<double>(index.names.size()));
  result.Set("types", Numbers(env, index.types));
  result.Set("functions", Numbers(env, index.functions));
  result.Set("devices", Numbers(env, index.devices));
  result.Set("calls", Numbers(env, index.calls));
  result.Set("roles", BytesToJs(env, index.roles.data(), index.roles.size()));
  result.Set("typeTable", Strings(env, index.type_table, 0, index.type_table.size()));
  result.Set("functionTable", Strings(env, index.function_table, 0, index.function_table.size()));
  result.Set("deviceTable", Strings(env, index.device_table, 0, index.device_table.size()));
  const Napi::Array faults = Napi::Array::New(env);
  for (const auto& [node, text] : graph_->faults) {
    const Napi::Array fault = Napi::Array::New(env, 2);
    fault.Set(0U, node);
    fault.Set(1U, text);
    faults.Set(faults.Length(), fault);
  }
  result.Set("faults", faults);
  return result;
}

Napi::Value GraphSource::CreateSession(const Napi::CallbackInfo& info) {
  GraphChanges changes;
  Values values;
  try {
    if (info[0].IsObject()) changes = GraphChangesFromJs(info[0].As<Napi::Object>(), &values);
  } catch (const Error& error) {
    ThrowJs(info.Env(), error);
  }
  return PromiseWorker::Start(info.Env(),
                              std::make_unique<CreateWorker>(graph_, std::move(changes), BytesFromJs(info[1]),
                                                             TextFromJs(info[2]), std::move(values)),
                              PromiseWorker::Gate::kLimited);
}

}  // namespace tf_session

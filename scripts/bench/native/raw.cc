// The limit of any binding: TF_SessionRun in a loop, and nothing else.
//
//     raw DIR --feed NAME:TYPE:D,D… --fetch NAME… [--batch N]… [--caller] [--no-copies] [--config FILE] [--seconds S]
//
// TYPE is float or string. Each --batch is the first dimension of all feeds, in place of what they say; one after the
// other they are measured. FILE holds a serialized ConfigProto. Unless told otherwise each run copies its input in and
// all of its outputs out. Prints a line of JSON for each batch: times in microseconds.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "tensorflow/c/c_api.h"
#include "tensorflow/c/tf_tstring.h"

namespace {

using Clock = std::chrono::steady_clock;

double MicrosSince(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

void Check(TF_Status* status) {
  if (TF_GetCode(status) == TF_OK) return;
  std::fprintf(stderr, "%s\n", TF_Message(status));
  std::exit(1);
}

struct Feed {
  TF_Output output{};
  bool is_string = false;
  std::vector<int64_t> shape;
  size_t elements = 1;
  std::vector<float> floats;
  std::vector<std::string> strings;
};

TF_Output Find(TF_Graph* graph, const std::string& name) {
  const size_t colon = name.rfind('@');
  const std::string op = name.substr(0, colon);
  const int index = colon == std::string::npos ? 0 : std::atoi(name.c_str() + colon + 1);
  TF_Operation* operation = TF_GraphOperationByName(graph, op.c_str());
  if (operation == nullptr) {
    std::fprintf(stderr, "no op %s\n", op.c_str());
    std::exit(1);
  }
  return {operation, index};
}

Feed ParseFeed(TF_Graph* graph, const std::string& text, int64_t batch) {
  Feed feed;
  const size_t first = text.find(':');
  const size_t second = text.find(':', first + 1);
  feed.output = Find(graph, text.substr(0, first));
  feed.is_string = text.substr(first + 1, second - first - 1) == "string";
  for (size_t at = second + 1; at < text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const bool is_first = feed.shape.empty();
    feed.shape.push_back(is_first && batch > 0 ? batch : std::atoll(text.substr(at, comma - at).c_str()));
    feed.elements *= static_cast<size_t>(feed.shape.back());
    at = comma + 1;
  }
  for (size_t i = 0; i < feed.elements; ++i) {
    if (feed.is_string) {
      feed.strings.push_back("sentence number " + std::to_string(i) + " of the batch");
    } else {
      feed.floats.push_back(static_cast<float>((i * 7919) % 1000) / 1000.0F);
    }
  }
  return feed;
}

TF_Tensor* MakeInput(const Feed& feed) {
  const int rank = static_cast<int>(feed.shape.size());
  const size_t bytes = feed.elements * (feed.is_string ? sizeof(TF_TString) : sizeof(float));
  const TF_DataType type = feed.is_string ? TF_STRING : TF_FLOAT;
  TF_Tensor* tensor = TF_AllocateTensor(type, feed.shape.data(), rank, bytes);
  if (!feed.is_string) {
    std::memcpy(TF_TensorData(tensor), feed.floats.data(), bytes);
    return tensor;
  }
  auto* strings = static_cast<TF_TString*>(TF_TensorData(tensor));
  for (size_t i = 0; i < feed.elements; ++i) {
    TF_TString_Init(&strings[i]);
    TF_TString_Copy(&strings[i], feed.strings[i].data(), feed.strings[i].size());
  }
  return tensor;
}

// Copies an output into memory of its own, as a binding has to.
size_t CopyOut(const TF_Tensor* tensor) {
  const size_t bytes = TF_TensorByteSize(tensor);
  if (TF_TensorType(tensor) != TF_STRING) {
    const std::unique_ptr<char[]> copy(new char[bytes]);
    std::memcpy(copy.get(), TF_TensorData(tensor), bytes);
    return static_cast<size_t>(copy[bytes / 2]);
  }
  const auto* strings = static_cast<const TF_TString*>(TF_TensorData(tensor));
  std::vector<std::string> copies;
  copies.reserve(bytes / sizeof(TF_TString));
  for (size_t i = 0; i < bytes / sizeof(TF_TString); ++i) {
    copies.emplace_back(TF_TString_GetDataPointer(&strings[i]), TF_TString_GetSize(&strings[i]));
  }
  return copies.size();
}

std::string ReadFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "cannot read %s\n", path);
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> feed_texts;
  std::vector<std::string> fetch_names;
  std::vector<int64_t> batches;
  bool caller = false;
  bool copies = true;
  std::string config;
  double seconds = 1;
  for (int i = 2; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--feed") feed_texts.emplace_back(argv[++i]);
    if (argument == "--fetch") fetch_names.emplace_back(argv[++i]);
    if (argument == "--batch") batches.push_back(std::atoll(argv[++i]));
    if (argument == "--caller") caller = true;
    if (argument == "--no-copies") copies = false;
    if (argument == "--config") config = ReadFile(argv[++i]);
    if (argument == "--seconds") seconds = std::atof(argv[++i]);
  }
  if (batches.empty()) batches.push_back(0);

  TF_Status* status = TF_NewStatus();
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_SetConfig(options, config.data(), config.size(), status);
  Check(status);
  const char* tags[] = {"serve"};
  TF_Graph* graph = TF_NewGraph();
  const auto load_start = Clock::now();
  TF_Session* session =
      TF_LoadSessionFromSavedModel(options, nullptr, argv[1], tags, 1, graph, nullptr, status);
  Check(status);
  const double load = MicrosSince(load_start);

  std::vector<TF_Output> outputs;
  for (const std::string& name : fetch_names) outputs.push_back(Find(graph, name));
  const unsigned char in_caller[] = {0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
  TF_Buffer run_options{};
  run_options.data = in_caller;
  run_options.length = sizeof in_caller;

  for (const int64_t batch : batches) {
    std::vector<Feed> feeds;
    std::vector<TF_Output> inputs;
    for (const std::string& text : feed_texts) feeds.push_back(ParseFeed(graph, text, batch));
    for (const Feed& feed : feeds) inputs.push_back(feed.output);
    std::vector<TF_Tensor*> kept;
    if (!copies) {
      for (const Feed& feed : feeds) kept.push_back(MakeInput(feed));
    }
    size_t sink = 0;
    const auto run = [&] {
      std::vector<TF_Tensor*> values = kept;
      if (copies) {
        for (const Feed& feed : feeds) values.push_back(MakeInput(feed));
      }
      std::vector<TF_Tensor*> fetched(outputs.size(), nullptr);
      TF_SessionRun(session, caller ? &run_options : nullptr, inputs.data(), values.data(),
                    static_cast<int>(inputs.size()), outputs.data(), fetched.data(),
                    static_cast<int>(outputs.size()), nullptr, 0, nullptr, status);
      Check(status);
      if (copies) {
        for (TF_Tensor* value : values) TF_DeleteTensor(value);
      }
      for (TF_Tensor* tensor : fetched) {
        if (copies) sink += CopyOut(tensor);
        TF_DeleteTensor(tensor);
      }
    };

    const auto first_start = Clock::now();
    run();
    const double first = MicrosSince(first_start);
    for (const auto start = Clock::now(); MicrosSince(start) < seconds * 0.3e6;) run();
    std::vector<double> times;
    const clock_t cpu_start = clock();
    const auto start = Clock::now();
    while (times.size() < 5 || MicrosSince(start) < seconds * 1e6) {
      const auto begin = Clock::now();
      run();
      times.push_back(MicrosSince(begin));
    }
    const double cpu = static_cast<double>(clock() - cpu_start) / CLOCKS_PER_SEC * 1e6 / MicrosSince(start);
    std::sort(times.begin(), times.end());
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf("{\"batch\":%lld,\"medianUs\":%.3f,\"p99Us\":%.3f,\"runs\":%zu,\"loadMs\":%.2f,\"firstUs\":%.1f,"
                "\"peakKb\":%ld,\"cpuPerWall\":%.2f,\"sink\":%zu}\n",
                static_cast<long long>(feeds.empty() ? 0 : feeds[0].shape[0]), times[times.size() / 2],
                times[times.size() * 99 / 100], times.size(), load / 1000, first, usage.ru_maxrss, cpu, sink);
    std::fflush(stdout);
    for (TF_Tensor* value : kept) TF_DeleteTensor(value);
  }
  return 0;
}

// Loads, runs, and frees a SavedModel again and again, by TensorFlow's C API alone: what TensorFlow itself leaves behind.
//
//     reloads DIR CYCLES EVERY INPUT OUTPUT
//
// INPUT and OUTPUT are ops; what is fed is 8 zeros of float32, in one row. Prints `cycle kB` of resident memory every so often.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tensorflow/c/c_api.h"

namespace {

void Check(TF_Status* status) {
  if (TF_GetCode(status) == TF_OK) return;
  std::fprintf(stderr, "%s\n", TF_Message(status));
  std::exit(1);
}

long ResidentKilobytes() {
  long total = 0;
  long resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &total, &resident) != 2) std::exit(1);
  std::fclose(file);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

void Cycle(const char* directory, const char* input, const char* output) {
  TF_Status* status = TF_NewStatus();
  TF_SessionOptions* options = TF_NewSessionOptions();
  TF_Graph* graph = TF_NewGraph();
  const std::array<const char*, 1> tags = {"serve"};
  TF_Session* session = TF_LoadSessionFromSavedModel(options, nullptr, directory, tags.data(),
                                                     static_cast<int>(tags.size()), graph, nullptr, status);
  Check(status);

  const std::array<int64_t, 2> shape = {1, 8};
  const size_t bytes = sizeof(float) * 8;
  TF_Tensor* fed = TF_AllocateTensor(TF_FLOAT, shape.data(), static_cast<int>(shape.size()), bytes);
  std::memset(TF_TensorData(fed), 0, bytes);
  const TF_Output from = {TF_GraphOperationByName(graph, input), 0};
  const TF_Output to = {TF_GraphOperationByName(graph, output), 0};
  TF_Tensor* fetched = nullptr;
  TF_SessionRun(session, nullptr, &from, &fed, 1, &to, &fetched, 1, nullptr, 0, nullptr, status);
  Check(status);
  TF_DeleteTensor(fed);
  TF_DeleteTensor(fetched);

  TF_CloseSession(session, status);
  Check(status);
  TF_DeleteSession(session, status);
  Check(status);
  TF_DeleteGraph(graph);
  TF_DeleteSessionOptions(options);
  TF_DeleteStatus(status);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const int cycles = std::atoi(argv[2]);
  const int every = std::atoi(argv[3]);
  for (int i = 1; i <= cycles; ++i) {
    Cycle(argv[1], argv[4], argv[5]);
    if (i % every == 0) std::printf("%d %ld\n", i, ResidentKilobytes());
  }
  return 0;
}

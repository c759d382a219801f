// Tensors in the data files of a checkpoint, read where they lie. Any thread; knows neither Node-API nor
// TensorFlow.
#pragma once

#include <cstdint>
#include <string>

namespace tf_session {

// The bytes of one tensor.
struct CheckpointPart {
  std::string path;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint32_t checksum = 0;  // CRC-32C, masked as LevelDB masks it
};

// Reads all of it. Throws Error with NOT_FOUND where the file cannot be opened, DATA_LOSS where it is too
// short or the bytes are not what the checksum says.
void ReadPart(const CheckpointPart& part, char* into);

}  // namespace tf_session

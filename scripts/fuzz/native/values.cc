// libFuzzer target: what reads or writes the bytes of values and of messages around the graph. The first byte
// of an input says what the rest is.
#include <fcntl.h>
#include <sys/mman.h>
#include <tensorflow/c/tf_status.h>
#include <unistd.h>

#include <algorithm>

#include "checkpoint_part.h"
#include "error.h"
#include "expect.h"
#include "graph_walk.h"
#include "meta_graph.h"
#include "packed_strings.h"
#include "protozero_setup.h"
#include "utf8.h"

using namespace tf_session;

namespace {

// By the code points, where utf8.cc goes by the bytes.
Encoding SlowEncodingOf(const std::string& text) {
  Encoding encoding = Encoding::kAscii;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t length = lead < 0x80        ? 1
                          : lead >> 5U == 6  ? 2
                          : lead >> 4U == 14 ? 3
                          : lead >> 3U == 30 ? 4
                                             : 0;
    if (length == 0 || length > text.size() - i) return Encoding::kOther;
    uint32_t point = length == 1 ? lead : lead & (0xffU >> (length + 1));
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<uint8_t>(text[i + k]);
      if (next >> 6U != 2) return Encoding::kOther;
      point = point << 6U | (next & 0x3fU);
    }
    const uint32_t least = length == 1 ? 0 : length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return Encoding::kOther;
    if (length > 1) encoding = Encoding::kUtf8;
    i += length;
  }
  return encoding;
}

void Text(const std::string& text) { EXPECT(EncodingOf(text.data(), text.size()) == SlowEncodingOf(text)); }

void StringsRead(Head head) {
  const uint64_t elements = head.Byte() == 0 ? head.Number() : head.Byte();
  const std::string data = head.Rest();
  for (const uint64_t index : {uint64_t{0}, uint64_t{1}, elements / 2, elements - 1, elements}) {
    try {
      const std::string_view found = PackedStringAt(data, elements, index);
      EXPECT(index < elements);
      EXPECT(found.data() >= data.data() && found.data() + found.size() <= data.data() + data.size());
    } catch (const Error& error) {
      EXPECT(error.tf_code() == TF_DATA_LOSS);
    }
  }
}

void StringsWritten(Head head) {
  PackedStrings packed;
  std::vector<std::string> texts;
  const std::string data = head.Rest();
  for (size_t at = 0; at < data.size();) {
    const size_t length = std::min<size_t>(static_cast<uint8_t>(data[at]), data.size() - at - 1);
    texts.push_back(data.substr(at + 1, length));
    packed.Add(texts.back());
    at += 1 + length;
  }
  std::string bytes(packed.size(), '\0');
  packed.Write(bytes.data());
  for (size_t i = 0; i < texts.size(); ++i) EXPECT(PackedStringAt(bytes, texts.size(), i) == texts[i]);
}

uint32_t SlowChecksum(std::string_view bytes) {
  uint32_t sum = ~0U;
  for (const char byte : bytes) {
    sum ^= static_cast<uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1U ^ ((sum & 1U) != 0 ? 0x82f63b78U : 0);
  }
  sum = ~sum;
  return (sum >> 15U | sum << 17U) + 0xa282ead8U;
}

void Part(Head head) {
  static const int file = memfd_create("values", MFD_CLOEXEC);
  CheckpointPart part;
  part.path = "/proc/self/fd/" + std::to_string(file);
  const uint8_t how = head.Byte();
  part.offset = how % 2 == 0 ? head.Byte() : head.Number();
  part.size = head.Byte();
  const std::string data = head.Rest();
  EXPECT(ftruncate(file, 0) == 0);
  EXPECT(pwrite(file, data.data(), data.size(), 0) == static_cast<ssize_t>(data.size()));
  const bool is_there = part.offset <= data.size() && part.size <= data.size() - part.offset;
  const std::string wanted = is_there ? data.substr(part.offset, part.size) : "";
  part.checksum = SlowChecksum(wanted) + (how % 4 < 2 ? 0 : 1);
  std::string into(part.size, '\0');
  bool is_read = true;
  try {
    ReadPart(part, into.data());
  } catch (const Error& error) {
    EXPECT(error.tf_code() == TF_DATA_LOSS);
    is_read = false;
  }
  EXPECT(is_read == ((is_there || part.size == 0) && how % 4 < 2));
  if (is_read) EXPECT(into == wanted);
}

void MetaGraph(const std::string& bytes) {
  try {
    const std::string_view graph = GraphOf(bytes);
    const std::string kept = Essentials(bytes);
    EXPECT(graph.empty() || (graph.data() >= bytes.data() && graph.end() <= bytes.data() + bytes.size()));
    EXPECT(GraphOf(kept).empty());
    EXPECT(Essentials(kept) == kept);
    for (const uint32_t field : {3U, 5U}) EXPECT(Payload(kept, field) == Payload(bytes, field));
  } catch (const protozero::exception&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Head head(data, size);
  switch (head.Byte() % 5) {
    case 0:
      Text(head.Rest());
      break;
    case 1:
      StringsRead(head);
      break;
    case 2:
      StringsWritten(head);
      break;
    case 3:
      Part(head);
      break;
    default:
      MetaGraph(head.Rest());
  }
  return 0;
}

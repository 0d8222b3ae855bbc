// Turns any bytes into a sequence of calls of the C interface: good and bad networks, sessions with
// any options, runs on anything, in any order, with NULL wherever a pointer may be missing.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "cssrun/c.h"
#include "format/network_file.h"
#include "tests/fuzz/target.h"
#include "tests/oracle/random_network.h"

namespace {

using cssrun::fuzz::Require;

// Takes numbers from the input until none are left.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  bool empty() const { return at_ >= size_; }
  uint8_t Byte() { return empty() ? uint8_t{0} : data_[at_++]; }
  template <class T>
  T Number() {
    T value = {};
    const size_t count = std::min(sizeof value, size_ - std::min(at_, size_));
    if (count > 0) std::memcpy(&value, data_ + at_, count);
    at_ += sizeof value;
    return value;
  }
  // Half of the sizes are small, like most sizes that make sense.
  uint32_t Size() { return (Byte() & 1) != 0 ? Byte() : Number<uint32_t>(); }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
};

const std::vector<std::vector<uint8_t>>& Networks() {
  static const std::vector<std::vector<uint8_t>> networks = [] {
    std::vector<std::vector<uint8_t>> made;
    for (const uint32_t seed : {0U, 2U, 7U, 11U}) {
      const auto bytes = cssrun::format::SerializeNetwork(cssrun::oracle::RandomNetwork(seed));
      made.emplace_back(bytes.data(), bytes.data() + bytes.size());
    }
    const auto chain =
        cssrun::format::SerializeNetwork(cssrun::oracle::ChainNetwork(2, 6, 1.5F, 1));
    made.emplace_back(chain.data(), chain.data() + chain.size());
    made.push_back({'j', 'u', 'n', 'k', 'C', 'S', 'S', 'N', 0, 0});
    return made;
  }();
  return networks;
}

int OnReading(void* context, const cssrun_reading* reading) {
  Require(reading->struct_size == sizeof *reading && reading->logit_count > 0, "a reading");
  // In a struct that ends before the field `context`, the context is null.
  return context == nullptr ? 1 : --*static_cast<int*>(context) != 0;
}

void OnLog(void* context, cssrun_log_level, const char* message) {
  Require(std::strlen(message) > 0, "a message of the log");
  if (context != nullptr) ++*static_cast<int*>(context);
}

class Calls {
 public:
  explicit Calls(Input input) : input_(input) {}
  ~Calls() {
    for (cssrun_session* session : sessions_) cssrun_session_free(session);
    for (cssrun_network* network : networks_) cssrun_network_free(network);
  }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  void Run() {
    for (int calls = 0; !input_.empty() && calls < 64; ++calls) Call();
  }

 private:
  static constexpr size_t kHandles = 3;

  cssrun_status* Status() { return (input_.Byte() & 7) == 0 ? nullptr : &status_; }

  void Check(cssrun_code code, const cssrun_status* status) const {
    Require(code >= CSSRUN_OK && code <= CSSRUN_OUT_OF_MEMORY, "a code, not CSSRUN_INTERNAL");
    if (status == nullptr) return;
    Require(status->code == code, "the status has the same code");
    Require((std::strlen(status->message) == 0) == (code == CSSRUN_OK), "errors have a message");
  }

  cssrun_network*& Network() { return networks_[input_.Byte() % kHandles]; }
  cssrun_session*& Session() { return sessions_[input_.Byte() % kHandles]; }

  // Draws the size that an older header may have given the struct: a whole number of fields.
  size_t OlderSize(size_t size) { return input_.Byte() % (size / 8 + 1) * 8; }

  void Call() {
    switch (input_.Byte() % 14) {
      case 0:
      case 1:
        return Load();
      case 2:
      case 3:
        return Create();
      case 4:
      case 5:
      case 6:
        return RunPixels();
      case 7:
        return RunEvents();
      case 8:
        return cssrun_session_cancel(Session(), input_.Byte() & 1);
      case 9:
        return Look();
      case 10:
        return Answer();
      case 11: {
        cssrun_network*& network = Network();
        cssrun_network_free(network);
        network = nullptr;
        return;
      }
      case 12: {
        cssrun_session*& session = Session();
        cssrun_session_free(session);
        session = nullptr;
        return;
      }
      default:
        Require(cssrun_version() != nullptr && cssrun_simd_target() != nullptr, "texts");
    }
  }

  void Load() {
    cssrun_network*& network = Network();
    cssrun_network_free(network);
    network = nullptr;
    cssrun_load_options options = CSSRUN_LOAD_OPTIONS_INIT;
    int messages = 0;
    if ((input_.Byte() & 1) != 0) options.engine = input_.Byte() % 3;
    if ((input_.Byte() & 1) != 0) {
      options.log = OnLog;
      options.log_context = &messages;
    }
    if ((input_.Byte() & 7) == 0) {
      options.max_neurons = input_.Number<uint64_t>();
      options.max_synapses = input_.Number<uint64_t>();
      options.max_timesteps = input_.Number<uint32_t>();
    }
    if ((input_.Byte() & 7) == 0) options.struct_size = OlderSize(sizeof options);
    const std::vector<uint8_t>& bytes = Networks()[input_.Byte() % Networks().size()];
    const bool damaged = (input_.Byte() & 3) == 0;
    std::vector<uint8_t> copy = bytes;
    if (damaged) copy[input_.Size() % copy.size()] ^= input_.Byte();
    const size_t size = (input_.Byte() & 15) == 0 ? input_.Size() % copy.size() : copy.size();
    cssrun_status* status = Status();
    const cssrun_load_options* given = (input_.Byte() & 7) == 0 ? nullptr : &options;
    const cssrun_code code = cssrun_network_from_memory(
        (input_.Byte() & 31) == 1 ? nullptr : copy.data(), size, "fuzz", given, &network, status);
    Check(code, status);
    Require((network != nullptr) == (code == CSSRUN_OK), "a network exactly where all is well");
  }

  void Create() {
    cssrun_session*& session = Session();
    cssrun_session_free(session);
    session = nullptr;
    cssrun_session_options options = CSSRUN_SESSION_OPTIONS_INIT;
    if ((input_.Byte() & 3) == 0) options.chunk = input_.Size();
    if ((input_.Byte() & 3) == 0) options.threads = 1 + input_.Byte() % 3;
    options.profile = input_.Byte() & 1;
    options.statistics = input_.Byte() & 1;
    options.early_exit = input_.Byte() & 1;
    options.early_exit_margin = static_cast<double>(input_.Number<float>());
    if ((input_.Byte() & 7) == 0) options.time_limit_ns = input_.Number<uint64_t>();
    if ((input_.Byte() & 3) == 0) {
      readings_left_ = input_.Byte();
      options.on_reading = OnReading;
      options.on_reading_context = &readings_left_;
    }
    std::array<cssrun_record_request, 3> record = {};
    options.record_count = input_.Byte() % (record.size() + 1);
    for (cssrun_record_request& request : record) {
      request = {input_.Byte() % 5U, static_cast<uint8_t>(input_.Byte() & 1),
                 static_cast<uint8_t>(input_.Byte() & 1)};
    }
    options.record = (input_.Byte() & 15) == 0 ? nullptr : record.data();
    if ((input_.Byte() & 7) == 0) options.struct_size = OlderSize(sizeof options);
    cssrun_status* status = Status();
    const cssrun_code code = cssrun_session_create(
        Network(), (input_.Byte() & 7) == 0 ? nullptr : &options, &session, status);
    Check(code, status);
    Require((session != nullptr) == (code == CSSRUN_OK), "a session exactly where all is well");
  }

  // Draws the number of pixels, which is right most of the time.
  size_t PixelCount(const cssrun_network* network) {
    cssrun_network_info info = {};
    info.struct_size = sizeof info;
    if (cssrun_network_get_info(network, &info, nullptr) != CSSRUN_OK) return 16;
    const size_t pixels = size_t{info.channels} * info.height * info.width;
    return (input_.Byte() & 7) == 0 ? input_.Byte() : pixels;
  }

  void RunPixels() {
    const size_t count = PixelCount(Network());
    const auto order = static_cast<cssrun_pixel_order>(input_.Byte() % 3);
    cssrun_status* status = Status();
    if ((input_.Byte() & 1) != 0) {
      std::vector<uint8_t> pixels(count);
      for (uint8_t& pixel : pixels) pixel = input_.Byte();
      Check(cssrun_session_run_bytes(Session(), pixels.data(), count, order, status), status);
    } else {
      std::vector<float> pixels(count);
      const bool any = (input_.Byte() & 3) == 0;
      for (float& pixel : pixels) {
        pixel = any ? input_.Number<float>() : static_cast<float>(input_.Byte()) / 255.0F;
      }
      Check(cssrun_session_run_floats(Session(), pixels.data(), count, order, status), status);
    }
  }

  void RunEvents() {
    std::vector<cssrun_event> events(input_.Byte());
    for (cssrun_event& event : events) {
      event = {input_.Byte() % 8U, input_.Byte(), input_.Byte() % 16 == 0 ? 7 : 1};
    }
    cssrun_status* status = Status();
    Check(cssrun_session_run_events(Session(), events.data(), events.size(), status), status);
  }

  void Look() {
    const cssrun_network* network = Network();
    cssrun_status* status = Status();
    cssrun_network_info info = {};
    info.struct_size = (input_.Byte() & 3) == 0 ? input_.Byte() % (sizeof info + 1) : sizeof info;
    Check(cssrun_network_get_info(network, &info, status), status);
    cssrun_layer_info layer = {};
    layer.struct_size = sizeof layer;
    const cssrun_code code = cssrun_network_get_layer(network, input_.Size(), &layer, status);
    Check(code, status);
    if (code == CSSRUN_OK) Require(std::strlen(layer.kind_name) > 0, "a layer is of a kind");
    const char* label = cssrun_network_label(network, input_.Size());
    if (label != nullptr) (void)std::strlen(label);
    // Sides up to 63 fit the picture; longer ones are refused before it is read.
    const uint32_t width = input_.Byte() & 63;
    const uint32_t height = (input_.Byte() & 63) + (input_.Byte() == 0 ? 1U << 31 : 0);
    const std::vector<uint8_t> rgb(size_t{64} * 64 * 3, input_.Byte());
    std::vector<uint8_t> pixels(
        input_.Byte() == 0 ? 1 : size_t{info.channels} * info.height * info.width);
    Check(cssrun_network_preprocess(network, rgb.data(), width, height, pixels.data(),
                                    pixels.size(), status),
          status);
  }

  void Answer() {
    const cssrun_session* session = Session();
    cssrun_status* status = Status();
    cssrun_answer answer = {};
    answer.struct_size = sizeof answer;
    const cssrun_code code = cssrun_session_get_answer(session, &answer, status);
    Check(code, status);
    if (code == CSSRUN_OK) Require(answer.best < answer.logit_count, "the best is one of them");
    cssrun_statistics statistics = {};
    statistics.struct_size = sizeof statistics;
    Check(cssrun_session_get_statistics(session, input_.Size(), &statistics, status), status);
    cssrun_recording recording = {};
    recording.struct_size = sizeof recording;
    if (cssrun_session_get_recording(session, input_.Byte(), &recording, status) == CSSRUN_OK) {
      int sum = 0;
      for (size_t i = 0; i < recording.neurons * recording.spike_steps; ++i) {
        sum += recording.spikes[i];
      }
      Require(static_cast<size_t>(std::abs(sum)) <= recording.neurons * recording.spike_steps,
              "spikes are -1, 0 or 1");
    }
  }

  Input input_;
  cssrun_status status_ = {};
  int readings_left_ = 0;
  std::array<cssrun_network*, kHandles> networks_ = {};
  std::array<cssrun_session*, kHandles> sessions_ = {};
};

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Calls(Input(data, size)).Run();
  return 0;
}

// The C interface, on top of the C++ one: translates options and answers, and catches every
// exception.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cssrun/c.h"
#include "cssrun/cssrun.h"
#include "runtime/assert.h"
#include "runtime/c_api_handles.h"
#include "runtime/c_api_status.h"

struct cssrun_session {
  std::shared_ptr<const cssrun::Network> network;
  std::atomic<bool> cancelled = false;
  std::vector<cssrun::RecordRequest> record;
  cssrun::Answer answer;
  bool has_answer = false;
  cssrun::Session session;

  cssrun_session(std::shared_ptr<const cssrun::Network> shared, cssrun::SessionOptions options)
      : network(std::move(shared)), record(options.record), session(Make(options)) {}

 private:
  cssrun::Session Make(cssrun::SessionOptions& options) {
    options.cancel = &cancelled;
    return cssrun::Session(network, options);
  }
};

namespace {

using namespace cssrun::c_api;
using cssrun::Status;
using cssrun::StatusCode;

cssrun_engine EngineOf(cssrun::EngineKind kind) {
  return kind == cssrun::EngineKind::kInteger ? CSSRUN_ENGINE_INTEGER : CSSRUN_ENGINE_FLOAT;
}

cssrun_layer_kind KindOf(cssrun::LayerKind kind) {
  switch (kind) {
    case cssrun::LayerKind::kEncoder:
      return CSSRUN_LAYER_ENCODER;
    case cssrun::LayerKind::kPixels:
      return CSSRUN_LAYER_PIXELS;
    case cssrun::LayerKind::kNeurons:
      return CSSRUN_LAYER_NEURONS;
    case cssrun::LayerKind::kPooledNeurons:
      return CSSRUN_LAYER_POOLED_NEURONS;
    case cssrun::LayerKind::kReadout:
      return CSSRUN_LAYER_READOUT;
    case cssrun::LayerKind::kEvents:
      break;
  }
  return CSSRUN_LAYER_EVENTS;
}

cssrun_ending EndingOf(cssrun::Ending ending) {
  switch (ending) {
    case cssrun::Ending::kComplete:
      return CSSRUN_COMPLETE;
    case cssrun::Ending::kSure:
      return CSSRUN_SURE;
    case cssrun::Ending::kStopped:
      return CSSRUN_STOPPED_BY_CALLER;
    case cssrun::Ending::kLate:
      break;
  }
  return CSSRUN_LATE;
}

// Translates the options, calls `load`, a function from LoadOptions to a Result, and makes a
// handle.
template <class Load>
cssrun_code LoadNetwork(const cssrun_load_options* given, cssrun_network** network,
                        cssrun_status* status, Load load) noexcept {
  if (network != nullptr) *network = nullptr;
  return Guard(status, [&]() -> Status {
    if (network == nullptr) return Null("network");
    cssrun_load_options options = CSSRUN_LOAD_OPTIONS_INIT;
    if (Status read = ReadOptions(given, options); !read.ok()) return read;
    cssrun::LoadOptions load_options;
    if (options.engine == CSSRUN_ENGINE_FLOAT) {
      load_options.engine = cssrun::EngineKind::kFloat;
    } else if (options.engine != CSSRUN_ENGINE_INTEGER) {
      return Status::InvalidArgument("engine " + std::to_string(options.engine) +
                                     " is not a cssrun_engine");
    }
    if (options.log != nullptr) {
      load_options.log = [&options](cssrun::LogLevel level, std::string_view message) {
        options.log(
            options.log_context,
            level == cssrun::LogLevel::kWarning ? CSSRUN_LOG_WARNING : CSSRUN_LOG_INFORMATION,
            std::string(message).c_str());
      };
    }
    cssrun::NetworkLimits& limits = load_options.limits;
    if (options.max_neurons != 0) limits.neurons = options.max_neurons;
    if (options.max_synapses != 0) limits.synapses = options.max_synapses;
    if (options.max_layers != 0) limits.layers = options.max_layers;
    if (options.max_timesteps != 0) limits.timesteps = options.max_timesteps;
    cssrun::Result<std::shared_ptr<const cssrun::Network>> loaded = load(load_options);
    if (!loaded.ok()) return loaded.status();
    // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): Guard catches it
    *network = new cssrun_network{std::move(loaded).value()};
    return Status::Ok();
  });
}

cssrun::SessionOptions TranslateOptions(const cssrun_session_options& options) {
  cssrun::SessionOptions translated;
  translated.threads = options.threads;
  translated.chunk = options.chunk;
  translated.profile = options.profile != 0;
  translated.statistics = options.statistics != 0;
  if (options.early_exit != 0) translated.early_exit_margin = options.early_exit_margin;
  constexpr uint64_t kLongest = 1'000'000'000'000'000'000;  // 30 years
  translated.time_limit = std::chrono::nanoseconds(
      static_cast<std::chrono::nanoseconds::rep>(std::min(options.time_limit_ns, kLongest)));
  if (options.on_reading != nullptr) {
    translated.on_reading = [call = options.on_reading,
                             context = options.on_reading_context](const cssrun::Reading& reading) {
      const cssrun_reading view = {sizeof(cssrun_reading), reading.logits.data(),
                                   reading.logits.size(),  reading.step,
                                   reading.margin,         reading.synops};
      return call(context, &view) != 0;
    };
  }
  for (size_t i = 0; i < options.record_count; ++i) {
    const cssrun_record_request& request = options.record[i];
    translated.record.push_back({request.layer, request.spikes != 0, request.membranes != 0});
  }
  return translated;
}

template <class Pixel>
cssrun_code RunSession(cssrun_session* session, const Pixel* pixels, size_t count,
                       cssrun_pixel_order order, cssrun_status* status) noexcept {
  return RunPixels(session, "session", pixels, count, order, status, [&](cssrun::PixelOrder known) {
    return session->session.Run({pixels, count}, session->answer, known);
  });
}

Status CheckAnswer(const cssrun_session* session) {
  return cssrun::c_api::CheckAnswer(session, "session",
                                    "the session has no answer: its last run failed, or none was");
}

}  // namespace

const char* cssrun_version(void) { return cssrun::Version(); }
uint32_t cssrun_format_version(void) { return cssrun::FormatVersion(); }
const char* cssrun_simd_target(void) { return cssrun::SimdTarget(); }

cssrun_code cssrun_network_load(const char* path, const cssrun_load_options* options,
                                cssrun_network** network, cssrun_status* status) {
  return LoadNetwork(options, network, status,
                     [&](const cssrun::LoadOptions& load)
                         -> cssrun::Result<std::shared_ptr<const cssrun::Network>> {
                       if (path == nullptr) return Null("path");
                       return cssrun::Network::Load(path, load);
                     });
}

cssrun_code cssrun_network_from_memory(const void* bytes, size_t size, const char* name,
                                       const cssrun_load_options* options, cssrun_network** network,
                                       cssrun_status* status) {
  return LoadNetwork(
      options, network, status,
      [&](const cssrun::LoadOptions& load)
          -> cssrun::Result<std::shared_ptr<const cssrun::Network>> {
        if (bytes == nullptr) return Null("bytes");
        if (name == nullptr) return Null("name");
        return cssrun::Network::FromBytes({static_cast<const uint8_t*>(bytes), size}, name, load);
      });
}

cssrun_code cssrun_network_from_descriptor(int descriptor, const char* name,
                                           const cssrun_load_options* options,
                                           cssrun_network** network, cssrun_status* status) {
  return LoadNetwork(options, network, status,
                     [&](const cssrun::LoadOptions& load)
                         -> cssrun::Result<std::shared_ptr<const cssrun::Network>> {
                       if (name == nullptr) return Null("name");
                       return cssrun::Network::FromDescriptor(descriptor, name, load);
                     });
}

void cssrun_network_free(cssrun_network* network) { delete network; }

cssrun_code cssrun_network_get_info(const cssrun_network* network, cssrun_network_info* info,
                                    cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (network == nullptr) return Null("network");
    const cssrun::Network& from = *network->network;
    cssrun_network_info ours = {};
    ours.engine = EngineOf(from.engine());
    ours.channels = from.input().channels;
    ours.height = from.input().height;
    ours.width = from.input().width;
    ours.resize = from.input().resize;
    ours.logits = from.logits();
    ours.timesteps = from.timesteps();
    ours.latency_steps = from.latency_steps();
    ours.layers = static_cast<uint32_t>(from.layers().size());
    ours.macs_per_image = from.macs_per_image();
    ours.early_exit_margin = from.early_exit_margin().value_or(-1.0);
    ours.why_float = from.why_float().c_str();
    ours.answer = from.answer() == cssrun::AnswerKind::kClasses ? CSSRUN_CLASSES : CSSRUN_NUMBERS;
    ours.outputs = static_cast<uint32_t>(from.outputs().size());
    ours.exif = from.input().exif ? 1 : 0;
    return WriteStruct(ours, info, "info");
  });
}

cssrun_code cssrun_network_get_output(const cssrun_network* network, uint32_t output,
                                      cssrun_output_info* info, cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (network == nullptr) return Null("network");
    const std::vector<cssrun::OutputInfo>& outputs = network->network->outputs();
    if (output >= outputs.size()) return OutOfRange("output", output, outputs.size());
    const cssrun::OutputInfo& from = outputs[output];
    cssrun_output_info ours = {};
    ours.name = from.name.c_str();
    ours.first = from.first;
    ours.size = from.size();
    ours.shape = from.shape.data();
    ours.rank = from.shape.size();
    return WriteStruct(ours, info, "info");
  });
}

cssrun_code cssrun_network_preprocess(const cssrun_network* network, const uint8_t* rgb,
                                      uint32_t width, uint32_t height, uint8_t* pixels,
                                      size_t count, cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (network == nullptr) return Null("network");
    if (rgb == nullptr) return Null("rgb");
    if (pixels == nullptr) return Null("pixels");
    std::vector<uint8_t> made;
    Status status_of_picture = cssrun::Preprocess(
        network->network->input(), {rgb, size_t{width} * height * 3}, width, height, made);
    if (!status_of_picture.ok()) return status_of_picture;
    if (made.size() != count) {
      return Status::InvalidArgument("room for " + std::to_string(count) +
                                     " pixels; the network takes " + std::to_string(made.size()));
    }
    std::ranges::copy(made, pixels);
    return Status::Ok();
  });
}

const char* cssrun_network_label(const cssrun_network* network, uint32_t logit) {
  if (network == nullptr) return nullptr;
  const std::vector<std::string>& labels = network->network->labels();
  return logit < labels.size() ? labels[logit].c_str() : nullptr;
}

cssrun_code cssrun_network_get_layer(const cssrun_network* network, uint32_t layer,
                                     cssrun_layer_info* info, cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (network == nullptr) return Null("network");
    const std::vector<cssrun::LayerInfo>& layers = network->network->layers();
    if (layer >= layers.size()) return OutOfRange("layer", layer, layers.size());
    const cssrun::LayerInfo& from = layers[layer];
    cssrun_layer_info ours = {};
    ours.name = from.name.c_str();
    ours.kind_name = cssrun::LayerKindName(from.kind);
    ours.neurons = from.neurons;
    ours.offset = from.offset;
    ours.channels = from.channels;
    ours.height = from.height;
    ours.width = from.width;
    ours.kind = KindOf(from.kind);
    return WriteStruct(ours, info, "info");
  });
}

cssrun_code cssrun_session_create(const cssrun_network* network,
                                  const cssrun_session_options* given, cssrun_session** session,
                                  cssrun_status* status) {
  if (session != nullptr) *session = nullptr;
  return Guard(status, [&]() -> Status {
    if (session == nullptr) return Null("session");
    if (network == nullptr) return Null("network");
    cssrun_session_options options = CSSRUN_SESSION_OPTIONS_INIT;
    options.statistics = given != nullptr;  // callers from before the option always had them
    if (Status read = ReadOptions(given, options); !read.ok()) return read;
    if (options.record == nullptr && options.record_count != 0) return Null("record");
    const size_t layers = network->network->layers().size();
    for (size_t i = 0; i < options.record_count; ++i) {
      if (options.record[i].layer >= layers) {
        return OutOfRange("a recording of layer", options.record[i].layer, layers);
      }
    }
    *session = new cssrun_session(network->network, TranslateOptions(options));
    return Status::Ok();
  });
}

void cssrun_session_free(cssrun_session* session) { delete session; }

cssrun_code cssrun_session_run_bytes(cssrun_session* session, const uint8_t* pixels, size_t count,
                                     cssrun_pixel_order order, cssrun_status* status) {
  return RunSession(session, pixels, count, order, status);
}

cssrun_code cssrun_session_run_floats(cssrun_session* session, const float* pixels, size_t count,
                                      cssrun_pixel_order order, cssrun_status* status) {
  return RunSession(session, pixels, count, order, status);
}

cssrun_code cssrun_session_run_events(cssrun_session* session, const cssrun_event* events,
                                      size_t count, cssrun_status* status) {
  static_assert(sizeof(cssrun_event) == sizeof(cssrun::InputEvent) &&
                offsetof(cssrun_event, step) == offsetof(cssrun::InputEvent, step) &&
                offsetof(cssrun_event, address) == offsetof(cssrun::InputEvent, address) &&
                offsetof(cssrun_event, sign) == offsetof(cssrun::InputEvent, sign));
  return RunHandle(session, "session", events, count, status, [&] {
    return session->session.Run(
        std::span(reinterpret_cast<const cssrun::InputEvent*>(events), count), session->answer);
  });
}

void cssrun_session_cancel(cssrun_session* session, int cancelled) {
  if (session != nullptr) session->cancelled = cancelled != 0;
}

cssrun_code cssrun_session_get_answer(const cssrun_session* session, cssrun_answer* answer,
                                      cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (Status has = CheckAnswer(session); !has.ok()) return has;
    const cssrun::Answer& from = session->answer;
    return WriteStruct(
        cssrun_answer{0, from.logits.data(), from.logits.size(), static_cast<uint32_t>(from.best()),
                      from.steps, EndingOf(from.ending)},
        answer, "answer");
  });
}

cssrun_code cssrun_session_get_statistics(const cssrun_session* session, uint32_t layer,
                                          cssrun_statistics* statistics, cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (Status has = CheckAnswer(session); !has.ok()) return has;
    const std::vector<cssrun::LayerStatistics>& layers = session->answer.layers;
    if (layers.empty()) {
      return Status::InvalidArgument(
          "the session counts nothing; set cssrun_session_options.statistics to 1");
    }
    if (layer >= layers.size()) return OutOfRange("layer", layer, layers.size());
    const cssrun::LayerStatistics& from = layers[layer];
    return WriteStruct(cssrun_statistics{0, from.spikes, from.synops, from.seconds, from.macs},
                       statistics, "statistics");
  });
}

cssrun_code cssrun_session_get_recording(const cssrun_session* session, size_t request,
                                         cssrun_recording* recording, cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (Status has = CheckAnswer(session); !has.ok()) return has;
    const std::vector<cssrun::Recording>& recordings = session->answer.recordings;
    if (request >= recordings.size()) return OutOfRange("recording", request, recordings.size());
    CSSRUN_ASSERT(recordings.size() == session->record.size());
    const cssrun::Recording& from = recordings[request];
    const size_t neurons = session->network->layers()[session->record[request].layer].neurons;
    CSSRUN_ASSERT(neurons > 0);
    return WriteStruct(
        cssrun_recording{0, neurons, from.spikes.empty() ? nullptr : from.spikes.data(),
                         from.spikes.size() / neurons,
                         from.membranes.empty() ? nullptr : from.membranes.data(),
                         from.membranes.size() / neurons},
        recording, "recording");
  });
}

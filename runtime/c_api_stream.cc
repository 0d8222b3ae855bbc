// The C interface of streams, on top of the C++ one.
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include "cssrun/c.h"
#include "cssrun/stream.h"
#include "runtime/c_api_handles.h"
#include "runtime/c_api_status.h"

struct cssrun_stream {
  std::atomic<bool> cancelled = false;
  cssrun::StreamAnswer answer;
  bool has_answer = false;
  std::unique_ptr<cssrun::Stream> stream;
};

namespace {

using namespace cssrun::c_api;
using cssrun::Status;

template <class Pixel>
cssrun_code NextPixels(cssrun_stream* stream, const Pixel* pixels, size_t count,
                       cssrun_pixel_order order, cssrun_status* status) noexcept {
  return RunPixels(stream, "stream", pixels, count, order, status, [&](cssrun::PixelOrder known) {
    return stream->stream->Next(std::span(pixels, count), stream->answer, known);
  });
}

Status CheckAnswer(const cssrun_stream* stream) {
  return cssrun::c_api::CheckAnswer(stream, "stream",
                                    "the stream has no answer: its last frame failed, or none was");
}

}  // namespace

cssrun_code cssrun_stream_create(const cssrun_network* network, const cssrun_stream_options* given,
                                 cssrun_stream** stream, cssrun_status* status) {
  if (stream != nullptr) *stream = nullptr;
  return Guard(status, [&]() -> Status {
    if (stream == nullptr) return Null("stream");
    if (network == nullptr) return Null("network");
    cssrun_stream_options options = CSSRUN_STREAM_OPTIONS_INIT;
    options.statistics = given != nullptr;  // callers from before the option always had them
    if (Status read = ReadOptions(given, options); !read.ok()) return read;
    auto made = std::make_unique<cssrun_stream>();
    cssrun::StreamOptions translated;
    translated.threads = options.threads;
    translated.hold = options.hold;
    translated.dead_zone = options.dead_zone;
    translated.profile = options.profile != 0;
    translated.statistics = options.statistics != 0;
    translated.cancel = &made->cancelled;
    cssrun::Result<cssrun::Stream> created = cssrun::Stream::Create(network->network, translated);
    if (!created.ok()) return created.status();
    made->stream = std::make_unique<cssrun::Stream>(std::move(created).value());
    *stream = made.release();
    return Status::Ok();
  });
}

void cssrun_stream_free(cssrun_stream* stream) { delete stream; }

cssrun_code cssrun_stream_next_bytes(cssrun_stream* stream, const uint8_t* pixels, size_t count,
                                     cssrun_pixel_order order, cssrun_status* status) {
  return NextPixels(stream, pixels, count, order, status);
}

cssrun_code cssrun_stream_next_floats(cssrun_stream* stream, const float* pixels, size_t count,
                                      cssrun_pixel_order order, cssrun_status* status) {
  return NextPixels(stream, pixels, count, order, status);
}

cssrun_code cssrun_stream_next_changes(cssrun_stream* stream, const cssrun_changed_pixel* changes,
                                       size_t count, cssrun_status* status) {
  static_assert(sizeof(cssrun_changed_pixel) == sizeof(cssrun::ChangedPixel) &&
                offsetof(cssrun_changed_pixel, address) ==
                    offsetof(cssrun::ChangedPixel, address) &&
                offsetof(cssrun_changed_pixel, value) == offsetof(cssrun::ChangedPixel, value));
  return RunHandle(stream, "stream", changes, count, status, [&] {
    return stream->stream->Next(
        std::span(reinterpret_cast<const cssrun::ChangedPixel*>(changes), count), stream->answer);
  });
}

void cssrun_stream_reset(cssrun_stream* stream) {
  if (stream != nullptr) stream->stream->Reset();
}

void cssrun_stream_cancel(cssrun_stream* stream, int cancelled) {
  if (stream != nullptr) stream->cancelled = cancelled != 0;
}

cssrun_code cssrun_stream_get_answer(const cssrun_stream* stream, cssrun_stream_answer* answer,
                                     cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (Status has = CheckAnswer(stream); !has.ok()) return has;
    const cssrun::StreamAnswer& from = stream->answer;
    return WriteStruct(
        cssrun_stream_answer{0, from.logits.data(), from.logits.size(),
                             static_cast<uint32_t>(from.best()), from.frame, from.neurons,
                             from.changed, from.changed_pixels, from.updates, from.synops,
                             from.seconds, from.whole ? 1 : 0},
        answer, "answer");
  });
}

cssrun_code cssrun_stream_get_statistics(const cssrun_stream* stream, uint32_t layer,
                                         cssrun_stream_statistics* statistics,
                                         cssrun_status* status) {
  return Guard(status, [&]() -> Status {
    if (Status has = CheckAnswer(stream); !has.ok()) return has;
    const std::vector<cssrun::StreamLayer>& layers = stream->answer.layers;
    if (layer >= layers.size()) return OutOfRange("layer", layer, layers.size());
    const cssrun::StreamLayer& from = layers[layer];
    return WriteStruct(
        cssrun_stream_statistics{0, from.neurons, from.changed, from.touched, from.spikes,
                                 from.synops, from.updates, from.seconds},
        statistics, "statistics");
  });
}

#include "converter/ann_run.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "converter/dense.h"

namespace cssrun::converter {
namespace {

// A batch has enough images to keep the cores busy, and so few that large images do not fill the
// memory.
size_t BatchSize(size_t image_size, size_t images) {
  constexpr size_t kValuesPerBatch = 200'000;
  return std::clamp<size_t>(kValuesPerBatch / image_size, 1, std::min<size_t>(images, 64));
}

// The answer to image `index` of a batch: every output in its own order, one after another.
// `outputs`: [output][image][element of GraphOutput::value].
Logits AnswerOf(const Graph& graph, std::span<const float> outputs, size_t batch, size_t index) {
  Logits answer;
  for (const GraphOutput& output : graph.outputs) {
    const auto size = static_cast<size_t>(ElementCount(graph.value(output.value).shape));
    const std::span<const float> values = outputs.subspan(index * size, size);
    if (output.order.empty()) answer.insert(answer.end(), values.begin(), values.end());
    for (const int64_t element : output.order) {
      answer.push_back(values[static_cast<size_t>(element)]);
    }
    outputs = outputs.subspan(batch * size);
  }
  return answer;
}

}  // namespace

void NormalizePixels(std::span<const uint8_t> pixels, const InputFormat& input,
                     std::span<float> normalized) {
  const size_t channels = input.channels;
  const size_t positions = pixels.size() / channels;
  for (size_t channel = 0; channel < channels; ++channel) {
    const float mean = input.mean[channel];
    const float stddev = input.stddev[channel];
    for (size_t position = 0; position < positions; ++position) {
      const auto pixel = static_cast<float>(pixels[position * channels + channel]);
      normalized[channel * positions + position] = (pixel / 255.0F - mean) / stddev;
    }
  }
}

Status CheckAnswers(const Graph& graph, const std::vector<Logits>& answers) {
  for (size_t i = 0; i < answers.size(); ++i) {
    if (std::ranges::all_of(answers[i], [](float v) { return std::isfinite(v); })) continue;
    return Status::BadModel("output " + graph.outputs.front().name +
                            ": the network's answer to image " + std::to_string(i + 1) +
                            " is not finite; check its weights, --mean and --std");
  }
  return Status::Ok();
}

Result<std::vector<Logits>> RunAnn(const Graph& graph, const ImageSet& images,
                                   const InputFormat& input, std::span<const ValueId> watch,
                                   const ObserveActivations& observe, const Progress& progress) {
  const size_t count = images.pixels.size();
  const size_t image_size = size_t{input.channels} * input.height * input.width;
  size_t floats = 0;  // of one image, in all outputs
  for (const GraphOutput& output : graph.outputs) {
    floats += static_cast<size_t>(ElementCount(graph.value(output.value).shape));
  }
  const size_t batch = BatchSize(image_size, count);
  Result<std::unique_ptr<DenseNetwork>> dense =
      DenseNetwork::Create(graph, static_cast<int64_t>(batch));
  if (!dense.ok()) return dense.status();

  std::vector<Logits> all_logits;
  std::vector<float> normalized(batch * image_size);
  std::vector<float> logits(batch * floats);
  for (size_t first = 0; first < count; first += batch) {
    // The last batch is padded with images whose logits are ignored.
    const size_t filled = std::min(batch, count - first);
    for (size_t i = 0; i < filled; ++i) {
      NormalizePixels(images.pixels[first + i], input,
                      std::span(normalized).subspan(i * image_size, image_size));
    }
    const auto observe_filled = [&](ValueId value, std::span<const float> activations) {
      observe(value, activations.first(activations.size() / batch * filled));
    };
    if (Status status = dense.value()->Run(normalized, logits, watch, observe_filled);
        !status.ok()) {
      return status;
    }
    for (size_t i = 0; i < filled; ++i) {
      all_logits.push_back(AnswerOf(graph, logits, batch, i));
    }
    progress(first + filled, count);
  }
  return all_logits;
}

}  // namespace cssrun::converter

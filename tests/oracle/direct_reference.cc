#include "tests/oracle/direct_reference.h"

#include <cmath>

#include "tests/oracle/reference.h"

namespace cssrun::oracle {
namespace {

using format::SynapseKind;

// A map of the sums that each position of each channel gets from pixels: in float, tap after tap.
struct PixelMap {
  std::vector<float> values;  // [channel, row, column]
  int height = 0, width = 0;
};

float PixelAt(const PixelMap& map, size_t c, int y, int x) {
  if (y < 0 || y >= map.height || x < 0 || x >= map.width) return 0;
  return map.values[(c * static_cast<size_t>(map.height) + static_cast<size_t>(y)) *
                        static_cast<size_t>(map.width) +
                    static_cast<size_t>(x)];
}

}  // namespace

bool IsDirect(const format::NetworkT& network, const format::SynapsesT& s) {
  return network.code->input == format::InputCoding::Direct && s.source == 0;
}

std::vector<float> DirectPotentials(const format::NetworkT& network, const format::NodeT& node,
                                    const std::vector<double>& inputs) {
  const auto height = static_cast<int>(node.potential->height());
  const auto width = static_cast<int>(node.potential->width());
  const size_t channels = node.potential->channels();
  std::vector<float> potentials(channels * static_cast<size_t>(height * width), 0.0F);
  const format::Extent& image = *network.nodes[0]->extent;
  const double scale = SumOfWeights(network) * static_cast<double>(network.nodes[0]->amplitude);
  for (const auto& s : node.synapses) {
    if (!IsDirect(network, *s)) continue;
    PixelMap view;
    view.height = static_cast<int>(image.height());
    view.width = static_cast<int>(image.width());
    for (const double input : inputs) view.values.push_back(static_cast<float>(input / scale));
    if (s->average != nullptr) {
      const format::Window& w = *s->average;
      PixelMap means;
      means.height = (view.height + w.pad_top() + w.pad_bottom() - w.kernel_y()) / w.stride_y() + 1;
      means.width = (view.width + w.pad_left() + w.pad_right() - w.kernel_x()) / w.stride_x() + 1;
      for (size_t c = 0; c < image.channels(); ++c) {
        for (int y = 0; y < means.height; ++y) {
          for (int x = 0; x < means.width; ++x) {
            float sum = 0;
            for (int ky = 0; ky < w.kernel_y(); ++ky) {
              for (int kx = 0; kx < w.kernel_x(); ++kx) {
                sum += PixelAt(view, c, y * w.stride_y() - w.pad_top() + ky,
                               x * w.stride_x() - w.pad_left() + kx);
              }
            }
            means.values.push_back(sum);
          }
        }
      }
      view = means;
    }
    PixelMap wide;
    wide.height = (view.height - 1) * s->spread_y + 1;
    wide.width = (view.width - 1) * s->spread_x + 1;
    for (size_t c = 0; c < image.channels(); ++c) {
      for (int y = 0; y < wide.height; ++y) {
        for (int x = 0; x < wide.width; ++x) {
          const bool hit = y % s->spread_y == 0 && x % s->spread_x == 0;
          wide.values.push_back(hit ? PixelAt(view, c, y / s->spread_y, x / s->spread_x) : 0);
        }
      }
    }
    view = wide;
    const format::Window& w = *s->window;
    const size_t sources = image.channels() / s->groups;
    const size_t targets = channels / s->groups;
    for (size_t target = 0; target < channels; ++target) {
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
          float& sum = potentials[(target * static_cast<size_t>(height) + static_cast<size_t>(y)) *
                                      static_cast<size_t>(width) +
                                  static_cast<size_t>(x)];
          for (int ky = 0; ky < w.kernel_y(); ++ky) {
            for (int kx = 0; kx < w.kernel_x(); ++kx) {
              const int sy = y * w.stride_y() - w.pad_top() + ky * w.dilation_y();
              const int sx = x * w.stride_x() - w.pad_left() + kx * w.dilation_x();
              if (s->kind == SynapseKind::Identity) {
                const int64_t c = static_cast<int64_t>(target) - s->channel_offset;
                if (c < 0 || c >= image.channels()) continue;
                sum += s->weights[0] * PixelAt(view, static_cast<size_t>(c), sy, sx);
                continue;
              }
              for (size_t j = 0; j < sources; ++j) {
                const size_t weight = ((target * sources + j) * static_cast<size_t>(w.kernel_y()) +
                                       static_cast<size_t>(ky)) *
                                          static_cast<size_t>(w.kernel_x()) +
                                      static_cast<size_t>(kx);
                sum += s->weights[weight] * PixelAt(view, target / targets * sources + j, sy, sx);
              }
            }
          }
        }
      }
    }
  }
  return potentials;
}

std::vector<double> WholePixelSums(const format::NetworkT& network, const format::NodeT& node,
                                   const std::vector<double>& inputs,
                                   const std::vector<double>& scales) {
  const format::PreprocessingT& pre = *network.preprocessing;
  const format::SynapsesT& s = *node.synapses.at(0);
  const format::Window& w = *s.window;
  const format::Extent& image = *network.nodes[0]->extent;
  const auto theta = static_cast<double>(network.nodes[0]->amplitude);
  const auto height = static_cast<int>(node.potential->height());
  const auto width = static_cast<int>(node.potential->width());
  const size_t sources = image.channels() / s.groups;
  const size_t targets = node.potential->channels() / s.groups;
  std::vector<double> sums;
  for (size_t target = 0; target < node.potential->channels(); ++target) {
    for (int position = 0; position < height * width; ++position) {
      double sum = 0;
      double of_zeros = 0;
      for (size_t i = 0; i < sources * static_cast<size_t>(w.kernel_y() * w.kernel_x()); ++i) {
        const int tap = static_cast<int>(i) % (w.kernel_y() * w.kernel_x());
        const size_t c =
            target / targets * sources + i / static_cast<size_t>(w.kernel_y() * w.kernel_x());
        const int y =
            position / width * w.stride_y() - w.pad_top() + tap / w.kernel_x() * w.dilation_y();
        const int x =
            position % width * w.stride_x() - w.pad_left() + tap % w.kernel_x() * w.dilation_x();
        if (y < 0 || y >= static_cast<int>(image.height()) || x < 0 ||
            x >= static_cast<int>(image.width())) {
          continue;
        }
        const auto stddev = static_cast<double>(pre.stddev[c]);
        const auto mean = static_cast<double>(pre.mean[c]);
        const auto grid = static_cast<double>(pre.grid_step);
        const double step = (grid > 0 ? grid : 1 / (255 * stddev)) / theta;
        const double zero = grid > 0 ? pre.grid_lowest : -255 * mean;
        const double input = inputs[(c * image.height() + static_cast<size_t>(y)) * image.width() +
                                    static_cast<size_t>(x)];
        const double byte =
            std::nearbyint(grid > 0 ? input / grid - zero : (input * stddev + mean) * 255);
        const size_t index =
            target * sources * static_cast<size_t>(w.kernel_y() * w.kernel_x()) + i;
        const auto stepped = static_cast<float>(static_cast<double>(s.weights[index]) * step);
        const double units = std::nearbyint(static_cast<double>(stepped) * scales[target]);
        sum += units * byte;
        of_zeros += units * zero;
      }
      sums.push_back(sum + std::nearbyint(of_zeros));
    }
  }
  return sums;
}

}  // namespace cssrun::oracle

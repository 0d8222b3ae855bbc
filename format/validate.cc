#include "format/validate.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "format/checks.h"
#include "format/geometry.h"
#include "format/network_file.h"
#include "format/validate_events.h"

namespace cssrun::format {
namespace {

// The limits of the format. They are far above any real network, yet low enough that no product
// below overflows 64 bits and that a small hostile file cannot demand all memory.
constexpr uint32_t kMaximumTimesteps = 1024;
constexpr uint32_t kMaximumSilentSteps = 8;
constexpr double kMaximumWeightBits = 60;  // beta^(T+L) stays below 2^60
constexpr uint64_t kMaximumWindowReads =
    1U << 31;  // positions of a map of means, times members of one

constexpr const char* kNotFinite = "weights holds a number that is not finite";

// Of a node, and of some of its synapses, in messages.
std::string NameOf(const Network& network, uint32_t node) {
  return "node " + std::to_string(node) + " (" + network.nodes()->Get(node)->name()->str() + ")";
}
std::string NameOfSynapses(const std::string& node, uint32_t synapses) {
  return node + ": synapses " + std::to_string(synapses);
}

// Whether the first and the last window along one axis have a member on the map; those between them
// then have one, too.
bool CoversPosition(int64_t size, int64_t positions, int64_t kernel, int64_t stride, int64_t pad) {
  return pad >= 0 && pad < kernel && (positions - 1) * stride - pad < size;
}

// Whether every pooled position has at least one member.
bool PoolHasMembers(const Window& w, const Extent& potential, const Extent& pooled) {
  return w.dilation_y() == 1 && w.dilation_x() == 1 &&
         CoversPosition(potential.height(), pooled.height(), w.kernel_y(), w.stride_y(),
                        w.pad_top()) &&
         CoversPosition(potential.width(), pooled.width(), w.kernel_x(), w.stride_x(),
                        w.pad_left());
}

Status CheckCode(const Code& code, uint32_t version, const NetworkLimits& limits) {
  const std::string where = "code";
  if (!InRange(code.timesteps(), 1, kMaximumTimesteps)) {
    return Bad(where, "timesteps " + std::to_string(code.timesteps()) + " is not 1.." +
                          std::to_string(kMaximumTimesteps));
  }
  if (code.timesteps() > limits.timesteps) {
    return AboveLimit(where, "timesteps", code.timesteps(), limits.timesteps);
  }
  if (code.silent_steps() > kMaximumSilentSteps) {
    return Bad(where, "silent_steps " + std::to_string(code.silent_steps()) + " is not 0.." +
                          std::to_string(kMaximumSilentSteps));
  }
  // Negated, so that NaN is refused, too.
  if (!(code.beta() >= 1.0F && code.beta() <= 4.0F)) return Bad(where, "beta is not 1..4");
  const double steps = static_cast<double>(code.timesteps()) + code.silent_steps();
  if (steps * std::log2(static_cast<double>(code.beta())) > kMaximumWeightBits) {
    return Bad(where, "beta is too large for so many timesteps");
  }
  if (code.input() != InputCoding::Spikes && code.input() != InputCoding::Direct) {
    return Bad(where, "input: unknown coding");
  }
  if (code.whole_pixels() &&
      (version < kWholePixelsVersion || code.input() != InputCoding::Direct)) {
    return Bad(where, "whole_pixels: since format version 5, with Direct input");
  }
  if (!std::isfinite(code.early_exit_margin())) {
    return Bad(where, "early_exit_margin is not a finite number");
  }
  return Status::Ok();
}

Status CheckPictures(const Pictures& p, uint32_t channels, uint32_t longer) {
  const std::string where = "preprocessing: pictures";
  if (p.resizing() > Resizing::MAX || p.interpolation() > Interpolation::MAX ||
      p.colours() > Colours::MAX) {
    return Bad(where, "an unknown way of resizing, interpolation or order of colours");
  }
  const bool sided = p.resizing() == Resizing::Cover || p.resizing() == Resizing::ShorterSide;
  const uint32_t least = p.resizing() == Resizing::Cover ? longer : 1;
  if (sided && !InRange(p.shorter_side(), least, kMaximumSide)) {
    return Bad(where, "shorter_side is smaller than the image or out of range");
  }
  const bool sized = p.resizing() == Resizing::Stretch || p.resizing() == Resizing::Fit;
  if (sized && (!InRange(p.height(), 1, kMaximumSide) || !InRange(p.width(), 1, kMaximumSide))) {
    return Bad(where, "height or width is out of range");
  }
  if (p.colours() == Colours::Bgr && channels != 3) {
    return Bad(where, "blue, green and red are three channels");
  }
  return Status::Ok();
}

Status CheckPreprocessing(const Preprocessing& p, const Extent& input) {
  const std::string where = "preprocessing";
  if (p.mean()->size() != input.channels() || !AllFinite(*p.mean())) {
    return Bad(where, "mean needs one finite number per channel");
  }
  if (p.stddev()->size() != input.channels() || !AllFinite(*p.stddev()) ||
      !std::all_of(p.stddev()->begin(), p.stddev()->end(), [](float x) { return x > 0; })) {
    return Bad(where, "stddev needs one positive number per channel");
  }
  const bool rounds =
      std::isfinite(p.grid_step()) && p.grid_step() > 0 && p.grid_lowest() < p.grid_highest();
  if (!rounds && p.grid_step() != 0) {
    return Bad(where, "grid_step is not positive, or grid_lowest not below grid_highest");
  }
  const uint32_t longer = std::max(input.height(), input.width());
  if (p.pictures() != nullptr) {
    if (p.resize() != 0) return Bad(where, "resize is 0 where there is pictures");
    return CheckPictures(*p.pictures(), input.channels(), longer);
  }
  if (!InRange(p.resize(), longer, kMaximumSide)) {
    return Bad(where, "resize is smaller than the image or out of range");
  }
  return Status::Ok();
}

Status CheckSynapses(const std::string& where, uint32_t version, const Synapses& s,
                     const Extent& source, const Extent& target) {
  const std::string mismatch = "does not lead from " + ToString(source) + " to " + ToString(target);
  Extent seen = source;
  if (const Window* mean = s.average(); mean != nullptr) {
    if (Status status = CheckWindow(where + ": average", *mean); !status.ok()) return status;
    const int64_t rows = WindowRows(*mean, source.height());
    const int64_t columns = WindowColumns(*mean, source.width());
    if (!InRange(rows, 1, kMaximumSide) || !InRange(columns, 1, kMaximumSide)) {
      return Bad(where, "average " + mismatch);
    }
    seen = Extent(source.channels(), static_cast<uint32_t>(rows), static_cast<uint32_t>(columns));
    const uint64_t members =
        static_cast<uint64_t>(mean->kernel_y()) * static_cast<uint64_t>(mean->kernel_x());
    if (members * Positions(seen) > kMaximumWindowReads) {
      return Bad(where, "average window is too large");
    }
  }
  if (IsSpread(s)) {
    if (version < kSpreadVersion) return Bad(where, "spread: since format version 4");
    const auto spreads = [](int64_t size, int64_t spread) {
      return InRange(spread, 1, kMaximumSide) &&
             SpreadPositions(size, spread) <= int64_t{kMaximumSide};
    };
    if (!spreads(seen.height(), s.spread_y()) || !spreads(seen.width(), s.spread_x()) ||
        Neurons(SeenExtent(s, source)) > kMaximumNeurons) {
      return Bad(where, "spread is out of range");
    }
    if (s.kind() != SynapseKind::Convolution) return Bad(where, "spread: only of convolutions");
    seen = SeenExtent(s, source);
  }
  const Window& w = *s.window();
  if (Status status = CheckWindow(where + ": window", w); !status.ok()) return status;
  if (WindowRows(w, seen.height()) != target.height() ||
      WindowColumns(w, seen.width()) != target.width()) {
    return Bad(where, "window " + mismatch);
  }
  const uint64_t taps = static_cast<uint64_t>(w.kernel_y()) * static_cast<uint64_t>(w.kernel_x());
  switch (s.kind()) {
    case SynapseKind::Convolution:
      if (s.groups() == 0 || source.channels() % s.groups() != 0 ||
          target.channels() % s.groups() != 0) {
        return Bad(where, "groups does not divide the channels");
      }
      if (s.weights()->size() != taps * target.channels() * (source.channels() / s.groups())) {
        return Bad(where, "weights holds " + std::to_string(s.weights()->size()) + " numbers and " +
                              mismatch);
      }
      break;
    case SynapseKind::Identity:
      if (taps != 1 || s.groups() != 1 || s.weights()->size() != 1) {
        return Bad(where, "an identity has one weight, one tap and one group");
      }
      if (!InRange(s.channel_offset(), -int64_t{source.channels()} + 1,
                   int64_t{target.channels()} - 1)) {
        return Bad(where, "channel_offset leads nowhere");
      }
      break;
    default:
      return Bad(where, "unknown kind of synapses");
  }
  if (reinterpret_cast<uintptr_t>(s.weights()->Data()) % FileBytes::kAlignment != 0) {
    return Bad(where, "weights is not aligned to 64 bytes");
  }
  return Status::Ok();
}

// The number of pairs of neurons that these synapses join, those in the padding included.
uint64_t Connections(const Synapses& s, const Extent& source, const Extent& target) {
  const uint64_t channels = std::max(source.channels(), target.channels());
  uint64_t connections = s.kind() == SynapseKind::Identity
                             ? channels * Positions(target)
                             : s.weights()->size() * Positions(target);
  if (const Window* mean = s.average(); mean != nullptr) {
    const auto rows = static_cast<uint64_t>(WindowRows(*mean, source.height()));
    const auto columns = static_cast<uint64_t>(WindowColumns(*mean, source.width()));
    const uint64_t members =
        static_cast<uint64_t>(mean->kernel_y()) * static_cast<uint64_t>(mean->kernel_x());
    connections += members * rows * columns * source.channels();
  }
  return connections;
}

// With answer Numbers the readouts are the nodes of that kind at the end; there is at least one.
NodeKind ExpectedKind(const Network& network, uint32_t index) {
  const auto& nodes = *network.nodes();
  const uint32_t last = nodes.size() - 1;
  if (index == 0) return NodeKind::Encoder;
  if (index == last) return NodeKind::Readout;
  const bool among_readouts = network.answer() == AnswerKind::Numbers &&
                              nodes.Get(index)->kind() == NodeKind::Readout &&
                              nodes.Get(index + 1)->kind() == NodeKind::Readout;
  return among_readouts ? NodeKind::Readout : NodeKind::Neurons;
}

Status CheckReadout(const std::string& where, const Node& node) {
  const uint64_t neurons = Neurons(*node.extent());
  uint64_t elements = neurons;
  if (node.output_order() != nullptr) {
    elements = node.output_order()->size();
    const auto beyond = [neurons](uint32_t neuron) { return neuron >= neurons; };
    if (elements == 0 ||
        std::any_of(node.output_order()->begin(), node.output_order()->end(), beyond)) {
      return Bad(where, "output_order names no neurons, or some beyond the extent");
    }
    if (node.output_shape() == nullptr) return Bad(where, "output_order without output_shape");
  }
  if (node.output_shape() == nullptr) return Status::Ok();
  uint64_t product = 1;
  for (const uint32_t size : *node.output_shape()) {
    // A product beyond the elements ends the loop, so that none overflows.
    product = size == 0 || product > elements / size ? 0 : product * size;
    if (product == 0) break;
  }
  if (product == elements) return Status::Ok();
  return Bad(where, "output_shape does not have " + std::to_string(elements) + " elements");
}

Status CheckLevels(const std::string& where, const Code& code, const Node& node) {
  if (node.lowest_level() == 0 && node.highest_level() == 0) return Status::Ok();
  if (node.kind() != NodeKind::Neurons || code.beta() != 2.0F) {
    return Bad(where, "lowest_level, highest_level: only neurons with beta 2 have limits");
  }
  constexpr uint32_t kMostSteps = 16;
  const int64_t most = (int64_t{1} << std::min(code.timesteps(), kMostSteps)) - 1;
  if (!InRange(node.lowest_level(), -most, 0) || !InRange(node.highest_level(), 1, most)) {
    return Bad(where, "lowest_level, highest_level: not -" + std::to_string(most) + "..0 and 1.." +
                          std::to_string(most));
  }
  return Status::Ok();
}

Status CheckNode(const std::string& where, const Network& network, uint32_t index, Kept kept) {
  const Node& node = *network.nodes()->Get(index);
  const Code& code = *network.code();
  const Extent& extent = *node.extent();
  const Extent& potential = *node.potential();

  const NodeKind expected = ExpectedKind(network, index);
  if (node.kind() != expected) {
    return Bad(where,
               "kind: the first node is the encoder, the last the readout (with answer Numbers, "
               "readouts), all others are neurons");
  }
  if (Status status = CheckExtent(where + ": extent", extent); !status.ok()) return status;
  if (Status status = CheckExtent(where + ": potential", potential); !status.ok()) return status;
  if (extent.channels() != potential.channels()) {
    return Bad(where, "extent and potential differ in channels");
  }
  if (const Window* pool = node.pool(); pool != nullptr) {
    if (expected != NodeKind::Neurons) return Bad(where, "pool: only neurons pool");
    if (Status status = CheckWindow(where + ": pool", *pool); !status.ok()) return status;
    if (WindowRows(*pool, potential.height()) != extent.height() ||
        WindowColumns(*pool, potential.width()) != extent.width() ||
        !PoolHasMembers(*pool, potential, extent)) {
      return Bad(where,
                 "pool does not lead from " + ToString(potential) + " to " + ToString(extent));
    }
  } else if (extent.height() != potential.height() || extent.width() != potential.width()) {
    return Bad(where, "extent and potential differ without a pool");
  }
  if (expected == NodeKind::Readout) {
    if (Status status = CheckReadout(where, node); !status.ok()) return status;
  } else if (node.output_shape() != nullptr || node.output_order() != nullptr) {
    return Bad(where, "output_shape, output_order: only readouts have them");
  }
  if (expected != NodeKind::Neurons && node.rectify()) {
    return Bad(where, "rectify: only neurons rectify");
  }
  if (Status status = CheckLevels(where, code, node); !status.ok()) return status;
  if (!(std::isfinite(node.amplitude()) && node.amplitude() > 0)) {
    return Bad(where, "amplitude is not a positive number");
  }
  if (!std::isfinite(node.initial_potential())) {
    return Bad(where, "initial_potential is not finite");
  }
  const auto& thresholds = *node.thresholds();
  const bool silent = expected == NodeKind::Readout ||
                      (expected == NodeKind::Encoder && code.input() == InputCoding::Direct);
  const uint32_t spikes = silent ? 0 : code.timesteps();
  if (thresholds.size() != spikes) {
    return Bad(where, "thresholds needs " + std::to_string(spikes) + " numbers");
  }
  if (!std::all_of(thresholds.begin(), thresholds.end(),
                   [](float x) { return x >= 1e-3F && x <= 1e3F; })) {
    return Bad(where, "thresholds holds a number outside 0.001..1000");
  }
  const uint32_t biases = expected == NodeKind::Encoder ? 0 : potential.channels();
  if (node.bias()->size() != biases || !AllFinite(*node.bias())) {
    return Bad(where, "bias needs " + std::to_string(biases) + " finite numbers");
  }
  if (expected == NodeKind::Encoder) {
    if (node.offset() != 0) return Bad(where, "offset: the encoder starts at step 0");
    if (node.synapses()->size() != 0) return Bad(where, "synapses: the encoder has none");
    return Status::Ok();
  }

  if (node.synapses()->size() == 0) return Bad(where, "synapses: nothing drives this node");
  uint64_t input_offset = 0;
  for (uint32_t i = 0; i < node.synapses()->size(); ++i) {
    const Synapses& s = *node.synapses()->Get(i);
    const std::string edge = NameOfSynapses(where, i);
    if (s.source() >= index) return Bad(edge, "source is not an earlier node");
    const Node& source = *network.nodes()->Get(s.source());
    if (source.kind() == NodeKind::Readout) return Bad(edge, "source: a readout sends no spikes");
    if (Status status =
            CheckSynapses(edge, network.format_version(), s, *source.extent(), potential);
        !status.ok()) {
      return status;
    }
    if (!(kept == Kept::kAllButWeights && MayBeLeftOut(s)) && !AllFinite(*s.weights())) {
      return Bad(edge, kNotFinite);
    }
    input_offset = std::max<uint64_t>(input_offset, source.offset());
  }
  const uint64_t wait = expected == NodeKind::Neurons ? code.silent_steps() : 0;
  if (node.offset() != input_offset + wait) {
    return Bad(where, "offset " + std::to_string(node.offset()) + " is not " +
                          std::to_string(input_offset + wait));
  }
  for (uint32_t i = 0; i < node.synapses()->size(); ++i) {
    const Synapses& s = *node.synapses()->Get(i);
    const uint64_t delay = input_offset - network.nodes()->Get(s.source())->offset();
    if (s.delay() != delay) {
      return Bad(NameOfSynapses(where, i),
                 "delay " + std::to_string(s.delay()) + " is not " + std::to_string(delay));
    }
  }
  return Status::Ok();
}

}  // namespace

Status ValidateNetwork(const Network& network, const NetworkLimits& limits, Kept kept) {
  if (!InRange(network.format_version(), kOldestFormatVersion, kFormatVersion)) {
    return Status::BadModel(
        "format version " + std::to_string(network.format_version()) +
        ", this program reads versions " + std::to_string(kOldestFormatVersion) + " to " +
        std::to_string(kFormatVersion) + "; convert the model again with a matching cssconvert");
  }
  if (network.events() != nullptr) {
    if (network.format_version() < kEventsVersion) return Bad("events", "since format version 6");
    return ValidateEvents(network, limits);
  }
  if (Status status = CheckCode(*network.code(), network.format_version(), limits); !status.ok())
    return status;
  const auto& nodes = *network.nodes();
  if (nodes.size() < 2) return Bad("nodes", "a network has at least an encoder and a readout");
  if (network.answer() != AnswerKind::Classes && network.answer() != AnswerKind::Numbers) {
    return Bad("answer", "is of an unknown kind");
  }
  if (nodes.size() > limits.layers) {
    return AboveLimit("nodes", "layers", nodes.size(), limits.layers);
  }
  uint64_t neurons = 0;
  uint64_t synapses = 0;
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    const std::string where = NameOf(network, i);
    if (Status status = CheckNode(where, network, i, kept); !status.ok()) return status;
    neurons += Neurons(*nodes.Get(i)->extent()) + Neurons(*nodes.Get(i)->potential());
    if (neurons > kMaximumNeurons) return Bad(where, "the network has too many neurons");
    if (neurons > limits.neurons) return AboveLimit(where, "neurons", neurons, limits.neurons);
    for (const Synapses* s : *nodes.Get(i)->synapses()) {
      // The sum so far is at most 2^60 and one set of synapses joins fewer than 2^62 pairs, so the
      // addition cannot overflow.
      synapses += Connections(*s, *nodes.Get(s->source())->extent(), *nodes.Get(i)->potential());
      if (synapses > std::min(limits.synapses, kMaximumSynapses)) {
        return AboveLimit(where, "synapses", synapses, std::min(limits.synapses, kMaximumSynapses));
      }
    }
  }
  if (Status status = CheckPreprocessing(*network.preprocessing(), *nodes.Get(0)->extent());
      !status.ok()) {
    return status;
  }
  const Node& readout = *nodes.Get(nodes.size() - 1);
  const uint64_t logits = readout.output_order() != nullptr ? readout.output_order()->size()
                                                            : Neurons(*readout.extent());
  if (network.answer() == AnswerKind::Numbers && network.labels()->size() != 0) {
    return Bad("labels", "answers that are numbers have none");
  }
  if (network.labels()->size() != 0 && network.labels()->size() != logits) {
    return Bad("labels", std::to_string(network.labels()->size()) + " labels for " +
                             std::to_string(logits) + " logits");
  }
  const Origin& origin = *network.origin();
  if (!std::isfinite(origin.calibration_agreement()) || !std::isfinite(origin.ann_top1())) {
    return Bad("origin", "holds a number that is not finite");
  }
  return Status::Ok();
}

Status BadWeights(const Network& network, uint32_t node, uint32_t synapses) {
  return Bad(NameOfSynapses(NameOf(network, node), synapses), kNotFinite);
}

}  // namespace cssrun::format

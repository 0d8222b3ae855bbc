#include "bench/paper/figures.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

namespace cssrun::paper {
namespace {

using converter::CodeSettings;

Json Figure(const std::string& title, const std::string& note, const std::string& x,
            const std::string& y) {
  return {{"title", title}, {"note", note}, {"x", x}, {"y", y}, {"series", Json::array()}};
}

void AddSeries(Json& figure, const std::string& name, const std::vector<Json>& points) {
  figure["series"].push_back({{"name", name}, {"points", points}});
}

void Figure2(const Experiments& e, Json& figures) {
  const Experiments::Inside inside = e.LookInto(Css(12, 1.5F, 1, 0.5F));
  Json spikes = Figure("Figure 2a: spikes over the steps",
                       "T = 12, beta = 1.5, L = 1, threshold 1/2; share of a layer's neurons that "
                       "fire at each step.",
                       "step", "neurons %");
  Json residuals = Figure("Figure 2b: what stays in the membrane",
                          "The same run: residual potential |u[T]| after the last spike, in "
                          "amplitudes; half of one is what rounding leaves.",
                          "residual, amplitudes", "neurons %");
  for (const auto* layer : {&inside.first, &inside.last}) {
    std::vector<Json> positive, negative, residual;
    for (size_t i = 0; i < layer->positive.size(); ++i) {
      positive.push_back({i + 1, Rounded(100 * layer->positive[i], 1000)});
      negative.push_back({i + 1, Rounded(100 * layer->negative[i], 1000)});
    }
    for (size_t i = 0; i < layer->residuals.size(); ++i) {
      residual.push_back(
          {Rounded(0.1 * static_cast<double>(i) + 0.05), Rounded(100 * layer->residuals[i], 1000)});
    }
    const std::string name = layer == &inside.first ? "first layer" : "last layer";
    AddSeries(spikes, name + ", +1", positive);
    AddSeries(spikes, name + ", -1", negative);
    AddSeries(residuals, name, residual);
  }
  figures["figure2a"] = spikes;
  figures["figure2b"] = residuals;
}

void Figure3(const Experiments& e, Json& figures) {
  Json accuracy = Figure("Figure 3a: accuracy against beta", "T = 12, L = 1, threshold 1/2.",
                         "beta", "accuracy %");
  Json residual =
      Figure("Figure 3b: residual against beta",
             "The mean of |u[T]| over all neurons, in amplitudes.", "beta", "residual, amplitudes");
  std::vector<Json> right, left;
  for (int tenths = 11; tenths <= 20; ++tenths) {
    const CodeSettings code = Css(12, static_cast<float>(tenths) / 10, 1, 0.5F);
    right.push_back({tenths / 10.0, Rounded(e.Accuracy(e.Measure(code).comparison))});
    left.push_back({tenths / 10.0, Rounded(e.LookInto(code).mean_residual, 10000)});
  }
  AddSeries(accuracy, "CSS", right);
  AddSeries(residual, "CSS", left);
  figures["figure3a"] = accuracy;
  figures["figure3b"] = residual;
}

void Figure4(const Experiments& e, Json& figures) {
  Json figure =
      Figure("Figure 4: negative spikes and silent steps",
             "T = 12, beta = 1.5, threshold 1/2 (without negative spikes 1).", "L", "accuracy %");
  for (const bool negative : {true, false}) {
    std::vector<Json> points;
    for (uint32_t silent = 0; silent <= 8; ++silent) {
      CodeSettings code = Css(12, 1.5F, silent, 0.5F);
      code.negative_spikes = negative;
      points.push_back({silent, Rounded(e.Accuracy(e.Measure(code).comparison))});
    }
    AddSeries(figure, negative ? "with negative spikes" : "without", points);
  }
  figures["figure4"] = figure;
}

void Figure5(const Experiments& e, Json& figures) {
  const std::string note = "beta = 1.5, threshold 1/2.";
  Json steps = Figure("Figure 5a: accuracy against coding steps", note, "T", "accuracy %");
  Json latency =
      Figure("Figure 5b: accuracy against latency", note, "latency, steps", "accuracy %");
  for (const uint32_t silent : {0U, 1U}) {
    std::vector<Json> by_steps, by_latency;
    for (uint32_t timesteps = 4; timesteps <= 16; timesteps += 2) {
      const Outcome outcome = e.Measure(Css(timesteps, 1.5F, silent, 0.5F));
      const double accuracy = Rounded(e.Accuracy(outcome.comparison));
      by_steps.push_back({timesteps, accuracy});
      by_latency.push_back({outcome.latency, accuracy});
    }
    AddSeries(steps, fmt::format("L = {}", silent), by_steps);
    AddSeries(latency, fmt::format("L = {}", silent), by_latency);
  }
  figures["figure5a"] = steps;
  figures["figure5b"] = latency;
}

}  // namespace

Json Figures(const Experiments& e) {
  Json figures;
  Figure2(e, figures);
  Figure3(e, figures);
  Figure4(e, figures);
  Figure5(e, figures);
  return figures;
}

}  // namespace cssrun::paper

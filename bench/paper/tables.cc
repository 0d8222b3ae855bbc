#include "bench/paper/tables.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <vector>

namespace cssrun::paper {
namespace {

using converter::CodeSettings;
using converter::InputCoding;

constexpr double kJoulesPerAccumulate = 0.9e-12;
constexpr double kJoulesPerMultiplyAccumulate = 4.6e-12;

Json Table(const std::string& title, const std::string& note, std::vector<std::string> columns) {
  return {{"title", title}, {"note", note}, {"columns", columns}, {"rows", Json::array()}};
}

double MicrojoulesOf(const converter::Comparison& c) {
  return (c.synops_per_image * kJoulesPerAccumulate +
          c.direct_macs_per_image * kJoulesPerMultiplyAccumulate) *
         1e6;
}

// Table 2: coding steps, latency and accuracy of CSS against rate coding.
Json Table2(const Experiments& e) {
  Json table =
      Table("Table 2: CSS against rate coding",
            "Latency counts steps until the readout is complete; the paper counts the readout as "
            "one more. "
            "Rate: soft-reset IF neurons that start half charged, pixels by multiplication.",
            {"code", "steps", "latency", "accuracy %", "as the ANN %", "logit error %", "M SyOPs",
             "engine"});
  table["rows"].push_back({"ANN", nullptr, nullptr,
                           e.graded() ? Json(Rounded(100 * e.ann_top1())) : Json(), 100.0, 0.0,
                           nullptr, "oneDNN"});
  const auto add = [&](const std::string& name, const CodeSettings& code) {
    const Outcome outcome = e.Measure(code);
    const converter::Comparison& c = outcome.comparison;
    table["rows"].push_back({name, code.timesteps, outcome.latency, Rounded(e.Accuracy(c)),
                             Rounded(100 * c.agreement), Rounded(100 * c.relative_logit_error),
                             Rounded(c.synops_per_image / 1e6),
                             outcome.in_float ? "float" : "integer"});
  };
  for (const uint32_t steps : {6U, 8U, 10U, 12U}) {
    add("CSS, beta 1.5, L = 1, threshold 1/2 (the paper's)", Css(steps, 1.5F, 1, 0.5F));
  }
  for (const uint32_t steps : {8U, 12U}) {
    add("CSS, beta 1.5, L = 2, threshold 0.7 (ours)", Css(steps, 1.5F, 2, 0.7F));
  }
  for (const uint32_t steps : {4U, 5U, 6U, 8U}) {
    add("CSS, beta 2, L = 2, threshold 0.667", Css(steps, 2, 2, 0.667F));
  }
  for (const uint32_t steps : {8U, 16U, 32U, 64U, 128U, 256U}) {
    add("rate, signed", CodeSettings::Rate(steps, true));
  }
  for (const uint32_t steps : {8U, 16U, 32U, 64U, 128U, 256U}) {
    add("rate, unsigned", CodeSettings::Rate(steps, false));
  }
  return table;
}

// Table 3: networks with few steps, and a quantized network whose readout is read after each step.
Json Table3(const Experiments& e, const Experiments* quantized) {
  Json table =
      Table("Table 3: few steps",
            "beta = 2, direct input, L = T - 1 up to T = 6 (all input comes before the first "
            "spike), else 2. Of the quantized network: accuracy if its readout is read after "
            "each step.",
            {"network", "T", "accuracy %", "as the ANN %", "M SyOPs"});
  for (uint32_t steps = 1; steps <= 8; ++steps) {
    CodeSettings code = Css(steps, 2, steps <= 6 ? steps - 1 : 2, steps <= 6 ? 0.75F : 0.667F);
    code.input = InputCoding::kDirect;
    const Outcome outcome = e.Measure(code);
    const converter::Comparison& c = outcome.comparison;
    table["rows"].push_back({"float", steps, Rounded(e.Accuracy(c)), Rounded(100 * c.agreement),
                             Rounded(c.synops_per_image / 1e6)});
  }
  if (quantized == nullptr) return table;
  if (!quantized->model().quantized_code.has_value()) {
    Exit(Status::InvalidArgument("--quantized: the model has no QuantizeLinear nodes"));
  }
  const CodeSettings code = *quantized->model().quantized_code;
  const std::vector<double> by_step = quantized->AccuracyBySteps(code);
  const Outcome whole = quantized->Measure(code);
  for (uint32_t step = 1; step <= by_step.size(); ++step) {
    const bool last = step == by_step.size();
    table["rows"].push_back(
        {fmt::format("quantized, {} bits, after step {}", code.timesteps, step), step,
         Rounded(by_step[step - 1]),
         last ? Json(Rounded(100 * whole.comparison.agreement)) : Json(),
         last ? Json(Rounded(whole.comparison.synops_per_image / 1e6)) : Json()});
  }
  if (quantized->graded()) {
    table["rows"].push_back(
        {"quantized ANN", nullptr, Rounded(100 * quantized->ann_top1()), 100.0, nullptr});
  }
  return table;
}

// Table 4: operations and energy.
Json Table4(const Experiments& e, const Experiments* quantized) {
  Json table =
      Table("Table 4: operations and energy",
            "An image; 0.9 pJ an accumulate, 4.6 pJ a multiply-accumulate (45 nm): arithmetic "
            "alone, no memory.",
            {"network", "M SyOPs", "M MACs", "uJ", "of the ANN's energy %", "accuracy %"});
  const double ann = static_cast<double>(e.macs()) * kJoulesPerMultiplyAccumulate * 1e6;
  table["rows"].push_back({"ANN", 0.0, Rounded(static_cast<double>(e.macs()) / 1e6), Rounded(ann),
                           100.0, e.graded() ? Json(Rounded(100 * e.ann_top1())) : Json()});
  const auto add = [&](const std::string& name, const Experiments& of, const CodeSettings& code) {
    const converter::Comparison c = of.Measure(code).comparison;
    table["rows"].push_back({name, Rounded(c.synops_per_image / 1e6),
                             Rounded(c.direct_macs_per_image / 1e6), Rounded(MicrojoulesOf(c)),
                             Rounded(100 * MicrojoulesOf(c) / ann), Rounded(of.Accuracy(c))});
  };
  add("CSS, T = 12, beta 1.5, L = 1, threshold 1/2 (the paper's)", e, Css(12, 1.5F, 1, 0.5F));
  add("CSS, T = 12, beta 1.5, L = 2, threshold 0.7 (ours)", e, Css(12, 1.5F, 2, 0.7F));
  CodeSettings few = Css(8, 1.5F, 3, 0.75F);
  few.input = InputCoding::kDirect;
  add("CSS, T = 8, beta 1.5, L = 3, threshold 0.75, direct input", e, few);
  CodeSettings settled = Css(5, 2, 4, 0.75F);
  settled.input = InputCoding::kDirect;
  add("CSS, T = 5, beta 2, L = 4, threshold 0.75, direct input", e, settled);
  add("rate, signed, T = 32", e, CodeSettings::Rate(32, true));
  add("rate, signed, T = 128", e, CodeSettings::Rate(128, true));
  if (quantized != nullptr) add("quantized", *quantized, *quantized->model().quantized_code);
  return table;
}

}  // namespace

Json Tables(const Experiments& e, const Experiments* quantized) {
  Json tables;
  tables["table2"] = Table2(e);
  tables["table3"] = Table3(e, quantized);
  tables["table4"] = Table4(e, quantized);
  return tables;
}

}  // namespace cssrun::paper

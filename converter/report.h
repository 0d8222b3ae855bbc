// Formats the conversion report for people and as JSON.
#ifndef CSSRUN_CONVERTER_REPORT_H_
#define CSSRUN_CONVERTER_REPORT_H_

#include <string>

#include "converter/convert.h"

namespace cssrun::converter {

// Returns a table of the layers and a few lines that compare the network with its ANN. Names come
// from the model: make them safe before they reach a terminal.
std::string FormatReport(const ConversionReport& report);

// Returns an object with the keys model, timesteps, beta, silent_steps, threshold, last_threshold,
// negative_spikes, coding, input, percentile, amplitudes (the rule), per_channel, adjust_rounds,
// latency_steps, macs_per_image, calibration and validation (null if there was none) {images,
// agreement, relative_logit_error, ann_top1 and snn_top1 (null without ground truth),
// spikes_per_image, synops_per_image}, layers [name, kind, neurons, theta, percentile, maximum,
// clipped_share (null where nothing was calibrated), offset, delays, fan_in, spikes_per_image,
// synops_per_image, error], goal and wanted_agreement (null where a code was named), tried (where
// it was chosen for speed or latency) [timesteps, beta, silent_steps, threshold,
// expected_agreement, expected_ms, latency_steps, in_integers, chosen], frontier (for energy),
// why_float, warnings [text].
std::string ReportToJson(const ConversionReport& report);

}  // namespace cssrun::converter

#endif  // CSSRUN_CONVERTER_REPORT_H_

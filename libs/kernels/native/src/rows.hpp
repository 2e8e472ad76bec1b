// Operations on rows by themselves: layer normalization, blocks of sequences, transposes.
#pragma once

#include "row-normalization.hpp"

namespace ostinato {
namespace OSTINATO_ISA {

/** Values that one task takes, about. */
constexpr int kValuesPerTask = 1 << 14;

/** Calls `body(row)` for each row, shared out in blocks of rows. */
template <class Body>
inline void forEachRow(int numRows, int numColumns, const Body& body) {
  const int perTask = std::max(1, kValuesPerTask / std::max(1, numColumns));
  const auto task = [&](int n) {
    const int end = std::min(numRows, (n + 1) * perTask);
    for (int row = n * perTask; row < end; row++) body(static_cast<std::size_t>(row));
  };
  parallelFor((numRows + perTask - 1) / perTask, task);
}

inline void layerNorm(const LayerNorm& call) {
  const std::size_t width = static_cast<std::size_t>(call.numColumns);
  const auto body = [&](std::size_t row) {
    float* normalized = call.normalized + row * width;
    float* outputs = call.outputs + row * width;
    call.inverseDeviations[row] =
        normalizeRow(call.rows + row * width, call.numColumns, call.epsilon, normalized);
    for (int k = 0; k < call.numColumns; k += kLanes) {
      const int lanes = call.numColumns - k;
      const float* gain = call.gain == nullptr ? nullptr : call.gain + k;
      const Vec16 scaled = scaledBy(gain, loadUpTo(normalized + k, lanes), lanes);
      const bool hasBias = call.bias != nullptr;
      storeUpTo(outputs + k, hasBias ? add(scaled, loadUpTo(call.bias + k, lanes)) : scaled, lanes);
    }
  };
  forEachRow(call.numRows, call.numColumns, body);
}

inline void layerNormGradient(const LayerNormGradient& call) {
  const std::size_t width = static_cast<std::size_t>(call.numColumns);
  const auto body = [&](std::size_t row) {
    normalizedRowGradient(call.gradient + row * width, call.gain, call.normalized + row * width,
                          call.inverseDeviations[row], call.numColumns, call.rowGradient + row * width);
  };
  forEachRow(call.numRows, call.numColumns, body);
}

inline void sequenceRows(const SequenceRows& call) {
  const std::size_t width = static_cast<std::size_t>(call.numColumns);
  const std::size_t size = static_cast<std::size_t>(call.numRows) * width;
  const std::size_t batchRows = static_cast<std::size_t>(call.batchRows);
  const auto body = [&](std::size_t step) {
    const std::size_t firstRow = (static_cast<std::size_t>(call.firstStep) + step) * batchRows;
    const std::size_t row = firstRow + static_cast<std::size_t>(call.firstRow);
    std::copy_n(call.sequence + row * width, size, call.rows + step * size);
  };
  forEachRow(call.numSteps, call.numRows * call.numColumns, body);
}

/** The square of [R,C] whose corner is at (row, column), up to 16 each way. */
inline void transposeSquareOf(const Transpose& call, int row, int column) {
  const int rows = std::min(kLanes, call.numRows - row), columns = std::min(kLanes, call.numColumns - column);
  const std::size_t from = static_cast<std::size_t>(call.numColumns), to = static_cast<std::size_t>(call.numRows);
  Vec16 square[kLanes];
  loadTransposed(call.matrix + static_cast<std::size_t>(row) * from + column, from, rows, columns, square);
  float* p = call.transposed + static_cast<std::size_t>(column) * to + row;
  for (int n = 0; n < columns; n++) storeUpTo(p + static_cast<std::size_t>(n) * to, square[n], rows);
}

inline void transpose(const Transpose& call) {
  const auto stripe = [&](int n) {
    for (int row = 0; row < call.numRows; row += kLanes) transposeSquareOf(call, row, n * kLanes);
  };
  parallelFor((call.numColumns + kLanes - 1) / kLanes, stripe);
}

}  // namespace OSTINATO_ISA
}  // namespace ostinato

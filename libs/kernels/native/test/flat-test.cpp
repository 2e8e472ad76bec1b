// The coordinator's operations against what JavaScript does: float64 arithmetic, rounded to float32 each time.
#include <cmath>
#include <limits>

#include "operations.hpp"

namespace ostinato::test {
namespace {

/** Math.fround */
double fround(double x) { return static_cast<double>(static_cast<float>(x)); }

/** Lengths beyond a task, a block of the norm and four of them, and others that are no multiple of a vector. */
constexpr std::size_t kLengths[] = {0, 1, 7, 33, 4096, 4099, 20481, 70001};

constexpr float kScale = 0.37f, kRate = 0.013f, kBeta = 0.9f, kRest = 0.1f, kDecay = 0.999f, kDecayRest = 0.001f,
                kSmall = 1e-7f, kLambda = 0.05f;
const double scale = static_cast<double>(kScale), rate = static_cast<double>(kRate), beta = static_cast<double>(kBeta),
             rest = static_cast<double>(kRest), decay = static_cast<double>(kDecay),
             decayRest = static_cast<double>(kDecayRest), small = static_cast<double>(kSmall),
             lambda = static_cast<double>(kLambda);

/** Up to three arrays of an optimizer, the parameters and the gradient; magnitudes from 1e-45 to 1e3. */
struct UpdateCase {
  Floats parameters, gradient, first, second, third;

  UpdateCase(std::size_t length, Random& random)
      : parameters(random.values(length)), gradient(length), first(length), second(length), third(length) {
    for (std::size_t i = 0; i < length; i++) {
      gradient[i] = random.scaled(random.value(), -50, 10);
      first[i] = random.scaled(random.value(), -15, 5);
      second[i] = random.scaled(random.share(), -30, 10);
      third[i] = random.scaled(random.share(), -30, 10);
      if (i % 97 == 5) gradient[i] = std::ldexp(random.value(), -140);
      if (i % 89 == 7) gradient[i] = first[i] = second[i] = 0.0f;
    }
    if (length > 30) {
      gradient[11] = std::numeric_limits<float>::quiet_NaN();
      gradient[12] = std::numeric_limits<float>::infinity();
      second[13] = std::numeric_limits<float>::quiet_NaN();
      third[14] = std::numeric_limits<float>::quiet_NaN();
      parameters[15] = -std::numeric_limits<float>::infinity();
    }
  }
};

/** An update by the kernels, in place or not, and the same by its formula of one value. */
struct UpdateTest {
  std::string name;
  std::function<void(const KernelTable&, UpdateCase&, float* out)> run;
  /** Moves first, second and third on; returns the new parameter. */
  std::function<double(double p, double gradient, double& first, double& second, double& third)> formula;
};

ParameterUpdate common(UpdateCase& of, float* out) {
  return {of.parameters.data(), of.gradient.data(), out, of.parameters.size(), kScale};
}

double movedMoments(double g, double& m, double& v) {
  m = fround(m + fround(rest * fround(g - m)));
  return v = fround(fround(decay * v) + fround(fround(decayRest * g) * g));
}

std::vector<UpdateTest> plainUpdates() {
  return {
      {"decayGradient",
       [](const KernelTable& table, UpdateCase& of, float* out) {
         table.flat.decayGradient({common(of, out), kLambda});
       },
       [](double p, double gradient, double&, double&, double&) {
         return fround(fround(gradient * scale) + fround(lambda * p));
       }},
      {"sgdUpdate",
       [](const KernelTable& table, UpdateCase& of, float* out) { table.flat.sgdUpdate({common(of, out), kRate}); },
       [](double p, double gradient, double&, double&, double&) {
         return fround(p - fround(rate * fround(gradient * scale)));
       }},
      {"adagradUpdate",
       [](const KernelTable& table, UpdateCase& of, float* out) {
         table.flat.adagradUpdate({common(of, out), of.second.data(), kRate, kSmall});
       },
       [](double p, double gradient, double&, double& s, double&) {
         const double g = fround(gradient * scale);
         s = fround(s + fround(g * g));
         return fround(p - fround(fround(rate * g) / fround(fround(std::sqrt(s)) + small)));
       }},
  };
}

std::vector<UpdateTest> momentumUpdates() {
  std::vector<UpdateTest> tests;
  for (bool nesterov : {false, true}) {
    tests.push_back({nesterov ? "momentumUpdate, Nesterov" : "momentumUpdate",
                     [=](const KernelTable& table, UpdateCase& of, float* out) {
                       table.flat.momentumUpdate({common(of, out), of.first.data(), kRate, kBeta, kRest, nesterov});
                     },
                     [=](double p, double gradient, double& b, double&, double&) {
                       const double g = fround(gradient * scale);
                       b = fround(fround(beta * b) + fround(rest * g));
                       return fround(p - fround(rate * (nesterov ? fround(g + fround(beta * b)) : b)));
                     }});
  }
  for (float averagingRate : {0.25f, 1.0f}) {
    tests.push_back({"averagedSgdUpdate, rate " + std::to_string(averagingRate),
                     [=](const KernelTable& table, UpdateCase& of, float* out) {
                       table.flat.averagedSgdUpdate({common(of, out), of.first.data(), kRate, kDecay, averagingRate});
                     },
                     [=](double p, double gradient, double& a, double&, double&) {
                       const double g = fround(gradient * scale), mu = static_cast<double>(averagingRate);
                       const double next = fround(fround(decay * p) - fround(rate * g));
                       a = mu == 1.0 ? next : fround(a + fround(mu * fround(next - a)));
                       return next;
                     }});
  }
  return tests;
}

std::vector<UpdateTest> rmspropUpdates() {
  std::vector<UpdateTest> tests;
  for (int form = 0; form < 4; form++) {
    const bool isCentered = form % 2 == 1, hasMomentum = form / 2 == 1;
    tests.push_back({"rmspropUpdate, form " + std::to_string(form),
                     [=](const KernelTable& table, UpdateCase& of, float* out) {
                       table.flat.rmspropUpdate({common(of, out), of.second.data(), isCentered ? of.first.data() : nullptr,
                                                 hasMomentum ? of.third.data() : nullptr, kRate, kDecay, kDecayRest,
                                                 kSmall, kBeta});
                     },
                     [=](double p, double gradient, double& m, double& v, double& b) {
                       const double g = fround(gradient * scale);
                       v = fround(fround(decay * v) + fround(fround(decayRest * g) * g));
                       double square = v;
                       if (isCentered) {
                         m = fround(m + fround(decayRest * fround(g - m)));
                         square = fround(v - fround(m * m));
                         if (square <= 0.0) square = 0.0;
                       }
                       const double denominator = fround(fround(std::sqrt(square)) + small);
                       if (!hasMomentum) return fround(p - fround(fround(rate * g) / denominator));
                       b = fround(fround(beta * b) + fround(g / denominator));
                       return fround(p - fround(rate * b));
                     }});
  }
  return tests;
}

std::vector<UpdateTest> adamUpdates() {
  std::vector<UpdateTest> tests;
  for (bool isAmsgrad : {false, true}) {
    tests.push_back({isAmsgrad ? "adamUpdate, AMSGrad" : "adamUpdate",
                     [=](const KernelTable& table, UpdateCase& of, float* out) {
                       table.flat.adamUpdate({common(of, out), of.first.data(), of.second.data(),
                                              isAmsgrad ? of.third.data() : nullptr, kRest, kDecay, kDecayRest, kRate,
                                              kSmall});
                     },
                     [=](double p, double gradient, double& m, double& v, double& largest) {
                       double root = movedMoments(fround(gradient * scale), m, v);
                       if (isAmsgrad) {
                         const bool isNan = std::isnan(v) || std::isnan(largest);
                         largest = isNan ? std::nan("") : std::fmax(v, largest);
                         root = largest;
                       }
                       return fround(p - fround(fround(rate * m) / fround(fround(std::sqrt(root)) + small)));
                     }});
  }
  return tests;
}

void testUpdate(const UpdateTest& test, std::size_t length, bool isInPlace) {
  Random random(18);
  const UpdateCase before(length, random);
  const std::string what = test.name + " of " + std::to_string(length) + (isInPlace ? " in place" : "");
  const int count = static_cast<int>(length);
  const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) {
    UpdateCase of = before;
    Outputs found{{"out", 1, 1, count}, {"first", 1, 1, count}, {"second", 1, 1, count}, {"third", 1, 1, count}};
    test.run(table, of, isInPlace ? of.parameters.data() : found[0].values.data());
    if (isInPlace) found[0].values = of.parameters;
    found[1].values = of.first;
    found[2].values = of.second;
    found[3].values = of.third;
    return found;
  });
  UpdateCase expected = before;
  for (std::size_t i = 0; i < length; i++) {
    double first = static_cast<double>(before.first[i]), second = static_cast<double>(before.second[i]);
    double third = static_cast<double>(before.third[i]);
    const double p = static_cast<double>(before.parameters[i]), g = static_cast<double>(before.gradient[i]);
    expected.parameters[i] = static_cast<float>(test.formula(p, g, first, second, third));
    expected.first[i] = static_cast<float>(first);
    expected.second[i] = static_cast<float>(second);
    expected.third[i] = static_cast<float>(third);
  }
  checkSameBits(what + ": out", outputs[0].values, expected.parameters);
  checkSameBits(what + ": first", outputs[1].values, expected.first);
  checkSameBits(what + ": second", outputs[2].values, expected.second);
  checkSameBits(what + ": third", outputs[3].values, expected.third);
}

/** As norm.ts says it. */
double norm64(const Floats& values, std::size_t first, std::size_t stride) {
  double total = 0.0;
  const std::size_t count = values.empty() ? 0 : (values.size() - first + stride - 1) / stride;
  for (std::size_t block = 0; block < count; block += 4096) {
    double lanes[4] = {};
    for (std::size_t i = block; i < std::min(block + 4096, count); i++) {
      const double value = static_cast<double>(values[first + i * stride]);
      lanes[(i - block) % 4] += value * value;
    }
    total += (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  }
  return total;
}

void testLamb() {
  for (std::size_t length : kLengths) {
    for (float weightDecay : {0.0f, kLambda}) {
      Random random(19);
      UpdateCase before(length, random);
      // Norms that are numbers, but for one length.
      for (std::size_t i = 11; length != 33 && i < std::min<std::size_t>(length, 16); i++) {
        before.gradient[i] = before.second[i] = before.parameters[i] = 0.5f;
      }
      const std::string what = "lambUpdate of " + std::to_string(length);
      const double maxNorm = length == 4096 ? 10.0 : std::numeric_limits<double>::infinity();
      const int count = static_cast<int>(length);
      const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) {
        UpdateCase of = before;
        Outputs found{{"out", 1, 1, count}};
        table.flat.lambUpdate({common(of, found[0].values.data()), of.first.data(), of.second.data(), kRest, kDecay,
                               kDecayRest, 1.25f, 1.75f, kSmall, weightDecay, 0.01, maxNorm});
        return found;
      });
      Floats direction(length);
      for (std::size_t i = 0; i < length; i++) {
        double m = static_cast<double>(before.first[i]), v = static_cast<double>(before.second[i]);
        const double p = static_cast<double>(before.parameters[i]);
        movedMoments(fround(static_cast<double>(before.gradient[i]) * scale), m, v);
        const double root = fround(fround(std::sqrt(v)) * 1.75), r = fround(fround(m * 1.25) / fround(root + small));
        direction[i] = static_cast<float>(weightDecay == 0.0f ? r : r + fround(static_cast<double>(weightDecay) * p));
      }
      const double weightNorm = std::sqrt(norm64(before.parameters, 0, 1)), norm = std::sqrt(norm64(direction, 0, 1));
      const double ratio = weightNorm > 0.0 && norm > 0.0 ? std::min(weightNorm, maxNorm) / norm : 1.0;
      const double stepSize = fround(0.01 * ratio);
      Floats expected(length);
      for (std::size_t i = 0; i < length; i++) {
        const double step = fround(stepSize * static_cast<double>(direction[i]));
        expected[i] = static_cast<float>(static_cast<double>(before.parameters[i]) - step);
      }
      checkSameBits(what, outputs[0].values, expected);
    }
  }
}

void testNorms() {
  for (std::size_t length : kLengths) {
    Random random(20);
    const Floats values = random.values(length, 100.0f);
    for (const KernelTable* table : tables()) {
      for (int threads = 1; threads <= 3; threads++) {
        setNumThreads(threads);
        const std::string what = "sumOfSquares of " + std::to_string(length) + ", " + nameOf(table->instructionSet);
        check(table->flat.sumOfSquares(values.data(), length) == norm64(values, 0, 1), what);
        for (std::size_t numColumns : {1, 7}) {
          const std::size_t count = length / numColumns * numColumns;
          const Floats whole(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
          Doubles totals(numColumns, -1.0);
          table->flat.columnSumsOfSquares(whole.data(), count, numColumns, totals.data());
          for (std::size_t c = 0; c < numColumns; c++) {
            check(totals[c] == norm64(whole, c, numColumns), "columnS" + what.substr(1));
          }
        }
      }
    }
    setNumThreads(1);
  }
}

/** By what bfloat16 is: 8 bits of precision, exponents as float32's, to nearest with ties to even. */
double nearestBfloat16(double x) {
  if (x == 0.0 || !std::isfinite(x)) return x;
  int exponent;
  std::frexp(x, &exponent);
  const int unit = std::max(exponent - 8, -133);
  const double nearest = std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit);
  return std::fabs(nearest) < std::ldexp(1.0, 128) ? nearest : std::copysign(INFINITY, nearest);
}

void testElements() {
  for (std::size_t length : kLengths) {
    Random random(21);
    const UpdateCase of(length, random);
    const int count = static_cast<int>(length);
    const std::size_t whole = length / 7 * 7;
    const Floats scales = random.values(7);
    const std::string what = "flat values of " + std::to_string(length);
    const Outputs outputs = checkEverywhere(what, [&](const KernelTable& table) {
      Outputs found{{"treeAdd", 1, 1, count},
                    {"scaleValues", 1, 1, count},
                    {"addScaled", 1, 1, count},
                    {"scaleColumns", 1, 1, static_cast<int>(whole)},
                    {"clampValues", 1, 1, count},
                    {"roundToBfloat16", 1, 1, count}};
      found[2].values = of.parameters;
      table.flat.treeAdd(of.parameters.data(), of.gradient.data(), found[0].values.data(), length);
      table.flat.scaleValues(of.gradient.data(), kScale, found[1].values.data(), length);
      table.flat.addScaled(found[2].values.data(), kScale, of.gradient.data(), length);
      table.flat.scaleColumns(of.gradient.data(), scales.data(), found[3].values.data(), whole, 7);
      const bool isBeyond = table.flat.clampValues(of.gradient.data(), 0.25f, found[4].values.data(), length);
      table.flat.roundToBfloat16(of.gradient.data(), found[5].values.data(), length);
      bool expected = false;
      for (float value : of.gradient) expected = expected || std::fabs(value) > 0.25f;
      check(isBeyond == expected, "clampValues tells whether a value was beyond the limit");
      return found;
    });
    for (std::size_t i = 0; i < length; i++) {
      const double p = static_cast<double>(of.parameters[i]), g = static_cast<double>(of.gradient[i]);
      const auto isSame = [&](std::size_t n, double expected) {
        const float value = outputs[n].values[i], wanted = static_cast<float>(expected);
        return std::isnan(wanted) ? std::isnan(value) : value == wanted;
      };
      check(isSame(0, p + g), what + ": treeAdd");
      check(isSame(1, g * scale), what + ": scaleValues");
      check(isSame(2, p + fround(scale * g)), what + ": addScaled");
      if (i < whole) check(isSame(3, g * static_cast<double>(scales[i % 7])), what + ": scaleColumns");
      check(isSame(4, std::isnan(g) ? g : std::fmin(std::fmax(g, -0.25), 0.25)), what + ": clampValues");
      check(isSame(5, nearestBfloat16(g)), what + ": roundToBfloat16");
    }
  }
}

void testFinite() {
  Random random(22);
  Floats values = random.values(70001, 1e38f);
  values[3] = std::numeric_limits<float>::denorm_min();
  const auto expectPlace = [&](std::int64_t expected) {
    for (int threads = 1; threads <= 3; threads++) {
      setNumThreads(threads);
      for (const KernelTable* table : tables()) {
        const std::int64_t place = table->flat.firstNonFinite(values.data(), values.size());
        check(place == expected, "firstNonFinite is " + std::to_string(place) + ", expected " + std::to_string(expected));
      }
    }
    setNumThreads(1);
  };
  expectPlace(-1);
  values[70000] = -std::numeric_limits<float>::infinity();
  expectPlace(70000);
  values[40001] = std::numeric_limits<float>::quiet_NaN();
  expectPlace(40001);
  values[0] = std::numeric_limits<float>::infinity();
  expectPlace(0);
}

}  // namespace

void testFlat() {
  for (const auto& tests : {plainUpdates(), momentumUpdates(), rmspropUpdates(), adamUpdates()}) {
    for (const UpdateTest& test : tests) {
      for (std::size_t length : kLengths) {
        testUpdate(test, length, false);
        testUpdate(test, length, true);
      }
    }
  }
  testLamb();
  testNorms();
  testElements();
  testFinite();
}

}  // namespace ostinato::test

/** Where a float64 is taken apart; nothing stays in it from one call to the next. */
const view = new DataView(new ArrayBuffer(8));

const FRACTION_BITS = 20;
const FRACTION_MASK = 0xfffff;
const EXPONENT_MASK = 0x7ff;
const BIAS = 1023;
const MIN_NORMAL = 2 ** -1022;

/** 2^exponent, exactly, for the exponents of normal numbers: −1022 to 1023. */
export function powerOfTwo(exponent: number): number {
  view.setUint32(0, (exponent + BIAS) << FRACTION_BITS);
  view.setUint32(4, 0);
  return view.getFloat64(0);
}

/**
 * mantissa · 2^exponent = value, exactly, with a mantissa from √½ to √2.
 *
 * @param value positive and finite
 */
export function mantissaAndExponent(value: number): {
  readonly mantissa: number;
  readonly exponent: number;
} {
  if (value < MIN_NORMAL) {
    const { mantissa, exponent } = mantissaAndExponent(value * 2 ** 54);
    return { mantissa, exponent: exponent - 54 };
  }
  view.setFloat64(0, value);
  const high = view.getUint32(0);
  const exponent = ((high >>> FRACTION_BITS) & EXPONENT_MASK) - BIAS;
  view.setUint32(0, (high & FRACTION_MASK) | (BIAS << FRACTION_BITS));
  const mantissa = view.getFloat64(0);
  return mantissa > Math.SQRT2
    ? { mantissa: mantissa / 2, exponent: exponent + 1 }
    : { mantissa, exponent };
}

/** ln 2 to 33 bits: times a whole number up to 2²⁰ it is exact. */
export const LN2_HIGH = 0.69314718036912381649;
/** The rest of ln 2. */
export const LN2_LOW = 1.90821492927058770002e-10;

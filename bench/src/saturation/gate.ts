/** Where all of a number of comers wait until the last one is there. */
export class Gate {
  readonly #size: number;
  readonly #whenAllAreHere: () => Promise<void>;
  #waiting: (() => void)[] = [];

  /** @param whenAllAreHere done before they go on, each time */
  constructor(size: number, whenAllAreHere: () => Promise<void>) {
    this.#size = size;
    this.#whenAllAreHere = whenAllAreHere;
  }

  async arrive(): Promise<void> {
    if (this.#waiting.length + 1 < this.#size) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    await this.#whenAllAreHere();
    for (const goOn of waiting) goOn();
  }
}

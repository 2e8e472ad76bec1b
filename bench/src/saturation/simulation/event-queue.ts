/** What happens when, in the time of a simulation: the earliest first, and of two at once the one planned first. */
export class EventQueue {
  #now = 0;
  #numPlanned = 0;
  /** A binary heap. */
  readonly #events: { readonly at: number; readonly order: number; readonly happen: () => void }[] =
    [];

  /** Milliseconds since the simulation began. */
  get now(): number {
    return this.#now;
  }

  /** @param at not before now */
  plan(at: number, happen: () => void): void {
    const events = this.#events;
    const event = { at: Math.max(at, this.#now), order: this.#numPlanned++, happen };
    let place = events.push(event) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (this.#isBefore(above, place)) break;
      this.#swap(above, place);
      place = above;
    }
  }

  /** Lets everything happen that was planned, and what that plans. */
  run(): void {
    const events = this.#events;
    for (;;) {
      const [first] = events;
      const last = events.pop();
      if (first === undefined || last === undefined) return;
      if (events.length > 0) {
        events[0] = last;
        this.#sink();
      }
      this.#now = first.at;
      first.happen();
    }
  }

  #sink(): void {
    const { length } = this.#events;
    for (let place = 0; ;) {
      const left = 2 * place + 1;
      if (left >= length) return;
      const right = left + 1;
      const below = right < length && this.#isBefore(right, left) ? right : left;
      if (this.#isBefore(place, below)) return;
      this.#swap(place, below);
      place = below;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#events[a], this.#events[b]];
    if (one === undefined || other === undefined) return true;
    return one.at < other.at || (one.at === other.at && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#events[a], this.#events[b]];
    if (one === undefined || other === undefined) return;
    this.#events[a] = other;
    this.#events[b] = one;
  }
}

/** Something that does one thing at a time, in the order in which it is asked: a thread, a direction of a link. */
export class Station {
  readonly #queue: EventQueue;
  #freeAt = 0;
  #busyMs = 0;

  constructor(queue: EventQueue) {
    this.#queue = queue;
  }

  /** How long it has been at work. */
  get busyMs(): number {
    return this.#busyMs;
  }

  serve(durationMs: number, onDone: () => void): void {
    this.#freeAt = Math.max(this.#freeAt, this.#queue.now) + durationMs;
    this.#busyMs += durationMs;
    this.#queue.plan(this.#freeAt, onDone);
  }
}

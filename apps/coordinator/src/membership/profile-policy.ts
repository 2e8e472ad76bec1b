/** Which numerics profile the run computes with, and who fits it. */

import type { NumericsProfile } from "@ostinato/proto";
import { WireError } from "@ostinato/proto";

export interface ProfilePolicyOptions {
  /** The config's backend; `auto` takes the first worker's preference. */
  readonly backend: string;
  /** `relaxed` takes workers of any profile on the backend, and gives up equal bits. */
  readonly determinism: "strict" | "relaxed";
  /** The profile of the run so far, on resume. */
  readonly profile: NumericsProfile | undefined;
}

const show = (profile: NumericsProfile): string =>
  `${profile.backend} ${profile.version} (${profile.digest.slice(0, 12)})`;

const isSame = (a: NumericsProfile, b: NumericsProfile): boolean =>
  a.backend === b.backend && a.version === b.version && a.digest === b.digest;

/** The config or the first worker sets the run's profile; later ones match it or are refused. */
export class ProfilePolicy {
  readonly #options: ProfilePolicyOptions;
  readonly #seen: NumericsProfile[] = [];
  #profile: NumericsProfile | undefined;

  constructor(options: ProfilePolicyOptions) {
    this.#options = options;
    this.#profile = options.profile;
    if (options.profile !== undefined) this.#seen.push(options.profile);
  }

  get profile(): NumericsProfile | undefined {
    return this.#profile;
  }

  /**
   * The profile this worker has to compute with.
   *
   * @throws {WireError} `profileRefused`, with what the run needs and what was offered
   */
  choose(offered: readonly NumericsProfile[]): NumericsProfile {
    const { backend, determinism } = this.#options;
    const wanted = this.#profile;
    const fits = (profile: NumericsProfile): boolean =>
      wanted === undefined
        ? backend === "auto" || profile.backend === backend
        : isSame(profile, wanted);
    // Relaxed takes other bits, never another backend than the run's.
    const isNear = (profile: NumericsProfile): boolean =>
      determinism === "relaxed" && profile.backend === wanted?.backend;
    const chosen = offered.find(fits) ?? offered.find(isNear);
    if (chosen === undefined) {
      const needs = wanted === undefined ? `backend ${backend}` : show(wanted);
      const offers = offered.length === 0 ? "nothing" : offered.map(show).join(", ");
      throw new WireError(
        "profileRefused",
        `the run computes with ${needs}, this worker offers ${offers}` +
          (determinism === "strict" && offered.some(({ backend: name }) => name === wanted?.backend)
            ? "; numerics.determinism: relaxed would take it"
            : ""),
      );
    }
    return chosen;
  }

  /** The run computes with this profile from now on, unless it has one already. */
  settle(profile: NumericsProfile): void {
    this.#profile ??= profile;
    this.#seen.push(profile);
  }

  /** Whether this profile takes part for the first time in this incarnation. */
  isNew(profile: NumericsProfile): boolean {
    return !this.#seen.some((seen) => isSame(seen, profile));
  }
}

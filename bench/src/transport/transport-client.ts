/** The measuring end of a transport. */
export interface TransportClient {
  /** All values down, then all values up, until the other end has them. */
  roundTrip(): Promise<void>;
  close(): void;
}

/** A call that runs in this process, and those that wait for the same response. */
export interface Flight {
  readonly fingerprint: string;
  /** Resolves at its end: to the response, or to undefined when it cannot be shared. Never rejects. */
  readonly landed: Promise<Uint8Array | undefined>;
}

/** The calls with keys that run in this process, so that a second one neither runs nor asks the store. */
export class InFlight {
  private readonly byKey = new Map<string, Flight>();

  get(key: string): Flight | undefined {
    return this.byKey.get(key);
  }

  /** Returns what ends the flight. */
  start(key: string, fingerprint: string): (response: Uint8Array | undefined) => void {
    let land: (response: Uint8Array | undefined) => void = () => {};
    const landed = new Promise<Uint8Array | undefined>((resolve) => {
      land = resolve;
    });
    this.byKey.set(key, { fingerprint, landed });
    return (response) => {
      this.byKey.delete(key);
      land(response);
    };
  }
}

/** A running call of this process, for the calls that wait for the same response. */
export interface Flight {
  readonly fingerprint: string;
  /** Resolves when the call ends: with the response, or with undefined if it cannot be shared. Never rejects. */
  readonly landed: Promise<Uint8Array | undefined>;
}

/** The running calls of this process by key, so that a second call with a key neither runs nor uses the store. */
export class InFlight {
  private readonly byKey = new Map<string, Flight>();

  get(key: string): Flight | undefined {
    return this.byKey.get(key);
  }

  /** Adds a running call. The returned function removes it and passes the response to the waiting calls. */
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

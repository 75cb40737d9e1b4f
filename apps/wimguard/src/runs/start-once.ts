import { createHash } from "node:crypto";
import { fail } from "../failure/failure.ts";
import type { LiveRun, RunRegistry } from "./run-registry.ts";
import type { StartingRequest } from "./run-store.ts";

const maxRequestIdCharacters = 128;

/** What a request leads to: the run that it has started before, or the start of one. */
export interface OnceOutcome<Started> {
  /** Undefined for a request that starts something now. */
  readonly run: LiveRun | undefined;
  readonly started: Started | undefined;
}

/** Lets each request with an id start one run, however often it is repeated. */
export class StartedRequests {
  readonly #runs: Pick<RunRegistry, "findByRequest">;
  /** Requests whose run is not known yet. */
  readonly #starting = new Map<string, Promise<unknown>>();

  constructor(runs: Pick<RunRegistry, "findByRequest">) {
    this.#runs = runs;
  }

  /**
   * Starts a run, unless the same request has started one. Without an id every request starts one.
   *
   * @param content everything that is requested
   * @throws FailureError REQUEST_ID_REUSED for another request with the same id
   */
  async startOnce<Started>(
    requestId: string,
    content: object,
    start: (request: StartingRequest | undefined) => Promise<Started>,
  ): Promise<OnceOutcome<Started>> {
    if (requestId === "") return { run: undefined, started: await start(undefined) };
    if (requestId.length > maxRequestIdCharacters) {
      const message = `request_id is longer than ${maxRequestIdCharacters} characters`;
      fail({ reason: "FIELD_INVALID", field: "request_id", message });
    }
    const digest = createHash("sha256").update(JSON.stringify(content)).digest("hex");
    // A repetition may come before the first one has a run.
    for (let other = this.#starting.get(requestId); other !== undefined; other = this.#starting.get(requestId)) {
      await other.catch(() => {});
    }
    const before = this.#runs.findByRequest(requestId);
    if (before?.digest === digest) return { run: before.run, started: undefined };
    if (before !== undefined) {
      const message = `request_id ${requestId} was used for another run: choose a new one`;
      fail({ reason: "REQUEST_ID_REUSED", message });
    }
    const starting = start({ id: requestId, digest });
    this.#starting.set(requestId, starting);
    try {
      return { run: undefined, started: await starting };
    } finally {
      this.#starting.delete(requestId);
    }
  }
}

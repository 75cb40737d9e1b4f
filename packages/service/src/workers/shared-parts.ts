import type { Clock } from "@tercel/grpc";
import type { Shared, WorkerCounts } from "@tercel/grpc/internal";
import type { WorkerProcess } from "./worker-process.ts";

/** Timeout of a worker's response; then its previous part is used. */
const answerTimeoutMs = 1_000;

interface Round {
  readonly waitingFor: Set<WorkerProcess>;
  readonly done: () => void;
}

/** The parent's side of shared state: requests each worker's part, and keeps the parts of exited workers. */
export class SharedParts {
  readonly #shared: ReadonlyMap<string, Shared<unknown>>;
  readonly #clock: Clock;
  readonly #kept = new Map<string, unknown>();
  readonly #rounds = new Map<number, Round>();
  #lastRound = 0;

  constructor(shared: readonly Shared<unknown>[], clock: Clock) {
    this.#shared = new Map(shared.map((one) => [one.name, one]));
    this.#clock = clock;
  }

  /** Responds to a worker's request for the merged parts. `live` are the workers whose parts are not kept. */
  async answer(
    asking: WorkerProcess,
    topic: string,
    id: number,
    live: ReadonlySet<WorkerProcess>,
    counts: WorkerCounts,
  ) {
    const shared = this.#shared.get(topic);
    if (shared === undefined) return;
    await this.#ask(topic, [...live]);
    const parts = [...live].flatMap((worker) => (worker.parts.has(topic) ? [worker.parts.get(topic)] : []));
    if (this.#kept.has(topic)) parts.push(this.#kept.get(topic));
    // No worker has responded, not even the requesting one.
    if (parts.length === 0) return;
    asking.send({ tercel: "answer", id, collected: { value: shared.merge(parts), workers: counts } });
  }

  /** Handles a worker's response. */
  receive(from: WorkerProcess, topic: string, round: number, part: unknown): void {
    from.parts.set(topic, part);
    this.#strike(from, round);
  }

  /** Keeps the parts of an exited worker, so that sums do not decrease. */
  keep(ended: WorkerProcess): void {
    for (const [topic, part] of ended.parts) {
      const shared = this.#shared.get(topic);
      if (shared?.keep === undefined) continue;
      const kept = shared.keep(part);
      this.#kept.set(topic, this.#kept.has(topic) ? shared.merge([this.#kept.get(topic), kept]) : kept);
    }
    for (const round of [...this.#rounds.keys()]) this.#strike(ended, round);
  }

  #ask(topic: string, all: readonly WorkerProcess[]): Promise<void> {
    const number = ++this.#lastRound;
    // A starting worker has not reported its parts yet.
    const asked = all.filter(({ state }) => state !== "starting");
    if (asked.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#rounds.delete(number);
        resolve();
      };
      const cancel = this.#clock.after(answerTimeoutMs, done);
      this.#rounds.set(number, { waitingFor: new Set(asked), done });
      for (const worker of asked) worker.send({ tercel: "read", topic, round: number });
    });
  }

  #strike(worker: WorkerProcess, number: number): void {
    const round = this.#rounds.get(number);
    if (round === undefined) return;
    round.waitingFor.delete(worker);
    if (round.waitingFor.size === 0) round.done();
  }
}

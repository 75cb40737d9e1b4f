import type { Clock } from "@tercel/grpc";
import type { Shared, WorkerCounts } from "@tercel/grpc/internal";
import type { WorkerProcess } from "./worker-process.ts";

/** A worker whose event loop is held up for longer counts with what it said before. */
const answerTimeoutMs = 1_000;

interface Round {
  readonly waitingFor: Set<WorkerProcess>;
  readonly done: () => void;
}

/** The parent's half of what workers share: asks each for its part, and keeps what of ended ones still counts. */
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

  /** Answers a worker that asks for what all have together. `live` are those whose parts are not among the kept. */
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
    // No one has answered, not even who asks: then it hardly listens for this.
    if (parts.length === 0) return;
    asking.send({ tercel: "answer", id, collected: { value: shared.merge(parts), workers: counts } });
  }

  /** A worker has answered. */
  receive(from: WorkerProcess, topic: string, round: number, part: unknown): void {
    from.parts.set(topic, part);
    this.#strike(from, round);
  }

  /** A worker has ended; what it counted stays counted, or sums would fall. */
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
    // One that is starting has not said yet what it shares.
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

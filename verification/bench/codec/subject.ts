import type { Shape } from "./samples.ts";

/** Encodes and decodes a message of one shape. Returns the results, so that the compiler cannot omit the work. */
export interface ShapeWork {
  encode(): unknown;
  decode(): unknown;
  /** Bytes of the encoded message. */
  readonly bytes: number;
}

/** One codec. */
export type CreateWork = (shape: Shape) => ShapeWork;

export const directions = ["encode", "decode"] as const;
export type Direction = (typeof directions)[number];

/** A request of the benchmark to the process of a subject. */
export interface Question {
  readonly shape: Shape;
  readonly direction: Direction;
  readonly seconds: number;
}

export interface Answer {
  readonly microseconds: number;
  readonly bytes: number;
}

/** Reads the clock so rarely that it costs nothing. */
const looksPerTurn = 50;

/**
 * Responds to requests with the CPU time of one operation, until the benchmark ends. All shapes are warmed up first, so that V8 does
 * not optimize for a single shape. Programs of users have many types too.
 */
export function answerQuestions(createWork: CreateWork, shapes: readonly Shape[]): void {
  const works = new Map(shapes.map((shape) => [shape, createWork(shape)]));
  for (let round = 0; round < 3; round++) {
    for (const work of works.values()) for (const direction of directions) measure(work, direction, 0.1);
  }
  process.on("message", ({ shape, direction, seconds }: Question) => {
    const work = works.get(shape) as ShapeWork;
    const answer: Answer = { microseconds: measure(work, direction, seconds), bytes: work.bytes };
    process.send?.(answer);
  });
  process.on("disconnect", () => process.exit());
  process.send?.("ready");
}

function measure(work: ShapeWork, direction: Direction, seconds: number): number {
  const run = direction === "encode" ? () => work.encode() : () => work.decode();
  let batch = 1;
  let operations = 0;
  let last: unknown;
  const before = process.cpuUsage();
  const end = performance.now() + 1000 * seconds;
  for (;;) {
    for (let n = 0; n < batch; n++) last = run();
    operations += batch;
    const left = end - performance.now();
    if (left <= 0) break;
    batch = Math.max(1, Math.round(operations / looksPerTurn));
  }
  if (last === undefined) throw new Error("the work has no result");
  const { user, system } = process.cpuUsage(before);
  return (user + system) / operations;
}

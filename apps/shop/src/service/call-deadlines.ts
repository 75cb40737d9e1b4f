import { reflectionServices } from "@tercel/grpc/services";
import type { ServerDeadlineOptions } from "@tercel/interceptors/deadline";

/** For calls whose client has set no deadline. */
const defaultMs = 5_000;
const maxMs = 30_000;

/** What other methods than the usual ones need, by `package.Service/Method`. */
export interface DeadlineExceptions {
  /** Streams, in addition to those of health and reflection, that go on for as long as they are read. */
  readonly openEnded?: readonly string[];
  /** Calls that may take longer where their client has set no deadline. */
  readonly defaultMs?: Readonly<Record<string, number>>;
}

/** Gives every call a deadline, apart from streams that go on for as long as they are read. */
export function callDeadlines(exceptions: DeadlineExceptions = {}): ServerDeadlineOptions {
  const reflection = reflectionServices.map(({ typeName }) => `${typeName}/*`);
  const openEnded = ["grpc.health.v1.Health/Watch", ...reflection, ...(exceptions.openEnded ?? [])];
  const slow = Object.entries(exceptions.defaultMs ?? {});
  const methods = Object.fromEntries([
    ...openEnded.map((name) => [name, {}] as const),
    ...slow.map(([name, ms]) => [name, { defaultMs: ms, maxMs }] as const),
  ]);
  return { defaultMs, maxMs, methods };
}

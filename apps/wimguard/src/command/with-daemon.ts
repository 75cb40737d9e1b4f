import { parseDuration } from "@tercel/service/config";
import { connect, type WimGuard } from "../client/connect.ts";
import type { CommonOptions } from "./console.ts";
import { UsageError } from "./exit-codes.ts";

/** Runs a command that calls the daemon, and closes the connection afterwards. */
export async function withDaemon<Result>(
  options: CommonOptions,
  work: (wim: WimGuard) => Promise<Result>,
): Promise<Result> {
  const timeoutMs = options.timeout === undefined ? undefined : parseTimeout(options.timeout);
  const wim = await connect(options.server, {
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(options.dir !== undefined && { folder: options.dir }),
  });
  try {
    return await work(wim);
  } finally {
    await wim.close();
  }
}

/** Parses a duration to milliseconds. @throws UsageError */
export function parseTimeout(text: string): number {
  const timeoutMs = parseDuration(text);
  if (timeoutMs === undefined || timeoutMs === 0) {
    throw new UsageError(
      `invalid duration ${JSON.stringify(text)}: use a number and a unit of ms, s, m, h or d, such as 30s`,
    );
  }
  return timeoutMs;
}

import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { createHealthClient, type ReportedStatus } from "@tercel/grpc/services";
import type { CommandContext } from "../frame/context.ts";
import { formatDuration, readDuration } from "../frame/duration.ts";
import { exitCodes } from "../frame/exit-codes.ts";
import { CommandFailure } from "../frame/failure.ts";
import { readHeaders } from "../target/call-headers.ts";
import { openChannel } from "../target/open-channel.ts";
import { targetOf } from "../target/target-of.ts";
import type { TargetOptions } from "../target/target-options.ts";
import { healthFailure, serviceLabel } from "./print-health.ts";

export interface WaitOptions extends TargetOptions {
  readonly status: "healthy" | "unhealthy" | "up";
  readonly timeout: string;
}

const pauseMs = 200;
/** Deadline of one attempt, for servers that accept connections and never respond. */
const tryTimeoutMs = 2000;

/** `tercel wait` */
export async function waitForHealth(service: string, options: WaitOptions, context: CommandContext): Promise<void> {
  const timeoutMs = readDuration("--timeout", options.timeout);
  const headers = readHeaders(options.header, context);
  const startedAtMs = performance.now();
  let seen: Seen | undefined;
  for (;;) {
    const leftMs = timeoutMs - (performance.now() - startedAtMs);
    const latest = await look(service, options, context, headers, Math.max(1, Math.min(tryTimeoutMs, leftMs)));
    // An attempt that the overall timeout cut short adds no information.
    if (seen === undefined || !latest.isCutShort || leftMs >= tryTimeoutMs) seen = latest;
    context.signal.throwIfAborted();
    if (isReached(seen, options.status)) {
      await context.stderr.line(
        `${serviceLabel(service)} is ${options.status} after ${formatDuration(performance.now() - startedAtMs)}`,
      );
      return;
    }
    if (leftMs <= pauseMs) {
      throw new CommandFailure(
        exitCodes.timeout,
        `${serviceLabel(service)} at ${targetOf(options, context)} is not ${options.status} after ${options.timeout}: ${seen.text}`,
      );
    }
    await delay(pauseMs, undefined, { signal: context.signal });
  }
}

interface Seen {
  /** Undefined without a response. */
  readonly status?: ReportedStatus;
  /** The server responded, even if with an error. */
  readonly isUp: boolean;
  /** No response within the deadline of one attempt. */
  readonly isCutShort: boolean;
  readonly text: string;
}

function isReached({ status, isUp }: Seen, wanted: WaitOptions["status"]): boolean {
  if (wanted === "up") return isUp;
  return wanted === "healthy" ? status === "SERVING" : status !== undefined && status !== "SERVING";
}

/** Makes one attempt on its own channel: a shared channel would back off after each failure to connect. */
async function look(
  service: string,
  options: WaitOptions,
  context: CommandContext,
  headers: Headers,
  timeoutMs: number,
): Promise<Seen> {
  const channel = openChannel(options, context);
  try {
    const status = await createHealthClient(channel).check(service, { headers, timeoutMs, signal: context.signal });
    return { status, isUp: true, isCutShort: false, text: `its status is ${status}` };
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const failure = healthFailure(error, targetOf(options, context)) as CommandFailure;
    const isCutShort = error.code === Code.DeadlineExceeded;
    const isUp = failure.exitCode !== exitCodes.noConnection && !isCutShort;
    // Errors that waiting cannot fix are reported at once.
    if (isUp && options.status !== "up") throw failure;
    return { isUp, isCutShort, text: failure.message };
  } finally {
    await channel.close({ deadlineMs: 0 });
  }
}

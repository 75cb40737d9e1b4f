import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { NotifyTarget } from "./outbox-store.ts";

const execute = promisify(execFile);

/** Where notifications go. */
export interface NotifyTargets {
  /** Gets each notification as JSON, by POST. */
  readonly webhook?: string | undefined;
  /** Is fetched after each good backup: whoever watches it raises the alarm when it stays silent. */
  readonly ping?: string | undefined;
  /** A program with its arguments, run without a shell; the notification is in WIMGUARD_NOTIFICATION. */
  readonly command?: readonly string[] | undefined;
}

const timeoutMs = 10_000;

/** Sends one notification to one target. Rejects unless it has arrived. */
export async function deliver(targets: NotifyTargets, target: NotifyTarget, body: string): Promise<void> {
  if (target === "command") {
    const [program, ...args] = targets.command ?? [];
    if (program === undefined) return;
    const env = { ...process.env, WIMGUARD_NOTIFICATION: body };
    await execute(program, args, { env, timeout: timeoutMs });
    return;
  }
  const url = targets[target];
  if (url === undefined) return;
  const signal = AbortSignal.timeout(timeoutMs);
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, target === "ping" ? { signal } : { method: "POST", body, headers, signal });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${url} responded with ${response.status}`);
}

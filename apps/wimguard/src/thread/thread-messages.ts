import type { EngineEvents, EngineWarning } from "../engine/engine.ts";
import type { Failure } from "../failure/failure.ts";
import type { IndexJob } from "./perform-index.ts";
import type { RestoreJob } from "./perform-restore.ts";
import type { StoreJob } from "./perform-store.ts";
import type { VerifyJob } from "./perform-verify.ts";
import type { WriteJob } from "./perform-write.ts";

/** What a thread is started with. */
export type ThreadJob =
  | { readonly kind: "write"; readonly job: WriteJob }
  | { readonly kind: "store"; readonly job: StoreJob }
  | { readonly kind: "restore"; readonly job: RestoreJob }
  | { readonly kind: "index"; readonly job: IndexJob }
  | { readonly kind: "verify"; readonly job: VerifyJob }
  | { readonly kind: "hash"; readonly path: string };

export type ToThread = { readonly kind: "cancel" };

export type FromThread =
  | { readonly kind: "phase"; readonly phase: Parameters<EngineEvents["onPhase"]>[0] }
  | { readonly kind: "total"; readonly bytes: number; readonly files: number }
  | { readonly kind: "bytes"; readonly bytes: number }
  | { readonly kind: "reached"; readonly bytes: number }
  | { readonly kind: "warning"; readonly warning: EngineWarning }
  | { readonly kind: "done"; readonly result: unknown }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Progress is sent so often; a message for every chunk would only wake the other thread. */
const sendEveryMs = 50;

/** Turns an engine's events into messages. */
export function createEventSender(post: (message: FromThread) => void): {
  readonly events: EngineEvents;
  /** Sends the progress that still waits. */
  flush(): void;
} {
  let bytes = 0;
  let reached = 0;
  let sentAtMs = 0;
  const flush = (): void => {
    sentAtMs = performance.now();
    if (bytes > 0) post({ kind: "bytes", bytes });
    if (reached > 0) post({ kind: "reached", bytes: reached });
    bytes = 0;
    reached = 0;
  };
  const flushInTime = (): void => {
    if (performance.now() - sentAtMs >= sendEveryMs) flush();
  };
  return {
    flush,
    events: {
      onPhase(phase) {
        flush();
        post({ kind: "phase", phase });
      },
      onTotal: (total, files) => post({ kind: "total", bytes: total, files }),
      onBytes(count) {
        bytes += count;
        flushInTime();
      },
      onReached(count) {
        reached = Math.max(reached, count);
        flushInTime();
      },
      onWarning: (warning) => post({ kind: "warning", warning }),
    },
  };
}

/** Hands a message of a thread to an engine's events; the last ones are not events. */
export function deliverEvent(message: FromThread, events: EngineEvents): void {
  if (message.kind === "phase") events.onPhase(message.phase);
  else if (message.kind === "total") events.onTotal(message.bytes, message.files);
  else if (message.kind === "bytes") events.onBytes(message.bytes);
  else if (message.kind === "reached") events.onReached(message.bytes);
  else if (message.kind === "warning") events.onWarning(message.warning);
}

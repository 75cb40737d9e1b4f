import type { ListenAddress } from "@tercel/grpc";
import type { MergedParts } from "@tercel/grpc/internal";

/** Messages from a worker to its parent. */
export type WorkerMessage =
  /** Its setup is done. */
  | { readonly tercel: "ready"; readonly addresses: readonly ListenAddress[] }
  /** Its setup failed; the process exits. */
  | { readonly tercel: "failed"; readonly problem: string }
  /** Whether its server is SERVING. */
  | { readonly tercel: "serving"; readonly isServing: boolean }
  /** Its lifecycle is over; the process exits. The parts are its last. */
  | {
      readonly tercel: "ended";
      readonly problems: readonly string[];
      readonly parts: Readonly<Record<string, unknown>>;
    }
  /** Requests the merged parts of all workers. */
  | { readonly tercel: "ask"; readonly topic: string; readonly id: number }
  /** The response to `read`. */
  | { readonly tercel: "part"; readonly topic: string; readonly round: number; readonly part: unknown };

/** Messages from the parent to a worker. */
export type ParentMessage =
  /** `isReplaced`: another process has taken over, so balancers need not notice first. */
  | { readonly tercel: "stop"; readonly reason: string; readonly isReplaced: boolean }
  | { readonly tercel: "force"; readonly reason: string }
  | { readonly tercel: "read"; readonly topic: string; readonly round: number }
  /** The response to `ask`. */
  | { readonly tercel: "answer"; readonly id: number; readonly collected: MergedParts<unknown> }
  /** Whether any worker is SERVING. */
  | { readonly tercel: "serving"; readonly isServing: boolean };

/** Whether a message is one of the kit's: the application may use the same channel. */
export function isOurs(message: unknown): message is { readonly tercel: string } {
  return typeof message === "object" && message !== null && "tercel" in message;
}

import type { ListenAddress } from "@tercel/grpc";
import type { MergedParts } from "@tercel/grpc/internal";

/** What a worker tells its parent. */
export type WorkerMessage =
  /** Its setup is through. */
  | { readonly tercel: "ready"; readonly addresses: readonly ListenAddress[] }
  /** Its setup has failed; the process ends. */
  | { readonly tercel: "failed"; readonly problem: string }
  /** Whether its server as a whole is SERVING. */
  | { readonly tercel: "serving"; readonly isServing: boolean }
  /** Its life is over; the process ends. The parts are its last. */
  | {
      readonly tercel: "ended";
      readonly problems: readonly string[];
      readonly parts: Readonly<Record<string, unknown>>;
    }
  /** It wants to know what all workers have together. */
  | { readonly tercel: "ask"; readonly topic: string; readonly id: number }
  /** What it was asked for by `read`. */
  | { readonly tercel: "part"; readonly topic: string; readonly round: number; readonly part: unknown };

/** What the parent tells a worker. */
export type ParentMessage =
  /** `isReplaced`: another process has taken over, so no one needs to hear of it first. */
  | { readonly tercel: "stop"; readonly reason: string; readonly isReplaced: boolean }
  | { readonly tercel: "force"; readonly reason: string }
  | { readonly tercel: "read"; readonly topic: string; readonly round: number }
  /** The answer to `ask`. */
  | { readonly tercel: "answer"; readonly id: number; readonly collected: MergedParts<unknown> }
  /** Whether any worker is SERVING. */
  | { readonly tercel: "serving"; readonly isServing: boolean };

/** The application may use the same channel for messages of its own. */
export function isOurs(message: unknown): message is { readonly tercel: string } {
  return typeof message === "object" && message !== null && "tercel" in message;
}

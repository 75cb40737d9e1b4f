import type { MemorySample } from "../memory.ts";

/** What its parent asks for. */
export type ToServer = "activity" | "memory";

export interface ServerActivity {
  readonly kind: "activity";
  readonly sockets: number;
  /** Handlers under way. */
  readonly running: number;
}

/** What the server's process sends to its parent. */
export type FromServer =
  | { readonly kind: "listening"; readonly port: number; readonly tlsPort: number | undefined }
  | ServerActivity
  | { readonly kind: "memory"; readonly memory: MemorySample }
  | { readonly kind: "served"; readonly ids: readonly number[] };

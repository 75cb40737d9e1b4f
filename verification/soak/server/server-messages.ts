import type { MemorySample } from "../memory.ts";

/** Requests of the parent. */
export type ToServer = "activity" | "memory";

export interface ServerActivity {
  readonly kind: "activity";
  readonly sockets: number;
  /** The number of running handlers. */
  readonly running: number;
}

/** Messages of the server's process to its parent. */
export type FromServer =
  | { readonly kind: "listening"; readonly port: number; readonly tlsPort: number | undefined }
  | ServerActivity
  | { readonly kind: "memory"; readonly memory: MemorySample }
  | { readonly kind: "served"; readonly ids: readonly number[] };

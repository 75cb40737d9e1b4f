import type { MemorySample } from "../memory.ts";

/** What the server's process tells its parent. */
export type FromServer =
  | { readonly kind: "listening"; readonly port: number; readonly tlsPort: number | undefined }
  | {
      readonly kind: "sample";
      readonly memory: MemorySample;
      readonly sockets: number;
      /** Handlers under way. */
      readonly running: number;
    }
  | { readonly kind: "served"; readonly ids: readonly number[] };

/** The exports of a target's module, compatible with Jazzer.js. */
export interface Target {
  /** Throws or rejects if the tested code violates its contract. May keep and change the bytes. */
  fuzz(bytes: Uint8Array): void | Promise<void>;
  /** Words of the input language that random mutation would not find. */
  dictionary?: readonly Uint8Array[];
  /** The maximum length of inputs. Default 4096: longer ones rarely find more. */
  maxBytes?: number;
}

export const defaultMaxBytes = 4096;

/** The targets, by their file names. */
export const targetNames = [
  "frame-reader",
  "hpack-decode",
  "hpack-round-trip",
  "huffman",
  "message-decoder",
  "protobuf-decode",
  "server-connection",
  "client-connection",
  "http1-connection",
] as const;

export async function loadTarget(name: string): Promise<Target> {
  return (await import(`../targets/${name}.ts`)) as Target;
}

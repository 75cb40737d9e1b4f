/** What a target's module exports, in the form that Jazzer.js takes as well. */
export interface Target {
  /** Throws, or rejects, when the code under test breaks its word. Gets bytes of its own. */
  fuzz(bytes: Uint8Array): void | Promise<void>;
  /** Words of the input's language that chance would not find. */
  dictionary?: readonly Uint8Array[];
  /** Longest input. Default 4096: longer ones mostly repeat what shorter ones do. */
  maxBytes?: number;
}

export const defaultMaxBytes = 4096;

/** The targets, by the name of their file. */
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

import { type Compression, type EngineName, engineOfCompression, parseCompression } from "./compression.ts";

/** The engine of a backup and how it compresses. */
export interface EngineChoice {
  readonly engine: EngineName;
  readonly compression: Compression;
}

/**
 * Chooses the engine by the destination's ending, then by the compression, and tar if neither says anything.
 *
 * @throws FailureError COMPRESSION_UNKNOWN when the engine does not support the compression
 */
export function chooseEngine(destination: string, compression: string): EngineChoice {
  const engine = engineOfName(destination) ?? engineOfCompression(compression) ?? "tar";
  // A file called .tar that begins with a zstd frame would surprise whoever opens it with another program.
  const fallback = /\.tar$/i.test(destination) ? { method: "NONE" } : undefined;
  return { engine, compression: parseCompression(engine, compression, fallback) };
}

function engineOfName(destination: string): EngineName | undefined {
  if (/\.wim$/i.test(destination)) return "wim";
  return /\.(?:tar\.zst|tzst|tar)$/i.test(destination) ? "tar" : undefined;
}

import {
  type Compression,
  type EngineName,
  engineOfCompression,
  type FileEngineName,
  parseCompression,
} from "./compression.ts";
import { isRepository } from "./restic/repository/repository-location.ts";

/** The engine of a backup and how it compresses. */
export interface EngineChoice {
  readonly engine: EngineName;
  readonly compression: Compression;
}

/**
 * Chooses restic for a repository, and for a file the engine of the destination's ending, then that of the compression, and tar if neither
 * says anything.
 *
 * @throws FailureError COMPRESSION_UNKNOWN when the engine does not support the compression
 */
export function chooseEngine(destination: string, compression: string): EngineChoice {
  if (isRepository(destination)) return { engine: "restic", compression: parseCompression("restic", compression) };
  const engine = engineOfFileName(destination) ?? engineOfCompression(compression) ?? "tar";
  // A file called .tar that begins with a zstd frame would surprise whoever opens it with another program.
  const fallback = /\.tar$/i.test(destination) ? { method: "NONE" } : undefined;
  return { engine, compression: parseCompression(engine, compression, fallback) };
}

function engineOfFileName(destination: string): FileEngineName | undefined {
  if (/\.wim$/i.test(destination)) return "wim";
  return /\.(?:tar\.zst|tzst|tar)$/i.test(destination) ? "tar" : undefined;
}

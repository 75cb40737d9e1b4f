import { fail } from "../failure/failure.ts";

/** An engine whose archives are files. */
export type FileEngineName = "tar" | "wim";

/** An engine that writes archives, or snapshots in a repository. */
export type EngineName = FileEngineName | "restic";

/** How an archive is compressed. */
export interface Compression {
  /** In capitals: LZX, XPRESS, LZMS, ZSTD or NONE; AUTO, OFF or MAX for restic. */
  readonly method: string;
  readonly level?: number;
}

interface Method {
  readonly maxLevel: number;
  readonly defaultLevel: number;
}

/** LZX:20 takes a fifth of the processor time of wimlib's own default, LZX:50, for an archive 3 % larger. */
const wimMethods: Readonly<Record<string, Method>> = {
  LZX: { maxLevel: 100, defaultLevel: 20 },
  XPRESS: { maxLevel: 100, defaultLevel: 50 },
  LZMS: { maxLevel: 100, defaultLevel: 50 },
  NONE: { maxLevel: 0, defaultLevel: 0 },
};
const tarMethods: Readonly<Record<string, Method>> = {
  ZSTD: { maxLevel: 19, defaultLevel: 3 },
  NONE: { maxLevel: 0, defaultLevel: 0 },
};
/** AUTO leaves out what is compressed already. */
const resticMethods: Readonly<Record<string, Method>> = {
  AUTO: { maxLevel: 0, defaultLevel: 0 },
  OFF: { maxLevel: 0, defaultLevel: 0 },
  MAX: { maxLevel: 0, defaultLevel: 0 },
};
const methodsOf: Readonly<Record<EngineName, Readonly<Record<string, Method>>>> = {
  wim: wimMethods,
  tar: tarMethods,
  restic: resticMethods,
};

/** What `compression` may be for an engine, for messages. */
export const compressionsOf: Readonly<Record<EngineName, string>> = {
  wim: "LZX, XPRESS, LZMS or NONE",
  tar: "ZSTD, ZSTD:1 to ZSTD:19, or NONE",
  restic: "AUTO, OFF or MAX",
};

/**
 * Parses a compression of a request: any case, the level after a colon. Empty means the engine's default.
 *
 * @throws FailureError COMPRESSION_UNKNOWN that says what the engine supports
 */
export function parseCompression(engine: EngineName, text: string, fallback?: Compression): Compression {
  const methods = methodsOf[engine];
  if (text === "") return fallback ?? withLevel(Object.keys(methods)[0] as string, undefined, methods);
  const [, name = "", level] = /^([A-Za-z0-9]+)(?::(\d{1,3}))?$/.exec(text) ?? [];
  const method = name.toUpperCase();
  const known = Object.hasOwn(methods, method) ? methods[method] : undefined;
  const number = level === undefined ? undefined : Number(level);
  if (known === undefined || (number !== undefined && (number < 1 || number > known.maxLevel))) {
    fail({
      reason: "COMPRESSION_UNKNOWN",
      field: "compression",
      engine,
      message: `unknown compression ${JSON.stringify(text.slice(0, 64))} for the ${engine} engine: use ${compressionsOf[engine]}`,
    });
  }
  return withLevel(method, number, methods);
}

function withLevel(method: string, level: number | undefined, methods: Readonly<Record<string, Method>>): Compression {
  const { defaultLevel = 0 } = methods[method] ?? {};
  return defaultLevel === 0 ? { method } : { method, level: level ?? defaultLevel };
}

/**
 * The engine whose compression this is; undefined for NONE, which both have, and for unknown ones. restic's say nothing: it is chosen by the
 * destination alone.
 */
export function engineOfCompression(text: string): FileEngineName | undefined {
  const method = text.split(":", 1)[0]?.toUpperCase() ?? "";
  if (method === "NONE") return undefined;
  if (Object.hasOwn(wimMethods, method)) return "wim";
  return Object.hasOwn(tarMethods, method) ? "tar" : undefined;
}

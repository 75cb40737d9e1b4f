import { description, type GenericSchema, metadata, number, pipe, rawTransform, string, union } from "valibot";

const unitBytes: ReadonlyMap<string, number> = new Map([
  ["B", 1],
  ["kB", 1000],
  ["KB", 1000],
  ["KiB", 1024],
  ["MB", 1_000_000],
  ["MiB", 1_048_576],
  ["GB", 1_000_000_000],
  ["GiB", 1_073_741_824],
]);

/** Parses a number of bytes or a text such as `4MiB`; undefined for other values. */
export function parseByteSize(value: number | string): number | undefined {
  if (typeof value === "number") return Number.isInteger(value) && value >= 0 ? value : undefined;
  const [, amount, unit = "B"] = /^(\d+(?:\.\d+)?)\s?([A-Za-z]+)?$/.exec(value) ?? [];
  const size = unitBytes.get(unit);
  if (amount === undefined || size === undefined) return undefined;
  const bytes = Number(amount) * size;
  return Number.isInteger(bytes) ? bytes : undefined;
}

export interface ByteSizeOptions {
  readonly description?: string;
  /** Default 0. */
  readonly min?: number;
  /** Default 4 GiB - 1, the maximum length of a message. */
  readonly max?: number;
  readonly reload?: boolean;
}

/** 4 GiB - 1, the maximum length of a message. */
const mostBytes = 0xffff_ffff;

/** Returns the schema of a size: bytes as a number, or with a unit as in `4MiB`. Its value is in bytes. */
export function byteSize(options: ByteSizeOptions = {}): GenericSchema<number | string, number> {
  const { min = 0, max = mostBytes, reload = false } = options;
  const range = min === 0 && max === mostBytes ? "" : ` from ${min} to ${max} bytes,`;
  const expects = `a size${range} such as 4194304 or 4MiB`;
  return pipe(
    union([number(), string()], `expected ${expects}`),
    metadata({ expects, reload }),
    description(options.description ?? ""),
    rawTransform(({ dataset, addIssue, NEVER }) => {
      const bytes = parseByteSize(dataset.value) ?? Number.NaN;
      if (bytes >= min && bytes <= max) return bytes;
      addIssue({ message: `expected ${expects}` });
      return NEVER;
    }),
  );
}

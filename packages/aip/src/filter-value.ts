import type { DescEnum } from "@bufbuild/protobuf";
import { nearestName } from "@tercel/grpc/internal";
import type { FilterValue } from "./filter.ts";
import type { ListFieldType } from "./list-fields.ts";

/**
 * Parses a value in a filter, without wildcards, for a field of this type.
 *
 * @throws TypeError with the format of the field's values
 */
export function readFilterValue(type: ListFieldType | DescEnum, text: string): FilterValue {
  if (typeof type === "object") return readEnum(type, text);
  switch (type) {
    case "string":
      return text;
    case "bool":
      if (text === "true" || text === "false") return text === "true";
      throw new TypeError("must be true or false");
    case "number": {
      const value = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN;
      if (!Number.isFinite(value)) throw new TypeError("must be a number, such as 42 or 2.5");
      return value;
    }
    case "timestamp":
      return readTimestamp(text);
    case "duration":
      return readDuration(text);
  }
}

function readEnum(type: DescEnum, text: string): number {
  const value = type.values.find(({ name }) => name === text);
  if (value !== undefined) return value.number;
  const names = type.values.map(({ name }) => name);
  const nearest = nearestName(text, names);
  throw new TypeError(
    `must be one of ${names.slice(0, 10).join(", ")}${names.length > 10 ? ", …" : ""}` +
      `${nearest === undefined ? "" : `; did you mean ${nearest}?`}`,
  );
}

const nanosPerSecond = 1_000_000_000n;

function readTimestamp(text: string): bigint {
  const parts =
    /^(\d{4}-\d\d-\d\d)(?:[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d))?$/.exec(text) ?? undefined;
  const [, day, time = "00:00:00", fraction = "", zone = "Z"] = parts ?? [];
  const ms = day === undefined ? Number.NaN : Date.parse(`${day}T${time}${zone.toUpperCase()}`);
  // Date.parse turns February 30 into a day in March.
  const isDay = day !== undefined && new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day) === true;
  if (Number.isNaN(ms) || !isDay) {
    throw new TypeError("must be an RFC 3339 time, such as 2026-01-31T12:00:00Z, or a day, such as 2026-01-31");
  }
  return BigInt(ms / 1000) * nanosPerSecond + BigInt(fraction.padEnd(9, "0"));
}

function readDuration(text: string): bigint {
  const parts = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/.exec(text);
  if (parts === null) throw new TypeError("must be a duration in seconds, such as 20s or 1.5s");
  const [, sign, seconds = "0", fraction = ""] = parts;
  const nanos = BigInt(seconds) * nanosPerSecond + BigInt(fraction.padEnd(9, "0"));
  return sign === "-" ? -nanos : nanos;
}

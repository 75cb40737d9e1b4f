import type pg from "pg";

// Object ids of types, from PostgreSQL's pg_type.dat.
const bytea = 17;
const int8 = 20;

/** Returns the column parsers of the port: integers as number if exact, else bigint; bytes as Uint8Array. */
export function valueParsers(types: typeof pg.types): pg.CustomTypesConfig {
  return {
    getTypeParser(id: number, format?: "text" | "binary") {
      if (format !== "binary" && id === int8) return parseInteger;
      const parser = types.getTypeParser(id, format ?? "text");
      if (format !== "binary" && id === bytea) return (text: string) => toBytes(parser(text) as Buffer);
      return parser;
    },
  } as pg.CustomTypesConfig;
}

function parseInteger(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

/** Converts a Buffer to a plain Uint8Array, as with every database. */
function toBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

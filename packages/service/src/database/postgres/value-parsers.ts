import type pg from "pg";

// Object ids of types, from PostgreSQL's pg_type.dat.
const bytea = 17;
const int8 = 20;

/** How columns become values, as the port promises: a number where it holds the integer, else a bigint; bytes as Uint8Array. */
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

/** Without Buffer's methods, so that the value is the same with every database. */
function toBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

import type { WireReader } from "./wire-reader.ts";

/** Up to this length, taking bytes one by one is faster than a call into the runtime. */
const maxShortBytes = 24;

type ReadText = (reader: WireReader, bytes: Uint8Array, end: number, length: number, isStrict: boolean) => string;

/**
 * Generates a function that reads the text before `end`. There is machine code for `String.fromCharCode` with a known number of
 * arguments, which makes short ASCII in half the time of any other way; so there is a program for each length.
 */
export function generateReadText(): ReadText {
  const cases = Array.from({ length: maxShortBytes + 1 }, (_, length) => shortText(length));
  const text = `return function(r,b,p,n,s){switch(n){${cases.join("")}}return r.text(p-n,p,s)}`;
  return new Function("fromCharCode", text)(String.fromCharCode);
}

function shortText(length: number): string {
  if (length === 0) return 'case 0:return"";';
  const names = Array.from({ length }, (_, n) => `c${n}`);
  return `case ${length}:{const ${names.map((name, n) => `${name}=b[p-${length - n}]`).join(",")};if((${names.join("|")})<128)return fromCharCode(${names.join(",")});break}`;
}

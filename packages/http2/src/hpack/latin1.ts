/**
 * Node's own one-byte-per-character conversions, for any Uint8Array. `toString("latin1")` and `write` come to the same
 * functions, but look up the encoding's name and check their arguments on the way.
 */
interface Latin1Methods {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number;
}

const { latin1Slice, latin1Write } = Buffer.prototype as unknown as Latin1Methods;
const { fromCharCode } = String;

/** Up to here, writing characters one by one costs less than the call out of JavaScript. */
const maxCharsByHand = 16;

/** The shortest strings, timeouts and status codes among them, cost a third when made without that call. */
export function readLatin1(bytes: Uint8Array, start: number, end: number): string {
  switch (end - start) {
    case 0:
      return "";
    case 1:
      return fromCharCode(at(bytes, start));
    case 2:
      return fromCharCode(at(bytes, start), at(bytes, start + 1));
    case 3:
      return fromCharCode(at(bytes, start), at(bytes, start + 1), at(bytes, start + 2));
    case 4:
      return fromCharCode(at(bytes, start), at(bytes, start + 1), at(bytes, start + 2), at(bytes, start + 3));
    case 5:
      return fromCharCode(
        at(bytes, start),
        at(bytes, start + 1),
        at(bytes, start + 2),
        at(bytes, start + 3),
        at(bytes, start + 4),
      );
    default:
      return latin1Slice.call(bytes, start, end);
  }
}

function at(bytes: Uint8Array, position: number): number {
  return bytes[position] as number;
}

export function writeLatin1(text: string, target: Uint8Array, offset: number): void {
  if (text.length > maxCharsByHand) {
    latin1Write.call(target, text, offset, text.length);
    return;
  }
  for (let index = 0; index < text.length; index++) target[offset + index] = text.charCodeAt(index);
}

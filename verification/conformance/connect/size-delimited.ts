/** How the suite's runner and the programs it tests talk: each message after its length, 4 bytes, big endian. */

const lengthBytes = 4;

/** The runner's messages hold a test case of at most a few hundred KiB; a larger length means that the reader lost its place. */
export const maxDelimitedBytes = 16 * 1024 * 1024;

/**
 * The messages of a stream, to its end.
 *
 * @throws RangeError for a length above `maxDelimitedBytes`, Error for a stream that ends inside a message
 */
export async function* readDelimited(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let waiting = Buffer.alloc(0);
  for await (const chunk of input) {
    waiting = waiting.length === 0 ? Buffer.from(chunk) : Buffer.concat([waiting, chunk]);
    while (waiting.length >= lengthBytes) {
      const length = waiting.readUInt32BE(0);
      if (length > maxDelimitedBytes) throw new RangeError(`a message of ${length} bytes was announced`);
      const end = lengthBytes + length;
      if (waiting.length < end) break;
      yield waiting.subarray(lengthBytes, end);
      waiting = waiting.subarray(end);
    }
  }
  if (waiting.length > 0) throw new Error(`the input ended ${waiting.length} bytes into a message`);
}

/** A message with its length before it. */
export function formatDelimited(message: Uint8Array): Uint8Array {
  const framed = Buffer.allocUnsafe(lengthBytes + message.length);
  framed.writeUInt32BE(message.length, 0);
  framed.set(message, lengthBytes);
  return framed;
}

/** The protocol between the suite's runner and the tested programs: each message follows its length, 4 bytes, big endian. */

const lengthBytes = 4;

/** The maximum length. The runner's messages have at most a few hundred KiB, so a larger length means that the reader is out of step. */
export const maxDelimitedBytes = 16 * 1024 * 1024;

/**
 * Yields the messages of a stream.
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

/** Returns a message with its length before it. */
export function formatDelimited(message: Uint8Array): Uint8Array {
  const framed = Buffer.allocUnsafe(lengthBytes + message.length);
  framed.writeUInt32BE(message.length, 0);
  framed.set(message, lengthBytes);
  return framed;
}

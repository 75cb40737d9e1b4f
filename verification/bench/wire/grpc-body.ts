/** Request bodies written by hand, so that the load generator needs no framework that is itself a subject. */

/** One gRPC message in a body: a byte that says "not compressed", the length, the bytes. */
export function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** bench.echo.v1.EchoRequest; EchoResponse has the same fields and thus the same bytes. */
export function echoMessage(fields: { message?: string; payload?: Buffer }): Buffer {
  return Buffer.concat([
    lengthDelimited(1, Buffer.from(fields.message ?? "")),
    lengthDelimited(2, fields.payload ?? Buffer.alloc(0)),
  ]);
}

/** bench.echo.v1.StreamRequest. */
export function streamRequest(fields: { count: number; payloadSize: number }): Buffer {
  return Buffer.concat([
    Buffer.from([tag(1, 0)]),
    varint(fields.count),
    Buffer.from([tag(2, 0)]),
    varint(fields.payloadSize),
  ]);
}

function lengthDelimited(field: number, bytes: Buffer): Buffer {
  // A field with its default value is not sent.
  if (bytes.length === 0) return bytes;
  return Buffer.concat([Buffer.from([tag(field, 2)]), varint(bytes.length), bytes]);
}

function tag(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

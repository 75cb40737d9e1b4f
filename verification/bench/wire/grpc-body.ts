/** Hand-written request bodies, so that the load generator does not need a measured framework. */

import { toUser, userRows } from "../peers/users.ts";

/** A gRPC message in a body: the byte for "not compressed", the length, the bytes. */
export function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** bench.echo.v1.EchoRequest. EchoResponse has the same fields and therefore the same bytes. */
export function echoMessage(fields: { message?: string; payload?: Buffer }): Buffer {
  return Buffer.concat([
    lengthDelimited(1, Buffer.from(fields.message ?? "")),
    lengthDelimited(2, fields.payload ?? Buffer.alloc(0)),
  ]);
}

/** bench.echo.v1.StreamRequest. */
export function streamRequest(fields: { count: number; payloadSize: number }): Buffer {
  return Buffer.concat([varintField(1, fields.count), varintField(2, fields.payloadSize)]);
}

/** bench.echo.v1.ListUsersRequest. */
export function listUsersRequest(pageSize: number): Buffer {
  return varintField(1, pageSize);
}

/** bench.echo.v1.ListUsersResponse with every user. */
export function listUsersResponse(): Buffer {
  const rows = userRows();
  const users = rows.map((row) => {
    const user = toUser(row);
    const { street, city, postalCode, countryCode } = user.address;
    const address = [street, city, postalCode, countryCode].map((text, index) => textField(index + 1, text));
    return lengthDelimited(
      1,
      Buffer.concat([
        textField(1, user.id),
        textField(2, user.name),
        textField(3, user.email),
        ...user.roles.map((role) => textField(4, role)),
        varintField(5, user.isActive ? 1 : 0),
        varintField(6, user.createdAtSeconds),
        lengthDelimited(7, Buffer.concat(address)),
        textField(8, user.timeZone),
        textField(9, user.locale),
      ]),
    );
  });
  return Buffer.concat([...users, varintField(2, rows.length)]);
}

function textField(field: number, text: string): Buffer {
  return lengthDelimited(field, Buffer.from(text));
}

/** Returns nothing for zero, which is not sent. */
function varintField(field: number, value: number): Buffer {
  return value === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([tag(field, 0)]), varint(value)]);
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

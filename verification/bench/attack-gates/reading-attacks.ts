import { listsMethodPath } from "../loop-delay/lists-service.ts";
import { callEndlessly } from "./endless-calls.ts";
import { cancelInflatedMessages, sendInflatedMessages } from "./inflated-messages.ts";
import { repeatGzippedCall } from "./repeated-calls.ts";
import { sendUnfinishedMessages } from "./unfinished-messages.ts";
import { leaveResponsesUnread } from "./unread-responses.ts";

const echoPath = "/bench.echo.v1.EchoService/Unary";
/** The default limit of a server. */
const messageBytes = 4 * 2 ** 20;

/** Attacks that depend on the server's responses, by name. The others send bytes as fast as the server reads them. */
export const readingAttacks: Readonly<Record<string, (port: number) => Promise<never>>> = {
  "messages of 4 MiB without their last byte": sendUnfinishedMessages,
  "unknown fields": repeatGzippedCall(echoPath, Buffer.alloc(messageBytes, Uint8Array.of(0x78, 0))),
  "fields of an unknown group": repeatGzippedCall(echoPath, unknownGroup(messageBytes)),
  "tiny elements": repeatGzippedCall(listsMethodPath, Buffer.alloc(messageBytes, Uint8Array.of(0x0a, 0))),
  "2,000 calls with unread responses of 64 KiB": leaveResponsesUnread,
  "inflated messages of 4 MiB, queued on every stream": sendInflatedMessages,
  "inflated messages of 4 MiB, queued in calls that it cancels": cancelInflatedMessages,
  "calls whose response headers it does not accept": (port) =>
    callEndlessly(port, { ":path": echoPath }, (stream) => stream.end(Buffer.alloc(5)), { maxHeaderListSize: 1 }),
};

/** Group 15, full of fields of two bytes. */
function unknownGroup(bytes: number): Buffer {
  return Buffer.concat([Buffer.of(0x7b), Buffer.alloc(bytes - 2, Uint8Array.of(0x78, 0)), Buffer.of(0x7c)]);
}

import { ScriptedPeer, uint32 } from "../../src/testing/index.ts";
import { type Conduct, conducts } from "./checked-listener.ts";

/** What one side of a connection sent from its first frame on, and how the application on the other side acted. */
export interface Recording {
  name: string;
  role: "server" | "client";
  script: Uint8Array;
  bytes: Buffer;
}

const post = [":method", "POST", ":scheme", "http", ":path", "/a/b", ":authority", "a.example"];
const get = [":method", "GET", ":scheme", "https", ":path", "/", "accept", "*/*"];
const ok = [":status", "200", "content-type", "text/plain"];
const manyFields = Array.from({ length: 40 }, (_, at) => [`field-${at}`, `value of field ${at}`]).flat();

/** One byte each on the wire: more than a list may have by default. */
const tooManyFields = Array.from({ length: 130 }, () => ["accept-encoding", "gzip, deflate"]).flat();

function record(
  role: Recording["role"],
  name: string,
  script: readonly number[],
  play: (peer: ScriptedPeer) => void,
): Recording {
  const sent: Uint8Array[] = [];
  const peer = new ScriptedPeer({ send: (chunk) => sent.push(chunk), settle: undefined });
  peer.sendSettings({ initialWindowSize: 70_000, headerTableSize: 1024 });
  peer.sendSettingsAck();
  play(peer);
  return { name: `${role}: ${name}`, role, script: Uint8Array.from(script), bytes: Buffer.concat(sent) };
}

/** The script that makes every stream of a server act so; for a client, see {@link clientScript}. */
const all = (conduct: Conduct): number[] => [conducts.indexOf(conduct)];

/** Three requests whose conduct is this one: without a body, with one, and a HEAD. */
function clientScript(conduct: Conduct): number[] {
  const number = conducts.indexOf(conduct);
  return [number, 0x80 | 0x10 | number, 0x40 | number];
}

/** Hand-made connections, a few hundred bytes each, that use every frame type and end in every way. */
export function createRecordings(): Recording[] {
  return [...serverRecordings(), ...clientRecordings()];
}

function serverRecordings(): Recording[] {
  return [
    record("server", "requests with bodies", all("echo"), (peer) => {
      peer.sendHeaders(1, post);
      peer.sendHeaders(3, get, { endStream: true });
      peer.sendData(1, "first half, ");
      peer.sendHeaders(5, post);
      peer.sendData(5, "");
      peer.sendData(1, "second half", { endStream: true });
      peer.sendData(5, "x".repeat(300), { endStream: true });
    }),
    record("server", "header blocks in pieces", all("answer at the end"), (peer) => {
      const block = peer.encodeHeaders([...post, ...manyFields]);
      peer.sendHeaders(1, block.subarray(0, 9), { endHeaders: false, endStream: true });
      peer.sendContinuation(1, block.subarray(9, 200), { endHeaders: false });
      peer.sendContinuation(1, block.subarray(200));
      const again = peer.encodeHeaders([...post, ...manyFields]);
      peer.sendHeaders(3, again.subarray(0, 1), { endHeaders: false });
      peer.sendContinuation(3, again.subarray(1));
      peer.sendHeaders(3, ["outcome", "done"], { endStream: true });
    }),
    record("server", "padding and priority", all("echo"), (peer) => {
      peer.sendHeaders(1, post, { padding: 5, dependsOn: 0 });
      peer.sendData(1, "padded", { padding: 20 });
      peer.sendPriority(1, 3);
      peer.sendData(1, "", { padding: 0 });
      peer.sendData(1, "end", { padding: 255, endStream: true });
      peer.sendPriority(99);
    }),
    record("server", "resets", [0, 1, 2, 3, 4, 5, 6], (peer) => {
      for (const id of [1, 3, 5, 7, 9, 11]) peer.sendHeaders(id, post);
      peer.sendReset(1, 8);
      peer.sendData(3, "late");
      peer.sendReset(3, 2);
      for (const id of [5, 7, 9, 11]) peer.sendData(id, "some", { endStream: true });
      peer.sendReset(9, 8);
      peer.sendWindowUpdate(9, 100);
    }),
    record("server", "settings, windows and pings", all("answer at length"), (peer) => {
      peer.sendHeaders(1, get, { endStream: true });
      peer.sendPing("0102030405060708");
      peer.sendSettings({ initialWindowSize: 10, maxFrameSize: 16_384 });
      peer.sendHeaders(3, get, { endStream: true });
      peer.sendWindowUpdate(0, 200_000);
      peer.sendSettings({ headerTableSize: 0 });
      peer.sendSettings({ initialWindowSize: 65_535, headerTableSize: 4096 });
      peer.sendHeaders(5, get, { endStream: true });
      peer.sendWindowUpdate(3, 40_000);
      peer.sendPing("ffffffffffffffff", { ack: true });
      peer.sendFrame({ type: 0xfa, flags: 0xff, streamId: 7, payload: Buffer.from("unknown") });
    }),
    record("server", "faults of streams", [0, 7, 8, 9, 0, 0], (peer) => {
      peer.sendHeaders(1, [...post, "content-length", "3"]);
      peer.sendData(1, "four");
      for (const id of [3, 5, 7]) {
        peer.sendHeaders(id, post);
        peer.sendData(id, "thrown at", { endStream: true });
      }
      peer.sendHeaders(9, [...post, "Upper", "case"], { endStream: true });
      peer.sendHeaders(11, post);
      peer.sendWindowUpdate(11, 0);
    }),
    record("server", "a header list over the limit", all("answer at the end"), (peer) => {
      peer.sendHeaders(1, [...post, ...tooManyFields], { endStream: true });
      peer.sendHeaders(3, get, { endStream: true });
    }),
    record("server", "a drain", [0, 13, 0], (peer) => {
      peer.sendHeaders(1, post);
      peer.sendHeaders(3, get, { endStream: true });
      peer.sendPing("0000000000000001", { ack: true });
      peer.sendHeaders(5, get, { endStream: true });
      peer.sendData(1, "end", { endStream: true });
    }),
    record("server", "a GOAWAY of the client", all("answer at the end"), (peer) => {
      peer.sendHeaders(1, post);
      peer.sendGoaway(0, 0, "leaving");
      peer.sendData(1, "still here", { endStream: true });
    }),
    record("server", "a close within a callback", [0, 14], (peer) => {
      peer.sendHeaders(1, get, { endStream: true });
      peer.sendHeaders(3, post);
      peer.sendData(3, "the last words");
      peer.sendHeaders(5, get, { endStream: true });
    }),
    record("server", "an offence at the end", all("answer at the end"), (peer) => {
      peer.sendHeaders(1, get, { endStream: true });
      peer.sendHeaders(3, post);
      peer.sendFrame({ type: 6, streamId: 0, payload: Buffer.from("short") });
      peer.sendHeaders(5, get, { endStream: true });
    }),
  ];
}

function clientRecordings(): Recording[] {
  return [
    record("client", "responses with trailers", clientScript("answer at the end"), (peer) => {
      peer.sendHeaders(1, [":status", "103", "link", "</a>"]);
      peer.sendHeaders(1, ok);
      peer.sendHeaders(3, ok, { padding: 7 });
      peer.sendData(1, "to the first");
      peer.sendData(3, "to the second", { padding: 30 });
      peer.sendHeaders(1, ["outcome", "done"], { endStream: true });
      peer.sendData(3, "", { endStream: true });
      peer.sendHeaders(5, [...ok, "content-length", "12"], { endStream: true });
    }),
    record("client", "header blocks in pieces, pings and settings", clientScript("never consume"), (peer) => {
      const block = peer.encodeHeaders([...ok, ...manyFields]);
      peer.sendHeaders(1, block.subarray(0, 100), { endHeaders: false });
      peer.sendContinuation(1, block.subarray(100));
      peer.sendPing("0102030405060708");
      peer.sendSettings({ maxConcurrentStreams: 1, initialWindowSize: 0 });
      peer.sendData(1, "x".repeat(200), { endStream: true });
      peer.sendSettings({ maxConcurrentStreams: 100 });
      peer.sendWindowUpdate(3, 1000);
      peer.sendHeaders(3, ok, { endStream: true });
    }),
    record("client", "resets", clientScript("reset in data"), (peer) => {
      peer.sendHeaders(1, ok);
      peer.sendData(1, "unwanted");
      peer.sendData(1, "late", { endStream: true });
      peer.sendReset(3, 7);
      peer.sendHeaders(5, ok);
      peer.sendReset(5, 0);
    }),
    record("client", "a GOAWAY of the server", clientScript("echo"), (peer) => {
      peer.sendHeaders(1, ok);
      peer.sendGoaway(2 ** 31 - 1, 0);
      peer.sendGoaway(1, 0, "max_age");
      peer.sendData(1, "the last words", { endStream: true });
    }),
    record("client", "faults", clientScript("throw in data"), (peer) => {
      peer.sendHeaders(1, ok);
      peer.sendData(1, "thrown at");
      peer.sendHeaders(3, [":status", "abc"], { endStream: true });
      peer.sendData(5, "before the head");
      peer.sendFrame({ type: 5, flags: 4, streamId: 1, payload: Buffer.concat([uint32(2), Buffer.of(0x88)]) });
    }),
  ];
}

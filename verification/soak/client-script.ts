import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { ScriptedPeer } from "@tercel/http2/testing";
import { LoadRequestSchema } from "./gen/tercel/soak/v1/load_pb.ts";

const longDelayMs = 3_600_000;

/** The bytes of a client's connection with calls of each kind, most of which the server cannot end. */
export function recordClient(): Buffer {
  const written: Uint8Array[] = [];
  const peer = new ScriptedPeer({ send: (chunk) => written.push(chunk), settle: undefined });
  let streamId = -1;
  const call = (method: string, extra: readonly string[] = []): number => {
    streamId += 2;
    peer.sendHeaders(streamId, [...head(method), ...extra]);
    return streamId;
  };
  peer.sendPreface();
  peer.sendSettings();
  peer.sendSettingsAck();
  peer.sendWindowUpdate(0, 1 << 24);
  // An immediate and a late response.
  peer.sendData(call("Unary"), message({ answerBytes: 1000 }), { endStream: true });
  peer.sendData(call("Unary", ["grpc-timeout", "10M"]), message({ delayMs: longDelayMs }), { endStream: true });
  // More responses than the window allows.
  peer.sendData(call("ServerStream"), message({ answers: 50, answerBytes: 4000 }), { endStream: true });
  // Requests without an end: one in pieces, one compressed.
  const upload = call("ClientStream", ["grpc-encoding", "gzip"]);
  const large = message({ payload: new Uint8Array(20_000) });
  for (let at = 0; at < large.length; at += 3000) peer.sendData(upload, large.subarray(at, at + 3000), { padding: 7 });
  peer.sendData(upload, message({ payload: new Uint8Array(5000) }, true));
  const talk = call("BidiStream", ["x-many", "v".repeat(3000)]);
  for (let at = 0; at < 10; at++) peer.sendData(talk, message({ answerBytes: 300 }));
  // A header block in three frames.
  streamId += 2;
  const block = peer.encodeHeaders([...head("Unary"), "x-cut", "c".repeat(500)]);
  peer.sendHeaders(streamId, block.subarray(0, 50), { endHeaders: false });
  peer.sendContinuation(streamId, block.subarray(50, 300), { endHeaders: false });
  peer.sendContinuation(streamId, block.subarray(300));
  peer.sendData(streamId, message({ delayMs: longDelayMs }), { endStream: true });
  // Calls that are cancelled before and after the request, and one without a handler.
  peer.sendReset(call("Unary"), 8);
  const cancelled = call("Unary");
  peer.sendData(cancelled, message({ delayMs: longDelayMs }), { endStream: true });
  peer.sendReset(cancelled, 8);
  peer.sendData(call("Nothing"), message({}), { endStream: true });
  peer.sendPing();
  peer.sendData(upload, message({ payload: new Uint8Array(1000) }));
  return Buffer.concat(written);
}

function head(method: string): string[] {
  return [
    ...[":method", "POST", ":scheme", "http", ":path", `/tercel.soak.v1.LoadService/${method}`],
    ...[":authority", "localhost", "content-type", "application/grpc", "te", "trailers"],
  ];
}

function message(fields: Parameters<typeof create<typeof LoadRequestSchema>>[1], compressed = false): Buffer {
  const plain = toBinary(LoadRequestSchema, create(LoadRequestSchema, fields));
  const content = compressed ? gzipSync(plain) : plain;
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(content.length, 1);
  return Buffer.concat([prefix, content]);
}

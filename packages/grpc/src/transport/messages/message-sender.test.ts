import assert from "node:assert/strict";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { type StringValue, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { SchemaCodec } from "../../call/messages/message-codec.ts";
import { createProtobufCodec } from "../../codec/index.ts";
import type { Compression } from "../../protocol/compression.ts";
import type { Payload } from "../../protocol/payload.ts";
import { MessageSender, type SendingCall } from "./message-sender.ts";

const codec = new SchemaCodec(createProtobufCodec(), StringValueSchema);
const text = (value: string): StringValue => create(StringValueSchema, { value });
const bytesOf = (value: string): number[] => [...toBinary(StringValueSchema, text(value))];

function senderWith(compression?: Compression): MessageSender {
  return new MessageSender({ codec, compression, compressMinBytes: 0, maxMessageBytes: 100_000 });
}

/** Keeps what it is given, as a call does that may have to send it again. */
class KeepingCall implements SendingCall<number> {
  readonly sendValues = undefined;
  readonly kept: Uint8Array[] = [];
  readonly onPut: () => void;

  constructor(onPut: () => void = () => {}) {
    this.onPut = onPut;
  }

  put(payload: Payload): number {
    this.onPut();
    this.kept.push(payload.content);
    return payload.length;
  }
}

test("messages that a call keeps are not overwritten by later ones, whatever their size", async () => {
  const call = new KeepingCall();
  const values = ["a", "", "b".repeat(100), "c".repeat(8189), "d".repeat(8200), "e".repeat(40_000), "f"];
  const sender = senderWith();
  for (const value of values) assert.equal(await sender.send(text(value), call, false), bytesOf(value).length);
  assert.deepEqual(
    call.kept.map((bytes) => [...bytes]),
    values.map(bytesOf),
  );
});

test("a message that is sent while another one is on its way leaves that one alone", () => {
  const sender = senderWith();
  const inner = new KeepingCall();
  const outer = new KeepingCall(() => {
    for (const value of ["inner", "x".repeat(9000), "last"]) sender.send(text(value), inner, false);
  });
  sender.send(text("outer"), outer, false);
  sender.send(text("after"), inner, false);
  assert.deepEqual([...(outer.kept[0] as Uint8Array)], bytesOf("outer"));
  assert.deepEqual(
    inner.kept.map((bytes) => [...bytes]),
    ["inner", "x".repeat(9000), "last", "after"].map(bytesOf),
  );
});

test("a message that is compressed later is not overwritten meanwhile", async () => {
  const later: Compression = {
    name: "later",
    compress: async (bytes) => {
      await new Promise(setImmediate);
      return bytes;
    },
    decompress: (bytes) => bytes,
  };
  const call = new KeepingCall();
  const sent = senderWith(later).send(text("compressed later"), call, false);
  senderWith().send(text("sent at once, in the same place"), new KeepingCall(), false);
  await sent;
  assert.deepEqual([...(call.kept[0] as Uint8Array)], bytesOf("compressed later"));
});

test("a message that a call refuses does not keep its place", () => {
  const sender = senderWith();
  const refusing = new KeepingCall(() => {
    throw new Error("no");
  });
  assert.throws(() => sender.send(text("refused"), refusing, false), /^Error: no$/);
  const call = new KeepingCall();
  sender.send(text("next"), call, false);
  assert.deepEqual([...(call.kept[0] as Uint8Array)], bytesOf("next"));
});

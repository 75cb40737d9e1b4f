import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { create, createFileRegistry, type DescService, type MessageShape, toBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  file_google_protobuf_struct,
  ListValueSchema,
  type Value,
} from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { type Compression, gzipCompression } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { createCallOpeners } from "@tercel/test-support/calls";
import { type EchoRequest, EchoRequestSchema } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { openInMemory, overBothTransports } from "./support/open-echo.ts";

/** Compresses every message that is larger to these bytes instead. */
function gzipOf(message: Uint8Array): Compression {
  const compressed = gzipSync(message, { level: 9 });
  return { ...gzipCompression, compress: () => compressed };
}

const unknownFields = Buffer.alloc(4 * 2 ** 20, Uint8Array.of(0x78, 0));
const attack = gzipOf(unknownFields);
/** Larger than what it is compressed to. */
const text = "x".repeat(10_000);

describe("unknown fields", () => {
  overBothTransports((open) => {
    const echo = { unary: () => ({ text }) };
    const sends = { sendCompression: attack, compressMinBytes: 0 };

    it("of 4 MiB in a call of 4 KiB are refused with ResourceExhausted by a server, whether it keeps them or not", async (t) => {
      assert.ok((attack.compress(new Uint8Array(0)) as Uint8Array).length < 4200);
      for (const keepUnknownFields of [false, true]) {
        const { client } = await open(t, echo, { channel: sends, server: { keepUnknownFields } });
        await assertStatus(client.unary({ text }), Code.ResourceExhausted, /maxDecodedMessageBytes/);
      }
    });

    it("are dropped by a server by default, 200,000 in a call as well", async (t) => {
      const many = gzipOf(Buffer.alloc(800_000, Uint8Array.of(0x7a, 2, 0x61, 0x62)));
      const requests: EchoRequest[] = [];
      const { client } = await open(
        t,
        {
          unary(request) {
            requests.push(request);
            return {};
          },
        },
        { channel: { sendCompression: many, compressMinBytes: 0 } },
      );
      await client.unary({ text });
      assert.deepEqual(requests, [create(EchoRequestSchema)]);
    });

    it("are refused by a server when they are tiny and more than 65,536, within a group as well", async (t) => {
      const fields = unknownFields.subarray(0, 2 * 65_536);
      const group = (content: Uint8Array) => Buffer.concat([Buffer.of(0x7b), content, Buffer.of(0x7c)]);
      const compressMinBytes = 0;
      for (const most of [fields, group(fields.subarray(2))]) {
        const { client } = await open(t, echo, { channel: { sendCompression: gzipOf(most), compressMinBytes } });
        assert.equal((await client.unary({ text })).text, text);
      }
      for (const tooMany of [unknownFields.subarray(0, 2 * 65_537), group(fields)]) {
        const { client } = await open(t, echo, { channel: { sendCompression: gzipOf(tooMany), compressMinBytes } });
        await assertStatus(client.unary({ text }), Code.ResourceExhausted, /maxDecodedMessageBytes/);
      }
    });

    it("are refused with ResourceExhausted by a channel, when they are too many", async (t) => {
      const server = { compressions: [attack], compressMinBytes: 0 };
      const { client } = await open(t, echo, { server });
      await assertStatus(client.unary({ text }), Code.ResourceExhausted, /maxDecodedMessageBytes/);
    });

    it("pass through a server that keeps them and the channel of a proxy", async (t) => {
      const one = gzipOf(Uint8Array.of(0x78, 5));
      const proxied: unknown[] = [];
      const { client } = await open(
        t,
        {
          unary(request) {
            proxied.push(request.$unknown);
            return { text };
          },
        },
        {
          channel: { sendCompression: one, compressMinBytes: 0 },
          server: { keepUnknownFields: true, compressions: [one], compressMinBytes: 0 },
        },
      );
      const field = [{ no: 15, wireType: 0, data: Uint8Array.of(5) }];
      assert.deepEqual((await client.unary({ text })).$unknown, field);
      assert.deepEqual(proxied, [field]);
    });
  });

  it("are an option that is true or false", async (t) => {
    for (const side of ["server", "channel"] as const) {
      const options = { [side]: { keepUnknownFields: "yes" as never } };
      await assert.rejects(openInMemory(t, {}, options), /keepUnknownFields.*true or false/);
    }
  });
});

const service = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      file_google_protobuf_struct.proto,
      {
        name: "lists.proto",
        package: "lists",
        dependency: ["google/protobuf/struct.proto"],
        service: [
          {
            name: "Lists",
            method: [
              { name: "Copy", inputType: ".google.protobuf.ListValue", outputType: ".google.protobuf.ListValue" },
            ],
          },
        ],
      },
    ],
  }),
).getService("lists.Lists") as DescService;

type List = MessageShape<typeof ListValueSchema>;
interface ListsClient {
  copy(list: List): Promise<List>;
}

const { overBothTransports: overBothWithLists } = createCallOpeners(
  (copy: (list: List) => List) => (router) => router.service(service, { copy } as never),
  (transport) => ({ client: createClient(service, transport) as unknown as ListsClient }),
);

function listOf(length: number, kind: Value["kind"] = { case: undefined }): List {
  const value = { $typeName: "google.protobuf.Value", kind } as Value;
  return create(ListValueSchema, { values: new Array<Value>(length).fill(value) });
}

describe("tiny elements", () => {
  overBothWithLists((open) => {
    it("of 4 MiB are refused with ResourceExhausted, by server and channel", async (t) => {
      const large = gzipOf(toBinary(ListValueSchema, listOf(2 ** 21)));
      const compressMinBytes = 0;
      const fromClient = await open(t, (list) => list, { channel: { sendCompression: large, compressMinBytes } });
      await assertStatus(fromClient.client.copy(listOf(10_000)), Code.ResourceExhausted, /maxDecodedMessageBytes/);
      const fromServer = await open(t, (list) => list, { server: { compressions: [large], compressMinBytes } });
      await assertStatus(fromServer.client.copy(listOf(10_000)), Code.ResourceExhausted, /maxDecodedMessageBytes/);
    });

    it("are let through up to maxDecodedMessageBytes, and not one more", async (t) => {
      // What an empty Value is taken to need, and the list is not counted.
      const bytesEach = 92;
      const limit = { maxDecodedMessageBytes: 1000 * bytesEach };
      for (const options of [{ server: limit }, { channel: limit }]) {
        const { client } = await open(t, (list) => list, options);
        assert.equal((await client.copy(listOf(1000))).values.length, 1000);
        await assertStatus(client.copy(listOf(1001)), Code.ResourceExhausted, /maxDecodedMessageBytes/);
      }
    });

    it("that are not empty are let through by default, 100,000 of them, and 45,000 that are", async (t) => {
      const { client } = await open(t, (list) => list);
      for (const list of [listOf(100_000, { case: "numberValue", value: 1 }), listOf(45_000)]) {
        assert.equal((await client.copy(list)).values.length, list.values.length);
      }
    });

    it("are refused by a server where a channel lets them through", async (t) => {
      const { client } = await open(t, () => listOf(100_000));
      assert.equal((await client.copy(listOf(1))).values.length, 100_000);
      await assertStatus(client.copy(listOf(100_000)), Code.ResourceExhausted, /maxDecodedMessageBytes/);
    });
  });
});

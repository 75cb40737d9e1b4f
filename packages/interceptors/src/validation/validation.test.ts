import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { create, createFileRegistry, type DescMessage, type MessageInitShape, setExtension } from "@bufbuild/protobuf";
import {
  AnySchema,
  anyPack,
  EmptySchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  timestampFromMs,
} from "@bufbuild/protobuf/wkt";
import { FieldRulesSchema, field as fieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, createClient, type Interceptor, type ServiceImpl } from "@connectrpc/connect";
import { readFieldViolations } from "@tercel/grpc/errors";
import { assertStatus, createInMemoryTransport } from "@tercel/grpc/testing";
import { collect, streamOf } from "@tercel/test-support/async";
import { OrderSchema, OrderService } from "../../test/gen/tercel/interceptors/test/v1/order_pb.ts";
import { recordingLog } from "../../test/support/open-echo.ts";
import { createMessageCheck, createValidation, type ValidationOptions } from "./index.ts";

type OrderInit = MessageInitShape<typeof OrderSchema>;

const place = { city: "Bern" };
const good: OrderInit = { id: "a", place, payment: { case: "card", value: "1234" } };

function open(
  test: TestContext,
  side: "client" | "server",
  handlers: Partial<ServiceImpl<typeof OrderService>>,
  options: ValidationOptions = {},
) {
  const interceptors = [createValidation(options)];
  const transport = createInMemoryTransport({
    routes: (router) => router.service(OrderService, handlers),
    serverOptions: { log: recordingLog().log, ...(side === "server" && { interceptors }) },
    channelOptions: side === "client" ? { interceptors } : {},
  });
  test.after(() => transport.close({ deadlineMs: 0 }));
  return createClient(OrderService, transport);
}

/** Orders that violate one rule of protoc-gen-validate each. */
const broken: readonly (readonly [string, OrderInit, string, string])[] = [
  ["a text that is too short", { ...good, id: "" }, "id", "STRING_MIN_LEN"],
  ["a text that is too long", { ...good, id: "abcdefghi" }, "id", "STRING_MAX_LEN"],
  ["a text that does not match", { ...good, id: "A" }, "id", "STRING_PATTERN"],
  ["a number below its range", { ...good, count: -1 }, "count", "INT32_GTE_LTE"],
  ["a number above its range", { ...good, count: 101 }, "count", "INT32_GTE_LTE"],
  ["an address that is none", { ...good, email: "a@" }, "email", "STRING_EMAIL"],
  ["a value its enum does not have", { ...good, status: 7 as never }, "status", "ENUM_DEFINED_ONLY"],
  ["too many items", { ...good, tags: ["aa", "bb", "cc", "dd"] }, "tags", "REPEATED_MAX_ITEMS"],
  ["items that are the same", { ...good, tags: ["aa", "aa"] }, "tags", "REPEATED_UNIQUE"],
  ["one bad item", { ...good, tags: ["aa", "b"] }, "tags[1]", "STRING_MIN_LEN"],
  ["too many pairs", { ...good, amounts: { a: 1n, ab: 1n, ac: 1n } }, "amounts", "MAP_MAX_PAIRS"],
  ["a bad key", { ...good, amounts: { b: 1n } }, 'amounts["b"]', "STRING_PREFIX"],
  ["a bad value", { ...good, amounts: { a: 0n } }, 'amounts["a"]', "INT64_GT"],
  ["a message that is missing", { id: "a", payment: good.payment as never }, "place", "REQUIRED"],
  ["what is wrong inside a message", { ...good, place: {} }, "place.city", "STRING_MIN_LEN"],
  ["what is wrong inside a list of messages", { ...good, places: [place, {}] }, "places[1].city", "STRING_MIN_LEN"],
  ["a duration above its bound", { ...good, delay: { seconds: 61n } }, "delay", "DURATION_LTE"],
  ["a duration that is not listed", { ...good, delay: { seconds: 3n } }, "delay", "DURATION_IN"],
  ["a time that has not come", { ...good, at: timestampFromMs(8e12) }, "at", "TIMESTAMP_LT_NOW"],
  ["a wrapped text that is too long", { ...good, note: "long" }, "note", "STRING_MAX_LEN"],
  ["bytes of another length", { ...good, digest: new Uint8Array(3) }, "digest", "BYTES_LEN"],
  ["a number inside what is excluded", { ...good, ratio: 0.5 }, "ratio", "DOUBLE_GT_LT_EXCLUSIVE"],
  ["none of what has to be one", { id: "a", place }, "payment", "REQUIRED"],
  ["a bad member of a oneof", { ...good, payment: { case: "card", value: "123" } }, "card", "STRING_LEN"],
  ["an Any of another type", { ...good, extra: { typeUrl: "type.googleapis.com/x" } }, "extra", "ANY_IN"],
  ["an optional text that is set and too short", { ...good, nickname: "" }, "nickname", "STRING_MIN_LEN"],
  [
    "what is wrong inside a message of its own kind",
    { ...good, parent: { ...good, id: "A" } },
    "parent.id",
    "STRING_PATTERN",
  ],
];

const fine: readonly (readonly [string, OrderInit])[] = [
  ["what is good", good],
  ["values at both ends of their range", { ...good, id: "abcdefgh", count: 100 }],
  ["empty values of rules that ignore these", { ...good, email: "", digest: new Uint8Array(0), ratio: 0 }],
  ["numbers outside of what is excluded", { ...good, ratio: -0.1 }],
  ["a message that is not to be looked into", { ...good, unchecked: {} }],
  ["a message whose rules are switched off, and what is inside", { ...good, loose: { text: "", place: {} } }],
  ["members of a oneof that are not the one", { id: "a", place, payment: { case: "cashAt", value: place } }],
  [
    "an Any of the type that is asked for",
    { ...good, extra: create(AnySchema, anyPack(EmptySchema, create(EmptySchema))) },
  ],
  ["a listed duration and a time that has passed", { ...good, delay: { seconds: 2n }, at: timestampFromMs(0) }],
  ["a wrapped text that fits, and an unset optional one", { ...good, note: "abc" }],
];

describe("createValidation", () => {
  for (const [what, order, field, reason] of broken) {
    it(`rejects ${what}`, async (t) => {
      const client = open(t, "server", { create: () => assert.fail("the handler must not see it") });
      const error = await assertStatus(client.create(order), Code.InvalidArgument);
      assert.deepEqual(
        readFieldViolations(error).map((one) => [one.field, one.reason]),
        [[field, reason]],
      );
      assert.notEqual(readFieldViolations(error)[0]?.description, "");
    });
  }

  for (const [what, order] of fine) {
    it(`accepts ${what}`, async (t) => {
      const client = open(t, "server", { create: () => ({ id: "seen" }) }, { services: [OrderService] });
      assert.equal((await client.create(order)).id, "seen");
    });
  }

  it("lists every violation", async (t) => {
    const client = open(t, "server", {});
    const order: OrderInit = { ...good, id: "A", count: -1, tags: ["a"] };
    const error = await assertStatus(client.create(order), Code.InvalidArgument, /^id: .*; and 2 more$/);
    assert.deepEqual(
      readFieldViolations(error).map(({ field }) => field),
      ["id", "count", "tags[0]"],
    );
  });

  it("does not check methods and services that are excluded", async (t) => {
    for (const methods of [
      { [`${OrderService.typeName}/Create`]: false },
      { [`${OrderService.typeName}/*`]: false },
    ] as const satisfies ValidationOptions["methods"][]) {
      const client = open(t, "server", { create: () => ({ id: "seen" }) }, { methods });
      assert.equal((await client.create({ ...good, id: "A" })).id, "seen");
    }
    const other = open(t, "server", {}, { methods: { [`${OrderService.typeName}/List`]: false } });
    await assertStatus(other.create({ ...good, id: "A" }), Code.InvalidArgument);
    assert.throws(() => createValidation({ methods: { "a/b/c": false } }), /methods has "a\/b\/c"/);
  });

  it("lists violations in common.v1, too, with commonDetails", async (t) => {
    const client = open(t, "server", {}, { commonDetails: true });
    const error = await assertStatus(client.create({ ...good, id: "A" }), Code.InvalidArgument);
    const types = error.details.map((detail) => ("type" in detail ? detail.type : detail.desc.typeName));
    assert.deepEqual(types, ["google.rpc.BadRequest", "common.v1.ValidationError"]);
  });

  it("lists only as many violations as fit into trailers", async (t) => {
    const client = open(t, "server", {}, { commonDetails: true });
    const places = Array.from({ length: 10_000 }, () => ({}));
    const amounts = Object.fromEntries([["b".repeat(10_000), 1n]]);
    const error = await assertStatus(
      client.create({ ...good, amounts, places }),
      Code.InvalidArgument,
      /and 10000 more$/,
    );
    const violations = readFieldViolations(error);
    assert.ok(violations.length > 10 && violations.length < 100, String(violations.length));
    assert.ok(violations.every(({ field }) => field.length <= 201));
  });

  for (const side of ["server", "client"] as const) {
    it(`checks each message of a stream on the ${side}`, async (t) => {
      const seen: string[] = [];
      const client = open(t, side, {
        async import(orders) {
          for await (const { id } of orders) seen.push(id);
          return { id: "all" };
        },
        async *sync(orders) {
          for await (const { id } of orders) {
            seen.push(id);
            yield { id };
          }
        },
        async *list({ id }) {
          seen.push(id);
          yield { id };
        },
      });
      const bad = { ...good, id: "BAD" };
      assert.equal((await client.import(streamOf(good, good))).id, "all");
      await assertStatus(client.import(streamOf(good, bad, good)), Code.InvalidArgument, /^id: /);
      assert.equal((await collect(client.sync(streamOf(good, good)))).length, 2);
      await assertStatus(client.sync(streamOf(good, bad)), Code.InvalidArgument, /^id: /);
      assert.equal((await collect(client.list(good))).length, 1);
      await assertStatus(client.list(bad), Code.InvalidArgument, /^id: /);
      assert.ok(!seen.includes("BAD"));
    });
  }

  it("does not send an invalid request from a client", async (t) => {
    const client = open(t, "client", { create: () => assert.fail("was sent") });
    const error = await assertStatus(client.create({ ...good, count: 101 }), Code.InvalidArgument);
    assert.equal(readFieldViolations(error)[0]?.field, "count");
  });

  it("does not change the descriptors", () => {
    const before = JSON.stringify(OrderSchema.field.id.proto.options?.$unknown?.length);
    createValidation({ services: [OrderService] });
    assert.equal(JSON.stringify(OrderSchema.field.id.proto.options?.$unknown?.length), before);
  });

  it("checks protovalidate's own rules", async () => {
    const input = messageWith({ type: { case: "string", value: { minLen: 2n } } });
    const next: ReturnType<Interceptor> = async () => ({}) as never;
    const call = createValidation()(next);
    const request = (name: string) =>
      ({ stream: false, method: { input }, message: create(input, { name } as Record<string, unknown>) }) as never;
    await call(request("ab"));
    const error = await assertStatus(call(request("a")), Code.InvalidArgument);
    assert.equal(readFieldViolations(error)[0]?.reason, "STRING_MIN_LEN");
  });

  it("responds with INTERNAL for a rule that cannot be applied, and reports such a rule at the start", async () => {
    const input = messageWith({ type: { case: "int32", value: {} } });
    const { log, logged } = recordingLog();
    const call = createValidation({ log })(() => assert.fail("must not pass"));
    const request = { stream: false, method: { input }, message: create(input) } as never;
    await assertStatus(call(request), Code.Internal, "the request could not be checked");
    assert.deepEqual(
      logged.map(({ level, fields }) => [level, fields.type]),
      [["error", "test.Message"]],
    );
    const service = { kind: "service", methods: [{ input }] } as never;
    assert.throws(() => createValidation({ services: [service] }), /the rules of test.Message are invalid/);
  });

  it("rejects invalid options", () => {
    assert.throws(() => createValidation({ service: [] } as never), /did you mean "services"/);
    assert.throws(
      () => createValidation({ services: [OrderSchema as never] }),
      /services\[0\] is an object; expected a service descriptor/,
    );
  });
});

/** A message with one string field with rules of protovalidate. */
function messageWith(rules: MessageInitShape<typeof FieldRulesSchema>): DescMessage {
  const options = create(FieldOptionsSchema);
  setExtension(options, fieldRules, create(FieldRulesSchema, rules));
  const file = create(FileDescriptorProtoSchema, {
    name: "test.proto",
    package: "test",
    syntax: "proto3",
    messageType: [
      {
        name: "Message",
        field: [
          {
            name: "name",
            number: 1,
            type: FieldDescriptorProto_Type.STRING,
            label: FieldDescriptorProto_Label.OPTIONAL,
            options,
          },
        ],
      },
    ],
  });
  return createFileRegistry(file, () => undefined).getMessage("test.Message") as DescMessage;
}

describe("createMessageCheck", () => {
  const check = createMessageCheck();
  const violationsOf = (order: OrderInit) => check(OrderSchema, create(OrderSchema, order));

  it("returns violations with field and reason, and none for a valid message", () => {
    assert.deepEqual(violationsOf(good), []);
    assert.deepEqual(
      violationsOf({ ...good, id: "A", count: -1 }).map(({ field, reason }) => [field, reason]),
      [
        ["id", "STRING_PATTERN"],
        ["count", "INT32_GTE_LTE"],
      ],
    );
  });

  it("rejects an unknown option", () => {
    assert.throws(
      () => createMessageCheck({ services: [] } as object),
      /createMessageCheck: unknown option "services"/,
    );
  });
});

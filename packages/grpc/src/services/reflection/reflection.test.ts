import assert from "node:assert/strict";
import { test } from "node:test";
import { create, createFileRegistry, type DescFile, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_descriptor,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import {
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
  ServerReflection as V1,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as V1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { createReflection } from "./reflection.ts";

/** base.proto and shop.proto, which imports it; more.proto extends a message of base.proto and is imported by no one. */
const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: "shop/base.proto",
        package: "shop",
        syntax: "proto2",
        messageType: [{ name: "Base", extensionRange: [{ start: 100, end: 200 }] }],
      },
      {
        name: "shop/shop.proto",
        package: "shop",
        syntax: "proto2",
        dependency: ["shop/base.proto"],
        messageType: [
          {
            name: "Order",
            field: [
              { name: "id", number: 1, type: Type.STRING, label: Label.OPTIONAL },
              { name: "card", number: 2, type: Type.STRING, label: Label.OPTIONAL, oneofIndex: 0 },
            ],
            oneofDecl: [{ name: "payment" }],
            nestedType: [{ name: "Line" }],
            enumType: [{ name: "State", value: [{ name: "OPEN", number: 0 }] }],
            extension: [
              { name: "order_note", number: 101, type: Type.STRING, label: Label.OPTIONAL, extendee: ".shop.Base" },
            ],
          },
        ],
        enumType: [{ name: "Kind", value: [{ name: "PLAIN", number: 0 }] }],
        service: [{ name: "Orders", method: [{ name: "Place", inputType: ".shop.Order", outputType: ".shop.Base" }] }],
      },
      {
        name: "shop/more.proto",
        package: "shop",
        syntax: "proto2",
        dependency: ["shop/base.proto"],
        extension: [{ name: "extra", number: 100, type: Type.STRING, label: Label.OPTIONAL, extendee: ".shop.Base" }],
      },
    ],
  }),
);

function orders() {
  const service = registry.getService("shop.Orders");
  assert.ok(service);
  return service;
}

function more(): DescFile {
  const file = registry.getFile("shop/more.proto");
  assert.ok(file);
  return file;
}

type Question = MessageInitShape<typeof ServerReflectionRequestSchema>;

async function collect<T>(responses: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const response of responses) collected.push(response);
  return collected;
}

function createV1Client() {
  const reflection = createReflection({ services: [orders(), Health], files: [more()] });
  return createClient(V1, createRouterTransport(reflection.routes));
}

async function ask(...questions: Question[]): Promise<ServerReflectionResponse[]> {
  async function* stream() {
    yield* questions;
  }
  return collect(createV1Client().serverReflectionInfo(stream()));
}

async function askOne(
  messageRequest: NonNullable<Question["messageRequest"]>,
): Promise<ServerReflectionResponse["messageResponse"]> {
  const [response] = await ask({ messageRequest });
  assert.ok(response);
  return response.messageResponse;
}

function files(response: ServerReflectionResponse["messageResponse"] | undefined): FileDescriptorProto[] {
  assert.equal(response?.case, "fileDescriptorResponse");
  return response.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
}

function names(response: ServerReflectionResponse["messageResponse"] | undefined): string[] {
  return files(response).map((file) => file.name);
}

test("lists services in order, its own included", async () => {
  const response = await askOne({ case: "listServices", value: "*" });
  assert.equal(response.case, "listServicesResponse");
  assert.deepEqual(
    response.value.service.map(({ name }) => name),
    [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "shop.Orders",
    ],
  );
});

test("finds the file of each kind of symbol, and sends its imports with it", async () => {
  const symbols = [
    "shop.Orders",
    "shop.Orders.Place",
    "shop.Order",
    "shop.Order.id",
    "shop.Order.payment",
    "shop.Order.Line",
    "shop.Order.State",
    "shop.Order.OPEN",
    "shop.Order.order_note",
    "shop.Kind",
    "shop.PLAIN",
  ];
  for (const symbol of symbols) {
    const found = names(await askOne({ case: "fileContainingSymbol", value: symbol }));
    assert.deepEqual(found, ["shop/shop.proto", "shop/base.proto"], symbol);
  }
});

test("finds a file by the name it is imported by", async () => {
  assert.deepEqual(names(await askOne({ case: "fileByFilename", value: "shop/base.proto" })), ["shop/base.proto"]);
  assert.deepEqual(names(await askOne({ case: "fileByFilename", value: "grpc/health/v1/health.proto" })), [
    "grpc/health/v1/health.proto",
  ]);
});

test("sends descriptors that describe the whole file", async () => {
  const [file] = files(await askOne({ case: "fileContainingSymbol", value: "grpc.health.v1.Health" }));
  assert.equal(file?.package, "grpc.health.v1");
  assert.deepEqual(
    file?.service[0]?.method.map(({ name }) => name),
    ["Check", "List", "Watch"],
  );
  assert.equal(file?.service[0]?.method[2]?.serverStreaming, true);
});

test("finds extensions, those of additional files included", async () => {
  const inside = {
    case: "fileContainingExtension",
    value: { containingType: "shop.Base", extensionNumber: 101 },
  } as const;
  assert.deepEqual(names(await askOne(inside)), ["shop/shop.proto", "shop/base.proto"]);
  const outside = {
    case: "fileContainingExtension",
    value: { containingType: "shop.Base", extensionNumber: 100 },
  } as const;
  assert.deepEqual(names(await askOne(outside)), ["shop/more.proto", "shop/base.proto"]);
});

test("tells all extension numbers of a message, ascending", async () => {
  const response = await askOne({ case: "allExtensionNumbersOfType", value: "shop.Base" });
  assert.deepEqual(response.case === "allExtensionNumbersResponse" && response.value.extensionNumber, [100, 101]);
  assert.equal(response.case === "allExtensionNumbersResponse" && response.value.baseTypeName, "shop.Base");
  const none = await askOne({ case: "allExtensionNumbersOfType", value: "shop.Order" });
  assert.deepEqual(none.case === "allExtensionNumbersResponse" && none.value.extensionNumber, []);
});

test("answers what is unknown with NOT_FOUND and keeps the stream open", async () => {
  const responses = await ask(
    ...([
      { messageRequest: { case: "fileByFilename", value: "no/such.proto" } },
      { messageRequest: { case: "fileContainingSymbol", value: "shop.None" } },
      { messageRequest: { case: "fileContainingSymbol", value: "toString" } },
      { messageRequest: { case: "fileContainingSymbol", value: "" } },
      {
        messageRequest: {
          case: "fileContainingExtension",
          value: { containingType: "shop.Base", extensionNumber: 102 },
        },
      },
      { messageRequest: { case: "fileContainingExtension", value: { containingType: "no.Such", extensionNumber: 1 } } },
      { messageRequest: { case: "allExtensionNumbersOfType", value: "no.Such" } },
      { messageRequest: { case: "allExtensionNumbersOfType", value: "shop.Kind" } },
      { messageRequest: { case: "listServices", value: "" } },
    ] satisfies Question[]),
  );
  assert.equal(responses.length, 9);
  for (const { messageResponse } of responses.slice(0, -1)) {
    assert.equal(messageResponse.case === "errorResponse" && messageResponse.value.errorCode, Code.NotFound);
  }
  assert.equal(responses.at(-1)?.messageResponse.case, "listServicesResponse");
});

test("answers an empty request with INVALID_ARGUMENT", async () => {
  const [response] = await ask({});
  const error = response?.messageResponse;
  assert.equal(error?.case === "errorResponse" && error.value.errorCode, Code.InvalidArgument);
});

test("repeats the request in the answer", async () => {
  const [response] = await ask({ host: "h", messageRequest: { case: "fileContainingSymbol", value: "x" } });
  assert.equal(response?.validHost, "h");
  assert.equal(response?.originalRequest?.host, "h");
  assert.deepEqual(response?.originalRequest?.messageRequest, { case: "fileContainingSymbol", value: "x" });
});

test("sends an import once per stream, but always the file asked for", async () => {
  const question: Question = { messageRequest: { case: "fileContainingSymbol", value: "shop.Orders" } };
  const base: Question = { messageRequest: { case: "fileByFilename", value: "shop/base.proto" } };
  const responses = await ask(question, question, base);
  assert.deepEqual(
    responses.map(({ messageResponse }) => names(messageResponse)),
    [["shop/shop.proto", "shop/base.proto"], ["shop/shop.proto"], ["shop/base.proto"]],
  );
});

test("answers v1alpha alike", async () => {
  const reflection = createReflection({ services: [Health] });
  const client = createClient(V1Alpha, createRouterTransport(reflection.routes));
  async function* stream() {
    yield { messageRequest: { case: "fileContainingSymbol" as const, value: "grpc.health.v1.Health.Check" } };
    yield { messageRequest: { case: "fileContainingSymbol" as const, value: "grpc.reflection.v1alpha.ErrorResponse" } };
  }
  const responses = await collect(client.serverReflectionInfo(stream()));
  assert.deepEqual(
    responses.map(({ messageResponse }) => messageResponse.case),
    ["fileDescriptorResponse", "fileDescriptorResponse"],
  );
  assert.equal(responses[0]?.originalRequest?.$typeName, "grpc.reflection.v1alpha.ServerReflectionRequest");
});

test("sends imports from the well-known types", async () => {
  const reflection = createReflection({ services: [], files: [file_google_protobuf_descriptor] });
  const client = createClient(V1, createRouterTransport(reflection.routes));
  async function* stream() {
    yield { messageRequest: { case: "fileByFilename" as const, value: "google/protobuf/descriptor.proto" } };
  }
  const [response] = await collect(client.serverReflectionInfo(stream()));
  assert.deepEqual(names(response?.messageResponse), ["google/protobuf/descriptor.proto"]);
});

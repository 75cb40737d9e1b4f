import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, type FileRegistry, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FieldDescriptorProto_Type as Type } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectError, createRouterTransport, type ServiceImpl, type Transport } from "@connectrpc/connect";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection as V1 } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as V1Alpha } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { createReflection } from "./reflection.ts";
import { createReflectionClient } from "./reflection-client.ts";

type Answers = ServiceImpl<typeof V1>["serverReflectionInfo"];

/** A server of another making: `files` by the names they are imported by, sent one at a time. */
function serverOf(
  files: Readonly<Record<string, readonly string[]>>,
  service: typeof V1 | typeof V1Alpha = V1,
): Transport {
  const serverReflectionInfo: Answers = async function* (requests) {
    for await (const { messageRequest } of requests) {
      const name = messageRequest.case === "fileContainingSymbol" ? "root.proto" : String(messageRequest.value);
      const dependency = files[name];
      yield {
        messageResponse:
          dependency === undefined
            ? { case: "errorResponse", value: { errorCode: Code.NotFound, errorMessage: `no ${name}` } }
            : { case: "fileDescriptorResponse", value: { fileDescriptorProto: [serialize(name, dependency)] } },
      };
    }
  };
  return createRouterTransport((router) => router.service(service as typeof V1, { serverReflectionInfo }));
}

function serialize(name: string, dependency: readonly string[]): Uint8Array {
  const message = name.replace(".proto", "").replace(/^./, (first) => first.toUpperCase());
  const file = { name, dependency: [...dependency], syntax: "proto3", messageType: [{ name: message }] };
  return toBinary(FileDescriptorProtoSchema, create(FileDescriptorProtoSchema, file));
}

function fileNames(registry: FileRegistry | undefined): string[] {
  return [...(registry?.files ?? [])].map((file) => file.proto.name);
}

function codeIs(code: Code, message: RegExp): (error: ConnectError) => boolean {
  return (error) => error.code === code && message.test(error.rawMessage);
}

describe("the reflection client", () => {
  it("lets the server end its streams with OK, instead of cancelling them", async () => {
    const { routes } = createReflection({ services: [Health] });
    const ends: string[] = [];
    const transport = createRouterTransport(routes, {
      router: {
        interceptors: [
          (next) => async (request) => {
            const response = await next(request);
            if (!response.stream) return response;
            const messages = response.message as AsyncIterable<unknown>;
            async function* watched(): AsyncGenerator<never> {
              try {
                yield* messages as AsyncIterable<never>;
                ends.push("OK");
              } catch {
                ends.push("failed");
              }
            }
            return { ...response, message: watched() } as typeof response;
          },
        ],
      },
    });
    await createReflectionClient(transport).findSymbol("grpc.health.v1.Health");
    assert.deepEqual(ends, ["OK"]);
  });

  it("lists what Tercel's own reflection serves, and finds its symbols with their files", async () => {
    const { routes } = createReflection({ services: [Health] });
    const client = createReflectionClient(createRouterTransport(routes));
    assert.deepEqual(await client.listServices(), [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
    ]);
    const registry = await client.findSymbol("grpc.health.v1.Health");
    const watch = registry?.getService("grpc.health.v1.Health")?.method.watch;
    assert.equal(watch?.methodKind, "server_streaming");
    assert.equal(await client.findSymbol("grpc.health.v1.Wealth"), undefined);
  });

  it("asks for each import that a server has not sent, once", async () => {
    const client = createReflectionClient(
      serverOf({
        "root.proto": ["left.proto", "right.proto"],
        "left.proto": ["base.proto"],
        "right.proto": ["base.proto"],
        "base.proto": [],
      }),
    );
    const names = fileNames(await client.findSymbol("Root"));
    assert.deepEqual(names.toSorted(), ["base.proto", "left.proto", "right.proto", "root.proto"]);
    assert.equal(names[0], "base.proto");
    assert.equal(names[3], "root.proto");
  });

  it("takes the well-known types from its own store where the server has none", async () => {
    const client = createReflectionClient(serverOf({ "root.proto": ["google/protobuf/timestamp.proto"] }));
    const registry = await client.findSymbol("Root");
    assert.ok(registry?.getMessage("google.protobuf.Timestamp"));
  });

  it("speaks v1alpha with a server that does not have v1, and stays with it", async () => {
    let streams = 0;
    const transport = serverOf({ "root.proto": [] }, V1Alpha);
    const counted: Transport = {
      ...transport,
      stream: (...call) => {
        streams++;
        return transport.stream(...call);
      },
    };
    const client = createReflectionClient(counted);
    assert.deepEqual(fileNames(await client.findSymbol("Root")), ["root.proto"]);
    assert.equal(streams, 2);
    await client.findSymbol("Root");
    assert.equal(streams, 3);
  });

  it("fails with Unimplemented where there is no reflection", async () => {
    const client = createReflectionClient(createRouterTransport(() => {}));
    await assert.rejects(client.listServices(), codeIs(Code.Unimplemented, /./));
  });

  it("names the import that is missing, and the file that has it", async () => {
    const client = createReflectionClient(serverOf({ "root.proto": ["gone.proto"] }));
    await assert.rejects(
      client.findSymbol("Root"),
      codeIs(Code.NotFound, /gone\.proto, which root\.proto imports: no gone\.proto/),
    );
  });

  it("refuses a circle of imports", async () => {
    const client = createReflectionClient(serverOf({ "root.proto": ["a.proto"], "a.proto": ["root.proto"] }));
    await assert.rejects(client.findSymbol("Root"), codeIs(Code.DataLoss, /import each other in a circle/));
  });

  it("refuses bytes that are not a descriptor, and descriptors that contradict themselves", async () => {
    const answerWith = (...fileDescriptorProto: Uint8Array[]): Transport =>
      createRouterTransport((router) =>
        router.service(V1, {
          async *serverReflectionInfo() {
            yield { messageResponse: { case: "fileDescriptorResponse", value: { fileDescriptorProto } } };
          },
        }),
      );
    await assert.rejects(
      createReflectionClient(answerWith(new Uint8Array([0xff]))).findSymbol("x"),
      codeIs(Code.DataLoss, /not a file descriptor/),
    );
    const broken = create(FileDescriptorProtoSchema, {
      name: "broken.proto",
      syntax: "proto3",
      messageType: [{ name: "M", field: [{ name: "f", number: 1, type: Type.MESSAGE, typeName: ".no.Such" }] }],
    });
    await assert.rejects(
      createReflectionClient(answerWith(toBinary(FileDescriptorProtoSchema, broken))).findSymbol("x"),
      codeIs(Code.DataLoss, /descriptors that are wrong/),
    );
  });

  it("stops a server that sends ever more imports", async () => {
    let at = 0;
    /** A thousand files that import nothing, and one that asks for more. */
    const more = (name: string): Uint8Array[] => [
      serialize(name, [`f${at++}.proto`]),
      ...Array.from({ length: 1000 }, (_, index) => serialize(`x${at}-${index}.proto`, [])),
    ];
    const endless: Answers = async function* (requests) {
      for await (const { messageRequest } of requests) {
        const name = messageRequest.case === "fileContainingSymbol" ? "root.proto" : String(messageRequest.value);
        yield { messageResponse: { case: "fileDescriptorResponse", value: { fileDescriptorProto: more(name) } } };
      }
    };
    const transport = createRouterTransport((router) => router.service(V1, { serverReflectionInfo: endless }));
    await assert.rejects(
      createReflectionClient(transport).findSymbol("x"),
      codeIs(Code.ResourceExhausted, /more than 10000 files/),
    );
  });

  it("fails when the server ends the stream instead of answering", async () => {
    const transport = createRouterTransport((router) => router.service(V1, { async *serverReflectionInfo() {} }));
    await assert.rejects(createReflectionClient(transport).listServices(), codeIs(Code.DataLoss, /without an answer/));
  });
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { createHealth, createReflection } from "@tercel/grpc/services";
import { assertStatus, createStubServer } from "@tercel/grpc/testing";
import { collect, streamOf } from "@tercel/test-support/async";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../src/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";

describe("services that come with the package", () => {
  it("health is told over the wire, watched through changes, and the watch ends with the client", async () => {
    const health = createHealth();
    health.setStatus("shop.Orders", "NOT_SERVING");
    const stub = await createStubServer(health.routes);
    const client = createClient(Health, stub.transport);
    assert.equal((await client.check({})).status, Status.SERVING);
    assert.equal((await client.check({ service: "shop.Orders" })).status, Status.NOT_SERVING);
    await assertStatus(client.check({ service: "absent" }), Code.NotFound);

    const controller = new AbortController();
    const watch = client.watch({ service: "shop.Orders" }, { signal: controller.signal })[Symbol.asyncIterator]();
    assert.equal((await watch.next()).value?.status, Status.NOT_SERVING);
    health.setStatus("shop.Orders", "SERVING");
    assert.equal((await watch.next()).value?.status, Status.SERVING);
    health.shutdown();
    assert.equal((await watch.next()).value?.status, Status.NOT_SERVING);
    controller.abort();
    await assertStatus(watch.next(), Code.Canceled);
    await stub.close();
  });

  it("reflection lists what a server routes and hands out its descriptors", async () => {
    const reflection = createReflection({ services: [EchoService] });
    const stub = await createStubServer((router) => {
      reflection.routes(router);
      router.service(EchoService, {});
    });
    const client = createClient(ServerReflection, stub.transport);
    const answers = await collect(
      client.serverReflectionInfo(
        streamOf(
          { messageRequest: { case: "listServices" as const, value: "" } },
          { messageRequest: { case: "fileContainingSymbol" as const, value: EchoService.typeName } },
          { messageRequest: { case: "fileByFilename" as const, value: "nothing.proto" } },
        ),
      ),
    );
    const [list, file, unknown] = answers.map((answer) => answer.messageResponse);
    assert.ok(list?.case === "listServicesResponse" && file?.case === "fileDescriptorResponse");
    assert.ok(list.value.service.some((service) => service.name === EchoService.typeName));
    const [descriptor] = file.value.fileDescriptorProto;
    assert.equal(
      fromBinary(FileDescriptorProtoSchema, descriptor ?? new Uint8Array()).name,
      "tercel/grpc/test/v1/echo.proto",
    );
    assert.equal(unknown?.case, "errorResponse");
    await stub.close();
  });
});

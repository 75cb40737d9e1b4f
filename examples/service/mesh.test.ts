import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@tercel/grpc";
import { assertStatus } from "@tercel/grpc/testing";
import { testMesh } from "@tercel/service/testing";
import { HelloService } from "../hello/gen/hello/v1/hello_pb.ts";
import { hello } from "./hello.ts";
import { polite } from "./polite.ts";

test("serves calls as soon as the other service can be reached again", async () => {
  const retry = { max_attempts: 3 };
  const mesh = await testMesh(
    [
      { name: "hello-service", definition: hello },
      { name: "polite-service", definition: polite, config: { dependencies: [{ name: "hello-service", retry }] } },
    ],
    { seed: 7, latencyMs: [1, 20], lossRate: 0.01 },
  );
  const client = mesh.client(HelloService, "polite-service");
  const ask = () => mesh.until(client.sayHello({ name: "Ada" })); // virtual time passes until the call has ended
  const heal = mesh.partition(["polite-service"], ["hello-service"]);
  await assertStatus(ask(), Code.Unavailable);
  heal();
  assert.equal((await ask()).greeting, "Hello, Ada! How are you?");
  assert.ok(mesh.events.some(({ kind, to }) => kind === "unreachable" && to === "hello-service"));
  await mesh.stop();
});

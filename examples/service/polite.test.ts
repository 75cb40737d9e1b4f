import assert from "node:assert/strict";
import { test } from "node:test";
import { testService } from "@tercel/service/testing";
import { HelloService } from "../hello/gen/hello/v1/hello_pb.ts";
import { polite } from "./polite.ts";

test("adds a question to the greeting of the other service", async () => {
  const service = await testService(polite, {
    stubs: {
      "hello-service": (router) => {
        router.service(HelloService, { sayHello: ({ name }) => ({ greeting: `Hello, ${name}!` }) });
      },
    },
  });
  const { greeting } = await service.client(HelloService).sayHello({ name: "Ada" });
  assert.equal(greeting, "Hello, Ada! How are you?");
  await service.stop();
});

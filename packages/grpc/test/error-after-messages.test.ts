// A server that sends messages and then an error: what a reader gets of them, as each client sees it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { createChannel } from "@tercel/grpc";
import { createStubServer } from "@tercel/grpc/testing";
import { startGoPeer, withoutGo } from "@tercel/test-support/peers";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes } from "./support/open-echo.ts";

const messages = 200;
const path = "/tercel.grpc.test.v1.EchoService/ServerStream";

interface Outcome {
  readonly received: number;
  readonly code: string;
  readonly message: string;
}

type Read = (t: TestContext, target: string) => Promise<Outcome>;

async function readWithGrpcJs(t: TestContext, target: string): Promise<Outcome> {
  const client = new Client(target, credentials.createInsecure());
  t.after(() => client.close());
  const bytes = (it: Buffer): Buffer => it;
  const call = client.makeServerStreamRequest(path, bytes, bytes, Buffer.alloc(0));
  let received = 0;
  call.on("data", () => received++);
  const [error] = (await once(call, "error")) as [ServiceError];
  return { received, code: status[error.code] ?? "", message: error.details };
}

async function readWithGrpcGo(t: TestContext, target: string): Promise<Outcome> {
  const go = startGoPeer(t, "read-stream", ["-target", target, "-method", path]);
  return JSON.parse(await go.line()) as Outcome;
}

async function readWithOurs(t: TestContext, target: string): Promise<Outcome> {
  const channel = createChannel(target);
  t.after(() => channel.close());
  let received = 0;
  try {
    for await (const _ of createClient(EchoService, channel).serverStream({})) received++;
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return { received, code: Code[code], message: rawMessage };
  }
  return { received, code: "", message: "" };
}

describe("an error after messages", () => {
  for (const [client, read, code, skip] of [
    ["grpc-js", readWithGrpcJs, "OUT_OF_RANGE", false],
    ["grpc-go", readWithGrpcGo, "OutOfRange", withoutGo],
    ["our own client", readWithOurs, "OutOfRange", false],
  ] as const satisfies readonly (readonly [string, Read, string, unknown])[]) {
    it(`comes after all of them for a reader of ${client}`, { skip }, async (t) => {
      const stub = await createStubServer(
        echoRoutes({
          async *serverStream() {
            for (let count = 0; count < messages; count++) yield { count };
            throw new ConnectError("no more", Code.OutOfRange);
          },
        }),
      );
      t.after(() => stub.close({ deadlineMs: 0 }));
      const outcome = await read(t, stub.target);
      assert.equal(outcome.received, messages);
      assert.equal(outcome.code, code);
      assert.match(outcome.message, /no more/);
    });
  }
});

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createClient } from "@tercel/grpc";
import { BackupService } from "../gen/wimguard/v1/backup_pb.ts";
import { createDaemonTransport } from "./daemon-transport.ts";

/** A transport whose calls fail at once or when their signal aborts, and the headers that they came with. */
function createRecorder(fails: "at once" | "on abort") {
  const headers: unknown[] = [];
  const call = async (signal: AbortSignal | undefined, given: unknown): Promise<never> => {
    headers.push(given instanceof Headers ? Object.fromEntries(given) : given);
    if (fails === "on abort" && signal?.aborted === false)
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    throw new ConnectError(String(signal?.aborted === true ? "aborted" : "refused"), Code.Canceled);
  };
  const transport: Transport = {
    unary: (_method, signal, _timeoutMs, given) => call(signal, given),
    stream: (_method, signal, _timeoutMs, given) => call(signal, given),
  };
  return { transport, headers };
}

describe("the transport to a daemon", () => {
  it("sends a token with calls of each kind, and leaves those that have one", async () => {
    const { transport, headers } = createRecorder("at once");
    let minted = 0;
    const client = createClient(
      BackupService,
      createDaemonTransport(transport, { timeoutMs: 60_000, getToken: () => `t${++minted}` }),
    );
    const options = [undefined, { headers: { "x-a": "b" } }, { headers: { authorization: "Bearer mine" } }];
    for (const one of options) await assert.rejects(client.listBackups({}, one), /refused/);
    await assert.rejects(async () => {
      for await (const _ of client.createBackup({}));
    }, /refused/);
    assert.deepEqual(headers, [
      { authorization: "Bearer t1" },
      { authorization: "Bearer t2", "x-a": "b" },
      { authorization: "Bearer mine" },
      { authorization: "Bearer t4" },
    ]);
  });

  it("sends nothing where the daemon needs no token", async () => {
    const { transport, headers } = createRecorder("at once");
    const client = createClient(
      BackupService,
      createDaemonTransport(transport, { timeoutMs: 60_000, getToken: undefined }),
    );
    await assert.rejects(client.listBackups({}), /refused/);
    assert.deepEqual(headers, [undefined]);
  });

  it("ends unary calls that take too long, and not those that their caller ends", async () => {
    const { transport } = createRecorder("on abort");
    const client = createClient(
      BackupService,
      createDaemonTransport(transport, { timeoutMs: 10, getToken: undefined }),
    );
    await assert.rejects(client.listBackups({}), (error) => {
      assert.ok(error instanceof ConnectError);
      assert.deepEqual([error.code, error.rawMessage], [Code.DeadlineExceeded, "no response within 10 ms"]);
      return true;
    });
    const controller = new AbortController();
    const patient = createClient(
      BackupService,
      createDaemonTransport(transport, { timeoutMs: 60_000, getToken: undefined }),
    );
    const call = patient.listBackups({}, { signal: controller.signal });
    controller.abort();
    await assert.rejects(call, /aborted/);
  });
});

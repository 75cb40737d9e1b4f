import assert from "node:assert/strict";
import { join } from "node:path";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { loadSync, type MethodDefinition } from "@grpc/proto-loader";
import { token } from "../interceptors/caller.ts";
import type { KitSubject, StartedSubject } from "./servers.ts";

const protoFile = join(import.meta.dirname, "../proto/echo.proto");
const answerMs = 20_000;

interface Echo {
  readonly message: string;
  readonly payload: Buffer;
}

/**
 * Calls a server with grpc-js before it is measured. It must respond to a valid token, refuse other calls, and log and count them, so that no server is
 * measured without the features that it claims.
 *
 * Rejects with the problem.
 */
export async function verifyGuarded(subject: KitSubject, { server, metricsPort }: StartedSubject): Promise<void> {
  const { countedCall, validates } = subject;
  if (countedCall === undefined) return;
  const lines = new LineWatch();
  server.onLine((line) => lines.take(line));
  const call = createCaller(server.port);
  try {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const good = token(nowSeconds);
    const request = { message: "to and fro", payload: Buffer.from([0, 1, 2, 253, 254, 255]) };
    assert.deepEqual(await call(request, `Bearer ${good}`), request, "the response is the request");
    assert.equal(await codeOf(call(request)), status.UNAUTHENTICATED, "a call without a token is refused");
    const forged = `${good.slice(0, -2)}${good.endsWith("AA") ? "BB" : "AA"}`;
    assert.equal(await codeOf(call(request, `Bearer ${forged}`)), status.UNAUTHENTICATED, "so is a forged token");
    const powerless = `Bearer ${token(nowSeconds, "profile")}`;
    assert.equal(await codeOf(call(request, powerless)), status.PERMISSION_DENIED, "so is a token without the scope");
    if (validates) {
      const invalid = { ...request, message: "x".repeat(101) };
      assert.equal(await codeOf(call(invalid, `Bearer ${good}`)), status.INVALID_ARGUMENT, "an invalid one is refused");
    }
    await lines.wait(/"OK"/, "the successful call is logged");
    const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    assert.match(page, countedCall, "the successful call is counted once");
  } finally {
    call.close();
    lines.end();
  }
}

/** Makes unary calls with a token, or without one. */
function createCaller(port: number) {
  const { Unary } = loadSync(protoFile, { keepCase: false, defaults: true })[
    "bench.echo.v1.EchoService"
  ] as unknown as Record<string, MethodDefinition<object, object>>;
  assert.ok(Unary !== undefined);
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const call = (request: Echo, authorization?: string): Promise<Echo> =>
    new Promise((resolve, reject) => {
      const metadata = new Metadata();
      if (authorization !== undefined) metadata.set("authorization", authorization);
      const { path, requestSerialize, responseDeserialize } = Unary;
      const options = { deadline: Date.now() + answerMs };
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadata,
        options,
        (error, value) => (error === null ? resolve(value as Echo) : reject(error)),
      );
    });
  return Object.assign(call, { close: () => client.close() });
}

async function codeOf(call: Promise<unknown>): Promise<number> {
  return call.then(
    () => status.OK,
    (error: ServiceError) => error.code,
  );
}

/** Waits for a line of a log, and then stops reading it. */
class LineWatch {
  #waiting: { readonly wanted: RegExp; readonly resolve: () => void } | undefined;
  #seen: string[] = [];
  #hasEnded = false;

  take(line: string): void {
    if (this.#hasEnded) return;
    this.#seen.push(line);
    if (this.#waiting?.wanted.test(line) === true) this.#waiting.resolve();
  }

  wait(wanted: RegExp, promise: string): Promise<void> {
    if (this.#seen.some((line) => wanted.test(line))) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const patience = setTimeout(() => reject(new Error(`not so: ${promise}`)), answerMs);
      this.#waiting = {
        wanted,
        resolve() {
          clearTimeout(patience);
          resolve();
        },
      };
    });
  }

  end(): void {
    this.#hasEnded = true;
    this.#seen = [];
  }
}

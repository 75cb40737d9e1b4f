import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  credentials,
  Client as GrpcClient,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { buildPythonPeer, withoutPython } from "@tercel/test-support/peers";
import { findProgram } from "@tercel/test-support/servers";
import { type ClientStep, clientSteps, servedBy } from "./client-steps.ts";
import { serviceNames } from "./development-secret.ts";
import { protoDirs } from "./grpc-client.ts";
import { createShopUnderTest, type ShopUnderTest } from "./shop-under-test.ts";

// Three clients of other projects call every method, with the protos or with reflection only.

type Json = Record<string, unknown>;
type Service = keyof typeof servedBy;

const grpcurl = findProgram("grpcurl");
const commandLine = fileURLToPath(new URL("../../../packages/cli/src/main.ts", import.meta.url));
let shop: ShopUnderTest;
let addresses: Record<Service, string>;
let authorization: string;
before(async () => {
  shop = await createShopUnderTest();
  const started = new Map<string, string>();
  for (const name of serviceNames.toReversed()) started.set(name, (await shop.start(name)).address);
  addresses = Object.fromEntries(
    Object.entries(servedBy).map(([service, name]) => [service, started.get(name)]),
  ) as typeof addresses;
  ({ authorization } = await shop.tokenOf("admin"));
});
after(() => shop.end());

/** The methods that the steps call, and all methods. */
test("the steps call every method", () => {
  const called = new Set(clientSteps("x").map(({ service, method }) => `${service}/${method}`));
  const all = Object.keys(servedBy).flatMap((service) =>
    Object.keys(clientClassOf(service).service).map((method) => `${service}/${method}`),
  );
  assert.equal(all.length, 29);
  assert.deepEqual([...called].sort(), all.sort());
});

function clientClassOf(service: string): ServiceClientConstructor {
  const file = service.startsWith("shop.")
    ? `${service.split(".").slice(0, 3).join("/")}/${service.split(".")[1]}.proto`
    : `${service.split(".").slice(0, -1).join("/")}/user.proto`;
  const options = { includeDirs: protoDirs, longs: String, enums: String, defaults: true, oneofs: true };
  let found: unknown = loadPackageDefinition(
    loadSync(service === "user.UserService" ? "user/user.proto" : file, options),
  );
  for (const name of service.split(".")) found = (found as Json)[name];
  return found as ServiceClientConstructor;
}

/** Makes one call and yields its responses. */
type Caller = (step: ClientStep, requests: readonly Json[], signal: AbortSignal) => AsyncIterable<Json>;

/** Runs the steps, and returns the methods with the expected results. */
async function runSteps(steps: readonly ClientStep[], call: Caller): Promise<string[]> {
  const saved = new Map<string, string>();
  let number = 0;
  const filled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(filled);
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filled(item)]));
    }
    if (typeof value !== "string") return value;
    return value.startsWith("$") ? saved.get(value.slice(1)) : value.replace("%", () => String(number++));
  };
  const responsesTo = async (step: ClientStep): Promise<Json[]> => {
    const responses: Json[] = [];
    const { signal } = new AbortController();
    for await (const response of call(step, step.requests.map(filled) as Json[], signal)) responses.push(response);
    return responses;
  };
  const responsesUntil = async (step: ClientStep): Promise<Json[]> => {
    for (;;) {
      const responses = await responsesTo(step);
      const reached = Object.entries(step.until ?? {}).every(
        ([path, value]) => valueAt(responses.at(-1), path) === value,
      );
      if (reached) return responses;
    }
  };
  const followed = async (step: ClientStep, earlier: ClientStep | undefined): Promise<Json[]> => {
    const leaving = new AbortController();
    let first: Json | undefined;
    const reading = (async () => {
      for await (const response of call(step, step.requests.map(filled) as Json[], leaving.signal)) {
        first ??= response;
        if (first !== undefined) break;
      }
    })();
    while (first === undefined) await responsesTo(earlier ?? assert.fail("nothing to repeat"));
    leaving.abort();
    await reading.catch(() => {});
    return [first];
  };

  const done: string[] = [];
  for (const [at, step] of steps.entries()) {
    const responses = step.isFollowed === true ? await followed(step, steps[at - 1]) : await responsesUntil(step);
    const last = responses.at(-1) ?? {};
    const what = `${step.service}/${step.method}: ${JSON.stringify(last)}`;
    for (const [path, expected] of Object.entries(step.expect ?? {}))
      assert.equal(valueAt(last, path), filled(expected), what);
    for (const [name, path] of Object.entries(step.save ?? {})) saved.set(name, valueAt(last, path));
    done.push(`${step.service}/${step.method}`);
  }
  return done;
}

/** In proto3 JSON, which Python reads, a field mask is a text. The other clients take the message. */
function withWrittenMask(request: Json): Json {
  return typeof request.updateMask === "string" ? { ...request, updateMask: { paths: [request.updateMask] } } : request;
}

function valueAt(value: unknown, path: string): string {
  return String(path.split(".").reduce<unknown>((found, key) => (found as Json | undefined)?.[key], value));
}

test("grpc-js calls every method", { timeout: 180_000 }, async (t) => {
  const clients = new Map<string, GrpcClient>();
  t.after(() => {
    for (const client of clients.values()) client.close();
  });
  const metadata = new Metadata();
  metadata.set("authorization", authorization);
  const call: Caller = async function* ({ service, method }, requests, signal) {
    const client = clients.get(service) ?? new GrpcClient(addresses[service as Service], credentials.createInsecure());
    clients.set(service, client);
    const { path, requestSerialize, responseDeserialize, requestStream, responseStream } =
      clientClassOf(service).service[method] ?? assert.fail(method);
    const messages = requests.map(withWrittenMask);
    if (!responseStream) {
      yield await new Promise<Json>((resolve, reject) => {
        const settle = (error: Error | null, response?: Json) =>
          error === null ? resolve(response ?? {}) : reject(error);
        if (!requestStream) {
          client.makeUnaryRequest(path, requestSerialize, responseDeserialize, messages[0], metadata, settle);
          return;
        }
        const stream = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, metadata, settle);
        for (const message of messages) stream.write(message);
        stream.end();
      });
      return;
    }
    const both = requestStream
      ? client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata)
      : undefined;
    const stream =
      both ?? client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, messages[0], metadata);
    stream.on("error", () => {});
    signal.addEventListener("abort", () => stream.cancel());
    for (const message of messages) both?.write(message);
    both?.end();
    yield* stream as AsyncIterable<Json>;
  };
  const steps = clientSteps("js");
  assert.equal((await runSteps(steps, call)).length, steps.length);
});

test("grpcurl calls every method, with reflection alone", {
  timeout: 180_000,
  skip: grpcurl === undefined && "grpcurl is not installed",
}, async () => {
  const call: Caller = async function* ({ service, method }, requests, signal) {
    const options = ["-plaintext", "-emit-defaults", "-H", `authorization: ${authorization}`, "-d", "@"];
    const child = spawn(grpcurl as string, [...options, addresses[service as Service], `${service}/${method}`]);
    signal.addEventListener("abort", () => child.kill());
    child.stdin.on("error", () => {});
    child.stdin.end(requests.map((request) => JSON.stringify(withWrittenMask(request))).join("\n"));
    yield* jsonValues(child);
    const [code] = child.exitCode === null && child.signalCode === null ? await once(child, "close") : [child.exitCode];
    assert.ok(code === 0 || signal.aborted, `${method}: grpcurl ended with ${code}`);
  };
  const steps = clientSteps("curl");
  assert.equal((await runSteps(steps, call)).length, steps.length);
});

/** Parses the messages in grpcurl's output, each of several lines. */
async function* jsonValues({ stdout }: ChildProcess): AsyncGenerator<Json> {
  let text = "";
  for await (const chunk of stdout ?? []) {
    text += String(chunk);
    for (let end = text.indexOf("\n}\n"); end !== -1; end = text.indexOf("\n}\n")) {
      yield JSON.parse(text.slice(0, end + 3)) as Json;
      text = text.slice(end + 3);
    }
  }
}

test("Python calls every method, with a descriptor set alone", { timeout: 180_000, skip: withoutPython }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-shop-python-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const image = join(folder, "shop.binpb");
  const generate = ["generate", "--check", "--descriptor-out", image];
  execFileSync(process.execPath, ["--conditions=source", commandLine, ...generate], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  });
  const child = spawn(buildPythonPeer(), [fileURLToPath(new URL("./client.py", import.meta.url))]);
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  const steps = clientSteps("py");
  child.stdin.end(JSON.stringify({ image, addresses, authorization, steps }));
  let output = "";
  for await (const chunk of child.stdout) output += String(chunk);
  const [code] = child.exitCode === null ? await once(child, "close") : [child.exitCode];
  assert.equal(code, 0, errors);
  assert.deepEqual(
    output.trim().split("\n"),
    steps.map(({ service, method }) => `${service}/${method}`),
  );
});

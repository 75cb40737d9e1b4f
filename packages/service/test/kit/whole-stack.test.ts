// Everything that a configuration puts around calls, together in one service.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { it } from "node:test";
import { clone, create, createFileRegistry, setExtension } from "@bufbuild/protobuf";
import { FieldOptionsSchema, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import {
  FieldRulesSchema,
  field,
  file_buf_validate_validate as ruleFile,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code } from "@connectrpc/connect";
import { readRetryAfterMs } from "@tercel/grpc/errors";
import { assertStatus } from "@tercel/grpc/testing";
import { exposition } from "@tercel/interceptors/metrics";
import { defineService } from "@tercel/service";
import { testService } from "@tercel/service/testing";
import { EchoService } from "../gen/tercel/service/test/v1/echo_pb.ts";

const secret = "s".repeat(32);
const issuer = "https://login.example";

/** A JWT (RFC 7519) as the configured issuer makes it. */
function token(claims: object): string {
  const body = [
    { alg: "HS256", typ: "JWT" },
    { iss: issuer, aud: "echo", exp: Math.floor(Date.now() / 1000) + 60, ...claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}

/** The echo service with a rule for its requests. */
function echoWithRules(): typeof EchoService {
  const file = clone(FileDescriptorProtoSchema, EchoService.file.proto);
  const text = file.messageType.find(({ name }) => name === "EchoRequest")?.field.find(({ name }) => name === "text");
  assert.ok(text !== undefined);
  text.options = create(FieldOptionsSchema);
  setExtension(text.options, field, create(FieldRulesSchema, { type: { case: "string", value: { maxLen: 5n } } }));
  file.dependency.push(ruleFile.proto.name);
  const service = createFileRegistry(file, () => ruleFile).getService(EchoService.typeName);
  // The same methods and messages, which the compiler cannot see in the registry.
  return service as typeof EchoService;
}

it("a call is logged, counted, limited, checked and answered once, and its faults are contained", async (t) => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  let runs = 0;
  const echo = echoWithRules();
  const definition = defineService({
    access: { [`${echo.typeName}/*`]: { roles: ["caller"] } },
    routes(router) {
      router.service(echo, {
        unary({ text }, { timeoutMs }) {
          runs += 1;
          if (text === "panic") throw new Error("the password of the database is 1234");
          return { text: `${text} ${runs}`, count: Math.round(timeoutMs() ?? -1) };
        },
      });
    },
  });
  const service = await testService(definition, {
    config: {
      service: { name: "echo", version: "v1.4.0" },
      communication: { providers: { grpc: { timeout: "30s" } } },
      monitoring: { providers: { prometheus: { endpoint: "127.0.0.1:0" } } },
      security: { jwt: { issuer, audience: "echo", secret } },
      rate_limit: { calls: 5, per: "1m" },
      idempotency: {},
    },
    onLog: (line) => void lines.push(line),
  });
  t.after(() => service.stop());
  const client = service.client(EchoService);
  const headers = { authorization: `Bearer ${token({ sub: "ada", roles: ["caller"] })}` };

  let requestId: string | null = null;
  const onHeader = (header: Headers): void => {
    requestId = header.get("x-request-id");
  };
  const answer = await client.unary({ text: "a" }, { headers, onHeader });
  assert.deepEqual([answer.text, answer.count], ["a 1", 30_000]);
  await assertStatus(client.unary({ text: "a" }), Code.Unauthenticated);
  const other = { authorization: `Bearer ${token({ sub: "eve", roles: ["reader"] })}` };
  await assertStatus(client.unary({ text: "a" }, { headers: other }), Code.PermissionDenied);
  await assertStatus(client.unary({ text: "too long" }, { headers }), Code.InvalidArgument);
  const failure = await assertStatus(client.unary({ text: "panic" }, { headers }), Code.Internal);
  assert.doesNotMatch(JSON.stringify([failure.message, failure.details]), /1234/);
  const keyed = { headers: { ...headers, "idempotency-key": "k" } };
  const first = await client.unary({ text: "b" }, keyed);
  assert.equal((await client.unary({ text: "b" }, keyed)).text, first.text);
  const refusal = await assertStatus(client.unary({ text: "c" }, { headers }), Code.ResourceExhausted);
  assert.ok((readRetryAfterMs(refusal) ?? 0) > 0);
  assert.equal(runs, 3);

  const statuses = [
    "OK",
    "UNAUTHENTICATED",
    "PERMISSION_DENIED",
    "INVALID_ARGUMENT",
    "INTERNAL",
    "OK",
    "OK",
    "RESOURCE_EXHAUSTED",
  ];
  const calls = lines.filter(({ message }) => message === "call ended" || message === "call failed");
  assert.deepEqual(
    calls.map(({ status }) => status),
    statuses,
  );
  assert.ok(requestId !== null);
  assert.equal(calls[0]?.requestId, requestId);
  assert.equal(new Set(calls.map((line) => line.requestId)).size, calls.length);
  // The cause is for those who read the log.
  assert.ok(lines.some(({ level, error }) => level === "error" && String(error).includes("1234")));

  const text = exposition(service.metrics);
  for (const status of new Set(statuses)) {
    const count = statuses.filter((one) => one === status).length;
    assert.match(
      text,
      new RegExp(`^grpc_server_requests_total\\{.*method="Unary",status="${status}"\\} ${count}$`, "m"),
    );
  }
  assert.match(text, new RegExp(`^grpc_service_requests_total\\{.*method="Unary"\\} ${calls.length}$`, "m"));
});

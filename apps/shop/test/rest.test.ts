import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createGateway } from "@tercel/gateway";
import { createServer } from "@tercel/grpc";
import { checkOpenApiTypes, lintOpenApi, withoutNpm } from "@tercel/test-support/peers";
import { UserService as ApiUserService } from "../src/gen/api/user/v1/user_pb.ts";
import { userService } from "../src/user-service/service.ts";
import { alone, createShopUnderTest, type ShopUnderTest } from "./shop-under-test.ts";

type Json = Record<string, unknown>;

let shop: ShopUnderTest;
let base: string;
let admin: { authorization: string };
before(async () => {
  shop = await createShopUnderTest();
  const { process } = await shop.start("user-service", alone);
  base = `http://${(await process.record({ message: "ready" })).http}`;
  admin = await shop.tokenOf("admin");
});
after(() => shop.end());

async function call(method: string, path: string, body?: object, headers: Record<string, string> = admin) {
  const content = body === undefined ? {} : { body: JSON.stringify(body) };
  const type: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(`${base}${path}`, { method, headers: { ...headers, ...type }, ...content });
  return { status: response.status, headers: response.headers, json: (await response.json()) as Json };
}

test("users are created, read, changed, listed and deleted over REST", async () => {
  const created = await call("POST", "/v1/users", {
    email: "ada@example.org",
    displayName: "Ada",
    metadata: { a: "1" },
  });
  assert.equal(created.status, 201);
  const { userId, displayName, role } = created.json;
  assert.deepEqual([displayName, role], ["Ada", "USER_ROLE_USER"]);
  const path = `/v1/users/${userId}`;
  assert.deepEqual((await call("GET", path)).json, created.json);
  const changed = await call("PATCH", path, { displayName: "Ada King" });
  assert.deepEqual([changed.json.displayName, changed.json.metadata], ["Ada King", { a: "1" }]);
  const list = await call("GET", "/v1/users?pageSize=1&orderBy=created_at%20desc");
  assert.deepEqual(list.json.users, [changed.json]);
  assert.equal((await call("DELETE", path)).status, 200);
  const gone = await call("GET", path);
  assert.equal(gone.status, 404);
  assert.equal((gone.json.error as Json).status, "NOT_FOUND");
});

test("a retry with the header Idempotency-Key gets the first response, marked as a replay", async () => {
  const user = { email: "once@example.org", displayName: "Once" };
  const keyed = { ...admin, "idempotency-key": "rest-1" };
  const first = await call("POST", "/v1/users", user, keyed);
  const again = await call("POST", "/v1/users", user, keyed);
  assert.deepEqual(again.json, first.json);
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  const other = await call("POST", "/v1/users", { ...user, displayName: "Other" }, keyed);
  assert.equal((other.json.error as Json).status, "FAILED_PRECONDITION");
});

test("events are server-sent events that continue after the last one", async () => {
  const { json } = await call("GET", "/v1/users?pageSize=1");
  const ids = [];
  for (const name of ["Event One", "Event Two"]) {
    const email = `${name.toLowerCase().replace(" ", ".")}@example.org`;
    ids.push((await call("POST", "/v1/users", { email, displayName: name })).json.userId);
  }
  const leaving = new AbortController();
  /** Reads until the received text contains this. */
  const readEvents = async (query: string, headers: Record<string, string>, until: string) => {
    const response = await fetch(`${base}/v1/users:events${query}`, {
      headers: { ...admin, accept: "text/event-stream", ...headers },
      signal: leaving.signal,
    });
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes(until) && text.endsWith("\n\n")) break;
    }
    return text;
  };
  const both = await readEvents(`?resumeToken=${json.resumeToken}`, {}, String(ids[1]));
  const usersIn = (text: string) => [...text.matchAll(/^data: .*"userId":"([^"]+)"/gm)].map(([, id]) => id);
  assert.deepEqual(usersIn(both), ids);
  const [, firstId = ""] = /^id: (.+)$/m.exec(both) ?? [];
  const second = await readEvents("", { "last-event-id": firstId }, String(ids[1]));
  assert.deepEqual(usersIn(second), [ids[1]]);
  leaving.abort();
});

test("errors have the status and the fields of REST", async () => {
  const wrong = await call("POST", "/v1/users", { email: "nonsense", displayName: "Ada" });
  assert.equal(wrong.status, 400);
  assert.match(JSON.stringify(wrong.json), /"field":"user\.email"/);
  assert.equal((await call("GET", "/v1/users", undefined, {})).status, 401);
  const own = await shop.tokenOf("user", "somebody");
  assert.equal((await call("GET", "/v1/users", undefined, own)).status, 403);
});

test("serves the description of the API and a page for it", async () => {
  const { status, json } = await call("GET", "/openapi.json", undefined, {});
  assert.equal(status, 200);
  const paths = json.paths as Record<string, Json>;
  assert.deepEqual(Object.keys(paths["/v1/users"] ?? {}).sort(), ["get", "post"]);
  assert.deepEqual(Object.keys(paths["/v1/users/{user_id}"] ?? {}).sort(), ["delete", "get", "patch"]);
  const page = await fetch(`${base}/docs`);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /UserService/);
});

test("the description has the comments of the protos, and the page shows them", async () => {
  const { json } = await call("GET", "/openapi.json", undefined, {});
  const paths = json.paths as Record<string, Record<string, { summary: string; parameters: Json[] }>>;
  const summaries = Object.values(paths).flatMap((item) => Object.values(item).map(({ summary }) => summary));
  assert.deepEqual(summaries, [
    ...["Get a single user by ID", "Update an existing user", "Delete a user"],
    ...["List users with pagination", "Create a new user", "Stream user events in real-time"],
  ]);
  const size = paths["/v1/users"]?.get?.parameters.find(({ name }) => name === "pageSize");
  assert.equal(size?.description, "Maximum number of users to return");
  const { schemas } = json.components as {
    schemas: Record<string, { description?: string; properties: Record<string, Json> }>;
  };
  const user = schemas["api.user.v1.User"];
  assert.deepEqual(
    [user?.description, user?.properties.email?.description],
    ["User represents a system user", "User's email address"],
  );
  const page = await (await fetch(`${base}/docs`)).text();
  for (const text of [
    "Stream user events in real-time",
    "Maximum number of users to return",
    "User represents a system user",
  ]) {
    assert.ok(page.includes(text), text);
  }
});

test("the description is the one that the service would make of its methods, but for the comments", async () => {
  const { openapi: _, ...gateway } = userService.gateway ?? {};
  const server = createServer({
    routes: (router) => router.service(ApiUserService, {}),
    gateway: createGateway({ ...gateway, openapi: { title: "user-service", version: "v1.0.0" } }),
  });
  const { port } = await server.listen({ port: 0 });
  try {
    const made = await (await fetch(`http://127.0.0.1:${port}/openapi.json`)).json();
    const { json } = await call("GET", "/openapi.json", undefined, {});
    assert.deepEqual(withoutTexts(json), withoutTexts(made));
  } finally {
    await server.close();
  }
});

/** Without what comments become. Where there is none, a summary is made of the method's name. */
function withoutTexts(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTexts);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key, one]) => typeof one !== "string" || !textNames.has(key));
  return Object.fromEntries(kept.map(([key, one]) => [key, withoutTexts(one)]));
}

const textNames: ReadonlySet<string> = new Set(["summary", "description"]);

/** Code of a client that uses the types of openapi-typescript. */
const typedClient = `
import type { components, paths } from "./api.ts";
type User = components["schemas"]["api.user.v1.User"];
type Create = paths["/v1/users"]["post"];
const body: Create["requestBody"]["content"]["application/json"] = { email: "ada@example.org", displayName: "Ada" };
const created = (answer: Create["responses"]["201"]["content"]["application/json"]): User => answer;
const query: paths["/v1/users"]["get"]["parameters"]["query"] = { pageSize: 10, orderBy: "created_at desc" };
// @ts-expect-error A page has a number of users.
const wrong: paths["/v1/users"]["get"]["parameters"]["query"] = { pageSize: "ten" };
const path: paths["/v1/users/{user_id}"]["patch"]["parameters"]["path"] = { user_id: "7" };
export const used = [body, created, query, wrong, path];
`;

test("the description passes Redocly's linter, and openapi-typescript generates types from it", {
  skip: withoutNpm,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tercel-shop-openapi-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "openapi.json");
  writeFileSync(file, await (await fetch(`${base}/openapi.json`)).text());
  const lint = lintOpenApi(file);
  assert.ok(lint.isValid, lint.output);
  const types = checkOpenApiTypes(file, typedClient);
  assert.ok(types.isValid, types.output);
});

test("Connect is served on the same port", async () => {
  const connect = await call("POST", "/api.user.v1.UserService/ListUsers", { pageSize: 1 });
  assert.equal(connect.status, 200);
  assert.ok(Array.isArray(connect.json.users));
});

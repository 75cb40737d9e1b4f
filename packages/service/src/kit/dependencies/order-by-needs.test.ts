import assert from "node:assert/strict";
import { test } from "node:test";
import { client } from "../../client.ts";
import { EventHub } from "../../gen/tercel/events/v1/event_hub_pb.ts";
import { orderByNeeds } from "./order-by-needs.ts";

const service = (name: string, ...needed: readonly string[]) => ({
  name,
  needs: Object.fromEntries(needed.map((other) => [other, client(EventHub, other)])),
});
const namesOf = (services: readonly ReturnType<typeof service>[]) => orderByNeeds(services).map(({ name }) => name);

test("services follow those that they need, and stay in place otherwise", () => {
  const web = service("web", "orders", "users");
  const users = service("users", "orders");
  assert.deepEqual(namesOf([web, service("mail"), users, service("orders")]), ["orders", "users", "web", "mail"]);
});

test("services that need each other, or others than these, are in the list once", () => {
  assert.deepEqual(namesOf([service("a", "b", "elsewhere"), service("b", "a")]), ["b", "a"]);
});

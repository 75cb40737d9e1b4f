import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CommandFailure } from "../../frame/failure.ts";
import { serviceNames } from "./service-names.ts";

function refusal(name: string): string {
  try {
    serviceNames(name);
  } catch (error) {
    assert.ok(error instanceof CommandFailure);
    return error.message;
  }
  return assert.fail(`${name} was taken`);
}

describe("the names of a service", () => {
  it("derive from one", () => {
    assert.deepEqual(serviceNames("order-item-service"), {
      service: "order-item-service",
      snake: "order_item",
      camel: "orderItem",
      pascal: "OrderItem",
      words: "order item",
      one: "an order item",
      pluralSnake: "order_items",
      pluralCamel: "orderItems",
      pluralPascal: "OrderItems",
      pluralWords: "order items",
      pluralKebab: "order-items",
      second: "description",
      unique: "name",
    });
  });

  it("give users an email, and everything else a description", () => {
    const { second, unique, one } = serviceNames("user-service");
    assert.deepEqual([second, unique, one], ["email", "email", "a user"]);
  });

  for (const [service, one, many] of [
    ["users-service", "user", "users"],
    ["billing", "billing", "billings"],
    ["category-api", "category", "categories"],
    ["categories-service", "category", "categories"],
    ["box-svc", "box", "boxes"],
    ["boxes-service", "box", "boxes"],
    ["address-service", "address", "addresses"],
    ["addresses-service", "address", "addresses"],
    ["status-service", "status", "statuses"],
    ["key-service", "key", "keys"],
    ["bus-service", "bus", "buses"],
  ] as const) {
    it(`call one of ${service} ${one}, and many ${many}`, () => {
      const { snake, pluralSnake } = serviceNames(service);
      assert.deepEqual([snake, pluralSnake], [one, many]);
    });
  }

  it("are refused with the nearest that would do", () => {
    for (const [name, nearest] of [
      ["User Service", "user-service"],
      ["userService", "user-service"],
      ["user_service", "user-service"],
      ["-user--service-", "user-service"],
      ["2-users", "users"],
      ["../up", "up"],
      ["a".repeat(64), undefined],
      ["", undefined],
      ["ü", "u"],
      ["日本", undefined],
    ] as const) {
      const message = refusal(name);
      assert.match(message, /^invalid name ".*": expected lower-case words with dashes, at most 63 characters/);
      assert.equal(/did you mean (.+)\?$/.exec(message)?.[1], nearest, name);
    }
    assert.equal(serviceNames("a".repeat(63)).service.length, 63);
  });

  it("are refused where the code has a meaning for them", () => {
    for (const name of [
      "service",
      "event-service",
      "client-service",
      "class-service",
      "events",
      "run-service",
      "test-context-service",
    ]) {
      assert.match(refusal(name), /is a reserved word$/, name);
    }
    // Next to another word none has.
    assert.equal(serviceNames("audit-event-service").pascal, "AuditEvent");
  });
});

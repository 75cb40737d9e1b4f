import assert from "node:assert/strict";
import { test } from "node:test";
import { EventHub } from "../../gen/tercel/events/v1/event_hub_pb.ts";
import { hasAccessRule, refuseMethodsWithoutRule } from "./access-rules.ts";

const { typeName } = EventHub;

test("methods have a rule by their name, by their service or by the star, and all of them need one", () => {
  for (const access of [
    { [`${typeName}/Append`]: "public", [`${typeName}/Consume`]: { roles: ["reader"] } },
    { [`${typeName}/*`]: "authenticated" },
    { "*": "authenticated" },
  ] as const) {
    refuseMethodsWithoutRule([EventHub], access);
  }
});

test("a method without a rule is refused with the line to add", () => {
  assert.throws(() => refuseMethodsWithoutRule([EventHub], { [`${typeName}/Append`]: "public" }), {
    message: `missing access rule for ${typeName}/Consume; add to the definition's access, with "public" or roles instead where needed:\n  "${typeName}/Consume": "authenticated",`,
  });
  assert.throws(
    () => refuseMethodsWithoutRule([EventHub]),
    /missing access rule for 2 methods; .*\n.*Append": .*\n.*Consume": /,
  );
});

test("a service whose proto says nothing has no rule there", () => {
  assert.equal(hasAccessRule(EventHub), false);
});

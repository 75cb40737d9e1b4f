import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConnectError } from "@connectrpc/connect";
import { parseQuery } from "./query-parameters.ts";

describe("parseQuery", () => {
  it("returns decoded names and values, with + as a space", () => {
    assert.deepEqual(parseQuery("a=1&b=x+y%2B&c&d=&a=%C3%A9=1"), ["a", "1", "b", "x y+", "c", "", "d", "", "a", "é=1"]);
    assert.deepEqual(parseQuery(""), []);
    assert.deepEqual(parseQuery("&&a=1&"), ["a", "1"]);
  });

  it("refuses an invalid escape", () => {
    for (const query of ["a=%", "a=%zz", "%ff=1"]) assert.throws(() => parseQuery(query), ConnectError);
  });

  it("accepts at most 200 parameters", () => {
    assert.equal(parseQuery("a=1&".repeat(200)).length, 400);
    assert.throws(() => parseQuery("a=1&".repeat(201)), /more than 200 parameters/);
  });
});

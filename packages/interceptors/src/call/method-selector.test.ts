import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EchoService, OtherService } from "../../test/gen/tercel/interceptors/test/v1/echo_pb.ts";
import { createMethodFilter, createMethodTable } from "./method-selector.ts";

const echo = EchoService.typeName;
const { unary, bidi } = EchoService.method;

describe("a table by method", () => {
  it("finds the most specific entry", () => {
    const table = createMethodTable("here", "methods", { "*": 1, [`${echo}/*`]: 2, [`${echo}/Unary`]: 3 });
    assert.deepEqual(table.find(unary), { selector: `${echo}/Unary`, value: 3 });
    assert.deepEqual(table.find(bidi), { selector: `${echo}/*`, value: 2 });
    assert.deepEqual(table.find(OtherService.method.unary), { selector: "*", value: 1 });
  });

  it("finds nothing for other methods, and keeps entries that are undefined or false", () => {
    const table = createMethodTable("here", "methods", { [`${echo}/Unary`]: false, [`${echo}/Bidi`]: undefined });
    assert.equal(table.find(unary)?.value, false);
    assert.deepEqual(table.find(bidi), { selector: `${echo}/Bidi`, value: undefined });
    assert.equal(table.find(OtherService.method.unary), undefined);
  });

  it("rejects an invalid selector, with the expected form", () => {
    const expected = 'expected "package.Service/Method", "package.Service/*" or "*"';
    for (const selector of ["", "/", "a.B/", "/a.B/C", "a.B/C/D", "a.B/C*", "a.*", "**", "a b/C"]) {
      assert.throws(() => createMethodTable("createX", "methods", { [selector]: 1 }), {
        name: "TypeError",
        message: `createX: methods has ${JSON.stringify(selector)}; ${expected}`,
      });
    }
    assert.throws(() => createMethodTable("createX", "methods", { "a.B": 1 }), {
      message: `createX: methods has "a.B"; ${expected}; did you mean "a.B/*"?`,
    });
  });

  it("rejects a selector that matches no method of the services, with the nearest one", () => {
    const tableOf = (selector: string) => createMethodTable("createX", "methods", { [selector]: 1 }, [EchoService]);
    assert.throws(() => tableOf(`${echo}/Unari`), {
      message: `createX: methods names "${echo}/Unari", which is not a method of the services; did you mean "${echo}/Unary"?`,
    });
    assert.throws(() => tableOf(`${OtherService.typeName}/*`), /is not a method of the services/);
    for (const selector of ["*", `${echo}/*`, `${echo}/Unary`]) tableOf(selector);
  });
});

it("a filter by method selects the methods that its selectors match", () => {
  const selects = createMethodFilter("here", "ignore", [`${OtherService.typeName}/*`, `${echo}/Unary`]);
  assert.deepEqual([OtherService.method.unary, unary, bidi].map(selects), [true, true, false]);
  assert.equal(createMethodFilter("here", "ignore", [])(unary), false);
  assert.throws(() => createMethodFilter("createX", "ignore", ["a.B"]), /ignore has "a.B".*did you mean "a.B\/\*"/);
});

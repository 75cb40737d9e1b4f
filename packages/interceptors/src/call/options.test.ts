import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Code } from "@connectrpc/connect";
import { systemClock } from "@tercel/grpc";
import {
  callback,
  clockOption,
  codesOption,
  flag,
  headerOption,
  listOf,
  logOption,
  type Option,
  type OptionsOf,
  oneOf,
  readOptions,
  servicesOption,
  share,
  text,
  wholeNumber,
  withMethods,
} from "./options.ts";

const table = {
  limit: wholeNumber(1, 10).or(5),
  name: text().required(),
  policy: oneOf("allow", "deny"),
};

/** The error for one value of an option. */
function refusalOf(option: Option<never>, value: unknown): string {
  try {
    readOptions("createX", { it: option }, { it: value } as never);
  } catch (error) {
    return String(error);
  }
  return "accepted";
}

describe("options of a table", () => {
  it("have defaults, which do not replace 0, false and the empty string", () => {
    assert.deepEqual(readOptions("createX", table, { name: "a" }), { limit: 5, name: "a", policy: undefined });
    const empty = { number: wholeNumber(0).or(1), flag: flag().or(true), list: listOf(text(), "a list").or(["a"]) };
    const given = { number: 0, flag: false, list: [] };
    assert.deepEqual(readOptions("createX", empty, given), given);
    assert.equal(readOptions("createX", { clock: clockOption() }, {}).clock, systemClock);
  });

  it("have the types of their table", () => {
    const options: OptionsOf<typeof table> = { name: "a", policy: "deny" };
    const settings = readOptions("createX", table, options);
    const limit: number = settings.limit;
    const policy: "allow" | "deny" | undefined = settings.policy;
    assert.deepEqual([limit, policy], [5, "deny"]);
    // @ts-expect-error name is required
    assert.throws(() => readOptions("createX", table, { limit: 1 }));
    // @ts-expect-error no such policy
    assert.throws(() => readOptions("createX", table, { name: "a", policy: "maybe" }));
    // @ts-expect-error no such option
    assert.throws(() => readOptions("createX", table, { name: "a", more: 1 }));
  });

  it("are rejected if they are unknown, missing, or not an object", () => {
    assert.throws(() => readOptions("createX", table, { nam: "a" } as never), {
      name: "TypeError",
      message: 'createX: unknown option "nam"; did you mean "name"? Known options: limit, name, policy.',
    });
    assert.throws(() => readOptions("createX", table, {} as never), {
      name: "TypeError",
      message: "createX: name is missing; expected a text that is not empty",
    });
    assert.throws(() => readOptions("createX", table, undefined as never), {
      name: "TypeError",
      message: "createX is undefined; expected an object with limit, name, policy",
    });
  });

  it("are rejected with their value and the expected one", () => {
    const rows: readonly (readonly [Option<never>, unknown, string])[] = [
      [wholeNumber(1, 10) as never, 0, "RangeError: createX: it is 0; expected a whole number from 1 to 10"],
      [wholeNumber(1, 10) as never, 11, "RangeError: createX: it is 11; expected a whole number from 1 to 10"],
      [wholeNumber(1) as never, 1.5, "RangeError: createX: it is 1.5; expected a whole number of at least 1"],
      [wholeNumber(0) as never, "1", 'TypeError: createX: it is "1"; expected a whole number of at least 0'],
      [share() as never, Number.NaN, "RangeError: createX: it is NaN; expected a number from 0 to 1"],
      [flag() as never, "yes", 'TypeError: createX: it is "yes"; expected true or false'],
      [flag() as never, null, "TypeError: createX: it is null; expected true or false"],
      [
        oneOf("allow", "deny") as never,
        "alow",
        'TypeError: createX: it is "alow"; expected one of allow, deny; did you mean "allow"?',
      ],
      [callback() as never, {}, "TypeError: createX: it is an object; expected a function"],
      [text() as never, "", 'TypeError: createX: it is ""; expected a text that is not empty'],
      [
        logOption() as never,
        {},
        "TypeError: createX: it is an object; expected a log with the methods debug, info, warn and error",
      ],
      [
        withMethods<{ write(): void }>("an object with the method write", "write") as never,
        new Uint8Array(3),
        "TypeError: createX: it is 3 bytes; expected an object with the method write",
      ],
      [
        codesOption() as never,
        [Code.Aborted, 0],
        "RangeError: createX: it[1] is 0; expected a code, for example Code.Unavailable",
      ],
      [
        servicesOption() as never,
        {},
        "TypeError: createX: it is an object; expected a list of service descriptors, for example [UserService]",
      ],
      [
        listOf(text(), "a list of names", 1) as never,
        [],
        "TypeError: createX: it is an empty list; expected a list of names",
      ],
      [
        listOf(text(), "a list of names") as never,
        [undefined],
        "TypeError: createX: it[0] is missing; expected a text that is not empty",
      ],
    ];
    for (const [option, value, message] of rows) assert.equal(refusalOf(option, value), message);
  });

  it("do not show the contents of objects, which may be secret", () => {
    assert.doesNotMatch(refusalOf(oneOf("a") as never, { key: "secret" }), /secret/);
    assert.doesNotMatch(refusalOf(oneOf("a") as never, ["secret"]), /secret/);
  });

  it("are accepted at both limits", () => {
    for (const value of [1, 10]) assert.equal(refusalOf(wholeNumber(1, 10) as never, value), "accepted");
    for (const value of [0, 1]) assert.equal(refusalOf(share() as never, value), "accepted");
  });

  it("accept only metadata names for applications", () => {
    for (const name of ["x-request-id", "a.b_c-9"]) assert.equal(refusalOf(headerOption() as never, name), "accepted");
    for (const name of ["X-Id", "grpc-id", "id-bin", "a b", ""]) {
      assert.match(refusalOf(headerOption() as never, name), /expected a header name in lower case/);
    }
  });
});

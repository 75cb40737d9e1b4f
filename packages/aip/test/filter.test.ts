import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type ListFields, matchesFilter, parseFilter } from "@tercel/aip";
import { readErrorReason, readFieldViolations } from "@tercel/grpc/errors";
import { type Book, BookSchema, BookState, BookStateSchema } from "./gen/tercel/aip/test/v1/book_pb.ts";

const fields: ListFields = {
  title: "string",
  subtitle: "string",
  "author.full_name": "string",
  state: BookStateSchema,
  pages: "number",
  copies: "number",
  price: "number",
  created_at: "timestamp",
  reading_time: "duration",
  is_available: "bool",
  tags: { repeated: "string" },
};

function book(init: { subtitle?: string } = {}): Book {
  return create(BookSchema, {
    title: "The Tercel",
    author: { fullName: "J. A. Baker" },
    state: BookState.PUBLISHED,
    pages: 191,
    copies: 9_007_199_254_740_993n,
    price: 12.5,
    createdAt: { seconds: 1_767_225_600n, nanos: 500_000_000 },
    readingTime: { seconds: 7200n, nanos: 0 },
    isAvailable: true,
    tags: ["birds", "east anglia"],
    ...init,
  });
}

const truths: readonly (readonly [filter: string, matches: boolean])[] = [
  ["", true],
  ["   ", true],
  ['title = "The Tercel"', true],
  ["title='The Tercel'", true],
  ['title = "the tercel"', false],
  ['title != "The Tercel"', false],
  ['title = "The*"', true],
  ['title = "*Ter*"', true],
  ['title = "*e*e*e*"', true],
  ['title = "*e*e*e*e*"', false],
  ['title = "The\\*"', false],
  ["title = The*", true],
  ['title != "Peregrine*"', true],
  ['title > "Sparrow"', true],
  ['author.full_name = "J. A. Baker"', true],
  ["state = BOOK_STATE_PUBLISHED", true],
  ["state:BOOK_STATE_PUBLISHED", true],
  ["state != BOOK_STATE_DRAFT", true],
  ["pages > 190", true],
  ["pages >= 191 AND pages <= 191", true],
  ["pages < 191", false],
  ["price = 12.5", true],
  ["price > -1.25e1", true],
  ["copies > 9007199254740992", true],
  ["created_at > 2026-01-01", true],
  ["created_at = 2026-01-01T00:00:00.5Z", true],
  ["created_at = 2026-01-01T01:00:00.5+01:00", true],
  ['created_at < "2026-01-01T00:00:00.500000001Z"', true],
  ["reading_time = 7200s", true],
  ["reading_time < 7199.999999999s", false],
  ["is_available = true", true],
  ["is_available != true", false],
  ["tags:birds", true],
  ['tags:"east anglia"', true],
  ["tags:fish", false],
  ["NOT tags:fish", true],
  ["-tags:fish", true],
  ["subtitle:*", false],
  ["title:*", true],
  ["tags:*", true],
  ['subtitle != "x"', true],
  ["pages > 200 OR price < 20", true],
  ["pages > 200 AND price < 20", false],
  ["pages > 100 price < 20", true],
  // OR binds more tightly than AND.
  ["pages > 200 OR price < 20 AND is_available = false", false],
  ["(pages > 100 AND is_available = false) OR price < 20", true],
  ["NOT (pages > 200 OR is_available = false)", true],
];

describe("filters", () => {
  for (const [filter, expected] of truths) {
    it(`${JSON.stringify(filter)} ${expected ? "matches the book" : "does not match the book"}`, () => {
      assert.equal(matchesFilter(parseFilter(filter, fields), book()), expected);
    });
  }

  it("treat a field that is not set as different from every value, and neither less nor greater", () => {
    const empty = create(BookSchema);
    for (const [filter, expected] of [
      ["created_at = 2026-01-01", false],
      ["created_at != 2026-01-01", true],
      ["created_at < 2026-01-01", false],
      ['author.full_name = ""', false],
      ["subtitle:*", false],
    ] as const) {
      assert.equal(matchesFilter(parseFilter(filter, fields), empty), expected, filter);
    }
    assert.equal(matchesFilter(parseFilter("subtitle:*", fields), book({ subtitle: "x" })), true);
  });

  const mistakes: readonly (readonly [filter: string, at: number, text: RegExp])[] = [
    ["titel = x", 1, /unknown field "titel".*did you mean "title"/],
    ["constructor = x", 1, /unknown field "constructor"/],
    ["__proto__:x", 1, /unknown field "__proto__"/],
    ["title", 1, /missing comparison after "title"; write title = value/],
    ["title = ", 9, /missing value after =/],
    ["title = AND", 9, /missing value/],
    ["= x", 1, /expected a field name, found "="/],
    ['"The Tercel"', 1, /field names have no quotes/],
    ["title = x)", 10, /unexpected "\)"/],
    ["(title = x", 11, /missing "\)"/],
    ['title = "x', 9, /missing closing "/],
    ["title ! x", 7, /write NOT, or !=/],
    ["NOT", 4, /missing comparison at the end/],
    ["NOT NOT title = x", 5, /expected a field name, found "NOT"/],
    ["pages = many", 9, /"pages" must be a number/],
    ["pages = 1*", 9, /only in strings/],
    ["is_available = yes", 16, /must be true or false/],
    ["is_available > true", 14, /no order/],
    ["state = PUBLISHED", 9, /must be one of BOOK_STATE_UNSPECIFIED/],
    ["state = BOOK_STATE_PUBLISHD", 9, /did you mean BOOK_STATE_PUBLISHED/],
    ["created_at = yesterday", 14, /RFC 3339/],
    ["created_at = 2026-02-30", 14, /RFC 3339/],
    ["reading_time = 2h", 16, /must be a duration in seconds/],
    ["tags = birds", 6, /a repeated field; write tags:value/],
    ["startsWith(title)", 1, /unknown function "startsWith"/],
  ];
  for (const [filter, at, text] of mistakes) {
    it(`${JSON.stringify(filter)} is rejected at character ${at}`, () => {
      assert.throws(
        () => parseFilter(filter, fields),
        (error) => {
          assert.ok(error instanceof ConnectError);
          assert.equal(error.code, Code.InvalidArgument);
          const [violation] = readFieldViolations(error);
          assert.equal(violation?.field, "filter");
          assert.equal(violation.reason, "FILTER_INVALID");
          assert.match(violation.description, new RegExp(`at character ${at}:`));
          assert.match(violation.description, text);
          assert.equal(readErrorReason(error), undefined);
          return true;
        },
      );
    });
  }

  it("have at most 4096 characters", () => {
    const longest = `title = "${"x".repeat(4096 - 10)}"`;
    assert.equal(longest.length, 4096);
    assert.equal(parseFilter(longest, fields).kind, "compare");
    assert.throws(() => parseFilter(`${longest} `, fields), /4097 characters/);
  });

  it("have at most 32 nested parentheses", () => {
    const nested = (depth: number): string => `${"(".repeat(depth)}pages=1${")".repeat(depth)}`;
    assert.equal(parseFilter(nested(32), fields).kind, "compare");
    assert.throws(() => parseFilter(nested(33), fields), /more than 32 nested parentheses/);
  });

  it("have at most 100 comparisons", () => {
    assert.equal(parseFilter("pages=1 ".repeat(100), fields).kind, "and");
    assert.throws(() => parseFilter("pages=1 ".repeat(101), fields), /more than 100 comparisons/);
  });
});

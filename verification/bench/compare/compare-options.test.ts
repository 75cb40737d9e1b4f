import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../options.ts";
import { ROOT_FOLDER } from "../paths.ts";
import { parseCompareOptions } from "./compare-options.ts";

const cases = ["server/unary/10x10", "server/stream", "client/unary/1"];
const parse = (...words: string[]) => parseCompareOptions(["--base", ROOT_FOLDER, ...words], cases);

function refuses(words: string[], message: RegExp): void {
  assert.throws(
    () => parse(...words),
    (error) => error instanceof UsageError && message.test(error.message),
  );
}

test("compares every case with 15 pairs by default", () => {
  const { cases: chosen, sittings, pairs, seconds } = parse();
  assert.deepEqual({ chosen, sittings, pairs, seconds }, { chosen: cases, sittings: 5, pairs: 3, seconds: 2 });
});

test("a word selects the cases whose name contains it", () => {
  assert.deepEqual(parse("unary").cases, ["server/unary/10x10", "client/unary/1"]);
});

test("a whole name selects that case alone", () => {
  const known = ["server/stream", "tls/server/stream"];
  const chosen = (word: string) => parseCompareOptions(["--base", ROOT_FOLDER, word], known).cases;
  assert.deepEqual(chosen("server/stream"), ["server/stream"]);
  assert.deepEqual(chosen("stream"), known);
});

test("refuses a folder that is not a checkout, and a missing one", () => {
  refuses(["--base", import.meta.dirname], /not a checkout/);
  assert.throws(() => parseCompareOptions([], cases), /--base needs/);
});

test("refuses unknown words and options, and invalid numbers", () => {
  refuses(["unray"], /no case has unray/);
  refuses(["--pair", "3"], /--pair/);
  refuses(["--pairs", "0"], /invalid --pairs "0"/);
  refuses(["--sittings", "1", "--pairs", "1"], /at least two pairs/);
  refuses(["--seconds", "0.1"], /invalid --seconds/);
});

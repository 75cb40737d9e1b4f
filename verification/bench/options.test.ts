import assert from "node:assert/strict";
import { test } from "node:test";
import { parseOptions, UsageError } from "./options.ts";

const known = { cases: ["server/unary/10x10", "server/stream", "client/unary/1"], peers: ["grpc-js", "grpc-go"] };
const parse = (...words: string[]) => parseOptions(words, known);

function refuses(words: string[], message: RegExp): void {
  assert.throws(
    () => parse(...words),
    (error) => error instanceof UsageError && message.test(error.message),
  );
}

test("runs every case with every peer by default", () => {
  assert.deepEqual(parse(), {
    cases: known.cases,
    peers: known.peers,
    rounds: 3,
    seconds: 3,
    json: false,
    markdown: false,
    help: false,
  });
});

test("reads the files and the minutes", () => {
  const { into, compare, minutes } = parse("--into", "a.json", "--compare=b.json", "--minutes", "24");
  assert.deepEqual({ into, compare, minutes }, { into: "a.json", compare: "b.json", minutes: 24 });
});

test("refuses minutes below one and above a day, and accepts the limits", () => {
  assert.equal(parse("--minutes", "1").minutes, 1);
  assert.equal(parse("--minutes", "1440").minutes, 1440);
  for (const minutes of ["0.9", "1441", "soon"]) refuses(["--minutes", minutes], /--minutes has to be a number/);
});

test("words select the cases whose name contains one of them, in the catalogue's order", () => {
  assert.deepEqual(parse("unary").cases, ["server/unary/10x10", "client/unary/1"]);
  assert.deepEqual(parse("client", "stream").cases, ["server/stream", "client/unary/1"]);
});

test("a whole name selects that case alone, even if another name begins with it", () => {
  const unary = { cases: ["client/unary/1", "client/unary/100"], peers: [] };
  assert.deepEqual(parseOptions(["client/unary/1"], unary).cases, ["client/unary/1"]);
  assert.deepEqual(parseOptions(["client/unary/10"], unary).cases, ["client/unary/100"]);
});

test("a word that no case contains is refused with the names of all cases", () => {
  refuses(
    ["unray"],
    /"unray" in its name\. The cases are:\n {2}server\/unary\/10x10\n {2}server\/stream\n {2}client\/unary\/1$/,
  );
});

test("reads a value from the next word or after an equals sign", () => {
  assert.equal(parse("--rounds", "5").rounds, 5);
  assert.equal(parse("--rounds=5").rounds, 5);
  assert.equal(parse("--seconds=0.5", "--json", "unary").seconds, 0.5);
});

test("refuses an unknown option and names the nearest one", () => {
  refuses(["--round", "5"], /Unknown option --round\. The nearest is --rounds/);
  refuses(["-j"], /nearest is --json/);
});

test("refuses an option without its value and a flag with one", () => {
  refuses(["--rounds"], /--rounds needs a value/);
  refuses(["--peers="], /--peers needs a value/);
  refuses(["--json=yes"], /--json takes no value/);
});

test("accepts 1 to 99 rounds only", () => {
  assert.equal(parse("--rounds", "1").rounds, 1);
  assert.equal(parse("--rounds", "99").rounds, 99);
  for (const text of ["0", "100", "1.5", "-1", "many"]) refuses([`--rounds=${text}`], /whole number from 1 to 99/);
});

test("accepts 0.2 to 600 seconds only", () => {
  assert.equal(parse("--seconds", "0.2").seconds, 0.2);
  assert.equal(parse("--seconds", "600").seconds, 600);
  for (const text of ["0.19", "601", "-1", "NaN", "long"]) refuses([`--seconds=${text}`], /number from 0\.2 to 600/);
});

test("limits the peers, in the catalogue's order, down to none", () => {
  assert.deepEqual(parse("--peers", "grpc-go,grpc-js").peers, ["grpc-js", "grpc-go"]);
  assert.deepEqual(parse("--peers=grpc-go").peers, ["grpc-go"]);
  assert.deepEqual(parse("--peers", "none").peers, []);
});

test("refuses an unknown peer and names the nearest one", () => {
  refuses(["--peers", "grpc-js,grpcgo"], /Unknown peer "grpcgo"\. The nearest is grpc-go/);
});

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Code } from "@connectrpc/connect";
import { assertStatus } from "@tercel/grpc/testing";
import { createFeed, type Feed, type FeedOptions } from "./feed.ts";

interface Entry {
  readonly seq: number;
  readonly text: string;
}

let entries: Entry[];
let last: number;
let feed: Feed<Entry>;
let leaving: AbortController;
let stopping: AbortController;
beforeEach(() => {
  entries = [];
  last = 0;
  leaving = new AbortController();
  stopping = new AbortController();
  open();
});

function open(options: Partial<FeedOptions> = {}): void {
  const source = {
    after: async (after: number, limit: number) => entries.filter(({ seq }) => seq > after).slice(0, limit),
    range: async () => ({ first: entries[0]?.seq ?? last + 1, last }),
  };
  // Nothing but a wake has followers look, unless a test says otherwise.
  feed = createFeed<Entry>(source, { pollMs: 3_600_000, stopping: stopping.signal, ...options });
}

function add(text: string, isQuiet = false): void {
  last += 1;
  entries.push({ seq: last, text });
  if (!isQuiet) feed.wake();
}

const follow = (after?: number) => feed.follow({ after, signal: leaving.signal });

async function take(stream: AsyncIterator<Entry>, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { done, value } = await stream.next();
    if (done === true) return [...texts, "end"];
    texts.push(`${value.seq} ${value.text}`);
  }
  return texts;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a follower without a token gets what comes, and not what was", async () => {
  add("Ada");
  const stream = follow();
  const first = take(stream, 2);
  await turn();
  add("Eve");
  add("Bob");
  assert.deepEqual(await first, ["2 Eve", "3 Bob"]);
  await stream.return();
  assert.equal(feed.followers, 0);
});

test("a follower that resumes gets what it missed, each once and in order, and then what comes", async () => {
  for (let nth = 1; nth <= 250; nth++) add(`entry${nth}`);
  const stream = follow(20);
  const missed = take(stream, 231);
  // Some of it happens while what was missed is still being read.
  await turn();
  add("late");
  const expected = Array.from({ length: 230 }, (_, at) => `${at + 21} entry${at + 21}`);
  assert.deepEqual(await missed, [...expected, "251 late"]);
  const next = take(stream, 1);
  add("later");
  assert.deepEqual(await next, ["252 later"]);
  await stream.return();
});

test("what is not kept any more is OUT_OF_RANGE instead of a gap", async () => {
  for (const text of ["a", "b", "c"]) add(text);
  entries.shift();
  await assertStatus(follow(0), Code.OutOfRange, /resume_token is too old/);
  await assertStatus(follow(4), Code.OutOfRange);
  const stream = follow(1);
  assert.deepEqual(await take(stream, 2), ["2 b", "3 c"]);
  await stream.return();
  assert.equal(feed.followers, 0);
});

test("what another process has committed is found by looking", async () => {
  open({ pollMs: 1 });
  const stream = follow();
  const first = take(stream, 1);
  await turn();
  add("elsewhere", true);
  assert.deepEqual(await first, ["1 elsewhere"]);
  await stream.return();
});

test("a stream ends when its reader leaves", async () => {
  const stream = follow();
  const waiting = take(stream, 1);
  await turn();
  leaving.abort();
  assert.deepEqual(await waiting, ["end"]);
  assert.equal(feed.followers, 0);
});

test("a reader however slow misses nothing, and others do not wait for it", async () => {
  const [slow, quick] = [follow(0), follow(0)];
  for (let nth = 1; nth <= 1_000; nth++) add(`entry${nth}`);
  assert.deepEqual(await take(slow, 1), ["1 entry1"]);
  assert.equal((await take(quick, 1_000)).at(-1), "1000 entry1000");
  assert.equal((await take(slow, 999)).at(-1), "1000 entry1000");
  await slow.return();
  await quick.return();
});

test("a stop ends all streams with UNAVAILABLE, so that they go on elsewhere", async () => {
  const waiting = assertStatus(follow(), Code.Unavailable, "the server is shutting down");
  await turn();
  stopping.abort();
  await waiting;
});

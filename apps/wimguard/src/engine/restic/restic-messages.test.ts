import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseBackupMessage, parseNode, parseSnapshot, parseSnapshots, toSeconds } from "./restic-messages.ts";

describe("messages of restic", () => {
  for (const [line, expected] of [
    ['{"message_type":"status","percent_done":0.5,"total_bytes":8,"bytes_done":4}', { kind: "status", bytesDone: 4 }],
    ['{"message_type":"status","percent_done":0}', { kind: "status", bytesDone: 0 }],
    [
      '{"message_type":"summary","data_added":9,"snapshot_id":"a"}',
      { kind: "summary", addedBytes: 9, snapshotId: "a" },
    ],
    [
      '{"message_type":"summary","data_added":9,"data_added_packed":5}',
      { kind: "summary", addedBytes: 5, snapshotId: "" },
    ],
    [
      '{"message_type":"error","error":{"Op":"open","Path":"/a","Err":13},"during":"archival","item":"/a"}',
      { kind: "unreadable", path: "/a", problem: "open failed (error 13)" },
    ],
    [
      '{"message_type":"error","error":{"message":"open /a: permission denied"},"item":"/a"}',
      { kind: "unreadable", path: "/a", problem: "open /a: permission denied" },
    ],
    ['{"message_type":"verbose_status"}', undefined],
    ["{", undefined],
    ["open repository", undefined],
  ] as const) {
    it(`are read: ${line}`, () => assert.deepEqual(parseBackupMessage(line), expected));
  }

  it("list entries with the permissions of Unix, and times to the nanosecond", () => {
    const line = (more: string) =>
      `{"name":"a","path":"/x/a","uid":1,"gid":2,"mtime":"2001-09-09T03:46:40.000000001+02:00","struct_type":"node",${more}}`;
    assert.deepEqual(parseNode(line('"type":"file","size":3,"mode":420')), {
      path: "/x/a",
      kind: "file",
      size: 3,
      mode: 0o644,
      uid: 1,
      gid: 2,
      mtime: "1000000000.000000001",
    });
    // Bits of Go: folder 31, set-user-ID 23, set-group-ID 22, sticky 20.
    assert.equal(parseNode(line(`"type":"dir","mode":${2 ** 31 + 2 ** 20 + 0o777}`))?.mode, 0o1777);
    assert.equal(parseNode(line(`"type":"file","mode":${2 ** 23 + 2 ** 22 + 0o755}`))?.mode, 0o6755);
    assert.equal(parseNode(line('"type":"socket","mode":0')), undefined);
    assert.equal(parseNode('{"time":"2026-01-01T00:00:00Z","struct_type":"snapshot"}'), undefined);
  });

  for (const [time, seconds] of [
    ["1970-01-01T00:00:00Z", "0"],
    ["1969-12-31T23:59:59.5Z", "-0.5"],
    ["1969-12-31T23:59:58.999999999Z", "-1.000000001"],
    ["2026-12-01T04:30:05.120+01:00", "1796095805.12"],
  ] as const) {
    it(`have times in seconds: ${time}`, () => assert.equal(toSeconds(time), seconds));
  }

  it("list snapshots, and no snapshots", () => {
    assert.deepEqual(parseSnapshots("null\n"), []);
    assert.deepEqual(parseSnapshots('[{"id":"ab","time":"1970-01-01T00:00:01.5Z","paths":["/a"],"tags":["x"]}]'), [
      { id: "ab", timeMs: 1500, paths: ["/a"], tags: ["x"] },
    ]);
  });

  it("say before its entries what snapshot it is", () => {
    const line = '{"time":"1970-01-01T00:00:01Z","tags":["x"],"id":"abcd","short_id":"ab","struct_type":"snapshot"}';
    assert.deepEqual(parseSnapshot(line), { id: "abcd", timeMs: 1000, paths: [], tags: ["x"] });
    assert.equal(parseSnapshot('{"name":"a","type":"file","path":"/a","struct_type":"node"}'), undefined);
  });
});

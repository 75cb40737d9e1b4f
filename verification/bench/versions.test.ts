import assert from "node:assert/strict";
import { test } from "node:test";
import { PEERS, TERCEL } from "./subjects.ts";
import { lockedCrateVersion, pomProperty, requiredGoVersion } from "./versions.ts";

test("reads the version of a crate, and not of one with the same prefix", () => {
  const lock =
    '[[package]]\nname = "tonic-prost"\nversion = "1.0.0"\n\n[[package]]\nname = "tonic"\nversion = "0.14.9"\nsource = "x"\n';
  assert.equal(lockedCrateVersion(lock, "tonic"), "0.14.9");
  assert.equal(lockedCrateVersion(lock, "hyper"), "unknown");
});

test("reads a property of a pom and a requirement of a go.mod", () => {
  assert.equal(pomProperty("<a><grpc.version>1.76.0</grpc.version></a>", "grpc.version"), "1.76.0");
  assert.equal(pomProperty("<a/>", "grpc.version"), "unknown");
  assert.equal(
    requiredGoVersion("module a\n\nrequire google.golang.org/grpc v1.85.0\n", "google.golang.org/grpc"),
    "v1.85.0",
  );
});

test("reads the version of every peer from the files of this repository that contain it", async () => {
  for (const name of ["grpc-go", "grpc-java", "tonic", "hyper"]) {
    const peer = PEERS.find((one) => one.name === name) ?? assert.fail(name);
    assert.match(await peer.version(), /^v?\d+\.\d+\.\d+$/, name);
  }
  assert.match(await TERCEL.version(), /^\d+\.\d+\.\d+/);
});

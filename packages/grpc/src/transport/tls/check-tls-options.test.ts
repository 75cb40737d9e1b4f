import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { before, describe, it } from "node:test";
import { Code, createClient } from "@connectrpc/connect";
import { createAuthority, type KeyPair, withoutOpenssl } from "@tercel/test-support/certificates";
import { EchoService } from "../../../test/gen/tercel/grpc/test/v1/echo_pb.ts";
import { createChannel } from "../../channel/channel.ts";
import { createServer } from "../../server/server.ts";
import { assertStatus } from "../../testing/assert-status.ts";

const serve = (tls: unknown) => createServer({ routes() {}, tls: tls as object });
const open = (tls: unknown) => createChannel("localhost:1", { tls: tls as object });

/** Fails unless both sides refuse the options, each with its name. */
function assertRefused(tls: unknown, message: RegExp): void {
  for (const [make, where] of [
    [serve, "createServer: tls"],
    [open, "createChannel: tls"],
  ] as const) {
    assert.throws(
      () => make(tls),
      (error) => error instanceof TypeError && error.message.startsWith(where) && message.test(error.message),
      `${where}: ${JSON.stringify(tls)}`,
    );
  }
}

describe("the option tls", () => {
  it("is refused with a name that is not known, with the nearest that is", () => {
    for (const [name, nearest] of [
      ["certificate", "cert"],
      ["privateKey", "key"],
      ["certs", "cert"],
      ["requestCerts", "requestCert"],
      ["alpnProtocols", "ALPNProtocols"],
      ["rejectUnauthorised", "rejectUnauthorized"],
    ]) {
      assertRefused({ [name as string]: "x" }, new RegExp(`unknown option "${name}"; did you mean "${nearest}"\\?`));
    }
    assert.throws(() => open({ serverName: "a" }), /createChannel: tls: .*did you mean "servername"\?/);
    // Where a connection goes is not for TLS to say.
    assert.throws(() => open({ host: "a" }), /createChannel: tls: unknown option "host"/);
    assert.throws(() => serve({ servername: "a" }), /createServer: tls: unknown option "servername"/);
  });

  it("is refused when it is nothing that has options", () => {
    for (const tls of [false, "yes", 1, null, ["x"]])
      assertRefused(tls, /^create(Server|Channel): tls is .*; it has to be/);
    assert.throws(() => serve(true), /createServer: tls is true; it has to be an object with cert and key/);
    assertRefused({ files: "tls.crt" }, /tls\.files is of the type string; it has to be what watchTlsFiles returns/);
  });

  it("names the part that is not PEM, and says that a name of a file is not its content", () => {
    for (const part of ["ca", "cert", "key"]) {
      assertRefused(
        { [part]: "/tls/x.pem" },
        new RegExp(`tls\\.${part} is not in PEM form; it is the content and not the name`),
      );
      assertRefused({ [part]: Buffer.alloc(4) }, new RegExp(`tls\\.${part} is not in PEM form$`));
      assertRefused({ [part]: 42 }, new RegExp(`tls\\.${part} is of the type number; it has to be PEM text`));
      assertRefused({ [part]: [null] }, new RegExp(`tls\\.${part}\\[0\\] is null`));
    }
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assertRefused({ cert: broken }, /tls\.cert does not contain a valid certificate in PEM form$/);
    assertRefused({ ca: [broken] }, /tls\.ca\[0\] does not contain a valid certificate in PEM form$/);
    const secret = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
    assertRefused(
      { key: secret },
      /^((?!c2Vj).)*tls\.key does not contain a private key in PEM form; one that is encrypted needs tls\.passphrase$/,
    );
  });
});

describe("certificates in the option tls", { skip: withoutOpenssl }, () => {
  let ca: Buffer;
  let pair: KeyPair;
  let other: KeyPair;

  before(() => {
    const authority = createAuthority();
    ca = authority.cert;
    pair = authority.issue({ names: ["DNS:localhost"] });
    other = authority.issue({ names: ["DNS:other"] });
    authority.dispose();
  });

  const encrypted = (): string =>
    execFileSync("openssl", ["pkey", "-aes256", "-passout", "pass:open"], { input: pair.key, encoding: "utf8" });

  it("are taken in every form in which node:tls takes them", async () => {
    const { key, cert } = pair;
    for (const tls of [
      { key, cert, ca },
      { key: key.toString(), cert: cert.toString(), ca: ca.toString() },
      { key: [key], cert: [cert], ca: [ca, other.cert] },
      { cert: Buffer.concat([cert, ca]), key, ca: `# roots\n${ca}${other.cert}` },
      { key: encrypted(), passphrase: "open", cert },
      { key: [{ pem: encrypted(), passphrase: "open" }], cert },
      { key: undefined, cert: undefined, minVersion: "TLSv1.3", requestCert: true },
      {},
    ]) {
      await serve(tls).close();
      await open(tls).close();
    }
    await open({ servername: "a", checkServerIdentity: () => undefined, session: Buffer.alloc(1) }).close();
    await open(true).close();
  });

  it("are refused when the key is another's or does not open", () => {
    assertRefused(
      { key: other.key, cert: pair.cert },
      /tls\.key is not the private key of the certificate in tls\.cert$/,
    );
    assertRefused(
      { key: encrypted(), cert: pair.cert },
      /tls\.key does not contain a private key .*needs tls\.passphrase$/,
    );
    assertRefused(
      { key: encrypted(), passphrase: "shut" },
      /tls\.key does not contain a private key in PEM form that the passphrase opens$/,
    );
  });

  it("of a function are checked for each connection, and fail the call", async () => {
    const channel = createChannel("localhost:1", { tls: () => ({ ca: "roots.pem" }) });
    const call = createClient(EchoService, channel).unary({});
    await assertStatus(call, Code.Unavailable, /the channel's tls function: tls\.ca is not in PEM form/);
    await channel.close();
  });

  it("of updateTls are checked, and what was there stays in force", async () => {
    const server = serve(pair);
    assert.throws(() => server.updateTls({ cert: "tls.crt" }), /updateTls: tls\.cert is not in PEM form/);
    assert.throws(() => server.updateTls({ certificate: "x" } as object), /updateTls: tls: .*did you mean "cert"\?/);
    server.updateTls(other);
    await server.close();
  });
});

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { Code, createClient } from "@connectrpc/connect";
import { type ChannelOptions, createChannel, createServer, type TlsFilesOptions, watchTlsFiles } from "@tercel/grpc";
import { assertStatus, createFakeClock } from "@tercel/grpc/testing";
import { type Authority, createAuthority, type KeyPair, withoutOpenssl } from "@tercel/test-support/certificates";
import { EchoService } from "./gen/tercel/grpc/test/v1/echo_pb.ts";
import { echoRoutes, recordingLog } from "./support/open-echo.ts";

describe("TLS files", { skip: withoutOpenssl }, () => {
  const names = ["DNS:localhost"];
  let root: string;
  let authority: Authority;
  let otherAuthority: Authority;
  let first: KeyPair;
  let second: KeyPair;
  let foreign: KeyPair;
  let folders = 0;

  before(() => {
    root = mkdtempSync(join(tmpdir(), "tercel-tls-files-"));
    authority = createAuthority("authority");
    otherAuthority = createAuthority("other");
    first = authority.issue({ commonName: "first", names });
    second = authority.issue({ commonName: "second", names });
    foreign = otherAuthority.issue({ commonName: "foreign", names });
  });
  after(() => {
    authority.dispose();
    otherAuthority.dispose();
    rmSync(root, { recursive: true });
  });

  function makeFolder(): string {
    const folder = join(root, `files-${++folders}`);
    mkdirSync(folder);
    return folder;
  }

  function write(folder: string, { cert, key }: KeyPair): void {
    writeFileSync(join(folder, "tls.crt"), cert);
    writeFileSync(join(folder, "tls.key"), key);
  }

  function paths(folder: string) {
    return { certFile: join(folder, "tls.crt"), keyFile: join(folder, "tls.key") };
  }

  /** Watches a folder by signs that the test gives, on a clock that it moves. */
  function watchByHand(test: TestContext, options: TlsFilesOptions) {
    const clock = createFakeClock();
    const signs = new Set<() => void>();
    const watched: string[] = [];
    const { log, logged } = recordingLog();
    const files = watchTlsFiles({
      ...options,
      clock,
      log,
      watchFolder(folder, onChange) {
        watched.push(folder);
        signs.add(onChange);
        return () => signs.delete(onChange);
      },
    });
    test.after(() => files.close());
    let changes = 0;
    files.onChange(() => changes++);
    return {
      files,
      clock,
      watched,
      signs,
      errors: () => logged.filter(({ level }) => level === "error").map(({ fields }) => String(fields.problem)),
      warnings: () => logged.filter(({ level }) => level === "warn").map(({ message }) => message),
      changes: () => changes,
      sign() {
        for (const tell of signs) tell();
      },
    };
  }

  it("are taken when they have settled after a sign of change, and not before", async (test) => {
    const folder = makeFolder();
    write(folder, first);
    const { files, clock, sign, changes, watched } = watchByHand(test, { ...paths(folder), settleMs: 300 });
    assert.deepEqual(watched, [folder]);
    write(folder, second);
    sign();
    await clock.advance(200);
    sign();
    await clock.advance(99);
    assert.deepEqual([changes(), files.current.cert], [0, first.cert]);
    await clock.advance(1);
    assert.deepEqual([changes(), files.current.cert, files.current.key], [1, second.cert, second.key]);
  });

  it("that fit together only later are refused with a clear error, once, and taken when they do", async (test) => {
    const folder = makeFolder();
    write(folder, first);
    const { files, clock, sign, changes, errors } = watchByHand(test, {
      ...paths(folder),
      settleMs: 300,
      pollMs: 1000,
    });
    writeFileSync(join(folder, "tls.crt"), second.cert);
    sign();
    await clock.advance(5000);
    const { certFile, keyFile } = paths(folder);
    assert.deepEqual(errors(), [
      `the key in keyFile ${keyFile} is not that of the certificate in certFile ${certFile}`,
    ]);
    assert.deepEqual([changes(), files.current.cert], [0, first.cert]);
    writeFileSync(join(folder, "tls.key"), second.key);
    sign();
    await clock.advance(300);
    assert.deepEqual([changes(), files.current.cert], [1, second.cert]);
  });

  const damages: [string, (folder: string) => void, RegExp][] = [
    [
      "a certificate that is cut off",
      (folder) => writeFileSync(join(folder, "tls.crt"), second.cert.subarray(0, 100)),
      /certFile .*tls\.crt does not contain a valid certificate/,
    ],
    [
      "a certificate of nonsense",
      (folder) =>
        writeFileSync(join(folder, "tls.crt"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
      /certFile .*tls\.crt does not contain a valid certificate/,
    ],
    [
      "a key that is cut off",
      (folder) => writeFileSync(join(folder, "tls.key"), second.key.subarray(0, 60)),
      /keyFile .*tls\.key does not contain a private key/,
    ],
    [
      "an empty key",
      (folder) => writeFileSync(join(folder, "tls.key"), ""),
      /keyFile .*tls\.key does not contain a private key/,
    ],
    [
      "authorities that are none",
      (folder) => writeFileSync(join(folder, "ca.crt"), second.key),
      /caFile .*ca\.crt does not contain a valid certificate/,
    ],
    [
      "a file that is gone",
      (folder) => renameSync(join(folder, "tls.key"), join(folder, "elsewhere")),
      /keyFile .*tls\.key cannot be read: ENOENT/,
    ],
  ];
  for (const [name, damage, expected] of damages) {
    it(`with ${name} are refused: at the start by an error, later by keeping the old ones`, (test) => {
      const folder = makeFolder();
      write(folder, first);
      writeFileSync(join(folder, "ca.crt"), authority.cert);
      const options = { ...paths(folder), caFile: join(folder, "ca.crt") };
      const { files, errors } = watchByHand(test, options);
      damage(folder);
      assert.equal(files.reload(), false);
      assert.deepEqual(files.current, { ...first, ca: authority.cert });
      assert.match(errors()[0] ?? "", expected);
      assert.throws(() => watchTlsFiles(options), expected);
    });
  }

  it("are found by looking regularly where no sign comes, and not looked at when that is off", async (test) => {
    const folder = makeFolder();
    write(folder, first);
    const looking = watchByHand(test, { ...paths(folder), pollMs: 1000 });
    const waiting = watchByHand(test, { ...paths(folder), pollMs: 0 });
    write(folder, second);
    for (const { clock } of [looking, waiting]) await clock.advance(999);
    assert.equal(looking.changes(), 0);
    for (const { clock } of [looking, waiting]) await clock.advance(1);
    assert.deepEqual([looking.changes(), waiting.changes()], [1, 0]);
    assert.equal(waiting.clock.pendingTimers, 0);
  });

  it("are watched no more after close, and leave no timer", async (test) => {
    const folder = makeFolder();
    write(folder, first);
    const { files, clock, sign, signs, changes } = watchByHand(test, paths(folder));
    sign();
    write(folder, second);
    files.close();
    sign();
    await clock.advance(100_000);
    assert.deepEqual([changes(), clock.pendingTimers, signs.size], [0, 0, 0]);
    assert.deepEqual(files.current.cert, first.cert);
  });

  it("are refused as options that make no sense", () => {
    assert.throws(() => watchTlsFiles({ certFile: "a" }), /together/);
    assert.throws(() => watchTlsFiles({}), /certFile and keyFile, or caFile/);
    assert.throws(() => watchTlsFiles({ caFil: "a" } as object), /did you mean "caFile"/);
    assert.throws(() => watchTlsFiles({ caFile: "a", pollMs: -1 }), RangeError);
  });

  const replacements: [string, (folder: string) => TlsFilesOptions, (folder: string) => void][] = [
    [
      "written in place",
      (folder) => {
        write(folder, first);
        return paths(folder);
      },
      (folder) => write(folder, second),
    ],
    [
      "renamed over",
      (folder) => {
        write(folder, first);
        return paths(folder);
      },
      (folder) => {
        const staged = join(folder, "staged");
        mkdirSync(staged);
        write(staged, second);
        for (const name of ["tls.crt", "tls.key"]) renameSync(join(staged, name), join(folder, name));
      },
    ],
    [
      "behind a symlink that is swapped, as Kubernetes does",
      (folder) => {
        mkdirSync(join(folder, "..1"));
        write(join(folder, "..1"), first);
        symlinkSync("..1", join(folder, "..data"));
        for (const name of ["tls.crt", "tls.key"]) symlinkSync(join("..data", name), join(folder, name));
        return paths(folder);
      },
      (folder) => {
        mkdirSync(join(folder, "..2"));
        write(join(folder, "..2"), second);
        symlinkSync("..2", join(folder, "..data_tmp"));
        renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
      },
    ],
  ];
  for (const [name, prepare, replace] of replacements) {
    it(`that are ${name} are noticed by the system's signs`, async (test) => {
      const folder = makeFolder();
      // No regular look: only the system's own signs can tell.
      const files = watchTlsFiles({ ...prepare(folder), settleMs: 10, pollMs: 0, log: recordingLog().log });
      test.after(() => files.close());
      const changed = new Promise<void>((resolve) => files.onChange(resolve));
      replace(folder);
      await changed;
      assert.deepEqual(files.current, second);
    });
  }

  /** A server on files, and what the next client finds. */
  async function serve(test: TestContext, folder: string, tls: object = {}, caFile?: string) {
    const { log } = recordingLog();
    const files = watchTlsFiles({ ...paths(folder), ...(caFile !== undefined && { caFile }), pollMs: 0, log });
    const server = createServer({
      routes: echoRoutes({
        unary: () => ({}),
        async *bidi(requests) {
          for await (const { text } of requests) yield { text };
        },
      }),
      tls: { ...tls, files },
      log,
    });
    const { port } = await server.listen({ port: 0 });
    test.after(async () => {
      await server.close({ deadlineMs: 0 });
      files.close();
    });
    const connect = (options: ChannelOptions["tls"]) => {
      const channel = createChannel(`localhost:${port}`, {
        tls: options ?? true,
        defaultTimeoutMs: 60_000,
        log,
      });
      test.after(() => channel.close());
      return createClient(EchoService, channel);
    };
    return { server, files, port, connect };
  }

  /** The common name of the certificate that the server shows. */
  async function shownName(port: number, ca: Buffer): Promise<string | undefined> {
    const socket = await handshake(port, { ca });
    const { CN } = socket.getPeerCertificate().subject;
    socket.destroy();
    return String(CN);
  }

  function handshake(port: number, tls: object): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ port, host: "127.0.0.1", servername: "localhost", ALPNProtocols: ["h2"], ...tls });
      socket.on("error", reject);
      socket.on("secureConnect", () => resolve(socket));
    });
  }

  it("hold for the server's next connections, and leave those that stand alone", async (test) => {
    const folder = makeFolder();
    write(folder, first);
    const { files, port, connect } = await serve(test, folder);
    const client = connect({ ca: authority.cert });
    const next = Promise.withResolvers<void>();
    const stream = client.bidi(
      (async function* () {
        yield { text: "before" };
        await next.promise;
        yield { text: "after" };
      })(),
    );
    const responses = stream[Symbol.asyncIterator]();
    assert.equal((await responses.next()).value?.text, "before");
    assert.equal(await shownName(port, authority.cert), "first");
    write(folder, second);
    assert.equal(files.reload(), true);
    assert.equal(await shownName(port, authority.cert), "second");
    next.resolve();
    assert.equal((await responses.next()).value?.text, "after");
    assert.equal((await responses.next()).done, true);
  });

  it("hold for a channel's next connections, authorities included", async (test) => {
    const folder = makeFolder();
    write(folder, foreign);
    const caFile = join(folder, "ca.crt");
    writeFileSync(caFile, authority.cert);
    const { server, port } = await serve(test, folder);
    const { log } = recordingLog();
    const trusted = watchTlsFiles({ caFile, pollMs: 0, log });
    test.after(() => trusted.close());
    const call = async () => {
      const channel = createChannel(`localhost:${port}`, { tls: { files: trusted }, log });
      try {
        await createClient(EchoService, channel).unary({});
      } finally {
        await channel.close();
      }
    };
    await assertStatus(call(), Code.Unavailable, /certificate/);
    writeFileSync(caFile, otherAuthority.cert);
    assert.equal(trusted.reload(), true);
    await call();
    assert.equal(server.openCalls, 0);
  });

  it("change whom a server with mutual TLS lets in, resumed sessions included, and end no connection", async (test) => {
    const folder = makeFolder();
    write(folder, first);
    const caFile = join(folder, "ca.crt");
    writeFileSync(caFile, authority.cert);
    const { files, port, connect } = await serve(test, folder, { requestCert: true }, caFile);
    const ca = authority.cert;
    const known = connect({ ca, ...second });
    await known.unary({});
    await assertStatus(connect({ ca, ...foreign }).unary({}), Code.Unavailable);
    await assertStatus(connect({ ca }).unary({}), Code.Unavailable);

    // A session that could be resumed without showing the certificate again.
    const before = await handshake(port, { ca, ...second, maxVersion: "TLSv1.2" });
    const session = before.getSession();
    before.destroy();
    const resumed = await handshake(port, { ca, ...second, session, maxVersion: "TLSv1.2" });
    assert.equal(resumed.isSessionReused(), true);
    resumed.destroy();

    writeFileSync(caFile, otherAuthority.cert);
    assert.equal(files.reload(), true);
    await connect({ ca, ...foreign }).unary({});
    await assertStatus(connect({ ca, ...second }).unary({}), Code.Unavailable);
    await assert.rejects(handshake(port, { ca, ...second, session, maxVersion: "TLSv1.2" }));
    // It had been let in before.
    await known.unary({});
  });
});

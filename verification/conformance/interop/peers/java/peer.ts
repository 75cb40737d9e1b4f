import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { because } from "../../cases.ts";
import { peerCache, peerFolder } from "../../paths.ts";
import type { Peer, RunSettings } from "../../peer.ts";
import { prepareOnce, runStep } from "../../prepared.ts";

const cache = peerCache("java");
const pom = join(peerFolder("java"), "pom.xml");
const programs = "io.grpc.testing.integration";
/** Options for a program that runs for a second, where the second compiler stage and parallel collectors only cost time. */
const java = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", join(cache, "lib", "*")];
/** A trust store must have a password. It protects nothing. */
const trustStorePassword = "changeit";

/** gRPC Java over Netty, with its published interoperability programs. */
export const grpcJava: Peer = {
  name: "java",
  needs: ["java", "keytool", "mvn"],
  hidesCompression: true,
  clientLacks: {},
  serverLacks: because(["server_compressed_streaming"], "it compresses unary responses only"),
  // Its server accepts no other certificate. Its test certificate and authority are in the archive.
  serverTrust: { caFile: join(cache, "certs", "ca.pem"), serverName: "foo.test.google.fr" },
  prepare() {
    prepareOnce(cache, [pom], "", () => {
      // Maven writes files next to its project file.
      const copy = join(cache, "pom.xml");
      copyFileSync(pom, copy);
      const maven = ["-q", "-B", "-f", copy];
      runStep("mvn", [...maven, "dependency:copy-dependencies", `-DoutputDirectory=${join(cache, "lib")}`]);
      const certificates = ["-DincludeArtifactIds=grpc-testing", "-Dmdep.unpack.includes=certs/ca.pem"];
      runStep("mvn", [...maven, "dependency:unpack-dependencies", ...certificates, `-DoutputDirectory=${cache}`]);
    });
  },
  prepareRun({ certificates, folder }) {
    const store = trustStore(folder);
    rmSync(store, { force: true });
    const options = ["-storetype", "PKCS12", "-storepass", trustStorePassword, "-keystore", store];
    runStep("keytool", ["-importcert", "-noprompt", "-alias", "ca", "-file", certificates.caFile, ...options]);
  },
  client: ({ folder }: RunSettings) => ({
    file: "java",
    args: [
      `-Djavax.net.ssl.trustStore=${trustStore(folder)}`,
      `-Djavax.net.ssl.trustStorePassword=${trustStorePassword}`,
      ...java,
      `${programs}.TestServiceClient`,
    ],
  }),
  // The authority is in its trust store, and it refuses unknown options.
  trustOptions: () => [],
  server: () => ({ file: "java", args: [...java, `${programs}.TestServiceServer`] }),
};

function trustStore(folder: string): string {
  return join(folder, "trust.p12");
}

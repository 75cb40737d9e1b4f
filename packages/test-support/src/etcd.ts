import { findProgram } from "./find-program.ts";
import { freePorts } from "./free-ports.ts";
import { createServerProcess, type ServerProcess } from "./server-process.ts";

const program = findProgram("etcd");

/** The reason to skip tests that need etcd; false if it is installed. */
export const withoutEtcd: string | false = program === undefined && "etcd is not installed; .ci/run installs it";

/** An etcd server for one test, the only member of its cluster. */
export interface EtcdServer extends ServerProcess {
  /** URL for clients. */
  readonly target: string;
}

export async function createEtcdServer(): Promise<EtcdServer> {
  const [client, peer] = await freePorts(2);
  const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  const server = createServerProcess((folder) => ({
    program: program ?? "etcd",
    args: [
      "--name=test",
      `--data-dir=${folder}/data`,
      `--listen-client-urls=${clientUrl}`,
      `--advertise-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=test=${peerUrl}`,
      "--log-level=info",
    ],
    readyTexts: ["ready to serve client requests"],
  }));
  return { ...server, target: `127.0.0.1:${client}` };
}
